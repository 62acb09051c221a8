/* Element-wise functions on elements as they lie in memory, of every instruction set, against the plain functions of
 * number classes, which the tests of the layers hold: every type and function, every way to end a vector. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/cpu.h"
#include "kernels/elementwise/typed.h"
#include "kernels/kernels.h"
#include "layers/elementwise/binary_classes.h"
#include "layers/elementwise/unary_classes.h"

enum { ROWS = 3, MOST = 150, GUARD = 8 };

static unsigned char a[ROWS * MOST * 8], b[ROWS * MOST * 8], divisors[ROWS * MOST * 8], y[ROWS * MOST * 8 + GUARD],
    expected[ROWS * MOST * 8 + GUARD];

/* Any bits, with few values so that some are equal. */
static void fill(struct sweep *s, enum onr_dtype dtype, unsigned char *x) {
  const int is_float = onri_dtype_class(dtype) == ONRI_CLASS_F64 || onri_dtype_class(dtype) == ONRI_CLASS_F32;
  const double special[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, -0.0};
  for (size_t i = 0; i < ROWS * MOST; i++) {
    const double value = sweep_chance(s, 30) ? special[i % 4] : (double)sweep_pick(s, -6, 6) / 2;
    const int64_t bits = sweep_chance(s, 2) ? sweep_pick(s, -5, 5)
                                            : (int64_t)((uint64_t)sweep_next(s) << 33 ^ (uint64_t)sweep_next(s) << 1);
    if (is_float) onri_store_f64(dtype, &value, 1, x + i * onr_dtype_size(dtype));
    else onri_store(dtype, &bits, 1, x + i * onr_dtype_size(dtype));
  }
}

/* b, with 1 for 0: what layers give to quotients of integers. */
static void fill_divisors(enum onr_dtype dtype) {
  const size_t size = onr_dtype_size(dtype);
  const int64_t one = 1;
  memcpy(divisors, b, sizeof(b));
  for (size_t i = 0; i < ROWS * MOST; i++) {
    uint64_t value;
    onri_load(dtype, divisors + i * size, 1, &value);
    if (value == 0) onri_store(dtype, &one, 1, divisors + i * size);
  }
}

static int differs(enum onr_dtype dtype, size_t count, int rounds) {
  double found, is;
  if (memcmp(y, expected, sizeof(y)) == 0) return 0;
  if (dtype != ONR_DTYPE_F64) return 1;
  for (size_t i = 0; i < count; i++) {
    memcpy(&found, y + i * 8, 8);
    memcpy(&is, expected + i * 8, 8);
    const double allowed = rounds ? 5e-16 * fabs(is) + 5e-324 : 0; /* functions that libm rounds its own way */
    if (found != is && !(isnan(found) && isnan(is)) && !(fabs(found - is) <= allowed)) return 1;
  }
  return 0;
}

static void check_binary(int level, enum onr_dtype dtype, enum onr_binary op, size_t count, int shape) {
  const enum onri_class class = onri_dtype_class(dtype);
  const size_t size = onr_dtype_size(dtype);
  const int truth = op == ONR_BINARY_AND || op == ONR_BINARY_OR || op == ONR_BINARY_XOR ||
                    (op >= ONR_BINARY_EQUAL && op <= ONR_BINARY_GREATER_OR_EQUAL);
  const int divides =
      class != ONRI_CLASS_F64 && (op == ONR_BINARY_DIV || op == ONR_BINARY_MOD || op == ONR_BINARY_FMOD);
  const unsigned char *second = divides ? divisors : b;
  const struct onri_typed_rows rows = {.a = a,
                                       .b = second,
                                       .y = y,
                                       .rows = ROWS,
                                       .count = count,
                                       .a_row = MOST,
                                       .b_row = shape == 3 ? 0 : MOST,
                                       .a_step = shape != 2,
                                       .b_step = shape != 1};
  memset(y, 0x55, sizeof(y));
  memset(expected, 0x55, sizeof(expected));
  const struct onri_typed_kernels *typed = onri_kernels_at(typed, level);
  typed->binary_rows(onri_typed_binary_of(typed, dtype, op), &rows, size, truth ? 1 : size);
  for (size_t r = 0; r < ROWS; r++) {
    uint64_t wide[2][MOST], result[MOST];
    onri_load(dtype, a + r * rows.a_row * size, MOST, wide[0]);
    onri_load(dtype, second + r * rows.b_row * size, MOST, wide[1]);
    const struct onri_binary_values values = {.a = wide[0],
                                              .b = wide[1],
                                              .y = result,
                                              .a_step = rows.a_step,
                                              .b_step = rows.b_step,
                                              .count = count,
                                              .bits = onri_dtype_bits(dtype)};
    onri_binary_of_class(op, class)(&values);
    if (truth) memcpy(expected + r * count, result, count);
    else onri_store(dtype, result, count, expected + r * count * size);
  }
  if (differs(truth ? ONR_DTYPE_BOOL : dtype, ROWS * count, op == ONR_BINARY_POW))
    fail_msg("level %d, %s, function %d, %zu elements, shape %d", level, onr_dtype_name(dtype), (int)op, count, shape);
}

static void check_unary(int level, enum onr_dtype dtype, enum onr_unary op, size_t count) {
  const struct onr_unary_params params = {.op = op, .alpha = count % 2, .beta = count / 2 % 2};
  const int truth = op == ONR_UNARY_IS_NAN || op == ONR_UNARY_IS_INF;
  const int rounds = op == ONR_UNARY_EXP || op == ONR_UNARY_TANH || op == ONR_UNARY_SIGMOID || op == ONR_UNARY_LOG ||
                     op == ONR_UNARY_SIN || op == ONR_UNARY_COS;
  uint64_t wide[MOST], result[MOST];
  memset(y, 0x55, sizeof(y));
  memset(expected, 0x55, sizeof(expected));
  const struct onri_typed_kernels *typed = onri_kernels_at(typed, level);
  const size_t size = onr_dtype_size(dtype);
  typed->unary_row(onri_typed_unary_of(typed, dtype, op), a, y, count, params.alpha, params.beta, size,
                   truth ? 1 : size);
  onri_load(dtype, a, count, wide);
  onri_unary_of_class(op, onri_dtype_class(dtype))(wide, result, count, &params);
  if (truth) memcpy(expected, result, count);
  else onri_store(dtype, result, count, expected);
  if (differs(truth ? ONR_DTYPE_BOOL : dtype, count, rounds))
    fail_msg("level %d, %s, unary %d, %zu elements", level, onr_dtype_name(dtype), (int)op, count);
}

static void test_every_function(void **state) {
  struct sweep s = sweep_from(61);
  size_t found = 0;
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int dtype = 0; dtype < ONR_NUM_DTYPES; dtype++) {
      const struct onri_typed_kernels *kernels = onri_kernels_at(typed, level);
      for (size_t count = 1; count < MOST; count += count < 70 ? 1 : 9) {
        fill(&s, (enum onr_dtype)dtype, a);
        fill(&s, (enum onr_dtype)dtype, b);
        if (onri_typed_binary_of(kernels, dtype, ONR_BINARY_DIV)) fill_divisors((enum onr_dtype)dtype);
        for (int op = 0; op < ONR_NUM_BINARY; op++)
          if (onri_typed_binary_of(kernels, dtype, op)) check_binary(level, dtype, op, count, (int)(found++ % 4));
        for (int op = 0; op < ONR_NUM_UNARY; op++)
          if (onri_typed_unary_of(kernels, dtype, op)) check_unary(level, dtype, op, count);
      }
    }
  assert_true(found > 5000);
}

static void check_rounding(int level, enum onr_unary op, long double (*exact)(long double), double x) {
  const struct onri_typed_kernels *typed = onri_kernels_at(typed, level);
  double found;
  typed->unary_row(onri_typed_unary_of(typed, ONR_DTYPE_F64, op), &x, &found, 1, 0, 0, sizeof(x), sizeof(found));
  const double is = (double)exact((long double)x), unit = nextafter(fabs(is), INFINITY) - fabs(is);
  if (!(fabs(found - is) <= 2 * unit))
    fail_msg("level %d, function %d of %.17g: %.17g, not %.17g", level, (int)op, x, found, is);
}

/* Powers to two units, those of whole numbers exactly; a and b are numbers of all kinds, too. */
static void check_power(int level, double base, double exponent, int is_exact) {
  const struct onri_typed_kernels *typed = onri_kernels_at(typed, level);
  double found;
  typed->binary_rows(onri_typed_binary_of(typed, ONR_DTYPE_F64, ONR_BINARY_POW),
                     &(struct onri_typed_rows){&base, &exponent, &found, 1, 1, 1, 1, 1, 1}, sizeof(base),
                     sizeof(found));
  const double is = (double)powl((long double)base, (long double)exponent),
               unit = nextafter(fabs(is), INFINITY) - fabs(is);
  if (found == is || (isnan(found) && isnan(is))) {
    assert_int_equal(signbit(found) != 0 && !isnan(is), signbit(is) != 0 && !isnan(is));
    return;
  }
  if (is_exact || !(fabs(found - is) <= 2 * unit))
    fail_msg("level %d, %.17g to the %.17g: %.17g, not %.17g", level, base, exponent, found, is);
}

static void test_powers(void **state) {
  static const double special[] = {0.0,  -0.0, 1,  -1, INFINITY, -INFINITY, NAN,  0.5,
                                   -0.5, 2,    -3, 3,  1e300,    5e-324,    1e18, -1e-300};
  enum { SPECIAL = sizeof(special) / sizeof(special[0]) };
  struct sweep s = sweep_from(9);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    if (!onri_typed_binary_of(onri_kernels_at(typed, level), ONR_DTYPE_F64, ONR_BINARY_POW)) continue;
    for (int i = 0; i < SPECIAL * SPECIAL; i++) check_power(level, special[i / SPECIAL], special[i % SPECIAL], 0);
    for (int n = -40; n <= 40; n++)
      for (int k = -2; k < 9; k++) check_power(level, n, k, k >= 0);
    for (int i = 0; i < sweep_cases(20000); i++) {
      const double fraction = 1 + (double)sweep_next(&s) / 4294967296.0 + (double)sweep_next(&s) * 0x1p-54;
      const double base = ldexp(fraction, (int)sweep_pick(&s, -1070, 1022)), near = 1 + ldexp(fraction - 1.5, -4);
      const double exponent = ((double)sweep_next(&s) / 2147483648.0 - 1) * 745 / fabs(log(base));
      check_power(level, base, exponent, 0);
      check_power(level, near, ((double)sweep_next(&s) / 2147483648.0 - 1) * 700 / fabs(log(near)), 0);
      check_power(level, -base, (double)sweep_pick(&s, -5, 5), 0);
    }
  }
}

/* Two units of the last place: numbers of all sizes, and those close to where the result is small. */
static void test_rounding(void **state) {
  struct sweep s = sweep_from(7);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(20000); i++) {
      const double fraction = 1 + (double)sweep_next(&s) / 4294967296.0 + (double)sweep_next(&s) * 0x1p-52;
      check_rounding(level, ONR_UNARY_LOG, logl, ldexp(fraction, (int)sweep_pick(&s, -1074, 1023)));
      check_rounding(level, ONR_UNARY_LOG, logl, 1 + ldexp(fraction, (int)sweep_pick(&s, -52, -1)) - 0.25);
      check_rounding(level, ONR_UNARY_LOG, logl, 1 + ldexp(fraction, (int)sweep_pick(&s, -52, -1)));
#ifndef _WIN32 /* MinGW's sinl takes the processor's own, whose pi has 66 bits */
      const double angle = ldexp(fraction, (int)sweep_pick(&s, -40, 24)), quarter = 1.5707963267948966;
      const double zero = (double)sweep_pick(&s, -300000, 300000) * quarter;
      check_rounding(level, ONR_UNARY_SIN, sinl, angle);
      check_rounding(level, ONR_UNARY_COS, cosl, -angle);
      check_rounding(level, ONR_UNARY_SIN, sinl, zero);
      check_rounding(level, ONR_UNARY_COS, cosl, nextafter(zero, 0));
#endif
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_function), cmocka_unit_test(test_rounding),
                                     cmocka_unit_test(test_powers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
