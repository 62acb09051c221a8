/* activations.c: SiLU, HardSwish, GELU and Mish in the ways exporters write them out. */
#include <math.h>

#include "passes/match.h"

/* A product, seen as scale x f: x and the one other factor. */
struct gate {
  int32_t x, other;
  double scale;
};

static enum onr_status become(struct onri_rewrite *rw, struct onri_node *node, enum onr_unary op, double alpha,
                              double beta, int32_t x) {
  const struct onr_unary_params params = {.op = op, .alpha = (float)alpha, .beta = (float)beta};
  return onri_rewrite_become(rw, node, &onri_layer_unary, &params, &x, 1);
}

/* x sigmoid(alpha x) */
static int is_swish(const struct onri_rewrite *rw, const struct gate *g, double *alpha) {
  const struct onri_node *sigmoid = onri_match_unary(rw, g->other, ONR_UNARY_SIGMOID);
  return sigmoid && g->scale == 1 && onri_match_scale(rw, sigmoid->in[0], alpha) == g->x;
}

/* y = clip(x + shift, 0, 1 / slope) slope, as clip or hard sigmoid: slope and shift * slope. */
static int is_hard_sigmoid(const struct onri_rewrite *rw, int32_t v, double scale, int32_t *x, double *alpha,
                           double *beta) {
  const struct onri_node *node = onri_match_unary(rw, v, ONR_UNARY_HARD_SIGMOID);
  double low, high;
  if (node && scale == 1) {
    *x = node->in[0];
    *alpha = (double)((const struct onr_unary_params *)node->params)->alpha;
    *beta = (double)((const struct onr_unary_params *)node->params)->beta;
    return 1;
  }
  if (!onri_match_clip(rw, v, x, &low, &high) || low != 0 || !onri_match_near(scale * high, 1)) return 0;
  if (!onri_match_shift(rw, *x, x, beta)) return 0;
  *alpha = scale;
  *beta *= scale;
  return 1;
}

/* v = scale (1 + f(.)) with `f`'s node as the result; also scale + scale f(.). NULL when v is not that. */
static const struct onri_node *match_one_plus(const struct onri_rewrite *rw, int32_t v, enum onr_unary f) {
  int32_t inner;
  double c;
  if (!onri_match_shift(rw, v, &inner, &c) || c != 1) return NULL;
  return onri_match_unary(rw, inner, f);
}

/* x / 2 (1 + erf(x / sqrt 2)) */
static int is_gelu(const struct onri_rewrite *rw, const struct gate *g) {
  const struct onri_node *erf = match_one_plus(rw, g->other, ONR_UNARY_ERF);
  double c;
  return erf && onri_match_near(g->scale, 0.5) && onri_match_scale(rw, erf->in[0], &c) == g->x &&
         onri_match_near(c, sqrt(0.5));
}

static int is_power(const int32_t *factors, size_t count, size_t power, int32_t x) {
  for (size_t i = 0; i < count; i++)
    if (factors[i] != x) return 0;
  return count == power;
}

/* v = x + 0.044715 x^3, or x (1 + 0.044715 x^2), times sqrt(2 / pi) */
static int is_gelu_argument(const struct onri_rewrite *rw, int32_t v, int32_t x) {
  int32_t factors[ONRI_MATCH_FACTORS], inner[ONRI_MATCH_FACTORS];
  double scale, cubic, one;
  const size_t count = onri_match_product(rw, v, factors, &scale);
  if (count < 1 || count > 2 || !onri_match_near(scale, sqrt(0.63661977236758134308))) return 0;
  if (count == 1) {
    const struct onri_node *sum = onri_match_binary(rw, factors[0], ONR_BINARY_ADD);
    for (int side = 0; sum && side < 2; side++)
      if (sum->in[side] == x && is_power(inner, onri_match_product(rw, sum->in[1 - side], inner, &cubic), 3, x) &&
          onri_match_near(cubic, 0.044715))
        return 1;
    return 0;
  }
  const int32_t other = factors[0] == x ? factors[1] : factors[0];
  int32_t square;
  return (factors[0] == x || factors[1] == x) && onri_match_shift(rw, other, &square, &one) && one == 1 &&
         is_power(inner, onri_match_product(rw, square, inner, &cubic), 2, x) && onri_match_near(cubic, 0.044715);
}

static int is_gelu_tanh(const struct onri_rewrite *rw, const struct gate *g) {
  const struct onri_node *tanh = match_one_plus(rw, g->other, ONR_UNARY_TANH);
  return tanh && onri_match_near(g->scale, 0.5) && is_gelu_argument(rw, tanh->in[0], g->x);
}

static int is_mish(const struct onri_rewrite *rw, const struct gate *g) {
  const struct onri_node *tanh = onri_match_unary(rw, g->other, ONR_UNARY_TANH);
  const struct onri_node *softplus = tanh ? onri_match_unary(rw, tanh->in[0], ONR_UNARY_SOFTPLUS) : NULL;
  return softplus && softplus->in[0] == g->x && g->scale == 1;
}

static enum onr_status try_gate(struct onri_rewrite *rw, struct onri_node *node, const struct gate *g) {
  double alpha, beta;
  int32_t x;
  if (rw->uses[g->other] != 1) return ONR_STATUS_OK;
  if (is_swish(rw, g, &alpha)) return become(rw, node, ONR_UNARY_SWISH, alpha, 0, g->x);
  if (is_hard_sigmoid(rw, g->other, g->scale, &x, &alpha, &beta) && x == g->x)
    return become(rw, node, ONR_UNARY_HARD_SWISH, alpha, beta, x);
  if (is_gelu(rw, g)) return become(rw, node, ONR_UNARY_GELU, 0, 0, g->x);
  if (is_gelu_tanh(rw, g)) return become(rw, node, ONR_UNARY_GELU_TANH, 0, 0, g->x);
  if (is_mish(rw, g)) return become(rw, node, ONR_UNARY_MISH, 0, 0, g->x);
  return ONR_STATUS_OK;
}

static enum onr_status product(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  int32_t factors[ONRI_MATCH_FACTORS], x;
  double scale, alpha, beta;
  if ((p->op != ONR_BINARY_MUL && p->op != ONR_BINARY_DIV) || p->clamp.enabled ||
      !onri_match_is_float(rw, node->out[0]))
    return ONR_STATUS_OK;
  const size_t count = onri_match_product(rw, node->out[0], factors, &scale);
  if (count == 1 && rw->uses[factors[0]] == 1 && scale != 1 &&
      is_hard_sigmoid(rw, factors[0], scale, &x, &alpha, &beta))
    return become(rw, node, ONR_UNARY_HARD_SIGMOID, alpha, beta, x);
  if (count != 2) return ONR_STATUS_OK;
  for (int side = 0; side < 2 && node->layer == &onri_layer_binary; side++) {
    const struct gate g = {.x = factors[side], .other = factors[1 - side], .scale = scale};
    ONR_TRY(try_gate(rw, node, &g));
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_activations(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_binary, product}};
  return onri_rewrite_sweep(rw, rules, 1);
}
