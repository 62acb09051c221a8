/* nbits_panel.h: what nbits.c takes of each level. */
#ifndef ONRI_NBITS_PANEL_H
#define ONRI_NBITS_PANEL_H

#include "kernels/matmul/nbits.h"

/* A panel of B: `columns` of the level side by side. A word of 32 bits holds what follows each other in depth of one
 * column. It is cut in `group` equal fields, which hold the first `group` elements in their lowest bits, the next ones
 * in the bits above, and so on. */
struct onri_nbits_panel {
  const uint32_t *words;      /* [words][columns] */
  const char *scales, *zeros; /* [blocks][columns] */
  size_t block, blocks;
  int bits;
  enum onr_dtype real;
  enum onri_nbits_zeros kind;
};

/* Rows of A in bytes; what lies behind k in the last block is 0. */
struct onri_nbits_rows {
  const char *cells;   /* [rows][blocks * block], `cell` bytes each */
  const float *scales; /* [rows][blocks] */
  const int32_t *sums; /* of the bytes of a block */
};

struct onri_nbits_kernels {
  size_t columns; /* of a panel: as many as one of sgemm.h has */
  size_t group;
  size_t cell;
  size_t rows; /* that are best multiplied together */
  /* One row into bytes. */
  void (*quantise)(const float *x, size_t count, size_t block, char *cells, float *scales, int32_t *sums);
  /* y [rows][columns], rows y_row apart. */
  void (*bytes)(const struct onri_nbits_panel *panel, const struct onri_nbits_rows *a, size_t rows, float *y,
                size_t y_row);
  /* One row: x [blocks * block], sums of its blocks. */
  void (*row)(const struct onri_nbits_panel *panel, const float *x, const float *sums, float *y);
  /* Rows [from, from + depth) of B in float32, [depth][columns]; from: a multiple of 16. group as in nbits.h. */
  void (*widen)(const struct onri_nbits_panel *panel, const int32_t *group, size_t from, size_t depth, float *to);
};

#endif
