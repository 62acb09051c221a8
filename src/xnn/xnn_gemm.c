/* xnn_gemm.c: see xnn_gemm.h. */
#include "xnn/xnn_gemm.h"

#include "base/checked.h"
#include "xnn/core.h"

static const char linear_name[] = "fully connected operator";
static const char matmul_name[] = "matrix product";
static const char softmax_name[] = "softmax";

/* XNNPACK multiplies sizes without looking. */
static enum onr_status expect_product(const size_t *sizes, size_t count, const char *what, struct onr_error *error) {
  size_t product = 1;
  for (size_t i = 0; i < count; i++)
    if (!onri_mul_size(product, sizes[i], &product) || product >= (size_t)ONRI_XNN_MAX)
      return onr_fail(error, ONR_STATUS_UNSUPPORTED, "XNNPACK's %s takes operands of fewer than 2^31 elements", what);
  return ONR_STATUS_OK;
}

/* --- fully connected --- */

enum onr_status onri_xnn_linear_pack(struct onri_xnn_packed *packed, const struct onri_xnn_linear *linear,
                                     const float *weights, const float *bias, struct onr_env *env, struct onr_error *error) {
  const uint32_t flags = linear->weight_transposed ? XNN_FLAG_TRANSPOSE_WEIGHTS : 0;
  struct onri_xnn_packing packing;
  xnn_operator_t op = NULL;
  ONR_TRY(expect_product((size_t[]){linear->in, linear->out}, 2, linear_name, error));
  xnn_weights_cache_t cache = onri_xnn_pack_begin(&packing, packed, env);
  const enum xnn_status status =
      xnn_create_fully_connected_nc_f32(linear->in, linear->out, linear->in, linear->out, weights, bias, linear->min,
                                        linear->max, flags, NULL, cache, &op);
  return onri_xnn_pack_end(&packing, status, op, linear_name, error);
}

enum onr_status onri_xnn_linear_create(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                       const struct onri_xnn_linear *linear, struct onr_env *env, struct onr_error *error) {
  const uint32_t flags = linear->weight_transposed ? XNN_FLAG_TRANSPOSE_WEIGHTS : 0;
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  const enum xnn_status status =
      xnn_create_fully_connected_nc_f32(linear->in, linear->out, linear->in, linear->out, packed->data, NULL, linear->min,
                                        linear->max, flags, NULL, onri_xnn_packed_cache(packed), op);
  return onri_xnn_leave(&scope, status, op, linear_name, error);
}

enum onr_status onri_xnn_linear_reshape(struct xnn_operator *op, size_t rows, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  ONR_TRY(expect_product(&rows, 1, linear_name, error));
  onri_xnn_enter(&scope, env);
  const enum xnn_status status = xnn_reshape_fully_connected_nc_f32(op, rows, onri_threads_pool(env->threads));
  return onri_xnn_leave(&scope, status, NULL, linear_name, error);
}

static enum onr_status setup_done(enum xnn_status status, const char *what, struct onr_error *error) {
  if (status == xnn_status_success) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's %s refused its pointers with status %d", what, (int)status);
}

enum onr_status onri_xnn_linear_setup(struct xnn_operator *op, const float *x, float *y, struct onr_error *error) {
  return setup_done(xnn_setup_fully_connected_nc_f32(op, x, y), linear_name, error);
}

/* --- two run-time operands --- */

enum onr_status onri_xnn_matmul_create(struct xnn_operator **op, const struct onri_xnn_matmul *matmul, struct onr_env *env,
                                       struct onr_error *error) {
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  const enum xnn_status status =
      xnn_create_batch_matrix_multiply_nc_f32(matmul->transpose_b ? XNN_FLAG_TRANSPOSE_B : 0, op);
  return onri_xnn_leave(&scope, status, op, matmul_name, error);
}

enum onr_status onri_xnn_matmul_reshape(struct xnn_operator *op, const struct onri_xnn_matmul *matmul,
                                        size_t *workspace_bytes, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  size_t alignment = 0, batch_a = 1, batch_b = 1;
  for (size_t i = 0; i < matmul->num_batch_dims; i++)
    if (!onri_mul_size(batch_a, matmul->batch_a[i], &batch_a) || !onri_mul_size(batch_b, matmul->batch_b[i], &batch_b))
      batch_a = batch_b = SIZE_MAX;
  ONR_TRY(expect_product((size_t[]){matmul->m, matmul->k, batch_a}, 3, matmul_name, error));
  ONR_TRY(expect_product((size_t[]){matmul->k, matmul->n, batch_b}, 3, matmul_name, error));
  ONR_TRY(expect_product((size_t[]){matmul->m, matmul->n}, 2, matmul_name, error));
  onri_xnn_enter(&scope, env);
  const enum xnn_status status = xnn_reshape_batch_matrix_multiply_nc_f32(
      op, matmul->num_batch_dims, matmul->batch_a, matmul->batch_b, matmul->m, matmul->k, matmul->n, workspace_bytes,
      &alignment, onri_threads_pool(env->threads));
  return onri_xnn_leave(&scope, status, NULL, matmul_name, error);
}

enum onr_status onri_xnn_matmul_setup(struct xnn_operator *op, void *workspace, const float *a, const float *b, float *c,
                                      struct onr_error *error) {
  return setup_done(xnn_setup_batch_matrix_multiply_nc_f32(op, workspace, a, b, c), matmul_name, error);
}

/* --- softmax --- */

enum onr_status onri_xnn_softmax_create(struct xnn_operator **op, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  const enum xnn_status status = xnn_create_softmax_nc_f32(0, op);
  return onri_xnn_leave(&scope, status, op, softmax_name, error);
}

enum onr_status onri_xnn_softmax_reshape(struct xnn_operator *op, size_t rows, size_t channels, struct onr_env *env,
                                         struct onr_error *error) {
  struct onri_xnn_scope scope;
  ONR_TRY(expect_product((size_t[]){rows, channels}, 2, softmax_name, error));
  onri_xnn_enter(&scope, env);
  const enum xnn_status status =
      xnn_reshape_softmax_nc_f32(op, channels, channels, channels, rows, onri_threads_pool(env->threads));
  return onri_xnn_leave(&scope, status, NULL, softmax_name, error);
}

enum onr_status onri_xnn_softmax_setup(struct xnn_operator *op, const float *x, float *y, struct onr_error *error) {
  return setup_done(xnn_setup_softmax_nc_f32(op, x, y), softmax_name, error);
}
