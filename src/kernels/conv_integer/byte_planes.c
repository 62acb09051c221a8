/* byte_planes.c: see byte_planes.h. Some rows of a group's channels are laid out at a time, and its outputs made of
 * them; positions between the rows' ends are made, too, and left out. */
#include "kernels/conv_integer/byte_planes.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv_integer/byte_planes_row.h"
#include "kernels/conv_integer/depthwise_dot.h"
#include "kernels/conv/depthwise_rows.h"
#include "kernels/conv_integer/byte_image.h"
#include "kernels/conv_integer/byte_lines.h"
#include "kernels/kernels.h"

enum {
  FOUR = 4,
  VECTOR = ONRI_BYTE_VECTOR,
  FLIP = 0x80,
  SLOTS = 16 /* threads that have room of their own */
};

static size_t terms_of(const struct onri_conv *c) { return (size_t)(onri_conv_taps(c) * c->group_in); }
/* A weight, less its zero point, is at most three that are held in a byte. */
static size_t most_fours(const struct onri_conv *c) { return (terms_of(c) * 3 + FOUR - 1) / FOUR; }

int onri_byte_planes_can(const struct onri_conv *c) {
  enum { TERMS = 1 << 12, STRIDE = 16 };
  int64_t stride = 1;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) stride = c->axis[i].stride > stride ? c->axis[i].stride : stride;
  return !c->transposed && c->group_out <= ONRI_BYTE_PLANES_OUTPUTS && c->group_in <= TERMS &&
         onri_conv_taps(c) <= TERMS && terms_of(c) <= TERMS && stride <= STRIDE;
}

size_t onri_byte_planes_packed_bytes(const struct onri_conv *c) {
  size_t bytes;
  return onri_mul_size(terms_of(c), (size_t)(c->groups * c->group_out), &bytes) ? bytes : SIZE_MAX;
}

/* --- scratch: how far terms lie from a position, then slots --- */

enum { BLOCKS = (ONRI_BYTE_PLANES_OUTPUTS + ONRI_PLANES_OUTPUTS - 1) / ONRI_PLANES_OUTPUTS };

/* What a block of outputs is made of. */
struct block {
  size_t *terms, fours;
  int32_t *weights, start[ONRI_PLANES_OUTPUTS];
};

struct slot {
  struct block block[BLOCKS];
  size_t group; /* of which they are */
  uint8_t *x;
  char *y;
};

static size_t blocks_of(const struct onri_conv *c) {
  return ((size_t)c->group_out + ONRI_PLANES_OUTPUTS - 1) / ONRI_PLANES_OUTPUTS;
}
static size_t weights_bytes(const struct onri_conv *c) {
  return most_fours(c) * ONRI_PLANES_OUTPUTS * onri_kernels(byte_planes)->words * sizeof(int32_t);
}
static size_t block_bytes(const struct onri_conv *c) {
  return most_fours(c) * FOUR * sizeof(size_t) + weights_bytes(c);
}
static size_t distances_bytes(const struct onri_conv *c) {
  return (terms_of(c) * sizeof(size_t) + VECTOR - 1) / VECTOR * VECTOR;
}

/* SIZE_MAX where it does not fit. What is read behind x reaches into y. */
static size_t slot_bytes(const struct onri_conv *c, const struct onri_byte_lines *s) {
  size_t x, y, bytes;
  if (!onri_mul_size(s->plane, (size_t)c->group_in, &x) || !onri_round_up(x, VECTOR, &x) ||
      !onri_mul_size(s->positions, ONRI_PLANES_OUTPUTS * sizeof(int32_t), &y) || !onri_add_size(x, y, &bytes) ||
      !onri_add_size(bytes, blocks_of(c) * block_bytes(c) + VECTOR, &bytes) || !onri_round_up(bytes, VECTOR, &bytes))
    return SIZE_MAX;
  return bytes;
}

static struct slot slot_in(const struct onri_conv *c, const struct onri_byte_lines *s, char *at) {
  struct slot slot = {.group = SIZE_MAX};
  for (size_t b = 0; b < blocks_of(c); b++, at += block_bytes(c)) {
    slot.block[b].terms = (size_t *)(void *)at;
    slot.block[b].weights = (int32_t *)(void *)(slot.block[b].terms + most_fours(c) * FOUR);
  }
  slot.x = (uint8_t *)at;
  slot.y = at + (s->plane * (size_t)c->group_in + VECTOR - 1) / VECTOR * VECTOR;
  return slot;
}

static size_t slots_of(uint32_t threads) { return threads < SLOTS ? threads : SLOTS; }

size_t onri_byte_planes_scratch(const struct onri_conv *c, uint32_t threads) {
  struct onri_byte_lines s;
  size_t bytes;
  if (!onri_byte_lines_set(c->axis, &s) || slot_bytes(c, &s) == SIZE_MAX ||
      !onri_mul_size(slot_bytes(c, &s), SLOTS, &bytes) || !onri_add_size(bytes, distances_bytes(c), &bytes))
    return SIZE_MAX;
  return distances_bytes(c) + slots_of(threads) * slot_bytes(c, &s);
}

/* --- what it takes: nanoseconds of one image, fitted to 350 layers of drawn shapes; the better one of both ways each
 * time is 1.03 times as fast as the one that is reckoned so, and 1.6 to 2 times as either of them always --- */

struct shape {
  double groups, in, outputs, fours, results, image; /* image, results: bytes of all channels */
  int is_depthwise, has_words;                       /* words: of two weights */
};

static struct shape shape_of(const struct onri_conv *c) {
  const double pixels = (double)c->axis[0].out * (double)c->axis[1].out * (double)c->axis[2].out,
               apart = (double)c->axis[0].stride * (double)c->axis[1].stride * (double)c->axis[2].stride;
  struct shape s = {.groups = (double)c->groups,
                    .in = (double)c->group_in,
                    .outputs = (double)c->group_out,
                    .fours = (double)((terms_of(c) + FOUR - 1) / FOUR),
                    .results = pixels * (double)(c->groups * c->group_out),
                    .image = pixels * apart * (double)(c->groups * c->group_in)};
  s.is_depthwise = (c->group_in == 1 && c->group_out == 1) || onri_depthwise_dot_can(c);
  s.has_words = onri_kernels(byte_planes)->words > 1;
  return s;
}

static double cost_in_planes(const struct onri_conv *c, const struct onri_byte_lines *strips, int in_lines) {
  const double begin = 1700, line = 7, packed = 0.07, apart = 0.06, gathered = 1, row = 5, result = 0.03;
  const struct shape s = shape_of(c);
  const double four = s.has_words ? 0.15 : 1.7, output = s.has_words ? 3.4 : 0.22;
  const double bytes = (double)strips->plane * (double)strips->strips * s.in,
               positions = (double)(strips->positions / VECTOR) * (double)strips->strips;
  const double group = bytes / (double)strips->count[2] * line +
                       bytes * (in_lines ? packed + (c->axis[2].stride > 1 ? apart : 0) : gathered) +
                       positions * s.fours * (four * (double)blocks_of(c) + output * s.outputs) +
                       row * s.outputs * (double)c->axis[0].out * (double)c->axis[1].out;
  return begin + s.groups * group + s.results * (in_lines ? result : gathered);
}

/* Of a pixel of all channels: four taps of a line in vectors of bytes, taps in vectors of float32, or one by one. */
static double cost_of_depthwise(const struct onri_conv *c, int has_words) {
  enum { LANES = 16 };
  const double four = 3, tap = has_words ? 2 : 1, alone = 2;
  const double taps = (double)onri_conv_taps(c), channels = (double)c->groups,
               fours = (double)(c->axis[0].kernel * c->axis[1].kernel) *
                       (double)((c->axis[2].kernel * c->group_in + FOUR - 1) / FOUR);
  if (onri_depthwise_dot_can(c)) return onri_depthwise_dot_vectors(c) * fours * four;
  return onri_conv_taps(c) <= ONRI_DEPTHWISE_TAPS ? ceil(channels / LANES) * taps * tap : channels * taps * alone;
}

static double cost_by_channels(const struct onri_conv *c, int in_lines) {
  enum { FEW = 16 };
  const double begin = 1200, moved = 0.08, moved_few = 0.4, result = 0.14, pixel = 6;
  const struct shape s = shape_of(c);
  const struct onri_byte_depth k = onri_byte_window(c);
  const double quad = s.has_words ? 0.5 : 0.34, quads = (double)k.runs * (double)(onri_byte_run_cells(k) / FOUR);
  const double pixels = s.results / s.groups / s.outputs,
               moves = s.image * (s.groups * s.in < FEW ? moved + moved_few : moved) + s.results * result,
               products = s.is_depthwise ? cost_of_depthwise(c, s.has_words) : s.groups * (quads * quad + pixel);
  return begin + (in_lines ? moves : 0) + pixels * products;
}

int onri_byte_planes_suit(const struct onri_conv *c) {
  struct onri_byte_lines s;
  const int in_lines = (c->x.stride[2] == 1 || c->axis[2].in == 1) && (c->y.stride[2] == 1 || c->axis[2].out == 1);
  for (int i = 0; i < ONR_MAX_SPATIAL; i++)
    if (c->axis[i].out < 1) return 0;
  if (!onri_byte_planes_can(c) || !onri_byte_lines_set(c->axis, &s) || onri_byte_planes_scratch(c, 1) == SIZE_MAX)
    return 0;
  return cost_in_planes(c, &s, in_lines) < cost_by_channels(c, in_lines);
}

/* --- run --- */

struct work {
  const struct onri_conv_integer *c;
  const struct onri_byte_planes_kernels *kernels;
  const uint8_t *weights;
  struct onri_byte_lines lines;
  size_t *distances, slot_bytes;
  struct onr_env *env;
};

/* A strip of a group of an image. */
struct strip {
  size_t image, group;
  struct onri_byte_strip_of of;
};

static void pack_strip(const struct work *w, const struct strip *s, uint8_t *to) {
  const struct onri_conv *c = w->c->conv;
  const uint8_t flip = w->kernels->shift[w->c->x_signed] ? FLIP : 0;
  const uint8_t *x = (const uint8_t *)w->c->x + (int64_t)s->image * c->x.batch_stride +
                     (int64_t)s->group * c->group_in * c->x.channel_stride;
  for (int64_t i = 0; i < c->group_in; i++, x += c->x.channel_stride, to += w->lines.plane)
    onri_byte_lines_pack(&w->lines, &s->of, x, c->x.stride, (uint8_t)w->c->x_zero, flip, to);
}

static void put_weight(const struct work *w, size_t fours, size_t outputs, size_t t, size_t o, int value, int32_t *to) {
  const size_t word = (fours * outputs + o) * w->kernels->words + t * w->kernels->words / FOUR;
  if (w->kernels->words == 1) ((int8_t *)(to + word))[t] = (int8_t)value;
  else ((int16_t *)(void *)(to + word))[t % 2] = (int16_t)value;
}

/* Weights of term t, less their zero points, as often as it takes; returns the count of terms. */
static size_t put_term(const struct work *w, struct block *b, size_t count, size_t outputs, size_t t,
                       int rest[ONRI_PLANES_OUTPUTS]) {
  const int low = w->kernels->low, high = w->kernels->high;
  for (int any = 1; any; count++) {
    any = 0;
    b->terms[count] = w->distances[t];
    for (size_t o = 0; o < outputs; o++) {
      const int value = rest[o] < low ? low : rest[o] > high ? high : rest[o];
      put_weight(w, count / FOUR, outputs, count % FOUR, o, value, b->weights);
      any |= rest[o] -= value;
    }
  }
  return count;
}

/* Outputs from `channel` on. */
static void set_block(const struct work *w, size_t channel, size_t outputs, struct block *b) {
  const struct onri_conv_integer *c = w->c;
  const size_t terms = terms_of(c->conv);
  const uint8_t *from = w->weights + channel * terms;
  const uint32_t x_zero = (uint32_t)(c->x_zero + w->kernels->shift[c->x_signed]);
  int32_t zero[ONRI_PLANES_OUTPUTS] = {0};
  uint32_t sum[ONRI_PLANES_OUTPUTS] = {0};
  size_t count = 0;
  for (size_t o = 0; o < outputs && c->w_zeros; o++) zero[o] = c->w_zeros[(channel + o) * c->w_zero_step];
  memset(b->weights, 0, weights_bytes(c->conv));
  for (size_t t = 0; t < terms; t++) {
    int rest[ONRI_PLANES_OUTPUTS];
    for (size_t o = 0; o < outputs; o++) {
      const uint8_t byte = from[o * terms + t];
      rest[o] = (c->w_signed ? (int8_t)byte : byte) - zero[o];
      sum[o] += (uint32_t)rest[o];
    }
    count = put_term(w, b, count, outputs, t, rest);
  }
  for (; count % FOUR; count++) b->terms[count] = 0;
  b->fours = count / FOUR;
  for (size_t o = 0; o < outputs; o++)
    b->start[o] = (int32_t)((c->bias ? (uint32_t)c->bias[channel + o] : 0) - x_zero * sum[o]);
}

static size_t outputs_of(const struct onri_conv *c, size_t block) {
  const size_t left = (size_t)c->group_out - block * ONRI_PLANES_OUTPUTS;
  return left < ONRI_PLANES_OUTPUTS ? left : ONRI_PLANES_OUTPUTS;
}

static void set_group(const struct work *w, size_t group, struct slot *slot) {
  const struct onri_conv *c = w->c->conv;
  if (slot->group == group) return;
  slot->group = group;
  for (size_t b = 0; b < blocks_of(c); b++)
    set_block(w, group * (size_t)c->group_out + b * ONRI_PLANES_OUTPUTS, outputs_of(c, b), &slot->block[b]);
}

static void store(const struct work *w, const struct strip *s, size_t channel, const char *from) {
  const struct onri_image *y = &w->c->conv->y;
  const size_t size = w->c->requantise ? 1 : sizeof(int32_t);
  char *to =
      (char *)w->c->y + ((int64_t)s->image * y->batch_stride + (int64_t)channel * y->channel_stride) * (int64_t)size;
  onri_byte_lines_store(&w->lines, &s->of, from, size, to, y->stride);
}

static void make_strip(const struct work *w, const struct strip *s, struct slot *slot) {
  const struct onri_conv_integer *c = w->c;
  const size_t size = c->requantise ? 1 : sizeof(int32_t);
  struct onri_requantise requantise;
  struct onri_byte_reals reals;
  struct onri_byte_planes_job job = {
      .x = slot->x, .y = slot->y, .y_step = w->lines.positions * size, .count = s->of.positions};
  set_group(w, s->group, slot);
  pack_strip(w, s, slot->x);
  for (size_t b = 0; b < blocks_of(c->conv); b++) {
    const size_t channel = s->group * (size_t)c->conv->group_out + b * ONRI_PLANES_OUTPUTS;
    job.terms = slot->block[b].terms, job.fours = slot->block[b].fours;
    job.weights = slot->block[b].weights, job.start = slot->block[b].start, job.outputs = outputs_of(c->conv, b);
    if (c->requantise) requantise = onri_requantise_from(c->requantise, channel), job.requantise = &requantise;
    if (c->reals) reals = onri_byte_reals_from(c->reals, channel), job.reals = &reals;
    w->kernels->row(&job);
    for (size_t o = 0; o < job.outputs; o++) store(w, s, channel + o, slot->y + o * job.y_step);
  }
}

/* Strips of all images of all groups. */
static void run_strips(void *context, size_t worker, size_t from, size_t to) {
  struct work *w = context;
  const struct onri_conv *c = w->c->conv;
  const size_t images = (size_t)c->x.batch;
  struct slot slot = slot_in(c, &w->lines, (char *)w->c->scratch + distances_bytes(c) + worker * w->slot_bytes);
  for (size_t item = from; item < to && !onr_env_cancelled(w->env); item++) {
    struct strip s = {.image = item / w->lines.strips % images, .group = item / w->lines.strips / images};
    onri_byte_lines_strip(&w->lines, item % w->lines.strips, &s.of);
    make_strip(w, &s, &slot);
  }
}

void onri_byte_planes(const struct onri_conv_integer *c, const void *weights, struct onr_env *env) {
  struct work w = {.c = c, .kernels = onri_kernels(byte_planes), .weights = weights, .env = env};
  (void)onri_byte_lines_set(c->conv->axis, &w.lines);
  w.slot_bytes = slot_bytes(c->conv, &w.lines);
  w.distances = c->scratch;
  const size_t taps = (size_t)onri_conv_taps(c->conv);
  for (size_t t = 0; t < terms_of(c->conv); t++)
    w.distances[t] = t / taps * w.lines.plane + onri_byte_lines_distance(&w.lines, t % taps);
  onri_workers_for(env, slots_of(onr_threads_count(env->threads)),
                   (size_t)(c->conv->x.batch * c->conv->groups) * w.lines.strips, run_strips, &w);
}
