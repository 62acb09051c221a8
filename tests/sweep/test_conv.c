/* Thousands of convolutions, plain and transposed, of random geometry, type, layout and number of threads, on both backends,
 * against the definition in double precision: kernels beyond the image, strides beyond the kernel, dilation, padding on any side,
 * groups, depth 1, zero sizes, output_padding, output_shape, auto_pad, NaN and infinities. */
#include "support/sweep.h"

#include <stdio.h>
#include <string.h>

#include "layers/layers.h"

enum { SPATIAL = 3, MOST = 1 << 16 };

struct geometry {
  int transposed;
  enum onr_dtype dtype;
  int32_t spatial;
  int channels_last, constant, bias, clamped;
  enum onr_backend backend;
  uint32_t threads;
  int64_t batch, in[SPATIAL];
  int64_t groups, group_in, group_out;
  struct onr_window window;
  int64_t output_padding[SPATIAL], output_shape[SPATIAL];
  int has_output_shape;
};

/* Three axes, missing ones in front; `begin` is what padding there is in the end. */
struct axes {
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], begin[3];
};

static int64_t half_of(int64_t total, int more) { return total <= 0 ? 0 : more ? total - total / 2 : total / 2; }

/* The formulas of the standard. Out of range: there is no such convolution. */
static void resolve(const struct geometry *g, int i, int64_t *out, int64_t *begin) {
  const struct onr_window *w = &g->window;
  const int64_t extent = (w->kernel[i] - 1) * w->dilation[i] + 1, in = g->in[i], stride = w->stride[i];
  const int upper = w->auto_pad == ONR_AUTO_PAD_SAME_UPPER, lower = w->auto_pad == ONR_AUTO_PAD_SAME_LOWER;
  const int64_t pads = w->auto_pad == ONR_AUTO_PAD_NOTSET ? w->pad_begin[i] + w->pad_end[i] : 0;
  *begin = w->auto_pad == ONR_AUTO_PAD_NOTSET ? w->pad_begin[i] : 0;
  if (g->transposed) {
    const int64_t full = stride * (in - 1) + g->output_padding[i] + extent;
    *out = g->has_output_shape ? g->output_shape[i] : upper || lower ? in * stride : full - pads;
    if (g->has_output_shape || upper || lower) *begin = half_of(full - *out, !upper);
  } else {
    *out = upper || lower ? (in + stride - 1) / stride : in + pads < extent ? 0 : (in + pads - extent) / stride + 1;
    if (upper || lower) *begin = half_of((*out - 1) * stride + extent - in, lower);
  }
}

static struct axes axes_of(const struct geometry *g) {
  struct axes a = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0}};
  for (int i = 0; i < g->spatial; i++) {
    const int to = 3 - g->spatial + i;
    a.in[to] = g->in[i], a.kernel[to] = g->window.kernel[i], a.stride[to] = g->window.stride[i], a.dilation[to] = g->window.dilation[i];
    resolve(g, i, &a.out[to], &a.begin[to]);
  }
  return a;
}

static void draw_axis(struct sweep *s, struct geometry *g, int i) {
  const int64_t largest = g->spatial == 1 ? 60 : g->spatial == 2 ? 13 : 6;
  struct onr_window *w = &g->window;
  g->in[i] = sweep_pick(s, 1, sweep_chance(s, 3) ? 3 : largest);
  w->kernel[i] = sweep_chance(s, 3) ? 1 : sweep_pick(s, 1, sweep_chance(s, 8) ? largest : 4);
  w->stride[i] = sweep_chance(s, 2) ? 1 : sweep_pick(s, 1, sweep_chance(s, 6) ? 9 : 3);
  w->dilation[i] = sweep_chance(s, 2) ? 1 : sweep_pick(s, 1, 3);
  w->pad_begin[i] = sweep_chance(s, 2) ? 0 : sweep_pick(s, 0, w->kernel[i]);
  w->pad_end[i] = sweep_chance(s, 2) ? w->pad_begin[i] : sweep_pick(s, 0, w->kernel[i]);
  if (!g->transposed) return;
  const int64_t most = w->stride[i] > w->dilation[i] ? w->stride[i] : w->dilation[i];
  g->output_padding[i] = sweep_chance(s, 3) ? sweep_pick(s, 0, most - 1) : 0;
  g->output_shape[i] = sweep_pick(s, 1, w->stride[i] * g->in[i] + w->kernel[i] + 2);
}

/* 0 when no window fits. */
static int draw(struct sweep *s, struct geometry *g) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F16, ONR_DTYPE_BF16, ONR_DTYPE_F64};
  *g = (struct geometry){.transposed = sweep_chance(s, 2), .dtype = types[sweep_pick(s, 0, 5)], .spatial = (int32_t)sweep_pick(s, 1, 3),
                         .channels_last = !sweep_chance(s, 4), .constant = !sweep_chance(s, 5), .bias = sweep_chance(s, 2),
                         .clamped = sweep_chance(s, 3), .threads = (uint32_t)sweep_pick(s, 0, 3)};
  g->backend = sweep_chance(s, 4) ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO;
  g->batch = sweep_chance(s, 30) ? 0 : sweep_pick(s, 1, 3);
  g->groups = sweep_chance(s, 2) ? 1 : sweep_pick(s, 1, sweep_chance(s, 3) ? 40 : 5);
  g->group_in = sweep_chance(s, 3) ? 1 : sweep_pick(s, 1, g->groups == 1 ? 40 : 5);
  g->group_out = sweep_chance(s, 3) ? 1 : sweep_pick(s, 1, g->groups == 1 ? 70 : 5);
  g->window.rank = g->spatial;
  if (sweep_chance(s, 5)) g->window.auto_pad = (int32_t)sweep_pick(s, ONR_AUTO_PAD_SAME_UPPER, ONR_AUTO_PAD_VALID);
  g->has_output_shape = g->transposed && sweep_chance(s, 6);
  for (int i = 0; i < g->spatial; i++) draw_axis(s, g, i);
  const struct axes a = axes_of(g);
  int64_t pixels = 1, taps = g->group_in * g->group_out * g->groups;
  for (int i = 0; i < 3; i++) {
    if (a.out[i] < 1) return 0;
    pixels *= a.out[i] > a.in[i] ? a.out[i] : a.in[i], taps *= a.kernel[i];
  }
  return g->batch * pixels * g->groups * (g->group_in + g->group_out) < MOST && taps < MOST && pixels * taps < (1 << 21);
}

struct data {
  double x[MOST], w[MOST], bias[MOST], y[MOST];
  unsigned char x_stored[MOST * 8], w_stored[MOST * 8], bias_stored[MOST * 8];
};
static struct data data;

static int64_t at(const struct geometry *g, const int64_t size[3], int64_t channels, int64_t n, int64_t c, const int64_t i[3]) {
  const int64_t pixel = (i[0] * size[1] + i[1]) * size[2] + i[2], pixels = size[0] * size[1] * size[2];
  return g->channels_last ? (n * pixels + pixel) * channels + c : (n * channels + c) * pixels + pixel;
}

/* Every input pixel goes through every tap to where it lands: the definition, in an order that none of our kernels uses. */
static void scatter(const struct geometry *g, const struct axes *a, int64_t n, int64_t c, const int64_t i[3]) {
  const int64_t taps = a->kernel[0] * a->kernel[1] * a->kernel[2], group = c / g->group_in;
  const double x = data.x[at(g, a->in, g->groups * g->group_in, n, c, i)];
  for (int64_t t = 0; t < taps; t++) {
    const int64_t k[3] = {t / a->kernel[2] / a->kernel[1], t / a->kernel[2] % a->kernel[1], t % a->kernel[2]};
    int64_t o[3];
    int inside = 1;
    for (int d = 0; d < 3; d++) {
      const int64_t place = g->transposed ? i[d] * a->stride[d] + k[d] * a->dilation[d] - a->begin[d] : i[d] + a->begin[d] - k[d] * a->dilation[d];
      o[d] = g->transposed ? place : place / a->stride[d];
      inside = inside && place >= 0 && (g->transposed || place % a->stride[d] == 0) && o[d] < a->out[d];
    }
    for (int64_t m = 0; inside && m < g->group_out; m++) {
      const int64_t row = g->transposed ? c * g->group_out + m : (group * g->group_out + m) * g->group_in + c % g->group_in;
      data.y[at(g, a->out, g->groups * g->group_out, n, group * g->group_out + m, o)] += x * data.w[row * taps + t];
    }
  }
}

static size_t reference(const struct geometry *g, const struct axes *a, const struct onr_clamp *clamp) {
  const int64_t channels = g->groups * g->group_out, pixels = a->out[0] * a->out[1] * a->out[2];
  const size_t count = (size_t)(g->batch * channels * pixels);
  for (size_t j = 0; j < count; j++)
    data.y[j] = !g->bias ? 0 : data.bias[g->channels_last ? (int64_t)j % channels : (int64_t)j / pixels % channels];
  for (int64_t n = 0; n < g->batch; n++)
    for (int64_t c = 0; c < g->groups * g->group_in; c++)
      for (int64_t p = 0; p < a->in[0] * a->in[1] * a->in[2]; p++)
        scatter(g, a, n, c, (int64_t[]){p / a->in[2] / a->in[1], p / a->in[2] % a->in[1], p % a->in[2]});
  for (size_t j = 0; j < count && clamp->enabled; j++) {
    if (data.y[j] < (double)clamp->min) data.y[j] = (double)clamp->min;
    if (data.y[j] > (double)clamp->max) data.y[j] = (double)clamp->max;
  }
  return count;
}

static void complain(const struct geometry *g, const struct axes *a, const char *what, int64_t index, double found, double expected) {
  const int64_t *const rows[] = {a->in, a->out, a->kernel, a->stride, a->dilation, a->begin};
  char text[400];
  int used = 0;
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
    used += snprintf(text + used, sizeof text - (size_t)used, " [%d %d %d]", (int)rows[r][0], (int)rows[r][1], (int)rows[r][2]);
  fail_msg("%s %s, %s, %dd, channels %s, %s, %s weights, %u threads, batch %d, %d groups of %d to %d, auto_pad %d, output_shape %d, bias %d, clamp %d:\n"
           "element %d is %.9g instead of %.9g; in, out, kernel, stride, dilation, begin%s", g->transposed ? "conv_transpose" : "conv", what,
           onr_dtype_name(g->dtype), g->spatial, g->channels_last ? "last" : "first", g->backend == ONR_BACKEND_AUTO ? "auto" : "portable",
           g->constant ? "constant" : "variable", (unsigned)g->threads, (int)g->batch, (int)g->groups, (int)g->group_in, (int)g->group_out,
           g->window.auto_pad, g->has_output_shape, g->bias, g->clamped, (int)index, found, expected, text);
}

/* The test's own sums say what is lost in float32: they are compared with the sum of magnitudes, of which there are `terms`. */
static void check(struct sweep *s, const struct geometry *g, int *tuned) {
  const struct axes a = axes_of(g);
  const struct onr_clamp clamp = {.enabled = g->clamped, .min = sweep_chance(s, 2) ? 0 : -1, .max = sweep_chance(s, 2) ? 2 : INFINITY};
  const struct onr_conv_params plain = {.window = g->window, .groups = g->groups, .clamp = clamp, .channels_last = g->channels_last};
  struct onr_conv_transpose_params up = {.window = g->window, .groups = g->groups, .clamp = clamp, .channels_last = g->channels_last,
                                         .has_output_shape = g->has_output_shape};
  memcpy(up.output_padding, g->output_padding, sizeof up.output_padding);
  memcpy(up.output_shape, g->output_shape, sizeof up.output_shape);
  const int64_t channels = g->groups * g->group_in, outputs = g->groups * g->group_out;
  int64_t dims[5] = {g->batch}, weight[5] = {g->transposed ? channels : outputs, g->transposed ? g->group_out : g->group_in};
  int64_t size = g->batch * channels, elements = weight[0] * weight[1], terms = g->group_in;
  for (int i = 0; i < g->spatial; i++) {
    dims[i + (g->channels_last ? 1 : 2)] = g->in[i], weight[i + 2] = g->window.kernel[i];
    size *= g->in[i], elements *= weight[i + 2], terms *= weight[i + 2];
  }
  dims[g->channels_last ? g->spatial + 1 : 1] = channels;
  sweep_fill(s, g->dtype, (size_t)size, 2, sweep_chance(s, 3) ? (sweep_chance(s, 2) ? 5 : 60) : 0, data.x_stored, data.x);
  sweep_fill(s, g->dtype, (size_t)elements, 1, sweep_chance(s, 20) ? 5 : 0, data.w_stored, data.w);
  sweep_fill(s, g->dtype, (size_t)outputs, 1, sweep_chance(s, 20) ? 50 : 0, data.bias_stored, data.bias);
  const size_t count = reference(g, &a, &clamp);

  struct layer_test t = {.layer = g->transposed ? &onri_layer_conv_transpose : &onri_layer_conv, .num_out = 1, .threads = g->threads,
                         .params = g->transposed ? (const void *)&up : (const void *)&plain, .backend = g->backend};
  void (*const add)(struct layer_test *, enum onr_dtype, int32_t, const int64_t *, const void *) = g->constant ? layer_test_constant : layer_test_input;
  layer_test_input(&t, g->dtype, g->spatial + 2, dims, data.x_stored);
  add(&t, g->dtype, g->spatial + 2, weight, data.w_stored);
  if (g->bias) add(&t, g->dtype, 1, &outputs, data.bias_stored);
  if (layer_test_run(&t) != ONR_STATUS_OK) complain(g, &a, t.error.message, 0, 0, 0);
  if (onr_desc_elements(&t.out[0].desc) != (int64_t)count) complain(g, &a, "size", 0, (double)onr_desc_elements(&t.out[0].desc), (double)count);
  double found;
  const double single = g->dtype == ONR_DTYPE_F64 ? 1e-14 : 3e-7;
  const int64_t index = sweep_difference(g->dtype, t.out[0].data, data.y, count, sweep_rounding(g->dtype), single * (4 + sqrt((double)terms) * 4), &found);
  if (index >= 0) complain(g, &a, "value", index, found, data.y[index]);
  *tuned += t.kernel == ONR_KERNEL_XNNPACK;
  layer_test_clear(&t);
}

static void test_random_convolutions(void **state) {
  struct sweep s = sweep_from(2);
  int checked = 0, tuned = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(8000); i++) {
    struct geometry g;
    if (!draw(&s, &g)) continue;
    check(&s, &g, &tuned);
    checked++;
  }
  assert_true(checked > sweep_cases(4000));
#ifdef ONNXRUN_HAVE_XNNPACK
  assert_true(tuned > checked / 10);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_convolutions)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
