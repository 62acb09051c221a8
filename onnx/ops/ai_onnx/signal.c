/* signal.c: Fourier transforms, windows, the mel matrix. */
#include "onnx/node/import.h"

static struct onr_dft_params dft_params(const struct onr_node *node) {
  return (struct onr_dft_params){.inverse = onri_attr_int32(node, "inverse", 0, 0, 1),
                                 .onesided = onri_attr_int32(node, "onesided", 0, 0, 1)};
}

/* The axis was an attribute, 1 when absent. */
static enum onr_status import_dft_17(const struct onr_node *node) {
  const struct onr_dft_params params = dft_params(node);
  const int32_t in[3] = {onri_in(node, 0), onri_in(node, 1), onri_const_int(node, onri_attr_int(node, "axis", 1))};
  return onri_emit_with(node, &onri_layer_dft, &params, in, 3, node->out, (size_t)node->num_out);
}

static enum onr_status import_dft_20(const struct onr_node *node) {
  const struct onr_dft_params params = dft_params(node);
  return onri_emit(node, &onri_layer_dft, &params);
}

static enum onr_status import_stft(const struct onr_node *node) {
  const struct onr_stft_params params = {.onesided = onri_attr_int32(node, "onesided", 1, 0, 1)};
  return onri_emit(node, &onri_layer_stft, &params);
}

static enum onr_dtype output_dtype(const struct onr_node *node) {
  return (enum onr_dtype)onri_attr_int32(node, "output_datatype", ONR_DTYPE_F32, 1, ONR_DTYPE_LAST_IN_FILES);
}

static enum onr_status import_window(const struct onr_node *node, enum onr_window_function window) {
  const struct onr_window_function_params params = {
      .function = window, .symmetric = !onri_attr_int32(node, "periodic", 1, 0, 1), .dtype = output_dtype(node)};
  return onri_emit(node, &onri_layer_window_function, &params);
}

static enum onr_status import_hann_window(const struct onr_node *node) { return import_window(node, ONR_WINDOW_HANN); }
static enum onr_status import_hamming_window(const struct onr_node *node) {
  return import_window(node, ONR_WINDOW_HAMMING);
}
static enum onr_status import_blackman_window(const struct onr_node *node) {
  return import_window(node, ONR_WINDOW_BLACKMAN);
}

static enum onr_status import_mel_weights(const struct onr_node *node) {
  const struct onr_mel_weights_params params = {.dtype = output_dtype(node)};
  return onri_emit(node, &onri_layer_mel_weights, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, DFT, 17, 1, 2, 1, 1, import_dft_17)
    ONRI_OP(ai_onnx, DFT, 20, 1, 3, 1, 1, import_dft_20)
    ONRI_OP(ai_onnx, STFT, 17, 2, 4, 1, 1, import_stft)
    ONRI_OP(ai_onnx, HannWindow, 17, 1, 1, 1, 1, import_hann_window)
    ONRI_OP(ai_onnx, HammingWindow, 17, 1, 1, 1, 1, import_hamming_window)
    ONRI_OP(ai_onnx, BlackmanWindow, 17, 1, 1, 1, 1, import_blackman_window)
    ONRI_OP(ai_onnx, MelWeightMatrix, 17, 5, 5, 1, 1, import_mel_weights)
};
/* clang-format on */
const struct onri_op_table onri_ops_signal = ONRI_OP_TABLE(operators);
