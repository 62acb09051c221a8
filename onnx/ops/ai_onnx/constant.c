/* constant.c: Constant in all its forms. No layer: the output becomes a constant value. */
#include <string.h>

#include "onnx/node/importer.h"

static struct onri_constant *make(const struct onr_node *node, enum onr_dtype dtype, int32_t rank, size_t count,
                                  const void *data) {
  const int64_t dims[1] = {(int64_t)count};
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  struct onri_constant *constant = onri_constant_create(node->importer->env, &desc);
  if (constant && count) memcpy(constant->data, data, onr_desc_bytes(&desc));
  return constant;
}

/* One reference, or NULL when out of memory. */
static struct onri_constant *constant_of(const struct onr_node *node, const struct onri_attribute *a) {
  switch (a->kind) {
    case ONRI_ATTRIBUTE_FLOAT: return make(node, ONR_DTYPE_F32, 0, 1, &a->f);
    case ONRI_ATTRIBUTE_INT: return make(node, ONR_DTYPE_I64, 0, 1, &a->i);
    case ONRI_ATTRIBUTE_STRING: return make(node, ONR_DTYPE_STRING, 0, 1, &a->s);
    case ONRI_ATTRIBUTE_FLOATS: return make(node, ONR_DTYPE_F32, 1, a->count, a->floats);
    case ONRI_ATTRIBUTE_INTS: return make(node, ONR_DTYPE_I64, 1, a->count, a->ints);
    case ONRI_ATTRIBUTE_STRINGS: return make(node, ONR_DTYPE_STRING, 1, a->count, a->strings);
    default: onri_constant_retain(a->tensor); return a->tensor;
  }
}

static enum onr_status read_constant(const struct onr_node *node) {
  static const struct {
    const char *name;
    enum onri_attribute_kind kind;
  } forms[] = {{"value", ONRI_ATTRIBUTE_TENSOR},        {"sparse_value", ONRI_ATTRIBUTE_SPARSE_TENSOR},
               {"value_float", ONRI_ATTRIBUTE_FLOAT},   {"value_floats", ONRI_ATTRIBUTE_FLOATS},
               {"value_int", ONRI_ATTRIBUTE_INT},       {"value_ints", ONRI_ATTRIBUTE_INTS},
               {"value_string", ONRI_ATTRIBUTE_STRING}, {"value_strings", ONRI_ATTRIBUTE_STRINGS}};
  const struct onri_attribute *chosen = NULL;
  struct onri_value *value;
  struct onri_constant *constant;
  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
    const struct onri_attribute *a = onri_attr_find(node, forms[i].name);
    if (!a) continue;
    if (a->kind != forms[i].kind)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' has the wrong type", a->name);
    if (chosen) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "both '%s' and '%s' are set", chosen->name, a->name);
    chosen = a;
  }
  if (!chosen) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "no attribute holds the value");
  if (node->out[0] == ONRI_NONE) return ONR_STATUS_OK;
  constant = constant_of(node, chosen);
  if (!constant) return onri_import_no_memory(node->importer);
  value = &node->graph->values[node->out[0]];
  value->constant = constant;
  value->desc = constant->desc;
  return ONR_STATUS_OK;
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Constant, 1, 0, 0, 1, 1, read_constant)
};
/* clang-format on */
const struct onri_op_table onri_ops_constant = ONRI_OP_TABLE(operators);
