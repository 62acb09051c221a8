/* layers/pool.h: pools of 1, 2 or 3 spatial dimensions. float32, float64, float16, bfloat16; max_pool int8 and uint8 too.
 *
 * channels_last: 0 - x and y are [N, C, spatial...]; 1 - they are [N, spatial..., C]. */
#ifndef ONNXRUN_LAYERS_POOL_H
#define ONNXRUN_LAYERS_POOL_H

#include "onnxrun/layers/window.h"

/* max_pool: output 1 (optional) is int64 in the layout of y: where each maximum lies in x, counted as if x were [N, C, spatial...].
 * average_pool, lp_pool: input x. */
struct onr_pool_params {
  struct onr_window window;  /* window.rank and window.kernel must be given */
  int32_t ceil_mode;         /* round the output size up; a window that begins behind the image is left out */
  int32_t count_include_pad; /* average_pool: padding counts as zeros */
  int32_t storage_order;     /* max_pool: 1 - spatial positions of indices are counted column by column */
  int32_t p;                 /* lp_pool: y = (sum |x|^p)^(1/p) */
  int32_t channels_last;
};

/* global_max_pool, global_average_pool, global_lp_pool: spatial dimensions of y are 1; x has 1 to 6 of them. */
struct onr_global_pool_params {
  int32_t p; /* global_lp_pool */
  int32_t channels_last;
};

/* max_unpool: inputs x, indices (int64, same shape as x, as max_pool gives them for row order), output_shape (int64 [rank],
 * optional, in the order [N, C, spatial...]). Everything else is 0. */
struct onr_max_unpool_params {
  struct onr_window window;
  int32_t channels_last;
};

#endif
