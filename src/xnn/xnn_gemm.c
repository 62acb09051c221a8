/* xnn_gemm.c: see xnn_gemm.h. */
#include "xnn/xnn_gemm.h"

#include <math.h>

#include "base/numbers/checked.h"
#include "xnn/core.h"

static const char linear_name[] = "fully connected operator";
static const char matmul_name[] = "matrix product";
static const char softmax_name[] = "softmax";

/* XNNPACK multiplies sizes without looking. */
static int product_fits(const size_t *sizes, size_t count) {
  size_t product = 1;
  for (size_t i = 0; i < count; i++)
    if (sizes[i] == 0 || !onri_mul_size(product, sizes[i], &product) || product >= (size_t)ONRI_XNN_MAX) return 0;
  return 1;
}

static enum onr_status supported(int fits) { return fits ? ONR_STATUS_OK : ONR_STATUS_UNSUPPORTED; }

/* Rows of the products of one NaN: enough for the kernel of one row and for that of many. */
enum { FEW = 1, MANY = 16 };

/* Memory for them: what is multiplied, with slack, and what becomes of it. */
static enum onr_status take_ones(float **ones, float **nans, float **y, size_t columns, struct onr_env *env,
                                 struct onr_error *error) {
  const size_t slack = ONR_SLACK_BYTES / sizeof(float), count = columns + MANY + 2 * slack;
  *ones = onr_env_allocate(env, (count + MANY * columns) * sizeof(float));
  if (!*ones) return onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for a product");
  *nans = *ones + columns + slack;
  *y = *ones + count;
  for (size_t i = 0; i < count; i++) (*ones)[i] = i < columns + slack ? 1 : NAN;
  return ONR_STATUS_OK;
}

static int all_nan(const float *y, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!isnan(y[i])) return 0;
  return 1;
}

/* --- fully connected --- */

enum onr_status onri_xnn_linear_check(const struct onri_xnn_linear *linear) {
  return supported(product_fits((size_t[]){linear->in, linear->out}, 2) && linear->min < linear->max);
}

static enum onr_status multiply_nan(const struct onri_xnn_linear *one, int *keeps_nan, struct onr_env *env,
                                    struct onr_error *error) {
  struct onri_xnn_packed packed = {0};
  struct xnn_operator *op = NULL;
  float *ones, *nans, *y;
  ONR_TRY(take_ones(&ones, &nans, &y, one->out, env, error));
  enum onr_status status = onri_xnn_linear_pack(&packed, one, ones, NULL, env, error);
  if (status == ONR_STATUS_OK) status = onri_xnn_linear_create(&op, &packed, one, env, error);
  *keeps_nan = 1;
  for (size_t rows = FEW; rows <= MANY && status == ONR_STATUS_OK; rows += MANY - FEW) {
    status = onri_xnn_linear_reshape(op, rows, env, error);
    if (status == ONR_STATUS_OK) status = onri_xnn_linear_setup(op, nans, y, error);
    if (status == ONR_STATUS_OK) status = onri_xnn_run(op, env, error);
    *keeps_nan = *keeps_nan && all_nan(y, rows * one->out);
  }
  onri_xnn_delete(op);
  onri_xnn_packed_release(&packed, env);
  onr_env_release(env, ones);
  return status;
}

enum onr_status onri_xnn_linear_keeps_nan(const struct onri_xnn_linear *linear, int *keeps_nan, struct onr_env *env,
                                          struct onr_error *error) {
  struct onri_xnn_linear one = *linear;
  one.in = 1;
  if (one.out > 1024) one.out = 1024; /* no kernel is wider, and it is the width that chooses */
  return multiply_nan(&one, keeps_nan, env, error);
}

enum onr_status onri_xnn_linear_pack(struct onri_xnn_packed *packed, const struct onri_xnn_linear *linear,
                                     const float *weights, const float *bias, struct onr_env *env,
                                     struct onr_error *error) {
  const uint32_t flags = linear->weight_transposed ? XNN_FLAG_TRANSPOSE_WEIGHTS : 0;
  struct onri_xnn_packing packing;
  xnn_operator_t op = NULL;
  xnn_weights_cache_t cache = onri_xnn_pack_begin(&packing, packed, env);
  const enum xnn_status status =
      xnn_create_fully_connected_nc_f32(linear->in, linear->out, linear->in, linear->out, weights, bias, linear->min,
                                        linear->max, flags, NULL, cache, &op);
  return onri_xnn_pack_end(&packing, status, op, linear_name, error);
}

enum onr_status onri_xnn_linear_create(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                       const struct onri_xnn_linear *linear, struct onr_env *env,
                                       struct onr_error *error) {
  const uint32_t flags = linear->weight_transposed ? XNN_FLAG_TRANSPOSE_WEIGHTS : 0;
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  const enum xnn_status status =
      xnn_create_fully_connected_nc_f32(linear->in, linear->out, linear->in, linear->out, packed->data, NULL,
                                        linear->min, linear->max, flags, NULL, onri_xnn_packed_cache(packed), op);
  return onri_xnn_leave(&scope, status, op, linear_name, error);
}

enum onr_status onri_xnn_linear_reshape(struct xnn_operator *op, size_t rows, struct onr_env *env,
                                        struct onr_error *error) {
  struct onri_xnn_scope scope;
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

/* B is packed, in each run, to columns of the width of a kernel (32): fewer than these take several times its memory,
 * and no less time than a kernel of ours. */
enum { LEAST_COLUMNS = 8 };

enum onr_status onri_xnn_matmul_check(const struct onri_xnn_matmul *matmul) {
  size_t a[ONRI_XNN_BATCH_DIMS + 2] = {matmul->m, matmul->k}, b[ONRI_XNN_BATCH_DIMS + 2] = {matmul->k, matmul->n};
  size_t c[ONRI_XNN_BATCH_DIMS + 2] = {matmul->m, matmul->n};
  const size_t count = matmul->num_batch_dims;
  if (count > ONRI_XNN_BATCH_DIMS || matmul->n < LEAST_COLUMNS) return ONR_STATUS_UNSUPPORTED;
  for (size_t i = 0; i < count; i++) {
    a[i + 2] = matmul->batch_a[i], b[i + 2] = matmul->batch_b[i];
    if (a[i + 2] != b[i + 2] && a[i + 2] != 1 && b[i + 2] != 1) return ONR_STATUS_UNSUPPORTED;
    c[i + 2] = a[i + 2] > b[i + 2] ? a[i + 2] : b[i + 2];
  }
  return supported(product_fits(a, count + 2) && product_fits(b, count + 2) && product_fits(c, count + 2));
}

static enum onr_status multiply_nans(size_t rows, int *keeps_nan, struct onr_env *env, struct onr_error *error) {
  const struct onri_xnn_matmul matmul = {.m = rows, .n = LEAST_COLUMNS, .k = 1};
  struct xnn_operator *op = NULL;
  float *ones, *nans, *y;
  void *workspace = NULL;
  size_t bytes = 0;
  ONR_TRY(take_ones(&ones, &nans, &y, LEAST_COLUMNS, env, error));
  enum onr_status status = onri_xnn_matmul_create(&op, &matmul, env, error);
  if (status == ONR_STATUS_OK) status = onri_xnn_matmul_reshape(op, &matmul, &bytes, env, error);
  if (status == ONR_STATUS_OK) {
    workspace = onr_env_allocate(env, bytes + ONR_SLACK_BYTES);
    status = workspace ? onri_xnn_matmul_setup(op, workspace, nans, ones, y, error)
                       : onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for a product");
  }
  if (status == ONR_STATUS_OK) status = onri_xnn_run(op, env, error);
  if (status == ONR_STATUS_OK) *keeps_nan = all_nan(y, rows * LEAST_COLUMNS);
  onri_xnn_delete(op);
  onr_env_release(env, workspace);
  onr_env_release(env, ones);
  return status;
}

enum onr_status onri_xnn_matmul_keeps_nan(int *keeps_nan, struct onr_env *env, struct onr_error *error) {
  int few = 0, many = 0;
  ONR_TRY(multiply_nans(FEW, &few, env, error));
  ONR_TRY(multiply_nans(MANY, &many, env, error));
  *keeps_nan = few && many;
  return ONR_STATUS_OK;
}

enum onr_status onri_xnn_matmul_create(struct xnn_operator **op, const struct onri_xnn_matmul *matmul,
                                       struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  const enum xnn_status status =
      xnn_create_batch_matrix_multiply_nc_f32(matmul->transpose_b ? XNN_FLAG_TRANSPOSE_B : 0, op);
  return onri_xnn_leave(&scope, status, op, matmul_name, error);
}

enum onr_status onri_xnn_matmul_reshape(struct xnn_operator *op, const struct onri_xnn_matmul *matmul,
                                        size_t *workspace_bytes, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  size_t alignment = 0;
  onri_xnn_enter(&scope, env);
  const enum xnn_status status = xnn_reshape_batch_matrix_multiply_nc_f32(
      op, matmul->num_batch_dims, matmul->batch_a, matmul->batch_b, matmul->m, matmul->k, matmul->n, workspace_bytes,
      &alignment, onri_threads_pool(env->threads));
  return onri_xnn_leave(&scope, status, NULL, matmul_name, error);
}

enum onr_status onri_xnn_matmul_setup(struct xnn_operator *op, void *workspace, const float *a, const float *b,
                                      float *c, struct onr_error *error) {
  return setup_done(xnn_setup_batch_matrix_multiply_nc_f32(op, workspace, a, b, c), matmul_name, error);
}

/* --- rows --- */

static enum onr_status make_rows(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                 const struct onri_xnn_linear *linear, size_t rows, struct onr_env *env,
                                 struct onr_error *error) {
  ONR_TRY(onri_xnn_linear_create(op, packed, linear, env, error));
  return onri_xnn_linear_reshape(*op, rows, env, error);
}

enum onr_status onri_xnn_rows_plan(struct onri_xnn_rows *r, const struct onri_xnn_packed *packed,
                                   const struct onri_xnn_linear *linear, size_t rows, struct onr_env *env,
                                   struct onr_error *error) {
  *r = (struct onri_xnn_rows){.all = rows,
                              .at_once = onri_xnn_rows_at_once(rows, linear->out, linear->in, env),
                              .in = linear->in,
                              .out = linear->out};
  ONR_TRY(make_rows(&r->op, packed, linear, r->at_once, env, error));
  return rows % r->at_once ? make_rows(&r->rest, packed, linear, rows % r->at_once, env, error) : ONR_STATUS_OK;
}

enum onr_status onri_xnn_rows_run(const struct onri_xnn_rows *r, const float *x, float *y, struct onr_env *env,
                                  struct onr_error *error) {
  for (size_t row = 0; row < r->all && !onr_env_cancelled(env); row += r->at_once) {
    struct xnn_operator *op = r->all - row < r->at_once ? r->rest : r->op;
    ONR_TRY(onri_xnn_linear_setup(op, x + row * r->in, y + row * r->out, error));
    ONR_TRY(onri_xnn_run(op, env, error));
  }
  return ONR_STATUS_OK;
}

/* --- softmax --- */

/* An operator runs to its end, whatever the cancel flag says. More than this takes longer than some 20 ms, and our own
 * kernels, which look at the flag, are as fast. */
#define MOST_SOFTMAX ((size_t)1 << 23)

enum onr_status onri_xnn_softmax_check(size_t rows, size_t channels) {
  return supported(product_fits((size_t[]){rows, channels}, 2) && rows * channels <= MOST_SOFTMAX);
}

enum onr_status onri_xnn_softmax_create(struct xnn_operator **op, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  const enum xnn_status status = xnn_create_softmax_nc_f32(0, op);
  return onri_xnn_leave(&scope, status, op, softmax_name, error);
}

enum onr_status onri_xnn_softmax_reshape(struct xnn_operator *op, size_t rows, size_t channels, struct onr_env *env,
                                         struct onr_error *error) {
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  const enum xnn_status status =
      xnn_reshape_softmax_nc_f32(op, channels, channels, channels, rows, onri_threads_pool(env->threads));
  return onri_xnn_leave(&scope, status, NULL, softmax_name, error);
}

enum onr_status onri_xnn_softmax_setup(struct xnn_operator *op, const float *x, float *y, struct onr_error *error) {
  return setup_done(xnn_setup_softmax_nc_f32(op, x, y), softmax_name, error);
}
