/* rows_elementwise.c: functions of elements, and quantization. */
#include <math.h>
#include <string.h>

#include "onnx/write/spell.h"

/* --- unary --- */

static const struct {
  const char *op;
  int16_t since;
  const char *alpha, *beta; /* the attributes that they are */
} unary_ops[ONR_NUM_UNARY] = {
    [ONR_UNARY_ABS] = {"Abs", 13, NULL, NULL},
    [ONR_UNARY_NEG] = {"Neg", 13, NULL, NULL},
    [ONR_UNARY_SIGN] = {"Sign", 13, NULL, NULL},
    [ONR_UNARY_CEIL] = {"Ceil", 13, NULL, NULL},
    [ONR_UNARY_FLOOR] = {"Floor", 13, NULL, NULL},
    [ONR_UNARY_ROUND] = {"Round", 11, NULL, NULL},
    [ONR_UNARY_SQRT] = {"Sqrt", 13, NULL, NULL},
    [ONR_UNARY_RECIPROCAL] = {"Reciprocal", 13, NULL, NULL},
    [ONR_UNARY_EXP] = {"Exp", 13, NULL, NULL},
    [ONR_UNARY_LOG] = {"Log", 13, NULL, NULL},
    [ONR_UNARY_SIN] = {"Sin", 7, NULL, NULL},
    [ONR_UNARY_COS] = {"Cos", 7, NULL, NULL},
    [ONR_UNARY_TAN] = {"Tan", 7, NULL, NULL},
    [ONR_UNARY_ASIN] = {"Asin", 7, NULL, NULL},
    [ONR_UNARY_ACOS] = {"Acos", 7, NULL, NULL},
    [ONR_UNARY_ATAN] = {"Atan", 7, NULL, NULL},
    [ONR_UNARY_SINH] = {"Sinh", 9, NULL, NULL},
    [ONR_UNARY_COSH] = {"Cosh", 9, NULL, NULL},
    [ONR_UNARY_TANH] = {"Tanh", 13, NULL, NULL},
    [ONR_UNARY_ASINH] = {"Asinh", 9, NULL, NULL},
    [ONR_UNARY_ACOSH] = {"Acosh", 9, NULL, NULL},
    [ONR_UNARY_ATANH] = {"Atanh", 9, NULL, NULL},
    [ONR_UNARY_ERF] = {"Erf", 13, NULL, NULL},
    [ONR_UNARY_SIGMOID] = {"Sigmoid", 13, NULL, NULL},
    [ONR_UNARY_RELU] = {"Relu", 14, NULL, NULL},
    [ONR_UNARY_LEAKY_RELU] = {"LeakyRelu", 16, "alpha", NULL},
    [ONR_UNARY_ELU] = {"Elu", 6, "alpha", NULL},
    [ONR_UNARY_CELU] = {"Celu", 12, "alpha", NULL},
    [ONR_UNARY_SELU] = {"Selu", 6, "alpha", "gamma"},
    [ONR_UNARY_HARD_SIGMOID] = {"HardSigmoid", 6, "alpha", "beta"},
    [ONR_UNARY_SOFTPLUS] = {"Softplus", 1, NULL, NULL},
    [ONR_UNARY_SOFTSIGN] = {"Softsign", 1, NULL, NULL},
    [ONR_UNARY_THRESHOLDED_RELU] = {"ThresholdedRelu", 10, "alpha", NULL},
    [ONR_UNARY_GELU] = {"Gelu", 20, NULL, NULL},
    [ONR_UNARY_MISH] = {"Mish", 18, NULL, NULL},
    [ONR_UNARY_SHRINK] = {"Shrink", 9, "lambd", "bias"},
    [ONR_UNARY_NOT] = {"Not", 1, NULL, NULL},
    [ONR_UNARY_BITWISE_NOT] = {"BitwiseNot", 18, NULL, NULL},
    [ONR_UNARY_IS_NAN] = {"IsNaN", 13, NULL, NULL},
};

static const char *no_number(void) { return "the type of its input is not known"; }

static void say_gelu_tanh(struct onri_spell *s) {
  onri_say_begin(s, NULL, "Gelu", 20);
  onri_say_operands(s);
  onri_say_text(s, "approximate", "tanh", 4);
  onri_say_end(s);
}

static void say_is_inf(struct onri_spell *s, const struct onr_unary_params *p) {
  onri_say_begin(s, NULL, "IsInf", 10);
  onri_say_operands(s);
  onri_say_int(s, "detect_negative", p->alpha != 0.0f);
  onri_say_int(s, "detect_positive", p->beta != 0.0f);
  onri_say_end(s);
}

/* x sigmoid(alpha x), which all versions know. */
static const char *say_swish(struct onri_spell *s, const struct onr_unary_params *p) {
  const char *product[2] = {onri_say_input(s, 0), onri_say_temp(s)}, *gate = product[0];
  if (p->alpha != 1.0f) {
    const char *scaled[2] = {gate, onri_say_number(s, (double)p->alpha)};
    if (!scaled[1]) return no_number();
    gate = onri_say_temp(s);
    onri_say_node(s, "Mul", 14, scaled, 2, gate);
  }
  onri_say_node(s, "Sigmoid", 13, &gate, 1, product[1]);
  onri_say_node(s, "Mul", 14, product, 2, onri_say_output(s, 0));
  return NULL;
}

/* The operator has fixed numbers. */
static const char *say_hard_swish(struct onri_spell *s, const struct onr_unary_params *p) {
  const char *product[2] = {onri_say_input(s, 0), NULL};
  if (fabsf(p->alpha - 1.0f / 6.0f) < 1e-7f && p->beta == 0.5f) {
    onri_say_node(s, "HardSwish", 14, product, 1, onri_say_output(s, 0));
    return NULL;
  }
  product[1] = onri_say_temp(s);
  onri_say_begin(s, NULL, "HardSigmoid", 6);
  onri_say_in(s, product[0]);
  onri_say_out(s, product[1]);
  onri_say_float(s, "alpha", p->alpha);
  onri_say_float(s, "beta", p->beta);
  onri_say_end(s);
  onri_say_node(s, "Mul", 14, product, 2, onri_say_output(s, 0));
  return NULL;
}

static const char *say_clip(struct onri_spell *s, const struct onr_unary_params *p) {
  const char *in[3] = {onri_say_input(s, 0), NULL, NULL};
  if (p->alpha > -INFINITY && !(in[1] = onri_say_number(s, (double)p->alpha))) return no_number();
  if (p->beta < INFINITY && !(in[2] = onri_say_number(s, (double)p->beta))) return no_number();
  onri_say_node(s, "Clip", 13, in, in[2] ? 3 : in[1] ? 2 : 1, onri_say_output(s, 0));
  return NULL;
}

static const char *say_affine(struct onri_spell *s, const struct onr_unary_params *p) {
  const char *product[2] = {onri_say_input(s, 0), onri_say_number(s, (double)p->alpha)};
  const char *sum[2] = {onri_say_temp(s), onri_say_number(s, (double)p->beta)};
  if (!product[1] || !sum[1]) return no_number();
  onri_say_node(s, "Mul", 14, product, 2, sum[0]);
  onri_say_node(s, "Add", 14, sum, 2, onri_say_output(s, 0));
  return NULL;
}

static void say_square(struct onri_spell *s) {
  const char *const in[2] = {onri_say_input(s, 0), onri_say_input(s, 0)};
  onri_say_node(s, "Mul", 14, in, 2, onri_say_output(s, 0));
}

static const char *say_unary(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_unary_params *p = s->node->params;
  (void)row;
  switch (p->op) {
    case ONR_UNARY_GELU_TANH: say_gelu_tanh(s); return NULL;
    case ONR_UNARY_IS_INF: say_is_inf(s, p); return NULL;
    case ONR_UNARY_SQUARE: say_square(s); return NULL;
    case ONR_UNARY_SWISH: return say_swish(s, p);
    case ONR_UNARY_HARD_SWISH: return say_hard_swish(s, p);
    case ONR_UNARY_CLIP: return say_clip(s, p);
    case ONR_UNARY_AFFINE: return say_affine(s, p);
    default: break;
  }
  onri_say_begin(s, NULL, unary_ops[p->op].op, unary_ops[p->op].since);
  onri_say_operands(s);
  if (unary_ops[p->op].alpha) onri_say_float(s, unary_ops[p->op].alpha, p->alpha);
  if (unary_ops[p->op].beta) onri_say_float(s, unary_ops[p->op].beta, p->beta);
  onri_say_end(s);
  return NULL;
}

/* --- binary --- */

static const struct {
  const char *op;
  int16_t since;
} binary_ops[ONR_NUM_BINARY] = {
    [ONR_BINARY_ADD] = {"Add", 14},
    [ONR_BINARY_SUB] = {"Sub", 14},
    [ONR_BINARY_MUL] = {"Mul", 14},
    [ONR_BINARY_DIV] = {"Div", 14},
    [ONR_BINARY_POW] = {"Pow", 15},
    [ONR_BINARY_MOD] = {"Mod", 13},
    [ONR_BINARY_FMOD] = {"Mod", 13},
    [ONR_BINARY_MIN] = {"Min", 13},
    [ONR_BINARY_MAX] = {"Max", 13},
    [ONR_BINARY_PRELU] = {"PRelu", 16},
    [ONR_BINARY_EQUAL] = {"Equal", 13},
    [ONR_BINARY_LESS] = {"Less", 13},
    [ONR_BINARY_GREATER] = {"Greater", 13},
    [ONR_BINARY_LESS_OR_EQUAL] = {"LessOrEqual", 16},
    [ONR_BINARY_GREATER_OR_EQUAL] = {"GreaterOrEqual", 16},
    [ONR_BINARY_AND] = {"And", 7},
    [ONR_BINARY_OR] = {"Or", 7},
    [ONR_BINARY_XOR] = {"Xor", 7},
    [ONR_BINARY_BITWISE_AND] = {"BitwiseAnd", 18},
    [ONR_BINARY_BITWISE_OR] = {"BitwiseOr", 18},
    [ONR_BINARY_BITWISE_XOR] = {"BitwiseXor", 18},
    [ONR_BINARY_SHIFT_LEFT] = {"BitShift", 11},
    [ONR_BINARY_SHIFT_RIGHT] = {"BitShift", 11},
};

static const char *say_binary(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_binary_params *p = s->node->params;
  const char *why = onri_fields_check(s, row);
  if (why) return why;
  onri_say_begin(s, NULL, binary_ops[p->op].op, binary_ops[p->op].since);
  onri_say_operands(s);
  if (p->op == ONR_BINARY_FMOD) onri_say_int(s, "fmod", 1);
  if (p->op == ONR_BINARY_SHIFT_LEFT) onri_say_text(s, "direction", "LEFT", 4);
  if (p->op == ONR_BINARY_SHIFT_RIGHT) onri_say_text(s, "direction", "RIGHT", 5);
  onri_say_end(s);
  return NULL;
}

/* ai.onnx knows narrow and 16-bit integers since 21, com.microsoft before. */
static const char *say_quantize(struct onri_spell *s, const struct onri_spelling *row) {
  static const uint32_t first = ONRI_DTYPES_8BIT | ONRI_DTYPE_BIT(ONR_DTYPE_I32) | ONRI_DTYPES_FLOAT;
  for (int32_t i = 0; i < s->node->num_in; i++)
    if (onri_say_input(s, i) && !onri_dtype_in(first, s->graph->values[s->node->in[i]].desc.dtype))
      onri_write_need(s->file, 21);
  return onri_say_row(s, row);
}

/* Dimensions of 1 behind x, as many as like has behind them. */
static const char *say_align(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_align_params *p = s->node->params;
  const struct onr_desc *x = &s->graph->values[s->node->in[0]].desc, *like = &s->graph->values[s->node->in[1]].desc;
  const int32_t axis = p->axis < 0 ? p->axis + like->rank : p->axis, behind = like->rank - axis - x->rank;
  const char *in[2] = {onri_say_input(s, 0), NULL};
  int64_t axes[ONR_MAX_RANK];
  (void)row;
  if (x->rank < 0 || like->rank < 0 || axis < 0 || behind < 0) return "the ranks of its inputs are not known";
  for (int32_t i = 0; i < behind; i++) axes[i] = x->rank + i;
  in[1] = onri_say_list(s, axes, (size_t)behind);
  onri_say_node(s, "Unsqueeze", 13, in, 2, onri_say_output(s, 0));
  return NULL;
}

/* --- the rows --- */

static const struct onri_field binary[] = {
    ONRI_ONLY_ZERO("it bounds its result", struct onr_binary_params, clamp),
};

static const char *const roundings[] = {"up", "down", "nearest", NULL}; /* enum onr_cast_rounding */
static const struct onri_field cast[] = {
    ONRI_ATTRIBUTE("to", INT32, struct onr_cast_params, to),
    ONRI_ATTRIBUTE_SINCE("saturate", NOT, struct onr_cast_params, unsaturated, 19),
    {.name = "round_mode",
     .kind = ONRI_FIELD_CHOICE,
     .at = offsetof(struct onr_cast_params, rounding),
     .since = 24,
     .texts = roundings},
};
static const struct onri_field quantize[] = {
    ONRI_ATTRIBUTE("axis", INT64, struct onr_quantize_params, axis),
    ONRI_ATTRIBUTE_SINCE("block_size", INT64, struct onr_quantize_params, block_size, 21),
    ONRI_ATTRIBUTE_SINCE("output_dtype", INT32, struct onr_quantize_params, output_dtype, 21),
    ONRI_ATTRIBUTE_SINCE("precision", INT32, struct onr_quantize_params, precision, 23),
    ONRI_ATTRIBUTE_SINCE("saturate", NOT, struct onr_quantize_params, unsaturated, 19),
};
static const struct onri_field dequantize[] = {
    ONRI_ATTRIBUTE("axis", INT64, struct onr_quantize_params, axis),
    ONRI_ATTRIBUTE_SINCE("block_size", INT64, struct onr_quantize_params, block_size, 21),
    ONRI_ATTRIBUTE_SINCE("output_dtype", INT32, struct onr_quantize_params, output_dtype, 23),
};

static const struct onri_spelling rows[] = {
    {.layer = &onri_layer_align, .say = say_align},
    {.layer = &onri_layer_unary, .say = say_unary},
    {.layer = &onri_layer_binary, .say = say_binary, ONRI_FIELDS(binary)},
    {.layer = &onri_layer_where, .op = "Where", .since = 16},
    {.layer = &onri_layer_clip, .op = "Clip", .since = 13},
    {.layer = &onri_layer_cast, .op = "Cast", .since = 13, ONRI_FIELDS(cast)},
    {.layer = &onri_layer_cast_like,
     .op = "CastLike",
     .since = 15,
     .fields = cast + 1, /* all but "to" */
     .num_fields = sizeof(cast) / sizeof(cast[0]) - 1},
    {.layer = &onri_layer_quantize_linear,
     .op = "QuantizeLinear",
     .since = 13,
     ONRI_FIELDS(quantize),
     .say = say_quantize},
    {.layer = &onri_layer_dequantize_linear,
     .op = "DequantizeLinear",
     .since = 13,
     ONRI_FIELDS(dequantize),
     .say = say_quantize},
    {.layer = &onri_layer_dynamic_quantize_linear, .op = "DynamicQuantizeLinear", .since = 11},
};
const struct onri_spellings onri_rows_elementwise = {rows, sizeof(rows) / sizeof(rows[0])};
