/* unary on both backends, in every type, against double-precision formulas. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

#define CAPACITY 70001
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const enum onr_backend backends[] = {ONR_BACKEND_PORTABLE, ONR_BACKEND_AUTO};

static double ref_abs(double x, double a, double b) {
  (void)a, (void)b;
  return x < 0 ? -x : x;
}
static double ref_neg(double x, double a, double b) {
  (void)a, (void)b;
  return -x;
}
static double ref_sign(double x, double a, double b) {
  (void)a, (void)b;
  return (x > 0) - (x < 0);
}
static double ref_reciprocal(double x, double a, double b) {
  (void)a, (void)b;
  return 1 / x;
}
static double ref_sigmoid(double x, double a, double b) {
  (void)a, (void)b;
  return 1 / (1 + exp(-x));
}
static double ref_relu(double x, double a, double b) {
  (void)a, (void)b;
  return x > 0 ? x : 0;
}
static double ref_leaky(double x, double a, double b) {
  (void)b;
  return x < 0 ? a * x : x;
}
static double ref_elu(double x, double a, double b) {
  (void)b;
  return x < 0 ? a * (exp(x) - 1) : x;
}
static double ref_celu(double x, double a, double b) {
  (void)b;
  return fmax(0, x) + fmin(0, a * (exp(x / a) - 1));
}
static double ref_selu(double x, double a, double b) { return b * (x > 0 ? x : a * (exp(x) - 1)); }
static double ref_hard_sigmoid(double x, double a, double b) { return fmax(0, fmin(1, a * x + b)); }
static double ref_hard_swish(double x, double a, double b) { return x * ref_hard_sigmoid(x, a, b); }
static double ref_softplus(double x, double a, double b) {
  (void)a, (void)b;
  return log1p(exp(x));
}
static double ref_softsign(double x, double a, double b) {
  (void)a, (void)b;
  return x / (1 + fabs(x));
}
static double ref_thresholded(double x, double a, double b) {
  (void)b;
  return x > a ? x : 0;
}
static double ref_gelu(double x, double a, double b) {
  (void)a, (void)b;
  return x / 2 * (1 + erf(x / sqrt(2)));
}
static double ref_gelu_tanh(double x, double a, double b) {
  (void)a, (void)b;
  return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * pow(x, 3))));
}
static double ref_mish(double x, double a, double b) { return x * tanh(ref_softplus(x, a, b)); }
static double ref_swish(double x, double a, double b) {
  (void)b;
  return x / (1 + exp(-a * x));
}
static double ref_shrink(double x, double a, double b) { return x < -a ? x + b : x > a ? x - b : 0; }
static double ref_clip(double x, double a, double b) { return fmin(fmax(x, a), b); }
static double ref_affine(double x, double a, double b) { return a * x + b; }
static double ref_square(double x, double a, double b) {
  (void)a, (void)b;
  return x * x;
}
#define LIBM(name)                                         \
  static double ref_##name(double x, double a, double b) { \
    (void)a, (void)b;                                      \
    return name(x);                                        \
  }
/* clang-format off */
LIBM(ceil)
LIBM(floor)
LIBM(rint)
LIBM(sqrt)
LIBM(exp)
LIBM(log)
LIBM(sin)
LIBM(cos)
LIBM(tan)
LIBM(asin)
LIBM(acos)
LIBM(atan)
LIBM(sinh)
LIBM(cosh)
LIBM(tanh)
LIBM(asinh)
LIBM(acosh)
LIBM(atanh)
LIBM(erf)
/* clang-format on */

/* Outside of [low, high] functions that have poles or steps would make the comparison a matter of luck. */
static const struct {
  enum onr_unary op;
  double (*reference)(double x, double alpha, double beta);
  float low, high, alpha, beta;
} cases[] = {
    {ONR_UNARY_ABS, ref_abs, -5, 5, 0, 0},
    {ONR_UNARY_NEG, ref_neg, -5, 5, 0, 0},
    {ONR_UNARY_SIGN, ref_sign, -5, 5, 0, 0},
    {ONR_UNARY_CEIL, ref_ceil, -5, 5, 0, 0},
    {ONR_UNARY_FLOOR, ref_floor, -5, 5, 0, 0},
    {ONR_UNARY_ROUND, ref_rint, -5, 5, 0, 0},
    {ONR_UNARY_SQRT, ref_sqrt, 0, 5, 0, 0},
    {ONR_UNARY_RECIPROCAL, ref_reciprocal, 0.5f, 5, 0, 0},
    {ONR_UNARY_EXP, ref_exp, -5, 5, 0, 0},
    {ONR_UNARY_LOG, ref_log, 2, 50, 0, 0},
    {ONR_UNARY_SIN, ref_sin, -5, 5, 0, 0},
    {ONR_UNARY_COS, ref_cos, -5, 5, 0, 0},
    {ONR_UNARY_TAN, ref_tan, -1.2f, 1.2f, 0, 0},
    {ONR_UNARY_ASIN, ref_asin, -0.9f, 0.9f, 0, 0},
    {ONR_UNARY_ACOS, ref_acos, -0.9f, 0.9f, 0, 0},
    {ONR_UNARY_ATAN, ref_atan, -5, 5, 0, 0},
    {ONR_UNARY_SINH, ref_sinh, -4, 4, 0, 0},
    {ONR_UNARY_COSH, ref_cosh, -4, 4, 0, 0},
    {ONR_UNARY_TANH, ref_tanh, -5, 5, 0, 0},
    {ONR_UNARY_ASINH, ref_asinh, -5, 5, 0, 0},
    {ONR_UNARY_ACOSH, ref_acosh, 1.5f, 9, 0, 0},
    {ONR_UNARY_ATANH, ref_atanh, -0.9f, 0.9f, 0, 0},
    {ONR_UNARY_ERF, ref_erf, -4, 4, 0, 0},
    {ONR_UNARY_SIGMOID, ref_sigmoid, -9, 9, 0, 0},
    {ONR_UNARY_RELU, ref_relu, -5, 5, 0, 0},
    {ONR_UNARY_LEAKY_RELU, ref_leaky, -5, 5, 0.01f, 0},
    {ONR_UNARY_ELU, ref_elu, -5, 5, 1.5f, 0},
    {ONR_UNARY_CELU, ref_celu, -5, 5, 2.0f, 0},
    {ONR_UNARY_SELU, ref_selu, -5, 5, 1.6732632f, 1.0507009f},
    {ONR_UNARY_HARD_SIGMOID, ref_hard_sigmoid, -5, 5, 0.2f, 0.5f},
    {ONR_UNARY_HARD_SWISH, ref_hard_swish, -5, 5, 1.0f / 6, 0.5f},
    {ONR_UNARY_SOFTPLUS, ref_softplus, -9, 9, 0, 0},
    {ONR_UNARY_SOFTSIGN, ref_softsign, -5, 5, 0, 0},
    {ONR_UNARY_THRESHOLDED_RELU, ref_thresholded, -5, 5, 1.25f, 0},
    {ONR_UNARY_GELU, ref_gelu, -5, 5, 0, 0},
    {ONR_UNARY_GELU_TANH, ref_gelu_tanh, -5, 5, 0, 0},
    {ONR_UNARY_MISH, ref_mish, -5, 5, 0, 0},
    {ONR_UNARY_SWISH, ref_swish, -5, 5, 1.702f, 0},
    {ONR_UNARY_SHRINK, ref_shrink, -5, 5, 1.5f, 0.75f},
    {ONR_UNARY_CLIP, ref_clip, -5, 5, -1.5f, 2.25f},
    {ONR_UNARY_AFFINE, ref_affine, -5, 5, 0.5f, -3.0f},
    {ONR_UNARY_SQUARE, ref_square, -5, 5, 0, 0},
};

/* Half a unit of the last place of each type, relative, plus what float32 arithmetic adds. */
static double tolerance(enum onr_dtype dtype) {
  switch (dtype) {
    case ONR_DTYPE_F16: return 6e-4;
    case ONR_DTYPE_BF16: return 5e-3;
    case ONR_DTYPE_F64: return 1e-13;
    default: return 1e-6;
  }
}

static void check_case(size_t k, enum onr_dtype dtype, size_t count, enum onr_backend backend, uint32_t threads) {
  static float random[CAPACITY];
  static double x64[CAPACITY], y64[CAPACITY];
  static unsigned char x[CAPACITY * 8];
  const struct onr_unary_params params = {cases[k].op, cases[k].alpha, cases[k].beta};
  const int is_double = dtype == ONR_DTYPE_F64;
  struct layer_test t = {
      .layer = &onri_layer_unary, .params = &params, .backend = backend, .threads = threads, .num_out = 1};
  fill_random(random, count, cases[k].low, cases[k].high, (uint32_t)k + 1);
  for (size_t i = 0; i < count; i++) x64[i] = (double)random[i];
  onri_store(dtype, is_double ? (const void *)x64 : random, count, x);
  if (!is_double) {
    onri_load(dtype, x, count, random); /* what the type made of the values */
    for (size_t i = 0; i < count; i++) x64[i] = (double)random[i];
  }
  layer_test_input(&t, dtype, 1, (int64_t[]){(int64_t)count}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.dtype, dtype);
  assert_int_equal(t.out[0].desc.dim[0], count);
  assert_int_equal(t.in_place, 0);
  onri_load(dtype, t.out[0].data, count, is_double ? (void *)y64 : random);
  for (size_t i = 0; i < count; i++) {
    const double expected = cases[k].reference(x64[i], (double)cases[k].alpha, (double)cases[k].beta);
    const double found = is_double ? y64[i] : (double)random[i];
    if (fabs(found - expected) > tolerance(dtype) * fmax(fabs(expected), 1.0))
      fail_msg("op %d, %s, element %zu: f(%.9g) is %.9g, found %.9g", (int)cases[k].op, onr_dtype_name(dtype), i,
               x64[i], expected, found);
  }
  layer_test_clear(&t);
}

static void test_every_function_in_every_float_type(void **state) {
  (void)state;
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16, ONR_DTYPE_BF16};
  static const size_t counts[] = {1, 19, 1030};
  for (size_t k = 0; k < COUNT(cases); k++)
    for (size_t d = 0; d < COUNT(dtypes); d++)
      for (size_t c = 0; c < COUNT(counts); c++)
        for (size_t b = 0; b < COUNT(backends); b++) check_case(k, dtypes[d], counts[c], backends[b], 1);
}

static void test_large_and_threaded(void **state) {
  (void)state;
  for (uint32_t threads = 1; threads <= 2; threads++) {
    check_case(COUNT(cases) - 1, ONR_DTYPE_F32, CAPACITY, ONR_BACKEND_AUTO, threads);
    check_case(COUNT(cases) - 2, ONR_DTYPE_F16, CAPACITY, ONR_BACKEND_AUTO, threads);
  }
}

static void test_every_function_has_a_case(void **state) {
  (void)state;
  for (int op = 0; op < ONR_NUM_UNARY; op++) {
    size_t found = 0;
    for (size_t k = 0; k < COUNT(cases); k++) found += (int)cases[k].op == op;
    const int elsewhere =
        op == ONR_UNARY_NOT || op == ONR_UNARY_BITWISE_NOT || op == ONR_UNARY_IS_NAN || op == ONR_UNARY_IS_INF;
    assert_int_equal(found, elsewhere ? 0 : 1);
  }
}

static void test_nan_passes_through(void **state) {
  (void)state;
  const float x[3] = {NAN, -NAN, NAN};
  for (int op = 0; op <= ONR_UNARY_SQUARE; op++)
    for (size_t b = 0; b < COUNT(backends); b++) {
      const struct onr_unary_params params = {(enum onr_unary)op, 0.5f, 0.75f};
      struct layer_test t = {.layer = &onri_layer_unary, .params = &params, .backend = backends[b], .num_out = 1};
      layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){3}, x);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      for (int i = 0; i < 3; i++)
        if (!isnan(((const float *)t.out[0].data)[i])) fail_msg("op %d, backend %d loses NaN", op, (int)backends[b]);
      layer_test_clear(&t);
    }
}

/* Runs op on `count` elements of x; the output must be exactly y. */
static void expect_exact(struct onr_unary_params params, enum onr_dtype in, const void *x, enum onr_dtype out,
                         const void *y, int64_t count) {
  for (size_t b = 0; b < COUNT(backends); b++) {
    struct layer_test t = {.layer = &onri_layer_unary, .params = &params, .backend = backends[b], .num_out = 1};
    layer_test_input(&t, in, 1, &count, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.dtype, out);
    assert_memory_equal(t.out[0].data, y, (size_t)count * onr_dtype_size(out));
    layer_test_clear(&t);
  }
}

static void test_integers(void **state) {
  (void)state;
  const int8_t x8[4] = {-128, -3, 0, 127};
  expect_exact((struct onr_unary_params){ONR_UNARY_ABS, 0, 0}, ONR_DTYPE_I8, x8, ONR_DTYPE_I8,
               (int8_t[]){-128, 3, 0, 127}, 4);
  expect_exact((struct onr_unary_params){ONR_UNARY_NEG, 0, 0}, ONR_DTYPE_I8, x8, ONR_DTYPE_I8,
               (int8_t[]){-128, 3, 0, -127}, 4);
  expect_exact((struct onr_unary_params){ONR_UNARY_SIGN, 0, 0}, ONR_DTYPE_I8, x8, ONR_DTYPE_I8,
               (int8_t[]){-1, -1, 0, 1}, 4);
  expect_exact((struct onr_unary_params){ONR_UNARY_RELU, 0, 0}, ONR_DTYPE_I8, x8, ONR_DTYPE_I8,
               (int8_t[]){0, 0, 0, 127}, 4);
  expect_exact((struct onr_unary_params){ONR_UNARY_BITWISE_NOT, 0, 0}, ONR_DTYPE_I8, x8, ONR_DTYPE_I8,
               (int8_t[]){127, 2, -1, -128}, 4);
  expect_exact((struct onr_unary_params){ONR_UNARY_SHRINK, 5, 1}, ONR_DTYPE_I8, x8, ONR_DTYPE_I8,
               (int8_t[]){-127, 0, 0, 126}, 4);
  const int64_t x64[2] = {INT64_MIN, INT64_MAX};
  expect_exact((struct onr_unary_params){ONR_UNARY_NEG, 0, 0}, ONR_DTYPE_I64, x64, ONR_DTYPE_I64,
               (int64_t[]){INT64_MIN, -INT64_MAX}, 2);
  const int32_t x32[6] = {-7, -1, 0, 1, 5, 7};
  expect_exact((struct onr_unary_params){ONR_UNARY_ERF, 0, 0}, ONR_DTYPE_I32, x32, ONR_DTYPE_I32,
               (int32_t[]){-1, 0, 0, 0, 1, 1}, 6);
  const uint16_t u16[3] = {0, 1, 65535};
  expect_exact((struct onr_unary_params){ONR_UNARY_BITWISE_NOT, 0, 0}, ONR_DTYPE_U16, u16, ONR_DTYPE_U16,
               (uint16_t[]){65535, 65534, 0}, 3);
  expect_exact((struct onr_unary_params){ONR_UNARY_ABS, 0, 0}, ONR_DTYPE_U16, u16, ONR_DTYPE_U16, u16, 3);
  expect_exact((struct onr_unary_params){ONR_UNARY_SHRINK, 1, 2}, ONR_DTYPE_U16, u16, ONR_DTYPE_U16,
               (uint16_t[]){0, 0, 65533}, 3);
  const uint8_t truth[3] = {0, 1, 0};
  expect_exact((struct onr_unary_params){ONR_UNARY_NOT, 0, 0}, ONR_DTYPE_BOOL, truth, ONR_DTYPE_BOOL,
               (uint8_t[]){1, 0, 1}, 3);
}

static void test_tests(void **state) {
  (void)state;
  const float x[5] = {1.0f, NAN, INFINITY, -INFINITY, 0.0f};
  const double d[2] = {NAN, -INFINITY};
  const uint16_t h[3] = {0x7C00, 0xFC00, 0x7E00};
  expect_exact((struct onr_unary_params){ONR_UNARY_IS_NAN, 0, 0}, ONR_DTYPE_F32, x, ONR_DTYPE_BOOL,
               (uint8_t[]){0, 1, 0, 0, 0}, 5);
  expect_exact((struct onr_unary_params){ONR_UNARY_IS_INF, 1, 1}, ONR_DTYPE_F32, x, ONR_DTYPE_BOOL,
               (uint8_t[]){0, 0, 1, 1, 0}, 5);
  expect_exact((struct onr_unary_params){ONR_UNARY_IS_INF, 1, 0}, ONR_DTYPE_F32, x, ONR_DTYPE_BOOL,
               (uint8_t[]){0, 0, 0, 1, 0}, 5);
  expect_exact((struct onr_unary_params){ONR_UNARY_IS_INF, 0, 1}, ONR_DTYPE_F16, h, ONR_DTYPE_BOOL,
               (uint8_t[]){1, 0, 0}, 3);
  expect_exact((struct onr_unary_params){ONR_UNARY_IS_NAN, 0, 0}, ONR_DTYPE_F64, d, ONR_DTYPE_BOOL, (uint8_t[]){1, 0},
               2);
}

static void test_empty_and_scalar(void **state) {
  (void)state;
  const struct onr_unary_params params = {ONR_UNARY_NEG, 0, 0};
  const float x[1] = {2.5f};
  struct layer_test empty = {.layer = &onri_layer_unary, .params = &params, .num_out = 1};
  layer_test_input(&empty, ONR_DTYPE_F32, 2, (int64_t[]){3, 0}, x);
  assert_int_equal(layer_test_run(&empty), ONR_STATUS_OK);
  assert_int_equal(onr_desc_elements(&empty.out[0].desc), 0);
  layer_test_clear(&empty);
  struct layer_test scalar = {.layer = &onri_layer_unary, .params = &params, .num_out = 1};
  layer_test_input(&scalar, ONR_DTYPE_F32, 0, NULL, x);
  assert_int_equal(layer_test_run(&scalar), ONR_STATUS_OK);
  assert_int_equal(scalar.out[0].desc.rank, 0);
  assert_true(*(const float *)scalar.out[0].data == -2.5f);
  layer_test_clear(&scalar);
}

static void test_wrong_types_are_named(void **state) {
  (void)state;
  static const struct {
    enum onr_unary op;
    enum onr_dtype dtype;
    enum onr_status status;
  } wrong[] = {
      {ONR_UNARY_EXP, ONR_DTYPE_I32, ONR_STATUS_TYPE},  {ONR_UNARY_NOT, ONR_DTYPE_I8, ONR_STATUS_TYPE},
      {ONR_UNARY_NEG, ONR_DTYPE_U8, ONR_STATUS_TYPE},   {ONR_UNARY_BITWISE_NOT, ONR_DTYPE_F32, ONR_STATUS_TYPE},
      {ONR_UNARY_ABS, ONR_DTYPE_BOOL, ONR_STATUS_TYPE}, {ONR_NUM_UNARY, ONR_DTYPE_F32, ONR_STATUS_ATTRIBUTE},
  };
  const uint64_t zero = 0;
  for (size_t k = 0; k < COUNT(wrong); k++) {
    const struct onr_unary_params params = {wrong[k].op, 0, 0};
    struct layer_test t = {.layer = &onri_layer_unary, .params = &params, .num_out = 1};
    layer_test_input(&t, wrong[k].dtype, 1, (int64_t[]){1}, &zero);
    assert_int_equal(layer_test_run(&t), wrong[k].status);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_function_in_every_float_type),
      cmocka_unit_test(test_large_and_threaded),
      cmocka_unit_test(test_every_function_has_a_case),
      cmocka_unit_test(test_nan_passes_through),
      cmocka_unit_test(test_integers),
      cmocka_unit_test(test_tests),
      cmocka_unit_test(test_empty_and_scalar),
      cmocka_unit_test(test_wrong_types_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
