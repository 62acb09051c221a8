/* product.c: see product.h. */
#include "layers/matmul/product.h"

#include <stdatomic.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/memory/blocks.h"
#include "base/shape.h"
#include "kernels/convert/convert.h"
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
  if ((columns != 1 && columns != (int64_t)p->all_columns) || (rows != 1 && rows != (int64_t)p->m)) {
    char text[96];
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input 2 to broadcast to [%zu,%zu], found %s", p->m,
                    p->all_columns, onr_desc_format(bias, text, sizeof(text)));
  }
  p->bias_col = columns == 1 ? 0 : 1;
  p->bias_row = rows == 1 ? 0 : (size_t)columns;
  return ONR_STATUS_OK;
}

/* What is behind the product fits it. */
static enum onr_status check_ending(const struct onr_call *call, const struct onri_product_form *form,
                                    struct onri_product *p, const struct onr_desc *out) {
  p->has_residual = onri_has(call, 3);
  if ((p->has_residual || form->tail.enabled) && !(ONRI_DTYPE_BIT(p->dtype) & ONRI_DTYPES_FLOAT))
    return onr_fail(call->error, ONR_STATUS_TYPE, "expected floats where something is done with the product, found %s",
                    onr_dtype_name(p->dtype));
  if (p->has_residual && !onr_desc_equal(&call->in[3], out)) {
    char text[96], expected[96];
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input 3 to be like the result %s, found %s",
                    onr_desc_format(out, expected, sizeof(expected)),
                    onr_desc_format(&call->in[3], text, sizeof(text)));
  }
  return ONR_STATUS_OK;
}

/* The columns that are wanted of n. */
static enum onr_status take_columns(const struct onr_call *call, const struct onr_columns *c, struct onri_product *p,
                                    int64_t *n) {
  p->all_columns = (size_t)*n;
  if (c->count == 0) return ONR_STATUS_OK;
  if (call->in[1].rank < 2 || c->first < 0 || c->count < 0 || c->first > *n || c->count > *n - c->first)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected at least %lld columns from %lld on, found %lld",
                    (long long)c->count, (long long)c->first, (long long)*n);
  p->first_column = (size_t)c->first;
  *n = c->count;
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
  ONR_TRY(take_columns(call, &form->columns, p, &n));
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
  ONR_TRY(check_ending(call, form, p, out));
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

/* Vectors, unless plain loops are asked for: measured against XNNPACK's products, which they replaced, they are 0.97 to
 * 1.05 times as fast where those are at their best (110 GFLOP/s of 128) and 1.5 to 5 times elsewhere: 64 rows of depth
 * 4,096, few columns, small matrices, one row. */
static int takes_vectors(const struct onr_call *call, enum onr_dtype dtype) {
  return onr_env_backend(call->env) == ONR_BACKEND_AUTO && onri_is_f32_or_narrower(dtype);
}

struct exactness {
  const float *x;
  enum onr_dtype dtype;
  atomic_int differs;
};

static void find_difference(void *context, size_t begin, size_t end) {
  enum { SOME = 512 };
  struct exactness *e = context;
  uint16_t narrow[SOME];
  float wide[SOME];
  for (size_t i = begin; i < end && !atomic_load_explicit(&e->differs, memory_order_relaxed); i += SOME) {
    const size_t count = end - i < SOME ? end - i : SOME;
    onri_narrow(e->dtype, e->x + i, count, narrow);
    onri_widen(e->dtype, narrow, count, wide);
    if (memcmp(wide, e->x + i, count * sizeof(*wide)) != 0) atomic_store_explicit(&e->differs, 1, memory_order_relaxed);
  }
}

/* Weights that stay in cache are as fast in float32 for one row, and faster for many. */
static int is_large(const struct onr_call *call) {
  return !call->env->blocks || call->env->blocks->constant_bytes >= ONRI_NARROW_LEAST_BYTES;
}

/* The type of half the size that holds all of B, as where a float16 model's weights were made float32: NONE for none.
 */
static enum onr_status find_narrow(struct onr_call *call, struct onri_late *weights, size_t n, enum onr_dtype *narrow) {
  enum { LEAST = 1 << 14, COLUMNS = 64 }; /* a few columns are turned on their side */
  static const enum onr_dtype types[] = {ONR_DTYPE_F16, ONR_DTYPE_BF16};
  const size_t count = (size_t)onr_desc_elements(&call->in[1]);
  uint64_t answer;
  *narrow = ONR_DTYPE_NONE;
  if (!ONRI_PART(narrow) || count < LEAST || n < COLUMNS || !is_large(call)) return ONR_STATUS_OK;
  if (call->in[1].dtype != ONR_DTYPE_F32) {
    *narrow = call->in[1].dtype;
    onri_env_tell_part(call->env, "narrow");
    return ONR_STATUS_OK;
  }
  if (!onri_block_answer(call->env, &answer)) {
    ONR_TRY(onri_late_read(call, weights));
    answer = ONR_DTYPE_NONE;
    for (size_t i = 0; i < 2 && answer == ONR_DTYPE_NONE; i++) {
      struct exactness e = {.x = weights->values, .dtype = types[i]};
      onr_parallel_for(call->env, count, 1 << 14, find_difference, &e);
      if (!e.differs) answer = types[i];
    }
    onri_block_tell(call->env, answer);
  }
  if (answer == ONR_DTYPE_F16 || answer == ONR_DTYPE_BF16) *narrow = (enum onr_dtype)answer;
  if (*narrow != ONR_DTYPE_NONE) onri_env_tell_part(call->env, "narrow");
  return ONR_STATUS_OK;
}

/* B as a constant matrix, the part of it that is wanted. */
struct matrix {
  size_t first_column, n, k, row, col;
};

static enum onr_status matrix_of_weights(const struct onr_call *call, const struct onri_product_form *form,
                                         struct matrix *m) {
  const struct onr_desc *b = &call->in[1];
  struct onri_product p = {0};
  int64_t count = form->transpose_b ? b->dim[0] : b->dim[1];
  ONR_TRY(take_columns(call, &form->columns, &p, &count));
  const size_t columns = (size_t)b->dim[1], k = form->transpose_b ? columns : (size_t)b->dim[0];
  *m = (struct matrix){p.first_column, (size_t)count, k, form->transpose_b ? 1 : columns, form->transpose_b ? k : 1};
  return ONR_STATUS_OK;
}

/* In which form B is packed, and how many bytes it takes then. */
static enum onr_status choose_form(struct onr_call *call, const struct matrix *m, struct onri_late *weights,
                                   struct onri_product_prepared *prepared, size_t *bytes) {
  prepared->half =
      ONRI_HALF_LEVELS && call->env->precision == ONR_PRECISION_FAST && !onri_half_product_why_not(m->n, m->k);
  if (prepared->half) {
    *bytes = onri_half_product_packed_bytes(m->n, m->k);
    return ONR_STATUS_OK;
  }
  ONR_TRY(find_narrow(call, weights, m->n, &prepared->narrow));
  *bytes =
      onri_size_of((size_t[]){onri_sgemm_packed_floats(m->n, m->k),
                              prepared->narrow == ONR_DTYPE_NONE ? sizeof(float) : onr_dtype_size(prepared->narrow)},
                   2);
  return ONR_STATUS_OK;
}

static void pack_matrix(const struct matrix *m, const float *b, const struct onri_product_prepared *p, void *panels,
                        struct onr_env *env) {
  b += m->first_column * m->col;
  if (ONRI_HALF_LEVELS && p->half) onri_half_product_pack(b, m->row, m->col, m->n, m->k, panels, env);
  else if (!ONRI_PART(narrow) || p->narrow == ONR_DTYPE_NONE)
    onri_sgemm_pack(b, m->row, m->col, m->n, m->k, panels, env);
  else onri_sgemm_pack_narrow(b, m->row, m->col, m->n, m->k, p->narrow, panels, env);
}

/* A single column is read as it is. */
static enum onr_status pack_panels(struct onr_call *call, const struct onri_product_form *form,
                                   struct onri_product_prepared *prepared) {
  struct onri_late weights = {.input = 1};
  struct matrix m;
  size_t bytes;
  if (!call->inputs[1] || call->in[1].rank != 2) return ONR_STATUS_OK;
  ONR_TRY(matrix_of_weights(call, form, &m));
  if (m.n < 2 || m.k == 0) return ONR_STATUS_OK;
  ONR_TRY(choose_form(call, &m, &weights, prepared, &bytes));
  prepared->panels = onri_block_recall(call->env, bytes);
  call->packed_inputs |= 2u;
  if (prepared->panels) return ONR_STATUS_OK;
  ONR_TRY(onri_env_expect(call->env, bytes, call->error));
  ONR_TRY(onri_late_read(call, &weights));
  void *panels = onri_block_begin(call->env, bytes);
  if (panels) {
    pack_matrix(&m, weights.values, prepared, panels, call->env);
    prepared->panels = onri_block_end(call->env, panels, bytes);
  }
  onri_late_release(&weights, call->env);
  return panels ? ONR_STATUS_OK : onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for packed weights");
}

int onri_product_packs(const struct onr_desc *b) {
  return onri_is_f32_or_narrower(b->dtype) && b->rank == 2 && b->dim[0] > 1 && b->dim[1] > 1;
}

int onri_product_may_be_few(const struct onr_desc *b) {
  const int64_t least = b->dim[0] < b->dim[1] ? b->dim[0] : b->dim[1];
  return least <= (int64_t)onri_sgemm_most_few();
}

enum onr_status onri_product_prepare(struct onr_call *call, const struct onri_product_form *form,
                                     struct onri_product_prepared *prepared) {
  return takes_vectors(call, call->in[1].dtype) ? pack_panels(call, form, prepared) : ONR_STATUS_OK;
}

/* --- plan --- */

/* Matrix 0 of the batch; without its operands. */
static struct onri_gemm gemm_of(const struct onri_product_state *state, const struct onri_product_form *form) {
  const struct onri_product *p = &state->product;
  return (struct onri_gemm){.m = p->m,
                            .n = p->n,
                            .k = p->k,
                            .a_row = p->a_row,
                            .a_col = p->a_col,
                            .b_row = p->b_row,
                            .b_col = p->b_col,
                            .c_row = p->n,
                            .bias_row = p->bias_row,
                            .bias_col = p->bias_col,
                            .alpha = (double)form->alpha,
                            .beta = (double)form->beta,
                            .clamp = form->clamp.enabled,
                            .min = (double)form->clamp.min,
                            .max = (double)form->clamp.max,
                            .tail = onri_has_tail(&state->tail) ? onri_tail_apply : NULL,
                            .tail_context = &state->tail};
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
  return ONRI_PART(loose) && state->product.n == 1 && state->product.m > 1 && !state->b.panels;
}

static void plan_vector(struct onr_call *call, const struct onri_product_form *form, struct onri_product_state *state) {
  const struct onri_product *p = &state->product;
  struct onri_gemm gemm = gemm_of(state, form);
  if (is_sideways(state)) gemm = sideways(&gemm);
  const enum onri_sgemm_b b = !state->b.panels                    ? ONRI_SGEMM_PLAIN
                              : state->b.narrow == ONR_DTYPE_NONE ? ONRI_SGEMM_PACKED
                                                                  : ONRI_SGEMM_NARROW;
  state->vector = onri_sgemm_plan(&gemm, b, p->batches, onr_threads_count(call->env->threads));
  state->workspace_at = onri_scratch_take(call, state->vector.scratch_bytes);
}

static enum onri_product_way choose(const struct onr_call *call, const struct onri_product *p,
                                    const struct onri_product_prepared *prepared) {
  if (p->batches == 0 || p->m == 0 || p->n == 0) return ONRI_PRODUCT_NOTHING;
  if (prepared->half) return ONRI_PRODUCT_HALF;
  return takes_vectors(call, p->dtype) ? ONRI_PRODUCT_VECTOR : ONRI_PRODUCT_PORTABLE;
}

/* Of a product that is not computed in float16 though it may be. */
static const char *why_not_half(const struct onri_product_state *s) {
  if (!onri_is_f32_or_narrower(s->product.dtype)) return "it is not of float32 or a narrower type";
  if (s->way != ONRI_PRODUCT_VECTOR) return "plain loops are asked for";
  const char *why = onri_half_product_why_not(s->product.all_columns, s->product.k);
  return why || s->b.panels ? why : "its second operand is not a constant matrix";
}

static enum onr_method method_of(enum onri_product_way way) {
  if (way == ONRI_PRODUCT_HALF) return ONR_METHOD_HALF;
  return way == ONRI_PRODUCT_VECTOR ? ONR_METHOD_PRODUCT : ONR_METHOD_DIRECT;
}

enum onr_status onri_product_plan(struct onr_call *call, const struct onri_product_form *form,
                                  const struct onri_product_prepared *prepared, struct onri_product_state *state) {
  struct onri_product *p = &state->product;
  struct onr_desc out;
  ONR_TRY(onri_product_shape(call, form, p, &out));
  state->way = choose(call, p, prepared);
  state->convert = !onri_is_native(p->dtype);
  state->b = *prepared;
  if (state->way == ONRI_PRODUCT_NOTHING) return ONR_STATUS_OK;
  if ((!ONRI_PART(plain) && state->way == ONRI_PRODUCT_PORTABLE) ||
      (!ONRI_PART(loose) && state->way == ONRI_PRODUCT_VECTOR && !prepared->panels))
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "this library was made for products by constant matrices");
  ONR_TRY(onri_tail_plan(call, &form->tail, &state->tail));
  if (onri_dtype_class(p->dtype) == ONRI_CLASS_F32) call->kernel = ONR_KERNEL_VECTOR;
  call->method = method_of(state->way);
  if (ONRI_PART(more) && call->env->precision == ONR_PRECISION_FAST && !prepared->half)
    call->note = why_not_half(state);
  if (state->convert) {
    state->a_at = onri_scratch_take(call, onri_class_bytes(&call->in[0]));
    if (!state->b.panels) state->b_at = onri_scratch_take(call, onri_class_bytes(&call->in[1]));
    if (p->has_bias) state->bias_at = onri_scratch_take(call, onri_class_bytes(&call->in[2]));
    if (p->has_residual) state->residual_at = onri_scratch_take(call, onri_class_bytes(&call->in[3]));
    state->c_at = onri_scratch_take(call, onri_class_bytes(&out));
  }
  if (state->way == ONRI_PRODUCT_VECTOR) plan_vector(call, form, state);
  return ONR_STATUS_OK;
}

uint32_t onri_product_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF : 0;
}

/* --- run --- */

enum { TILE_ROWS = 64, TILE_COLUMNS = 256 };

struct tiles {
  const struct onri_product *product;
  struct onri_gemm gemm; /* of batch 0 */
  enum onri_class class;
  size_t down, across; /* tiles a matrix */
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
    if (gemm.residual) gemm.residual = (const char *)gemm.residual + batch * p->m * p->n * size;
    gemm = onri_gemm_part(t->class, &gemm, row, rows, column, columns);
    onri_gemm_long(t->class, &gemm, t->env);
  }
}

static void run_portable(struct onr_call *call, const struct onri_product_state *state, const struct onri_gemm *gemm) {
  const struct onri_product *p = &state->product;
  struct tiles t = {.product = p, .gemm = *gemm, .class = onri_dtype_class(p->dtype), .env = call->env};
  t.down = (p->m + TILE_ROWS - 1) / TILE_ROWS;
  t.across = (p->n + TILE_COLUMNS - 1) / TILE_COLUMNS;
  onr_parallel_for(call->env, p->batches * t.down * t.across, 1, tile_range, &t);
}

static void find_turned(const void *product, size_t batch, size_t *a_at, size_t *b_at) {
  find_matrices(product, batch, b_at, a_at);
}

static void run_vector(struct onr_call *call, const struct onri_product_state *state, const struct onri_gemm *gemm) {
  const struct onri_product *p = &state->product;
  struct onri_sgemm_batch batch = {*gemm, state->b.panels, state->b.narrow, p->batches, find_matrices, p};
  if (is_sideways(state)) batch.gemm = sideways(&batch.gemm), batch.find = find_turned;
  onri_sgemm_run(&batch, &state->vector, (float *)(void *)((char *)call->scratch + state->workspace_at), call->env);
}

/* B is a matrix, so that fold_batch has made one product of all, but where A is transposed or has a bias for each row.
 */
static void run_half(struct onr_call *call, const struct onri_product_state *state, const struct onri_gemm *gemm) {
  const struct onri_product *p = &state->product;
  for (size_t batch = 0; batch < p->batches && !onr_env_cancelled(call->env); batch++) {
    struct onri_half_product half = {.gemm = *gemm, .packed = state->b.panels};
    half.gemm.a = (const float *)gemm->a + batch * p->m * p->k;
    half.gemm.c = (float *)gemm->c + batch * p->m * p->n;
    if (gemm->residual) half.gemm.residual = (const float *)gemm->residual + batch * p->m * p->n;
    onri_half_product(&half, call->env);
  }
}

enum onr_status onri_product_run(struct onr_call *call, const struct onri_product_form *form,
                                 struct onri_product_state *state) {
  const struct onri_product *p = &state->product;
  if (state->way == ONRI_PRODUCT_NOTHING) return ONR_STATUS_OK;
  struct onri_gemm gemm = gemm_of(state, form);
  gemm.c = state->convert ? (char *)call->scratch + state->c_at : call->outputs[0];
  gemm.a = onri_converted_input(call, 0, state->a_at);
  if (!state->b.panels) gemm.b = onri_converted_input(call, 1, state->b_at);
  if (p->has_bias) gemm.bias = onri_converted_input(call, 2, state->bias_at);
  const size_t size = onri_class_size(onri_dtype_class(p->dtype));
  if (gemm.b) gemm.b = (const char *)gemm.b + p->first_column * p->b_col * size;
  if (gemm.bias) gemm.bias = (const char *)gemm.bias + p->first_column * p->bias_col * size;
  if (p->has_residual) gemm.residual = onri_converted_input(call, 3, state->residual_at);
  if (state->way == ONRI_PRODUCT_VECTOR) run_vector(call, state, &gemm);
  else if (ONRI_HALF_LEVELS && state->way == ONRI_PRODUCT_HALF) run_half(call, state, &gemm);
  else if (ONRI_PART(plain)) run_portable(call, state, &gemm);
  if (state->convert)
    onri_convert(call->env, p->dtype, gemm.c, call->outputs[0], (size_t)onr_desc_elements(&call->out[0]), 1);
  return ONR_STATUS_OK;
}

void onri_product_release_prepared(void *prepared, struct onr_env *env) {
  struct onri_product_prepared *p = prepared;
  onr_env_release(env, p->panels);
  p->panels = NULL;
}
