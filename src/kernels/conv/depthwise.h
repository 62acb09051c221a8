/* depthwise.h: depthwise convolution, float32, in vectors of channels where these lie side by side, else of pixels.
 *
 * A few outputs are made at once, neighbours in a row or in a column, and each vector of input is loaded once for all
 * the taps that meet it. What lies in padding is not multiplied; vectors of pixels multiply zeros there. Each output is
 * one sum in one fixed order, for any number of threads. */
#ifndef ONRI_DEPTHWISE_H
#define ONRI_DEPTHWISE_H

#include "kernels/conv/conv_direct.h"

/* Whether onri_depthwise_f32 can. */
static inline int onri_depthwise_can(const struct onri_conv *c) {
  return onri_conv_is_depthwise(c) && !c->transposed && c->x.channel_stride == 1 && c->y.channel_stride == 1;
}
/* Whether it can channels-first images, too, of which one band must fit a buffer. Weights must be finite. */
int onri_depthwise_can_planes(const struct onri_conv *c);
/* Whether that is the faster way: rows fill vectors of pixels, columns fill tiles. */
int onri_depthwise_suits_planes(const struct onri_conv *c);
/* Of channels side by side: the outputs of a tile lie below each other, where the rows of the image are so short that
 * they would leave most of one empty. */
int onri_depthwise_goes_down(const struct onri_conv *c);
/* Applied to all parts of y as they are done. */
typedef void (*onri_depthwise_tail)(const void *context, float *y, size_t count);
/* Where one of the two can. packed, bias: as for onri_conv_direct_f32. tail: NULL: none. */
void onri_depthwise_f32(const struct onri_conv *c, const float *x, const float *packed, const float *bias, float *y,
                        onri_depthwise_tail tail, const void *tail_context, struct onr_env *env);
/* The same for bytes (kernels/conv/depthwise_rows.h), one output a group; differences: the weights minus their zero
 * points, [taps][groups].
 */
struct onri_depthwise_bytes;
void onri_depthwise_bytes(const struct onri_conv *c, const void *x, const struct onri_depthwise_bytes *bytes,
                          const float *differences, void *y, struct onr_env *env);

/* The same for groups of a few channels of input, channels-last: each vector of outputs sees its groups' channels one
 * by one, in its lanes. Weights are packed for the kernels of one level: give the same ones to all of these. */
struct onri_depthwise_kernels;
int onri_grouped_can(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels);
/* Of packed weights; 0: more than memory holds. */
size_t onri_grouped_floats(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels);
/* weight: as conv_direct.h has it. */
void onri_grouped_pack(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels, const float *weight,
                       float *packed);
void onri_grouped_f32(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels, const float *x,
                      const float *packed, const float *bias, float *y, onri_depthwise_tail tail,
                      const void *tail_context, struct onr_env *env);
/* Whether there are vectors that are worth it: the widest ones of this processor. */
int onri_depthwise_is_fast(void);

#endif
