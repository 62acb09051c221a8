/* optimizer.c: training steps. A node takes any number of tensors: all weights, all gradients, all states. Each
 * tensor becomes a layer of its own. */
#include "onnx/node/import.h"

static enum onr_status emit_steps(const struct onr_node *node, const struct onr_optimizer_params *params,
                                  int32_t states) {
  const int32_t lists = 2 + states, count = (node->num_in - 2) / lists;
  if (count < 1 || node->num_in != 2 + lists * count || node->num_out != (1 + states) * count)
    return onr_fail(node->error, ONR_STATUS_ARITY,
                    "%d inputs and %d outputs: expected %d inputs a tensor after the first two, and %d outputs",
                    node->num_in, node->num_out, lists, 1 + states);
  for (int32_t i = 0; i < count; i++) {
    int32_t in[6] = {node->in[0], node->in[1]}, out[3];
    for (int32_t k = 0; k < lists; k++) in[2 + k] = node->in[2 + k * count + i];
    for (int32_t k = 0; k <= states; k++) out[k] = node->out[k * count + i];
    ONR_TRY(onri_emit_with(node, &onri_layer_optimizer, params, in, (size_t)(2 + lists), out, (size_t)(1 + states)));
  }
  return ONR_STATUS_OK;
}

static enum onr_status import_momentum(const struct onr_node *node) {
  static const char *const modes[] = {"standard", "nesterov", NULL};
  const struct onr_optimizer_params params = {
      .optimizer = onri_attr_choice(node, "mode", modes, 0) ? ONR_OPTIMIZER_NESTEROV : ONR_OPTIMIZER_MOMENTUM,
      .alpha = onri_attr_float(node, "alpha", 0),
      .beta = onri_attr_float(node, "beta", 0),
      .norm = onri_attr_float(node, "norm_coefficient", 0)};
  return emit_steps(node, &params, 1);
}

static enum onr_status import_adagrad(const struct onr_node *node) {
  const struct onr_optimizer_params params = {.optimizer = ONR_OPTIMIZER_ADAGRAD,
                                              .epsilon = onri_attr_float(node, "epsilon", 1e-6f),
                                              .decay = onri_attr_float(node, "decay_factor", 0),
                                              .norm = onri_attr_float(node, "norm_coefficient", 0)};
  return emit_steps(node, &params, 1);
}

static enum onr_status import_adam(const struct onr_node *node) {
  const struct onr_optimizer_params params = {.optimizer = ONR_OPTIMIZER_ADAM,
                                              .alpha = onri_attr_float(node, "alpha", 0.9f),
                                              .beta = onri_attr_float(node, "beta", 0.999f),
                                              .epsilon = onri_attr_float(node, "epsilon", 1e-6f),
                                              .norm = onri_attr_float(node, "norm_coefficient", 0),
                                              .norm_post = onri_attr_float(node, "norm_coefficient_post", 0)};
  return emit_steps(node, &params, 2);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx_preview_training, Momentum, 1, 3, ONR_VARIADIC, 1, ONR_VARIADIC, import_momentum)
    ONRI_OP(ai_onnx_preview_training, Adagrad, 1, 3, ONR_VARIADIC, 1, ONR_VARIADIC, import_adagrad)
    ONRI_OP(ai_onnx_preview_training, Adam, 1, 3, ONR_VARIADIC, 1, ONR_VARIADIC, import_adam)
};
/* clang-format on */
const struct onri_op_table onri_ops_training_optimizer = ONRI_OP_TABLE(operators);
