/* byte_pieces.c: float32 layers between integers that can be computed a piece at a time read and write the integers
 * themselves. Runs last, when all layers have their final form. */
#include "layers/quantize/byte_pieces.h"

#include "passes/quantized.h"

/* The node can be put into pieces: inputs behind the first are float32 constants, or say sizes. */
static int takes(const struct onri_rewrite *rw, const struct onri_node *node) {
  if (!node || !onri_byte_pieces_takes(node->layer) || node->num_out != 1 || node->num_in < 1 || node->num_in > 4)
    return 0;
  for (int32_t i = 1; i < node->num_in; i++)
    if (node->in[i] != ONRI_NONE &&
        (!onri_rewrite_is_constant(rw, node->in[i]) ||
         (onri_rewrite_desc(rw, node->in[i])->dtype != ONR_DTYPE_F32 && !(node->layer->shape_inputs >> i & 1))))
      return 0;
  return onri_rewrite_desc(rw, node->in[0])->dtype == ONR_DTYPE_F32;
}

/* `node` becomes `op` in pieces. */
static enum onr_status wrap(struct onri_rewrite *rw, struct onri_node *node, const struct onri_node *op,
                            const struct onri_quantised *y) {
  struct onr_byte_pieces_params params = {.layer = op->layer, .params = op->params};
  struct onri_quantised x;
  int32_t in[4];
  for (int32_t i = 0; i < op->num_in; i++) in[i] = op->in[i];
  if (onri_match_steps(rw, in[0], &x)) in[0] = x.x, params.input = onri_steps_of_value(&x);
  if (y) params.output = onri_steps_of_value(y);
  return onri_rewrite_become(rw, node, &onri_layer_byte_pieces, &params, in, (size_t)op->num_in);
}

static enum onr_status quantize(struct onri_rewrite *rw, struct onri_node *node) {
  struct onri_quantised y;
  if (!onri_match_quantize(rw, node, &y) || rw->uses[y.x] != 1) return ONR_STATUS_OK;
  const struct onri_node *op = onri_rewrite_producer(rw, y.x);
  return takes(rw, op) ? wrap(rw, node, op, &y) : ONR_STATUS_OK;
}

/* What is not quantized reads integers all the same, unless others want them in float32, too. */
static enum onr_status dequantize(struct onri_rewrite *rw, struct onri_node *node) {
  struct onri_quantised x;
  if (!onri_byte_pieces_takes(node->layer) || !takes(rw, node) || rw->uses[node->in[0]] != 1 ||
      !onri_match_steps(rw, node->in[0], &x))
    return ONR_STATUS_OK;
  return wrap(rw, node, node, NULL);
}

enum onr_status onri_pass_byte_pieces(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rule = {&onri_layer_quantize_linear, quantize};
  ONR_TRY(onri_rewrite_sweep(rw, &rule, 1));
  for (size_t i = 0; i < rw->graph->num_nodes; i++) {
    onri_rewrite_visit(rw, &rw->graph->nodes[i]);
    if (rw->graph->nodes[i].layer) ONR_TRY(dequantize(rw, &rw->graph->nodes[i]));
  }
  return ONR_STATUS_OK;
}
