/* layers/resize.h: interpolation along any axes. */
#ifndef ONNXRUN_LAYERS_RESIZE_H
#define ONNXRUN_LAYERS_RESIZE_H

#include <stdint.h>

#include "onnxrun/tensor.h"

enum onr_resize_mode { ONR_RESIZE_NEAREST = 0, ONR_RESIZE_LINEAR = 1, ONR_RESIZE_CUBIC = 2 };

/* Where the middle of an output pixel lies in the input. */
enum onr_resize_coordinates {
  ONR_RESIZE_HALF_PIXEL = 0,
  ONR_RESIZE_HALF_PIXEL_SYMMETRIC = 1,
  ONR_RESIZE_PYTORCH_HALF_PIXEL = 2,
  ONR_RESIZE_ALIGN_CORNERS = 3,
  ONR_RESIZE_ASYMMETRIC = 4,
  ONR_RESIZE_TF_HALF_PIXEL_FOR_NN = 5,
  ONR_RESIZE_TF_CROP_AND_RESIZE = 6,
  ONR_RESIZE_PYTORCH_CORNERS =
      7, /* half_pixel with scales of (out - 1) / (in - 1): torch.nn's antialias with align_corners */
};

enum onr_resize_nearest {
  ONR_RESIZE_ROUND_PREFER_FLOOR = 0,
  ONR_RESIZE_ROUND_PREFER_CEIL = 1,
  ONR_RESIZE_FLOOR = 2,
  ONR_RESIZE_CEIL = 3,
  ONR_RESIZE_SIMPLE = 4, /* before version 11 of the standard: floor when growing, ceil when shrinking */
};

enum onr_resize_aspect { ONR_RESIZE_STRETCH = 0, ONR_RESIZE_NOT_LARGER = 1, ONR_RESIZE_NOT_SMALLER = 2 };

/* Inputs x, roi (optional: starts, then ends, one each per axis in `axes`), scales (float32, optional), sizes (int64,
 * optional); exactly one of scales and sizes. Nearest takes every dtype; the others floats and integers,
 * which are rounded to the nearest.
 * channels_last 1: x and y are [N, spatial..., C], while axes, roi, scales and sizes speak of [N, C, spatial...]. */
struct onr_resize_params {
  int32_t mode;        /* enum onr_resize_mode */
  int32_t coordinates; /* enum onr_resize_coordinates */
  int32_t nearest;     /* enum onr_resize_nearest */
  int32_t aspect;      /* enum onr_resize_aspect; with sizes only */
  int32_t antialias;   /* widen the filter when shrinking */
  int32_t exclude_outside;
  float cubic_a; /* -0.75 is usual */
  float extrapolation_value;
  int32_t wide_scales;        /* scales are float64, in which torch.nn computes sizes */
  int32_t recompute_scales;   /* scales decide the sizes alone: positions follow from these */
  int32_t num_axes;           /* 0: all axes in order */
  int32_t axes[ONR_MAX_RANK]; /* may be negative */
  int32_t channels_last;
};

#endif
