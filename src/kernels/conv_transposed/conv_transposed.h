/* conv_transposed.h: ways of a transposed convolution as products of packed weights (conv_gemm.h), float32.
 *
 * By phases: outputs `stride` apart meet the same taps, so each phase of them is a plain convolution, channels-last.
 * Shuffled: the channels of phases whose taps are alike are those of one convolution; they are planes of their own, and
 * are then shuffled into the output. Any layout; for few outputs, which leave vectors of channels half empty.
 * Spread: what each pixel has for each tap of each output is multiplied, in parts that stay in the second cache, and
 * added up in the image, channels-last. Vectors are those of all taps, so that few outputs do not leave them half
 * empty, and what lies beside the image is not multiplied.
 * Spread in planes: the same with vectors of pixels, for one output or few from many inputs. */
#ifndef ONRI_CONV_TRANSPOSED_H
#define ONRI_CONV_TRANSPOSED_H

#include "kernels/conv/conv_gemm.h"

struct onri_conv_way {
  int (*can)(const struct onri_conv *c);
  /* Of packed weights; 0: more than memory holds. What is packed depends on kernel, stride, dilation, channels and
   * groups alone. */
  size_t (*floats)(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels);
  /* Of bias, [groups * group_out] or NULL. */
  size_t (*bias_floats)(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels);
  /* That run has, beside what conv_gemm.h takes; SIZE_MAX: more than memory holds. */
  size_t (*scratch_floats)(const struct onri_conv *c);
  /* weight: as conv_direct.h has it; room: twice as many elements. */
  void (*pack)(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
               float *room, float *packed, struct onr_env *env);
  void (*pack_bias)(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *bias,
                    float *packed);
  /* operands: as for onri_conv_gemm_f32, with that packed; without a residual or a tail. */
  void (*run)(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
              const struct onri_conv_gemm *operands, float *scratch, struct onr_env *env);
};

extern const struct onri_conv_way onri_conv_by_phases, onri_conv_shuffled, onri_conv_spread, onri_conv_spread_planes;

/* Sets of neighbouring phases whose taps are alike. */
int64_t onri_conv_phase_sets(const struct onri_conv *c);

#endif
