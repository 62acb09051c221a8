/* unary_float.h: the unary functions on one floating-point type; included for float and for double, with REAL the type,
 * M(name) the libm function of that type, and NAME(op) the name of the function that results. */

#define UNARY(op, result)                                                                                  \
  static void NAME(op)(const void *source, void *target, size_t count, const struct onr_unary_params *p) { \
    const REAL *x = source;                                                                                \
    REAL *y = target;                                                                                      \
    const REAL alpha = (REAL)p->alpha, beta = (REAL)p->beta;                                               \
    (void)alpha;                                                                                           \
    (void)beta;                                                                                            \
    for (size_t i = 0; i < count; i++) {                                                                   \
      const REAL v = x[i];                                                                                 \
      y[i] = (result);                                                                                     \
    }                                                                                                      \
  }
#define TEST(op, result)                                                                                   \
  static void NAME(op)(const void *source, void *target, size_t count, const struct onr_unary_params *p) { \
    const REAL *x = source;                                                                                \
    unsigned char *y = target;                                                                             \
    (void)p;                                                                                               \
    for (size_t i = 0; i < count; i++) {                                                                   \
      const REAL v = x[i];                                                                                 \
      y[i] = (result);                                                                                     \
    }                                                                                                      \
  }

/* min(max(v, low), high) that keeps NaN */
static inline REAL NAME(limit)(REAL v, REAL low, REAL high) {
  const REAL raised = v < low ? low : v;
  return raised > high ? high : raised;
}

static inline REAL NAME(sigmoid)(REAL v) {
  const REAL e = M(exp)(-M(fabs)(v));
  return (v < 0 ? e : 1) / (1 + e);
}

static inline REAL NAME(softplus)(REAL v) { return (v < 0 ? 0 : v) + M(log1p)(M(exp)(-M(fabs)(v))); }

static inline REAL NAME(gelu_tanh)(REAL v) {
  const REAL u = (REAL)0.79788456080286535588 * (v + (REAL)0.044715 * v * v * v);
  return (REAL)0.5 * v * (1 + M(tanh)(u));
}

UNARY(ABS, M(fabs)(v))
UNARY(NEG, -v)
UNARY(SIGN, v > 0 ? 1 : v < 0 ? -1 : v)
UNARY(CEIL, M(ceil)(v))
UNARY(FLOOR, M(floor)(v))
UNARY(ROUND, M(rint)(v))
UNARY(SQRT, M(sqrt)(v))
UNARY(RECIPROCAL, 1 / v)
UNARY(EXP, M(exp)(v))
UNARY(LOG, M(log)(v))
UNARY(SIN, M(sin)(v))
UNARY(COS, M(cos)(v))
UNARY(TAN, M(tan)(v))
UNARY(ASIN, M(asin)(v))
UNARY(ACOS, M(acos)(v))
UNARY(ATAN, M(atan)(v))
UNARY(SINH, M(sinh)(v))
UNARY(COSH, M(cosh)(v))
UNARY(TANH, M(tanh)(v))
UNARY(ASINH, M(asinh)(v))
UNARY(ACOSH, M(acosh)(v))
UNARY(ATANH, M(atanh)(v))
UNARY(ERF, M(erf)(v))
UNARY(SIGMOID, NAME(sigmoid)(v))
UNARY(RELU, v < 0 ? 0 : v)
UNARY(LEAKY_RELU, v < 0 ? alpha * v : v)
UNARY(ELU, v < 0 ? alpha * M(expm1)(v) : v)
UNARY(CELU, v > 0 ? v : NAME(limit)(alpha * M(expm1)(v / alpha), (REAL)-INFINITY, 0))
UNARY(SELU, beta *(v > 0 ? v : alpha * M(expm1)(v)))
UNARY(HARD_SIGMOID, NAME(limit)(alpha *v + beta, 0, 1))
UNARY(HARD_SWISH, v *NAME(limit)(alpha *v + beta, 0, 1))
UNARY(SOFTPLUS, NAME(softplus)(v))
UNARY(SOFTSIGN, v / (1 + M(fabs)(v)))
UNARY(THRESHOLDED_RELU, v <= alpha ? 0 : v)
UNARY(GELU, (REAL)0.5 * v * (1 + M(erf)(v * (REAL)0.70710678118654752440)))
UNARY(GELU_TANH, NAME(gelu_tanh)(v))
UNARY(MISH, v *M(tanh)(NAME(softplus)(v)))
UNARY(SWISH, v *NAME(sigmoid)(alpha *v))
UNARY(SHRINK, v<-alpha ? v + beta : v> alpha ? v - beta : v == v ? 0 : v)
UNARY(CLIP, NAME(limit)(v, alpha, beta))
UNARY(AFFINE, alpha *v + beta)
UNARY(SQUARE, v *v)
TEST(IS_NAN, v != v)
TEST(IS_INF, (v == (REAL)INFINITY && p->beta != 0) || (v == (REAL)-INFINITY && p->alpha != 0))

#define ROW(op) ONRI_IF(ONRI_HAS_UNARY_##op, [ONR_UNARY_##op] = NAME(op), )
/* clang-format off */
static const onri_unary_function NAME(unary_table)[ONR_NUM_UNARY] = {
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
    ROW(SIN)
    ROW(COS)
    ROW(TAN)
    ROW(ASIN)
    ROW(ACOS)
    ROW(ATAN)
    ROW(SINH)
    ROW(COSH)
    ROW(TANH)
    ROW(ASINH)
    ROW(ACOSH)
    ROW(ATANH)
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
    ROW(IS_NAN)
    ROW(IS_INF)
};
/* clang-format on */

#undef ROW
#undef TEST
#undef UNARY
#undef REAL
#undef NAME
#undef M
