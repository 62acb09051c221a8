/* byte_pair.h: sums and products of two arrays of bytes that stand for numbers. */
#ifndef ONRI_BYTE_PAIR_H
#define ONRI_BYTE_PAIR_H

#include <stddef.h>

/* Bytes a and b that stand for numbers, and y for their sum or product, held within min and max. */
enum { ONRI_PAIR_A, ONRI_PAIR_B, ONRI_PAIR_Y };
struct onri_byte_pair {
  int multiplies;
  float scale[3];
  int zero[3], is_signed[3];
  float min, max;
};
/* Rows of both, `row` bytes apart, elements `step` (0 or 1); those of y are dense. */
struct onri_byte_pair_rows {
  const void *x[2];
  size_t row[2], step[2];
  void *y;
  size_t rows, count;
};

struct onri_byte_pair_kernels {
  /* As dequantizing (quantize.h's `from`), a sum or product, and quantizing (`to`) one after the other; y may be an x
   * of step 1 that is dense. */
  void (*combine)(const struct onri_byte_pair *p, const struct onri_byte_pair_rows *rows);
};

#endif
