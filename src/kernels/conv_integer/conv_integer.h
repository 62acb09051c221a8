/* conv_integer.h: convolution of 8-bit images with exact int32 sums, which wrap. Any layout, stride and dilation. */
#ifndef ONRI_KERNELS_CONV_INTEGER_H
#define ONRI_KERNELS_CONV_INTEGER_H

#include "kernels/conv/conv_direct.h"
#include "kernels/quantize/byte_product.h"

struct onri_conv_integer {
  const struct onri_conv *conv; /* not transposed; its clamp does not count */
  int x_signed, w_signed;
  const void *x; /* int8 or uint8 */
  int32_t x_zero;
  const void *weights;    /* from onri_conv_integer_pack */
  const int32_t *w_zeros; /* [1], or [groups * group_out] with a step of 1; NULL: 0 */
  size_t w_zero_step;
  const int32_t *bias; /* [groups * group_out] or NULL */
  /* At most one of both, with scales of [groups * group_out]: y is bytes, or float32; neither: y is the sums, int32 */
  const struct onri_requantise *requantise;
  const struct onri_byte_reals *reals;
  void *y;
  void *scratch; /* onri_conv_integer_scratch bytes, aligned for any type */
};
/* For up to so many threads; SIZE_MAX where it does not fit. */
size_t onri_conv_integer_scratch(const struct onri_conv *c, int x_signed, uint32_t threads);

/* Bytes of the packed weights; SIZE_MAX where they do not fit. */
size_t onri_conv_integer_packed_bytes(const struct onri_conv *c);
/* weight: [groups * group_out, group_in, taps] of bytes. zeros: what w_zeros will be, where it is known, or NULL. */
void onri_conv_integer_pack(const struct onri_conv *c, const void *weight, int is_signed, const int32_t *zeros,
                            size_t zero_step, void *packed);
void onri_conv_integer(const struct onri_conv_integer *c, struct onr_env *env);

#endif
