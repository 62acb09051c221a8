/* pool.c: MaxPool, AveragePool, LpPool, their global forms, MaxUnpool; those of the domain "onnxrun", which
 * docs/onnxrun_domain.md describes. */
#include <string.h>

#include "onnx/ops/ai_onnx/conv.h"

static enum onr_status read_pool(const struct onr_node *node, struct onr_pool_params *p) {
  ONR_TRY(onri_import_window(node, &p->window));
  if (!onri_attr_has(node, "kernel_shape") || p->window.kernel[0] == 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "kernel_shape is required");
  p->ceil_mode = onri_attr_int32(node, "ceil_mode", 0, 0, 1);
  p->may_be_empty = 1; /* as the standard's formula has it; PyTorch refuses */
  return ONR_STATUS_OK;
}

static enum onr_status import_max_pool(const struct onr_node *node) {
  struct onr_pool_params p = {0};
  ONR_TRY(read_pool(node, &p));
  p.storage_order = onri_attr_int32(node, "storage_order", 0, 0, 1);
  return onri_emit(node, &onri_layer_max_pool, &p);
}

static enum onr_status import_average_pool(const struct onr_node *node) {
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

static enum onr_status import_lp_pool(const struct onr_node *node) {
  struct onr_pool_params p = {0};
  ONR_TRY(read_pool(node, &p));
  ONR_TRY(read_p(node, &p.p));
  return onri_emit(node, &onri_layer_lp_pool, &p);
}

static enum onr_status import_global_max_pool(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_global_max_pool, &(struct onr_global_pool_params){0});
}

static enum onr_status import_global_average_pool(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_global_average_pool, &(struct onr_global_pool_params){0});
}

static enum onr_status import_global_lp_pool(const struct onr_node *node) {
  struct onr_global_pool_params p = {0};
  ONR_TRY(read_p(node, &p.p));
  return onri_emit(node, &onri_layer_global_lp_pool, &p);
}

static enum onr_status import_max_unpool(const struct onr_node *node) {
  struct onr_max_unpool_params p = {0};
  ONR_TRY(onri_import_window(node, &p.window));
  if (p.window.kernel[0] == 0) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "kernel_shape is required");
  return onri_emit(node, &onri_layer_max_unpool, &p);
}

/* --- domain "onnxrun" --- */

/* A list of 1 to 3 values of at least `least`; *count 0 when it is absent. */
static enum onr_status read_sizes(const struct onr_node *node, const char *name, int64_t least,
                                  int64_t values[ONR_MAX_SPATIAL], size_t *count) {
  const int64_t *list = onri_attr_ints(node, name, count);
  if (*count > ONR_MAX_SPATIAL)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "%s has %zu dimensions, at most %d are supported", name,
                    *count, ONR_MAX_SPATIAL);
  for (size_t i = 0; i < *count; i++) {
    if (list[i] < least || list[i] > INT32_MAX)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected %s from %lld to %d, found %lld", name,
                      (long long)least, INT32_MAX, (long long)list[i]);
    values[i] = list[i];
  }
  return ONR_STATUS_OK;
}

static enum onr_status adaptive(const struct onr_node *node, const struct onr_layer *layer) {
  struct onr_pool_params p = {.plane_indices = 1};
  size_t count;
  ONR_TRY(read_sizes(node, "output_size", 0, p.output, &count));
  if (count == 0) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "output_size is required");
  p.adaptive = (int32_t)count;
  return onri_emit(node, layer, &p);
}

static enum onr_status import_adaptive_avg_pool(const struct onr_node *node) {
  return adaptive(node, &onri_layer_average_pool);
}
static enum onr_status import_adaptive_max_pool(const struct onr_node *node) {
  return adaptive(node, &onri_layer_max_pool);
}

static enum onr_status import_divided_average_pool(const struct onr_node *node) {
  struct onr_pool_params p = {0};
  ONR_TRY(read_pool(node, &p));
  p.count_include_pad = onri_attr_int32(node, "count_include_pad", 0, 0, 1);
  p.divisor = onri_attr_int(node, "divisor_override", 0);
  return onri_emit(node, &onri_layer_average_pool, &p);
}

static enum onr_status import_plane_max_pool(const struct onr_node *node) {
  struct onr_pool_params p = {.plane_indices = 1};
  ONR_TRY(read_pool(node, &p));
  return onri_emit(node, &onri_layer_max_pool, &p);
}

static enum onr_status import_plane_max_unpool(const struct onr_node *node) {
  struct onr_max_unpool_params p = {.plane_indices = 1};
  size_t count;
  ONR_TRY(onri_import_window(node, &p.window));
  if (p.window.kernel[0] == 0) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "kernel_shape is required");
  ONR_TRY(read_sizes(node, "output_size", 1, p.output, &count));
  if (count != 0 && count != (size_t)p.window.rank)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "output_size has %zu dimensions, kernel_shape has %d", count,
                    p.window.rank);
  return onri_emit(node, &onri_layer_max_unpool, &p);
}

/* A float64 tensor, for which PyTorch's product with a size is the same. */
static enum onr_status read_ratio(const struct onr_node *node, size_t count, double ratio[ONR_MAX_SPATIAL]) {
  const struct onri_attribute *a = onri_attr_find(node, "output_ratio");
  if (!a) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected output_size or output_ratio");
  if (a->kind != ONRI_ATTRIBUTE_TENSOR || !a->tensor || a->tensor->desc.dtype != ONR_DTYPE_F64 ||
      a->tensor->desc.rank != 1 || a->tensor->desc.dim[0] != (int64_t)count)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected output_ratio as a float64 tensor of %zu elements",
                    count);
  ONR_TRY(onri_constant_load(a->tensor, node->error));
  memcpy(ratio, a->tensor->data, count * sizeof(*ratio));
  for (size_t i = 0; i < count; i++)
    if (!(ratio[i] > 0 && ratio[i] < 1))
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected output_ratio between 0 and 1, found %g", ratio[i]);
  return ONR_STATUS_OK;
}

static enum onr_status import_fractional_max_pool(const struct onr_node *node) {
  struct onr_fractional_max_pool_params p = {.seed = (uint64_t)onri_attr_int(node, "seed", 0)};
  size_t count, sizes;
  ONR_TRY(read_sizes(node, "kernel_shape", 1, p.kernel, &count));
  if (count < 2)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected kernel_shape of 2 or 3 dimensions, found %zu", count);
  ONR_TRY(read_sizes(node, "output_size", 1, p.output, &sizes));
  if (sizes != 0 && sizes != count)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "output_size has %zu dimensions, kernel_shape has %zu", sizes,
                    count);
  if (sizes == 0) ONR_TRY(read_ratio(node, count, p.ratio));
  p.rank = (int32_t)count;
  return onri_emit(node, &onri_layer_fractional_max_pool, &p);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, MaxPool, 1, 1, 1, 1, 1, import_max_pool)
    ONRI_OP(ai_onnx, MaxPool, 8, 1, 1, 1, 2, import_max_pool)
    ONRI_OP(ai_onnx, AveragePool, 1, 1, 1, 1, 1, import_average_pool)
    ONRI_OP(ai_onnx, LpPool, 1, 1, 1, 1, 1, import_lp_pool)
    ONRI_OP(ai_onnx, GlobalMaxPool, 1, 1, 1, 1, 1, import_global_max_pool)
    ONRI_OP(ai_onnx, GlobalAveragePool, 1, 1, 1, 1, 1, import_global_average_pool)
    ONRI_OP(ai_onnx, GlobalLpPool, 1, 1, 1, 1, 1, import_global_lp_pool)
    ONRI_OP(ai_onnx, MaxUnpool, 9, 2, 3, 1, 1, import_max_unpool)
    ONRI_OP(onnxrun, AdaptiveAvgPool, 1, 1, 1, 1, 1, import_adaptive_avg_pool)
    ONRI_OP(onnxrun, AdaptiveMaxPool, 1, 1, 1, 1, 2, import_adaptive_max_pool)
    ONRI_OP(onnxrun, AveragePool, 1, 1, 1, 1, 1, import_divided_average_pool)
    ONRI_OP(onnxrun, MaxPool, 1, 1, 1, 1, 2, import_plane_max_pool)
    ONRI_OP(onnxrun, MaxUnpool, 1, 2, 2, 1, 1, import_plane_max_unpool)
    ONRI_OP(onnxrun, FractionalMaxPool, 1, 1, 2, 1, 2, import_fractional_max_pool)
};
/* clang-format on */
const struct onri_op_table onri_ops_pool = ONRI_OP_TABLE(operators);
