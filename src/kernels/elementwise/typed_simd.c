/* typed_simd.c: see typed.h. All of it runs at what memory or L2 gives, but for products of int64 and of bytes. */
#include "kernels/elementwise/typed.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

/* For each type T: its vector V_T, the integers M_T of its width that comparisons give, and bytes B_T, as many. */
#define TYPE(T, element, mask)                                                                            \
  typedef element E_##T;                                                                                  \
  typedef element V_##T __attribute__((vector_size(SIMD_BYTES)));                                         \
  typedef element A_##T __attribute__((vector_size(SIMD_BYTES), aligned(1), may_alias));                  \
  typedef mask M_##T __attribute__((vector_size(SIMD_BYTES)));                                            \
  typedef int8_t B_##T __attribute__((vector_size(SIMD_BYTES / sizeof(element)), aligned(1), may_alias)); \
  INLINE V_##T select_##T(M_##T m, V_##T a, V_##T b) { return (V_##T)((m & (M_##T)a) | (~m & (M_##T)b)); }
TYPE(F32, float, int32_t)
TYPE(F64, double, int64_t)
TYPE(I8, int8_t, int8_t)
TYPE(U8, uint8_t, int8_t)
TYPE(BOOL, uint8_t, int8_t)
TYPE(I16, int16_t, int16_t)
TYPE(U16, uint16_t, int16_t)
TYPE(I32, int32_t, int32_t)
TYPE(U32, uint32_t, int32_t)
TYPE(I64, int64_t, int64_t)
TYPE(U64, uint64_t, int64_t)
#undef TYPE

/* Whole vectors, then what is left through buffers. R: the vector of a result, of r_bytes an element. */
#define BINARY(T, op, R, r_bytes, result)                                                           \
  INLINE R T##_##op##_of(V_##T a, V_##T b) { return (R)(result); }                                  \
  static void T##_##op(const struct onri_typed_rows *given) {                                       \
    enum { LANES = SIMD_BYTES / sizeof(E_##T) };                                                    \
    const struct onri_typed_rows r = *given;                                                        \
    for (size_t row = 0; row < r.rows; row++) {                                                     \
      const E_##T *p = (const E_##T *)r.a + row * r.a_row, *q = (const E_##T *)r.b + row * r.b_row; \
      char *y = (char *)r.y + row * r.count * (r_bytes);                                            \
      V_##T a = p[0] - (V_##T){0}, b = q[0] - (V_##T){0};                                           \
      size_t i = 0;                                                                                 \
      for (; i + LANES <= r.count; i += LANES) {                                                    \
        if (r.a_step) a = *(const A_##T *)(const void *)(p + i);                                    \
        if (r.b_step) b = *(const A_##T *)(const void *)(q + i);                                    \
        const R v = T##_##op##_of(a, b);                                                            \
        memcpy(y + i * (r_bytes), &v, sizeof(v));                                                   \
      }                                                                                             \
      if (i == r.count) continue;                                                                   \
      if (r.a_step) memcpy(&a, p + i, (r.count - i) * sizeof(*p));                                  \
      if (r.b_step) memcpy(&b, q + i, (r.count - i) * sizeof(*q));                                  \
      const R v = T##_##op##_of(a, b);                                                              \
      memcpy(y + i * (r_bytes), &v, (r.count - i) * (r_bytes));                                     \
    }                                                                                               \
  }

#define SAME(T, op, result) BINARY(T, op, V_##T, sizeof(E_##T), result)
#define TRUTH(T, op, result) BINARY(T, op, B_##T, 1, __builtin_convertvector((M_##T)(result), B_##T) & 1)

#define COMPARES(T)               \
  TRUTH(T, EQUAL, a == b)         \
  TRUTH(T, LESS, a < b)           \
  TRUTH(T, GREATER, a > b)        \
  TRUTH(T, LESS_OR_EQUAL, a <= b) \
  TRUTH(T, GREATER_OR_EQUAL, a >= b)
/* A NaN on either side is the result. */
#define ORDERS(T)                                                  \
  SAME(T, MIN, select_##T((M_##T)(a < b) | (M_##T)(a != a), a, b)) \
  SAME(T, MAX, select_##T((M_##T)(a > b) | (M_##T)(a != a), a, b))
#define WRAPS(T)      \
  SAME(T, ADD, a + b) \
  SAME(T, SUB, a - b) \
  SAME(T, MUL, a *b)
#define INTEGER(T)           \
  COMPARES(T)                \
  ORDERS(T)                  \
  SAME(T, BITWISE_AND, a &b) \
  SAME(T, BITWISE_OR, a | b) \
  SAME(T, BITWISE_XOR, a ^ b)
/* Sums of signed integers wrap: as those of unsigned ones. */
#define SIGNED(T, U)                \
  INTEGER(T)                        \
  SAME(T, ADD, (V_##U)a + (V_##U)b) \
  SAME(T, SUB, (V_##U)a - (V_##U)b) \
  SAME(T, MUL, (V_##U)a *(V_##U)b)
#define UNSIGNED(T) \
  INTEGER(T)        \
  WRAPS(T)

COMPARES(F32)
COMPARES(F64)
ORDERS(F64)
WRAPS(F64)
SAME(F64, DIV, a / b)
SAME(F64, PRELU, select_F64((M_F64)(a < 0.0), a *b, a))
SIGNED(I8, U8)
SIGNED(I16, U16)
SIGNED(I32, U32)
SIGNED(I64, U64)
UNSIGNED(U8)
UNSIGNED(U16)
UNSIGNED(U32)
UNSIGNED(U64)
TRUTH(BOOL, EQUAL, (a != 0) == (b != 0))
TRUTH(BOOL, AND, (a != 0) & (b != 0))
TRUTH(BOOL, OR, (a | b) != 0)
TRUTH(BOOL, XOR, (a != 0) ^ (b != 0))

#define UNARY(T, op, R, r_bytes, result)                                                        \
  INLINE R T##_##op##_unary_of(V_##T v, float alpha, float beta) {                              \
    (void)alpha;                                                                                \
    (void)beta;                                                                                 \
    return (R)(result);                                                                         \
  }                                                                                             \
  static void T##_##op##_unary(const void *x, void *y, size_t count, float alpha, float beta) { \
    enum { LANES = SIMD_BYTES / sizeof(E_##T) };                                                \
    const E_##T *p = x;                                                                         \
    size_t i = 0;                                                                               \
    for (; i + LANES <= count; i += LANES) {                                                    \
      const R v = T##_##op##_unary_of(*(const A_##T *)(const void *)(p + i), alpha, beta);      \
      memcpy((char *)y + i * (r_bytes), &v, sizeof(v));                                         \
    }                                                                                           \
    if (i == count) return;                                                                     \
    V_##T last = {0};                                                                           \
    memcpy(&last, p + i, (count - i) * sizeof(*p));                                             \
    const R v = T##_##op##_unary_of(last, alpha, beta);                                         \
    memcpy((char *)y + i * (r_bytes), &v, (count - i) * (r_bytes));                             \
  }
#define SAME_UNARY(T, op, result) UNARY(T, op, V_##T, sizeof(E_##T), result)
#define TRUTH_UNARY(T, op, result) UNARY(T, op, B_##T, 1, __builtin_convertvector((M_##T)(result), B_##T) & 1)
#define SIGNED_UNARY(T, U)                                              \
  SAME_UNARY(T, NEG, -(V_##U)v)                                         \
  SAME_UNARY(T, ABS, select_##T((M_##T)(v < 0), (V_##T)(-(V_##U)v), v)) \
  SAME_UNARY(T, SIGN, (M_##T)(v < 0) - (M_##T)(v > 0))                  \
  SAME_UNARY(T, RELU, select_##T((M_##T)(v > 0), v, (V_##T){0}))        \
  SAME_UNARY(T, BITWISE_NOT, ~v)

INLINE vi32 is_infinite(vf32 v, float minus, float plus) {
  const vi32 low = i32_set(minus != 0.0f ? -1 : 0), high = i32_set(plus != 0.0f ? -1 : 0);
  return ((v == -INFINITY) & low) | ((v == INFINITY) & high);
}

SIGNED_UNARY(I8, U8)
SIGNED_UNARY(I16, U16)
SIGNED_UNARY(I32, U32)
SIGNED_UNARY(I64, U64)
SAME_UNARY(F64, NEG, -v)
SAME_UNARY(F64, ABS, f64_abs(v))
SAME_UNARY(F64, RELU, select_F64((M_F64)(v < 0.0), (V_F64){0}, v))
TRUTH_UNARY(BOOL, NOT, v == 0)
TRUTH_UNARY(F32, IS_NAN, v != v)
TRUTH_UNARY(F64, IS_NAN, v != v)
TRUTH_UNARY(F32, IS_INF, is_infinite(v, alpha, beta))

#define ROW(T, op) [ONR_BINARY_##op] = T##_##op
#define COMPARE_ROWS(T) ROW(T, EQUAL), ROW(T, LESS), ROW(T, GREATER), ROW(T, LESS_OR_EQUAL), ROW(T, GREATER_OR_EQUAL)
#define NUMBER_ROWS(T) COMPARE_ROWS(T), ROW(T, MIN), ROW(T, MAX), ROW(T, ADD), ROW(T, SUB), ROW(T, MUL)
#define INTEGER_ROWS(T) [ONR_DTYPE_##T] = {NUMBER_ROWS(T), ROW(T, BITWISE_AND), ROW(T, BITWISE_OR), ROW(T, BITWISE_XOR)}
#define UNARY_ROW(T, op) [ONR_UNARY_##op] = T##_##op##_unary
#define SIGNED_ROWS(T) \
  [ONR_DTYPE_##        \
      T] = {UNARY_ROW(T, NEG), UNARY_ROW(T, ABS), UNARY_ROW(T, SIGN), UNARY_ROW(T, RELU), UNARY_ROW(T, BITWISE_NOT)}

const struct onri_typed_kernels ONRI_AT_LEVEL(onri_typed_kernels) = {
    .binary = {[ONR_DTYPE_F32] = {COMPARE_ROWS(F32)},
               [ONR_DTYPE_F64] = {NUMBER_ROWS(F64), ROW(F64, DIV), ROW(F64, PRELU)},
               [ONR_DTYPE_BOOL] = {ROW(BOOL, EQUAL), ROW(BOOL, AND), ROW(BOOL, OR), ROW(BOOL, XOR)},
               INTEGER_ROWS(I8),
               INTEGER_ROWS(I16),
               INTEGER_ROWS(I32),
               INTEGER_ROWS(I64),
               INTEGER_ROWS(U8),
               INTEGER_ROWS(U16),
               INTEGER_ROWS(U32),
               INTEGER_ROWS(U64)},
    .unary = {
        [ONR_DTYPE_F32] = {UNARY_ROW(F32, IS_NAN), UNARY_ROW(F32, IS_INF)},
        [ONR_DTYPE_F64] = {UNARY_ROW(F64, NEG), UNARY_ROW(F64, ABS), UNARY_ROW(F64, RELU), UNARY_ROW(F64, IS_NAN)},
        [ONR_DTYPE_BOOL] = {UNARY_ROW(BOOL, NOT)},
        SIGNED_ROWS(I8),
        SIGNED_ROWS(I16),
        SIGNED_ROWS(I32),
        SIGNED_ROWS(I64)}};
