/* import_pool.c: MaxPool, AveragePool, LpPool, their global forms, MaxUnpool. */
#include "onnx/import_conv.h"

static enum onr_status read_pool(const struct onr_node *node, struct onr_pool_params *p) {
  ONR_TRY(onri_import_window(node, &p->window));
  if (!onri_attr_has(node, "kernel_shape") || p->window.kernel[0] == 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "kernel_shape is required");
  p->ceil_mode = onri_attr_int32(node, "ceil_mode", 0, 0, 1);
  return ONR_STATUS_OK;
}

enum onr_status onri_import_max_pool(const struct onr_node *node) {
  struct onr_pool_params p = {0};
  ONR_TRY(read_pool(node, &p));
  p.storage_order = onri_attr_int32(node, "storage_order", 0, 0, 1);
  return onri_emit(node, &onri_layer_max_pool, &p);
}

enum onr_status onri_import_average_pool(const struct onr_node *node) {
  struct onr_pool_params p = {0};
  ONR_TRY(read_pool(node, &p));
  p.count_include_pad = onri_attr_int32(node, "count_include_pad", 0, 0, 1);
  return onri_emit(node, &onri_layer_average_pool, &p);
}

/* p was a float in version 1, where some write an integer. */
static enum onr_status read_p(const struct onr_node *node, int32_t *p) {
  const struct onri_attribute *found = onri_attr_find(node, "p");
  if (node->opset >= 2 || (found && found->kind == ONRI_ATTRIBUTE_INT)) {
    *p = onri_attr_int32(node, "p", 2, 1, INT32_MAX);
    return ONR_STATUS_OK;
  }
  const float value = onri_attr_float(node, "p", 2.0f);
  if (!(value >= 1 && value < 1e6f) || value != (float)(int32_t)value)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a whole p of at least 1, found %g", (double)value);
  *p = (int32_t)value;
  return ONR_STATUS_OK;
}

enum onr_status onri_import_lp_pool(const struct onr_node *node) {
  struct onr_pool_params p = {0};
  ONR_TRY(read_pool(node, &p));
  ONR_TRY(read_p(node, &p.p));
  return onri_emit(node, &onri_layer_lp_pool, &p);
}

enum onr_status onri_import_global_max_pool(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_global_max_pool, &(struct onr_global_pool_params){0});
}

enum onr_status onri_import_global_average_pool(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_global_average_pool, &(struct onr_global_pool_params){0});
}

enum onr_status onri_import_global_lp_pool(const struct onr_node *node) {
  struct onr_global_pool_params p = {0};
  ONR_TRY(read_p(node, &p.p));
  return onri_emit(node, &onri_layer_global_lp_pool, &p);
}

enum onr_status onri_import_max_unpool(const struct onr_node *node) {
  struct onr_max_unpool_params p = {0};
  ONR_TRY(onri_import_window(node, &p.window));
  if (p.window.kernel[0] == 0) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "kernel_shape is required");
  return onri_emit(node, &onri_layer_max_unpool, &p);
}
