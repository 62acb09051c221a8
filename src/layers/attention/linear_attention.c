/* linear_attention.c: see params/attention.h for inputs and outputs.
 *
 * ONNX      LinearAttention-27
 * path      step by step in float32; a block of the columns of a head's state runs through all steps on its own */
#include <math.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "kernels/attention/linear_attention.h"
#include "kernels/elementwise/vecmath.h"
#include "layers/elementwise/scratch.h"
#include "params/params.h"

enum { Q, K, V, PAST, DECAY, BETA, NUM_INPUTS };
enum { Y, PRESENT };
enum { COLUMNS = ONRI_LINEAR_COLUMNS };

struct linear_attention_state {
  size_t batch, steps, heads, kv_heads, width, value_width;
  size_t blocks;        /* of columns of one head */
  size_t decays, betas; /* in one step: decay kv_heads [width], beta kv_heads or 1 */
  float scale;
  size_t at[NUM_INPUTS], y_at, state_at;
};

static enum onr_status check_rule(const struct onr_call *call) {
  const struct onr_linear_attention_params *p = call->params;
  if (p->heads < 1 || p->kv_heads < 1 || p->heads % p->kv_heads != 0)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                    "expected query heads that are a multiple of the key heads, found %lld and %lld",
                    (long long)p->heads, (long long)p->kv_heads);
  if (onri_has(call, DECAY) != (p->gated != 0))
    return onr_fail(call->error, ONR_STATUS_ARITY, "expected a decay with the gated rules, and with them alone");
  if (onri_has(call, BETA) != (p->delta != 0))
    return onr_fail(call->error, ONR_STATUS_ARITY, "expected beta with the delta rules, and with them alone");
  return p->scale == p->scale ? ONR_STATUS_OK
                              : onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a scale, found NaN");
}

static enum onr_status check_ranks(const struct onr_call *call) {
  for (size_t i = Q; i < call->num_in; i++)
    if (onri_has(call, i) && i != PAST) ONR_TRY(onri_expect_rank(call, i, 3, 3));
  return ONR_STATUS_OK;
}

/* Input i is [batch, steps, per step], where per step is one of two numbers; *found is the one. */
static enum onr_status per_step(const struct onr_call *call, size_t i, int64_t one, int64_t other, size_t *found) {
  const int64_t *dim = call->in[i].dim, last = dim[2] == other ? other : one;
  *found = (size_t)last;
  return onri_expect_shape(call, i, 3, (int64_t[]){call->in[Q].dim[0], call->in[Q].dim[1], last});
}

static enum onr_status shape_of(const struct onr_call *call, struct linear_attention_state *s) {
  const struct onr_linear_attention_params *p = call->params;
  size_t all;
  ONR_TRY(check_rule(call));
  ONR_TRY(check_ranks(call));
  const int64_t *q = call->in[Q].dim, *v = call->in[V].dim, width = q[2] / p->heads, value_width = v[2] / p->kv_heads;
  if (width == 0 || q[2] % p->heads != 0 || v[2] % p->kv_heads != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "expected Q and V that divide into their heads, found %lld by %lld and %lld by %lld",
                    (long long)q[2], (long long)p->heads, (long long)v[2], (long long)p->kv_heads);
  *s = (struct linear_attention_state){(size_t)q[0],
                                       (size_t)q[1],
                                       (size_t)p->heads,
                                       (size_t)p->kv_heads,
                                       (size_t)width,
                                       (size_t)value_width,
                                       .blocks = ((size_t)value_width + COLUMNS - 1) / COLUMNS};
  s->scale = p->scale != 0.0f ? p->scale : 1.0f / sqrtf((float)width);
  ONR_TRY(per_step(call, K, p->kv_heads * width, p->kv_heads * width, &all));
  ONR_TRY(per_step(call, V, v[2], v[2], &all));
  if (onri_has(call, DECAY)) ONR_TRY(per_step(call, DECAY, p->kv_heads * width, p->kv_heads, &s->decays));
  if (onri_has(call, BETA)) ONR_TRY(per_step(call, BETA, p->kv_heads, 1, &s->betas));
  if (onri_has(call, PAST)) return onri_expect_shape(call, PAST, 4, (int64_t[]){q[0], p->kv_heads, width, value_width});
  return ONR_STATUS_OK;
}

static enum onr_status linear_attention_infer(struct onr_call *call) {
  struct linear_attention_state s;
  int64_t wide;
  ONR_TRY(shape_of(call, &s));
  const int64_t batch = (int64_t)s.batch, width = (int64_t)s.width, value_width = (int64_t)s.value_width;
  const enum onr_dtype dtype = call->in[Q].dtype;
  if (!onri_mul_i64((int64_t)s.heads, value_width, &wide))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the output is too large");
  call->out[Y] = onr_desc_make(dtype, 3, (int64_t[]){batch, (int64_t)s.steps, wide});
  if (call->num_out > PRESENT)
    call->out[PRESENT] = onr_desc_make(onri_has(call, PAST) ? call->in[PAST].dtype : dtype, 4,
                                       (int64_t[]){batch, (int64_t)s.kv_heads, width, value_width});
  return ONR_STATUS_OK;
}

static enum onr_status linear_attention_plan(struct onr_call *call) {
  struct linear_attention_state *s = call->state;
  ONR_TRY(shape_of(call, s));
  for (size_t i = Q; i < NUM_INPUTS; i++)
    if (onri_has(call, i) && (i == DECAY || !onri_is_native(call->in[i].dtype)))
      s->at[i] = onri_scratch_take(call, onri_class_bytes(&call->in[i]));
  const size_t y_sizes[] = {s->batch, s->steps, s->heads, s->value_width, sizeof(float)};
  const size_t state_sizes[] = {s->batch, s->kv_heads, s->blocks, s->width, COLUMNS, sizeof(float)};
  if (!onri_is_native(call->out[Y].dtype))
    s->y_at = onri_scratch_take(call, onri_size_of(y_sizes, 5)); /* also when not wanted */
  s->state_at = onri_scratch_take(call, onri_size_of(state_sizes, 6));
  return ONR_STATUS_OK;
}

struct job {
  const struct linear_attention_state *s;
  const float *in[NUM_INPUTS]; /* decay: its exp */
  float *y, *state;
  char *present;
  enum onr_dtype present_dtype;
};

/* Columns [first, first + columns) of a head's state, from `past` or as zeros. */
static void load_state(const struct job *job, size_t head, size_t first, size_t columns, float *state) {
  const struct linear_attention_state *s = job->s;
  memset(state, 0, s->width * COLUMNS * sizeof(float));
  for (size_t d = 0; job->in[PAST] && d < s->width; d++)
    memcpy(state + d * COLUMNS, job->in[PAST] + (head * s->width + d) * s->value_width + first,
           columns * sizeof(float));
}

static void store_state(const struct job *job, size_t head, size_t first, size_t columns, const float *state) {
  const struct linear_attention_state *s = job->s;
  const size_t size = onr_dtype_size(job->present_dtype);
  for (size_t d = 0; job->present && d < s->width; d++)
    onri_narrow(job->present_dtype, state + d * COLUMNS, columns,
                job->present + ((head * s->width + d) * s->value_width + first) * size);
}

/* Head `h` of sequence `b`, without its state. */
static struct onri_linear_attention head_of(const struct job *job, size_t b, size_t h) {
  const struct linear_attention_state *s = job->s;
  const size_t group = s->heads / s->kv_heads, k_step = s->kv_heads * s->width, v_step = s->kv_heads * s->value_width,
               row = b * s->steps;
  struct onri_linear_attention a = {.steps = s->steps,
                                    .width = s->width,
                                    .query_heads = group,
                                    .q_step = s->heads * s->width,
                                    .k_step = k_step,
                                    .v_step = v_step,
                                    .decay_step = s->decays,
                                    .beta_step = s->betas,
                                    .y_step = s->heads * s->value_width,
                                    .y_head = s->value_width,
                                    .scale = s->scale};
  const size_t decays = s->decays / s->kv_heads;
  a.q = job->in[Q] + row * a.q_step + h * group * s->width;
  a.k = job->in[K] + row * k_step + h * s->width;
  a.v = job->in[V] + row * v_step + h * s->value_width;
  a.y = job->y + row * a.y_step + h * group * s->value_width;
  a.decay_stride = decays > 1;
  if (job->in[DECAY]) a.decay = job->in[DECAY] + row * s->decays + h * decays;
  if (job->in[BETA]) a.beta = job->in[BETA] + row * s->betas + (s->betas > 1 ? h : 0);
  return a;
}

static void linear_attention_range(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const struct linear_attention_state *s = job->s;
  for (size_t item = begin; item < end; item++) {
    const size_t head = item / s->blocks, first = item % s->blocks * COLUMNS;
    struct onri_linear_attention a = head_of(job, head / s->kv_heads, head % s->kv_heads);
    a.columns = s->value_width - first < COLUMNS ? s->value_width - first : COLUMNS;
    a.v += first;
    a.y += first;
    a.state = job->state + item * s->width * COLUMNS;
    load_state(job, head, first, a.columns, a.state);
    onri_linear_attention(&a);
    store_state(job, head, first, a.columns, a.state);
  }
}

struct exp_job {
  enum onr_dtype dtype;
  const char *from;
  float *to;
};

static void exp_range(void *context, size_t begin, size_t end) {
  const struct exp_job *job = context;
  onri_widen(job->dtype, job->from + begin * onr_dtype_size(job->dtype), end - begin, job->to + begin);
  onri_exp_f32(job->to + begin, job->to + begin, end - begin);
}

static enum onr_status linear_attention_run(struct onr_call *call) {
  const struct linear_attention_state *s = call->state;
  struct job job = {.s = s, .state = (float *)((char *)call->scratch + s->state_at)};
  const int native = onri_is_native(call->out[Y].dtype),
            wants_present = call->num_out > PRESENT && call->outputs[PRESENT] != NULL;
  for (size_t i = Q; i < NUM_INPUTS; i++)
    if (i != DECAY) job.in[i] = onri_converted_input(call, i, s->at[i]);
  if (onri_has(call, DECAY)) {
    struct exp_job exps = {call->in[DECAY].dtype, call->inputs[DECAY], (float *)((char *)call->scratch + s->at[DECAY])};
    onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->in[DECAY]), 4096, exp_range, &exps);
    job.in[DECAY] = exps.to;
  }
  job.y = native ? call->outputs[Y] : (void *)((char *)call->scratch + s->y_at);
  if (wants_present) job.present = call->outputs[PRESENT], job.present_dtype = call->out[PRESENT].dtype;
  onr_parallel_for(call->env, s->batch * s->kv_heads * s->blocks, 1, linear_attention_range, &job);
  if (!native && call->outputs[Y])
    onri_convert(call->env, call->out[Y].dtype, job.y, call->outputs[Y], (size_t)onr_desc_elements(&call->out[Y]), 1);
  return ONR_STATUS_OK;
}

static int64_t linear_attention_multiply_adds(const struct onr_call *call) {
  struct linear_attention_state s;
  if (shape_of(call, &s) != ONR_STATUS_OK) return 0;
  const size_t passes = s.kv_heads * (1 + (onri_has(call, DECAY) || onri_has(call, BETA))) + s.heads;
  const size_t sizes[] = {s.batch, s.steps, passes, s.width, s.value_width}, product = onri_size_of(sizes, 5);
  return (uint64_t)product > INT64_MAX ? INT64_MAX : (int64_t)product;
}

#define FLOATS (ONRI_DTYPES_FLOAT & ~ONRI_DTYPE_BIT(ONR_DTYPE_F64))

const struct onr_layer onri_layer_linear_attention = {
    .name = "linear_attention",
    .inputs_min = 3,
    .inputs_max = 6,
    .outputs_min = 1,
    .outputs_max = 2,
    .types = {FLOATS, ONR_AS_INPUT(0), ONR_AS_INPUT(0), FLOATS, ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_linear_attention_params),
    .state_size = sizeof(struct linear_attention_state),
    .infer = linear_attention_infer,
    .plan = linear_attention_plan,
    .run = linear_attention_run,
    .multiply_adds = linear_attention_multiply_adds,
};
