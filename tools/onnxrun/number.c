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
    default: return (struct number){.kind = NO_NUMBER};
  }
}
