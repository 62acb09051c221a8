/* byte_tile.h: what byte_product.c takes of each level. */
#ifndef ONRI_BYTE_TILE_H
#define ONRI_BYTE_TILE_H

#include "kernels/quantize/byte_product.h"

struct onri_byte_product_kernels {
  size_t rows, columns; /* of a tile */
  size_t group;         /* elements of a column side by side in a panel */
  size_t cell;          /* bytes of an element of a packed row */
  int shift;            /* added to signed elements of A when they are packed */
  void (*pack)(const void *x, size_t count, int is_signed, void *to);
  /* sums[rows][columns] += A B; rows from 1 on. A: rows a_row bytes apart; depth in cells, a multiple of
   * ONRI_BYTE_GROUP. */
  void (*tile)(const char *a, size_t a_row, const int8_t *panel, size_t depth, size_t rows, int32_t *sums,
               size_t sums_row);
  int32_t (*row_sum)(const char *a, size_t depth);
  /* sums[j] += bias[j] - a_zero * column_sums[j]; bias may be NULL */
  void (*correct)(int32_t *sums, size_t count, const int32_t *bias, int32_t a_zero, const int32_t *column_sums);
  void (*reals)(const float *scales, size_t scale_step, const float *bias, const int32_t *sums, size_t count, float *y);
  void (*requantise)(const struct onri_requantise *r, const int32_t *sums, size_t count, uint8_t *y);
};

#endif
