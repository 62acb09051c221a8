/* elementwise.c: functions of one, two or more tensors, element by element. */
#include <math.h>

#include "onnx/node/import.h"

/* --- unary: name, function, alpha, beta --- */

#define UNARY(name, function, first, second)                                                                 \
  static enum onr_status import_##name(const struct onr_node *node) {                                        \
    const struct onr_unary_params params = {.op = ONR_UNARY_##function, .alpha = (first), .beta = (second)}; \
    return onri_emit(node, &onri_layer_unary, &params);                                                      \
  }
#define FLOAT(name, default_value) onri_attr_float(node, name, default_value)

UNARY(abs, ABS, 0, 0)
UNARY(neg, NEG, 0, 0)
UNARY(sign, SIGN, 0, 0)
UNARY(ceil, CEIL, 0, 0)
UNARY(floor, FLOOR, 0, 0)
UNARY(round, ROUND, 0, 0)
UNARY(sqrt, SQRT, 0, 0)
UNARY(reciprocal, RECIPROCAL, 0, 0)
UNARY(exp, EXP, 0, 0)
UNARY(log, LOG, 0, 0)
UNARY(sin, SIN, 0, 0)
UNARY(cos, COS, 0, 0)
UNARY(tan, TAN, 0, 0)
UNARY(asin, ASIN, 0, 0)
UNARY(acos, ACOS, 0, 0)
UNARY(atan, ATAN, 0, 0)
UNARY(sinh, SINH, 0, 0)
UNARY(cosh, COSH, 0, 0)
UNARY(tanh, TANH, 0, 0)
UNARY(asinh, ASINH, 0, 0)
UNARY(acosh, ACOSH, 0, 0)
UNARY(atanh, ATANH, 0, 0)
UNARY(erf, ERF, 0, 0)
UNARY(sigmoid, SIGMOID, 0, 0)
UNARY(relu, RELU, 0, 0)
UNARY(leaky_relu, LEAKY_RELU, FLOAT("alpha", 0.01f), 0)
UNARY(elu, ELU, FLOAT("alpha", 1.0f), 0)
UNARY(celu, CELU, FLOAT("alpha", 1.0f), 0)
UNARY(selu_1, SELU, FLOAT("alpha", 1.6732f), FLOAT("gamma", 1.0507f))
UNARY(selu, SELU, FLOAT("alpha", 1.67326319217681884765625f), FLOAT("gamma", 1.05070102214813232421875f))
UNARY(hard_sigmoid, HARD_SIGMOID, FLOAT("alpha", 0.2f), FLOAT("beta", 0.5f))
UNARY(hard_swish, HARD_SWISH, 1.0f / 6.0f, 0.5f)
UNARY(softplus, SOFTPLUS, 0, 0)
UNARY(softsign, SOFTSIGN, 0, 0)
UNARY(thresholded_relu, THRESHOLDED_RELU, FLOAT("alpha", 1.0f), 0)
UNARY(mish, MISH, 0, 0)
UNARY(swish, SWISH, FLOAT("alpha", 1.0f), 0)
UNARY(quick_gelu, SWISH, FLOAT("alpha", 1.702f), 0)
UNARY(erf_gelu, GELU, 0, 0)
UNARY(shrink, SHRINK, FLOAT("lambd", 0.5f), FLOAT("bias", 0.0f))
UNARY(clip_1, CLIP, FLOAT("min", -3.4028234663852886e38f), FLOAT("max", 3.4028234663852886e38f))
UNARY(not, NOT, 0, 0)
UNARY(bitwise_not, BITWISE_NOT, 0, 0)
UNARY(is_nan, IS_NAN, 0, 0)
UNARY(is_inf, IS_INF, onri_attr_int(node, "detect_negative", 1) != 0, onri_attr_int(node, "detect_positive", 1) != 0)

static enum onr_status import_gelu(const struct onr_node *node) {
  static const char *const choices[] = {"none", "tanh", NULL};
  const struct onr_unary_params params = {
      .op = onri_attr_choice(node, "approximate", choices, 0) == 1 ? ONR_UNARY_GELU_TANH : ONR_UNARY_GELU};
  return onri_emit(node, &onri_layer_unary, &params);
}

/* A bound that the file fixes, as float32: 1 and *value (`none` when the input is omitted); 0 when it is not known. */
static int known_bound(const struct onr_node *node, int32_t input, float none, float *value) {
  const int32_t v = onri_in(node, input);
  const struct onri_constant *constant = v == ONRI_NONE ? NULL : node->graph->values[v].constant;
  *value = none;
  if (v == ONRI_NONE) return 1;
  if (!constant || constant->desc.dtype != ONR_DTYPE_F32 || onr_desc_elements(&constant->desc) != 1) return 0;
  const float *data = onri_node_data(node, v);
  if (!data || isnan(*data)) return 0;
  *value = *data;
  return 1;
}

/* With fixed float32 bounds the unary form, which passes know how to fold away. */
static enum onr_status import_clip(const struct onr_node *node) {
  struct onr_unary_params params = {.op = ONR_UNARY_CLIP};
  const int bounded = onri_in(node, 1) != ONRI_NONE || onri_in(node, 2) != ONRI_NONE;
  if (bounded && known_bound(node, 1, -INFINITY, &params.alpha) && known_bound(node, 2, INFINITY, &params.beta))
    return onri_emit_with(node, &onri_layer_unary, &params, node->in, 1, node->out, 1);
  return onri_emit(node, &onri_layer_clip, NULL);
}

/* --- binary --- */

/* y = f(a, b) with b at an axis of a. */
static enum onr_status emit_aligned(const struct onr_node *node, enum onr_binary op, int32_t axis) {
  const struct onr_align_params align = {.axis = axis};
  const struct onr_binary_params params = {.op = op};
  const int32_t in[2] = {onri_in(node, 1), onri_in(node, 0)}, b = onri_temp(node), operands[2] = {in[1], b};
  ONR_TRY(onri_emit_with(node, &onri_layer_align, &align, in, 2, &b, 1));
  return onri_emit_with(node, &onri_layer_binary, &params, operands, 2, node->out, 1);
}

/* Until version 7 broadcasting was asked for, and `axis` could say where b lies in a. */
static enum onr_status import_binary(const struct onr_node *node, enum onr_binary op) {
  const struct onr_binary_params params = {.op = op};
  if (node->opset < 7 && onri_attr_has(node, "axis"))
    return emit_aligned(node, op, onri_attr_int32(node, "axis", 0, -ONR_MAX_RANK, ONR_MAX_RANK));
  return onri_emit(node, &onri_layer_binary, &params);
}

#define BINARY(name, function)                                        \
  static enum onr_status import_##name(const struct onr_node *node) { \
    return import_binary(node, ONR_BINARY_##function);                \
  }

BINARY(add, ADD)
BINARY(sub, SUB)
BINARY(mul, MUL)
BINARY(div, DIV)
BINARY(pow, POW)
BINARY(equal, EQUAL)
BINARY(less, LESS)
BINARY(greater, GREATER)
BINARY(less_or_equal, LESS_OR_EQUAL)
BINARY(greater_or_equal, GREATER_OR_EQUAL)
BINARY(and, AND)
BINARY(or, OR)
BINARY(xor, XOR)
BINARY(bitwise_and, BITWISE_AND)
BINARY(bitwise_or, BITWISE_OR)
BINARY(bitwise_xor, BITWISE_XOR)
BINARY(prelu, PRELU)

/* Before version 7 the slope was one value or one a channel. */
static enum onr_status import_prelu_1(const struct onr_node *node) {
  const int32_t v = onri_in(node, 1);
  const struct onr_desc *slope = v == ONRI_NONE ? NULL : &node->graph->values[v].desc;
  if (slope && slope->rank == 1 && slope->dim[0] != 1) return emit_aligned(node, ONR_BINARY_PRELU, 1);
  return import_binary(node, ONR_BINARY_PRELU);
}

static enum onr_status import_mod(const struct onr_node *node) {
  const struct onr_binary_params params = {.op = onri_attr_int32(node, "fmod", 0, 0, 1) ? ONR_BINARY_FMOD
                                                                                        : ONR_BINARY_MOD};
  return onri_emit(node, &onri_layer_binary, &params);
}

static enum onr_status import_bit_shift(const struct onr_node *node) {
  static const char *const choices[] = {"LEFT", "RIGHT", NULL};
  const int32_t direction = onri_attr_choice(node, "direction", choices, -1);
  const struct onr_binary_params params = {.op = direction == 1 ? ONR_BINARY_SHIFT_RIGHT : ONR_BINARY_SHIFT_LEFT};
  if (direction < 0 && *node->status == ONR_STATUS_OK)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'direction' is missing: expected LEFT or RIGHT");
  return onri_emit(node, &onri_layer_binary, &params);
}

/* --- variadic: a chain of binary ones --- */

static enum onr_status import_chain(const struct onr_node *node, enum onr_binary op, int32_t out) {
  const struct onr_binary_params params = {.op = op};
  int32_t left = node->in[0];
  for (int32_t i = 1; i < node->num_in; i++) {
    const int32_t in[2] = {left, node->in[i]}, result = i + 1 == node->num_in ? out : onri_temp(node);
    ONR_TRY(onri_emit_with(node, &onri_layer_binary, &params, in, 2, &result, 1));
    left = result;
  }
  return ONR_STATUS_OK;
}

static enum onr_status import_variadic(const struct onr_node *node, enum onr_binary op) {
  if (node->num_in == 1) return onri_emit(node, &onri_layer_identity, NULL);
  return import_chain(node, op, node->out[0]);
}

static enum onr_status import_sum(const struct onr_node *node) { return import_variadic(node, ONR_BINARY_ADD); }
static enum onr_status import_min(const struct onr_node *node) { return import_variadic(node, ONR_BINARY_MIN); }
static enum onr_status import_max(const struct onr_node *node) { return import_variadic(node, ONR_BINARY_MAX); }

static enum onr_status import_mean(const struct onr_node *node) {
  const struct onr_binary_params divide = {.op = ONR_BINARY_DIV};
  const struct onr_cast_params cast = {.to = ONR_DTYPE_NONE};
  if (node->num_in == 1) return onri_emit(node, &onri_layer_identity, NULL);
  const int32_t sum = onri_temp(node), count = onri_temp(node);
  const int32_t like[2] = {onri_const_float(node, (float)node->num_in), node->in[0]}, quotient[2] = {sum, count};
  ONR_TRY(import_chain(node, ONR_BINARY_ADD, sum));
  ONR_TRY(onri_emit_with(node, &onri_layer_cast_like, &cast, like, 2, &count, 1));
  return onri_emit_with(node, &onri_layer_binary, &divide, quotient, 2, node->out, 1);
}

/* --- others --- */

static enum onr_status import_where(const struct onr_node *node) { return onri_emit(node, &onri_layer_where, NULL); }

/* Whether input 2 is omitted or a constant false. Before version 7 is_test says it, and is taken for granted. */
static int is_known_inference(const struct onr_node *node) {
  const int32_t training = onri_in(node, 2);
  const struct onri_constant *constant = training == ONRI_NONE ? NULL : node->graph->values[training].constant;
  enum onr_status status = ONR_STATUS_OK;
  if (training == ONRI_NONE) return 1;
  if (!constant || constant->desc.dtype != ONR_DTYPE_BOOL || onr_desc_elements(&constant->desc) != 1) return 0;
  const uint8_t *value = onri_value_data(node->graph, training, &status, node->error);
  return value && !*value;
}

/* Without a mask, and never in training, it is nothing at all. */
static enum onr_status import_dropout(const struct onr_node *node) {
  const struct onr_dropout_params params = {.mask_like_x = node->opset < 10,
                                            .seed = (uint64_t)onri_attr_int(node, "seed", (int64_t)ONR_DEFAULT_SEED)};
  if (onri_out(node, 1) == ONRI_NONE && is_known_inference(node))
    return onri_emit_with(node, &onri_layer_identity, NULL, node->in, 1, node->out, 1);
  return onri_emit(node, &onri_layer_dropout, &params);
}

/* A gate through Swish, times the value: x sigmoid(alpha x) y. */
static enum onr_status import_swiglu(const struct onr_node *node) {
  const struct onr_unary_params swish = {.op = ONR_UNARY_SWISH, .alpha = onri_attr_float(node, "alpha", 1.0f)};
  const struct onr_binary_params mul = {.op = ONR_BINARY_MUL};
  const int32_t gate = onri_temp(node), in[2] = {gate, onri_in(node, 1)};
  ONR_TRY(onri_emit_with(node, &onri_layer_unary, &swish, node->in, 1, &gate, 1));
  return onri_emit_with(node, &onri_layer_binary, &mul, in, 2, node->out, (size_t)node->num_out);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Abs, 1, 1, 1, 1, 1, import_abs)
    ONRI_OP(ai_onnx, Neg, 1, 1, 1, 1, 1, import_neg)
    ONRI_OP(ai_onnx, Ceil, 1, 1, 1, 1, 1, import_ceil)
    ONRI_OP(ai_onnx, Floor, 1, 1, 1, 1, 1, import_floor)
    ONRI_OP(ai_onnx, Round, 11, 1, 1, 1, 1, import_round)
    ONRI_OP(ai_onnx, Sqrt, 1, 1, 1, 1, 1, import_sqrt)
    ONRI_OP(ai_onnx, Reciprocal, 1, 1, 1, 1, 1, import_reciprocal)
    ONRI_OP(ai_onnx, Exp, 1, 1, 1, 1, 1, import_exp)
    ONRI_OP(ai_onnx, Log, 1, 1, 1, 1, 1, import_log)
    ONRI_OP(ai_onnx, Sin, 7, 1, 1, 1, 1, import_sin)
    ONRI_OP(ai_onnx, Cos, 7, 1, 1, 1, 1, import_cos)
    ONRI_OP(ai_onnx, Tan, 7, 1, 1, 1, 1, import_tan)
    ONRI_OP(ai_onnx, Asin, 7, 1, 1, 1, 1, import_asin)
    ONRI_OP(ai_onnx, Acos, 7, 1, 1, 1, 1, import_acos)
    ONRI_OP(ai_onnx, Atan, 7, 1, 1, 1, 1, import_atan)
    ONRI_OP(ai_onnx, Sinh, 9, 1, 1, 1, 1, import_sinh)
    ONRI_OP(ai_onnx, Cosh, 9, 1, 1, 1, 1, import_cosh)
    ONRI_OP(ai_onnx, Tanh, 1, 1, 1, 1, 1, import_tanh)
    ONRI_OP(ai_onnx, Asinh, 9, 1, 1, 1, 1, import_asinh)
    ONRI_OP(ai_onnx, Acosh, 9, 1, 1, 1, 1, import_acosh)
    ONRI_OP(ai_onnx, Atanh, 9, 1, 1, 1, 1, import_atanh)
    ONRI_OP(ai_onnx, Erf, 9, 1, 1, 1, 1, import_erf)
    ONRI_OP(ai_onnx, Sign, 9, 1, 1, 1, 1, import_sign)
    ONRI_OP(ai_onnx, Not, 1, 1, 1, 1, 1, import_not)
    ONRI_OP(ai_onnx, BitwiseNot, 18, 1, 1, 1, 1, import_bitwise_not)
    ONRI_OP(ai_onnx, Relu, 1, 1, 1, 1, 1, import_relu)
    ONRI_OP(ai_onnx, LeakyRelu, 1, 1, 1, 1, 1, import_leaky_relu)
    ONRI_OP(ai_onnx, Elu, 1, 1, 1, 1, 1, import_elu)
    ONRI_OP(ai_onnx, Celu, 12, 1, 1, 1, 1, import_celu)
    ONRI_OP(ai_onnx, Selu, 1, 1, 1, 1, 1, import_selu_1)
    ONRI_OP(ai_onnx, Selu, 6, 1, 1, 1, 1, import_selu)
    ONRI_OP(ai_onnx, Sigmoid, 1, 1, 1, 1, 1, import_sigmoid)
    ONRI_OP(ai_onnx, HardSigmoid, 1, 1, 1, 1, 1, import_hard_sigmoid)
    ONRI_OP(ai_onnx, HardSwish, 14, 1, 1, 1, 1, import_hard_swish)
    ONRI_OP(ai_onnx, Softplus, 1, 1, 1, 1, 1, import_softplus)
    ONRI_OP(ai_onnx, Softsign, 1, 1, 1, 1, 1, import_softsign)
    ONRI_OP(ai_onnx, ThresholdedRelu, 10, 1, 1, 1, 1, import_thresholded_relu)
    ONRI_OP(ai_onnx, Gelu, 20, 1, 1, 1, 1, import_gelu)
    ONRI_OP(ai_onnx, Mish, 18, 1, 1, 1, 1, import_mish)
    ONRI_OP(ai_onnx, Swish, 24, 1, 1, 1, 1, import_swish)
    ONRI_OP(ai_onnx, Shrink, 9, 1, 1, 1, 1, import_shrink)
    ONRI_OP(ai_onnx, Clip, 1, 1, 1, 1, 1, import_clip_1)
    ONRI_OP(ai_onnx, IsNaN, 9, 1, 1, 1, 1, import_is_nan)
    ONRI_OP(ai_onnx, IsInf, 10, 1, 1, 1, 1, import_is_inf)
    ONRI_OP(ai_onnx, Clip, 11, 1, 3, 1, 1, import_clip)
    ONRI_OP(ai_onnx, Dropout, 1, 1, 1, 1, 2, import_dropout)
    ONRI_OP(ai_onnx, Dropout, 12, 1, 3, 1, 2, import_dropout)
    ONRI_OP(ai_onnx, Add, 1, 2, 2, 1, 1, import_add)
    ONRI_OP(ai_onnx, Sub, 1, 2, 2, 1, 1, import_sub)
    ONRI_OP(ai_onnx, Mul, 1, 2, 2, 1, 1, import_mul)
    ONRI_OP(ai_onnx, Div, 1, 2, 2, 1, 1, import_div)
    ONRI_OP(ai_onnx, Pow, 1, 2, 2, 1, 1, import_pow)
    ONRI_OP(ai_onnx, Mod, 10, 2, 2, 1, 1, import_mod)
    ONRI_OP(ai_onnx, Equal, 1, 2, 2, 1, 1, import_equal)
    ONRI_OP(ai_onnx, Less, 1, 2, 2, 1, 1, import_less)
    ONRI_OP(ai_onnx, Greater, 1, 2, 2, 1, 1, import_greater)
    ONRI_OP(ai_onnx, LessOrEqual, 12, 2, 2, 1, 1, import_less_or_equal)
    ONRI_OP(ai_onnx, GreaterOrEqual, 12, 2, 2, 1, 1, import_greater_or_equal)
    ONRI_OP(ai_onnx, And, 1, 2, 2, 1, 1, import_and)
    ONRI_OP(ai_onnx, Or, 1, 2, 2, 1, 1, import_or)
    ONRI_OP(ai_onnx, Xor, 1, 2, 2, 1, 1, import_xor)
    ONRI_OP(ai_onnx, BitwiseAnd, 18, 2, 2, 1, 1, import_bitwise_and)
    ONRI_OP(ai_onnx, BitwiseOr, 18, 2, 2, 1, 1, import_bitwise_or)
    ONRI_OP(ai_onnx, BitwiseXor, 18, 2, 2, 1, 1, import_bitwise_xor)
    ONRI_OP(ai_onnx, BitShift, 11, 2, 2, 1, 1, import_bit_shift)
    ONRI_OP(ai_onnx, PRelu, 1, 2, 2, 1, 1, import_prelu_1)
    ONRI_OP(ai_onnx, PRelu, 7, 2, 2, 1, 1, import_prelu)
    ONRI_OP(ai_onnx, Sum, 1, 1, ONR_VARIADIC, 1, 1, import_sum)
    ONRI_OP(ai_onnx, Mean, 1, 1, ONR_VARIADIC, 1, 1, import_mean)
    ONRI_OP(ai_onnx, Min, 1, 1, ONR_VARIADIC, 1, 1, import_min)
    ONRI_OP(ai_onnx, Max, 1, 1, ONR_VARIADIC, 1, 1, import_max)
    ONRI_OP(ai_onnx, Where, 9, 3, 3, 1, 1, import_where)
    ONRI_OP(com_microsoft, Gelu, 1, 1, 1, 1, 1, import_erf_gelu)
    ONRI_OP(com_microsoft, QuickGelu, 1, 1, 1, 1, 1, import_quick_gelu)
    ONRI_OP(ai_onnx, SwiGLU, 28, 2, 2, 1, 1, import_swiglu)
};
/* clang-format on */
const struct onri_op_table onri_ops_elementwise = ONRI_OP_TABLE(operators);
