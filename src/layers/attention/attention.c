/* attention.c: see params/attention.h for inputs and outputs.
 *
 * path      vectors, by blocks of keys; narrow types through float32; double by the portable product
 * past      also as rows of int8 (base/numbers/cache_rows.h), which it then goes on with: for a session that keeps them
 *           so (cache_int8) */
#include <math.h>
#include <string.h>

#include "base/env.h"
#include "base/numbers/cache_rows.h"
#include "base/shape.h"
#include "kernels/attention/attention.h"
#include "kernels/convert/convert.h"
#include "layers/elementwise/scratch.h"
#include "params/params.h"

enum { Q, K, V, MASK, PAST_K, PAST_V, LENGTHS, NUM_INPUTS };
enum { Y, PRESENT_K, PRESENT_V, SCORES };

struct attention_state {
  struct onri_attention kernel; /* its pointers are set in run */
  struct onri_attention_plan plan;
  size_t operand_at[NUM_INPUTS], y_at, scores_at, work_at;
};

/* [batch, heads, rows, width] of a rank-3 or rank-4 operand, and its strides. */
struct head_shape {
  int64_t batch, heads, rows, width;
};

static enum onr_status heads_of(const struct onr_call *call, size_t i, int64_t heads, int inner,
                                struct head_shape *shape, struct onri_heads *strides) {
  const struct onr_desc *x = &call->in[i];
  if (x->rank == 3) {
    if (heads <= 0)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                      "input %zu is of rank 3: expected a number of heads of 1 or more, found %lld", i,
                      (long long)heads);
    if (x->dim[2] % heads != 0)
      return onr_fail(call->error, ONR_STATUS_SHAPE,
                      "expected input %zu of rank 3 to divide into its heads, found %lld by %lld", i,
                      (long long)x->dim[2], (long long)heads);
    *shape = (struct head_shape){x->dim[0], heads, x->dim[1], x->dim[2] / heads};
    inner = 1;
  } else if (inner) {
    *shape = (struct head_shape){x->dim[0], x->dim[2], x->dim[1], x->dim[3]};
  } else {
    *shape = (struct head_shape){x->dim[0], x->dim[1], x->dim[2], x->dim[3]};
  }
  const size_t width = (size_t)shape->width, rows = (size_t)shape->rows, count = (size_t)shape->heads;
  *strides =
      (struct onri_heads){NULL, rows * count * width, inner ? width : rows * width, inner ? count * width : width};
  return ONR_STATUS_OK;
}

static enum onr_status check_ranks(const struct onr_call *call) {
  if (onri_has(call, PAST_K) != onri_has(call, PAST_V))
    return onr_fail(call->error, ONR_STATUS_ARITY, "expected past key and past value together");
  ONR_TRY(onri_expect_rank(call, Q, 3, 4));
  ONR_TRY(onri_expect_rank(call, K, call->in[Q].rank, call->in[Q].rank));
  return onri_expect_rank(call, V, call->in[Q].rank, call->in[Q].rank);
}

/* Whether this past is kept in bytes. */
static int is_int8(const struct onr_call *call, size_t i) {
  return onri_has(call, i) && call->in[i].dtype == ONR_DTYPE_I8;
}

/* The type in which the kernel computes. */
static enum onr_dtype kernel_dtype(const struct onr_call *call) {
  return call->in[Q].dtype == ONR_DTYPE_F64 ? ONR_DTYPE_F64 : ONR_DTYPE_F32;
}

/* Each as what it goes on with, or both int8. */
static enum onr_status check_past_types(const struct onr_call *call) {
  if (is_int8(call, PAST_K) && is_int8(call, PAST_V) && kernel_dtype(call) == ONR_DTYPE_F32) return ONR_STATUS_OK;
  ONR_TRY(onri_expect_same_dtype(call, PAST_K, Q));
  return onri_expect_same_dtype(call, PAST_V, V);
}

static enum onr_status check_past(const struct onr_call *call, const struct head_shape *k, const struct head_shape *v,
                                  struct onri_attention *a) {
  struct head_shape past_k, past_v;
  if (!onri_has(call, PAST_K)) return ONR_STATUS_OK;
  ONR_TRY(check_past_types(call));
  ONR_TRY(onri_expect_rank(call, PAST_K, 4, 4));
  ONR_TRY(onri_expect_rank(call, PAST_V, 4, 4));
  ONR_TRY(heads_of(call, PAST_K, 0, 0, &past_k, &a->past_k));
  ONR_TRY(heads_of(call, PAST_V, 0, 0, &past_v, &a->past_v));
  a->past_is_int8 = is_int8(call, PAST_K);
  if (a->past_is_int8) past_k.width -= ONRI_CACHE_SCALE_BYTES, past_v.width -= ONRI_CACHE_SCALE_BYTES;
  if (past_k.batch != k->batch || past_k.heads != k->heads || past_k.width != k->width || past_v.batch != v->batch ||
      past_v.heads != v->heads || past_v.width != v->width || past_k.rows != past_v.rows)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "expected past key and value that go on with K and V, found %lld and %lld keys",
                    (long long)past_k.rows, (long long)past_v.rows);
  a->past = (size_t)past_k.rows;
  return ONR_STATUS_OK;
}

/* True when the kernel cannot read input i where it is. */
static int is_converted(const struct onr_call *call, size_t i) {
  const enum onr_dtype dtype = onri_has(call, i) ? call->in[i].dtype : ONR_DTYPE_NONE, inside = kernel_dtype(call);
  if (dtype == ONR_DTYPE_NONE || dtype == inside) return 0;
  return i == MASK ? dtype != ONR_DTYPE_BOOL : dtype != ONR_DTYPE_I8;
}

static enum onr_status check_mask(const struct onr_call *call, struct onri_attention *a) {
  if (!onri_has(call, MASK)) return ONR_STATUS_OK;
  const struct onr_desc *mask = &call->in[MASK];
  const size_t bound[4] = {a->batch, a->heads, a->queries, a->past + a->keys};
  size_t strides[4] = {0}, step = 1;
  ONR_TRY(onri_expect_rank(call, MASK, 1, 4));
  for (int32_t d = mask->rank, to = 3; d-- > 0; to--) {
    const size_t dim = (size_t)mask->dim[d];
    if (to == 3 ? dim > bound[3] : dim != 1 && dim != bound[to]) {
      char text[96];
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a mask that broadcasts to [%zu,%zu,%zu,%zu], found %s",
                      bound[0], bound[1], bound[2], bound[3], onr_desc_format(mask, text, sizeof(text)));
    }
    strides[to] = dim == 1 ? 0 : step;
    step *= dim;
  }
  a->mask = (struct onri_mask){NULL,       is_converted(call, MASK) ? kernel_dtype(call) : mask->dtype,
                               strides[0], strides[1],
                               strides[2], (size_t)mask->dim[mask->rank - 1]};
  return ONR_STATUS_OK;
}

static enum onr_status shape_of(const struct onr_call *call, struct onri_attention *a) {
  const struct onr_attention_params *p = call->params;
  struct head_shape q, k, v;
  *a = (struct onri_attention){.class = onri_dtype_class(call->in[Q].dtype)};
  ONR_TRY(check_ranks(call));
  ONR_TRY(heads_of(call, Q, p->heads, p->q_heads_inner, &q, &a->q));
  ONR_TRY(heads_of(call, K, p->kv_heads, p->kv_heads_inner, &k, &a->k));
  ONR_TRY(heads_of(call, V, p->kv_heads, p->kv_heads_inner, &v, &a->v));
  if (k.batch != q.batch || v.batch != q.batch || k.width != q.width || k.rows != v.rows || k.heads != v.heads) {
    char text_q[96], text_k[96], text_v[96];
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected Q, K and V that fit together, found %s, %s, %s",
                    onr_desc_format(&call->in[Q], text_q, sizeof(text_q)),
                    onr_desc_format(&call->in[K], text_k, sizeof(text_k)),
                    onr_desc_format(&call->in[V], text_v, sizeof(text_v)));
  }
  if (k.heads == 0 || q.heads % k.heads != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "expected query heads that are a multiple of the %lld of K, found %lld", (long long)k.heads,
                    (long long)q.heads);
  a->batch = (size_t)q.batch;
  a->heads = (size_t)q.heads;
  a->kv_heads = (size_t)k.heads;
  a->queries = (size_t)q.rows;
  a->keys = (size_t)k.rows;
  a->width = (size_t)q.width;
  a->value_width = (size_t)v.width;
  ONR_TRY(check_past(call, &k, &v, a));
  if (onri_has(call, LENGTHS)) {
    const struct onr_desc expected = onr_desc_make(ONR_DTYPE_I64, 1, &q.batch);
    if (!onr_desc_equal(&expected, &call->in[LENGTHS]))
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected one length for each of %lld sequences",
                      (long long)q.batch);
  }
  return check_mask(call, a);
}

static enum onr_status check_params(const struct onr_call *call) {
  const struct onr_attention_params *p = call->params;
  if (p->softcap < 0.0f || !(p->scale == p->scale))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a softcap of 0 or more and a scale, found %g and %g",
                    (double)p->softcap, (double)p->scale);
  if ((p->has_window_left && p->window_left < 0) || (p->has_window_right && p->window_right < 0))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected window sizes of 0 or more");
  return ONR_STATUS_OK;
}

static struct onr_desc present_desc(const struct onr_call *call, enum onr_dtype dtype, int64_t batch, int64_t heads,
                                    int64_t rows, int64_t width) {
  if (!is_int8(call, PAST_K)) return onr_desc_make(dtype, 4, (int64_t[]){batch, heads, rows, width});
  return onr_desc_make(ONR_DTYPE_I8, 4, (int64_t[]){batch, heads, rows, width + ONRI_CACHE_SCALE_BYTES});
}

static enum onr_status attention_infer(struct onr_call *call) {
  const struct onr_attention_params *p = call->params;
  const enum onr_dtype dtype = call->in[Q].dtype;
  struct onri_attention a;
  ONR_TRY(check_params(call));
  ONR_TRY(shape_of(call, &a));
  const int64_t batch = (int64_t)a.batch, heads = (int64_t)a.heads, kv_heads = (int64_t)a.kv_heads,
                rows = (int64_t)a.queries;
  const int64_t total = (int64_t)(a.past + a.keys), width = (int64_t)a.width, value_width = (int64_t)a.value_width;
  for (size_t i = 0; i < call->num_out; i++) {
    if (i == Y && call->in[Q].rank == 3)
      call->out[i] = onr_desc_make(dtype, 3, (int64_t[]){batch, rows, heads * value_width});
    else if (i == Y)
      call->out[i] = p->y_heads_inner ? onr_desc_make(dtype, 4, (int64_t[]){batch, rows, heads, value_width})
                                      : onr_desc_make(dtype, 4, (int64_t[]){batch, heads, rows, value_width});
    else if (i == SCORES) call->out[i] = onr_desc_make(dtype, 4, (int64_t[]){batch, heads, rows, total});
    else if (i == PRESENT_K) call->out[i] = present_desc(call, dtype, batch, kv_heads, total, width);
    else call->out[i] = present_desc(call, call->in[V].dtype, batch, kv_heads, total, value_width);
  }
  return ONR_STATUS_OK;
}

static enum onr_status attention_plan(struct onr_call *call) {
  const struct onr_attention_params *p = call->params;
  struct attention_state *s = call->state;
  struct onri_attention *a = &s->kernel;
  ONR_TRY(shape_of(call, a));
  const int inner = call->in[Q].rank == 3 || p->y_heads_inner;
  const size_t row = a->value_width, head = inner ? row : a->queries * row;
  a->y = (struct onri_heads){NULL, a->queries * a->heads * row, head, inner ? a->heads * row : row};
  a->scale = p->scale != 0.0f ? (double)p->scale : 1.0 / sqrt((double)a->width);
  a->softcap = (double)p->softcap;
  a->causal = p->causal;
  a->has_window_left = p->has_window_left;
  a->has_window_right = p->has_window_right;
  a->window_left = p->window_left;
  a->window_right = p->window_right;
  a->scores_at = p->qk_output;
  a->blind_query = p->blind_query;
  if (a->class == ONRI_CLASS_F32) call->kernel = ONR_KERNEL_VECTOR;
  for (size_t i = Q; i <= PAST_V; i++) {
    if (!is_converted(call, i)) continue;
    struct onr_desc inside = call->in[i];
    inside.dtype = kernel_dtype(call);
    s->operand_at[i] = onri_scratch_take(call, onri_class_bytes(&inside));
  }
  const size_t y_sizes[] = {a->batch, a->heads, a->queries, a->value_width, onri_class_size(a->class)};
  if (!onri_is_native(call->out[Y].dtype))
    s->y_at = onri_scratch_take(call, onri_size_of(y_sizes, 5)); /* also when not wanted */
  if (call->num_out > SCORES && !onri_is_native(call->in[Q].dtype))
    s->scores_at = onri_scratch_take(call, onri_class_bytes(&call->out[SCORES]));
  s->plan = onri_attention_plan(a, onr_threads_count(call->env->threads));
  s->work_at = onri_scratch_take(call, s->plan.scratch_bytes);
  return ONR_STATUS_OK;
}

/* From one head to the next. */
static size_t head_rows(const int64_t *rows, size_t i, size_t own) { return rows && rows[i] ? (size_t)rows[i] : own; }

/* A row of present from one of K or V. */
static void write_row(enum onr_dtype dtype, const char *row, size_t width, int int8, char *to) {
  if (int8) onri_cache_narrow(dtype, row, width, (int8_t *)to);
  else memcpy(to, row, width * onr_dtype_size(dtype));
}

/* present = past, then new, as [batch, kv_heads, total, width]. `x` has the strides of the new part. */
static void write_present(struct onr_call *call, const struct onri_attention *a, size_t output,
                          const struct onri_heads *x, size_t width) {
  const size_t past_input = output == PRESENT_K ? PAST_K : PAST_V, new_input = output == PRESENT_K ? K : V;
  const enum onr_dtype dtype = call->in[new_input].dtype;
  const size_t size = onr_dtype_size(dtype), row = a->past_is_int8 ? width + ONRI_CACHE_SCALE_BYTES : width * size;
  const size_t from_rows = head_rows(call->in_rows, past_input, a->past),
               to_rows = head_rows(call->out_rows, output, a->past + a->keys);
  if (output >= call->num_out || !call->outputs[output]) return;
  const int is_new = a->past > 0 && call->inputs[past_input] != call->outputs[output];
  for (size_t b = 0; b < a->batch; b++)
    for (size_t h = 0; h < a->kv_heads; h++) {
      const size_t head = b * a->kv_heads + h;
      const char *from = (const char *)call->inputs[new_input] + (b * x->batch + h * x->head) * size;
      char *to = (char *)call->outputs[output] + head * to_rows * row;
      if (is_new) memcpy(to, (const char *)call->inputs[past_input] + head * from_rows * row, a->past * row);
      for (size_t i = 0; i < a->keys; i++)
        write_row(dtype, from + i * x->row * size, width, a->past_is_int8, to + (a->past + i) * row);
    }
}

static enum onr_status check_lengths(const struct onr_call *call, const struct onri_attention *a) {
  const int64_t *lengths = onri_has(call, LENGTHS) ? call->inputs[LENGTHS] : NULL, total = (int64_t)(a->past + a->keys);
  for (size_t b = 0; lengths && b < a->batch; b++)
    if (lengths[b] < 0 || lengths[b] > total)
      return onr_fail(call->error, ONR_STATUS_INDEX, "expected lengths between 0 and %lld, found %lld",
                      (long long)total, (long long)lengths[b]);
  return ONR_STATUS_OK;
}

/* Input i, a cache that has room for more rows, for the kernel. */
static void *cache_operand(struct onr_call *call, size_t i, struct onri_heads *x) {
  const struct attention_state *s = call->state;
  const struct onr_desc *desc = &call->in[i];
  const size_t heads = (size_t)(desc->dim[0] * desc->dim[1]), own = (size_t)(desc->dim[2] * desc->dim[3]),
               whole = (size_t)(call->in_rows[i] * desc->dim[3]);
  const char *from = call->inputs[i];
  if (!is_converted(call, i)) {
    x->head = whole;
    x->batch = (size_t)desc->dim[1] * whole;
    return (void *)(uintptr_t)from;
  }
  char *to = (char *)call->scratch + s->operand_at[i];
  for (size_t h = 0; h < heads; h++)
    onri_widen_as(desc->dtype, from + h * whole * onr_dtype_size(desc->dtype), own, s->kernel.class,
                  to + h * own * onri_class_size(s->kernel.class));
  return to;
}

/* Input i for the kernel. */
static const void *operand(struct onr_call *call, size_t i) {
  const struct attention_state *s = call->state;
  const enum onri_class class = s->kernel.class;
  if (!is_converted(call, i)) return onri_has(call, i) ? call->inputs[i] : NULL;
  if (onri_dtype_class(call->in[i].dtype) == class) return onri_converted_input(call, i, s->operand_at[i]);
  void *to = (char *)call->scratch + s->operand_at[i];
  onri_widen_as(call->in[i].dtype, call->inputs[i], (size_t)onr_desc_elements(&call->in[i]), class, to);
  return to;
}

static enum onr_status attention_run(struct onr_call *call) {
  struct attention_state *s = call->state;
  struct onri_attention a = s->kernel;
  a.env = call->env;
  const enum onr_dtype dtype = call->in[Q].dtype;
  const int native = onri_is_native(dtype), wants_scores = call->num_out > SCORES && call->outputs[SCORES] != NULL;
  struct onri_heads *const heads[] = {&a.q, &a.k, &a.v, NULL, &a.past_k, &a.past_v};
  ONR_TRY(check_lengths(call, &a));
  for (size_t i = Q; i <= PAST_V; i++)
    if (heads[i])
      heads[i]->data = call->in_rows && call->in_rows[i] ? cache_operand(call, i, heads[i]) : (void *)operand(call, i);
  a.mask.data = operand(call, MASK);
  if (onri_has(call, LENGTHS)) a.lengths = call->inputs[LENGTHS];
  a.y.data = onri_is_native(call->out[Y].dtype) ? call->outputs[Y] : (char *)call->scratch + s->y_at;
  if (wants_scores) a.scores = native ? call->outputs[SCORES] : (char *)call->scratch + s->scores_at;
  write_present(call, &a, PRESENT_K, &a.k, a.width);
  write_present(call, &a, PRESENT_V, &a.v, a.value_width);
  onri_attention(&a, &s->plan, (char *)call->scratch + s->work_at, call->env);
  if (native) return ONR_STATUS_OK;
  if (call->outputs[Y])
    onri_convert(call->env, dtype, a.y.data, call->outputs[Y], (size_t)onr_desc_elements(&call->out[Y]), 1);
  if (wants_scores)
    onri_convert(call->env, dtype, a.scores, call->outputs[SCORES], (size_t)onr_desc_elements(&call->out[SCORES]), 1);
  return ONR_STATUS_OK;
}

static int64_t attention_multiply_adds(const struct onr_call *call) {
  struct onri_attention a;
  if (shape_of(call, &a) != ONR_STATUS_OK) return 0;
  const size_t sizes[] = {a.batch, a.heads, a.queries, a.past + a.keys, a.width + a.value_width};
  const size_t product = onri_size_of(sizes, 5);
  return (uint64_t)product > INT64_MAX ? INT64_MAX : (int64_t)product;
}

/* Softmax: however narrow heads are. */
static int64_t attention_steps(const struct onr_call *call) {
  enum { SCORE = 8 };
  struct onri_attention a;
  if (shape_of(call, &a) != ONR_STATUS_OK) return 0;
  return ONRI_STEPS((int64_t)a.batch, (int64_t)a.heads, (int64_t)a.queries, (int64_t)(a.past + a.keys), SCORE);
}

static int attention_takes_room(const void *params, size_t i, int32_t rank) {
  const struct onr_attention_params *p = params;
  return rank == 4 && (i == PAST_K || i == PAST_V || ((i == K || i == V) && !p->kv_heads_inner));
}

static int32_t attention_goes_on(const void *params, size_t i, int32_t rank) {
  (void)params;
  return rank != 4 ? -1 : i == PRESENT_K ? PAST_K : i == PRESENT_V ? PAST_V : -1;
}

static uint32_t attention_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF : 0;
}

const struct onr_layer onri_layer_attention = {
    .name = "attention",
    .inputs_min = 3,
    .inputs_max = 7,
    .outputs_min = 1,
    .outputs_max = 4,
    .flags = ONR_LAYER_INT8_CACHES,
    .types = {ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0), ONRI_DTYPES_FLOAT,
              ONRI_DTYPES_NUMBER | ONRI_DTYPE_BIT(ONR_DTYPE_BOOL), ONRI_DTYPES_FLOAT | ONRI_DTYPE_BIT(ONR_DTYPE_I8),
              ONRI_DTYPES_FLOAT | ONRI_DTYPE_BIT(ONR_DTYPE_I8), ONRI_DTYPE_BIT(ONR_DTYPE_I64)},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_ATTENTION,
    .params_size = sizeof(struct onr_attention_params),
    .state_size = sizeof(struct attention_state),
    .infer = attention_infer,
    .plan = attention_plan,
    .run = attention_run,
    .multiply_adds = attention_multiply_adds,
    .steps = attention_steps,
    .kernel_types = attention_kernel_types,
    .takes_room = attention_takes_room,
    .goes_on = attention_goes_on,
};
