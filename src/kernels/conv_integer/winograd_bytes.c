/* winograd_bytes.c: packing of weights, and blocks of tiles on threads. */
#include "kernels/conv_integer/winograd_bytes.h"

#include <stdatomic.h>
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv_integer/winograd_bytes_tiles.h"
#include "kernels/kernels.h"
#include "kernels/quantize/byte_tile.h"

enum {
  POINTS = ONRI_WINOGRAD_BYTES_POINTS,
  TILES = 30,              /* of a block: a multiple of the rows of a product, so that weights are read for many, */
  BLOCK_BYTES = 256 << 10, /* whose transformed inputs stay in L2 */
  LEAST_TILES = 6,
  CHUNK = 64,             /* columns that are finished at once */
  MOST_CHANNELS = 1024,   /* four times their sum does not wrap */
  MOST_WEIGHTS = 1 << 17, /* channels in times channels out: beyond, images are small and memory is what costs */
  SLOTS = 64
};

static const struct onri_winograd_bytes_kernels *kernels_of(void) { return onri_kernels(winograd_bytes); }

int onri_winograd_bytes_can(const struct onri_conv *c) {
  if (!kernels_of()->columns || c->transposed || c->groups != 1 || c->axis[0].kernel != 1) return 0;
  for (int a = 1; a < ONR_MAX_SPATIAL; a++)
    if (c->axis[a].kernel != 3 || c->axis[a].stride != 1 || c->axis[a].dilation != 1) return 0;
  return c->group_in >= ONRI_WINOGRAD_BYTES_CHANNELS && c->group_in <= MOST_CHANNELS && c->group_in % 2 == 0 &&
         c->group_out >= (int64_t)kernels_of()->columns && c->group_out <= MOST_WEIGHTS / c->group_in;
}

/* --- weights: [panels][points][group_in / 2][columns][2], and the sum of each column as it was --- */

static size_t up(size_t a, size_t b) { return (a + b - 1) / b; }
static size_t panels_of(const struct onri_conv *c) { return up((size_t)c->group_out, kernels_of()->columns); }
static size_t panel_elements(const struct onri_conv *c) { return POINTS * (size_t)c->group_in * kernels_of()->columns; }

size_t onri_winograd_bytes_packed_bytes(const struct onri_conv *c) {
  return panels_of(c) * (panel_elements(c) * sizeof(int16_t) + kernels_of()->columns * sizeof(int32_t));
}

static int32_t *sums_in(const struct onri_conv *c, const void *packed) {
  return (int32_t *)((int16_t *)packed + panels_of(c) * panel_elements(c));
}

/* Three taps, doubled, at the points 0, 1, -1 and infinity. */
static void to_points(const int taps[3], int at[4]) {
  at[0] = 2 * taps[0], at[1] = taps[0] + taps[1] + taps[2];
  at[2] = taps[0] - taps[1] + taps[2], at[3] = 2 * taps[2];
}

/* Point i goes to u + i * point. */
static int32_t pack_taps(const uint8_t *w, uint8_t flip, int16_t *u, size_t point) {
  int rows[3][4];
  int32_t sum = 0;
  for (int i = 0; i < 3; i++) {
    int taps[3];
    for (int j = 0; j < 3; j++) sum += taps[j] = (int8_t)(w[i * 3 + j] ^ flip);
    to_points(taps, rows[i]);
  }
  for (int j = 0; j < 4; j++) {
    int at[4];
    to_points((int[]){rows[0][j], rows[1][j], rows[2][j]}, at);
    for (int i = 0; i < 4; i++) u[(size_t)(i * 4 + j) * point] = (int16_t)at[i];
  }
  return sum;
}

void onri_winograd_bytes_pack(const struct onri_conv *c, const void *weight, int is_signed, void *packed) {
  const size_t width = kernels_of()->columns, in = (size_t)c->group_in;
  const uint8_t flip = is_signed ? 0 : 0x80; /* unsigned weights are moved down */
  int32_t *sums = sums_in(c, packed);
  memset(packed, 0, onri_winograd_bytes_packed_bytes(c));
  for (size_t o = 0; o < (size_t)c->group_out; o++) {
    int16_t *u = (int16_t *)packed + o / width * panel_elements(c) + o % width * 2;
    for (size_t i = 0; i < in; i++)
      sums[o] += pack_taps((const uint8_t *)weight + (o * in + i) * 9, flip, u + i / 2 * 2 * width + i % 2, in * width);
  }
}

/* --- blocks of tiles --- */

struct work {
  const struct onri_winograd_bytes *w;
  const struct onri_winograd_bytes_kernels *kernels;
  struct onri_byte_image image;
  size_t index, down, across, tiles, block; /* of the image; tiles of a column and a row, of all, of a block */
  int32_t x_zero;                           /* as x is packed */
  int32_t *sums;                            /* of the channels of each pixel of the padded image; NULL: not asked for */
  char *slots;
};

/* Of a slot. */
struct buffers {
  int32_t *products;
  int16_t *forward;
};

static size_t tiles_of(const struct onri_conv *c, int axis) {
  return axis == 0 ? (size_t)c->axis[0].out : up((size_t)c->axis[axis].out, 2);
}

/* Tiles of a block that stay in the cache. */
static size_t block_of(const struct onri_conv *c) {
  const size_t fit = BLOCK_BYTES / sizeof(int16_t) / POINTS / (size_t)c->group_in / LEAST_TILES * LEAST_TILES;
  return fit < LEAST_TILES ? LEAST_TILES : fit < TILES ? fit : TILES;
}

static size_t forward_elements(const struct onri_conv *c) { return block_of(c) * POINTS * (size_t)c->group_in; }
static size_t product_elements(const struct onri_conv *c) { return block_of(c) * POINTS * kernels_of()->columns; }
static size_t slot_bytes(const struct onri_conv *c) {
  return forward_elements(c) * sizeof(int16_t) + product_elements(c) * sizeof(int32_t);
}

/* Of the padded image: its pixels. 0: too many. */
static size_t image_pixels(const struct onri_conv *c) {
  const size_t bytes = onri_byte_image_padded_bytes(c);
  return bytes == SIZE_MAX ? 0 : bytes / onri_byte_cell() / (size_t)c->group_in;
}

/* Tiles at the ends read a line and a pixel more. */
static size_t behind(const struct onri_conv *c) {
  return ((size_t)c->axis[2].out + 3) * (size_t)c->group_in * sizeof(int16_t);
}

/* In scratch: products and transformed inputs of each slot, the sums of pixels, the image and what is read behind it.
 */
size_t onri_winograd_bytes_scratch(const struct onri_conv *c, uint32_t threads) {
  const size_t image = onri_byte_image_padded_bytes(c), slots = threads < SLOTS ? threads : SLOTS;
  size_t bytes, sums;
  if (image == SIZE_MAX || !onri_mul_size(image_pixels(c), sizeof(int32_t), &sums) ||
      !onri_mul_size(slot_bytes(c), slots, &bytes) || !onri_add_size(bytes, sums, &bytes) ||
      !onri_add_size(bytes, image, &bytes) || !onri_add_size(bytes, behind(c), &bytes))
    return SIZE_MAX;
  return bytes;
}

static void transform(const struct work *w, size_t first, size_t count, int16_t *v) {
  const struct onri_conv *c = w->w->conv;
  const size_t in = (size_t)c->group_in;
  for (size_t t = 0; t < count; t++) {
    const size_t at = first + t, row = at / w->across;
    const char *x = w->image.x + row / w->down * (size_t)c->axis[0].stride * w->image.step[0] +
                    row % w->down * 2 * w->image.step[1] + at % w->across * 2 * w->image.step[2];
    w->kernels->forward(x, w->image.step[1], in, v + t * in, count * in);
  }
}

/* The sum of what a window multiplies, zero point taken off. */
static int32_t window_sum(const struct work *w, size_t pixel) {
  const struct onri_conv *c = w->w->conv;
  const size_t out1 = (size_t)c->axis[1].out, out2 = (size_t)c->axis[2].out, step = w->image.step[2];
  const size_t o[] = {pixel / out2 / out1 * (size_t)c->axis[0].stride, pixel / out2 % out1, pixel % out2};
  const int32_t *at = w->sums + (o[0] * w->image.step[0] + o[1] * w->image.step[1]) / step + o[2];
  int32_t sum = 0;
  for (size_t i = 0; i < 3; i++, at += w->image.step[1] / step) sum += at[0] + at[1] + at[2];
  return sum - w->x_zero * 9 * (int32_t)c->group_in;
}

/* Channels [channel, channel + columns) of `count` pixels. */
static void finish(const struct work *w, size_t pixel, size_t count, size_t channel, size_t columns, int32_t *sums) {
  const struct onri_winograd_bytes *b = w->w;
  const struct onri_byte_product_kernels *product = onri_kernels(byte_product);
  if (w->sums) {
    int32_t zeros[CHUNK];
    for (size_t j = 0; j < columns; j++)
      zeros[j] = (b->w_zeros ? b->w_zeros[(channel + j) * b->w_zero_step] : 0) - (b->w_signed ? 0 : 128);
    for (size_t i = 0; i < count; i++)
      product->correct(sums + i * CHUNK, columns, NULL, window_sum(w, pixel + i), zeros);
  }
  b->finish(b->context, w->index, pixel, channel, &(struct onri_byte_sums){sums, count, columns, CHUNK});
}

/* Both lines of outputs of a block's tiles, row of tiles by row. */
static void finish_block(const struct work *w, size_t first, size_t count, size_t channel, size_t columns,
                         int32_t *sums) {
  const size_t out1 = (size_t)w->w->conv->axis[1].out, out2 = (size_t)w->w->conv->axis[2].out;
  for (size_t t = 0, some; t < count; t += some) {
    const size_t row = (first + t) / w->across, column = (first + t) % w->across, line = row % w->down * 2;
    some = w->across - column < count - t ? w->across - column : count - t;
    const size_t pixels = some * 2 < out2 - column * 2 ? some * 2 : out2 - column * 2;
    for (size_t i = 0; i < 2 && line + i < out1; i++)
      finish(w, (row / w->down * out1 + line + i) * out2 + column * 2, pixels, channel, columns,
             sums + (i * count + t) * 2 * CHUNK);
  }
}

/* Channels from `channel` on, up to CHUNK. */
static void make_chunk(const struct work *w, size_t first, size_t count, size_t channel,
                       const struct buffers *buffers) {
  const struct onri_winograd_bytes *b = w->w;
  const struct onri_conv *c = b->conv;
  const size_t width = w->kernels->columns, in = (size_t)c->group_in, left = (size_t)c->group_out - channel,
               columns = left < CHUNK ? left : CHUNK;
  int32_t sums[TILES * 4 * CHUNK] __attribute__((aligned(64))), start[CHUNK] __attribute__((aligned(64))) = {0};
  onri_kernels(byte_product)
      ->correct(start, columns, b->bias ? b->bias + channel : NULL, w->x_zero, sums_in(c, b->packed) + channel);
  for (size_t j = 0; j < columns; j += width) {
    const int16_t *u = (const int16_t *)b->packed + (channel + j) / width * panel_elements(c);
    for (size_t p = 0; p < POINTS; p++)
      w->kernels->product(buffers->forward + p * count * in, count, in, u + p * in * width,
                          buffers->products + p * count * width);
    for (size_t t = 0; t < count; t++)
      w->kernels->backward(buffers->products + t * width, count * width, start + j, sums + t * 2 * CHUNK + j,
                           count * 2 * CHUNK, CHUNK);
  }
  finish_block(w, first, count, channel, columns, sums);
}

/* Blocks of tiles. */
static void run_blocks(void *context, size_t slot, size_t from, size_t to) {
  struct work *w = context;
  const struct onri_conv *c = w->w->conv;
  char *room = w->slots + slot * slot_bytes(c);
  const struct buffers buffers = {(int32_t *)(void *)room,
                                  (int16_t *)(void *)(room + product_elements(c) * sizeof(int32_t))};
  for (size_t first = from * w->block; from < to; from++, first += w->block) {
    const size_t count = w->tiles - first < w->block ? w->tiles - first : w->block;
    transform(w, first, count, buffers.forward);
    for (size_t channel = 0; channel < (size_t)c->group_out; channel += CHUNK)
      make_chunk(w, first, count, channel, &buffers);
  }
}

static void sum_pixels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  for (size_t i = begin; i < end; i++) {
    w->sums[i] = 0;
    onri_kernels(byte_product)
        ->row_sums(&w->image.x, 1, i * w->image.step[2], (size_t)w->w->conv->group_in, &w->sums[i]);
  }
}

/* Whether weights have zero points as they are packed. */
static int has_w_zeros(const struct onri_winograd_bytes *w) {
  if (!w->w_zeros) return !w->w_signed;
  for (size_t j = 0; j < (w->w_zero_step ? (size_t)w->conv->group_out : 1); j++)
    if (w->w_zeros[j] != (w->w_signed ? 0 : 128)) return 1;
  return 0;
}

void onri_winograd_bytes(const struct onri_winograd_bytes *b, struct onr_env *env) {
  const struct onri_conv *c = b->conv;
  const size_t pixels = image_pixels(c), threads = onr_threads_count(env->threads),
               slots = threads < SLOTS ? threads : SLOTS;
  struct work w = {.w = b, .kernels = kernels_of(), .down = tiles_of(c, 1), .across = tiles_of(c, 2)};
  w.tiles = tiles_of(c, 0) * w.down * w.across;
  w.block = up(w.tiles, up(w.tiles, block_of(c)));
  w.x_zero = b->x_zero + onri_byte_shift(b->x_signed);
  w.slots = b->scratch;
  int32_t *sums = (int32_t *)(void *)(w.slots + slots * slot_bytes(c));
  char *image = (char *)(sums + pixels);
  w.sums = has_w_zeros(b) ? sums : NULL;
  memset(image + onri_byte_image_padded_bytes(c), 0, behind(c));
  for (w.index = 0; w.index < (size_t)c->x.batch; w.index++) {
    w.image = onri_byte_image_pack(c, b->x, b->x_signed, b->x_zero, w.index, 1, image, env);
    if (w.sums) onr_parallel_for(env, pixels, 256, sum_pixels, &w);
    onri_workers_for(env, slots, up(w.tiles, w.block), run_blocks, &w);
  }
}
