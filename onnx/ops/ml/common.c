/* common.c: see import_ml.h. */
#include <stdio.h>
#include <string.h>

#include "base/numbers/convert.h"
#include "base/shape.h"
#include "onnx/ops/ml/ml.h"

enum onr_status onri_attr_tensor(const struct onr_node *node, const char *name, uint32_t mask,
                                 struct onri_widened *reals) {
  const struct onri_attribute *attribute = onri_attr_find(node, name);
  *reals = (struct onri_widened){0};
  if (!attribute) return ONR_STATUS_OK;
  if (attribute->kind != ONRI_ATTRIBUTE_TENSOR)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' must be a tensor", name);
  const struct onr_desc *desc = &attribute->tensor->desc;
  if (!(mask & ONRI_DTYPE_BIT(desc->dtype)) || desc->rank > 1)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' is a tensor of %s of rank %d", name,
                    onr_dtype_name(desc->dtype), (int)desc->rank);
  ONR_TRY(onri_constant_load(attribute->tensor, node->error));
  *reals = (struct onri_widened){desc->dtype, attribute->tensor->data, (size_t)onr_desc_elements(desc)};
  return ONR_STATUS_OK;
}

enum onr_status onri_attr_reals(const struct onr_node *node, const char *name, struct onri_widened *reals) {
  char tensor[64];
  if (onri_attr_has(node, name)) {
    reals->dtype = ONR_DTYPE_F32;
    reals->data = onri_attr_floats(node, name, &reals->count);
    return *node->status;
  }
  snprintf(tensor, sizeof(tensor), "%s_as_tensor", name);
  return onri_attr_tensor(node, tensor, ONRI_DTYPES_FLOAT, reals);
}

double onri_widened_at(const struct onri_widened *reals, size_t i) {
  double value;
  onri_load_f64(reals->dtype, (const char *)reals->data + i * onr_dtype_size(reals->dtype), 1, &value);
  return value;
}

enum onr_status onri_expect_count(const struct onr_node *node, const char *name, size_t count, size_t expected) {
  if (*node->status != ONR_STATUS_OK) return *node->status;
  if (count == expected) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' has %zu values: expected %zu", name, count,
                  expected);
}

int32_t onri_const_list(const struct onr_node *node, enum onr_dtype dtype, const void *data, size_t count) {
  const int64_t dim = (int64_t)count;
  const struct onr_desc desc = onr_desc_make(dtype, 1, &dim);
  return onri_graph_add_data(node->graph, &desc, data);
}

int32_t onri_const_matrix(const struct onr_node *node, const float *data, size_t rows, size_t columns) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){(int64_t)rows, (int64_t)columns});
  return onri_graph_add_data(node->graph, &desc, data);
}

int32_t onri_emit_f32(const struct onr_node *node, int32_t x) {
  const struct onr_cast_params to = {.to = ONR_DTYPE_F32};
  const int32_t y = onri_temp(node);
  if (onri_emit_with(node, &onri_layer_cast, &to, &x, 1, &y, 1) != ONR_STATUS_OK) return ONRI_NONE;
  return y;
}

enum onr_score_transform onri_attr_transform(const struct onr_node *node) {
  static const char *const names[] = {[ONR_SCORE_NONE] = "NONE",         [ONR_SCORE_SOFTMAX] = "SOFTMAX",
                                      [ONR_SCORE_LOGISTIC] = "LOGISTIC", [ONR_SCORE_SOFTMAX_ZERO] = "SOFTMAX_ZERO",
                                      [ONR_SCORE_PROBIT] = "PROBIT",     NULL};
  return (enum onr_score_transform)onri_attr_choice(node, "post_transform", names, ONR_SCORE_NONE);
}

enum onr_status onri_emit_transform(const struct onr_node *node, enum onr_score_transform transform, int32_t scores) {
  const struct onr_class_scores_params params = {.transform = transform};
  return onri_emit_with(node, &onri_layer_class_scores, &params, &scores, 1,
                        (const int32_t[]){ONRI_NONE, onri_out(node, 0)}, 2);
}

enum onr_status onri_attr_labels(const struct onr_node *node, const char *ints, const char *strings,
                                 struct onri_labels *labels) {
  labels->dtype = ONR_DTYPE_I64;
  labels->data = onri_attr_ints(node, ints, &labels->count);
  if (labels->count == 0) {
    labels->dtype = ONR_DTYPE_STRING;
    labels->data = onri_attr_strings(node, strings, &labels->count);
  }
  if (*node->status == ONR_STATUS_OK && labels->count == 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected class labels in '%s' or '%s'", ints, strings);
  return *node->status;
}

enum onr_status onri_emit_labels(const struct onr_node *node, const struct onri_labels *labels, int32_t classes,
                                 size_t scores) {
  static const int64_t numbers[2] = {0, 1};
  static const struct onr_string texts[2] = {{"0", 1}, {"1", 1}};
  const struct onr_gather_params first = {.axis = 0};
  const int own = scores != 1 || labels->count == 2;
  if (own && scores > 1) ONR_TRY(onri_expect_count(node, "classlabels", labels->count, scores));
  const void *data = own ? labels->data : labels->dtype == ONR_DTYPE_I64 ? (const void *)numbers : (const void *)texts;
  if (onri_out(node, 0) == ONRI_NONE) return ONR_STATUS_OK;
  const int32_t in[2] = {onri_const_list(node, labels->dtype, data, own ? labels->count : 2), classes};
  if (in[0] == ONRI_NONE) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for class labels");
  return onri_emit_with(node, &onri_layer_gather, &first, in, 2, node->out, 1);
}
