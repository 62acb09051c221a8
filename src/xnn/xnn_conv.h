/* xnn_conv.h: 2-D convolutions, plain and transposed, on channels-last float32 images. */
#ifndef ONRI_XNN_CONV_H
#define ONRI_XNN_CONV_H

#include "base/image.h"
#include "xnn/xnn.h"

/* What makes the operator. The packed weights depend on everything but sizes and, for kernels above 1x1, padding. */
struct onri_xnn_conv {
  struct onri_axis height, width; /* `in`, `out` and padding count from create on; transposed: padding is cut from the output */
  int64_t groups, group_in, group_out;
  int32_t transposed;
  int64_t extra_height, extra_width; /* transposed: output padding, below the stride */
  float min, max;
};

/* OK unless XNNPACK would compute with sizes that wrap (LIMIT). Look before packing. */
ONRI_XNN(onri_xnn_conv_check(const struct onri_xnn_conv *c, struct onr_error *error))

/* weight: [groups * group_out, group_in, h, w], transposed: [groups * group_in, group_out, h, w]; bias may be NULL. */
ONRI_XNN(onri_xnn_conv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c, const float *weight, const float *bias,
                            struct onr_env *env, struct onr_error *error))
/* An operator for images of batch > 0. *scratch_bytes is what setup wants, 64-byte aligned. */
ONRI_XNN(onri_xnn_conv_create(struct xnn_operator **op, const struct onri_xnn_packed *packed, const struct onri_xnn_conv *c,
                              int64_t batch, size_t *scratch_bytes, struct onr_env *env, struct onr_error *error))
/* Pointers of the next run. x is read up to ONR_SLACK_BYTES past its end. */
ONRI_XNN(onri_xnn_conv_setup(struct xnn_operator *op, const struct onri_xnn_conv *c, void *scratch, const float *x, float *y,
                             struct onr_error *error))

#endif
