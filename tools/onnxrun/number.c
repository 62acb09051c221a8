/* number.c: elements of any numeric type. */
#include <math.h>
#include <string.h>

#include "tool.h"

static double half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31) return fraction ? NAN : sign * INFINITY;
  return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double bfloat_value(uint16_t bits) {
  const uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, sizeof(value));
  return (double)value;
}

static float small_value(enum onr_dtype dtype, uint8_t bits) {
  float value = 0;
  onr_small_to_f32(dtype, &bits, &value, 1);
  return value;
}

static struct number real(double value) { return (struct number){.kind = REAL, .real = value}; }

static struct number integer(int64_t value) {
  return (struct number){.kind = INTEGER, .real = (double)value, .integer = value};
}

static struct number natural(uint64_t value) {
  return (struct number){.kind = NATURAL, .real = (double)value, .natural = value};
}

struct number number_at(const struct onr_tensor *t, int64_t i) {
  switch (t->desc.dtype) {
    case ONR_DTYPE_C64:
    case ONR_DTYPE_F32: return real((double)((const float *)t->data)[i]);
    case ONR_DTYPE_C128:
    case ONR_DTYPE_F64: return real(((const double *)t->data)[i]);
    case ONR_DTYPE_F16: return real(half_value(((const uint16_t *)t->data)[i]));
    case ONR_DTYPE_BF16: return real(bfloat_value(((const uint16_t *)t->data)[i]));
    case ONR_DTYPE_I8:
    case ONR_DTYPE_I4:
    case ONR_DTYPE_I2: return integer(((const int8_t *)t->data)[i]);
    case ONR_DTYPE_I16: return integer(((const int16_t *)t->data)[i]);
    case ONR_DTYPE_I32: return integer(((const int32_t *)t->data)[i]);
    case ONR_DTYPE_I64: return integer(((const int64_t *)t->data)[i]);
    case ONR_DTYPE_BOOL:
    case ONR_DTYPE_U8:
    case ONR_DTYPE_U4:
    case ONR_DTYPE_U2: return natural(((const uint8_t *)t->data)[i]);
    case ONR_DTYPE_U16: return natural(((const uint16_t *)t->data)[i]);
    case ONR_DTYPE_U32: return natural(((const uint32_t *)t->data)[i]);
    case ONR_DTYPE_U64: return natural(((const uint64_t *)t->data)[i]);
    case ONR_DTYPE_F8E4M3FN:
    case ONR_DTYPE_F8E4M3FNUZ:
    case ONR_DTYPE_F8E5M2:
    case ONR_DTYPE_F8E5M2FNUZ:
    case ONR_DTYPE_F8E8M0:
    case ONR_DTYPE_F6E2M3:
    case ONR_DTYPE_F6E3M2:
    case ONR_DTYPE_F4E2M1: return real((double)small_value(t->desc.dtype, ((const uint8_t *)t->data)[i]));
    default: return (struct number){.kind = NO_NUMBER};
  }
}

int is_complex_type(enum onr_dtype dtype) { return dtype == ONR_DTYPE_C64 || dtype == ONR_DTYPE_C128; }

int is_real_type(enum onr_dtype dtype) {
  uint64_t zeros[2] = {0, 0};
  const struct onr_tensor one = {{.dtype = dtype}, zeros};
  return number_at(&one, 0).kind == REAL;
}

/* --- the other way --- */

/* Whole numbers are rounded to the nearest, ties to even, and held to what the type has. */
static double held(double value, double least, double most) {
  if (!(value == value)) return 0;
  value = nearbyint(value);
  return value < least ? least : value > most ? most : value;
}

/* Least and most of a whole type, 0 for others. 2^63 and 2^64 themselves do not fit: the largest doubles below them do.
 */
static int range_of(enum onr_dtype dtype, double *least, double *most) {
  static const struct {
    enum onr_dtype dtype;
    double least, most;
  } rows[] = {{ONR_DTYPE_BOOL, 0, 1},
              {ONR_DTYPE_U2, 0, 3},
              {ONR_DTYPE_I2, -2, 1},
              {ONR_DTYPE_U4, 0, 15},
              {ONR_DTYPE_I4, -8, 7},
              {ONR_DTYPE_U8, 0, 255},
              {ONR_DTYPE_I8, -128, 127},
              {ONR_DTYPE_U16, 0, 65535},
              {ONR_DTYPE_I16, -32768, 32767},
              {ONR_DTYPE_U32, 0, 4294967295.0},
              {ONR_DTYPE_I32, -2147483648.0, 2147483647.0},
              {ONR_DTYPE_U64, 0, 0x1.fffffffffffffp63},
              {ONR_DTYPE_I64, -0x1p63, 0x1.fffffffffffffp62}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
    if (rows[i].dtype == dtype) {
      *least = rows[i].least;
      *most = rows[i].most;
      return 1;
    }
  return 0;
}

int number_fits(enum onr_dtype dtype, double value) {
  double least, most;
  return !range_of(dtype, &least, &most) ||
         (value >= least && value <= most && value == nearbyint(value) && fabs(value) <= 0x1p53);
}

int number_store(struct onr_tensor *t, int64_t i, double value) {
  double least, most;
  const float single = (float)value;
  if (range_of(t->desc.dtype, &least, &most)) value = held(value, least, most);
  switch (t->desc.dtype) {
    case ONR_DTYPE_F32: ((float *)t->data)[i] = single; return 1;
    case ONR_DTYPE_F64: ((double *)t->data)[i] = value; return 1;
    case ONR_DTYPE_F16: onr_f16_from_f32(&single, (uint16_t *)t->data + i, 1); return 1;
    case ONR_DTYPE_BF16: onr_bf16_from_f32(&single, (uint16_t *)t->data + i, 1); return 1;
    case ONR_DTYPE_BOOL:
    case ONR_DTYPE_U2:
    case ONR_DTYPE_U4:
    case ONR_DTYPE_U8: ((uint8_t *)t->data)[i] = (uint8_t)value; return 1;
    case ONR_DTYPE_I2:
    case ONR_DTYPE_I4:
    case ONR_DTYPE_I8: ((int8_t *)t->data)[i] = (int8_t)value; return 1;
    case ONR_DTYPE_U16: ((uint16_t *)t->data)[i] = (uint16_t)value; return 1;
    case ONR_DTYPE_I16: ((int16_t *)t->data)[i] = (int16_t)value; return 1;
    case ONR_DTYPE_U32: ((uint32_t *)t->data)[i] = (uint32_t)value; return 1;
    case ONR_DTYPE_I32: ((int32_t *)t->data)[i] = (int32_t)value; return 1;
    case ONR_DTYPE_U64: ((uint64_t *)t->data)[i] = (uint64_t)value; return 1;
    case ONR_DTYPE_I64: ((int64_t *)t->data)[i] = (int64_t)value; return 1;
    default: return onr_small_from_f32(t->desc.dtype, &single, (uint8_t *)t->data + i, 1);
  }
}
