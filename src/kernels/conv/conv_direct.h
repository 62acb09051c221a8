/* conv_direct.h: convolution in any layout and with any stride and dilation; also transposed.
 *
 * One small matrix product for each tap that lies in the image (a run of taps where they lie side by side), so that the
 * work is that of the taps alone: padding, dilation and strides cost nothing. Each output element is one sum in one
 * fixed order, for any number of threads. */
#ifndef ONRI_CONV_DIRECT_H
#define ONRI_CONV_DIRECT_H

#include "base/image.h"

struct onri_conv {
  struct onri_axis axis[ONR_MAX_SPATIAL]; /* transposed: begin is cut from the output, out is the output's size */
  int64_t groups, group_in, group_out;
  int32_t transposed;
  int32_t goes_down; /* onri_depthwise_goes_down, of the whole image also for a part of it: sums are in that order */
  struct onri_image x, y;
  double min, max; /* clamp; infinite: none */
};

static inline int64_t onri_conv_taps(const struct onri_conv *c) {
  return c->axis[0].kernel * c->axis[1].kernel * c->axis[2].kernel;
}

/* One channel of input for each of output, or for a few: vectors of channels of output, each of which has a group. */
enum { ONRI_DEPTHWISE_OUTPUTS = 8 };
static inline int onri_conv_is_depthwise(const struct onri_conv *c) {
  return c->group_in == 1 && (c->group_out == 1 || (!c->transposed && c->groups > 1 && c->group_out > 0 &&
                                                    c->group_out <= ONRI_DEPTHWISE_OUTPUTS));
}

/* weight: [groups * group_out, group_in, taps], transposed: [groups * group_in, group_out, taps]. packed has as many
 * elements: [groups][taps][group_in][group_out]; transposed [groups][taps of axis 0][group_in][taps of axes 1 and
 * 2][group_out]; depthwise [taps][groups * group_out]. */
void onri_conv_pack_f32(const struct onri_conv *c, const float *weight, float *packed);
void onri_conv_pack_f64(const struct onri_conv *c, const double *weight, double *packed);
/* bias: [groups * group_out] or NULL. */
void onri_conv_direct_f32(const struct onri_conv *c, const float *x, const float *packed, const float *bias, float *y,
                          struct onr_env *env);
void onri_conv_direct_f64(const struct onri_conv *c, const double *x, const double *packed, const double *bias,
                          double *y, struct onr_env *env);

#endif
