/* norm.c: softmax and the normalisations. */
#include "onnx/node/import.h"

/* --- softmax: before version 13 over all dimensions from `axis` on, at once --- */

static enum onr_status softmax(const struct onr_node *node, const struct onr_layer *layer, int64_t axis,
                               int32_t flatten) {
  const struct onr_softmax_params params = {.axis = onri_attr_int(node, "axis", axis), .flatten = flatten};
  return onri_emit(node, layer, &params);
}

static enum onr_status import_softmax_flat(const struct onr_node *node) {
  return softmax(node, &onri_layer_softmax, 1, 1);
}
static enum onr_status import_softmax(const struct onr_node *node) { return softmax(node, &onri_layer_softmax, -1, 0); }
static enum onr_status import_log_softmax_flat(const struct onr_node *node) {
  return softmax(node, &onri_layer_log_softmax, 1, 1);
}
static enum onr_status import_log_softmax(const struct onr_node *node) {
  return softmax(node, &onri_layer_log_softmax, -1, 0);
}
/* The old hardmax, too, has one 1 in a flattened line. */
static enum onr_status import_hardmax_flat(const struct onr_node *node) {
  return softmax(node, &onri_layer_hardmax, 1, 1);
}
static enum onr_status import_hardmax(const struct onr_node *node) { return softmax(node, &onri_layer_hardmax, -1, 0); }

/* --- normalisations: stash_type may be ignored, as statistics are in double anyway --- */

static enum onr_status import_layer_norm(const struct onr_node *node) {
  const struct onr_layer_norm_params params = {
      .axis = onri_attr_int(node, "axis", -1),
      .epsilon = onri_attr_float(node, "epsilon", 1e-5f),
  };
  return onri_emit(node, &onri_layer_layer_norm, &params);
}

static enum onr_status import_rms_norm(const struct onr_node *node) {
  const struct onr_rms_norm_params params = {
      .axis = onri_attr_int(node, "axis", -1),
      .epsilon = onri_attr_float(node, "epsilon", 1e-5f),
  };
  return onri_emit(node, &onri_layer_rms_norm, &params);
}

static enum onr_status group_norm(const struct onr_node *node, int32_t scale_per_group) {
  const struct onr_group_norm_params params = {
      .groups = onri_attr_int(node, "num_groups", 0),
      .epsilon = onri_attr_float(node, "epsilon", 1e-5f),
      .scale_per_group = scale_per_group,
  };
  if (params.groups <= 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a positive num_groups, found %lld",
                    (long long)params.groups);
  return onri_emit(node, &onri_layer_group_norm, &params);
}

static enum onr_status import_group_norm_18(const struct onr_node *node) { return group_norm(node, 1); }
static enum onr_status import_group_norm(const struct onr_node *node) { return group_norm(node, 0); }

static enum onr_status import_instance_norm(const struct onr_node *node) {
  const struct onr_instance_norm_params params = {.epsilon = onri_attr_float(node, "epsilon", 1e-5f)};
  return onri_emit(node, &onri_layer_instance_norm, &params);
}

static enum onr_status import_lp_norm(const struct onr_node *node) {
  const struct onr_lp_norm_params params = {
      .axis = onri_attr_int(node, "axis", -1),
      .p = onri_attr_int32(node, "p", 2, 1, 2),
  };
  return onri_emit(node, &onri_layer_lp_norm, &params);
}

static enum onr_status import_mean_variance_norm(const struct onr_node *node) {
  struct onr_mean_variance_norm_params params = {.axes = {0, 2, 3}, .num_axes = 3};
  size_t count;
  const int64_t *axes = onri_attr_ints(node, "axes", &count);
  if (count > ONR_MAX_RANK)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected at most %d axes, found %zu", ONR_MAX_RANK, count);
  if (axes) {
    params.num_axes = (int32_t)count;
    for (size_t i = 0; i < count; i++) params.axes[i] = axes[i];
  }
  return onri_emit(node, &onri_layer_mean_variance_norm, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Softmax, 1, 1, 1, 1, 1, import_softmax_flat)
    ONRI_OP(ai_onnx, Softmax, 13, 1, 1, 1, 1, import_softmax)
    ONRI_OP(ai_onnx, LogSoftmax, 1, 1, 1, 1, 1, import_log_softmax_flat)
    ONRI_OP(ai_onnx, LogSoftmax, 13, 1, 1, 1, 1, import_log_softmax)
    ONRI_OP(ai_onnx, Hardmax, 1, 1, 1, 1, 1, import_hardmax_flat)
    ONRI_OP(ai_onnx, Hardmax, 13, 1, 1, 1, 1, import_hardmax)
    ONRI_OP(ai_onnx, LayerNormalization, 1, 2, 3, 1, 3, import_layer_norm)
    ONRI_OP(ai_onnx, RMSNormalization, 23, 2, 2, 1, 1, import_rms_norm)
    ONRI_OP(ai_onnx, GroupNormalization, 18, 3, 3, 1, 1, import_group_norm_18)
    ONRI_OP(ai_onnx, GroupNormalization, 21, 3, 3, 1, 1, import_group_norm)
    ONRI_OP(ai_onnx, InstanceNormalization, 1, 3, 3, 1, 1, import_instance_norm)
    ONRI_OP(ai_onnx, LpNormalization, 1, 1, 1, 1, 1, import_lp_norm)
    ONRI_OP(ai_onnx, MeanVarianceNormalization, 9, 1, 1, 1, 1, import_mean_variance_norm)
};
/* clang-format on */
const struct onri_op_table onri_ops_norm = ONRI_OP_TABLE(operators);
