/* conv_product.h: convolutions of either kind as products of packed weights (kernels/conv/conv_gemm.h): float32 and
 * narrower, finite constant weights. A transposed one goes one of the ways of
 * kernels/conv_transposed/conv_transposed.h. */
#ifndef ONRI_CONV_PRODUCT_H
#define ONRI_CONV_PRODUCT_H

#include "layers/conv/conv.h"

/* How images lie. Whatever is packed is for this form, and the way of a transposed convolution. */
enum onri_conv_form onri_conv_product_form(const struct onri_conv *c, int channels_last, int x_channels_first);
/* Whether a transposed one whose images are channels-first is spread. */
int onri_conv_spreads_planes(const struct onri_conv *c);
/* NULL: it is not transposed. */
const struct onri_conv_way *onri_conv_product_way(const struct onri_conv *c, enum onri_conv_form form);
/* In prepare, with form and way: whether there is such a product, whose vectors are not mostly empty. */
int onri_conv_product_suits(const struct onr_call *call, const struct onri_conv *c);
/* Packs weights, and the bias where it is constant. */
enum onr_status onri_conv_product_pack(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight);
/* Of the packed weights. */
size_t onri_conv_product_floats(const struct onri_conv *c, const struct onri_conv_prepared *p);
enum onr_status onri_conv_product_plan(struct onr_call *call);
enum onr_status onri_conv_product_run(struct onr_call *call);

#endif
