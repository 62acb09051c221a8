/* dense.c: matrix products. */
#include <string.h>

#include "onnx/node/import.h"

/* Before version 7 the attribute `broadcast` said whether C may be broadcast; the layer always does it. */
static enum onr_status import_gemm(const struct onr_node *node) {
  const struct onr_gemm_params params = {
      .alpha = onri_attr_float(node, "alpha", 1.0f),
      .beta = onri_attr_float(node, "beta", 1.0f),
      .transpose_a = onri_attr_int(node, "transA", 0) != 0,
      .transpose_b = onri_attr_int(node, "transB", 0) != 0,
  };
  return onri_emit(node, &onri_layer_gemm, &params);
}

static enum onr_status import_matmul(const struct onr_node *node) {
  const struct onr_matmul_params params = {0};
  return onri_emit(node, &onri_layer_matmul, &params);
}

static enum onr_status import_matmul_integer(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_matmul_integer, NULL);
}

static enum onr_status import_qlinear_matmul(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_qlinear_matmul, NULL);
}

static enum onr_status import_einsum(const struct onr_node *node) {
  const struct onri_attribute *equation = onri_attr_find(node, "equation");
  struct onr_einsum_params params = {.equation = ""};
  if (!equation || equation->kind != ONRI_ATTRIBUTE_STRING)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected an equation, found none");
  if (equation->s.length >= ONR_EINSUM_MAX_TEXT || memchr(equation->s.text, 0, equation->s.length))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected an equation of fewer than %d characters, found %zu",
                    ONR_EINSUM_MAX_TEXT, equation->s.length);
  memcpy(params.equation, equation->s.text, equation->s.length);
  return onri_emit(node, &onri_layer_einsum, &params);
}

static enum onr_status import_det(const struct onr_node *node) { return onri_emit(node, &onri_layer_det, NULL); }

/* As scipy.linalg.solve: `lower` says which half of a symmetric matrix to read, and no matrix is declared symmetric. */
static enum onr_status import_solve(const struct onr_node *node) {
  const struct onr_solve_params params = {.transpose_a = onri_attr_int(node, "transposed", 0) != 0};
  return onri_emit(node, &onri_layer_solve, &params);
}

static enum onr_status import_inverse(const struct onr_node *node) {
  const struct onr_solve_params params = {0};
  return onri_emit(node, &onri_layer_solve, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Gemm, 1, 3, 3, 1, 1, import_gemm)
    ONRI_OP(ai_onnx, Gemm, 11, 2, 3, 1, 1, import_gemm)
    ONRI_OP(ai_onnx, MatMul, 1, 2, 2, 1, 1, import_matmul)
    ONRI_OP(ai_onnx, MatMulInteger, 10, 2, 4, 1, 1, import_matmul_integer)
    ONRI_OP(ai_onnx, QLinearMatMul, 10, 8, 8, 1, 1, import_qlinear_matmul)
    ONRI_OP(ai_onnx, Einsum, 12, 1, ONR_VARIADIC, 1, 1, import_einsum)
    ONRI_OP(ai_onnx, Det, 11, 1, 1, 1, 1, import_det)
    ONRI_OP(com_microsoft, Solve, 1, 2, 2, 1, 1, import_solve)
    ONRI_OP(com_microsoft, Inverse, 1, 1, 1, 1, 1, import_inverse)
};
/* clang-format on */
const struct onri_op_table onri_ops_dense = ONRI_OP_TABLE(operators);
