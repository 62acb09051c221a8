/* quantize.c: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear. */
#include "onnx/node/import.h"

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

static enum onr_status import_quantize_linear(const struct onr_node *node) {
  const struct onr_quantize_params params = attributes(node);
  return onri_emit(node, &onri_layer_quantize_linear, &params);
}

static enum onr_status import_dequantize_linear(const struct onr_node *node) {
  const struct onr_quantize_params params = attributes(node);
  return onri_emit(node, &onri_layer_dequantize_linear, &params);
}

static enum onr_status import_dynamic_quantize_linear(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_dynamic_quantize_linear, NULL);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, QuantizeLinear, 10, 2, 3, 1, 1, import_quantize_linear)
    ONRI_OP(ai_onnx, DequantizeLinear, 10, 2, 3, 1, 1, import_dequantize_linear)
    ONRI_OP(ai_onnx, DynamicQuantizeLinear, 11, 1, 1, 3, 3, import_dynamic_quantize_linear)
    ONRI_OP(com_microsoft, QuantizeLinear, 1, 2, 3, 1, 1, import_quantize_linear)
    ONRI_OP(com_microsoft, DequantizeLinear, 1, 2, 3, 1, 1, import_dequantize_linear)
};
/* clang-format on */
const struct onri_op_table onri_ops_quantize = ONRI_OP_TABLE(operators);
