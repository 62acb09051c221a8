/* ml.c: operators of ai.onnx.ml that look something up or pick it out. */
#include "base/numbers/checked.h"
#include "onnx/ops/ml/ml.h"

/* One of the attributes of a table: a constant, or ONRI_NONE. *dtype gets its type. */
static int32_t table_part(const struct onr_node *node, const char *const names[4], enum onr_dtype *dtype) {
  const struct onri_attribute *tensor = onri_attr_find(node, names[3]);
  size_t count;
  if (tensor && tensor->tensor) {
    *dtype = tensor->tensor->desc.dtype;
    onri_constant_retain(tensor->tensor);
    return onri_graph_add_constant(node->graph, NULL, tensor->tensor);
  }
  if (onri_attr_has(node, names[0])) {
    const struct onr_string *strings = onri_attr_strings(node, names[0], &count);
    return onri_const_list(node, *dtype = ONR_DTYPE_STRING, strings, count);
  }
  if (onri_attr_has(node, names[1])) {
    const int64_t *ints = onri_attr_ints(node, names[1], &count);
    return onri_const_list(node, *dtype = ONR_DTYPE_I64, ints, count);
  }
  if (onri_attr_has(node, names[2])) {
    const float *floats = onri_attr_floats(node, names[2], &count);
    return onri_const_list(node, *dtype = ONR_DTYPE_F32, floats, count);
  }
  return ONRI_NONE;
}

/* What unknown keys become, by the type of the values. */
static int32_t default_value(const struct onr_node *node, enum onr_dtype dtype) {
  const struct onri_attribute *tensor = onri_attr_find(node, "default_tensor"),
                              *text = onri_attr_find(node, "default_string");
  const struct onr_string unused = {"_Unused", 7};
  if (tensor && tensor->tensor) {
    onri_constant_retain(tensor->tensor);
    return onri_graph_add_constant(node->graph, NULL, tensor->tensor);
  }
  if (dtype == ONR_DTYPE_STRING)
    return onri_const_list(node, dtype, text && text->kind == ONRI_ATTRIBUTE_STRING ? &text->s : &unused, 1);
  if (dtype == ONR_DTYPE_F32) {
    const float number = onri_attr_float(node, "default_float", -0.0f);
    return onri_const_list(node, dtype, &number, 1);
  }
  const int64_t number = onri_attr_int(node, "default_int64", -1);
  const int32_t wide = onri_const_list(node, ONR_DTYPE_I64, &number, 1);
  if (wide == ONRI_NONE || dtype == ONR_DTYPE_I64) return wide;
  const struct onr_cast_params to = {.to = dtype};
  const int32_t narrow = onri_temp(node);
  return onri_emit_with(node, &onri_layer_cast, &to, &wide, 1, &narrow, 1) == ONR_STATUS_OK ? narrow : ONRI_NONE;
}

static enum onr_status import_label_encoder(const struct onr_node *node) {
  static const char *const key_names[4] = {"keys_strings", "keys_int64s", "keys_floats", "keys_tensor"};
  static const char *const value_names[4] = {"values_strings", "values_int64s", "values_floats", "values_tensor"};
  enum onr_dtype key_dtype = ONR_DTYPE_NONE, dtype = ONR_DTYPE_NONE;
  int32_t in[4] = {onri_in(node, 0), table_part(node, key_names, &key_dtype), table_part(node, value_names, &dtype),
                   ONRI_NONE};
  if (key_dtype == ONR_DTYPE_NONE || dtype == ONR_DTYPE_NONE)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a list of keys and a list of values");
  in[3] = default_value(node, dtype);
  if (*node->status == ONR_STATUS_OK && (in[1] == ONRI_NONE || in[2] == ONRI_NONE || in[3] == ONRI_NONE))
    return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a table");
  return onri_emit_with(node, &onri_layer_lookup, NULL, in, 4, node->out, 1);
}

/* Strings become numbers, and numbers strings: which, the type of the input says. */
static enum onr_status two_way_table(const struct onr_node *node, const struct onr_string *strings, const int64_t *ints,
                                     size_t count) {
  const struct onri_attribute *text = onri_attr_find(node, "default_string");
  const struct onr_string unused = {"_Unused", 7};
  const int64_t number = onri_attr_int(node, "default_int64", -1);
  if (text && text->kind != ONRI_ATTRIBUTE_STRING)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'default_string' must be a string");
  const int32_t in[5] = {onri_in(node, 0), onri_const_list(node, ONR_DTYPE_STRING, strings, count),
                         onri_const_list(node, ONR_DTYPE_I64, ints, count),
                         onri_const_list(node, ONR_DTYPE_I64, &number, 1),
                         onri_const_list(node, ONR_DTYPE_STRING, text ? &text->s : &unused, 1)};
  for (size_t i = 1; i < 5; i++)
    if (in[i] == ONRI_NONE) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a table");
  return onri_emit_with(node, &onri_layer_lookup, NULL, in, 5, node->out, 1);
}

/* 0, 1, 2 ...: positions in a list. NULL when out of memory. */
static const int64_t *positions(const struct onr_node *node, size_t count) {
  size_t bytes;
  int64_t *list = onri_mul_size(count, sizeof(*list), &bytes) ? onri_arena_allocate(&node->graph->arena, bytes) : NULL;
  for (size_t i = 0; list && i < count; i++) list[i] = (int64_t)i;
  return list;
}

static enum onr_status import_label_encoder_1(const struct onr_node *node) {
  size_t count;
  const struct onr_string *classes = onri_attr_strings(node, "classes_strings", &count);
  const int64_t *numbers = positions(node, count);
  if (!numbers) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a table");
  return two_way_table(node, classes, numbers, count);
}

static enum onr_status import_category_mapper(const struct onr_node *node) {
  size_t num_strings, num_ints;
  const struct onr_string *strings = onri_attr_strings(node, "cats_strings", &num_strings);
  const int64_t *ints = onri_attr_ints(node, "cats_int64s", &num_ints);
  ONR_TRY(onri_expect_count(node, "cats_int64s", num_ints, num_strings));
  return two_way_table(node, strings, ints, num_strings);
}

/* The position of each element in the list of categories, spread to ones and zeros. What is not in the list has a
 * position that makes no one; without `zeros` it is an index out of range. */
static enum onr_status import_one_hot_encoder(const struct onr_node *node) {
  const struct onr_cast_params whole = {.to = ONR_DTYPE_I64};
  const struct onr_gather_params first = {.axis = 0};
  const struct onr_one_hot_params last = {.axis = -1};
  struct onri_labels list;
  ONR_TRY(onri_attr_labels(node, "cats_int64s", "cats_strings", &list));
  int32_t x = onri_in(node, 0), position = onri_temp(node);
  const int64_t none = (int64_t)list.count, *numbers = positions(node, list.count);
  if (!numbers) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for the categories");
  if (list.dtype == ONR_DTYPE_I64) {
    const int32_t cast = onri_temp(node);
    ONR_TRY(onri_emit_with(node, &onri_layer_cast, &whole, &x, 1, &cast, 1));
    x = cast;
  }
  const int32_t keys = onri_const_list(node, list.dtype, list.data, list.count),
                values = onri_const_list(node, ONR_DTYPE_I64, numbers, list.count);
  if (keys == ONRI_NONE || values == ONRI_NONE)
    return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for the categories");
  ONR_TRY(onri_emit_with(node, &onri_layer_lookup, NULL, (const int32_t[]){x, keys, values, onri_const_int(node, none)},
                         4, &position, 1));
  if (!onri_attr_int(node, "zeros", 1)) {
    const int32_t checked = onri_temp(node);
    ONR_TRY(onri_emit_with(node, &onri_layer_gather, &first, (const int32_t[]){values, position}, 2, &checked, 1));
    position = checked;
  }
  const float zero_one[2] = {0, 1};
  const int32_t off_on = onri_const_list(node, ONR_DTYPE_F32, zero_one, 2);
  return onri_emit_with(node, &onri_layer_one_hot, &last,
                        (const int32_t[]){position, onri_const_int(node, none), off_on}, 3, node->out, 1);
}

/* Compared in float64, which holds every threshold and every float exactly. */
static enum onr_status import_binarizer(const struct onr_node *node) {
  const struct onr_cast_params wide = {.to = ONR_DTYPE_F64}, like = {.to = ONR_DTYPE_NONE};
  const struct onr_binary_params greater = {.op = ONR_BINARY_GREATER};
  const int32_t x = onri_in(node, 0), threshold = onri_const_float(node, onri_attr_float(node, "threshold", 0.0f));
  const int32_t operands[2] = {onri_temp(node), onri_temp(node)}, flags = onri_temp(node);
  ONR_TRY(onri_emit_with(node, &onri_layer_cast, &wide, &x, 1, &operands[0], 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_cast, &wide, &threshold, 1, &operands[1], 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_binary, &greater, operands, 2, &flags, 1));
  return onri_emit_with(node, &onri_layer_cast_like, &like, (const int32_t[]){flags, x}, 2, node->out, 1);
}

/* The indices, of any shape, count along the last dimension. A vector is a matrix of one row: broadcasting with [1, 1]
   makes it that, and leaves what has more dimensions as it is. */
static enum onr_status import_array_feature_extractor(const struct onr_node *node) {
  const struct onr_reshape_params reshape = {0};
  const struct onr_gather_params last = {.axis = -1};
  const int64_t all = -1, one_row[2] = {1, 1};
  const int32_t list[2] = {onri_in(node, 1), onri_const_ints(node, &all, 1)}, indices = onri_temp(node);
  const int32_t rows[2] = {onri_in(node, 0), onri_const_ints(node, one_row, 2)}, matrix = onri_temp(node);
  ONR_TRY(onri_emit_with(node, &onri_layer_reshape, &reshape, list, 2, &indices, 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_expand, NULL, rows, 2, &matrix, 1));
  return onri_emit_with(node, &onri_layer_gather, &last, (const int32_t[]){matrix, indices}, 2, node->out, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx_ml, LabelEncoder, 1, 1, 1, 1, 1, import_label_encoder_1)
    ONRI_OP(ai_onnx_ml, LabelEncoder, 2, 1, 1, 1, 1, import_label_encoder)
    ONRI_OP(ai_onnx_ml, Binarizer, 1, 1, 1, 1, 1, import_binarizer)
    ONRI_OP(ai_onnx_ml, ArrayFeatureExtractor, 1, 2, 2, 1, 1, import_array_feature_extractor)
    ONRI_OP(ai_onnx_ml, CategoryMapper, 1, 1, 1, 1, 1, import_category_mapper)
    ONRI_OP(ai_onnx_ml, OneHotEncoder, 1, 1, 1, 1, 1, import_one_hot_encoder)
};
/* clang-format on */
const struct onri_op_table onri_ops_ml = ONRI_OP_TABLE(operators);
