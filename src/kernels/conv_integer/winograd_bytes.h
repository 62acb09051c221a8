/* winograd_bytes.h: 3x3 convolution of bytes with stride 1 by Winograd's method, in exact integers: a tile of 2x2
 * outputs is made from 4x4 inputs with 16 products a channel instead of 36.
 *
 * Transformed inputs are up to 4 times as large as bytes, weights, which are doubled along each axis, 9 times, so that
 * both are held in 16 bits; their sums are 4 times the result. Levels that multiply bytes four at a time do not take
 * it. Packed weights have 32 bytes where bytes have 9. */
#ifndef ONRI_WINOGRAD_BYTES_H
#define ONRI_WINOGRAD_BYTES_H

#include "kernels/conv_integer/byte_image.h"

/* Whether convolutions with such weights are done so; sizes of images do not count. */
int onri_winograd_bytes_can(const struct onri_conv *c);
/* SIZE_MAX where it does not fit. weight: as for onri_conv_integer_pack. */
size_t onri_winograd_bytes_packed_bytes(const struct onri_conv *c);
void onri_winograd_bytes_pack(const struct onri_conv *c, const void *weight, int is_signed, void *packed);

struct onri_winograd_bytes {
  const struct onri_conv *conv;
  int x_signed, w_signed;
  const void *x;
  int32_t x_zero;
  const void *packed;
  const int32_t *w_zeros; /* [1] or, with a step of 1, [group_out]; NULL: 0 */
  size_t w_zero_step;
  const int32_t *bias; /* [group_out] or NULL */
  void *scratch;
  const void *context;
  /* What becomes of the sums of pixels of an image, one behind the other, and some channels. */
  void (*finish)(const void *context, size_t image, size_t pixel, size_t channel, const struct onri_byte_sums *sums);
};
/* For up to so many threads; SIZE_MAX where it does not fit. */
size_t onri_winograd_bytes_scratch(const struct onri_conv *c, uint32_t threads);
void onri_winograd_bytes(const struct onri_winograd_bytes *w, struct onr_env *env);

#endif
