/* import_ml.c: the domain ai.onnx.ml. */
#include "onnx/import.h"

static int32_t make_constant(const struct onr_node *node, enum onr_dtype dtype, const void *data, size_t count) {
  const int64_t dim = (int64_t)count;
  const struct onr_desc desc = onr_desc_make(dtype, 1, &dim);
  return onri_graph_add_data(node->graph, &desc, data);
}

/* One of the attributes of a table: a constant, or ONRI_NONE. *dtype gets its type. */
static int32_t table_part(const struct onr_node *node, const char *const names[4], enum onr_dtype *dtype) {
  const struct onri_attribute *tensor = onri_attr_find(node, names[3]);
  size_t count;
  if (tensor != NULL && tensor->tensor != NULL) {
    *dtype = tensor->tensor->desc.dtype;
    onri_constant_retain(tensor->tensor);
    return onri_graph_add_constant(node->graph, NULL, tensor->tensor);
  }
  if (onri_attr_has(node, names[0])) {
    const struct onr_string *strings = onri_attr_strings(node, names[0], &count);
    return make_constant(node, *dtype = ONR_DTYPE_STRING, strings, count);
  }
  if (onri_attr_has(node, names[1])) {
    const int64_t *ints = onri_attr_ints(node, names[1], &count);
    return make_constant(node, *dtype = ONR_DTYPE_I64, ints, count);
  }
  if (onri_attr_has(node, names[2])) {
    const float *floats = onri_attr_floats(node, names[2], &count);
    return make_constant(node, *dtype = ONR_DTYPE_F32, floats, count);
  }
  return ONRI_NONE;
}

/* What unknown keys become, by the type of the values. */
static int32_t default_value(const struct onr_node *node, enum onr_dtype dtype) {
  const struct onri_attribute *tensor = onri_attr_find(node, "default_tensor"), *text = onri_attr_find(node, "default_string");
  const struct onr_string unused = {"_Unused", 7};
  if (tensor != NULL && tensor->tensor != NULL) {
    onri_constant_retain(tensor->tensor);
    return onri_graph_add_constant(node->graph, NULL, tensor->tensor);
  }
  if (dtype == ONR_DTYPE_STRING)
    return make_constant(node, dtype, text != NULL && text->kind == ONRI_ATTRIBUTE_STRING ? &text->s : &unused, 1);
  if (dtype == ONR_DTYPE_F32) {
    const float number = onri_attr_float(node, "default_float", -0.0f);
    return make_constant(node, dtype, &number, 1);
  }
  const int64_t number = onri_attr_int(node, "default_int64", -1);
  const int32_t wide = make_constant(node, ONR_DTYPE_I64, &number, 1);
  if (wide == ONRI_NONE || dtype == ONR_DTYPE_I64) return wide;
  const struct onr_cast_params to = {.to = dtype};
  const int32_t narrow = onri_temp(node);
  return onri_emit_with(node, &onri_layer_cast, &to, &wide, 1, &narrow, 1) == ONR_STATUS_OK ? narrow : ONRI_NONE;
}

enum onr_status onri_import_label_encoder(const struct onr_node *node) {
  static const char *const key_names[4] = {"keys_strings", "keys_int64s", "keys_floats", "keys_tensor"};
  static const char *const value_names[4] = {"values_strings", "values_int64s", "values_floats", "values_tensor"};
  enum onr_dtype key_dtype = ONR_DTYPE_NONE, dtype = ONR_DTYPE_NONE;
  int32_t in[4] = {onri_in(node, 0), table_part(node, key_names, &key_dtype), table_part(node, value_names, &dtype), ONRI_NONE};
  if (key_dtype == ONR_DTYPE_NONE || dtype == ONR_DTYPE_NONE)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a list of keys and a list of values");
  in[3] = default_value(node, dtype);
  if (*node->status == ONR_STATUS_OK && (in[1] == ONRI_NONE || in[2] == ONRI_NONE || in[3] == ONRI_NONE))
    return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a table");
  return onri_emit_with(node, &onri_layer_lookup, NULL, in, 4, node->out, 1);
}

/* Compared in float64, which holds every threshold and every float exactly. */
enum onr_status onri_import_binarizer(const struct onr_node *node) {
  const struct onr_cast_params wide = {.to = ONR_DTYPE_F64}, like = {.to = ONR_DTYPE_NONE};
  const struct onr_binary_params greater = {.op = ONR_BINARY_GREATER};
  const int32_t x = onri_in(node, 0), threshold = onri_const_float(node, onri_attr_float(node, "threshold", 0.0f));
  const int32_t operands[2] = {onri_temp(node), onri_temp(node)}, flags = onri_temp(node);
  ONR_TRY(onri_emit_with(node, &onri_layer_cast, &wide, &x, 1, &operands[0], 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_cast, &wide, &threshold, 1, &operands[1], 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_binary, &greater, operands, 2, &flags, 1));
  return onri_emit_with(node, &onri_layer_cast_like, &like, (const int32_t[]){flags, x}, 2, node->out, 1);
}

/* The indices, of any shape, count along the last dimension. */
enum onr_status onri_import_array_feature_extractor(const struct onr_node *node) {
  const struct onr_reshape_params reshape = {0};
  const struct onr_gather_params last = {.axis = -1};
  const int64_t all = -1;
  const int32_t list[2] = {onri_in(node, 1), onri_const_ints(node, &all, 1)}, indices = onri_temp(node);
  ONR_TRY(onri_emit_with(node, &onri_layer_reshape, &reshape, list, 2, &indices, 1));
  return onri_emit_with(node, &onri_layer_gather, &last, (const int32_t[]){onri_in(node, 0), indices}, 2, node->out, 1);
}
