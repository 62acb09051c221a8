/* grid_sample.c: x looked up at the positions of a grid, as torch.nn.functional.grid_sample does.
 *
 * input 0   x     [N, C, spatial...] (2 or 3 of them), or channels-last
 * input 1   grid  [N, spatial of y..., 2 or 3], positions (x, y, z) from -1 to 1
 * output 0  y     [N, C, spatial of y...]
 * ONNX      GridSample-16..22
 * path      channels side by side in vectors; else portable. Positions are float64; a position that is not a number
 * counts as far outside; nearest moves elements of any type, interpolated integers are rounded to the nearest
 */
#include <math.h>
#include <string.h>

#include "base/image.h"
#include "base/numbers/convert.h"
#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/resize/grid_sample.h"
#include "layers/index/indices.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"
#include "layers/conv/window.h"

enum { MAX_TAPS = 4, FEW = 8 /* channels that are not worth a vector */ };

struct grid_sample_state {
  struct onri_image x, y;
  int64_t positions; /* of one image of y */
  size_t x_real, grid_real, y_real;
};

struct work {
  const struct grid_sample_state *s;
  const struct onr_grid_sample_params *p;
  const void *x, *grid;
  void *y;
  int64_t parts;  /* of an element: 2 for complex numbers */
  size_t element; /* bytes, when elements are moved as they are; else 0 */
  int32_t spatial, wide, wide_grid;
  int32_t together; /* all channels of a pixel are done at once */
  int32_t plain;    /* float32, not complex */
};

/* Up to MAX_TAPS pixels along one axis. */
struct taps {
  int count;
  int64_t index[MAX_TAPS]; /* -1: padding of zeros */
  double weight[MAX_TAPS];
};

static enum onr_status grid_sample_infer(struct onr_call *call) {
  const struct onr_grid_sample_params *p = call->params;
  struct onri_image x;
  int32_t spatial = 0;
  if (p->mode != ONR_GRID_NEAREST) ONR_TRY(onri_widened_expect(call, 0));
  ONR_TRY(onri_expect_rank(call, 0, 4, 5));
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last, &x, &spatial, call->error));
  const struct onr_desc *grid = &call->in[1];
  if (grid->rank != spatial + 2 || grid->dim[0] != x.batch || grid->dim[spatial + 1] != spatial)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "expected a grid [%lld, ..., %d] of rank %d, found rank %d with [%lld, ..., %lld]",
                    (long long)x.batch, spatial, spatial + 2, grid->rank,
                    (long long)(grid->rank > 0 ? grid->dim[0] : 0),
                    (long long)(grid->rank > 0 ? grid->dim[grid->rank - 1] : 0));
  if (p->mode == ONR_GRID_CUBIC && spatial != 2)
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "cubic sampling is for images of 2 dimensions, found %d",
                    spatial);
  struct onri_axis axis[ONR_MAX_SPATIAL] = {{0}};
  for (int32_t i = 0; i < spatial; i++) axis[ONR_MAX_SPATIAL - spatial + i].out = grid->dim[1 + i];
  call->out[0] = onri_image_desc(call->in[0].dtype, p->channels_last, x.batch, x.channels, spatial, axis);
  return onri_expect_pixels(call, 0);
}

static enum onr_status grid_sample_plan(struct onr_call *call) {
  const struct onr_grid_sample_params *p = call->params;
  struct grid_sample_state *s = call->state;
  int32_t spatial = 0;
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last, &s->x, &spatial, call->error));
  ONR_TRY(onri_image_view(&call->out[0], p->channels_last, &s->y, &spatial, call->error));
  s->positions = s->y.size[0] * s->y.size[1] * s->y.size[2];
  ONR_TRY(onri_widened_plan(call, &call->in[1], &s->grid_real));
  if (p->mode == ONR_GRID_NEAREST) return ONR_STATUS_OK;
  ONR_TRY(onri_widened_plan(call, &call->in[0], &s->x_real));
  return onri_widened_plan(call, &call->out[0], &s->y_real);
}

static double clamped(double v, double low, double high) { return v < low ? low : v > high ? high : v; }

/* Folds v back into [low, high] as between two mirrors. */
static double reflected(double v, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  const double past = fabs(v - low), turns = floor(past / range), rest = past - turns * range;
  return fmod(turns, 2) == 0 ? low + rest : high - rest;
}

/* The pixel for index i under the padding rule, -1 for none. */
static int64_t pixel_at(const struct work *w, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  if (w->p->padding == ONR_GRID_ZEROS) return -1;
  if (w->p->padding == ONR_GRID_REFLECTION)
    i = (int64_t)clamped(w->p->align_corners ? reflected((double)i, 0, (double)size - 1)
                                             : reflected((double)i, -0.5, (double)size - 0.5),
                         0, (double)size - 1);
  return i < 0 ? 0 : i < size ? i : size - 1;
}

/* Of pixels 1 + r before and r, 1 - r, 2 - r behind. */
static double cubic_near(double d) { return ((-0.75 + 2) * d - (-0.75 + 3)) * d * d + 1; }
static double cubic_far(double d) { return ((d - 5) * d + 8) * d * -0.75 - 4 * -0.75; }
static void cubic_weights(double r, double weight[MAX_TAPS]) {
  weight[0] = cubic_far(1 + r), weight[1] = cubic_near(r), weight[2] = cubic_near(1 - r), weight[3] = cubic_far(2 - r);
}

/* floor and rint of |x| <= 1e15, without a call. */
static double whole_below(double x) {
  const double cut = (double)(int64_t)x;
  return cut - (cut > x);
}
static double whole_nearest(double x) {
  const double magic = x < 0 ? -0x1p52 : 0x1p52; /* sums have no bits of a fraction */
  return (x + magic) - magic;
}

static double place_of(const struct work *w, double grid, double length) {
  return w->p->align_corners ? (grid + 1) / 2 * (length - 1) : ((grid + 1) * length - 1) / 2;
}

/* In place: a struct that is copied right after it was written waits for the cache. */
static void find_taps(const struct work *w, double grid, int64_t size, struct taps *t) {
  const double length = (double)size;
  double x = place_of(w, grid, length);
  const double low = w->p->align_corners ? 0 : -0.5, high = w->p->align_corners ? length - 1 : length - 0.5;
  t->count = w->p->mode == ONR_GRID_NEAREST ? 1 : w->p->mode == ONR_GRID_LINEAR ? 2 : 4;
  if (!(x > -1e15 && x < 1e15)) x = x > 0 ? 1e15 : -1e15; /* NaN and beyond int64 */
  if (w->p->mode == ONR_GRID_NEAREST) x = whole_nearest(x);
  /* Cubic clamps each of its pixels instead, as PyTorch does. */
  if (w->p->padding == ONR_GRID_BORDER && t->count < 4 && (x < low || x > high)) x = clamped(x, 0, length - 1);
  if (w->p->padding == ONR_GRID_REFLECTION && (x < low || x > high)) x = reflected(x, low, high);
  const double base = whole_below(x);
  t->weight[0] = 1;
  if (t->count == 2) t->weight[0] = 1 - (x - base), t->weight[1] = x - base;
  if (t->count == 4) cubic_weights(x - base, t->weight);
  const int64_t first = (int64_t)base - (t->count == 4 ? 1 : 0);
  for (int i = 0; i < t->count; i++) t->index[i] = pixel_at(w, first + i, size);
}

static double value_at(const void *x, int wide, int64_t i) {
  return wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

/* Offsets and weights of all pixels that make one output pixel; the padding ones are left out. */
static int combine(const struct grid_sample_state *s, const struct taps t[ONR_MAX_SPATIAL], int64_t *offset,
                   double *weight) {
  int count = 0;
  if (t[0].count == 1 && t[1].count == 1 && t[2].count == 1) { /* nearest */
    *weight = 1;
    *offset = t[0].index[0] * s->x.stride[0] + t[1].index[0] * s->x.stride[1] + t[2].index[0] * s->x.stride[2];
    return t[0].index[0] >= 0 && t[1].index[0] >= 0 && t[2].index[0] >= 0;
  }
  for (int a = 0; a < t[0].count; a++)
    for (int b = 0; b < t[1].count; b++)
      for (int c = 0; c < t[2].count; c++) {
        if (t[0].index[a] < 0 || t[1].index[b] < 0 || t[2].index[c] < 0) continue;
        offset[count] =
            t[0].index[a] * s->x.stride[0] + t[1].index[b] * s->x.stride[1] + t[2].index[c] * s->x.stride[2];
        weight[count++] = t[0].weight[a] * t[1].weight[b] * t[2].weight[c];
      }
  return count;
}

/* Elements of x at `from`, or zeros for -1. */
static void move(const struct work *w, int64_t from, int64_t to, size_t count) {
  char *y = (char *)w->y + (size_t)to * w->element;
  if (count == 1 && from >= 0) {
    onri_copy_element(y, (const char *)w->x + (size_t)from * w->element, w->element);
    return;
  }
  if (from < 0) memset(y, 0, count * w->element);
  else memcpy(y, (const char *)w->x + (size_t)from * w->element, count * w->element);
}

/* Channels side by side. */
static void weigh_channels(const struct work *w, int64_t from, const int64_t *offset, const double *weight, int count,
                           int64_t to) {
  const float *x = (const float *)w->x + from;
  onri_kernels(grid_sample)->weigh(x, offset, weight, count, w->s->x.channels, (float *)w->y + to);
}

static void weigh_plain(const float *x, const int64_t *offset, const double *weight, int count, float *y) {
  double sum = 0;
  if (count == 4) { /* most of all; the compiler then needs no loop */
    for (int i = 0; i < 4; i++) sum += weight[i] * (double)x[offset[i]];
  } else {
    for (int i = 0; i < count; i++) sum += weight[i] * (double)x[offset[i]];
  }
  *y = (float)sum;
}

/* Places in memory instead of indices; those of padding are left out. */
static void place_taps(struct taps *t, int64_t stride) {
  int count = 0;
  for (int i = 0; i < t->count; i++) {
    if (t->index[i] < 0) continue;
    t->weight[count] = t->weight[i];
    t->index[count++] = t->index[i] * stride;
  }
  t->count = count;
}

static double weigh_row(const float *x, const struct taps *t) {
  double sum = 0;
  for (int i = 0; i < t->count; i++) sum += t->weight[i] * (double)x[t->index[i]];
  return sum;
}

/* Rows by columns: a fifth of the products that sixteen pixels with a weight each take, where there are few channels.
 */
static void weigh_rows(const float *x, const struct taps *rows, const struct taps *columns, float *y) {
  double sum = 0;
  if (rows->count == 4 && columns->count == 4) { /* most of all; the compiler then needs no loop */
    const struct taps *t = columns;
    for (int i = 0; i < 4; i++) {
      const float *row = x + rows->index[i];
      sum += rows->weight[i] * (t->weight[0] * (double)row[t->index[0]] + t->weight[1] * (double)row[t->index[1]] +
                                t->weight[2] * (double)row[t->index[2]] + t->weight[3] * (double)row[t->index[3]]);
    }
  } else {
    for (int i = 0; i < rows->count; i++) sum += rows->weight[i] * weigh_row(x + rows->index[i], columns);
  }
  *y = (float)sum;
}

static void weigh(const struct work *w, int64_t from, const int64_t *offset, const double *weight, int count,
                  int64_t to) {
  for (int64_t part = 0; part < w->parts; part++) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += weight[i] * value_at(w->x, w->wide, (from + offset[i]) * w->parts + part);
    if (w->wide) ((double *)w->y)[to * w->parts + part] = sum;
    else ((float *)w->y)[to * w->parts + part] = (float)sum;
  }
}

enum { OTHERS = -1 };

/* What most pixels of two dimensions are between: four, none of which is padding, or nothing but zeros. */
static int find_four(const struct work *w, size_t item, int64_t *offset, double *weight) {
  const struct onri_image *x = &w->s->x;
  const double rows = (double)x->size[1], columns = (double)x->size[2];
  const double v = place_of(w, value_at(w->grid, w->wide_grid, 2 * (int64_t)item + 1), rows);
  const double h = place_of(w, value_at(w->grid, w->wide_grid, 2 * (int64_t)item), columns);
  if (!(v >= 0 && v < rows - 1 && h >= 0 && h < columns - 1))
    return w->p->padding == ONR_GRID_ZEROS && !(v >= -1 && v < rows && h >= -1 && h < columns) ? 0 : OTHERS;
  const int64_t row = (int64_t)v, column = (int64_t)h, first = row * x->stride[1] + column * x->stride[2];
  const double below = v - (double)row, right = h - (double)column;
  offset[0] = first, offset[1] = first + x->stride[2];
  offset[2] = first + x->stride[1], offset[3] = offset[2] + x->stride[2];
  weight[0] = (1 - below) * (1 - right), weight[1] = (1 - below) * right;
  weight[2] = below * (1 - right), weight[3] = below * right;
  return 4;
}

/* The one nearest, likewise. */
static int find_one(const struct work *w, size_t item, int64_t *offset) {
  const struct onri_image *x = &w->s->x;
  const double rows = (double)x->size[1], columns = (double)x->size[2];
  double v = whole_nearest(place_of(w, value_at(w->grid, w->wide_grid, 2 * (int64_t)item + 1), rows));
  double h = whole_nearest(place_of(w, value_at(w->grid, w->wide_grid, 2 * (int64_t)item), columns));
  if (w->p->padding == ONR_GRID_BORDER) { /* NaN is 0 */
    v = v >= 0 ? (v < rows ? v : rows - 1) : 0;
    h = h >= 0 ? (h < columns ? h : columns - 1) : 0;
  }
  if (!(v >= 0 && v < rows && h >= 0 && h < columns)) return w->p->padding == ONR_GRID_ZEROS ? 0 : OTHERS;
  *offset = (int64_t)v * x->stride[1] + (int64_t)h * x->stride[2];
  return 1;
}

static int find_any(const struct work *w, size_t item, int64_t *offset, double *weight) {
  struct taps t[ONR_MAX_SPATIAL];
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) { /* the grid lists the innermost axis first */
    const int from = ONR_MAX_SPATIAL - 1 - a;
    if (from < w->spatial)
      find_taps(w, value_at(w->grid, w->wide_grid, (int64_t)item * w->spatial + from), w->s->x.size[a], &t[a]);
    else t[a].count = 1, t[a].index[0] = 0, t[a].weight[0] = 1;
  }
  return combine(w->s, t, offset, weight);
}

/* Cubic ones of few channels, each by itself. */
static void cubic_pixels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_image *x = &w->s->x, *y = &w->s->y;
  for (size_t item = begin; item < end; item++) {
    const int64_t n = (int64_t)item / w->s->positions, at = (int64_t)item % w->s->positions;
    struct taps rows, columns; /* the grid lists the innermost axis first */
    find_taps(w, value_at(w->grid, w->wide_grid, 2 * (int64_t)item + 1), x->size[1], &rows);
    find_taps(w, value_at(w->grid, w->wide_grid, 2 * (int64_t)item), x->size[2], &columns);
    place_taps(&rows, x->stride[1]);
    place_taps(&columns, x->stride[2]);
    for (int64_t c = 0; c < x->channels; c++)
      weigh_rows((const float *)w->x + n * x->batch_stride + c * x->channel_stride, &rows, &columns,
                 (float *)w->y + n * y->batch_stride + c * y->channel_stride + at * y->stride[2]);
  }
}

/* An item is one output pixel of one batch entry. */
static void pixels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct grid_sample_state *s = w->s;
  const int fours = w->spatial == 2 && w->p->mode == ONR_GRID_LINEAR,
            ones = w->spatial == 2 && w->p->mode == ONR_GRID_NEAREST;
  int64_t n = (int64_t)begin / s->positions, at = (int64_t)begin % s->positions - 1;
  for (size_t item = begin; item < end; item++) {
    int64_t offset[MAX_TAPS * MAX_TAPS];
    double weight[MAX_TAPS * MAX_TAPS];
    if (++at == s->positions) n++, at = 0;
    int count = fours ? find_four(w, item, offset, weight) : ones ? find_one(w, item, offset) : OTHERS;
    if (count == OTHERS) count = find_any(w, item, offset, weight);
    if (w->together) {
      const int64_t from = n * s->x.batch_stride, to = n * s->y.batch_stride + at * s->y.stride[2];
      if (w->element > 0) move(w, count > 0 ? from + offset[0] : -1, to, (size_t)s->x.channels);
      else weigh_channels(w, from, offset, weight, count, to);
      continue;
    }
    for (int64_t c = 0; c < s->x.channels; c++) {
      const int64_t from = n * s->x.batch_stride + c * s->x.channel_stride;
      const int64_t to = n * s->y.batch_stride + c * s->y.channel_stride + at * s->y.stride[2];
      if (w->element > 0) move(w, count > 0 ? from + offset[0] : -1, to, 1);
      else if (w->plain) weigh_plain((const float *)w->x + from, offset, weight, count, (float *)w->y + to);
      else weigh(w, from, offset, weight, count, to);
    }
  }
}

static enum onr_status grid_sample_run(struct onr_call *call) {
  const struct grid_sample_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  struct work w = {.s = s,
                   .p = call->params,
                   .x = call->inputs[0],
                   .grid = onri_widened_input(call, 1, s->grid_real),
                   .y = call->outputs[0],
                   .parts = (int64_t)onri_dtype_parts(call->in[0].dtype),
                   .spatial = call->in[0].rank - 2,
                   .wide = onri_is_double(call->in[0].dtype),
                   .wide_grid = onri_is_double(call->in[1].dtype)};
  const int moves = w.p->mode == ONR_GRID_NEAREST;
  if (moves) w.element = onr_dtype_size(call->in[0].dtype);
  else w.x = onri_widened_input(call, 0, s->x_real), w.y = onri_widened_output(call, 0, s->y_real);
  w.together = s->x.channel_stride == 1 && s->y.channel_stride == 1 && (moves || (!w.wide && w.parts == 1));
  w.plain = !moves && !w.wide && w.parts == 1;
  const int few = w.p->mode == ONR_GRID_CUBIC && w.plain && (!w.together || s->x.channels < FEW);
  onr_parallel_for(call->env, (size_t)(s->x.batch * s->positions), 64, few ? cubic_pixels : pixels, &w);
  if (!moves) onri_widened_finish(call, 0, s->y_real);
  return ONR_STATUS_OK;
}

static int64_t grid_sample_steps(const struct onr_call *call) {
  enum { LINEAR = 16, CUBIC = 64 };
  const struct onr_grid_sample_params *p = call->params;
  return ONRI_STEPS(onr_desc_elements(&call->out[0]), p->mode == ONR_GRID_CUBIC ? CUBIC : LINEAR);
}

const struct onr_layer onri_layer_grid_sample = {
    .name = "grid_sample",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPES_FLOAT},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONR_LAYOUT_SPATIAL,
    .layout_param = offsetof(struct onr_grid_sample_params, channels_last),
    .params_size = sizeof(struct onr_grid_sample_params),
    .state_size = sizeof(struct grid_sample_state),
    .infer = grid_sample_infer,
    .plan = grid_sample_plan,
    .run = grid_sample_run,
    .steps = grid_sample_steps,
};
