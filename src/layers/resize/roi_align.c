/* roi_align.c: regions of images, cut out by interpolation to one size.
 *
 * input 0   x        [N, C, H, W], or channels-last
 * input 1   rois     [R, 4]: x1, y1, x2, y2
 * input 2   batches  int64 [R]: which image
 * output 0  y        [R, C, output height, output width], or channels-last
 * ONNX      RoiAlign-10..22
 * path      in float64; samples outside of the image are not visited, so no region takes longer than the image. Vectors
 * hold channels that lie side by side; where there are more samples than pixels, the image is copied so
 */
#include <math.h>
#include <string.h>

#include "base/image.h"
#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/move/copy.h"
#include "kernels/resize/grid_sample.h"
#include "layers/layers.h"
#include "layers/elementwise/scratch.h"
#include "layers/elementwise/widened.h"
#include "layers/conv/window.h"

enum { BLOCK = 64, MAX_RATIO = 1024, TAPS = 64 };

struct roi_align_state {
  struct onri_image x, y; /* x: as it is read */
  size_t x_real, rois_real, y_real;
  int turns; /* x is copied, so that channels lie side by side */
  size_t turned;
};

struct work {
  const struct roi_align_state *s;
  const struct onr_roi_align_params *p;
  const void *x, *rois;
  const int64_t *batches;
  void *y;
  int wide, wide_rois;
};

/* Weighted pixels that wait for each other. */
struct taps {
  int64_t offset[TAPS];
  double weight[TAPS];
  int count;
};

/* Samples of one output pixel along one axis: the i-th lies at start + (i + 1/2) * step. */
struct line {
  double start, step, count; /* count is whole */
};

static enum onr_status roi_align_infer(struct onr_call *call) {
  const struct onr_roi_align_params *p = call->params;
  struct onri_image x;
  struct onri_axis axis[ONR_MAX_SPATIAL] = {{0}};
  int32_t spatial = 0;
  ONR_TRY(onri_expect_rank(call, 0, 4, 4));
  ONR_TRY(onri_expect_rank(call, 1, 2, 2));
  ONR_TRY(onri_expect_rank(call, 2, 1, 1));
  const int64_t regions = call->in[1].dim[0];
  if (call->in[1].dim[1] != 4 || call->in[2].dim[0] != regions)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "expected rois [R, 4] and R batch indices, found [%lld, %lld] and %lld", (long long)regions,
                    (long long)call->in[1].dim[1], (long long)call->in[2].dim[0]);
  if (p->output_height < 1 || p->output_width < 1 || p->output_height > INT32_MAX || p->output_width > INT32_MAX ||
      p->sampling_ratio < 0 || p->sampling_ratio > MAX_RATIO)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                    "output of %lld x %lld with %lld samples is out of range (samples: 0 to %d)",
                    (long long)p->output_height, (long long)p->output_width, (long long)p->sampling_ratio, MAX_RATIO);
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last, &x, &spatial, call->error));
  if (x.size[1] > INT32_MAX || x.size[2] > INT32_MAX)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the image is beyond 2^31 pixels");
  axis[1].out = p->output_height;
  axis[2].out = p->output_width;
  call->out[0] = onri_image_desc(call->in[0].dtype, p->channels_last, regions, x.channels, 2, axis);
  return onri_expect_pixels(call, 0);
}

static enum onr_status roi_align_plan(struct onr_call *call) {
  const struct onr_roi_align_params *p = call->params;
  struct roi_align_state *s = call->state;
  int32_t spatial = 0;
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last, &s->x, &spatial, call->error));
  ONR_TRY(onri_image_view(&call->out[0], p->channels_last, &s->y, &spatial, call->error));
  ONR_TRY(onri_widened_plan(call, &call->in[0], &s->x_real));
  ONR_TRY(onri_widened_plan(call, &call->in[1], &s->rois_real));
  ONR_TRY(onri_widened_plan(call, &call->out[0], &s->y_real));
  s->turns = s->x.channel_stride > 1 && !onri_is_double(call->in[0].dtype) &&
             onr_desc_elements(&call->out[0]) >= onr_desc_elements(&call->in[0]);
  if (!s->turns) return ONR_STATUS_OK;
  s->turned = onri_scratch_take(call, onri_class_bytes(&call->in[0]));
  s->x.channel_stride = 1;
  s->x.stride[2] = s->x.channels;
  s->x.stride[1] = s->x.size[2] * s->x.channels;
  return ONR_STATUS_OK;
}

/* Channels behind all pixels become those of each pixel. */
static const void *turned(const struct onr_call *call, const struct roi_align_state *s, const void *x) {
  const int64_t pixels = s->x.size[1] * s->x.size[2], dims[] = {s->x.batch, pixels, s->x.channels};
  const int64_t strides[] = {s->x.batch_stride, 1, pixels};
  struct onri_copy copy;
  onri_copy_make(&copy, sizeof(float), 3, dims, strides, NULL);
  onri_copy_run(&copy, call->env, x, (char *)call->scratch + s->turned);
  return (const char *)call->scratch + s->turned;
}

static double value_at(const void *x, int wide, int64_t i) {
  return wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

/* Samples of output pixel `bin` of `bins` in the region from low to high. */
static struct line line_of(const struct onr_roi_align_params *p, double low, double high, int64_t bin, int64_t bins) {
  const double offset = p->half_pixel ? 0.5 : 0, scale = (double)p->spatial_scale;
  const double start = low * scale - offset;
  double length = high * scale - offset - start;
  if (!p->half_pixel && !(length > 1)) length = 1;
  const double size = length / (double)bins;
  struct line line = {.start = start + (double)bin * size,
                      .count = p->sampling_ratio > 0 ? (double)p->sampling_ratio : ceil(size)};
  if (!(line.count > 0)) line.count = 0;
  line.step = line.count > 0 ? size / line.count : 0;
  return line;
}

/* Samples [*first, *last) that may lie in [-1, size]; the others add nothing. Few more than there are pixels. */
static void visible(const struct line *line, int64_t size, int64_t *first, int64_t *last) {
  double low = (-1 - line->start) / line->step - 1.5, high = ((double)size - line->start) / line->step + 1.5;
  if (line->step < 0) {
    const double swap = low;
    low = high - 3, high = swap + 3;
  }
  if (line->step == 0) low = 0, high = line->count; /* only with the sampling ratio given: few */
  if (!(low > 0)) low = 0;
  if (!(high < line->count)) high = line->count;
  *first = low < 9e15 ? (int64_t)low : 0;
  *last = low < high && high - low < 9e15 ? (int64_t)ceil(high) : *first;
}

/* The two pixels around position v and the weight of the second; 0 when v is outside of the image. */
static int neighbours(double v, int64_t size, int64_t index[2], double *weight) {
  if (!(v >= -1 && v <= (double)size)) return 0;
  if (v < 0) v = 0;
  index[0] = (int64_t)v;
  if (index[0] >= size - 1) {
    index[0] = index[1] = size - 1;
    *weight = 0;
    return 1;
  }
  index[1] = index[0] + 1;
  *weight = v - (double)index[0];
  return 1;
}

static int is_together(const struct work *w) { return w->s->x.channel_stride == 1 && !w->wide; }

static void take_taps(const struct work *w, int64_t from, int64_t count, struct taps *taps, double *sum) {
  const struct onri_grid_sample_kernels *kernels = onri_kernels(grid_sample);
  (w->p->mode == ONR_ROI_AVERAGE ? kernels->add : kernels->most)((const float *)w->x + from, taps->offset, taps->weight,
                                                                 taps->count, count, sum);
  taps->count = 0;
}

/* Adds one sample for `count` channels that begin at x. A maximum, the standard's, is taken over the weighted
 * neighbours; it begins as NaN, which all numbers replace. */
static void sample(const struct work *w, double *sum, int64_t from, int64_t count, const int64_t iy[2],
                   const int64_t ix[2], double ly, double lx, struct taps *taps) {
  const struct onri_image *x = &w->s->x;
  const double weight[] = {(1 - ly) * (1 - lx), (1 - ly) * lx, ly * (1 - lx), ly * lx};
  const int64_t offset[] = {iy[0] * x->stride[1] + ix[0] * x->stride[2], iy[0] * x->stride[1] + ix[1] * x->stride[2],
                            iy[1] * x->stride[1] + ix[0] * x->stride[2], iy[1] * x->stride[1] + ix[1] * x->stride[2]};
  if (is_together(w)) {
    memcpy(taps->offset + taps->count, offset, sizeof(offset));
    memcpy(taps->weight + taps->count, weight, sizeof(weight));
    taps->count += 4;
    if (taps->count == TAPS) take_taps(w, from, count, taps, sum);
    return;
  }
  for (int64_t c = 0; c < count; c++) {
    double part[4];
    for (int k = 0; k < 4; k++) part[k] = weight[k] * value_at(w->x, w->wide, from + c * x->channel_stride + offset[k]);
    if (w->p->mode == ONR_ROI_AVERAGE) sum[c] += part[0] + part[1] + part[2] + part[3];
    else sum[c] = fmax(sum[c], fmax(fmax(part[0], part[1]), fmax(part[2], part[3])));
  }
}

/* `count` channels of one output pixel. */
static void output_pixel(const struct work *w, int64_t from, int64_t to, int64_t count, const struct line *v,
                         const struct line *h) {
  const struct onri_image *x = &w->s->x;
  int64_t y_first, y_last, x_first, x_last, iy[2], ix[2], samples = 0;
  double sum[BLOCK], ly, lx;
  struct taps taps;
  taps.count = 0;
  for (int64_t c = 0; c < count; c++) sum[c] = w->p->mode == ONR_ROI_AVERAGE ? 0 : (double)NAN;
  visible(v, x->size[1], &y_first, &y_last);
  visible(h, x->size[2], &x_first, &x_last);
  for (int64_t i = y_first; i < y_last && x_first < x_last; i++) {
    if (!neighbours(v->start + ((double)i + 0.5) * v->step, x->size[1], iy, &ly)) continue;
    for (int64_t j = x_first; j < x_last; j++)
      if (neighbours(h->start + ((double)j + 0.5) * h->step, x->size[2], ix, &lx))
        sample(w, sum, from, count, iy, ix, ly, lx, &taps), samples++;
  }
  if (taps.count > 0) take_taps(w, from, count, &taps, sum);
  const double all = v->count * h->count;
  for (int64_t c = 0; c < count; c++) {
    double result = w->p->mode == ONR_ROI_AVERAGE ? sum[c] / fmax(all, 1) : samples > 0 ? sum[c] : 0;
    if (w->p->mode == ONR_ROI_MAX && (double)samples < all) result = fmax(result, 0); /* samples outside count as 0 */
    if (w->wide) ((double *)w->y)[to + c * w->s->y.channel_stride] = result;
    else ((float *)w->y)[to + c * w->s->y.channel_stride] = (float)result;
  }
}

/* An item is one row of output pixels of one region. */
static void rows(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct roi_align_state *s = w->s;
  for (size_t item = begin; item < end; item++) {
    const int64_t r = (int64_t)item / s->y.size[1], row = (int64_t)item % s->y.size[1];
    double box[4];
    for (int i = 0; i < 4; i++) box[i] = value_at(w->rois, w->wide_rois, r * 4 + i);
    const struct line v = line_of(w->p, box[1], box[3], row, s->y.size[1]);
    for (int64_t column = 0; column < s->y.size[2]; column++) {
      const struct line h = line_of(w->p, box[0], box[2], column, s->y.size[2]);
      for (int64_t c = 0; c < s->x.channels; c += BLOCK)
        output_pixel(w, w->batches[r] * s->x.batch_stride + c * s->x.channel_stride,
                     r * s->y.batch_stride + row * s->y.stride[1] + column * s->y.stride[2] + c * s->y.channel_stride,
                     s->x.channels - c < BLOCK ? s->x.channels - c : BLOCK, &v, &h);
    }
  }
}

static enum onr_status roi_align_run(struct onr_call *call) {
  const struct roi_align_state *s = call->state;
  const int64_t *batches = call->inputs[2];
  for (int64_t r = 0; r < call->in[1].dim[0]; r++)
    if (batches[r] < 0 || batches[r] >= s->x.batch)
      return onr_fail(call->error, ONR_STATUS_INDEX, "batch index %lld is outside of %lld images",
                      (long long)batches[r], (long long)s->x.batch);
  struct work w = {.s = s,
                   .p = call->params,
                   .x = onri_widened_input(call, 0, s->x_real),
                   .rois = onri_widened_input(call, 1, s->rois_real),
                   .batches = batches,
                   .y = onri_widened_output(call, 0, s->y_real),
                   .wide = onri_is_double(call->in[0].dtype),
                   .wide_rois = onri_is_double(call->in[1].dtype)};
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (s->turns) w.x = turned(call, s, w.x);
  onr_parallel_for(call->env, (size_t)(s->y.batch * s->y.size[1]), 1, rows, &w);
  onri_widened_finish(call, 0, s->y_real);
  return ONR_STATUS_OK;
}

/* Without a given number of samples there are about as many as pixels in a region. */
static int64_t roi_align_steps(const struct onr_call *call) {
  enum { PIXEL = 32, SAMPLE = 16 };
  const struct onr_roi_align_params *p = call->params;
  const int64_t pixels = ONRI_STEPS(onr_desc_elements(&call->out[0]), PIXEL), ratio = p->sampling_ratio;
  const int64_t samples =
      ratio > 0 ? ONRI_STEPS(onr_desc_elements(&call->out[0]), ratio, ratio, SAMPLE)
      : call->in[0].dim[0] < 1
          ? 0
          : ONRI_STEPS(call->in[1].dim[0], onr_desc_elements(&call->in[0]) / call->in[0].dim[0], SAMPLE);
  return pixels > samples ? pixels : samples;
}

const struct onr_layer onri_layer_roi_align = {
    .name = "roi_align",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT, ONRI_DTYPE_BIT(ONR_DTYPE_I64)},
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_HEAVY,
    .layout = ONR_LAYOUT_SPATIAL,
    .layout_param = offsetof(struct onr_roi_align_params, channels_last),
    .params_size = sizeof(struct onr_roi_align_params),
    .state_size = sizeof(struct roi_align_state),
    .infer = roi_align_infer,
    .plan = roi_align_plan,
    .run = roi_align_run,
    .steps = roi_align_steps,
};
