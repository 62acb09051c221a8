/* deform_conv.c: a convolution whose taps are moved by offsets, and weighted by a mask, at each output position.
 *
 * input 0   x       [N, C, H, W]
 * input 1   weight  [M, C/groups, kh, kw]
 * input 2   offset  [N, offset_groups * kh * kw * 2, out H, out W], (row, column) of each tap
 * input 3   bias    [M], optional
 * input 4   mask    [N, offset_groups * kh * kw, out H, out W], optional
 * output 0  y       [N, M, out H, out W]
 * ONNX      DeformConv-19..22
 * path      portable: pixels between samples are interpolated, those outside are 0; sums in float64
 */
#include <math.h>

#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/conv/conv_direct.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"
#include "layers/conv/window.h"

enum { BLOCK = 64 };

struct deform_state {
  struct onri_conv conv;
  int64_t offset_groups;
  size_t packed, real[5], y; /* offsets of real.h */
};

struct work {
  const struct deform_state *s;
  const void *x, *weight, *offset, *bias, *mask;
  void *y;
  int wide;
};

static enum onr_status check_map(const struct onr_call *call, size_t i, int64_t channels, const struct onri_conv *c) {
  const struct onr_desc *d = &call->in[i];
  ONR_TRY(onri_expect_rank(call, i, 4, 4));
  if (d->dim[0] == c->x.batch && d->dim[1] == channels && d->dim[2] == c->axis[1].out && d->dim[3] == c->axis[2].out)
    return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_SHAPE,
                  "input %zu: expected [%lld, %lld, %lld, %lld], found [%lld, %lld, %lld, %lld]", i,
                  (long long)c->x.batch, (long long)channels, (long long)c->axis[1].out, (long long)c->axis[2].out,
                  (long long)d->dim[0], (long long)d->dim[1], (long long)d->dim[2], (long long)d->dim[3]);
}

static enum onr_status geometry(const struct onr_call *call, struct onri_conv *c, int64_t *offset_groups,
                                struct onr_desc *out) {
  const struct onr_deform_conv_params *p = call->params;
  const struct onr_desc *weight = &call->in[1];
  int64_t taps;
  int32_t spatial = 0;
  *c = (struct onri_conv){.groups = p->groups == 0 ? 1 : p->groups, .min = -INFINITY, .max = INFINITY};
  *offset_groups = p->offset_groups == 0 ? 1 : p->offset_groups;
  if (c->groups < 1 || *offset_groups < 1)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected groups of at least 1");
  ONR_TRY(onri_expect_rank(call, 0, 4, 4));
  ONR_TRY(onri_expect_rank(call, 1, 4, 4));
  ONR_TRY(onri_image_view(&call->in[0], 0, &c->x, &spatial, call->error));
  c->group_in = weight->dim[1];
  c->group_out = weight->dim[0] / c->groups;
  if (weight->dim[2] < 1 || weight->dim[3] < 1 || c->x.channels % c->groups != 0 ||
      c->x.channels / c->groups != c->group_in || weight->dim[0] % c->groups != 0 ||
      c->x.channels % *offset_groups != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "weights [%lld, %lld, %lld, %lld] do not fit %lld channels in %lld groups",
                    (long long)weight->dim[0], (long long)weight->dim[1], (long long)weight->dim[2],
                    (long long)weight->dim[3], (long long)c->x.channels, (long long)c->groups);
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) c->axis[i].in = c->x.size[i];
  for (int32_t i = 0; i < 2; i++) {
    c->axis[1 + i].kernel = weight->dim[2 + i];
    if (p->window.rank == 2 && p->window.kernel[i] != 0 && p->window.kernel[i] != weight->dim[2 + i])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "kernel_shape says %lld where the weights have %lld",
                      (long long)p->window.kernel[i], (long long)weight->dim[2 + i]);
  }
  ONR_TRY(onri_window_resolve(&p->window, 2, c->axis, call->error));
  ONR_TRY(onri_window_output(0, 1, 2, c->axis, call->error));
  if (!onri_mul_i64(onri_conv_taps(c), *offset_groups, &taps) || taps > INT32_MAX)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "%lld offset groups are too many", (long long)*offset_groups);
  ONR_TRY(check_map(call, 2, 2 * taps, c));
  if (onri_has(call, 4)) ONR_TRY(check_map(call, 4, taps, c));
  if (onri_has(call, 3)) {
    if (call->in[3].rank != 1 || call->in[3].dim[0] != weight->dim[0])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a bias of %lld elements", (long long)weight->dim[0]);
  }
  *out = onri_image_desc(call->in[0].dtype, 0, c->x.batch, weight->dim[0], 2, c->axis);
  return onri_image_view(out, 0, &c->y, &spatial, call->error);
}

static enum onr_status deform_conv_infer(struct onr_call *call) {
  struct onri_conv c;
  int64_t offset_groups;
  return geometry(call, &c, &offset_groups, &call->out[0]);
}

static enum onr_status deform_conv_plan(struct onr_call *call) {
  struct deform_state *s = call->state;
  struct onr_desc out;
  size_t bytes;
  ONR_TRY(geometry(call, &s->conv, &s->offset_groups, &out));
  for (size_t i = 0; i < call->num_in; i++) ONR_TRY(onri_widened_plan(call, &call->in[i], &s->real[i]));
  ONR_TRY(onri_widened_plan(call, &call->out[0], &s->y));
  if (!onri_mul_size((size_t)onr_desc_elements(&call->in[1]), onri_widened_size(call->in[1].dtype), &bytes))
    bytes = SIZE_MAX;
  return onri_scratch_reserve(call, bytes, &s->packed);
}

static double value_at(const void *x, int wide, int64_t i) {
  return wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

/* The image of one channel at (row, column), 0 outside. */
static double sample(const struct work *w, int64_t plane, double row, double column) {
  const struct onri_image *x = &w->s->conv.x;
  const int64_t height = x->size[1], width = x->size[2];
  if (!(row > -1 && row < (double)height && column > -1 && column < (double)width)) return 0;
  const double top = floor(row), left = floor(column), v = row - top, h = column - left;
  const int64_t y = (int64_t)top, i = (int64_t)left;
  double sum = 0;
  for (int64_t dy = 0; dy < 2; dy++)
    for (int64_t dx = 0; dx < 2; dx++)
      if (y + dy >= 0 && y + dy < height && i + dx >= 0 && i + dx < width)
        sum += (dy ? v : 1 - v) * (dx ? h : 1 - h) * value_at(w->x, w->wide, plane + (y + dy) * width + i + dx);
  return sum;
}

/* Output channels [first, first + count) of group g at (row, column) of batch entry n. */
static void position(const struct work *w, int64_t n, int64_t g, int64_t first, int64_t count, int64_t row,
                     int64_t column) {
  const struct onri_conv *c = &w->s->conv;
  const struct onri_axis *v = &c->axis[1], *h = &c->axis[2];
  const int64_t taps = onri_conv_taps(c), pixels = v->out * h->out, at = row * h->out + column;
  const int64_t each = c->x.channels / w->s->offset_groups;
  const int depthwise = c->group_in == 1 && c->group_out == 1;
  double sum[BLOCK];
  for (int64_t m = 0; m < count; m++) sum[m] = w->bias ? value_at(w->bias, w->wide, g * c->group_out + first + m) : 0;
  for (int64_t t = 0; t < taps; t++)
    for (int64_t i = 0; i < c->group_in; i++) {
      const int64_t channel = g * c->group_in + i, map = (n * w->s->offset_groups + channel / each) * taps + t;
      const double y = (double)(row * v->stride - v->begin + t / h->kernel * v->dilation) +
                       value_at(w->offset, w->wide, 2 * map * pixels + at);
      const double x = (double)(column * h->stride - h->begin + t % h->kernel * h->dilation) +
                       value_at(w->offset, w->wide, (2 * map + 1) * pixels + at);
      double value = sample(w, (n * c->x.channels + channel) * c->x.size[1] * c->x.size[2], y, x);
      if (w->mask) value *= value_at(w->mask, w->wide, map * pixels + at);
      const int64_t from = depthwise ? t * c->groups + g : ((g * taps + t) * c->group_in + i) * c->group_out + first;
      for (int64_t m = 0; m < count; m++) sum[m] += value * value_at(w->weight, w->wide, from + m);
    }
  for (int64_t m = 0; m < count; m++) {
    const int64_t to = (n * c->y.channels + g * c->group_out + first + m) * pixels + at;
    if (w->wide) ((double *)w->y)[to] = sum[m];
    else ((float *)w->y)[to] = (float)sum[m];
  }
}

/* An item is one row of output pixels of one group. */
static void rows(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_conv *c = &w->s->conv;
  for (size_t item = begin; item < end; item++) {
    const int64_t row = (int64_t)item % c->axis[1].out, g = (int64_t)item / c->axis[1].out % c->groups;
    const int64_t n = (int64_t)item / c->axis[1].out / c->groups;
    for (int64_t first = 0; first < c->group_out; first += BLOCK)
      for (int64_t column = 0; column < c->axis[2].out; column++)
        position(w, n, g, first, c->group_out - first < BLOCK ? c->group_out - first : BLOCK, row, column);
  }
}

static enum onr_status deform_conv_run(struct onr_call *call) {
  const struct deform_state *s = call->state;
  void *packed = (unsigned char *)call->scratch + s->packed;
  struct work w = {.s = s,
                   .x = onri_widened_input(call, 0, s->real[0]),
                   .offset = onri_widened_input(call, 2, s->real[2]),
                   .bias = onri_widened_input(call, 3, s->real[3]),
                   .mask = onri_widened_input(call, 4, s->real[4]),
                   .y = onri_widened_output(call, 0, s->y),
                   .weight = packed,
                   .wide = onri_is_double(call->in[0].dtype)};
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (w.wide) onri_conv_pack_f64(&s->conv, onri_widened_input(call, 1, s->real[1]), packed);
  else onri_conv_pack_f32(&s->conv, onri_widened_input(call, 1, s->real[1]), packed);
  onr_parallel_for(call->env, (size_t)(s->conv.x.batch * s->conv.groups * s->conv.axis[1].out), 1, rows, &w);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

enum { SAMPLE = 16 }; /* operations */

static int64_t deform_conv_multiply_adds(const struct onr_call *call) {
  struct onri_conv c;
  struct onr_desc out;
  int64_t offset_groups, product;
  if (geometry(call, &c, &offset_groups, &out) != ONR_STATUS_OK) return 0;
  if (!onri_mul_i64(onr_desc_elements(&out), onri_conv_taps(&c), &product) ||
      !onri_mul_i64(product, c.group_in, &product))
    return INT64_MAX;
  return product;
}

/* Each tap of each pixel is interpolated. */
static int64_t deform_conv_steps(const struct onr_call *call) {
  const int64_t products = deform_conv_multiply_adds(call);
  struct onri_conv c;
  struct onr_desc out;
  int64_t offset_groups;
  if (geometry(call, &c, &offset_groups, &out) != ONR_STATUS_OK) return 0;
  const int64_t samples =
      ONRI_STEPS(call->in[0].dim[0], call->in[0].dim[1], onri_product(&out, 2, out.rank), onri_conv_taps(&c), SAMPLE);
  return products > samples ? products : samples;
}

const struct onr_layer onri_layer_deform_conv = {
    .name = "deform_conv",
    .inputs_min = 3,
    .inputs_max = 5,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_deform_conv_params),
    .state_size = sizeof(struct deform_state),
    .infer = deform_conv_infer,
    .plan = deform_conv_plan,
    .run = deform_conv_run,
    .multiply_adds = deform_conv_multiply_adds,
    .steps = deform_conv_steps,
};
