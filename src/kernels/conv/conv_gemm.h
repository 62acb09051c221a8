/* conv_gemm.h: a convolution as a product: pixels by depth (taps and channels of a group) times depth by channels,
 * float32, in three combinations of layouts.
 *
 * What a block of pixels sees is gathered into a panel of some 100 KB, zeros for padding, and multiplied by packed
 * weights; the image is never spread out as a whole, and where a pixel of output sees one of input alone, it is read as
 * it lies. So kernels of any size, stride and dilation, in 1 to 3 dimensions
 * and in groups, are one product. Padding is multiplied: weights must be finite. Each output is one sum in one fixed
 * order, for any number of threads. */
#ifndef ONRI_CONV_GEMM_H
#define ONRI_CONV_GEMM_H

#include "kernels/conv/conv_direct.h"
#include "kernels/kernels.h"

enum onri_conv_form {
  ONRI_CONV_LAST,          /* x and y are channels-last */
  ONRI_CONV_FIRST_TO_LAST, /* x is channels-first */
  ONRI_CONV_FIRST          /* both are: vectors of pixels, so that few channels do not leave them half empty */
};

/* What onri_conv_gemm_f32 can. */
static inline int onri_conv_gemm_can(const struct onri_conv *c) {
  return !c->transposed && c->group_in > 0 && c->group_out > 0;
}
/* Whether there are vectors that are worth it. */
int onri_conv_gemm_is_fast(void);
/* Whether nothing behind x is read. */
static inline int onri_conv_gemm_is_exact(enum onri_conv_form form) { return form != ONRI_CONV_LAST; }

/* Whatever is packed is for the kernels of one level: give the same ones, onri_kernels(conv_gemm), to all of these. */

/* Weights in groups of whole vectors of channels; 0: more than memory holds. */
size_t onri_conv_gemm_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                    enum onri_conv_form form);
/* weight: as conv_direct.h has it. */
void onri_conv_gemm_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                         enum onri_conv_form form, const float *weight, float *packed, struct onr_env *env);
/* Packed weights of single pixels, in one group, for channels-last images whose channels are multiplied by scale
 * [group_in] first. */
void onri_conv_gemm_scale(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *packed,
                          const float *scale, float *scaled);
/* The same for bias, [groups * group_out] or NULL. */
size_t onri_conv_gemm_bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                  enum onri_conv_form form);
void onri_conv_gemm_pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                              enum onri_conv_form form, const float *bias, float *packed);

/* For so many threads. */
size_t onri_conv_gemm_scratch_bytes(size_t threads);
struct onri_conv_gemm {
  enum onri_conv_form form;
  const float *x; /* unless onri_conv_gemm_is_exact, ONR_SLACK_BYTES behind it are readable */
  const float *packed, *bias;
  float *y;
  void *scratch;
  const float *residual; /* lies as y does, and may be y: added before the clamp. NULL: none */
  size_t threads;        /* that scratch is for */
  void (*tail)(const void *context, float *y, size_t count); /* NULL: none. Applied to each part of y that is done */
  const void *tail_context;
};
void onri_conv_gemm_f32(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                        const struct onri_conv_gemm *operands, struct onr_env *env);

#endif
