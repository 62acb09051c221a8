/* max_roi_pool.c: the maximum of each cell of a grid laid over a region of an image.
 *
 * input 0   x     [N, C, H, W]
 * input 1   rois  [R, 5]: image, x1, y1, x2, y2
 * output 0  y     [R, C, output height, output width]; a cell without pixels is 0
 * ONNX      MaxRoiPool-1..22
 * path      portable: any float
 */
#include <math.h>

#include "base/env.h"
#include "base/shape.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"

struct roi_pool_state {
  size_t x, rois, y;
};

struct work {
  const struct onr_max_roi_pool_params *p;
  const int64_t *size; /* N, C, H, W */
  const void *x, *rois;
  void *y;
  int wide;
  const struct onr_env *env;
};

static enum onr_status max_roi_pool_infer(struct onr_call *call) {
  const struct onr_max_roi_pool_params *p = call->params;
  ONR_TRY(onri_expect_rank(call, 0, 4, 4));
  ONR_TRY(onri_expect_rank(call, 1, 2, 2));
  if (call->in[1].dim[1] != 5)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected rois [R, 5], found [R, %lld]",
                    (long long)call->in[1].dim[1]);
  if (p->output_height < 1 || p->output_width < 1 || p->output_height > INT32_MAX || p->output_width > INT32_MAX)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "pooled shape %lld x %lld is out of range",
                    (long long)p->output_height, (long long)p->output_width);
  call->out[0] = onr_desc_make(call->in[0].dtype, 4,
                               (int64_t[]){call->in[1].dim[0], call->in[0].dim[1], p->output_height, p->output_width});
  return ONR_STATUS_OK;
}

static enum onr_status max_roi_pool_plan(struct onr_call *call) {
  struct roi_pool_state *s = call->state;
  ONR_TRY(onri_widened_plan(call, &call->in[0], &s->x));
  ONR_TRY(onri_widened_plan(call, &call->in[1], &s->rois));
  return onri_widened_plan(call, &call->out[0], &s->y);
}

static double value_at(const void *x, int wide, int64_t i) {
  return wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static int64_t held(double v, int64_t most) { return !(v > 0) ? 0 : v < (double)most ? (int64_t)v : most; }

/* Pixels [*first, *last) of cell `bin` of `bins` between low and high, both included. */
static void cell(double low, double high, double scale, int64_t bin, int64_t bins, int64_t size, int64_t *first,
                 int64_t *last) {
  const double start = round(low * scale), length = fmax(round(high * scale) - start + 1, 1),
               each = length / (double)bins;
  *first = held(floor((double)bin * each) + start, size);
  *last = held(ceil((double)(bin + 1) * each) + start, size);
}

/* Pixels of a window in one plane; a NaN is no maximum. */
#define MOST(name, type)                                                                              \
  static type most_##name(const type *plane, int64_t width, const int64_t y[2], const int64_t x[2]) { \
    type most = y[0] < y[1] && x[0] < x[1] ? (type)-INFINITY : 0;                                     \
    for (int64_t i = y[0]; i < y[1]; i++)                                                             \
      for (int64_t k = x[0]; k < x[1]; k++) {                                                         \
        const type v = plane[i * width + k];                                                          \
        most = v > most ? v : most;                                                                   \
      }                                                                                               \
    return most;                                                                                      \
  }
MOST(f32, float)
MOST(f64, double)

/* An item is one region: all channels share the bounds of its cells. */
static void regions(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const int64_t channels = w->size[1], height = w->size[2], width = w->size[3], plane = height * width,
                out = w->p->output_height * w->p->output_width;
  const double scale = (double)w->p->spatial_scale;
  struct onri_pace pace = {w->env, 0};
  for (size_t item = begin; item < end; item++) {
    const int64_t r = (int64_t)item * 5, from = (int64_t)value_at(w->rois, w->wide, r) * channels * plane;
    for (int64_t at = 0; at < out; at++) {
      int64_t y[2], x[2];
      cell(value_at(w->rois, w->wide, r + 2), value_at(w->rois, w->wide, r + 4), scale, at / w->p->output_width,
           w->p->output_height, height, &y[0], &y[1]);
      cell(value_at(w->rois, w->wide, r + 1), value_at(w->rois, w->wide, r + 3), scale, at % w->p->output_width,
           w->p->output_width, width, &x[0], &x[1]);
      const int64_t pixels = y[0] < y[1] && x[0] < x[1] ? (y[1] - y[0]) * (x[1] - x[0]) : 0;
      for (int64_t c = 0; c < channels && !onri_pace_stop(&pace, (size_t)(8 + pixels)); c++) {
        const int64_t to = ((int64_t)item * channels + c) * out + at, image = from + c * plane;
        if (w->wide) ((double *)w->y)[to] = most_f64((const double *)w->x + image, width, y, x);
        else ((float *)w->y)[to] = most_f32((const float *)w->x + image, width, y, x);
      }
    }
  }
}

static enum onr_status max_roi_pool_run(struct onr_call *call) {
  const struct roi_pool_state *s = call->state;
  struct work w = {.p = call->params,
                   .size = call->in[0].dim,
                   .x = onri_widened_input(call, 0, s->x),
                   .rois = onri_widened_input(call, 1, s->rois),
                   .y = onri_widened_output(call, 0, s->y),
                   .wide = onri_is_double(call->in[0].dtype),
                   .env = call->env};
  const int64_t count = call->in[1].dim[0];
  for (int64_t r = 0; r < count; r++) {
    const double image = value_at(w.rois, w.wide, r * 5);
    if (!(image >= 0 && image < (double)w.size[0]))
      return onr_fail(call->error, ONR_STATUS_INDEX, "batch index %g is outside of %lld images", image,
                      (long long)w.size[0]);
  }
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  onr_parallel_for(call->env, (size_t)count, 1, regions, &w);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

/* The cells of a region share its pixels, or have one or two each. */
static int64_t max_roi_pool_steps(const struct onr_call *call) {
  enum { CELL = 32, PIXEL = 4 };
  const int64_t cells = ONRI_STEPS(onr_desc_elements(&call->out[0]), CELL);
  const int64_t pixels = ONRI_STEPS(call->in[1].dim[0], onri_product(&call->in[0], 1, 4), PIXEL);
  return cells > pixels ? cells : pixels;
}

const struct onr_layer onri_layer_max_roi_pool = {
    .name = "max_roi_pool",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_max_roi_pool_params),
    .state_size = sizeof(struct roi_pool_state),
    .infer = max_roi_pool_infer,
    .plan = max_roi_pool_plan,
    .run = max_roi_pool_run,
    .steps = max_roi_pool_steps,
};
