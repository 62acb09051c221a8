/* half_product.h: products with a constant B in arithmetic of float16, for precision = fast, where the processor has
 * it: twice the rate of float32, and half of its bytes.
 *
 * The depth is cut into slices. Of each, every row of A and every column of B is scaled by a power of two, so that its
 * largest finite number is of the order of 10, and rounded to float16; nothing overflows then, whatever the numbers
 * are. Sums of up to ONRI_HALF_TERMS products are float16, the sum of these, and all that is behind it, is float32. So
 *
 *   |error| <= (ONRI_HALF_TERMS + 2) 2^-11 sum |a b| + k 2^-26 max |a| max |b|
 *
 * and, as errors are of both signs, some 0.0012 sqrt(sum (a b)^2) mostly. The same bits for any number of threads, and
 * of rows. */
#ifndef ONRI_HALF_PRODUCT_H
#define ONRI_HALF_PRODUCT_H

#include "kernels/matmul/gemm.h"

enum {
  ONRI_HALF_DEPTH = 512,                  /* terms of a slice */
  ONRI_HALF_TERMS = 64,                   /* of which so many are added up in float16 */
  ONRI_HALF_PITCH = ONRI_HALF_DEPTH + 16, /* from one packed row of A to the next; no power of two */
  ONRI_HALF_ROWS = 14,                    /* the most rows of a tile */
};

/* Some rows of A by panels of B, one slice of depth. */
struct onri_half_slice {
  size_t rows, columns, depth;
  const uint32_t *a;     /* [rows][ONRI_HALF_PITCH], each number twice */
  const float *a_scales; /* [rows] */
  const char *b;         /* panels: float [columns] scales, and [depth][columns] of float16 */
  float *c;
  size_t c_row;
  int accumulate;
};

/* What a level has. */
struct onri_half_product_kernels {
  size_t rows, columns; /* of a tile; 0: no arithmetic of float16 */
  /* The largest finite number of each column so far, by its bits; floats: a panel of onri_sgemm_kernels. */
  void (*measure)(const float *floats, size_t depth, int32_t *sizes);
  /* Terms [from, from + depth) of half of a panel of B, the first (0) or the second one (1). */
  void (*pack_half)(const float *floats, size_t from, size_t depth, size_t half, const int32_t *sizes, void *packed);
  void (*pack_rows)(const float *a, size_t a_row, size_t a_col, size_t rows, size_t depth, uint32_t *packed,
                    float *scales);
  void (*multiply)(const struct onri_half_slice *slice);
};

/* ONRI_HALF_LEVELS: whether a level that is compiled has this arithmetic (cmake/library.cmake says so to who asks).
 * NULL: products of [m, k] by [k, n] are computed so; else in a few words why not. */
const char *onri_half_product_why_not(size_t n, size_t k);

/* Bytes of packed B [k, n]; SIZE_MAX where there are too many. */
size_t onri_half_product_packed_bytes(size_t n, size_t k);
/* On all threads. */
void onri_half_product_pack(const float *b, size_t b_row, size_t b_col, size_t n, size_t k, void *packed,
                            struct onr_env *env);

struct onri_half_product {
  struct onri_gemm gemm; /* b is not looked at */
  const void *packed;
  /* Terms [from, from + depth) of a row of A; NULL: A is as gemm says. */
  void (*gather)(const void *context, size_t row, size_t from, size_t depth, float *to);
  const void *context;
};
/* On all threads; ends early when env is cancelled. */
void onri_half_product(const struct onri_half_product *product, struct onr_env *env);

#endif
