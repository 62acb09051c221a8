/* shape.c: ops that change the shape or the type of the same elements. */
#include "onnx/node/import.h"

/* The node's first input, with the list of an old node's attribute as the second one. */
static enum onr_status emit_with_list(const struct onr_node *node, const struct onr_layer *layer, const void *params,
                                      const char *attribute) {
  size_t count;
  const int64_t *list = onri_attr_ints(node, attribute, &count);
  if (!onri_attr_has(node, attribute))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' is missing", attribute);
  const int32_t in[2] = {onri_in(node, 0), onri_const_ints(node, list, count)};
  return onri_emit_with(node, layer, params, in, 2, node->out, (size_t)node->num_out);
}

static enum onr_status import_reshape_1(const struct onr_node *node) {
  const struct onr_reshape_params params = {0};
  return emit_with_list(node, &onri_layer_reshape, &params, "shape");
}

static enum onr_status import_reshape(const struct onr_node *node) {
  const struct onr_reshape_params params = {.allow_zero = onri_attr_int(node, "allowzero", 0) != 0};
  return onri_emit(node, &onri_layer_reshape, &params);
}

static enum onr_status import_flatten(const struct onr_node *node) {
  const struct onr_flatten_params params = {.axis = onri_attr_int32(node, "axis", 1, -ONR_MAX_RANK, ONR_MAX_RANK)};
  return onri_emit(node, &onri_layer_flatten, &params);
}

static enum onr_status import_squeeze_1(const struct onr_node *node) {
  if (!onri_attr_has(node, "axes")) return onri_emit(node, &onri_layer_squeeze, NULL);
  return emit_with_list(node, &onri_layer_squeeze, NULL, "axes");
}

static enum onr_status import_squeeze(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_squeeze, NULL);
}

static enum onr_status import_unsqueeze_1(const struct onr_node *node) {
  return emit_with_list(node, &onri_layer_unsqueeze, NULL, "axes");
}

static enum onr_status import_unsqueeze(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_unsqueeze, NULL);
}

static enum onr_status import_identity(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_identity, NULL);
}

static enum onr_status import_bit_cast(const struct onr_node *node) {
  if (!onri_attr_has(node, "to")) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'to' is missing");
  const struct onr_bit_cast_params params = {
      .dtype = (enum onr_dtype)onri_attr_int32(node, "to", ONR_DTYPE_NONE, 1, ONR_DTYPE_LAST_IN_FILES)};
  return onri_emit(node, &onri_layer_bit_cast, &params);
}

static enum onr_status read_shape(const struct onr_node *node) {
  const struct onr_shape_params params = {.start = onri_attr_int(node, "start", 0),
                                          .end = onri_attr_int(node, "end", INT64_MAX)};
  return onri_emit(node, &onri_layer_shape, &params);
}

static enum onr_status import_size(const struct onr_node *node) { return onri_emit(node, &onri_layer_size, NULL); }

static enum onr_status import_expand(const struct onr_node *node) { return onri_emit(node, &onri_layer_expand, NULL); }

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Reshape, 1, 1, 1, 1, 1, import_reshape_1)
    ONRI_OP(ai_onnx, Reshape, 5, 2, 2, 1, 1, import_reshape)
    ONRI_OP(ai_onnx, Flatten, 1, 1, 1, 1, 1, import_flatten)
    ONRI_OP(ai_onnx, Squeeze, 1, 1, 1, 1, 1, import_squeeze_1)
    ONRI_OP(ai_onnx, Squeeze, 13, 1, 2, 1, 1, import_squeeze)
    ONRI_OP(ai_onnx, Unsqueeze, 1, 1, 1, 1, 1, import_unsqueeze_1)
    ONRI_OP(ai_onnx, Unsqueeze, 13, 2, 2, 1, 1, import_unsqueeze)
    ONRI_OP(ai_onnx, Identity, 1, 1, 1, 1, 1, import_identity)
    ONRI_OP(ai_onnx, BitCast, 26, 1, 1, 1, 1, import_bit_cast)
    ONRI_OP(ai_onnx, Shape, 1, 1, 1, 1, 1, read_shape)
    ONRI_OP(ai_onnx, Size, 1, 1, 1, 1, 1, import_size)
    ONRI_OP(ai_onnx, Expand, 8, 2, 2, 1, 1, import_expand)
};
/* clang-format on */
const struct onri_op_table onri_ops_shape = ONRI_OP_TABLE(operators);
