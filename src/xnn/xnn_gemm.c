/* xnn_gemm.c: see xnn_gemm.h. */
#include "xnn/xnn_gemm.h"

#include <math.h>

#include "xnn/core.h"

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

struct linear {
  struct onri_xnn_linear of;
  size_t rows;
};

static enum xnn_status create_linear(const void *spec, const void *weights, const void *bias,
                                     struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  const struct onri_xnn_linear *l = &((const struct linear *)spec)->of;
  return xnn_create_fully_connected_nc_f32(l->in, l->out, l->in, l->out, weights, bias, l->min, l->max,
                                           l->weight_transposed ? XNN_FLAG_TRANSPOSE_WEIGHTS : 0, NULL, cache, op);
}

static enum xnn_status reshape_linear(struct xnn_operator *op, const void *spec, size_t *scratch_bytes,
                                      struct pthreadpool *threads) {
  (void)scratch_bytes;
  return xnn_reshape_fully_connected_nc_f32(op, ((const struct linear *)spec)->rows, threads);
}

static enum xnn_status setup_linear(struct xnn_operator *op, const struct onri_xnn_pointers *at) {
  return xnn_setup_fully_connected_nc_f32(op, at->a, at->y);
}

static const struct onri_xnn_family linear_family = {
    "fully connected operator", create_linear, reshape_linear, setup_linear, NULL, NULL, 0};

enum onr_status onri_xnn_linear_check(const struct onri_xnn_linear *linear) {
  if (!(linear->min < linear->max)) return ONR_STATUS_UNSUPPORTED;
  return onri_xnn_sizes_check((size_t[]){linear->in, linear->out}, 2);
}

static enum onr_status multiply_nan(const struct onri_xnn_linear *one, int *keeps_nan, struct onr_env *env,
                                    struct onr_error *error) {
  struct onri_xnn_packed packed = {0};
  struct xnn_operator *op = NULL;
  float *ones, *nans, *y;
  ONR_TRY(take_ones(&ones, &nans, &y, one->out, env, error));
  enum onr_status status = onri_xnn_linear_pack(&packed, one, ones, NULL, env, error);
  *keeps_nan = 1;
  for (size_t rows = FEW; rows <= MANY && status == ONR_STATUS_OK; rows += MANY - FEW) {
    status = onri_xnn_linear_plan(&op, &packed, one, rows, env, error);
    if (status == ONR_STATUS_OK) status = onri_xnn_linear_run(op, nans, y, env, error);
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
  return onri_xnn_pack(&linear_family, packed, &(struct linear){*linear, 0}, weights, bias, env, error);
}

enum onr_status onri_xnn_linear_plan(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                     const struct onri_xnn_linear *linear, size_t rows, struct onr_env *env,
                                     struct onr_error *error) {
  size_t none;
  return onri_xnn_plan(&linear_family, op, packed, &(struct linear){*linear, rows}, 0, &none, env, error);
}

enum onr_status onri_xnn_linear_run(struct xnn_operator *op, const float *x, float *y, struct onr_env *env,
                                    struct onr_error *error) {
  return onri_xnn_run(&linear_family, op, &(struct onri_xnn_pointers){.a = x, .y = y}, env, error);
}

/* --- two run-time operands --- */

static enum xnn_status create_matmul(const void *spec, const void *weights, const void *bias,
                                     struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  const struct onri_xnn_matmul *m = spec;
  (void)weights, (void)bias, (void)cache;
  return xnn_create_batch_matrix_multiply_nc_f32(m->transpose_b ? XNN_FLAG_TRANSPOSE_B : 0, op);
}

static enum xnn_status reshape_matmul(struct xnn_operator *op, const void *spec, size_t *scratch_bytes,
                                      struct pthreadpool *threads) {
  const struct onri_xnn_matmul *m = spec;
  size_t alignment = 0;
  return xnn_reshape_batch_matrix_multiply_nc_f32(op, m->num_batch_dims, m->batch_a, m->batch_b, m->m, m->k, m->n,
                                                  scratch_bytes, &alignment, threads);
}

static enum xnn_status setup_matmul(struct xnn_operator *op, const struct onri_xnn_pointers *at) {
  return xnn_setup_batch_matrix_multiply_nc_f32(op, at->scratch, at->a, at->b, at->y);
}

static const struct onri_xnn_family matmul_family = {
    "matrix product", create_matmul, reshape_matmul, setup_matmul, NULL, NULL, 0};

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
  ONR_TRY(onri_xnn_sizes_check(a, count + 2));
  ONR_TRY(onri_xnn_sizes_check(b, count + 2));
  return onri_xnn_sizes_check(c, count + 2);
}

static enum onr_status multiply_nans(size_t rows, int *keeps_nan, struct onr_env *env, struct onr_error *error) {
  const struct onri_xnn_matmul matmul = {.m = rows, .n = LEAST_COLUMNS, .k = 1};
  struct xnn_operator *op = NULL;
  float *ones, *nans, *y;
  void *workspace = NULL;
  size_t bytes = 0;
  ONR_TRY(take_ones(&ones, &nans, &y, LEAST_COLUMNS, env, error));
  enum onr_status status = onri_xnn_matmul_plan(&op, &matmul, &bytes, env, error);
  if (status == ONR_STATUS_OK) {
    workspace = onr_env_allocate(env, bytes + ONR_SLACK_BYTES);
    status = workspace ? onri_xnn_matmul_run(op, workspace, nans, ones, y, env, error)
                       : onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for a product");
  }
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

enum onr_status onri_xnn_matmul_plan(struct xnn_operator **op, const struct onri_xnn_matmul *matmul,
                                     size_t *scratch_bytes, struct onr_env *env, struct onr_error *error) {
  return onri_xnn_plan(&matmul_family, op, NULL, matmul, 0, scratch_bytes, env, error);
}

enum onr_status onri_xnn_matmul_run(struct xnn_operator *op, void *scratch, const float *a, const float *b, float *c,
                                    struct onr_env *env, struct onr_error *error) {
  return onri_xnn_run(&matmul_family, op, &(struct onri_xnn_pointers){scratch, a, b, c}, env, error);
}

/* --- rows --- */

enum onr_status onri_xnn_rows_plan(struct onri_xnn_rows *r, const struct onri_xnn_packed *packed,
                                   const struct onri_xnn_linear *linear, size_t rows, struct onr_env *env,
                                   struct onr_error *error) {
  *r = (struct onri_xnn_rows){.all = rows,
                              .at_once = onri_xnn_rows_at_once(rows, linear->out, linear->in, env),
                              .in = linear->in,
                              .out = linear->out};
  ONR_TRY(onri_xnn_linear_plan(&r->op, packed, linear, r->at_once, env, error));
  return rows % r->at_once ? onri_xnn_linear_plan(&r->rest, packed, linear, rows % r->at_once, env, error)
                           : ONR_STATUS_OK;
}

enum onr_status onri_xnn_rows_run(const struct onri_xnn_rows *r, const float *x, float *y, struct onr_env *env,
                                  struct onr_error *error) {
  for (size_t row = 0; row < r->all && !onr_env_cancelled(env); row += r->at_once) {
    struct xnn_operator *op = r->all - row < r->at_once ? r->rest : r->op;
    ONR_TRY(onri_xnn_linear_run(op, x + row * r->in, y + row * r->out, env, error));
  }
  return ONR_STATUS_OK;
}
