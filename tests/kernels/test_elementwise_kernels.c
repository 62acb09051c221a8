/* The float32 function kernels against double-precision libm, over the whole range of float32, on every instruction set
 * that this processor has; and the same bits however an array is cut. */
#include <string.h>

#include "support/sweep.h"

#include "kernels/elementwise/elementwise.h"
#include "kernels/kernels.h"

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
    {ONR_UNARY_SIN, sin, 3e-7, 0, 1e39},
    {ONR_UNARY_COS, cos, 3e-7, 0, 1e39},
    {ONR_UNARY_TAN, tan, 3e-7, 0, 1e39},
    {ONR_UNARY_ASIN, asin, 3e-7, 0, 1e39},
    {ONR_UNARY_ACOS, acos, 3e-7, 0, 1e39},
    {ONR_UNARY_ATAN, atan, 3e-7, 0, 1e39},
    {ONR_UNARY_SINH, sinh, 3.5e-7, 0, 1e39},
    {ONR_UNARY_COSH, cosh, 3e-7, 0, 1e39},
    {ONR_UNARY_ASINH, asinh, 4e-7, 0, 1e39},
    {ONR_UNARY_ACOSH, acosh, 4e-7, 0, 1e39},
    {ONR_UNARY_ATANH, atanh, 4e-7, 0, 1e39},
};

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
      check_function(k, onri_kernels_at(elementwise, level)->unary[functions[k].op]);
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
      const onri_unary_kernel kernel = onri_kernels_at(elementwise, level)->unary[op];
      if (!kernel) continue;
      kernel(x, whole, 67, 0.3f, 0.6f);
      for (size_t i = 0; i < 67; i++) kernel(x + i, parts + i, 1, 0.3f, 0.6f);
      assert_memory_equal(whole, parts, sizeof(whole));
      memcpy(parts, x, sizeof(parts));
      kernel(parts, parts, 67, 0.3f, 0.6f);
      assert_memory_equal(whole, parts, sizeof(whole));
    }
}

/* --- the functions that are a few operations, and those with parameters --- */

static double at_least(double v, double low) { return v < low ? low : v; } /* NaN stays */
static double at_most(double v, double high) { return v > high ? high : v; }
static double gate(double v, double a, double b) { return at_least(at_most(a * v + b, 1), 0); }

#define F(name, result)                                  \
  static double f_##name(double v, double a, double b) { \
    (void)a, (void)b;                                    \
    return result;                                       \
  }
F(ABS, fabs(v))
F(NEG, -v)
F(SIGN, isnan(v) ? v : (v > 0) - (v < 0))
F(CEIL, ceil(v))
F(FLOOR, floor(v))
F(ROUND, rint(v))
F(SQRT, sqrt(v))
F(RECIPROCAL, 1 / v)
F(RELU, at_least(v, 0))
F(LEAKY_RELU, v < 0 ? a * v : v)
F(ELU, v < 0 ? a * expm1(v) : v)
F(CELU, at_least(v, 0) + at_most(a * expm1(v / a), 0))
F(SELU, b *(v > 0 ? v : a * expm1(v)))
F(HARD_SIGMOID, gate(v, a, b))
F(HARD_SWISH, v *gate(v, a, b))
F(SOFTSIGN, v / (1 + fabs(v)))
F(THRESHOLDED_RELU, v > a || isnan(v) ? v : 0)
F(SWISH, v / (1 + exp(-a * v)))
F(SHRINK, isnan(v) ? v : v<-a ? v + b : v> a ? v - b : 0) /* NaN as in PyTorch */
F(CLIP, at_most(at_least(v, a), b))
F(AFFINE, a *v + b)
F(SQUARE, v *v)

static const struct {
  enum onr_unary op;
  double (*reference)(double v, double a, double b);
} simple[] = {
#define ROW(name) \
  { ONR_UNARY_##name, f_##name }
    ROW(ABS),
    ROW(NEG),
    ROW(SIGN),
    ROW(CEIL),
    ROW(FLOOR),
    ROW(ROUND),
    ROW(SQRT),
    ROW(RECIPROCAL),
    ROW(RELU),
    ROW(LEAKY_RELU),
    ROW(ELU),
    ROW(CELU),
    ROW(SELU),
    ROW(HARD_SIGMOID),
    ROW(HARD_SWISH),
    ROW(SOFTSIGN),
    ROW(SHRINK),
    ROW(CLIP),
    ROW(THRESHOLDED_RELU),
    ROW(SWISH),
    ROW(AFFINE),
    ROW(SQUARE),
#undef ROW
};

enum { MOST = 150 };

static void expect_close(const char *what, int level, int op, const float *found, const double *expected,
                         size_t count) {
  double value;
  const int64_t at = sweep_difference(ONR_DTYPE_F32, found, expected, count, 1e-6, 1e-6, &value);
  if (at >= 0)
    fail_msg("%s %d, level %d, %zu elements: element %d is %g instead of %g", what, op, (int)level, count, (int)at,
             value, expected[at]);
}

/* Every length, so every way to end a vector; NaN among the numbers; nothing is written behind the output. */
static void test_simple_functions(void **state) {
  static const float alphas[] = {1, 0.3f, 1.7f}, betas[] = {2, 0.6f, 1.1f};
  struct sweep s = sweep_from(11);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (size_t f = 0; f < sizeof(simple) / sizeof(simple[0]); f++)
      for (size_t count = 1; count < MOST; count += count < 70 ? 1 : 9) {
        float x[MOST], y[MOST + 1];
        double wide[MOST], expected[MOST];
        const float alpha = alphas[count % 3], beta = betas[count % 3];
        sweep_fill(&s, ONR_DTYPE_F32, count, 5, 0, x, wide);
        if (count % 4 == 0) x[count / 2] = NAN, wide[count / 2] = (double)NAN;
        for (size_t i = 0; i < count; i++) expected[i] = simple[f].reference(wide[i], (double)alpha, (double)beta);
        for (size_t i = 0; i <= MOST; i++) y[i] = 77;
        onri_kernels_at(elementwise, level)->unary[simple[f].op](x, y, count, alpha, beta);
        expect_close("unary", level, (int)simple[f].op, y, expected, count);
        for (size_t i = count; i <= MOST; i++) assert_true(y[i] == 77);
      }
}

static void test_every_function_is_tried(void **state) {
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int op = 0; op < ONR_NUM_UNARY; op++) {
      int found = 0;
      for (size_t f = 0; f < sizeof(functions) / sizeof(functions[0]); f++) found |= (int)functions[f].op == op;
      for (size_t f = 0; f < sizeof(simple) / sizeof(simple[0]); f++) found |= (int)simple[f].op == op;
      assert_int_equal(found, onri_kernels_at(elementwise, level)->unary[op] != NULL);
    }
}

static double floor_mod(double a, double b) {
  const double r = fmod(a, b);
  return r == 0 ? copysign(r, b) : (r < 0) != (b < 0) ? r + b : r;
}

static double binary_reference(int op, double a, double b) {
  if (op == ONR_BINARY_ADD) return a + b;
  if (op == ONR_BINARY_SUB) return a - b;
  if (op == ONR_BINARY_MUL) return a * b;
  if (op == ONR_BINARY_DIV) return a / b;
  if (op == ONR_BINARY_MIN) return isnan(a) || isnan(b) ? (double)NAN : a < b ? a : b;
  if (op == ONR_BINARY_MAX) return isnan(a) || isnan(b) ? (double)NAN : a > b ? a : b;
  if (op == ONR_BINARY_PRELU) return a < 0 ? a * b : a;
  if (op == ONR_BINARY_POW) return pow(a, b);
  if (op == ONR_BINARY_FMOD) return fmod(a, b);
  if (op == ONR_BINARY_MOD) return floor_mod(a, b);
  fail_msg("binary %d has no reference here", op);
  return 0;
}

/* Three shapes of row, clamps, powers that have a loop of their own, in place. */
static void check_binary(struct sweep *s, int level, int op, size_t count, int shape, int clamped) {
  enum { ROWS = 3 };
  static const float powers[] = {2, 3, 0.5f, -1.5f, 0};
  float a[ROWS * MOST], b[ROWS * MOST], y[ROWS * MOST + 1];
  double wide_a[ROWS * MOST], wide_b[ROWS * MOST], expected[ROWS * MOST];
  struct onri_binary_rows rows = {.a = a,
                                  .b = b,
                                  .y = y,
                                  .rows = ROWS,
                                  .count = count,
                                  .a_row = MOST,
                                  .b_row = MOST,
                                  .a_step = shape != 2,
                                  .b_step = shape != 1,
                                  .min = clamped ? -1.0f : -INFINITY,
                                  .max = clamped ? 2.0f : INFINITY};
  sweep_fill(s, ONR_DTYPE_F32, ROWS * MOST, 3, 10, a, wide_a);
  sweep_fill(s, ONR_DTYPE_F32, ROWS * MOST, 3, 10, b, wide_b);
  for (size_t r = 0; op == ONR_BINARY_POW && r < ROWS; r++) {
    b[r * MOST] = powers[(count + r) % 5];
    wide_b[r * MOST] = (double)b[r * MOST];
  }
  for (size_t i = 0; i <= ROWS * MOST; i++) y[i] = 77;
  for (size_t r = 0; r < ROWS; r++)
    for (size_t i = 0; i < count; i++) {
      const double v = binary_reference(op, wide_a[r * MOST + i * rows.a_step], wide_b[r * MOST + i * rows.b_step]);
      expected[r * count + i] = at_least(at_most(v, (double)rows.max), (double)rows.min);
    }
  onri_kernels_at(elementwise, level)->binary[op](&rows);
  expect_close("binary", level, op, y, expected, ROWS * count);
  for (size_t i = ROWS * count; i <= ROWS * MOST; i++) assert_true(y[i] == 77);
  rows.rows = 1;
  rows.y = shape == 2 ? b : a;
  onri_kernels_at(elementwise, level)->binary[op](&rows);
  assert_memory_equal(rows.y, y, count * sizeof(y[0]));
}

/* A product and a sum; each operand is a row, one number a row, or one row for all; clamps; in place. */
static void check_affine(struct sweep *s, int level, size_t count) {
  enum { ROWS = 3 };
  float x[3][ROWS * MOST], y[ROWS * MOST + 1];
  double wide[3][ROWS * MOST], expected[ROWS * MOST];
  size_t row[3], step[3];
  const int clamped = sweep_chance(s, 3);
  for (size_t k = 0; k < 3; k++) {
    sweep_fill(s, ONR_DTYPE_F32, ROWS * MOST, 1, 10, x[k], wide[k]);
    step[k] = (size_t)sweep_pick(s, 0, 1);
    row[k] = sweep_chance(s, 3) ? 0 : count;
  }
  row[0] = count, step[0] = 1;
  const struct onri_affine_rows rows = {{x[0], x[1], y, ROWS, count, row[0], row[1], step[0], step[1],
                                         clamped ? -0.5f : -INFINITY, clamped ? 0.25f : INFINITY},
                                        x[2],
                                        row[2],
                                        step[2]};
  for (size_t i = 0; i <= ROWS * MOST; i++) y[i] = 77;
  for (size_t i = 0; i < ROWS * count; i++) {
    const size_t r = i / count, j = i % count;
    const double v = wide[0][i] * wide[1][r * row[1] + j * step[1]] + wide[2][r * row[2] + j * step[2]];
    expected[i] = at_least(at_most(v, (double)rows.product.max), (double)rows.product.min);
  }
  onri_kernels_at(elementwise, level)->affine(&rows);
  expect_close("affine", level, 0, y, expected, ROWS * count);
  for (size_t i = ROWS * count; i <= ROWS * MOST; i++) assert_true(y[i] == 77);
  struct onri_affine_rows in_place = rows;
  in_place.product.y = x[0];
  onri_kernels_at(elementwise, level)->affine(&in_place);
  assert_memory_equal(x[0], y, ROWS * count * sizeof(y[0]));
}

static void test_affine(void **state) {
  struct sweep s = sweep_from(13);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < 3; i++)
      for (size_t count = 1; count < MOST; count++) check_affine(&s, level, count);
}

static void test_binary(void **state) {
  struct sweep s = sweep_from(12);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int op = 0; op < ONR_NUM_BINARY; op++)
      for (size_t count = 1; onri_kernels_at(elementwise, level)->binary[op] && count < MOST;
           count += count < 70 ? 1 : 9)
        for (int shape = 0; shape < 3; shape++)
          check_binary(&s, level, op, count, shape, op != ONR_BINARY_POW && (count + (size_t)shape) & 1);
}

/* Remainders are exact: of numbers of any size, quotients that round up to a whole number among them. */
static void test_remainders(void **state) {
  enum { COUNT = 4096 };
  static float a[COUNT], b[COUNT], y[COUNT];
  struct sweep s = sweep_from(13);
  (void)state;
  for (int round = 0; round < 40; round++) {
    for (size_t i = 0; i < COUNT; i++) {
      uint32_t bits[2] = {(uint32_t)sweep_next(&s) << 1 ^ (uint32_t)sweep_next(&s) << 9, (uint32_t)sweep_next(&s) << 7};
      memcpy(&a[i], &bits[0], 4);
      memcpy(&b[i], &bits[1], 4);
      if (i % 2) b[i] = ldexpf(frexpf(b[i], &(int){0}), (int)sweep_pick(&s, -3, 12));
      if (i % 2) a[i] = ldexpf(frexpf(a[i], &(int){0}), (int)sweep_pick(&s, -3, 12));
      if (i % 4 == 3) a[i] = b[i] * (float)sweep_pick(&s, 1, 100000);
      if (i % 8 == 7) a[i] = nextafterf(a[i], 0);
    }
    for (int level = 0; level <= (int)onri_cpu_level(); level++) {
      const struct onri_binary_rows rows = {a, b, y, 1, COUNT, 0, 0, 1, 1, -INFINITY, INFINITY};
      onri_kernels_at(elementwise, level)->binary[ONR_BINARY_FMOD](&rows);
      for (size_t i = 0; i < COUNT; i++) {
        const float expected = fmodf(a[i], b[i]);
        if (!(isnan(y[i]) && isnan(expected)) && memcmp(&expected, &y[i], 4) != 0)
          fail_msg("level %d: %a mod %a is %a, found %a", level, (double)a[i], (double)b[i], (double)expected,
                   (double)y[i]);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accuracy),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_same_bits_however_cut),
      cmocka_unit_test(test_simple_functions),
      cmocka_unit_test(test_every_function_is_tried),
      cmocka_unit_test(test_affine),
      cmocka_unit_test(test_binary),
      cmocka_unit_test(test_remainders),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
