/* import_norm.c: softmax and the normalisations. */
#include "onnx/import.h"

/* --- softmax: before version 13 over all dimensions from `axis` on, at once --- */

static enum onr_status softmax(const struct onr_node *node, const struct onr_layer *layer, int64_t axis, int32_t flatten) {
  const struct onr_softmax_params params = {.axis = onri_attr_int(node, "axis", axis), .flatten = flatten};
  return onri_emit(node, layer, &params);
}

enum onr_status onri_import_softmax_flat(const struct onr_node *node) { return softmax(node, &onri_layer_softmax, 1, 1); }
enum onr_status onri_import_softmax(const struct onr_node *node) { return softmax(node, &onri_layer_softmax, -1, 0); }
enum onr_status onri_import_log_softmax_flat(const struct onr_node *node) {
  return softmax(node, &onri_layer_log_softmax, 1, 1);
}
enum onr_status onri_import_log_softmax(const struct onr_node *node) { return softmax(node, &onri_layer_log_softmax, -1, 0); }
/* The old hardmax, too, has one 1 in a flattened line. */
enum onr_status onri_import_hardmax_flat(const struct onr_node *node) { return softmax(node, &onri_layer_hardmax, 1, 1); }
enum onr_status onri_import_hardmax(const struct onr_node *node) { return softmax(node, &onri_layer_hardmax, -1, 0); }
