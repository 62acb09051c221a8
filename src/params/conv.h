/* layers/conv.h: convolutions of 1, 2 or 3 spatial dimensions. float32, float64, float16, bfloat16.
 *
 * channels_last: 0 - x and y are [N, C, spatial...]; 1 - they are [N, spatial..., C]. Weights keep one layout. */
#ifndef ONNXRUN_LAYERS_CONV_H
#define ONNXRUN_LAYERS_CONV_H

#include "params/tail.h"
#include "params/window.h"

/* conv: inputs x, weight [M, C/groups, kernel...], bias [M] (optional), residual like y (optional), which is added
 * before the clamp, and scale (optional), by which x is multiplied first: see layers/conv/conv_scale.h. */
struct onr_conv_params {
  struct onr_window window;
  int64_t groups; /* 0: 1 */
  struct onr_clamp clamp;
  struct onr_tail tail; /* not for the layers of integers */
  int32_t channels_last;
  int32_t x_channels_first; /* with channels_last: y alone is; not for the layers of integers */
};

/* conv_chain: convolutions of channels-last images of two dimensions, one behind the other: any, a depthwise one, and
 * perhaps one of single pixels. inputs x, weights of the stages (1 to 3), their biases (4 to 6, optional), all of them
 * constant, and a residual like y (7, optional), which the third stage adds. Parameters are those of conv. */
enum { ONR_CHAIN_STAGES = 3 };
struct onr_conv_chain_params {
  int32_t count; /* of stages: 2 or 3 */
  struct onr_conv_params stage[ONR_CHAIN_STAGES];
};

/* conv_integer: int32 convolution of 8-bit images with struct onr_conv_params; clamp is not used (qlinear_conv: bounds
 * of the real results). inputs x, weight, x's zero point (one), weight's zero point (one, or one an output channel);
 * both optional. ONNX ConvInteger-10. qlinear_conv: quantised convolution, the same parameters. inputs x, x_scale,
 * x_zero, weight, w_scale, w_zero, y_scale, y_zero, bias int32 [M] in steps of x_scale * w_scale (optional). Scales
 * float32; those of weights one, or one an output channel. y has the type of y_zero; products are exact, halves are
 * rounded to even. ONNX QLinearConv-10. conv_integer_real: x, weight, x_scale, w_scale, x_zero, w_zero, bias float32
 * [M] (the last three optional): float32 results, sum * (x_scale * w_scale) + bias, held within clamp.
 * qlinear_conv_transpose: as qlinear_conv, with the parameters and weights of conv_transpose, which are constant. */

/* conv_transpose: inputs x, weight [C, M/groups, kernel...], bias [M] (optional).
 * output = stride * (input - 1) + output_padding + dilated kernel - pad_begin - pad_end; where output_shape is given,
 * the padding follows from it: the odd pixel goes to the beginning, with SAME_UPPER to the end (ONNX since opset 11).
 */
struct onr_conv_transpose_params {
  struct onr_window window;
  int64_t groups; /* 0: 1 */
  int64_t output_padding[ONR_MAX_SPATIAL];
  int64_t output_size[ONR_MAX_SPATIAL]; /* above 0: gives output_padding, which must be below the stride, while padding
                                           stays */
  int32_t has_output_shape;
  int64_t output_shape[ONR_MAX_SPATIAL];
  struct onr_clamp clamp;
  struct onr_tail tail;
  int32_t channels_last;
};

/* deform_conv: inputs x [N, C, H, W], weight [M, C/groups, kernel...], offset [N, offset_groups * taps * 2, out H, out
 * W] (row and column of each tap, in pixels), bias [M] (optional), mask [N, offset_groups * taps, out H, out W]
 * (optional). */
struct onr_deform_conv_params {
  struct onr_window window; /* auto_pad is not used */
  int64_t groups;           /* 0: 1 */
  int64_t offset_groups;    /* 0: 1 */
};

/* causal_conv: depthwise over one dimension, seeing a position and those before it (ONNX CausalConvWithState).
 * inputs   x [N, C, L] (float32, float16, bfloat16), weight [C, 1, taps], bias [C] (optional),
 *          past [N, C, taps - 1] (optional: zeros): what came before x
 * outputs  y like x, present [N, C, taps - 1] (optional): the last of past and x together */
struct onr_causal_conv_params {
  int32_t silu; /* y sigmoid(y) afterwards */
};

#endif
