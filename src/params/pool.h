/* layers/pool.h: pools of 1, 2 or 3 spatial dimensions. float32, float64, float16, bfloat16; max_pool int8 and uint8
 * too.
 *
 * channels_last: 0 - x and y are [N, C, spatial...]; 1 - they are [N, spatial..., C]. */
#ifndef ONNXRUN_LAYERS_POOL_H
#define ONNXRUN_LAYERS_POOL_H

#include "params/window.h"

/* max_pool: output 1 (optional) is int64 in the layout of y: where each maximum lies in x, counted as if x were [N, C,
 * spatial...]. average_pool, lp_pool: input x. adaptive: window i along an axis of n pixels covers [floor(i n /
 * output), ceil((i + 1) n / output)): torch.nn.AdaptiveAvgPool2d. */
struct onr_pool_params {
  struct onr_window window;  /* window.rank and window.kernel must be given, unless adaptive */
  int32_t ceil_mode;         /* round the output size up; a window that begins behind the image is left out */
  int32_t may_be_empty;      /* an image that the formula gives no window at all is no error, but an empty output */
  int32_t count_include_pad; /* average_pool: padding counts as zeros */
  int32_t storage_order;     /* max_pool: 1 - spatial positions of indices are counted column by column */
  int32_t plane_indices;     /* max_pool: indices are counted in the image of each channel: torch.nn.MaxPool2d */
  int64_t divisor;           /* average_pool: the sum is divided by this; 0: by the pixels that count */
  int32_t adaptive; /* number of spatial dimensions, of which output gives the sizes; 0: windows as `window` says */
  int64_t output[ONR_MAX_SPATIAL]; /* 0: the size of x times ratio, rounded down */
  double ratio[ONR_MAX_SPATIAL];   /* 0: 1 */
  int32_t p;                       /* lp_pool: y = (sum |x|^p)^(1/p) */
  int32_t channels_last;
};

/* global_max_pool, global_average_pool, global_lp_pool: spatial dimensions of y are 1; x has 1 to 6 of them. */
struct onr_global_pool_params {
  int32_t p; /* global_lp_pool */
  int32_t channels_last;
};

/* fractional_max_pool: inputs x [N, C, spatial...], samples (optional, float32 [N, C, rank], each in [0, 1]: of the
 * last dimension first, as torch.nn.FractionalMaxPool2d has them for H and W, but of the first dimension first with
 * rank 3). Output y, int64 indices (optional) in the image of each channel. Along an axis of n pixels, with a = (n -
 * kernel) / (output - 1), window i begins at floor((i + sample) a) - floor(sample a), the last one at n - kernel. */
struct onr_fractional_max_pool_params {
  int32_t rank; /* spatial dimensions: 2 or 3 */
  int64_t kernel[ONR_MAX_SPATIAL];
  int64_t output[ONR_MAX_SPATIAL]; /* 0: floor(ratio * size of x) */
  double ratio[ONR_MAX_SPATIAL];   /* in (0, 1) */
  uint64_t seed;                   /* of the samples, where they are not given: those of torch.rand */
};

/* max_unpool: inputs x, indices (int64, same shape as x, as max_pool gives them for row order), output_shape (int64
 * [rank], optional, in the order [N, C, spatial...]). Everything else is 0. */
struct onr_max_unpool_params {
  struct onr_window window;
  int32_t plane_indices;           /* indices are counted in the unpooled image of each channel: torch.nn.MaxUnpool2d */
  int64_t output[ONR_MAX_SPATIAL]; /* with plane_indices: its size, less than a stride from what the window gives; 0:
                                      that */
  int32_t channels_last;
};

#endif
