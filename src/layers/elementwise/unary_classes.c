#include "layers/elementwise/unary_classes.h"

#include <math.h>

#include "base/numbers/cast.h"
#include "base/types.h"

#define REAL float
#define NAME(op) f32_##op
#define M(name) name##f
#include "layers/elementwise/unary_float.h"

#define REAL double
#define NAME(op) f64_##op
#define M(name) name
#include "layers/elementwise/unary_float.h"

/* Integers: computed in 64 bits, wrapped, and cut to the type when they are stored. */
#define UNARY(class, type, op, result)                                                                         \
  static void class##_##op(const void *source, void *target, size_t count, const struct onr_unary_params *p) { \
    const type *x = source;                                                                                    \
    type *y = target;                                                                                          \
    (void)p;                                                                                                   \
    for (size_t i = 0; i < count; i++) {                                                                       \
      const type v = x[i];                                                                                     \
      y[i] = (type)(result);                                                                                   \
    }                                                                                                          \
  }

static inline int64_t negate(int64_t v) { return (int64_t)(0 - (uint64_t)v); }

/* The bounds are compared in double, which is exact for the small numbers that they are in practice. */
static inline double shrink(double v, const struct onr_unary_params *p) {
  return v < (double)-p->alpha ? v + (double)p->beta : v > (double)p->alpha ? v - (double)p->beta : 0;
}

UNARY(i64, int64_t, ABS, v < 0 ? negate(v) : v)
UNARY(i64, int64_t, NEG, negate(v))
UNARY(i64, int64_t, SIGN, (v > 0) - (v < 0))
UNARY(i64, int64_t, ERF, erff((float)v))
UNARY(i64, int64_t, RELU, v < 0 ? 0 : v)
UNARY(i64, int64_t, SHRINK, onri_f64_to_i64(shrink((double)v, p)))
UNARY(i64, int64_t, NOT, v == 0)
UNARY(i64, int64_t, BITWISE_NOT, ~v)
UNARY(u64, uint64_t, ABS, v)
UNARY(u64, uint64_t, SIGN, v > 0)
UNARY(u64, uint64_t, ERF, erff((float)v))
UNARY(u64, uint64_t, RELU, v)
UNARY(u64, uint64_t, SHRINK, onri_f64_to_u64(shrink((double)v, p)))
UNARY(u64, uint64_t, BITWISE_NOT, ~v)

#define ROW(class, op) ONRI_IF(ONRI_HAS_UNARY_##op, [ONR_UNARY_##op] = class##_##op, )
#define BOTH(class) \
  ROW(class, ABS) ROW(class, SIGN) ROW(class, ERF) ROW(class, RELU) ROW(class, SHRINK) ROW(class, BITWISE_NOT)
static const onri_unary_function i64_unary_table[ONR_NUM_UNARY] = {BOTH(i64) ROW(i64, NEG) ROW(i64, NOT)};
static const onri_unary_function u64_unary_table[ONR_NUM_UNARY] = {BOTH(u64)};

onri_unary_function onri_unary_of_class(enum onr_unary op, enum onri_class c) {
  switch (c) {
    case ONRI_CLASS_F32: return f32_unary_table[op];
    case ONRI_CLASS_F64: return ONRI_HERE_F64 ? f64_unary_table[op] : NULL;
    case ONRI_CLASS_I64: return ONRI_HERE_I64 ? i64_unary_table[op] : NULL;
    case ONRI_CLASS_U64: return ONRI_HERE_U64 ? u64_unary_table[op] : NULL;
    case ONRI_CLASS_NONE: break;
  }
  return NULL;
}
