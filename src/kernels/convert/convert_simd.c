/* convert_simd.c: see convert.h. F32_LANES elements at a time, which pass through one or two registers: a vector of
 * float or of int32, or pairs of vectors of double or int64. All of it runs at what memory or L2 gives. */
#include "base/only.h"
#include "kernels/convert/convert.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

/* --- loads --- */

typedef vf32 in_f32;
typedef vi32 in_i32;
typedef struct {
  vf64 low, high;
} in_f64;
typedef struct {
  vi64 low, high;
} in_i64;

INLINE vf32 load_F32(const void *p) { return f32_load(p); }
INLINE vf32 load_F16(const void *p) { return f32_load_f16(p); }
INLINE vf32 load_BF16(const void *p) { return f32_load_bf16(p); }
INLINE vi32 load_I8(const void *p) { return i32_load_i8(p); }
INLINE vi32 load_U8(const void *p) { return i32_load_u8(p); }
INLINE vi32 load_I16(const void *p) { return i32_load_i16(p); }
INLINE vi32 load_U16(const void *p) { return i32_load_u16(p); }
INLINE vi32 load_I32(const void *p) { return i32_load(p); }
INLINE vi32 load_BOOL(const void *p) { return -(i32_load_u8(p) != 0); }
INLINE in_f64 load_F64(const void *p) { return (in_f64){f64_load(p), f64_load((const double *)p + F64_LANES)}; }
INLINE in_i64 load_I64(const void *p) { return (in_i64){i64_load(p), i64_load((const int64_t *)p + F64_LANES)}; }

/* --- between registers --- */

INLINE vf32 f32_to_f32(vf32 x) { return x; }
INLINE vi32 i32_to_i32(vi32 x) { return x; }
INLINE in_f64 f64_to_f64(in_f64 x) { return x; }
INLINE in_i64 i64_to_i64(in_i64 x) { return x; }

INLINE in_f64 f32_to_f64(vf32 x) { return (in_f64){f64_from_low(x), f64_from_high(x)}; }
INLINE vi32 f32_to_i32(vf32 x) { /* saturates, NaN is 0 */
  const vi32 whole = i32_from_f32_or_least(x);
  return i32_select(x >= 2147483648.0f, i32_set(INT32_MAX), whole) & (x == x);
}
/* The lowest 8 bits of what int64 would hold: beyond int32 a float's are 0, beyond int64 they are those of its
 * greatest. */
INLINE vi32 f32_to_i8(vf32 x) { return i32_from_f32_or_least(x) | (x >= 9223372036854775808.0f); }
INLINE vi32 f32_to_u8(vf32 x) { return i32_from_f32_or_least(x) | (x >= 18446744073709551616.0f); }
/* The lowest bits of what int64 would hold, or uint64. Numbers beyond int32 are rare and go one by one. */
SIMD_FUNCTION vi32 low_bits_each(in_f64 x, vi32 low, int has_sign) {
  for (int l = 0; l < F32_LANES; l++) {
    const double v = l < F64_LANES ? x.low[l] : x.high[l - F64_LANES];
    low[l] = (int32_t)(has_sign ? (uint64_t)onri_f64_to_i64(v) : onri_f64_to_u64(v));
  }
  return low;
}
INLINE vi32 low_bits(in_f64 x, const int has_sign) {
  const vi32 low = i32_from_f64_or_least(x.low, x.high);
  return i32_any(low == INT32_MIN) ? low_bits_each(x, low, has_sign) : low;
}
INLINE vi32 f64_to_low_i(in_f64 x) { return low_bits(x, 1); }
INLINE vi32 f64_to_low_u(in_f64 x) { return low_bits(x, 0); }
INLINE vf64 f64_in_i32(vf64 x) { /* NaN: 0 */
  const vf64 number = (vf64)((vi64)x & (vi64)(x == x));
  return f64_greatest(f64_set(INT32_MIN), f64_least(f64_set(INT32_MAX), number));
}
INLINE vi32 f64_to_i32(in_f64 x) { return i32_from_f64_or_least(f64_in_i32(x.low), f64_in_i32(x.high)); }
INLINE vi32 f32_to_bool(vf32 x) { return -(x != 0.0f); }
INLINE vi64 f64_to_i64_half(vf64 x) {
  const vi64 whole = i64_from_f64_or_least(x);
  return (vi64)f64_select(x >= 9223372036854775808.0, (vf64)i64_set(INT64_MAX), (vf64)whole) & (x == x);
}
INLINE in_i64 f64_to_i64(in_f64 x) { return (in_i64){f64_to_i64_half(x.low), f64_to_i64_half(x.high)}; }
INLINE in_i64 f32_to_i64(vf32 x) { return f64_to_i64(f32_to_f64(x)); }

INLINE vf32 i32_to_f32(vi32 x) { return f32_from_i32(x); }
INLINE in_f64 i32_to_f64(vi32 x) { return (in_f64){f64_from_low_i32(x), f64_from_high_i32(x)}; }
INLINE in_i64 i32_to_i64(vi32 x) { return (in_i64){i64_from_low(x), i64_from_high(x)}; }
INLINE vi32 i32_to_bool(vi32 x) { return -(x != 0); }

INLINE vf32 f64_to_f32(in_f64 x) { return f32_from_f64(x.low, x.high); }
INLINE vi32 f64_to_bool(in_f64 x) { return -i32_from_i64((vi64)(x.low != 0.0), (vi64)(x.high != 0.0)); }
INLINE vi32 i64_to_i32(in_i64 x) { return i32_from_i64(x.low, x.high); }
INLINE in_f64 i64_to_f64(in_i64 x) { return (in_f64){f64_from_i64(x.low), f64_from_i64(x.high)}; }
INLINE vf32 i64_to_f32(in_i64 x) { return f32_from_i64(x.low, x.high); }
INLINE vi32 i64_to_bool(in_i64 x) { return -i32_from_i64((vi64)(x.low != 0), (vi64)(x.high != 0)); }

/* Rounded to odd where a float's 24 bits do not hold it: float16 then rounds once. */
INLINE vf64 f64_to_odd(vf64 x) {
  const vi64 bits = (vi64)x, low = i64_set((1 << 29) - 1);
  return (vf64)((bits | ((bits & low) + low)) & ~low);
}
INLINE vf32 f64_to_odd_f32(in_f64 x) { return f32_from_f64(f64_to_odd(x.low), f64_to_odd(x.high)); }

/* --- stores --- */

INLINE void store_F32(void *p, vf32 x) { f32_store(p, x); }
INLINE void store_F16(void *p, vf32 x) { f32_store_f16(p, x); }
INLINE void store_BF16(void *p, vf32 x) { f32_store_bf16(p, x); }
INLINE void store_I8(void *p, vi32 x) { i32_store_8(p, x); }
INLINE void store_I16(void *p, vi32 x) { i32_store_16(p, x); }
INLINE void store_I32(void *p, vi32 x) { i32_store(p, x); }
INLINE void store_F64(void *p, in_f64 x) {
  f64_store(p, x.low);
  f64_store((double *)p + F64_LANES, x.high);
}
INLINE void store_I64(void *p, in_i64 x) {
  i64_store(p, x.low);
  i64_store((int64_t *)p + F64_LANES, x.high);
}

/* --- all pairs: X(from, its bytes, to, its bytes, load, between, store) --- */

/* Integers to float16 are rounded once: those that a float does not hold are infinite. */

#define WRAPS(X, from, bytes, load, in)        \
  X(from, bytes, I8, 1, load, in##_to_i32, I8) \
  X(from, bytes, U8, 1, load, in##_to_i32, I8) \
  X(from, bytes, BOOL, 1, load, in##_to_bool, I8)
#define FROM_INTEGER(X, from, bytes)            \
  WRAPS(X, from, bytes, from, i32)              \
  X(from, bytes, I16, 2, from, i32_to_i32, I16) \
  X(from, bytes, U16, 2, from, i32_to_i32, I16) \
  X(from, bytes, I32, 4, from, i32_to_i32, I32) \
  X(from, bytes, U32, 4, from, i32_to_i32, I32) \
  X(from, bytes, I64, 8, from, i32_to_i64, I64) \
  X(from, bytes, U64, 8, from, i32_to_i64, I64) \
  X(from, bytes, F32, 4, from, i32_to_f32, F32) \
  X(from, bytes, F64, 8, from, i32_to_f64, F64)
#define FROM_SHORT(X, from, bytes)              \
  FROM_INTEGER(X, from, bytes)                  \
  X(from, bytes, F16, 2, from, i32_to_f32, F16) \
  X(from, bytes, BF16, 2, from, i32_to_f32, BF16)
#define FROM_FLOAT(X, from, bytes)                \
  X(from, bytes, F64, 8, from, f32_to_f64, F64)   \
  X(from, bytes, F32, 4, from, f32_to_f32, F32)   \
  X(from, bytes, F16, 2, from, f32_to_f32, F16)   \
  X(from, bytes, BF16, 2, from, f32_to_f32, BF16) \
  X(from, bytes, I8, 1, from, f32_to_i8, I8)      \
  X(from, bytes, U8, 1, from, f32_to_u8, I8)      \
  X(from, bytes, I32, 4, from, f32_to_i32, I32)   \
  X(from, bytes, I64, 8, from, f32_to_i64, I64)   \
  X(from, bytes, BOOL, 1, from, f32_to_bool, I8)
#define FROM_LONG(X, from)                 \
  WRAPS(X, from, 8, I64, i64)              \
  X(from, 8, I16, 2, I64, i64_to_i32, I16) \
  X(from, 8, U16, 2, I64, i64_to_i32, I16) \
  X(from, 8, I32, 4, I64, i64_to_i32, I32) \
  X(from, 8, U32, 4, I64, i64_to_i32, I32)
#define EACH_PAIR(X)                          \
  FROM_FLOAT(X, F32, 4)                       \
  FROM_FLOAT(X, F16, 2)                       \
  FROM_FLOAT(X, BF16, 2)                      \
  FROM_SHORT(X, BOOL, 1)                      \
  FROM_SHORT(X, I8, 1)                        \
  FROM_SHORT(X, U8, 1)                        \
  FROM_SHORT(X, I16, 2)                       \
  FROM_SHORT(X, U16, 2)                       \
  FROM_INTEGER(X, I32, 4)                     \
  FROM_LONG(X, I64)                           \
  FROM_LONG(X, U64)                           \
  X(I64, 8, F32, 4, I64, i64_to_f32, F32)     \
  X(I64, 8, F16, 2, I64, i64_to_f32, F16)     \
  X(I32, 4, F16, 2, I32, i32_to_f32, F16)     \
  X(I64, 8, F64, 8, I64, i64_to_f64, F64)     \
  X(F64, 8, F32, 4, F64, f64_to_f32, F32)     \
  X(F64, 8, F16, 2, F64, f64_to_odd_f32, F16) \
  X(F64, 8, I8, 1, F64, f64_to_low_i, I8)     \
  X(F64, 8, U8, 1, F64, f64_to_low_u, I8)     \
  X(F64, 8, I32, 4, F64, f64_to_i32, I32)     \
  X(F64, 8, I64, 8, F64, f64_to_i64, I64)     \
  X(F64, 8, BOOL, 1, F64, f64_to_bool, I8)

/* What is behind the last whole vector passes through buffers. */
SIMD_FUNCTION void convert_rest(onri_conversion convert, const char *x, char *y, size_t count, size_t x_size,
                                size_t y_size) {
  char in[8 * F32_LANES] = {0}, out[8 * F32_LANES];
  memcpy(in, x, count * x_size);
  convert(in, out, F32_LANES);
  memcpy(y, out, count * y_size);
}

/* Bytes that stay what they are, or are truths, need not become wider. Returns how many are done. */
INLINE size_t bytes_to_bytes(const char *x, char *y, size_t count, const int truths) {
  size_t i = 0;
  for (; i + I8_LANES <= count; i += I8_LANES) {
    const vi8 v = i8_load(x + i);
    i8_store(y + i, truths ? (vi8)(v != 0) & 1 : v);
  }
  return i;
}

/* There are so many that each is one loop. */
#define DEFINE(from, from_bytes, to, to_bytes, load, between, store)                                       \
  static void from##_to_##to(const void *source, void *target, size_t count) {                             \
    const int truths = ONR_DTYPE_##from == ONR_DTYPE_BOOL || ONR_DTYPE_##to == ONR_DTYPE_BOOL;             \
    const char *x = source;                                                                                \
    char *y = target;                                                                                      \
    const size_t done = from_bytes * to_bytes == 1 ? bytes_to_bytes(x, y, count, truths) : 0;              \
    x += done, y += done, count -= done;                                                                   \
    for (; count >= F32_LANES; count -= F32_LANES, x += from_bytes * F32_LANES, y += to_bytes * F32_LANES) \
      store_##store(y, between(load_##load(x)));                                                           \
    if (count) convert_rest(from##_to_##to, x, y, count, from_bytes, to_bytes);                            \
  }
EACH_PAIR(DEFINE)

#define NUMBER(from, from_bytes, to, ...) from##_##to,
#define NUMBERED(from, from_bytes, to, ...) [ONR_DTYPE_##from][ONR_DTYPE_##to] = from##_##to,
#define ROW(from, from_bytes, to, ...) \
  ONRI_IF(ONRI_HAS_TYPE_##from, ONRI_IF(ONRI_HAS_TYPE_##to, [from##_##to] = from##_to_##to, ))
enum number { NONE, EACH_PAIR(NUMBER) NUM_CONVERSIONS };
static const uint8_t numbers[ONR_NUM_DTYPES][ONR_NUM_DTYPES] = {EACH_PAIR(NUMBERED)};
static const onri_conversion conversions[NUM_CONVERSIONS] = {EACH_PAIR(ROW)};

const struct onri_convert_kernels ONRI_AT_LEVEL(onri_convert_kernels) = {numbers, conversions};
