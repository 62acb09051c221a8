/* xnn_qconv.h: quantised convolutions on channels-last int8 images. */
#ifndef ONRI_XNN_QCONV_H
#define ONRI_XNN_QCONV_H

#include "xnn/xnn_conv.h"

/* The zero point of the weights is 0, scales are positive normal numbers and their ratio below 256. A result is
 * round(sum * (x_scale * scales[m] / y_scale)) + y_zero, halves to even. */
struct onri_xnn_qconv {
  float x_scale, y_scale;
  const float *scales; /* [groups * group_out] of the weights; lives as long as the packed block */
  int8_t x_zero, y_zero;
};

/* As in xnn_conv.h: onri_xnn_conv_fit answers for these, too. weight: [groups * group_out, group_in, taps]; bias may be
 * NULL. min and max of the shape do not count. */
ONRI_XNN(onri_xnn_qconv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c,
                             const struct onri_xnn_qconv *q, const int8_t *weight, const int32_t *bias,
                             struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_qconv_plan(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                             const struct onri_xnn_conv *c, const struct onri_xnn_qconv *q, size_t *scratch_bytes,
                             struct onr_env *env, struct onr_error *error))
/* As onri_xnn_conv_resize. */
ONRI_XNN(onri_xnn_qconv_resize(struct xnn_operator **op, const struct onri_xnn_conv *was, const struct onri_xnn_conv *c,
                               int *fits, size_t *scratch_bytes, struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_qconv_run(struct xnn_operator *op, void *scratch, const int8_t *x, int8_t *y, struct onr_env *env,
                            struct onr_error *error))

#endif
