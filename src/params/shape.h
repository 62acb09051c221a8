/* shape.h: layers that give the same elements another shape or type, or turn shapes into data. */
#ifndef ONNXRUN_LAYERS_SHAPE_H
#define ONNXRUN_LAYERS_SHAPE_H

#include "onnxrun/tensor.h"

/* reshape: x, shape (int64 [rank]): -1 is worked out from the others, 0 is the dimension of x at that place. */
struct onr_reshape_params {
  int32_t allow_zero; /* non-zero: 0 is a dimension of 0 */
  /* Of the result's dimensions: 0, as the list says; k: dimension k - 1 of x, whatever the list says. No two are the
   * same one. -1 is then worked out from the dimensions that are neither copied nor copies, also where those are 0. */
  uint8_t copy[ONR_MAX_RANK];
};

/* flatten: x [d0, ... dn] -> [d0 * ... d(axis-1), d(axis) * ... dn]. */
struct onr_flatten_params {
  int32_t axis; /* -rank .. rank */
};

/* flatten_dims: the dimensions first .. last become one; both may be negative; a scalar becomes [1]. torch.flatten. */
struct onr_flatten_dims_params {
  int32_t first, last;
};

/* unflatten: dimension `axis` becomes several; one of the sizes may be -1: what is left. torch.unflatten. */
struct onr_unflatten_params {
  int32_t axis; /* may be negative */
  int32_t num_sizes;
  int64_t sizes[ONR_MAX_RANK];
};

/* squeeze: x, axes (optional int64 list: all dimensions of 1). unsqueeze: x, axes (of the result). identity: x. No
 * parameters. */

/* batch: x of rank `rank`, or of one less, which then gets a dimension of 1. unbatch: y, x: takes that dimension of y,
 * of any rank, away again where x had none. Both are for torch.nn's layers that take a batch or a single item. */
struct onr_batch_params {
  int32_t rank;
  int32_t axis; /* where the dimension of 1 comes; 0: in front */
};

/* bit_cast: the same bits as another type of the same width. */
struct onr_bit_cast_params {
  enum onr_dtype dtype;
};

/* shape: the dimensions start .. end-1 of x as int64 [end - start]; negative counts from the end, out of range is
 * clamped. size: the number of elements as an int64 scalar; no parameters. */
struct onr_shape_params {
  int64_t start, end; /* INT64_MAX: to the last */
};

#endif
