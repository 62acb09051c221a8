/* conv_spread.h: a transposed convolution as a product, float32, channels-last: what each pixel has for each tap of
 * each output is multiplied (conv_gemm.h), in parts that stay in the second cache, and added up in the image. Vectors
 * are those of all taps, so that few outputs do not leave them half empty, and what lies beside the image is not
 * multiplied. */
#ifndef ONRI_CONV_SPREAD_H
#define ONRI_CONV_SPREAD_H

#include "kernels/conv/conv_gemm.h"

int onri_conv_spread_can(const struct onri_conv *c);
/* 0: more than memory holds. What is packed depends on kernel, channels and groups alone. */
size_t onri_conv_spread_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels);
/* weight: as conv_direct.h has it; room: as many elements. */
void onri_conv_spread_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
                           float *room, float *packed, struct onr_env *env);
/* Of bias, [groups * group_out] or NULL. */
size_t onri_conv_spread_bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels);
void onri_conv_spread_pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                const float *bias, float *packed);
/* Of what is multiplied at a time, beside what conv_gemm.h takes; SIZE_MAX: more than memory holds. */
size_t onri_conv_spread_part_floats(const struct onri_conv *c);
/* operands: as for onri_conv_gemm_f32, with that packed; part: so many floats. Without a residual. */
void onri_conv_spread_f32(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                          const struct onri_conv_gemm *operands, float *part, struct onr_env *env);

#endif
