/* conv_layout.c: see conv_layout.h. */
#include "layers/conv/conv_layout.h"

#include <math.h>

#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/conv_integer/byte_planes.h"
#include "kernels/conv_transposed/conv_phases.h"
#include "kernels/conv_transposed/conv_transposed.h"
#include "kernels/conv/depthwise.h"
#include "kernels/conv/winograd.h"
#include "layers/conv/conv_product.h"

enum { LANES = 16, FEW = 8 }; /* of the widest vectors; outputs that leave most of them empty */

static const struct onri_axis no_axis = {.out = 1, .kernel = 1, .stride = 1, .dilation = 1};

/* Axes and channels, as far as they are known without the images, whose sizes are 0. 0: not those of a convolution. */
static int outline(const struct onr_window *window, const struct onr_desc *weight, int64_t groups, int transposed,
                   struct onri_conv *c) {
  const int32_t spatial = weight->rank - 2, lead = ONR_MAX_SPATIAL - spatial;
  *c = (struct onri_conv){.groups = groups ? groups : 1, .transposed = transposed, .min = -INFINITY, .max = INFINITY};
  if (spatial < 1 || spatial > ONR_MAX_SPATIAL || c->groups < 1) return 0;
  c->group_in = transposed ? weight->dim[0] / c->groups : weight->dim[1];
  c->group_out = transposed ? weight->dim[1] : weight->dim[0] / c->groups;
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) c->axis[i] = no_axis;
  for (int32_t i = 0; i < spatial; i++) {
    struct onri_axis *a = &c->axis[lead + i];
    a->kernel = weight->dim[2 + i], a->out = 0;
    if (window->rank == spatial && window->stride[i] > 0) a->stride = window->stride[i];
    if (window->rank == spatial && window->dilation[i] > 0 && a->kernel > 1) a->dilation = window->dilation[i];
  }
  return 1;
}

static int has_vectors(const struct onr_desc *weight) {
  return onri_conv_gemm_is_fast() && onri_dtype_in(ONRI_DTYPES_F32_AND_HALF, weight->dtype);
}

/* Pixels of the image to one of the result, which no one has counted: strides are as a file has them. */
static double pixels_apart(const struct onri_conv *c) {
  return (double)c->axis[0].stride * (double)c->axis[1].stride * (double)c->axis[2].stride;
}

/* Winograd's method, which wants channels-last images, is worth two transposes where there are this many channels. */
enum { WINOGRAD_CHANNELS = 16, FEWER_CHANNELS = 7, OUTPUTS_OF_FEWER = 12, DILATED_CHANNELS = 64 };

static int wants_winograd(const struct onri_conv *c) {
  enum { FEWEST_OUTPUTS = 6 };
  struct onri_winograd how;
  if (c->group_out < FEWEST_OUTPUTS) return 0;
  /* Whether it is depends on the sizes; else taps that meet padding are left out, also of channels-last images. */
  if (c->axis[0].dilation > 1 || c->axis[1].dilation > 1 || c->axis[2].dilation > 1)
    return pixels_apart(c) <= 1 && c->group_out >= OUTPUTS_OF_FEWER &&
           (c->group_in >= DILATED_CHANNELS || (c->group_in >= WINOGRAD_CHANNELS && onri_winograd_choose(c, 0, &how)));
  const int64_t in = c->group_in * c->axis[0].kernel; /* all of which one product sums */
  return (in >= WINOGRAD_CHANNELS || (in >= FEWER_CHANNELS && c->group_out >= OUTPUTS_OF_FEWER)) &&
         onri_winograd_choose(c, 0, &how);
}

/* The share of the lanes of whole vectors. */
static double fill_of(int64_t count) {
  return count > 0 && count < INT32_MAX ? (double)count / (double)((count + LANES - 1) / LANES * LANES) : 1;
}

/* Vectors of several groups of a few channels, where lines leave those of pixels half empty. Fitted to 200 layers of
 * drawn shapes: images of volumes and dilated kernels are faster in planes. */
static int wants_groups(const struct onri_conv *c, const struct onr_desc *y) {
  enum { MOST = 8, TAPS = 4, PIXELS = 64 };
  const double full = 0.75;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (c->axis[a].dilation > 1) return 0;
  return c->groups > 1 && c->group_in == c->group_out && c->group_in > 1 && c->group_in <= MOST &&
         LANES % c->group_in == 0 && c->axis[0].kernel == 1 && onri_conv_taps(c) >= TAPS &&
         fill_of(c->groups * c->group_out) >= full && y->dim[y->rank - 1] <= PIXELS / c->group_in;
}

/* Of a volume: those of a plane. -1: not known. */
static int64_t pixels_of(const struct onr_desc *y) {
  int64_t pixels = 1;
  for (int32_t i = y->rank > 4 ? y->rank - 2 : 2; i < y->rank; i++)
    if (y->dim[i] < 0 || !onri_mul_i64(pixels, y->dim[i], &pixels)) return -1;
  return pixels;
}

/* Whether transposes take less time than the product saves that reads channels-last images: enough multiply-adds to
 * each number that is moved, and vectors of channels that are full; or lines that leave those of pixels half empty,
 * unless few outputs leave those of channels emptier. */
static int pays_transposes(const struct onri_conv *c, const struct onr_desc *y) {
  enum { INPUTS = 16, SHORT_LINE = 14, OUTPUTS = 96, SHARE = 100, LINE = 5 };
  const int64_t in = c->group_in, out = c->group_out, taps = onri_conv_taps(c), line = y->dim[y->rank - 1];
  const int64_t pixels = pixels_of(y);
  if (pixels >= 0 && pixels < LANES && fill_of(pixels) < fill_of(out)) return 1;
  if (in < INPUTS || (c->groups <= 1 && out <= FEW && line >= LINE && fill_of(pixels) >= 0.5)) return 0;
  if (taps > 1 ? line >= 0 && line <= SHORT_LINE : !onri_conv_makes_channels_first(y, c->groups)) return 1;
  return out >= OUTPUTS && out % LANES == 0 &&
         (double)(taps * in * out) >= SHARE * ((double)in * pixels_apart(c) + (double)out);
}

/* Vectors of channels of a group: of a depthwise convolution they would be empty. */
static int is_depthwise(const struct onri_conv *c) { return c->groups > 1 && onri_conv_is_depthwise(c); }

int onri_conv_reads_channels_first(const struct onr_conv_params *p, const struct onr_desc *weight,
                                   const struct onr_desc *y) {
  struct onri_conv c;
  return !p->channels_last && has_vectors(weight) && outline(&p->window, weight, p->groups, 0, &c) &&
         !is_depthwise(&c) && !wants_winograd(&c) && !wants_groups(&c, y) && !pays_transposes(&c, y);
}

/* Whether a product in planes takes less time than vectors of channels, of which a part may be empty, and the
 * transposes that these need. Nanoseconds for each output of a channel, fitted to 370 layers of drawn shapes: 1.30
 * times as fast as vectors of channels each time, where the better one each time is 1.36. */
static int are_planes_faster(const struct onri_conv *c, int64_t pixels, int32_t spatial) {
  enum { ROW = 8 };
  const double planes_tap = 0.07, channels_tap = 0.04, moved = 0.2, begin = 150, begin_tap = 15, volume = 4;
  const double taps = (double)onri_conv_taps(c), outputs = (double)c->group_out,
               fill = fill_of(c->groups * c->group_out);
  const double first = (begin + begin_tap * taps) * (spatial > 2 ? volume : 1) / (outputs * (double)pixels);
  const double in_planes = taps * planes_tap + first, by_channels = taps * channels_tap / fill * (outputs > 1 ? 2 : 1) +
                                                                    moved * (1 + pixels_apart(c) / outputs);
  return c->axis[2].out >= ROW && pixels > 0 && in_planes < by_channels;
}

/* Kernels of which a column stays in registers, or such a product. */
int onri_conv_stays_channels_first(const struct onr_conv_params *p, const struct onr_desc *weight,
                                   const struct onr_desc *y) {
  struct onri_conv c;
  int64_t pixels = 1;
  if (p->channels_last || !has_vectors(weight) || !outline(&p->window, weight, p->groups, 0, &c) || !is_depthwise(&c) ||
      y->rank != weight->rank)
    return 0;
  for (int32_t i = 2; i < y->rank; i++) {
    if (y->dim[i] < 0 || !onri_mul_i64(pixels, y->dim[i], &pixels)) return 0;
    c.axis[ONR_MAX_SPATIAL - y->rank + i].out = y->dim[i];
  }
  return onri_depthwise_suits_planes(&c) || are_planes_faster(&c, pixels, y->rank - 2);
}

int onri_conv_bytes_stay_channels_first(const struct onr_conv_params *p, const struct onr_desc *weight,
                                        const struct onr_desc *y) {
  struct onri_conv c;
  if (p->channels_last || y->rank != weight->rank || !outline(&p->window, weight, p->groups, 0, &c)) return 0;
  for (int32_t i = 2; i < y->rank; i++) {
    if (y->dim[i] < 1) return 0;
    c.axis[ONR_MAX_SPATIAL - y->rank + i].out = y->dim[i];
  }
  c.x.stride[ONR_MAX_SPATIAL - 1] = c.y.stride[ONR_MAX_SPATIAL - 1] = 1;
  return onri_byte_planes_suit(&c);
}

/* Sums of so few outputs of a group go to their places one by one where channels lie side by side. Of 60 drawn layers
 * with lines of 1 to 16 pixels the geometric mean beside ONNX Runtime's went from 0.69 to 1.06. */
static int has_narrow_groups(const struct onri_conv *c) {
  enum { FEW_OUTPUTS = 2, OUTPUTS = 4, TAPS = 5 /* of a phase */ };
  if (c->groups < 2 || !onri_conv_shuffled.can(c)) return 0;
  return c->group_out <= FEW_OUTPUTS ||
         (c->group_out <= OUTPUTS && onri_conv_taps(c) >= TAPS * onri_conv_phases_count(c));
}

/* Vectors of pixels run over the ends of short lines; products of many terms are faster than what is made of planes. */
int onri_conv_transpose_stays_channels_first(const struct onr_conv_transpose_params *p, const struct onr_desc *weight,
                                             const struct onr_desc *x) {
  enum { FEW_OUTPUTS = 12, LINE = 20, MANY_TERMS = 128, LONG_LINE = 100, SPREAD_LINE = 4 };
  struct onri_conv c;
  const int64_t line = x->dim[x->rank - 1];
  if (!ONRI_PART(transposed) || p->channels_last || !has_vectors(weight) ||
      !outline(&p->window, weight, p->groups, 1, &c))
    return 0;
  if (has_narrow_groups(&c)) return 1;
  if (onri_conv_spreads_planes(&c)) return line >= SPREAD_LINE * (c.group_out + 1);
  return c.group_out <= FEW_OUTPUTS && line >= (c.group_in > MANY_TERMS ? LONG_LINE : LINE) &&
         onri_conv_shuffled.can(&c);
}

int onri_conv_has_few_outputs(const struct onr_desc *y) {
  enum { LINE = 32 };
  return y->rank >= 3 && y->dim[1] > 0 && y->dim[1] <= FEW && y->dim[y->rank - 1] >= LINE;
}

int onri_conv_makes_channels_first(const struct onr_desc *y, int64_t groups) {
  const double nearly_full = 7.0 / 8;
  const int64_t pixels = pixels_of(y);
  const double fill = fill_of(pixels);
  return pixels < 0 || fill >= nearly_full || y->dim[1] <= FEW ||
         fill >= fill_of(y->dim[1] / (groups > 0 ? groups : 1));
}
