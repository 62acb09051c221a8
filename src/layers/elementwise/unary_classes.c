#include "layers/elementwise/unary_classes.h"

#include <math.h>

#include "base/numbers/cast.h"

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

static const onri_unary_function i64_unary_table[ONR_NUM_UNARY] = {
    [ONR_UNARY_ABS] = i64_ABS,
    [ONR_UNARY_NEG] = i64_NEG,
    [ONR_UNARY_SIGN] = i64_SIGN,
    [ONR_UNARY_RELU] = i64_RELU,
    [ONR_UNARY_SHRINK] = i64_SHRINK,
    [ONR_UNARY_NOT] = i64_NOT,
    [ONR_UNARY_BITWISE_NOT] = i64_BITWISE_NOT,
    [ONR_UNARY_ERF] = i64_ERF,
};
static const onri_unary_function u64_unary_table[ONR_NUM_UNARY] = {
    [ONR_UNARY_ABS] = u64_ABS,   [ONR_UNARY_SIGN] = u64_SIGN,     [ONR_UNARY_ERF] = u64_ERF,
    [ONR_UNARY_RELU] = u64_RELU, [ONR_UNARY_SHRINK] = u64_SHRINK, [ONR_UNARY_BITWISE_NOT] = u64_BITWISE_NOT,
};

onri_unary_function onri_unary_of_class(enum onr_unary op, enum onri_class c) {
  switch (c) {
    case ONRI_CLASS_F32: return f32_unary_table[op];
    case ONRI_CLASS_F64: return f64_unary_table[op];
    case ONRI_CLASS_I64: return i64_unary_table[op];
    case ONRI_CLASS_U64: return u64_unary_table[op];
    case ONRI_CLASS_NONE: break;
  }
  return NULL;
}
