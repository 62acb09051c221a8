/* conv_integer.h: convolution of 8-bit images with exact int32 sums, which wrap. Any layout, stride and dilation. */
#ifndef ONRI_KERNELS_CONV_INTEGER_H
#define ONRI_KERNELS_CONV_INTEGER_H

#include "kernels/conv/conv_direct.h"

struct onri_conv_integer {
  const struct onri_conv *conv; /* not transposed; its clamp does not count */
  int x_signed;
  const void *x; /* int8 or uint8 */
  int x_zero;
  const float *weights; /* differences from their zero points, from onri_conv_pack_f32 */
  const int32_t *bias;  /* [groups * group_out] or NULL */
  /* y is round(sum * x_scale * w_scale / y_scale) + y_zero, halves to even, held within low and high (NaN: low), as a
   * byte: in this order, each step in float32, as the standard's operators do it one after the other. w_scales: one, or
   * [groups * group_out] with a step of 1; NULL: y is the sums, int32. */
  const float *w_scales;
  size_t w_scale_step;
  float x_scale, y_scale;
  int y_zero, low, high;
  void *y;
};

void onri_conv_integer(const struct onri_conv_integer *c, struct onr_env *env);

#endif
