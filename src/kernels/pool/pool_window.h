/* pool_window.h: which pixels a window of a pool covers, and which of them an average counts. */
#ifndef ONRI_POOL_WINDOW_H
#define ONRI_POOL_WINDOW_H

#include "kernels/pool/pool.h"

/* The input position of tap 0, which may lie in padding. */
static inline int64_t onri_pool_start(const struct onri_pool *pool, int a, int64_t o) {
  const struct onri_axis *axis = &pool->axis[a];
  return pool->adaptive ? o * axis->in / axis->out : o * axis->stride - axis->begin;
}

/* As onri_axis_taps. Sizes are below 2^31: no product overflows. */
static inline void onri_pool_taps(const struct onri_pool *pool, int a, int64_t o, int64_t limit, int64_t *first,
                                  int64_t *last) {
  const struct onri_axis *axis = &pool->axis[a];
  if (!pool->adaptive) {
    onri_axis_taps(axis, o, limit, first, last);
    return;
  }
  *first = 0;
  *last = ((o + 1) * axis->in + axis->out - 1) / axis->out - onri_pool_start(pool, a, o);
}

/* The end of the window, where the pixels of it all lie inside the image. */
static inline int64_t onri_pool_end(const struct onri_pool *pool, int a, int64_t o) {
  int64_t first, last;
  onri_pool_taps(pool, a, o, pool->axis[a].in, &first, &last);
  return onri_pool_start(pool, a, o) + last;
}

/* Taps along axis a that an average counts. */
static inline int64_t onri_pool_counted(const struct onri_pool *pool, int a, int64_t o) {
  const struct onri_axis *axis = &pool->axis[a];
  int64_t first, last;
  onri_pool_taps(pool, a, o, axis->in + (pool->count_padding ? axis->end : 0), &first, &last);
  if (!pool->count_padding) return last > first ? last - first : 0;
  return last;
}

/* What the sum of an average at output position o is divided by; `outer`: taps that count along the first two axes. A
 * window in which none counts is 0, as in PyTorch and ONNX Runtime. */
static inline double onri_pool_row_divisor(const struct onri_pool *pool, double outer, int64_t o) {
  const double counted = outer * (double)onri_pool_counted(pool, 2, o);
  return pool->divisor != 0 ? (double)pool->divisor : counted > 0 ? counted : 1;
}

static inline double onri_pool_outer_counted(const struct onri_pool *pool, const int64_t o[ONR_MAX_SPATIAL]) {
  return (double)onri_pool_counted(pool, 0, o[0]) * (double)onri_pool_counted(pool, 1, o[1]);
}

/* Position of the first tap inside the image, and their number; both 0 where there is none. */
static inline int64_t onri_pool_covered(const struct onri_pool *pool, int a, int64_t o, int64_t *taps) {
  int64_t first, last;
  onri_pool_taps(pool, a, o, pool->axis[a].in, &first, &last);
  *taps = last > first ? last - first : 0;
  return last > first ? onri_pool_start(pool, a, o) + first * pool->axis[a].dilation : 0;
}

static inline double onri_pool_divisor(const struct onri_pool *pool, const int64_t o[ONR_MAX_SPATIAL]) {
  return onri_pool_row_divisor(pool, onri_pool_outer_counted(pool, o), o[2]);
}

#endif
