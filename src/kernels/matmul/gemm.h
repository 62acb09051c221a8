/* gemm.h: portable matrix product of any strides: C = tail(clamp(alpha A B + beta bias + residual)). */
#ifndef ONRI_GEMM_H
#define ONRI_GEMM_H

#include "base/numbers/convert.h"
#include "onnxrun/layer.h"

/* Sizes and strides in elements of one class. C's columns are contiguous. */
struct onri_gemm {
  size_t m, n, k;
  const void *a; /* [m, k] */
  size_t a_row, a_col;
  const void *b; /* [k, n] */
  size_t b_row, b_col;
  void *c; /* [m, n] */
  size_t c_row;
  const void *bias; /* [m, n] through strides that may be 0; NULL: none */
  size_t bias_row, bias_col;
  double alpha, beta;
  int accumulate; /* the product is added to what C holds */
  int clamp;
  double min, max;
  const void *residual; /* laid out as C, apart from it; NULL: none. Not for integers, as the tail */
  void (*tail)(const void *context, void *c, size_t count); /* NULL: none. Applied to parts of C */
  const void *tail_context;
};

/* On the calling thread. Each element's sum runs over k in one order, whatever m, n or the tile are. The integer
 * classes wrap around. */
void onri_gemm(enum onri_class c, const struct onri_gemm *gemm);

/* The same for a sum of any length, which ends early when env is cancelled: long ones are made of pieces that are
 * added. */
void onri_gemm_long(enum onri_class c, const struct onri_gemm *gemm, const struct onr_env *env);

/* The part of it behind the product. */
void onri_gemm_finish(enum onri_class c, const struct onri_gemm *gemm);
static inline int onri_gemm_is_sum(const struct onri_gemm *gemm) { /* but for its tail */
  return gemm->alpha == 1.0 && !gemm->bias && !gemm->clamp && !gemm->residual;
}
static inline int onri_gemm_is_plain(const struct onri_gemm *gemm) { return onri_gemm_is_sum(gemm) && !gemm->tail; }

/* The part [row, row + rows) x [column, column + columns) of a product, as a product. */
struct onri_gemm onri_gemm_part(enum onri_class c, const struct onri_gemm *gemm, size_t row, size_t rows, size_t column,
                                size_t columns);

#endif
