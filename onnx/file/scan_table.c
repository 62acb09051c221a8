/* scan_table.c: the fields of onnx.proto, as the scan sees them. */
#include "onnx/file/scan_table.h"

#include <string.h>

#include "onnx.pb-c.h"

/* clang-format off: tables */
#define DROPPED \
  { .kind = ONRI_FIELD_DROPPED }
#define VARINT \
  { .kind = ONRI_FIELD_VARINT }
#define VARINTS \
  { .kind = ONRI_FIELD_VARINT, .flags = ONRI_FIELD_REPEATED }
#define DIMS \
  { .kind = ONRI_FIELD_VARINT, .flags = ONRI_FIELD_REPEATED | ONRI_FIELD_RANK }
#define FLOAT \
  { .kind = ONRI_FIELD_FIXED32 }
#define FLOATS \
  { .kind = ONRI_FIELD_FIXED32, .flags = ONRI_FIELD_REPEATED }
#define NAME \
  { .kind = ONRI_FIELD_NAME }
#define NAMES \
  { .kind = ONRI_FIELD_NAME, .flags = ONRI_FIELD_REPEATED }
#define BYTES \
  { .kind = ONRI_FIELD_BYTES }
#define BYTES_LIST \
  { .kind = ONRI_FIELD_BYTES, .flags = ONRI_FIELD_REPEATED }
#define PRESENCE \
  { .kind = ONRI_FIELD_PRESENCE }
#define LIFTED(bytes, span) \
  { .kind = ONRI_FIELD_LIFTED, .packed_bytes = bytes, .span_field = span }
#define ONE(m) \
  { .kind = ONRI_FIELD_MESSAGE, .message = ONRI_MESSAGE_##m }
#define MANY(m) \
  { .kind = ONRI_FIELD_MESSAGE, .message = ONRI_MESSAGE_##m, .flags = ONRI_FIELD_REPEATED }
#define NODES \
  { .kind = ONRI_FIELD_MESSAGE, .message = ONRI_MESSAGE_NODE, .flags = ONRI_FIELD_REPEATED | ONRI_FIELD_NODE }
#define DIM_LIST \
  { .kind = ONRI_FIELD_MESSAGE, .message = ONRI_MESSAGE_DIMENSION, .flags = ONRI_FIELD_REPEATED | ONRI_FIELD_RANK }

const struct onri_message_rule onri_message_rules[ONRI_NUM_MESSAGES] = {
    [ONRI_MESSAGE_MODEL] = {"ModelProto",
                            sizeof(Onnx__ModelProto),
                            {[1] = VARINT,
                             [2] = NAME,
                             [3] = NAME,
                             [4] = BYTES,
                             [5] = VARINT,
                             [6] = BYTES,
                             [7] = ONE(GRAPH),
                             [8] = MANY(OPSET),
                             [14] = MANY(ENTRY),
                             [20] = DROPPED,
                             [25] = MANY(FUNCTION),
                             [26] = DROPPED}},
    [ONRI_MESSAGE_OPSET] = {"OperatorSetIdProto", sizeof(Onnx__OperatorSetIdProto), {[1] = NAME, [2] = VARINT}},
    [ONRI_MESSAGE_GRAPH] = {"GraphProto",
                            sizeof(Onnx__GraphProto),
                            {[1] = NODES,
                             [2] = NAME,
                             [5] = MANY(TENSOR),
                             [10] = DROPPED,
                             [11] = MANY(VALUE),
                             [12] = MANY(VALUE),
                             [13] = DROPPED,
                             [14] = DROPPED,
                             [15] = MANY(SPARSE),
                             [16] = MANY(METADATA),
                             [29] = ONE(MAP),
                             [30] = ONE(SEQUENCE),
                             [31] = ONE(OPTIONAL)}},
    [ONRI_MESSAGE_NODE] = {"NodeProto",
                           sizeof(Onnx__NodeProto),
                           {[1] = NAMES,
                            [2] = NAMES,
                            [3] = NAME,
                            [4] = NAME,
                            [5] = MANY(ATTRIBUTE),
                            [6] = DROPPED,
                            [7] = NAME,
                            [8] = NAME,
                            [9] = MANY(METADATA),
                            [10] = DROPPED}},
    [ONRI_MESSAGE_ATTRIBUTE] = {"AttributeProto",
                                sizeof(Onnx__AttributeProto),
                                {[1] = NAME,
                                 [2] = FLOAT,
                                 [3] = VARINT,
                                 [4] = BYTES,
                                 [5] = ONE(TENSOR),
                                 [6] = ONE(GRAPH),
                                 [7] = FLOATS,
                                 [8] = VARINTS,
                                 [9] = BYTES_LIST,
                                 [10] = MANY(TENSOR),
                                 [11] = MANY(GRAPH),
                                 [13] = DROPPED,
                                 [14] = PRESENCE,
                                 [15] = DROPPED,
                                 [20] = VARINT,
                                 [21] = NAME,
                                 [22] = ONE(SPARSE),
                                 [23] = DROPPED}},
    [ONRI_MESSAGE_FUNCTION] = {"FunctionProto",
                               sizeof(Onnx__FunctionProto),
                               {[1] = NAME,
                                [4] = NAMES,
                                [5] = NAMES,
                                [6] = NAMES,
                                [7] = NODES,
                                [8] = DROPPED,
                                [9] = MANY(OPSET),
                                [10] = NAME,
                                [11] = MANY(ATTRIBUTE),
                                [12] = DROPPED,
                                [13] = NAME,
                                [14] = DROPPED}},
    [ONRI_MESSAGE_VALUE] = {"ValueInfoProto",
                            sizeof(Onnx__ValueInfoProto),
                            {[1] = NAME, [2] = ONE(TYPE), [3] = DROPPED, [4] = DROPPED}},
    [ONRI_MESSAGE_TYPE] = {"TypeProto",
                           sizeof(Onnx__TypeProto),
                           {[1] = ONE(TENSOR_TYPE),
                            [4] = BYTES,
                            [5] = BYTES,
                            [6] = DROPPED,
                            [7] = PRESENCE,
                            [8] = PRESENCE,
                            [9] = BYTES}},
    [ONRI_MESSAGE_TENSOR_TYPE] = {"TypeProto.Tensor",
                                  sizeof(Onnx__TypeProto__Tensor),
                                  {[1] = VARINT, [2] = ONE(SHAPE)}},
    [ONRI_MESSAGE_SHAPE] = {"TensorShapeProto", sizeof(Onnx__TensorShapeProto), {[1] = DIM_LIST}},
    [ONRI_MESSAGE_DIMENSION] = {"TensorShapeProto.Dimension",
                                sizeof(Onnx__TensorShapeProto__Dimension),
                                {[1] = VARINT, [2] = NAME, [3] = DROPPED}},
    [ONRI_MESSAGE_TENSOR] = {"TensorProto",
                             sizeof(Onnx__TensorProto),
                             {[1] = DIMS,
                              [2] = VARINT,
                              [3] = PRESENCE,
                              [4] = LIFTED(4, 1001),
                              [5] = VARINTS,
                              [6] = BYTES_LIST,
                              [7] = VARINTS,
                              [8] = NAME,
                              [9] = LIFTED(0, 1000),
                              [10] = LIFTED(8, 1002),
                              [11] = VARINTS,
                              [12] = DROPPED,
                              [13] = MANY(ENTRY),
                              [14] = VARINT,
                              [16] = DROPPED}},
    [ONRI_MESSAGE_SPARSE] = {"SparseTensorProto",
                             sizeof(Onnx__SparseTensorProto),
                             {[1] = ONE(TENSOR), [2] = ONE(TENSOR), [3] = DIMS}},
    [ONRI_MESSAGE_ENTRY] = {"StringStringEntryProto", sizeof(Onnx__StringStringEntryProto), {[1] = NAME, [2] = BYTES}},
    [ONRI_MESSAGE_METADATA] = {"StringStringEntryProto",
                               sizeof(Onnx__StringStringEntryProto),
                               {[1] = NAME, [2] = BYTES}},
    [ONRI_MESSAGE_SEQUENCE] = {"SequenceProto",
                               sizeof(Onnx__SequenceProto),
                               {[1] = NAME,
                                [2] = VARINT,
                                [3] = MANY(TENSOR),
                                [4] = DROPPED,
                                [5] = MANY(SEQUENCE),
                                [6] = MANY(MAP),
                                [7] = MANY(OPTIONAL)}},
    [ONRI_MESSAGE_MAP] = {"MapProto",
                          sizeof(Onnx__MapProto),
                          {[1] = NAME, [2] = VARINT, [3] = VARINTS, [4] = BYTES_LIST, [5] = ONE(SEQUENCE)}},
    [ONRI_MESSAGE_OPTIONAL] = {"OptionalProto",
                               sizeof(Onnx__OptionalProto),
                               {[1] = NAME,
                                [2] = VARINT,
                                [3] = ONE(TENSOR),
                                [4] = DROPPED,
                                [5] = ONE(SEQUENCE),
                                [6] = DROPPED,
                                [7] = ONE(OPTIONAL)}},
};
/* clang-format on */

int onri_metadata_wanted(const char *key, size_t length) {
  static const char *const wanted[] = {"pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy",
                                       "pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node",
                                       "pkg.torch.export.ExportedProgram.graph_signature"};
  for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
    if (strlen(wanted[i]) == length && !memcmp(wanted[i], key, length)) return 1;
  return 0;
}
