/* quantize_simd.c: see quantize.h. Exactness asks for a division, which takes as long as all the rest: a product with
 * the reciprocal says which number it rounds to, unless it is close to the middle of two. */
#include "kernels/quantize/quantize.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

/* 1 / scale; NaN, which leaves no number sure, where products with it may be far from quotients. */
static float reciprocal_of(float scale) { return scale > 0x1p-60f && scale < 0x1p60f ? 1.0f / scale : NAN; }

/* The nearest whole number of each quotient; NaN counts as 0. */
INLINE vf32 rounded_quotient(vf32 x, vf32 scale) {
  const vf32 quotient = x / scale;
  return f32_rint(f32_select(quotient == quotient, quotient, (vf32){0}));
}

INLINE vf32 whole_quotient(vf32 x, vf32 scale, vf32 reciprocal) {
  const vf32 near = x * reciprocal, number = f32_rint(near);
  if (!i32_any(~(vi32)(f32_abs(near - number) <= 0.5f - f32_abs(near) * 0x1p-22f))) return number;
  return rounded_quotient(x, scale);
}

INLINE vi32 quantized(vf32 x, vf32 scale, vf32 reciprocal, float zero_point, float low, float high) {
  return i32_from_f32(f32_clamp(whole_quotient(x, scale, reciprocal) + zero_point, f32_set(low), f32_set(high)));
}

/* Four vectors at once as bytes, as many as there are; what is far from 0 becomes the last byte whether sure or not. */
static size_t bytes_of(const float *x, uint8_t *y, size_t count, float scale, int zero, int is_signed) {
  const vf32 by = f32_set(scale), reciprocal = f32_set(reciprocal_of(scale)), sure = f32_set(0.5f - 0x1p-12f);
  const vi8 flip = i8_set(is_signed ? INT8_MIN : 0);
  size_t i = 0;
  for (; i + I8_LANES <= count; i += I8_LANES) {
    vf32 number[4];
    vi32 steps[4], unsure = {0};
    UNROLL for (int q = 0; q < 4; q++) {
      const vf32 near = f32_load(x + i + q * F32_LANES) * reciprocal;
      number[q] = f32_rint(near);
      unsure |= ~(vi32)(f32_abs(near - number[q]) <= sure);
    }
    if (i32_any(unsure))
      UNROLL for (int q = 0; q < 4; q++) number[q] = rounded_quotient(f32_load(x + i + q * F32_LANES), by);
    UNROLL for (int q = 0; q < 4; q++) steps[q] = i32_nearest_or_far(number[q]);
    i8_store(y + i, i8_in_a_row(u8_from_zipped(steps, zero + (is_signed ? 128 : 0))) ^ flip);
  }
  return i;
}

/* The last elements go through an array of a whole vector. */
#define TO(name, type, store, low, high, begin)                                                     \
  static void to_##name(const float *x, void *to, size_t count, float scale, float zero_point) {    \
    type *y = to;                                                                                   \
    const vf32 by = f32_set(scale), reciprocal = f32_set(reciprocal_of(scale));                     \
    size_t i = begin;                                                                               \
    for (; i + F32_LANES <= count; i += F32_LANES)                                                  \
      store(y + i, quantized(f32_load(x + i), by, reciprocal, zero_point, low, high));              \
    type last[F32_LANES];                                                                           \
    store(last, quantized(f32_load_part(x + i, count - i), by, reciprocal, zero_point, low, high)); \
    memcpy(y + i, last, (count - i) * sizeof(*y));                                                  \
  }
TO(u8, uint8_t, i32_store_8, 0.0f, 255.0f, bytes_of(x, y, count, scale, (int)zero_point, 0))
TO(i8, int8_t, i32_store_8, -128.0f, 127.0f, bytes_of(x, to, count, scale, (int)zero_point, 1))
TO(u16, uint16_t, i32_store_16, 0.0f, 65535.0f, 0)
TO(i16, int16_t, i32_store_16, -32768.0f, 32767.0f, 0)

/* The last vector goes over some elements once more. */
#define FROM(name, type)                                                                           \
  static void from_##name(const void *of, float *y, size_t count, float scale, float zero_point) { \
    const type *x = of;                                                                            \
    for (size_t i = 0; i < count && count >= F32_LANES; i += F32_LANES) {                          \
      const size_t at = i + F32_LANES <= count ? i : count - F32_LANES;                            \
      f32_store(y + at, (f32_from_i32(i32_load_##name(x + at)) - zero_point) * scale);             \
    }                                                                                              \
    if (count >= F32_LANES) return;                                                                \
    type few[F32_LANES] = {0};                                                                     \
    memcpy(few, x, count * sizeof(*x));                                                            \
    f32_store_part(y, (f32_from_i32(i32_load_##name(few)) - zero_point) * scale, count);           \
  }
FROM(u8, uint8_t)
FROM(i8, int8_t)
FROM(u16, uint16_t)
FROM(i16, int16_t)

static void divide(const float *x, float *y, size_t count, const float *scales, const float *zero_points) {
  for (size_t i = 0; i < count; i += F32_LANES) {
    const size_t left = count - i;
    const vf32 number = rounded_quotient(f32_load_part(x + i, left), f32_load_part(scales + i, left));
    f32_store_part(y + i, number + f32_load_part(zero_points + i, left), left);
  }
}

static void multiply(const float *x, float *y, size_t count, const float *scales, const float *zero_points) {
  for (size_t i = 0; i < count; i += F32_LANES) {
    const size_t left = count - i;
    const vf32 steps = f32_load_part(x + i, left) - f32_load_part(zero_points + i, left);
    f32_store_part(y + i, steps * f32_load_part(scales + i, left), left);
  }
}

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

/* Of `rows` lines at once. */
INLINE void lines_of(const uint8_t *x, const int rows, size_t length, vi8 flip, vi32 sums[4]) {
  const size_t whole = length / I8_LANES * I8_LANES, rest = length - whole;
  UNROLL for (int r = 0; r < rows; r++) sums[r] = (vi32){0};
  for (size_t i = 0; i < whole; i += I8_LANES)
    UNROLL for (int r = 0; r < rows; r++) sums[r] += i32_byte_sums(i8_load(x + (size_t)r * length + i) ^ flip);
  if (rest)
    UNROLL for (int r = 0; r < rows; r++) sums[r] +=
        i32_byte_sums(i8_load_part(x + (size_t)r * length + whole, rest) ^ flip);
}

/* Signed bytes are moved up, and so are lanes behind a line. */
static void line_sums(const void *of, size_t rows, size_t length, int is_signed, int32_t *sums) {
  const uint8_t *x = of;
  const size_t added = (length + I8_LANES - 1) / I8_LANES * I8_LANES;
  const int32_t moved = is_signed ? (int32_t)added * 128 : 0;
  const vi8 flip = i8_set(is_signed ? INT8_MIN : 0);
  vi32 some[4];
  size_t r = 0;
  for (; r + 4 <= rows; r += 4, x += 4 * length) {
    lines_of(x, 4, length, flip, some);
    i32_sum_4(some, sums + r);
    for (int i = 0; i < 4; i++) sums[r + (size_t)i] -= moved;
  }
  for (; r < rows; r++, x += length) {
    lines_of(x, 1, length, flip, some);
    sums[r] = i32_sum(some[0]) - moved;
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

const struct onri_quantize_kernels ONRI_AT_LEVEL(onri_quantize_kernels) = {{to_u8, to_i8, to_u16, to_i16},
                                                                           {from_u8, from_i8, from_u16, from_i16},
                                                                           divide,
                                                                           multiply,
                                                                           byte_sums,
                                                                           line_sums,
                                                                           byte_table,
                                                                           range};
