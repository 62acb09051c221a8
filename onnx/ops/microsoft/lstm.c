/* lstm.c: DynamicQuantizeLSTM. */
#include "onnx/ops/microsoft/common.h"

/* Inputs as LSTM has them, with W and R quantised and turned, then W's scale and zero point, R's scale and zero point.
 */
static enum onr_status import_dynamic_quantize_lstm(const struct onr_node *node) {
  return onri_import_lstm(node, &onri_layer_dynamic_quantize_lstm);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(com_microsoft, DynamicQuantizeLSTM, 1, 3, 12, 0, 3, import_dynamic_quantize_lstm)
};
/* clang-format on */
const struct onri_op_table onri_ops_microsoft_lstm = ONRI_OP_TABLE(operators);
