/* depthwise_dot.c: see depthwise_dot.h. Weights, and what sums begin and end with, lie in blocks of ONRI_DOT_CHANNELS.
 */
#include "kernels/conv/depthwise_dot.h"

#include <stdatomic.h>
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv/depthwise_dot_row.h"
#include "kernels/kernels.h"

enum { CHANNELS = ONRI_DOT_CHANNELS, TAPS = ONRI_DOT_TAPS, MOST_OUTPUTS = 4 };
/* Rows of outputs are made some at a time, from lines that were just packed: a strip, which stays in the cache. Each
 * thread has a slot for one. */
enum { SLOTS = 16, MOST_ROWS = 16, STRIP = 96 << 10 };
/* A quarter of a vector gains nothing over kernels/conv/depthwise.h. A block of no more than half a vector holds its
 * channels twice, and makes two rows at once. */
enum { LEAST_CHANNELS = CHANNELS / 4, FOLDED = CHANNELS / 2 };

/* How a line of taps is read: `quads` times four, for `outputs` windows at once. */
struct shape {
  size_t lines, quads, outputs;
};

static struct shape with_quads(const struct onri_conv *c, size_t quads) {
  const struct onri_axis *a = &c->axis[2];
  const int64_t windows = ((int64_t)quads * TAPS - a->kernel) / a->stride + 1;
  struct shape s = {(size_t)(c->axis[0].kernel * c->axis[1].kernel), quads, 1};
  if (a->dilation == 1)
    while (s.outputs < MOST_OUTPUTS && (int64_t)s.outputs * 2 <= windows) s.outputs *= 2;
  return s;
}

/* Instructions an output: twelve to load and interleave four taps, two for each of four vectors of products. */
static size_t cost_of(const struct shape *s) { return s->quads * (12 + 8 * s->outputs) * 4 / s->outputs; }

static struct shape shape_of(const struct onri_conv *c) {
  const size_t least = ((size_t)c->axis[2].kernel + TAPS - 1) / TAPS;
  const struct shape narrow = with_quads(c, least), wide = with_quads(c, least + 1);
  return cost_of(&wide) < cost_of(&narrow) ? wide : narrow;
}

static size_t blocks_of(const struct onri_conv *c) { return ((size_t)c->groups + CHANNELS - 1) / CHANNELS; }
static size_t block_bytes(const struct shape *s) { return s->lines * s->quads * s->outputs * CHANNELS * TAPS; }

int onri_depthwise_dot_can(const struct onri_conv *c) {
  return onri_kernels(depthwise_dot)->row && c->groups > LEAST_CHANNELS && c->group_in == 1 && c->group_out == 1 &&
         !c->transposed && onri_conv_taps(c) <= 1024;
}

/* --- weights --- */

size_t onri_depthwise_dot_packed_bytes(const struct onri_conv *c) {
  const struct shape s = shape_of(c);
  size_t bytes;
  return onri_mul_size(block_bytes(&s) + CHANNELS * sizeof(int32_t), blocks_of(c), &bytes) ? bytes : SIZE_MAX;
}

/* Of the block with that channel, whether it is folded; then its integers lie at the place of channel + FOLDED, too. */
static int is_folded(const struct onri_conv *c, size_t channel) {
  return (size_t)c->groups - channel / CHANNELS * CHANNELS <= FOLDED;
}

/* Channels, with those of a folded block twice. */
static size_t places_of(const struct onri_conv *c) {
  const size_t channels = (size_t)c->groups;
  return is_folded(c, channels - 1) ? channels / CHANNELS * CHANNELS + FOLDED + channels % CHANNELS : channels;
}
/* The channel at such a place; the rest of its half stands in for none, and takes the first of the block. */
static size_t channel_at(const struct onri_conv *c, size_t i) {
  const size_t channels = (size_t)c->groups, block = i / CHANNELS * CHANNELS, in = (i - block) % FOLDED;
  if (!is_folded(c, block)) return i;
  return block + in < channels ? block + in : block;
}

void onri_depthwise_dot_pack(const struct onri_conv *c, const void *weight, int is_signed, void *packed) {
  const struct shape s = shape_of(c);
  const size_t kernel = (size_t)c->axis[2].kernel, taps = s.lines * kernel, step = (size_t)c->axis[2].stride;
  int32_t *sums = (int32_t *)packed;
  int8_t *blocks = (int8_t *)(sums + blocks_of(c) * CHANNELS);
  memset(packed, 0, onri_depthwise_dot_packed_bytes(c));
  for (size_t i = 0; i < places_of(c); i++) {
    const size_t channel = channel_at(c, i), place = onri_dot_place(i % CHANNELS);
    int8_t *block = blocks + channel / CHANNELS * block_bytes(&s);
    for (size_t t = 0; t < taps; t++) {
      const int8_t value = (int8_t)(((const uint8_t *)weight)[channel * taps + t] ^ (is_signed ? 0 : 0x80));
      sums[channel / CHANNELS * CHANNELS + place] += value;
      for (size_t o = 0; o < s.outputs; o++) {
        const size_t tap = t % kernel + o * step;
        block[((t / kernel * s.quads + tap / TAPS) * s.outputs + o) * CHANNELS * TAPS + place * TAPS + tap % TAPS] =
            value;
      }
    }
  }
}

/* --- run --- */

struct scratch {
  size_t *lines;
  int32_t *masks, *start, *zeros;
  float *scales, *bias; /* bias: of reals */
  int8_t *weights; /* blocks less their zero points, where bytes hold all of these; is_exact of each block says so */
  char *is_exact;
  char *slots;
};

static size_t constants_bytes(const struct shape *s) {
  return s->lines * sizeof(size_t) + s->quads * s->outputs * sizeof(int32_t);
}

static struct scratch parts_of(const struct onri_conv *c, void *block) {
  const struct shape shape = shape_of(c);
  struct scratch s = {.lines = block};
  s.masks = (int32_t *)(void *)(s.lines + shape.lines);
  s.start = s.masks + shape.quads * shape.outputs;
  s.zeros = s.start + blocks_of(c) * CHANNELS;
  s.scales = (float *)(void *)(s.zeros + blocks_of(c) * CHANNELS);
  s.bias = s.scales + blocks_of(c) * CHANNELS;
  s.weights = (int8_t *)(s.bias + blocks_of(c) * CHANNELS);
  s.is_exact = (char *)s.weights + blocks_of(c) * block_bytes(&shape);
  s.slots = s.is_exact + blocks_of(c);
  return s;
}

/* From tap to tap along a line. The taps that fill up four are read, too, however far apart a kernel's only one is. */
static size_t dilation_of(const struct onri_conv *c) { return c->axis[2].kernel > 1 ? (size_t)c->axis[2].dilation : 1; }

/* What is read behind the last window: the rest of its four taps. SIZE_MAX where it does not fit. */
static size_t behind(const struct onri_conv *c) {
  size_t bytes;
  if (!onri_mul_size(shape_of(c).quads * TAPS, dilation_of(c), &bytes) ||
      !onri_mul_size(bytes, (size_t)c->groups, &bytes) || !onri_add_size(bytes, CHANNELS, &bytes))
    return SIZE_MAX;
  return bytes;
}

/* What rows [row, row + rows) of plane o0 are made of. */
static struct onri_byte_strip strip_of(const struct onri_conv *c, size_t o0, size_t row, size_t rows) {
  const struct onri_axis *a = c->axis;
  return (struct onri_byte_strip){o0 * (size_t)a[0].stride, (size_t)((a[0].kernel - 1) * a[0].dilation + 1),
                                  row * (size_t)a[1].stride,
                                  (rows - 1) * (size_t)a[1].stride + (size_t)((a[1].kernel - 1) * a[1].dilation + 1)};
}

static size_t strip_bytes(const struct onri_conv *c, size_t rows) {
  const struct onri_byte_strip strip = strip_of(c, 0, 0, rows);
  return onri_byte_strip_bytes(c, &strip);
}

/* An even number, but where there are no more. */
static size_t rows_of_strip(const struct onri_conv *c) {
  const size_t all = (size_t)c->axis[1].out;
  size_t rows = 2;
  while (rows < MOST_ROWS && strip_bytes(c, rows + 2) <= STRIP) rows += 2;
  return rows < all ? rows : all;
}

static size_t slots_of(uint32_t threads) { return threads < SLOTS ? threads : SLOTS; }
static size_t slot_bytes(const struct onri_conv *c) { return strip_bytes(c, rows_of_strip(c)) + behind(c); }

/* No strip is larger than the image, which the first condition bounds. */
size_t onri_depthwise_dot_scratch(const struct onri_conv *c, uint32_t threads) {
  const struct shape shape = shape_of(c);
  size_t bytes, constants;
  const size_t block = block_bytes(&shape) + 1 + CHANNELS * 2 * (sizeof(int32_t) + sizeof(float)),
               image = onri_byte_image_bytes(c);
  if (image == SIZE_MAX || behind(c) == SIZE_MAX || !onri_add_size(image, behind(c), &bytes) ||
      !onri_mul_size(bytes, SLOTS, &bytes) || !onri_mul_size(blocks_of(c), block, &constants) ||
      !onri_add_size(bytes, constants_bytes(&shape), &bytes) || !onri_add_size(bytes, constants, &bytes))
    return SIZE_MAX;
  return constants_bytes(&shape) + constants + slots_of(threads) * slot_bytes(c);
}

/* The bias, what the zero points take off, and the scales, in the order of a block's channels; whether weights have
 * zero points as they are packed. */
static int set_constants(const struct onri_depthwise_dot *d, const struct scratch *s) {
  const int32_t *sums = d->packed;
  const uint32_t taps = (uint32_t)onri_conv_taps(d->conv),
                 x_zero = (uint32_t)(d->x_zero + onri_byte_shift(d->x_signed));
  int32_t any = 0;
  /* lanes without a channel: garbage may be a denormal number, which takes a hundred cycles to multiply */
  memset(s->scales, 0, 2 * blocks_of(d->conv) * CHANNELS * sizeof(*s->scales)); /* and the bias */
  for (size_t i = 0; i < places_of(d->conv); i++) {
    const size_t channel = channel_at(d->conv, i), at = i / CHANNELS * CHANNELS + onri_dot_place(i % CHANNELS);
    const uint32_t bias = d->bias ? (uint32_t)d->bias[channel] : 0;
    s->zeros[at] = (d->w_zeros ? d->w_zeros[channel * d->w_zero_step] : 0) - (d->w_signed ? 0 : 128);
    s->start[at] = (int32_t)(bias - x_zero * ((uint32_t)sums[at] - taps * (uint32_t)s->zeros[at]));
    if (d->requantise) s->scales[at] = d->requantise->scales[channel * d->requantise->scale_step];
    if (d->reals) s->scales[at] = d->reals->scales[channel * d->reals->scale_step];
    if (d->reals) s->bias[at] = d->reals->bias ? d->reals->bias[channel] : -0.0f; /* which changes nothing */
    any |= s->zeros[at];
  }
  return any != 0;
}

static const int8_t *weights_of(const struct onri_depthwise_dot *d) {
  return (const int8_t *)((const int32_t *)d->packed + blocks_of(d->conv) * CHANNELS);
}

/* The taps of each window that are read together. */
static void set_masks(const struct onri_conv *c, const struct shape *shape, int32_t *masks) {
  uint8_t bytes[TAPS];
  for (size_t quad = 0; quad < shape->quads; quad++)
    for (size_t o = 0; o < shape->outputs; o++) {
      for (size_t t = 0; t < TAPS; t++) {
        const int64_t tap = (int64_t)(quad * TAPS + t) - (int64_t)o * c->axis[2].stride;
        bytes[t] = tap >= 0 && tap < c->axis[2].kernel;
      }
      memcpy(masks + quad * shape->outputs + o, bytes, sizeof(bytes));
    }
}

struct work {
  const struct onri_depthwise_dot *d;
  struct scratch scratch;
  struct shape shape;
  size_t rows, strips; /* rows of a strip, strips of a plane */
  int has_zeros;
  struct onr_env *env;
};

/* Row [o0][o1] of an image, whose first window begins at x in a strip; and the one below for pair = 1. */
struct row {
  const struct onri_byte_image *strip;
  const char *x;
  size_t batch, o0, o1, pair;
};

static void set_weights(const struct work *w, size_t block, struct onri_depthwise_dot_job *job) {
  const int is_exact = w->has_zeros && w->scratch.is_exact[block];
  job->weights = (is_exact ? w->scratch.weights : weights_of(w->d)) + block * block_bytes(&w->shape);
  job->zeros = w->has_zeros && !is_exact ? w->scratch.zeros + block * CHANNELS : NULL;
}

/* Most weights of most blocks are bytes without their zero points, too. */
static void take_zeros_off(const struct work *w) {
  for (size_t block = 0; block < blocks_of(w->d->conv); block++) {
    struct onri_depthwise_dot_job job = {
        .num_lines = w->shape.lines, .quads = w->shape.quads, .outputs = w->shape.outputs, .masks = w->scratch.masks};
    w->scratch.is_exact[block] = 0;
    set_weights(w, block, &job);
    w->scratch.is_exact[block] =
        (char)onri_kernels(depthwise_dot)->take_zeros_off(&job, w->scratch.weights + block * block_bytes(&w->shape));
  }
}

static void make_row(const struct work *w, const struct row *r) {
  const struct onri_conv *c = w->d->conv;
  const struct onri_depthwise_dot *d = w->d;
  const size_t size = d->requantise ? 1 : sizeof(int32_t);
  struct onri_requantise requantise = {0};
  struct onri_byte_reals reals = {0};
  struct onri_depthwise_dot_job job = {.tap = dilation_of(c) * r->strip->step[2],
                                       .step = (size_t)c->axis[2].stride * r->strip->step[2],
                                       .lines = w->scratch.lines,
                                       .num_lines = w->shape.lines,
                                       .quads = w->shape.quads,
                                       .outputs = w->shape.outputs,
                                       .masks = w->scratch.masks,
                                       .requantise = d->requantise ? &requantise : NULL,
                                       .reals = d->reals ? &reals : NULL,
                                       .y_step = (size_t)c->y.stride[2] * size,
                                       .count = (size_t)c->axis[2].out};
  if (d->requantise) requantise = *d->requantise;
  if (d->reals) reals = *d->reals;
  char *y = (char *)d->y + (size_t)((int64_t)r->batch * c->y.batch_stride + (int64_t)r->o0 * c->y.stride[0] +
                                    (int64_t)r->o1 * c->y.stride[1]) *
                               size;
  const size_t x_below = (size_t)c->axis[1].stride * r->strip->step[1], y_below = (size_t)c->y.stride[1] * size;
  for (size_t first = 0; first < (size_t)c->groups; first += CHANNELS) {
    const int folded = r->pair && is_folded(c, first);
    job.channels = (size_t)c->groups - first;
    job.x_fold = folded ? x_below : 0, job.y_fold = folded ? y_below : 0;
    set_weights(w, first / CHANNELS, &job);
    job.start = w->scratch.start + first, requantise.scales = w->scratch.scales + first;
    reals.scales = requantise.scales, reals.bias = w->scratch.bias + first;
    for (size_t i = 0; i <= r->pair; i++) {
      job.x = r->x + first + i * x_below, job.y = y + first * size + i * y_below;
      if (i == 0 || !folded) onri_kernels(depthwise_dot)->row(&job);
    }
  }
}

static void make_strip(const struct work *w, size_t index, char *slot) {
  const struct onri_depthwise_dot *d = w->d;
  const struct onri_conv *c = d->conv;
  const size_t planes = (size_t)c->axis[0].out, all = (size_t)c->axis[1].out, first = index % w->strips * w->rows,
               end = first + w->rows < all ? first + w->rows : all, batch = index / w->strips / planes;
  struct row row = {.batch = batch, .o0 = index / w->strips % planes};
  const struct onri_byte_strip part = strip_of(c, row.o0, first, w->rows);
  const struct onri_byte_image strip = onri_byte_strip_pack(c, d->x, d->x_signed, d->x_zero, batch, &part, slot);
  row.strip = &strip;
  for (row.o1 = first; row.o1 < end; row.o1 += 1 + row.pair) {
    row.pair = row.o1 + 1 < end && is_folded(c, (size_t)c->groups - 1);
    row.x = strip.x + (row.o1 - first) * (size_t)c->axis[1].stride * strip.step[1];
    make_row(w, &row);
  }
}

static void run_strips(void *context, size_t worker, size_t from, size_t to) {
  struct work *w = context;
  const struct onri_conv *c = w->d->conv;
  char *slot = w->scratch.slots + worker * slot_bytes(c);
  memset(slot + slot_bytes(c) - behind(c), 0, behind(c));
  for (; from < to && !onr_env_cancelled(w->env); from++) make_strip(w, from, slot);
}

/* From a window to each line of its taps. */
static void set_lines(const struct onri_conv *c, size_t rows, size_t *lines) {
  const struct onri_byte_strip strip = strip_of(c, 0, 0, rows), one = {0, 1, 0, 1};
  const size_t across = (size_t)c->axis[1].kernel, line = onri_byte_strip_bytes(c, &one);
  for (size_t i = 0; i < (size_t)c->axis[0].kernel * across; i++)
    lines[i] =
        (i / across * (size_t)c->axis[0].dilation * strip.lines + i % across * (size_t)c->axis[1].dilation) * line;
}

void onri_depthwise_dot(const struct onri_depthwise_dot *d, struct onr_env *env) {
  const struct onri_conv *c = d->conv;
  struct work w = {
      .d = d, .scratch = parts_of(c, d->scratch), .shape = shape_of(c), .rows = rows_of_strip(c), .env = env};
  w.strips = ((size_t)c->axis[1].out + w.rows - 1) / w.rows;
  set_lines(c, w.rows, w.scratch.lines);
  w.has_zeros = set_constants(d, &w.scratch);
  set_masks(c, &w.shape, w.scratch.masks);
  if (w.has_zeros) take_zeros_off(&w);
  onri_workers_for(env, slots_of(onr_threads_count(env->threads)), (size_t)(c->x.batch * c->axis[0].out) * w.strips,
                   run_strips, &w);
}
