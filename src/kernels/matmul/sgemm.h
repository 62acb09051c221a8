/* sgemm.h: the float32 matrix product in vectors, on all threads: the same bits for any number of them.
 *
 * B is cut into panels of columns and slices of depth, and packed in the order in which it is read: once, where it is
 * constant, or by each part of the product. Each element is the sum, in order, of sums over ONRI_SGEMM_DEPTH terms in
 * order, in onri_sgemm over ONRI_SGEMM_SHORT, whatever the sizes are; but for one row by columns that are contiguous
 * and for few columns, where these are sums of sums, too. */
#ifndef ONRI_SGEMM_H
#define ONRI_SGEMM_H

#include "base/only.h"
#include "kernels/matmul/gemm.h"

/* Terms of a slice: what 14 rows of A take of them stays in the first cache. A panel of a short one is held on the
 * stack. */
enum { ONRI_SGEMM_DEPTH = 512, ONRI_SGEMM_SHORT = 256 };

/* Part of a product: one slice of depth. Distances in elements. B is packed by `pack` (b_row 0), or by `pack_vector`
 * (padded), or has contiguous columns (b_col 1 or 0), or, for one row of A, contiguous rows as columns: b_row 1. */
struct onri_sgemm_slice {
  size_t rows, columns, depth; /* depth: at most ONRI_SGEMM_DEPTH */
  const float *a;
  size_t a_row, a_col;
  const void *b; /* floats, or panels of `narrow` */
  size_t b_row, b_col;
  int padded;            /* rows of B are whole vectors */
  enum onr_dtype narrow; /* float16 or bfloat16 where panels are of that type (ONRI_PART(narrow)), else NONE */
  float *c;
  size_t c_row;
  int accumulate;
  const void *ahead; /* of `ahead_bytes`: what is multiplied next, fetched into the cache meanwhile; NULL: nothing */
  size_t ahead_bytes;
  const struct onri_gemm *finish; /* what `finish` would do with C, done before it is stored; NULL: nothing */
};

/* A product of few columns, at most half a vector: the terms of a row of A lie side by side, and so do those of a
 * column of B. Each element is a vector of sums of every so many terms, which are added at the end. */
enum {
  ONRI_SGEMM_FEW = 8 /* the most columns, and terms at a time that stay in the first cache: */,
  ONRI_SGEMM_FEW_DEPTH = 1024
};
struct onri_sgemm_few {
  size_t rows, columns, depth;
  const float *a;
  size_t a_row;
  const float *b;
  size_t b_col;
  float *c;
  size_t c_row;
  int accumulate;
};

/* What a level has. */
struct onri_sgemm_kernels {
  size_t rows, columns; /* of a tile */
  size_t vector;        /* lanes */
  /* A slice [depth, columns] of B as panels one behind the other, in onri_sgemm_slice_floats floats. */
  void (*pack)(const float *b, size_t b_row, size_t b_col, size_t depth, size_t columns, float *packed);
  /* At most a vector of columns as one: b_row is `vector` then. */
  void (*pack_vector)(const float *b, size_t b_row, size_t b_col, size_t depth, size_t columns, float *packed);
  void (*multiply)(const struct onri_sgemm_slice *slice);
  void (*multiply_few)(const struct onri_sgemm_few *few);
  /* C = clamp(alpha C + beta bias + residual), each rounded as if it were alone when alpha and beta are 1. */
  void (*finish)(const struct onri_gemm *gemm);
};

/* On the calling thread, any strides; what onri_gemm is for float32. */
void onri_sgemm(const struct onri_gemm *gemm);

/* Products of so many columns or fewer may have a way of their own (ONRI_PART(few)). */
size_t onri_sgemm_most_few(void);

/* --- constant B --- */

/* Numbers that B [k, n] takes in packed form, SIZE_MAX when too many. */
size_t onri_sgemm_packed_floats(size_t n, size_t k);
/* On all threads. */
void onri_sgemm_pack(const float *b, size_t b_row, size_t b_col, size_t n, size_t k, float *packed,
                     struct onr_env *env);
/* In float16 or bfloat16, which hold all of B: products are the same. Few rows read them as they are, for many, slices
 * are widened into the cache: 0.6 of the time with one row, 1.1 with a hundred. */
void onri_sgemm_pack_narrow(const float *b, size_t b_row, size_t b_col, size_t n, size_t k, enum onr_dtype narrow,
                            void *packed, struct onr_env *env);

/* C [rows, n] = A [rows, k] B, one row behind the other, on the calling thread. What is left of B in the cache from one
 * call to the next is used when every other call walks backwards; the sums are the same. */
void onri_sgemm_rows(const float *packed, size_t n, size_t k, const float *a, size_t rows, float *c, int backwards);

/* --- many products on all threads --- */

struct onri_sgemm_plan {
  size_t workers;            /* threads that take part */
  size_t down, across, unit; /* parts of C that they take in turn; columns are cut in whole units */
  int few;                   /* columns: see struct onri_sgemm_few */
  size_t scratch_bytes;      /* of all workers */
  size_t worker_floats;
};
/* batches: matrices. threads: that there are. */
enum onri_sgemm_b { ONRI_SGEMM_PLAIN, ONRI_SGEMM_PACKED, ONRI_SGEMM_NARROW /* packed */ };
struct onri_sgemm_plan onri_sgemm_plan(const struct onri_gemm *gemm, enum onri_sgemm_b b, size_t batches,
                                       size_t threads);

struct onri_sgemm_batch {
  struct onri_gemm gemm; /* of matrix 0; b is not looked at when there is packed */
  const void *packed;    /* by onri_sgemm_pack, or of type `narrow`; NULL: B is as gemm says */
  enum onr_dtype narrow; /* NONE: floats */
  size_t batches;
  /* Where the operands of one matrix begin, in elements from those of matrix 0. NULL: one behind the other. */
  void (*find)(const void *context, size_t batch, size_t *a_at, size_t *b_at);
  const void *context;
};
/* Ends early when env is cancelled. scratch: as the plan says, 64-byte aligned. */
void onri_sgemm_run(const struct onri_sgemm_batch *batch, const struct onri_sgemm_plan *plan, float *scratch,
                    struct onr_env *env);

#endif
