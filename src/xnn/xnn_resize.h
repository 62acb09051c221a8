/* xnn_resize.h: bilinear interpolation of channels-last float32 images. */
#ifndef ONRI_XNN_RESIZE_H
#define ONRI_XNN_RESIZE_H

#include "xnn/xnn.h"

enum onri_xnn_corners { ONRI_XNN_HALF_PIXEL, ONRI_XNN_ALIGN_CORNERS, ONRI_XNN_ASYMMETRIC };

struct onri_xnn_resize {
  int64_t batch, channels, height, width, out_height, out_width; /* all above 0 */
  enum onri_xnn_corners corners;
};

/* UNSUPPORTED (and no message) where sizes are beyond what XNNPACK computes with. */
ONRI_XNN(onri_xnn_resize_check(const struct onri_xnn_resize *r))
/* *scratch_bytes is what setup wants, 64-byte aligned. */
ONRI_XNN(onri_xnn_resize_create(struct xnn_operator **op, const struct onri_xnn_resize *r, size_t *scratch_bytes,
                                struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_resize_setup(struct xnn_operator *op, void *scratch, const float *x, float *y, struct onr_error *error))

#endif
