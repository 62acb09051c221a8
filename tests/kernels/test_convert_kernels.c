/* Conversions in vectors of every instruction set against those of src/base, which tests/base/test_convert.c holds:
 * every pair, every way to end a vector, all patterns of 16 bits, numbers at the edges of integers, NaN and infinities.
 */
#include <string.h>

#include "support/sweep.h"

#include "base/cpu.h"
#include "kernels/convert/convert.h"
#include "kernels/kernels.h"

enum { MOST = 1 << 16, GUARD = 16 };

static unsigned char x[MOST * 8], y[MOST * 8 + GUARD], expected[MOST * 8 + GUARD];

static int is_nan_of(enum onr_dtype dtype, const unsigned char *at) {
  double value;
  if (onri_dtype_class(dtype) != ONRI_CLASS_F32 && onri_dtype_class(dtype) != ONRI_CLASS_F64) return 0;
  onri_load_f64(dtype, at, 1, &value);
  return isnan(value);
}

static void check(int level, enum onr_dtype from, enum onr_dtype to, size_t count) {
  const onri_conversion convert = onri_conversion_of(onri_kernels_at(convert, level), from, to);
  const struct onri_cast cast = {.from = from, .to = to, .saturate = 1};
  const size_t size = onr_dtype_size(to);
  memset(y, 0x55, sizeof(y));
  memset(expected, 0x55, sizeof(expected));
  convert(x, y, count);
  onri_cast_elements(&cast, x, expected, count);
  if (memcmp(y, expected, sizeof(y)) == 0) return;
  for (size_t i = 0; i < count; i++) {
    const unsigned char *found = y + i * size, *is = expected + i * size;
    double value = 0, wide_found = 0, wide_is = 0;
    if (memcmp(found, is, size) == 0 || (is_nan_of(to, found) && is_nan_of(to, is))) continue;
    onri_load_f64(from, x + i * onr_dtype_size(from), 1, &value);
    onri_load_f64(to, found, 1, &wide_found);
    onri_load_f64(to, is, 1, &wide_is);
    fail_msg("level %d, %s to %s, element %zu of %zu, %.17g: %.17g instead of %.17g", level, onr_dtype_name(from),
             onr_dtype_name(to), i, count, value, wide_found, wide_is);
  }
  assert_memory_equal(y + count * size, expected + count * size, GUARD);
}

/* Any bits at all, and numbers near the ends of the integers. */
static void fill(struct sweep *s, enum onr_dtype from) {
  static const double edges[] = {0,
                                 -0.0,
                                 0.5,
                                 -0.5,
                                 127.5,
                                 128,
                                 255.9,
                                 256,
                                 65504,
                                 65520,
                                 2147483520.0,
                                 2147483647.0,
                                 2147483648.,
                                 1e10,
                                 -2147483648.,
                                 -2147483904.,
                                 4294967296.,
                                 9.3e18,
                                 -9.3e18,
                                 1.9e19,
                                 3e38,
                                 6e-8,
                                 2.9e-8,
                                 (double)INFINITY,
                                 -(double)INFINITY,
                                 (double)NAN};
  for (size_t i = 0; i < sizeof(x); i += 4) {
    const uint32_t bits = sweep_next(s) ^ sweep_next(s) << 16;
    memcpy(x + i, &bits, 4);
  }
  for (size_t i = 0; i < 20000; i++) {
    double value = edges[i % (sizeof(edges) / sizeof(edges[0]))];
    if (i % 3 == 1) value = (double)((int64_t)(sweep_next(s) % 400000) - 200000) / 7;
    onri_store_f64(from, &value, 1, x + i * onr_dtype_size(from));
  }
  if (onr_dtype_size(from) == 2)
    for (size_t i = 0; i < MOST; i++) memcpy(x + 2 * i, &(uint16_t){(uint16_t)i}, 2);
}

static void test_every_pair(void **state) {
  struct sweep s = sweep_from(41);
  size_t pairs = 0;
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int from = 0; from < ONR_NUM_DTYPES; from++)
      for (int to = 0; to < ONR_NUM_DTYPES; to++) {
        if (!onri_conversion_of(onri_kernels_at(convert, level), from, to)) continue;
        pairs++;
        fill(&s, from);
        check(level, from, to, MOST);
        for (size_t count = 0; count < 40; count++) check(level, from, to, count);
      }
  assert_true(pairs >= 120);
}

/* In place where the elements have one size. */
static void test_in_place(void **state) {
  struct sweep s = sweep_from(42);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    fill(&s, ONR_DTYPE_F32);
    memcpy(y, x, sizeof(x));
    const struct onri_convert_kernels *convert = onri_kernels_at(convert, level);
    const onri_conversion to_i32 = onri_conversion_of(convert, ONR_DTYPE_F32, ONR_DTYPE_I32);
    to_i32(x, expected, 1003);
    to_i32(y, y, 1003);
    assert_memory_equal(y, expected, 1003 * 4);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_pair), cmocka_unit_test(test_in_place)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
