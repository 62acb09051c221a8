/* spatial.c: BatchNormalization, DepthToSpace, SpaceToDepth, LRN. */
#include "onnx/node/import.h"

/* Version 1 has consumed_inputs, a hint for memory. Versions 1 and 6 have is_test, 1 to 7 spatial, up to five outputs.
 */
static enum onr_status import_batch_norm_1(const struct onr_node *node) {
  struct onr_batch_norm_params p = {0};
  p.epsilon = onri_attr_float(node, "epsilon", 1e-5f);
  p.momentum = onri_attr_float(node, "momentum", 0.9f);
  if (onri_attr_int(node, "spatial", 1) != 1)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED,
                    "statistics for each position (spatial = 0) are not supported");
  for (int32_t i = 1; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE)
      return onr_fail(node->error, ONR_STATUS_UNSUPPORTED,
                      "training outputs of BatchNormalization before version 14 are not supported");
  return onri_emit_with(node, &onri_layer_batch_norm, &p, node->in, (size_t)node->num_in, node->out, 1);
}

static enum onr_status import_batch_norm_14(const struct onr_node *node) {
  struct onr_batch_norm_params p = {0};
  p.epsilon = onri_attr_float(node, "epsilon", 1e-5f);
  p.momentum = onri_attr_float(node, "momentum", 0.9f);
  p.training = onri_attr_int32(node, "training_mode", 0, 0, 1);
  return onri_emit(node, &onri_layer_batch_norm, &p);
}

static enum onr_status read_block(const struct onr_node *node, struct onr_block_params *p) {
  static const char *const orders[] = {"DCR", "CRD", NULL}; /* as enum onr_block_order */
  p->block_size = onri_attr_int(node, "blocksize", 0);
  p->order = onri_attr_choice(node, "mode", orders, ONR_BLOCK_DCR);
  if (p->block_size < 1)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected blocksize of at least 1, found %lld",
                    (long long)p->block_size);
  return ONR_STATUS_OK;
}

static enum onr_status import_depth_to_space(const struct onr_node *node) {
  struct onr_block_params p = {0};
  ONR_TRY(read_block(node, &p));
  return onri_emit(node, &onri_layer_depth_to_space, &p);
}

static enum onr_status import_space_to_depth(const struct onr_node *node) {
  struct onr_block_params p = {0};
  ONR_TRY(read_block(node, &p));
  return onri_emit(node, &onri_layer_space_to_depth, &p);
}

static enum onr_status import_lrn(const struct onr_node *node) {
  struct onr_lrn_params p = {0};
  p.size = onri_attr_int(node, "size", 0);
  p.alpha = onri_attr_float(node, "alpha", 1e-4f);
  p.beta = onri_attr_float(node, "beta", 0.75f);
  p.bias = onri_attr_float(node, "bias", 1.0f);
  if (p.size < 1 || p.size >= INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected size from 1 to %d, found %lld", INT32_MAX - 1,
                    (long long)p.size);
  return onri_emit(node, &onri_layer_lrn, &p);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, BatchNormalization, 1, 5, 5, 1, 5, import_batch_norm_1)
    ONRI_OP(ai_onnx, BatchNormalization, 14, 5, 5, 1, 3, import_batch_norm_14)
    ONRI_OP(ai_onnx, DepthToSpace, 1, 1, 1, 1, 1, import_depth_to_space)
    ONRI_OP(ai_onnx, SpaceToDepth, 1, 1, 1, 1, 1, import_space_to_depth)
    ONRI_OP(ai_onnx, LRN, 1, 1, 1, 1, 1, import_lrn)
};
/* clang-format on */
const struct onri_op_table onri_ops_spatial = ONRI_OP_TABLE(operators);
