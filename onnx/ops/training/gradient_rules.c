/* gradient_rules.c: what one node passes on to its inputs. Element-wise ones are formulas, the others functions. */
#include <string.h>

#include "onnx/ops/training/gradient.h"

struct rule_input {
  struct onri_tape *tape;
  const struct onri_node *forward;
  int32_t a, b, y, g; /* inputs 0 and 1, output, its gradient */
};

/* --- formulas, in postfix notation: a b y g are values, k is the parameter alpha --- */

static const struct {
  char letter;
  enum onr_unary op;
} functions[] = {
    {'N', ONR_UNARY_NEG},  {'S', ONR_UNARY_SIGN}, {'A', ONR_UNARY_ABS},     {'Q', ONR_UNARY_SQRT},
    {'E', ONR_UNARY_EXP},  {'L', ONR_UNARY_LOG},  {'I', ONR_UNARY_SIN},     {'O', ONR_UNARY_COS},
    {'H', ONR_UNARY_SINH}, {'C', ONR_UNARY_COSH}, {'G', ONR_UNARY_SIGMOID}, {'R', ONR_UNARY_RELU},
};
static const struct {
  char letter;
  enum onr_binary op;
} operators[] = {
    {'+', ONR_BINARY_ADD}, {'-', ONR_BINARY_SUB}, {'*', ONR_BINARY_MUL}, {'/', ONR_BINARY_DIV}, {'^', ONR_BINARY_POW}};
static const struct {
  char letter;
  float value;
} constants[] = {{'1', 1.0f}, {'2', 2.0f}, {'h', 0.5f}, {'p', 1.12837917f /* 2 / sqrt(pi) */}};

/* "": the derivative is 0 wherever there is one. NULL: no rule. As PyTorch does, 0 where the function has a corner. */
static const char *const unary_formulas[ONR_NUM_UNARY] = {
    [ONR_UNARY_ABS] = "gaS*",
    [ONR_UNARY_NEG] = "gN",
    [ONR_UNARY_SIGN] = "",
    [ONR_UNARY_CEIL] = "",
    [ONR_UNARY_FLOOR] = "",
    [ONR_UNARY_ROUND] = "",
    [ONR_UNARY_SQRT] = "gh*y/",
    [ONR_UNARY_RECIPROCAL] = "gyy**N",
    [ONR_UNARY_EXP] = "gy*",
    [ONR_UNARY_LOG] = "ga/",
    [ONR_UNARY_SIN] = "gaO*",
    [ONR_UNARY_COS] = "gaI*N",
    [ONR_UNARY_TAN] = "g1yy*+*",
    [ONR_UNARY_ASIN] = "g1aa*-Q/",
    [ONR_UNARY_ACOS] = "g1aa*-Q/N",
    [ONR_UNARY_ATAN] = "g1aa*+/",
    [ONR_UNARY_SINH] = "gaC*",
    [ONR_UNARY_COSH] = "gaH*",
    [ONR_UNARY_TANH] = "g1yy*-*",
    [ONR_UNARY_ASINH] = "gaa*1+Q/",
    [ONR_UNARY_ACOSH] = "gaa*1-Q/",
    [ONR_UNARY_ATANH] = "g1aa*-/",
    [ONR_UNARY_ERF] = "gaa*NE*p*",
    [ONR_UNARY_SIGMOID] = "gy*1y-*",
    [ONR_UNARY_RELU] = "gyS*",
    [ONR_UNARY_SOFTPLUS] = "gaG*",
    [ONR_UNARY_SQUARE] = "ga*2*",
    [ONR_UNARY_AFFINE] = "gk*",
    [ONR_UNARY_LEAKY_RELU] = "gaRS1k-*k+*",
    [ONR_UNARY_SWISH] = "gka*G*1ka*1ka*G-*+*",
};
/* For a and for b. The logarithm of a base of 0 counts as 0. */
static const char *const binary_formulas[ONR_NUM_BINARY][2] = {
    [ONR_BINARY_ADD] = {"g", "g"},
    [ONR_BINARY_SUB] = {"g", "gN"},
    [ONR_BINARY_MUL] = {"gb*", "ga*"},
    [ONR_BINARY_DIV] = {"gb/", "gy*b/N"},
    [ONR_BINARY_POW] = {"gb*ab1-^*", "gy*a1aSA-+L*"},
};

enum { STACK = 8 };

static int32_t symbol(const struct rule_input *r, char letter, float alpha) {
  switch (letter) {
    case 'a': return r->a;
    case 'b': return r->b;
    case 'y': return r->y;
    case 'g': return r->g;
    case 'k': return onri_tape_scalar(r->tape, alpha, r->g);
    default: break;
  }
  for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
    if (constants[i].letter == letter) return onri_tape_scalar(r->tape, constants[i].value, r->g);
  return ONRI_NONE;
}

/* Applies the function or operator to the values below `top`; how many it took, 0: it is neither. */
static size_t apply(struct onri_tape *tape, char letter, int32_t *top) {
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
    const struct onr_unary_params params = {.op = functions[i].op};
    if (functions[i].letter != letter) continue;
    top[-1] = onri_tape_emit(tape, &onri_layer_unary, &params, top - 1, 1);
    return 1;
  }
  for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
    const struct onr_binary_params params = {.op = operators[i].op};
    if (operators[i].letter != letter) continue;
    top[-2] = onri_tape_emit(tape, &onri_layer_binary, &params, top - 2, 2);
    return 2;
  }
  return 0;
}

static int32_t formula(const struct rule_input *r, const char *text, float alpha) {
  int32_t stack[STACK], *top = stack;
  for (; *text; text++) {
    const size_t taken = apply(r->tape, *text, top);
    if (taken) top -= taken - 1;
    else *top++ = symbol(r, *text, alpha);
  }
  return stack[0];
}

static int unary(const struct rule_input *r) {
  const struct onr_unary_params *p = r->forward->params;
  const char *text = unary_formulas[p->op];
  if (text && *text) onri_tape_add(r->tape, r->forward, 0, formula(r, text, p->alpha));
  return text != NULL;
}

/* A broadcast operand gets the sum over its copies. */
static void add_sum(const struct rule_input *r, int32_t i, int32_t value, int32_t like) {
  onri_tape_add(r->tape, r->forward, i, onri_tape_emit(r->tape, &onri_layer_sum_to, NULL, (int32_t[]){value, like}, 2));
}

static int32_t cast_like(const struct rule_input *r, int32_t value, int32_t like) {
  return onri_tape_emit(r->tape, &onri_layer_cast_like, &(struct onr_cast_params){.to = ONR_DTYPE_NONE},
                        (int32_t[]){value, like}, 2);
}

static int varies(const struct rule_input *r, int32_t i) {
  return i < r->forward->num_in && r->forward->in[i] != ONRI_NONE && r->tape->varies[r->forward->in[i]];
}

static int binary(const struct rule_input *r) {
  const struct onr_binary_params *p = r->forward->params;
  struct rule_input same = *r;
  if (!binary_formulas[p->op][0]) return 0;
  if (p->op == ONR_BINARY_POW) same.b = cast_like(r, r->b, r->a); /* the exponent may have another type */
  for (int32_t i = 0; i < 2; i++)
    if (varies(r, i)) add_sum(r, i, formula(&same, binary_formulas[p->op][i], 0), i == 0 ? r->a : r->b);
  return 1;
}

/* --- matrix products --- */

static int matmul(const struct rule_input *r) {
  const struct onr_matmul_params *p = r->forward->params;
  const struct onr_matmul_params by_a = {.transpose_a = 1}, by_b = {.transpose_b = 1};
  if (p->transpose_a || p->transpose_b || p->scale != 0.0f || r->forward->num_in > 2) return 0;
  if (varies(r, 0)) add_sum(r, 0, onri_tape_emit(r->tape, &onri_layer_matmul, &by_b, (int32_t[]){r->g, r->b}, 2), r->a);
  if (varies(r, 1)) add_sum(r, 1, onri_tape_emit(r->tape, &onri_layer_matmul, &by_a, (int32_t[]){r->a, r->g}, 2), r->b);
  return 1;
}

/* x y, transposed as the flags say, times alpha. */
static int32_t product(const struct rule_input *r, int32_t x, int x_flag, int32_t y, int y_flag, float alpha) {
  const struct onr_gemm_params params = {.alpha = alpha, .transpose_a = x_flag, .transpose_b = y_flag};
  return onri_tape_emit(r->tape, &onri_layer_gemm, &params, (int32_t[]){x, y}, 2);
}

static int gemm(const struct rule_input *r) {
  const struct onr_gemm_params *p = r->forward->params;
  const int ta = p->transpose_a != 0, tb = p->transpose_b != 0;
  if (varies(r, 0))
    onri_tape_add(r->tape, r->forward, 0,
                  ta ? product(r, r->b, tb, r->g, 1, p->alpha) : product(r, r->g, 0, r->b, !tb, p->alpha));
  if (varies(r, 1))
    onri_tape_add(r->tape, r->forward, 1,
                  tb ? product(r, r->g, 1, r->a, ta, p->alpha) : product(r, r->a, !ta, r->g, 0, p->alpha));
  if (varies(r, 2)) add_sum(r, 2, formula(r, "gk*", p->beta), r->tape->now[r->forward->in[2]]);
  return 1;
}

/* --- shapes and reductions --- */

static int32_t shape_of(const struct rule_input *r, int32_t value) {
  return onri_tape_emit(r->tape, &onri_layer_shape, &(struct onr_shape_params){.end = INT64_MAX}, &value, 1);
}

static int32_t reshape_like(const struct rule_input *r, int32_t value, int32_t like) {
  const int32_t in[2] = {value, shape_of(r, like)};
  return onri_tape_emit(r->tape, &onri_layer_reshape, &(struct onr_reshape_params){.allow_zero = 1}, in, 2);
}

static int identity(const struct rule_input *r) { return onri_tape_add(r->tape, r->forward, 0, r->g), 1; }
static int reshape(const struct rule_input *r) {
  return onri_tape_add(r->tape, r->forward, 0, reshape_like(r, r->g, r->a)), 1;
}
static int cast(const struct rule_input *r) {
  return onri_tape_add(r->tape, r->forward, 0, cast_like(r, r->g, r->a)), 1;
}
static int expand(const struct rule_input *r) { return add_sum(r, 0, r->g, r->a), 1; }
static int sum_to(const struct rule_input *r) {
  return onri_tape_add(r->tape, r->forward, 0, onri_tape_stretch(r->tape, r->g, r->a)), 1;
}

static int transpose(const struct rule_input *r) {
  const struct onr_transpose_params *p = r->forward->params;
  struct onr_transpose_params inverse = *p;
  for (int32_t i = 0; i < p->rank; i++) {
    if (p->perm[i] < 0 || p->perm[i] >= p->rank) return 0;
    inverse.perm[p->perm[i]] = i;
  }
  onri_tape_add(r->tape, r->forward, 0, onri_tape_emit(r->tape, &onri_layer_transpose, &inverse, &r->g, 1));
  return 1;
}

static int where(const struct rule_input *r) {
  const int32_t zero = onri_tape_scalar(r->tape, 0.0f, r->g), condition = r->a;
  for (int32_t i = 1; i <= 2; i++) {
    const int32_t in[3] = {condition, i == 1 ? r->g : zero, i == 1 ? zero : r->g};
    if (varies(r, i))
      add_sum(r, i, onri_tape_emit(r->tape, &onri_layer_where, NULL, in, 3), r->tape->now[r->forward->in[i]]);
  }
  return 1;
}

/* A value with the dimensions that the reduction dropped put back as 1. */
static int32_t keep_dims(const struct rule_input *r, int32_t value) {
  struct onr_reduce_params params = *(const struct onr_reduce_params *)r->forward->params;
  const int32_t in[2] = {r->a, r->b};
  if (params.keep_dims) return value;
  params.keep_dims = 1;
  return reshape_like(r, value, onri_tape_emit(r->tape, &onri_layer_reduce, &params, in, r->b != ONRI_NONE ? 2 : 1));
}

static int reduce(const struct rule_input *r) {
  const struct onr_reduce_params *p = r->forward->params;
  struct rule_input sizes = *r;
  if (p->op != ONR_REDUCE_SUM && p->op != ONR_REDUCE_MEAN && p->op != ONR_REDUCE_SUM_SQUARE) return 0;
  int32_t g = onri_tape_stretch(r->tape, keep_dims(r, r->g), r->a);
  sizes.g = g;
  if (p->op == ONR_REDUCE_SUM_SQUARE) g = formula(&sizes, "ga*2*", 0);
  if (p->op == ONR_REDUCE_MEAN) { /* times results, over elements */
    sizes.a = cast_like(r, onri_tape_emit(r->tape, &onri_layer_size, NULL, &r->a, 1), g);
    sizes.b = cast_like(r, onri_tape_emit(r->tape, &onri_layer_size, NULL, &r->y, 1), g);
    g = formula(&sizes, "gba/*", 0);
  }
  onri_tape_add(r->tape, r->forward, 0, g);
  return 1;
}

/* With s = sum over the axis: softmax y (g - s(g y)), log_softmax g - exp(y) s(g). */
static int softmax(const struct rule_input *r) {
  const struct onr_softmax_params *p = r->forward->params;
  const struct onr_reduce_params sum = {.op = ONR_REDUCE_SUM, .keep_dims = 1};
  const int is_log = r->forward->layer == &onri_layer_log_softmax;
  struct rule_input with_sum = *r;
  if (p->flatten) return 0;
  const int32_t in[2] = {is_log ? r->g : formula(r, "gy*", 0), onri_const_ints(r->tape->node, &p->axis, 1)};
  with_sum.b = onri_tape_emit(r->tape, &onri_layer_reduce, &sum, in, 2);
  onri_tape_add(r->tape, r->forward, 0, formula(&with_sum, is_log ? "gyEb*-" : "ygb-*", 0));
  return 1;
}

static const struct {
  const struct onr_layer *layer;
  int (*apply)(const struct rule_input *r); /* 0: no rule for these parameters */
} rules[] = {
    {&onri_layer_unary, unary},         {&onri_layer_binary, binary},     {&onri_layer_matmul, matmul},
    {&onri_layer_gemm, gemm},           {&onri_layer_identity, identity}, {&onri_layer_reshape, reshape},
    {&onri_layer_flatten, reshape},     {&onri_layer_squeeze, reshape},   {&onri_layer_unsqueeze, reshape},
    {&onri_layer_transpose, transpose}, {&onri_layer_expand, expand},     {&onri_layer_sum_to, sum_to},
    {&onri_layer_cast, cast},           {&onri_layer_cast_like, cast},    {&onri_layer_where, where},
    {&onri_layer_reduce, reduce},       {&onri_layer_softmax, softmax},   {&onri_layer_log_softmax, softmax},
};

enum onr_status onri_tape_differentiate(struct onri_tape *tape, const struct onri_node *forward) {
  const int32_t *in = forward->in, *now = tape->now;
  const struct rule_input r = {tape,
                               forward,
                               forward->num_in > 0 && in[0] != ONRI_NONE ? now[in[0]] : ONRI_NONE,
                               forward->num_in > 1 && in[1] != ONRI_NONE ? now[in[1]] : ONRI_NONE,
                               now[forward->out[0]],
                               tape->gradient[forward->out[0]]};
  for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
    if (rules[i].layer == forward->layer && rules[i].apply(&r)) return tape->status;
  return tape->status != ONR_STATUS_OK ? tape->status : onri_tape_no_rule(tape, forward);
}
