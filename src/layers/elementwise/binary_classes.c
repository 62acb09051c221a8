#include "layers/elementwise/binary_classes.h"

#include <math.h>

#include "base/types.h"

#define BINARY(class, type, op, out, result)                           \
  static void class##_##op(const struct onri_binary_values *values) {  \
    const type *p = values->a, *q = values->b;                         \
    out *y = values->y;                                                \
    const uint32_t bits = values->bits;                                \
    (void)bits;                                                        \
    for (size_t i = 0; i < values->count; i++) {                       \
      const type a = p[i * values->a_step], b = q[i * values->b_step]; \
      y[i] = (out)(result);                                            \
    }                                                                  \
  }

/* What any class compares and orders; a NaN on either side is the result of MIN and MAX. */
#define ORDER(class, type)                                \
  BINARY(class, type, MIN, type, a < b || a != a ? a : b) \
  BINARY(class, type, MAX, type, a > b || a != a ? a : b) \
  BINARY(class, type, EQUAL, uint8_t, a == b)             \
  BINARY(class, type, LESS, uint8_t, a < b)               \
  BINARY(class, type, GREATER, uint8_t, a > b)            \
  BINARY(class, type, LESS_OR_EQUAL, uint8_t, a <= b)     \
  BINARY(class, type, GREATER_OR_EQUAL, uint8_t, a >= b)

#define FLOAT_CLASS(class, type, suffix)                  \
  static inline type class##_floor_mod(type a, type b) {  \
    const type r = fmod##suffix(a, b);                    \
    if (r == 0) return copysign##suffix(r, b);            \
    return (r < 0) != (b < 0) ? r + b : r;                \
  }                                                       \
  BINARY(class, type, ADD, type, a + b)                   \
  BINARY(class, type, SUB, type, a - b)                   \
  BINARY(class, type, MUL, type, a *b)                    \
  BINARY(class, type, DIV, type, a / b)                   \
  BINARY(class, type, POW, type, pow##suffix(a, b))       \
  BINARY(class, type, MOD, type, class##_floor_mod(a, b)) \
  BINARY(class, type, FMOD, type, fmod##suffix(a, b))     \
  BINARY(class, type, PRELU, type, a < 0 ? a * b : a)     \
  ORDER(class, type)

FLOAT_CLASS(f32, float, f)
FLOAT_CLASS(f64, double, )

/* --- integers: wrap as two's complement; the layer has seen to it that no divisor is 0 --- */

static inline int64_t negate(int64_t v) { return (int64_t)(0 - (uint64_t)v); }
static inline int64_t i64_quotient(int64_t a, int64_t b) { return b == -1 ? negate(a) : a / b; }
static inline int64_t i64_remainder(int64_t a, int64_t b) { return b == -1 ? 0 : a % b; }
static inline int64_t i64_floor_mod(int64_t a, int64_t b) {
  const int64_t r = i64_remainder(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static inline uint64_t power(uint64_t base, uint64_t exponent) {
  uint64_t result = 1;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}
/* A negative power of an integer is its reciprocal, truncated; of 0 it is defined as 0. */
static inline int64_t i64_power(int64_t base, int64_t exponent) {
  if (exponent >= 0) return (int64_t)power((uint64_t)base, (uint64_t)exponent);
  if (base == 1) return 1;
  return base == -1 ? (exponent & 1 ? -1 : 1) : 0;
}

static inline int64_t i64_left(int64_t a, int64_t b, uint32_t bits) {
  return b < 0 || b >= (int64_t)bits ? 0 : (int64_t)((uint64_t)a << b);
}
static inline int64_t i64_right(int64_t a, int64_t b, uint32_t bits) {
  return b < 0 || b >= (int64_t)bits ? (a < 0 ? -1 : 0) : a >> b;
}

#define WRAPPING(class, type)                               \
  BINARY(class, type, ADD, type, (uint64_t)a + (uint64_t)b) \
  BINARY(class, type, SUB, type, (uint64_t)a - (uint64_t)b) \
  BINARY(class, type, MUL, type, (uint64_t)a *(uint64_t)b)  \
  BINARY(class, type, BITWISE_AND, type, a &b)              \
  BINARY(class, type, BITWISE_OR, type, a | b)              \
  BINARY(class, type, BITWISE_XOR, type, a ^ b)             \
  ORDER(class, type)

WRAPPING(i64, int64_t)
BINARY(i64, int64_t, DIV, int64_t, i64_quotient(a, b))
BINARY(i64, int64_t, POW, int64_t, i64_power(a, b))
BINARY(i64, int64_t, MOD, int64_t, i64_floor_mod(a, b))
BINARY(i64, int64_t, FMOD, int64_t, i64_remainder(a, b))
BINARY(i64, int64_t, PRELU, int64_t, a < 0 ? (int64_t)((uint64_t)a * (uint64_t)b) : a)
BINARY(i64, int64_t, SHIFT_LEFT, int64_t, i64_left(a, b, bits))
BINARY(i64, int64_t, SHIFT_RIGHT, int64_t, i64_right(a, b, bits))
BINARY(i64, int64_t, AND, uint8_t, a &&b)
BINARY(i64, int64_t, OR, uint8_t, a || b)
BINARY(i64, int64_t, XOR, uint8_t, !a != !b)

WRAPPING(u64, uint64_t)
BINARY(u64, uint64_t, DIV, uint64_t, a / b)
BINARY(u64, uint64_t, POW, uint64_t, power(a, b))
BINARY(u64, uint64_t, MOD, uint64_t, a % b)
BINARY(u64, uint64_t, PRELU, uint64_t, ((void)b, a))
BINARY(u64, uint64_t, SHIFT_LEFT, uint64_t, b >= bits ? 0 : a << b)
BINARY(u64, uint64_t, SHIFT_RIGHT, uint64_t, b >= bits ? 0 : a >> b)

#define ROW(class, op) ONRI_IF(ONRI_HAS_BINARY_##op, [ONR_BINARY_##op] = class##_##op, )
#define ARITHMETIC(class) \
  ROW(class, ADD)         \
  ROW(class, SUB) ROW(class, MUL) ROW(class, DIV) ROW(class, POW) ROW(class, MOD) ROW(class, PRELU)
#define ORDERING(class) \
  ROW(class, MIN)       \
  ROW(class, MAX)       \
  ROW(class, EQUAL) ROW(class, LESS) ROW(class, GREATER) ROW(class, LESS_OR_EQUAL) ROW(class, GREATER_OR_EQUAL)
#define BITWISE(class) \
  ROW(class, BITWISE_AND) ROW(class, BITWISE_OR) ROW(class, BITWISE_XOR) ROW(class, SHIFT_LEFT) ROW(class, SHIFT_RIGHT)

/* clang-format off */
static const onri_binary_function f32_table[ONR_NUM_BINARY] = {ARITHMETIC(f32) ORDERING(f32) ROW(f32, FMOD)};
static const onri_binary_function f64_table[ONR_NUM_BINARY] = {ARITHMETIC(f64) ORDERING(f64) ROW(f64, FMOD)};
static const onri_binary_function i64_table[ONR_NUM_BINARY] = {
    ARITHMETIC(i64) ORDERING(i64) BITWISE(i64) ROW(i64, FMOD) ROW(i64, AND) ROW(i64, OR) ROW(i64, XOR)};
static const onri_binary_function u64_table[ONR_NUM_BINARY] = {
    ARITHMETIC(u64) ORDERING(u64) BITWISE(u64) ONRI_IF(ONRI_HAS_BINARY_FMOD, [ONR_BINARY_FMOD] = u64_MOD)};
/* clang-format on */

onri_binary_function onri_binary_of_class(enum onr_binary op, enum onri_class c) {
  switch (c) {
    case ONRI_CLASS_F32: return f32_table[op];
    case ONRI_CLASS_F64: return f64_table[op];
    case ONRI_CLASS_I64: return ONRI_HERE_I64 ? i64_table[op] : NULL;
    case ONRI_CLASS_U64: return ONRI_HERE_U64 ? u64_table[op] : NULL;
    case ONRI_CLASS_NONE: break;
  }
  return NULL;
}
