/* The float32 function kernels against double-precision libm, over the whole range of float32, on every instruction set
 * that this processor has; and the same bits however an array is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "kernels/elementwise/elementwise_level.h"

#define BLOCK 1024
#define STEP 2657u /* a prime: 1.6 million patterns of the 4.3 billion */

static double ref_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double ref_gelu(double x) { return 0.5 * x * erfc(-x * sqrt(0.5)); }
static double ref_gelu_tanh(double x) { return x / (1 + exp(-2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))); }
static double ref_silu(double x) { return x / (1 + exp(-x)); }
static double ref_softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double ref_mish(double x) { return x * tanh(ref_softplus(x)); }
static double ref_elu(double x) { return x < 0 ? expm1(x) : x; }

static const struct {
  enum onr_unary op;
  double (*reference)(double);
  double relative, of_argument; /* allowed: relative |y| + of_argument |x|, and one subnormal step */
  double limit;                 /* beyond, the function has nothing but its limit, see test_limits */
} functions[] = {
    {ONR_UNARY_EXP, exp, 3e-7, 0, 1e9},
    {ONR_UNARY_LOG, log, 3e-7, 0, 1e39},
    {ONR_UNARY_TANH, tanh, 3e-7, 0, 1e39},
    {ONR_UNARY_ERF, erf, 3.5e-7, 0, 1e39},
    {ONR_UNARY_SIGMOID, ref_sigmoid, 3e-7, 0, 1e39},
    {ONR_UNARY_GELU, ref_gelu, 3e-7, 1.7e-7, 1e30},
    {ONR_UNARY_GELU_TANH, ref_gelu_tanh, 4e-7, 1.7e-7, 1e9},
    {ONR_UNARY_SWISH, ref_silu, 4e-7, 0, 1e30},
    {ONR_UNARY_SOFTPLUS, ref_softplus, 3e-7, 0, 1e39},
    {ONR_UNARY_MISH, ref_mish, 6e-7, 0, 1e30},
    {ONR_UNARY_ELU, ref_elu, 3e-7, 0, 1e39},
};

static const struct onri_elementwise_kernels *level_table(int level) {
#if ONRI_HAVE_AVX_KERNELS
  if (level == ONRI_CPU_AVX2) return &onri_elementwise_avx2;
  if (level == ONRI_CPU_AVX512) return &onri_elementwise_avx512;
#endif
  (void)level;
  return &onri_elementwise_base;
}

static void check_function(size_t k, onri_unary_kernel kernel) {
  float x[BLOCK], y[BLOCK];
  uint32_t bits = 1;
  for (uint32_t blocks = UINT32_MAX / STEP / BLOCK; blocks > 0; blocks--) {
    for (size_t i = 0; i < BLOCK; i++, bits += STEP) memcpy(&x[i], &bits, 4);
    kernel(x, y, BLOCK, 1.0f, 0.0f);
    for (size_t i = 0; i < BLOCK; i++) {
      const double expected = functions[k].reference((double)x[i]);
      if (isnan(expected)) {
        assert_true(isnan(y[i]));
        continue;
      }
      if (fabs((double)x[i]) > functions[k].limit) continue;
      if (fabs(expected) > 3.4028235e38) {
        assert_true(isinf(y[i]) || fabsf(y[i]) > 3.4e38f);
        continue;
      }
      const double allowed =
          functions[k].relative * fabs(expected) + functions[k].of_argument * fabs((double)x[i]) + 3e-45;
      /* a factor that is subnormal has few bits */
      const double coarse = 1.2e-38 * (1 + fabs((double)x[i]));
      if (fabs((double)y[i] - expected) > (fabs(expected) > coarse ? allowed : coarse))
        fail_msg("op %d at %.9g: expected %.9g, found %.9g", (int)functions[k].op, (double)x[i], expected,
                 (double)y[i]);
    }
  }
}

static void test_accuracy(void **state) {
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (size_t k = 0; k < sizeof(functions) / sizeof(functions[0]); k++)
      check_function(k, level_table(level)->unary[functions[k].op]);
}

static void test_limits(void **state) {
  (void)state;
  const float x[4] = {INFINITY, -INFINITY, NAN, -0.0f};
  float y[4];
  onri_unary_kernel_f32(ONR_UNARY_EXP)(x, y, 4, 1.0f, 0.0f);
  assert_true(isinf(y[0]) && y[1] == 0.0f && isnan(y[2]) && y[3] == 1.0f);
  onri_unary_kernel_f32(ONR_UNARY_LOG)(x, y, 4, 1.0f, 0.0f);
  assert_true(isinf(y[0]) && isnan(y[1]) && isnan(y[2]) && y[3] == -INFINITY);
  onri_unary_kernel_f32(ONR_UNARY_SIGMOID)(x, y, 4, 1.0f, 0.0f);
  assert_true(y[0] == 1.0f && y[1] == 0.0f && isnan(y[2]) && y[3] == 0.5f);
  onri_unary_kernel_f32(ONR_UNARY_TANH)(x, y, 4, 1.0f, 0.0f);
  assert_true(y[0] == 1.0f && y[1] == -1.0f && isnan(y[2]) && y[3] == 0.0f && signbit(y[3]));
  onri_unary_kernel_f32(ONR_UNARY_ERF)(x, y, 4, 1.0f, 0.0f);
  assert_true(y[0] == 1.0f && y[1] == -1.0f && isnan(y[2]) && y[3] == 0.0f);
  onri_unary_kernel_f32(ONR_UNARY_SOFTPLUS)(x, y, 4, 1.0f, 0.0f);
  assert_true(isinf(y[0]) && y[1] == 0.0f && isnan(y[2]) && fabsf(y[3] - 0.6931472f) < 1e-7f);
  onri_unary_kernel_f32(ONR_UNARY_GELU)(x, y, 4, 1.0f, 0.0f);
  assert_true(isinf(y[0]) && isnan(y[2]) && y[3] == 0.0f);
  onri_unary_kernel_f32(ONR_UNARY_GELU_TANH)(x, y, 4, 1.0f, 0.0f);
  assert_true(isinf(y[0]) && isnan(y[2]) && y[3] == 0.0f);
  onri_unary_kernel_f32(ONR_UNARY_SWISH)(x, y, 4, 1.0f, 0.0f);
  assert_true(isinf(y[0]) && isnan(y[2]) && y[3] == 0.0f);
  onri_unary_kernel_f32(ONR_UNARY_MISH)(x, y, 4, 1.0f, 0.0f);
  assert_true(isinf(y[0]) && isnan(y[2]) && y[3] == 0.0f);
}

/* Vector body and scalar tail must agree to the bit, in place too. */
static void test_same_bits_however_cut(void **state) {
  (void)state;
  float x[67], whole[67], parts[67];
  for (size_t i = 0; i < 67; i++) x[i] = (float)((double)(i + 1) * 0.37 - 11.0);
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int op = 0; op < ONR_NUM_UNARY; op++) {
      const onri_unary_kernel kernel = level_table(level)->unary[op];
      if (!kernel) continue;
      kernel(x, whole, 67, 0.3f, 0.6f);
      for (size_t i = 0; i < 67; i++) kernel(x + i, parts + i, 1, 0.3f, 0.6f);
      assert_memory_equal(whole, parts, sizeof(whole));
      memcpy(parts, x, sizeof(parts));
      kernel(parts, parts, 67, 0.3f, 0.6f);
      assert_memory_equal(whole, parts, sizeof(whole));
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accuracy),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_same_bits_however_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
