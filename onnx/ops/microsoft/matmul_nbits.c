/* matmul_nbits.c: MatMulNBits, a product with a weight in 2, 4 or 8 bits. */
#include "base/types.h"
#include "onnx/ops/microsoft/common.h"

static enum onr_status read_sizes(const struct onr_node *node, struct onr_matmul_nbits_params *p) {
  p->bits = onri_attr_int32(node, "bits", 4, 2, 8);
  p->n = onri_attr_int32(node, "N", 0, 1, INT32_MAX);
  p->k = onri_attr_int32(node, "K", 0, 1, INT32_MAX);
  p->block = onri_attr_int32(node, "block_size", 0, 16, 1 << 20);
  p->in_bytes = onri_attr_int(node, "accuracy_level", 0) == 4; /* what A may be computed in: int8 */
  if (*node->status != ONR_STATUS_OK) return *node->status;
  if (!p->n || !p->k || !p->block)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attributes 'N', 'K' and 'block_size' are all needed");
  if (p->bits != 2 && p->bits != 4 && p->bits != 8)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "attribute 'bits' is %d: 2, 4 and 8 are supported",
                    (int)p->bits);
  if (p->block & (p->block - 1))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'block_size' is %d, expected a power of 2",
                    (int)p->block);
  return onri_only(node, "weight_prepacked", 0);
}

static enum onr_status expect_constant(const struct onr_node *node, int32_t i, uint32_t types) {
  if (onri_in(node, i) == ONRI_NONE) return ONR_STATUS_OK;
  const struct onri_constant *constant = node->graph->values[onri_in(node, i)].constant;
  if (!constant) return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "input %d is not a constant", (int)i);
  if (onri_dtype_in(types, constant->desc.dtype)) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "input %d is %s, which is not supported", (int)i,
                  onr_dtype_name(constant->desc.dtype));
}

/* Inputs A, B (packed), scales, zero points, block of each column, bias; the last three optional. */
static enum onr_status read_matmul_nbits(const struct onr_node *node) {
  static const uint32_t bytes = ONRI_DTYPE_BIT(ONR_DTYPE_U8);
  struct onr_matmul_nbits_params params = {0};
  ONR_TRY(read_sizes(node, &params));
  ONR_TRY(expect_constant(node, 1, bytes));
  ONR_TRY(expect_constant(node, 2, ONRI_DTYPES_F32_AND_HALF));
  ONR_TRY(expect_constant(node, 3, ONRI_DTYPES_F32_AND_HALF | bytes));
  ONR_TRY(expect_constant(node, 4, ONRI_DTYPE_BIT(ONR_DTYPE_I32)));
  return onri_emit(node, &onri_layer_matmul_nbits, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(com_microsoft, MatMulNBits, 1, 3, 6, 1, 1, read_matmul_nbits)
};
/* clang-format on */
const struct onri_op_table onri_ops_microsoft_matmul_nbits = ONRI_OP_TABLE(operators);
