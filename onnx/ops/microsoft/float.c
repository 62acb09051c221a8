/* float.c: com.microsoft's fusions of products, activations and normalisations. */
#include <string.h>

#include "onnx/ops/ai_onnx/conv.h"
#include "onnx/ops/microsoft/common.h"

/* --- products --- */

/* Operand i, whose batch dimensions lie between its rows and its columns where `flag` says so. */
static enum onr_status batch_first(const struct onr_node *node, int32_t i, const char *flag, int32_t *x) {
  const int32_t rank = node->graph->values[node->in[i]].desc.rank;
  struct onr_transpose_params turn = {.rank = rank};
  *x = node->in[i];
  if (!onri_attr_int(node, flag, 0)) return ONR_STATUS_OK;
  if (rank == ONRI_UNKNOWN_RANK)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "'%s' with an operand of unknown rank", flag);
  if (rank < 3) return ONR_STATUS_OK;
  for (int32_t d = 0; d < rank - 2; d++) turn.perm[d] = d + 1;
  turn.perm[rank - 2] = 0;
  turn.perm[rank - 1] = rank - 1;
  *x = onri_make(node, &onri_layer_transpose, &turn, x, 1);
  return ONR_STATUS_OK;
}

static enum onr_status import_fused_matmul(const struct onr_node *node) {
  const struct onr_matmul_params params = {.transpose_a = onri_attr_int(node, "transA", 0) != 0,
                                           .transpose_b = onri_attr_int(node, "transB", 0) != 0,
                                           .scale = onri_attr_float(node, "alpha", 1.0f)};
  int32_t in[2];
  ONR_TRY(batch_first(node, 0, "transBatchA", &in[0]));
  ONR_TRY(batch_first(node, 1, "transBatchB", &in[1]));
  if (params.scale == 0.0f) return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "attribute 'alpha' is 0");
  return onri_emit_with(node, &onri_layer_matmul, &params, in, 2, node->out, 1);
}

/* Distances of the rows of two matrices. */
static enum onr_status import_cdist(const struct onr_node *node) {
  static const char *const metrics[] = {"sqeuclidean", "euclidean", NULL};
  const struct onr_reduce_params reduce = {.op = onri_attr_choice(node, "metric", metrics, 0) ? ONR_REDUCE_L2
                                                                                              : ONR_REDUCE_SUM_SQUARE};
  const int64_t last = 2;
  const int32_t a = onri_make_unsqueeze(node, node->in[0], (int64_t[]){1}, 1),
                b = onri_make_unsqueeze(node, node->in[1], (int64_t[]){0}, 1);
  const int32_t in[2] = {onri_make_binary(node, ONR_BINARY_SUB, a, b), onri_const_ints(node, &last, 1)};
  return onri_emit_with(node, &onri_layer_reduce, &reduce, in, 2, node->out, 1);
}

/* --- activations --- */

static enum onr_status biased_gelu(const struct onr_node *node, enum onr_unary op) {
  const struct onr_unary_params params = {.op = op};
  int32_t x = onri_in(node, 0);
  if (onri_in(node, 1) != ONRI_NONE) x = onri_make_binary(node, ONR_BINARY_ADD, x, onri_in(node, 1));
  return onri_emit_with(node, &onri_layer_unary, &params, &x, 1, node->out, 1);
}

static enum onr_status import_fast_gelu(const struct onr_node *node) { return biased_gelu(node, ONR_UNARY_GELU_TANH); }
static enum onr_status import_bias_gelu(const struct onr_node *node) { return biased_gelu(node, ONR_UNARY_GELU); }

/* The activation that a fusion names; parameters in the order of its attributes in ONNX. */
static enum onr_status read_activation(const struct onr_node *node, struct onr_unary_params *params, int *any) {
  static const char *const names[] = {"Relu", "Sigmoid", "Tanh", "LeakyRelu", "Clip", "HardSigmoid", "HardSwish", NULL};
  static const struct {
    enum onr_unary op;
    size_t parameters;
  } functions[] = {{ONR_UNARY_RELU, 0},       {ONR_UNARY_SIGMOID, 0}, {ONR_UNARY_TANH, 0},
                   {ONR_UNARY_LEAKY_RELU, 1}, {ONR_UNARY_CLIP, 2},    {ONR_UNARY_HARD_SIGMOID, 2},
                   {ONR_UNARY_HARD_SWISH, 0}};
  size_t count;
  const float *values = onri_attr_floats(node, "activation_params", &count);
  const int32_t choice = onri_attr_choice(node, "activation", names, -1);
  *any = choice >= 0;
  if (choice < 0) return ONR_STATUS_OK;
  params->op = functions[choice].op;
  if (params->op == ONR_UNARY_HARD_SWISH) params->alpha = 1.0f / 6.0f, params->beta = 0.5f;
  if (count < functions[choice].parameters)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected %zu values in 'activation_params', found %zu",
                    functions[choice].parameters, count);
  if (functions[choice].parameters > 0) params->alpha = values[0];
  if (functions[choice].parameters > 1) params->beta = values[1];
  return ONR_STATUS_OK;
}

/* Y = activation(Conv(X, W, B) + Z) */
static enum onr_status import_fused_conv(const struct onr_node *node) {
  struct onr_unary_params activation = {.op = ONR_UNARY_RELU};
  struct onr_conv_params p = {.groups = onri_attr_int(node, "group", 1)};
  const int32_t z = onri_in(node, 3);
  int any;
  ONR_TRY(read_activation(node, &activation, &any));
  ONR_TRY(onri_import_window(node, &p.window));
  if (p.groups < 1)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected group of at least 1, found %lld", (long long)p.groups);
  const size_t num_in = onri_in(node, 2) != ONRI_NONE ? 3 : 2;
  if (!any && z == ONRI_NONE) return onri_emit_with(node, &onri_layer_conv, &p, node->in, num_in, node->out, 1);
  int32_t y = onri_make(node, &onri_layer_conv, &p, node->in, num_in);
  const struct onr_binary_params add = {.op = ONR_BINARY_ADD};
  if (!any) return onri_emit_with(node, &onri_layer_binary, &add, (int32_t[]){y, z}, 2, node->out, 1);
  if (z != ONRI_NONE) y = onri_make_binary(node, ONR_BINARY_ADD, y, z);
  return onri_emit_with(node, &onri_layer_unary, &activation, &y, 1, node->out, 1);
}

/* Conv with x [N, H, W, C], weights [M, h, w, C/group] and y [N, H, W, M]. */
static enum onr_status import_nhwc_conv(const struct onr_node *node) {
  const struct onr_transpose_params turn = {.rank = 4, .perm = {0, 3, 1, 2}};
  struct onr_conv_params p = {.groups = onri_attr_int(node, "group", 1), .channels_last = 1};
  ONR_TRY(onri_import_window(node, &p.window));
  if (p.groups < 1)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected group of at least 1, found %lld", (long long)p.groups);
  const int32_t in[3] = {node->in[0], onri_make(node, &onri_layer_transpose, &turn, &node->in[1], 1), onri_in(node, 2)};
  return onri_emit_with(node, &onri_layer_conv, &p, in, in[2] != ONRI_NONE ? 3 : 2, node->out, 1);
}

/* --- normalisations --- */

/* The sum of values that are there, into output 3 where it is wanted. */
static enum onr_status skip_sum(const struct onr_node *node, int32_t bias, int32_t *sum) {
  const struct onr_binary_params add = {.op = ONR_BINARY_ADD};
  const int32_t wanted = onri_out(node, 3);
  int32_t left = onri_in(node, 0), right = onri_in(node, 1);
  if (bias != ONRI_NONE) {
    left = onri_make_binary(node, ONR_BINARY_ADD, left, right);
    right = bias;
  }
  *sum = wanted != ONRI_NONE ? wanted : onri_temp(node);
  return onri_emit_with(node, &onri_layer_binary, &add, (int32_t[]){left, right}, 2, sum, 1);
}

/* Inputs x, skip, gamma, beta (optional), bias (optional). */
static enum onr_status import_skip_layer_norm(const struct onr_node *node) {
  const struct onr_layer_norm_params params = {.axis = -1, .epsilon = onri_attr_float(node, "epsilon", 1e-12f)};
  int32_t in[3] = {0, onri_in(node, 2), onri_in(node, 3)};
  ONR_TRY(skip_sum(node, onri_in(node, 4), &in[0]));
  return onri_emit_with(node, &onri_layer_layer_norm, &params, in, in[2] != ONRI_NONE ? 3 : 2, node->out,
                        node->num_out < 3 ? (size_t)node->num_out : 3);
}

static enum onr_status no_statistics(const struct onr_node *node) {
  if (onri_out(node, 1) == ONRI_NONE && onri_out(node, 2) == ONRI_NONE) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "the outputs with mean and deviation");
}

/* Inputs x, skip, gamma, bias (optional). */
static enum onr_status import_skip_rms_norm(const struct onr_node *node) {
  const struct onr_rms_norm_params params = {.axis = -1, .epsilon = onri_attr_float(node, "epsilon", 1e-12f)};
  int32_t in[2] = {0, onri_in(node, 2)};
  ONR_TRY(no_statistics(node));
  ONR_TRY(skip_sum(node, onri_in(node, 3), &in[0]));
  return onri_emit_with(node, &onri_layer_rms_norm, &params, in, 2, node->out, 1);
}

static enum onr_status import_simplified_layer_norm(const struct onr_node *node) {
  const struct onr_rms_norm_params params = {.axis = onri_attr_int(node, "axis", -1),
                                             .epsilon = onri_attr_float(node, "epsilon", 1e-5f)};
  ONR_TRY(no_statistics(node));
  return onri_emit_with(node, &onri_layer_rms_norm, &params, node->in, 2, node->out, 1);
}

static int32_t rows(const struct onr_node *node, int32_t table, int32_t indices) {
  const struct onr_gather_params params = {.axis = 0};
  return onri_make(node, &onri_layer_gather, &params, (int32_t[]){table, indices}, 2);
}

/* How many entries of each row of the mask are set; 0 without a mask. */
static enum onr_status embed_mask_index(const struct onr_node *node) {
  const struct onr_reduce_params sum = {.op = ONR_REDUCE_SUM};
  const int32_t ids = onri_in(node, 0), mask = onri_in(node, 7);
  if (onri_out(node, 1) == ONRI_NONE) return ONR_STATUS_OK;
  const int32_t counted = mask != ONRI_NONE ? mask : onri_make_binary(node, ONR_BINARY_SUB, ids, ids);
  return onri_emit_with(node, &onri_layer_reduce, &sum, (int32_t[]){counted, onri_const_ints(node, (int64_t[]){1}, 1)},
                        2, &node->out[1], 1);
}

/* Inputs ids, segment ids, word, position and segment tables, gamma, beta, mask, position ids. */
static enum onr_status import_embed_layer_norm(const struct onr_node *node) {
  const struct onr_layer_norm_params params = {.axis = -1, .epsilon = onri_attr_float(node, "epsilon", 1e-12f)};
  const struct onr_binary_params add = {.op = ONR_BINARY_ADD};
  const int32_t ids = onri_in(node, 0), segments = onri_in(node, 1), given = onri_in(node, 8);
  const int32_t positions = given != ONRI_NONE ? given : onri_make_range(node, ids, 1);
  const int32_t sum = onri_out(node, 2) != ONRI_NONE ? onri_out(node, 2) : onri_temp(node);
  int32_t left = rows(node, onri_in(node, 2), ids), right = rows(node, onri_in(node, 3), positions);
  if (segments != ONRI_NONE) {
    if (onri_in(node, 4) == ONRI_NONE)
      return onr_fail(node->error, ONR_STATUS_ARITY, "segment ids without a segment embedding");
    left = onri_make_binary(node, ONR_BINARY_ADD, left, right);
    right = rows(node, onri_in(node, 4), segments);
  }
  ONR_TRY(onri_emit_with(node, &onri_layer_binary, &add, (int32_t[]){left, right}, 2, &sum, 1));
  ONR_TRY(embed_mask_index(node));
  return onri_emit_with(node, &onri_layer_layer_norm, &params, (int32_t[]){sum, onri_in(node, 5), onri_in(node, 6)}, 3,
                        node->out, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, SimplifiedLayerNormalization, 1, 2, 2, 1, 3, import_simplified_layer_norm)
    ONRI_OP(com_microsoft, FusedMatMul, 1, 2, 2, 1, 1, import_fused_matmul)
    ONRI_OP(com_microsoft, FastGelu, 1, 1, 2, 1, 1, import_fast_gelu)
    ONRI_OP(com_microsoft, BiasGelu, 1, 2, 2, 1, 1, import_bias_gelu)
    ONRI_OP(com_microsoft, FusedConv, 1, 2, 4, 1, 1, import_fused_conv)
    ONRI_OP(com_microsoft, NhwcConv, 1, 2, 3, 1, 1, import_nhwc_conv)
    ONRI_OP(com_microsoft, SkipLayerNormalization, 1, 3, 5, 1, 4, import_skip_layer_norm)
    ONRI_OP(com_microsoft, SkipSimplifiedLayerNormalization, 1, 3, 4, 1, 4, import_skip_rms_norm)
    ONRI_OP(com_microsoft, EmbedLayerNormalization, 1, 1, 9, 1, 3, import_embed_layer_norm)
    ONRI_OP(com_microsoft, CDist, 1, 2, 2, 1, 1, import_cdist)
};
/* clang-format on */
const struct onri_op_table onri_ops_microsoft_float = ONRI_OP_TABLE(operators);
