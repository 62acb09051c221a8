/* integer_product.c: see integer_product.h. */
#include "layers/matmul/integer_product.h"

#include <math.h>
#include <string.h>

#include "base/memory/blocks.h"
#include "base/numbers/checked.h"
#include "base/services.h"
#include "base/numbers/cast.h"
#include "base/shape.h"
#include "kernels/quantize/byte_product.h"

struct onr_desc onri_integer_aligned(const struct onr_call *call, size_t i, int of_rows) {
  struct onr_desc desc = call->in[i];
  if (of_rows && desc.rank == 1 && desc.dim[0] != 1) {
    desc.rank = 2;
    desc.dim[1] = 1;
  }
  return desc;
}

static int is_byte(enum onr_dtype dtype) { return dtype == ONR_DTYPE_U8 || dtype == ONR_DTYPE_I8; }

int onri_integer_is_float8(const struct onr_call *call, const struct onri_integer_roles *r) {
  return !is_byte(call->in[r->a].dtype) || !is_byte(call->in[r->b].dtype) ||
         (r->y_zero != ONRI_NO_ROLE && !is_byte(call->in[r->y_zero].dtype));
}

float onri_integer_value(const struct onr_call *call, size_t input, size_t i) {
  const enum onr_dtype dtype = call->in[input].dtype;
  float value;
  onri_load_as(dtype, (const char *)call->inputs[input] + i * onr_dtype_size(dtype), 1, ONRI_CLASS_F32, &value);
  return value;
}

static int is_signed(const struct onr_call *call, size_t input) { return call->in[input].dtype == ONR_DTYPE_I8; }

/* --- B: its matrices one behind the other --- */

/* Of all matrices of B; *count: how many. */
static size_t columns_bytes(const struct onr_call *call, const struct onri_integer_roles *r, size_t k, size_t n,
                            size_t *count) {
  const size_t elements = (size_t)onr_desc_elements(&call->in[r->b]);
  *count = k > 0 && n > 0 ? elements / k / n : 1;
  return onri_size_of((size_t[]){onri_byte_columns_bytes(onri_byte_depth_of(k), n), *count}, 2);
}

struct packing {
  const char *b;
  int is_signed;
  char *columns;
  size_t k, n;
  int32_t *zeros; /* of B's columns, where they are known */
  size_t zero_step;
};

static void pack_range(void *context, size_t begin, size_t end) {
  const struct packing *p = context;
  for (size_t i = begin; i < end; i++) {
    const struct onri_byte_matrix b = {.b = p->b + i * p->k * p->n,
                                       .inner = p->k,
                                       .inner_step = p->n,
                                       .column_step = 1,
                                       .is_signed = p->is_signed,
                                       .zeros = p->zeros,
                                       .zero_step = p->zero_step};
    const struct onri_byte_depth depth = onri_byte_depth_of(p->k);
    char *block = p->columns + i * onri_byte_columns_bytes(depth, p->n);
    onri_byte_columns_pack(onri_byte_columns_in(block, depth, p->n), &b, depth, p->n);
  }
}

enum onr_status onri_integer_prepare(struct onr_call *call, const struct onri_integer_roles *r) {
  struct onri_integer_prepared *p = call->prepared;
  const struct onr_desc *b = &call->in[r->b];
  size_t count;
  if (!call->inputs[r->b] || !is_byte(b->dtype) || !is_byte(call->in[r->a].dtype) || b->rank < 2) return ONR_STATUS_OK;
  if (r->y_zero != ONRI_NO_ROLE && !is_byte(call->in[r->y_zero].dtype)) return ONR_STATUS_OK;
  struct packing packing = {
      .is_signed = is_signed(call, r->b), .k = (size_t)b->dim[b->rank - 2], .n = (size_t)b->dim[b->rank - 1]};
  const void *data;
  const size_t bytes = columns_bytes(call, r, packing.k, packing.n, &count);
  if (packing.k == 0 || packing.n == 0 || count == 0) return ONR_STATUS_OK;
  call->packed_inputs |= (uint64_t)1 << r->b;
  p->columns = bytes == SIZE_MAX ? NULL : onri_block_recall(call->env, bytes);
  if (p->columns) return ONR_STATUS_OK;
  ONR_TRY(onri_call_contents(call, r->b, &data));
  packing.b = data;
  p->columns = packing.columns = bytes == SIZE_MAX ? NULL : onri_block_begin(call->env, bytes);
  if (!p->columns) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a product");
  /* a list of zero points is that of the only matrix */
  ONR_TRY(onri_known_bytes(call, r->b_zero, count == 1 ? packing.n : 1, &packing.zeros, &packing.zero_step));
  onr_parallel_for(call->env, count, 1, pack_range, &packing);
  onr_env_release(call->env, packing.zeros);
  p->columns = onri_block_end(call->env, p->columns, bytes);
  return ONR_STATUS_OK;
}

void onri_integer_release_prepared(void *prepared, struct onr_env *env) {
  struct onri_integer_prepared *p = prepared;
  onr_env_release(env, p->columns);
  p->columns = NULL;
}

/* --- plan --- */

static struct onri_dims broadcast_dims(const struct onr_desc *x, const struct onr_desc *result) {
  struct onri_dims dims = {.count = 1};
  int64_t strides[ONR_MAX_RANK] = {0};
  if (onr_desc_elements(x) != 1) onri_broadcast_strides(x, result, strides);
  for (int32_t d = 0; d < result->rank; d++) onri_dims_add(&dims, result->dim[d], strides[d]);
  return dims;
}

static size_t take(struct onr_call *call, size_t count, size_t size) {
  return onri_scratch_take(call, onri_size_of((size_t[]){count, size}, 2));
}

/* Matrices of A. */
static size_t a_matrices(const struct onr_call *call, const struct onri_integer_roles *r,
                         const struct onri_product *p) {
  return p->m > 0 && p->k > 0 ? (size_t)onr_desc_elements(&call->in[r->a]) / p->m / p->k : 1;
}

enum onr_status onri_integer_plan(struct onr_call *call, const struct onri_integer_roles *r,
                                  const struct onr_desc *out) {
  const struct onri_integer_prepared *prepared = call->prepared;
  struct onri_integer_state *s = call->state;
  const struct onri_product *p = &s->product;
  size_t count;
  call->kernel = ONR_KERNEL_VECTOR;
  if (onri_has(call, r->a_zero)) {
    const struct onr_desc zeros = onri_integer_aligned(call, r->a_zero, 1);
    s->a_zero = broadcast_dims(&zeros, &call->in[r->a]);
  }
  if (onri_has(call, r->b_zero)) s->b_zero = broadcast_dims(&call->in[r->b_zero], &call->in[r->b]);
  if (r->a_scale != ONRI_NO_ROLE) {
    const struct onr_desc rows = onri_integer_aligned(call, r->a_scale, 1);
    s->a_scale = broadcast_dims(&rows, out);
    s->b_scale = broadcast_dims(&call->in[r->b_scale], out);
  }
  if (onri_integer_is_float8(call, r)) {
    s->a_at = take(call, (size_t)onr_desc_elements(&call->in[r->a]), sizeof(float));
    return ONR_STATUS_OK;
  }
  s->a_zeros_at = take(call, onri_size_of((size_t[]){a_matrices(call, r, p), p->m}, 2), sizeof(int32_t));
  const size_t bytes = columns_bytes(call, r, p->k, p->n, &count);
  s->b_zeros_at = take(call, onri_size_of((size_t[]){count, p->n}, 2), sizeof(int32_t));
  s->scales_at = take(call, p->n, sizeof(float));
  s->last_at = onri_scratch_take(call, p->k < SIZE_MAX - ONRI_BYTE_GROUP ? p->k + ONRI_BYTE_GROUP : SIZE_MAX);
  if (!prepared->columns) s->columns_at = onri_scratch_take(call, bytes);
  return ONR_STATUS_OK;
}

/* --- run --- */

struct job {
  struct onr_call *call;
  const struct onri_integer_roles *roles;
  const struct onri_integer_state *s;
  int a_is_signed;
  float y_scale;
  struct onri_requantise requantise; /* of quantised results; without scales where rows have their own */
  const float *scales;               /* of columns, scale_step apart, where rows share them */
  const char *last_row;              /* of A, for which `last` is read; NULL: none */
  char *last;
  size_t scale_step;
};

/* Where the matrices of a batch begin, in elements. */
static void matrices_of(const struct onri_product *p, size_t batch, size_t *a, size_t *b) {
  *a = *b = 0;
  for (size_t d = (size_t)p->num_batch_dims, rest = batch; d-- > 0; rest /= (size_t)p->batch[d]) {
    *a += rest % (size_t)p->batch[d] * (size_t)p->a_batch[d];
    *b += rest % (size_t)p->batch[d] * (size_t)p->b_batch[d];
  }
}

static size_t a_matrix_of(const void *context, size_t batch) {
  const struct job *job = context;
  const struct onri_product *p = &job->s->product;
  size_t a, b;
  matrices_of(p, batch, &a, &b);
  return a / (p->m * p->k);
}

static size_t b_matrix_of(const void *context, size_t batch) {
  const struct job *job = context;
  const struct onri_product *p = &job->s->product;
  size_t a, b;
  matrices_of(p, batch, &a, &b);
  return b / (p->k * p->n);
}

static void load_rows(const void *context, size_t batch, size_t row, size_t rows, size_t from, size_t depth, char *to,
                      size_t to_row) {
  const struct job *job = context;
  const struct onri_product *p = &job->s->product;
  const char *a = (const char *)job->call->inputs[job->roles->a] + a_matrix_of(job, batch) * p->m * p->k;
  onri_byte_pack_rows(a + row * p->k + from, p->k, rows, depth, job->a_is_signed, to, to_row);
}

static void place_rows(const void *context, size_t batch, size_t row, size_t rows, const char **begins) {
  const struct job *job = context;
  const struct onri_product *p = &job->s->product;
  const char *a = (const char *)job->call->inputs[job->roles->a] + a_matrix_of(job, batch) * p->m * p->k;
  for (size_t r = 0; r < rows; r++) begins[r] = a + (row + r) * p->k;
  if (job->last_row && begins[rows - 1] == job->last_row) begins[rows - 1] = job->last;
}

/* A's rows are what the kernel reads as they lie. Where it reads on to the end of a group, into the next row, the last
 * one is copied; of rows of one byte, the last three would have to be. */
static int lies_packed(struct job *job) {
  const struct onri_product *p = &job->s->product;
  const size_t elements = (size_t)onr_desc_elements(&job->call->in[job->roles->a]);
  if (!onri_byte_lies_packed(job->a_is_signed) || p->k < 2) return 0;
  if (p->k % ONRI_BYTE_GROUP == 0) return 1;
  job->last_row = (const char *)job->call->inputs[job->roles->a] + elements - p->k;
  job->last = (char *)job->call->scratch + job->s->last_at;
  memset(job->last, 0, p->k + ONRI_BYTE_GROUP);
  memcpy(job->last, job->last_row, p->k);
  return 1;
}

static int is_one(const struct onr_call *call, size_t input) { return onr_desc_elements(&call->in[input]) == 1; }

/* One a column of B, which has one matrix: a list. */
static int are_listed(const struct onr_call *call, size_t input, size_t n) {
  const struct onr_desc *desc = &call->in[input];
  return desc->dtype == ONR_DTYPE_F32 && (size_t)onr_desc_elements(desc) == n && desc->rank > 0 &&
         (size_t)desc->dim[desc->rank - 1] == n;
}

/* Scales of results from element `at` on, of one row. */
static void scales_of(const struct job *job, size_t at, size_t count, float *scales) {
  const struct onri_integer_roles *r = job->roles;
  const struct onri_integer_state *s = job->s;
  const size_t n = s->product.n;
  if (is_one(job->call, r->a_scale) && are_listed(job->call, r->b_scale, n)) {
    const float a = onri_integer_value(job->call, r->a_scale, 0);
    const float *b = (const float *)job->call->inputs[r->b_scale] + at % n;
    for (size_t j = 0; j < count; j++) scales[j] = a * b[j] / job->y_scale;
    return;
  }
  for (size_t j = 0; j < count; j++)
    scales[j] = onri_integer_value(job->call, r->a_scale, onri_dims_offset(&s->a_scale, at + j)) *
                onri_integer_value(job->call, r->b_scale, onri_dims_offset(&s->b_scale, at + j)) / job->y_scale;
}

/* Results are real numbers, float32. */
static int is_real(const struct onri_integer_roles *r) {
  return r->a_scale != ONRI_NO_ROLE && r->y_scale == ONRI_NO_ROLE;
}

/* Rows of results that share their scales. */
static void store_rows(const struct job *job, size_t at, size_t column, const struct onri_byte_sums *sums) {
  const struct onr_call *call = job->call;
  const struct onri_integer_roles *r = job->roles;
  const int one = is_one(call, r->a_scale) && is_one(call, r->b_scale);
  struct onri_requantise q = job->requantise;
  float scales[ONRI_BYTE_COLUMNS];
  scales_of(job, at, one ? 1 : sums->columns, scales);
  q.scales = scales, q.scale_step = one ? 0 : 1;
  if (!is_real(r)) {
    onri_requantise(&q, sums, (char *)call->outputs[0] + at, job->s->product.n);
    return;
  }
  const float *bias = onri_has(call, r->bias) ? (const float *)call->inputs[r->bias] + column : NULL;
  const struct onri_byte_reals reals = {scales, q.scale_step, bias, -INFINITY, INFINITY};
  onri_byte_reals(&reals, sums, (float *)call->outputs[0] + at, job->s->product.n * sizeof(float));
}

static void store_tile(const void *context, size_t batch, size_t row, size_t column,
                       const struct onri_byte_sums *sums) {
  const struct job *job = context;
  const struct onri_product *p = &job->s->product;
  const size_t a_scale = job->roles->a_scale, at = (batch * p->m + row) * p->n + column;
  if (a_scale == ONRI_NO_ROLE) {
    onri_byte_copy(sums, (int32_t *)job->call->outputs[0] + at, p->n);
    return;
  }
  const size_t some = is_one(job->call, a_scale) ? sums->rows : 1;
  for (size_t r = 0; r < sums->rows; r += some)
    store_rows(job, at + r * p->n, column,
               &(struct onri_byte_sums){sums->sums + r * sums->sums_row, some, sums->columns, sums->sums_row});
}

static int32_t *sums_at(const void *context, size_t batch, size_t row, size_t column) {
  const struct job *job = context;
  const struct onri_product *p = &job->s->product;
  return (int32_t *)job->call->outputs[0] + (batch * p->m + row) * p->n + column;
}
/* Where rows share their scales. */
static uint8_t *bytes_at(const void *context, size_t batch, size_t row, size_t column, struct onri_requantise *r) {
  const struct job *job = context;
  const struct onri_product *p = &job->s->product;
  *r = onri_requantise_from(&job->requantise, column);
  return (uint8_t *)job->call->outputs[0] + (batch * p->m + row) * p->n + column;
}
static float *reals_at(const void *context, size_t batch, size_t row, size_t column, struct onri_byte_reals *r) {
  const struct job *job = context;
  const struct onr_call *call = job->call;
  const struct onri_product *p = &job->s->product;
  const float *bias = onri_has(call, job->roles->bias) ? (const float *)call->inputs[job->roles->bias] + column : NULL;
  *r = (struct onri_byte_reals){job->scales + column * job->scale_step, job->scale_step, bias, -INFINITY, INFINITY};
  return (float *)call->outputs[0] + (batch * p->m + row) * p->n + column;
}

/* Zero points of an operand, one for each `step` elements of `count`, or the only one; NULL: they are 0. */
static const int32_t *expand_zeros(const struct onr_call *call, size_t input, const struct onri_dims *dims,
                                   size_t count, size_t row, size_t each, size_t step, int32_t *zeros) {
  int32_t any = 0;
  if (!onri_has(call, input)) return NULL;
  if (is_one(call, input)) count = 1;
  for (size_t i = 0; i < count; i++) {
    zeros[i] = onri_value8(call->in[input].dtype, call->inputs[input],
                           onri_dims_offset(dims, i / row * each + i % row * step));
    any |= zeros[i];
  }
  return any ? zeros : NULL;
}

static const void *packed_columns(struct onr_call *call, const struct onri_integer_roles *r, size_t count) {
  const struct onri_integer_prepared *prepared = call->prepared;
  const struct onri_integer_state *s = call->state;
  if (prepared->columns) return prepared->columns;
  struct packing packing = {.b = call->inputs[r->b],
                            .is_signed = is_signed(call, r->b),
                            .columns = (char *)call->scratch + s->columns_at,
                            .k = s->product.k,
                            .n = s->product.n};
  onr_parallel_for(call->env, count, 1, pack_range, &packing);
  return packing.columns;
}

static void set_requantise(const struct onr_call *call, const struct onri_integer_roles *r, struct job *job) {
  const int is_u8 = call->out[0].dtype == ONR_DTYPE_U8;
  job->y_scale = 1;
  if (r->y_scale == ONRI_NO_ROLE) return;
  job->y_scale = onri_integer_value(call, r->y_scale, 0);
  job->requantise.zero = onri_value8(call->in[r->y_zero].dtype, call->inputs[r->y_zero], 0);
  job->requantise.low = is_u8 ? 0 : INT8_MIN, job->requantise.high = is_u8 ? UINT8_MAX : INT8_MAX;
}

/* Scales that all rows share, where they do. */
static int share_scales(struct job *job, float *scales) {
  const struct onri_integer_roles *r = job->roles;
  const size_t n = job->s->product.n;
  if (r->a_scale == ONRI_NO_ROLE || !is_one(job->call, r->a_scale)) return 0;
  if (!is_one(job->call, r->b_scale) && !are_listed(job->call, r->b_scale, n)) return 0;
  job->scale_step = !is_one(job->call, r->b_scale);
  scales_of(job, 0, job->scale_step ? n : 1, scales);
  job->scales = job->requantise.scales = scales;
  job->requantise.scale_step = job->scale_step;
  job->requantise.below_one = onri_scales_below_one(scales, job->scale_step ? n : 1);
  return 1;
}

/* No depth: sums of nothing. */
static void store_nothing(const struct job *job) {
  static const int32_t zeros[ONRI_BYTE_COLUMNS];
  const struct onri_product *p = &job->s->product;
  for (size_t row = 0; row < p->batches * p->m; row++)
    for (size_t column = 0; column < p->n; column += ONRI_BYTE_COLUMNS) {
      const size_t left = p->n - column;
      store_tile(job, row / p->m, row % p->m, column,
                 &(struct onri_byte_sums){zeros, 1, left < ONRI_BYTE_COLUMNS ? left : ONRI_BYTE_COLUMNS, 0});
    }
}

enum onr_status onri_integer_run(struct onr_call *call, const struct onri_integer_roles *r) {
  const struct onri_integer_state *s = call->state;
  const struct onri_product *p = &s->product;
  struct job job = {.call = call, .roles = r, .s = s, .a_is_signed = is_signed(call, r->a)};
  char *scratch = call->scratch;
  size_t count;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (onri_integer_is_float8(call, r)) return onri_float8_run(call, r);
  set_requantise(call, r, &job);
  if (p->k == 0) {
    store_nothing(&job);
    return ONR_STATUS_OK;
  }
  columns_bytes(call, r, p->k, p->n, &count);
  const size_t a_step = onri_has(call, r->a_zero) && !is_one(call, r->a_zero),
               b_step = onri_has(call, r->b_zero) && !is_one(call, r->b_zero);
  const int shares = share_scales(&job, (float *)(void *)(scratch + s->scales_at));
  const struct onri_byte_product product = {
      .batches = p->batches,
      .m = p->m,
      .k = onri_byte_depth_of(p->k),
      .n = p->n,
      .a_signed = job.a_is_signed,
      .b_signed = is_signed(call, r->b),
      .columns = packed_columns(call, r, count),
      .num_columns = count,
      .columns_of = b_matrix_of,
      .rows_of = a_matrix_of,
      .a_zero = expand_zeros(call, r->a_zero, &s->a_zero, a_matrices(call, r, p) * p->m, p->m, p->m * p->k, p->k,
                             (int32_t *)(void *)(scratch + s->a_zeros_at)),
      .a_zero_step = a_step,
      .a_zero_block = a_step * p->m,
      .b_zero = expand_zeros(call, r->b_zero, &s->b_zero, count * p->n, p->n, p->k * p->n, 1,
                             (int32_t *)(void *)(scratch + s->b_zeros_at)),
      .b_zero_step = b_step,
      .b_zero_block = b_step * p->n,
      .bias = !is_real(r) && onri_has(call, r->bias) ? call->inputs[r->bias] : NULL,
      .context = &job,
      .load = load_rows,
      .place = lies_packed(&job) ? place_rows : NULL,
      .bytes_at = shares && !is_real(r) ? bytes_at : NULL,
      .reals_at = shares && is_real(r) ? reals_at : NULL,
      .sums_at = r->a_scale == ONRI_NO_ROLE ? sums_at : NULL,
      .y_row = p->n * (r->a_scale == ONRI_NO_ROLE || is_real(r) ? sizeof(float) : 1),
      .finish = store_tile};
  onri_byte_product(&product, call->env);
  return ONR_STATUS_OK;
}
