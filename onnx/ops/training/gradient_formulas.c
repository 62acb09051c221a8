/* gradient_formulas.c: derivatives of element-wise functions, in postfix notation. */
#include "onnx/ops/training/gradient.h"

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

/* As PyTorch does, 0 where the function has a corner. */
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
/* The logarithm of a base of 0 counts as 0. */
static const char *const binary_formulas[ONR_NUM_BINARY][2] = {
    [ONR_BINARY_ADD] = {"g", "g"},
    [ONR_BINARY_SUB] = {"g", "gN"},
    [ONR_BINARY_MUL] = {"gb*", "ga*"},
    [ONR_BINARY_DIV] = {"gb/", "gy*b/N"},
    [ONR_BINARY_POW] = {"gb*ab1-^*", "gy*a1aSA-+L*"},
};

enum { STACK = 8 };

static int32_t symbol(const struct onri_gradient_rule *r, char letter, float alpha) {
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

int32_t onri_gradient_formula(const struct onri_gradient_rule *r, const char *text, float alpha) {
  int32_t stack[STACK], *top = stack;
  for (; *text; text++) {
    const size_t taken = apply(r->tape, *text, top);
    if (taken) top -= taken - 1;
    else *top++ = symbol(r, *text, alpha);
  }
  return stack[0];
}

const char *onri_gradient_unary(enum onr_unary op) { return unary_formulas[op]; }

const char *onri_gradient_binary(enum onr_binary op, int32_t i) { return binary_formulas[op][i]; }
