/* col2im.h: taps added up in rows of an image, their elements side by side as the rows' are. */
#ifndef ONRI_COL2IM_KERNEL_H
#define ONRI_COL2IM_KERNEL_H

#include <stddef.h>

#include "base/numbers/convert.h"

/* Its elements from x on belong to elements [first, last) of the first row. */
struct onri_col2im_tap {
  const void *x;
  size_t first, last;
};

/* y [rows][width]; what a tap has for the next row lies `step` elements on. */
struct onri_col2im_rows {
  const struct onri_col2im_tap *taps;
  size_t count, rows, width, step;
  void *y;
};

/* Run i, `length` floats, lies at x + i * x_step and belongs to y + i * y_step; runs that are `turns` apart do not meet
 * in y. */
struct onri_col2im_runs {
  const float *x;
  float *y;
  size_t count, length, x_step, y_step, turns;
};

struct onri_col2im_kernels {
  /* y += the taps, one by one. Integers wrap. */
  void (*add)(enum onri_class class, const struct onri_col2im_rows *rows);
  void (*add_runs)(const struct onri_col2im_runs *runs); /* y += x */
};

#endif
