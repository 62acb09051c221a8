/* fractional_pool.c: maxima over windows at pseudo-random distances, which differ from channel to channel.
 *
 * input 0   x        [N, C, spatial...] (2 or 3 of them)
 * input 1   samples  float32 [N, C, spatial dimensions], optional
 * output 0  y        [N, C, spatial...]
 * output 1  indices  int64, like y, in the image of each channel, optional
 * PyTorch   torch.nn.FractionalMaxPool2d, FractionalMaxPool3d
 * path      portable
 */
#include <math.h>

#include "base/numbers/random_numbers.h"
#include "base/shape.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"
#include "layers/conv/window.h"

struct fractional_state {
  struct onri_image x, y;
  int64_t kernel[ONR_MAX_SPATIAL];
  size_t x_at, y_at, samples_at; /* in scratch */
};

/* Output sizes, and kernels with leading 1s. */
static enum onr_status sizes(const struct onr_call *call, int32_t spatial, const struct onri_image *x,
                             int64_t kernel[ONR_MAX_SPATIAL], struct onri_axis axis[ONR_MAX_SPATIAL]) {
  const struct onr_fractional_max_pool_params *p = call->params;
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) kernel[i] = axis[i].out = 1;
  for (int32_t i = 0; i < spatial; i++) {
    const int32_t a = ONR_MAX_SPATIAL - spatial + i;
    const int64_t in = x->size[a];
    if (p->output[i] == 0 && !(p->ratio[i] > 0 && p->ratio[i] < 1))
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                      "expected an output size, or a ratio between 0 and 1, found %g", p->ratio[i]);
    if (in > INT32_MAX)
      return onr_fail(call->error, ONR_STATUS_LIMIT, "an image size of %lld is beyond the limit of %d", (long long)in,
                      INT32_MAX);
    axis[a].out = p->output[i] != 0 ? p->output[i] : (int64_t)((double)in * p->ratio[i]);
    kernel[a] = p->kernel[i];
    if (kernel[a] < 1 || axis[a].out < 1 || kernel[a] > in || axis[a].out > in - kernel[a] + 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld windows of %lld do not fit an image of %lld",
                      (long long)axis[a].out, (long long)kernel[a], (long long)in);
  }
  return ONR_STATUS_OK;
}

static enum onr_status geometry(const struct onr_call *call, struct fractional_state *s, struct onr_desc *out) {
  const struct onr_fractional_max_pool_params *p = call->params;
  struct onri_axis axis[ONR_MAX_SPATIAL] = {{0}};
  int32_t spatial = 0;
  ONR_TRY(onri_image_view(&call->in[0], 0, &s->x, &spatial, call->error));
  if (spatial != p->rank || spatial < 2)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "a kernel of %d dimensions does not fit an image of %d", p->rank,
                    spatial);
  ONR_TRY(sizes(call, spatial, &s->x, s->kernel, axis));
  if (onri_has(call, 1)) {
    const struct onr_desc *samples = &call->in[1];
    if (samples->rank != 3 || samples->dim[0] != s->x.batch || samples->dim[1] != s->x.channels ||
        samples->dim[2] != spatial)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected samples [%lld, %lld, %d]", (long long)s->x.batch,
                      (long long)s->x.channels, spatial);
  }
  *out = onri_image_desc(call->in[0].dtype, 0, s->x.batch, s->x.channels, spatial, axis);
  return onri_image_view(out, 0, &s->y, &spatial, call->error);
}

static enum onr_status fractional_infer(struct onr_call *call) {
  struct fractional_state s;
  ONR_TRY(geometry(call, &s, &call->out[0]));
  if (call->num_out > 1) {
    call->out[1] = call->out[0];
    call->out[1].dtype = ONR_DTYPE_I64;
  }
  return ONR_STATUS_OK;
}

static enum onr_status fractional_plan(struct onr_call *call) {
  struct fractional_state *s = call->state;
  struct onr_desc out;
  ONR_TRY(geometry(call, s, &out));
  ONR_TRY(onri_widened_plan(call, &call->in[0], &s->x_at));
  ONR_TRY(onri_widened_plan(call, &call->out[0], &s->y_at));
  return onri_has(call, 1)
             ? ONR_STATUS_OK
             : onri_scratch_reserve(call, (size_t)(s->x.batch * s->x.channels) * ONR_MAX_SPATIAL * sizeof(float),
                                    &s->samples_at);
}

struct work {
  const struct fractional_state *s;
  const void *x;
  void *y;
  int64_t *indices;
  const float *samples;
  int32_t rank, wide;
};

/* Where the windows of one channel begin along an axis. */
struct intervals {
  float sample, alpha;
  int64_t offset, room, last;
};

/* In single precision, as PyTorch computes it for float32. Axis a has leading 1s. */
static struct intervals intervals_of(const struct work *w, int64_t plane, int32_t a) {
  struct intervals v = {.room = w->s->x.size[a] - w->s->kernel[a], .last = w->s->y.size[a] - 1};
  if (v.last < 1) return v;
  v.sample = w->samples[plane * w->rank + (w->rank == 2 ? ONR_MAX_SPATIAL - 1 - a : a)];
  v.alpha = (float)v.room / (float)v.last;
  v.offset = (int64_t)(v.sample * v.alpha);
  return v;
}

static int64_t start_of(const struct intervals *v, int64_t o) {
  if (o == v->last) return v->room;
  const int64_t start = (int64_t)(((float)o + v->sample) * v->alpha) - v->offset;
  return start < v->room ? start : v->room;
}

static void pool_window(const struct work *w, int64_t plane, const int64_t start[ONR_MAX_SPATIAL], int64_t to) {
  const struct onri_image *x = &w->s->x;
  const int64_t *kernel = w->s->kernel, base = plane * x->size[0] * x->size[1] * x->size[2];
  double best = -INFINITY;
  int64_t where = -1;
  for (int64_t i = start[0]; i < start[0] + kernel[0]; i++)
    for (int64_t j = start[1]; j < start[1] + kernel[1]; j++)
      for (int64_t k = start[2]; k < start[2] + kernel[2]; k++) {
        const int64_t at = (i * x->size[1] + j) * x->size[2] + k;
        const double v = w->wide ? ((const double *)w->x)[base + at] : (double)((const float *)w->x)[base + at];
        if (where >= 0 && !(v > best || isnan(v))) continue;
        best = v;
        where = at;
      }
  if (w->y && w->wide) ((double *)w->y)[to] = best;
  else if (w->y) ((float *)w->y)[to] = (float)best;
  if (w->indices) w->indices[to] = where;
}

/* An item is one channel of one batch entry. */
static void planes(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const int64_t *out = w->s->y.size;
  for (int64_t plane = (int64_t)begin; plane < (int64_t)end; plane++) {
    struct intervals v[ONR_MAX_SPATIAL];
    int64_t o[ONR_MAX_SPATIAL], start[ONR_MAX_SPATIAL], to = plane * out[0] * out[1] * out[2];
    for (int32_t a = 0; a < ONR_MAX_SPATIAL; a++) v[a] = intervals_of(w, plane, a);
    for (o[0] = 0; o[0] < out[0]; o[0]++) {
      start[0] = start_of(&v[0], o[0]);
      for (o[1] = 0; o[1] < out[1]; o[1]++) {
        start[1] = start_of(&v[1], o[1]);
        for (o[2] = 0; o[2] < out[2]; o[2]++) {
          start[2] = start_of(&v[2], o[2]);
          pool_window(w, plane, start, to++);
        }
      }
    }
  }
}

/* The samples that are given, checked, or those that torch.rand would draw. */
static enum onr_status take_samples(const struct onr_call *call, struct work *w, size_t count) {
  const struct onr_fractional_max_pool_params *p = call->params;
  if (onri_has(call, 1)) {
    w->samples = call->inputs[1];
    for (size_t i = 0; i < count; i++)
      if (!(w->samples[i] >= 0 && w->samples[i] <= 1))
        return onr_fail(call->error, ONR_STATUS_DATA, "expected samples in [0, 1], found %g", (double)w->samples[i]);
    return ONR_STATUS_OK;
  }
  float *drawn = (float *)(void *)((unsigned char *)call->scratch + w->s->samples_at);
  struct onri_random random;
  onri_random_seed(&random, p->seed);
  for (size_t i = 0; i < count; i++) drawn[i] = onri_random_torch(&random);
  w->samples = drawn;
  return ONR_STATUS_OK;
}

static enum onr_status fractional_run(struct onr_call *call) {
  const struct onr_fractional_max_pool_params *p = call->params;
  const struct fractional_state *s = call->state;
  const size_t num_planes = (size_t)(s->x.batch * s->x.channels);
  struct work w = {.s = s,
                   .x = onri_widened_input(call, 0, s->x_at),
                   .y = onri_widened_output(call, 0, s->y_at),
                   .rank = p->rank,
                   .indices = call->num_out > 1 ? call->outputs[1] : NULL,
                   .wide = onri_is_double(call->in[0].dtype)};
  if (num_planes == 0) return ONR_STATUS_OK;
  ONR_TRY(take_samples(call, &w, num_planes * (size_t)p->rank));
  onr_parallel_for(call->env, num_planes, 1, planes, &w);
  onri_widened_finish(call, 0, s->y_at);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_fractional_max_pool = {
    .name = "fractional_max_pool",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 2,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPE_BIT(ONR_DTYPE_F32)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_fractional_max_pool_params),
    .state_size = sizeof(struct fractional_state),
    .infer = fractional_infer,
    .plan = fractional_plan,
    .run = fractional_run,
};
