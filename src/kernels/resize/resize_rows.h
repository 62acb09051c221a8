/* resize_rows.h: parts of an interpolation pass of float32, in vectors. */
#ifndef ONRI_RESIZE_ROWS_H
#define ONRI_RESIZE_ROWS_H

#include "kernels/resize/resize.h"

/* A row of bytes in groups of 16, each of which 16 bytes of x have: byte i of group g is x[from[g] + at[g][i]]. */
enum { ONRI_TAKE = 16, ONRI_TAKE_ROW = 1024 /* bytes of one, at most */ };
struct onri_byte_takes {
  size_t count; /* bytes of the row */
  int32_t from[ONRI_TAKE_ROW / ONRI_TAKE];
  uint8_t at[ONRI_TAKE_ROW / ONRI_TAKE][ONRI_TAKE];
};

struct onri_resize_kernels {
  /* Of outer * out rows of `inner` elements. */
  void (*rows)(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end);
  /* Where inner is 1: of `outer` lines of `out` elements. */
  void (*lines)(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end);
  /* room: bytes that may be written at y, whole groups if it has them. NULL: no such instruction. */
  void (*take)(const struct onri_byte_takes *takes, const uint8_t *x, uint8_t *y, size_t room);
};

#endif
