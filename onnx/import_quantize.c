/* import_quantize.c: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear. */
#include "onnx/import.h"

/* Attributes that a version does not have keep the defaults, which mean what that version did. */
static struct onr_quantize_params attributes(const struct onr_node *node) {
  return (struct onr_quantize_params){
      .axis = onri_attr_int(node, "axis", 1),
      .block_size = onri_attr_int(node, "block_size", 0),
      .output_dtype = (enum onr_dtype)onri_attr_int32(node, "output_dtype", ONR_DTYPE_NONE, 0, ONR_DTYPE_LAST_IN_FILES),
      .precision = (enum onr_dtype)onri_attr_int32(node, "precision", ONR_DTYPE_NONE, 0, ONR_DTYPE_LAST_IN_FILES),
      .unsaturated = onri_attr_int(node, "saturate", 1) == 0,
  };
}

enum onr_status onri_import_quantize_linear(const struct onr_node *node) {
  const struct onr_quantize_params params = attributes(node);
  return onri_emit(node, &onri_layer_quantize_linear, &params);
}

enum onr_status onri_import_dequantize_linear(const struct onr_node *node) {
  const struct onr_quantize_params params = attributes(node);
  return onri_emit(node, &onri_layer_dequantize_linear, &params);
}

enum onr_status onri_import_dynamic_quantize_linear(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_dynamic_quantize_linear, NULL);
}
