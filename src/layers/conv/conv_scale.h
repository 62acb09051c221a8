/* conv_scale.h: a convolution of single pixels whose input's channels are multiplied first, by numbers of each image
 * (squeeze and excite, arXiv 1709.01507). A product has its weights multiplied instead, which are fewer; other kernels
 * read an image that was multiplied as a whole. */
#ifndef ONRI_CONV_SCALE_H
#define ONRI_CONV_SCALE_H

#include "kernels/conv/conv_gemm.h"

enum { ONRI_CONV_SCALE = 4 }; /* the input that has them, [N, 1..., C] */

enum onr_status onri_conv_scale_check(const struct onr_call *call, const struct onri_conv *c);
/* In plan. packed_floats: of a product; 0: it is none. */
enum onr_status onri_conv_scale_plan(struct onr_call *call, size_t packed_floats, size_t *at);
/* In run, for a product: all images, one after the other. */
void onri_conv_scale_product(const struct onr_call *call, const struct onri_conv *c,
                             const struct onri_conv_gemm *operands, float *scaled);
/* In run: the image, multiplied. */
void onri_conv_scale_image(const struct onr_call *call, const struct onri_conv *c, float *scaled);

#endif
