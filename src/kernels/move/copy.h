/* copy.h: copies a box of elements from one strided array to another. Behind transpose, expand, tile, slice, concat,
 * pad ... Kernels know the size of an element, not its type. */
#ifndef ONRI_COPY_H
#define ONRI_COPY_H

#include "kernels/move/places.h"
#include "kernels/move/transpose.h"
#include "onnxrun/layer.h"

#define ONRI_COPY_MAX_RANK (2 * ONR_MAX_RANK)

/* Fill in size, rank, dim and the strides, then call onri_copy_plan once; onri_copy_run as often as needed.
 * An x stride may be 0 (repeat) or negative. The target elements must be distinct, source and target must not overlap.
 */
struct onri_copy {
  size_t size; /* bytes of one element; plan may turn it into bytes of a contiguous block */
  int32_t rank;
  size_t dim[ONRI_COPY_MAX_RANK];
  ptrdiff_t x_stride[ONRI_COPY_MAX_RANK], y_stride[ONRI_COPY_MAX_RANK]; /* bytes */

  /* Written by onri_copy_plan: the two inner loops, and how the work is cut into tasks. */
  size_t num_a, num_b;
  ptrdiff_t x_a, x_b, y_a, y_b;
  size_t chunk; /* of the longer inner loop, a task */
  size_t num_chunks;
  size_t block; /* bytes of a block that one task copies */
  size_t num_blocks;
  int cut_a; /* the chunks are of a, else of b */
  size_t num_tasks, grain;
  size_t words; /* of small blocks whose words of 4 bytes change places, as index says; 0: none */
  union {
    int32_t index[ONRI_PERMUTED_WORDS];
    uint8_t place[ONRI_PLACES];
  };
  size_t places, element, run; /* of small blocks: struct onri_places; 0: none */
};

void onri_copy_plan(struct onri_copy *copy);
void onri_copy_run(const struct onri_copy *copy, struct onr_env *env, const void *x, void *y);

/* Fills in and plans a copy of `dims` elements of `size` bytes; strides in elements, NULL: dense in `dims`. */
void onri_copy_make(struct onri_copy *copy, size_t size, int32_t rank, const int64_t *dims, const int64_t *x_strides,
                    const int64_t *y_strides);
/* True when a planned copy is one run of bytes on both sides. */
int onri_copy_is_contiguous(const struct onri_copy *copy);

/* memset and memcpy on all threads. */
void onri_zero_bytes(struct onr_env *env, void *y, size_t bytes);
void onri_copy_bytes(struct onr_env *env, const void *x, void *y, size_t bytes);

#endif
