/* softmax, log_softmax and hardmax against loops in double. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { CAPACITY = 32768 };
static const enum onr_backend backends[] = {ONR_BACKEND_PORTABLE, ONR_BACKEND_AUTO};
static const struct onr_layer *const layers[] = {&onri_layer_softmax, &onri_layer_log_softmax, &onri_layer_hardmax};

static void reference(int kind, const float *x, float *y, size_t outer, size_t length, size_t inner) {
  for (size_t o = 0; o < outer; o++)
    for (size_t j = 0; j < inner; j++) {
      const size_t start = o * length * inner + j;
      double max = -INFINITY, sum = 0;
      size_t best = 0;
      for (size_t i = 0; i < length; i++)
        if ((double)x[start + i * inner] > max) {
          max = (double)x[start + i * inner];
          best = i;
        }
      for (size_t i = 0; i < length; i++) sum += exp((double)x[start + i * inner] - max);
      for (size_t i = 0; i < length; i++) {
        const double v = (double)x[start + i * inner] - max;
        y[start + i * inner] = (float)(kind == 0 ? exp(v) / sum : kind == 1 ? v - log(sum) : i == best);
      }
    }
}

static void check(enum onr_dtype dtype, int32_t rank, const int64_t *dims, int64_t axis, int flatten, size_t outer,
                  size_t length, size_t inner) {
  static float x[CAPACITY], y[CAPACITY], expected[CAPACITY];
  static unsigned char raw[CAPACITY * 8];
  static double wide[CAPACITY];
  const struct onr_softmax_params params = {axis, flatten};
  const size_t count = outer * length * inner;
  fill_random(x, count, -8.0f, 8.0f, (uint32_t)count);
  for (size_t i = 0; i < count; i++) {
    wide[i] = (double)x[i];
  }
  onri_store(dtype, dtype == ONR_DTYPE_F64 ? (const void *)wide : (const void *)x, count, raw);
  if (dtype != ONR_DTYPE_F64) onri_load(dtype, raw, count, x); /* what is left after rounding */
  const double tolerance = dtype == ONR_DTYPE_BF16 ? 1e-2 : dtype == ONR_DTYPE_F16 ? 2e-3 : 2e-6;
  for (int kind = 0; kind < 3; kind++) {
    reference(kind, x, expected, outer, length, inner);
    for (uint32_t i = 0; i < 4; i++) {
      struct layer_test t = {.layer = layers[kind],
                             .params = &params,
                             .backend = backends[i & 1],
                             .num_out = 1,
                             .threads = 1 + (i & 1),
                             .refuse_wishes = i > 1};
      layer_test_input(&t, dtype, rank, dims, raw);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      onri_load(dtype, t.out[0].data, count, dtype == ONR_DTYPE_F64 ? (void *)wide : (void *)y);
      if (dtype == ONR_DTYPE_F64)
        for (size_t j = 0; j < count; j++) y[j] = (float)wide[j];
      assert_close(y, expected, count, tolerance, tolerance);
      layer_test_clear(&t);
    }
  }
}

static void test_every_axis(void **unused) {
  const int64_t dims[] = {3, 5, 7, 2};
  const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16, ONR_DTYPE_BF16};
  (void)unused;
  for (int i = 0; i < 4; i++) {
    check(dtypes[i], 4, dims, 0, 0, 1, 3, 70);
    check(dtypes[i], 4, dims, 1, 0, 3, 5, 14);
    check(dtypes[i], 4, dims, -2, 0, 15, 7, 2);
    check(dtypes[i], 4, dims, -1, 0, 105, 2, 1);
    check(dtypes[i], 4, dims, 2, 1, 15, 14, 1);
    check(dtypes[i], 4, dims, 4, 1, 210, 1, 1);
    check(dtypes[i], 0, NULL, -1, 0, 1, 1, 1);
    check(dtypes[i], 2, (int64_t[]){2, 1037}, 1, 0, 2, 1037, 1);
    check(dtypes[i], 2, (int64_t[]){9, 131}, 0, 0, 1, 9, 131);
    check(dtypes[i], 2, (int64_t[]){3, 0}, 1, 0, 3, 0, 1);
  }
}

/* Lines of all lengths, few and many of them side by side and one behind the other: each has its way to fill vectors.
 */
static void test_drawn_shapes(void **unused) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16};
  struct sweep s = sweep_from(65);
  (void)unused;
  for (int turn = 0; turn < sweep_cases(250); turn++) {
    const int64_t inner = sweep_pick(&s, 1, sweep_chance(&s, 3) ? 140 : 16);
    const int64_t length = sweep_pick(&s, 1, sweep_chance(&s, 3) ? CAPACITY / inner : 40),
                  most = CAPACITY / (inner * length);
    const int64_t outer = sweep_pick(&s, 1, most < 300 ? most : 300);
    check(dtypes[turn % 4], 3, (int64_t[]){outer, length, inner}, 1, 0, (size_t)outer, (size_t)length, (size_t)inner);
  }
}

static void test_large_values(void **unused) {
  const float x[4] = {1000.0f, 999.0f, -1000.0f, -INFINITY};
  const struct onr_softmax_params params = {-1, 0};
  (void)unused;
  for (int kind = 0; kind < 2; kind++)
    for (int i = 0; i < 2; i++) {
      float expected[4];
      reference(kind, x, expected, 1, 4, 1);
      struct layer_test t = {.layer = layers[kind], .params = &params, .backend = backends[i], .num_out = 1};
      layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){4}, x);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      assert_close(t.out[0].data, expected, 4, 1e-6, 1e-30);
      layer_test_clear(&t);
    }
}

static void test_wrong_axis(void **unused) {
  const int64_t axes[] = {2, -3, INT64_MIN, 9};
  const float x[4] = {0};
  (void)unused;
  for (int i = 0; i < 4; i++) {
    const struct onr_softmax_params params = {axes[i], 0};
    struct layer_test t = {.layer = &onri_layer_softmax, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_ATTRIBUTE);
    layer_test_clear(&t);
  }
  const struct onr_softmax_params params = {0, 0};
  struct layer_test t = {.layer = &onri_layer_softmax, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_I32, 1, (int64_t[]){4}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_TYPE);
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_axis),
      cmocka_unit_test(test_drawn_shapes),
      cmocka_unit_test(test_large_values),
      cmocka_unit_test(test_wrong_axis),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
