/* gemm.c: alpha op(A) op(B) + beta C.
 *
 * input 0   A  [m, k], or [k, m] with transpose_a    any number type
 * input 1   B  [k, n], or [n, k] with transpose_b    A's type
 * input 2   C  broadcast to [m, n]                   optional
 * output 0     [m, n]
 * path      as matmul */
#include "base/shape.h"
#include "layers/matmul/product.h"

static struct onri_product_form form_of(const struct onr_call *call) {
  const struct onr_gemm_params *p = call->params;
  return (struct onri_product_form){.transpose_a = p->transpose_a != 0,
                                    .transpose_b = p->transpose_b != 0,
                                    .alpha = p->alpha,
                                    .beta = p->beta,
                                    .clamp = p->clamp,
                                    .bias_rank_max = 2};
}

static enum onr_status gemm_infer(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  struct onri_product product;
  ONR_TRY(onri_expect_rank(call, 0, 2, 2));
  ONR_TRY(onri_expect_rank(call, 1, 2, 2));
  return onri_product_shape(call, &form, &product, &call->out[0]);
}

static enum onr_status gemm_prepare(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_prepare(call, &form, call->prepared);
}

static enum onr_status gemm_plan(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_plan(call, &form, call->prepared, call->state);
}

static enum onr_status gemm_run(struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  return onri_product_run(call, &form, call->state);
}

static int64_t gemm_multiply_adds(const struct onr_call *call) {
  const struct onri_product_form form = form_of(call);
  struct onri_product product;
  struct onr_desc out;
  return onri_product_shape(call, &form, &product, &out) == ONR_STATUS_OK ? onri_product_multiply_adds(&product) : 0;
}

const struct onr_layer onri_layer_gemm = {
    .name = "gemm",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_OVERREADS,
    .params_size = sizeof(struct onr_gemm_params),
    .prepared_size = sizeof(struct onri_product_prepared),
    .state_size = sizeof(struct onri_product_state),
    .infer = gemm_infer,
    .prepare = gemm_prepare,
    .plan = gemm_plan,
    .run = gemm_run,
    .release_state = onri_product_release_state,
    .release_prepared = onri_product_release_prepared,
    .multiply_adds = gemm_multiply_adds,
    .kernel_types = onri_product_kernel_types,
};
