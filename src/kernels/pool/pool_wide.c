/* pool_wide.c: see pool_wide.h. */
#include "kernels/pool/pool_wide.h"

#include <math.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "kernels/pool/pool_window.h"

enum { FEW_TAPS = 256, GAIN = 64 }; /* below these, looking at every tap is as fast */

/* One axis: x [outer][in][inner] to y [outer][out][inner]. */
struct pass {
  int axis;
  int64_t outer, in, out, inner;
};

/* Axes that shrink come first: what lies between the passes is then no larger than x or y. */
static void order_axes(const struct onri_pool *pool, int order[ONR_MAX_SPATIAL]) {
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) {
    int k = i;
    const struct onri_axis *a = &pool->axis[i];
    for (; k > 0; k--) {
      const struct onri_axis *b = &pool->axis[order[k - 1]];
      if ((double)b->out * (double)a->in <= (double)a->out * (double)b->in) break;
      order[k] = order[k - 1];
    }
    order[k] = i;
  }
}

/* size: of the image before the pass; afterwards, behind it. */
static struct pass next_pass(const struct onri_pool *pool, int axis, int64_t size[ONR_MAX_SPATIAL]) {
  const int last = onri_pool_is_last(pool);
  struct pass p = {axis, pool->x.batch * (last ? 1 : pool->x.channels), pool->axis[axis].in, pool->axis[axis].out,
                   last ? pool->x.channels : 1};
  for (int i = 0; i < axis; i++) p.outer *= size[i];
  for (int i = axis + 1; i < ONR_MAX_SPATIAL; i++) p.inner *= size[i];
  size[axis] = p.out;
  return p;
}

static int is_idle(const struct onri_axis *a) { return a->kernel == 1 && a->in == a->out && a->begin == 0; }

int onri_pool_is_wide(const struct onri_pool *pool) {
  double taps = 1, in = 1, out = 1;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) {
    const struct onri_axis *a = &pool->axis[i];
    const double most = ceil((double)a->in / (double)a->dilation);
    taps *= (double)a->kernel < most ? (double)a->kernel : most;
    in *= (double)a->in, out *= (double)a->out;
  }
  return !pool->adaptive && taps >= FEW_TAPS && out * taps > GAIN * (in + out);
}

/* Elements of x and of the largest image between two passes, twice: one is read while the other is written. */
size_t onri_pool_wide_elements(const struct onri_pool *pool) {
  int64_t size[ONR_MAX_SPATIAL] = {pool->axis[0].in, pool->axis[1].in, pool->axis[2].in}, most = 0;
  int order[ONR_MAX_SPATIAL];
  size_t elements;
  order_axes(pool, order);
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) {
    const struct pass p = next_pass(pool, order[i], size);
    const int64_t larger = p.in > p.out ? p.in : p.out;
    int64_t count;
    if (!onri_mul_i64(p.outer, p.inner, &count) || !onri_mul_i64(count, larger, &count)) return SIZE_MAX;
    if (count > most) most = count;
  }
  return onri_mul_size((size_t)most, 2, &elements) ? elements : SIZE_MAX;
}

static int64_t pixels_of(const struct onri_image *image) { return image->size[0] * image->size[1] * image->size[2]; }

/* The pixel and the plane of element i. */
static int64_t pixel_of(const struct onri_image *image, int last, int64_t i) {
  return last ? i / image->channels % pixels_of(image) : i % pixels_of(image);
}

static int64_t plane_of(const struct onri_image *image, int last, int64_t i) {
  return last ? i / image->channels / pixels_of(image) * image->channels + i % image->channels : i / pixels_of(image);
}

/* From pixels of x in the order of the passes to what the layer counts. */
static void finish_places(const struct onri_pool *pool, const int64_t *places, int64_t *indices) {
  const struct onri_image *in = &pool->x, *out = &pool->y;
  const int64_t count = out->batch * out->channels * pixels_of(out);
  for (int64_t i = 0; i < count; i++) {
    int64_t at = places[i];
    if (pool->column_order && at >= 0)
      at = (at % in->size[2] * in->size[1] + at / in->size[2] % in->size[1]) * in->size[0] +
           at / in->size[2] / in->size[1];
    indices[i] = at + (pool->plane_indices ? 0 : plane_of(out, onri_pool_is_last(pool), i) * pixels_of(in));
  }
}

#define REAL float
#define NAME(x) x##_f32
#define POW powf
#define ABS fabsf
#include "kernels/pool/pool_wide.inc"
#undef REAL
#undef NAME
#undef POW
#undef ABS

#define REAL double
#define NAME(x) x##_f64
#define POW pow
#define ABS fabs
#include "kernels/pool/pool_wide.inc"
