/* sequence.c: sequences and optionals, and SequenceMap, whose body the executor runs. */
#include "onnx/node/importer.h"

static enum onr_status import_sequence_construct(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_sequence_construct, NULL);
}
static enum onr_status import_sequence_insert(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_sequence_insert, NULL);
}
static enum onr_status import_sequence_erase(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_sequence_erase, NULL);
}
static enum onr_status import_sequence_at(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_sequence_at, NULL);
}
static enum onr_status import_sequence_length(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_sequence_length, NULL);
}
static enum onr_status import_optional(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_optional, NULL);
}
static enum onr_status import_optional_has(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_optional_has_element, NULL);
}
static enum onr_status import_optional_get(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_optional_get_element, NULL);
}

/* Without entries the element type does not matter. */
static enum onr_status import_sequence_empty(const struct onr_node *node) {
  return onri_emit_with(node, &onri_layer_sequence_construct, NULL, NULL, 0, node->out, 1);
}

static enum onr_status import_split_to_sequence(const struct onr_node *node) {
  const struct onr_split_to_sequence_params params = {
      .axis = onri_attr_int32(node, "axis", 0, -ONR_MAX_RANK, ONR_MAX_RANK - 1),
      .keep_dims = onri_attr_int32(node, "keepdims", 1, 0, 1)};
  return onri_emit(node, &onri_layer_split_to_sequence, &params);
}

static enum onr_status import_concat_from_sequence(const struct onr_node *node) {
  struct onr_concat_from_sequence_params params = {.new_axis = onri_attr_int32(node, "new_axis", 0, 0, 1)};
  if (!onri_attr_has(node, "axis"))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "the attribute 'axis' is missing");
  params.axis = onri_attr_int32(node, "axis", 0, -ONR_MAX_RANK - 1, ONR_MAX_RANK);
  return onri_emit(node, &onri_layer_concat_from_sequence, &params);
}

static enum onr_status import_sequence_map(const struct onr_node *node) {
  const struct onr_sequence_map_params params = {.num_mapped = node->num_in};
  const struct onri_attribute *body = onri_attr_find(node, "body");
  if (!body || body->kind != ONRI_ATTRIBUTE_GRAPH)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "the graph 'body' is missing");
  if (body->graphs[0]->num_inputs - body->num_captures != (size_t)node->num_in ||
      body->graphs[0]->num_outputs != (size_t)node->num_out)
    return onr_fail(node->error, ONR_STATUS_GRAPH, "the body has %zu inputs and %zu outputs, the node %d and %d",
                    body->graphs[0]->num_inputs - body->num_captures, body->graphs[0]->num_outputs, node->num_in,
                    node->num_out);
  return onri_emit_bodies(node, &onri_layer_sequence_map, &params, node->in, (size_t)node->num_in, &body, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, SequenceConstruct, 11, 1, ONR_VARIADIC, 1, 1, import_sequence_construct)
    ONRI_OP(ai_onnx, SequenceEmpty, 11, 0, 0, 1, 1, import_sequence_empty)
    ONRI_OP(ai_onnx, SequenceInsert, 11, 2, 3, 1, 1, import_sequence_insert)
    ONRI_OP(ai_onnx, SequenceErase, 11, 1, 2, 1, 1, import_sequence_erase)
    ONRI_OP(ai_onnx, SequenceAt, 11, 2, 2, 1, 1, import_sequence_at)
    ONRI_OP(ai_onnx, SequenceLength, 11, 1, 1, 1, 1, import_sequence_length)
    ONRI_OP(ai_onnx, SequenceMap, 17, 1, ONR_VARIADIC, 1, ONR_VARIADIC, import_sequence_map)
    ONRI_OP(ai_onnx, SplitToSequence, 11, 1, 2, 1, 1, import_split_to_sequence)
    ONRI_OP(ai_onnx, ConcatFromSequence, 11, 1, 1, 1, 1, import_concat_from_sequence)
    ONRI_OP(ai_onnx, Optional, 15, 0, 1, 1, 1, import_optional)
    ONRI_OP(ai_onnx, OptionalHasElement, 15, 0, 1, 1, 1, import_optional_has)
    ONRI_OP(ai_onnx, OptionalGetElement, 15, 1, 1, 1, 1, import_optional_get)
};
/* clang-format on */
const struct onri_op_table onri_ops_sequence = ONRI_OP_TABLE(operators);
