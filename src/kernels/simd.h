/* simd.h: the vector language in which kernels are written once for all instruction sets.
 *
 * A file src/kernels/FAMILY/NAME_simd.c is compiled once for each level (cmake/library.cmake), with the level's
 * compiler flags, and vectors are as wide as a register of it. They are vectors of the compiler (GCC and clang): + - *
 * / & | ^ <<
 * >> and comparisons, which give -1 or 0 in each lane, work on them as on numbers; here is what is missing from these.
 *
 *   vf32 vf64           float, double         vi32 vu32 vi64 vu64   integers of 32 and 64 bits
 *   F32_LANES ...       how many lie in one vector
 *   X_load, X_store     memory of any alignment; X_load_part, X_store_part touch the first `count` elements alone,
 *                       count from 0 to more than a vector; lanes behind them are 0
 *   f32_least(a, b)     a < b ? a : b, lane by lane: where one is NaN, b. To keep a NaN of x: f32_least(limit, x)
 *   f32_fma(a, b, c)    a * b + c, rounded once where the processor can (HAS_FMA)
 */
#ifndef ONRI_SIMD_H
#define ONRI_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__i386__) && !defined(__SSE2_MATH__)
#error "kernels round as floats do, which x87 does not: compile for i686 with -msse2 -mfpmath=sse"
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#if defined(__AVX512F__)
#define SIMD_BYTES 64
#define SIMD_REGISTERS 32
#elif defined(__AVX2__)
#define SIMD_BYTES 32
#define SIMD_REGISTERS 16
#elif defined(__aarch64__)
#define SIMD_BYTES 16
#define SIMD_REGISTERS 32
#else
#define SIMD_BYTES 16
#define SIMD_REGISTERS 16
#endif

#if defined(__FMA__) || defined(__aarch64__) || defined(__ARM_FEATURE_FMA)
#define HAS_FMA 1
#else
#define HAS_FMA 0
#endif

/* Products of bytes, four of which are added up: i32_dot_bytes, whose first factors have signs (DOT_IS_SIGNED) or none.
 */
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define HAS_DOT_BYTES 1
#define DOT_IS_SIGNED 0
#define DOT_HAS_LANES 0
#elif defined(__ARM_FEATURE_DOTPROD)
#define HAS_DOT_BYTES 1
#define DOT_IS_SIGNED 1
#define DOT_HAS_LANES 1
#else
#define HAS_DOT_BYTES 0
#define DOT_IS_SIGNED 0
#define DOT_HAS_LANES 0
#endif

/* Checks of sanitizers between all these instructions take compilers minutes, once they are inlined and unrolled. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SIMD_IS_CHECKED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIMD_IS_CHECKED 1
#endif

#if defined(SIMD_IS_CHECKED)
#define INLINE static inline __attribute__((unused))
#define UNROLL
#elif defined(__clang__)
#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("GCC unroll 64")
#endif

#define SIMD_FUNCTION static __attribute__((noinline, unused))

/* It is soon to be read. */
INLINE void simd_prefetch(const void *p) { __builtin_prefetch(p); }
/* The same for vector k of some in a row: each line of the cache once. */
INLINE void simd_prefetch_vector(const void *p, const int k) {
  if (k * SIMD_BYTES % 64 == 0) simd_prefetch(p);
}

/* --- types, loads and stores --- */

#define SIMD_TYPE(prefix, type)                                                                    \
  typedef type v##prefix __attribute__((vector_size(SIMD_BYTES)));                                 \
  typedef type v##prefix##_memory __attribute__((vector_size(SIMD_BYTES), aligned(1), may_alias)); \
  INLINE v##prefix prefix##_load(const void *p) { return *(const v##prefix##_memory *)p; }         \
  INLINE void prefix##_store(void *p, v##prefix v) { *(v##prefix##_memory *)p = v; }

SIMD_TYPE(f32, float)
SIMD_TYPE(f64, double)
SIMD_TYPE(i32, int32_t)
SIMD_TYPE(u32, uint32_t)
SIMD_TYPE(i64, int64_t)
SIMD_TYPE(u64, uint64_t)
SIMD_TYPE(i16, int16_t)
SIMD_TYPE(i8, int8_t)
#undef SIMD_TYPE

enum { F32_LANES = SIMD_BYTES / 4, F64_LANES = SIMD_BYTES / 8, I16_LANES = SIMD_BYTES / 2, I8_LANES = SIMD_BYTES };

/* Not a sum with 0: that would lose the sign of -0. */
INLINE vf32 f32_set(float x) { return x - (vf32){0}; }
INLINE vf64 f64_set(double x) { return x - (vf64){0}; }
INLINE vi32 i32_set(int32_t x) { return x - (vi32){0}; }
INLINE vi64 i64_set(int64_t x) { return x - (vi64){0}; }
INLINE vi16 i16_set(int16_t x) { return x - (vi16){0}; }
INLINE vi8 i8_set(int8_t x) { return x - (vi8){0}; }

#if SIMD_BYTES == 64
INLINE __mmask16 f32_first(size_t count) { return (__mmask16)(count < 16 ? (1u << count) - 1 : 0xFFFFu); }
INLINE __mmask8 f64_first(size_t count) { return (__mmask8)(count < 8 ? (1u << count) - 1 : 0xFFu); }
INLINE vf32 f32_load_part(const void *p, size_t count) { return (vf32)_mm512_maskz_loadu_ps(f32_first(count), p); }
INLINE void f32_store_part(void *p, vf32 v, size_t count) { _mm512_mask_storeu_ps(p, f32_first(count), (__m512)v); }
INLINE vf64 f64_load_part(const void *p, size_t count) { return (vf64)_mm512_maskz_loadu_pd(f64_first(count), p); }
INLINE void f64_store_part(void *p, vf64 v, size_t count) { _mm512_mask_storeu_pd(p, f64_first(count), (__m512d)v); }
INLINE __mmask64 i8_first(size_t count) { return count < 64 ? ((__mmask64)1 << count) - 1 : ~(__mmask64)0; }
INLINE vi8 i8_load_part(const void *p, size_t count) { return (vi8)_mm512_maskz_loadu_epi8(i8_first(count), p); }
INLINE void i8_store_part(void *p, vi8 v, size_t count) { _mm512_mask_storeu_epi8(p, i8_first(count), (__m512i)v); }
/* x with its upper half from p on, and that half in the lower one. */
INLINE vi8 i8_load_upper(vi8 x, const void *p, size_t count) {
  return (vi8)_mm512_mask_loadu_epi8((__m512i)x, i8_first(count) << 32, (const char *)p - 32);
}
INLINE vi8 i8_upper(vi8 x) { return (vi8)_mm512_shuffle_i64x2((__m512i)x, (__m512i)x, 0xEE); }
#elif SIMD_BYTES == 32
INLINE __m256i f32_first(size_t count) {
  const vi32 lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return (__m256i)(lane < i32_set(count < 8 ? (int32_t)count : 8));
}
INLINE __m256i f64_first(size_t count) {
  const vi64 lane = {0, 1, 2, 3};
  return (__m256i)(lane < (int64_t)(count < 4 ? count : 4) - (vi64){0});
}
INLINE vf32 f32_load_part(const void *p, size_t count) { return (vf32)_mm256_maskload_ps(p, f32_first(count)); }
INLINE vf64 f64_load_part(const void *p, size_t count) { return (vf64)_mm256_maskload_pd(p, f64_first(count)); }
/* Halves, quarters ...: a masked store takes AMD's cores dozens of cycles, whatever it masks. */
SIMD_FUNCTION void f64_store_few(void *p, vf64 v, size_t count) {
  double *y = p;
  __m128d left = _mm256_castpd256_pd128((__m256d)v);
  if (count & 2) {
    _mm_storeu_pd(y, left);
    y += 2, left = _mm256_extractf128_pd((__m256d)v, 1);
  }
  if (count & 1) _mm_store_sd(y, left);
}
SIMD_FUNCTION void f32_store_few(void *p, vf32 v, size_t count) {
  float *y = p;
  __m128 left = _mm256_castps256_ps128((__m256)v);
  if (count & 4) {
    _mm_storeu_ps(y, left);
    y += 4, left = _mm256_extractf128_ps((__m256)v, 1);
  }
  if (count & 2) {
    _mm_storel_pi((__m64 *)(void *)y, left);
    y += 2, left = _mm_movehl_ps(left, left);
  }
  if (count & 1) _mm_store_ss(y, left);
}
INLINE void f32_store_part(void *p, vf32 v, size_t count) {
  if (count >= F32_LANES) f32_store(p, v);
  else f32_store_few(p, v, count);
}
INLINE void f64_store_part(void *p, vf64 v, size_t count) {
  if (count >= F64_LANES) f64_store(p, v);
  else f64_store_few(p, v, count);
}
#else /* so many instructions that they are not inlined */
SIMD_FUNCTION vf32 f32_load_part(const void *p, size_t count) {
  vf32 v = {0};
  if (count >= F32_LANES) return f32_load(p);
  const float *x = p;
  if (count > 2) v[2] = x[2];
  if (count > 1) v[1] = x[1];
  if (count > 0) v[0] = x[0];
  return v;
}
SIMD_FUNCTION void f32_store_part(void *p, vf32 v, size_t count) {
  float *y = p;
  if (count >= F32_LANES) {
    f32_store(p, v);
    return;
  }
  if (count > 2) y[2] = v[2];
  if (count > 1) y[1] = v[1];
  if (count > 0) y[0] = v[0];
}
INLINE vf64 f64_load_part(const void *p, size_t count) {
  if (count >= F64_LANES) return f64_load(p);
  return (vf64){count > 0 ? *(const double *)p : 0.0, 0.0};
}
INLINE void f64_store_part(void *p, vf64 v, size_t count) {
  if (count >= F64_LANES) f64_store(p, v);
  else if (count > 0) *(double *)p = v[0];
}
#endif
#if SIMD_BYTES <= 32
SIMD_FUNCTION vi8 i8_load_part(const void *p, size_t count) {
  vi8 v = {0};
  if (count >= I8_LANES) return i8_load(p);
  memcpy(&v, p, count);
  return v;
}
INLINE void i8_store_part(void *p, vi8 v, size_t count) {
  if (count >= I8_LANES) i8_store(p, v);
  else memcpy(p, &v, count);
}
#endif
#if SIMD_BYTES == 16
INLINE vi8 i8_upper(vi8 x) { return (vi8)__builtin_shufflevector((vi64)x, (vi64)x, 1, 1); }
/* Half a vector from each. */
INLINE vi8 i8_load_halves(const void *low, const void *high) {
  vi64 v;
  int64_t half[2];
  memcpy(&half[0], low, sizeof(half[0])), memcpy(&half[1], high, sizeof(half[1]));
  v = (vi64){half[0], half[1]};
  return (vi8)v;
}
#endif
/* Lanes [first, last) alone; last may be more than a vector has. */
#if SIMD_BYTES == 64
INLINE vf32 f32_load_between(const void *p, size_t first, size_t last) {
  return (vf32)_mm512_maskz_loadu_ps((__mmask16)(f32_first(last) & ~f32_first(first)), p);
}
INLINE vf64 f64_load_between(const void *p, size_t first, size_t last) {
  return (vf64)_mm512_maskz_loadu_pd((__mmask8)(f64_first(last) & ~f64_first(first)), p);
}
#elif SIMD_BYTES == 32
INLINE vf32 f32_load_between(const void *p, size_t first, size_t last) {
  return (vf32)_mm256_maskload_ps(p, _mm256_andnot_si256(f32_first(first), f32_first(last)));
}
INLINE vf64 f64_load_between(const void *p, size_t first, size_t last) {
  return (vf64)_mm256_maskload_pd(p, _mm256_andnot_si256(f64_first(first), f64_first(last)));
}
#else
SIMD_FUNCTION vf32 f32_load_between(const float *p, size_t first, size_t last) {
  vf32 v = {0};
  for (size_t l = first; l < last && l < F32_LANES; l++) v[l] = p[l];
  return v;
}
SIMD_FUNCTION vf64 f64_load_between(const void *p, size_t first, size_t last) {
  vf64 v = {0};
  for (size_t l = first; l < last && l < F64_LANES; l++) v[l] = ((const double *)p)[l];
  return v;
}
#endif
/* Lanes from `count` on become 0. */
INLINE vf32 f32_first_lanes(vf32 v, size_t count) {
#if SIMD_BYTES == 64
  return (vf32)_mm512_maskz_mov_ps(f32_first(count), (__m512)v);
#elif SIMD_BYTES == 32
  return (vf32)_mm256_and_ps((__m256)f32_first(count), (__m256)v);
#else
  const vi32 lane = {0, 1, 2, 3};
  return (vf32)((vi32)v & (lane < i32_set(count < 4 ? (int32_t)count : 4)));
#endif
}
/* A mask of the first `count` lanes. */
INLINE vi64 i64_first_lanes(size_t count) {
#if SIMD_BYTES == 64
  const vi64 lane = {0, 1, 2, 3, 4, 5, 6, 7};
#elif SIMD_BYTES == 32
  const vi64 lane = {0, 1, 2, 3};
#else
  const vi64 lane = {0, 1};
#endif
  return (vi64)(lane < i64_set((int64_t)(count < F64_LANES ? count : F64_LANES)));
}
INLINE vi32 i32_first_lanes(size_t count) { return (vi32)f32_first_lanes((vf32)i32_set(-1), count); }
INLINE vi32 i32_load_part(const void *p, size_t count) { return (vi32)f32_load_part(p, count); }
INLINE void i32_store_part(void *p, vi32 v, size_t count) { f32_store_part(p, (vf32)v, count); }

/* `count` elements that lie `step` apart. */
INLINE vf32 f32_gather_part(const float *p, size_t step, size_t count) {
  float x[F32_LANES] = {0};
  for (size_t i = 0; i < F32_LANES && i < count; i++) x[i] = p[i * step];
  return f32_load(x);
}
/* Lane l is p[index[l]]. */
INLINE vf32 f32_gather(const float *p, vi32 index) {
#if SIMD_BYTES == 64
  return (vf32)_mm512_i32gather_ps((__m512i)index, p, 4);
#elif SIMD_BYTES == 32
  return (vf32)_mm256_i32gather_ps(p, (__m256i)index, 4);
#else
  return (vf32){p[index[0]], p[index[1]], p[index[2]], p[index[3]]};
#endif
}
/* Lanes 0, 2, 4 ... of two vectors, and lanes 1, 3, 5 ... */
#if SIMD_BYTES == 64
INLINE vf32 f32_even(vf32 a, vf32 b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
INLINE vf32 f32_odd(vf32 a, vf32 b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
#elif SIMD_BYTES == 32
INLINE vf32 f32_even(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
INLINE vf32 f32_odd(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
#else
INLINE vf32 f32_even(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6); }
INLINE vf32 f32_odd(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7); }
#endif
/* x[0], x[2], x[4] ... of two vectors in memory. */
INLINE vf32 f32_load_even(const float *x) { return f32_even(f32_load(x), f32_load(x + F32_LANES)); }

/* --- lane by lane --- */

/* mask: what a comparison gave. */
#if SIMD_BYTES == 64
INLINE vf32 f32_select(vi32 mask, vf32 a, vf32 b) {
  return (vf32)_mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)mask), (__m512)b, (__m512)a);
}
INLINE vf64 f64_select(vi64 mask, vf64 a, vf64 b) {
  return (vf64)_mm512_mask_blend_pd(_mm512_movepi64_mask((__m512i)mask), (__m512d)b, (__m512d)a);
}
#elif SIMD_BYTES == 32
INLINE vf32 f32_select(vi32 mask, vf32 a, vf32 b) { return (vf32)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask); }
INLINE vf64 f64_select(vi64 mask, vf64 a, vf64 b) {
  return (vf64)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)mask);
}
#elif defined(__wasm_simd128__)
INLINE vf32 f32_select(vi32 mask, vf32 a, vf32 b) {
  return (vf32)wasm_v128_bitselect((v128_t)a, (v128_t)b, (v128_t)mask);
}
INLINE vf64 f64_select(vi64 mask, vf64 a, vf64 b) {
  return (vf64)wasm_v128_bitselect((v128_t)a, (v128_t)b, (v128_t)mask);
}
#else
INLINE vf32 f32_select(vi32 mask, vf32 a, vf32 b) { return (vf32)((mask & (vi32)a) | (~mask & (vi32)b)); }
INLINE vf64 f64_select(vi64 mask, vf64 a, vf64 b) { return (vf64)((mask & (vi64)a) | (~mask & (vi64)b)); }
#endif
/* table[x & 15], in an instruction or two; where there is none, not to be called. */
#if SIMD_BYTES == 64
#define HAS_LOOKUP_16 1
INLINE vf32 f32_lookup_16(vf32 table, vi32 x) { return (vf32)_mm512_permutexvar_ps((__m512i)x, (__m512)table); }
#else
#define HAS_LOOKUP_16 0
INLINE vf32 f32_lookup_16(vf32 table, vi32 x) { return (void)x, table; }
#endif
INLINE vi32 i32_select(vi32 mask, vi32 a, vi32 b) { return (vi32)f32_select(mask, (vf32)a, (vf32)b); }
INLINE vi64 i64_select(vi64 mask, vi64 a, vi64 b) { return (vi64)f64_select(mask, (vf64)a, (vf64)b); }
#if defined(__wasm_simd128__)
INLINE vi32 i32_least(vi32 a, vi32 b) { return (vi32)wasm_i32x4_min((v128_t)a, (v128_t)b); }
INLINE vi32 i32_greatest(vi32 a, vi32 b) { return (vi32)wasm_i32x4_max((v128_t)a, (v128_t)b); }
#elif defined(__ARM_NEON)
INLINE vi32 i32_least(vi32 a, vi32 b) { return (vi32)vminq_s32((int32x4_t)a, (int32x4_t)b); }
INLINE vi32 i32_greatest(vi32 a, vi32 b) { return (vi32)vmaxq_s32((int32x4_t)a, (int32x4_t)b); }
#else
INLINE vi32 i32_least(vi32 a, vi32 b) { return i32_select(a < b, a, b); }
INLINE vi32 i32_greatest(vi32 a, vi32 b) { return i32_select(a > b, a, b); }
#endif
INLINE vu32 u32_least(vu32 a, vu32 b) {
#if SIMD_BYTES == 64
  return (vu32)_mm512_min_epu32((__m512i)a, (__m512i)b);
#elif SIMD_BYTES == 32
  return (vu32)_mm256_min_epu32((__m256i)a, (__m256i)b);
#elif defined(__wasm_simd128__)
  return (vu32)wasm_u32x4_min((v128_t)a, (v128_t)b);
#elif defined(__ARM_NEON)
  return (vu32)vminq_u32((uint32x4_t)a, (uint32x4_t)b);
#else
  return (vu32)i32_select((vi32)(a < b), (vi32)a, (vi32)b);
#endif
}
INLINE vi64 i64_greatest(vi64 a, vi64 b) { return i64_select(a > b, a, b); }
INLINE vf32 f32_abs(vf32 x) { return (vf32)((vi32)x & 0x7FFFFFFF); }
INLINE vf64 f64_abs(vf64 x) { return (vf64)((vi64)x & 0x7FFFFFFFFFFFFFFF); }
INLINE vf32 f32_with_sign_of(vf32 x, vf32 sign) { return (vf32)(((vi32)x & 0x7FFFFFFF) | ((vi32)sign & INT32_MIN)); }

#if SIMD_BYTES == 64
INLINE vf32 f32_least(vf32 a, vf32 b) { return (vf32)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE vf32 f32_greatest(vf32 a, vf32 b) { return (vf32)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE vf64 f64_least(vf64 a, vf64 b) { return (vf64)_mm512_min_pd((__m512d)a, (__m512d)b); }
INLINE vf64 f64_greatest(vf64 a, vf64 b) { return (vf64)_mm512_max_pd((__m512d)a, (__m512d)b); }
INLINE vf32 f32_fma(vf32 a, vf32 b, vf32 c) { return (vf32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
INLINE vf64 f64_fma(vf64 a, vf64 b, vf64 c) { return (vf64)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c); }
INLINE vf32 f32_sqrt(vf32 x) { return (vf32)_mm512_sqrt_ps((__m512)x); }
INLINE vf32 f32_rint(vf32 x) { return (vf32)_mm512_roundscale_ps((__m512)x, 8); }
INLINE vf32 f32_floor(vf32 x) { return (vf32)_mm512_roundscale_ps((__m512)x, 9); }
INLINE vf32 f32_ceil(vf32 x) { return (vf32)_mm512_roundscale_ps((__m512)x, 10); }
INLINE vf64 f64_sqrt(vf64 x) { return (vf64)_mm512_sqrt_pd((__m512d)x); }
INLINE vf64 f64_rint(vf64 x) { return (vf64)_mm512_roundscale_pd((__m512d)x, 8); }
INLINE vf64 f64_floor(vf64 x) { return (vf64)_mm512_roundscale_pd((__m512d)x, 9); }
INLINE vf64 f64_ceil(vf64 x) { return (vf64)_mm512_roundscale_pd((__m512d)x, 10); }
#elif SIMD_BYTES == 32
INLINE vf32 f32_least(vf32 a, vf32 b) { return (vf32)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE vf32 f32_greatest(vf32 a, vf32 b) { return (vf32)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE vf64 f64_least(vf64 a, vf64 b) { return (vf64)_mm256_min_pd((__m256d)a, (__m256d)b); }
INLINE vf64 f64_greatest(vf64 a, vf64 b) { return (vf64)_mm256_max_pd((__m256d)a, (__m256d)b); }
INLINE vf32 f32_fma(vf32 a, vf32 b, vf32 c) { return (vf32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
INLINE vf64 f64_fma(vf64 a, vf64 b, vf64 c) { return (vf64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
INLINE vf32 f32_sqrt(vf32 x) { return (vf32)_mm256_sqrt_ps((__m256)x); }
INLINE vf32 f32_rint(vf32 x) { return (vf32)_mm256_round_ps((__m256)x, 8); }
INLINE vf32 f32_floor(vf32 x) { return (vf32)_mm256_round_ps((__m256)x, 9); }
INLINE vf32 f32_ceil(vf32 x) { return (vf32)_mm256_round_ps((__m256)x, 10); }
INLINE vf64 f64_sqrt(vf64 x) { return (vf64)_mm256_sqrt_pd((__m256d)x); }
INLINE vf64 f64_rint(vf64 x) { return (vf64)_mm256_round_pd((__m256d)x, 8); }
INLINE vf64 f64_floor(vf64 x) { return (vf64)_mm256_round_pd((__m256d)x, 9); }
INLINE vf64 f64_ceil(vf64 x) { return (vf64)_mm256_round_pd((__m256d)x, 10); }
#else
#if defined(__SSE2__)
INLINE vf32 f32_least(vf32 a, vf32 b) { return (vf32)_mm_min_ps((__m128)a, (__m128)b); }
INLINE vf32 f32_greatest(vf32 a, vf32 b) { return (vf32)_mm_max_ps((__m128)a, (__m128)b); }
INLINE vf64 f64_least(vf64 a, vf64 b) { return (vf64)_mm_min_pd((__m128d)a, (__m128d)b); }
INLINE vf64 f64_greatest(vf64 a, vf64 b) { return (vf64)_mm_max_pd((__m128d)a, (__m128d)b); }
#elif defined(__wasm_simd128__) /* these take b < a ? b : a */
INLINE vf32 f32_least(vf32 a, vf32 b) { return (vf32)wasm_f32x4_pmin((v128_t)b, (v128_t)a); }
INLINE vf32 f32_greatest(vf32 a, vf32 b) { return (vf32)wasm_f32x4_pmax((v128_t)b, (v128_t)a); }
INLINE vf64 f64_least(vf64 a, vf64 b) { return (vf64)wasm_f64x2_pmin((v128_t)b, (v128_t)a); }
INLINE vf64 f64_greatest(vf64 a, vf64 b) { return (vf64)wasm_f64x2_pmax((v128_t)b, (v128_t)a); }
#else
INLINE vf32 f32_least(vf32 a, vf32 b) { return f32_select(a < b, a, b); }
INLINE vf32 f32_greatest(vf32 a, vf32 b) { return f32_select(a > b, a, b); }
INLINE vf64 f64_least(vf64 a, vf64 b) { return f64_select(a < b, a, b); }
INLINE vf64 f64_greatest(vf64 a, vf64 b) { return f64_select(a > b, a, b); }
#endif
#if defined(__aarch64__)
INLINE vf32 f32_fma(vf32 a, vf32 b, vf32 c) { return (vf32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
INLINE vf64 f64_fma(vf64 a, vf64 b, vf64 c) { return (vf64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
#else
INLINE vf32 f32_fma(vf32 a, vf32 b, vf32 c) { return a * b + c; }
INLINE vf64 f64_fma(vf64 a, vf64 b, vf64 c) { return a * b + c; }
#endif
#if defined(__wasm_simd128__)
INLINE vf32 f32_sqrt(vf32 x) { return (vf32)wasm_f32x4_sqrt((v128_t)x); }
INLINE vf32 f32_rint(vf32 x) { return (vf32)wasm_f32x4_nearest((v128_t)x); }
INLINE vf32 f32_floor(vf32 x) { return (vf32)wasm_f32x4_floor((v128_t)x); }
INLINE vf32 f32_ceil(vf32 x) { return (vf32)wasm_f32x4_ceil((v128_t)x); }
INLINE vf64 f64_sqrt(vf64 x) { return (vf64)wasm_f64x2_sqrt((v128_t)x); }
INLINE vf64 f64_rint(vf64 x) { return (vf64)wasm_f64x2_nearest((v128_t)x); }
INLINE vf64 f64_floor(vf64 x) { return (vf64)wasm_f64x2_floor((v128_t)x); }
INLINE vf64 f64_ceil(vf64 x) { return (vf64)wasm_f64x2_ceil((v128_t)x); }
#elif defined(__aarch64__)
INLINE vf32 f32_sqrt(vf32 x) { return (vf32)vsqrtq_f32((float32x4_t)x); }
INLINE vf32 f32_rint(vf32 x) { return (vf32)vrndnq_f32((float32x4_t)x); }
INLINE vf32 f32_floor(vf32 x) { return (vf32)vrndmq_f32((float32x4_t)x); }
INLINE vf32 f32_ceil(vf32 x) { return (vf32)vrndpq_f32((float32x4_t)x); }
INLINE vf64 f64_sqrt(vf64 x) { return (vf64)vsqrtq_f64((float64x2_t)x); }
INLINE vf64 f64_rint(vf64 x) { return (vf64)vrndnq_f64((float64x2_t)x); }
INLINE vf64 f64_floor(vf64 x) { return (vf64)vrndmq_f64((float64x2_t)x); }
INLINE vf64 f64_ceil(vf64 x) { return (vf64)vrndpq_f64((float64x2_t)x); }
#elif defined(__SSE2__)
INLINE vf32 f32_sqrt(vf32 x) { return (vf32)_mm_sqrt_ps((__m128)x); }
#else
INLINE vf32 f32_sqrt(vf32 x) {
  return (vf32){__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1]), __builtin_sqrtf(x[2]), __builtin_sqrtf(x[3])};
}
#endif
#if !defined(__wasm_simd128__) && !defined(__aarch64__)
/* Adding 2^23 leaves no bits of a fraction; beyond, there are none. */
INLINE vf32 f32_rint(vf32 x) {
  const vf32 magic = f32_with_sign_of(f32_set(8388608.0f), x);
  return f32_select(f32_abs(x) < 8388608.0f, f32_with_sign_of(x + magic - magic, x), x);
}
INLINE vf32 f32_floor(vf32 x) {
  const vf32 near = f32_rint(x);
  return f32_with_sign_of(near - f32_select(near > x, f32_set(1), (vf32){0}), x);
}
INLINE vf32 f32_ceil(vf32 x) {
  const vf32 near = f32_rint(x);
  return f32_with_sign_of(near + f32_select(near < x, f32_set(1), (vf32){0}), x);
}
INLINE vf64 f64_sqrt(vf64 x) { return (vf64){__builtin_sqrt(x[0]), __builtin_sqrt(x[1])}; }
INLINE vf64 f64_rint(vf64 x) { return (vf64){__builtin_rint(x[0]), __builtin_rint(x[1])}; }
INLINE vf64 f64_floor(vf64 x) { return (vf64){__builtin_floor(x[0]), __builtin_floor(x[1])}; }
INLINE vf64 f64_ceil(vf64 x) { return (vf64){__builtin_ceil(x[0]), __builtin_ceil(x[1])}; }
#endif
#endif

/* A product that is rounded: the compiler makes no multiply-add of it. */
INLINE vf32 f32_rounded(vf32 x) {
#if HAS_FMA && (defined(__x86_64__) || defined(__i386__))
  __asm__("" : "+v"(x));
#elif HAS_FMA
  __asm__("" : "+w"(x));
#endif
  return x;
}
INLINE vf32 f32_clamp(vf32 x, vf32 min, vf32 max) { return f32_least(max, f32_greatest(min, x)); } /* NaN stays */

/* --- across lanes --- */

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

/* Lane i: the sum of the lanes of v[i], or the greatest of them. In fewer steps than a transpose takes. */
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

/* --- between types --- */

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

/* --- sums of products of narrow integers: each lane of 32 bits holds two numbers of 16 or four of 8 --- */

#if SIMD_BYTES == 64
INLINE vi32 i32_dot_pairs(vi32 a, vi32 b) { return (vi32)_mm512_madd_epi16((__m512i)a, (__m512i)b); }
#elif SIMD_BYTES == 32
INLINE vi32 i32_dot_pairs(vi32 a, vi32 b) { return (vi32)_mm256_madd_epi16((__m256i)a, (__m256i)b); }
#elif defined(__SSE2__)
INLINE vi32 i32_dot_pairs(vi32 a, vi32 b) { return (vi32)_mm_madd_epi16((__m128i)a, (__m128i)b); }
#elif defined(__wasm_simd128__)
INLINE vi32 i32_dot_pairs(vi32 a, vi32 b) { return (vi32)wasm_i32x4_dot_i16x8((v128_t)a, (v128_t)b); }
#elif defined(__aarch64__)
INLINE vi32 i32_dot_pairs(vi32 a, vi32 b) {
  const int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
  return (vi32)vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
}
#else
INLINE vi32 i32_dot_pairs(vi32 a, vi32 b) {
  return (a >> 16) * (b >> 16) + ((vi32)((vu32)a << 16) >> 16) * ((vi32)((vu32)b << 16) >> 16);
}
#endif
/* acc + the same. */
INLINE vi32 i32_dot_pairs_add(vi32 acc, vi32 a, vi32 b) {
#if defined(__AVX512VNNI__)
  return (vi32)_mm512_dpwssd_epi32((__m512i)acc, (__m512i)a, (__m512i)b);
#elif defined(__AVXVNNI__)
  return (vi32)_mm256_dpwssd_avx_epi32((__m256i)acc, (__m256i)a, (__m256i)b);
#else
  return acc + i32_dot_pairs(a, b);
#endif
}
/* Products of numbers of 16 bits: of the first half of each 16 bytes, and of the second. */
INLINE void i32_products(vi16 a, vi16 b, vi32 to[2]) {
#if defined(__wasm_simd128__)
  to[0] = (vi32)wasm_i32x4_extmul_low_i16x8((v128_t)a, (v128_t)b);
  to[1] = (vi32)wasm_i32x4_extmul_high_i16x8((v128_t)a, (v128_t)b);
#elif defined(__ARM_NEON)
  to[0] = (vi32)vmull_s16(vget_low_s16((int16x8_t)a), vget_low_s16((int16x8_t)b));
  to[1] = (vi32)vmull_s16(vget_high_s16((int16x8_t)a), vget_high_s16((int16x8_t)b));
#elif SIMD_BYTES == 64 || SIMD_BYTES == 32 || defined(__SSE2__)
#if SIMD_BYTES == 64
  const vi8 high = (vi8)_mm512_mulhi_epi16((__m512i)a, (__m512i)b);
#elif SIMD_BYTES == 32
  const vi8 high = (vi8)_mm256_mulhi_epi16((__m256i)a, (__m256i)b);
#else
  const vi8 high = (vi8)_mm_mulhi_epi16((__m128i)a, (__m128i)b);
#endif
  to[0] = (vi32)i16_zip_low((vi8)(a * b), high), to[1] = (vi32)i16_zip_high((vi8)(a * b), high);
#else
  const vi32 low = (((vi32)a << 16) >> 16) * (((vi32)b << 16) >> 16), high = ((vi32)a >> 16) * ((vi32)b >> 16);
  to[0] = (vi32){low[0], high[0], low[1], high[1]}, to[1] = (vi32){low[2], high[2], low[3], high[3]};
#endif
}
#if SIMD_BYTES >= 32
/* Unsigned bytes of a times signed bytes of b, sums of two: what 16 bits do not hold is their nearest number. */
INLINE vi16 i16_dot_bytes(vi32 a, vi32 b) {
#if SIMD_BYTES == 64
  return (vi16)_mm512_maddubs_epi16((__m512i)a, (__m512i)b);
#else
  return (vi16)_mm256_maddubs_epi16((__m256i)a, (__m256i)b);
#endif
}
#endif
#if HAS_DOT_BYTES
/* acc + bytes of a, unsigned or signed (DOT_IS_SIGNED), times signed bytes of b. */
INLINE vi32 i32_dot_bytes(vi32 acc, vi32 a, vi32 b) {
#if DOT_IS_SIGNED
  return (vi32)vdotq_s32((int32x4_t)acc, (int8x16_t)a, (int8x16_t)b);
#elif SIMD_BYTES == 64
  return (vi32)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)a, (__m512i)b);
#else
  return (vi32)_mm256_dpbusd_avx_epi32((__m256i)acc, (__m256i)a, (__m256i)b);
#endif
}
/* The same with one lane of a for all of b, where instructions take it so (DOT_HAS_LANES). */
INLINE vi32 i32_dot_lane(vi32 acc, vi32 a, const int lane, vi32 b) {
#if DOT_HAS_LANES
#define LANE(l) (vi32) vdotq_laneq_s32((int32x4_t)acc, (int8x16_t)b, (int8x16_t)a, l)
  return lane == 0 ? LANE(0) : lane == 1 ? LANE(1) : lane == 2 ? LANE(2) : LANE(3);
#undef LANE
#else
  return i32_dot_bytes(acc, i32_set(a[lane]), b);
#endif
}
#endif
/* Lanes a, b, c, d of each 16 bytes: constants. */
#if SIMD_BYTES == 64
#define i32_quarter(x, a, b, c, d) \
  ((vi32)_mm512_shuffle_epi32((__m512i)(x), (_MM_PERM_ENUM)((a) | (b) << 2 | (c) << 4 | (d) << 6)))
#else
#define i32_quarter(x, a, b, c, d) __builtin_shufflevector(x, x, a, b, c, d) /* where a vector has 16 bytes */
#endif
/* Bytes of four vectors, the first of each, then the second of each, ...: those that lie in quarter `to[q]` of each 16
 * bytes, 4 of each of their four. */
INLINE void i8_zip4(vi8 a, vi8 b, vi8 c, vi8 d, vi32 to[4]) {
  const vi8 ab = i8_zip_low(a, b), cd = i8_zip_low(c, d), AB = i8_zip_high(a, b), CD = i8_zip_high(c, d);
  to[0] = (vi32)i16_zip_low(ab, cd), to[1] = (vi32)i16_zip_high(ab, cd);
  to[2] = (vi32)i16_zip_low(AB, CD), to[3] = (vi32)i16_zip_high(AB, CD);
}
/* Integers in the order of i8_zip4 in their own order. */
INLINE void i32_unzip4(const vi32 x[4], vi32 to[4]) {
#if SIMD_BYTES == 64
  const __m512i a = _mm512_shuffle_i64x2((__m512i)x[0], (__m512i)x[1], 0x88), /* quarters 0, 2 of both */
      b = _mm512_shuffle_i64x2((__m512i)x[2], (__m512i)x[3], 0x88),
                c = _mm512_shuffle_i64x2((__m512i)x[0], (__m512i)x[1], 0xDD), /* 1, 3 */
      d = _mm512_shuffle_i64x2((__m512i)x[2], (__m512i)x[3], 0xDD);
  to[0] = (vi32)_mm512_shuffle_i64x2(a, b, 0x88), to[1] = (vi32)_mm512_shuffle_i64x2(c, d, 0x88);
  to[2] = (vi32)_mm512_shuffle_i64x2(a, b, 0xDD), to[3] = (vi32)_mm512_shuffle_i64x2(c, d, 0xDD);
#elif SIMD_BYTES == 32
  UNROLL for (int q = 0; q < 2; q++) {
    to[q] = (vi32)_mm256_permute2x128_si256((__m256i)x[2 * q], (__m256i)x[2 * q + 1], 0x20);
    to[q + 2] = (vi32)_mm256_permute2x128_si256((__m256i)x[2 * q], (__m256i)x[2 * q + 1], 0x31);
  }
#else
  UNROLL for (int q = 0; q < 4; q++) to[q] = x[q];
#endif
}
#if HAS_DOT_BYTES && SIMD_BYTES == 16
INLINE vi8 i8_difference(vi8 a, vi8 b) { return (vi8)vqsubq_s8((int8x16_t)a, (int8x16_t)b); }
#elif defined(__AVX512VNNI__)
/* a - b, held within signed bytes. */
INLINE vi8 i8_difference(vi8 a, vi8 b) { return (vi8)_mm512_subs_epi8((__m512i)a, (__m512i)b); }
#endif
/* What lies beyond 20 bits as a number that does, too; NaN as the least. */
INLINE vi32 i32_nearest_or_far(vf32 x) {
  const vf32 most = f32_least(f32_set(1 << 20), x);
  return i32_nearest(SIMD_BYTES == 16 ? f32_greatest(most, f32_set(-(1 << 20)))
                                      : most); /* wider ones have it for both */
}
/* Four vectors of integers plus `add` as unsigned bytes, in the order in which 128 bits of each, then the next 128,
 * lie: that of i8_zip4, undone. What a byte does not hold is its nearest one. add: within 16 bits. */
INLINE vi8 u8_from_zipped(const vi32 x[4], int add) {
#if SIMD_BYTES == 64
  const __m512i zero = _mm512_set1_epi16((short)add);
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32((__m512i)x[0], (__m512i)x[1]), zero);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32((__m512i)x[2], (__m512i)x[3]), zero);
  return (vi8)_mm512_packus_epi16(low, high);
#elif SIMD_BYTES == 32
  const __m256i zero = _mm256_set1_epi16((short)add);
  const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32((__m256i)x[0], (__m256i)x[1]), zero);
  const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32((__m256i)x[2], (__m256i)x[3]), zero);
  return (vi8)_mm256_packus_epi16(low, high);
#elif defined(__SSE2__)
  const __m128i zero = _mm_set1_epi16((short)add);
  const __m128i low = _mm_adds_epi16(_mm_packs_epi32((__m128i)x[0], (__m128i)x[1]), zero);
  const __m128i high = _mm_adds_epi16(_mm_packs_epi32((__m128i)x[2], (__m128i)x[3]), zero);
  return (vi8)_mm_packus_epi16(low, high);
#elif defined(__ARM_NEON)
  const int16x8_t zero = vdupq_n_s16((int16_t)add);
  const int16x8_t low = vcombine_s16(vqmovn_s32((int32x4_t)x[0]), vqmovn_s32((int32x4_t)x[1]));
  const int16x8_t high = vcombine_s16(vqmovn_s32((int32x4_t)x[2]), vqmovn_s32((int32x4_t)x[3]));
  return (vi8)vcombine_u8(vqmovun_s16(vqaddq_s16(low, zero)), vqmovun_s16(vqaddq_s16(high, zero)));
#elif defined(__wasm_simd128__)
  const v128_t zero = wasm_i16x8_splat((int16_t)add);
  const v128_t low = wasm_i16x8_add_sat(wasm_i16x8_narrow_i32x4((v128_t)x[0], (v128_t)x[1]), zero);
  const v128_t high = wasm_i16x8_add_sat(wasm_i16x8_narrow_i32x4((v128_t)x[2], (v128_t)x[3]), zero);
  return (vi8)wasm_u8x16_narrow_i16x8(low, high);
#else
  vi8 bytes;
  UNROLL for (int q = 0; q < 4; q++) {
    const vi32 narrow = i32_least(i32_greatest(x[q], i32_set(INT16_MIN)), i32_set(INT16_MAX)) + add;
    i32_store_8((char *)&bytes + q * F32_LANES, i32_least(i32_greatest(narrow, (vi32){0}), i32_set(UINT8_MAX)));
  }
  return bytes;
#endif
}
INLINE vi8 u8_clamp(vi8 x, vi8 low, vi8 high) {
#if SIMD_BYTES == 64
  return (vi8)_mm512_max_epu8(_mm512_min_epu8((__m512i)x, (__m512i)high), (__m512i)low);
#elif SIMD_BYTES == 32
  return (vi8)_mm256_max_epu8(_mm256_min_epu8((__m256i)x, (__m256i)high), (__m256i)low);
#else
  return u8_greatest(~u8_greatest(~x, ~high), low);
#endif
}
/* What u8_from_zipped makes of vectors that hold integers in a row each. */
INLINE vi8 i8_in_a_row(vi8 x) {
#if SIMD_BYTES == 64
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return (vi8)_mm512_permutexvar_epi32(order, (__m512i)x);
#elif SIMD_BYTES == 32
  return (vi8)_mm256_permutevar8x32_epi32((__m256i)x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
#else
  return x;
#endif
}
/* The first `count` bytes of part `k` of `parts` (1, 2 or 4) of x. */
INLINE void i8_store_share(void *p, vi8 x, const int k, const int parts, size_t count) {
  const size_t size = (size_t)(I8_LANES / parts);
  if (parts == 1 && count >= size) {
    i8_store(p, x);
    return;
  }
#if SIMD_BYTES == 64
  if (parts < 4) {
    i8_store_part(p, k ? i8_upper(x) : x, count);
    return;
  }
#endif
#if SIMD_BYTES >= 32
  if (count >= size) {
    __m128i part;
    memcpy(&part, (const char *)&x + (size_t)k * size, size);
    memcpy(p, &part, size);
    return;
  }
#endif
  const vi8 rest = x;
  memcpy(p, (const char *)&rest + (size_t)k * size, count < size ? count : size);
}

/* --- of all lanes: the order is the same at every call, so the bits are --- */

INLINE float f32_sum(vf32 v) {
#if SIMD_BYTES == 64
  return _mm512_reduce_add_ps((__m512)v);
#else
  float part[F32_LANES];
  memcpy(part, &v, sizeof(part));
  UNROLL for (int half = F32_LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] +=
      part[l + half];
  return part[0];
#endif
}
INLINE int32_t i32_sum(vi32 v) { /* wraps */
#if SIMD_BYTES == 64
  return _mm512_reduce_add_epi32((__m512i)v);
#else
  uint32_t sum = 0;
  UNROLL for (int l = 0; l < F32_LANES; l++) sum += (uint32_t)v[l];
  return (int32_t)sum;
#endif
}
/* Of each of four vectors. */
INLINE void i32_sum_4(const vi32 x[4], int32_t to[4]) {
#if SIMD_BYTES == 64
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32((__m512i)x[0], (__m512i)x[1]),
                                      _mm512_unpackhi_epi32((__m512i)x[0], (__m512i)x[1])),
                cd = _mm512_add_epi32(_mm512_unpacklo_epi32((__m512i)x[2], (__m512i)x[3]),
                                      _mm512_unpackhi_epi32((__m512i)x[2], (__m512i)x[3]));
  const __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  _mm_storeu_si128((__m128i *)(void *)to,
                   _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
#elif SIMD_BYTES == 32
  const __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32((__m256i)x[0], (__m256i)x[1]),
                                        _mm256_hadd_epi32((__m256i)x[2], (__m256i)x[3]));
  _mm_storeu_si128((__m128i *)(void *)to, _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
#else
  for (int i = 0; i < 4; i++) to[i] = i32_sum(x[i]);
#endif
}
INLINE double f64_sum(vf64 v) {
#if SIMD_BYTES == 64
  return _mm512_reduce_add_pd((__m512d)v);
#else
  double part[F64_LANES];
  memcpy(part, &v, sizeof(part));
  UNROLL for (int half = F64_LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] +=
      part[l + half];
  return part[0];
#endif
}
INLINE double f64_product(vf64 v) {
  double part[F64_LANES];
  memcpy(part, &v, sizeof(part));
  UNROLL for (int half = F64_LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] *=
      part[l + half];
  return part[0];
}
INLINE float f32_greatest_lane(vf32 v) {
#if SIMD_BYTES == 64
  return _mm512_reduce_max_ps((__m512)v);
#else
  float part[F32_LANES];
  memcpy(part, &v, sizeof(part));
  UNROLL for (int half = F32_LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] =
      part[l] > part[l + half] ? part[l] : part[l + half];
  return part[0];
#endif
}
INLINE float f32_least_lane(vf32 v) {
#if SIMD_BYTES == 64
  return _mm512_reduce_min_ps((__m512)v);
#else
  float part[F32_LANES];
  memcpy(part, &v, sizeof(part));
  UNROLL for (int half = F32_LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] =
      part[l] < part[l + half] ? part[l] : part[l + half];
  return part[0];
#endif
}
#define F64_OF_LANES(name, op)                                                                                 \
  INLINE double name(vf64 v) {                                                                                 \
    double part[F64_LANES];                                                                                    \
    memcpy(part, &v, sizeof(part));                                                                            \
    UNROLL for (int half = F64_LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] = \
        part[l] op part[l + half] ? part[l] : part[l + half];                                                  \
    return part[0];                                                                                            \
  }
F64_OF_LANES(f64_greatest_lane, >)
F64_OF_LANES(f64_least_lane, <)
#undef F64_OF_LANES
#define GREATEST_LANE(bits)                                                                                            \
  INLINE int##bits##_t i##bits##_greatest_lane(vi##bits v) {                                                           \
    int##bits##_t part[SIMD_BYTES * 8 / bits];                                                                         \
    memcpy(part, &v, sizeof(part));                                                                                    \
    UNROLL for (int half = SIMD_BYTES * 4 / bits; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] = \
        part[l] > part[l + half] ? part[l] : part[l + half];                                                           \
    return part[0];                                                                                                    \
  }
GREATEST_LANE(8)
GREATEST_LANE(16)
GREATEST_LANE(32)
GREATEST_LANE(64)
#undef GREATEST_LANE
INLINE int i32_any(vi32 mask) {
#if SIMD_BYTES == 64
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif SIMD_BYTES == 32
  return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#elif defined(__SSE2__)
  return _mm_movemask_epi8((__m128i)(mask != 0)) != 0;
#elif defined(__wasm_simd128__)
  return wasm_v128_any_true((v128_t)mask);
#elif defined(__aarch64__)
  return vmaxvq_u32((uint32x4_t)mask) != 0;
#else
  const vi64 pair = (vi64)mask;
  return (pair[0] | pair[1]) != 0;
#endif
}

/* Bit l: lane l of what a comparison gave. */
INLINE uint64_t i32_bits(vi32 mask) {
#if SIMD_BYTES == 64
  return _mm512_movepi32_mask((__m512i)mask);
#elif SIMD_BYTES == 32
  return (unsigned)_mm256_movemask_ps((__m256)mask);
#elif defined(__SSE2__)
  return (unsigned)_mm_movemask_ps((__m128)mask);
#elif defined(__wasm_simd128__)
  return (unsigned)wasm_i32x4_bitmask((v128_t)mask);
#else
  const vi32 bits = mask & (vi32){1, 2, 4, 8};
  return (unsigned)(bits[0] | bits[1] | bits[2] | bits[3]);
#endif
}
INLINE uint64_t i64_bits(vi64 mask) {
#if SIMD_BYTES == 64
  return _mm512_movepi64_mask((__m512i)mask);
#elif SIMD_BYTES == 32
  return (unsigned)_mm256_movemask_pd((__m256d)mask);
#elif defined(__SSE2__)
  return (unsigned)_mm_movemask_pd((__m128d)mask);
#elif defined(__wasm_simd128__)
  return (unsigned)wasm_i64x2_bitmask((v128_t)mask);
#else
  return (uint64_t)((mask[0] & 1) | (mask[1] & 2));
#endif
}

/* Of kernels (not of the language) the compiler decides what is worth a copy for each size: of all of them where
 * ONRI_PLAIN is 2, of those that do not say ONRI_TILED where it is 1. Tiles that are not unrolled are no registers. */
#if !defined(ONRI_TILED)
#define ONRI_TILED 0
#endif
#if defined(ONRI_PLAIN) && ONRI_PLAIN > ONRI_TILED
#undef INLINE
#undef UNROLL
#define INLINE static inline __attribute__((unused))
#define UNROLL
#define ONRI_IS_PLAIN 1
#else
#define ONRI_IS_PLAIN 0
#endif

#endif
