/* tape.c: the nodes that a gradient adds, counted against the limit of nodes. */
#include "onnx/ops/training/gradient.h"

enum { COST_OF_NODE = 8 };

enum onr_status onri_tape_count(struct onri_importer *importer, uint64_t nodes) {
  const uint64_t limit = importer->env->limits.nodes;
  ONR_TRY(onri_env_poll(importer->env, importer->error));
  importer->nodes = nodes > limit - importer->nodes ? limit + 1 : importer->nodes + nodes;
  if (importer->nodes <= limit) return ONR_STATUS_OK;
  return onr_fail(importer->error, ONR_STATUS_LIMIT,
                  "the graph has more than %llu nodes with those of gradients (nodes)", (unsigned long long)limit);
}

int32_t onri_tape_emit(struct onri_tape *tape, const struct onr_layer *layer, const void *params, const int32_t *in,
                       size_t num_in) {
  const int32_t out = onri_temp(tape->node);
  if (tape->status == ONR_STATUS_OK) tape->status = onri_tape_count(tape->node->importer, COST_OF_NODE + num_in);
  if (tape->status == ONR_STATUS_OK) tape->status = onri_emit_with(tape->node, layer, params, in, num_in, &out, 1);
  return out;
}

int32_t onri_tape_scalar(struct onri_tape *tape, float value, int32_t like) {
  const struct onr_cast_params params = {.to = ONR_DTYPE_NONE};
  const int32_t in[2] = {onri_const_float(tape->node, value), like};
  return onri_tape_emit(tape, &onri_layer_cast_like, &params, in, 2);
}

int32_t onri_tape_stretch(struct onri_tape *tape, int32_t value, int32_t like) {
  const struct onr_shape_params whole = {.end = INT64_MAX};
  const int32_t in[2] = {value, onri_tape_emit(tape, &onri_layer_shape, &whole, &like, 1)};
  return onri_tape_emit(tape, &onri_layer_expand, NULL, in, 2);
}

void onri_tape_add(struct onri_tape *tape, const struct onri_node *forward, int32_t i, int32_t value) {
  const struct onr_binary_params sum = {.op = ONR_BINARY_ADD};
  const int32_t v = forward->in[i];
  if (v == ONRI_NONE || !tape->varies[v]) return;
  if (tape->gradient[v] != ONRI_NONE)
    value = onri_tape_emit(tape, &onri_layer_binary, &sum, (int32_t[]){tape->gradient[v], value}, 2);
  tape->gradient[v] = value;
}

enum onr_status onri_tape_no_rule(const struct onri_tape *tape, const struct onri_node *node) {
  return onr_fail(tape->node->error, ONR_STATUS_UNSUPPORTED, "no derivative of %s", node->origin->op_type);
}
