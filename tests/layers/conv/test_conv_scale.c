/* conv whose input's channels are multiplied first, against the definition in double: products, other kernels, and the
 * plain loops; same bits for any number of threads. */
#include <string.h>

#include "layers/layers.h"
#include "support/sweep.h"
#include "support/tail.h"

struct setup {
  struct onr_conv_params params;
  int64_t batch, rows, columns, channels, outputs;
  int has_bias, has_residual, is_infinite;
  enum onr_backend backend;
  uint32_t threads;
  float *x, *weight, *bias, *residual, *scale;
};

static float *random_floats(struct sweep *s, int64_t count) {
  float *values = malloc(((size_t)count + 1) * sizeof(*values));
  assert_non_null(values);
  for (int64_t i = 0; i < count; i++) values[i] = (float)sweep_pick(s, -1000, 1000) / 1000;
  return values;
}

static void draw(struct sweep *s, struct setup *t) {
  memset(t, 0, sizeof(*t));
  t->batch = sweep_pick(s, 1, 3), t->rows = sweep_pick(s, 1, 14), t->columns = sweep_pick(s, 1, 14);
  t->channels = sweep_pick(s, 1, 70), t->outputs = sweep_pick(s, 1, 70);
  t->params = (struct onr_conv_params){.channels_last = 1, .tail = tail_draw(s)};
  if (sweep_chance(s, 2)) t->params.clamp = (struct onr_clamp){1, -0.5f, 1.5f};
  t->has_bias = !sweep_chance(s, 3), t->has_residual = sweep_chance(s, 3), t->is_infinite = sweep_chance(s, 8);
  t->backend = sweep_chance(s, 4) ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO;
  t->threads = (uint32_t)sweep_pick(s, 1, 3);
  t->x = random_floats(s, t->batch * t->rows * t->columns * t->channels);
  t->weight = random_floats(s, t->outputs * t->channels);
  t->bias = random_floats(s, t->outputs);
  t->residual = random_floats(s, t->batch * t->rows * t->columns * t->outputs);
  t->scale = random_floats(s, t->batch * t->channels);
  if (t->is_infinite) t->weight[0] = INFINITY;
}

static double *compute(const struct setup *t) {
  const int64_t pixels = t->rows * t->columns, count = t->batch * pixels * t->outputs;
  double *y = malloc((size_t)count * sizeof(*y));
  assert_non_null(y);
  for (int64_t at = 0; at < count; at++) {
    const int64_t m = at % t->outputs, pixel = at / t->outputs, n = pixel / pixels;
    double sum = t->has_bias ? (double)t->bias[m] : 0;
    for (int64_t c = 0; c < t->channels; c++)
      sum += (double)t->x[pixel * t->channels + c] * (double)t->scale[n * t->channels + c] *
             (double)t->weight[m * t->channels + c];
    if (t->has_residual) sum += (double)t->residual[at];
    if (t->params.clamp.enabled) sum = sum < -0.5 ? -0.5 : sum > 1.5 ? 1.5 : sum;
    y[at] = tail_value(&t->params.tail, sum);
  }
  return y;
}

static enum onr_status run(const struct setup *s, uint32_t threads, struct layer_test *t) {
  const int64_t x[] = {s->batch, s->rows, s->columns, s->channels}, y[] = {s->batch, s->rows, s->columns, s->outputs};
  const int64_t weight[] = {s->outputs, s->channels, 1, 1}, scale[] = {s->batch, 1, 1, s->channels};
  *t = (struct layer_test){
      .layer = &onri_layer_conv, .params = &s->params, .backend = s->backend, .threads = threads, .num_out = 1};
  layer_test_input(t, ONR_DTYPE_F32, 4, x, s->x);
  layer_test_constant(t, ONR_DTYPE_F32, 4, weight, s->weight);
  if (s->has_bias) layer_test_constant(t, ONR_DTYPE_F32, 1, &s->outputs, s->bias);
  else layer_test_input(t, ONR_DTYPE_F32, 1, &s->outputs, NULL);
  layer_test_input(t, ONR_DTYPE_F32, 4, y, s->has_residual ? s->residual : NULL);
  layer_test_input(t, ONR_DTYPE_F32, 4, scale, s->scale);
  return layer_test_run(t);
}

static void test_sweep(void **state) {
  struct sweep s = sweep_from(21);
  (void)state;
  for (int i = 0; i < sweep_cases(300); i++) {
    struct setup setup;
    struct layer_test t, other;
    double found;
    draw(&s, &setup);
    assert_int_equal(run(&setup, setup.threads, &t), ONR_STATUS_OK);
    assert_int_equal(run(&setup, 1 + setup.threads % 3, &other), ONR_STATUS_OK);
    const size_t count = (size_t)onr_desc_elements(&t.out[0].desc);
    double *expected = compute(&setup);
    const int64_t at = sweep_difference(ONR_DTYPE_F32, t.out[0].data, expected, count, 1e-4, 1e-4, &found);
    if (at >= 0) fail_msg("case %d: element %lld: expected %g, found %g", i, (long long)at, expected[at], found);
    assert_memory_equal(t.out[0].data, other.out[0].data, count * sizeof(float));
    layer_test_clear(&t), layer_test_clear(&other);
    free(expected);
    free(setup.x), free(setup.weight), free(setup.bias), free(setup.residual), free(setup.scale);
  }
}

/* Of anything else than single pixels, channels-last, in one group. */
static void test_refused(void **state) {
  const float values[256] = {0};
  const struct {
    struct onr_conv_params params;
    int64_t weight[4], scale[4];
    enum onr_status status;
  } cases[] = {
      {{.channels_last = 1}, {4, 4, 1, 1}, {1, 1, 1, 4}, ONR_STATUS_OK},
      {{.channels_last = 1}, {4, 4, 1, 1}, {1, 1, 1, 3}, ONR_STATUS_SHAPE},
      {{.channels_last = 1}, {4, 4, 1, 1}, {2, 1, 1, 4}, ONR_STATUS_SHAPE},
      {{.channels_last = 1}, {4, 4, 2, 1}, {1, 1, 1, 4}, ONR_STATUS_UNSUPPORTED},
      {{.channels_last = 1, .groups = 2}, {4, 2, 1, 1}, {1, 1, 1, 4}, ONR_STATUS_UNSUPPORTED},
      {{.channels_last = 0}, {4, 4, 1, 1}, {1, 1, 1, 4}, ONR_STATUS_UNSUPPORTED},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct layer_test t = {.layer = &onri_layer_conv, .params = &cases[i].params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 4, 4, 4}, values);
    layer_test_constant(&t, ONR_DTYPE_F32, 4, cases[i].weight, values);
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){4}, NULL);
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 4, 4, 4}, NULL);
    layer_test_input(&t, ONR_DTYPE_F32, 4, cases[i].scale, values);
    assert_int_equal(layer_test_run(&t), cases[i].status);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep), cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
