/* xnn_gemm.h: XNNPACK's float32 matrix products: by packed weights, and of two run-time operands. */
#ifndef ONRI_XNN_GEMM_H
#define ONRI_XNN_GEMM_H

#include "xnn/xnn.h"

/* Each family has one check, complete in all sizes: UNSUPPORTED (and no message) where XNNPACK has no operator or would
 * go wrong. The functions behind it take for granted that it said OK.
 *
 * NaN: the kernels end in min(max(y, low), high), infinite or not, and those for SSE (which run on newer processors
 * too, for products of few columns) lose NaN there. Which kernel runs is XNNPACK's to know; so a product of one NaN is
 * made, and *keeps_nan says whether NaN came out. With an infinite clamp a lost NaN is +infinity. */

struct onri_xnn_linear {
  size_t in, out;
  int weight_transposed; /* W is [in, out] instead of [out, in] */
  float min, max;        /* results are cut to it; -INFINITY and INFINITY for none */
};

ONRI_XNN(onri_xnn_linear_check(const struct onri_xnn_linear *linear))
ONRI_XNN(onri_xnn_linear_keeps_nan(const struct onri_xnn_linear *linear, int *keeps_nan, struct onr_env *env,
                                   struct onr_error *error))
/* W (in * out values) and bias (out values, NULL: none) are not read after this. */
ONRI_XNN(onri_xnn_linear_pack(struct onri_xnn_packed *packed, const struct onri_xnn_linear *linear,
                              const float *weights, const float *bias, struct onr_env *env, struct onr_error *error))
/* For x [rows, in] and y [rows, out]; 0 < rows. */
ONRI_XNN(onri_xnn_linear_plan(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                              const struct onri_xnn_linear *linear, size_t rows, struct onr_env *env,
                              struct onr_error *error))
ONRI_XNN(onri_xnn_linear_run(struct xnn_operator *op, const float *x, float *y, struct onr_env *env,
                             struct onr_error *error))

/* Any number of rows, in pieces that look at the cancel flag in between. */
struct onri_xnn_rows {
  struct xnn_operator *op, *rest; /* rest: for what is left over, or NULL */
  size_t all, at_once, in, out;
};
ONRI_XNN(onri_xnn_rows_plan(struct onri_xnn_rows *r, const struct onri_xnn_packed *packed,
                            const struct onri_xnn_linear *linear, size_t rows, struct onr_env *env,
                            struct onr_error *error))
ONRI_XNN(onri_xnn_rows_run(const struct onri_xnn_rows *r, const float *x, float *y, struct onr_env *env,
                           struct onr_error *error))
static inline void onri_xnn_rows_release(struct onri_xnn_rows *r) {
  onri_xnn_delete(r->op);
  onri_xnn_delete(r->rest);
  r->op = r->rest = NULL;
}

enum { ONRI_XNN_BATCH_DIMS = 6 };

/* C [batch..., m, n] = A [batch..., m, k] B [batch..., k, n] (or [batch..., n, k] with transpose_b). */
struct onri_xnn_matmul {
  size_t m, n, k;
  int transpose_b;
  size_t num_batch_dims;                                             /* at most ONRI_XNN_BATCH_DIMS */
  size_t batch_a[ONRI_XNN_BATCH_DIMS], batch_b[ONRI_XNN_BATCH_DIMS]; /* equal, or 1 in one of them */
};
ONRI_XNN(onri_xnn_matmul_check(const struct onri_xnn_matmul *matmul))
ONRI_XNN(onri_xnn_matmul_keeps_nan(int *keeps_nan, struct onr_env *env, struct onr_error *error))
/* *scratch_bytes: memory that run wants. */
ONRI_XNN(onri_xnn_matmul_plan(struct xnn_operator **op, const struct onri_xnn_matmul *matmul, size_t *scratch_bytes,
                              struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_matmul_run(struct xnn_operator *op, void *scratch, const float *a, const float *b, float *c,
                             struct onr_env *env, struct onr_error *error))

#endif
