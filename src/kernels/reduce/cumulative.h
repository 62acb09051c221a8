/* cumulative.h: running sums and products of rows side by side. */
#ifndef ONRI_CUMULATIVE_H
#define ONRI_CUMULATIVE_H

#include <stddef.h>

/* Signed integers wrap as unsigned ones do. */
enum onri_cumulative_type {
  ONRI_CUMULATIVE_F32,
  ONRI_CUMULATIVE_F64,
  ONRI_CUMULATIVE_U32,
  ONRI_CUMULATIVE_U64,
  ONRI_NUM_CUMULATIVE
};

struct onri_cumulative_rows {
  const void *x;
  void *y;        /* may be x */
  void *run;      /* [columns]: what came before; afterwards what the rows have made of it */
  ptrdiff_t step; /* elements from one row to the next */
  size_t rows, columns;
  int exclusive; /* y is what came before a row, not with it */
};

struct onri_cumulative_kernels {
  void (*rows[ONRI_NUM_CUMULATIVE][2])(const struct onri_cumulative_rows *rows); /* [type][product] */
};

#endif
