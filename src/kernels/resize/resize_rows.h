/* resize_rows.h: parts of an interpolation pass of float32, in vectors. */
#ifndef ONRI_RESIZE_ROWS_H
#define ONRI_RESIZE_ROWS_H

#include "kernels/resize/resize.h"

struct onri_resize_kernels {
  /* Of outer * out rows of `inner` elements. */
  void (*rows)(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end);
  /* Where inner is 1: of `outer` lines of `out` elements. */
  void (*lines)(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end);
};

#endif
