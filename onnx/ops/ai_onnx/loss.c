/* loss.c: NegativeLogLikelihoodLoss; SoftmaxCrossEntropyLoss as log_softmax and nll_loss. */
#include "onnx/node/import.h"

static struct onr_nll_loss_params loss_params(const struct onr_node *node) {
  static const char *const reductions[] = {"none", "sum", "mean", NULL}; /* as enum onr_loss_reduction */
  return (struct onr_nll_loss_params){
      .reduction = (enum onr_loss_reduction)onri_attr_choice(node, "reduction", reductions, ONR_LOSS_MEAN),
      .has_ignored = onri_attr_has(node, "ignore_index"),
      .ignored = onri_attr_int(node, "ignore_index", 0)};
}

static enum onr_status import_nll_loss(const struct onr_node *node) {
  const struct onr_nll_loss_params params = loss_params(node);
  return onri_emit(node, &onri_layer_nll_loss, &params);
}

static enum onr_status import_softmax_cross_entropy_loss(const struct onr_node *node) {
  const struct onr_softmax_params classes = {.axis = 1};
  const struct onr_nll_loss_params params = loss_params(node);
  const int32_t log_prob = onri_out(node, 1) != ONRI_NONE ? onri_out(node, 1) : onri_temp(node);
  const int32_t in[] = {log_prob, onri_in(node, 1), onri_in(node, 2)};
  ONR_TRY(onri_emit_with(node, &onri_layer_log_softmax, &classes, node->in, 1, &log_prob, 1));
  return onri_emit_with(node, &onri_layer_nll_loss, &params, in, in[2] == ONRI_NONE ? 2 : 3, node->out, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, NegativeLogLikelihoodLoss, 12, 2, 3, 1, 1, import_nll_loss)
    ONRI_OP(ai_onnx, SoftmaxCrossEntropyLoss, 12, 2, 3, 1, 2, import_softmax_cross_entropy_loss)
};
/* clang-format on */
const struct onri_op_table onri_ops_loss = ONRI_OP_TABLE(operators);
