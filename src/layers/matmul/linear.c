/* linear.c: y = x W^T + b on the last axis, the layer of torch.nn.Linear.
 *
 * input 0   x  [..., in]                                    floating-point
 * input 1   W  [out, in], or [in, out] with weight_transposed
 * input 2   b  [out]                                        optional
 * output 0  y  [..., out]
 * path      as matmul */
#include "base/shape.h"
#include "layers/matmul/product.h"

static struct onri_product_form form_of(const struct onr_call *call) {
  const struct onr_linear_params *p = call->params;
  return (struct onri_product_form){
      .transpose_b = !p->weight_transposed, .alpha = 1.0f, .beta = 1.0f, .clamp = p->clamp, .bias_rank_max = 1};
}

static enum onr_status linear_infer(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  struct onri_product product;
  ONR_TRY(onri_expect_dtype(call, 0, ONRI_DTYPES_FLOAT));
  ONR_TRY(onri_expect_rank(call, 1, 2, 2));
  return onri_product_shape(call, &form, &product, &call->out[0]);
}

static enum onr_status linear_prepare(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_prepare(call, &form, call->prepared);
}

static enum onr_status linear_plan(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_plan(call, &form, call->prepared, call->state);
}

static enum onr_status linear_run(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_run(call, &form, call->state);
}

static int64_t linear_multiply_adds(const struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  struct onri_product product;
  struct onr_desc out;
  return onri_product_shape(call, &form, &product, &out) == ONR_STATUS_OK ? onri_product_multiply_adds(&product) : 0;
}

const struct onr_layer onri_layer_linear = {
    .name = "linear",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_OVERREADS,
    .params_size = sizeof(struct onr_linear_params),
    .prepared_size = sizeof(struct onri_product_prepared),
    .state_size = sizeof(struct onri_product_state),
    .infer = linear_infer,
    .prepare = linear_prepare,
    .plan = linear_plan,
    .run = linear_run,
    .release_state = onri_product_release_state,
    .release_prepared = onri_product_release_prepared,
    .multiply_adds = linear_multiply_adds,
    .kernel_types = onri_product_kernel_types,
};
