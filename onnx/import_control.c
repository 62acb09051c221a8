/* import_control: If, Loop, Scan. Bodies arrive closed; here their formal inputs and outputs are checked against the node. */
#include <string.h>

#include "onnx/importer.h"
#include "onnxrun/layers/control.h"

static enum onr_status find_body(const struct onr_node *node, const char *name, const struct onri_attribute **body) {
  *body = onri_attr_find(node, name);
  if (!*body) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "the attribute '%s' is missing", name);
  if ((*body)->kind != ONRI_ATTRIBUTE_GRAPH) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' must be a graph", name);
  return ONR_STATUS_OK;
}

static size_t formal_inputs(const struct onri_attribute *body) { return body->graphs[0]->num_inputs - body->num_captures; }

static enum onr_status check_inputs(const struct onr_node *node, const struct onri_attribute *body, size_t expected) {
  if (formal_inputs(body) == expected) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_GRAPH, "'%s' must have %zu inputs, found %zu", body->name, expected, formal_inputs(body));
}

/* The node with its outputs, then omitted ones up to `count`. */
static enum onr_status pad_outputs(const struct onr_node *node, size_t count, struct onr_node *padded) {
  int32_t *out;
  if ((size_t)node->num_out > count)
    return onr_fail(node->error, ONR_STATUS_GRAPH, "the node has %d outputs, its bodies make %zu", (int)node->num_out, count);
  out = onri_arena_allocate(&node->importer->scratch, count * sizeof(*out));
  if (!out) return onri_import_no_memory(node->importer);
  for (size_t i = 0; i < count; i++) out[i] = onri_out(node, (int32_t)i);
  *padded = *node;
  padded->out = out;
  padded->num_out = (int32_t)count;
  return ONR_STATUS_OK;
}

enum onr_status onri_import_if(const struct onr_node *node) {
  const struct onri_attribute *bodies[2];
  struct onr_node padded;
  size_t count;
  ONR_TRY(find_body(node, "then_branch", &bodies[0]));
  ONR_TRY(find_body(node, "else_branch", &bodies[1]));
  ONR_TRY(check_inputs(node, bodies[0], 0));
  ONR_TRY(check_inputs(node, bodies[1], 0));
  count = bodies[0]->graphs[0]->num_outputs;
  if (bodies[1]->graphs[0]->num_outputs != count)
    return onr_fail(node->error, ONR_STATUS_GRAPH, "then_branch has %zu outputs, else_branch %zu", count,
                    bodies[1]->graphs[0]->num_outputs);
  ONR_TRY(pad_outputs(node, count, &padded));
  return onri_emit_bodies(&padded, &onri_layer_if, NULL, node->in, 1, bodies, 2);
}

enum onr_status onri_import_loop(const struct onr_node *node) {
  const size_t carried = node->num_in > 2 ? (size_t)node->num_in - 2 : 0;
  const struct onr_loop_params params = {.num_carried = (int32_t)carried};
  const struct onri_attribute *body;
  struct onr_node padded;
  int32_t *in = onri_arena_allocate(&node->importer->scratch, (carried + 2) * sizeof(*in));
  if (!in) return onri_import_no_memory(node->importer);
  for (size_t i = 0; i < carried + 2; i++) {
    in[i] = onri_in(node, (int32_t)i);
    if (i >= 2 && in[i] == ONRI_NONE)
      return onr_fail(node->error, ONR_STATUS_ARITY, "input %zu, a carried value, is omitted", i);
  }
  ONR_TRY(find_body(node, "body", &body));
  ONR_TRY(check_inputs(node, body, carried + 2));
  if (body->graphs[0]->num_outputs < carried + 1)
    return onr_fail(node->error, ONR_STATUS_GRAPH, "'body' must have at least %zu outputs, found %zu", carried + 1,
                    body->graphs[0]->num_outputs);
  ONR_TRY(pad_outputs(node, body->graphs[0]->num_outputs - 1, &padded));
  return onri_emit_bodies(&padded, &onri_layer_loop, &params, in, carried + 2, &body, 1);
}

/* A list of `count` values; absent: all zero. */
static enum onr_status scan_list(const struct onr_node *node, const char *name, size_t count, int64_t min, int64_t max,
                                 int32_t *target) {
  size_t found;
  const int64_t *values = onri_attr_ints(node, name, &found);
  if (found && found != count)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "'%s' has %zu values, expected %zu", name, found, count);
  for (size_t i = 0; i < found; i++) {
    if (values[i] < min || values[i] > max)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "'%s' must lie in [%lld, %lld], found %lld", name, (long long)min,
                      (long long)max, (long long)values[i]);
    target[i] = (int32_t)values[i];
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_import_scan(const struct onr_node *node) {
  struct onr_scan_params params;
  const struct onri_attribute *body;
  struct onr_node padded;
  size_t scans, states, outputs;
  memset(&params, 0, sizeof(params));
  if (!onri_attr_has(node, "num_scan_inputs"))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "the attribute 'num_scan_inputs' is missing");
  params.num_scan_inputs = onri_attr_int32(node, "num_scan_inputs", 0, 1, node->num_in);
  ONR_TRY(*node->status);
  scans = (size_t)params.num_scan_inputs;
  states = (size_t)node->num_in - scans;
  params.num_states = (int32_t)states;
  ONR_TRY(find_body(node, "body", &body));
  ONR_TRY(check_inputs(node, body, states + scans));
  if (body->graphs[0]->num_outputs < states)
    return onr_fail(node->error, ONR_STATUS_GRAPH, "'body' must have at least %zu outputs, found %zu", states,
                    body->graphs[0]->num_outputs);
  outputs = body->graphs[0]->num_outputs - states;
  if (scans > ONR_SCAN_MAX || outputs > ONR_SCAN_MAX)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "%zu scan inputs and %zu scan outputs, at most %d of each", scans,
                    outputs, ONR_SCAN_MAX);
  ONR_TRY(scan_list(node, "scan_input_axes", scans, -ONR_MAX_RANK, ONR_MAX_RANK - 1, params.input_axis));
  ONR_TRY(scan_list(node, "scan_output_axes", outputs, -ONR_MAX_RANK, ONR_MAX_RANK - 1, params.output_axis));
  ONR_TRY(scan_list(node, "scan_input_directions", scans, 0, 1, params.input_reverse));
  ONR_TRY(scan_list(node, "scan_output_directions", outputs, 0, 1, params.output_reverse));
  ONR_TRY(pad_outputs(node, body->graphs[0]->num_outputs, &padded));
  return onri_emit_bodies(&padded, &onri_layer_scan, &params, node->in, (size_t)node->num_in, &body, 1);
}
