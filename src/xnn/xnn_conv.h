/* xnn_conv.h: convolutions, plain and transposed, on channels-last float32 images of up to 3 spatial dimensions.
 *
 * XNNPACK convolves planes and believes what it is told. Whether a convolution is one of planes, and whether its sizes
 * are such that XNNPACK computes it within bounds, is answered here and nowhere else:
 *
 *   prepare   onri_xnn_conv_fit says NEVER (portable), SOMETIMES (pack, and keep the weights) or ALWAYS (pack)
 *   plan      onri_xnn_conv_plan makes no operator where the sizes do not fit after all; never after ALWAYS */
#ifndef ONRI_XNN_CONV_H
#define ONRI_XNN_CONV_H

#include "base/image.h"
#include "xnn/xnn.h"

/* The packed weights depend on everything but batch, sizes and, for kernels above 1x1, padding. */
struct onri_xnn_conv {
  struct onri_axis
      axis[ONR_MAX_SPATIAL]; /* `in` and `out` count from create on; transposed: padding is cut from the output */
  int64_t batch, groups, group_in, group_out;
  int32_t transposed;
  float min, max;
};

enum onri_xnn_fit { ONRI_XNN_NEVER, ONRI_XNN_SOMETIMES, ONRI_XNN_ALWAYS };

/* For any batch and sizes; a transposed convolution is given with those of an image of one pixel. Padding on an axis
 * whose kernel and stride are 1 must be known. finite_only (NULL: integers): set when XNNPACK is right for finite
 * numbers alone. Some of its micro-kernels turn NaN into a bound of the clamp, and depthwise ones multiply neighbours
 * by 0 to fill up a tile. */
ONRI_XNN(onri_xnn_conv_fit(const struct onri_xnn_conv *c, int *finite_only, enum onri_xnn_fit *fit, struct onr_env *env,
                           struct onr_error *error))

/* weight: [groups * group_out, group_in, taps], transposed: [groups * group_in, group_out, taps]; bias may be NULL.
 * LIMIT when packing multiplies them beyond what is sensible. */
ONRI_XNN(onri_xnn_conv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c, const float *weight,
                            const float *bias, struct onr_env *env, struct onr_error *error))
/* The same from a file of packed weights, when there is one that has them; else nothing is packed. */
ONRI_XNN(onri_xnn_conv_recall(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c, struct onr_env *env,
                              struct onr_error *error))
/* An operator; *op stays NULL where the sizes do not fit. *scratch_bytes is what run wants, 64-byte aligned. */
ONRI_XNN(onri_xnn_conv_plan(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                            const struct onri_xnn_conv *c, size_t *scratch_bytes, struct onr_env *env,
                            struct onr_error *error))
/* Gives an operator that was made for `was` the sizes of c, which is cheaper than making one: depthwise and transposed
 * weights are packed each time. roomy: its memory never shrinks. *fits is 0 where c is another convolution (*op stays
 * as it is) or its sizes do not fit (*op is deleted and NULL, as after a failure). */
ONRI_XNN(onri_xnn_conv_resize(struct xnn_operator **op, const struct onri_xnn_conv *was, const struct onri_xnn_conv *c,
                              int roomy, int *fits, size_t *scratch_bytes, struct onr_env *env,
                              struct onr_error *error))
/* x is read up to ONR_SLACK_BYTES past its end. */
ONRI_XNN(onri_xnn_conv_run(struct xnn_operator *op, const struct onri_xnn_conv *c, void *scratch, const float *x,
                           float *y, struct onr_env *env, struct onr_error *error))

#endif
