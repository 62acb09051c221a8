/* conv_fast.c: see conv_fast.h. */
#include "layers/conv/conv_fast.h"

#include "base/env.h"
#include "base/memory/blocks.h"
#include "base/shape.h"
#include "kernels/conv/conv_half.h"

const char *onri_conv_fast_why_not(const struct onr_call *call, const struct onri_conv *c) {
  const struct onri_conv_prepared *p = call->prepared;
  if (onr_env_backend(call->env) == ONR_BACKEND_PORTABLE) return "plain loops are asked for";
  if (onri_is_double(call->in[1].dtype)) return "it is not of float32 or a narrower type";
  if (onri_has(call, ONRI_CONV_SCALE)) return "its channels are multiplied first";
  if (onri_conv_half_why_not(c)) return onri_conv_half_why_not(c);
  if (p->form != ONRI_CONV_LAST) return "its image is channels-first";
  if (p->winograd.weights) return "Winograd's method multiplies less";
  if (p->weights || p->product || p->tuned) return "its weights are not finite";
  return call->inputs[1] ? NULL : "its weights are not constant";
}

enum onr_status onri_conv_fast_prepare(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight) {
  struct onri_conv_prepared *p = call->prepared;
  const size_t bytes = onri_conv_half_packed_bytes(c);
  call->packed_inputs |= 2;
  p->half = onri_block_recall(call->env, bytes);
  if (p->half) return ONR_STATUS_OK;
  ONR_TRY(onri_late_read(call, weight));
  float *room = onr_env_allocate(call->env, (size_t)onr_desc_elements(&call->in[1]) * sizeof(*room));
  p->half = room ? onri_block_begin(call->env, bytes) : NULL;
  if (p->half) {
    onri_conv_pack_f32(c, weight->values, room);
    onri_conv_half_pack(c, room, p->half, call->env);
    p->half = onri_block_end(call->env, p->half, bytes);
  }
  onr_env_release(call->env, room);
  return p->half ? ONR_STATUS_OK
                 : onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
}

enum onr_status onri_conv_fast_plan(struct onr_call *call) {
  struct onri_conv_state *s = call->state;
  call->kernel = ONR_KERNEL_VECTOR;
  call->method = ONR_METHOD_HALF;
  call->exact = 1;
  s->bias = ONRI_WIDENED_IN_PLACE;
  return onri_has(call, 2) ? onri_widened_plan(call, &call->in[2], &s->bias) : ONR_STATUS_OK;
}

enum onr_status onri_conv_fast_run(struct onr_call *call) {
  const struct onri_conv_prepared *p = call->prepared;
  const struct onri_conv_state *s = call->state;
  const int has_tail = onri_conv_has_tail(&s->tail);
  const struct onri_conv_half operands = {.x = onri_widened_input(call, 0, s->x),
                                          .packed = p->half,
                                          .bias = onri_widened_input(call, 2, s->bias),
                                          .residual = onri_widened_input(call, 3, s->residual),
                                          .y = onri_widened_output(call, 0, s->y),
                                          .tail = has_tail ? onri_conv_tail_apply : NULL,
                                          .tail_context = &s->tail};
  onri_conv_half(&s->conv, &operands, call->env);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}
