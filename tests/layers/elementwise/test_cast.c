/* cast and cast_like: every pair of types against rules written in double and 64-bit integers. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const enum onr_dtype numeric[] = {
    ONR_DTYPE_F32,        ONR_DTYPE_F64,    ONR_DTYPE_F16,      ONR_DTYPE_BF16,       ONR_DTYPE_BOOL,
    ONR_DTYPE_I8,         ONR_DTYPE_I16,    ONR_DTYPE_I32,      ONR_DTYPE_I64,        ONR_DTYPE_U8,
    ONR_DTYPE_U16,        ONR_DTYPE_U32,    ONR_DTYPE_U64,      ONR_DTYPE_I4,         ONR_DTYPE_U4,
    ONR_DTYPE_I2,         ONR_DTYPE_U2,     ONR_DTYPE_F8E4M3FN, ONR_DTYPE_F8E4M3FNUZ, ONR_DTYPE_F8E5M2,
    ONR_DTYPE_F8E5M2FNUZ, ONR_DTYPE_F6E2M3, ONR_DTYPE_F6E3M2,   ONR_DTYPE_F4E2M1};

static int is_float(enum onr_dtype dtype) {
  return onri_dtype_class(dtype) == ONRI_CLASS_F32 || onri_dtype_class(dtype) == ONRI_CLASS_F64;
}

static double value_of(enum onr_dtype dtype, const void *element) {
  float f;
  double d;
  int64_t i;
  uint64_t u;
  switch (onri_dtype_class(dtype)) {
    case ONRI_CLASS_F32: onri_load(dtype, element, 1, &f); return (double)f;
    case ONRI_CLASS_F64: onri_load(dtype, element, 1, &d); return d;
    case ONRI_CLASS_I64: onri_load(dtype, element, 1, &i); return (double)i;
    default: onri_load(dtype, element, 1, &u); return (double)u;
  }
}

static void cast(enum onr_dtype from, enum onr_dtype to, int unsaturated, const void *x, void *y, size_t count) {
  const struct onr_cast_params params = {.to = to, .unsaturated = unsaturated};
  struct layer_test t = {.layer = &onri_layer_cast, .params = &params, .num_out = 1};
  layer_test_input(&t, from, 1, (int64_t[]){(int64_t)count}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.dtype, to);
  memcpy(y, t.out[0].data, count * onr_dtype_size(to));
  layer_test_clear(&t);
}

/* Small values that nearly every type has: they must come out as themselves, or as what the target can hold of them. */
static void test_every_pair_on_small_values(void **state) {
  (void)state;
  static const float values[] = {0, 1, 2, 3, 6, -1, -2, 0.5f, 1.5f, -0.5f, 4};
  for (size_t a = 0; a < COUNT(numeric); a++)
    for (size_t b = 0; b < COUNT(numeric); b++) {
      uint64_t x[COUNT(values)], y[COUNT(values)];
      cast(ONR_DTYPE_F32, numeric[a], 0, values, x, COUNT(values));
      cast(numeric[a], numeric[b], 0, x, y, COUNT(values));
      for (size_t i = 0; i < COUNT(values); i++) {
        const double before = value_of(numeric[a], (char *)x + i * onr_dtype_size(numeric[a]));
        const double after = value_of(numeric[b], (char *)y + i * onr_dtype_size(numeric[b]));
        double expected = before;
        if (numeric[b] == ONR_DTYPE_BOOL) {
          expected = before != 0;
        } else if (!is_float(numeric[b])) {
          if (fabs(before) > 1e15) continue; /* a double does not show the low bits, which stay */
          const double range = ldexp(1, (int)onri_dtype_bits(numeric[b]));
          expected = trunc(before);
          if (onri_dtype_class(numeric[b]) == ONRI_CLASS_U64) expected -= range * floor(expected / range);
          else expected -= range * floor((expected + range / 2) / range);
        } else if (onri_dtype_bits(numeric[b]) <= 8 && fabs(before) > 8 && numeric[b] != ONR_DTYPE_F4E2M1) {
          continue; /* rounding and overflow of the narrow floats: test_convert and test_float8 */
        } else if (numeric[b] == ONR_DTYPE_F4E2M1) {
          expected = copysign(fmin(fabs(before), 6), before);
          if (expected != 0 && expected != before && fabs(before) < 6) continue;
        }
        if (numeric[b] != ONR_DTYPE_F4E2M1 && is_float(numeric[b]) && onri_dtype_bits(numeric[b]) <= 16 &&
            fabs(before) > 16)
          continue; /* rounding: test_rounds_once */
        if (numeric[b] == ONR_DTYPE_F32) expected = (double)(float)before;
        if (fabs(expected - after) > 1e-12 * fabs(expected))
          fail_msg("%s %g to %s: expected %g, found %g", onr_dtype_name(numeric[a]), before, onr_dtype_name(numeric[b]),
                   expected, after);
      }
    }
}

static void test_floats_out_of_range(void **state) {
  (void)state;
  const float x[6] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 300.7f};
  int64_t i64[6];
  int32_t i32[6];
  uint64_t u64[6];
  uint8_t u8[6], truth[6];
  int8_t i8[6];
  cast(ONR_DTYPE_F32, ONR_DTYPE_I64, 0, x, i64, 6);
  cast(ONR_DTYPE_F32, ONR_DTYPE_I32, 0, x, i32, 6);
  cast(ONR_DTYPE_F32, ONR_DTYPE_U64, 0, x, u64, 6);
  cast(ONR_DTYPE_F32, ONR_DTYPE_U8, 0, x, u8, 6);
  cast(ONR_DTYPE_F32, ONR_DTYPE_I8, 0, x, i8, 6);
  cast(ONR_DTYPE_F32, ONR_DTYPE_BOOL, 0, x, truth, 6);
  assert_memory_equal(i64, ((int64_t[]){0, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, 300}), sizeof(i64));
  assert_memory_equal(i32, ((int32_t[]){0, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, 300}), sizeof(i32));
  assert_true(u64[0] == 0 && u64[1] == UINT64_MAX && u64[3] == UINT64_MAX && u64[5] == 300);
  assert_int_equal(u8[0], 0);
  assert_int_equal(u8[5], 44);
  assert_int_equal(i8[0], 0);
  assert_int_equal(i8[5], 44);
  assert_memory_equal(truth, ((uint8_t[]){1, 1, 1, 1, 1, 1}), 6);
  const double big[2] = {1.8e19, -3.0};
  uint64_t wide[2];
  cast(ONR_DTYPE_F64, ONR_DTYPE_U64, 0, big, wide, 2);
  assert_true(wide[0] == 18000000000000000000u && wide[1] == (uint64_t)-3);
}

/* A double just above the middle of two float16 lies, as a float32, exactly in the middle: rounding twice goes wrong.
 */
static void test_rounds_once(void **state) {
  (void)state;
  const double x[4] = {1.0 + ldexp(1, -11) + ldexp(1, -40), 1.0 + ldexp(1, -11), -1.0 - ldexp(1, -11) - ldexp(1, -40),
                       65519.99999};
  uint16_t y[4];
  cast(ONR_DTYPE_F64, ONR_DTYPE_F16, 0, x, y, 4);
  assert_memory_equal(y, ((uint16_t[]){0x3C01, 0x3C00, 0xBC01, 0x7BFF}), sizeof(y));
  const double huge[3] = {1e300, -1e300, NAN};
  cast(ONR_DTYPE_F64, ONR_DTYPE_BF16, 0, huge, y, 3);
  assert_int_equal(y[0], 0x7F80);
  assert_int_equal(y[1], 0xFF80);
  assert_true(isnan(onri_bf16_to_f32(y[2])));
  float f[1];
  cast(ONR_DTYPE_F64, ONR_DTYPE_F32, 0, huge, f, 1);
  assert_true(isinf(f[0]));
}

static void test_float8(void **state) {
  (void)state;
  const float x[3] = {1e6f, -INFINITY, 500.0f};
  uint8_t y[3];
  cast(ONR_DTYPE_F32, ONR_DTYPE_F8E4M3FN, 0, x, y, 3);
  assert_memory_equal(y, ((uint8_t[]){0x7E, 0xFE, 0x7E}), 3);
  cast(ONR_DTYPE_F32, ONR_DTYPE_F8E4M3FN, 1, x, y, 3);
  assert_memory_equal(y, ((uint8_t[]){0x7F, 0xFF, 0x7F}), 3);
  cast(ONR_DTYPE_F32, ONR_DTYPE_F8E5M2, 1, x, y, 3);
  assert_memory_equal(y, ((uint8_t[]){0x7C, 0xFC, 0x60}), 3);
  const float scale[1] = {3.0f};
  static const uint8_t expected[] = {[ONR_CAST_UP] = 129, [ONR_CAST_DOWN] = 128, [ONR_CAST_NEAREST] = 129};
  for (int r = ONR_CAST_UP; r <= ONR_CAST_NEAREST; r++) {
    const struct onr_cast_params params = {.to = ONR_DTYPE_F8E8M0, .rounding = (enum onr_cast_rounding)r};
    struct layer_test t = {.layer = &onri_layer_cast, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, scale);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(*(const uint8_t *)t.out[0].data, expected[r]);
    layer_test_clear(&t);
  }
}

static void test_same_type_is_a_view(void **state) {
  (void)state;
  const struct onr_string x[2] = {{"a", 1}, {"b", 1}};
  const struct onr_cast_params params = {.to = ONR_DTYPE_STRING};
  for (int refuse = 0; refuse < 2; refuse++) {
    struct layer_test t = {.layer = &onri_layer_cast, .params = &params, .num_out = 1, .refuse_wishes = refuse};
    layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){2}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.view[0].of, 0);
    assert_memory_equal(t.out[0].data, x, sizeof(x));
    layer_test_clear(&t);
  }
}

static void test_cast_like(void **state) {
  (void)state;
  const struct onr_cast_params params = {.to = ONR_DTYPE_NONE};
  const float x[3] = {1.9f, -1.9f, 0};
  const int16_t like[1] = {0};
  struct layer_test t = {.layer = &onri_layer_cast_like, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){3}, x);
  layer_test_input(&t, ONR_DTYPE_I16, 0, NULL, like);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, ((int16_t[]){1, -1, 0}), 6);
  layer_test_clear(&t);
}

static void test_wrong_calls(void **state) {
  (void)state;
  static const struct {
    enum onr_dtype from;
    struct onr_cast_params params;
    enum onr_status status;
  } wrong[] = {
      {ONR_DTYPE_F32, {.to = ONR_DTYPE_NONE}, ONR_STATUS_ATTRIBUTE},
      {ONR_DTYPE_F32, {.to = (enum onr_dtype)77}, ONR_STATUS_ATTRIBUTE},
      {ONR_DTYPE_F32, {.to = ONR_DTYPE_I8, .rounding = (enum onr_cast_rounding)3}, ONR_STATUS_ATTRIBUTE},
      {ONR_DTYPE_C64, {.to = ONR_DTYPE_F32}, ONR_STATUS_UNSUPPORTED},
  };
  const uint64_t x[2] = {0};
  for (size_t k = 0; k < COUNT(wrong); k++) {
    struct layer_test t = {.layer = &onri_layer_cast, .params = &wrong[k].params, .num_out = 1};
    layer_test_input(&t, wrong[k].from, 1, (int64_t[]){1}, x);
    assert_int_equal(layer_test_run(&t), wrong[k].status);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_pair_on_small_values),
      cmocka_unit_test(test_floats_out_of_range),
      cmocka_unit_test(test_rounds_once),
      cmocka_unit_test(test_float8),
      cmocka_unit_test(test_same_type_is_a_view),
      cmocka_unit_test(test_cast_like),
      cmocka_unit_test(test_wrong_calls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
