/* lanes.h: arithmetic lane by lane.
 * See simd.h. */
#ifndef ONRI_SIMD_LANES_H
#define ONRI_SIMD_LANES_H

#include "kernels/simd/memory.h"

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
/* a * b + c of one lane of a for all of b (FMA_HAS_LANES). */
INLINE vf32 f32_fma_lane(vf32 a, const int lane, vf32 b, vf32 c) {
#define LANE(l) (vf32) vfmaq_laneq_f32((float32x4_t)c, (float32x4_t)b, (float32x4_t)a, l)
  return lane == 0 ? LANE(0) : lane == 1 ? LANE(1) : lane == 2 ? LANE(2) : LANE(3);
#undef LANE
}
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

#endif
