/* conv_spread_planes.c: a transposed convolution that is spread in planes (conv_transposed.h).
 *
 * products  [group][tap][output][pixel] of a part
 * planes    [phase][channel][place] of some groups, to which they are added; y itself, where it is that. Else they are
 *           shuffled */
#include <math.h>
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv_transposed/col2im.h"
#include "kernels/conv_transposed/conv_planes.h"
#include "kernels/conv_transposed/conv_spread.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

enum { MOST_TAPS = 256 }; /* of a line */

static int can(const struct onri_conv *c) {
  return onri_spread_can(c) && onri_conv_phases_can(c) && c->axis[2].kernel <= MOST_TAPS;
}

/* Pixels [first, last) of a part, along an axis, come to lie within the planes through tap k, at place i + shift. */
struct reach {
  int64_t rest, shift, first, last;
};

struct work {
  struct onri_spread spread;
  float *planes;
  int64_t phases, plane;          /* how many, numbers of each */
  int in_place;                   /* planes are those of y */
  struct reach across[MOST_TAPS]; /* of the part: through each tap of a line */
};

static int64_t plane_size(const struct onri_conv *c) {
  int64_t size = 1;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (!onri_mul_i64(size, onri_places(&c->axis[a]), &size)) return -1;
  return size;
}

/* Products of a part, then planes of its groups. */
static size_t scratch_floats(const struct onri_conv *c) {
  const size_t products = onri_spread_part_floats(c);
  int64_t planes = plane_size(c);
  if (products == SIZE_MAX || planes < 0 ||
      !onri_mul_i64(planes, onri_spread_part(c).groups * c->group_out * onri_conv_phases_count(c), &planes) ||
      planes > PTRDIFF_MAX / 8)
    return SIZE_MAX;
  return products + (size_t)planes;
}

/* --- adding up --- */

static struct reach reach_of(const struct onri_spread *s, int axis, int64_t k) {
  const struct onri_axis *a = &s->c->axis[axis];
  const int64_t shift = k * a->dilation / a->stride - onri_first_place(a) + s->part.first[axis];
  return (struct reach){.rest = k * a->dilation % a->stride,
                        .shift = shift,
                        .first = most(0, -shift),
                        .last = least(s->part.count[axis], onri_places(a) - shift)};
}

/* What taps (k0, k1) have for the lines of phases that leave `rest`, which lie in y from the first one on.
 * x: from their first pixel on. */
static void add_lines(const struct work *w, const struct reach *depth, const struct reach *rows, int64_t rest,
                      const float *x, float *y) {
  const struct onri_spread *s = &w->spread;
  const int64_t *count = s->part.count, line = count[2], height = onri_places(&s->c->axis[1]),
                width = onri_places(&s->c->axis[2]), tap = s->c->group_out * count[0] * count[1] * line;
  struct onri_col2im_tap taps[MOST_TAPS];
  struct onri_col2im_rows add = {
      .taps = taps, .rows = (size_t)(rows->last - rows->first), .width = (size_t)width, .step = (size_t)line};
  for (int64_t k = 0; k < s->c->axis[2].kernel; k++) {
    const struct reach r = w->across[k];
    if (r.rest == rest && r.first < r.last)
      taps[add.count++] =
          (struct onri_col2im_tap){x + k * tap + (depth->first * count[1] + rows->first) * line + r.first,
                                   (size_t)(r.first + r.shift), (size_t)(r.last + r.shift)};
  }
  for (int64_t i = depth->first; i < depth->last && add.count > 0; i++) {
    add.y = y + ((i + depth->shift) * height + rows->first + rows->shift) * width;
    onri_kernels(col2im)->add(ONRI_CLASS_F32, &add);
    for (size_t t = 0; t < add.count; t++) taps[t].x = (const float *)taps[t].x + count[1] * line;
  }
}

/* channel: of the part. */
static void add_channel(const struct work *w, int64_t channel) {
  const struct onri_spread *s = &w->spread;
  const struct onri_conv *c = s->c;
  const int64_t channels = s->part.groups * c->group_out, group = channel / c->group_out,
                pixels = s->part.count[0] * s->part.count[1] * s->part.count[2];
  const float *x = s->products + (group * s->product.group_out + channel - group * c->group_out) * pixels;
  for (int64_t k0 = 0; k0 < c->axis[0].kernel; k0++)
    for (int64_t k1 = 0; k1 < c->axis[1].kernel; k1++, x += c->axis[2].kernel * c->group_out * pixels) {
      const struct reach depth = reach_of(s, 0, k0), rows = reach_of(s, 1, k1);
      const int64_t phase = (depth.rest * c->axis[1].stride + rows.rest) * c->axis[2].stride;
      if (rows.first >= rows.last) continue;
      for (int64_t rest = 0; rest < c->axis[2].stride; rest++)
        add_lines(w, &depth, &rows, rest, x, w->planes + ((phase + rest) * channels + channel) * w->plane);
    }
}

static void add_channels(void *context, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) add_channel(context, (int64_t)i);
}

/* --- groups --- */

static void begin_channels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_spread *s = &w->spread;
  const int64_t channels = s->part.groups * s->c->group_out;
  for (int64_t channel = (int64_t)begin; channel < (int64_t)end; channel++) {
    const float bias = s->operands->bias[s->part.group * s->c->group_out + channel];
    for (int64_t p = 0; p < w->phases; p++) {
      float *y = w->planes + (p * channels + channel) * w->plane;
      for (int64_t i = 0; i < w->plane; i++) y[i] = bias;
    }
  }
}

static void clamp(const struct onri_conv *c, float *y, int64_t count) {
  const float min = (float)c->min, max = (float)c->max;
  for (int64_t i = 0; i < count; i++) y[i] = y[i] < min ? min : y[i] > max ? max : y[i];
}

static void finish_channels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_conv *c = w->spread.c;
  const struct onri_spread_part *part = &w->spread.part;
  const int64_t channels = part->groups * c->group_out;
  for (int64_t p = 0; p < w->phases && (c->min > -INFINITY || c->max < INFINITY); p++)
    clamp(c, w->planes + (p * channels + (int64_t)begin) * w->plane, (int64_t)(end - begin) * w->plane);
  if (w->in_place) return;
  struct onri_phase_planes planes = {.c = c,
                                     .planes = w->planes,
                                     .y = w->spread.operands->y + part->group * c->group_out * c->y.channel_stride,
                                     .n = w->spread.n,
                                     .depth = onri_places(&c->axis[0]),
                                     .rows = onri_places(&c->axis[1]),
                                     .columns = onri_places(&c->axis[2])};
  for (int64_t p = 0; p < w->phases; p++) planes.phase[p].first = p * channels, planes.phase[p].group = c->group_out;
  onri_phase_planes_shuffle(&planes, begin, end);
}

static void run_groups(struct work *w, float *planes) {
  enum { NUMBERS = 1 << 13 }; /* waking a thread takes as long as adding some thousands */
  struct onri_spread *s = &w->spread;
  const struct onri_conv *c = s->c;
  const size_t channels = (size_t)(s->part.groups * c->group_out),
               grain = (size_t)(NUMBERS / most(w->plane * w->phases, 1)) + 1;
  w->planes = planes;
  if (w->in_place)
    w->planes = s->operands->y + s->n * c->y.batch_stride + s->part.group * c->group_out * c->y.channel_stride;
  onr_parallel_for(s->env, channels, grain, begin_channels, w);
  do {
    onri_spread_multiply(s);
    for (int64_t k = 0; k < c->axis[2].kernel; k++) w->across[k] = reach_of(s, 2, k);
    onr_parallel_for(s->env, channels, grain, add_channels, w);
  } while (onri_spread_next_box(s) && !onr_env_cancelled(s->env));
  onr_parallel_for(s->env, channels, grain, finish_channels, w);
}

static void run(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                const struct onri_conv_gemm *operands, float *scratch, struct onr_env *env) {
  struct work w = {.spread = onri_spread_begin(c, ONRI_CONV_FIRST, kernels, operands, scratch, env),
                   .phases = onri_conv_phases_count(c),
                   .plane = plane_size(c),
                   .in_place = onri_conv_phases_count(c) == 1 && c->y.stride[2] == 1};
  for (w.spread.n = 0; w.spread.n < c->x.batch; w.spread.n++) do
      run_groups(&w, scratch + onri_spread_part_floats(c));
    while (onri_spread_next_groups(&w.spread) && !onr_env_cancelled(env));
}

/* --- the way --- */

static size_t packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  return onri_spread_packed_floats(c, kernels, ONRI_CONV_FIRST);
}

static size_t bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  return onri_spread_bias_floats(c, kernels, ONRI_CONV_FIRST);
}

static void pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
                 float *room, float *packed, struct onr_env *env) {
  onri_spread_pack(c, kernels, ONRI_CONV_FIRST, weight, room, packed, env);
}

static void pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *bias,
                      float *packed) {
  onri_spread_pack_bias(c, kernels, ONRI_CONV_FIRST, bias, packed);
}

const struct onri_conv_way onri_conv_spread_planes = {can,  packed_floats, bias_floats, scratch_floats,
                                                      pack, pack_bias,     run};
