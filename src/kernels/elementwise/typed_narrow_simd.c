/* typed_narrow_simd.c: see typed.h. All of it runs at what memory or L2 gives, but for products of int64 and of bytes,
 * and for quotients, which take what divisions of double take. */
#include "base/only.h"
#include "kernels/elementwise/typed.h"
#include "kernels/kernels.h"
#include "kernels/simd/math.h"

enum { WIDE = 4 }; /* vectors whose truths are narrowed to bytes together */

/* For each type T: its vector V_T, the integers M_T of its width that comparisons give, and bytes B_T, as many; W_T and
 * C_T are those of WIDE vectors. */
#define TYPE(T, element, mask)                                                                                   \
  typedef element E_##T;                                                                                         \
  typedef element V_##T __attribute__((vector_size(SIMD_BYTES)));                                                \
  typedef element A_##T __attribute__((vector_size(SIMD_BYTES), aligned(1), may_alias));                         \
  typedef mask M_##T __attribute__((vector_size(SIMD_BYTES)));                                                   \
  typedef int8_t B_##T __attribute__((vector_size(SIMD_BYTES / sizeof(element)), aligned(1), may_alias));        \
  typedef mask W_##T __attribute__((vector_size(SIMD_BYTES * WIDE)));                                            \
  typedef int8_t C_##T __attribute__((vector_size(SIMD_BYTES * WIDE / sizeof(element)), aligned(1), may_alias)); \
  INLINE V_##T select_##T(M_##T m, V_##T a, V_##T b) { return (V_##T)((m & (M_##T)a) | (~m & (M_##T)b)); }
TYPE(F32, float, int32_t)
TYPE(F64, double, int64_t)
TYPE(I8, int8_t, int8_t)
TYPE(U8, uint8_t, int8_t)
TYPE(BOOL, uint8_t, int8_t)
TYPE(F16, int16_t, int16_t)
TYPE(BF16, int16_t, int16_t)
TYPE(I16, int16_t, int16_t)
TYPE(U16, uint16_t, int16_t)
TYPE(I32, int32_t, int32_t)
TYPE(U32, uint32_t, int32_t)
TYPE(I64, int64_t, int64_t)
TYPE(U64, uint64_t, int64_t)
#undef TYPE

/* R: the vector of a result. */
#define BINARY(T, op, R, result)                                                                              \
  static void T##_##op(const char *p, const char *q, char *y, size_t vectors, size_t a_step, size_t b_step) { \
    for (; vectors > 0; vectors--, p += a_step, q += b_step, y += sizeof(R)) {                                \
      const V_##T a = *(const A_##T *)(const void *)p, b = *(const A_##T *)(const void *)q;                   \
      const R v = (R)(result);                                                                                \
      memcpy(y, &v, sizeof(v));                                                                               \
    }                                                                                                         \
  }

#define SAME(T, op, result) BINARY(T, op, V_##T, result)
#define TRUTH(T, op, result)                                                                                         \
  INLINE M_##T T##_##op##_holds(V_##T a, V_##T b) { return (M_##T)(result); }                                        \
  SIMD_FUNCTION void T##_##op(const char *p, const char *q, char *y, size_t vectors, size_t a_step, size_t b_step) { \
    for (; vectors >= WIDE; vectors -= WIDE, p += WIDE * a_step, q += WIDE * b_step, y += sizeof(C_##T)) {           \
      union {                                                                                                        \
        M_##T part[WIDE];                                                                                            \
        W_##T all;                                                                                                   \
      } holds;                                                                                                       \
      UNROLL for (size_t k = 0; k < WIDE; k++) holds.part[k] = T##_##op##_holds(                                     \
          *(const A_##T *)(const void *)(p + k * a_step), *(const A_##T *)(const void *)(q + k * b_step));           \
      const C_##T v = __builtin_convertvector(holds.all, C_##T) & 1;                                                 \
      memcpy(y, &v, sizeof(v));                                                                                      \
    }                                                                                                                \
    for (; vectors > 0; vectors--, p += a_step, q += b_step, y += sizeof(B_##T)) {                                   \
      const V_##T a = *(const A_##T *)(const void *)p, b = *(const A_##T *)(const void *)q;                          \
      const B_##T v = __builtin_convertvector(T##_##op##_holds(a, b), B_##T) & 1;                                    \
      memcpy(y, &v, sizeof(v));                                                                                      \
    }                                                                                                                \
  }

#define SWAPPED(T, op, other)                                                                                 \
  static void T##_##op(const char *p, const char *q, char *y, size_t vectors, size_t a_step, size_t b_step) { \
    T##_##other(q, p, y, vectors, b_step, a_step);                                                            \
  }
#define SWAPPED_ORDERS(T)   \
  SWAPPED(T, GREATER, LESS) \
  SWAPPED(T, GREATER_OR_EQUAL, LESS_OR_EQUAL)
#define ORDERS(T)                 \
  TRUTH(T, LESS, a < b)           \
  TRUTH(T, LESS_OR_EQUAL, a <= b) \
  SWAPPED_ORDERS(T)
/* A NaN on either side is the result. */
#define EXTREMES(T)                                                \
  SAME(T, MIN, select_##T((M_##T)(a < b) | (M_##T)(a != a), a, b)) \
  SAME(T, MAX, select_##T((M_##T)(a > b) | (M_##T)(a != a), a, b))
#define WRAPS(T)          \
  TRUTH(T, EQUAL, a == b) \
  SAME(T, ADD, a + b)     \
  SAME(T, SUB, a - b)     \
  SAME(T, MUL, a *b)
#define BITS(T)              \
  SAME(T, BITWISE_AND, a &b) \
  SAME(T, BITWISE_OR, a | b) \
  SAME(T, BITWISE_XOR, a ^ b)
/* Sums and bits of signed integers are those of unsigned ones. */
#define INTEGERS(T, U) \
  ORDERS(T)            \
  ORDERS(U)            \
  EXTREMES(T)          \
  EXTREMES(U)          \
  WRAPS(U)             \
  BITS(U)

TRUTH(F32, EQUAL, a == b)
ORDERS(F32)
ORDERS(F64)
EXTREMES(F64)
WRAPS(F64)
SAME(F64, DIV, a / b)
#if HAS_FMA
SAME(F64, POW, f64_pow(a, b))
#else
#define F64_POW NULL
#endif
SAME(F64, PRELU, select_F64((M_F64)(a < 0.0), a *b, a))
INTEGERS(I8, U8)
INTEGERS(I16, U16)
INTEGERS(I32, U32)
INTEGERS(I64, U64)
TRUTH(BOOL, EQUAL, (a != 0) == (b != 0))
TRUTH(BOOL, AND, (a != 0) & (b != 0))
TRUTH(BOOL, OR, (a | b) != 0)
TRUTH(BOOL, XOR, (a != 0) ^ (b != 0))

/* --- floats of 16 bits, as integers of the same order; `infinite` is what infinity is --- */

#define HALF(T, infinite)                                                                \
  INLINE V_##T magnitude_##T(V_##T v) { return v & 0x7FFF; }                             \
  INLINE M_##T is_nan_##T(V_##T v) { return (M_##T)(magnitude_##T(v) > infinite); }      \
  INLINE V_##T order_##T(V_##T v) { return (magnitude_##T(v) ^ (v >> 15)) - (v >> 15); } \
  INLINE M_##T both_##T(V_##T a, V_##T b) { return ~(is_nan_##T(a) | is_nan_##T(b)); }   \
  TRUTH(T, EQUAL, (order_##T(a) == order_##T(b)) & both_##T(a, b))                       \
  TRUTH(T, LESS, (order_##T(a) < order_##T(b)) & both_##T(a, b))                         \
  TRUTH(T, LESS_OR_EQUAL, (order_##T(a) <= order_##T(b)) & both_##T(a, b))               \
  SWAPPED_ORDERS(T)
HALF(F16, 0x7C00)
HALF(BF16, 0x7F80)

/* --- quotients of integers; the layer has seen to it that no divisor is 0, but lanes behind a row may be --- */

/* A double holds the quotient with bits to spare, so it is never rounded up to the next whole number. */
INLINE V_I32 quotient_I32(V_I32 a, V_I32 b) {
  const vf64 low = f64_from_low_i32(a) / f64_from_low_i32(b), high = f64_from_high_i32(a) / f64_from_high_i32(b);
  return select_I32(b == -1, (V_I32)(-(V_U32)a), i32_from_f64_or_least(low, high));
}

INLINE int64_t i64_quotient(int64_t a, int64_t b) { return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b; }
INLINE uint64_t u64_quotient(uint64_t a, uint64_t b) { return b == 0 ? 0 : a / b; }

/* Numbers of more than 51 bits, which are rare, go one by one. */
INLINE V_I64 quotient_I64(V_I64 a, V_I64 b) {
  const V_U64 least = (V_U64){0} - ((uint64_t)1 << 51);
  const vi64 large = ((V_U64)a - least >= (uint64_t)1 << 52) | ((V_U64)b - least >= (uint64_t)1 << 52);
  V_I64 q = {0};
  if (!i32_any((vi32)large)) return i64_from_f64_or_least(f64_from_i64(a) / f64_from_i64(b));
  for (int l = 0; l < F64_LANES; l++) q[l] = i64_quotient(a[l], b[l]);
  return q;
}
INLINE V_U64 quotient_U64(V_U64 a, V_U64 b) {
  V_U64 q = {0};
  if (!i32_any((vi32)((a | b) >= (uint64_t)1 << 51)))
    return (V_U64)i64_from_f64_or_least(f64_from_i64((vi64)a) / f64_from_i64((vi64)b));
  for (int l = 0; l < F64_LANES; l++) q[l] = u64_quotient(a[l], b[l]);
  return q;
}

#define REMAINDER(T, U) \
  INLINE V_##T remainder_##T(V_##T a, V_##T b) { return (V_##T)((V_##U)a - (V_##U)quotient_##T(a, b) * (V_##U)b); }
REMAINDER(I32, U32)
REMAINDER(I64, U64)
REMAINDER(U64, U64)
INLINE V_I32 floor_mod_I32(V_I32 a, V_I32 b) {
  const V_I32 r = remainder_I32(a, b);
  return r + (b & (r != 0) & ((r ^ b) < 0));
}
INLINE V_I64 floor_mod_I64(V_I64 a, V_I64 b) {
  const V_I64 r = remainder_I64(a, b);
  return r + (b & (r != 0) & ((r ^ b) < 0));
}

/* A float holds quotients of 16 bits with bits to spare. Lanes behind a row divide by 1. */
#define SMALL_QUOTIENT(T, name, result)                                                                         \
  INLINE V_##T name##_##T(V_##T x, V_##T y) {                                                                   \
    const I_##T a = __builtin_convertvector(x, I_##T), b = __builtin_convertvector(y - (V_##T)(y == 0), I_##T); \
    const I_##T q =                                                                                             \
        __builtin_convertvector(__builtin_convertvector(a, R_##T) / __builtin_convertvector(b, R_##T), I_##T);  \
    const I_##T r = a - q * b;                                                                                  \
    (void)r;                                                                                                    \
    return __builtin_convertvector(result, V_##T);                                                              \
  }
#define SMALL_DIVIDES(T)                                                              \
  typedef int32_t I_##T __attribute__((vector_size(SIMD_BYTES * 4 / sizeof(E_##T)))); \
  typedef float R_##T __attribute__((vector_size(SIMD_BYTES * 4 / sizeof(E_##T))));   \
  SMALL_QUOTIENT(T, quotient, q)                                                      \
  SMALL_QUOTIENT(T, remainder, r)                                                     \
  SMALL_QUOTIENT(T, floor_mod, r + (b & (r != 0) & ((r ^ b) < 0)))                    \
  SAME(T, DIV, quotient_##T(a, b))                                                    \
  SAME(T, FMOD, remainder_##T(a, b))                                                  \
  SAME(T, MOD, floor_mod_##T(a, b))
SMALL_DIVIDES(I8)
SMALL_DIVIDES(U8)
SMALL_DIVIDES(I16)
SMALL_DIVIDES(U16)

#define DIVIDES(T)                 \
  SAME(T, DIV, quotient_##T(a, b)) \
  SAME(T, FMOD, remainder_##T(a, b))
DIVIDES(I32)
DIVIDES(I64)
DIVIDES(U64)
SAME(I32, MOD, floor_mod_I32(a, b))
SAME(I64, MOD, floor_mod_I64(a, b))

#define SHIFTS(T, bits)                                                            \
  SAME(T, SHIFT_LEFT, (V_##T)((a << (b & (bits - 1))) & (V_##T)(M_##T)(b < bits))) \
  SAME(T, SHIFT_RIGHT, (V_##T)((a >> (b & (bits - 1))) & (V_##T)(M_##T)(b < bits)))
SHIFTS(U32, 32)
SHIFTS(U64, 64)

/* --- unary --- */

#define UNARY(T, op, R, result)                                                                   \
  static void T##_##op##_unary(const char *x, char *y, size_t vectors, float alpha, float beta) { \
    (void)alpha;                                                                                  \
    (void)beta;                                                                                   \
    for (; vectors > 0; vectors--, x += SIMD_BYTES, y += sizeof(R)) {                             \
      const V_##T v = *(const A_##T *)(const void *)x;                                            \
      const R r = (R)(result);                                                                    \
      memcpy(y, &r, sizeof(r));                                                                   \
    }                                                                                             \
  }
#define SAME_UNARY(T, op, result) UNARY(T, op, V_##T, result)
#define TRUTH_UNARY(T, op, result) UNARY(T, op, B_##T, __builtin_convertvector((M_##T)(result), B_##T) & 1)
#define SIGNED_UNARY(T, U)                                              \
  SAME_UNARY(T, NEG, -(V_##U)v)                                         \
  SAME_UNARY(T, ABS, select_##T((M_##T)(v < 0), (V_##T)(-(V_##U)v), v)) \
  SAME_UNARY(T, SIGN, (M_##T)(v < 0) - (M_##T)(v > 0))                  \
  SAME_UNARY(T, RELU, select_##T((M_##T)(v > 0), v, (V_##T){0}))        \
  SAME_UNARY(U, SIGN, (V_##U)(M_##T)(v != 0) & 1)                       \
  SAME_UNARY(U, ABS, v)                                                 \
  SAME_UNARY(U, BITWISE_NOT, ~v)

INLINE vi32 is_infinite(vf32 v, float minus, float plus) {
  const vi32 low = i32_set(minus != 0.0f ? -1 : 0), high = i32_set(plus != 0.0f ? -1 : 0);
  return ((v == -INFINITY) & low) | ((v == INFINITY) & high);
}
INLINE V_F64 sign_F64(V_F64 v) {
  return select_F64((M_F64)(v > 0.0), f64_set(1), select_F64((M_F64)(v < 0.0), f64_set(-1), v));
}

#define HALF_UNARY(T, one)                \
  SAME_UNARY(T, NEG, v ^ (int16_t)0x8000) \
  SAME_UNARY(T, ABS, magnitude_##T(v))    \
  SAME_UNARY(T, SIGN, select_##T((M_##T)(magnitude_##T(v) == 0) | is_nan_##T(v), v, (v & (int16_t)0x8000) | one))
HALF_UNARY(F16, 0x3C00)
HALF_UNARY(BF16, 0x3F80)
SIGNED_UNARY(I8, U8)
SIGNED_UNARY(I16, U16)
SIGNED_UNARY(I32, U32)
SIGNED_UNARY(I64, U64)
SAME_UNARY(F64, NEG, -v)
SAME_UNARY(F64, ABS, f64_abs(v))
SAME_UNARY(F64, SIGN, sign_F64(v))
SAME_UNARY(F64, RELU, select_F64((M_F64)(v < 0.0), (V_F64){0}, v))
SAME_UNARY(F64, SQRT, f64_sqrt(v))
SAME_UNARY(F64, CEIL, f64_ceil(v))
SAME_UNARY(F64, FLOOR, f64_floor(v))
SAME_UNARY(F64, ROUND, f64_rint(v))
SAME_UNARY(F64, RECIPROCAL, 1.0 / v)
SAME_UNARY(F64, EXP, f64_exp(v))
SAME_UNARY(F64, LOG, f64_log(v))
SAME_UNARY(F64, SIN, f64_sin(v))
SAME_UNARY(F64, COS, f64_cos(v))
SAME_UNARY(F64, TANH, f64_tanh(v))
SAME_UNARY(F64, SIGMOID, f64_sigmoid(v))
TRUTH_UNARY(BOOL, NOT, v == 0)
TRUTH_UNARY(F32, IS_NAN, v != v)
TRUTH_UNARY(F64, IS_NAN, v != v)
TRUTH_UNARY(F32, IS_INF, is_infinite(v, alpha, beta))

/* --- rows: whole vectors, then what is left: a vector that overlaps them, or through buffers --- */

INLINE void repeat(char *to, const char *from, size_t size) {
  uint64_t all = 0;
  if (size == 1) memcpy(&all, from, 1), all *= UINT64_MAX / UINT8_MAX;
  if (size == 2) memcpy(&all, from, 2), all *= UINT64_MAX / UINT16_MAX;
  if (size == 4) memcpy(&all, from, 4), all *= UINT64_MAX / UINT32_MAX;
  if (size == 8) memcpy(&all, from, 8);
  i64_store(to, i64_set((int64_t)all));
}

static void binary_rows(onri_typed_binary run, const struct onri_typed_rows *r, size_t size, size_t y_size) {
  const size_t lanes = SIMD_BYTES / size, rest = r->count % lanes, whole = r->count - rest;
  const size_t a_step = r->a_step ? SIMD_BYTES : 0, b_step = r->b_step ? SIMD_BYTES : 0;
  char a[SIMD_BYTES] = {0}, b[SIMD_BYTES] = {0}, last[SIMD_BYTES];
  for (size_t row = 0; row < r->rows; row++) {
    const char *p = (const char *)r->a + row * r->a_row * size, *q = (const char *)r->b + row * r->b_row * size;
    const size_t behind = (r->count - lanes) * size; /* where whole > 0 */
    char *y = (char *)r->y + row * r->count * y_size;
    if (!a_step) repeat(a, p, size);
    if (!b_step) repeat(b, q, size);
    if (rest && whole) run(a_step ? p + behind : a, b_step ? q + behind : b, last, 1, 0, 0); /* y may be p or q */
    run(a_step ? p : a, b_step ? q : b, y, whole / lanes, a_step, b_step);
    if (rest && whole) memcpy(y + (r->count - lanes) * y_size, last, lanes * y_size);
    if (!rest || whole) continue;
    if (a_step) memcpy(a, p, rest * size);
    if (b_step) memcpy(b, q, rest * size);
    run(a, b, last, 1, 0, 0);
    memcpy(y, last, rest * y_size);
  }
}

static void unary_row(onri_typed_unary run, const void *x, void *y, size_t count, float alpha, float beta, size_t size,
                      size_t y_size) {
  const size_t lanes = SIMD_BYTES / size, rest = count % lanes, whole = count - rest;
  char part[SIMD_BYTES] = {0}, last[SIMD_BYTES];
  run(x, y, whole / lanes, alpha, beta);
  if (!rest) return;
  memcpy(part, (const char *)x + whole * size, rest * size);
  run(part, last, 1, alpha, beta);
  memcpy((char *)y + whole * y_size, last, rest * y_size);
}

#define AS(T, op) ONRI_IF(ONRI_HAS_BINARY_##op, [ONR_BINARY_##op] = T##_##op, )
#define ORDER_ROWS(T) AS(T, LESS) AS(T, GREATER) AS(T, LESS_OR_EQUAL) AS(T, GREATER_OR_EQUAL)
#define WRAP_ROWS(T) AS(T, EQUAL) AS(T, ADD) AS(T, SUB) AS(T, MUL)
#define INTEGER_ROWS(T, U) \
  ORDER_ROWS(T) AS(T, MIN) AS(T, MAX) WRAP_ROWS(U) AS(U, BITWISE_AND) AS(U, BITWISE_OR) AS(U, BITWISE_XOR)
#define DIVIDE_ROWS(T) AS(T, DIV) AS(T, FMOD)
#define SHIFT_ROWS(T) AS(T, SHIFT_LEFT) AS(T, SHIFT_RIGHT)
#define UNARY_ROW(op, function) ONRI_IF(ONRI_HAS_UNARY_##op, [ONR_UNARY_##op] = function##_unary, )
#define UNARY_AS(T, op) UNARY_ROW(op, T##_##op)
/* One more than there are, so that a list may be empty. */
#define ROW_OF(T, type, count, ...) \
  ONRI_IF(ONRI_HAS_TYPE_##T, [ONR_DTYPE_##T] = (const type[count + 1]){__VA_ARGS__[count] = NULL}, )
#define OF(T, ...) ROW_OF(T, onri_typed_binary, ONR_NUM_BINARY, __VA_ARGS__)
#define UNARY_OF(T, ...) ROW_OF(T, onri_typed_unary, ONR_NUM_UNARY, __VA_ARGS__)
#define UNSIGNED_ROWS(U) \
  UNARY_OF(U, UNARY_AS(U, ABS) UNARY_AS(U, SIGN) UNARY_AS(U, BITWISE_NOT) UNARY_ROW(RELU, U##_ABS))
#define SIGNED_ROWS(T, U) \
  UNARY_OF(T, UNARY_AS(T, NEG) UNARY_AS(T, ABS) UNARY_AS(T, SIGN) UNARY_AS(T, RELU) UNARY_AS(U, BITWISE_NOT))

/* clang-format off */
const struct onri_typed_kernels ONRI_AT_LEVEL(onri_typed_kernels) = {
    .binary_rows = ONRI_WHERE(PART_binary, binary_rows),
    .unary_row = unary_row,
    .binary = {
        OF(F32, ORDER_ROWS(F32) AS(F32, EQUAL))
        OF(F64, ORDER_ROWS(F64) WRAP_ROWS(F64) AS(F64, MIN) AS(F64, MAX) AS(F64, DIV) AS(F64, PRELU) AS(F64, POW))
        OF(BOOL, AS(BOOL, EQUAL) AS(BOOL, AND) AS(BOOL, OR) AS(BOOL, XOR))
        OF(F16, ORDER_ROWS(F16) AS(F16, EQUAL))
        OF(BF16, ORDER_ROWS(BF16) AS(BF16, EQUAL))
        OF(I8, INTEGER_ROWS(I8, U8) DIVIDE_ROWS(I8) AS(I8, MOD))
        OF(I16, INTEGER_ROWS(I16, U16) DIVIDE_ROWS(I16) AS(I16, MOD))
        OF(I32, INTEGER_ROWS(I32, U32) DIVIDE_ROWS(I32) AS(I32, MOD))
        OF(I64, INTEGER_ROWS(I64, U64) DIVIDE_ROWS(I64) AS(I64, MOD))
        OF(U8, INTEGER_ROWS(U8, U8) DIVIDE_ROWS(U8) AS(U8, MOD))
        OF(U16, INTEGER_ROWS(U16, U16) DIVIDE_ROWS(U16) AS(U16, MOD))
        OF(U32, INTEGER_ROWS(U32, U32) SHIFT_ROWS(U32))
        OF(U64, INTEGER_ROWS(U64, U64) SHIFT_ROWS(U64) DIVIDE_ROWS(U64)
                ONRI_IF(ONRI_HAS_BINARY_MOD, [ONR_BINARY_MOD] = U64_FMOD, ))
    },
    .unary = {
        UNARY_OF(F32, UNARY_AS(F32, IS_NAN) UNARY_AS(F32, IS_INF))
        UNARY_OF(F64, UNARY_AS(F64, NEG) UNARY_AS(F64, ABS) UNARY_AS(F64, SIGN) UNARY_AS(F64, RELU) UNARY_AS(F64, SQRT)
                 UNARY_AS(F64, CEIL) UNARY_AS(F64, FLOOR) UNARY_AS(F64, ROUND) UNARY_AS(F64, RECIPROCAL)
                 UNARY_AS(F64, EXP) UNARY_AS(F64, LOG) UNARY_AS(F64, SIN) UNARY_AS(F64, COS)
                 UNARY_AS(F64, TANH) UNARY_AS(F64, SIGMOID) UNARY_AS(F64, IS_NAN))
        UNARY_OF(F16, UNARY_AS(F16, NEG) UNARY_AS(F16, ABS) UNARY_AS(F16, SIGN))
        UNARY_OF(BF16, UNARY_AS(BF16, NEG) UNARY_AS(BF16, ABS) UNARY_AS(BF16, SIGN))
        UNARY_OF(BOOL, UNARY_AS(BOOL, NOT))
        SIGNED_ROWS(I8, U8)
        SIGNED_ROWS(I16, U16)
        SIGNED_ROWS(I32, U32)
        SIGNED_ROWS(I64, U64)
        UNSIGNED_ROWS(U8)
        UNSIGNED_ROWS(U16)
        UNSIGNED_ROWS(U32)
        UNSIGNED_ROWS(U64)
    }};
/* clang-format on */
