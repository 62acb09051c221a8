/* nbits.h: the product of float32 rows with a weight of 2, 4 or 8 bits an element, whose columns have a scale and a
 * zero point for each block of depth: C = A B + bias, B[k][n] = (q[k][n] - zero[k / block][n]) scale[k / block][n].
 *
 * B stays as narrow as it is. Rows of A are multiplied as they are, in float32; or in bytes, with a scale for each
 * block of a row, which integers multiply exactly. The same bits for any number of threads. */
#ifndef ONRI_NBITS_H
#define ONRI_NBITS_H

#include "kernels/matmul/gemm.h"

enum onri_nbits_zeros {
  ONRI_NBITS_MIDDLE, /* 2^(bits - 1) */
  ONRI_NBITS_BYTES,  /* uint8 */
  ONRI_NBITS_REALS   /* of the scales' type */
};

struct onri_nbits {
  size_t n, k, block; /* block: a power of 2, at least 16 */
  int bits;
  enum onr_dtype real; /* of scales: float32, float16, bfloat16 */
  enum onri_nbits_zeros zeros;
};

/* B as it lies in files: a row for each column of B, of whole blocks, the lowest bits of a byte first. */
struct onri_nbits_source {
  const uint8_t *values, *packed_zeros; /* packed_zeros: in bits, too, each row of them begins in a byte */
  const void *scales, *real_zeros;      /* [n][blocks] */
};

static inline size_t onri_nbits_blocks(const struct onri_nbits *w) { return w->k / w->block + (w->k % w->block != 0); }
/* Bytes of B packed, SIZE_MAX when they do not fit. */
size_t onri_nbits_packed_bytes(const struct onri_nbits *w);
/* On all threads. */
void onri_nbits_pack(const struct onri_nbits *w, const struct onri_nbits_source *from, void *packed,
                     struct onr_env *env);

struct onri_nbits_product {
  struct onri_nbits weight;
  const void *packed;
  const int32_t *group; /* [k] the block of each row of B, in range; NULL: in order */
  int in_bytes;         /* A is quantised; not with group, nor with blocks of more than ONRI_NBITS_BYTES_BLOCK */
  size_t m;
  const float *a;    /* [m, k] */
  const float *bias; /* [n], or NULL */
  float *c;          /* [m, n] */
};
enum { ONRI_NBITS_BYTES_BLOCK = 1 << 14 }; /* sums of products stay in 32 bits */
/* 64-byte aligned. SIZE_MAX when it does not fit. a, bias and c are not looked at. */
size_t onri_nbits_scratch_bytes(const struct onri_nbits_product *p);
/* Ends early when env is cancelled. */
void onri_nbits_run(const struct onri_nbits_product *p, void *scratch, struct onr_env *env);

#endif
