/* reduce.h: of all lanes: the order is the same at every call, so the bits are.
 * See simd.h. */
#ifndef ONRI_SIMD_REDUCE_H
#define ONRI_SIMD_REDUCE_H

#include "kernels/simd/lanes.h"

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

#endif
