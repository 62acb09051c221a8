/* convert.h: between types.
 * See simd.h. */
#ifndef ONRI_SIMD_CONVERT_H
#define ONRI_SIMD_CONVERT_H

#include "kernels/simd/across.h"

INLINE vf32 f32_from_i32(vi32 x) { return __builtin_convertvector(x, vf32); }
INLINE vi32 i32_from_f32(vf32 x) { return __builtin_convertvector(x, vi32); } /* towards 0; in range alone */
/* Halves to even; in range alone. */
#if SIMD_BYTES == 64
INLINE vi32 i32_nearest(vf32 x) { return (vi32)_mm512_cvtps_epi32((__m512)x); }
#elif SIMD_BYTES == 32
INLINE vi32 i32_nearest(vf32 x) { return (vi32)_mm256_cvtps_epi32((__m256)x); }
#elif defined(__SSE2__)
INLINE vi32 i32_nearest(vf32 x) { return (vi32)_mm_cvtps_epi32((__m128)x); }
#elif defined(__aarch64__)
INLINE vi32 i32_nearest(vf32 x) { return (vi32)vcvtnq_s32_f32((float32x4_t)x); }
#else
INLINE vi32 i32_nearest(vf32 x) { return i32_from_f32(f32_rint(x)); }
#endif

/* Vectors of F32_LANES narrower elements in memory. */
typedef uint8_t vu8_quarter __attribute__((vector_size(SIMD_BYTES / 4), aligned(1), may_alias));
typedef int8_t vi8_quarter __attribute__((vector_size(SIMD_BYTES / 4), aligned(1), may_alias));
typedef uint8_t vu8_half __attribute__((vector_size(SIMD_BYTES / 2), aligned(1), may_alias));
typedef int8_t vi8_half __attribute__((vector_size(SIMD_BYTES / 2), aligned(1), may_alias));
typedef uint16_t vu16_half __attribute__((vector_size(SIMD_BYTES / 2), aligned(1), may_alias));
typedef int16_t vi16_half __attribute__((vector_size(SIMD_BYTES / 2), aligned(1), may_alias));
typedef float vf32_half __attribute__((vector_size(SIMD_BYTES / 2), aligned(1), may_alias));

#if defined(__wasm_simd128__) /* the compiler does these lane by lane */
INLINE vi32 i32_load_u8(const void *p) {
  return (vi32)wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p)));
}
INLINE vi32 i32_load_i8(const void *p) {
  return (vi32)wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(p)));
}
INLINE void i32_store_8(void *p, vi32 v) {
  const v128_t bytes = wasm_i8x16_shuffle((v128_t)v, (v128_t)v, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  wasm_v128_store32_lane(p, bytes, 0);
}
INLINE void i32_store_16(void *p, vi32 v) {
  const v128_t pairs = wasm_i8x16_shuffle((v128_t)v, (v128_t)v, 0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13);
  wasm_v128_store64_lane(p, pairs, 0);
}
#else
INLINE vi32 i32_load_u8(const void *p) { return __builtin_convertvector(*(const vu8_quarter *)p, vi32); }
INLINE vi32 i32_load_i8(const void *p) { return __builtin_convertvector(*(const vi8_quarter *)p, vi32); }
/* The low bits of each lane. */
INLINE void i32_store_8(void *p, vi32 v) { *(vi8_quarter *)p = __builtin_convertvector(v, vi8_quarter); }
INLINE void i32_store_16(void *p, vi32 v) { *(vi16_half *)p = __builtin_convertvector(v, vi16_half); }
#endif
#if SIMD_BYTES == 64
INLINE vi32 i32_load_u8_part(const void *p, size_t count) {
  return (vi32)_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(f32_first(count), p));
}
INLINE void i32_store_8_part(void *p, vi32 v, size_t count) {
  _mm512_mask_cvtepi32_storeu_epi8(p, f32_first(count), (__m512i)v);
}
#else
/* Both by way of a register: what was stored in parts is not loaded as a whole at once. */
INLINE vi32 i32_load_u8_part(const void *p, size_t count) {
  const uint8_t *x = p;
  uint64_t bytes = 0;
  uint32_t four;
  if (count >= F32_LANES) return i32_load_u8(p);
  if (count & 1) bytes = x[count - 1];
  if (count & 2) bytes = bytes << 16 | (uint32_t)(x[count & 4] | x[(count & 4) + 1] << 8);
  if (count & 4) memcpy(&four, x, sizeof(four)), bytes = bytes << 32 | four;
  return i32_load_u8(&bytes);
}
INLINE void i32_store_8_part(void *p, vi32 v, size_t count) {
  uint8_t *y = p;
  uint64_t bytes = 0;
  if (count >= F32_LANES) {
    i32_store_8(p, v);
    return;
  }
  i32_store_8(&bytes, v);
  if (count & 4) memcpy(y, &bytes, 4), y += 4, bytes >>= 32;
  if (count & 2) memcpy(y, &bytes, 2), y += 2, bytes >>= 16;
  if (count & 1) *y = (uint8_t)bytes;
}
#endif
INLINE vi32 i32_load_u16(const void *p) { return __builtin_convertvector(*(const vu16_half *)p, vi32); }
INLINE vi32 i32_load_i16(const void *p) { return __builtin_convertvector(*(const vi16_half *)p, vi32); }
INLINE vi16 i16_load_i8(const void *p) { return __builtin_convertvector(*(const vi8_half *)p, vi16); }
INLINE vi16 i16_load_u8(const void *p) { return __builtin_convertvector(*(const vu8_half *)p, vi16); }

INLINE vf64 f64_load_f32(const void *p) { return __builtin_convertvector(*(const vf32_half *)p, vf64); }
INLINE void f64_store_f32(void *p, vf64 v) { *(vf32_half *)p = __builtin_convertvector(v, vf32_half); }

/* The first half of the lanes, and the second. */
#if SIMD_BYTES == 64
INLINE vf64 f64_from_low(vf32 x) { return (vf64)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x)); }
INLINE vf64 f64_from_high(vf32 x) { return (vf64)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1)); }
INLINE vf32 f32_from_f64(vf64 low, vf64 high) {
  const __m512 half = _mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)low));
  return (vf32)_mm512_insertf32x8(half, _mm512_cvtpd_ps((__m512d)high), 1);
}
#elif SIMD_BYTES == 32
INLINE vf64 f64_from_low(vf32 x) { return (vf64)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x)); }
INLINE vf64 f64_from_high(vf32 x) { return (vf64)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1)); }
INLINE vf32 f32_from_f64(vf64 low, vf64 high) {
  return (vf32)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)high), _mm256_cvtpd_ps((__m256d)low));
}
#elif defined(__wasm_simd128__)
INLINE vf64 f64_from_low(vf32 x) { return (vf64)wasm_f64x2_promote_low_f32x4((v128_t)x); }
INLINE vf64 f64_from_high(vf32 x) { return f64_from_low(__builtin_shufflevector(x, x, 2, 3, 2, 3)); }
INLINE vf32 f32_from_f64(vf64 low, vf64 high) {
  const vf32 a = (vf32)wasm_f32x4_demote_f64x2_zero((v128_t)low), b = (vf32)wasm_f32x4_demote_f64x2_zero((v128_t)high);
  return __builtin_shufflevector(a, b, 0, 1, 4, 5);
}
#else
INLINE vf64 f64_from_low(vf32 x) { return (vf64){(double)x[0], (double)x[1]}; }
INLINE vf64 f64_from_high(vf32 x) { return (vf64){(double)x[2], (double)x[3]}; }
INLINE vf32 f32_from_f64(vf64 low, vf64 high) {
  return (vf32){(float)low[0], (float)low[1], (float)high[0], (float)high[1]};
}
#endif

typedef int32_t vi32_half __attribute__((vector_size(SIMD_BYTES / 2), aligned(1), may_alias));
INLINE vi64 i64_from_low(vi32 x) {
  vi32_half half;
  memcpy(&half, &x, sizeof(half));
  return __builtin_convertvector(half, vi64);
}
INLINE vi64 i64_from_high(vi32 x) {
  vi32_half half;
  memcpy(&half, (const char *)&x + sizeof(half), sizeof(half));
  return __builtin_convertvector(half, vi64);
}
INLINE vf64 f64_from_low_i32(vi32 x) {
  vi32_half half;
  memcpy(&half, &x, sizeof(half));
  return __builtin_convertvector(half, vf64);
}
INLINE vf64 f64_from_high_i32(vi32 x) {
  vi32_half half;
  memcpy(&half, (const char *)&x + sizeof(half), sizeof(half));
  return __builtin_convertvector(half, vf64);
}
INLINE vi32 i32_from_i64(vi64 low, vi64 high) { /* the low bits */
  const vi32_half parts[2] = {__builtin_convertvector(low, vi32_half), __builtin_convertvector(high, vi32_half)};
  vi32 all;
  memcpy(&all, parts, sizeof(all));
  return all;
}
INLINE vf64 f64_from_i64(vi64 x) { return __builtin_convertvector(x, vf64); }
INLINE vf32 f32_from_i64(vi64 low, vi64 high) { /* rounded once */
  const vf32_half parts[2] = {__builtin_convertvector(low, vf32_half), __builtin_convertvector(high, vf32_half)};
  vf32 all;
  memcpy(&all, parts, sizeof(all));
  return all;
}
/* Towards 0; what is out of range, and NaN, is the least integer. */
INLINE vi32 i32_from_f32_or_least(vf32 x) {
#if SIMD_BYTES == 64
  return (vi32)_mm512_cvttps_epi32((__m512)x);
#elif SIMD_BYTES == 32
  return (vi32)_mm256_cvttps_epi32((__m256)x);
#elif defined(__SSE2__)
  return (vi32)_mm_cvttps_epi32((__m128)x);
#else
  const vi32 fits = (x >= -2147483648.0f) & (x < 2147483648.0f);
  return i32_select(fits, __builtin_convertvector(f32_select(fits, x, (vf32){0}), vi32), i32_set(INT32_MIN));
#endif
}
INLINE vi32 i32_from_f64_or_least(vf64 low, vf64 high) {
#if SIMD_BYTES == 64
  const __m512i half = _mm512_castsi256_si512(_mm512_cvttpd_epi32((__m512d)low));
  return (vi32)_mm512_inserti32x8(half, _mm512_cvttpd_epi32((__m512d)high), 1);
#elif SIMD_BYTES == 32
  return (vi32)_mm256_set_m128i(_mm256_cvttpd_epi32((__m256d)high), _mm256_cvttpd_epi32((__m256d)low));
#elif defined(__SSE2__)
  return (vi32)_mm_unpacklo_epi64(_mm_cvttpd_epi32((__m128d)low), _mm_cvttpd_epi32((__m128d)high));
#else
  const double x[4] = {low[0], low[1], high[0], high[1]};
  vi32 y;
  for (int l = 0; l < 4; l++) y[l] = x[l] > -2147483649.0 && x[l] < 2147483648.0 ? (int32_t)x[l] : INT32_MIN;
  return y;
#endif
}
INLINE vi64 i64_from_f64_or_least(vf64 x) {
#if SIMD_BYTES == 64
  return (vi64)_mm512_cvttpd_epi64((__m512d)x);
#else
  const vi64 fits = (vi64)(x >= -9223372036854775808.0) & (vi64)(x < 9223372036854775808.0);
  const vi64 whole = __builtin_convertvector(f64_select(fits, x, (vf64){0}), vi64);
  return (fits & whole) | (~fits & i64_set(INT64_MIN));
#endif
}

/* bfloat16: the upper half of a float; rounded to the nearest, ties to even, NaN stays NaN. */
INLINE vf32 f32_load_bf16(const void *p) { return (vf32)(i32_load_u16(p) << 16); }
INLINE vi32 bf16_from_f32(vf32 x) {
  const vu32 bits = (vu32)x;
  const vi32 rounded = (vi32)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
  return i32_select(x != x, (vi32)((bits >> 16) | 0x40), rounded);
}
INLINE void f32_store_bf16(void *p, vf32 x) { i32_store_16(p, bf16_from_f32(x)); }

/* float16, in the same way. */
#if SIMD_BYTES >= 32
/* clang 14 compares the halves themselves, one by one, where it sees them behind a comparison. */
INLINE vf32 f32_seen(vf32 x) {
#if defined(__clang__)
  __asm__("" : "+v"(x));
#endif
  return x;
}
#endif
#if SIMD_BYTES == 64
INLINE vf32 f32_load_f16(const void *p) { return f32_seen((vf32)_mm512_cvtph_ps(_mm256_loadu_si256(p))); }
INLINE void f32_store_f16(void *p, vf32 x) { _mm256_storeu_si256(p, _mm512_cvtps_ph((__m512)x, 0)); }
#elif SIMD_BYTES == 32
INLINE vf32 f32_load_f16(const void *p) { return f32_seen((vf32)_mm256_cvtph_ps(_mm_loadu_si128(p))); }
INLINE void f32_store_f16(void *p, vf32 x) { _mm_storeu_si128(p, _mm256_cvtps_ph((__m256)x, 0)); }
#elif defined(__aarch64__)
INLINE vf32 f32_load_f16(const void *p) { return (vf32)vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))); }
INLINE void f32_store_f16(void *p, vf32 x) { vst1_u8(p, vreinterpret_u8_f16(vcvt_f16_f32((float32x4_t)x))); }
#else
/* The exponent moves by a product, which is exact and makes subnormal numbers normal; infinity and NaN apart. */
INLINE vf32 f32_load_f16(const void *p) {
  const vi32 h = i32_load_u16(p), sign = (h & 0x8000) << 16, magnitude = (h & 0x7FFF) << 13;
  const vf32 number = (vf32)magnitude * 0x1p112f;
  const vi32 special = magnitude >= 0x7C00 << 13;
  return (vf32)(i32_select(special, magnitude | 0x7F800000, (vi32)number) | sign);
}
INLINE void f32_store_f16(void *p, vf32 x) {
  const vi32 bits = (vi32)x, sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7FFFFFFF;
  const vi32 normal = (magnitude + (0xFFF + ((magnitude >> 13) & 1)) - (112 << 23)) >> 13;
  const vi32 small = (vi32)((vf32)magnitude + 0.5f) - 0x3F000000; /* the sum rounds at 2^-24 */
  vi32 half = i32_select(magnitude < 113 << 23, small, normal);
  half = i32_select(magnitude >= 0x477FF000, i32_set(0x7C00), half); /* 65520 and more */
  half = i32_select(magnitude > 0x7F800000, ((magnitude >> 13) & 0x3FF) | 0x7E00, half);
  i32_store_16(p, half | sign);
}
#endif

/* Bytes without a sign. */
#if SIMD_BYTES == 64
INLINE vi8 u8_greatest(vi8 a, vi8 b) { return (vi8)_mm512_max_epu8((__m512i)a, (__m512i)b); }
#elif SIMD_BYTES == 32
INLINE vi8 u8_greatest(vi8 a, vi8 b) { return (vi8)_mm256_max_epu8((__m256i)a, (__m256i)b); }
#elif defined(__SSE2__)
INLINE vi8 u8_greatest(vi8 a, vi8 b) { return (vi8)_mm_max_epu8((__m128i)a, (__m128i)b); }
#elif defined(__wasm_simd128__)
INLINE vi8 u8_greatest(vi8 a, vi8 b) { return (vi8)wasm_u8x16_max((v128_t)a, (v128_t)b); }
#elif defined(__ARM_NEON)
INLINE vi8 u8_greatest(vi8 a, vi8 b) { return (vi8)vmaxq_u8((uint8x16_t)a, (uint8x16_t)b); }
#else
INLINE vi8 u8_greatest(vi8 a, vi8 b) {
  const vi8 flip = i8_set(INT8_MIN), larger = (a ^ flip) > (b ^ flip);
  return (a & larger) | (b & ~larger);
}
#endif

/* Lanes whose sum is that of unsigned bytes. */
INLINE vi32 i32_byte_sums(vi8 x) {
#if SIMD_BYTES == 64
  return (vi32)_mm512_sad_epu8((__m512i)x, _mm512_setzero_si512());
#elif SIMD_BYTES == 32
  return (vi32)_mm256_sad_epu8((__m256i)x, _mm256_setzero_si256());
#elif defined(__SSE2__)
  return (vi32)_mm_sad_epu8((__m128i)x, _mm_setzero_si128());
#elif defined(__wasm_simd128__)
  return (vi32)wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16((v128_t)x));
#elif defined(__ARM_NEON)
  return (vi32)vpaddlq_u16(vpaddlq_u8((uint8x16_t)x));
#else
  const vi32 v = (vi32)x;
  return (v & 0xFF) + ((v >> 8) & 0xFF) + ((v >> 16) & 0xFF) + ((v >> 24) & 0xFF);
#endif
}

#endif
