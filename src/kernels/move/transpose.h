/* transpose.h: a two-dimensional transpose of elements of 1, 2, 4, 8 or 16 bytes. */
#ifndef ONRI_TRANSPOSE_H
#define ONRI_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>

/* y[a][b] = x[b][a] for a < num_a, b < num_b. x is contiguous along a, y along b; x_stride is from one b to the next,
 * y_stride from one a to the next, in bytes. */
struct onri_transpose {
  const char *x;
  char *y;
  ptrdiff_t x_stride, y_stride;
  size_t num_a, num_b;
};

/* Blocks in another order: word i of each in y, of 4 bytes, is word index[i] of that in x. Steps in bytes. */
enum { ONRI_PERMUTED_WORDS = 64 };
struct onri_permutation {
  const int32_t *index;
  size_t words, count;
  const char *x;
  char *y;
  ptrdiff_t x_step, y_step;
};

/* Blocks of `bytes` each, copied as they are. Steps in bytes. */
struct onri_blocks {
  const char *x;
  char *y;
  ptrdiff_t x_step, y_step;
  size_t bytes, count;
};

enum { ONRI_TRANSPOSE_FEW = 8 };

/* size: bytes of an element, 1 to 16. NULL where vectors have no permutation for it. */
struct onri_transpose_kernels {
  /* For num_a from 2 to FEW, and x_stride = num_a elements. Returns how many b are done, all or but for the last few.
   */
  size_t (*separate)(const struct onri_transpose *t, size_t size);
  /* For num_b from 2 to 4, and y_stride = num_b elements. Returns how many a are done. */
  size_t (*interleave)(const struct onri_transpose *t, size_t size);
  /* Of 1 or 2 bytes. 0: they are too few, and nothing is done. */
  int (*stacks)(const struct onri_transpose *t, size_t size);
  void (*squares_of_4_bytes)(const struct onri_transpose *t);
  void (*squares_of_8_bytes)(const struct onri_transpose *t);
  void (*permute)(const struct onri_permutation *permutation);
  /* 0: they are not of a size for which this is faster than memcpy, and nothing is done. */
  int (*blocks)(const struct onri_blocks *blocks);
  size_t permuted_words; /* the most that permute takes; 0: it is no faster than loops */
};

void onri_transpose(const struct onri_transpose *t, size_t size);
void onri_transpose_8(const struct onri_transpose *t);
void onri_transpose_16(const struct onri_transpose *t);
void onri_transpose_32(const struct onri_transpose *t);
void onri_transpose_64(const struct onri_transpose *t);
void onri_transpose_128(const struct onri_transpose *t);

#endif
