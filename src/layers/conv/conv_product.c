/* conv_product.c: see conv_product.h. */
#include "layers/conv/conv_product.h"

#include "base/env.h"
#include "base/memory/blocks.h"
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/conv_transposed/conv_phases.h"
#include "kernels/conv_transposed/conv_transposed.h"
#include "kernels/kernels.h"
#include "layers/elementwise/scratch.h"

/* --- ways of a transposed convolution --- */

/* Fewer outputs leave vectors of channels half empty; what sums so many terms takes longer than to add products up. */
enum { PHASE_OUTPUTS = 12, FEW_TERMS = 8, MANY_TERMS = 64 };

enum onri_conv_form onri_conv_product_form(const struct onri_conv *c, int channels_last, int x_channels_first) {
  /* One channel alone lies in either layout. */
  const int x_first = !channels_last || x_channels_first || c->groups * c->group_in == 1;
  if (ONRI_PART(transposed) && c->transposed) {
    if (!onri_conv_shuffled.can(c)) return ONRI_CONV_LAST;
    const int is_small = c->group_out < PHASE_OUTPUTS && c->group_in < FEW_TERMS;
    return !channels_last || (is_small && onri_conv_phase_sets(c) == 1) ? ONRI_CONV_FIRST : ONRI_CONV_LAST;
  }
  if (!x_first) return ONRI_CONV_LAST;
  return !channels_last || c->groups * c->group_out == 1 ? ONRI_CONV_FIRST : ONRI_CONV_FIRST_TO_LAST;
}

/* Outputs that meet the same taps are neighbours by the stride. */
static int has_plain_phases(const struct onri_conv *c) {
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (c->axis[a].stride > 1 && c->axis[a].dilation > 1 && c->axis[a].kernel > 1) return 0;
  return onri_conv_by_phases.can(c);
}

/* The fewer outputs a set of phases has, the emptier are the vectors that make it; fewer terms take no longer than to
 * add what is spread. */
int onri_conv_spreads_planes(const struct onri_conv *c) {
  enum { MOST_OUTPUTS = 8, TERMS = 5, MORE_TERMS = 8 };
  if (!ONRI_PART(transposed) || !onri_conv_spread_planes.can(c) || c->group_out > MOST_OUTPUTS ||
      onri_conv_taps(c) == 1)
    return 0;
  const double outputs = (double)(c->group_out * onri_conv_phases_count(c)) / (double)onri_conv_phase_sets(c);
  return (double)c->group_in >= TERMS + MORE_TERMS * (outputs - 1);
}

const struct onri_conv_way *onri_conv_product_way(const struct onri_conv *c, enum onri_conv_form form) {
  if (!ONRI_PART(transposed) || !c->transposed) return NULL;
  if (form == ONRI_CONV_FIRST) return onri_conv_spreads_planes(c) ? &onri_conv_spread_planes : &onri_conv_shuffled;
  return c->group_out >= PHASE_OUTPUTS && c->group_in < MANY_TERMS && has_plain_phases(c) ? &onri_conv_by_phases
                                                                                          : &onri_conv_spread;
}

/* --- packing --- */

size_t onri_conv_product_floats(const struct onri_conv *c, const struct onri_conv_prepared *p) {
  return p->way ? p->way->floats(c, onri_kernels(conv_gemm))
                : onri_conv_gemm_packed_floats(c, onri_kernels(conv_gemm), p->form);
}

static size_t bias_floats(const struct onri_conv *c, const struct onri_conv_prepared *p) {
  return p->way ? p->way->bias_floats(c, onri_kernels(conv_gemm))
                : onri_conv_gemm_bias_floats(c, onri_kernels(conv_gemm), p->form);
}

static void pack_bias(const struct onri_conv *c, const struct onri_conv_prepared *p, const float *bias, float *packed) {
  if (p->way) p->way->pack_bias(c, onri_kernels(conv_gemm), bias, packed);
  else onri_conv_gemm_pack_bias(c, onri_kernels(conv_gemm), p->form, bias, packed);
}

int onri_conv_product_suits(const struct onr_call *call, const struct onri_conv *c) {
  enum { MOST_PADDING = 16, PADDING_BYTES = 1 << 20 }; /* filling up vectors makes no more of weights than this */
  const struct onri_conv_prepared *p = call->prepared;
  if (!(ONRI_PART(transposed) && c->transposed ? onri_conv_spread.can(c) : onri_conv_gemm_can(c))) return 0;
  const size_t count = (size_t)onr_desc_elements(&call->in[1]), floats = onri_conv_product_floats(c, p);
  return floats > 0 && floats / MOST_PADDING <= count + PADDING_BYTES;
}

static enum onr_status pack_weights(struct onr_call *call, const struct onri_conv *c, const float *weight) {
  const struct onri_conv_prepared *p = call->prepared;
  if (!p->way) {
    onri_conv_gemm_pack(c, onri_kernels(conv_gemm), p->form, weight, p->product, call->env);
    return ONR_STATUS_OK;
  }
  float *room = onr_env_allocate(call->env, 2 * (size_t)onr_desc_elements(&call->in[1]) * sizeof(*room));
  if (!room) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  p->way->pack(c, onri_kernels(conv_gemm), weight, room, p->product, call->env);
  onr_env_release(call->env, room);
  return ONR_STATUS_OK;
}

static enum onr_status make_product(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight) {
  struct onri_conv_prepared *p = call->prepared;
  const size_t bytes = onri_conv_product_floats(c, p) * sizeof(float);
  p->product = onri_block_recall(call->env, bytes);
  if (p->product) return ONR_STATUS_OK;
  ONR_TRY(onri_late_read(call, weight));
  p->product = onri_block_begin(call->env, bytes);
  if (!p->product) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  ONR_TRY(pack_weights(call, c, weight->values));
  p->product = onri_block_end(call->env, p->product, bytes);
  return ONR_STATUS_OK;
}

enum onr_status onri_conv_product_pack(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight) {
  struct onri_conv_prepared *p = call->prepared;
  struct onri_late bias = {.input = 2};
  ONR_TRY(make_product(call, c, weight));
  call->packed_inputs |= 2;
  if (onri_has(call, 2) && !call->inputs[2]) return ONR_STATUS_OK;
  ONR_TRY(onri_late_read(call, &bias));
  p->product_bias = onr_env_allocate(call->env, bias_floats(c, p) * sizeof(float));
  if (p->product_bias) pack_bias(c, p, bias.values, p->product_bias);
  onri_late_release(&bias, call->env);
  if (!p->product_bias)
    return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the bias of a convolution");
  if (onri_has(call, 2)) call->packed_inputs |= 4;
  return ONR_STATUS_OK;
}

/* --- plan and run --- */

enum onr_status onri_conv_product_plan(struct onr_call *call) {
  const struct onri_conv_prepared *p = call->prepared;
  struct onri_conv_state *s = call->state;
  size_t bytes;
  s->threads = onr_threads_count(call->env->threads);
  s->bias = ONRI_WIDENED_IN_PLACE;
  call->kernel = ONR_KERNEL_VECTOR;
  call->method = ONR_METHOD_PRODUCT;
  call->exact = onri_conv_gemm_is_exact(p->form);
  if (onri_has(call, 3)) call->in_place = 3; /* each sum begins with it */
  if (!p->product_bias) {
    ONR_TRY(onri_widened_plan(call, &call->in[2], &s->bias));
    ONR_TRY(onri_scratch_reserve(call, bias_floats(&s->conv, p) * sizeof(float), &s->product_bias));
  }
  if (p->way) {
    if (!onri_mul_size(p->way->scratch_floats(&s->conv), sizeof(float), &bytes)) bytes = SIZE_MAX;
    ONR_TRY(onri_scratch_reserve(call, bytes, &s->products));
  }
  /* A widened x lies before this and is read past its end too. */
  return onri_scratch_reserve(call, onri_conv_gemm_scratch_bytes(s->threads) + ONR_SLACK_BYTES, &s->scratch);
}

static void run_plain(struct onr_call *call, struct onri_conv_gemm *operands) {
  const struct onri_conv_state *s = call->state;
  operands->residual = onri_widened_input(call, 3, s->residual);
  if (onri_conv_has_tail(&s->tail)) operands->tail = onri_conv_tail_apply, operands->tail_context = &s->tail;
  if (onri_has(call, ONRI_CONV_SCALE))
    onri_conv_scale_product(call, &s->conv, operands, (float *)(void *)((unsigned char *)call->scratch + s->scaled));
  else onri_conv_gemm_f32(&s->conv, onri_kernels(conv_gemm), operands, call->env);
}

enum onr_status onri_conv_product_run(struct onr_call *call) {
  const struct onri_conv_prepared *p = call->prepared;
  const struct onri_conv_state *s = call->state;
  unsigned char *scratch = call->scratch;
  struct onri_conv_gemm operands = {.form = p->form,
                                    .x = onri_widened_input(call, 0, s->x),
                                    .packed = p->product,
                                    .bias = p->product_bias,
                                    .y = onri_widened_output(call, 0, s->y),
                                    .scratch = scratch + s->scratch,
                                    .threads = s->threads};
  if (!p->product_bias) {
    float *bias = (float *)(void *)(scratch + s->product_bias);
    pack_bias(&s->conv, p, onri_widened_input(call, 2, s->bias), bias);
    operands.bias = bias;
  }
  if (p->way) {
    p->way->run(&s->conv, onri_kernels(conv_gemm), &operands, (float *)(void *)(scratch + s->products), call->env);
    onri_conv_tail_all(&s->tail, call->in[0].dtype, NULL, operands.y, (size_t)onr_desc_elements(&call->out[0]),
                       call->env);
  } else {
    run_plain(call, &operands);
  }
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}
