/* The floats of 8, 6 and 4 bits: one description a format, one decoder, one encoder. */
#include <math.h>
#include <string.h>

#include "base/numbers/convert.h"

const struct onri_small_format *onri_small_format(enum onr_dtype dtype) {
  static const struct onri_small_format e4m3fn = {3, 0x80, 7, 0x7E, 0x7F, 0x7F, 0, 0};
  static const struct onri_small_format e4m3fnuz = {3, 0x80, 8, 0x7F, 0x80, 0x80, 0, 1};
  static const struct onri_small_format e5m2 = {2, 0x80, 15, 0x7B, 0x7C, 0x7E, 0x7C, 0};
  static const struct onri_small_format e5m2fnuz = {2, 0x80, 16, 0x7F, 0x80, 0x80, 0, 1};
  static const struct onri_small_format e2m3 = {3, 0x20, 1, 0x1F, 0x1F, 0, 0, 0};
  static const struct onri_small_format e3m2 = {2, 0x20, 3, 0x1F, 0x1F, 0, 0, 0};
  static const struct onri_small_format e2m1 = {1, 0x08, 1, 0x07, 0x07, 0, 0, 0};
  switch (dtype) {
    case ONR_DTYPE_F8E4M3FN: return &e4m3fn;
    case ONR_DTYPE_F8E4M3FNUZ: return &e4m3fnuz;
    case ONR_DTYPE_F8E5M2: return &e5m2;
    case ONR_DTYPE_F8E5M2FNUZ: return &e5m2fnuz;
    case ONR_DTYPE_F6E2M3: return &e2m3;
    case ONR_DTYPE_F6E3M2: return &e3m2;
    case ONR_DTYPE_F4E2M1: return &e2m1;
    default: return NULL;
  }
}

static float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static uint32_t bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float onri_small_to_f32(enum onr_dtype dtype, uint8_t bits) {
  const struct onri_small_format *f = onri_small_format(dtype);
  const uint32_t magnitude = bits & (f->sign_bit - 1u);
  const uint32_t sign = bits & f->sign_bit ? 0x80000000u : 0;
  const uint32_t exponent = magnitude >> f->mantissa_bits;
  const uint32_t mantissa = magnitude & ((1u << f->mantissa_bits) - 1u);
  if (f->unsigned_zero && sign && magnitude == 0) return float_of_bits(0x7FC00000u);
  if (f->infinity && magnitude == f->infinity) return float_of_bits(sign | 0x7F800000u);
  if (magnitude > f->max_code) return float_of_bits(sign | 0x7FC00000u);
  /* significand * 2^(exponent - bias - mantissa_bits); all of it is exact in float32 */
  const uint32_t significand = exponent ? mantissa | 1u << f->mantissa_bits : mantissa;
  const int32_t scale = (int32_t)(exponent ? exponent : 1) - f->bias - f->mantissa_bits;
  const float value = (float)significand * float_of_bits((uint32_t)(scale + 127) << 23);
  return sign ? -value : value;
}

/* Rounds significand / 2^shift to nearest even; shift is at least 1. */
static uint32_t shift_round(uint32_t significand, int32_t shift) {
  if (shift > 25) return 0; /* significands have 24 bits: below half */
  const uint32_t odd = significand >> shift & 1u;
  return (significand + (1u << (shift - 1)) - 1u + odd) >> shift;
}

uint8_t onri_small_from_f32(enum onr_dtype dtype, float value, int saturate) {
  const struct onri_small_format *f = onri_small_format(dtype);
  const uint32_t bits = bits_of_float(value);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  const uint8_t sign = bits >> 31 ? f->sign_bit : 0;
  if (magnitude > 0x7F800000u) {
    if (f->unsigned_zero) return f->nan_code;
    return f->nan_code ? sign | f->nan_code : sign ^ f->sign_bit;
  }
  const int32_t field = (int32_t)(magnitude >> 23);
  const int32_t exponent = (field ? field : 1) - 127;
  const uint32_t significand = (magnitude & 0x7FFFFFu) | (field ? 0x800000u : 0);
  const int32_t lowest = 1 - f->bias;
  const int32_t target = exponent > lowest ? exponent : lowest;
  const uint32_t rounded = shift_round(significand, 23 - f->mantissa_bits + (target - exponent));
  /* the implicit bit of a normal significand counts the exponent field up by one, as does a carry */
  const uint32_t code = ((uint32_t)(target - lowest) << f->mantissa_bits) + rounded;
  if (code > f->max_code) {
    if (saturate || f->over_code == f->max_code) return sign | f->max_code;
    return f->unsigned_zero ? f->over_code : sign | f->over_code;
  }
  return code == 0 && f->unsigned_zero ? 0 : sign | (uint8_t)code;
}

float onri_e8m0_to_f32(uint8_t bits) {
  if (bits == 0xFF) return float_of_bits(0x7FC00000u);
  return float_of_bits(bits ? (uint32_t)bits << 23 : 0x400000u); /* 2^-127 is subnormal in float32 */
}

uint8_t onri_e8m0_from_f32(float value, int saturate, enum onri_rounding rounding) {
  const uint32_t magnitude = bits_of_float(value) & 0x7FFFFFFFu;
  const uint32_t field = magnitude >> 23, fraction = magnitude & 0x7FFFFFu;
  if (magnitude > 0x7F800000u) return 0xFF;
  if (field == 0xFF) return saturate ? 0xFE : 0xFF;
  if (magnitude == 0) return saturate ? 0 : 0xFF;
  /* below 2^-126 the candidates are 2^-127 and 2^-126 */
  const uint32_t lower = field ? 0 : 0x400000u;
  const uint32_t half = field ? 0x400000u : 0x600000u;
  uint32_t code = field;
  if (rounding == ONRI_ROUND_UP) code += fraction > lower;
  else if (rounding == ONRI_ROUND_NEAREST) code += fraction >= half && (fraction > half || field > 0);
  if (code == 0xFF) return saturate ? 0xFE : 0xFF;
  return (uint8_t)code;
}
