/* transpose.h: a two-dimensional transpose of elements of 1, 2, 4, 8 or 16 bytes. */
#ifndef ONRI_TRANSPOSE_H
#define ONRI_TRANSPOSE_H

#include <stddef.h>

/* y[a][b] = x[b][a] for a < num_a, b < num_b. x is contiguous along a, y along b; x_stride is from one b to the next,
 * y_stride from one a to the next, in bytes. */
struct onri_transpose {
  const char *x;
  char *y;
  ptrdiff_t x_stride, y_stride;
  size_t num_a, num_b;
};

void onri_transpose_8(const struct onri_transpose *t);
void onri_transpose_16(const struct onri_transpose *t);
void onri_transpose_32(const struct onri_transpose *t);
void onri_transpose_64(const struct onri_transpose *t);
void onri_transpose_128(const struct onri_transpose *t);

#endif
