/* conv_integer.c: tiles of output pixels by output channels. Sums of up to 256 products of differences are exact in
 * float32: a product of matrices of that depth is added to integer sums, then the next. */
#include "kernels/conv/conv_integer.h"

#include <math.h>

#include "kernels/matmul/gemm.h"

enum { PIXELS = 32, CHANNELS = 128, DEPTH = 256 };

struct work {
  const struct onri_conv_integer *c;
  int depthwise;
  size_t groups, channels; /* a depthwise convolution is one group of all channels */
  size_t pixels;           /* of an output image */
  size_t down, across;     /* tiles */
};

/* A tile: output pixels [pixel, pixel + rows) and channels [first, first + columns) of group g of image n. */
struct tile {
  size_t n, g, pixel, rows, first, columns;
};

static void place_of(const struct onri_conv *c, size_t pixel, int64_t o[ONR_MAX_SPATIAL]) {
  const size_t out1 = (size_t)c->axis[1].out, out2 = (size_t)c->axis[2].out;
  o[0] = (int64_t)(pixel / out2 / out1), o[1] = (int64_t)(pixel / out2 % out1), o[2] = (int64_t)(pixel % out2);
}

/* Offset in x of what lies under a tap of the window of an output pixel; -1 in the padding. */
static int64_t tap_offset(const struct onri_conv *c, size_t pixel, size_t tap) {
  const size_t taps1 = (size_t)c->axis[1].kernel, taps2 = (size_t)c->axis[2].kernel;
  const int64_t k[] = {(int64_t)(tap / taps2 / taps1), (int64_t)(tap / taps2 % taps1), (int64_t)(tap % taps2)};
  int64_t o[ONR_MAX_SPATIAL], offset = 0, i;
  place_of(c, pixel, o);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    if (!onri_axis_tap(&c->axis[a], o[a], k[a], &i)) return -1;
    offset += i * c->x.stride[a];
  }
  return offset;
}

/* Taps [first, last) of each axis. */
struct span {
  int64_t first[ONR_MAX_SPATIAL], last[ONR_MAX_SPATIAL];
};

/* The taps of an output pixel that lie in the image. */
static struct span taps_of(const struct onri_conv *c, size_t pixel) {
  struct span s;
  int64_t o[ONR_MAX_SPATIAL];
  place_of(c, pixel, o);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) onri_axis_taps(&c->axis[a], o[a], c->axis[a].in, &s.first[a], &s.last[a]);
  return s;
}

/* A span with those of all pixels of a tile: what lies outside is padding for each. */
static struct span taps_of_tile(const struct onri_conv *c, const struct tile *t) {
  struct span all = taps_of(c, t->pixel);
  for (size_t r = 1; r < t->rows; r++) {
    const struct span s = taps_of(c, t->pixel + r);
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
      if (s.first[a] < all.first[a]) all.first[a] = s.first[a];
      if (s.last[a] > all.last[a]) all.last[a] = s.last[a];
    }
  }
  return all;
}

static void differences(const struct onri_conv_integer *c, int64_t from, size_t count, float *to) {
  const size_t stride = (size_t)c->conv->x.channel_stride;
  if (c->x_signed)
    for (size_t i = 0; i < count; i++) to[i] = (float)(((const int8_t *)c->x)[(size_t)from + i * stride] - c->x_zero);
  else
    for (size_t i = 0; i < count; i++) to[i] = (float)(((const uint8_t *)c->x)[(size_t)from + i * stride] - c->x_zero);
}

/* Places [from, from + depth) of the windows of a tile's pixels, taps outside, channels inside: a [rows][DEPTH]. */
static void gather(const struct work *w, const struct tile *t, size_t from, size_t depth, float *a) {
  const struct onri_conv *conv = w->c->conv;
  const size_t in = (size_t)conv->group_in;
  const int64_t start = (int64_t)t->n * conv->x.batch_stride + (int64_t)(t->g * in) * conv->x.channel_stride;
  for (size_t r = 0; r < t->rows; r++)
    for (size_t k = from, run; k < from + depth; k += run) {
      const size_t i = k % in;
      const int64_t at = tap_offset(conv, t->pixel + r, k / in);
      float *to = a + r * DEPTH + (k - from);
      run = in - i < from + depth - k ? in - i : from + depth - k;
      if (at >= 0) differences(w->c, start + at + (int64_t)i * conv->x.channel_stride, run, to);
      else
        for (size_t j = 0; j < run; j++) to[j] = 0.0f;
    }
}

/* Adds the products of `taps` taps from `tap` on. */
static void add_taps(const struct work *w, const struct tile *t, size_t tap, size_t taps, uint32_t *sums) {
  const struct onri_conv *conv = w->c->conv;
  const size_t in = (size_t)conv->group_in, out = (size_t)conv->group_out, k = (size_t)onri_conv_taps(conv) * in,
               end = (tap + taps) * in;
  float a[PIXELS * DEPTH], part[PIXELS * CHANNELS];
  for (size_t from = tap * in; from < end; from += DEPTH) {
    const size_t depth = end - from < DEPTH ? end - from : DEPTH;
    const struct onri_gemm gemm = {.m = t->rows,
                                   .n = t->columns,
                                   .k = depth,
                                   .a = a,
                                   .a_row = DEPTH,
                                   .a_col = 1,
                                   .b = w->c->weights + (t->g * k + from) * out + t->first,
                                   .b_row = out,
                                   .b_col = 1,
                                   .c = part,
                                   .c_row = CHANNELS,
                                   .alpha = 1.0};
    gather(w, t, from, depth, a);
    onri_gemm(ONRI_CLASS_F32, &gemm);
    for (size_t r = 0; r < t->rows; r++)
      for (size_t j = 0; j < t->columns; j++) sums[r * CHANNELS + j] += (uint32_t)(int32_t)part[r * CHANNELS + j];
  }
}

/* All taps at once, where most of them lie in the image; otherwise those alone that do for some pixel. */
static void add_products(const struct work *w, const struct tile *t, uint32_t *sums) {
  const struct onri_axis *axis = w->c->conv->axis;
  const struct span s = taps_of_tile(w->c->conv, t);
  int64_t used = 1;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) used *= s.last[a] > s.first[a] ? s.last[a] - s.first[a] : 0;
  if (used * 2 > onri_conv_taps(w->c->conv)) {
    add_taps(w, t, 0, (size_t)onri_conv_taps(w->c->conv), sums);
    return;
  }
  for (int64_t k0 = s.first[0]; k0 < s.last[0]; k0++)
    for (int64_t k1 = s.first[1]; k1 < s.last[1] && used > 0; k1++)
      add_taps(w, t, (size_t)((k0 * axis[1].kernel + k1) * axis[2].kernel + s.first[2]),
               (size_t)(s.last[2] - s.first[2]), sums);
}

/* One channel in, one out. Weights are [taps][groups]. */
static void add_depthwise(const struct work *w, const struct tile *t, uint32_t *sums) {
  const struct onri_conv *conv = w->c->conv;
  const int64_t start = (int64_t)t->n * conv->x.batch_stride + (int64_t)t->first * conv->x.channel_stride;
  float x[CHANNELS];
  for (size_t r = 0; r < t->rows; r++) {
    const struct span s = taps_of(conv, t->pixel + r);
    for (int64_t k0 = s.first[0]; k0 < s.last[0]; k0++)
      for (int64_t k1 = s.first[1]; k1 < s.last[1]; k1++)
        for (int64_t k2 = s.first[2]; k2 < s.last[2]; k2++) {
          const size_t tap = (size_t)((k0 * conv->axis[1].kernel + k1) * conv->axis[2].kernel + k2);
          const float *weights = w->c->weights + tap * (size_t)conv->groups + t->first;
          differences(w->c, start + tap_offset(conv, t->pixel + r, tap), t->columns, x);
          for (size_t j = 0; j < t->columns; j++) sums[r * CHANNELS + j] += (uint32_t)(int32_t)(x[j] * weights[j]);
        }
  }
}

static void finish(const struct work *w, const struct tile *t, const uint32_t *sums) {
  const struct onri_conv_integer *c = w->c;
  const struct onri_image *image = &c->conv->y;
  const size_t channel = t->g * w->channels + t->first;
  for (size_t r = 0; r < t->rows; r++)
    for (size_t j = 0; j < t->columns; j++) {
      const int32_t sum = (int32_t)(sums[r * CHANNELS + j] + (c->bias ? (uint32_t)c->bias[channel + j] : 0));
      const size_t at = t->n * (size_t)image->batch_stride +
                        (t->pixel + r) * (size_t)image->stride[ONR_MAX_SPATIAL - 1] +
                        (channel + j) * (size_t)image->channel_stride;
      if (!c->w_scales) {
        ((int32_t *)c->y)[at] = sum;
        continue;
      }
      const float w_scale = c->w_scales[(channel + j) * c->w_scale_step];
      const float real = rintf((float)sum * c->x_scale * w_scale / c->y_scale) + (float)c->y_zero;
      ((uint8_t *)c->y)[at] = (uint8_t)(!(real > (float)c->low) ? c->low : real > (float)c->high ? c->high : (int)real);
    }
}

static void tiles(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  for (size_t item = begin; item < end; item++) {
    uint32_t sums[PIXELS * CHANNELS] = {0};
    size_t rest = item / w->across / w->down;
    struct tile t = {.first = item % w->across * CHANNELS, .pixel = item / w->across % w->down * PIXELS};
    t.g = rest % w->groups;
    t.n = rest / w->groups;
    t.rows = w->pixels - t.pixel < PIXELS ? w->pixels - t.pixel : PIXELS;
    t.columns = w->channels - t.first < CHANNELS ? w->channels - t.first : CHANNELS;
    if (w->depthwise) add_depthwise(w, &t, sums);
    else add_products(w, &t, sums);
    finish(w, &t, sums);
  }
}

void onri_conv_integer(const struct onri_conv_integer *c, struct onr_env *env) {
  const struct onri_conv *conv = c->conv;
  struct work w = {.c = c, .depthwise = conv->group_in == 1 && conv->group_out == 1};
  w.groups = w.depthwise ? 1 : (size_t)conv->groups;
  w.channels = (size_t)(w.depthwise ? conv->groups : conv->group_out);
  w.pixels = (size_t)(conv->axis[0].out * conv->axis[1].out * conv->axis[2].out);
  w.down = (w.pixels + PIXELS - 1) / PIXELS;
  w.across = (w.channels + CHANNELS - 1) / CHANNELS;
  onr_parallel_for(env, (size_t)conv->x.batch * w.groups * w.down * w.across, 1, tiles, &w);
}
