/* conv_phases.h: a transposed convolution as plain ones (conv_gemm.h), float32, channels-last: outputs `stride` apart
 * meet the same taps, so that each phase of the output is a convolution with stride 1 of its own. */
#ifndef ONRI_CONV_PHASES_H
#define ONRI_CONV_PHASES_H

#include "kernels/conv/conv_gemm.h"

/* How many phases there are. */
int64_t onri_conv_phases_count(const struct onri_conv *c);
/* The convolution of a phase, which may have no outputs, or no taps; its first output is element *y of the whole. */
struct onri_conv onri_conv_phase(const struct onri_conv *c, int64_t phase, int64_t *y);
/* The weights of a phase, of elements of `size` bytes: [groups * group_out, group_in, taps]. weight as conv_direct.h
 * has it. */
void onri_conv_phase_weights(const struct onri_conv *c, int64_t phase, const void *weight, size_t size, void *to);

/* Dilation or stride is 1 on each axis, and there are not too many phases. */
int onri_conv_phases_can(const struct onri_conv *c);
/* Of all phases; 0: more than memory holds. What is packed depends on kernel, stride and dilation alone. */
size_t onri_conv_phases_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels);
/* weight: as conv_direct.h has it; room: as many elements. */
void onri_conv_phases_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
                           float *room, float *packed, struct onr_env *env);
/* operands: as for onri_conv_gemm_f32, with that packed; without a tail. */
void onri_conv_phases_f32(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                          const struct onri_conv_gemm *operands, struct onr_env *env);

#endif
