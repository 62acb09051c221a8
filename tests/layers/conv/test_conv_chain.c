/* conv_chain against the definition in double, in random geometries, by bands and one by one; and same bits for any
 * number of threads. */
#include <string.h>

#include "kernels/conv/depthwise.h"
#include "layers/layers.h"
#include "support/sweep.h"
#include "support/tail.h"

enum { RESIDUAL = 7, MOST = 1 << 20 };

struct stage {
  int64_t in[2], out[2], channels, outputs, kernel[2];
  int has_bias;
  float *weight, *bias;
};

struct setup {
  struct onr_conv_chain_params params;
  struct stage stage[ONR_CHAIN_STAGES];
  int64_t batch;
  int has_residual, is_infinite;
  uint32_t threads;
};

static float *x, *residual;
static double *reference[2];

static float *random_floats(struct sweep *s, int64_t count) {
  float *values = malloc(((size_t)count + 1) * sizeof(*values));
  assert_non_null(values);
  for (int64_t i = 0; i < count; i++) values[i] = (float)sweep_pick(s, -1000, 1000) / 1000;
  return values;
}

static int64_t extent(const struct onr_conv_params *p, const struct stage *t, int d) {
  return (t->kernel[d] - 1) * p->window.dilation[d] + 1;
}

/* A window whose outputs exist and, mostly, see the image. */
static void draw_window(struct sweep *s, struct onr_conv_params *p, struct stage *t, int64_t most_kernel) {
  p->window.rank = 2;
  for (int d = 0; d < 2; d++) {
    t->kernel[d] = sweep_pick(s, 1, most_kernel);
    p->window.stride[d] = sweep_pick(s, 1, most_kernel > 1 ? 3 : 1);
    p->window.dilation[d] = most_kernel > 1 && sweep_chance(s, 3) ? 2 : 1;
    const int64_t most = sweep_chance(s, 8) ? extent(p, t, d) : extent(p, t, d) - 1;
    p->window.pad_begin[d] = most_kernel > 1 ? sweep_pick(s, 0, most) : 0;
    p->window.pad_end[d] = most_kernel > 1 ? sweep_pick(s, 0, most) : 0;
    while (t->in[d] + p->window.pad_begin[d] + p->window.pad_end[d] < extent(p, t, d)) p->window.pad_end[d]++;
    t->out[d] = (t->in[d] + p->window.pad_begin[d] + p->window.pad_end[d] - extent(p, t, d)) / p->window.stride[d] + 1;
  }
}

static void draw(struct sweep *s, struct setup *setup, int is_large) {
  const int64_t most = is_large ? 70 : 20;
  memset(setup, 0, sizeof(*setup));
  setup->params.count = (int32_t)sweep_pick(s, 2, 3);
  setup->batch = is_large ? 1 : sweep_pick(s, 1, 3);
  setup->threads = (uint32_t)sweep_pick(s, 1, 4);
  setup->is_infinite = sweep_chance(s, 12);
  for (int i = 0; i < setup->params.count; i++) {
    struct onr_conv_params *p = &setup->params.stage[i];
    struct stage *t = &setup->stage[i];
    const struct stage *before = i > 0 ? t - 1 : NULL;
    for (int d = 0; d < 2; d++) t->in[d] = before ? before->out[d] : sweep_pick(s, is_large ? 50 : 1, most);
    t->channels = before ? before->outputs : sweep_pick(s, 1, 20);
    t->outputs = i == 1 ? t->channels : sweep_pick(s, i == 0 ? 2 : 1, i == 0 && is_large ? 80 : 40);
    draw_window(s, p, t, i == 1 ? 5 : i == 0 && sweep_chance(s, 2) ? 3 : 1);
    if (i == 1) p->groups = t->channels;
    p->channels_last = 1;
    p->x_channels_first = i == 0 && sweep_chance(s, 3);
    p->clamp = sweep_chance(s, 2) ? (struct onr_clamp){1, -0.5f, 1.5f} : (struct onr_clamp){0};
    p->tail = tail_draw(s);
    t->has_bias = !sweep_chance(s, 4);
    const int64_t each = t->kernel[0] * t->kernel[1] * (i == 1 ? 1 : t->channels);
    t->weight = random_floats(s, t->outputs * each);
    t->bias = random_floats(s, t->outputs);
    if (setup->is_infinite && i == sweep_pick(s, 0, 2)) t->weight[0] = INFINITY;
  }
  setup->has_residual = setup->params.count == 3 && sweep_chance(s, 2);
  x = random_floats(s, setup->batch * setup->stage[0].in[0] * setup->stage[0].in[1] * setup->stage[0].channels);
  const struct stage *last = &setup->stage[setup->params.count - 1];
  residual = random_floats(s, setup->batch * last->out[0] * last->out[1] * last->outputs);
}

static double sum_at(const struct onr_conv_params *p, const struct stage *t, const double *image, int64_t row,
                     int64_t column, int64_t m) {
  const int64_t group_in = p->groups > 1 ? 1 : t->channels, first = p->groups > 1 ? m : 0;
  double sum = t->has_bias ? (double)t->bias[m] : 0;
  for (int64_t k = 0; k < t->kernel[0] * t->kernel[1]; k++) {
    const int64_t i = row * p->window.stride[0] - p->window.pad_begin[0] + k / t->kernel[1] * p->window.dilation[0],
                  j = column * p->window.stride[1] - p->window.pad_begin[1] + k % t->kernel[1] * p->window.dilation[1];
    if (i < 0 || j < 0 || i >= t->in[0] || j >= t->in[1]) continue;
    for (int64_t c = 0; c < group_in; c++)
      sum += image[(i * t->in[1] + j) * t->channels + first + c] *
             (double)t->weight[(m * group_in + c) * t->kernel[0] * t->kernel[1] + k];
  }
  return sum;
}

static void compute_stage(const struct setup *setup, int i, const double *from, double *to) {
  const struct onr_conv_params *p = &setup->params.stage[i];
  const struct stage *t = &setup->stage[i];
  const int adds = setup->has_residual && i == 2;
  for (int64_t at = 0; at < setup->batch * t->out[0] * t->out[1] * t->outputs; at++) {
    const int64_t m = at % t->outputs, column = at / t->outputs % t->out[1], line = at / t->outputs / t->out[1];
    double y = sum_at(p, t, from + line / t->out[0] * t->in[0] * t->in[1] * t->channels, line % t->out[0], column, m) +
               (adds ? (double)residual[at] : 0);
    if (p->clamp.enabled)
      y = y < (double)p->clamp.min ? (double)p->clamp.min : y > (double)p->clamp.max ? (double)p->clamp.max : y;
    to[at] = tail_value(&p->tail, y);
  }
}

static const double *compute(const struct setup *setup) {
  const struct stage *t = &setup->stage[0];
  const int64_t pixels = t->in[0] * t->in[1];
  for (int64_t at = 0; at < setup->batch * pixels * t->channels; at++) {
    const int64_t c = at % t->channels, pixel = at / t->channels % pixels, n = at / t->channels / pixels;
    reference[0][at] = (double)x[setup->params.stage[0].x_channels_first ? (n * t->channels + c) * pixels + pixel : at];
  }
  for (int i = 0; i < setup->params.count; i++) compute_stage(setup, i, reference[i % 2], reference[(i + 1) % 2]);
  return reference[setup->params.count % 2];
}

static void run(const struct setup *setup, uint32_t threads, struct layer_test *t) {
  const struct stage *first = &setup->stage[0], *last = &setup->stage[setup->params.count - 1];
  *t = (struct layer_test){.layer = &onri_layer_conv_chain, .params = &setup->params, .threads = threads, .num_out = 1};
  if (setup->params.stage[0].x_channels_first)
    layer_test_input(t, ONR_DTYPE_F32, 4, (int64_t[]){setup->batch, first->channels, first->in[0], first->in[1]}, x);
  else layer_test_input(t, ONR_DTYPE_F32, 4, (int64_t[]){setup->batch, first->in[0], first->in[1], first->channels}, x);
  for (int i = 0; i < ONR_CHAIN_STAGES; i++) {
    const struct stage *s = &setup->stage[i];
    const int64_t dims[] = {s->outputs, i == 1 ? 1 : s->channels, s->kernel[0], s->kernel[1]};
    if (i < setup->params.count) layer_test_constant(t, ONR_DTYPE_F32, 4, dims, s->weight);
    else layer_test_input(t, ONR_DTYPE_F32, 4, dims, NULL);
  }
  for (int i = 0; i < ONR_CHAIN_STAGES; i++) {
    const struct stage *s = &setup->stage[i];
    if (i < setup->params.count && s->has_bias) layer_test_constant(t, ONR_DTYPE_F32, 1, &s->outputs, s->bias);
    else layer_test_input(t, ONR_DTYPE_F32, 1, &s->outputs, NULL);
  }
  if (setup->has_residual)
    layer_test_input(t, ONR_DTYPE_F32, 4, (int64_t[]){setup->batch, last->out[0], last->out[1], last->outputs},
                     residual);
  assert_int_equal(layer_test_run(t), ONR_STATUS_OK);
}

static void check(const struct setup *setup, int number) {
  const double *expected = compute(setup);
  struct layer_test t, other;
  double found;
  run(setup, setup->threads, &t);
  const size_t count = (size_t)onr_desc_elements(&t.out[0].desc);
  const int64_t at = sweep_difference(ONR_DTYPE_F32, t.out[0].data, expected, count, 1e-4, 1e-3, &found);
  if (at >= 0) fail_msg("case %d: element %lld: expected %g, found %g", number, (long long)at, expected[at], found);
  if (!setup->is_infinite) assert_int_equal(t.kernel, onri_depthwise_is_fast() ? ONR_KERNEL_VECTOR : t.kernel);
  run(setup, 1 + setup->threads % 4, &other);
  assert_memory_equal(t.out[0].data, other.out[0].data, count * sizeof(float));
  layer_test_clear(&t);
  layer_test_clear(&other);
}

static void sweep(int cases, int is_large) {
  struct sweep s = sweep_from(is_large ? 12 : 11);
  for (int i = 0; i < 2; i++) assert_non_null(reference[i] = malloc(MOST * sizeof(double)));
  for (int i = 0; i < cases; i++) {
    struct setup setup;
    draw(&s, &setup, is_large);
    check(&setup, i);
    for (int k = 0; k < setup.params.count; k++) free(setup.stage[k].weight), free(setup.stage[k].bias);
    free(x), free(residual);
  }
  for (int i = 0; i < 2; i++) free(reference[i]);
}

static void test_small(void **state) {
  (void)state;
  sweep(sweep_cases(400), 0);
}

/* Several bands of one thread. */
static void test_large(void **state) {
  (void)state;
  sweep(sweep_cases(12), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_small), cmocka_unit_test(test_large)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
