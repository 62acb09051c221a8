/* normalization.h: parameters of softmax and of the normalisations. Inputs are floating-point; statistics are in
 * double. */
#ifndef ONNXRUN_LAYERS_NORMALIZATION_H
#define ONNXRUN_LAYERS_NORMALIZATION_H

#include <stdint.h>

#include "onnxrun/tensor.h"

/* softmax, log_softmax, hardmax: along one axis. */
struct onr_softmax_params {
  int64_t axis; /* may be negative */
  int32_t
      flatten; /* non-zero: over all of [axis, rank) at once, as ONNX did before opset 13; axis may equal the rank */
};

/* What the last dimensions of x must be; num_dims 0: anything. */
struct onr_normalized_shape {
  int32_t num_dims;
  int64_t dim[ONR_MAX_RANK];
};

/* layer_norm: (x - mean) / sqrt(variance + epsilon) * scale + bias over dimensions [axis, rank).
 * inputs  x, scale (optional), bias (optional), both broadcast to x's dimensions [axis, rank)
 * outputs y, mean (optional), 1 / sqrt(variance + epsilon) (optional); the latter two float32, 1 in [axis, rank) */
struct onr_layer_norm_params {
  int64_t axis; /* may be negative */
  float epsilon;
  struct onr_normalized_shape shape;
};

/* rms_norm: x / sqrt(mean(x^2) + epsilon) * scale over dimensions [axis, rank). inputs x, scale (optional).
 * y has the type of scale, or of x without one. */
struct onr_rms_norm_params {
  int64_t axis;
  float epsilon;
  struct onr_normalized_shape shape;
};

/* group_norm: x [batch, channels, ...] in groups of channels. inputs x, scale (optional), bias (optional) */
struct onr_group_norm_params {
  int64_t groups;
  float epsilon;
  int32_t scale_per_group; /* non-zero: scale and bias have one value a group (opset 18), else one a channel */
  int32_t channels_last;   /* x is [batch, ..., channels] */
};

/* instance_norm: group_norm with as many groups as channels. inputs x, scale (optional), bias (optional) */
struct onr_instance_norm_params {
  float epsilon;
  int32_t channels_last;
};

/* lp_norm: x / (sum |x|^p)^(1/p) along one axis; 0 where the norm is 0. */
struct onr_lp_norm_params {
  int64_t axis;
  int32_t p; /* 1 or 2 */
};

/* mean_variance_norm: (x - mean) / sqrt(variance) over `axes`; a constant line gives 0. */
struct onr_mean_variance_norm_params {
  int64_t axes[ONR_MAX_RANK];
  int32_t num_axes;
};

#endif
