/* fuse_elementwise.c: element-wise float32 layers one behind the other become one pass over memory.
 *
 * Runs after the layout pass. A chain grows forwards: a node joins the chain that makes one of its operands when nobody
 * else reads that operand and both have the same shape. */
#include "passes/quantized.h"

/* False of operands that a file leaves out. */
static int is_same_shape(const struct onri_rewrite *rw, int32_t a, int32_t b) {
  if (a == ONRI_NONE || b == ONRI_NONE) return 0;
  const int is_float =
      onri_rewrite_desc(rw, a)->dtype == ONR_DTYPE_F32 && onri_rewrite_desc(rw, b)->dtype == ONR_DTYPE_F32;
  return is_float && onri_rewrite_same_shape(rw, a, b);
}

static int may_chain_unary(const struct onri_rewrite *rw, const struct onri_node *node) {
  const struct onr_unary_params *p = node->params;
  return p->op != ONR_UNARY_IS_NAN && p->op != ONR_UNARY_IS_INF &&
         onri_rewrite_desc(rw, node->in[0])->dtype == ONR_DTYPE_F32 &&
         onri_rewrite_desc(rw, node->out[0])->dtype == ONR_DTYPE_F32;
}

static int may_chain_binary(const struct onri_rewrite *rw, const struct onri_node *node) {
  switch (((const struct onr_binary_params *)node->params)->op) {
    case ONR_BINARY_ADD:
    case ONR_BINARY_SUB:
    case ONR_BINARY_MUL:
    case ONR_BINARY_DIV:
    case ONR_BINARY_POW:
    case ONR_BINARY_MIN:
    case ONR_BINARY_MAX:
    case ONR_BINARY_PRELU: break;
    default: return 0;
  }
  for (int32_t k = 0; k < 2; k++)
    if (onri_rewrite_desc(rw, node->in[k])->dtype != ONR_DTYPE_F32) return 0;
  return onri_rewrite_desc(rw, node->out[0])->dtype == ONR_DTYPE_F32;
}

/* The node as a chain of its own, with its inputs; 0 when it is not of the kind. Input `start` (binary) comes first. */
static int as_chain(const struct onri_rewrite *rw, const struct onri_node *node, int start,
                    struct onr_fused_elementwise_params *chain, int32_t *in, size_t *num_in) {
  struct onr_fused_step *step = &chain->steps[0];
  for (int32_t k = 0; k < node->num_in; k++)
    if (node->in[k] == ONRI_NONE) return 0;
  *chain = (struct onr_fused_elementwise_params){.num_steps = 1};
  if (node->layer == &onri_layer_fused_elementwise) {
    *chain = *(const struct onr_fused_elementwise_params *)node->params;
    for (*num_in = 0; *num_in < (size_t)node->num_in; ++*num_in) in[*num_in] = node->in[*num_in];
    return 1;
  }
  if (node->layer == &onri_layer_unary) {
    const struct onr_unary_params *p = node->params;
    *step = (struct onr_fused_step){.kind = ONR_FUSED_UNARY, .op = (int32_t)p->op, .alpha = p->alpha, .beta = p->beta};
    in[0] = node->in[0];
    *num_in = 1;
    return may_chain_unary(rw, node);
  }
  if (node->layer != &onri_layer_binary || !may_chain_binary(rw, node)) return 0;
  const struct onr_binary_params *p = node->params;
  double c;
  *step = (struct onr_fused_step){.kind = start == 0 ? ONR_FUSED_BINARY : ONR_FUSED_REVERSED,
                                  .op = (int32_t)p->op,
                                  .operand = 1,
                                  .clamp = p->clamp};
  in[0] = node->in[start];
  in[1] = node->in[1 - start];
  *num_in = 2;
  if (onri_rewrite_scalar(rw, in[1], &c) && onri_rewrite_rank(rw, in[1]) <= onri_rewrite_rank(rw, in[0])) {
    step->operand = ONR_FUSED_CONSTANT;
    step->constant = (float)c;
    *num_in = 1;
  } else if (in[0] == in[1]) {
    step->operand = 0;
    *num_in = 1;
  }
  return 1;
}

/* The place of v among the inputs, which it joins when it is new; -1 when there is no room. */
static int32_t place_input(int32_t *in, size_t *num_in, int32_t v) {
  for (size_t i = 0; i < *num_in; i++)
    if (in[i] == v) return (int32_t)i;
  if (*num_in == ONR_FUSED_INPUTS) return -1;
  in[*num_in] = v;
  return (int32_t)(*num_in)++;
}

/* Input `side` of the node is made by a chain, or by what can be one; the node becomes both, one after the other. */
static enum onr_status join(struct onri_rewrite *rw, struct onri_node *node, int side) {
  struct onr_fused_elementwise_params first, second;
  int32_t in[ONR_FUSED_INPUTS], more[ONR_FUSED_INPUTS];
  size_t num_in, num_more;
  const struct onri_node *producer = onri_rewrite_producer(rw, node->in[side]);
  if (!producer || rw->uses[node->in[side]] != 1 || producer->num_out != 1 ||
      !is_same_shape(rw, node->in[side], node->out[0]))
    return ONR_STATUS_OK;
  if (!as_chain(rw, node, side, &second, more, &num_more)) return ONR_STATUS_OK;
  /* A chain starts with the operand that has its shape: the other one is the broadcast one. */
  const int start = producer->layer == &onri_layer_binary && !is_same_shape(rw, producer->in[0], producer->out[0]);
  if (!as_chain(rw, producer, start, &first, in, &num_in) || first.num_steps == ONR_FUSED_STEPS) return ONR_STATUS_OK;
  struct onr_fused_step step = second.steps[0];
  if (step.kind != ONR_FUSED_UNARY && step.operand != ONR_FUSED_CONSTANT) {
    if (num_more < 2) return ONR_STATUS_OK; /* v op v: v is no input of a chain */
    step.operand = place_input(in, &num_in, more[1]);
    if (step.operand < 0) return ONR_STATUS_OK;
  }
  first.steps[first.num_steps++] = step;
  return onri_rewrite_become(rw, node, &onri_layer_fused_elementwise, &first, in, num_in);
}

static enum onr_status unary(struct onri_rewrite *rw, struct onri_node *node) { return join(rw, node, 0); }

/* A binary node joins the chain of its left or its right operand; the other one becomes an input. */
static enum onr_status binary(struct onri_rewrite *rw, struct onri_node *node) {
  ONR_TRY(join(rw, node, 0));
  return node->layer == &onri_layer_binary ? join(rw, node, 1) : ONR_STATUS_OK;
}

/* --- integers around a chain --- */

/* Inputs that are dequantized become bytes. Returns how many. */
static size_t take_bytes(const struct onri_rewrite *rw, struct onr_fused_elementwise_params *chain, int32_t *in,
                         size_t num_in) {
  struct onri_quantised q;
  size_t bytes = 0;
  for (size_t i = 0; i < num_in; i++) bytes += chain->input[i].dtype != ONR_DTYPE_NONE;
  for (size_t i = 0; i < num_in && bytes < ONR_FUSED_BYTES; i++) {
    if (chain->input[i].dtype != ONR_DTYPE_NONE || !onri_match_steps(rw, in[i], &q)) continue;
    chain->input[i] = onri_steps_of_value(&q);
    in[i] = q.x;
    bytes++;
  }
  return bytes;
}

/* The operand that a chain starts with has the shape of the result. */
static int start_of(const struct onri_rewrite *rw, const struct onri_node *node) {
  return node->layer == &onri_layer_binary && !is_same_shape(rw, node->in[0], node->out[0]) &&
         is_same_shape(rw, node->in[1], node->out[0]);
}

/* Integers in other steps. */
static enum onr_status requantize(struct onri_rewrite *rw, struct onri_node *node, const struct onri_quantised *x,
                                  const struct onri_quantised *y) {
  const struct onr_fused_elementwise_params chain = {.input = {onri_steps_of_value(x)},
                                                     .output = onri_steps_of_value(y)};
  return onri_rewrite_become(rw, node, &onri_layer_fused_elementwise, &chain, &x->x, 1);
}

/* quantize_linear of a chain that nobody else reads is its last step. */
static enum onr_status quantize(struct onri_rewrite *rw, struct onri_node *node) {
  struct onr_fused_elementwise_params chain;
  struct onri_quantised x, y;
  int32_t in[ONR_FUSED_INPUTS];
  size_t num_in;
  if (!onri_match_quantize(rw, node, &y)) return ONR_STATUS_OK;
  if (onri_match_steps(rw, y.x, &x)) return requantize(rw, node, &x, &y);
  if (rw->uses[y.x] != 1) return ONR_STATUS_OK;
  const struct onri_node *producer = onri_rewrite_producer(rw, y.x);
  if (!producer || producer->num_out != 1 || !as_chain(rw, producer, start_of(rw, producer), &chain, in, &num_in) ||
      chain.output.dtype != ONR_DTYPE_NONE)
    return ONR_STATUS_OK;
  chain.output = onri_steps_of_value(&y);
  take_bytes(rw, &chain, in, num_in);
  return onri_rewrite_become(rw, node, &onri_layer_fused_elementwise, &chain, in, num_in);
}

/* A chain that was not quantized reads bytes all the same. */
static enum onr_status dequantize(struct onri_rewrite *rw, struct onri_node *node) {
  struct onr_fused_elementwise_params chain;
  int32_t in[ONR_FUSED_INPUTS];
  size_t num_in;
  if (!as_chain(rw, node, start_of(rw, node), &chain, in, &num_in)) return ONR_STATUS_OK;
  for (size_t i = 0; i < num_in; i++)
    if (rw->uses[in[i]] != 1) return ONR_STATUS_OK; /* who else reads it wants it in float32 */
  if (take_bytes(rw, &chain, in, num_in) == 0) return ONR_STATUS_OK;
  return onri_rewrite_become(rw, node, &onri_layer_fused_elementwise, &chain, in, num_in);
}

enum onr_status onri_pass_fuse_quantized(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule quantizing[] = {{&onri_layer_quantize_linear, quantize}};
  static const struct onri_rewrite_rule dequantizing[] = {
      {&onri_layer_unary, dequantize}, {&onri_layer_binary, dequantize}, {&onri_layer_fused_elementwise, dequantize}};
  ONR_TRY(onri_rewrite_sweep(rw, quantizing, 1));
  return onri_rewrite_sweep(rw, dequantizing, sizeof(dequantizing) / sizeof(dequantizing[0]));
}

enum onr_status onri_pass_fuse_elementwise(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_unary, unary}, {&onri_layer_binary, binary}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}
