/* byte_tile.h: what byte_product.c takes of each level. */
#ifndef ONRI_BYTE_TILE_H
#define ONRI_BYTE_TILE_H

#include "kernels/quantize/byte_product.h"

/* Rows of A by the columns of a panel. */
struct onri_byte_tile {
  const char *const *rows; /* where each row of A begins */
  size_t num_rows;
  const size_t *runs;     /* bytes from there to each run of it, */
  size_t num_runs, depth; /* of so many elements, a multiple of ONRI_BYTE_GROUP */
  size_t columns;         /* that are wanted */
  const int32_t *start;   /* of a whole panel: what each row's sums begin with; NULL: with what sums hold */
  size_t sums_row;
  const int32_t *row_factors, *column_factors; /* their products are taken off; of rows and of a whole panel; or NULL */
  /* At most one of both: results become `columns` bytes, or float32, a row of y, and what sums hold is lost; neither:
   * they are sums. */
  const struct onri_requantise *requantise;
  const struct onri_byte_reals *reals;
  uint8_t *y;
  size_t y_row;
};

struct onri_byte_product_kernels {
  size_t columns; /* of a panel */
  size_t group;   /* elements of a column side by side in a panel */
  size_t cell;    /* bytes of an element of a packed row */
  int shift[2];   /* added to elements of A, unsigned and signed ones, when they are packed */
  void (*pack)(const void *x, size_t count, int is_signed, void *to);
  /* Rows x_row bytes apart become rows to_row bytes apart, one after the other; what lies between them is anything. */
  void (*pack_lines)(const void *x, size_t x_row, size_t rows, size_t count, int is_signed, void *to, size_t to_row);
  /* `group` rows of B, row_step bytes apart, by a panel's columns into that panel; sums[j] += theirs. */
  void (*pack_rows)(const uint8_t *rows, size_t row_step, uint8_t flip, int8_t *panel, int32_t *sums);
  void (*tile)(const struct onri_byte_tile *t, const int8_t *panel, int32_t *sums);
  /* sums[r] += of `depth` elements of each row, from its byte `from` on */
  void (*row_sums)(const char *const *rows, size_t num_rows, size_t from, size_t depth, int32_t *sums);
  /* sums[j] += bias[j] - a_zero * column_sums[j]; bias may be NULL */
  void (*correct)(int32_t *sums, size_t count, const int32_t *bias, int32_t a_zero, const int32_t *column_sums);
  /* The sums as they are, rows y_row elements apart. */
  void (*copy)(const struct onri_byte_sums *sums, int32_t *y, size_t y_row);
  void (*reals)(const struct onri_byte_reals *r, const struct onri_byte_sums *sums, void *y, size_t y_row);
  void (*requantise)(const struct onri_requantise *r, const struct onri_byte_sums *sums, uint8_t *y, size_t y_row);
};

#endif
