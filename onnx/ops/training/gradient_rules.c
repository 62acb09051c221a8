/* gradient_rules.c: what one node passes on to its inputs. Element-wise ones are formulas, the others functions. */
#include "onnx/ops/training/gradient.h"

static int unary(const struct onri_gradient_rule *r) {
  const struct onr_unary_params *p = r->forward->params;
  const char *text = onri_gradient_unary(p->op);
  if (text && *text) onri_tape_add(r->tape, r->forward, 0, onri_gradient_formula(r, text, p->alpha));
  return text != NULL;
}

/* A broadcast operand gets the sum over its copies. */
static void add_sum(const struct onri_gradient_rule *r, int32_t i, int32_t value, int32_t like) {
  onri_tape_add(r->tape, r->forward, i, onri_tape_emit(r->tape, &onri_layer_sum_to, NULL, (int32_t[]){value, like}, 2));
}

static int32_t cast_like(const struct onri_gradient_rule *r, int32_t value, int32_t like) {
  return onri_tape_emit(r->tape, &onri_layer_cast_like, &(struct onr_cast_params){.to = ONR_DTYPE_NONE},
                        (int32_t[]){value, like}, 2);
}

static int varies(const struct onri_gradient_rule *r, int32_t i) {
  return i < r->forward->num_in && r->forward->in[i] != ONRI_NONE && r->tape->varies[r->forward->in[i]];
}

static int binary(const struct onri_gradient_rule *r) {
  const struct onr_binary_params *p = r->forward->params;
  struct onri_gradient_rule same = *r;
  if (!onri_gradient_binary(p->op, 0)) return 0;
  if (p->op == ONR_BINARY_POW) same.b = cast_like(r, r->b, r->a); /* the exponent may have another type */
  for (int32_t i = 0; i < 2; i++)
    if (varies(r, i))
      add_sum(r, i, onri_gradient_formula(&same, onri_gradient_binary(p->op, i), 0), i == 0 ? r->a : r->b);
  return 1;
}

/* --- matrix products --- */

static int matmul(const struct onri_gradient_rule *r) {
  const struct onr_matmul_params *p = r->forward->params;
  const struct onr_matmul_params by_a = {.transpose_a = 1}, by_b = {.transpose_b = 1};
  if (p->transpose_a || p->transpose_b || p->scale != 0.0f || r->forward->num_in > 2) return 0;
  if (varies(r, 0)) add_sum(r, 0, onri_tape_emit(r->tape, &onri_layer_matmul, &by_b, (int32_t[]){r->g, r->b}, 2), r->a);
  if (varies(r, 1)) add_sum(r, 1, onri_tape_emit(r->tape, &onri_layer_matmul, &by_a, (int32_t[]){r->a, r->g}, 2), r->b);
  return 1;
}

/* x y, transposed as the flags say, times alpha. */
static int32_t product(const struct onri_gradient_rule *r, int32_t x, int x_flag, int32_t y, int y_flag, float alpha) {
  const struct onr_gemm_params params = {.alpha = alpha, .transpose_a = x_flag, .transpose_b = y_flag};
  return onri_tape_emit(r->tape, &onri_layer_gemm, &params, (int32_t[]){x, y}, 2);
}

static int gemm(const struct onri_gradient_rule *r) {
  const struct onr_gemm_params *p = r->forward->params;
  const int ta = p->transpose_a != 0, tb = p->transpose_b != 0;
  if (varies(r, 0))
    onri_tape_add(r->tape, r->forward, 0,
                  ta ? product(r, r->b, tb, r->g, 1, p->alpha) : product(r, r->g, 0, r->b, !tb, p->alpha));
  if (varies(r, 1))
    onri_tape_add(r->tape, r->forward, 1,
                  tb ? product(r, r->g, 1, r->a, ta, p->alpha) : product(r, r->a, !ta, r->g, 0, p->alpha));
  if (varies(r, 2)) add_sum(r, 2, onri_gradient_formula(r, "gk*", p->beta), r->tape->now[r->forward->in[2]]);
  return 1;
}

/* --- shapes and reductions --- */

static int32_t shape_of(const struct onri_gradient_rule *r, int32_t value) {
  return onri_tape_emit(r->tape, &onri_layer_shape, &(struct onr_shape_params){.end = INT64_MAX}, &value, 1);
}

static int32_t reshape_like(const struct onri_gradient_rule *r, int32_t value, int32_t like) {
  const int32_t in[2] = {value, shape_of(r, like)};
  return onri_tape_emit(r->tape, &onri_layer_reshape, &(struct onr_reshape_params){.allow_zero = 1}, in, 2);
}

static int identity(const struct onri_gradient_rule *r) { return onri_tape_add(r->tape, r->forward, 0, r->g), 1; }
static int reshape(const struct onri_gradient_rule *r) {
  return onri_tape_add(r->tape, r->forward, 0, reshape_like(r, r->g, r->a)), 1;
}
static int cast(const struct onri_gradient_rule *r) {
  return onri_tape_add(r->tape, r->forward, 0, cast_like(r, r->g, r->a)), 1;
}
static int expand(const struct onri_gradient_rule *r) { return add_sum(r, 0, r->g, r->a), 1; }
static int sum_to(const struct onri_gradient_rule *r) {
  return onri_tape_add(r->tape, r->forward, 0, onri_tape_stretch(r->tape, r->g, r->a)), 1;
}

static int transpose(const struct onri_gradient_rule *r) {
  const struct onr_transpose_params *p = r->forward->params;
  struct onr_transpose_params inverse = *p;
  for (int32_t i = 0; i < p->rank; i++) {
    if (p->perm[i] < 0 || p->perm[i] >= p->rank) return 0;
    inverse.perm[p->perm[i]] = i;
  }
  onri_tape_add(r->tape, r->forward, 0, onri_tape_emit(r->tape, &onri_layer_transpose, &inverse, &r->g, 1));
  return 1;
}

static int where(const struct onri_gradient_rule *r) {
  const int32_t zero = onri_tape_scalar(r->tape, 0.0f, r->g), condition = r->a;
  for (int32_t i = 1; i <= 2; i++) {
    const int32_t in[3] = {condition, i == 1 ? r->g : zero, i == 1 ? zero : r->g};
    if (varies(r, i))
      add_sum(r, i, onri_tape_emit(r->tape, &onri_layer_where, NULL, in, 3), r->tape->now[r->forward->in[i]]);
  }
  return 1;
}

/* A value with the dimensions that the reduction dropped put back as 1. */
static int32_t keep_dims(const struct onri_gradient_rule *r, int32_t value) {
  struct onr_reduce_params params = *(const struct onr_reduce_params *)r->forward->params;
  const int32_t in[2] = {r->a, r->b};
  if (params.keep_dims) return value;
  params.keep_dims = 1;
  return reshape_like(r, value, onri_tape_emit(r->tape, &onri_layer_reduce, &params, in, r->b != ONRI_NONE ? 2 : 1));
}

static int reduce(const struct onri_gradient_rule *r) {
  const struct onr_reduce_params *p = r->forward->params;
  struct onri_gradient_rule sizes = *r;
  if (p->op != ONR_REDUCE_SUM && p->op != ONR_REDUCE_MEAN && p->op != ONR_REDUCE_SUM_SQUARE) return 0;
  int32_t g = onri_tape_stretch(r->tape, keep_dims(r, r->g), r->a);
  sizes.g = g;
  if (p->op == ONR_REDUCE_SUM_SQUARE) g = onri_gradient_formula(&sizes, "ga*2*", 0);
  if (p->op == ONR_REDUCE_MEAN) { /* times results, over elements */
    sizes.a = cast_like(r, onri_tape_emit(r->tape, &onri_layer_size, NULL, &r->a, 1), g);
    sizes.b = cast_like(r, onri_tape_emit(r->tape, &onri_layer_size, NULL, &r->y, 1), g);
    g = onri_gradient_formula(&sizes, "gba/*", 0);
  }
  onri_tape_add(r->tape, r->forward, 0, g);
  return 1;
}

/* With s = sum over the axis: softmax y (g - s(g y)), log_softmax g - exp(y) s(g). */
static int softmax(const struct onri_gradient_rule *r) {
  const struct onr_softmax_params *p = r->forward->params;
  const struct onr_reduce_params sum = {.op = ONR_REDUCE_SUM, .keep_dims = 1};
  const int is_log = r->forward->layer == &onri_layer_log_softmax;
  struct onri_gradient_rule with_sum = *r;
  if (p->flatten) return 0;
  const int32_t in[2] = {is_log ? r->g : onri_gradient_formula(r, "gy*", 0),
                         onri_const_ints(r->tape->node, &p->axis, 1)};
  with_sum.b = onri_tape_emit(r->tape, &onri_layer_reduce, &sum, in, 2);
  onri_tape_add(r->tape, r->forward, 0, onri_gradient_formula(&with_sum, is_log ? "gyEb*-" : "ygb-*", 0));
  return 1;
}

static const struct {
  const struct onr_layer *layer;
  int (*apply)(const struct onri_gradient_rule *r); /* 0: no rule for these parameters */
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
  const struct onri_gradient_rule r = {tape,
                                       forward,
                                       forward->num_in > 0 && in[0] != ONRI_NONE ? now[in[0]] : ONRI_NONE,
                                       forward->num_in > 1 && in[1] != ONRI_NONE ? now[in[1]] : ONRI_NONE,
                                       now[forward->out[0]],
                                       tape->gradient[forward->out[0]]};
  for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
    if (rules[i].layer == forward->layer && rules[i].apply(&r)) return tape->status;
  return tape->status != ONR_STATUS_OK ? tape->status : onri_tape_no_rule(tape, forward);
}
