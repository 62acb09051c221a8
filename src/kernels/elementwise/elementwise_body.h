/* elementwise_body.h: the loops, included once for each instruction set with ONRI_LEVEL defined as a suffix.
 *
 * Every loop may run in place, so its pointers cannot be `restrict`; ONRI_ELEMENTWISE tells the compiler that each
 * element is read before it is written all the same. */
#include "kernels/elementwise/elementwise_level.h"
#include "kernels/elementwise/math_inline.h"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* builds with sanitizers do not vectorise */
#define ONRI_ELEMENTWISE _Pragma("clang loop vectorize(assume_safety) interleave_count(2)")
/* Rows are often short. With 8 lanes, one vector at a time leaves the least behind; wider code has vectors for its
 * tails. */
#if defined(__AVX2__) && !defined(__AVX512F__)
#define ONRI_ROW _Pragma("clang loop vectorize(assume_safety) interleave_count(1)")
#else
#define ONRI_ROW ONRI_ELEMENTWISE
#endif
#else
#define ONRI_ELEMENTWISE _Pragma("GCC ivdep")
#define ONRI_ROW _Pragma("GCC ivdep")
#endif

/* --- unary --- */

#define UNARY(op, result)                                                                   \
  static void unary_##op(const float *x, float *y, size_t count, float alpha, float beta) { \
    (void)alpha;                                                                            \
    (void)beta;                                                                             \
    ONRI_ELEMENTWISE                                                                        \
    for (size_t i = 0; i < count; i++) {                                                    \
      const float v = x[i];                                                                 \
      y[i] = (result);                                                                      \
    }                                                                                       \
  }

static inline float sign_of(float v) { return v != v ? v : (float)(v > 0.0f) - (float)(v < 0.0f); }
static inline float gate(float v, float alpha, float beta) {
  return onri_at_least(onri_at_most(ONRI_MADD(v, alpha, beta), 1.0f), 0.0f);
}
static inline float exp_tail(float v) { return onri_expm1_negative(onri_at_most(v, 0.0f)); }
static inline float shrink(float v, float alpha, float beta) {
  const float inner = v > alpha ? v - beta : (v != v ? v : 0.0f);
  return v < -alpha ? v + beta : inner;
}

UNARY(ABS, onri_magnitude(v))
UNARY(NEG, -v)
UNARY(SIGN, sign_of(v))
UNARY(CEIL, __builtin_ceilf(v))
UNARY(FLOOR, __builtin_floorf(v))
UNARY(ROUND, __builtin_rintf(v))
UNARY(SQRT, __builtin_sqrtf(v))
UNARY(RECIPROCAL, 1.0f / v)
UNARY(EXP, onri_expf(v))
UNARY(LOG, onri_logf(v))
UNARY(TANH, onri_tanhf(v))
UNARY(ERF, onri_erff(v))
UNARY(SIGMOID, onri_sigmoidf(v))
UNARY(RELU, onri_at_least(v, 0.0f))
UNARY(LEAKY_RELU, v < 0.0f ? alpha * v : v)
UNARY(ELU, v < 0.0f ? alpha * exp_tail(v) : v)
UNARY(CELU, onri_at_least(v, 0.0f) + onri_at_most(alpha * onri_expm1_negative(onri_at_most(v / alpha, 0.0f)), 0.0f))
UNARY(SELU, beta *(v > 0.0f ? v : alpha * exp_tail(v)))
UNARY(HARD_SIGMOID, gate(v, alpha, beta))
UNARY(HARD_SWISH, v *gate(v, alpha, beta))
UNARY(SOFTPLUS, onri_softplusf(v))
UNARY(SOFTSIGN, v / (1.0f + onri_magnitude(v)))
UNARY(THRESHOLDED_RELU, v > alpha || v != v ? v : 0.0f)
UNARY(GELU, onri_geluf(v))
UNARY(GELU_TANH, onri_gelu_tanhf(v))
UNARY(MISH, onri_mishf(v))
UNARY(SWISH, onri_swishf(v, alpha))
UNARY(SHRINK, shrink(v, alpha, beta))
UNARY(CLIP, onri_at_most(onri_at_least(v, alpha), beta))
UNARY(AFFINE, ONRI_MADD(v, alpha, beta))
UNARY(SQUARE, v *v)

/* --- binary --- */

#define BINARY_LOOP(first, second, result)                \
  ONRI_ROW                                                \
  for (size_t i = 0; i < count; i++) {                    \
    const float a = first, b = second;                    \
    y[i] = onri_at_least(onri_at_most(result, max), min); \
  }

/* One loop a shape of row, so that a repeated operand sits in a register. */
#define BINARY(op, result)                                       \
  static void binary_##op(const struct onri_binary_rows *rows) { \
    const float min = rows->min, max = rows->max;                \
    const size_t count = rows->count;                            \
    for (size_t r = 0; r < rows->rows; r++) {                    \
      const float *p = rows->a + r * rows->a_row;                \
      const float *q = rows->b + r * rows->b_row;                \
      float *y = rows->y + r * count;                            \
      if (rows->a_step == rows->b_step) {                        \
        BINARY_LOOP(p[i], q[i], result)                          \
      } else if (rows->b_step == 0) {                            \
        const float constant = q[0];                             \
        BINARY_LOOP(p[i], constant, result)                      \
      } else {                                                   \
        const float constant = p[0];                             \
        BINARY_LOOP(constant, q[i], result)                      \
      }                                                          \
    }                                                            \
  }

BINARY(ADD, a + b)
BINARY(SUB, a - b)
BINARY(MUL, a *b)
BINARY(DIV, a / b)
BINARY(MIN, a < b || a != a ? a : b)
BINARY(MAX, a > b || a != a ? a : b)
BINARY(PRELU, a < 0.0f ? a * b : a)

/* The powers that models are full of; the others go through libm. sqrt(-0) is -0 and its power 0: hence the sum. */
static void power_by_constant(const float *x, float exponent, float *y, size_t count) {
  if (exponent == 2.0f) {
    ONRI_ELEMENTWISE
    for (size_t i = 0; i < count; i++) y[i] = x[i] * x[i];
  } else if (exponent == 3.0f) {
    ONRI_ELEMENTWISE
    for (size_t i = 0; i < count; i++) y[i] = x[i] * x[i] * x[i];
  } else if (exponent == 0.5f) {
    ONRI_ELEMENTWISE
    for (size_t i = 0; i < count; i++) y[i] = x[i] == -INFINITY ? INFINITY : __builtin_sqrtf(x[i]) + 0.0f;
  } else {
    for (size_t i = 0; i < count; i++) y[i] = powf(x[i], exponent);
  }
}

static void binary_POW(const struct onri_binary_rows *rows) {
  for (size_t r = 0; r < rows->rows; r++) {
    const float *p = rows->a + r * rows->a_row, *q = rows->b + r * rows->b_row;
    float *y = rows->y + r * rows->count;
    if (rows->b_step == 0 && rows->a_step == 1) power_by_constant(p, q[0], y, rows->count);
    else
      for (size_t i = 0; i < rows->count; i++) y[i] = powf(p[i * rows->a_step], q[i * rows->b_step]);
  }
}

/* --- tables --- */

#define ROW(op) [ONR_UNARY_##op] = unary_##op
static const onri_unary_kernel unary_kernels[ONR_NUM_UNARY] = {
    ROW(ABS),
    ROW(NEG),
    ROW(SIGN),
    ROW(CEIL),
    ROW(FLOOR),
    ROW(ROUND),
    ROW(SQRT),
    ROW(RECIPROCAL),
    ROW(EXP),
    ROW(LOG),
    ROW(TANH),
    ROW(ERF),
    ROW(SIGMOID),
    ROW(RELU),
    ROW(LEAKY_RELU),
    ROW(ELU),
    ROW(CELU),
    ROW(SELU),
    ROW(HARD_SIGMOID),
    ROW(HARD_SWISH),
    ROW(SOFTPLUS),
    ROW(SOFTSIGN),
    ROW(THRESHOLDED_RELU),
    ROW(GELU),
    ROW(GELU_TANH),
    ROW(MISH),
    ROW(SWISH),
    ROW(SHRINK),
    ROW(CLIP),
    ROW(AFFINE),
    ROW(SQUARE),
};
#undef ROW
#define ROW(op) [ONR_BINARY_##op] = binary_##op
static const onri_binary_kernel binary_kernels[ONR_NUM_BINARY] = {ROW(ADD), ROW(SUB), ROW(MUL),   ROW(DIV),
                                                                  ROW(MIN), ROW(MAX), ROW(PRELU), ROW(POW)};
#undef ROW

const struct onri_elementwise_kernels ONRI_LEVEL_TABLE = {unary_kernels, binary_kernels};
