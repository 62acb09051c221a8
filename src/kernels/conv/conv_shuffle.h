/* conv_shuffle.h: a transposed convolution as one plain one (conv_gemm.h), float32, any layout: its channels are those
 * of all phases (conv_phases.h), which are planes of their own, and are then shuffled into the output. For few outputs,
 * which leave vectors of channels half empty. */
#ifndef ONRI_CONV_SHUFFLE_H
#define ONRI_CONV_SHUFFLE_H

#include "kernels/conv/conv_gemm.h"

/* Phases have taps alike in number, and there are not too many. */
int onri_conv_shuffle_can(const struct onri_conv *c);
/* 0: more than memory holds. What is packed depends on kernel, stride and dilation alone. */
size_t onri_conv_shuffle_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels);
/* weight: as conv_direct.h has it; room: twice as many elements. */
void onri_conv_shuffle_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                            const float *weight, float *room, float *packed, struct onr_env *env);
size_t onri_conv_shuffle_bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels);
void onri_conv_shuffle_pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                 const float *bias, float *packed);
/* Of planes, beside what conv_gemm.h takes; SIZE_MAX: more than memory holds. */
size_t onri_conv_shuffle_plane_floats(const struct onri_conv *c);
/* operands: as for onri_conv_gemm_f32, with that packed; planes: so many floats. Without a residual. */
void onri_conv_shuffle_f32(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                           const struct onri_conv_gemm *operands, float *planes, struct onr_env *env);

#endif
