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

/* On whole vectors; a_step, b_step: bytes from one to the next, or 0. There are so many that each is one loop, and what
 * rows are made of is left to the functions below. */
typedef void (*onri_typed_binary)(const char *a, const char *b, char *y, size_t vectors, size_t a_step, size_t b_step);
typedef void (*onri_typed_unary)(const char *x, char *y, size_t vectors, float alpha, float beta);

struct onri_typed_kernels {
  /* size, y_size: bytes of an element. */
  void (*binary_rows)(onri_typed_binary run, const struct onri_typed_rows *rows, size_t size, size_t y_size);
  void (*unary_row)(onri_typed_unary run, const void *x, void *y, size_t count, float alpha, float beta, size_t size,
                    size_t y_size);
  /* [ONR_NUM_BINARY], [ONR_NUM_UNARY]; NULL, a row or what is in it: none. */
  const onri_typed_binary *binary[ONR_NUM_DTYPES];
  const onri_typed_unary *unary[ONR_NUM_DTYPES];
};

static inline onri_typed_binary onri_typed_binary_of(const struct onri_typed_kernels *typed, enum onr_dtype dtype,
                                                     enum onr_binary op) {
  return typed->binary[dtype] ? typed->binary[dtype][op] : NULL;
}
static inline onri_typed_unary onri_typed_unary_of(const struct onri_typed_kernels *typed, enum onr_dtype dtype,
                                                   enum onr_unary op) {
  return typed->unary[dtype] ? typed->unary[dtype][op] : NULL;
}

#endif
