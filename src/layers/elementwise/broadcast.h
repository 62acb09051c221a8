/* broadcast.h: walking over a broadcast result in tiles, with few dimensions and long rows.
 *
 * Dimensions that no operand breaks are merged, so that tensors of equal shape are one row, [N, H, W, C] against [C] is
 * N H W rows of C, and against [N, 1, 1, C] N groups of H W rows. */
#ifndef ONRI_BROADCAST_H
#define ONRI_BROADCAST_H

#include "onnxrun/layer.h"

#define ONRI_BROADCAST_MAX 8 /* operands */

struct onri_broadcast {
  size_t operands;
  size_t total; /* elements of the result */
  int32_t rank; /* at least 2; the last dimension is the row */
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

/* Runs body over [0, count) elements; on several threads only where that pays. */
void onri_elementwise_for(struct onr_env *env, size_t count, void (*body)(void *context, size_t begin, size_t end),
                          void *context);

#endif
