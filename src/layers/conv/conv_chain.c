/* conv_chain.c: convolutions of images of two dimensions, one behind the other, by bands of rows, so that what lies
 * between them stays in the cache: any one, a depthwise one, and perhaps one of single pixels (the inverted residuals
 * of MobileNetV2, arXiv 1801.04381). Made by passes/conv_chain.c.
 *
 * input 0   x [N, H, W, C], or [N, C, H, W] where the first stage says so
 * input 1   weight of the first stage, 2 of the second, 3 of the third (optional)
 * input 4   bias of the first stage, 5 of the second, 6 of the third, all optional; constant as the weights are
 * input 7   residual like y, optional: the last stage adds it before its clamp
 * output 0  y, channels-last
 *
 * A band is some rows of what the second stage makes. A thread that goes on with the next band keeps the rows of the
 * first stage that both see; one that begins elsewhere computes them again. Where a stage has no kernel for that, all
 * are run as they are, one after the other. */
#include <stdatomic.h>
#include <string.h>

#include "base/env.h"
#include "base/services.h"
#include "base/shape.h"
#include "kernels/conv/depthwise.h"
#include "layers/conv/conv.h"
#include "layers/layers.h"

enum { BIASES = 4, RESIDUAL = 7, STAGE_INPUTS = 4, DOWN = 1 /* the axis of rows */ };

struct chain_prepared {
  struct onri_conv_prepared stage[ONR_CHAIN_STAGES];
};

struct chain_state {
  struct onri_conv_state stage[ONR_CHAIN_STAGES];
  size_t scratch[ONR_CHAIN_STAGES];     /* of stages that are run as they are, */
  size_t between[ONR_CHAIN_STAGES - 1]; /* and what they make */
  struct onr_desc made[ONR_CHAIN_STAGES];
  int32_t in_bands;
  int64_t rows, bands;          /* of a band; of an image */
  int64_t most_rows;            /* of the first stage that a band sees */
  size_t slots, slot, products; /* in scratch: memory of each thread; bytes of it; where a slot has that of products */
  size_t threads;
};

/* --- a stage as a call of its own --- */

struct stage_call {
  struct onri_executor executor;
  struct onr_call *chain;
  int stage;
  struct onr_env env;
  struct onr_call call;
  struct onr_desc in[STAGE_INPUTS], out;
  const void *inputs[STAGE_INPUTS];
  void *output;
};

/* Input i of a stage among those of the chain. */
static size_t chain_input(int stage, size_t i) {
  const size_t first[STAGE_INPUTS] = {0, 1 + (size_t)stage, BIASES + (size_t)stage, RESIDUAL};
  return first[i];
}

static enum onr_status late_contents(struct onr_call *call, size_t i, const void **data) {
  const struct stage_call *s = call->executor;
  return onri_call_contents(s->chain, chain_input(s->stage, i), data);
}

/* x: what the stage before makes, NULL: the chain's. */
static void begin_stage(struct stage_call *s, struct onr_call *chain, int stage, const struct onr_desc *x) {
  const struct onr_conv_chain_params *p = chain->params;
  struct chain_prepared *prepared = chain->prepared;
  struct chain_state *state = chain->state;
  *s = (struct stage_call){.executor = {.contents = late_contents}, .chain = chain, .stage = stage, .env = *chain->env};
  for (size_t i = 0; i < STAGE_INPUTS; i++) {
    const size_t from = chain_input(stage, i);
    if (!onri_has(chain, from) || (from == RESIDUAL && stage + 1 < p->count)) continue;
    s->in[i] = chain->in[from];
    s->inputs[i] = chain->inputs[from];
  }
  if (x) s->in[0] = *x, s->inputs[0] = NULL;
  s->call = (struct onr_call){.params = &p->stage[stage],
                              .prepared = prepared ? &prepared->stage[stage] : NULL,
                              .state = state ? &state->stage[stage] : NULL,
                              .num_in = STAGE_INPUTS,
                              .num_out = 1,
                              .in = s->in,
                              .out = &s->out,
                              .inputs = s->inputs,
                              .outputs = &s->output,
                              .scratch = chain->scratch,
                              .in_place = -1,
                              .env = &s->env,
                              .error = chain->error,
                              .executor = &s->executor};
}

/* The geometries of all stages, and what each makes. */
static enum onr_status geometries(struct onr_call *call, struct onri_conv c[ONR_CHAIN_STAGES],
                                  struct onr_desc made[ONR_CHAIN_STAGES]) {
  const struct onr_conv_chain_params *p = call->params;
  struct stage_call s;
  for (int i = 0; i < p->count; i++) {
    begin_stage(&s, call, i, i > 0 ? &made[i - 1] : NULL);
    ONR_TRY(onri_conv_geometry(&s.call, &c[i], &made[i]));
  }
  return ONR_STATUS_OK;
}

static enum onr_status chain_infer(struct onr_call *call) {
  const struct onr_conv_chain_params *p = call->params;
  struct onri_conv c[ONR_CHAIN_STAGES];
  struct onr_desc made[ONR_CHAIN_STAGES];
  ONR_TRY(geometries(call, c, made));
  call->out[0] = made[p->count - 1];
  return ONR_STATUS_OK;
}

/* --- prepare: by the methods that know bands --- */

static enum onr_status prepare_stage(struct onr_call *call, int stage) {
  const struct onr_conv_chain_params *p = call->params;
  struct stage_call s;
  struct onri_conv c;
  begin_stage(&s, call, stage, NULL);
  s.in[0].rank = -1; /* of the first stage alone it is the chain's */
  s.env.method = stage == 1 ? ONR_METHOD_DEPTHWISE : ONR_METHOD_PRODUCT;
  if (!onri_conv_can_pack(&s.call, p->stage[stage].groups, 0)) return ONR_STATUS_OK;
  ONR_TRY(onri_conv_geometry_of_weights(&s.call, &c));
  ONR_TRY(onri_conv_prepare(&s.call, &c, 1, p->stage[stage].x_channels_first));
  for (size_t i = 1; i < STAGE_INPUTS; i++)
    if (s.call.packed_inputs >> i & 1) call->packed_inputs |= (uint64_t)1 << chain_input(stage, i);
  return ONR_STATUS_OK;
}

static enum onr_status chain_prepare(struct onr_call *call) {
  const struct onr_conv_chain_params *p = call->params;
  for (int i = 0; i < p->count; i++) ONR_TRY(prepare_stage(call, i));
  return ONR_STATUS_OK;
}

/* --- plan --- */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t reach_of(const struct onri_axis *a) { return (a->kernel - 1) * a->dilation; }

/* Each of its rows sees one of the image. */
static int can_cut(const struct onri_axis *a) { return a->begin <= reach_of(a) && a->end <= reach_of(a); }

static int is_product(const struct onri_conv_prepared *p) { return p->product && p->product_bias; }

static int can_run_in_bands(const struct onr_call *call) {
  const struct onr_conv_chain_params *p = call->params;
  const struct chain_prepared *prepared = call->prepared;
  const struct chain_state *s = call->state;
  if (call->in[0].dtype != ONR_DTYPE_F32 || call->in[0].rank != 4 || !is_product(&prepared->stage[0]) ||
      !s->stage[1].depthwise || !prepared->stage[1].weights)
    return 0;
  if (p->count == ONR_CHAIN_STAGES && !is_product(&prepared->stage[2])) return 0;
  return can_cut(&s->stage[0].conv.axis[DOWN]) && can_cut(&s->stage[1].conv.axis[DOWN]);
}

/* As many rows as leave room in the second cache, and some bands for each thread. */
static void cut_bands(struct chain_state *s) {
  enum { FLOATS = 128 << 10, EACH = 4 };
  const struct onri_conv *first = &s->stage[0].conv, *second = &s->stage[1].conv;
  const struct onri_axis *a = &second->axis[DOWN];
  const int64_t reach = reach_of(a), line = first->y.stride[DOWN], images = second->y.batch;
  s->rows = most((FLOATS / line - reach - 1) / a->stride + 1, 1);
  if (s->threads > 1) s->rows = least(s->rows, most(a->out * images / (EACH * (int64_t)s->threads), reach + 1));
  s->rows = least(s->rows, a->out);
  s->bands = (a->out - 1) / s->rows + 1;
  s->rows = (a->out - 1) / s->bands + 1;
  s->bands = (a->out - 1) / s->rows + 1;
  s->most_rows = least((s->rows - 1) * a->stride + reach + 1, a->in);
  s->threads = (size_t)least((int64_t)s->threads, s->bands * images); /* at work at the same time */
}

struct slot {
  _Alignas(64) atomic_uchar is_taken;
  int64_t image, from, to; /* rows of the first stage that it has */
};

/* A slot, the rows of the first stage, those of the second one where a third reads them, and what a product wants. */
static enum onr_status reserve_slots(struct onr_call *call) {
  const struct onr_conv_chain_params *p = call->params;
  struct chain_state *s = call->state;
  const size_t first = (size_t)(s->most_rows * s->stage[0].conv.y.stride[DOWN]),
               second = p->count > 2 ? (size_t)(s->rows * s->stage[1].conv.y.stride[DOWN]) : 0;
  const size_t lines = (first + second) * sizeof(float) + 2 * ONR_SLACK_BYTES;
  s->products = (sizeof(struct slot) + lines + 63) / 64 * 64;
  s->slot = s->products + (onri_conv_gemm_scratch_bytes(1) + 63) / 64 * 64;
  return onri_scratch_reserve(call, onri_size_of((size_t[]){s->slot, s->threads}, 2), &s->slots);
}

static enum onr_status plan_stages(struct onr_call *call, const struct onri_conv c[ONR_CHAIN_STAGES],
                                   size_t bytes[ONR_CHAIN_STAGES]) {
  const struct onr_conv_chain_params *p = call->params;
  const struct chain_state *state = call->state;
  struct stage_call s;
  for (int i = 0; i < p->count; i++) {
    begin_stage(&s, call, i, i > 0 ? &state->made[i - 1] : NULL);
    s.out = state->made[i];
    ONR_TRY(onri_conv_plan(&s.call, &c[i], &p->stage[i].clamp, &p->stage[i].tail));
    if (i == 0) call->exact = s.call.exact;
    call->kernel = s.call.kernel;
    bytes[i] = s.call.scratch_bytes;
  }
  return ONR_STATUS_OK;
}

static enum onr_status plan_one_by_one(struct onr_call *call, const struct onri_conv c[ONR_CHAIN_STAGES],
                                       const size_t bytes[ONR_CHAIN_STAGES]) {
  const struct onr_conv_chain_params *p = call->params;
  struct chain_state *s = call->state;
  for (int i = 0; i < p->count; i++) {
    const size_t sizes[] = {(size_t)c[i].y.batch, (size_t)c[i].y.batch_stride, onr_dtype_size(call->in[0].dtype)};
    ONR_TRY(onri_scratch_reserve(call, bytes[i], &s->scratch[i]));
    if (i + 1 < p->count) ONR_TRY(onri_scratch_reserve(call, onri_size_of(sizes, 3), &s->between[i]));
  }
  return ONR_STATUS_OK;
}

static enum onr_status chain_plan(struct onr_call *call) {
  struct chain_state *s = call->state;
  struct onri_conv c[ONR_CHAIN_STAGES];
  size_t bytes[ONR_CHAIN_STAGES] = {0};
  ONR_TRY(geometries(call, c, s->made));
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  ONR_TRY(plan_stages(call, c, bytes));
  s->threads = onr_threads_count(call->env->threads);
  s->in_bands = can_run_in_bands(call);
  if (!s->in_bands) return plan_one_by_one(call, c, bytes);
  if (onri_has(call, RESIDUAL)) call->in_place = RESIDUAL; /* each sum begins with it */
  cut_bands(s);
  return reserve_slots(call);
}

/* --- run, one by one --- */

static enum onr_status run_one_by_one(struct onr_call *call) {
  const struct onr_conv_chain_params *p = call->params;
  const struct chain_state *state = call->state;
  unsigned char *scratch = call->scratch;
  const void *x = call->inputs[0];
  struct stage_call s;
  for (int i = 0; i < p->count; i++, x = s.output) {
    begin_stage(&s, call, i, i > 0 ? &state->made[i - 1] : NULL);
    s.out = state->made[i];
    s.inputs[0] = x;
    s.output = i + 1 < p->count ? scratch + state->between[i] : call->outputs[0];
    s.call.scratch = scratch + state->scratch[i];
    ONR_TRY(onri_conv_run(&s.call));
  }
  return ONR_STATUS_OK;
}

/* --- run, in bands --- */

struct run {
  const struct onr_call *call;
  const struct chain_prepared *prepared;
  const struct chain_state *state;
  const float *x, *bias, *residual; /* bias: of the second stage */
  float *y;
  struct onr_env env; /* of one thread */
};

static struct slot *slot_at(const struct run *r, size_t i) {
  return (struct slot *)(void *)((char *)r->call->scratch + r->state->slots + i * r->state->slot);
}

/* One whose rows the band goes on with, when there is one, else any. */
static struct slot *take_slot(const struct run *r, int64_t image, int64_t row) {
  for (int any = 0;; any = 1)
    for (size_t i = 0; i < r->state->threads; i++) {
      struct slot *slot = slot_at(r, i);
      if (atomic_exchange_explicit(&slot->is_taken, 1, memory_order_acquire)) continue;
      if (any || (slot->image == image && slot->from <= row && row <= slot->to)) return slot;
      atomic_store_explicit(&slot->is_taken, 0, memory_order_release);
    }
}

static void give_slot(struct slot *slot) { atomic_store_explicit(&slot->is_taken, 0, memory_order_release); }

/* Rows [row, row + rows) of one image; *first: the row that its x begins with. */
static struct onri_conv rows_of(const struct onri_conv *c, int64_t row, int64_t rows, int64_t *first) {
  struct onri_conv part = *c;
  *first = onri_axis_cut(&part.axis[DOWN], row, rows);
  part.x.batch = part.y.batch = 1;
  part.x.size[DOWN] = part.axis[DOWN].in, part.y.size[DOWN] = rows;
  return part;
}

static void run_product(struct run *r, int stage, const struct onri_conv *c, const float *x, const float *residual,
                        float *y, const struct slot *slot) {
  const struct onri_conv_prepared *p = &r->prepared->stage[stage];
  const struct onri_conv_tail *tail = &r->state->stage[stage].tail;
  const int has_tail = onri_conv_has_tail(tail);
  const struct onri_conv_gemm operands = {.form = p->form,
                                          .x = x,
                                          .packed = p->product,
                                          .bias = p->product_bias,
                                          .y = y,
                                          .scratch = (char *)slot + r->state->products,
                                          .residual = residual,
                                          .threads = 1,
                                          .tail = has_tail ? onri_conv_tail_apply : NULL,
                                          .tail_context = tail};
  onri_conv_gemm_f32(c, onri_kernels(conv_gemm), &operands, &r->env);
}

static void run_depthwise(struct run *r, const struct onri_conv *c, const float *x, float *y) {
  const struct onri_conv_tail *tail = &r->state->stage[1].tail;
  onri_depthwise_f32(c, x, r->prepared->stage[1].weights, r->bias, y,
                     onri_conv_has_tail(tail) ? onri_conv_tail_apply : NULL, tail, &r->env);
}

static float *lines_of(const struct slot *slot) { return (float *)(void *)((char *)slot + sizeof(*slot)); }

/* Rows [from, to) of the first stage come to lie at the beginning of the slot's. */
static void make_first(struct run *r, struct slot *slot, int64_t image, int64_t from, int64_t to) {
  const struct onri_conv *c = &r->state->stage[0].conv;
  const int64_t line = c->y.stride[DOWN], have = slot->image == image && slot->from <= from && from <= slot->to;
  float *lines = lines_of(slot);
  const int64_t next = have ? slot->to : from;
  int64_t row;
  if (have) memmove(lines, lines + (from - slot->from) * line, (size_t)((next - from) * line) * sizeof(float));
  if (next < to) {
    const struct onri_conv part = rows_of(c, next, to - next, &row);
    run_product(r, 0, &part, r->x + image * c->x.batch_stride + row * c->x.stride[DOWN], NULL,
                lines + (next - from) * line, slot);
  }
  slot->image = image, slot->from = from, slot->to = to;
}

static void run_band(struct run *r, int64_t image, int64_t row) {
  const struct onr_conv_chain_params *p = r->call->params;
  const struct chain_state *s = r->state;
  const int64_t rows = least(s->rows, s->stage[1].conv.axis[DOWN].out - row);
  int64_t from, same;
  const struct onri_conv second = rows_of(&s->stage[1].conv, row, rows, &from);
  const struct onri_image *y = &s->stage[p->count - 1].conv.y;
  const int64_t at = image * y->batch_stride + row * y->stride[DOWN];
  struct slot *slot = take_slot(r, image, from);
  make_first(r, slot, image, from, from + second.axis[DOWN].in);
  if (p->count < ONR_CHAIN_STAGES) {
    run_depthwise(r, &second, lines_of(slot), r->y + at);
  } else {
    float *made = lines_of(slot) + s->most_rows * s->stage[0].conv.y.stride[DOWN] + ONR_SLACK_BYTES / sizeof(float);
    const struct onri_conv third = rows_of(&s->stage[2].conv, row, rows, &same);
    run_depthwise(r, &second, lines_of(slot), made);
    run_product(r, 2, &third, made, r->residual ? r->residual + at : NULL, r->y + at, slot);
  }
  give_slot(slot);
}

static void run_bands(void *context, size_t begin, size_t end) {
  struct run *r = context;
  const int64_t bands = r->state->bands;
  for (int64_t item = (int64_t)begin; item < (int64_t)end && !onr_env_cancelled(r->call->env); item++)
    run_band(r, item / bands, item % bands * r->state->rows);
}

static enum onr_status chain_run(struct onr_call *call) {
  const struct chain_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (!s->in_bands) return run_one_by_one(call);
  struct run r = {.call = call,
                  .prepared = call->prepared,
                  .state = s,
                  .x = call->inputs[0],
                  .bias = onri_has(call, BIASES + 1) ? call->inputs[BIASES + 1] : NULL,
                  .residual = onri_has(call, RESIDUAL) ? call->inputs[RESIDUAL] : NULL,
                  .y = call->outputs[0],
                  .env = *call->env};
  r.env.threads = NULL;
  for (size_t i = 0; i < s->threads; i++) {
    atomic_init(&slot_at(&r, i)->is_taken, 0);
    slot_at(&r, i)->image = -1;
  }
  onr_parallel_for(call->env, (size_t)(s->stage[1].conv.y.batch * s->bands), 1, run_bands, &r);
  return ONR_STATUS_OK;
}

static void chain_release_state(void *state, struct onr_env *env) {
  for (int i = 0; i < ONR_CHAIN_STAGES; i++) onri_conv_release_state(&((struct chain_state *)state)->stage[i], env);
}

static void chain_release_prepared(void *prepared, struct onr_env *env) {
  for (int i = 0; i < ONR_CHAIN_STAGES; i++)
    onri_conv_release_prepared(&((struct chain_prepared *)prepared)->stage[i], env);
}

static int64_t sum_of(const struct onr_call *call, int64_t (*of)(const struct onri_conv *c)) {
  const struct onr_conv_chain_params *p = call->params;
  struct onri_conv c[ONR_CHAIN_STAGES];
  struct onr_desc made[ONR_CHAIN_STAGES];
  struct onr_call own = *call;
  int64_t sum = 0;
  if (geometries(&own, c, made) != ONR_STATUS_OK) return 0;
  for (int i = 0; i < p->count; i++) sum = of(&c[i]) < INT64_MAX - sum ? sum + of(&c[i]) : INT64_MAX;
  return sum;
}

static int64_t chain_multiply_adds(const struct onr_call *call) { return sum_of(call, onri_conv_multiply_adds); }
static int64_t chain_steps(const struct onr_call *call) { return sum_of(call, onri_conv_steps); }

const struct onr_layer onri_layer_conv_chain = {
    .name = "conv_chain",
    .inputs_min = 3,
    .inputs_max = RESIDUAL + 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {1u << ONR_DTYPE_F32, ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0),
              ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_OVERREADS | ONRI_LAYER_READS_LATE | ONRI_LAYER_NO_REDUCTIONS,
    .layout = ONR_LAYOUT_LOGICAL,
    .params_size = sizeof(struct onr_conv_chain_params),
    .prepared_size = sizeof(struct chain_prepared),
    .state_size = sizeof(struct chain_state),
    .infer = chain_infer,
    .prepare = chain_prepare,
    .plan = chain_plan,
    .run = chain_run,
    .release_state = chain_release_state,
    .release_prepared = chain_release_prepared,
    .multiply_adds = chain_multiply_adds,
    .steps = chain_steps,
};
