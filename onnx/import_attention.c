/* import_attention.c: Attention, RotaryEmbedding, LinearAttention and CausalConvWithState. softmax_precision may be ignored: sums are never narrower than it asks. */
#include "onnx/import.h"

enum onr_status onri_import_attention(const struct onr_node *node) {
  const int64_t left = onri_attr_int(node, "left_window_size", -1), right = onri_attr_int(node, "right_window_size", -1);
  const struct onr_attention_params params = {
      .scale = onri_attr_float(node, "scale", 0.0f),
      .softcap = onri_attr_float(node, "softcap", 0.0f),
      .causal = onri_attr_int(node, "is_causal", 0) != 0,
      .heads = onri_attr_int(node, "q_num_heads", 0),
      .kv_heads = onri_attr_int(node, "kv_num_heads", 0),
      .qk_output = (enum onr_qk_output)onri_attr_int32(node, "qk_matmul_output_mode", 0, 0, 3),
      .has_window_left = left != -1,
      .has_window_right = right != -1,
      .window_left = left,
      .window_right = right,
  };
  return onri_emit(node, &onri_layer_attention, &params);
}

enum onr_status onri_import_rotary_embedding(const struct onr_node *node) {
  const struct onr_rotary_params params = {
      .heads = onri_attr_int(node, "num_heads", 0),
      .rotary_size = onri_attr_int(node, "rotary_embedding_dim", 0),
      .interleaved = onri_attr_int(node, "interleaved", 0) != 0,
  };
  return onri_emit(node, &onri_layer_rotary_embedding, &params);
}

enum onr_status onri_import_causal_conv(const struct onr_node *node) {
  static const char *const activations[] = {"none", "silu", "swish", NULL};
  const struct onr_causal_conv_params params = {.silu = onri_attr_choice(node, "activation", activations, 0) != 0};
  return onri_emit(node, &onri_layer_causal_conv, &params);
}

enum onr_status onri_import_linear_attention(const struct onr_node *node) {
  static const char *const rules[] = {"linear", "gated", "delta", "gated_delta", NULL}; /* bit 0: gated, bit 1: delta */
  const int32_t rule = onri_attr_choice(node, "update_rule", rules, 3);
  const struct onr_linear_attention_params params = {
      .heads = onri_attr_int(node, "q_num_heads", 0),
      .kv_heads = onri_attr_int(node, "kv_num_heads", 0),
      .scale = onri_attr_float(node, "scale", 0.0f),
      .gated = rule & 1,
      .delta = rule >> 1,
  };
  return onri_emit(node, &onri_layer_linear_attention, &params);
}
