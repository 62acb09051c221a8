/* half.h: what simd.h's language has for arithmetic of float16, where the processor has it (HAS_F16).
 *
 *   vf16                float16, F16_LANES in a vector, twice as many as of float32
 *   f16_pair(p)         a vector of the half at p, which lies there twice: 32 bits are what loads spread at no cost
 *   f16_pairs(x)        floats, rounded, each as such a pair
 *   f16_low, f16_high   the first and the last half of the lanes as floats
 */
#ifndef ONRI_SIMD_HALF_H
#define ONRI_SIMD_HALF_H

#include "kernels/simd.h"

#if defined(__AVX512FP16__)
#define HAS_F16 1
typedef __m512h vf16;
INLINE vf16 f16_zero(void) { return _mm512_setzero_ph(); }
INLINE vf16 f16_load(const void *p) { return _mm512_loadu_ph(p); }
INLINE vf16 f16_pair(const uint32_t *p) { return _mm512_castsi512_ph(_mm512_set1_epi32((int32_t)*p)); }
INLINE vf16 f16_fma(vf16 a, vf16 b, vf16 c) { return _mm512_fmadd_ph(a, b, c); }
INLINE vf32 f16_low(vf16 x) { return (vf32)_mm512_cvtph_ps(_mm512_castsi512_si256(_mm512_castph_si512(x))); }
INLINE vf32 f16_high(vf16 x) { return (vf32)_mm512_cvtph_ps(_mm512_extracti64x4_epi64(_mm512_castph_si512(x), 1)); }
INLINE vi32 f16_pairs(vf32 x) {
  const vi32 half = (vi32)_mm512_cvtepu16_epi32(_mm512_cvtps_ph((__m512)x, 0));
  return half | half << 16;
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
#define HAS_F16 1
typedef float16x8_t vf16;
INLINE vf16 f16_zero(void) { return vreinterpretq_f16_u16(vdupq_n_u16(0)); }
INLINE vf16 f16_load(const void *p) { return vreinterpretq_f16_u8(vld1q_u8(p)); }
INLINE vf16 f16_pair(const uint32_t *p) { return vreinterpretq_f16_u32(vld1q_dup_u32(p)); }
INLINE vf16 f16_fma(vf16 a, vf16 b, vf16 c) { return vfmaq_f16(c, a, b); }
INLINE vf32 f16_low(vf16 x) { return (vf32)vcvt_f32_f16(vget_low_f16(x)); }
INLINE vf32 f16_high(vf16 x) { return (vf32)vcvt_high_f32_f16(x); }
INLINE vi32 f16_pairs(vf32 x) {
  const vi32 half = (vi32)vmovl_u16(vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)x)));
  return half | half << 16;
}
#else
#define HAS_F16 0
#endif

enum { F16_LANES = 2 * F32_LANES };

#endif
