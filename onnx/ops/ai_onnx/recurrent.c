/* recurrent.c: LSTM, GRU and RNN; the LSTM of the domain "onnxrun" has a projection as input 8. */
#include <string.h>

#include "onnx/node/import.h"

/* Names in lower case: files write them in both. Functions without a parameter never take one from the lists. */
static const struct {
  const char *name;
  enum onr_recurrent_activation kind;
  int has_alpha, has_beta;
  float alpha, beta;
} functions[] = {
    {"sigmoid", ONR_RECURRENT_SIGMOID, 0, 0, 0.0f, 0.0f},
    {"tanh", ONR_RECURRENT_TANH, 0, 0, 0.0f, 0.0f},
    {"relu", ONR_RECURRENT_RELU, 0, 0, 0.0f, 0.0f},
    {"affine", ONR_RECURRENT_AFFINE, 1, 1, 1.0f, 0.0f},
    {"leakyrelu", ONR_RECURRENT_LEAKY_RELU, 1, 0, 0.01f, 0.0f},
    {"thresholdedrelu", ONR_RECURRENT_THRESHOLDED_RELU, 1, 0, 1.0f, 0.0f},
    {"scaledtanh", ONR_RECURRENT_SCALED_TANH, 1, 1, 1.0f, 1.0f},
    {"hardsigmoid", ONR_RECURRENT_HARD_SIGMOID, 1, 1, 0.2f, 0.5f},
    {"elu", ONR_RECURRENT_ELU, 1, 0, 1.0f, 0.0f},
    {"softsign", ONR_RECURRENT_SOFTSIGN, 0, 0, 0.0f, 0.0f},
    {"softplus", ONR_RECURRENT_SOFTPLUS, 0, 0, 0.0f, 0.0f},
};
enum { NUM_FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

static int is_name(const struct onr_string *text, const char *name) {
  if (text->length != strlen(name)) return 0;
  for (size_t i = 0; i < text->length; i++) {
    const char c = text->text[i], lower = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    if (lower != name[i]) return 0;
  }
  return 1;
}

static float take(const float *values, size_t count, size_t *used, float default_value) {
  return *used < count ? values[(*used)++] : default_value;
}

static enum onr_status read_functions(const struct onr_node *node, struct onr_recurrent_params *params,
                                      size_t per_direction) {
  const size_t needed = per_direction * (params->direction == ONR_DIRECTION_BOTH ? 2 : 1);
  size_t count, num_alpha, num_beta, used_alpha = 0, used_beta = 0;
  const struct onr_string *names = onri_attr_strings(node, "activations", &count);
  const float *alpha = onri_attr_floats(node, "activation_alpha", &num_alpha);
  const float *beta = onri_attr_floats(node, "activation_beta", &num_beta);
  if (count == 0) return ONR_STATUS_OK;
  if (count < needed)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected %zu activations, found %zu", needed, count);
  for (size_t i = 0; i < needed; i++) {
    size_t f = 0;
    while (f < NUM_FUNCTIONS && !is_name(&names[i], functions[f].name)) f++;
    if (f == NUM_FUNCTIONS)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "activation number %zu is not one that ONNX knows", i);
    struct onr_recurrent_function *to = &params->functions[i];
    to->kind = functions[f].kind;
    if (functions[f].has_alpha) to->alpha = take(alpha, num_alpha, &used_alpha, functions[f].alpha);
    if (functions[f].has_beta) to->beta = take(beta, num_beta, &used_beta, functions[f].beta);
  }
  return ONR_STATUS_OK;
}

static enum onr_status recurrent(const struct onr_node *node, const struct onr_layer *layer,
                                 size_t functions_per_direction) {
  static const char *const directions[] = {"forward", "reverse", "bidirectional", NULL};
  struct onr_recurrent_params params = {
      .hidden_size = onri_attr_int(node, "hidden_size", 0),
      .direction = (enum onr_direction)onri_attr_choice(node, "direction", directions, 0),
      .layout = onri_attr_int32(node, "layout", 0, 0, 1),
      .linear_before_reset = onri_attr_int(node, "linear_before_reset", 0) != 0,
      .input_forget = onri_attr_int(node, "input_forget", 0) != 0,
      .has_clip = onri_attr_has(node, "clip"),
      .clip = onri_attr_float(node, "clip", 0.0f),
  };
  if (onri_attr_has(node, "hidden_size") && params.hidden_size <= 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a hidden_size of 1 or more, found %lld",
                    (long long)params.hidden_size);
  ONR_TRY(read_functions(node, &params, functions_per_direction));
  return onri_emit(node, layer, &params);
}

enum onr_status onri_import_lstm(const struct onr_node *node, const struct onr_layer *layer) {
  return recurrent(node, layer, 3);
}
static enum onr_status import_lstm(const struct onr_node *node) { return onri_import_lstm(node, &onri_layer_lstm); }
static enum onr_status import_gru(const struct onr_node *node) { return recurrent(node, &onri_layer_gru, 2); }
static enum onr_status import_rnn(const struct onr_node *node) { return recurrent(node, &onri_layer_rnn, 1); }

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, LSTM, 1, 3, 8, 0, 3, import_lstm)
    ONRI_OP(ai_onnx, GRU, 1, 3, 6, 0, 2, import_gru)
    ONRI_OP(ai_onnx, RNN, 1, 3, 6, 0, 2, import_rnn)
    ONRI_OP(onnxrun, LSTM, 1, 3, 9, 0, 3, import_lstm)
};
/* clang-format on */
const struct onri_op_table onri_ops_recurrent = ONRI_OP_TABLE(operators);
