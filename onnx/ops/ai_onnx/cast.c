/* cast.c: Cast and CastLike. */
#include <string.h>

#include "onnx/node/import.h"

/* Version 1 named the type as TensorProto.DataType spells it. */
static enum onr_dtype dtype_by_proto_name(const struct onr_string *name) {
  static const struct {
    const char *name;
    enum onr_dtype dtype;
  } names[] = {{"FLOAT", ONR_DTYPE_F32},   {"UINT8", ONR_DTYPE_U8},      {"INT8", ONR_DTYPE_I8},
               {"UINT16", ONR_DTYPE_U16},  {"INT16", ONR_DTYPE_I16},     {"INT32", ONR_DTYPE_I32},
               {"INT64", ONR_DTYPE_I64},   {"STRING", ONR_DTYPE_STRING}, {"BOOL", ONR_DTYPE_BOOL},
               {"FLOAT16", ONR_DTYPE_F16}, {"DOUBLE", ONR_DTYPE_F64},    {"UINT32", ONR_DTYPE_U32},
               {"UINT64", ONR_DTYPE_U64},  {"COMPLEX64", ONR_DTYPE_C64}, {"COMPLEX128", ONR_DTYPE_C128}};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (strlen(names[i].name) == name->length && memcmp(names[i].name, name->text, name->length) == 0)
      return names[i].dtype;
  return ONR_DTYPE_NONE;
}

static struct onr_cast_params attributes(const struct onr_node *node) {
  static const char *const roundings[] = {"up", "down", "nearest", NULL};
  struct onr_cast_params params = {.unsaturated = onri_attr_int(node, "saturate", 1) == 0};
  params.rounding = (enum onr_cast_rounding)onri_attr_choice(node, "round_mode", roundings, ONR_CAST_UP);
  return params;
}

static enum onr_status read_cast(const struct onr_node *node) {
  struct onr_cast_params params = attributes(node);
  params.to = (enum onr_dtype)onri_attr_int32(node, "to", ONR_DTYPE_NONE, 1, ONR_DTYPE_LAST_IN_FILES);
  if (*node->status == ONR_STATUS_OK && params.to == ONR_DTYPE_NONE)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'to' must name a data type");
  return onri_emit(node, &onri_layer_cast, &params);
}

static enum onr_status import_cast_1(const struct onr_node *node) {
  const struct onri_attribute *to = onri_attr_find(node, "to");
  if (to && to->kind == ONRI_ATTRIBUTE_INT) return read_cast(node); /* what exporters of the time wrote, too */
  struct onr_cast_params params = {.to = to && to->kind == ONRI_ATTRIBUTE_STRING ? dtype_by_proto_name(&to->s)
                                                                                 : ONR_DTYPE_NONE};
  if (params.to == ONR_DTYPE_NONE)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'to' must be the name of a data type, such as FLOAT");
  return onri_emit(node, &onri_layer_cast, &params);
}

static enum onr_status import_cast_like(const struct onr_node *node) {
  const struct onr_cast_params params = attributes(node);
  return onri_emit(node, &onri_layer_cast_like, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Cast, 1, 1, 1, 1, 1, import_cast_1)
    ONRI_OP(ai_onnx, Cast, 6, 1, 1, 1, 1, read_cast)
    ONRI_OP(ai_onnx, CastLike, 15, 2, 2, 1, 1, import_cast_like)
};
/* clang-format on */
const struct onri_op_table onri_ops_cast = ONRI_OP_TABLE(operators);
