/* matmul.c: matmul, gemm and linear: three ways to say one product (product.h), and nothing else of their own.
 *
 * matmul   A [..., m, k] or [k], B [..., k, n] or [k], bias [n] or [1]; NumPy's. m or n are missing for a vector
 * gemm     A [m, k] or [k, m], B [k, n] or [n, k], C broadcast to [m, n]: alpha op(A) op(B) + beta C
 * linear   x [..., in], W [out, in] or [in, out], b [out]: x W^T + b, the layer of torch.nn.Linear
 * types    any number, linear floats; one for all operands. The third is optional, and a fourth like the result, which
 *          is added to it (floats)
 * path     vectors (float32; float16 and bfloat16 through float32): packed weights when B is a constant matrix; else
 *          portable */
#include "base/services.h"
#include "base/shape.h"
#include "layers/matmul/product.h"

static struct onri_product_form matmul_form(const struct onr_call *call) {
  const struct onr_matmul_params *p = call->params;
  return (struct onri_product_form){.transpose_a = p->transpose_a != 0,
                                    .transpose_b = p->transpose_b != 0,
                                    .alpha = p->scale == 0.0f ? 1.0f : p->scale,
                                    .beta = 1.0f,
                                    .clamp = p->clamp,
                                    .tail = p->tail,
                                    .columns = p->columns,
                                    .bias_rank_max = 1};
}

static struct onri_product_form gemm_form(const struct onr_call *call) {
  const struct onr_gemm_params *p = call->params;
  return (struct onri_product_form){.transpose_a = p->transpose_a != 0,
                                    .transpose_b = p->transpose_b != 0,
                                    .alpha = p->alpha,
                                    .beta = p->beta,
                                    .clamp = p->clamp,
                                    .tail = p->tail,
                                    .columns = p->columns,
                                    .bias_rank_max = 2,
                                    .a_rank = 2,
                                    .b_rank = 2};
}

static struct onri_product_form linear_form(const struct onr_call *call) {
  const struct onr_linear_params *p = call->params;
  return (struct onri_product_form){.transpose_b = !p->weight_transposed,
                                    .alpha = 1.0f,
                                    .beta = 1.0f,
                                    .clamp = p->clamp,
                                    .tail = p->tail,
                                    .columns = p->columns,
                                    .bias_rank_max = 1,
                                    .b_rank = 2};
}

#define PRODUCT(kind, set, rule)                                                    \
  static enum onr_status kind##_infer(struct onr_call *call) {                      \
    const struct onri_product_form form = kind##_form(call);                        \
    struct onri_product product;                                                    \
    return onri_product_shape(call, &form, &product, &call->out[0]);                \
  }                                                                                 \
  static enum onr_status kind##_prepare(struct onr_call *call) {                    \
    const struct onri_product_form form = kind##_form(call);                        \
    return onri_product_prepare(call, &form, call->prepared);                       \
  }                                                                                 \
  static enum onr_status kind##_plan(struct onr_call *call) {                       \
    const struct onri_product_form form = kind##_form(call);                        \
    return onri_product_plan(call, &form, call->prepared, call->state);             \
  }                                                                                 \
  static enum onr_status kind##_run(struct onr_call *call) {                        \
    const struct onri_product_form form = kind##_form(call);                        \
    return onri_product_run(call, &form, call->state);                              \
  }                                                                                 \
  static int64_t kind##_multiply_adds(const struct onr_call *call) {                \
    const struct onri_product_form form = kind##_form(call);                        \
    struct onri_product product;                                                    \
    struct onr_desc out;                                                            \
    if (onri_product_shape(call, &form, &product, &out) != ONR_STATUS_OK) return 0; \
    return onri_product_multiply_adds(&product);                                    \
  }                                                                                 \
  const struct onr_layer onri_layer_##kind = {                                      \
      .name = #kind,                                                                \
      .inputs_min = 2,                                                              \
      .inputs_max = 4,                                                              \
      .outputs_min = 1,                                                             \
      .outputs_max = 1,                                                             \
      .types = {set, ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0)},            \
      .output_type = ONR_AS_INPUT(0),                                               \
      .flags = ONRI_LAYER_READS_LATE | ONRI_LAYER_NO_REDUCTIONS,                    \
      .layout = rule,                                                               \
      .params_size = sizeof(struct onr_##kind##_params),                            \
      .prepared_size = sizeof(struct onri_product_prepared),                        \
      .state_size = sizeof(struct onri_product_state),                              \
      .infer = kind##_infer,                                                        \
      .prepare = kind##_prepare,                                                    \
      .plan = kind##_plan,                                                          \
      .run = kind##_run,                                                            \
      .release_prepared = onri_product_release_prepared,                            \
      .multiply_adds = kind##_multiply_adds,                                        \
      .kernel_types = onri_product_kernel_types,                                    \
  }
PRODUCT(matmul, ONRI_DTYPES_NUMBER, ONRI_LAYOUT_MATMUL);
PRODUCT(gemm, ONRI_DTYPES_NUMBER, ONR_LAYOUT_LOGICAL);
PRODUCT(linear, ONRI_DTYPES_FLOAT, ONR_LAYOUT_LAST_AXIS);
