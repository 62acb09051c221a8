/* depthwise_dot.h: depthwise convolution of bytes by instructions that add up products of four bytes: those of four
 * taps of a row. Some lines of an image are packed at a time, as in byte_image.h. */
#ifndef ONRI_DEPTHWISE_DOT_H
#define ONRI_DEPTHWISE_DOT_H

#include "kernels/conv_integer/byte_image.h"

/* Whether this processor has such instructions, and c is a convolution for them. */
int onri_depthwise_dot_can(const struct onri_conv *c);
/* Vectors that the channels of a pixel take. */
double onri_depthwise_dot_vectors(const struct onri_conv *c);

/* weight: [groups * group_out][taps]. SIZE_MAX where it does not fit. */
size_t onri_depthwise_dot_packed_bytes(const struct onri_conv *c);
void onri_depthwise_dot_pack(const struct onri_conv *c, const void *weight, int is_signed, void *packed);

struct onri_depthwise_dot {
  const struct onri_conv *conv;
  int x_signed, w_signed;
  const void *x;
  int32_t x_zero;
  const void *packed;
  const int32_t *w_zeros; /* [1] or, with a step of 1, one an output channel; NULL: 0 */
  size_t w_zero_step;
  const int32_t *bias;                      /* one an output channel, or NULL */
  const struct onri_requantise *requantise; /* one of both, or neither: y is int32 */
  const struct onri_byte_reals *reals;
  void *y;
  void *scratch;
};
/* For up to so many threads; SIZE_MAX where it does not fit, for any number. */
size_t onri_depthwise_dot_scratch(const struct onri_conv *c, uint32_t threads);
void onri_depthwise_dot(const struct onri_depthwise_dot *d, struct onr_env *env);

#endif
