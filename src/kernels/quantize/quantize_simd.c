/* quantize_simd.c: see quantize.h. A quantized value costs a division (exactness asks for it), which is what `to`
 * takes; the others are as fast as memory is. */
#include "kernels/quantize/quantize.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

INLINE vi32 quantized(vf32 x, float scale, float zero_point, float low, float high) {
  const vf32 quotient = x / scale;
  const vf32 number = f32_select(quotient == quotient, quotient, (vf32){0});
  return i32_from_f32(f32_clamp(f32_rint(number) + zero_point, f32_set(low), f32_set(high)));
}

/* The last elements go through an array of a whole vector. */
#define TO(name, type, store, low, high)                                                         \
  static void to_##name(const float *x, void *to, size_t count, float scale, float zero_point) { \
    type *y = to;                                                                                \
    size_t i = 0;                                                                                \
    for (; i + F32_LANES <= count; i += F32_LANES)                                               \
      store(y + i, quantized(f32_load(x + i), scale, zero_point, low, high));                    \
    type last[F32_LANES];                                                                        \
    store(last, quantized(f32_load_part(x + i, count - i), scale, zero_point, low, high));       \
    memcpy(y + i, last, (count - i) * sizeof(*y));                                               \
  }
TO(u8, uint8_t, i32_store_8, 0.0f, 255.0f)
TO(i8, int8_t, i32_store_8, -128.0f, 127.0f)
TO(u16, uint16_t, i32_store_16, 0.0f, 65535.0f)
TO(i16, int16_t, i32_store_16, -32768.0f, 32767.0f)

#define FROM(name, type)                                                                           \
  static void from_##name(const void *of, float *y, size_t count, float scale, float zero_point) { \
    const type *x = of;                                                                            \
    size_t i = 0;                                                                                  \
    for (; i + F32_LANES <= count; i += F32_LANES)                                                 \
      f32_store(y + i, (f32_from_i32(i32_load_##name(x + i)) - zero_point) * scale);               \
    type last[F32_LANES] = {0};                                                                    \
    memcpy(last, x + i, (count - i) * sizeof(*x));                                                 \
    f32_store_part(y + i, (f32_from_i32(i32_load_##name(last)) - zero_point) * scale, count - i);  \
  }
FROM(u8, uint8_t)
FROM(i8, int8_t)
FROM(u16, uint16_t)
FROM(i16, int16_t)

static void range(const float *x, size_t count, float *least, float *greatest) {
  enum { MOST = 4 }; /* vectors at a time */
  vf32 low[MOST] = {{0}}, high[MOST] = {{0}};
  size_t i = 0;
  for (; i + MOST * F32_LANES <= count; i += MOST * F32_LANES) UNROLL for (int k = 0; k < MOST; k++) {
      const vf32 at = f32_load(x + i + k * F32_LANES);
      low[k] = f32_least(at, low[k]), high[k] = f32_greatest(at, high[k]);
    }
  for (; i < count; i += F32_LANES) {
    const vf32 at = f32_load_part(x + i, count - i);
    low[0] = f32_least(at, low[0]), high[0] = f32_greatest(at, high[0]);
  }
  for (int k = 1; k < MOST; k++) low[0] = f32_least(low[k], low[0]), high[0] = f32_greatest(high[k], high[0]);
  *least = f32_least_lane(low[0]);
  *greatest = f32_greatest_lane(high[0]);
}

INLINE void sums_of(const int8_t *x, size_t rows, size_t row_step, const int vectors, int is_signed, int32_t *to) {
  vi32 sums[4] = {{0}};
  const vi32 flip = i32_set(is_signed ? 0x80 : 0);
  for (size_t r = 0; r < rows; r++, x += row_step)
    UNROLL for (int q = 0; q < vectors; q++) sums[q] += i32_load_u8(x + q * F32_LANES) ^ flip;
  const vi32 moved = i32_set(is_signed ? (int32_t)rows * 128 : 0); /* signed bytes were moved up */
  UNROLL for (int q = 0; q < vectors; q++) i32_store(to + q * F32_LANES, sums[q] - moved);
}

static void byte_sums(const void *of, size_t rows, size_t row_step, size_t count, int is_signed, int32_t *sums) {
  const int8_t *x = of;
  size_t i = 0;
  for (; i + 4 * F32_LANES <= count; i += 4 * F32_LANES) sums_of(x + i, rows, row_step, 4, is_signed, sums + i);
  for (; i + F32_LANES <= count; i += F32_LANES) sums_of(x + i, rows, row_step, 1, is_signed, sums + i);
  for (; i < count; i++) {
    sums[i] = 0;
    for (size_t r = 0; r < rows; r++)
      sums[i] += is_signed ? x[r * row_step + i] : ((const uint8_t *)x)[r * row_step + i];
  }
}

#if defined(__AVX512BW__) && defined(__GNUC__)
/* Not every processor with AVX-512 has it. */
__attribute__((target("avx512vbmi"))) static void table_vbmi(const uint8_t *x, uint8_t *y, size_t count,
                                                             const uint8_t *table) {
  const __m512i a = _mm512_loadu_si512(table), b = _mm512_loadu_si512(table + 64), c = _mm512_loadu_si512(table + 128),
                d = _mm512_loadu_si512(table + 192);
  for (size_t i = 0; i < count; i += 64) {
    const __m512i at = (__m512i)i8_load_part(x + i, count - i);
    const __m512i low = _mm512_permutex2var_epi8(a, at, b), high = _mm512_permutex2var_epi8(c, at, d);
    i8_store_part(y + i, (vi8)_mm512_mask_blend_epi8(_mm512_movepi8_mask(at), low, high), count - i);
  }
}
#endif

static void byte_table(const uint8_t *x, uint8_t *y, size_t count, const uint8_t *table) {
#if defined(__AVX512BW__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512vbmi")) {
    table_vbmi(x, y, count, table);
    return;
  }
#endif
  for (size_t i = 0; i < count; i++) y[i] = table[x[i]];
}

const struct onri_quantize_kernels ONRI_AT_LEVEL(onri_quantize_kernels) = {
    {to_u8, to_i8, to_u16, to_i16}, {from_u8, from_i8, from_u16, from_i16}, byte_sums, byte_table, range};
