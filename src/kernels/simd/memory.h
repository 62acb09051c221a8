/* memory.h: vectors, and their way from and to memory.
 * See simd.h. */
#ifndef ONRI_SIMD_MEMORY_H
#define ONRI_SIMD_MEMORY_H

#include "kernels/simd/level.h"

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

#endif
