/* xnn_gemm.h: XNNPACK's float32 matrix products: by packed weights, and of two run-time operands. */
#ifndef ONRI_XNN_GEMM_H
#define ONRI_XNN_GEMM_H

#include "xnn/xnn.h"

struct onri_xnn_linear {
  size_t in, out;        /* both > 0 */
  int weight_transposed; /* W is [in, out] instead of [out, in] */
  float min, max;        /* results are cut to it; -INFINITY and INFINITY for none; min < max */
};

/* W (in * out values) and bias (out values, NULL: none) are not read after this. */
ONRI_XNN(onri_xnn_linear_pack(struct onri_xnn_packed *packed, const struct onri_xnn_linear *linear, const float *weights,
                              const float *bias, struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_linear_create(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                const struct onri_xnn_linear *linear, struct onr_env *env, struct onr_error *error))
/* For x [rows, in] and y [rows, out]; rows > 0. */
ONRI_XNN(onri_xnn_linear_reshape(struct xnn_operator *op, size_t rows, struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_linear_setup(struct xnn_operator *op, const float *x, float *y, struct onr_error *error))

/* C [batch..., m, n] = A [batch..., m, k] B [batch..., k, n] (or [batch..., n, k] with transpose_b). */
struct onri_xnn_matmul {
  size_t m, n, k; /* all > 0 */
  int transpose_b;
  size_t num_batch_dims;             /* at most 6 */
  size_t batch_a[6], batch_b[6];     /* equal, or 1 in one of them; all > 0 */
};
ONRI_XNN(onri_xnn_matmul_create(struct xnn_operator **op, const struct onri_xnn_matmul *matmul, struct onr_env *env,
                                struct onr_error *error))
/* *workspace_bytes: memory that setup wants. */
ONRI_XNN(onri_xnn_matmul_reshape(struct xnn_operator *op, const struct onri_xnn_matmul *matmul, size_t *workspace_bytes,
                                 struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_matmul_setup(struct xnn_operator *op, void *workspace, const float *a, const float *b, float *c,
                               struct onr_error *error))

/* Softmax of each row of x [rows, channels]. */
ONRI_XNN(onri_xnn_softmax_create(struct xnn_operator **op, struct onr_env *env, struct onr_error *error))
ONRI_XNN(onri_xnn_softmax_reshape(struct xnn_operator *op, size_t rows, size_t channels, struct onr_env *env,
                                  struct onr_error *error))
ONRI_XNN(onri_xnn_softmax_setup(struct xnn_operator *op, const float *x, float *y, struct onr_error *error))

#endif
