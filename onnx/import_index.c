/* import_index.c: ops that read or write where tensor data says, and ops that say where something is. */
#include "onnx/import.h"

static const char *const reductions[] = {"none", "add", "mul", "min", "max", NULL}; /* enum onr_reduction */

enum onr_status onri_import_gather(const struct onr_node *node) {
  const struct onr_gather_params params = {.axis = onri_attr_int(node, "axis", 0)};
  return onri_emit(node, &onri_layer_gather, &params);
}

enum onr_status onri_import_gather_elements(const struct onr_node *node) {
  const struct onr_gather_params params = {.axis = onri_attr_int(node, "axis", 0)};
  return onri_emit(node, &onri_layer_gather_elements, &params);
}

enum onr_status onri_import_gather_nd(const struct onr_node *node) {
  const struct onr_gather_nd_params params = {.batch_dims = onri_attr_int(node, "batch_dims", 0)};
  return onri_emit(node, &onri_layer_gather_nd, &params);
}

enum onr_status onri_import_scatter_elements(const struct onr_node *node) {
  const struct onr_scatter_elements_params params = {
      .axis = onri_attr_int(node, "axis", 0),
      .reduction = (enum onr_reduction)onri_attr_choice(node, "reduction", reductions, ONR_REDUCTION_NONE)};
  return onri_emit(node, &onri_layer_scatter_elements, &params);
}

enum onr_status onri_import_scatter_nd(const struct onr_node *node) {
  const struct onr_scatter_nd_params params = {
      .reduction = (enum onr_reduction)onri_attr_choice(node, "reduction", reductions, ONR_REDUCTION_NONE)};
  return onri_emit(node, &onri_layer_scatter_nd, &params);
}

enum onr_status onri_import_tensor_scatter(const struct onr_node *node) {
  static const char *const modes[] = {"linear", "circular", NULL};
  const struct onr_tensor_scatter_params params = {.axis = onri_attr_int(node, "axis", -2),
                                                   .circular = onri_attr_choice(node, "mode", modes, 0)};
  return onri_emit(node, &onri_layer_tensor_scatter, &params);
}

enum onr_status onri_import_top_k_1(const struct onr_node *node) {
  const struct onr_top_k_params params = {.axis = onri_attr_int(node, "axis", -1), .largest = 1};
  if (!onri_attr_has(node, "k")) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'k' is missing");
  const int32_t in[2] = {onri_in(node, 0), onri_const_int(node, onri_attr_int(node, "k", 0))};
  return onri_emit_with(node, &onri_layer_top_k, &params, in, 2, node->out, (size_t)node->num_out);
}

/* `sorted` is left aside: a sorted result is one of those that an unsorted one may be. */
enum onr_status onri_import_top_k(const struct onr_node *node) {
  const struct onr_top_k_params params = {.axis = onri_attr_int(node, "axis", -1),
                                          .largest = onri_attr_int(node, "largest", 1) != 0};
  return onri_emit(node, &onri_layer_top_k, &params);
}

enum onr_status onri_import_non_zero(const struct onr_node *node) { return onri_emit(node, &onri_layer_non_zero, NULL); }

enum onr_status onri_import_unique(const struct onr_node *node) {
  const struct onr_unique_params params = {.flat = !onri_attr_has(node, "axis"),
                                           .axis = onri_attr_int(node, "axis", 0),
                                           .sorted = onri_attr_int(node, "sorted", 1) != 0};
  return onri_emit(node, &onri_layer_unique, &params);
}

enum onr_status onri_import_compress(const struct onr_node *node) {
  const struct onr_compress_params params = {.flat = !onri_attr_has(node, "axis"), .axis = onri_attr_int(node, "axis", 0)};
  return onri_emit(node, &onri_layer_compress, &params);
}

enum onr_status onri_import_non_max_suppression(const struct onr_node *node) {
  const struct onr_non_max_suppression_params params = {.center_point_box = onri_attr_int32(node, "center_point_box", 0, 0, 1)};
  return onri_emit(node, &onri_layer_non_max_suppression, &params);
}
