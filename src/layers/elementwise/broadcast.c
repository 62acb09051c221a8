#include "layers/elementwise/broadcast.h"

#include "base/shape.h"

/* Below this many elements waking another thread costs more than it saves; above, parts are of half the size. */
#define PARALLEL_ELEMENTS 32768

/* Appends a dimension behind the others, merged with the last one where all strides agree. */
static void append(struct onri_broadcast *b, size_t dim, const size_t *stride) {
  int merge = b->rank > 0;
  for (size_t k = 0; k < b->operands && merge; k++) merge = b->stride[k][b->rank - 1] == stride[k] * dim;
  if (!merge) b->rank++;
  b->dim[b->rank - 1] = merge ? b->dim[b->rank - 1] * dim : dim;
  for (size_t k = 0; k < b->operands; k++) b->stride[k][b->rank - 1] = stride[k];
}

/* size: bytes of the largest element. */
static size_t period_of(const struct onri_broadcast *b, size_t size) {
  enum { SHORT = 256 /* bytes of a row */, FEW = 256 /* elements of the result */ };
  size_t period = 1;
  if (b->dim[b->rank - 1] * size >= SHORT || b->total < FEW) return 0;
  for (int32_t d = b->rank; d-- > 0 && period * b->dim[d] <= ONRI_PERIOD;) period *= b->dim[d];
  return period;
}

void onri_broadcast_make(struct onri_broadcast *b, const struct onr_desc *result,
                         const struct onr_desc *const *operands, size_t count) {
  int64_t strides[ONRI_BROADCAST_MAX][ONR_MAX_RANK];
  size_t size = 1;
  b->operands = count;
  b->total = (size_t)onr_desc_elements(result);
  b->rank = 0;
  for (size_t k = 0; k < count; k++) {
    onri_broadcast_strides(operands[k], result, strides[k]);
    size = onr_dtype_size(operands[k]->dtype) > size ? onr_dtype_size(operands[k]->dtype) : size;
  }
  for (int32_t d = 0; d < result->rank; d++) {
    size_t stride[ONRI_BROADCAST_MAX];
    if (result->dim[d] == 1) continue;
    for (size_t k = 0; k < count; k++) stride[k] = (size_t)strides[k][d];
    append(b, (size_t)result->dim[d], stride);
  }
  while (b->rank < 2) { /* leading dimensions of 1 */
    for (int32_t d = b->rank; d > 0; d--) {
      b->dim[d] = b->dim[d - 1];
      for (size_t k = 0; k < count; k++) b->stride[k][d] = b->stride[k][d - 1];
    }
    b->dim[0] = 1;
    for (size_t k = 0; k < count; k++) b->stride[k][0] = 0;
    b->rank++;
  }
  b->period = period_of(b, size);
}

void onri_broadcast_tile(const struct onri_broadcast *b, size_t begin, size_t end, size_t most,
                         struct onri_tile *tile) {
  const int32_t last = b->rank - 1;
  const size_t width = b->dim[last], column = begin % width, left = end - begin < most ? end - begin : most;
  size_t row = begin / width;
  const size_t rows_left = b->dim[last - 1] - row % b->dim[last - 1];
  tile->offset = begin;
  if (column != 0 || left < width) {
    tile->rows = 1;
    tile->count = width - column < left ? width - column : left;
  } else {
    tile->rows = left / width < rows_left ? left / width : rows_left;
    tile->count = width;
  }
  for (size_t k = 0; k < b->operands; k++) {
    tile->operand[k] = column * b->stride[k][last];
    tile->row[k] = b->stride[k][last - 1];
    tile->step[k] = b->stride[k][last];
  }
  for (int32_t d = last - 1; d >= 0; d--) {
    const size_t index = row % b->dim[d];
    row /= b->dim[d];
    for (size_t k = 0; k < b->operands; k++) tile->operand[k] += index * b->stride[k][d];
  }
}

void onri_elementwise_for(struct onr_env *env, size_t count, void (*body)(void *context, size_t begin, size_t end),
                          void *context) {
  if (count == 0) return;
  if (count <= PARALLEL_ELEMENTS) body(context, 0, count);
  else onr_parallel_for(env, count, PARALLEL_ELEMENTS / 2, body, context);
}
