/* layers/window.h: what convolutions and pools have in common. */
#ifndef ONNXRUN_LAYERS_WINDOW_H
#define ONNXRUN_LAYERS_WINDOW_H

#include <stdint.h>

#include "params/clamp.h"

#define ONR_MAX_SPATIAL 3

enum onr_auto_pad {
  ONR_AUTO_PAD_NOTSET = 0,     /* pad_begin and pad_end count */
  ONR_AUTO_PAD_SAME_UPPER = 1, /* output = ceil(input / stride); an odd pixel of padding goes to the end */
  ONR_AUTO_PAD_SAME_LOWER = 2, /* ... to the beginning */
  ONR_AUTO_PAD_VALID = 3,      /* no padding */
};

/* A window that slides over the spatial dimensions, outermost first (depth, height, width). All zero is the default. */
struct onr_window {
  int32_t rank; /* entries of the arrays in use; 0: all are at their defaults. Else the number of spatial dimensions */
  int32_t auto_pad;                  /* enum onr_auto_pad */
  int64_t kernel[ONR_MAX_SPATIAL];   /* 0: taken from the weights (convolutions only) */
  int64_t stride[ONR_MAX_SPATIAL];   /* 0: 1 */
  int64_t dilation[ONR_MAX_SPATIAL]; /* 0: 1 */
  int64_t pad_begin[ONR_MAX_SPATIAL], pad_end[ONR_MAX_SPATIAL];
};

#endif
