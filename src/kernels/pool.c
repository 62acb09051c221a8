/* pool.c: portable pools, for float32 and float64. */
#include "kernels/pool.h"

#include <math.h>

#define BLOCK 64 /* channels at a time */

static float root_f32(float sum, int32_t p) { return p == 1 ? sum : p == 2 ? sqrtf(sum) : powf(sum, 1.0f / (float)p); }
static double root_f64(double sum, int32_t p) { return p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1.0 / p); }

/* The input position of tap 0, which may lie in padding. */
static int64_t window_start(const struct onri_pool *pool, int a, int64_t o) {
  const struct onri_axis *const axis = &pool->axis[a];
  return pool->adaptive ? o * axis->in / axis->out : o * axis->stride - axis->begin;
}

/* As onri_axis_taps. Sizes are below 2^31: no product overflows. */
static void window_taps(const struct onri_pool *pool, int a, int64_t o, int64_t limit, int64_t *first, int64_t *last) {
  const struct onri_axis *const axis = &pool->axis[a];
  if (!pool->adaptive) {
    onri_axis_taps(axis, o, limit, first, last);
    return;
  }
  *first = 0;
  *last = ((o + 1) * axis->in + axis->out - 1) / axis->out - window_start(pool, a, o);
}

/* What the sum of an average at output position o is divided by. */
static int64_t area(const struct onri_pool *pool, const int64_t o[ONR_MAX_SPATIAL]) {
  int64_t pixels = 1;
  if (pool->divisor != 0) return pool->divisor;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    const struct onri_axis *const axis = &pool->axis[a];
    int64_t first, last;
    window_taps(pool, a, o[a], axis->in + (pool->count_padding ? axis->end : 0), &first, &last);
    pixels *= last - (pool->count_padding ? 0 : first);
  }
  return pixels;
}

#define REAL float
#define NAME(x) x##_f32
#define POW powf
#define ABS fabsf
#define ROOT root_f32
#include "kernels/pool.inc"
#undef REAL
#undef NAME
#undef POW
#undef ABS
#undef ROOT

#define REAL double
#define NAME(x) x##_f64
#define POW pow
#define ABS fabs
#define ROOT root_f64
#include "kernels/pool.inc"
