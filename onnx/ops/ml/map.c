/* map.c: operators of ai.onnx.ml on maps. */
#include "onnx/ops/ml/ml.h"

static enum onr_status emit_with_keys(const struct onr_node *node, const struct onr_layer *layer, const void *params,
                                      const char *ints, const char *strings) {
  struct onri_labels keys;
  ONR_TRY(onri_attr_labels(node, ints, strings, &keys));
  const int32_t in[2] = {onri_in(node, 0), onri_const_list(node, keys.dtype, keys.data, keys.count)};
  if (in[1] == ONRI_NONE) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for the keys of maps");
  return onri_emit_with(node, layer, params, in, 2, node->out, 1);
}

static enum onr_status import_zip_map(const struct onr_node *node) {
  return emit_with_keys(node, &onri_layer_zip_map, NULL, "classlabels_int64s", "classlabels_strings");
}

/* A vector, as ONNX and onnx.reference have it; ONNX Runtime makes a matrix of one row. */
static enum onr_status import_dict_vectorizer(const struct onr_node *node) {
  const struct onr_map_values_params params = {0};
  return emit_with_keys(node, &onri_layer_map_values, &params, "int64_vocabulary", "string_vocabulary");
}

/* A matrix of one row, as ONNX Runtime makes it. */
static enum onr_status import_cast_map(const struct onr_node *node) {
  static const char *const forms[] = {"DENSE", "SPARSE", NULL}, *const types[] = {"TO_FLOAT", "TO_STRING", "TO_INT64",
                                                                                  NULL};
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_STRING, ONR_DTYPE_I64};
  const struct onr_map_values_params params = {.row = 1,
                                               .by_position = onri_attr_choice(node, "map_form", forms, 0) == 1,
                                               .length = onri_attr_int32(node, "max_map", 1, 0, INT32_MAX)};
  const struct onr_cast_params cast = {.to = dtypes[onri_attr_choice(node, "cast_to", types, 0)]};
  const int32_t x = onri_in(node, 0), values = onri_temp(node);
  ONR_TRY(onri_emit_with(node, &onri_layer_map_values, &params, &x, 1, &values, 1));
  return onri_emit_with(node, &onri_layer_cast, &cast, &values, 1, node->out, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx_ml, ZipMap, 1, 1, 1, 1, 1, import_zip_map)
    ONRI_OP(ai_onnx_ml, CastMap, 1, 1, 1, 1, 1, import_cast_map)
    ONRI_OP(ai_onnx_ml, DictVectorizer, 1, 1, 1, 1, 1, import_dict_vectorizer)
};
/* clang-format on */
const struct onri_op_table onri_ops_ml_map = ONRI_OP_TABLE(operators);
