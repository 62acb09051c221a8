/* typed.h: element-wise functions of other types than float32, on elements as they lie in memory, in vectors.
 *
 * Outputs may be the same memory as an input (element by element); other overlaps are not allowed. */
#ifndef ONRI_KERNELS_TYPED_H
#define ONRI_KERNELS_TYPED_H

#include <stddef.h>

#include "params/elementwise.h"

/* As struct onri_binary_rows, without a clamp. */
struct onri_typed_rows {
  const void *a, *b;
  void *y;
  size_t rows, count;
  size_t a_row, b_row;   /* row strides in elements */
  size_t a_step, b_step; /* 0 or 1 */
};
typedef void (*onri_typed_binary)(const struct onri_typed_rows *rows);
typedef void (*onri_typed_unary)(const void *x, void *y, size_t count, float alpha, float beta);

struct onri_typed_kernels {
  onri_typed_binary binary[ONR_NUM_DTYPES][ONR_NUM_BINARY]; /* NULL: none */
  onri_typed_unary unary[ONR_NUM_DTYPES][ONR_NUM_UNARY];
};

#endif
