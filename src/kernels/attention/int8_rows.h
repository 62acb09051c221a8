/* int8_rows.h: keys and values of a cache of int8 (base/numbers/cache_rows.h): as floats, or multiplied where they lie,
 * for a query that is alone. */
#ifndef ONRI_INT8_ROWS_H
#define ONRI_INT8_ROWS_H

#include "base/numbers/cache_rows.h"
#include "kernels/simd.h"

/* Rows `distance` bytes apart. */
struct int8_rows {
  const int8_t *data;
  size_t distance, width, count;
};

INLINE vf32 int8_load(const int8_t *p) { return f32_from_i32(i32_load_i8(p)); }

/* As floats, one row behind the other. */
static void int8_widen(const struct int8_rows *x, float *to) {
  const int8_t *from = x->data;
  for (size_t i = 0; i < x->count; i++, from += x->distance, to += x->width) {
    const float scale = onri_cache_scale(from, x->width);
    size_t p = 0;
    for (; p + F32_LANES <= x->width; p += F32_LANES) f32_store(to + p, scale * int8_load(from + p));
    for (; p < x->width; p++) to[p] = scale * from[p];
  }
}

INLINE vf32 int8_sums(const int8_t *row, size_t width, const float *q) {
  vf32 one = {0}, other = {0};
  size_t p = 0;
  for (; p + 2 * F32_LANES <= width; p += 2 * F32_LANES) {
    one = f32_fma(int8_load(row + p), f32_load(q + p), one);
    other = f32_fma(int8_load(row + p + F32_LANES), f32_load(q + p + F32_LANES), other);
  }
  for (; p + F32_LANES <= width; p += F32_LANES) one = f32_fma(int8_load(row + p), f32_load(q + p), one);
  for (; p < width; p++) one[0] += q[p] * row[p];
  return one + other;
}

/* s[j] = scale times q by row j; written in whole vectors. */
static void int8_scores(const struct int8_rows *k, const float *q, float scale, float *s) {
  for (size_t j = 0; j < k->count; j += F32_LANES) {
    float scales[F32_LANES];
    vf32 sum[F32_LANES];
    for (size_t i = 0; i < F32_LANES; i++) {
      const int8_t *row = k->data + (j + i < k->count ? j + i : j) * k->distance;
      scales[i] = scale * onri_cache_scale(row, k->width);
      sum[i] = int8_sums(row, k->width, q);
    }
    f32_store(s + j, f32_load(scales) * f32_sums(sum));
  }
}

INLINE void int8_columns(const struct int8_rows *v, const float *s, size_t j, float *y, float correction,
                         const int vectors) {
  const int8_t *row = v->data + j;
  vf32 sum[8];
  UNROLL for (int i = 0; i < vectors; i++) sum[i] = correction * f32_load(y + j + (size_t)i * F32_LANES);
  for (size_t r = 0; r < v->count; r++, row += v->distance) {
    const vf32 factor = f32_set(s[r]);
    UNROLL for (int i = 0; i < vectors; i++) sum[i] = f32_fma(factor, int8_load(row + (size_t)i * F32_LANES), sum[i]);
  }
  UNROLL for (int i = 0; i < vectors; i++) f32_store(y + j + (size_t)i * F32_LANES, sum[i]);
}

/* y = correction y + s by the rows; s is multiplied with their scales. */
static void int8_values(const struct int8_rows *v, float *s, float *y, float correction) {
  size_t j = 0;
  for (size_t r = 0; r < v->count; r++) s[r] *= onri_cache_scale(v->data + r * v->distance, v->width);
  for (; j + 8 * F32_LANES <= v->width; j += 8 * F32_LANES) int8_columns(v, s, j, y, correction, 8);
  for (; j + 4 * F32_LANES <= v->width; j += 4 * F32_LANES) int8_columns(v, s, j, y, correction, 4);
  for (; j + F32_LANES <= v->width; j += F32_LANES) int8_columns(v, s, j, y, correction, 1);
  for (; j < v->width; j++) {
    float sum = correction * y[j];
    for (size_t r = 0; r < v->count; r++) sum += s[r] * v->data[r * v->distance + j];
    y[j] = sum;
  }
}

#endif
