/* byte_planes_row.h: what byte_planes.c takes of each level: sums of bytes that lie at fixed distances, for many
 * positions in a row. */
#ifndef ONRI_BYTE_PLANES_ROW_H
#define ONRI_BYTE_PLANES_ROW_H

#include "kernels/quantize/byte_product.h"

/* The most outputs that are made of the same bytes. */
enum { ONRI_PLANES_OUTPUTS = 4 };

/* Output o of position p: start[o] + the sum over terms t of x[p + terms[t]] weights[o][t]. Up to a vector of bytes
 * behind the last position is read, and written. */
struct onri_byte_planes_job {
  const uint8_t *x;
  const size_t *terms;    /* [fours][4] */
  size_t fours, outputs;  /* 1 to ONRI_PLANES_OUTPUTS */
  const int32_t *weights; /* [fours][outputs][words] */
  const int32_t *start;   /* [outputs] */
  /* What sums become, or neither: scales, and a bias, of each output. */
  const struct onri_requantise *requantise;
  const struct onri_byte_reals *reals;
  void *y; /* outputs lie y_step bytes apart */
  size_t y_step, count;
};

struct onri_byte_planes_kernels {
  void (*row)(const struct onri_byte_planes_job *job);
  /* to[i] = x[i * step] ^ flip */
  void (*take)(const uint8_t *x, size_t step, size_t count, uint8_t flip, uint8_t *to);
  int32_t shift[2];  /* what is added to each unsigned byte of x, to each signed one */
  size_t words;      /* that four weights of an output take: 1, four bytes, or 2, four numbers of 16 bits */
  int32_t low, high; /* what a weight may be; a term may come more than once */
};

#endif
