/* broadcast.h: walking over a broadcast result in tiles, with few dimensions and long rows.
 *
 * Dimensions that no operand breaks are merged, so that tensors of equal shape are one row, [N, H, W, C] against [C] is
 * N H W rows of C, and against [N, 1, 1, C] N groups of H W rows. */
#ifndef ONRI_BROADCAST_H
#define ONRI_BROADCAST_H

#include "onnxrun/layer.h"

#define ONRI_BROADCAST_MAX 8 /* operands */
enum {
  ONRI_PERIOD = 256,  /* the most elements of one: places in it fit a byte */
  ONRI_FLOAT_ROW = 32 /* long enough for kernels of float32 */
};

struct onri_broadcast {
  size_t operands;
  size_t total;  /* elements of the result */
  size_t period; /* > 0: rows are so short that operands are spread; elements of the last dimensions, some whole ones */
  int32_t rank;  /* at least 2; the last dimension is the row */
  size_t dim[ONR_MAX_RANK + 1];
  size_t stride[ONRI_BROADCAST_MAX][ONR_MAX_RANK + 1]; /* of the operands, in elements; 0: repeated */
};

/* rows x count elements of the result, dense from `offset` on. In operand k, row r starts at offset[k] + r * row[k],
 * and consecutive elements are step[k] (0 or 1) apart. */
struct onri_tile {
  size_t rows, count, offset;
  size_t operand[ONRI_BROADCAST_MAX], row[ONRI_BROADCAST_MAX], step[ONRI_BROADCAST_MAX];
};

/* The operands must broadcast to `result` (infer has seen to it). */
void onri_broadcast_make(struct onri_broadcast *b, const struct onr_desc *result,
                         const struct onr_desc *const *operands, size_t count);
/* The tile that begins at element `begin` of the result, with at most `most` elements and none from `end` on; begin <
 * end. */
void onri_broadcast_tile(const struct onri_broadcast *b, size_t begin, size_t end, size_t most, struct onri_tile *tile);

/* For kernels to which rows of `elements` are long enough, if there are some of them in a tile. */
static inline void onri_broadcast_keep_rows(struct onri_broadcast *b, size_t elements) {
  const size_t row = b->dim[b->rank - 1];
  if (row >= elements && row * b->dim[b->rank - 2] >= ONRI_PERIOD) b->period = 0;
}

struct onri_operands {
  const void *x[ONRI_BROADCAST_MAX];
  size_t size[ONRI_BROADCAST_MAX]; /* bytes of an element, a power of two up to 16 */
};
/* Body for tiles of [begin, end), in order, of at most `most` (from ONRI_PERIOD on) elements; in tile.operand's place
 * operand k begins at at[k]. Where rows are short, what does not lie as the result does is spread out, and a tile is
 * one row. */
typedef void (*onri_tile_body)(void *context, const struct onri_tile *tile, const void *const *at);
void onri_broadcast_each(const struct onri_broadcast *b, const struct onri_operands *operands, size_t begin, size_t end,
                         size_t most, onri_tile_body body, void *context);

/* Runs body over [0, count) elements; on several threads only where that pays. */
void onri_elementwise_for(struct onr_env *env, size_t count, void (*body)(void *context, size_t begin, size_t end),
                          void *context);

#endif
