/* scan_table.c: the fields of onnx.proto, as the scan sees them, and where the structs of protoc-c have them. */
#include "onnx/file/scan_table.h"

#include <string.h>

#include "base/only.h"
#include "onnx.pb-c.h"

/* clang-format off: tables */
#define DROPPED(number) \
  { number, .kind = ONRI_FIELD_DROPPED }
#define POINTER(number_, kind_, m, f, ...)                                                                             \
  {                                                                                                                    \
    .number = number_, .kind = ONRI_FIELD_##kind_, .at = offsetof(Onnx__##m, f), .width = sizeof(((Onnx__##m *)0)->f), \
    __VA_ARGS__                                                                                                        \
  }
#define NAME(number, m, f) POINTER(number, NAME, m, f, .flags = 0)
#define OPTIONAL(number, kind, m, f) POINTER(number, kind, m, f, .count_at = offsetof(Onnx__##m, has_##f))
#define LIFTED(number, m, f, span) \
  POINTER(number, LIFTED, m, f, .count_at = offsetof(Onnx__##m, has_##f), .span_field = span)
#define SEVERAL(number_, kind_, m, f, flags_, ...)                                 \
  {                                                                                \
    .number = number_, .kind = ONRI_FIELD_##kind_, .at = offsetof(Onnx__##m, f),   \
    .count_at = offsetof(Onnx__##m, n_##f), .width = sizeof(*((Onnx__##m *)0)->f), \
    .flags = ONRI_FIELD_REPEATED | (flags_), __VA_ARGS__                           \
  }
#define LIST(number, kind, m, f) SEVERAL(number, kind, m, f, 0, .message = 0)
#define DIMS(number, m, f) SEVERAL(number, VARINT, m, f, ONRI_FIELD_RANK, .message = 0)
#define LIFTED_LIST(number, m, f, span) \
  SEVERAL(number, LIFTED, m, f, 0, .packed_bytes = sizeof(*((Onnx__##m *)0)->f), .span_field = span)
#define ONE(number, what, m, f) POINTER(number, MESSAGE, m, f, .message = ONRI_MESSAGE_##what)
#define MANY(number, what, m, f, flags) SEVERAL(number, MESSAGE, m, f, flags, .message = ONRI_MESSAGE_##what)

static const struct onri_field_rule model_fields[] = {
    OPTIONAL(1, VARINT, ModelProto, ir_version),
    NAME(2, ModelProto, producer_name),
    NAME(3, ModelProto, producer_version),
    OPTIONAL(4, BYTES, ModelProto, domain),
    OPTIONAL(5, VARINT, ModelProto, model_version),
    OPTIONAL(6, BYTES, ModelProto, doc_string),
    ONE(7, GRAPH, ModelProto, graph),
    MANY(8, OPSET, ModelProto, opset_import, 0),
    MANY(14, ENTRY, ModelProto, metadata_props, 0),
    DROPPED(20),
    MANY(25, FUNCTION, ModelProto, functions, 0),
    DROPPED(26),
};

static const struct onri_field_rule opset_fields[] = {
    NAME(1, OperatorSetIdProto, domain),
    OPTIONAL(2, VARINT, OperatorSetIdProto, version),
};

static const struct onri_field_rule graph_fields[] = {
    MANY(1, NODE, GraphProto, node, ONRI_FIELD_NODE),
    NAME(2, GraphProto, name),
    MANY(5, TENSOR, GraphProto, initializer, 0),
    DROPPED(10),
    MANY(11, VALUE, GraphProto, input, 0),
    MANY(12, VALUE, GraphProto, output, 0),
    DROPPED(13),
    DROPPED(14),
    MANY(15, SPARSE, GraphProto, sparse_initializer, 0),
    MANY(16, METADATA, GraphProto, metadata_props, 0),
    ONE(29, MAP, GraphProto, map_file),
    ONE(30, SEQUENCE, GraphProto, sequence_file),
    ONE(31, OPTIONAL, GraphProto, optional_file),
};

static const struct onri_field_rule node_fields[] = {
    LIST(1, NAME, NodeProto, input),
    LIST(2, NAME, NodeProto, output),
    NAME(3, NodeProto, name),
    NAME(4, NodeProto, op_type),
    MANY(5, ATTRIBUTE, NodeProto, attribute, 0),
    DROPPED(6),
    NAME(7, NodeProto, domain),
    NAME(8, NodeProto, overload),
    MANY(9, METADATA, NodeProto, metadata_props, 0),
    DROPPED(10),
};

static const struct onri_field_rule attribute_fields[] = {
    NAME(1, AttributeProto, name),
    OPTIONAL(2, FIXED32, AttributeProto, f),
    OPTIONAL(3, VARINT, AttributeProto, i),
    OPTIONAL(4, BYTES, AttributeProto, s),
    ONE(5, TENSOR, AttributeProto, t),
    ONE(6, GRAPH, AttributeProto, g),
    LIST(7, FIXED32, AttributeProto, floats),
    LIST(8, VARINT, AttributeProto, ints),
    LIST(9, BYTES, AttributeProto, strings),
    MANY(10, TENSOR, AttributeProto, tensors, 0),
    MANY(11, GRAPH, AttributeProto, graphs, 0),
    DROPPED(13),
    OPTIONAL(14, PRESENCE, AttributeProto, tp),
    DROPPED(15),
    OPTIONAL(20, VARINT, AttributeProto, type),
    NAME(21, AttributeProto, ref_attr_name),
    ONE(22, SPARSE, AttributeProto, sparse_tensor),
    DROPPED(23),
};

static const struct onri_field_rule function_fields[] = {
    NAME(1, FunctionProto, name),
    LIST(4, NAME, FunctionProto, input),
    LIST(5, NAME, FunctionProto, output),
    LIST(6, NAME, FunctionProto, attribute),
    MANY(7, NODE, FunctionProto, node, ONRI_FIELD_NODE),
    DROPPED(8),
    MANY(9, OPSET, FunctionProto, opset_import, 0),
    NAME(10, FunctionProto, domain),
    MANY(11, ATTRIBUTE, FunctionProto, attribute_proto, 0),
    DROPPED(12),
    NAME(13, FunctionProto, overload),
    DROPPED(14),
};

static const struct onri_field_rule value_fields[] = {
    NAME(1, ValueInfoProto, name),
    ONE(2, TYPE, ValueInfoProto, type),
    DROPPED(3),
    DROPPED(4),
};

static const struct onri_field_rule type_fields[] = {
    ONE(1, TENSOR_TYPE, TypeProto, tensor_type),   OPTIONAL(4, BYTES, TypeProto, sequence_type),
    OPTIONAL(5, BYTES, TypeProto, map_type),       DROPPED(6),
    OPTIONAL(7, PRESENCE, TypeProto, opaque_type), OPTIONAL(8, PRESENCE, TypeProto, sparse_tensor_type),
    OPTIONAL(9, BYTES, TypeProto, optional_type),
};

static const struct onri_field_rule tensor_type_fields[] = {
    OPTIONAL(1, VARINT, TypeProto__Tensor, elem_type),
    ONE(2, SHAPE, TypeProto__Tensor, shape),
};

static const struct onri_field_rule shape_fields[] = {
    MANY(1, DIMENSION, TensorShapeProto, dim, ONRI_FIELD_RANK),
};

static const struct onri_field_rule dimension_fields[] = {
    OPTIONAL(1, VARINT, TensorShapeProto__Dimension, dim_value),
    NAME(2, TensorShapeProto__Dimension, dim_param),
    DROPPED(3),
};

static const struct onri_field_rule tensor_fields[] = {
    DIMS(1, TensorProto, dims),
    OPTIONAL(2, VARINT, TensorProto, data_type),
    OPTIONAL(3, PRESENCE, TensorProto, segment),
    LIFTED_LIST(4, TensorProto, float_data, 1001),
    LIST(5, VARINT, TensorProto, int32_data),
    LIST(6, BYTES, TensorProto, string_data),
    LIST(7, VARINT, TensorProto, int64_data),
    NAME(8, TensorProto, name),
    LIFTED(9, TensorProto, raw_data, 1000),
    LIFTED_LIST(10, TensorProto, double_data, 1002),
    LIST(11, VARINT, TensorProto, uint64_data),
    DROPPED(12),
    MANY(13, ENTRY, TensorProto, external_data, 0),
    OPTIONAL(14, VARINT, TensorProto, data_location),
    DROPPED(16),
    OPTIONAL(1000, VARINT, TensorProto, raw_span),
    OPTIONAL(1001, VARINT, TensorProto, float_span),
    OPTIONAL(1002, VARINT, TensorProto, double_span),
};

static const struct onri_field_rule sparse_fields[] = {
    ONE(1, TENSOR, SparseTensorProto, values),
    ONE(2, TENSOR, SparseTensorProto, indices),
    DIMS(3, SparseTensorProto, dims),
};

static const struct onri_field_rule entry_fields[] = {
    NAME(1, StringStringEntryProto, key),
    OPTIONAL(2, BYTES, StringStringEntryProto, value),
};

static const struct onri_field_rule sequence_fields[] = {
    NAME(1, SequenceProto, name),
    OPTIONAL(2, VARINT, SequenceProto, elem_type),
    MANY(3, TENSOR, SequenceProto, tensor_values, 0),
    DROPPED(4),
    MANY(5, SEQUENCE, SequenceProto, sequence_values, 0),
    MANY(6, MAP, SequenceProto, map_values, 0),
    MANY(7, OPTIONAL, SequenceProto, optional_values, 0),
};

static const struct onri_field_rule map_fields[] = {
    NAME(1, MapProto, name),
    OPTIONAL(2, VARINT, MapProto, key_type),
    LIST(3, VARINT, MapProto, keys),
    LIST(4, BYTES, MapProto, string_keys),
    ONE(5, SEQUENCE, MapProto, values),
};

static const struct onri_field_rule optional_fields[] = {
    NAME(1, OptionalProto, name),
    OPTIONAL(2, VARINT, OptionalProto, elem_type),
    ONE(3, TENSOR, OptionalProto, tensor_value),
    DROPPED(4),
    ONE(5, SEQUENCE, OptionalProto, sequence_value),
    DROPPED(6),
    ONE(7, OPTIONAL, OptionalProto, optional_value),
};

/* Of messages that no model of this library has, all fields are unknown. */
#define RULE_IF(has, name, m, rows) \
  { ONRI_SPEAKS ? name : "", (has) ? rows : NULL, (has) ? sizeof(rows) / sizeof(rows[0]) : 0, sizeof(Onnx__##m) }
#define RULE(name, m, rows) RULE_IF(1, name, m, rows)
const struct onri_message_rule onri_message_rules[ONRI_NUM_MESSAGES] = {
    [ONRI_MESSAGE_MODEL] = RULE("ModelProto", ModelProto, model_fields),
    [ONRI_MESSAGE_OPSET] = RULE("OperatorSetIdProto", OperatorSetIdProto, opset_fields),
    [ONRI_MESSAGE_GRAPH] = RULE("GraphProto", GraphProto, graph_fields),
    [ONRI_MESSAGE_NODE] = RULE("NodeProto", NodeProto, node_fields),
    [ONRI_MESSAGE_ATTRIBUTE] = RULE("AttributeProto", AttributeProto, attribute_fields),
    [ONRI_MESSAGE_FUNCTION] = RULE_IF(ONRI_PART(functions), "FunctionProto", FunctionProto, function_fields),
    [ONRI_MESSAGE_VALUE] = RULE("ValueInfoProto", ValueInfoProto, value_fields),
    [ONRI_MESSAGE_TYPE] = RULE("TypeProto", TypeProto, type_fields),
    [ONRI_MESSAGE_TENSOR_TYPE] = RULE("TypeProto.Tensor", TypeProto__Tensor, tensor_type_fields),
    [ONRI_MESSAGE_SHAPE] = RULE("TensorShapeProto", TensorShapeProto, shape_fields),
    [ONRI_MESSAGE_DIMENSION] = RULE("TensorShapeProto.Dimension", TensorShapeProto__Dimension, dimension_fields),
    [ONRI_MESSAGE_TENSOR] = RULE("TensorProto", TensorProto, tensor_fields),
    [ONRI_MESSAGE_SPARSE] = RULE_IF(ONRI_PART(sparse), "SparseTensorProto", SparseTensorProto, sparse_fields),
    [ONRI_MESSAGE_ENTRY] = RULE("StringStringEntryProto", StringStringEntryProto, entry_fields),
    [ONRI_MESSAGE_METADATA] = RULE("StringStringEntryProto", StringStringEntryProto, entry_fields),
    [ONRI_MESSAGE_SEQUENCE] = RULE_IF(ONRI_PART(containers), "SequenceProto", SequenceProto, sequence_fields),
    [ONRI_MESSAGE_MAP] = RULE_IF(ONRI_PART(containers), "MapProto", MapProto, map_fields),
    [ONRI_MESSAGE_OPTIONAL] = RULE_IF(ONRI_PART(containers), "OptionalProto", OptionalProto, optional_fields),
};
/* clang-format on */

const struct onri_field_rule *onri_field_find(const struct onri_message_rule *rule, uint32_t number) {
  for (size_t i = 0; i < rule->num_fields && rule->fields[i].number <= number; i++)
    if (rule->fields[i].number == number) return &rule->fields[i];
  return NULL;
}

int onri_metadata_wanted(const char *key, size_t length) {
  static const char *const wanted[] = {"pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy",
                                       "pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node",
                                       "pkg.torch.export.ExportedProgram.graph_signature"};
  for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
    if (strlen(wanted[i]) == length && !memcmp(wanted[i], key, length)) return 1;
  return 0;
}
