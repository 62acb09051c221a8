/* xnn_pool.h: 2-D pools on channels-last float32 images. */
#ifndef ONRI_XNN_POOL_H
#define ONRI_XNN_POOL_H

#include "base/image.h"
#include "xnn/xnn.h"

struct onri_xnn_pool {
  struct onri_axis height, width;
  int64_t batch, channels;
  int32_t average; /* 0: maximum; 1: average of the pixels inside the image */
};

/* UNSUPPORTED (and no message) where XNNPACK has no operator for these windows or would go wrong. */
ONRI_XNN(onri_xnn_pool_check(const struct onri_xnn_pool *p))
/* *scratch_bytes is what setup wants, 64-byte aligned. */
ONRI_XNN(onri_xnn_pool_create(struct xnn_operator **op, const struct onri_xnn_pool *p, size_t *scratch_bytes,
                              struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_pool_setup(struct xnn_operator *op, const struct onri_xnn_pool *p, void *scratch, const float *x, float *y,
                             struct onr_error *error))

#endif
