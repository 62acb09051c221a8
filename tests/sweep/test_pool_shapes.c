/* Thousands of pools of random geometry, type, layout and number of threads against the definition in double precision:
 * strides beyond the window, dilation, padding on any side, rounding up, zero sizes, NaN and infinities. */
#include "support/sweep.h"

#include "layers/layers.h"

enum { SPATIAL = 3, MOST = 1 << 15 };
enum kind { KIND_MAX, KIND_AVERAGE, KIND_LP };
static const struct onr_layer *const layers[] = {&onri_layer_max_pool, &onri_layer_average_pool, &onri_layer_lp_pool};

struct geometry {
  enum kind kind;
  enum onr_dtype dtype;
  int32_t spatial;
  int channels_last, indices;
  uint32_t threads;
  int64_t batch, channels, in[SPATIAL], out[SPATIAL];
  struct onr_pool_params params;
};

static int64_t spanned(const struct onr_window *w, int i) { return (w->kernel[i] - 1) * w->dilation[i] + 1; }

/* The formula of the standard, with PyTorch's rule for rounding up: no window begins behind the image. */
static int64_t output_of(const struct geometry *g, int i) {
  const struct onr_window *w = &g->params.window;
  const int64_t room = g->in[i] + w->pad_begin[i] + w->pad_end[i] - spanned(w, i);
  if (room < 0) return 0;
  int64_t out = room / w->stride[i] + 1;
  if (g->params.ceil_mode && room % w->stride[i] != 0 && out * w->stride[i] < g->in[i] + w->pad_begin[i]) out++;
  return out;
}

/* 0 when no window fits. */
static int draw(struct sweep *s, struct geometry *g) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32,  ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F16,
                                         ONR_DTYPE_BF16, ONR_DTYPE_F64, ONR_DTYPE_I8,  ONR_DTYPE_U8};
  struct onr_window *w = &g->params.window;
  *g = (struct geometry){.kind = (enum kind)sweep_pick(s, 0, 2),
                         .spatial = (int32_t)sweep_pick(s, 1, 3),
                         .channels_last = !sweep_chance(s, 3)};
  g->dtype = types[sweep_pick(s, 0, g->kind == KIND_MAX ? 7 : 5)];
  g->indices = g->kind == KIND_MAX && sweep_chance(s, 4);
  g->threads = (uint32_t)sweep_pick(s, 0, 3);
  g->batch = sweep_chance(s, 30) ? 0 : sweep_pick(s, 1, 3);
  g->channels = sweep_chance(s, 4) ? sweep_pick(s, 1, 130) : sweep_pick(s, 1, 20);
  if (sweep_chance(s, 40)) g->channels = 0;
  g->params = (struct onr_pool_params){.ceil_mode = sweep_chance(s, 3),
                                       .count_include_pad = sweep_chance(s, 2),
                                       .p = (int32_t)sweep_pick(s, 1, 3),
                                       .channels_last = g->channels_last};
  w->rank = g->spatial;
  const int64_t largest = g->spatial == 1 ? 90 : g->spatial == 2 ? 14 : 7;
  for (int i = 0; i < g->spatial; i++) {
    g->in[i] = sweep_pick(s, 1, largest);
    w->kernel[i] = sweep_pick(s, 1, sweep_chance(s, 8) ? largest : 4);
    w->stride[i] = sweep_pick(s, 1, sweep_chance(s, 6) ? 7 : 3);
    w->dilation[i] = sweep_chance(s, 2) ? 1 : sweep_pick(s, 1, 3);
    w->pad_begin[i] = sweep_chance(s, 2) ? 0 : sweep_pick(s, 0, spanned(w, i) - 1);
    w->pad_end[i] = sweep_chance(s, 2) ? w->pad_begin[i] : sweep_pick(s, 0, spanned(w, i) - 1);
    g->out[i] = output_of(g, i);
    if (g->out[i] < 1) return 0;
  }
  return 1;
}

/* Sizes with leading 1s: three axes in any case. */
struct axes {
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
};

static struct axes axes_of(const struct geometry *g) {
  const struct onr_window *w = &g->params.window;
  struct axes a = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0}, {0}};
  for (int i = 0; i < g->spatial; i++) {
    const int to = 3 - g->spatial + i;
    a.in[to] = g->in[i], a.out[to] = g->out[i], a.kernel[to] = w->kernel[i], a.stride[to] = w->stride[i];
    a.dilation[to] = w->dilation[i], a.begin[to] = w->pad_begin[i], a.end[to] = w->pad_end[i];
  }
  return a;
}

/* Window o of one channel, whose pixels lie `step` apart. *where: of its maximum, NaN being larger than all. */
static double window(const struct geometry *g, const struct axes *a, const double *x, int64_t step, const int64_t o[3],
                     int64_t *where) {
  const double least = g->dtype == ONR_DTYPE_U8 ? 0 : g->dtype == ONR_DTYPE_I8 ? -128 : -(double)INFINITY;
  double result = g->kind == KIND_MAX ? least : 0;
  int64_t area = 0, k[3], i[3];
  *where = -1;
  for (k[0] = 0; k[0] < a->kernel[0]; k[0]++)
    for (k[1] = 0; k[1] < a->kernel[1]; k[1]++)
      for (k[2] = 0; k[2] < a->kernel[2]; k[2]++) {
        int inside = 1, padded = 1;
        for (int d = 0; d < 3; d++) {
          i[d] = o[d] * a->stride[d] - a->begin[d] + k[d] * a->dilation[d];
          inside = inside && i[d] >= 0 && i[d] < a->in[d];
          padded = padded && i[d] < a->in[d] + a->end[d];
        }
        area += inside || (g->params.count_include_pad && padded);
        if (!inside) continue;
        const int64_t at = (i[0] * a->in[1] + i[1]) * a->in[2] + i[2];
        const double v = x[at * step];
        if (g->kind == KIND_MAX && (v > result || isnan(v) || *where < 0))
          result = isnan(result) ? result : v, *where = at;
        if (g->kind == KIND_AVERAGE) result += v;
        if (g->kind == KIND_LP) result += pow(fabs(v), g->params.p);
      }
  if (g->kind == KIND_AVERAGE) return area ? result / (double)area : 0; /* only padding */
  return g->kind == KIND_LP ? pow(result, 1.0 / g->params.p) : result;
}

static size_t reference(const struct geometry *g, const double *x, double *y, int64_t *indices) {
  const struct axes a = axes_of(g);
  const int64_t pixels = a.in[0] * a.in[1] * a.in[2], out = a.out[0] * a.out[1] * a.out[2], last = g->channels_last;
  for (int64_t n = 0; n < g->batch; n++)
    for (int64_t c = 0; c < g->channels; c++)
      for (int64_t p = 0; p < out; p++) {
        const int64_t o[3] = {p / a.out[2] / a.out[1], p / a.out[2] % a.out[1], p % a.out[2]};
        const int64_t to = last ? (n * out + p) * g->channels + c : (n * g->channels + c) * out + p,
                      plane = n * g->channels + c;
        const double *from = last ? x + n * pixels * g->channels + c : x + plane * pixels;
        int64_t where;
        y[to] = window(g, &a, from, last ? g->channels : 1, o, &where);
        indices[to] = where + plane * pixels;
      }
  return (size_t)(g->batch * g->channels * out);
}

static void complain(const struct geometry *g, const char *what, int64_t at, double found, double expected) {
  const struct axes a = axes_of(g);
  fail_msg(
      "%s %s, %s, channels %s, ceil %d, pad counts %d, %u threads, [%d,%d]: element %d is %g instead of %g\n"
      "in %d %d %d kernel %d %d %d stride %d %d %d dilation %d %d %d begin %d %d %d end %d %d %d",
      layers[g->kind]->name, what, onr_dtype_name(g->dtype), g->channels_last ? "last" : "first", g->params.ceil_mode,
      g->params.count_include_pad, (unsigned)g->threads, (int)g->batch, (int)g->channels, (int)at, found, expected,
      (int)a.in[0], (int)a.in[1], (int)a.in[2], (int)a.kernel[0], (int)a.kernel[1], (int)a.kernel[2], (int)a.stride[0],
      (int)a.stride[1], (int)a.stride[2], (int)a.dilation[0], (int)a.dilation[1], (int)a.dilation[2], (int)a.begin[0],
      (int)a.begin[1], (int)a.begin[2], (int)a.end[0], (int)a.end[1], (int)a.end[2]);
}

static void check(struct sweep *s, const struct geometry *g) {
  static double x[MOST * 4], y[MOST * 4];
  static int64_t indices[MOST * 4];
  static unsigned char stored[MOST * 4 * 8];
  int64_t dims[5] = {g->batch}, size = g->batch * g->channels, out = size;
  for (int i = 0; i < g->spatial; i++)
    dims[i + (g->channels_last ? 1 : 2)] = g->in[i], size *= g->in[i], out *= g->out[i];
  dims[g->channels_last ? g->spatial + 1 : 1] = g->channels;
  if (size > MOST * 4 || out > MOST * 4) return;
  sweep_fill(s, g->dtype, (size_t)size, 4,
             sweep_chance(s, 2) && g->dtype != ONR_DTYPE_I8 && g->dtype != ONR_DTYPE_U8 ? 60 : 0, stored, x);
  const size_t count = reference(g, x, y, indices);
  struct layer_test t = {
      .layer = layers[g->kind], .params = &g->params, .num_out = g->indices ? 2 : 1, .threads = g->threads};
  layer_test_input(&t, g->dtype, g->spatial + 2, dims, stored);
  if (layer_test_run(&t) != ONR_STATUS_OK) complain(g, t.error.message, 0, 0, 0);
  if (onr_desc_elements(&t.out[0].desc) != (int64_t)count)
    complain(g, "size", 0, (double)onr_desc_elements(&t.out[0].desc), (double)count);
  double found;
  const double relative = g->kind == KIND_MAX ? 0 : sweep_rounding(g->dtype) + 2e-6;
  const int64_t at = sweep_difference(g->dtype, t.out[0].data, y, count, relative, relative * 4, &found);
  if (at >= 0) complain(g, "value", at, found, y[at]);
  for (size_t i = 0; i < count && g->indices; i++)
    if (((const int64_t *)t.out[1].data)[i] != indices[i])
      complain(g, "index", (int64_t)i, (double)((const int64_t *)t.out[1].data)[i], (double)indices[i]);
  layer_test_clear(&t);
}

static void test_random_pools(void **state) {
  struct sweep s = sweep_from(1);
  int checked = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(4000); i++) {
    struct geometry g;
    if (!draw(&s, &g)) continue;
    check(&s, &g);
    checked++;
  }
  assert_true(checked > sweep_cases(2000));
}

/* Windows of hundreds of pixels, most of them padding: made of parts. Ties between pixels are common: values are few.
 */
static void test_wide_windows(void **state) {
  struct sweep s = sweep_from(2);
  int checked = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(400); i++) {
    struct geometry g;
    if (!draw(&s, &g)) continue;
    struct onr_window *w = &g.params.window;
    int fits = 1;
    g.batch = sweep_pick(&s, 1, 2), g.channels = sweep_pick(&s, 1, 3);
    for (int k = 0; k < g.spatial; k++) {
      const int64_t largest = g.spatial == 1 ? 700 : g.spatial == 2 ? 24 : 9;
      g.in[k] = sweep_pick(&s, largest / 2, largest);
      w->kernel[k] = sweep_pick(&s, largest / 2, largest);
      w->stride[k] = sweep_pick(&s, 1, 2), w->dilation[k] = sweep_chance(&s, 5) ? 2 : 1;
      w->pad_begin[k] = sweep_pick(&s, 0, spanned(w, k) - 1), w->pad_end[k] = sweep_pick(&s, 0, spanned(w, k) - 1);
      g.out[k] = output_of(&g, k);
      fits = fits && g.out[k] > 0;
    }
    if (!fits) continue;
    check(&s, &g);
    checked++;
  }
  assert_true(checked > sweep_cases(200));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_pools), cmocka_unit_test(test_wide_windows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
