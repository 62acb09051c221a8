/* depthwise_dot.c: see depthwise_dot.h. Weights, and what sums begin and end with, lie in blocks of ONRI_DOT_CHANNELS.
 */
#include "kernels/conv_integer/depthwise_dot.h"

#include <stdatomic.h>
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv_integer/depthwise_dot_row.h"
#include "kernels/kernels.h"
#include "kernels/move/transpose.h"

enum { CHANNELS = ONRI_DOT_CHANNELS, TAPS = ONRI_DOT_TAPS, MOST_OUTPUTS = 4 };
/* Rows of outputs are made some at a time, from lines that were just packed: a strip, which stays in the cache. Each
 * thread has a slot for one. */
enum { SLOTS = 16, MOST_ROWS = 16, STRIP = 96 << 10 };
/* A block of no more than half a vector holds its channels twice, and makes two rows at once. Those of no more than a
 * quarter lie flat: pixels side by side are one row of numbers, in which taps are whole pixels apart, and weights come
 * again after some blocks. */
enum { FOLDED = CHANNELS / 2, MOST_FLAT = CHANNELS / 4 };

/* How a line of taps is read: `quads` times four, for `outputs` windows at once; and how the channels lie. */
struct shape {
  size_t lines, quads, outputs, channels, blocks;
  int is_flat;
};

static struct shape with_quads(const struct onri_conv *c, size_t quads) {
  const struct onri_axis *a = &c->axis[2];
  const int64_t windows = ((int64_t)quads * TAPS - a->kernel) / a->stride + 1;
  struct shape s = {.lines = (size_t)(c->axis[0].kernel * c->axis[1].kernel),
                    .quads = quads,
                    .outputs = 1,
                    .channels = (size_t)(c->groups * c->group_out)};
  s.blocks = (s.channels + CHANNELS - 1) / CHANNELS;
  if (a->dilation == 1)
    while (s.outputs < MOST_OUTPUTS && (int64_t)s.outputs * 2 <= windows) s.outputs *= 2;
  return s;
}

static size_t block_bytes(const struct shape *s) { return s->lines * s->quads * s->outputs * CHANNELS * TAPS; }

/* A channel's own input, or those of its group: taps that four bytes hold. */
static size_t taps_of_four(const struct onri_conv *c) { return TAPS / (size_t)c->group_in; }

/* Blocks after which a pixel begins one again. */
static size_t cycle_of(size_t channels) {
  for (size_t lanes = CHANNELS; channels % 2 == 0 && lanes > 1; channels /= 2) lanes /= 2;
  return channels;
}

/* Instructions a vector of outputs: twelve to load and interleave four taps, two for each of four vectors of products.
 */
static size_t cost_of(const struct shape *s) { return s->quads * (12 + 8 * s->outputs) * 4 / s->outputs; }

static struct shape shape_of(const struct onri_conv *c) {
  const size_t least = ((size_t)c->axis[2].kernel + taps_of_four(c) - 1) / taps_of_four(c);
  struct shape narrow = with_quads(c, least);
  const struct shape wide = with_quads(c, least + 1);
  narrow.is_flat = narrow.channels <= MOST_FLAT && c->axis[2].stride == 1;
  if (narrow.is_flat) narrow.blocks = cycle_of(narrow.channels);
  if (narrow.is_flat || c->group_in > 1) narrow.outputs = 1;
  else if (cost_of(&wide) < cost_of(&narrow)) return wide;
  return narrow;
}

int onri_depthwise_dot_can(const struct onri_conv *c) {
  const int is_group = c->groups > 1 && c->group_in == c->group_out && (c->group_in == 2 || c->group_in == TAPS);
  if (!onri_kernels(depthwise_dot)->row || c->transposed || onri_conv_taps(c) > 4096) return 0;
  return is_group || (onri_conv_is_depthwise(c) && (c->groups * c->group_out > MOST_FLAT || c->axis[2].stride == 1));
}

double onri_depthwise_dot_vectors(const struct onri_conv *c) {
  const struct shape s = shape_of(c);
  return s.is_flat ? (double)s.channels / CHANNELS : (double)s.blocks;
}

/* --- weights --- */

size_t onri_depthwise_dot_packed_bytes(const struct onri_conv *c) {
  const struct shape s = shape_of(c);
  size_t bytes;
  return onri_mul_size(block_bytes(&s) + CHANNELS * sizeof(int32_t), s.blocks, &bytes) ? bytes : SIZE_MAX;
}

/* Of the block with that channel, whether it is folded; then its integers lie at the place of channel + FOLDED, too. */
static int is_folded(const struct shape *s, size_t channel) {
  return !s->is_flat && s->channels - channel / CHANNELS * CHANNELS <= FOLDED;
}

/* Channels, with those of a folded block twice, and all of a cycle. */
static size_t places_of(const struct shape *s) {
  if (s->is_flat) return s->blocks * CHANNELS;
  return is_folded(s, s->channels - 1) ? s->channels / CHANNELS * CHANNELS + FOLDED + s->channels % CHANNELS
                                       : s->channels;
}
/* The channel at such a place; the rest of its half stands in for none, and takes the first of the block. */
static size_t channel_at(const struct shape *s, size_t i) {
  const size_t block = i / CHANNELS * CHANNELS, in = (i - block) % FOLDED;
  if (s->is_flat) return i % s->channels;
  if (!is_folded(s, block)) return i;
  return block + in < s->channels ? block + in : block;
}

void onri_depthwise_dot_pack(const struct onri_conv *c, const void *weight, int is_signed, void *packed) {
  const struct shape s = shape_of(c);
  const size_t kernel = (size_t)c->axis[2].kernel, taps = s.lines * kernel, step = (size_t)c->axis[2].stride,
               terms = (size_t)c->group_in, some = taps_of_four(c);
  int32_t *sums = (int32_t *)packed;
  int8_t *blocks = (int8_t *)(sums + s.blocks * CHANNELS);
  memset(packed, 0, onri_depthwise_dot_packed_bytes(c));
  for (size_t i = 0; i < places_of(&s); i++) {
    const size_t channel = channel_at(&s, i), place = onri_dot_place(i % CHANNELS);
    int8_t *block = blocks + i / CHANNELS * block_bytes(&s);
    for (size_t t = 0; t < taps * terms; t++) {
      const int8_t value = (int8_t)(((const uint8_t *)weight)[channel * taps * terms + t] ^ (is_signed ? 0 : 0x80));
      sums[i / CHANNELS * CHANNELS + place] += value;
      for (size_t o = 0; o < s.outputs; o++) {
        const size_t line = t % taps / kernel, tap = t % kernel + o * step, byte = tap % some * terms + t / taps;
        block[((line * s.quads + tap / some) * s.outputs + o) * CHANNELS * TAPS + place * TAPS + byte] = value;
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
  s.zeros = s.start + shape.blocks * CHANNELS;
  s.scales = (float *)(void *)(s.zeros + shape.blocks * CHANNELS);
  s.bias = s.scales + shape.blocks * CHANNELS;
  s.weights = (int8_t *)(s.bias + shape.blocks * CHANNELS);
  s.is_exact = (char *)s.weights + shape.blocks * block_bytes(&shape);
  s.slots = s.is_exact + shape.blocks;
  return s;
}

/* From tap to tap along a line. The taps that fill up four are read, too, however far apart a kernel's only one is. */
static size_t dilation_of(const struct onri_conv *c) { return c->axis[2].kernel > 1 ? (size_t)c->axis[2].dilation : 1; }

/* What is read behind the last window: the rest of its four taps. SIZE_MAX where it does not fit. */
static size_t behind(const struct onri_conv *c) {
  size_t bytes;
  if (!onri_mul_size(shape_of(c).quads * TAPS, dilation_of(c), &bytes) ||
      !onri_mul_size(bytes, (size_t)(c->groups * c->group_out), &bytes) || !onri_add_size(bytes, CHANNELS, &bytes))
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

/* How often a channel lies in what rows are made of: once for each output of it. */
static size_t repeats_of(const struct onri_conv *c) { return c->group_in == 1 ? (size_t)c->group_out : 1; }

/* An even number, but where there are no more. */
static size_t rows_of_strip(const struct onri_conv *c) {
  const size_t all = (size_t)c->axis[1].out;
  size_t rows = 2;
  while (rows < MOST_ROWS && strip_bytes(c, rows + 2) <= STRIP / repeats_of(c)) rows += 2;
  return rows < all ? rows : all;
}

static size_t slots_of(uint32_t threads) { return threads < SLOTS ? threads : SLOTS; }

/* A slot: a strip in which each channel lies as often as there are outputs of it, what is read behind that, and the
 * strip that it is made of where there are several. */
static size_t wide_bytes(const struct onri_conv *c) {
  return strip_bytes(c, rows_of_strip(c)) * repeats_of(c) + behind(c);
}
static size_t slot_bytes(const struct onri_conv *c) {
  return wide_bytes(c) + (repeats_of(c) > 1 ? strip_bytes(c, rows_of_strip(c)) : 0);
}

/* No strip is larger than the image, which the first conditions bound. */
size_t onri_depthwise_dot_scratch(const struct onri_conv *c, uint32_t threads) {
  const struct shape shape = shape_of(c);
  size_t bytes, constants;
  const size_t block = block_bytes(&shape) + 1 + CHANNELS * 2 * (sizeof(int32_t) + sizeof(float)),
               image = onri_byte_image_bytes(c);
  if (image == SIZE_MAX || behind(c) == SIZE_MAX || !onri_mul_size(image, repeats_of(c) + 1, &bytes) ||
      !onri_add_size(bytes, behind(c), &bytes) || !onri_mul_size(bytes, SLOTS, &bytes) ||
      !onri_mul_size(shape.blocks, block, &constants) || !onri_add_size(bytes, constants_bytes(&shape), &bytes) ||
      !onri_add_size(bytes, constants, &bytes))
    return SIZE_MAX;
  return constants_bytes(&shape) + constants + slots_of(threads) * slot_bytes(c);
}

static size_t result_bytes(const struct onri_depthwise_dot *d) { return d->requantise ? 1 : sizeof(int32_t); }

struct work {
  const struct onri_depthwise_dot *d;
  struct scratch scratch;
  struct shape shape;
  size_t rows, strips; /* rows of a strip, strips of a plane */
  int has_zeros;
  struct onr_env *env;
};

/* The bias, what the zero points take off, and the scales, in the order of a block's channels; whether weights have
 * zero points as they are packed. */
static int set_constants(const struct work *w) {
  const struct onri_depthwise_dot *d = w->d;
  const struct scratch *s = &w->scratch;
  const int32_t *sums = d->packed;
  const uint32_t taps = (uint32_t)(onri_conv_taps(d->conv) * d->conv->group_in),
                 x_zero = (uint32_t)(d->x_zero + onri_byte_shift(d->x_signed));
  int32_t any = 0;
  /* lanes without a channel: garbage may be a denormal number, which takes a hundred cycles to multiply */
  memset(s->scales, 0, 2 * w->shape.blocks * CHANNELS * sizeof(*s->scales)); /* and the bias */
  for (size_t i = 0; i < places_of(&w->shape); i++) {
    const size_t channel = channel_at(&w->shape, i), at = i / CHANNELS * CHANNELS + onri_dot_place(i % CHANNELS);
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

static const int8_t *weights_of(const struct work *w) {
  return (const int8_t *)((const int32_t *)w->d->packed + w->shape.blocks * CHANNELS);
}

/* The taps of each window that are read together. */
static void set_masks(const struct onri_conv *c, const struct shape *shape, int32_t *masks) {
  uint8_t bytes[TAPS];
  for (size_t quad = 0; quad < shape->quads; quad++)
    for (size_t o = 0; o < shape->outputs; o++) {
      for (size_t t = 0; t < TAPS; t++) {
        const int64_t tap =
            (int64_t)(quad * taps_of_four(c) + t / (size_t)c->group_in) - (int64_t)o * c->axis[2].stride;
        bytes[t] = tap >= 0 && tap < c->axis[2].kernel;
      }
      memcpy(masks + quad * shape->outputs + o, bytes, sizeof(bytes));
    }
}

/* Row [o0][o1] of an image, whose first window begins at x in a strip; and the one below for pair = 1. */
struct row {
  const struct onri_byte_image *strip;
  const char *x;
  size_t batch, o0, o1, pair;
};

static void set_weights(const struct work *w, size_t block, struct onri_depthwise_dot_job *job) {
  const int is_exact = w->has_zeros && w->scratch.is_exact[block];
  job->weights = (is_exact ? w->scratch.weights : weights_of(w)) + block * block_bytes(&w->shape);
  job->zeros = w->has_zeros && !is_exact ? w->scratch.zeros + block * CHANNELS : NULL;
}

/* Most weights of most blocks are bytes without their zero points, too. */
static void take_zeros_off(const struct work *w) {
  for (size_t block = 0; block < w->shape.blocks; block++) {
    struct onri_depthwise_dot_job job = {
        .num_lines = w->shape.lines, .quads = w->shape.quads, .outputs = w->shape.outputs, .masks = w->scratch.masks};
    w->scratch.is_exact[block] = 0;
    set_weights(w, block, &job);
    w->scratch.is_exact[block] =
        (char)onri_kernels(depthwise_dot)->take_zeros_off(&job, w->scratch.weights + block * block_bytes(&w->shape));
  }
}

/* The job without what hangs on the channels. */
static struct onri_depthwise_dot_job job_of(const struct work *w, const struct onri_byte_image *strip) {
  const struct onri_conv *c = w->d->conv;
  return (struct onri_depthwise_dot_job){.tap = dilation_of(c) * strip->step[2],
                                         .step = (size_t)c->axis[2].stride * strip->step[2],
                                         .lines = w->scratch.lines,
                                         .num_lines = w->shape.lines,
                                         .terms = (size_t)c->group_in,
                                         .quads = w->shape.quads,
                                         .outputs = w->shape.outputs,
                                         .masks = w->scratch.masks,
                                         .y_step = (size_t)c->y.stride[2] * result_bytes(w->d),
                                         .count = (size_t)c->axis[2].out};
}

static char *row_of_y(const struct work *w, const struct row *r) {
  const struct onri_image *y = &w->d->conv->y;
  return (char *)w->d->y +
         (size_t)((int64_t)r->batch * y->batch_stride + (int64_t)r->o0 * y->stride[0] + (int64_t)r->o1 * y->stride[1]) *
             result_bytes(w->d);
}

/* Runs it with what is of the block that begins with that channel. */
static void run_block(const struct work *w, size_t first, struct onri_depthwise_dot_job *job) {
  struct onri_requantise requantise = {0};
  struct onri_byte_reals reals = {0};
  if (w->d->requantise) requantise = *w->d->requantise, job->requantise = &requantise;
  if (w->d->reals) reals = *w->d->reals, job->reals = &reals;
  requantise.scales = reals.scales = w->scratch.scales + first;
  reals.bias = w->scratch.bias + first;
  job->start = w->scratch.start + first;
  set_weights(w, first / CHANNELS, job);
  onri_kernels(depthwise_dot)->row(job);
}

static void make_row(const struct work *w, const struct row *r) {
  const struct onri_conv *c = w->d->conv;
  const size_t size = result_bytes(w->d), x_below = (size_t)c->axis[1].stride * r->strip->step[1],
               y_below = (size_t)c->y.stride[1] * size;
  struct onri_depthwise_dot_job job = job_of(w, r->strip);
  for (size_t first = 0; first < w->shape.channels; first += CHANNELS) {
    const int folded = r->pair && is_folded(&w->shape, first);
    job.channels = w->shape.channels - first;
    job.x_fold = folded ? x_below : 0, job.y_fold = folded ? y_below : 0;
    for (size_t i = 0; i <= r->pair; i++) {
      job.x = r->x + first + i * x_below, job.y = row_of_y(w, r) + first * size + i * y_below;
      if (i == 0 || !folded) run_block(w, first, &job);
    }
  }
}

/* Blocks whose weights are the same, after each other; then the part of one that is left. */
static void make_flat_row(const struct work *w, const struct row *r) {
  const struct onri_conv *c = w->d->conv;
  const size_t size = result_bytes(w->d), numbers = (size_t)c->axis[2].out * w->shape.channels,
               full = numbers / CHANNELS, cycle = w->shape.blocks;
  struct onri_depthwise_dot_job job = job_of(w, r->strip);
  char *y = row_of_y(w, r);
  job.step = cycle * CHANNELS, job.y_step = job.step * size, job.channels = CHANNELS;
  for (size_t block = 0; block < cycle && block < full; block++) {
    job.x = r->x + block * CHANNELS, job.y = y + block * CHANNELS * size;
    job.count = (full - block - 1) / cycle + 1;
    run_block(w, block * CHANNELS, &job);
  }
  if (numbers == full * CHANNELS) return;
  job.x = r->x + full * CHANNELS, job.y = y + full * CHANNELS * size;
  job.channels = numbers - full * CHANNELS, job.count = 1;
  run_block(w, full % cycle * CHANNELS, &job);
}

/* Each byte of a strip of so many as often as there are outputs of a channel. */
static void repeat(size_t outputs, size_t bytes, char *to, struct onri_byte_image *strip) {
  onri_transpose_8(&(struct onri_transpose){
      .x = strip->x, .y = to, .x_stride = 0, .y_stride = (ptrdiff_t)outputs, .num_a = bytes, .num_b = outputs});
  strip->x = to;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) strip->step[a] *= outputs;
}

static void make_strip(const struct work *w, size_t index, char *slot) {
  const struct onri_depthwise_dot *d = w->d;
  const struct onri_conv *c = d->conv;
  const size_t planes = (size_t)c->axis[0].out, all = (size_t)c->axis[1].out, first = index % w->strips * w->rows,
               end = first + w->rows < all ? first + w->rows : all, batch = index / w->strips / planes;
  struct row row = {.batch = batch, .o0 = index / w->strips % planes};
  const struct onri_byte_strip part = strip_of(c, row.o0, first, w->rows);
  struct onri_byte_image strip = onri_byte_strip_pack(c, d->x, d->x_signed, d->x_zero, batch, &part,
                                                      repeats_of(c) > 1 ? slot + wide_bytes(c) : slot);
  if (repeats_of(c) > 1) repeat(repeats_of(c), onri_byte_strip_bytes(c, &part), slot, &strip);
  row.strip = &strip;
  for (row.o1 = first; row.o1 < end; row.o1 += 1 + row.pair) {
    row.pair = row.o1 + 1 < end && is_folded(&w->shape, w->shape.channels - 1);
    row.x = strip.x + (row.o1 - first) * (size_t)c->axis[1].stride * strip.step[1];
    (w->shape.is_flat ? make_flat_row : make_row)(w, &row);
  }
}

static void run_strips(void *context, size_t worker, size_t from, size_t to) {
  struct work *w = context;
  const struct onri_conv *c = w->d->conv;
  char *slot = w->scratch.slots + worker * slot_bytes(c);
  memset(slot + wide_bytes(c) - behind(c), 0, behind(c));
  for (; from < to && !onr_env_cancelled(w->env); from++) make_strip(w, from, slot);
}

/* From a window to each line of its taps. */
static void set_lines(const struct onri_conv *c, size_t rows, size_t *lines) {
  const struct onri_byte_strip strip = strip_of(c, 0, 0, rows), one = {0, 1, 0, 1};
  const size_t across = (size_t)c->axis[1].kernel, line = onri_byte_strip_bytes(c, &one) * repeats_of(c);
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
  w.has_zeros = set_constants(&w);
  set_masks(c, &w.shape, w.scratch.masks);
  if (w.has_zeros) take_zeros_off(&w);
  onri_workers_for(env, slots_of(onr_threads_count(env->threads)), (size_t)(c->x.batch * c->axis[0].out) * w.strips,
                   run_strips, &w);
}
