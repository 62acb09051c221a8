/* head_matmul.c: see params/attention.h for inputs and outputs.
 *
 * ONNX      the two products of FlexAttention-1
 * path      portable product, a block of rows of one head at a time */
#include <math.h>

#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "kernels/matmul/gemm.h"
#include "layers/elementwise/scratch.h"
#include "params/params.h"

enum { A, B, LIKE, C };
enum { ROWS = 64, BLOCK = 256 };

struct head_matmul_state {
  size_t batch, heads, group, m, n, k; /* group heads of A share one of B */
  size_t a_at, b_at, c_at;
  double factor; /* of each operand */
};

static enum onr_dtype result_dtype(const struct onr_call *call) {
  const struct onr_head_matmul_params *p = call->params;
  if (!p->scores) return call->in[B].dtype;
  if (p->precision != ONR_DTYPE_NONE) return p->precision;
  return call->in[A].dtype == ONR_DTYPE_F64 ? ONR_DTYPE_F64 : ONR_DTYPE_F32;
}

static double rounded(enum onr_dtype dtype, double value) {
  char stored[sizeof(double)];
  onri_store_f64(dtype, &value, 1, stored);
  onri_load_f64(dtype, stored, 1, &value);
  return value;
}

static enum onr_status shape_of(const struct onr_call *call, struct head_matmul_state *s) {
  const struct onr_head_matmul_params *p = call->params;
  for (size_t i = A; i < call->num_in; i++) {
    ONR_TRY(onri_expect_rank(call, i, 4, 4));
  }
  const int64_t *a = call->in[A].dim, *b = call->in[B].dim, k = p->scores ? b[3] : b[2], n = p->scores ? b[2] : b[3];
  if (a[0] != b[0] || a[3] != k || b[1] == 0 || a[1] % b[1] != 0) {
    char text_a[96], text_b[96];
    return onr_fail(
        call->error, ONR_STATUS_SHAPE, "expected %s that fit together and heads that divide, found %s and %s",
        p->scores ? "Q and K" : "probabilities and V", onr_desc_format(&call->in[A], text_a, sizeof(text_a)),
        onr_desc_format(&call->in[B], text_b, sizeof(text_b)));
  }
  if (onri_has(call, LIKE)) {
    const int64_t *like = call->in[LIKE].dim;
    ONR_TRY(onri_expect_shape(call, A, 4, (int64_t[]){like[0], like[1], like[2], k}));
  }
  *s = (struct head_matmul_state){(size_t)a[0], (size_t)a[1], (size_t)(a[1] / b[1]), (size_t)a[2], (size_t)n,
                                  (size_t)k,    .factor = 1};
  if (!p->scores) return ONR_STATUS_OK;
  const float scale = p->has_scale ? p->scale : (float)(1.0 / sqrt((double)k));
  if (!(scale >= 0))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a scale of 0 or more, found %g", (double)scale);
  s->factor = rounded(call->in[A].dtype, (double)sqrtf(scale));
  return ONR_STATUS_OK;
}

static enum onr_status head_matmul_infer(struct onr_call *call) {
  struct head_matmul_state s;
  ONR_TRY(shape_of(call, &s));
  call->out[0] =
      onr_desc_make(result_dtype(call), 4, (int64_t[]){(int64_t)s.batch, (int64_t)s.heads, (int64_t)s.m, (int64_t)s.n});
  return ONR_STATUS_OK;
}

/* True when the product can read input i, or write the result, where it is. */
static int is_direct(const struct onr_call *call, const struct head_matmul_state *s, size_t i) {
  const enum onr_dtype type = call->in[A].dtype;
  if (!onri_is_native(type)) return 0;
  return i == C ? call->out[0].dtype == type : s->factor == 1 && call->in[i].dtype == type;
}

static size_t class_bytes(const struct onr_call *call, const struct onr_desc *desc) {
  struct onr_desc inside = *desc;
  inside.dtype = call->in[A].dtype;
  return onri_class_bytes(&inside);
}

static enum onr_status head_matmul_plan(struct onr_call *call) {
  struct head_matmul_state *s = call->state;
  ONR_TRY(shape_of(call, s));
  if (!is_direct(call, s, A)) s->a_at = onri_scratch_take(call, class_bytes(call, &call->in[A]));
  if (!is_direct(call, s, B)) s->b_at = onri_scratch_take(call, class_bytes(call, &call->in[B]));
  if (!is_direct(call, s, C)) s->c_at = onri_scratch_take(call, class_bytes(call, &call->out[0]));
  return ONR_STATUS_OK;
}

/* Elements of `from` as ones of `type` times a factor, rounded to `type` each time, in the class of `type`. */
struct widening {
  enum onr_dtype from, type;
  const char *x;
  char *y;
  double factor;
};

static void widen_range(void *context, size_t begin, size_t end) {
  const struct widening *w = context;
  const struct onri_cast cast = {.from = w->from, .to = w->type};
  const enum onri_class class = onri_dtype_class(w->type);
  const size_t size = onr_dtype_size(w->from), unit = onri_class_size(class);
  char narrow[BLOCK * sizeof(double)];
  double values[BLOCK];
  for (size_t i = begin; i < end; i += BLOCK) {
    const size_t count = end - i < BLOCK ? end - i : BLOCK;
    onri_convert_elements(&cast, w->x + i * size, narrow, count);
    if (w->factor != 1) {
      onri_load_f64(w->type, narrow, count, values);
      for (size_t j = 0; j < count; j++) values[j] *= w->factor;
      onri_store_f64(w->type, values, count, narrow);
    }
    onri_widen(w->type, narrow, count, w->y + i * unit);
  }
}

static const void *operand(struct onr_call *call, size_t i, size_t at) {
  const struct head_matmul_state *s = call->state;
  if (is_direct(call, s, i)) return call->inputs[i];
  struct widening w = {call->in[i].dtype, call->in[A].dtype, call->inputs[i], (char *)call->scratch + at, s->factor};
  onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->in[i]), 16 * BLOCK, widen_range, &w);
  return w.y;
}

struct job {
  const struct head_matmul_state *s;
  enum onri_class class;
  enum onr_dtype type, result;
  int transposed;
  const char *a, *b;
  char *c, *y;
};

/* What the product gives, in the type of A and then in that of the result. */
static void store(const struct job *job, size_t at, size_t count) {
  const struct onri_cast cast = {.from = job->type, .to = job->result};
  const size_t unit = onri_class_size(job->class), size = onr_dtype_size(job->result);
  if (job->c == job->y) return;
  char narrow[BLOCK * sizeof(double)];
  for (size_t i = 0; i < count; i += BLOCK) {
    const size_t part = count - i < BLOCK ? count - i : BLOCK;
    onri_narrow(job->type, job->c + (at + i) * unit, part, narrow);
    onri_convert_elements(&cast, narrow, job->y + (at + i) * size, part);
  }
}

static void product_range(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const struct head_matmul_state *s = job->s;
  const size_t blocks = (s->m + ROWS - 1) / ROWS, unit = onri_class_size(job->class);
  for (size_t item = begin; item < end; item++) {
    const size_t head = item / blocks, row = item % blocks * ROWS, rows = s->m - row < ROWS ? s->m - row : ROWS;
    const size_t at = (head * s->m + row) * s->n;
    const struct onri_gemm gemm = {.m = rows,
                                   .n = s->n,
                                   .k = s->k,
                                   .a = job->a + (head * s->m + row) * s->k * unit,
                                   .a_row = s->k,
                                   .a_col = 1,
                                   .b = job->b + head / s->group * s->k * s->n * unit,
                                   .b_row = job->transposed ? 1 : s->n,
                                   .b_col = job->transposed ? s->k : 1,
                                   .c = job->c + at * unit,
                                   .c_row = s->n,
                                   .alpha = 1};
    onri_gemm(job->class, &gemm);
    store(job, at, rows * s->n);
  }
}

static enum onr_status head_matmul_run(struct onr_call *call) {
  const struct onr_head_matmul_params *p = call->params;
  const struct head_matmul_state *s = call->state;
  const enum onr_dtype type = call->in[A].dtype;
  struct job job = {.s = s,
                    .class = onri_dtype_class(type),
                    .type = type,
                    .result = call->out[0].dtype,
                    .transposed = p->scores != 0,
                    .y = call->outputs[0]};
  job.c = is_direct(call, s, C) ? job.y : (char *)call->scratch + s->c_at;
  job.a = operand(call, A, s->a_at);
  job.b = operand(call, B, s->b_at);
  onr_parallel_for(call->env, s->batch * s->heads * ((s->m + ROWS - 1) / ROWS), 1, product_range, &job);
  return ONR_STATUS_OK;
}

static int64_t head_matmul_multiply_adds(const struct onr_call *call) {
  struct head_matmul_state s;
  if (shape_of(call, &s) != ONR_STATUS_OK) return 0;
  const size_t sizes[] = {s.batch, s.heads, s.m, s.n, s.k}, product = onri_size_of(sizes, 5);
  return (uint64_t)product > INT64_MAX ? INT64_MAX : (int64_t)product;
}

static uint32_t head_matmul_types(const void *params, size_t i) {
  const struct onr_head_matmul_params *p = params;
  return i == B && p->scores ? ONR_AS_INPUT(A) : 0;
}

const struct onr_layer onri_layer_head_matmul = {
    .name = "head_matmul",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT},
    .params_size = sizeof(struct onr_head_matmul_params),
    .state_size = sizeof(struct head_matmul_state),
    .types_by_params = head_matmul_types,
    .infer = head_matmul_infer,
    .plan = head_matmul_plan,
    .run = head_matmul_run,
    .multiply_adds = head_matmul_multiply_adds,
};
