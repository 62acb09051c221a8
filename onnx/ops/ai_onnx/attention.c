/* attention.c: Attention, FlexAttention, RotaryEmbedding, LinearAttention, CausalConvWithState. Attention may
 * ignore softmax_precision: its sums are never narrower than that asks. */
#include "base/types.h"
#include "onnx/node/import.h"

static enum onr_status read_attention(const struct onr_node *node) {
  const int64_t left = onri_attr_int(node, "left_window_size", -1),
                right = onri_attr_int(node, "right_window_size", -1);
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

static enum onr_status import_rotary_embedding(const struct onr_node *node) {
  const struct onr_rotary_params params = {
      .heads = onri_attr_int(node, "num_heads", 0),
      .rotary_size = onri_attr_int(node, "rotary_embedding_dim", 0),
      .interleaved = onri_attr_int(node, "interleaved", 0) != 0,
  };
  return onri_emit(node, &onri_layer_rotary_embedding, &params);
}

static enum onr_status import_causal_conv(const struct onr_node *node) {
  static const char *const activations[] = {"none", "silu", "swish", NULL};
  const struct onr_causal_conv_params params = {.silu = onri_attr_choice(node, "activation", activations, 0) != 0};
  return onri_emit(node, &onri_layer_causal_conv, &params);
}

static enum onr_status import_linear_attention(const struct onr_node *node) {
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

/* --- FlexAttention --- */

/* *value becomes what the body makes of it. Without the attribute it stays. */
static enum onr_status modify(const struct onr_node *node, const char *name, int32_t *value) {
  const struct onri_attribute *body = onri_attr_find(node, name);
  if (!body) return ONR_STATUS_OK;
  if (body->kind != ONRI_ATTRIBUTE_GRAPH)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' must be a graph", name);
  const size_t inputs = body->graphs[0]->num_inputs - body->num_captures, outputs = body->graphs[0]->num_outputs;
  if (inputs != 1 || outputs != 1)
    return onr_fail(node->error, ONR_STATUS_GRAPH, "'%s' must have one input and one output, found %zu and %zu", name,
                    inputs, outputs);
  return onri_emit_inlined(node, body, value, value);
}

static enum onr_status read_precision(const struct onr_node *node, enum onr_dtype *precision) {
  *precision = (enum onr_dtype)onri_attr_int32(node, "softmax_precision", ONR_DTYPE_NONE, ONR_DTYPE_F32,
                                               ONR_DTYPE_LAST_IN_FILES);
  if (*precision == ONR_DTYPE_NONE || onri_dtype_in(ONRI_DTYPES_FLOAT, *precision)) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a floating-point type as softmax_precision, found %s",
                  onr_dtype_name(*precision));
}

/* Without modifiers it is attention, which needs no score matrix. */
static enum onr_status plain_flex_attention(const struct onr_node *node) {
  const struct onr_attention_params params = {.scale = onri_attr_float(node, "scale", 0.0f)};
  return onri_emit(node, &onri_layer_attention, &params);
}

static enum onr_status import_flex_attention(const struct onr_node *node) {
  struct onr_head_matmul_params params = {
      .scores = 1, .has_scale = onri_attr_has(node, "scale"), .scale = onri_attr_float(node, "scale", 0.0f)};
  const struct onr_head_matmul_params values = {.scores = 0};
  const struct onr_softmax_params softmax = {.axis = -1};
  const int is_plain = !onri_attr_has(node, "score_mod") && !onri_attr_has(node, "prob_mod") &&
                       !onri_attr_has(node, "softmax_precision");
  int32_t value = onri_temp(node), weights = onri_temp(node);
  ONR_TRY(read_precision(node, &params.precision));
  if (is_plain && (!params.has_scale || params.scale > 0)) return plain_flex_attention(node);
  ONR_TRY(onri_emit_with(node, &onri_layer_head_matmul, &params, node->in, 2, &value, 1));
  ONR_TRY(modify(node, "score_mod", &value));
  ONR_TRY(onri_emit_with(node, &onri_layer_softmax, &softmax, &value, 1, &weights, 1));
  ONR_TRY(modify(node, "prob_mod", &weights));
  const int32_t in[3] = {weights, node->in[2], node->in[0]};
  return onri_emit_with(node, &onri_layer_head_matmul, &values, in, 3, node->out, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Attention, 23, 3, 7, 1, 4, read_attention)
    ONRI_OP(ai_onnx_preview, FlexAttention, 1, 3, 3, 1, 1, import_flex_attention)
    ONRI_OP(ai_onnx, LinearAttention, 27, 3, 6, 2, 2, import_linear_attention)
    ONRI_OP(ai_onnx, CausalConvWithState, 27, 2, 4, 2, 2, import_causal_conv)
    ONRI_OP(ai_onnx, RotaryEmbedding, 23, 3, 4, 1, 1, import_rotary_embedding)
};
/* clang-format on */
const struct onri_op_table onri_ops_attention = ONRI_OP_TABLE(operators);
