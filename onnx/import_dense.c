/* import_dense.c: matrix products. */
#include <string.h>

#include "onnx/import.h"

/* Before version 7 the attribute `broadcast` said whether C may be broadcast; the layer always does it. */
enum onr_status onri_import_gemm(const struct onr_node *node) {
  const struct onr_gemm_params params = {
      .alpha = onri_attr_float(node, "alpha", 1.0f),
      .beta = onri_attr_float(node, "beta", 1.0f),
      .transpose_a = onri_attr_int(node, "transA", 0) != 0,
      .transpose_b = onri_attr_int(node, "transB", 0) != 0,
  };
  return onri_emit(node, &onri_layer_gemm, &params);
}

enum onr_status onri_import_matmul(const struct onr_node *node) {
  const struct onr_matmul_params params = {0};
  return onri_emit(node, &onri_layer_matmul, &params);
}

enum onr_status onri_import_matmul_integer(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_matmul_integer, NULL);
}

enum onr_status onri_import_qlinear_matmul(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_qlinear_matmul, NULL);
}

enum onr_status onri_import_einsum(const struct onr_node *node) {
  const struct onri_attribute *equation = onri_attr_find(node, "equation");
  struct onr_einsum_params params = {.equation = ""};
  if (equation == NULL || equation->kind != ONRI_ATTRIBUTE_STRING)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected an equation, found none");
  if (equation->s.length >= ONR_EINSUM_MAX_TEXT || memchr(equation->s.text, 0, equation->s.length) != NULL)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected an equation of fewer than %d characters, found %zu",
                    ONR_EINSUM_MAX_TEXT, equation->s.length);
  memcpy(params.equation, equation->s.text, equation->s.length);
  return onri_emit(node, &onri_layer_einsum, &params);
}

enum onr_status onri_import_det(const struct onr_node *node) { return onri_emit(node, &onri_layer_det, NULL); }

/* As scipy.linalg.solve: `lower` says which half of a symmetric matrix to read, and no matrix is declared symmetric. */
enum onr_status onri_import_solve(const struct onr_node *node) {
  const struct onr_solve_params params = {.transpose_a = onri_attr_int(node, "transposed", 0) != 0};
  return onri_emit(node, &onri_layer_solve, &params);
}

enum onr_status onri_import_inverse(const struct onr_node *node) {
  const struct onr_solve_params params = {0};
  return onri_emit(node, &onri_layer_solve, &params);
}
