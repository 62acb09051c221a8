/* conv_spread.c: a transposed convolution that is spread (conv_transposed.h).
 *
 * products  [pixel][group][tap][output] of a part: a box of pixels, or some groups of all of them
 * y         each row takes in what falls on it, so that threads do not meet. Without dilation and groups, what a pixel
 *           has for a row is one run */
#include <math.h>
#include <string.h>

#include "base/env.h"
#include "kernels/conv_transposed/col2im.h"
#include "kernels/conv_transposed/conv_spread.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* --- adding up --- */

/* `taps` taps from k on, side by side in y, of the pixels [first, last) of a row that is not cut by the border. */
static void add_taps(const struct onri_spread *w, const float *x, float *y, int64_t k, int64_t taps, int64_t first,
                     int64_t last) {
  const struct onri_conv *c = w->c;
  const struct onri_axis *a = &c->axis[2];
  if (first >= last || taps < 1) return;
  const int64_t o = first * a->stride + k * a->dilation - a->begin, pixel = w->part.groups * w->product.group_out;
  const struct onri_col2im_runs runs = {.x = x + (first - w->part.first[2]) * pixel + k * c->group_out,
                                        .y = y + o * c->y.stride[2],
                                        .count = (size_t)(last - first),
                                        .length = (size_t)(taps * c->group_out),
                                        .x_step = (size_t)pixel,
                                        .y_step = (size_t)(a->stride * c->y.stride[2]),
                                        .turns = (size_t)onri_ceil_div(taps, a->stride)};
  onri_kernels(col2im)->add_runs(&runs);
}

/* Pixels that tap k, and those behind it up to `last_tap`, put on the row. */
static void span_of(const struct onri_spread *w, int64_t k, int64_t last_tap, int64_t *first, int64_t *last) {
  const struct onri_axis *a = &w->c->axis[2];
  *first = most(w->part.first[2], onri_ceil_div(a->begin - k * a->dilation, a->stride));
  *last =
      least(w->part.first[2] + w->part.count[2], onri_ceil_div(a->out + a->begin - last_tap * a->dilation, a->stride));
}

static void add_one_by_one(const struct onri_spread *w, const float *x, float *y) {
  for (int64_t k = 0, first, last; k < w->c->axis[2].kernel; k++) {
    span_of(w, k, k, &first, &last);
    add_taps(w, x, y, k, 1, first, last);
  }
}

/* A pixel that some taps put beside the row. */
static void add_cut(const struct onri_spread *w, const float *x, float *y, int64_t i) {
  const struct onri_axis *a = &w->c->axis[2];
  const int64_t o = i * a->stride - a->begin, k = most(0, -o);
  add_taps(w, x, y, k, least(a->kernel, a->out - o) - k, i, i + 1);
}

static void add_together(const struct onri_spread *w, const float *x, float *y) {
  const int64_t begin = w->part.first[2], end = begin + w->part.count[2], kernel = w->c->axis[2].kernel;
  int64_t first, last;
  span_of(w, 0, kernel - 1, &first, &last);
  last = most(last, begin);
  first = least(first, end);
  if (first > last) first = last = begin;
  for (int64_t i = begin; i < first; i++) add_cut(w, x, y, i);
  add_taps(w, x, y, 0, kernel, first, last);
  for (int64_t i = last; i < end; i++) add_cut(w, x, y, i);
}

/* The pixel of the part whose tap k falls on output o of axis a. */
static int finds_pixel(const struct onri_spread *w, int a, int64_t o, int64_t k, int64_t *at) {
  int64_t i;
  if (!onri_axis_tap_transposed(&w->c->axis[a], o, k, &i)) return 0;
  *at = i - w->part.first[a];
  return *at >= 0 && *at < w->part.count[a];
}

static void add_to_row(const struct onri_spread *w, int64_t group, int64_t o0, int64_t o1) {
  const struct onri_conv *c = w->c;
  const int64_t pixel = w->part.groups * w->product.group_out, line = w->part.count[2] * pixel;
  const int together = c->groups == 1 && (c->axis[2].dilation == 1 || c->axis[2].kernel == 1);
  float *y = w->operands->y + w->n * c->y.batch_stride + (w->part.group + group) * c->group_out + o0 * c->y.stride[0] +
             o1 * c->y.stride[1];
  int64_t i0, i1;
  for (int64_t k0 = 0; k0 < c->axis[0].kernel; k0++) {
    if (!finds_pixel(w, 0, o0, k0, &i0)) continue;
    for (int64_t k1 = 0; k1 < c->axis[1].kernel; k1++) {
      if (!finds_pixel(w, 1, o1, k1, &i1)) continue;
      const float *x = w->products + (i0 * w->part.count[1] + i1) * line + group * w->product.group_out +
                       (k0 * c->axis[1].kernel + k1) * c->axis[2].kernel * c->group_out;
      (together ? add_together : add_one_by_one)(w, x, y);
    }
  }
}

/* Of axes 0 and 1. */
struct rows {
  const struct onri_spread *w;
  int64_t low[2], high[2];
};

/* Rows of y: of axis 0, axis 1, group. */
static void add_rows(void *context, size_t begin, size_t end) {
  const struct rows *r = context;
  const int64_t rows = r->high[1] - r->low[1], groups = r->w->part.groups;
  for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
    const int64_t row = item / groups;
    add_to_row(r->w, item % groups, r->low[0] + row / rows, r->low[1] + row % rows);
  }
}

/* --- images --- */

/* Rows of axes 0 and 1. */
static void begin_rows(void *context, size_t begin, size_t end) {
  const struct onri_spread *w = context;
  const struct onri_conv *c = w->c;
  const size_t channels = (size_t)c->y.channels, all = channels * (size_t)c->axis[2].out;
  for (size_t i = begin; i < end; i++) {
    float *y = w->operands->y + w->n * c->y.batch_stride + (int64_t)i * c->y.stride[1];
    memcpy(y, w->operands->bias, channels * sizeof(*y));
    for (size_t done = channels, next; done < all; done += next) {
      next = done < all - done ? done : all - done;
      memcpy(y + done, y, next * sizeof(*y));
    }
  }
}

static void clamp_rows(void *context, size_t begin, size_t end) {
  const struct onri_spread *w = context;
  const int64_t row = w->c->y.stride[1];
  const float min = (float)w->c->min, max = (float)w->c->max;
  float *y = w->operands->y + w->n * w->c->y.batch_stride + (int64_t)begin * row;
  for (int64_t i = 0; i < (int64_t)(end - begin) * row; i++) y[i] = y[i] < min ? min : y[i] > max ? max : y[i];
}

/* Makes the products of a part, and adds them to the rows that they fall on. */
static void run_part(const struct onri_spread *w) {
  enum { ADDED = 1 << 13 }; /* numbers: waking a thread takes as long as adding some thousands */
  const struct onri_conv *c = w->c;
  struct rows r = {.w = w};
  int64_t rows = w->part.groups;
  for (int i = 0; i < 2; i++) {
    const struct onri_axis *a = &c->axis[i];
    const int64_t first = w->part.first[i] * a->stride - a->begin;
    r.low[i] = most(first, 0);
    r.high[i] = least(first + (w->part.count[i] - 1) * a->stride + (a->kernel - 1) * a->dilation + 1, a->out);
    rows *= most(r.high[i] - r.low[i], 0);
  }
  if (rows == 0) return;
  onri_spread_multiply(w);
  const int64_t pixels = w->part.count[0] * w->part.count[1] * w->part.count[2];
  const int64_t added = pixels * w->part.groups * w->product.group_out / rows;
  onr_parallel_for(w->env, (size_t)rows, (size_t)(ADDED / most(added, 1) + 1), add_rows, &r);
}

static void run_image(struct onri_spread *w) {
  enum { WRITTEN = 1 << 14 };
  const struct onri_conv *c = w->c;
  const size_t rows = (size_t)(c->axis[0].out * c->axis[1].out),
               grain = (size_t)(WRITTEN / most(c->y.stride[1], 1) + 1);
  onr_parallel_for(w->env, rows, grain, begin_rows, w);
  do {
    run_part(w);
  } while ((onri_spread_next_box(w) || onri_spread_next_groups(w)) && !onr_env_cancelled(w->env));
  if (c->min > -INFINITY || c->max < INFINITY) onr_parallel_for(w->env, rows, grain, clamp_rows, w);
}

static void run(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                const struct onri_conv_gemm *operands, float *products, struct onr_env *env) {
  struct onri_spread w = onri_spread_begin(c, ONRI_CONV_LAST, kernels, operands, products, env);
  for (w.n = 0; w.n < c->x.batch; w.n++) run_image(&w);
}

/* --- the way --- */

static size_t packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  return onri_spread_packed_floats(c, kernels, ONRI_CONV_LAST);
}

static size_t bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  return onri_spread_bias_floats(c, kernels, ONRI_CONV_LAST);
}

static void pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
                 float *room, float *packed, struct onr_env *env) {
  onri_spread_pack(c, kernels, ONRI_CONV_LAST, weight, room, packed, env);
}

static void pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *bias,
                      float *packed) {
  onri_spread_pack_bias(c, kernels, ONRI_CONV_LAST, bias, packed);
}

const struct onri_conv_way onri_conv_spread = {
    onri_spread_can, packed_floats, bias_floats, onri_spread_part_floats, pack, pack_bias, run};
