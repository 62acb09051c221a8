/* conv_geometry.h: random convolutions, plain and transposed, and their definition in double precision, for the sweeps.
 */
#ifndef CONV_GEOMETRY_H
#define CONV_GEOMETRY_H

#include <stdio.h>

#include "support/sweep.h"

#include "layers/layers.h"

enum { SPATIAL = 3, MOST = 1 << 16 };

struct geometry {
  int transposed;
  enum onr_dtype dtype;
  int32_t spatial;
  int channels_last, constant, bias, clamped;
  enum onr_backend backend;
  uint32_t threads;
  int64_t batch, in[SPATIAL];
  int64_t groups, group_in, group_out;
  struct onr_window window;
  int64_t output_padding[SPATIAL], output_shape[SPATIAL];
  int has_output_shape;
};

/* Three axes, missing ones in front; `begin` is what padding there is in the end. */
struct axes {
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], begin[3];
};

static inline int64_t half_of(int64_t total, int more) { return total <= 0 ? 0 : more ? total - total / 2 : total / 2; }

/* The formulas of the standard. Out of range: there is no such convolution. */
static inline void resolve(const struct geometry *g, int i, int64_t *out, int64_t *begin) {
  const struct onr_window *w = &g->window;
  const int64_t extent = (w->kernel[i] - 1) * w->dilation[i] + 1, in = g->in[i], stride = w->stride[i];
  const int upper = w->auto_pad == ONR_AUTO_PAD_SAME_UPPER, lower = w->auto_pad == ONR_AUTO_PAD_SAME_LOWER;
  const int64_t pads = w->auto_pad == ONR_AUTO_PAD_NOTSET ? w->pad_begin[i] + w->pad_end[i] : 0;
  *begin = w->auto_pad == ONR_AUTO_PAD_NOTSET ? w->pad_begin[i] : 0;
  if (g->transposed) {
    const int64_t full = stride * (in - 1) + g->output_padding[i] + extent;
    *out = g->has_output_shape ? g->output_shape[i] : upper || lower ? in * stride : full - pads;
    if (g->has_output_shape || upper || lower) *begin = half_of(full - *out, !upper);
  } else {
    *out = upper || lower ? (in + stride - 1) / stride : in + pads < extent ? 0 : (in + pads - extent) / stride + 1;
    if (upper || lower) *begin = half_of((*out - 1) * stride + extent - in, lower);
  }
}

static inline struct axes axes_of(const struct geometry *g) {
  struct axes a = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0}};
  for (int i = 0; i < g->spatial; i++) {
    const int to = 3 - g->spatial + i;
    a.in[to] = g->in[i], a.kernel[to] = g->window.kernel[i], a.stride[to] = g->window.stride[i],
    a.dilation[to] = g->window.dilation[i];
    resolve(g, i, &a.out[to], &a.begin[to]);
  }
  return a;
}

static inline void draw_axis(struct sweep *s, struct geometry *g, int i) {
  const int64_t largest = g->spatial == 1 ? 60 : g->spatial == 2 ? 13 : 6;
  struct onr_window *w = &g->window;
  g->in[i] = sweep_pick(s, 1, sweep_chance(s, 3) ? 3 : largest);
  w->kernel[i] = sweep_chance(s, 3) ? 1 : sweep_pick(s, 1, sweep_chance(s, 8) ? largest : 4);
  w->stride[i] = sweep_chance(s, 2) ? 1 : sweep_pick(s, 1, sweep_chance(s, 6) ? 9 : 3);
  w->dilation[i] = sweep_chance(s, 2) ? 1 : sweep_pick(s, 1, 3);
  if (w->kernel[i] == 1 && !g->transposed && sweep_chance(s, 4))
    w->dilation[i] = INT32_MAX; /* of one tap it says nothing */
  w->pad_begin[i] = sweep_chance(s, 2) ? 0 : sweep_pick(s, 0, w->kernel[i]);
  w->pad_end[i] = sweep_chance(s, 2) ? w->pad_begin[i] : sweep_pick(s, 0, w->kernel[i]);
  if (!g->transposed) return;
  const int64_t most = w->stride[i] > w->dilation[i] ? w->stride[i] : w->dilation[i];
  g->output_padding[i] = sweep_chance(s, 3) ? sweep_pick(s, 0, most - 1) : 0;
  g->output_shape[i] = sweep_pick(s, 1, w->stride[i] * g->in[i] + w->kernel[i] + 2);
}

/* 0 when no window does, or there is too much of it. */
static inline int fits(const struct geometry *g) {
  const struct axes a = axes_of(g);
  int64_t pixels = 1, taps = g->group_in * g->group_out * g->groups;
  for (int i = 0; i < 3; i++) {
    if (a.out[i] < 1) return 0;
    pixels *= a.out[i] > a.in[i] ? a.out[i] : a.in[i], taps *= a.kernel[i];
  }
  return g->batch * pixels * g->groups * (g->group_in + g->group_out) < MOST && taps < MOST &&
         pixels * taps < (1 << 21);
}

static inline int draw(struct sweep *s, struct geometry *g) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F32,  ONR_DTYPE_F32,
                                         ONR_DTYPE_F16, ONR_DTYPE_BF16, ONR_DTYPE_F64};
  *g = (struct geometry){.transposed = sweep_chance(s, 2),
                         .dtype = types[sweep_pick(s, 0, 5)],
                         .spatial = (int32_t)sweep_pick(s, 1, 3),
                         .channels_last = !sweep_chance(s, 4),
                         .constant = !sweep_chance(s, 5),
                         .bias = sweep_chance(s, 2),
                         .clamped = sweep_chance(s, 3),
                         .threads = (uint32_t)sweep_pick(s, 0, 3)};
  g->backend = sweep_chance(s, 4) ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO;
  g->batch = sweep_chance(s, 30) ? 0 : sweep_pick(s, 1, 3);
  g->groups = sweep_chance(s, 2) ? 1 : sweep_pick(s, 1, sweep_chance(s, 3) ? 40 : 5);
  g->group_in = sweep_chance(s, 3) ? 1 : sweep_pick(s, 1, g->groups == 1 ? 40 : 5);
  g->group_out = sweep_chance(s, 3) ? 1 : sweep_pick(s, 1, g->groups == 1 ? 70 : 5);
  g->window.rank = g->spatial;
  if (sweep_chance(s, 5)) g->window.auto_pad = (int32_t)sweep_pick(s, ONR_AUTO_PAD_SAME_UPPER, ONR_AUTO_PAD_VALID);
  g->has_output_shape = g->transposed && sweep_chance(s, 6);
  for (int i = 0; i < g->spatial; i++) draw_axis(s, g, i);
  return fits(g);
}

/* Kernels far larger than most, of few channels, which there is room for: whatever counts taps has a limit somewhere.
 */
static inline int draw_large(struct sweep *s, struct geometry *g) {
  if (!draw(s, g)) return 0;
  const int64_t largest = g->spatial == 1 ? 3000 : g->spatial == 2 ? 40 : 14, depth = sweep_pick(s, 1, 3);
  for (int i = 0; i < g->spatial; i++) {
    struct onr_window *w = &g->window;
    w->kernel[i] = sweep_pick(s, 8, largest), w->dilation[i] = sweep_chance(s, 4) ? 2 : 1;
    w->stride[i] = sweep_pick(s, 1, sweep_chance(s, 2) ? 1 : 4);
    g->in[i] = sweep_chance(s, 2) ? sweep_pick(s, 1, 20) : w->kernel[i] + sweep_pick(s, 0, 20);
    w->pad_begin[i] = w->pad_end[i] = sweep_chance(s, 3) ? 0 : w->kernel[i] / 2;
    g->output_padding[i] = g->transposed ? sweep_pick(s, 0, w->stride[i] - 1) : 0;
  }
  g->batch = 1, g->has_output_shape = 0;
  g->groups = sweep_pick(s, 1, sweep_chance(s, 3) ? 40 : 6);
  g->group_in = sweep_chance(s, 3) ? depth : 1, g->group_out = sweep_chance(s, 3) ? sweep_pick(s, 1, 4) : g->group_in;
  return fits(g);
}

struct data {
  double x[MOST], w[MOST], bias[MOST], y[MOST];
  unsigned char x_stored[MOST * 8], w_stored[MOST * 8], bias_stored[MOST * 8];
};
static struct data data;

static inline int64_t at(const struct geometry *g, const int64_t size[3], int64_t channels, int64_t n, int64_t c,
                         const int64_t i[3]) {
  const int64_t pixel = (i[0] * size[1] + i[1]) * size[2] + i[2], pixels = size[0] * size[1] * size[2];
  return g->channels_last ? (n * pixels + pixel) * channels + c : (n * channels + c) * pixels + pixel;
}

/* Every input pixel goes through every tap to where it lands: the definition, in an order that none of our kernels
 * uses. */
static inline void scatter(const struct geometry *g, const struct axes *a, int64_t n, int64_t c, const int64_t i[3]) {
  const int64_t taps = a->kernel[0] * a->kernel[1] * a->kernel[2], group = c / g->group_in;
  const double x = data.x[at(g, a->in, g->groups * g->group_in, n, c, i)];
  for (int64_t t = 0; t < taps; t++) {
    const int64_t k[3] = {t / a->kernel[2] / a->kernel[1], t / a->kernel[2] % a->kernel[1], t % a->kernel[2]};
    int64_t o[3];
    int inside = 1;
    for (int d = 0; d < 3; d++) {
      const int64_t place = g->transposed ? i[d] * a->stride[d] + k[d] * a->dilation[d] - a->begin[d]
                                          : i[d] + a->begin[d] - k[d] * a->dilation[d];
      o[d] = g->transposed ? place : place / a->stride[d];
      inside = inside && place >= 0 && (g->transposed || place % a->stride[d] == 0) && o[d] < a->out[d];
    }
    for (int64_t m = 0; inside && m < g->group_out; m++) {
      const int64_t row =
          g->transposed ? c * g->group_out + m : (group * g->group_out + m) * g->group_in + c % g->group_in;
      data.y[at(g, a->out, g->groups * g->group_out, n, group * g->group_out + m, o)] += x * data.w[row * taps + t];
    }
  }
}

/* y = bias and the sums; returns how many. */
static inline size_t reference(const struct geometry *g, const struct axes *a) {
  const int64_t channels = g->groups * g->group_out, pixels = a->out[0] * a->out[1] * a->out[2];
  const size_t count = (size_t)(g->batch * channels * pixels);
  for (size_t j = 0; j < count; j++)
    data.y[j] = !g->bias ? 0 : data.bias[g->channels_last ? (int64_t)j % channels : (int64_t)j / pixels % channels];
  for (int64_t n = 0; n < g->batch; n++)
    for (int64_t c = 0; c < g->groups * g->group_in; c++)
      for (int64_t p = 0; p < a->in[0] * a->in[1] * a->in[2]; p++)
        scatter(g, a, n, c, (int64_t[]){p / a->in[2] / a->in[1], p / a->in[2] % a->in[1], p % a->in[2]});
  return count;
}

/* Dimensions of the operands as the layer sees them, and the number of products in one sum. */
struct operands {
  int64_t x[5], w[5], outputs, x_count, w_count, terms;
};

static inline struct operands operands_of(const struct geometry *g) {
  const int64_t channels = g->groups * g->group_in, outputs = g->groups * g->group_out;
  struct operands o = {.x = {g->batch},
                       .w = {g->transposed ? channels : outputs, g->transposed ? g->group_out : g->group_in},
                       .outputs = outputs,
                       .x_count = g->batch * channels,
                       .terms = g->group_in};
  o.w_count = o.w[0] * o.w[1];
  for (int i = 0; i < g->spatial; i++) {
    o.x[i + (g->channels_last ? 1 : 2)] = g->in[i], o.w[i + 2] = g->window.kernel[i];
    o.x_count *= g->in[i], o.w_count *= g->window.kernel[i], o.terms *= g->window.kernel[i];
  }
  o.x[g->channels_last ? g->spatial + 1 : 1] = channels;
  return o;
}

static inline void complain(const struct geometry *g, const struct axes *a, const char *layer, const char *what,
                            int64_t index, double found, double expected) {
  const int64_t *const rows[] = {a->in, a->out, a->kernel, a->stride, a->dilation, a->begin};
  char text[400];
  int used = 0;
  for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
    used += snprintf(text + used, sizeof(text) - (size_t)used, " [%d %d %d]", (int)rows[r][0], (int)rows[r][1],
                     (int)rows[r][2]);
  fail_msg(
      "%s %s, %s, %dd, channels %s, %s, %s weights, %u threads, batch %d, %d groups of %d to %d, auto_pad %d, "
      "output_shape %d, bias %d, clamp %d:\n"
      "element %d is %.9g instead of %.9g; in, out, kernel, stride, dilation, begin%s",
      layer, what, onr_dtype_name(g->dtype), g->spatial, g->channels_last ? "last" : "first",
      g->backend == ONR_BACKEND_AUTO ? "auto" : "portable", g->constant ? "constant" : "variable", (unsigned)g->threads,
      (int)g->batch, (int)g->groups, (int)g->group_in, (int)g->group_out, g->window.auto_pad, g->has_output_shape,
      g->bias, g->clamped, (int)index, found, expected, text);
}

#endif
