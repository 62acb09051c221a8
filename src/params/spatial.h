/* layers/spatial.h: layers on images that neither convolve nor pool.
 *
 * channels_last: 0 - images are [N, C, spatial...]; 1 - they are [N, spatial..., C]. */
#ifndef ONNXRUN_LAYERS_SPATIAL_H
#define ONNXRUN_LAYERS_SPATIAL_H

#include <stdint.h>

#include "params/window.h"

/* batch_norm: inputs x, scale [C], bias [C], mean [C], variance [C]. Output y; in training also running mean and
 * variance. */
struct onr_batch_norm_params {
  float epsilon;
  float momentum;   /* training: running = running * momentum + batch * (1 - momentum) */
  int32_t training; /* normalise with the statistics of x */
  int32_t channels_last;
  int32_t min_rank, max_rank; /* of x; 0: 1 and ONR_MAX_RANK */
};

enum onr_block_order { ONR_BLOCK_DCR = 0, ONR_BLOCK_CRD = 1 }; /* depth-column-row, column-row-depth */

/* depth_to_space, space_to_depth: x of rank 4, any dtype. */
struct onr_block_params {
  int64_t block_size;
  int32_t order; /* enum onr_block_order */
  int32_t channels_last;
};

/* channel_shuffle: channel [g][c] goes to [c][g]; any rank from 2, any dtype. */
struct onr_channel_shuffle_params {
  int64_t groups;
  int32_t channels_last;
};

/* lrn: y = x / (bias + alpha / size * sum of squares over `size` channels)^beta. */
struct onr_lrn_params {
  int64_t size;
  float alpha, beta, bias;
  int32_t channels_last;
  int32_t odd_before; /* the odd channel of an even window lies before, as in PyTorch; else behind, as in ONNX */
  int32_t keep_first; /* channel 0 counts in every window, as in PyTorch's CrossMapLRN2d */
};

enum onr_grid_mode { ONR_GRID_LINEAR = 0, ONR_GRID_NEAREST = 1, ONR_GRID_CUBIC = 2 };
enum onr_grid_padding { ONR_GRID_ZEROS = 0, ONR_GRID_BORDER = 1, ONR_GRID_REFLECTION = 2 };

/* grid_sample: inputs x with 2 or 3 spatial dimensions, grid [N, spatial of y..., 2 or 3] of (x, y, z) in [-1, 1]. */
struct onr_grid_sample_params {
  int32_t mode;    /* enum onr_grid_mode; cubic with 2 dimensions only */
  int32_t padding; /* enum onr_grid_padding */
  int32_t align_corners;
  int32_t channels_last;
};

/* affine_grid: inputs theta [N, 2, 3] or [N, 3, 4], size int64 [4] or [5] ([N, C, spatial...]); output a grid for
 * grid_sample. */
struct onr_affine_grid_params {
  int32_t align_corners;
};

/* col2im: inputs x [N, C * product of block, L], image shape int64 [spatial], block shape int64 [spatial]; output
 * [N, C, image...]. Arrays of the window other than kernel are used. */
struct onr_col2im_params {
  struct onr_window window;
};

/* im2col: the other way: x [N, C, spatial...] (1 to 3, any dtype) to [N, C * product of kernel, L]. Nothing of the
 * window is padded. */
struct onr_im2col_params {
  struct onr_window window;
};

enum onr_roi_mode { ONR_ROI_AVERAGE = 0, ONR_ROI_MAX = 1 };

/* roi_align: inputs x [N, C, H, W], rois [R, 4] (x1, y1, x2, y2), batch indices int64 [R]; output [R, C, height,
 * width]. */
struct onr_roi_align_params {
  int32_t mode; /* enum onr_roi_mode */
  int32_t half_pixel;
  int64_t output_height, output_width;
  int64_t sampling_ratio; /* 0: as many samples as the region has pixels per output pixel, rounded up */
  float spatial_scale;
  int32_t channels_last;
};

/* max_roi_pool: inputs x [N, C, H, W], rois [R, 5] (batch, x1, y1, x2, y2); output [R, C, height, width]. */
struct onr_max_roi_pool_params {
  int64_t output_height, output_width;
  float spatial_scale;
};

#endif
