/* integer_float8.c: qlinear_matmul where an operand or the result is float8: float32 products of 256 differences at a
 * time, summed up in float64. */
#include <math.h>

#include "base/numbers/cast.h"
#include "base/shape.h"
#include "kernels/convert/convert.h"
#include "kernels/matmul/gemm.h"
#include "layers/elementwise/widened.h"
#include "layers/matmul/integer_product.h"

enum { TILE_ROWS = 32, TILE_COLUMNS = 32, EXACT_DEPTH = 64 };

/* Element i of a number type, as a float. */
static float value_of(enum onr_dtype dtype, const void *data, size_t i) {
  float value;
  onri_widen_as(dtype, (const char *)data + i * onr_dtype_size(dtype), 1, ONRI_CLASS_F32, &value);
  return value;
}

struct difference {
  enum onr_dtype dtype;
  const void *x, *zero; /* zero: NULL for 0 */
  struct onri_dims zeros;
  int one_zero;
  float *to;
};

static void subtract_range(void *context, size_t begin, size_t end) {
  const struct difference *d = context;
  const float first = !d->zero ? 0 : value_of(d->dtype, d->zero, 0);
  onri_widen_as(d->dtype, (const char *)d->x + begin * onr_dtype_size(d->dtype), end - begin, ONRI_CLASS_F32,
                d->to + begin);
  for (size_t i = begin; i < end; i++)
    d->to[i] -= d->one_zero ? first : value_of(d->dtype, d->zero, onri_dims_offset(&d->zeros, i));
}

/* A minus its zero points into scratch. */
static const float *subtract(struct onr_call *call, const struct onri_integer_roles *r, size_t at) {
  struct difference d = {.dtype = call->in[r->a].dtype,
                         .x = call->inputs[r->a],
                         .one_zero = 1,
                         .to = (float *)(void *)((char *)call->scratch + at)};
  if (onri_has(call, r->a_zero)) {
    d.zero = call->inputs[r->a_zero];
    d.one_zero = onr_desc_elements(&call->in[r->a_zero]) == 1;
    d.zeros = ((const struct onri_integer_state *)call->state)->a_zero;
  }
  onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->in[r->a]), 16384, subtract_range, &d);
  return d.to;
}

struct job {
  struct onr_call *call;
  const struct onri_integer_roles *roles;
  const struct onri_integer_state *s;
  const float *a;
  size_t down, across;
  double y_scale, y_zero;
};

/* `count` results, at most TILE_COLUMNS, from element `at` of the output on. */
static void write_row(const struct job *job, const double *sums, size_t at, size_t count) {
  const struct onr_call *call = job->call;
  const enum onr_dtype dtype = call->out[0].dtype;
  float row[TILE_COLUMNS];
  for (size_t j = 0; j < count; j++) {
    const double a = (double)onri_integer_value(call, job->roles->a_scale, onri_dims_offset(&job->s->a_scale, at + j));
    const double b = (double)onri_integer_value(call, job->roles->b_scale, onri_dims_offset(&job->s->b_scale, at + j));
    const double real = sums[j] * (a * b / job->y_scale);
    row[j] = (float)((onri_dtype_class(dtype) == ONRI_CLASS_F32 ? real : rint(real)) + job->y_zero);
  }
  onri_widened_store(dtype, row, count, (char *)call->outputs[0] + at); /* one byte an element */
}

/* [depth][TILE_COLUMNS] of B from element `at` on, minus the zero points of its columns. */
static void load_slice(const struct job *job, size_t at, size_t depth, size_t columns, const float *zeros, float *to) {
  const struct onri_product *p = &job->s->product;
  const enum onr_dtype dtype = job->call->in[job->roles->b].dtype;
  const char *b = (const char *)job->call->inputs[job->roles->b] + at; /* one byte an element */
  for (size_t i = 0; i < depth; i++, b += p->b_row, to += TILE_COLUMNS) {
    if (p->b_col == 1) onri_widened_load(dtype, b, columns, to);
    else
      for (size_t j = 0; j < columns; j++) to[j] = value_of(dtype, b, j * p->b_col);
    for (size_t j = 0; j < columns; j++) to[j] -= zeros[j];
  }
}

static void load_zeros(const struct job *job, size_t at, size_t columns, float *zeros) {
  const size_t zero = job->roles->b_zero;
  const int there = onri_has(job->call, zero);
  for (size_t j = 0; j < columns; j++)
    zeros[j] = there ? value_of(job->call->in[zero].dtype, job->call->inputs[zero],
                                onri_dims_offset(&job->s->b_zero, at + j * job->s->product.b_col))
                     : 0.0f;
}

static void multiply_tile(const struct job *job, size_t batch, size_t row, size_t column) {
  const struct onri_product *p = &job->s->product;
  const size_t rows = p->m - row < TILE_ROWS ? p->m - row : TILE_ROWS;
  const size_t columns = p->n - column < TILE_COLUMNS ? p->n - column : TILE_COLUMNS;
  float part[TILE_ROWS * TILE_COLUMNS], b[EXACT_DEPTH * TILE_COLUMNS], zeros[TILE_COLUMNS];
  double sums[TILE_ROWS * TILE_COLUMNS] = {0};
  size_t a_at = row * p->a_row, b_at = column * p->b_col;
  for (size_t d = (size_t)p->num_batch_dims, rest = batch; d-- > 0; rest /= (size_t)p->batch[d]) {
    a_at += rest % (size_t)p->batch[d] * (size_t)p->a_batch[d];
    b_at += rest % (size_t)p->batch[d] * (size_t)p->b_batch[d];
  }
  if (p->k > 0) load_zeros(job, b_at, columns, zeros);
  for (size_t from = 0; from < p->k; from += EXACT_DEPTH) {
    const struct onri_gemm gemm = {.m = rows,
                                   .n = columns,
                                   .k = p->k - from < EXACT_DEPTH ? p->k - from : EXACT_DEPTH,
                                   .a = job->a + a_at + from * p->a_col,
                                   .a_row = p->a_row,
                                   .a_col = p->a_col,
                                   .b = b,
                                   .b_row = TILE_COLUMNS,
                                   .b_col = 1,
                                   .c = part,
                                   .c_row = TILE_COLUMNS,
                                   .alpha = 1.0};
    load_slice(job, b_at + from * p->b_row, gemm.k, columns, zeros, b);
    onri_gemm(ONRI_CLASS_F32, &gemm);
    for (size_t i = 0; i < rows; i++)
      for (size_t j = 0; j < columns; j++) sums[i * TILE_COLUMNS + j] += (double)part[i * TILE_COLUMNS + j];
  }
  for (size_t i = 0; i < rows; i++)
    write_row(job, sums + i * TILE_COLUMNS, (batch * p->m + row + i) * p->n + column, columns);
}

static void tile_range(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  for (size_t item = begin; item < end; item++) {
    const size_t batch = item / (job->down * job->across), tile = item % (job->down * job->across);
    multiply_tile(job, batch, tile / job->across * TILE_ROWS, tile % job->across * TILE_COLUMNS);
  }
}

enum onr_status onri_float8_run(struct onr_call *call, const struct onri_integer_roles *r) {
  const struct onri_integer_state *s = call->state;
  struct job job = {.call = call, .roles = r, .s = s};
  job.a = subtract(call, r, s->a_at);
  job.down = (s->product.m + TILE_ROWS - 1) / TILE_ROWS;
  job.across = (s->product.n + TILE_COLUMNS - 1) / TILE_COLUMNS;
  job.y_scale = (double)onri_integer_value(call, r->y_scale, 0);
  job.y_zero = (double)onri_integer_value(call, r->y_zero, 0);
  onr_parallel_for(call->env, s->product.batches * job.down * job.across, 1, tile_range, &job);
  return ONR_STATUS_OK;
}
