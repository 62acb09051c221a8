/* across.h: lanes that change places.
 * See simd.h. */
#ifndef ONRI_SIMD_ACROSS_H
#define ONRI_SIMD_ACROSS_H

#include "kernels/simd/lanes.h"

/* 0, 1, 2 ... */
INLINE vi32 i32_lanes(void) {
#if SIMD_BYTES == 64
  return (vi32){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif SIMD_BYTES == 32
  return (vi32){0, 1, 2, 3, 4, 5, 6, 7};
#else
  return (vi32){0, 1, 2, 3};
#endif
}

/* Lane l is lane index[l] of v; indices from 0 on. */
INLINE vi32 i32_permute(vi32 v, vi32 index) {
#if SIMD_BYTES == 64
  return (vi32)_mm512_permutexvar_epi32((__m512i)index, (__m512i)v);
#elif SIMD_BYTES == 32
  return (vi32)_mm256_permutevar8x32_epi32((__m256i)v, (__m256i)index);
#elif defined(__wasm_simd128__)
  return (vi32)wasm_i8x16_swizzle((v128_t)v, (v128_t)(index * 0x04040404 + 0x03020100));
#elif defined(__aarch64__)
  return (vi32)vqtbl1q_u8((uint8x16_t)v, (uint8x16_t)(index * 0x04040404 + 0x03020100));
#else
  return (vi32){v[index[0]], v[index[1]], v[index[2]], v[index[3]]};
#endif
}

/* Lane l is lane index[l] of a and b one behind the other; indices from 0 on. */
INLINE vi32 i32_pick(vi32 a, vi32 b, vi32 index) {
#if SIMD_BYTES == 64
  return (vi32)_mm512_permutex2var_epi32((__m512i)a, (__m512i)index, (__m512i)b);
#elif SIMD_BYTES == 32
  const vi32 low = (vi32)_mm256_permutevar8x32_epi32((__m256i)a, (__m256i)index);
  const vi32 high = (vi32)_mm256_permutevar8x32_epi32((__m256i)b, (__m256i)index);
  return i32_select(index > 7, high, low);
#elif defined(__wasm_simd128__)
  const vi8 at = (vi8)(index * 0x04040404 + 0x03020100); /* of bytes; what is beyond 15 picks 0 */
  return (vi32)wasm_v128_or(wasm_i8x16_swizzle((v128_t)a, (v128_t)at),
                            wasm_i8x16_swizzle((v128_t)b, (v128_t)(at - 16)));
#elif defined(__aarch64__)
  const vi8 at = (vi8)(index * 0x04040404 + 0x03020100); /* of bytes */
  return (vi32)vqtbl2q_u8((uint8x16x2_t){{(uint8x16_t)a, (uint8x16_t)b}}, (uint8x16_t)at);
#else
  vi32 v;
  for (int l = 0; l < 4; l++) v[l] = index[l] < 4 ? a[index[l]] : b[index[l] - 4];
  return v;
#endif
}

/* a0 b0 a1 b1 ... of the lower or upper half of the lanes. */
#if SIMD_BYTES == 64
INLINE vf32 f32_interleave_low(vf32 a, vf32 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
INLINE vf32 f32_interleave_high(vf32 a, vf32 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif SIMD_BYTES == 32
INLINE vf32 f32_interleave_low(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
INLINE vf32 f32_interleave_high(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
INLINE vf32 f32_interleave_low(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
INLINE vf32 f32_interleave_high(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

/* Rows become columns. */
INLINE void f32_transpose(vf32 v[F32_LANES]) {
  UNROLL for (int step = 1; step < F32_LANES; step *= 2) {
    vf32 x[F32_LANES];
    UNROLL for (int i = 0; i < F32_LANES; i++) x[i] = v[i];
    UNROLL for (int i = 0; i < F32_LANES / 2; i++) {
      v[2 * i] = f32_interleave_low(x[i], x[i + F32_LANES / 2]);
      v[2 * i + 1] = f32_interleave_high(x[i], x[i + F32_LANES / 2]);
    }
  }
}

/* Lane i: the sum of the lanes of v[i]. In fewer steps than a transpose takes. */
INLINE vf32 f32_sums(vf32 v[F32_LANES]) {
  UNROLL for (int half = F32_LANES / 2; half > 0; half /= 2) UNROLL for (int i = 0; i < half; i++) v[i] =
      f32_interleave_low(v[i], v[i + half]) + f32_interleave_high(v[i], v[i + half]);
  return v[0];
}

/* a0 b0 a1 b1 of doubles, as above. */
#if SIMD_BYTES == 64
INLINE vf64 f64_interleave_low(vf64 a, vf64 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
INLINE vf64 f64_interleave_high(vf64 a, vf64 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#elif SIMD_BYTES == 32
INLINE vf64 f64_interleave_low(vf64 a, vf64 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
INLINE vf64 f64_interleave_high(vf64 a, vf64 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#else
INLINE vf64 f64_interleave_low(vf64 a, vf64 b) { return __builtin_shufflevector(a, b, 0, 2); }
INLINE vf64 f64_interleave_high(vf64 a, vf64 b) { return __builtin_shufflevector(a, b, 1, 3); }
#endif
/* As f32_sums, in the order of f64_sum. */
INLINE vf64 f64_sums(vf64 v[F64_LANES]) {
  UNROLL for (int half = F64_LANES / 2; half > 0; half /= 2) UNROLL for (int i = 0; i < half; i++) v[i] =
      f64_interleave_low(v[i], v[i + half]) + f64_interleave_high(v[i], v[i + half]);
  return v[0];
}
INLINE void f64_transpose(vf64 v[F64_LANES]) {
  UNROLL for (int step = 1; step < F64_LANES; step *= 2) {
    vf64 x[F64_LANES];
    UNROLL for (int i = 0; i < F64_LANES; i++) x[i] = v[i];
    UNROLL for (int i = 0; i < F64_LANES / 2; i++) {
      v[2 * i] = f64_interleave_low(x[i], x[i + F64_LANES / 2]);
      v[2 * i + 1] = f64_interleave_high(x[i], x[i + F64_LANES / 2]);
    }
  }
}

/* Elements of 8 or 16 bits of two vectors in turn, the first or the second half of each 16 bytes. */
INLINE vi8 i8_zip_low(vi8 a, vi8 b) {
#if SIMD_BYTES == 64
  return (vi8)_mm512_unpacklo_epi8((__m512i)a, (__m512i)b);
#elif SIMD_BYTES == 32
  return (vi8)_mm256_unpacklo_epi8((__m256i)a, (__m256i)b);
#else
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#endif
}
INLINE vi8 i8_zip_high(vi8 a, vi8 b) {
#if SIMD_BYTES == 64
  return (vi8)_mm512_unpackhi_epi8((__m512i)a, (__m512i)b);
#elif SIMD_BYTES == 32
  return (vi8)_mm256_unpackhi_epi8((__m256i)a, (__m256i)b);
#else
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#endif
}
INLINE vi8 i16_zip_low(vi8 a, vi8 b) {
#if SIMD_BYTES == 64
  return (vi8)_mm512_unpacklo_epi16((__m512i)a, (__m512i)b);
#elif SIMD_BYTES == 32
  return (vi8)_mm256_unpacklo_epi16((__m256i)a, (__m256i)b);
#else
  return (vi8)__builtin_shufflevector((vi16)a, (vi16)b, 0, 8, 1, 9, 2, 10, 3, 11);
#endif
}
INLINE vi8 i16_zip_high(vi8 a, vi8 b) {
#if SIMD_BYTES == 64
  return (vi8)_mm512_unpackhi_epi16((__m512i)a, (__m512i)b);
#elif SIMD_BYTES == 32
  return (vi8)_mm256_unpackhi_epi16((__m256i)a, (__m256i)b);
#else
  return (vi8)__builtin_shufflevector((vi16)a, (vi16)b, 4, 12, 5, 13, 6, 14, 7, 15);
#endif
}

/* Bytes 0, 2, 4 ... of two vectors. */
INLINE vi8 i8_even(vi8 a, vi8 b) {
#if SIMD_BYTES == 64
  return (vi8)_mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi16_epi8((__m512i)a)),
                                 _mm512_cvtepi16_epi8((__m512i)b), 1);
#elif SIMD_BYTES == 32
  const __m256i low = _mm256_set1_epi16(0xFF);
  const __m256i both = _mm256_packus_epi16(_mm256_and_si256((__m256i)a, low), _mm256_and_si256((__m256i)b, low));
  return (vi8)_mm256_permute4x64_epi64(both, 0xD8);
#else
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#endif
}

/* y[i] = x[at[i]] of 16 bytes, in an instruction; where there is none, not to be called. */
#if defined(__SSSE3__)
#define HAS_TAKE_16 1
INLINE void bytes_take_16(const void *x, const void *at, void *y) {
  _mm_storeu_si128((__m128i *)y,
                   _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)x), _mm_loadu_si128((const __m128i *)at)));
}
#elif defined(__aarch64__)
#define HAS_TAKE_16 1
INLINE void bytes_take_16(const void *x, const void *at, void *y) {
  vst1q_u8(y, vqtbl1q_u8(vld1q_u8(x), vld1q_u8(at)));
}
#elif defined(__wasm_simd128__)
#define HAS_TAKE_16 1
INLINE void bytes_take_16(const void *x, const void *at, void *y) {
  wasm_v128_store(y, wasm_i8x16_swizzle(wasm_v128_load(x), wasm_v128_load(at)));
}
#else
#define HAS_TAKE_16 0
INLINE void bytes_take_16(const void *x, const void *at, void *y) { (void)x, (void)at, (void)y; }
#endif

/* Groups of four lanes: group g lies at p + g * stride bytes. */
INLINE vf32 f32_load_fours(const char *p, ptrdiff_t stride) {
#if SIMD_BYTES == 64
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps((const float *)(const void *)p));
  v = _mm512_insertf32x4(v, _mm_loadu_ps((const float *)(const void *)(p + stride)), 1);
  v = _mm512_insertf32x4(v, _mm_loadu_ps((const float *)(const void *)(p + 2 * stride)), 2);
  return (vf32)_mm512_insertf32x4(v, _mm_loadu_ps((const float *)(const void *)(p + 3 * stride)), 3);
#elif SIMD_BYTES == 32
  return (vf32)_mm256_set_m128(_mm_loadu_ps((const float *)(const void *)(p + stride)),
                               _mm_loadu_ps((const float *)(const void *)p));
#else
  (void)stride;
  return f32_load(p);
#endif
}
INLINE void f32_store_fours(char *p, ptrdiff_t stride, vf32 v) {
#if SIMD_BYTES == 64
  _mm_storeu_ps((float *)(void *)p, _mm512_castps512_ps128((__m512)v));
  _mm_storeu_ps((float *)(void *)(p + stride), _mm512_extractf32x4_ps((__m512)v, 1));
  _mm_storeu_ps((float *)(void *)(p + 2 * stride), _mm512_extractf32x4_ps((__m512)v, 2));
  _mm_storeu_ps((float *)(void *)(p + 3 * stride), _mm512_extractf32x4_ps((__m512)v, 3));
#elif SIMD_BYTES == 32
  _mm_storeu_ps((float *)(void *)p, _mm256_castps256_ps128((__m256)v));
  _mm_storeu_ps((float *)(void *)(p + stride), _mm256_extractf128_ps((__m256)v, 1));
#else
  (void)stride;
  f32_store(p, v);
#endif
}
/* Rows become columns within each group. */
INLINE void f32_transpose_fours(vf32 v[4]) {
#if SIMD_BYTES == 64
#define LOW(a, b) (vf32) _mm512_unpacklo_ps((__m512)(a), (__m512)(b))
#define HIGH(a, b) (vf32) _mm512_unpackhi_ps((__m512)(a), (__m512)(b))
#elif SIMD_BYTES == 32
#define LOW(a, b) (vf32) _mm256_unpacklo_ps((__m256)(a), (__m256)(b))
#define HIGH(a, b) (vf32) _mm256_unpackhi_ps((__m256)(a), (__m256)(b))
#else
#define LOW(a, b) f32_interleave_low(a, b)
#define HIGH(a, b) f32_interleave_high(a, b)
#endif
  const vf32 a = LOW(v[0], v[2]), b = LOW(v[1], v[3]), c = HIGH(v[0], v[2]), d = HIGH(v[1], v[3]);
  v[0] = LOW(a, b), v[1] = HIGH(a, b), v[2] = LOW(c, d), v[3] = HIGH(c, d);
#undef LOW
#undef HIGH
}

#endif
