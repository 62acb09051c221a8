/* import_dense.c: matrix products. */
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
