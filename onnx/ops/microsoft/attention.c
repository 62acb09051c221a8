/* attention.c: com.microsoft's Attention, QAttention, MultiHeadAttention and RotaryEmbedding. */
#include "onnx/ops/microsoft/common.h"

/* The number of keys: dimension `axis` of x and, where there is a past, dimension `past_axis` of it. */
struct keys {
  int32_t x, past;
  int64_t axis, past_axis;
};

/* A list has the number of keys of each sequence, [batch]; then there may follow where the first one is, [2 batch], or
 * offsets of sequences that are not needed here, [3 batch + 2]. True for the keys that count, [batch, 1, 1, keys]. */
static enum onr_status read_list(const struct onr_node *node, int32_t list, const struct keys *keys, int32_t *mask) {
  const int64_t batch = node->graph->values[node->in[0]].desc.dim[0], count = node->graph->values[list].desc.dim[0];
  const int64_t inner[] = {1, 2, 3}, starts[] = {batch, batch}, offsets[] = {batch, 2 * (batch + 1)};
  int32_t parts[2] = {onri_make_cast(node, list, ONR_DTYPE_I64), ONRI_NONE},
          total = onri_make_dim(node, keys->x, keys->axis);
  if (batch > 0 && batch < INT32_MAX && count > 0 && count != batch) {
    if (count != 2 * batch && count != 3 * batch + 2)
      return onr_fail(node->error, ONR_STATUS_SHAPE, "a mask of %lld elements for %lld sequences", (long long)count,
                      (long long)batch);
    ONR_TRY(onri_make_split(node, parts[0], 0, count == 2 * batch ? starts : offsets, parts, 2));
  }
  if (keys->past != ONRI_NONE)
    total = onri_make_binary(node, ONR_BINARY_ADD, total, onri_make_dim(node, keys->past, keys->past_axis));
  const int32_t places = onri_make_range_to(node, total);
  *mask = onri_make_binary(node, ONR_BINARY_LESS, places, onri_make_unsqueeze(node, parts[0], inner, 3));
  if (count != 2 * batch || parts[1] == ONRI_NONE) return ONR_STATUS_OK;
  const int32_t begun =
      onri_make_binary(node, ONR_BINARY_GREATER_OR_EQUAL, places, onri_make_unsqueeze(node, parts[1], inner, 3));
  *mask = onri_make_binary(node, ONR_BINARY_AND, *mask, begun);
  return ONR_STATUS_OK;
}

/* A mask of 1 and 0 ([batch, keys], [batch, queries, keys] or with heads), or a list, is added as 0 and `filter`.
 * `bias` (optional) is added, too. */
static enum onr_status read_mask(const struct onr_node *node, int32_t mask, int32_t bias, const struct keys *keys,
                                 int32_t *added) {
  const float filter = onri_attr_float(node, "mask_filter_value", -10000.0f);
  const struct onr_unary_params affine = {.op = ONR_UNARY_AFFINE, .alpha = -filter, .beta = filter};
  const struct onr_cast_params like = {.to = ONR_DTYPE_NONE};
  *added = bias;
  if (mask == ONRI_NONE) return ONR_STATUS_OK;
  const int32_t rank = node->graph->values[mask].desc.rank;
  if (rank == ONRI_UNKNOWN_RANK) return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "a mask of unknown rank");
  if (rank < 1 || rank > 4)
    return onr_fail(node->error, ONR_STATUS_SHAPE, "a mask of rank %d, expected 1 to 4", (int)rank);
  if (rank == 1) ONR_TRY(read_list(node, mask, keys, &mask));
  int32_t value = bias == ONRI_NONE ? onri_make_cast(node, mask, ONR_DTYPE_F32)
                                    : onri_make(node, &onri_layer_cast_like, &like, (int32_t[]){mask, bias}, 2);
  value = onri_make(node, &onri_layer_unary, &affine, &value, 1);
  if (rank == 2 || rank == 3) value = onri_make_unsqueeze(node, value, (int64_t[]){1, 2}, rank == 2 ? 2 : 1);
  *added = bias == ONRI_NONE ? value : onri_make_binary(node, ONR_BINARY_ADD, value, bias);
  return ONR_STATUS_OK;
}

/* Attention takes a mask [batch, 1] for none. */
static int32_t without_dummy(const struct onr_node *node, int32_t mask) {
  const struct onr_desc *desc = mask != ONRI_NONE ? &node->graph->values[mask].desc : NULL;
  return desc && desc->rank == 2 && desc->dim[1] == 1 ? ONRI_NONE : mask;
}

/* --- Attention: input, weights [in, q + k + v], bias, mask, past [2, batch, heads, keys, width], attention bias --- */

static enum onr_status project(const struct onr_node *node, int32_t qkv[3]) {
  const struct onr_linear_params linear = {.weight_transposed = 1};
  size_t count;
  const int64_t *sizes = onri_attr_ints(node, "qkv_hidden_sizes", &count);
  if (sizes && count != 3)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected 3 qkv_hidden_sizes, found %zu", count);
  const int32_t x = onri_make(node, &onri_layer_linear, &linear, node->in, onri_in(node, 2) != ONRI_NONE ? 3 : 2);
  return onri_make_split(node, x, 2, sizes, qkv, 3);
}

static enum onr_status join_present(const struct onr_node *node, const int32_t present[2]) {
  const struct onr_concat_params params = {.axis = 0};
  const int64_t axis = 0;
  const int32_t parts[2] = {onri_make_unsqueeze(node, present[0], &axis, 1),
                            onri_make_unsqueeze(node, present[1], &axis, 1)};
  return onri_emit_with(node, &onri_layer_concat, &params, parts, 2, &node->out[1], 1);
}

/* What comes after the projection. Inputs that are not there: ONRI_NONE. */
static enum onr_status attend(const struct onr_node *node, const int32_t qkv[3], int32_t mask, int32_t past_pair,
                              int32_t bias) {
  struct onr_attention_params params = {.scale = onri_attr_float(node, "scale", 0.0f),
                                        .causal = onri_attr_int(node, "unidirectional", 0) != 0};
  const int wants_present = onri_out(node, 1) != ONRI_NONE;
  const struct keys keys = {node->in[0], past_pair, 1, 3};
  int32_t past[2] = {ONRI_NONE, ONRI_NONE};
  ONR_TRY(onri_read_heads(node, "num_heads", &params.heads));
  params.kv_heads = params.heads;
  ONR_TRY(onri_only(node, "do_rotary", 0));
  ONR_TRY(onri_only(node, "past_present_share_buffer", 0));
  ONR_TRY(read_mask(node, without_dummy(node, mask), bias, &keys, &mask));
  if (past_pair != ONRI_NONE) {
    const int32_t axes = onri_const_ints(node, (int64_t[]){0}, 1);
    ONR_TRY(onri_make_split(node, past_pair, 0, NULL, past, 2));
    for (size_t i = 0; i < 2; i++) past[i] = onri_make(node, &onri_layer_squeeze, NULL, (int32_t[]){past[i], axes}, 2);
  }
  const int32_t in[] = {qkv[0], qkv[1], qkv[2], mask, past[0], past[1]};
  const int32_t out[] = {node->out[0], wants_present ? onri_temp(node) : ONRI_NONE,
                         wants_present ? onri_temp(node) : ONRI_NONE};
  ONR_TRY(onri_emit_with(node, &onri_layer_attention, &params, in, 6, out, wants_present ? 3 : 1));
  return wants_present ? join_present(node, out + 1) : ONR_STATUS_OK;
}

static enum onr_status read_microsoft_attention(const struct onr_node *node) {
  int32_t qkv[3];
  ONR_TRY(project(node, qkv));
  return attend(node, qkv, onri_in(node, 3), onri_in(node, 4), onri_in(node, 5));
}

/* --- QAttention: input and weights (bytes), bias, their scales, mask, their zero points, past --- */

static enum onr_status import_q_attention(const struct onr_node *node) {
  const int32_t operands[] = {onri_in(node, 0), onri_in(node, 1), onri_in(node, 3), onri_in(node, 4),
                              onri_in(node, 6), onri_in(node, 7), onri_in(node, 2)};
  int32_t qkv[3];
  const int32_t x = onri_make(node, &onri_layer_matmul_integer_real, NULL, operands, 7);
  ONR_TRY(onri_make_split(node, x, 2, NULL, qkv, 3));
  return attend(node, qkv, onri_in(node, 5), onri_in(node, 8), ONRI_NONE);
}

/* --- MultiHeadAttention: query, key, value, bias [q + k + v], mask, attention bias, past key, past value --- */

static enum onr_status add_biases(const struct onr_node *node, int32_t qkv[3]) {
  int32_t parts[3];
  if (onri_in(node, 3) == ONRI_NONE) return ONR_STATUS_OK;
  ONR_TRY(onri_make_split(node, onri_in(node, 3), 0, NULL, parts, 3));
  for (size_t i = 0; i < 3; i++) qkv[i] = onri_make_binary(node, ONR_BINARY_ADD, qkv[i], parts[i]);
  return ONR_STATUS_OK;
}

/* key and value as [batch, heads, keys, width] go with a query of rank 4. They have their biases already. */
static enum onr_status cross_attention(const struct onr_node *node, struct onr_attention_params *params,
                                       int32_t in[6]) {
  const int64_t heads[] = {0, 0, params->heads, -1}, flat[] = {0, 0, -1};
  const struct onr_reshape_params plain = {0};
  const int32_t y = onri_temp(node), out[4] = {y, onri_out(node, 1), onri_out(node, 2), onri_out(node, 3)};
  params->heads = params->kv_heads = 0;
  params->q_heads_inner = params->y_heads_inner = 1;
  if (onri_in(node, 3) != ONRI_NONE) {
    int32_t parts[3];
    ONR_TRY(onri_make_split(node, onri_in(node, 3), 0, NULL, parts, 3));
    in[0] = onri_make_binary(node, ONR_BINARY_ADD, in[0], parts[0]);
  }
  in[0] = onri_make_reshape(node, in[0], heads, 4);
  ONR_TRY(onri_emit_with(node, &onri_layer_attention, params, in, 6, out, (size_t)node->num_out));
  return onri_emit_with(node, &onri_layer_reshape, &plain, (int32_t[]){y, onri_const_ints(node, flat, 3)}, 2, node->out,
                        1);
}

static enum onr_status import_multi_head_attention(const struct onr_node *node) {
  struct onr_attention_params params = {.scale = onri_attr_float(node, "scale", 0.0f),
                                        .causal = onri_attr_int(node, "unidirectional", 0) != 0};
  int32_t qkv[3] = {onri_in(node, 0), onri_in(node, 1), onri_in(node, 2)};
  int32_t mask;
  ONR_TRY(onri_read_heads(node, "num_heads", &params.heads));
  params.kv_heads = params.heads;
  if (qkv[1] == ONRI_NONE || qkv[2] == ONRI_NONE)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "query, key and value packed into one tensor");
  if (onri_in(node, 8) != ONRI_NONE || onri_in(node, 9) != ONRI_NONE)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "a shared buffer of past and present keys");
  const int separate = node->graph->values[qkv[1]].desc.rank == 4;
  const struct keys keys = {qkv[1], onri_in(node, 6), separate ? 2 : 1, 2};
  ONR_TRY(read_mask(node, onri_in(node, 4), onri_in(node, 5), &keys, &mask));
  int32_t in[] = {qkv[0], qkv[1], qkv[2], mask, onri_in(node, 6), onri_in(node, 7)};
  if (separate) return cross_attention(node, &params, in);
  ONR_TRY(add_biases(node, in));
  return onri_emit_with(node, &onri_layer_attention, &params, in, 6, node->out, (size_t)node->num_out);
}

/* --- RotaryEmbedding: input, positions ([1]: of the first element, or [batch, length]), cos, sin --- */

static int32_t first_positions(const struct onr_node *node, int32_t x, int64_t length_axis) {
  const struct onr_concat_params params = {.axis = 0};
  const int32_t positions =
      onri_make_binary(node, ONR_BINARY_ADD, onri_in(node, 1), onri_make_range(node, x, length_axis));
  const int32_t sizes[2] = {onri_make_dim(node, x, 0), onri_make_dim(node, x, length_axis)};
  const int32_t shape = onri_make(node, &onri_layer_concat, &params, sizes, 2);
  return onri_make(node, &onri_layer_expand, NULL, (int32_t[]){positions, shape}, 2);
}

/* Without num_heads, a head is as wide as the tables say. */
static enum onr_status count_heads(const struct onr_node *node, struct onr_rotary_params *params) {
  const struct onr_desc *x = &node->graph->values[node->in[0]].desc, *cos = &node->graph->values[node->in[2]].desc;
  if (x->rank != 3 || params->heads) return ONR_STATUS_OK;
  if (cos->rank != 2 || cos->dim[1] <= 0 || cos->dim[1] > INT32_MAX || x->dim[2] <= 0 ||
      x->dim[2] % (2 * cos->dim[1]) != 0)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "the number of heads is not known");
  params->heads = x->dim[2] / (2 * cos->dim[1]);
  return ONR_STATUS_OK;
}

static enum onr_status import_microsoft_rotary_embedding(const struct onr_node *node) {
  struct onr_rotary_params params = {.heads = onri_attr_int32(node, "num_heads", 0, 0, 1 << 16),
                                     .rotary_size = onri_attr_int(node, "rotary_embedding_dim", 0),
                                     .interleaved = onri_attr_int(node, "interleaved", 0) != 0};
  const struct onr_desc *x = &node->graph->values[node->in[0]].desc,
                        *positions = &node->graph->values[node->in[1]].desc;
  if (x->rank == ONRI_UNKNOWN_RANK || positions->rank == ONRI_UNKNOWN_RANK)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "operands of unknown rank");
  ONR_TRY(onri_only(node, "is_packed_batching", 0));
  ONR_TRY(count_heads(node, &params));
  const int32_t rows = positions->rank == 1 ? first_positions(node, node->in[0], x->rank == 3 ? 1 : 2) : node->in[1];
  return onri_emit_with(node, &onri_layer_rotary_embedding, &params,
                        (int32_t[]){node->in[0], node->in[2], node->in[3], rows}, 4, node->out, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(com_microsoft, Attention, 1, 2, 7, 1, 2, read_microsoft_attention)
    ONRI_OP(com_microsoft, QAttention, 1, 5, 9, 1, 2, import_q_attention)
    ONRI_OP(com_microsoft, MultiHeadAttention, 1, 1, 10, 1, 4, import_multi_head_attention)
    ONRI_OP(com_microsoft, RotaryEmbedding, 1, 4, 4, 1, 1, import_microsoft_rotary_embedding)
};
/* clang-format on */
const struct onri_op_table onri_ops_microsoft_attention = ONRI_OP_TABLE(operators);
