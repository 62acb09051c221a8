/* matmul.c: NumPy's matrix product, with an optional bias.
 *
 * input 0   A     [..., m, k] or [k]     any number type
 * input 1   B     [..., k, n] or [k]     A's type
 * input 2   bias  [n] or [1]             optional
 * output 0        [..., m, n]; m or n missing for a vector
 * path      XNNPACK (float32, float16 and bfloat16 through float32): packed weights when B is a constant matrix; else
 * portable */
#include "layers/matmul/product.h"

static struct onri_product_form form_of(const struct onr_call *call) {
  const struct onr_matmul_params *p = call->params;
  return (struct onri_product_form){.transpose_a = p->transpose_a != 0,
                                    .transpose_b = p->transpose_b != 0,
                                    .alpha = p->scale == 0.0f ? 1.0f : p->scale,
                                    .beta = 1.0f,
                                    .clamp = p->clamp,
                                    .bias_rank_max = 1};
}

static enum onr_status matmul_infer(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  struct onri_product product;
  return onri_product_shape(call, &form, &product, &call->out[0]);
}

static enum onr_status matmul_prepare(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_prepare(call, &form, call->prepared);
}

static enum onr_status matmul_plan(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_plan(call, &form, call->prepared, call->state);
}

static enum onr_status matmul_run(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_run(call, &form, call->state);
}

static int64_t matmul_multiply_adds(const struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  struct onri_product product;
  struct onr_desc out;
  return onri_product_shape(call, &form, &product, &out) == ONR_STATUS_OK ? onri_product_multiply_adds(&product) : 0;
}

const struct onr_layer onri_layer_matmul = {
    .name = "matmul",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_OVERREADS,
    .params_size = sizeof(struct onr_matmul_params),
    .prepared_size = sizeof(struct onri_product_prepared),
    .state_size = sizeof(struct onri_product_state),
    .infer = matmul_infer,
    .prepare = matmul_prepare,
    .plan = matmul_plan,
    .run = matmul_run,
    .release_state = onri_product_release_state,
    .release_prepared = onri_product_release_prepared,
    .multiply_adds = matmul_multiply_adds,
    .kernel_types = onri_product_kernel_types,
};
