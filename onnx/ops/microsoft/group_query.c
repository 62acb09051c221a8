/* group_query.c: com.microsoft's GroupQueryAttention, causal attention with a cache of keys and
 * values.
 *
 * Inputs query (or query, key and value side by side), key, value, past key and value [batch, kv heads, places, width],
 * keys in use - 1 of each sequence [batch], their largest number, cos, sin, positions, attention bias. New keys are
 * written behind those in use; `base` is how many these are: 0 while a prompt with padding is read. */
#include "onnx/ops/microsoft/common.h"

struct group_query {
  int64_t heads, kv_heads;
  int32_t q, k, v; /* rank 3 */
  int32_t length;  /* of the query, int64 [1] */
  int32_t base;    /* int64 [batch] */
};

static enum onr_status check_form(const struct onr_node *node) {
  static const char *const none[] = {"NONE", NULL};
  (void)onri_attr_int32(node, "smooth_softmax", 0, -1, 1);
  (void)onri_attr_int32(node, "causal", 1, 0, 1);
  ONR_TRY(onri_only(node, "qk_output", 0));
  ONR_TRY(onri_only(node, "sliding_window_cache", 0));
  (void)onri_attr_choice(node, "k_quant_type", none, 0);
  (void)onri_attr_choice(node, "v_quant_type", none, 0);
  for (int32_t i = 12; i < node->num_in; i++)
    if (onri_in(node, i) != ONRI_NONE) return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "input %d", (int)i);
  if (onri_in(node, 5) == ONRI_NONE || onri_in(node, 6) == ONRI_NONE)
    return onr_fail(node->error, ONR_STATUS_ARITY, "the lengths of the sequences are omitted");
  if ((onri_in(node, 3) == ONRI_NONE) != (onri_in(node, 4) == ONRI_NONE))
    return onr_fail(node->error, ONR_STATUS_ARITY, "expected past key and past value together");
  return *node->status;
}

static enum onr_status read_operands(const struct onr_node *node, struct group_query *g) {
  const int64_t flat[] = {0, 0, -1}, sizes[] = {g->heads, g->kv_heads, g->kv_heads};
  const int64_t heads[] = {0, 0, g->heads + 2 * g->kv_heads, -1};
  int32_t parts[3];
  g->q = onri_in(node, 0), g->k = onri_in(node, 1), g->v = onri_in(node, 2);
  if (g->k != ONRI_NONE && g->v != ONRI_NONE) return ONR_STATUS_OK;
  if (g->k != g->v) return onr_fail(node->error, ONR_STATUS_ARITY, "expected key and value together");
  ONR_TRY(onri_make_split(node, onri_make_reshape(node, g->q, heads, 4), 2, sizes, parts, 3));
  g->q = onri_make_reshape(node, parts[0], flat, 3);
  g->k = onri_make_reshape(node, parts[1], flat, 3);
  g->v = onri_make_reshape(node, parts[2], flat, 3);
  return ONR_STATUS_OK;
}

/* base = max(in use - length, 0), where the input has in use - 1. */
static void find_base(const struct onr_node *node, struct group_query *g) {
  const int64_t list[] = {-1};
  const int32_t used = onri_make_reshape(node, onri_make_cast(node, onri_in(node, 5), ONR_DTYPE_I64), list, 1);
  g->length = onri_make_dim(node, onri_in(node, 0), 1);
  const int32_t old = onri_make_binary(node, ONR_BINARY_SUB, used,
                                       onri_make_binary(node, ONR_BINARY_SUB, g->length, onri_const_int(node, 1)));
  g->base = onri_make_binary(node, ONR_BINARY_MAX, old, onri_const_int(node, 0));
}

static enum onr_status rotate(const struct onr_node *node, struct group_query *g) {
  struct onr_rotary_params params = {.interleaved = onri_attr_int(node, "rotary_interleaved", 0) != 0};
  const int64_t axis = 1;
  int32_t positions = onri_in(node, 9);
  if (!onri_attr_int(node, "do_rotary", 0)) return ONR_STATUS_OK;
  const struct onr_desc *cos = onri_in(node, 7) != ONRI_NONE ? &node->graph->values[onri_in(node, 7)].desc : NULL;
  if (!cos || onri_in(node, 8) == ONRI_NONE)
    return onr_fail(node->error, ONR_STATUS_ARITY, "do_rotary without cosines and sines");
  if (cos->rank != 2 || cos->dim[1] < 1 || cos->dim[1] > INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "cosines of unknown size");
  params.rotary_size = 2 * cos->dim[1];
  if (positions == ONRI_NONE)
    positions = onri_make_binary(node, ONR_BINARY_ADD, onri_make_unsqueeze(node, g->base, &axis, 1),
                                 onri_make_range(node, onri_in(node, 0), 1));
  int32_t in[] = {g->q, onri_in(node, 7), onri_in(node, 8), positions};
  params.heads = g->heads;
  g->q = onri_make(node, &onri_layer_rotary_embedding, &params, in, 4);
  in[0] = g->k;
  params.heads = g->kv_heads;
  g->k = onri_make(node, &onri_layer_rotary_embedding, &params, in, 4);
  return ONR_STATUS_OK;
}

/* The cache with room for what is in use, and the new rows in it. */
static enum onr_status extend(const struct onr_node *node, const struct group_query *g, int32_t past, int32_t x,
                              int32_t present) {
  const struct onr_transpose_params turn = {.rank = 4, .perm = {0, 2, 1, 3}};
  const struct onr_tensor_scatter_params scatter = {.axis = 2};
  const int64_t heads[] = {0, 0, g->kv_heads, -1}, list[] = {1};
  const int32_t total = onri_make_reshape(node, onri_make_cast(node, onri_in(node, 6), ONR_DTYPE_I64), list, 1);
  const int32_t rows = onri_make_reshape(node, x, heads, 4);
  const int32_t turned = onri_make(node, &onri_layer_transpose, &turn, &rows, 1);
  return onri_emit_with(node, &onri_layer_tensor_scatter, &scatter, (int32_t[]){past, turned, g->base, total}, 4,
                        &present, 1);
}

static int32_t wanted(const struct onr_node *node, int32_t i) {
  return onri_out(node, i) != ONRI_NONE ? onri_out(node, i) : onri_temp(node);
}

/* The softmax has one more term below the fraction, exp(sink) of the head: y sum / (sum + exp(sink)), where the
 * fraction is sigmoid(log sum - sink). y has the heads behind the sequence, scores are those that softmax gets. */
static int32_t with_sink(const struct onr_node *node, const struct group_query *g, int32_t y, int32_t scores) {
  const struct onr_reduce_params log_sum = {.op = ONR_REDUCE_LOG_SUM_EXP, .keep_dims = 1};
  const struct onr_unary_params sigmoid = {.op = ONR_UNARY_SIGMOID};
  const struct onr_transpose_params turn = {.rank = 4, .perm = {0, 2, 1, 3}};
  const int64_t last = -1, a_head[] = {1, g->heads, 1, 1}, heads[] = {0, 0, g->heads, -1};
  int32_t share =
      onri_make(node, &onri_layer_reduce, &log_sum, (int32_t[]){scores, onri_const_ints(node, &last, 1)}, 2);
  if (onri_in(node, 11) != ONRI_NONE)
    share = onri_make_binary(node, ONR_BINARY_SUB, share, onri_make_reshape(node, onri_in(node, 11), a_head, 4));
  share = onri_make(node, &onri_layer_unary, &sigmoid, &share, 1);
  share = onri_make(node, &onri_layer_transpose, &turn, &share, 1);
  return onri_make_binary(node, ONR_BINARY_MUL, onri_make_reshape(node, y, heads, 4), share);
}

/* Attention with these inputs, and present key and value where the layer makes them. Y becomes of rank 3. */
static enum onr_status attend(const struct onr_node *node, const struct group_query *g,
                              const struct onr_attention_params *params, const int32_t *in, size_t num_in, int32_t k,
                              int32_t v) {
  const struct onr_reshape_params plain = {0};
  const int64_t flat[] = {0, 0, -1};
  const int sink = onri_in(node, 11) != ONRI_NONE || onri_attr_int(node, "smooth_softmax", 0) == 1;
  const int32_t out[4] = {onri_temp(node), k, v, sink ? onri_temp(node) : ONRI_NONE};
  ONR_TRY(onri_emit_with(node, &onri_layer_attention, params, in, num_in, out, sink ? 4 : 3));
  const int32_t y = sink ? with_sink(node, g, out[0], out[3]) : out[0];
  return onri_emit_with(node, &onri_layer_reshape, &plain, (int32_t[]){y, onri_const_ints(node, flat, 3)}, 2, node->out,
                        1);
}

static enum onr_status with_cache(const struct onr_node *node, const struct group_query *g,
                                  struct onr_attention_params *params) {
  const int64_t heads[] = {0, 0, g->heads, -1};
  const int32_t k = wanted(node, 1), v = wanted(node, 2);
  params->heads = params->kv_heads = 0;
  params->q_heads_inner = params->y_heads_inner = 1;
  ONR_TRY(extend(node, g, onri_in(node, 3), g->k, k));
  ONR_TRY(extend(node, g, onri_in(node, 4), g->v, v));
  const int32_t lengths = onri_make_binary(node, ONR_BINARY_ADD, g->base, g->length);
  const int32_t in[] = {
      onri_make_reshape(node, g->q, heads, 4), k, v, onri_in(node, 10), ONRI_NONE, ONRI_NONE, lengths};
  return attend(node, g, params, in, 7, ONRI_NONE, ONRI_NONE);
}

static enum onr_status import_group_query_attention(const struct onr_node *node) {
  const int64_t window = onri_attr_int(node, "local_window_size", -1);
  struct onr_attention_params params = {.scale = onri_attr_float(node, "scale", 0.0f),
                                        .softcap = onri_attr_float(node, "softcap", 0.0f),
                                        .causal = onri_attr_int(node, "causal", 1) != 0,
                                        .qk_output = ONR_QK_MASKED,
                                        .has_window_left = window > 0,
                                        .window_left = window > 0 ? window - 1 : 0};
  struct group_query g;
  ONR_TRY(onri_read_heads(node, "num_heads", &g.heads));
  ONR_TRY(onri_read_heads(node, "kv_num_heads", &g.kv_heads));
  ONR_TRY(check_form(node));
  ONR_TRY(read_operands(node, &g));
  find_base(node, &g);
  ONR_TRY(rotate(node, &g));
  if (onri_in(node, 3) != ONRI_NONE) return with_cache(node, &g, &params);
  params.heads = g.heads;
  params.kv_heads = g.kv_heads;
  const int32_t in[] = {g.q, g.k, g.v, onri_in(node, 10)};
  return attend(node, &g, &params, in, 4, onri_out(node, 1), onri_out(node, 2));
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(com_microsoft, GroupQueryAttention, 1, 1, 17, 1, 4, import_group_query_attention)
};
/* clang-format on */
const struct onri_op_table onri_ops_microsoft_group_query = ONRI_OP_TABLE(operators);
