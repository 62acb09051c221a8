/* import_norm.c: softmax and the normalisations. */
#include "onnx/import.h"

/* --- softmax: before version 13 over all dimensions from `axis` on, at once --- */

static enum onr_status softmax(const struct onr_node *node, const struct onr_layer *layer, int64_t axis, int32_t flatten) {
  const struct onr_softmax_params params = {.axis = onri_attr_int(node, "axis", axis), .flatten = flatten};
  return onri_emit(node, layer, &params);
}

enum onr_status onri_import_softmax_flat(const struct onr_node *node) { return softmax(node, &onri_layer_softmax, 1, 1); }
enum onr_status onri_import_softmax(const struct onr_node *node) { return softmax(node, &onri_layer_softmax, -1, 0); }
enum onr_status onri_import_log_softmax_flat(const struct onr_node *node) {
  return softmax(node, &onri_layer_log_softmax, 1, 1);
}
enum onr_status onri_import_log_softmax(const struct onr_node *node) { return softmax(node, &onri_layer_log_softmax, -1, 0); }
/* The old hardmax, too, has one 1 in a flattened line. */
enum onr_status onri_import_hardmax_flat(const struct onr_node *node) { return softmax(node, &onri_layer_hardmax, 1, 1); }
enum onr_status onri_import_hardmax(const struct onr_node *node) { return softmax(node, &onri_layer_hardmax, -1, 0); }

/* --- normalisations: stash_type may be ignored, as statistics are in double anyway --- */

enum onr_status onri_import_layer_norm(const struct onr_node *node) {
  const struct onr_layer_norm_params params = {
      .axis = onri_attr_int(node, "axis", -1),
      .epsilon = onri_attr_float(node, "epsilon", 1e-5f),
  };
  return onri_emit(node, &onri_layer_layer_norm, &params);
}

enum onr_status onri_import_rms_norm(const struct onr_node *node) {
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

enum onr_status onri_import_group_norm_18(const struct onr_node *node) { return group_norm(node, 1); }
enum onr_status onri_import_group_norm(const struct onr_node *node) { return group_norm(node, 0); }

enum onr_status onri_import_instance_norm(const struct onr_node *node) {
  const struct onr_instance_norm_params params = {.epsilon = onri_attr_float(node, "epsilon", 1e-5f)};
  return onri_emit(node, &onri_layer_instance_norm, &params);
}

enum onr_status onri_import_lp_norm(const struct onr_node *node) {
  const struct onr_lp_norm_params params = {
      .axis = onri_attr_int(node, "axis", -1),
      .p = onri_attr_int32(node, "p", 2, 1, 2),
  };
  return onri_emit(node, &onri_layer_lp_norm, &params);
}

enum onr_status onri_import_mean_variance_norm(const struct onr_node *node) {
  struct onr_mean_variance_norm_params params = {.axes = {0, 2, 3}, .num_axes = 3};
  size_t count;
  const int64_t *axes = onri_attr_ints(node, "axes", &count);
  if (count > ONR_MAX_RANK)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected at most %d axes, found %zu", ONR_MAX_RANK, count);
  if (axes != NULL) {
    params.num_axes = (int32_t)count;
    for (size_t i = 0; i < count; i++) params.axes[i] = axes[i];
  }
  return onri_emit(node, &onri_layer_mean_variance_norm, &params);
}
