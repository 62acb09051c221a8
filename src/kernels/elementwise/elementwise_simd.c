/* elementwise_simd.c: see elementwise.h. Every vector is read before it is written, so each loop may run in place.
 *
 * Share of what memory gives on a core with AVX-512, arrays that fit L2: sums and products all of it; exp, tanh,
 * sigmoid and the like compute, at 0.3 to 0.5 of the FMA rate: their divisions are the rest. */
#include "kernels/elementwise/elementwise.h"
#include "kernels/kernels.h"
#include "kernels/simd_math.h"

/* --- unary --- */

/* Two vectors at a time, since most of these are long chains. */
#define UNARY(op, result)                                                                               \
  INLINE vf32 op##_of(vf32 v, vf32 alpha, vf32 beta) {                                                  \
    (void)alpha;                                                                                        \
    (void)beta;                                                                                         \
    return result;                                                                                      \
  }                                                                                                     \
  static void unary_##op(const float *x, float *y, size_t count, float alpha_value, float beta_value) { \
    const vf32 alpha = f32_set(alpha_value), beta = f32_set(beta_value);                                \
    size_t i = 0;                                                                                       \
    for (; i + 2 * F32_LANES <= count; i += 2 * F32_LANES) {                                            \
      const vf32 p = f32_load(x + i), q = f32_load(x + i + F32_LANES);                                  \
      f32_store(y + i, op##_of(p, alpha, beta));                                                        \
      f32_store(y + i + F32_LANES, op##_of(q, alpha, beta));                                            \
    }                                                                                                   \
    for (; i < count; i += F32_LANES)                                                                   \
      f32_store_part(y + i, op##_of(f32_load_part(x + i, count - i), alpha, beta), count - i);          \
  }

INLINE vf32 sign_of(vf32 v) {
  const vf32 one = f32_with_sign_of(f32_set(1), v);
  return f32_select(v == 0.0f, (vf32){0}, f32_select(v != v, v, one));
}
INLINE vf32 gate(vf32 v, vf32 alpha, vf32 beta) {
  return f32_at_least(f32_at_most(f32_fma(v, alpha, beta), 1.0f), 0.0f);
}
INLINE vf32 exp_tail(vf32 v) { return f32_expm1_negative(f32_at_most(v, 0.0f)); }
INLINE vf32 shrink(vf32 v, vf32 alpha, vf32 beta) {
  const vf32 inner = f32_select(v > alpha, v - beta, f32_select(v != v, v, (vf32){0}));
  return f32_select(v < -alpha, v + beta, inner);
}

UNARY(ABS, f32_abs(v))
UNARY(NEG, -v)
UNARY(SIGN, sign_of(v))
UNARY(CEIL, f32_ceil(v))
UNARY(FLOOR, f32_floor(v))
UNARY(ROUND, f32_rint(v))
UNARY(SQRT, f32_sqrt(v))
UNARY(RECIPROCAL, 1.0f / v)
UNARY(EXP, f32_exp(v))
UNARY(LOG, f32_log(v))
UNARY(TANH, f32_tanh(v))
UNARY(ERF, f32_erf(v))
UNARY(SIGMOID, f32_sigmoid(v))
UNARY(RELU, f32_at_least(v, 0.0f))
UNARY(LEAKY_RELU, f32_select(v < 0.0f, alpha *v, v))
UNARY(ELU, f32_select(v < 0.0f, alpha *exp_tail(v), v))
UNARY(CELU, f32_at_least(v, 0.0f) + f32_at_most(alpha * f32_expm1_negative(f32_at_most(v / alpha, 0.0f)), 0.0f))
UNARY(SELU, beta *f32_select(v > 0.0f, v, alpha *exp_tail(v)))
UNARY(HARD_SIGMOID, gate(v, alpha, beta))
UNARY(HARD_SWISH, v *gate(v, alpha, beta))
UNARY(SOFTPLUS, f32_softplus(v))
UNARY(SOFTSIGN, v / (1.0f + f32_abs(v)))
UNARY(THRESHOLDED_RELU, f32_select((v > alpha) | (v != v), v, (vf32){0}))
UNARY(GELU, f32_gelu(v))
UNARY(GELU_TANH, f32_gelu_tanh(v))
UNARY(MISH, f32_mish(v))
UNARY(SWISH, f32_swish(v, alpha))
UNARY(SHRINK, shrink(v, alpha, beta))
UNARY(CLIP, f32_clamp(v, alpha, beta))
UNARY(AFFINE, f32_fma(v, alpha, beta))
UNARY(SQUARE, v *v)

/* --- binary --- */

/* An operand's vector: of its row, or its one value. */
INLINE vf32 of_row(const float *p, size_t i, size_t left, vf32 constant, const int step, const int full) {
  return !step ? constant : full ? f32_load(p + i) : f32_load_part(p + i, left);
}

#define BINARY_ROW(op, a_step, b_step)                                                                 \
  {                                                                                                    \
    const vf32 a = a_step ? (vf32){0} : f32_set(p[0]), b = b_step ? (vf32){0} : f32_set(q[0]);         \
    size_t i = 0;                                                                                      \
    for (; i + 2 * F32_LANES <= count; i += 2 * F32_LANES) {                                           \
      const size_t j = i + F32_LANES;                                                                  \
      const vf32 first = op##_of(of_row(p, i, 0, a, a_step, 1), of_row(q, i, 0, b, b_step, 1));        \
      const vf32 second = op##_of(of_row(p, j, 0, a, a_step, 1), of_row(q, j, 0, b, b_step, 1));       \
      f32_store(y + i, f32_greatest(min, f32_least(max, first)));                                      \
      f32_store(y + j, f32_greatest(min, f32_least(max, second)));                                     \
    }                                                                                                  \
    for (; i < count; i += F32_LANES) {                                                                \
      const size_t left = count - i;                                                                   \
      const vf32 result = op##_of(of_row(p, i, left, a, a_step, 0), of_row(q, i, left, b, b_step, 0)); \
      f32_store_part(y + i, f32_greatest(min, f32_least(max, result)), left);                          \
    }                                                                                                  \
  }

/* One loop a shape of row, so that a repeated operand sits in a register. */
#define BINARY(op, result)                                                    \
  INLINE vf32 op##_of(vf32 a, vf32 b) { return result; }                      \
  static void binary_##op(const struct onri_binary_rows *given) {             \
    const struct onri_binary_rows rows = *given;                              \
    const vf32 min = f32_set(rows.min), max = f32_set(rows.max);              \
    const size_t count = rows.count;                                          \
    for (size_t r = 0; r < rows.rows; r++) {                                  \
      const float *p = rows.a + r * rows.a_row, *q = rows.b + r * rows.b_row; \
      float *y = rows.y + r * count;                                          \
      if (rows.a_step && rows.b_step) BINARY_ROW(op, 1, 1)                    \
      else if (rows.a_step) BINARY_ROW(op, 1, 0)                              \
      else if (rows.b_step) BINARY_ROW(op, 0, 1)                              \
      else BINARY_ROW(op, 0, 0)                                               \
    }                                                                         \
  }

BINARY(ADD, a + b)
BINARY(SUB, a - b)
BINARY(MUL, a *b)
BINARY(DIV, a / b)
BINARY(MIN, f32_select(a != a, a, f32_least(a, b)))
BINARY(MAX, f32_select(a != a, a, f32_greatest(a, b)))
BINARY(PRELU, f32_select(a < 0.0f, a *b, a))

/* The powers that models are full of; the others go through libm. sqrt(-0) is -0 and its power 0: hence the sum. */
#define POWER(name, result)                                                                      \
  INLINE vf32 name##_of(vf32 v) { return result; }                                               \
  static void name(const float *x, float *y, size_t count) {                                     \
    size_t i = 0;                                                                                \
    for (; i + F32_LANES <= count; i += F32_LANES) f32_store(y + i, name##_of(f32_load(x + i))); \
    if (i < count) f32_store_part(y + i, name##_of(f32_load_part(x + i, count - i)), count - i); \
  }
POWER(square, v *v)
POWER(cube, v *v *v)
POWER(root, f32_select(v == -INFINITY, f32_set(INFINITY), f32_sqrt(v) + 0.0f))

static void power_by_constant(const float *x, float exponent, float *y, size_t count) {
  if (exponent == 2.0f) square(x, y, count);
  else if (exponent == 3.0f) cube(x, y, count);
  else if (exponent == 0.5f) root(x, y, count);
  else
    for (size_t i = 0; i < count; i++) y[i] = powf(x[i], exponent);
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

const struct onri_elementwise_kernels ONRI_AT_LEVEL(onri_elementwise_kernels) = {unary_kernels, binary_kernels};
