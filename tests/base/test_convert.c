/* convert: every pattern of the small floats against a model in double precision that is written from the formats'
 * definitions, and rounding on all midpoints between neighbours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/numbers/convert.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct model {
  enum onr_dtype dtype;
  int bits, mantissa_bits, bias;
  unsigned infinity;  /* magnitude code; 0: the format has none */
  unsigned first_nan; /* magnitude codes from here on are NaN */
  int unsigned_zero;  /* the code of -0 is NaN */
};

static const struct model models[] = {
    {ONR_DTYPE_F16, 16, 10, 15, 0x7C00, 0x7C01, 0}, {ONR_DTYPE_BF16, 16, 7, 127, 0x7F80, 0x7F81, 0},
    {ONR_DTYPE_F8E4M3FN, 8, 3, 7, 0, 0x7F, 0},      {ONR_DTYPE_F8E4M3FNUZ, 8, 3, 8, 0, 0x80, 1},
    {ONR_DTYPE_F8E5M2, 8, 2, 15, 0x7C, 0x7D, 0},    {ONR_DTYPE_F8E5M2FNUZ, 8, 2, 16, 0, 0x80, 1},
    {ONR_DTYPE_F6E2M3, 6, 3, 1, 0, 0x20, 0},        {ONR_DTYPE_F6E3M2, 6, 2, 3, 0, 0x20, 0},
    {ONR_DTYPE_F4E2M1, 4, 1, 1, 0, 0x08, 0},
};

static double decode(const struct model *m, unsigned code) {
  const unsigned sign_bit = 1u << (m->bits - 1), magnitude = code & (sign_bit - 1);
  const int exponent = (int)(magnitude >> m->mantissa_bits);
  const double fraction = (double)(magnitude & ((1u << m->mantissa_bits) - 1u));
  double value;
  if (m->unsigned_zero && code == sign_bit) return NAN;
  if (m->infinity && magnitude == m->infinity) value = INFINITY;
  else if (magnitude >= m->first_nan) return NAN;
  else if (exponent == 0) value = ldexp(fraction, 1 - m->bias - m->mantissa_bits);
  else value = ldexp(1.0 + ldexp(fraction, -m->mantissa_bits), exponent - m->bias);
  return code & sign_bit ? -value : value;
}

static float load_one(enum onr_dtype dtype, unsigned code) {
  const uint16_t wide = (uint16_t)code;
  const uint8_t narrow = (uint8_t)code;
  float value;
  onri_load(dtype, onr_dtype_size(dtype) == 2 ? (const void *)&wide : &narrow, 1, &value);
  return value;
}

static unsigned store_one(enum onr_dtype dtype, float value) {
  uint16_t wide = 0;
  uint8_t narrow = 0;
  const int two = onr_dtype_size(dtype) == 2;
  onri_store(dtype, &value, 1, two ? (void *)&wide : &narrow);
  return two ? wide : narrow;
}

static void test_load_every_pattern(void **state) {
  (void)state;
  for (size_t k = 0; k < COUNT(models); k++)
    for (unsigned code = 0; code < 1u << models[k].bits; code++) {
      const double expected = decode(&models[k], code);
      const float found = load_one(models[k].dtype, code);
      if (isnan(expected)) {
        assert_true(isnan(found));
      } else {
        assert_true((double)found == expected);
        assert_int_equal(!!signbit(found), !!signbit(expected));
      }
    }
}

static void test_store_every_pattern(void **state) {
  (void)state;
  for (size_t k = 0; k < COUNT(models); k++)
    for (unsigned code = 0; code < 1u << models[k].bits; code++) {
      const struct model *m = &models[k];
      const double value = decode(m, code);
      const unsigned magnitude = code & ((1u << (m->bits - 1)) - 1u);
      if (isnan(value)) {
        assert_true(isnan(decode(m, store_one(m->dtype, (float)value))));
      } else if (!(isinf(value) && onr_dtype_size(m->dtype) == 1)) { /* float8 stores saturate, see below */
        assert_int_equal(store_one(m->dtype, (float)value), m->unsigned_zero && magnitude == 0 ? 0 : code);
      }
    }
}

/* Between two neighbours: the midpoint goes to the even code, and the float32 next to the midpoint to the nearer one.
 */
static void test_store_rounds_to_nearest_even(void **state) {
  (void)state;
  for (size_t k = 0; k < COUNT(models); k++) {
    const struct model *m = &models[k];
    const unsigned end = m->infinity ? m->infinity : m->first_nan;
    for (unsigned code = 0; code + 1 < end; code++) {
      const float middle = (float)((decode(m, code) + decode(m, code + 1)) / 2);
      assert_int_equal(store_one(m->dtype, middle), code + (code & 1));
      assert_int_equal(store_one(m->dtype, nextafterf(middle, 0.0f)), code);
      assert_int_equal(store_one(m->dtype, nextafterf(middle, INFINITY)), code + 1);
      const unsigned sign = m->unsigned_zero && code == 0 ? 0 : 1u << (m->bits - 1);
      assert_int_equal(store_one(m->dtype, -nextafterf(middle, 0.0f)), code | sign);
    }
  }
}

static void test_halves_overflow_to_infinity(void **state) {
  (void)state;
  assert_int_equal(onri_f16_from_f32(65519.996f), 0x7BFF);
  assert_int_equal(onri_f16_from_f32(65520.0f), 0x7C00);
  assert_int_equal(onri_f16_from_f32(-1e30f), 0xFC00);
  assert_int_equal(onri_f16_from_f32(INFINITY), 0x7C00);
  assert_int_equal(onri_bf16_from_f32(3.4028235e38f), 0x7F80);
  assert_int_equal(onri_bf16_from_f32(-INFINITY), 0xFF80);
  assert_int_equal(onri_f16_from_f32(1e-30f), 0);
  assert_int_equal(onri_f16_from_f32(-1e-30f), 0x8000);
}

/* Payload and sign of a NaN survive; a signalling one becomes quiet and never an infinity. */
static void test_halves_keep_nan(void **state) {
  (void)state;
  for (unsigned code = 0x7C01; code < 0x8000; code++) {
    const uint32_t bits = (uint32_t)code << 13 | 0x7F800000u | 0x80000000u;
    float value;
    memcpy(&value, &bits, sizeof(value));
    assert_int_equal(onri_f16_from_f32(value), 0x8000u | code | 0x200u);
  }
  const uint32_t low = 0x7F800001u;
  float value;
  memcpy(&value, &low, sizeof(value));
  assert_int_equal(onri_f16_from_f32(value), 0x7E00);
  assert_int_equal(onri_bf16_from_f32(value), 0x7FC0);
}

static void test_small_overflow(void **state) {
  (void)state;
  static const struct {
    enum onr_dtype dtype;
    float below, beyond; /* largest float32 that rounds to the largest value; the first that does not */
    uint8_t largest, beyond_unsaturated, infinity_unsaturated;
  } cases[] = {
      {ONR_DTYPE_F8E4M3FN, 464.0f, 464.00003f, 0x7E, 0x7F, 0x7F},
      {ONR_DTYPE_F8E4M3FNUZ, 247.99998f, 248.0f, 0x7F, 0x80, 0x80},
      {ONR_DTYPE_F8E5M2, 61439.996f, 61440.0f, 0x7B, 0x7C, 0x7C},
      {ONR_DTYPE_F8E5M2FNUZ, 61439.996f, 61440.0f, 0x7F, 0x80, 0x80},
      {ONR_DTYPE_F6E2M3, 7.7f, 8.0f, 0x1F, 0x1F, 0x1F},
      {ONR_DTYPE_F6E3M2, 29.9f, 30.0f, 0x1F, 0x1F, 0x1F},
      {ONR_DTYPE_F4E2M1, 6.9f, 7.0f, 0x07, 0x07, 0x07},
  };
  for (size_t k = 0; k < COUNT(cases); k++) {
    const enum onr_dtype d = cases[k].dtype;
    assert_int_equal(onri_small_from_f32(d, cases[k].below, 0), cases[k].largest);
    assert_int_equal(onri_small_from_f32(d, cases[k].beyond, 0), cases[k].beyond_unsaturated);
    assert_int_equal(onri_small_from_f32(d, cases[k].beyond, 1), cases[k].largest);
    assert_int_equal(onri_small_from_f32(d, INFINITY, 0), cases[k].infinity_unsaturated);
    assert_int_equal(onri_small_from_f32(d, INFINITY, 1), cases[k].largest);
    const uint32_t bits = onri_dtype_bits(d);
    const uint8_t sign = (uint8_t)(1u << (bits - 1));
    assert_int_equal(onri_small_from_f32(d, -1e30f, 1), cases[k].largest | sign);
    assert_true(isnan(onri_small_to_f32(d, onri_small_from_f32(d, NAN, 1))) || bits < 8);
  }
}

static void test_e8m0(void **state) {
  (void)state;
  for (unsigned code = 0; code < 255; code++) {
    assert_true((double)load_one(ONR_DTYPE_F8E8M0, code) == ldexp(1.0, (int)code - 127));
    assert_int_equal(store_one(ONR_DTYPE_F8E8M0, (float)ldexp(1.0, (int)code - 127)), code);
  }
  assert_true(isnan(load_one(ONR_DTYPE_F8E8M0, 255)));
  assert_int_equal(store_one(ONR_DTYPE_F8E8M0, NAN), 255);
  assert_int_equal(onri_e8m0_from_f32(1.1f, 1, ONRI_ROUND_UP), 128);
  assert_int_equal(onri_e8m0_from_f32(1.9f, 1, ONRI_ROUND_DOWN), 127);
  assert_int_equal(onri_e8m0_from_f32(1.49f, 1, ONRI_ROUND_NEAREST), 127);
  assert_int_equal(onri_e8m0_from_f32(1.5f, 1, ONRI_ROUND_NEAREST), 128);
  assert_int_equal(onri_e8m0_from_f32(3e38f, 1, ONRI_ROUND_UP), 254);
  assert_int_equal(onri_e8m0_from_f32(3e38f, 0, ONRI_ROUND_UP), 255);
  assert_int_equal(onri_e8m0_from_f32(INFINITY, 1, ONRI_ROUND_UP), 254);
  assert_int_equal(onri_e8m0_from_f32(INFINITY, 0, ONRI_ROUND_NEAREST), 255);
  assert_int_equal(onri_e8m0_from_f32(0.0f, 1, ONRI_ROUND_UP), 0);
  assert_int_equal(onri_e8m0_from_f32(0.0f, 0, ONRI_ROUND_NEAREST), 255);
}

/* Every integer type: its whole range survives, and what lies outside wraps as in two's complement. */
static void test_integers_wrap(void **state) {
  (void)state;
  static const struct {
    enum onr_dtype dtype;
    int bits, is_signed;
  } types[] = {{ONR_DTYPE_U2, 2, 0},   {ONR_DTYPE_I2, 2, 1},   {ONR_DTYPE_U4, 4, 0},   {ONR_DTYPE_I4, 4, 1},
               {ONR_DTYPE_U8, 8, 0},   {ONR_DTYPE_I8, 8, 1},   {ONR_DTYPE_U16, 16, 0}, {ONR_DTYPE_I16, 16, 1},
               {ONR_DTYPE_U32, 32, 0}, {ONR_DTYPE_I32, 32, 1}, {ONR_DTYPE_U64, 64, 0}, {ONR_DTYPE_I64, 64, 1}};
  static const int64_t values[] = {0,   1,   2,    3,     7,      8,      9,         15,        16,        127,
                                   128, 255, 256,  32767, 32768,  65535,  65536,     -1,        -2,        -3,
                                   -8,  -9,  -128, -129,  -32768, -32769, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
  for (size_t k = 0; k < COUNT(types); k++) {
    assert_int_equal(onri_dtype_bits(types[k].dtype), types[k].bits);
    assert_int_equal(onri_dtype_class(types[k].dtype), types[k].is_signed ? ONRI_CLASS_I64 : ONRI_CLASS_U64);
    for (size_t i = 0; i < COUNT(values); i++) {
      uint8_t memory[9]; /* one byte past the start: unaligned on purpose */
      int64_t found = 0;
      onri_store(types[k].dtype, &values[i], 1, memory + 1);
      onri_load(types[k].dtype, memory + 1, 1, &found);
      const uint64_t mask = UINT64_MAX >> (64 - types[k].bits);
      uint64_t expected = (uint64_t)values[i] & mask;
      if (types[k].is_signed && expected >> (types[k].bits - 1)) expected |= ~mask;
      assert_true((uint64_t)found == expected);
    }
  }
}

static void test_other_types(void **state) {
  (void)state;
  const int64_t numbers[] = {0, 1, 256, -1};
  uint8_t bools[4];
  int64_t back[4];
  onri_store(ONR_DTYPE_BOOL, numbers, 4, bools);
  onri_load(ONR_DTYPE_BOOL, bools, 4, back);
  for (size_t i = 0; i < 4; i++) assert_int_equal(back[i], i > 0);
  const double x = 1.0 / 3.0;
  double y = 0;
  onri_store(ONR_DTYPE_F64, &x, 1, &y);
  assert_true(x == y);
  assert_int_equal(onri_dtype_class(ONR_DTYPE_STRING), ONRI_CLASS_NONE);
  assert_int_equal(onri_dtype_class(ONR_DTYPE_C64), ONRI_CLASS_NONE);
  assert_int_equal(onri_dtype_class((enum onr_dtype)1000), ONRI_CLASS_NONE);
  assert_int_equal(onri_class_size(onri_dtype_class(ONR_DTYPE_BF16)), 4);
  assert_int_equal(onri_class_size(onri_dtype_class(ONR_DTYPE_BOOL)), 8);
  assert_int_equal(onri_class_size(ONRI_CLASS_NONE), 0);
}

/* The public ones for arrays, of all patterns at once, and of what lies between neighbours. */
static void arrays_of_callers(void **state) {
  static uint16_t codes[1 << 16], back[1 << 16];
  static float values[1 << 16], between[1 << 16];
  const struct {
    const struct model *model;
    void (*load)(const uint16_t *source, float *target, size_t count);
    void (*store)(const float *source, uint16_t *target, size_t count);
  } kinds[] = {{&models[0], onr_f16_to_f32, onr_f16_from_f32}, {&models[1], onr_bf16_to_f32, onr_bf16_from_f32}};
  (void)state;
  for (size_t k = 0; k < COUNT(kinds); k++) {
    const struct model *m = kinds[k].model;
    for (size_t i = 0; i < COUNT(codes); i++) codes[i] = (uint16_t)i;
    kinds[k].load(codes, values, COUNT(codes));
    kinds[k].store(values, back, COUNT(codes));
    for (size_t i = 0; i < COUNT(codes); i++) {
      const double expected = decode(m, (unsigned)i);
      if (isnan(expected)) assert_true(isnan(values[i]) && isnan(decode(m, back[i])));
      else assert_true((double)values[i] == expected && back[i] == i && !signbit(values[i]) == !(i >> 15));
    }
    for (size_t i = 0; i < m->infinity; i++)
      between[i] = (float)((decode(m, (unsigned)i) + decode(m, (unsigned)i + 1)) / 2);
    kinds[k].store(between, back, m->infinity - 1);
    for (size_t i = 0; i + 1 < m->infinity; i++) assert_int_equal(back[i], i + i % 2); /* to even */
    back[0] = 1;
    kinds[k].store(between, back, 0);
    assert_int_equal(back[0], 1);
  }
}

/* The same of floats of 8 bits or less; beyond the largest is told. */
static void small_arrays_of_callers(void **state) {
  uint8_t codes[256], back[256];
  float values[256];
  (void)state;
  for (size_t k = 2; k < COUNT(models); k++) {
    const struct model *m = &models[k];
    const size_t count = (size_t)1 << m->bits;
    const float beyond[] = {INFINITY, 1e30f};
    for (size_t i = 0; i < count; i++) codes[i] = (uint8_t)i;
    assert_int_equal(onr_small_to_f32(m->dtype, codes, values, count), 1);
    assert_int_equal(onr_small_from_f32(m->dtype, values, back, count), 1);
    for (size_t i = 0; i < count; i++) {
      const double expected = decode(m, (unsigned)i);
      if (isnan(expected)) assert_true(isnan(values[i]) && isnan(decode(m, back[i])));
      else assert_true((double)values[i] == expected && decode(m, back[i]) == expected);
    }
    assert_int_equal(onr_small_from_f32(m->dtype, beyond, back, 2), 1);
    for (size_t i = 0; i < 2; i++) {
      const double found = decode(m, back[i]);
      if (m->infinity) assert_true(isinf(found));
      else if (m->bits == 8) assert_true(isnan(found));
      else assert_true(found == decode(m, m->first_nan - 1));
    }
  }
  const float powers[] = {0.25f, -2, 3e38f, 0, NAN};
  const uint8_t expected[] = {125, 128, 255, 255, 255};
  assert_int_equal(onr_small_from_f32(ONR_DTYPE_F8E8M0, powers, back, COUNT(powers)), 1);
  assert_memory_equal(back, expected, sizeof(expected));
  assert_int_equal(onr_small_to_f32(ONR_DTYPE_U8, codes, values, 1), 0);
  assert_int_equal(onr_small_from_f32(ONR_DTYPE_F16, values, back, 1), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_load_every_pattern),
      cmocka_unit_test(test_store_every_pattern),
      cmocka_unit_test(test_store_rounds_to_nearest_even),
      cmocka_unit_test(test_halves_overflow_to_infinity),
      cmocka_unit_test(test_halves_keep_nan),
      cmocka_unit_test(test_small_overflow),
      cmocka_unit_test(test_e8m0),
      cmocka_unit_test(test_integers_wrap),
      cmocka_unit_test(test_other_types),
      cmocka_unit_test(arrays_of_callers),
      cmocka_unit_test(small_arrays_of_callers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
