/* conv_spread.c: a transposed convolution that is spread (conv_transposed.h).
 *
 * products  [pixel][group][tap][output] of a part: a box of pixels, or some groups of all of them
 * y         each row takes in what falls on it, so that threads do not meet. Without dilation and groups, what a pixel
 *           has for a row is one run */
#include <math.h>
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv/col2im.h"
#include "kernels/conv/conv_transposed.h"

enum { PART_FLOATS = 64 << 10, LEAST_PIXELS = 32 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int can(const struct onri_conv *c) {
  int64_t channels;
  return c->transposed && c->group_in > 0 && c->group_out > 0 &&
         onri_mul_i64(c->group_out, onri_conv_taps(c), &channels);
}

/* The convolution whose outputs are products. */
static struct onri_conv product_of(const struct onri_conv *c) {
  struct onri_conv all = *c;
  all.transposed = 0;
  all.group_out = c->group_out * onri_conv_taps(c);
  all.min = -INFINITY, all.max = INFINITY;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    all.axis[a] =
        (struct onri_axis){.in = c->axis[a].in, .out = c->axis[a].in, .kernel = 1, .stride = 1, .dilation = 1};
  return all;
}

static size_t packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  const struct onri_conv all = product_of(c);
  return onri_conv_gemm_packed_floats(&all, kernels, ONRI_CONV_LAST);
}

static void pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
                 float *room, float *packed, struct onr_env *env) {
  const struct onri_conv all = product_of(c);
  const int64_t taps = onri_conv_taps(c);
  float *to = room;
  for (int64_t g = 0; g < c->groups; g++, weight += all.group_in * all.group_out)
    for (int64_t t = 0; t < taps; t++)
      for (int64_t m = 0; m < c->group_out; m++)
        for (int64_t k = 0; k < c->group_in; k++) *to++ = weight[(k * c->group_out + m) * taps + t];
  onri_conv_gemm_pack(&all, kernels, ONRI_CONV_LAST, room, packed, env);
}

/* The bias, and behind it that of the product: zeros. */
static size_t bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  const struct onri_conv all = product_of(c);
  return (size_t)(c->groups * c->group_out) + onri_conv_gemm_bias_floats(&all, kernels, ONRI_CONV_LAST);
}

static void pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *bias,
                      float *packed) {
  memset(packed, 0, bias_floats(c, kernels) * sizeof(*packed));
  if (bias) memcpy(packed, bias, (size_t)(c->groups * c->group_out) * sizeof(*packed));
}

/* --- parts --- */

struct part {
  int64_t first[ONR_MAX_SPATIAL], count[ONR_MAX_SPATIAL]; /* of the pixels */
  int64_t group, groups;
};

/* The first of an image; of those that have all pixels, in some groups. */
static struct part part_of(const struct onri_conv *c) {
  int64_t pixels = most(PART_FLOATS / (c->group_out * onri_conv_taps(c)), LEAST_PIXELS);
  struct part p = {.group = 0};
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; a--) {
    p.count[a] = most(least(pixels, c->axis[a].in), 1);
    pixels /= p.count[a];
  }
  p.groups = most(least(pixels, c->groups), 1);
  return p;
}

static size_t part_floats(const struct onri_conv *c) {
  const struct part p = part_of(c);
  int64_t floats = p.groups * c->group_out;
  if (!onri_mul_i64(floats, onri_conv_taps(c), &floats)) return SIZE_MAX;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (!onri_mul_i64(floats, p.count[a], &floats)) return SIZE_MAX;
  return floats < PTRDIFF_MAX / 8 ? (size_t)floats : SIZE_MAX;
}

struct work {
  const struct onri_conv *c;
  struct onri_conv product;
  const struct onri_conv_gemm_kernels *kernels;
  const struct onri_conv_gemm *operands;
  struct onr_env *env;
  float *products;
  int64_t n; /* image */
  struct part part;
  int64_t low[2], high[2]; /* rows of y that the part falls on, of axes 0 and 1 */
};

static void multiply(struct work *w) {
  const struct onri_conv *c = w->c;
  struct onri_conv box = w->product;
  struct onri_conv_gemm operands = *w->operands;
  const int64_t group_floats = (int64_t)onri_conv_gemm_packed_floats(&box, w->kernels, ONRI_CONV_LAST) / c->groups;
  int64_t next = w->part.groups * box.group_out;
  operands.form = ONRI_CONV_LAST;
  operands.packed += w->part.group * group_floats;
  operands.bias += c->groups * c->group_out;
  operands.x += w->n * c->x.batch_stride + w->part.group * c->group_in * c->x.channel_stride;
  operands.y = w->products;
  box.groups = w->part.groups;
  box.x.batch = 1, box.x.channels = box.groups * c->group_in;
  box.y = (struct onri_image){.batch = 1, .channels = next, .channel_stride = 1};
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; a--) {
    operands.x += w->part.first[a] * c->x.stride[a];
    box.axis[a].in = box.axis[a].out = box.x.size[a] = box.y.size[a] = w->part.count[a];
    box.y.stride[a] = next;
    next *= w->part.count[a];
  }
  box.y.batch_stride = next;
  onri_conv_gemm_f32(&box, w->kernels, &operands, w->env);
}

/* --- adding up --- */

/* `taps` taps from k on, side by side in y, of the pixels [first, last) of a row that is not cut by the border. */
static void add_taps(const struct work *w, const float *x, float *y, int64_t k, int64_t taps, int64_t first,
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
static void span_of(const struct work *w, int64_t k, int64_t last_tap, int64_t *first, int64_t *last) {
  const struct onri_axis *a = &w->c->axis[2];
  *first = most(w->part.first[2], onri_ceil_div(a->begin - k * a->dilation, a->stride));
  *last =
      least(w->part.first[2] + w->part.count[2], onri_ceil_div(a->out + a->begin - last_tap * a->dilation, a->stride));
}

static void add_one_by_one(const struct work *w, const float *x, float *y) {
  for (int64_t k = 0, first, last; k < w->c->axis[2].kernel; k++) {
    span_of(w, k, k, &first, &last);
    add_taps(w, x, y, k, 1, first, last);
  }
}

/* A pixel that some taps put beside the row. */
static void add_cut(const struct work *w, const float *x, float *y, int64_t i) {
  const struct onri_axis *a = &w->c->axis[2];
  const int64_t o = i * a->stride - a->begin, k = most(0, -o);
  add_taps(w, x, y, k, least(a->kernel, a->out - o) - k, i, i + 1);
}

static void add_together(const struct work *w, const float *x, float *y) {
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
static int finds_pixel(const struct work *w, int a, int64_t o, int64_t k, int64_t *at) {
  int64_t i;
  if (!onri_axis_tap_transposed(&w->c->axis[a], o, k, &i)) return 0;
  *at = i - w->part.first[a];
  return *at >= 0 && *at < w->part.count[a];
}

static void add_to_row(const struct work *w, int64_t group, int64_t o0, int64_t o1) {
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

/* Rows of y: of axis 0, axis 1, group. */
static void add_rows(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const int64_t rows = w->high[1] - w->low[1];
  for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
    const int64_t row = item / w->part.groups;
    add_to_row(w, item % w->part.groups, w->low[0] + row / rows, w->low[1] + row % rows);
  }
}

/* --- images --- */

/* Rows of axes 0 and 1. */
static void begin_rows(void *context, size_t begin, size_t end) {
  const struct work *w = context;
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
  const struct work *w = context;
  const int64_t row = w->c->y.stride[1];
  const float min = (float)w->c->min, max = (float)w->c->max;
  float *y = w->operands->y + w->n * w->c->y.batch_stride + (int64_t)begin * row;
  for (int64_t i = 0; i < (int64_t)(end - begin) * row; i++) y[i] = y[i] < min ? min : y[i] > max ? max : y[i];
}

static void run_part(struct work *w) {
  enum { ADDED = 1 << 13 }; /* numbers: waking a thread takes as long as adding some thousands */
  const struct onri_conv *c = w->c;
  int64_t rows = w->part.groups;
  for (int i = 0; i < 2; i++) {
    const struct onri_axis *a = &c->axis[i];
    const int64_t first = w->part.first[i] * a->stride - a->begin;
    w->low[i] = most(first, 0);
    w->high[i] = least(first + (w->part.count[i] - 1) * a->stride + (a->kernel - 1) * a->dilation + 1, a->out);
    rows *= most(w->high[i] - w->low[i], 0);
  }
  if (rows == 0) return;
  multiply(w);
  const int64_t pixels = w->part.count[0] * w->part.count[1] * w->part.count[2];
  const int64_t added = pixels * w->part.groups * w->product.group_out / rows;
  onr_parallel_for(w->env, (size_t)rows, (size_t)(ADDED / most(added, 1) + 1), add_rows, w);
}

static void run_image(struct work *w) {
  enum { WRITTEN = 1 << 14 };
  const struct onri_conv *c = w->c;
  const struct part all = part_of(c);
  const size_t rows = (size_t)(c->axis[0].out * c->axis[1].out),
               grain = (size_t)(WRITTEN / most(c->y.stride[1], 1) + 1);
  struct part *p = &w->part;
  onr_parallel_for(w->env, rows, grain, begin_rows, w);
  for (p->group = 0; p->group < c->groups; p->group += all.groups)
    for (p->first[0] = 0; p->first[0] < c->axis[0].in; p->first[0] += all.count[0])
      for (p->first[1] = 0; p->first[1] < c->axis[1].in; p->first[1] += all.count[1])
        for (p->first[2] = 0; p->first[2] < c->axis[2].in; p->first[2] += all.count[2]) {
          p->groups = least(all.groups, c->groups - p->group);
          for (int a = 0; a < ONR_MAX_SPATIAL; a++) p->count[a] = least(all.count[a], c->axis[a].in - p->first[a]);
          if (onr_env_cancelled(w->env)) return;
          run_part(w);
        }
  if (c->min > -INFINITY || c->max < INFINITY) onr_parallel_for(w->env, rows, grain, clamp_rows, w);
}

static void run(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                const struct onri_conv_gemm *operands, float *part, struct onr_env *env) {
  struct work w = {
      .c = c, .product = product_of(c), .kernels = kernels, .operands = operands, .products = part, .env = env};
  for (w.n = 0; w.n < c->x.batch; w.n++) run_image(&w);
}

const struct onri_conv_way onri_conv_spread = {can, packed_floats, bias_floats, part_floats, pack, pack_bias, run};
