/* product.c: see product.h. */
#include "layers/matmul/product.h"

#include <math.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/memory/shared.h"
#include "base/shape.h"
#include "kernels/elementwise/vecmath.h"
#include "layers/elementwise/scratch.h"

/* --- shapes --- */

/* Rows and columns of an operand after its transposition; a vector is a row of A or a column of B. */
static void matrix_of(const struct onr_desc *x, int transpose, int is_a, int64_t *rows, int64_t *columns,
                      size_t *row_stride, size_t *column_stride) {
  if (x->rank == 1) {
    *rows = is_a ? 1 : x->dim[0];
    *columns = is_a ? x->dim[0] : 1;
    *row_stride = is_a ? (size_t)x->dim[0] : 1;
    *column_stride = 1;
    return;
  }
  const int64_t outer = x->dim[x->rank - 2], inner = x->dim[x->rank - 1];
  *rows = transpose ? inner : outer;
  *columns = transpose ? outer : inner;
  *row_stride = transpose ? 1 : (size_t)inner;
  *column_stride = transpose ? (size_t)inner : 1;
}

static struct onr_desc batch_of(const struct onr_desc *x) {
  struct onr_desc batch = *x;
  batch.rank = x->rank > 2 ? x->rank - 2 : 0;
  for (int32_t d = batch.rank; d < ONR_MAX_RANK; d++) batch.dim[d] = 0;
  return batch;
}

static enum onr_status bias_strides(const struct onr_call *call, const struct onri_product_form *form,
                                    struct onri_product *p) {
  p->has_bias = onri_has(call, 2);
  if (!p->has_bias) return ONR_STATUS_OK;
  const struct onr_desc *bias = &call->in[2];
  ONR_TRY(onri_expect_rank(call, 2, 0, form->bias_rank_max));
  const int64_t columns = bias->rank >= 1 ? bias->dim[bias->rank - 1] : 1;
  const int64_t rows = bias->rank >= 2 ? bias->dim[0] : 1;
  if ((columns != 1 && columns != (int64_t)p->n) || (rows != 1 && rows != (int64_t)p->m)) {
    char text[96];
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input 2 to broadcast to [%zu,%zu], found %s", p->m, p->n,
                    onr_desc_format(bias, text, sizeof(text)));
  }
  p->bias_col = columns == 1 ? 0 : 1;
  p->bias_row = rows == 1 ? 0 : (size_t)columns;
  return ONR_STATUS_OK;
}

/* A matrix B serves all of A at once when A's rows follow each other. */
static void fold_batch(struct onri_product *p, const struct onri_product_form *form, const struct onr_desc *b) {
  if (b->rank > 2 || form->transpose_a || p->bias_row != 0) return;
  p->m *= p->batches;
  p->batches = 1;
  p->num_batch_dims = 0;
}

static void batch_strides(const struct onr_desc *x, const struct onr_desc *batch, int64_t *strides) {
  const struct onr_desc own = batch_of(x);
  const int64_t matrix = x->rank >= 2 ? x->dim[x->rank - 1] * x->dim[x->rank - 2] : onr_desc_elements(x);
  onri_broadcast_strides(&own, batch, strides);
  for (int32_t d = 0; d < batch->rank; d++) strides[d] *= matrix;
}

enum onr_status onri_product_shape(const struct onr_call *call, const struct onri_product_form *form,
                                   struct onri_product *p, struct onr_desc *out) {
  const struct onr_desc *a = &call->in[0], *b = &call->in[1];
  struct onr_desc batch;
  int64_t m, k, k_of_b, n;
  *p = (struct onri_product){.dtype = a->dtype};
  ONR_TRY(onri_expect_rank(call, 0, form->a_rank ? form->a_rank : 1, form->a_rank ? form->a_rank : ONR_MAX_RANK));
  ONR_TRY(onri_expect_rank(call, 1, form->b_rank ? form->b_rank : 1, form->b_rank ? form->b_rank : ONR_MAX_RANK));
  matrix_of(a, form->transpose_a, 1, &m, &k, &p->a_row, &p->a_col);
  matrix_of(b, form->transpose_b, 0, &k_of_b, &n, &p->b_row, &p->b_col);
  if (k != k_of_b) {
    char text_a[96], text_b[96];
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "expected operands with the same inner dimension, found %s and %s, that is %lld and %lld",
                    onr_desc_format(a, text_a, sizeof(text_a)), onr_desc_format(b, text_b, sizeof(text_b)),
                    (long long)k, (long long)k_of_b);
  }
  const struct onr_desc batch_a = batch_of(a), batch_b = batch_of(b);
  ONR_TRY(onri_broadcast(&batch_a, &batch_b, &batch, call->error));
  *out = batch;
  if (a->rank >= 2) out->dim[out->rank++] = m;
  if (b->rank >= 2) out->dim[out->rank++] = n;
  p->m = (size_t)m;
  p->n = (size_t)n;
  p->k = (size_t)k;
  p->num_batch_dims = batch.rank;
  for (int32_t d = 0; d < batch.rank; d++) p->batch[d] = batch.dim[d];
  const int64_t batches = onr_desc_elements(&batch);
  p->batches = (size_t)batches;
  ONR_TRY(bias_strides(call, form, p));
  if (batches == INT64_MAX) return ONR_STATUS_OK; /* the driver refuses such a result */
  batch_strides(a, &batch, p->a_batch);
  batch_strides(b, &batch, p->b_batch);
  fold_batch(p, form, b);
  return ONR_STATUS_OK;
}

int64_t onri_product_multiply_adds(const struct onri_product *p) {
  const size_t sizes[] = {p->m, p->n, p->k, p->batches};
  int64_t product = 1;
  for (int i = 0; i < 4; i++)
    if (!onri_mul_i64(product, (int64_t)sizes[i], &product)) return INT64_MAX;
  return product;
}

/* --- prepare --- */

/* The one place where the kernels of float32 products are chosen: ours, where they are the fastest (onri_sgemm_is_fast
 * says where that was measured) or the only ones; XNNPACK's; plain loops when they are asked for. */
static int takes_vectors(const struct onr_call *call, enum onr_dtype dtype) {
  return onr_env_backend(call->env) == ONR_BACKEND_AUTO && onri_is_f32_or_narrower(dtype) &&
         (onri_sgemm_is_fast() || !onri_xnn_usable(call->env));
}

static int bias_can_be_packed(const struct onr_call *call, const struct onri_product_form *form, int64_t n) {
  if (!onri_has(call, 2)) return 1;
  const struct onr_desc *bias = &call->in[2];
  return call->inputs[2] && form->beta == 1.0f && bias->rank >= 1 && bias->dim[bias->rank - 1] == n &&
         onr_desc_elements(bias) == n && bias->dtype == call->in[1].dtype;
}

/* True, with *linear filled in, when the product is XNNPACK's fully connected operator. */
static int can_pack(const struct onr_call *call, const struct onri_product_form *form, struct onri_xnn_linear *linear) {
  const struct onr_desc *b = &call->in[1];
  if (!call->inputs[1] || b->rank != 2 || !onri_is_f32_or_narrower(b->dtype) || form->transpose_a ||
      form->alpha != 1.0f)
    return 0;
  *linear = (struct onri_xnn_linear){
      .in = (size_t)b->dim[form->transpose_b ? 1 : 0],
      .out = (size_t)b->dim[form->transpose_b ? 0 : 1],
      .weight_transposed = !form->transpose_b,
      .min = form->clamp.enabled ? form->clamp.min : -INFINITY,
      .max = form->clamp.enabled ? form->clamp.max : INFINITY,
  };
  return onri_xnn_linear_check(linear) == ONR_STATUS_OK &&
         bias_can_be_packed(call, form, b->dim[form->transpose_b ? 0 : 1]);
}

static enum onr_status pack(struct onr_call *call, struct onri_product_prepared *prepared) {
  const int has_bias = onri_has(call, 2);
  float *owned_weights = NULL, *owned_bias = NULL;
  const float *weights = onri_constant_f32(call, 1, &owned_weights);
  const float *bias = has_bias ? onri_constant_f32(call, 2, &owned_bias) : NULL;
  enum onr_status status;
  if (!weights || (has_bias && !bias))
    status = onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for converted weights");
  else status = onri_xnn_linear_pack(&prepared->weights, &prepared->linear, weights, bias, call->env, call->error);
  onr_env_release(call->env, owned_weights);
  onr_env_release(call->env, owned_bias);
  if (status == ONR_STATUS_OK && !prepared->loses_nan) call->packed_inputs |= has_bias ? 6u : 2u;
  return status;
}

/* A single column is read as it is. */
static enum onr_status pack_panels(struct onr_call *call, const struct onri_product_form *form,
                                   struct onri_product_prepared *prepared) {
  const struct onr_desc *b = &call->in[1];
  float *owned = NULL;
  if (!call->inputs[1] || b->rank != 2) return ONR_STATUS_OK;
  const size_t columns = (size_t)b->dim[1], k = form->transpose_b ? columns : (size_t)b->dim[0],
               n = form->transpose_b ? (size_t)b->dim[0] : columns,
               bytes = onri_size_of((size_t[]){onri_sgemm_packed_floats(n, k), sizeof(float)}, 2);
  if (n < 2 || k == 0) return ONR_STATUS_OK;
  ONR_TRY(onri_env_expect(call->env, bytes, call->error));
  const float *weights = onri_constant_f32(call, 1, &owned);
  float *panels = weights ? onr_env_allocate(call->env, bytes) : NULL;
  if (panels) {
    onri_sgemm_pack(weights, form->transpose_b ? 1 : n, form->transpose_b ? k : 1, n, k, panels, call->env);
    prepared->panels = onri_shared_block(call->env, panels, 0, bytes);
    call->packed_inputs |= 2u;
  }
  onr_env_release(call->env, owned);
  return panels ? ONR_STATUS_OK : onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for packed weights");
}

enum onr_status onri_product_prepare(struct onr_call *call, const struct onri_product_form *form,
                                     struct onri_product_prepared *prepared) {
  struct onri_xnn_linear *linear = &prepared->linear;
  int keeps_nan = 1;
  if (takes_vectors(call, call->in[1].dtype)) return pack_panels(call, form, prepared);
  if (!onri_xnn_usable(call->env)) return ONR_STATUS_OK;
  if (!can_pack(call, form, linear)) {
    ONR_TRY(onri_xnn_matmul_keeps_nan(&keeps_nan, call->env, call->error));
    prepared->loses_nan = !keeps_nan;
    return ONR_STATUS_OK;
  }
  ONR_TRY(onri_xnn_linear_keeps_nan(linear, &keeps_nan, call->env, call->error));
  prepared->loses_nan = !keeps_nan;
  if (prepared->loses_nan) linear->min = -INFINITY, linear->max = INFINITY;
  return pack(call, prepared);
}

/* --- plan --- */

static int same_batch(const struct onri_product *p, const struct onr_desc *a, const struct onr_desc *b) {
  if (a->rank - b->rank != 0) return 0;
  for (int32_t d = 0; d < p->num_batch_dims; d++)
    if (a->dim[d] != b->dim[d]) return 0;
  return 1;
}

static size_t batch_dim(const struct onri_product *p, const int64_t *strides, int32_t d) {
  return strides[d] == 0 ? 1 : (size_t)p->batch[d];
}

/* XNNPACK packs B anew for each piece of A; longer sums leave it few rows at once. */
enum { MOST_DEPTH = 1 << 20 };

/* The product of two run-time operands as XNNPACK sees it. */
static enum onr_status matmul_of(const struct onr_call *call, const struct onri_product_form *form,
                                 const struct onri_product *p, struct onri_xnn_matmul *matmul) {
  *matmul = (struct onri_xnn_matmul){
      .m = p->m, .n = p->n, .k = p->k, .transpose_b = form->transpose_b && call->in[1].rank > 1};
  if (form->transpose_a || p->num_batch_dims > ONRI_XNN_BATCH_DIMS || p->k > MOST_DEPTH) return ONR_STATUS_UNSUPPORTED;
  if (p->num_batch_dims > 0 && same_batch(p, &call->in[0], &call->in[1])) {
    matmul->num_batch_dims = 1;
    matmul->batch_a[0] = matmul->batch_b[0] = p->batches;
  } else {
    matmul->num_batch_dims = (size_t)p->num_batch_dims;
    for (int32_t d = 0; d < p->num_batch_dims; d++) {
      matmul->batch_a[d] = batch_dim(p, p->a_batch, d);
      matmul->batch_b[d] = batch_dim(p, p->b_batch, d);
    }
  }
  return onri_xnn_matmul_check(matmul);
}

static enum onr_status make_matmul(struct onr_call *call, const struct onri_xnn_matmul *matmul, size_t m,
                                   struct xnn_operator **op, size_t *workspace) {
  struct onri_xnn_matmul piece = *matmul;
  size_t bytes = 0;
  piece.m = m;
  ONR_TRY(onri_xnn_matmul_plan(op, &piece, &bytes, call->env, call->error));
  if (bytes > *workspace) *workspace = bytes;
  return ONR_STATUS_OK;
}

/* A batch of small matrices stays one piece however large it is. */
static enum onr_status plan_xnn(struct onr_call *call, struct onri_xnn_matmul *matmul,
                                struct onri_product_state *state) {
  const struct onri_product *p = &state->product;
  const int64_t work = onri_product_multiply_adds(p);
  size_t workspace = 0;
  state->rows = onri_xnn_rows_at_once(p->m, p->n, p->k, call->env);
  state->by_matrix =
      work > onri_xnn_most_steps(call->env) && work / (int64_t)p->batches >= onri_xnn_most_steps(call->env) / 1024;
  if (!state->by_matrix) state->rows = p->m;
  else matmul->num_batch_dims = 0;
  ONR_TRY(make_matmul(call, matmul, state->rows, &state->op, &workspace));
  if (p->m % state->rows) ONR_TRY(make_matmul(call, matmul, p->m % state->rows, &state->rest, &workspace));
  state->workspace_at = onri_scratch_take(call, workspace);
  return ONR_STATUS_OK;
}

/* Matrix 0 of the batch. */
static struct onri_gemm gemm_of(const struct onri_product *p, const struct onri_product_form *form, const void *a,
                                const void *b, const void *bias, void *c) {
  return (struct onri_gemm){.m = p->m,
                            .n = p->n,
                            .k = p->k,
                            .a = a,
                            .a_row = p->a_row,
                            .a_col = p->a_col,
                            .b = b,
                            .b_row = p->b_row,
                            .b_col = p->b_col,
                            .c = c,
                            .c_row = p->n,
                            .bias = bias,
                            .bias_row = p->bias_row,
                            .bias_col = p->bias_col,
                            .alpha = (double)form->alpha,
                            .beta = (double)form->beta,
                            .clamp = form->clamp.enabled,
                            .min = (double)form->clamp.min,
                            .max = (double)form->clamp.max};
}

/* One column is, turned on its side, one row: then A is what lies in memory as it is read. */
static struct onri_gemm sideways(const struct onri_gemm *g) {
  struct onri_gemm turned = *g;
  turned.m = g->n, turned.n = g->m;
  turned.a = g->b, turned.a_row = g->b_col, turned.a_col = g->b_row;
  turned.b = g->a, turned.b_row = g->a_col, turned.b_col = g->a_row;
  turned.bias_row = g->bias_col, turned.bias_col = g->bias_row;
  turned.c_row = g->m;
  return turned;
}

static int is_sideways(const struct onri_product_state *state) {
  return state->product.n == 1 && state->product.m > 1 && !state->panels;
}

static void plan_vector(struct onr_call *call, const struct onri_product_form *form, struct onri_product_state *state) {
  const struct onri_product *p = &state->product;
  struct onri_gemm gemm = gemm_of(p, form, NULL, NULL, NULL, NULL);
  if (is_sideways(state)) gemm = sideways(&gemm);
  state->vector = onri_sgemm_plan(&gemm, state->panels != NULL, p->batches, onr_threads_count(call->env->threads));
  state->workspace_at = onri_scratch_take(call, state->vector.scratch_bytes);
}

static enum onri_product_way choose(const struct onr_call *call, const struct onri_product_form *form,
                                    const struct onri_product_prepared *prepared, const struct onri_product *p,
                                    struct onri_xnn_matmul *matmul) {
  if (p->batches == 0 || p->m == 0 || p->n == 0) return ONRI_PRODUCT_NOTHING;
  if (takes_vectors(call, p->dtype)) return ONRI_PRODUCT_VECTOR;
  if (prepared->weights.data) return ONRI_PRODUCT_PACKED;
  if (onri_xnn_usable(call->env) && onri_is_f32_or_narrower(p->dtype) &&
      matmul_of(call, form, p, matmul) == ONR_STATUS_OK)
    return ONRI_PRODUCT_XNN;
  return ONRI_PRODUCT_PORTABLE;
}

enum onr_status onri_product_plan(struct onr_call *call, const struct onri_product_form *form,
                                  const struct onri_product_prepared *prepared, struct onri_product_state *state) {
  struct onri_product *p = &state->product;
  struct onri_xnn_matmul matmul;
  struct onr_desc out;
  ONR_TRY(onri_product_shape(call, form, p, &out));
  state->way = choose(call, form, prepared, p, &matmul);
  state->loses_nan = prepared->loses_nan;
  state->convert = !onri_is_native(p->dtype);
  if (state->way == ONRI_PRODUCT_NOTHING) return ONR_STATUS_OK;
  state->panels = prepared->panels;
  if (state->way == ONRI_PRODUCT_PACKED || state->way == ONRI_PRODUCT_XNN) call->kernel = ONR_KERNEL_XNNPACK;
  else if (onri_dtype_class(p->dtype) == ONRI_CLASS_F32) call->kernel = ONR_KERNEL_VECTOR;
  if (state->convert) {
    const int reads_all = state->way != ONRI_PRODUCT_PACKED || state->loses_nan;
    state->a_at = onri_scratch_take(call, onri_class_bytes(&call->in[0]));
    if (reads_all && !state->panels) state->b_at = onri_scratch_take(call, onri_class_bytes(&call->in[1]));
    if (reads_all && p->has_bias) state->bias_at = onri_scratch_take(call, onri_class_bytes(&call->in[2]));
    state->c_at = onri_scratch_take(call, onri_class_bytes(&out));
  }
  if (state->way == ONRI_PRODUCT_VECTOR) plan_vector(call, form, state);
  if (state->way == ONRI_PRODUCT_PACKED)
    return onri_xnn_rows_plan(&state->linear, &prepared->weights, &prepared->linear, p->m, call->env, call->error);
  return state->way == ONRI_PRODUCT_XNN ? plan_xnn(call, &matmul, state) : ONR_STATUS_OK;
}

uint32_t onri_product_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_PORTABLE ? 0 : ONRI_DTYPES_F32_AND_HALF;
}

/* --- run --- */

enum { TILE_ROWS = 64, TILE_COLUMNS = 256 };

struct tiles {
  const struct onri_product *product;
  struct onri_gemm gemm; /* of batch 0 */
  enum onri_class class;
  size_t down, across; /* tiles a matrix */
  int finish_only;
  const struct onr_env *env;
};

/* Where the operands of one matrix of the batch begin. */
static void find_matrices(const void *product, size_t batch, size_t *a_at, size_t *b_at) {
  const struct onri_product *p = product;
  *a_at = *b_at = 0;
  for (int32_t d = p->num_batch_dims; d-- > 0;) {
    const size_t index = batch % (size_t)p->batch[d];
    batch /= (size_t)p->batch[d];
    *a_at += index * (size_t)p->a_batch[d];
    *b_at += index * (size_t)p->b_batch[d];
  }
}

static void tile_range(void *context, size_t begin, size_t end) {
  const struct tiles *t = context;
  const struct onri_product *p = t->product;
  const size_t size = onri_class_size(t->class);
  for (size_t item = begin; item < end; item++) {
    const size_t batch = item / (t->down * t->across), tile = item % (t->down * t->across);
    const size_t row = tile / t->across * TILE_ROWS, column = tile % t->across * TILE_COLUMNS;
    const size_t rows = p->m - row < TILE_ROWS ? p->m - row : TILE_ROWS;
    const size_t columns = p->n - column < TILE_COLUMNS ? p->n - column : TILE_COLUMNS;
    size_t a_at, b_at;
    find_matrices(p, batch, &a_at, &b_at);
    struct onri_gemm gemm = t->gemm;
    gemm.a = (const char *)gemm.a + a_at * size;
    gemm.b = (const char *)gemm.b + b_at * size;
    gemm.c = (char *)gemm.c + batch * p->m * p->n * size;
    gemm = onri_gemm_part(t->class, &gemm, row, rows, column, columns);
    if (t->finish_only) onri_gemm_finish(t->class, &gemm);
    else onri_gemm_long(t->class, &gemm, t->env);
  }
}

static void run_tiles(struct onr_call *call, const struct onri_product_form *form, const struct onri_product *p,
                      const void *a, const void *b, const void *bias, void *c, int finish_only) {
  struct tiles t = {.product = p, .class = onri_dtype_class(p->dtype), .finish_only = finish_only, .env = call->env};
  t.gemm = gemm_of(p, form, a, b, bias, c);
  if (finish_only && onri_gemm_is_plain(&t.gemm)) return;
  t.down = (p->m + TILE_ROWS - 1) / TILE_ROWS;
  t.across = (p->n + TILE_COLUMNS - 1) / TILE_COLUMNS;
  onr_parallel_for(call->env, p->batches * t.down * t.across, 1, tile_range, &t);
}

static void run_portable(struct onr_call *call, const struct onri_product_form *form,
                         const struct onri_product_state *state, const void *a, const void *b, void *c,
                         int finish_only) {
  const void *bias = state->product.has_bias ? onri_converted_input(call, 2, state->bias_at) : NULL;
  run_tiles(call, form, &state->product, a, b, bias, c, finish_only);
}

static void find_turned(const void *product, size_t batch, size_t *a_at, size_t *b_at) {
  find_matrices(product, batch, b_at, a_at);
}

static void run_vector(struct onr_call *call, const struct onri_product_form *form,
                       const struct onri_product_state *state, const void *a, void *c) {
  const struct onri_product *p = &state->product;
  const void *b = state->panels ? NULL : onri_converted_input(call, 1, state->b_at);
  const void *bias = p->has_bias ? onri_converted_input(call, 2, state->bias_at) : NULL;
  struct onri_sgemm_batch batch = {gemm_of(p, form, a, b, bias, c), state->panels, p->batches, find_matrices, p};
  if (is_sideways(state)) batch.gemm = sideways(&batch.gemm), batch.find = find_turned;
  onri_sgemm_run(&batch, &state->vector, (float *)(void *)((char *)call->scratch + state->workspace_at), call->env);
}

static enum onr_status run_packed(struct onr_call *call, const struct onri_product_form *form,
                                  const struct onri_product_state *state, const void *a, void *c) {
  const struct onri_product *p = &state->product;
  const struct onri_product_form clamped = {.alpha = 1, .clamp = form->clamp};
  ONR_TRY(onri_xnn_rows_run(&state->linear, a, c, call->env, call->error));
  if (!state->loses_nan) return ONR_STATUS_OK;
  if (!onri_all_finite(call->env, c, p->m * p->n))
    run_portable(call, form, state, a, onri_converted_input(call, 1, state->b_at), c, 0);
  else run_tiles(call, &clamped, p, a, a, NULL, c, 1); /* operands are not looked at */
  return ONR_STATUS_OK;
}

static enum onr_status run_xnn(struct onr_call *call, const struct onri_product_state *state, const float *a,
                               const float *b, float *c) {
  const struct onri_product *p = &state->product;
  void *workspace = (char *)call->scratch + state->workspace_at;
  for (size_t batch = 0; batch < (state->by_matrix ? p->batches : 1); batch++) {
    size_t a_at, b_at;
    find_matrices(p, batch, &a_at, &b_at);
    for (size_t row = 0; row < p->m; row += state->rows) {
      struct xnn_operator *op = p->m - row < state->rows ? state->rest : state->op;
      if (onr_env_cancelled(call->env)) return ONR_STATUS_OK;
      ONR_TRY(onri_xnn_matmul_run(op, workspace, a + a_at + row * p->k, b + b_at, c + (batch * p->m + row) * p->n,
                                  call->env, call->error));
    }
  }
  return ONR_STATUS_OK;
}

static enum onr_status run_operands(struct onr_call *call, const struct onri_product_form *form,
                                    const struct onri_product_state *state, const void *a, void *c) {
  const struct onri_product *p = &state->product;
  const void *b = onri_converted_input(call, 1, state->b_at);
  int finish_only = 0;
  if (state->way == ONRI_PRODUCT_XNN) {
    ONR_TRY(run_xnn(call, state, a, b, c));
    finish_only = !state->loses_nan || onri_all_finite(call->env, c, p->batches * p->m * p->n);
  }
  run_portable(call, form, state, a, b, c, finish_only);
  return ONR_STATUS_OK;
}

enum onr_status onri_product_run(struct onr_call *call, const struct onri_product_form *form,
                                 struct onri_product_state *state) {
  const struct onri_product *p = &state->product;
  if (state->way == ONRI_PRODUCT_NOTHING) return ONR_STATUS_OK;
  void *c = state->convert ? (char *)call->scratch + state->c_at : call->outputs[0];
  const void *a = onri_converted_input(call, 0, state->a_at);
  if (state->way == ONRI_PRODUCT_VECTOR) run_vector(call, form, state, a, c);
  else if (state->way == ONRI_PRODUCT_PACKED) ONR_TRY(run_packed(call, form, state, a, c));
  else ONR_TRY(run_operands(call, form, state, a, c));
  if (state->convert)
    onri_convert(call->env, p->dtype, c, call->outputs[0], (size_t)onr_desc_elements(&call->out[0]), 1);
  return ONR_STATUS_OK;
}

void onri_product_release_state(void *state, struct onr_env *env) {
  struct onri_product_state *s = state;
  (void)env;
  onri_xnn_rows_release(&s->linear);
  onri_xnn_delete(s->op);
  onri_xnn_delete(s->rest);
  s->op = s->rest = NULL;
}

void onri_product_release_prepared(void *prepared, struct onr_env *env) {
  struct onri_product_prepared *p = prepared;
  onri_xnn_packed_release(&p->weights, env);
  onr_env_release(env, p->panels);
  p->panels = NULL;
}
