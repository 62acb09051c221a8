/* lstm.c: DynamicQuantizeLSTM. Its weights become float32 while loading; inputs and states are not
 * rounded to 8 bits, which is what the op spares, not what it means. */
#include "onnx/ops/microsoft/common.h"

/* Input i [directions, rows, 4 hidden] as float32 [directions, 4 hidden, rows]; scale and zero point [directions] or
 * [directions, 4 hidden]. */
static enum onr_status read_weight(const struct onr_node *node, int32_t i, int32_t scale, int32_t zero,
                                   int32_t *weight) {
  const struct onr_transpose_params turn = {.rank = 3, .perm = {0, 2, 1}};
  const int32_t inputs[3] = {onri_in(node, i), onri_in(node, scale), onri_in(node, zero)};
  int32_t x[3];
  for (size_t k = 0; k < 3; k++) {
    if (inputs[k] == ONRI_NONE)
      return onr_fail(node->error, ONR_STATUS_ARITY, "a weight, its scale or its zero point is omitted");
    const int32_t rank = node->graph->values[inputs[k]].desc.rank;
    x[k] = onri_make_cast(node, inputs[k], ONR_DTYPE_F32);
    if (k > 0 && rank != 1 && rank != 2)
      return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "scales or zero points of unknown shape");
    if (k > 0) x[k] = onri_make_unsqueeze(node, x[k], (int64_t[]){1, 2}, rank == 1 ? 2 : 1);
  }
  const int32_t centred = onri_make_binary(node, ONR_BINARY_SUB, x[0], x[2]);
  const int32_t scaled = onri_make_binary(node, ONR_BINARY_MUL, centred, x[1]);
  *weight = onri_make(node, &onri_layer_transpose, &turn, &scaled, 1);
  return ONR_STATUS_OK;
}

/* Inputs as LSTM has them, with W and R quantised and turned, then W's scale and zero point, R's scale and zero point.
 */
static enum onr_status import_dynamic_quantize_lstm(const struct onr_node *node) {
  int32_t in[8];
  struct onr_node plain = *node;
  for (int32_t i = 0; i < 8; i++) in[i] = onri_in(node, i);
  ONR_TRY(read_weight(node, 1, 8, 9, &in[1]));
  ONR_TRY(read_weight(node, 2, 10, 11, &in[2]));
  plain.in = in;
  plain.num_in = 8;
  return onri_import_lstm(&plain);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(com_microsoft, DynamicQuantizeLSTM, 1, 3, 12, 0, 3, import_dynamic_quantize_lstm)
};
/* clang-format on */
const struct onri_op_table onri_ops_microsoft_lstm = ONRI_OP_TABLE(operators);
