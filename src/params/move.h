/* move.h: layers that put elements elsewhere by a rule that needs no data. They serve every element type. */
#ifndef ONNXRUN_LAYERS_MOVE_H
#define ONNXRUN_LAYERS_MOVE_H

#include "onnxrun/tensor.h"

/* transpose: y.dim[i] = x.dim[perm[i]]. */
struct onr_transpose_params {
  int32_t rank; /* of perm; 0: reverse the dimensions, whatever their number */
  int32_t perm[ONR_MAX_RANK];
};

/* concat: any number of tensors that differ along axis only. */
struct onr_concat_params {
  int64_t axis;
};

/* split: x, sizes (optional int64 list; without it parts of equal size, the last one smaller where need be). */
struct onr_split_params {
  int64_t axis;
  int32_t
      even; /* non-zero: without sizes, refuse a dimension that the number of parts does not divide (ONNX before 18) */
};

/* slice: x, starts, ends, axes (optional), steps (optional): int32 or int64 lists. No parameters.
 * expand: x, shape: two-way broadcasting. tile: x, repeats (one a dimension). No parameters. */

/* pad: x, pads (int64: the begins of all axes, then the ends; negative crops), value (optional scalar of x's type;
 * for a float type also float32), axes (optional). */
enum onr_pad_mode {
  ONR_PAD_CONSTANT,
  ONR_PAD_REFLECT,
  ONR_PAD_EDGE,
  ONR_PAD_WRAP,
  ONR_PAD_CIRCULAR, /* wraps once at most: torch.nn.CircularPad */
};
struct onr_pad_params {
  enum onr_pad_mode mode;
};

/* center_crop_pad: x, sizes (int64, one an axis): each axis is cropped, or padded with 0, to its size, about its
 * middle. */
struct onr_center_crop_pad_params {
  int32_t num_axes; /* 0: all axes */
  int64_t axes[ONR_MAX_RANK];
};

/* trilu: x [..., rows, columns], k (optional int64 scalar): zero below (upper) or above (lower) diagonal k. */
struct onr_trilu_params {
  int32_t upper;
};

/* reverse_sequence: x, lengths (int64 [batch]): the first lengths[b] items along time are reversed. */
struct onr_reverse_sequence_params {
  int32_t batch_axis, time_axis; /* 0 and 1 in either order */
};

#endif
