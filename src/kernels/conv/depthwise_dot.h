/* depthwise_dot.h: depthwise convolution of bytes to bytes by instructions that add up products of four bytes: those of
 * four taps of a row. Signed weights without zero points, images packed as in byte_image.h. */
#ifndef ONRI_DEPTHWISE_DOT_H
#define ONRI_DEPTHWISE_DOT_H

#include "kernels/conv/byte_image.h"

/* Whether this processor has such instructions, and c is a convolution for them. */
int onri_depthwise_dot_can(const struct onri_conv *c);

/* weight: [groups][taps], signed. SIZE_MAX where it does not fit. */
size_t onri_depthwise_dot_packed_bytes(const struct onri_conv *c);
void onri_depthwise_dot_pack(const struct onri_conv *c, const int8_t *weight, void *packed);

struct onri_depthwise_dot {
  const struct onri_conv *conv;
  int x_signed;
  const void *x;
  int32_t x_zero;
  const void *packed;
  const int32_t *bias; /* [groups] or NULL */
  const struct onri_requantise *requantise;
  void *y;
  void *scratch;
};
size_t onri_depthwise_dot_scratch(const struct onri_conv *c);
void onri_depthwise_dot(const struct onri_depthwise_dot *d, struct onr_env *env);

#endif
