/* conv_spread.h: what both ways of spreading a transposed convolution share (conv_transposed.h): the products of each
 * pixel with each tap of each output, in parts that stay in the second cache. */
#ifndef ONRI_CONV_SPREAD_H
#define ONRI_CONV_SPREAD_H

#include "kernels/conv_transposed/conv_transposed.h"

/* A box of pixels, or some groups of all of them. */
struct onri_spread_part {
  int64_t first[ONR_MAX_SPATIAL], count[ONR_MAX_SPATIAL]; /* of the pixels */
  int64_t group, groups;
};

struct onri_spread {
  const struct onri_conv *c;
  enum onri_conv_form form;
  struct onri_conv product; /* whose outputs are products: [group][tap][output] */
  const struct onri_conv_gemm_kernels *kernels;
  const struct onri_conv_gemm *operands;
  struct onr_env *env;
  float *products; /* of the part: channels-last [pixel][group][tap][output], else [group][tap][output][pixel] */
  int64_t n;       /* image */
  struct onri_spread_part part;
};

int onri_spread_can(const struct onri_conv *c);

/* As struct onri_conv_way has them. */
size_t onri_spread_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                 enum onri_conv_form form);
void onri_spread_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, enum onri_conv_form form,
                      const float *weight, float *room, float *packed, struct onr_env *env);
/* The bias, and behind it that of the product: zeros. */
size_t onri_spread_bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                               enum onri_conv_form form);
void onri_spread_pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                           enum onri_conv_form form, const float *bias, float *packed);

/* The first part, as large as any. */
struct onri_spread_part onri_spread_part(const struct onri_conv *c);
/* Products of a part; SIZE_MAX: more than memory holds. */
size_t onri_spread_part_floats(const struct onri_conv *c);

/* At the first part of an image. */
struct onri_spread onri_spread_begin(const struct onri_conv *c, enum onri_conv_form form,
                                     const struct onri_conv_gemm_kernels *kernels,
                                     const struct onri_conv_gemm *operands, float *products, struct onr_env *env);
/* Makes the products of w->part. */
void onri_spread_multiply(const struct onri_spread *w);
/* The next box of the same groups, and the next groups. 0: there are none, and it is the first once more. */
int onri_spread_next_box(struct onri_spread *w);
int onri_spread_next_groups(struct onri_spread *w);

#endif
