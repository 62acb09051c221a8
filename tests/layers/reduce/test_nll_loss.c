/* nll_loss against the definition. */
#include <math.h>

#include "layers/layers.h"
#include "support/index_loop.h"

enum { N = 2, C = 5, D = 7, PLACES = N * D };

static int64_t target_of(int i) { return i % 4 == 3 ? -100 : i * 3 % C; }

static void check(enum onr_loss_reduction reduction, int weighted, int narrow, enum onr_dtype dtype) {
  const struct onr_nll_loss_params params = {reduction, 1, -100};
  float x[N * C * D], weight[C], expected[PLACES];
  double wide_x[N * C * D], wide_weight[C], sum = 0, weights = 0;
  int64_t target[PLACES];
  int32_t narrow_target[PLACES];
  fill_random(x, N * C * D, -3, 0, 1);
  fill_random(weight, C, 0.5f, 2, 2);
  for (int i = 0; i < N * C * D; i++) wide_x[i] = (double)x[i];
  for (int c = 0; c < C; c++) wide_weight[c] = (double)weight[c];
  for (int n = 0; n < N; n++)
    for (int d = 0; d < D; d++) {
      const int i = n * D + d;
      target[i] = target_of(i);
      narrow_target[i] = (int32_t)target[i];
      const double w = target[i] < 0 ? 0 : weighted ? wide_weight[target[i]] : 1;
      const double loss = target[i] < 0 ? 0 : -w * wide_x[(n * C + target[i]) * D + d];
      expected[i] = (float)loss;
      sum += loss;
      weights += w;
    }
  if (reduction == ONR_LOSS_SUM) expected[0] = (float)sum;
  if (reduction == ONR_LOSS_MEAN) expected[0] = (float)(sum / weights);
  struct layer_test t = {.layer = &onri_layer_nll_loss, .params = &params, .num_out = 1};
  const int wide = dtype == ONR_DTYPE_F64;
  layer_test_input(&t, dtype, 3, DIMS(N, C, D), wide ? (void *)wide_x : (void *)x);
  layer_test_input(&t, narrow ? ONR_DTYPE_I32 : ONR_DTYPE_I64, 2, DIMS(N, D),
                   narrow ? (void *)narrow_target : (void *)target);
  if (weighted) layer_test_input(&t, dtype, 1, DIMS(C), wide ? (void *)wide_weight : (void *)weight);
  run_ok(&t);
  const size_t count = reduction == ONR_LOSS_NONE ? PLACES : 1;
  assert_int_equal(t.out[0].desc.dtype, dtype);
  assert_int_equal(t.out[0].desc.rank, reduction == ONR_LOSS_NONE ? 2 : 0);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), count);
  float found[PLACES];
  for (size_t i = 0; i < count; i++)
    found[i] = wide ? (float)((double *)t.out[0].data)[i] : ((float *)t.out[0].data)[i];
  assert_close(found, expected, count, 1e-6, 1e-6);
  layer_test_clear(&t);
}

static void losses(void **state) {
  static const enum onr_loss_reduction reductions[] = {ONR_LOSS_NONE, ONR_LOSS_SUM, ONR_LOSS_MEAN};
  (void)state;
  for (int i = 0; i < 3; i++)
    for (int flags = 0; flags < 4; flags++) {
      check(reductions[i], flags & 1, flags >> 1, ONR_DTYPE_F32);
      check(reductions[i], flags & 1, flags >> 1, ONR_DTYPE_F64);
    }
}

/* x [1, 3]: the mean of nothing is NaN; numbers that are no class; shapes that do not fit. */
static void edges(void **state) {
  static const struct {
    int32_t has_ignored;
    int64_t target, targets, weights;
    enum onr_status status;
  } cases[] = {{1, -1, 1, 3, ONR_STATUS_OK},   {0, 2, 1, 3, ONR_STATUS_OK},    {0, -1, 1, 3, ONR_STATUS_INDEX},
               {1, 3, 1, 3, ONR_STATUS_INDEX}, {0, 0, 2, 3, ONR_STATUS_SHAPE}, {0, 0, 1, 2, ONR_STATUS_SHAPE}};
  static const float x[3] = {-1, -2, -3}, ones[3] = {1, 1, 1};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    const struct onr_nll_loss_params params = {ONR_LOSS_MEAN, cases[i].has_ignored, -1};
    const int64_t target[2] = {cases[i].target, 0};
    struct layer_test t = {.layer = &onri_layer_nll_loss, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(1, 3), x);
    layer_test_input(&t, ONR_DTYPE_I64, 1, &cases[i].targets, target);
    layer_test_input(&t, ONR_DTYPE_F32, 1, &cases[i].weights, ones);
    assert_int_equal(layer_test_run(&t), cases[i].status);
    if (i == 0) assert_true(isnan(*(float *)t.out[0].data));
    if (i == 1) assert_true(*(float *)t.out[0].data == 3.0f);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(losses), cmocka_unit_test(edges)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
