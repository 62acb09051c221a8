/* index.h: layers that read or write where tensor data says, or say where something is in tensor data.
 * Indices are int32 or int64; negative ones count from the end; out of range is INDEX. */
#ifndef ONNXRUN_LAYERS_INDEX_H
#define ONNXRUN_LAYERS_INDEX_H

#include "onnxrun/tensor.h"

/* gather: x, indices (any shape) take the place of axis. gather_elements: x, indices of x's rank. */
struct onr_gather_params {
  int64_t axis;
};

/* gather_nd: x, indices [..., k]: each row names a place in the k dimensions after the batch dimensions. */
struct onr_gather_nd_params {
  int64_t batch_dims;
};

enum onr_reduction { ONR_REDUCTION_NONE, ONR_REDUCTION_ADD, ONR_REDUCTION_MUL, ONR_REDUCTION_MIN, ONR_REDUCTION_MAX };

/* scatter_elements: x, indices, updates (of the indices' shape). Doubled indices are written in order. */
struct onr_scatter_elements_params {
  int64_t axis;
  enum onr_reduction reduction;
};

/* scatter_nd: x, indices [..., k], updates [..., x.dim[k], ...]. Doubled indices are written in order. */
struct onr_scatter_nd_params {
  enum onr_reduction reduction;
};

/* tensor_scatter: cache, update, first (optional int64 [batch]), least (optional int64 [1]): update is written along
 * axis from first[b] on. A cache shorter than `least` has zeros behind it. */
struct onr_tensor_scatter_params {
  int64_t axis;
  int32_t circular; /* positions wrap round */
};

/* top_k: x, k (int64 scalar) -> values, indices (int64). Sorted; of equal elements the one of lower index comes first;
 * NaN counts as greater than every number. */
struct onr_top_k_params {
  int64_t axis;
  int32_t largest;
};

/* non_zero: x -> int64 [rank, n]. No parameters. */

/* unique: x -> values, first indices, inverse indices, counts. */
struct onr_unique_params {
  int32_t flat; /* non-zero: of all elements; else of the slices along axis */
  int64_t axis;
  int32_t sorted; /* 0: in order of first appearance */
};

/* compress: x, condition (bool [n], n may be shorter than the dimension). */
struct onr_compress_params {
  int32_t flat;
  int64_t axis;
};

/* non_max_suppression: boxes [batch, n, 4], scores [batch, classes, n], most boxes a class, IoU threshold, score
 * threshold (optional scalars) -> int64 [selected, 3]: batch, class, box. */
struct onr_non_max_suppression_params {
  int32_t center_point_box; /* boxes are x, y, width, height; else two opposite corners y, x, y, x */
};

#endif
