/* optimizer: two steps by hand of each rule, and the errors */
#include "tests/support/layer_test.h"

#include <math.h>

#include "layers/layers.h"

static void check(const struct onr_optimizer_params *params, int states, int64_t count, float x, float g, float v,
                  float h, const float *expected) {
  const float rate = 0.1f;
  struct layer_test t = {.layer = &onri_layer_optimizer, .params = params, .num_out = (size_t)(1 + states)};
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &rate);
  layer_test_input(&t, ONR_DTYPE_I64, 0, NULL, &count);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, &x);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, &g);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, &v);
  if (states == 2) layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, &h);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  for (int i = 0; i <= states; i++) assert_close(t.out[i].data, &expected[i], 1, 1e-6, 1e-7);
  layer_test_clear(&t);
}

static void momentum(void **state) {
  const struct onr_optimizer_params p = {
      .optimizer = ONR_OPTIMIZER_MOMENTUM, .alpha = 0.5f, .beta = 0.25f, .norm = 0.1f};
  struct onr_optimizer_params nesterov = p;
  (void)state;
  /* g + 0.1 x = 3 + 0.2 = 3.2; first step: v = 0.5 * 4 + 3.2 = 5.2, later: 2 + 0.8 = 2.8 */
  check(&p, 1, 0, 2, 3, 4, 0, (float[]){2 - 0.52f, 5.2f});
  check(&p, 1, 1, 2, 3, 4, 0, (float[]){2 - 0.28f, 2.8f});
  nesterov.optimizer = ONR_OPTIMIZER_NESTEROV;
  check(&nesterov, 1, 1, 2, 3, 4, 0, (float[]){2 - 0.1f * (3.2f + 1.4f), 2.8f});
}

static void adagrad(void **state) {
  const struct onr_optimizer_params p = {.optimizer = ONR_OPTIMIZER_ADAGRAD, .epsilon = 1, .decay = 0.5f};
  (void)state;
  /* v = 7 + 9 = 16; rate 0.1 / (1 + 2 * 0.5) = 0.05; x = 2 - 0.05 * 3 / (4 + 1) */
  check(&p, 1, 2, 2, 3, 7, 0, (float[]){1.97f, 16});
}

static void adam(void **state) {
  const struct onr_optimizer_params p = {
      .optimizer = ONR_OPTIMIZER_ADAM, .alpha = 0.5f, .beta = 0.75f, .epsilon = 1, .norm_post = 0.5f};
  const double v = 0.5 * 1 + 0.5 * 2, h = 0.75 * 4 + 0.25 * 4, rate = 0.1 * sqrt(1 - 0.75) / (1 - 0.5);
  (void)state;
  check(&p, 2, 1, 8, 2, 1, 4, (float[]){(float)(0.5 * (8 - rate * v / (sqrt(h) + 1))), (float)v, (float)h});
}

static void shapes_must_agree(void **state) {
  const struct onr_optimizer_params p = {.optimizer = ONR_OPTIMIZER_ADAGRAD};
  const float values[2] = {1, 2};
  const int64_t count = 0;
  struct layer_test t = {.layer = &onri_layer_optimizer, .params = &p, .num_out = 2};
  (void)state;
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, values);
  layer_test_input(&t, ONR_DTYPE_I64, 0, NULL, &count);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){2}, values);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, values);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){2}, values);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(momentum), cmocka_unit_test(adagrad), cmocka_unit_test(adam),
                                     cmocka_unit_test(shapes_must_agree)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
