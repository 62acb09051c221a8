/* conv_half.h: convolutions of channels-last images as products in arithmetic of float16 (half_product.h): pixels by
 * taps and channels of input times these by channels of output. */
#ifndef ONRI_CONV_HALF_H
#define ONRI_CONV_HALF_H

#include "kernels/conv/conv_direct.h"

/* NULL: onri_conv_half can it; else in a few words why not. Weights must be finite: padding is multiplied. */
const char *onri_conv_half_why_not(const struct onri_conv *c);
size_t onri_conv_half_packed_bytes(const struct onri_conv *c); /* SIZE_MAX: too many */
/* weights: as onri_conv_pack_f32 makes them. */
void onri_conv_half_pack(const struct onri_conv *c, const float *weights, void *packed, struct onr_env *env);

struct onri_conv_half {
  const float *x;
  const void *packed;
  const float *bias, *residual; /* NULL: none; residual lies as y does, apart from it */
  float *y;
  void (*tail)(const void *context, float *y, size_t count); /* NULL: none */
  const void *tail_context;
};
/* x and y are channels-last, one image behind the other. */
void onri_conv_half(const struct onri_conv *c, const struct onri_conv_half *operands, struct onr_env *env);

#endif
