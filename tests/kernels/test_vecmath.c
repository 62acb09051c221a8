/* The vector exp, sigmoid and tanh against libm in double, over the whole range, in place and at odd lengths. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "kernels/elementwise/vecmath.h"
#include "kernels/kernels.h"

enum { COUNT = 4001 };

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void check(void (*function)(const float *, float *, size_t), double (*reference)(double), float low,
                  float high) {
  float x[COUNT], y[COUNT];
  for (size_t count = 1; count <= COUNT; count += count < 140 ? 1 : COUNT - count > 0 ? COUNT - count : 1) {
    for (size_t i = 0; i < count; i++) x[i] = low + (high - low) * (float)i / (float)count;
    memcpy(y, x, sizeof(y));
    function(y, y, count);
    for (size_t i = 0; i < count; i++) {
      const double expected = reference((double)x[i]);
      if (fabs((double)y[i] - expected) > 2e-7 * fabs(expected) + 1e-37)
        fail_msg("f(%g) = %.9g, expected %.9g", (double)x[i], (double)y[i], expected);
    }
  }
}

static void test_accuracy(void **unused) {
  (void)unused;
  for (int l = 0; l <= (int)onri_cpu_level(); l++) {
    check(onri_kernels_at(vecmath, l)->exp, exp, -110.0f, 88.7f);
    check(onri_kernels_at(vecmath, l)->exp, exp, -1e-3f, 1e-3f);
    check(onri_kernels_at(vecmath, l)->sigmoid, sigmoid, -84.0f, 120.0f);
    check(onri_kernels_at(vecmath, l)->tanh, tanh, -12.0f, 12.0f);
    check(onri_kernels_at(vecmath, l)->tanh, tanh, -1e-3f, 1e-3f);
  }
}

static void test_special_values(void **unused) {
  const float x[6] = {NAN, INFINITY, -INFINITY, 0.0f, 89.5f, -200.0f};
  const float exps[6] = {NAN, INFINITY, 0, 1, INFINITY, 0}, sigmoids[6] = {NAN, 1, 0, 0.5f, 1, 0},
              tanhs[6] = {NAN, 1, -1, 0, 1, -1};
  float y[6];
  (void)unused;
  for (int l = 0; l <= (int)onri_cpu_level(); l++) {
    onri_kernels_at(vecmath, l)->exp(x, y, 6);
    assert_close(y, exps, 6, 0, 0);
    onri_kernels_at(vecmath, l)->sigmoid(x, y, 6);
    assert_close(y, sigmoids, 6, 0, 0);
    onri_kernels_at(vecmath, l)->tanh(x, y, 6);
    assert_close(y, tanhs, 6, 0, 0);
  }
}

static void test_sum_and_max(void **unused) {
  float x[300], y[300];
  (void)unused;
  fill_random(x, 300, -5.0f, 5.0f, 1);
  for (int l = 0; l <= (int)onri_cpu_level(); l++)
    for (size_t count = 0; count <= 300; count++) {
      double sum = 0;
      float max = -4.0f;
      for (size_t i = 0; i < count; i++) {
        sum += exp((double)x[i] - 1.5);
        max = x[i] > max ? x[i] : max;
      }
      const float found = onri_kernels_at(vecmath, l)->exp_sum(x, 1.5f, y, count), expected = (float)sum;
      assert_close(&found, &expected, 1, 1e-6, 0);
      assert_true(onri_kernels_at(vecmath, l)->max(x, -4.0f, count) == max);
    }
}

/* One that is not finite, at each place of arrays of every length. */
static void test_exp_f64(void **unused) {
  enum { MANY = 3001 };
  static double x[MANY], y[MANY];
  (void)unused;
  for (int l = 0; l <= (int)onri_cpu_level(); l++)
    for (size_t count = 1; count <= MANY; count += count < 40 ? 1 : 987) {
      double sum = 0;
      for (size_t i = 0; i < count; i++) x[i] = 709.0 - 1460.0 * (double)i / (double)count;
      const double found = onri_kernels_at(vecmath, l)->exp_sum_f64(x, 0.25, y, count);
      for (size_t i = 0; i < count; i++) {
        const double expected = exp(x[i] - 0.25);
        sum += expected;
        if (fabs(y[i] - expected) > 5e-16 * expected + 5e-324)
          fail_msg("level %d: exp(%g) = %.17g, expected %.17g", l, x[i] - 0.25, y[i], expected);
      }
      assert_true(fabs(found - sum) <= 1e-14 * sum);
    }
  x[0] = NAN, x[1] = INFINITY, x[2] = -INFINITY, x[3] = 800;
  for (int l = 0; l <= (int)onri_cpu_level(); l++) {
    (void)onri_kernels_at(vecmath, l)->exp_sum_f64(x, 0, y, 4);
    assert_true(isnan(y[0]) && isinf(y[1]) && y[2] == 0 && isinf(y[3]));
  }
}

static void test_all_finite(void **unused) {
  const float special[] = {NAN, INFINITY, -INFINITY};
  float x[150];
  (void)unused;
  fill_random(x, 150, -1e30f, 1e30f, 2);
  x[7] = 3.4028235e38f;
  x[149] = -3.4028235e38f;
  for (int l = 0; l <= (int)onri_cpu_level(); l++)
    for (size_t count = 0; count <= 150; count++) {
      assert_true(onri_kernels_at(vecmath, l)->all_finite(x, count));
      for (size_t i = 0; i < count; i++) {
        const float kept = x[i];
        x[i] = special[i % 3];
        assert_false(onri_kernels_at(vecmath, l)->all_finite(x, count));
        x[i] = kept;
      }
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accuracy), cmocka_unit_test(test_special_values), cmocka_unit_test(test_sum_and_max),
      cmocka_unit_test(test_exp_f64),  cmocka_unit_test(test_all_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
