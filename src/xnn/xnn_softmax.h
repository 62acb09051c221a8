/* xnn_softmax.h: XNNPACK's softmax of rows of float32. */
#ifndef ONRI_XNN_SOFTMAX_H
#define ONRI_XNN_SOFTMAX_H

#include "xnn/xnn.h"

/* Softmax of each row of x [rows, channels]. NaN in a row, or no largest number in it, makes all of it NaN. */
ONRI_XNN(onri_xnn_softmax_check(size_t rows, size_t channels))
ONRI_XNN(onri_xnn_softmax_plan(struct xnn_operator **op, size_t rows, size_t channels, struct onr_env *env,
                               struct onr_error *error))
ONRI_XNN(onri_xnn_softmax_run(struct xnn_operator *op, const float *x, float *y, struct onr_env *env,
                              struct onr_error *error))

#endif
