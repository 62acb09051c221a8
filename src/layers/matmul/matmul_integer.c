/* matmul_integer, qlinear_matmul: products of 8-bit matrices: integers, and float8 in the latter.
 *
 * matmul_integer   A, B, A's zero point, B's zero point             -> int32
 * qlinear_matmul   a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero -> y_zero's type
 * Shapes are those of matmul. Zero points and scales: one, or one a row of A, one a column of B.
 * path   portable: float32 products of 256 differences at a time are exact for integers, and are summed up in
 *        float64, which holds the sums of any integers that fit into memory */
#include <math.h>

#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "kernels/dims.h"
#include "layers/elementwise/scratch.h"
#include "layers/matmul/product.h"
#include "layers/elementwise/widened.h"

enum { TILE_ROWS = 32, TILE_COLUMNS = 64, EXACT_DEPTH = 256 };
#define BYTES_OR_FLOAT8 (ONRI_DTYPES_8BIT | ONRI_DTYPES_FLOAT8)

/* Which inputs are what. A missing one is 255. */
struct roles {
  uint8_t a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero;
};
static const struct roles integer_roles = {0, 255, 2, 1, 255, 3, 255, 255};
static const struct roles quantised_roles = {0, 1, 2, 3, 4, 5, 6, 7};

struct integer_state {
  struct onri_product product;
  size_t a_at;                       /* differences in scratch; those of B are made a slice at a time */
  struct onri_dims b_zero;           /* as seen from B */
  struct onri_dims a_scale, b_scale; /* as seen from the result */
};

/* A list of one value a row of A counts as a column. */
static struct onr_desc aligned(const struct onr_call *call, size_t i, int of_rows) {
  struct onr_desc desc = call->in[i];
  if (of_rows && desc.rank == 1 && desc.dim[0] != 1) {
    desc.rank = 2;
    desc.dim[1] = 1;
  }
  return desc;
}

static enum onr_status expect_broadcast(const struct onr_call *call, size_t i, int of_rows, const struct onr_desc *to) {
  if (!onri_has(call, i) || onr_desc_elements(&call->in[i]) == 1) return ONR_STATUS_OK;
  const struct onr_desc desc = aligned(call, i, of_rows);
  struct onr_desc result;
  ONR_TRY(onri_broadcast(to, &desc, &result, call->error));
  const int32_t repeated =
      desc.rank - (of_rows ? 1 : 2); /* the dimension that is summed over has no values of its own */
  if (onr_desc_equal(&result, to) && (repeated < 0 || desc.dim[repeated] == 1)) return ONR_STATUS_OK;
  char text[96];
  return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input %zu with one value, or one a %s, found %s", i,
                  of_rows ? "row" : "column", onr_desc_format(&call->in[i], text, sizeof(text)));
}

static enum onr_status integer_shape(const struct onr_call *call, const struct roles *r, struct onri_product *product,
                                     struct onr_desc *out) {
  static const struct onri_product_form form = {.alpha = 1.0f};
  struct onr_desc operands[2] = {call->in[r->a], call->in[r->b]};
  struct onr_call pair = *call;
  operands[0].dtype = operands[1].dtype = ONR_DTYPE_I32;
  pair.in = operands;
  pair.num_in = 2;
  ONR_TRY(onri_product_shape(&pair, &form, product, out));
  ONR_TRY(expect_broadcast(call, r->a_zero, 1, &call->in[r->a]));
  return expect_broadcast(call, r->b_zero, 0, &call->in[r->b]);
}

static enum onr_status matmul_integer_infer(struct onr_call *call) {
  struct onri_product product;
  return integer_shape(call, &integer_roles, &product, &call->out[0]);
}

static enum onr_status qlinear_matmul_infer(struct onr_call *call) {
  const struct roles *r = &quantised_roles;
  struct onri_product product;
  struct onr_desc out;
  ONR_TRY(integer_shape(call, r, &product, &out));
  ONR_TRY(expect_broadcast(call, r->a_scale, 1, &call->in[r->a]));
  ONR_TRY(expect_broadcast(call, r->b_scale, 0, &call->in[r->b]));
  if (onr_desc_elements(&call->in[r->y_scale]) != 1 || onr_desc_elements(&call->in[r->y_zero]) != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected one scale and one zero point of the result");
  out.dtype = call->in[r->y_zero].dtype;
  call->out[0] = out;
  return ONR_STATUS_OK;
}

/* --- plan --- */

static struct onri_dims broadcast_dims(const struct onr_desc *x, const struct onr_desc *result) {
  struct onri_dims dims = {.count = 1};
  int64_t strides[ONR_MAX_RANK] = {0};
  if (onr_desc_elements(x) != 1) onri_broadcast_strides(x, result, strides);
  for (int32_t d = 0; d < result->rank; d++) onri_dims_add(&dims, result->dim[d], strides[d]);
  return dims;
}

static size_t take_floats(struct onr_call *call, size_t i) {
  return onri_scratch_take(call, onri_size_of((size_t[]){(size_t)onr_desc_elements(&call->in[i]), sizeof(float)}, 2));
}

static enum onr_status integer_plan(struct onr_call *call, const struct roles *r) {
  struct integer_state *s = call->state;
  struct onr_desc out;
  ONR_TRY(integer_shape(call, r, &s->product, &out));
  call->kernel = ONR_KERNEL_VECTOR;
  s->a_at = take_floats(call, r->a);
  if (onri_has(call, r->b_zero)) s->b_zero = broadcast_dims(&call->in[r->b_zero], &call->in[r->b]);
  if (r->a_scale == 255) return ONR_STATUS_OK;
  const struct onr_desc rows = aligned(call, r->a_scale, 1);
  s->a_scale = broadcast_dims(&rows, &out);
  s->b_scale = broadcast_dims(&call->in[r->b_scale], &out);
  return ONR_STATUS_OK;
}

static enum onr_status matmul_integer_plan(struct onr_call *call) { return integer_plan(call, &integer_roles); }
static enum onr_status qlinear_matmul_plan(struct onr_call *call) { return integer_plan(call, &quantised_roles); }

/* --- run --- */

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
static const float *subtract(struct onr_call *call, const struct roles *r, size_t at) {
  struct difference d = {.dtype = call->in[r->a].dtype,
                         .x = call->inputs[r->a],
                         .one_zero = 1,
                         .to = (float *)(void *)((char *)call->scratch + at)};
  if (onri_has(call, r->a_zero)) {
    const struct onr_desc zeros = aligned(call, r->a_zero, 1);
    d.zero = call->inputs[r->a_zero];
    d.one_zero = onr_desc_elements(&zeros) == 1;
    d.zeros = broadcast_dims(&zeros, &call->in[r->a]);
  }
  onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->in[r->a]), 16384, subtract_range, &d);
  return d.to;
}

struct job {
  struct onr_call *call;
  const struct roles *roles;
  const struct integer_state *s;
  const float *a;
  size_t down, across;
  double y_scale, y_zero;
};

static double real_of(const struct onr_call *call, size_t input, size_t i) {
  return (double)value_of(call->in[input].dtype, call->inputs[input], i);
}

/* `count` results, at most TILE_COLUMNS, from element `at` of the output on. int32 sums wrap. */
static void write_row(const struct job *job, const double *sums, size_t at, size_t count) {
  const struct onr_call *call = job->call;
  const enum onr_dtype dtype = call->out[0].dtype;
  float row[TILE_COLUMNS];
  if (job->roles->a_scale == 255) {
    for (size_t j = 0; j < count; j++) ((int32_t *)call->outputs[0])[at + j] = (int32_t)(uint32_t)(int64_t)sums[j];
    return;
  }
  for (size_t j = 0; j < count; j++) {
    const double a = real_of(call, job->roles->a_scale, onri_dims_offset(&job->s->a_scale, at + j));
    const double b = real_of(call, job->roles->b_scale, onri_dims_offset(&job->s->b_scale, at + j));
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

static enum onr_status integer_run(struct onr_call *call, const struct roles *r) {
  const struct integer_state *s = call->state;
  struct job job = {.call = call, .roles = r, .s = s, .y_scale = 1.0};
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  job.a = subtract(call, r, s->a_at);
  job.down = (s->product.m + TILE_ROWS - 1) / TILE_ROWS;
  job.across = (s->product.n + TILE_COLUMNS - 1) / TILE_COLUMNS;
  if (r->y_scale != 255) {
    job.y_scale = real_of(call, r->y_scale, 0);
    job.y_zero = real_of(call, r->y_zero, 0);
  }
  onr_parallel_for(call->env, s->product.batches * job.down * job.across, 1, tile_range, &job);
  return ONR_STATUS_OK;
}

static enum onr_status matmul_integer_run(struct onr_call *call) { return integer_run(call, &integer_roles); }
static enum onr_status qlinear_matmul_run(struct onr_call *call) { return integer_run(call, &quantised_roles); }

static int64_t multiply_adds(const struct onr_call *call, const struct roles *r) {
  struct onri_product product;
  struct onr_desc out;
  return integer_shape(call, r, &product, &out) == ONR_STATUS_OK ? onri_product_multiply_adds(&product) : 0;
}

static int64_t matmul_integer_multiply_adds(const struct onr_call *call) { return multiply_adds(call, &integer_roles); }
static int64_t qlinear_matmul_multiply_adds(const struct onr_call *call) {
  return multiply_adds(call, &quantised_roles);
}

static uint32_t integer_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_8BIT : 0;
}

static uint32_t quantised_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? BYTES_OR_FLOAT8 : 0;
}

const struct onr_layer onri_layer_matmul_integer = {
    .name = "matmul_integer",
    .inputs_min = 2,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_8BIT, ONRI_DTYPES_8BIT, ONR_AS_INPUT(0), ONR_AS_INPUT(1)},
    .state_size = sizeof(struct integer_state),
    .infer = matmul_integer_infer,
    .plan = matmul_integer_plan,
    .run = matmul_integer_run,
    .multiply_adds = matmul_integer_multiply_adds,
    .kernel_types = integer_kernel_types,
};

const struct onr_layer onri_layer_qlinear_matmul = {
    .name = "qlinear_matmul",
    .inputs_min = 8,
    .inputs_max = 8,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {BYTES_OR_FLOAT8, ONRI_DTYPES_F32_AND_HALF, ONR_AS_INPUT(0), BYTES_OR_FLOAT8, ONRI_DTYPES_F32_AND_HALF,
              ONR_AS_INPUT(3), ONRI_DTYPES_F32_AND_HALF, BYTES_OR_FLOAT8},
    .state_size = sizeof(struct integer_state),
    .infer = qlinear_matmul_infer,
    .plan = qlinear_matmul_plan,
    .run = qlinear_matmul_run,
    .multiply_adds = qlinear_matmul_multiply_adds,
    .kernel_types = quantised_kernel_types,
};
