/* pool.c: portable pools, for float32 and float64. */
#include "kernels/pool/pool.h"

#include <math.h>

#include "base/cpu.h"
#include "base/env.h"
#include "kernels/pool/pool_level.h"
#include "kernels/pool/pool_window.h"

#define BLOCK 64 /* channels at a time */
#define SPANS 64 /* windows at a time */

static float root_f32(float sum, int32_t p) { return p == 1 ? sum : p == 2 ? sqrtf(sum) : powf(sum, 1.0f / (float)p); }
static double root_f64(double sum, int32_t p) { return p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1.0 / p); }

/* Operations of so many windows of one channel; taps are no more than the image has pixels. */
static uint64_t work_of(const struct onri_pool *pool, int64_t windows) {
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    windows *= pool->axis[a].kernel < pool->axis[a].in ? pool->axis[a].kernel + 1 : pool->axis[a].in + 1;
  return (uint64_t)windows;
}

#define REAL float
#define NAME(x) portable_##x##_f32
#define POW powf
#define ABS fabsf
#define ROOT root_f32
#include "kernels/pool/pool.inc"
#undef REAL
#undef NAME
#undef POW
#undef ABS
#undef ROOT

#define REAL double
#define NAME(x) portable_##x##_f64
#define POW pow
#define ABS fabs
#define ROOT root_f64
#include "kernels/pool/pool.inc"

/* --- float32 channels that lie side by side --- */

static const struct onri_pool_kernels *kernels_of_this_processor(void) {
#if ONRI_HAVE_AVX_KERNELS
  switch (onri_cpu_level()) {
    case ONRI_CPU_VNNI:
    case ONRI_CPU_AVX512: return &onri_pool_avx512;
    case ONRI_CPU_AVX2: return &onri_pool_avx2;
    default: break;
  }
#endif
  return &onri_pool_base;
}

struct row_work {
  const struct onri_pool *pool;
  onri_pool_row_kernel kernel;
  const float *x;
  float *y;
  const struct onr_env *env;
};

/* Windows [from, from + row->windows) of one line. */
static void part_of_row(const struct row_work *work, struct onri_pool_row *row, int64_t from, double outer,
                        const float *x, float *y) {
  const struct onri_pool *pool = work->pool;
  struct onri_pool_span span[SPANS];
  row->span = span;
  for (int64_t i = 0; i < row->windows; i++) {
    span[i].first = onri_pool_covered(pool, 2, from + i, &span[i].taps);
    span[i].divisor = pool->kind == ONRI_POOL_AVERAGE ? (float)onri_pool_row_divisor(pool, outer, from + i) : 1;
  }
  work->kernel(row, x, y + from * row->y_step);
}

/* An item is one line of y. */
static void whole_rows(void *context, size_t begin, size_t end) {
  const struct row_work *work = context;
  struct onri_pace pace = {work->env, 0};
  const struct onri_pool *pool = work->pool;
  const struct onri_image *in = &pool->x;
  for (size_t item = begin; item < end; item++) {
    int64_t o[ONR_MAX_SPATIAL], rest = (int64_t)item;
    o[1] = rest % pool->axis[1].out, rest /= pool->axis[1].out;
    o[0] = rest % pool->axis[0].out, rest /= pool->axis[0].out;
    const double outer = onri_pool_outer_counted(pool, o);
    struct onri_pool_row row = {.channels = in->channels,
                                .pixel = in->stride[2],
                                .dilated = pool->axis[2].dilation * in->stride[2],
                                .y_step = pool->y.stride[2]};
    const float *x = work->x + rest * in->batch_stride;
    float *y = work->y + rest * pool->y.batch_stride + o[0] * pool->y.stride[0] + o[1] * pool->y.stride[1];
    for (int a = 0; a < 2; a++) {
      x += onri_pool_covered(pool, a, o[a], &row.taps[a]) * in->stride[a];
      row.step[a] = pool->axis[a].dilation * in->stride[a];
    }
    for (int64_t from = 0; from < pool->axis[2].out && !onri_pace_stop(&pace, work_of(pool, SPANS * pool->x.channels));
         from += row.windows) {
      const int64_t left = pool->axis[2].out - from;
      row.windows = left < SPANS ? left : SPANS;
      part_of_row(work, &row, from, outer, x, y);
    }
  }
}

void onri_pool_f32(const struct onri_pool *pool, const float *x, float *y, int64_t *indices, struct onr_env *env) {
  if (indices || !onri_pool_is_vector(pool)) {
    portable_pool_f32(pool, x, y, indices, env);
    return;
  }
  const struct onri_pool_kernels *kernels = kernels_of_this_processor();
  struct row_work work = {pool, pool->kind == ONRI_POOL_MAX ? kernels->max : kernels->average, x, y, env};
  onr_parallel_for(env, (size_t)(pool->x.batch * pool->axis[0].out * pool->axis[1].out), 1, whole_rows, &work);
}

void onri_pool_f64(const struct onri_pool *pool, const double *x, double *y, int64_t *indices, struct onr_env *env) {
  portable_pool_f64(pool, x, y, indices, env);
}
