/* elementwise.h: float32 kernels of the element-wise layers.
 *
 * Outputs may be the same memory as an input (element by element); other overlaps are not allowed. */
#ifndef ONRI_KERNELS_ELEMENTWISE_H
#define ONRI_KERNELS_ELEMENTWISE_H

#include <stddef.h>

#include "params/elementwise.h"

typedef void (*onri_unary_kernel)(const float *x, float *y, size_t count, float alpha, float beta);

/* rows x count elements. y is dense; row r of an operand starts at r * row_stride, and its step is 0 (one value for the
 * whole row) or 1. */
struct onri_binary_rows {
  const float *a, *b;
  float *y;
  size_t rows, count;
  size_t a_row, b_row;   /* row strides in elements */
  size_t a_step, b_step; /* 0 or 1 */
  float min, max;        /* clamp of the result; infinities: none. POW has none */
};
typedef void (*onri_binary_kernel)(const struct onri_binary_rows *rows);

/* y = a b + c, rounded once where the processor can; c is as a and b are. */
struct onri_affine_rows {
  struct onri_binary_rows product;
  const float *c;
  size_t c_row, c_step;
};

struct onri_elementwise_kernels {
  const onri_unary_kernel *unary;   /* [ONR_NUM_UNARY], NULL: the op has no vector form, or gives another type */
  const onri_binary_kernel *binary; /* [ONR_NUM_BINARY], the same */
  void (*affine)(const struct onri_affine_rows *rows);
};

/* Of this processor. */
onri_unary_kernel onri_unary_kernel_f32(enum onr_unary op);
onri_binary_kernel onri_binary_kernel_f32(enum onr_binary op);

#endif
