/* elementwise_simd.c: see elementwise.h. Every vector is read before it is written, so each loop may run in place.
 *
 * Share of what memory gives on a core with AVX-512, arrays that fit L2: sums and products all of it; exp, tanh,
 * sigmoid and the like compute, at 0.3 to 0.5 of the FMA rate: their divisions are the rest. */
#define ONRI_TILED 1 /* calls of exp and the like are most of what these would take */
#include "base/only.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/kernels.h"
#include "kernels/simd/math.h"

/* --- unary --- */

/* Two vectors at a time, since most of these are long chains; one body, since most are long. */
#define UNARY(op, result)                                                                               \
  INLINE vf32 op##_of(vf32 v, vf32 alpha, vf32 beta) {                                                  \
    (void)alpha;                                                                                        \
    (void)beta;                                                                                         \
    return result;                                                                                      \
  }                                                                                                     \
  static void unary_##op(const float *x, float *y, size_t count, float alpha_value, float beta_value) { \
    const vf32 alpha = f32_set(alpha_value), beta = f32_set(beta_value);                                \
    for (size_t i = 0; i < count; i += 2 * F32_LANES) {                                                 \
      struct pair v = load_pair(x + i, count - i);                                                      \
      v.first = op##_of(v.first, alpha, beta);                                                          \
      v.second = op##_of(v.second, alpha, beta);                                                        \
      store_pair(y + i, v, count - i);                                                                  \
    }                                                                                                   \
  }

struct pair {
  vf32 first, second;
};
INLINE struct pair load_pair(const float *x, size_t left) {
  if (left >= 2 * F32_LANES) return (struct pair){f32_load(x), f32_load(x + F32_LANES)};
  const size_t second = left > F32_LANES ? left - F32_LANES : 0;
  return (struct pair){f32_load_part(x, left), f32_load_part(x + (second ? F32_LANES : 0), second)};
}
INLINE void store_pair(float *y, struct pair v, size_t left) {
  if (left >= 2 * F32_LANES) {
    f32_store(y, v.first);
    f32_store(y + F32_LANES, v.second);
    return;
  }
  f32_store_part(y, v.first, left);
  if (left > F32_LANES) f32_store_part(y + F32_LANES, v.second, left - F32_LANES);
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
UNARY(SIN, f32_sin(v))
UNARY(COS, f32_cos(v))
UNARY(TAN, f32_tan(v))
UNARY(ASIN, f32_asin(v))
UNARY(ACOS, f32_acos(v))
UNARY(ATAN, f32_atan(v))
UNARY(SINH, f32_sinh(v))
UNARY(COSH, f32_cosh(v))
UNARY(ASINH, f32_asinh(v))
UNARY(ACOSH, f32_acosh(v))
UNARY(ATANH, f32_atanh(v))

/* --- binary --- */

/* A repeated operand stays in registers. */
#define BINARY(op, result)                                                                                             \
  INLINE vf32 op##_of(vf32 a, vf32 b) { return result; }                                                               \
  static void binary_##op(const struct onri_binary_rows *given) {                                                      \
    const struct onri_binary_rows rows = *given;                                                                       \
    const vf32 min = f32_set(rows.min), max = f32_set(rows.max);                                                       \
    const size_t count = rows.count;                                                                                   \
    for (size_t r = 0; r < rows.rows; r++) {                                                                           \
      const float *p = rows.a + r * rows.a_row, *q = rows.b + r * rows.b_row;                                          \
      const vf32 one_a = f32_set(*p), one_b = f32_set(*q);                                                             \
      float *y = rows.y + r * count;                                                                                   \
      for (size_t i = 0; i < count; i += 2 * F32_LANES) {                                                              \
        const size_t left = count - i;                                                                                 \
        const struct pair a = pair_of(p + i, left, rows.a_step, one_a), b = pair_of(q + i, left, rows.b_step, one_b);  \
        const vf32 first = op##_of(a.first, b.first), second = op##_of(a.second, b.second);                            \
        store_pair(y + i,                                                                                              \
                   (struct pair){f32_greatest(min, f32_least(max, first)), f32_greatest(min, f32_least(max, second))}, \
                   left);                                                                                              \
      }                                                                                                                \
    }                                                                                                                  \
  }

INLINE struct pair pair_of(const float *x, size_t left, size_t step, vf32 one) {
  return step ? load_pair(x, left) : (struct pair){one, one};
}

INLINE const float *row_of(const float *x, size_t step, float repeated[2 * F32_LANES]) {
  if (step) return x;
  f32_store(repeated, f32_set(*x));
  f32_store(repeated + F32_LANES, f32_set(*x));
  return repeated;
}

/* a - b q, rounded once. */
INLINE vf32 minus_product(vf32 a, vf32 b, vf32 q) {
#if HAS_FMA
  return f32_fma(-b, q, a);
#else
  return f32_from_f64(f64_from_low(a) - f64_from_low(b) * f64_from_low(q),
                      f64_from_high(a) - f64_from_high(b) * f64_from_high(q));
#endif
}

SIMD_FUNCTION void remainder_each(vf32 *y, const vi32 *mask, const vf32 *a, const vf32 *b) {
  for (int l = 0; l < F32_LANES; l++)
    if ((*mask)[l]) (*y)[l] = fmodf((*a)[l], (*b)[l]);
}

/* A quotient below 2^24 is cut to a whole number which is right, or one more where the division rounded up to it; the
 * remainder then has the other sign. It fits a float: no step rounds. */
INLINE vf32 remainder_of(vf32 a, vf32 b) {
  const vf32 quotient = a / b;
  const vi32 hard = (f32_abs(quotient) >= 16777216.0f) | ((f32_abs(b) > 3.4028235e38f) & (quotient == quotient));
  vf32 r = minus_product(a, b, f32_from_i32(i32_from_f32_or_least(quotient)));
  const vi32 opposite = (r != 0.0f) & (((vi32)r ^ (vi32)a) < 0);
  r = f32_with_sign_of(f32_select(opposite, r + f32_with_sign_of(b, a), r), a);
  if (i32_any(hard)) remainder_each(&r, &hard, &a, &b);
  return f32_select(quotient != quotient, quotient, r);
}
INLINE vf32 floor_mod_of(vf32 a, vf32 b) {
  const vf32 r = remainder_of(a, b);
  return f32_select(r == 0.0f, f32_with_sign_of(r, b), f32_select((r < 0.0f) ^ (b < 0.0f), r + b, r));
}

BINARY(ADD, a + b)
BINARY(SUB, a - b)
BINARY(MUL, a *b)
BINARY(DIV, a / b)
BINARY(MIN, f32_select(a != a, a, f32_least(a, b)))
BINARY(MAX, f32_select(a != a, a, f32_greatest(a, b)))
BINARY(PRELU, f32_select(a < 0.0f, a *b, a))
BINARY(FMOD, remainder_of(a, b))
BINARY(MOD, floor_mod_of(a, b))

/* A factor and a summand for all of a row (a channel of an image). */
static void affine_row(const float *a, const float b, const float c, const vf32 min, const vf32 max, size_t count,
                       float *y) {
  enum { TOGETHER = 4 };
  const vf32 q = f32_set(b), s = f32_set(c);
  size_t i = 0;
  for (; i + TOGETHER * F32_LANES <= count; i += TOGETHER * F32_LANES)
    for (size_t k = i; k < i + TOGETHER * F32_LANES; k += F32_LANES)
      f32_store(y + k, f32_greatest(min, f32_least(max, f32_fma(f32_load(a + k), q, s))));
  for (; i < count; i += F32_LANES) {
    const size_t left = count - i;
    const vf32 v = f32_greatest(min, f32_least(max, f32_fma(f32_load_part(a + i, left), q, s)));
    f32_store_part(y + i, v, left);
  }
}

static void affine(const struct onri_affine_rows *given) {
  const struct onri_binary_rows rows = given->product;
  const vf32 min = f32_set(rows.min), max = f32_set(rows.max);
  const size_t both = 2 * F32_LANES;
  float repeated[3][2 * F32_LANES];
  for (size_t r = 0; r < rows.rows; r++) {
    float *y = rows.y + r * rows.count;
    if (rows.a_step && !rows.b_step && !given->c_step) {
      affine_row(rows.a + r * rows.a_row, rows.b[r * rows.b_row], given->c[r * given->c_row], min, max, rows.count, y);
      continue;
    }
    const float *a = row_of(rows.a + r * rows.a_row, rows.a_step, repeated[0]);
    const float *b = row_of(rows.b + r * rows.b_row, rows.b_step, repeated[1]);
    const float *c = row_of(given->c + r * given->c_row, given->c_step, repeated[2]);
    for (size_t i = 0; i < rows.count;
         i += both, a += rows.a_step * both, b += rows.b_step * both, c += given->c_step * both) {
      const size_t left = rows.count - i;
      const struct pair p = load_pair(a, left), q = load_pair(b, left), s = load_pair(c, left);
      const vf32 first = f32_fma(p.first, q.first, s.first), second = f32_fma(p.second, q.second, s.second);
      const struct pair v = {f32_greatest(min, f32_least(max, first)), f32_greatest(min, f32_least(max, second))};
      store_pair(y + i, v, left);
    }
  }
}

/* The powers that models are full of. sqrt(-0) is -0 and its power 0: hence the sum. */
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

static void power(const float *x, const float *exponent, size_t x_step, size_t step, float *y, size_t count) {
  const vf32 one_x = f32_set(*x), one = f32_set(*exponent);
  for (size_t i = 0; i < count; i += F32_LANES) {
    const size_t left = count - i;
    const vf32 p = x_step ? f32_load_part(x + i, left) : one_x, q = step ? f32_load_part(exponent + i, left) : one;
    f32_store_part(y + i, f32_pow(p, q, left), left);
  }
}

static void binary_POW(const struct onri_binary_rows *rows) {
  const size_t count = rows->count;
  for (size_t r = 0; r < rows->rows && count > 0; r++) {
    const float *p = rows->a + r * rows->a_row, *q = rows->b + r * rows->b_row;
    const int is_given = rows->b_step == 0 && rows->a_step == 1;
    float *y = rows->y + r * count;
    if (is_given && *q == 2.0f) square(p, y, count);
    else if (is_given && *q == 3.0f) cube(p, y, count);
    else if (is_given && *q == 0.5f) root(p, y, count);
    else power(p, q, rows->a_step, rows->b_step, y, count);
  }
}

/* --- tables: where there is no kernel, the plain function of unary_classes.c and binary_classes.c computes. What
 * layers call without asking passes.c tells of --- */

#define ROW(op) ONRI_IF(ONRI_HAS_UNARY_##op, [ONR_UNARY_##op] = unary_##op, )
/* clang-format off */
static const onri_unary_kernel unary_kernels[ONR_NUM_UNARY] = {
    ROW(ABS)
    ROW(NEG)
    ROW(SIGN)
    ROW(CEIL)
    ROW(FLOOR)
    ROW(ROUND)
    ROW(SQRT)
    ROW(RECIPROCAL)
    ROW(EXP)
    ROW(LOG)
    ROW(TANH)
    ROW(ERF)
    ROW(SIGMOID)
    ROW(RELU)
    ROW(LEAKY_RELU)
    ROW(ELU)
    ROW(CELU)
    ROW(SELU)
    ROW(HARD_SIGMOID)
    ROW(HARD_SWISH)
    ROW(SOFTPLUS)
    ROW(SOFTSIGN)
    ROW(THRESHOLDED_RELU)
    ROW(GELU)
    ROW(GELU_TANH)
    ROW(MISH)
    ROW(SWISH)
    ROW(SHRINK)
    ROW(CLIP)
    ROW(AFFINE)
    ROW(SQUARE)
    ROW(SIN)
    ROW(COS)
    ROW(TAN)
    ROW(ASIN)
    ROW(ACOS)
    ROW(ATAN)
    ROW(SINH)
    ROW(COSH)
    ROW(ASINH)
    ROW(ACOSH)
    ROW(ATANH)
};
#undef ROW
#define ROW(op) ONRI_IF(ONRI_HAS_BINARY_##op, [ONR_BINARY_##op] = binary_##op, )
static const onri_binary_kernel binary_kernels[ONR_NUM_BINARY] = {
    ROW(ADD)
    ROW(SUB)
    ROW(MUL)
    ROW(DIV)
    ROW(MIN)
    ROW(MAX)
    ROW(PRELU)
    ROW(POW)
    ROW(FMOD)
    ROW(MOD)
};
/* clang-format on */
#undef ROW

const struct onri_elementwise_kernels ONRI_AT_LEVEL(onri_elementwise_kernels) = {
    .unary = unary_kernels, .binary = binary_kernels, .affine = ONRI_WHERE(PART_affine, affine)};
