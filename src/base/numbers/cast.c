#include "base/numbers/cast.h"

#include <string.h>

#define BLOCK 256

#define CONVERT(from, from_type, to, to_type, expression)                      \
  static void from##_to_##to(const void *source, size_t count, void *target) { \
    const from_type *x = source;                                               \
    to_type *y = target;                                                       \
    for (size_t i = 0; i < count; i++) {                                       \
      const from_type v = x[i];                                                \
      y[i] = (to_type)(expression);                                            \
    }                                                                          \
  }

CONVERT(f32, float, f64, double, v)
CONVERT(f32, float, i64, int64_t, onri_f64_to_i64((double)v))
CONVERT(f32, float, u64, uint64_t, onri_f64_to_u64((double)v))
CONVERT(f32, float, truth, int64_t, v != 0.0f)
CONVERT(f64, double, f32, float, v)
CONVERT(f64, double, i64, int64_t, onri_f64_to_i64(v))
CONVERT(f64, double, u64, uint64_t, onri_f64_to_u64(v))
CONVERT(f64, double, truth, int64_t, v != 0.0)
CONVERT(i64, int64_t, f32, float, v)
CONVERT(i64, int64_t, f64, double, v)
CONVERT(u64, uint64_t, f32, float, v)
CONVERT(u64, uint64_t, f64, double, v)
CONVERT(i64, int64_t, int32_range, int64_t, v<INT32_MIN ? INT32_MIN : v> INT32_MAX ? INT32_MAX : v)

static void copy_bits(const void *source, size_t count, void *target) {
  memcpy(target, source, count * sizeof(uint64_t));
}
static void copy_f32(const void *source, size_t count, void *target) { memcpy(target, source, count * sizeof(float)); }

typedef void (*class_conversion)(const void *source, size_t count, void *target);

static class_conversion conversion(enum onri_class from, enum onri_class to) {
  static const class_conversion table[5][5] = {
      [ONRI_CLASS_F32] = {NULL, copy_f32, f32_to_f64, f32_to_i64, f32_to_u64},
      [ONRI_CLASS_F64] = {NULL, f64_to_f32, copy_bits, f64_to_i64, f64_to_u64},
      [ONRI_CLASS_I64] = {NULL, i64_to_f32, i64_to_f64, copy_bits, copy_bits},
      [ONRI_CLASS_U64] = {NULL, u64_to_f32, u64_to_f64, copy_bits, copy_bits},
  };
  return table[from][to];
}

void onri_load_as(enum onr_dtype dtype, const void *source, size_t count, enum onri_class c, void *target) {
  const enum onri_class from = onri_dtype_class(dtype);
  const class_conversion convert = conversion(from, c);
  uint64_t values[BLOCK];
  if (!convert) return;
  if (from == c) {
    onri_load(dtype, source, count, target);
    return;
  }
  for (size_t i = 0; i < count; i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    onri_load(dtype, (const char *)source + i * onr_dtype_size(dtype), n, values);
    convert(values, n, (char *)target + i * onri_class_size(c));
  }
}

/* Rounds double to float "to odd": truncated, with the last bit set when something was cut off. A second rounding to a
 * type of fewer bits then gives what one rounding of the double would have given. */
static float narrow_to_odd(double v) {
  float f = (float)v;
  uint32_t bits;
  if ((double)f == v || v != v) return f;
  memcpy(&bits, &f, sizeof(bits));
  if (((double)f > v) == (v > 0)) bits--; /* was rounded away from zero; also takes infinity to the largest value */
  bits |= 1u;
  memcpy(&f, &bits, sizeof(f));
  return f;
}

/* Any class to the float class of a type that is narrower than float32. */
static void to_narrow_float(enum onri_class from, const void *values, size_t count, float *target) {
  double wide[BLOCK];
  if (from == ONRI_CLASS_F32) {
    copy_f32(values, count, target);
    return;
  }
  conversion(from, ONRI_CLASS_F64)(values, count, wide);
  for (size_t i = 0; i < count; i++) target[i] = narrow_to_odd(wide[i]);
}

static void store_float8(const struct onri_cast *cast, const float *values, size_t count, uint8_t *target) {
  for (size_t i = 0; i < count; i++)
    target[i] = cast->to == ONR_DTYPE_F8E8M0 ? onri_e8m0_from_f32(values[i], cast->saturate, cast->rounding)
                                             : onri_small_from_f32(cast->to, values[i], cast->saturate);
}

static void cast_block(const struct onri_cast *cast, const void *source, void *target, size_t count) {
  const enum onri_class from = onri_dtype_class(cast->from), to = onri_dtype_class(cast->to);
  const int from_float = from == ONRI_CLASS_F32 || from == ONRI_CLASS_F64;
  uint64_t values[BLOCK], converted[BLOCK];
  onri_load(cast->from, source, count, values);
  if (to == ONRI_CLASS_F32 && cast->to != ONR_DTYPE_F32) {
    float narrow[BLOCK];
    to_narrow_float(from, values, count, narrow);
    if (onr_dtype_size(cast->to) == 1) store_float8(cast, narrow, count, target);
    else onri_store(cast->to, narrow, count, target);
    return;
  }
  if (cast->to == ONR_DTYPE_BOOL && from_float)
    (from == ONRI_CLASS_F32 ? f32_to_truth : f64_to_truth)(values, count, converted);
  else conversion(from, to)(values, count, converted);
  if (cast->to == ONR_DTYPE_I32 && from_float) i64_to_int32_range(converted, count, converted);
  onri_store(cast->to, converted, count, target);
}

void onri_cast_elements(const struct onri_cast *cast, const void *source, void *target, size_t count) {
  if (onri_dtype_class(cast->from) == ONRI_CLASS_NONE || onri_dtype_class(cast->to) == ONRI_CLASS_NONE) return;
  for (size_t i = 0; i < count; i += BLOCK)
    cast_block(cast, (const char *)source + i * onr_dtype_size(cast->from),
               (char *)target + i * onr_dtype_size(cast->to), count - i < BLOCK ? count - i : BLOCK);
}
