/* winograd.h: convolution with stride 1 by the method of Toom, Cook and Winograd, float32, channels-last.
 *
 * A tile of m outputs along an axis is made from n = m + kernel - 1 inputs with n products instead of m * kernel:
 * inputs and weights become values of polynomials at n points, which are multiplied, one matrix product a point, and
 * turned back. The points are 0, infinity and pairs +-a; n is 4, 6 or, on lines, 8. Planes (axes 1 and 2) and lines are
 * done so; taps of axis 0 are summed.
 *
 * Transforms lose digits: the error is about 1 (n = 4), 2 (n = 6) and, on lines, 2 (n = 8) times that of the direct
 * sum. Each output is computed in one fixed order, for any number of threads. */
#ifndef ONRI_WINOGRAD_H
#define ONRI_WINOGRAD_H

#include "base/only.h"
#include "kernels/conv/conv_direct.h"

/* How a convolution is done. */
struct onri_winograd {
  const struct onri_winograd_kernels *kernels; /* of a level: packed weights depend on it */
  int32_t points[ONR_MAX_SPATIAL];             /* of axes 1 and 2; 1: the axis has one tap and is not transformed */
  int32_t outputs[ONR_MAX_SPATIAL];            /* of a tile */
};

/* Memory of a run. */
struct onri_winograd_plan {
  struct onri_winograd how;
  int64_t tiles, block;    /* of all images; in a block */
  int64_t slots;           /* threads that have scratch of their own */
  int32_t together;        /* one block of all tiles, and threads share its output channels, */
  int64_t parts;           /* and these are cut into so many parts of the tiles */
  size_t forward, product; /* elements of scratch of a block: transformed inputs; products */
};

/* Whether it is worth it, and how; sizes (in and out of axes 1 and 2, batch) may be 0: unknown. outputs: of a side of
 * the tiles, worth it or not; 0: any. */
int onri_winograd_chosen(const struct onri_conv *c, int outputs, struct onri_winograd *how);
static inline int onri_winograd_choose(const struct onri_conv *c, int outputs, struct onri_winograd *how) {
  return ONRI_PART(winograd) && onri_winograd_chosen(c, outputs, how);
}
/* 0: does not fit in memory. */
int onri_winograd_packed_bytes(const struct onri_conv *c, const struct onri_winograd *how, size_t *bytes);
/* weight: as for onri_conv_pack_f32. 0: they are not finite, or so large that what is packed is not. */
int onri_winograd_pack(const struct onri_conv *c, const struct onri_winograd *how, const float *weight, float *packed,
                       struct onr_env *env);
/* *bytes of scratch, 64-byte aligned; 0: does not fit in memory. */
int onri_winograd_plan(const struct onri_conv *c, const struct onri_winograd *how, uint32_t threads,
                       struct onri_winograd_plan *plan, size_t *bytes);
/* x is read up to ONR_SLACK_BYTES behind its end. residual: lies as y does, and is not y; added before the clamp. NULL:
 * none. 0: x has a number that is not finite, or sums overflow: y is not of use, and another method must tell what it
 * is. */
int onri_winograd_f32(const struct onri_conv *c, const struct onri_winograd_plan *plan, const float *x,
                      const float *packed, const float *bias, const float *residual, float *y, void *scratch,
                      struct onr_env *env);

#endif
