/* conv_variable.c: see conv_variable.h. */
#include "layers/conv/conv_variable.h"

#include "base/env.h"
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/conv/depthwise.h"
#include "layers/conv/conv_product.h"
#include "layers/elementwise/scratch.h"

/* Packing takes as long as a few pixels; vectors of a few channels a group would be mostly empty. */
static int suits(const struct onr_call *call, const struct onri_conv *c) {
  enum { PIXELS = 8, MOST_PADDING = 4 };
  const size_t weights = (size_t)onr_desc_elements(&call->in[1]);
  if (onr_env_backend(call->env) == ONR_BACKEND_PORTABLE || onri_is_double(call->in[1].dtype) ||
      !onri_conv_gemm_is_fast() || !onri_conv_gemm_can(c) || onri_conv_is_depthwise(c) ||
      onri_has(call, ONRI_CONV_SCALE))
    return 0;
  const int64_t pixels = ONRI_STEPS(c->y.batch, c->y.size[0], c->y.size[1], c->y.size[2]);
  const size_t floats = onri_conv_gemm_packed_floats(c, onri_kernels(conv_gemm), ONRI_CONV_LAST);
  return pixels >= PIXELS && floats > 0 && floats / MOST_PADDING <= weights;
}

enum onr_status onri_conv_variable_plan(struct onr_call *call) {
  struct onri_conv_state *s = call->state;
  const struct onr_conv_params *p = call->params;
  const struct onri_conv_gemm_kernels *kernels = onri_kernels(conv_gemm);
  if (!suits(call, &s->conv)) return ONR_STATUS_OK;
  s->variable = 1;
  s->form = onri_conv_product_form(&s->conv, p->channels_last, p->x_channels_first);
  s->threads = onr_threads_count(call->env->threads);
  const size_t weights = onri_conv_gemm_packed_floats(&s->conv, kernels, s->form),
               bias = onri_conv_gemm_bias_floats(&s->conv, kernels, s->form);
  size_t bytes;
  if (!onri_mul_size(weights, sizeof(float), &bytes)) bytes = SIZE_MAX;
  ONR_TRY(onri_scratch_reserve(call, bytes, &s->products));
  ONR_TRY(onri_scratch_reserve(call, bias * sizeof(float), &s->product_bias));
  call->kernel = ONR_KERNEL_VECTOR;
  call->method = ONR_METHOD_PRODUCT;
  /* A widened x lies before this and is read past its end too. */
  return onri_scratch_reserve(call, onri_conv_gemm_scratch_bytes(s->threads) + ONR_SLACK_BYTES, &s->scratch);
}

int onri_conv_variable_run(struct onr_call *call) {
  const struct onri_conv_state *s = call->state;
  const struct onri_conv_gemm_kernels *kernels = onri_kernels(conv_gemm);
  unsigned char *scratch = call->scratch;
  const float *weights = onri_widened_input(call, 1, s->weight);
  float *packed = (float *)(void *)(scratch + s->products), *bias = (float *)(void *)(scratch + s->product_bias);
  if (!onri_all_finite(call->env, weights, (size_t)onr_desc_elements(&call->in[1]))) return 0;
  onri_conv_gemm_pack(&s->conv, kernels, s->form, weights, packed, call->env);
  onri_conv_gemm_pack_bias(&s->conv, kernels, s->form, onri_widened_input(call, 2, s->bias), bias);
  const int has_tail = onri_conv_has_tail(&s->tail);
  const struct onri_conv_gemm operands = {.form = s->form,
                                          .x = onri_widened_input(call, 0, s->x),
                                          .packed = packed,
                                          .bias = bias,
                                          .y = onri_widened_output(call, 0, s->y),
                                          .scratch = scratch + s->scratch,
                                          .residual = onri_widened_input(call, 3, s->residual),
                                          .threads = s->threads,
                                          .tail = has_tail ? onri_conv_tail_apply : NULL,
                                          .tail_context = &s->tail};
  onri_conv_gemm_f32(&s->conv, kernels, &operands, call->env);
  onri_widened_finish(call, 0, s->y);
  return 1;
}
