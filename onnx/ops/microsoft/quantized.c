/* quantized.c: com.microsoft's quantised ops. Element-wise ones and pools compute in float32, as the
 * reference does; products are exact in int32. */
#include "base/numbers/checked.h"
#include "onnx/ops/ai_onnx/conv.h"
#include "onnx/ops/microsoft/common.h"

/* Output 0 = quantised x. Without a zero point it is 0 of the type of input `like`, whose own zero point is like_zero.
 */
static enum onr_status quantize(const struct onr_node *node, int32_t x, int32_t scale, int32_t zero, int32_t like,
                                int32_t like_zero) {
  struct onr_quantize_params params = {.axis = 0};
  if (zero == ONRI_NONE && like_zero != ONRI_NONE) zero = onri_make_binary(node, ONR_BINARY_SUB, like_zero, like_zero);
  if (zero == ONRI_NONE) params.output_dtype = node->graph->values[like].desc.dtype;
  return onri_emit_with(node, &onri_layer_quantize_linear, &params, (int32_t[]){x, scale, zero},
                        zero == ONRI_NONE ? 2 : 3, node->out, 1);
}

/* --- element by element. Inputs a, a_scale, a_zero, b, b_scale, b_zero, c_scale, c_zero --- */

static enum onr_status qlinear_binary(const struct onr_node *node, enum onr_binary op) {
  const int32_t a = onri_make_dequantize(node, onri_in(node, 0), onri_in(node, 1), onri_in(node, 2));
  const int32_t b = onri_make_dequantize(node, onri_in(node, 3), onri_in(node, 4), onri_in(node, 5));
  return quantize(node, onri_make_binary(node, op, a, b), onri_in(node, 6), onri_in(node, 7), onri_in(node, 0),
                  onri_in(node, 2));
}

static enum onr_status import_qlinear_add(const struct onr_node *node) { return qlinear_binary(node, ONR_BINARY_ADD); }
static enum onr_status import_qlinear_mul(const struct onr_node *node) { return qlinear_binary(node, ONR_BINARY_MUL); }

/* --- one operand: x, x_scale, x_zero, y_scale, y_zero --- */

static enum onr_status qlinear(const struct onr_node *node, const struct onr_layer *layer, const void *params) {
  const int32_t x = onri_make_dequantize(node, onri_in(node, 0), onri_in(node, 1), onri_in(node, 2));
  const int32_t y = onri_make(node, layer, params, &x, 1);
  return quantize(node, y, onri_in(node, 3), onri_in(node, 4), onri_in(node, 0), onri_in(node, 2));
}

static enum onr_status import_qlinear_sigmoid(const struct onr_node *node) {
  return qlinear(node, &onri_layer_unary, &(struct onr_unary_params){.op = ONR_UNARY_SIGMOID});
}

static enum onr_status import_qlinear_leaky_relu(const struct onr_node *node) {
  const struct onr_unary_params params = {.op = ONR_UNARY_LEAKY_RELU, .alpha = onri_attr_float(node, "alpha", 0.01f)};
  return qlinear(node, &onri_layer_unary, &params);
}

/* `opset` is that of the Softmax which was quantised. */
static enum onr_status import_qlinear_softmax(const struct onr_node *node) {
  const struct onr_softmax_params params = {.axis = onri_attr_int(node, "axis", -1),
                                            .flatten = onri_attr_int(node, "opset", 13) < 13};
  return qlinear(node, &onri_layer_softmax, &params);
}

static enum onr_status import_qlinear_average_pool(const struct onr_node *node) {
  struct onr_pool_params p = {.ceil_mode = onri_attr_int32(node, "ceil_mode", 0, 0, 1),
                              .may_be_empty = 1,
                              .count_include_pad = onri_attr_int32(node, "count_include_pad", 0, 0, 1),
                              .channels_last = onri_attr_int32(node, "channels_last", 0, 0, 1)};
  ONR_TRY(onri_import_window(node, &p.window));
  if (p.window.kernel[0] == 0) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "kernel_shape is required");
  /* Windows that ceil_mode lets reach beyond the padding count whole, as in ONNX Runtime. */
  p.divisor = p.count_include_pad;
  for (int32_t i = 0; i < p.window.rank; i++)
    if (!onri_mul_i64(p.divisor, p.window.kernel[i], &p.divisor))
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "kernel_shape is too large");
  return qlinear(node, &onri_layer_average_pool, &p);
}

static enum onr_status import_qlinear_global_average_pool(const struct onr_node *node) {
  const struct onr_global_pool_params p = {.channels_last = onri_attr_int32(node, "channels_last", 0, 0, 1)};
  return qlinear(node, &onri_layer_global_average_pool, &p);
}

/* Inputs condition, x, x_scale, x_zero, y, y_scale, y_zero, z_scale, z_zero. */
static enum onr_status import_qlinear_where(const struct onr_node *node) {
  const int32_t in[] = {onri_in(node, 0),
                        onri_make_dequantize(node, onri_in(node, 1), onri_in(node, 2), onri_in(node, 3)),
                        onri_make_dequantize(node, onri_in(node, 4), onri_in(node, 5), onri_in(node, 6))};
  return quantize(node, onri_make(node, &onri_layer_where, NULL, in, 3), onri_in(node, 7), onri_in(node, 8),
                  onri_in(node, 1), onri_in(node, 3));
}

/* Inputs y_scale, y_zero, then x, x_scale, x_zero of each part. */
static enum onr_status import_qlinear_concat(const struct onr_node *node) {
  const struct onr_concat_params params = {.axis = onri_attr_int(node, "axis", 0)};
  const size_t parts = (size_t)(node->num_in - 2) / 3;
  int32_t *x = onri_arena_allocate(&node->graph->arena, parts * sizeof(*x));
  if (!x) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for the inputs of a node");
  if (node->num_in % 3 != 2)
    return onr_fail(node->error, ONR_STATUS_ARITY, "%d inputs, expected 2 and 3 a part", (int)node->num_in);
  for (size_t i = 0; i < parts; i++) {
    const int32_t *part = node->in + 2 + 3 * i;
    if (part[0] == ONRI_NONE || part[1] == ONRI_NONE)
      return onr_fail(node->error, ONR_STATUS_ARITY, "part %zu or its scale is omitted", i);
    x[i] = onri_make_dequantize(node, part[0], part[1], part[2]);
  }
  return quantize(node, onri_make(node, &onri_layer_concat, &params, x, parts), onri_in(node, 0), onri_in(node, 1),
                  node->in[2], node->in[4]);
}

/* --- products --- */

static int32_t turned(const struct onr_node *node, int32_t x, const char *flag) {
  const struct onr_transpose_params reverse = {.rank = 0};
  return onri_attr_int(node, flag, 0) ? onri_make(node, &onri_layer_transpose, &reverse, &x, 1) : x;
}

static enum onr_status quantised_gemm(const struct onr_node *node, float alpha) {
  const int32_t a_scale = onri_in(node, 1), a_zero = onri_in(node, 2);
  int32_t y_zero = onri_in(node, 8);
  if (y_zero == ONRI_NONE) y_zero = onri_make_binary(node, ONR_BINARY_SUB, a_zero, a_zero);
  const int32_t in[] = {
      turned(node, onri_in(node, 0), "transA"),
      alpha == 1.0f ? a_scale : onri_make_binary(node, ONR_BINARY_MUL, a_scale, onri_const_float(node, alpha)),
      a_zero,
      turned(node, onri_in(node, 3), "transB"),
      onri_in(node, 4),
      onri_in(node, 5),
      onri_in(node, 7),
      y_zero,
      onri_in(node, 6)};
  return onri_emit_with(node, &onri_layer_qlinear_matmul, NULL, in, in[8] == ONRI_NONE ? 8 : 9, node->out, 1);
}

/* Inputs a, a_scale, a_zero, b, b_scale, b_zero, c (optional, int32 in the scale of the product), y_scale (optional:
 * else Y is float32), y_zero. */
static enum onr_status import_qgemm(const struct onr_node *node) {
  const struct onr_binary_params mul = {.op = ONR_BINARY_MUL};
  const float alpha = onri_attr_float(node, "alpha", 1.0f);
  if (onri_in(node, 7) != ONRI_NONE && onri_in(node, 2) != ONRI_NONE && onri_in(node, 5) != ONRI_NONE)
    return quantised_gemm(node, alpha);
  const int32_t operands[] = {turned(node, onri_in(node, 0), "transA"), turned(node, onri_in(node, 3), "transB"),
                              onri_in(node, 2), onri_in(node, 5)};
  int32_t product = onri_make(node, &onri_layer_matmul_integer, NULL, operands, 4);
  int32_t scale = onri_make_binary(node, ONR_BINARY_MUL, onri_in(node, 1), onri_in(node, 4));
  if (alpha != 1.0f) scale = onri_make_binary(node, ONR_BINARY_MUL, scale, onri_const_float(node, alpha));
  if (onri_in(node, 6) != ONRI_NONE) product = onri_make_binary(node, ONR_BINARY_ADD, product, onri_in(node, 6));
  product = onri_make_cast(node, product, ONR_DTYPE_F32);
  if (onri_in(node, 7) == ONRI_NONE)
    return onri_emit_with(node, &onri_layer_binary, &mul, (int32_t[]){product, scale}, 2, node->out, 1);
  return quantize(node, onri_make_binary(node, ONR_BINARY_MUL, product, scale), onri_in(node, 7), onri_in(node, 8),
                  onri_in(node, 0), onri_in(node, 2));
}

/* Inputs a, b, a_scale, b_scale, a_zero, b_zero, bias. */
static enum onr_status import_matmul_integer_to_float(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_matmul_integer_real, NULL);
}

/* Inputs a (float32), b, b_scale, b_zero, bias. */
static enum onr_status import_dynamic_quantize_matmul(const struct onr_node *node) {
  const int32_t a[3] = {onri_temp(node), onri_temp(node), onri_temp(node)}; /* values, scale, zero point */
  const int32_t operands[] = {a[0], onri_in(node, 1), a[1], onri_in(node, 2), a[2], onri_in(node, 3), onri_in(node, 4)};
  ONR_TRY(onri_emit_with(node, &onri_layer_dynamic_quantize_linear, NULL, node->in, 1, a, 3));
  return onri_emit_with(node, &onri_layer_matmul_integer_real, NULL, operands, 7, node->out, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(com_microsoft, QLinearAdd, 1, 2, 8, 1, 1, import_qlinear_add)
    ONRI_OP(com_microsoft, QLinearMul, 1, 2, 8, 1, 1, import_qlinear_mul)
    ONRI_OP(com_microsoft, QLinearSigmoid, 1, 2, 5, 1, 1, import_qlinear_sigmoid)
    ONRI_OP(com_microsoft, QLinearLeakyRelu, 1, 2, 5, 1, 1, import_qlinear_leaky_relu)
    ONRI_OP(com_microsoft, QLinearSoftmax, 1, 2, 5, 1, 1, import_qlinear_softmax)
    ONRI_OP(com_microsoft, QLinearAveragePool, 1, 2, 5, 1, 1, import_qlinear_average_pool)
    ONRI_OP(com_microsoft, QLinearGlobalAveragePool, 1, 5, 5, 1, 1, import_qlinear_global_average_pool)
    ONRI_OP(com_microsoft, QLinearConcat, 1, 3, ONR_VARIADIC, 1, 1, import_qlinear_concat)
    ONRI_OP(com_microsoft, QLinearWhere, 1, 9, 9, 1, 1, import_qlinear_where)
    ONRI_OP(com_microsoft, QGemm, 1, 6, 9, 1, 1, import_qgemm)
    ONRI_OP(com_microsoft, MatMulIntegerToFloat, 1, 4, 7, 1, 1, import_matmul_integer_to_float)
    ONRI_OP(com_microsoft, DynamicQuantizeMatMul, 1, 3, 5, 1, 1, import_dynamic_quantize_matmul)
};
/* clang-format on */
const struct onri_op_table onri_ops_microsoft_quantized = ONRI_OP_TABLE(operators);
