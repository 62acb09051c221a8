/* dot.h: sums of products of narrow integers: each lane of 32 bits holds two numbers of 16 or four of 8.
 * See simd.h. */
#ifndef ONRI_SIMD_DOT_H
#define ONRI_SIMD_DOT_H

#include "kernels/simd/convert.h"

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

#endif
