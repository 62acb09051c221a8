/* index.c: ops that read or write where tensor data says, and ops that say where something is. */
#include "onnx/node/import.h"

static const char *const reductions[] = {"none", "add", "mul", "min", "max", NULL}; /* enum onr_reduction */

static enum onr_status import_gather(const struct onr_node *node) {
  const struct onr_gather_params params = {.axis = onri_attr_int(node, "axis", 0)};
  return onri_emit(node, &onri_layer_gather, &params);
}

static enum onr_status import_gather_elements(const struct onr_node *node) {
  const struct onr_gather_params params = {.axis = onri_attr_int(node, "axis", 0)};
  return onri_emit(node, &onri_layer_gather_elements, &params);
}

static enum onr_status import_gather_nd(const struct onr_node *node) {
  const struct onr_gather_nd_params params = {.batch_dims = onri_attr_int(node, "batch_dims", 0)};
  return onri_emit(node, &onri_layer_gather_nd, &params);
}

static enum onr_status import_scatter_elements(const struct onr_node *node) {
  const struct onr_scatter_elements_params params = {
      .axis = onri_attr_int(node, "axis", 0),
      .reduction = (enum onr_reduction)onri_attr_choice(node, "reduction", reductions, ONR_REDUCTION_NONE)};
  return onri_emit(node, &onri_layer_scatter_elements, &params);
}

static enum onr_status import_scatter_nd(const struct onr_node *node) {
  const struct onr_scatter_nd_params params = {
      .reduction = (enum onr_reduction)onri_attr_choice(node, "reduction", reductions, ONR_REDUCTION_NONE)};
  return onri_emit(node, &onri_layer_scatter_nd, &params);
}

static enum onr_status import_tensor_scatter(const struct onr_node *node) {
  static const char *const modes[] = {"linear", "circular", NULL};
  const struct onr_tensor_scatter_params params = {.axis = onri_attr_int(node, "axis", -2),
                                                   .circular = onri_attr_choice(node, "mode", modes, 0)};
  return onri_emit(node, &onri_layer_tensor_scatter, &params);
}

static enum onr_status import_top_k_1(const struct onr_node *node) {
  const struct onr_top_k_params params = {.axis = onri_attr_int(node, "axis", -1), .largest = 1};
  if (!onri_attr_has(node, "k")) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'k' is missing");
  const int32_t in[2] = {onri_in(node, 0), onri_const_int(node, onri_attr_int(node, "k", 0))};
  return onri_emit_with(node, &onri_layer_top_k, &params, in, 2, node->out, (size_t)node->num_out);
}

/* `sorted` is left aside: a sorted result is one of those that an unsorted one may be. */
static enum onr_status import_top_k(const struct onr_node *node) {
  const struct onr_top_k_params params = {.axis = onri_attr_int(node, "axis", -1),
                                          .largest = onri_attr_int(node, "largest", 1) != 0};
  return onri_emit(node, &onri_layer_top_k, &params);
}

static enum onr_status import_non_zero(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_non_zero, NULL);
}

static enum onr_status import_unique(const struct onr_node *node) {
  const struct onr_unique_params params = {.flat = !onri_attr_has(node, "axis"),
                                           .axis = onri_attr_int(node, "axis", 0),
                                           .sorted = onri_attr_int(node, "sorted", 1) != 0};
  return onri_emit(node, &onri_layer_unique, &params);
}

static enum onr_status import_compress(const struct onr_node *node) {
  const struct onr_compress_params params = {.flat = !onri_attr_has(node, "axis"),
                                             .axis = onri_attr_int(node, "axis", 0)};
  return onri_emit(node, &onri_layer_compress, &params);
}

static enum onr_status import_non_max_suppression(const struct onr_node *node) {
  const struct onr_non_max_suppression_params params = {.center_point_box =
                                                            onri_attr_int32(node, "center_point_box", 0, 0, 1)};
  return onri_emit(node, &onri_layer_non_max_suppression, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Gather, 1, 2, 2, 1, 1, import_gather)
    ONRI_OP(ai_onnx, GatherElements, 11, 2, 2, 1, 1, import_gather_elements)
    ONRI_OP(ai_onnx, GatherND, 11, 2, 2, 1, 1, import_gather_nd)
    ONRI_OP(ai_onnx, Scatter, 9, 3, 3, 1, 1, import_scatter_elements)
    ONRI_OP(ai_onnx, ScatterElements, 11, 3, 3, 1, 1, import_scatter_elements)
    ONRI_OP(ai_onnx, ScatterND, 11, 3, 3, 1, 1, import_scatter_nd)
    ONRI_OP(ai_onnx, TensorScatter, 24, 2, 3, 1, 1, import_tensor_scatter)
    ONRI_OP(ai_onnx, TopK, 1, 1, 1, 2, 2, import_top_k_1)
    ONRI_OP(ai_onnx, TopK, 10, 2, 2, 2, 2, import_top_k)
    ONRI_OP(ai_onnx, NonZero, 9, 1, 1, 1, 1, import_non_zero)
    ONRI_OP(ai_onnx, Unique, 11, 1, 1, 1, 4, import_unique)
    ONRI_OP(ai_onnx, Compress, 9, 2, 2, 1, 1, import_compress)
    ONRI_OP(ai_onnx, NonMaxSuppression, 10, 2, 5, 1, 1, import_non_max_suppression)
};
/* clang-format on */
const struct onri_op_table onri_ops_index = ONRI_OP_TABLE(operators);
