/* control.c: If, Loop, Scan. Bodies arrive closed; here their formal inputs and outputs are checked against the
 * node. */
#include <string.h>

#include "onnx/node/importer.h"
#include "params/control.h"

static enum onr_status find_body(const struct onr_node *node, const char *name, const struct onri_attribute **body) {
  *body = onri_attr_find(node, name);
  if (!*body) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "the attribute '%s' is missing", name);
  if ((*body)->kind != ONRI_ATTRIBUTE_GRAPH)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' must be a graph", name);
  return ONR_STATUS_OK;
}

static size_t formal_inputs(const struct onri_attribute *body) {
  return body->graphs[0]->num_inputs - body->num_captures;
}

static enum onr_status check_inputs(const struct onr_node *node, const struct onri_attribute *body, size_t expected) {
  if (formal_inputs(body) == expected) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_GRAPH, "'%s' must have %zu inputs, found %zu", body->name, expected,
                  formal_inputs(body));
}

/* The node with its outputs, then omitted ones up to `count`. */
static enum onr_status pad_outputs(const struct onr_node *node, size_t count, struct onr_node *padded) {
  int32_t *out;
  if ((size_t)node->num_out > count)
    return onr_fail(node->error, ONR_STATUS_GRAPH, "the node has %d outputs, its bodies make %zu", (int)node->num_out,
                    count);
  out = onri_arena_allocate(&node->importer->scratch, count * sizeof(*out));
  if (!out) return onri_import_no_memory(node->importer);
  for (size_t i = 0; i < count; i++) out[i] = onri_out(node, (int32_t)i);
  *padded = *node;
  padded->out = out;
  padded->num_out = (int32_t)count;
  return ONR_STATUS_OK;
}

static enum onr_status import_if(const struct onr_node *node) {
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

static enum onr_status import_loop(const struct onr_node *node) {
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
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "'%s' must lie in [%lld, %lld], found %lld", name,
                      (long long)min, (long long)max, (long long)values[i]);
    target[i] = (int32_t)values[i];
  }
  return ONR_STATUS_OK;
}

static enum onr_status check_scan_count(const struct onr_node *node, size_t inputs, size_t outputs) {
  if (inputs <= ONR_SCAN_MAX && outputs <= ONR_SCAN_MAX) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "%zu scan inputs and %zu scan outputs, at most %d of each",
                  inputs, outputs, ONR_SCAN_MAX);
}

/* What states and scan inputs, `num_in` in all, and the body say. */
static enum onr_status read_scan(const struct onr_node *node, int32_t num_in, struct onr_scan_params *params,
                                 const struct onri_attribute **body, size_t *outputs) {
  memset(params, 0, sizeof(*params));
  if (!onri_attr_has(node, "num_scan_inputs"))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "the attribute 'num_scan_inputs' is missing");
  params->num_scan_inputs = onri_attr_int32(node, "num_scan_inputs", 0, 1, num_in);
  ONR_TRY(*node->status);
  params->num_states = num_in - params->num_scan_inputs;
  const size_t states = (size_t)params->num_states;
  ONR_TRY(find_body(node, "body", body));
  ONR_TRY(check_inputs(node, *body, (size_t)num_in));
  if ((*body)->graphs[0]->num_outputs < states)
    return onr_fail(node->error, ONR_STATUS_GRAPH, "'body' must have at least %zu outputs, found %zu", states,
                    (*body)->graphs[0]->num_outputs);
  *outputs = (*body)->graphs[0]->num_outputs - states;
  return check_scan_count(node, (size_t)params->num_scan_inputs, *outputs);
}

static enum onr_status import_scan(const struct onr_node *node) {
  struct onr_scan_params params;
  const struct onri_attribute *body;
  struct onr_node padded;
  size_t outputs;
  ONR_TRY(read_scan(node, node->num_in, &params, &body, &outputs));
  const size_t scans = (size_t)params.num_scan_inputs;
  ONR_TRY(scan_list(node, "scan_input_axes", scans, -ONR_MAX_RANK, ONR_MAX_RANK - 1, params.input_axis));
  ONR_TRY(scan_list(node, "scan_output_axes", outputs, -ONR_MAX_RANK, ONR_MAX_RANK - 1, params.output_axis));
  ONR_TRY(scan_list(node, "scan_input_directions", scans, 0, 1, params.input_reverse));
  ONR_TRY(scan_list(node, "scan_output_directions", outputs, 0, 1, params.output_reverse));
  ONR_TRY(pad_outputs(node, body->graphs[0]->num_outputs, &padded));
  return onri_emit_bodies(&padded, &onri_layer_scan, &params, node->in, (size_t)node->num_in, &body, 1);
}

/* --- Scan before opset 9: over sequences that lie in a batch, each with its own length ---
 *
 * A scan over the batch whose body holds the scan over one sequence. */

struct batch_scan {
  struct onr_node inside; /* the node, as it emits into `outer` */
  struct onri_graph *outer;
  struct onr_scan_params params; /* of the inner scan */
  int32_t *in, *out;             /* of the inner scan: values of `outer` */
  size_t num_in, num_out;
  int32_t length; /* of this sequence; NONE: all of it */
};

/* The first `length` entries of the sequence x. */
static enum onr_status cut(const struct batch_scan *s, int32_t *x) {
  const struct onr_gather_params params = {.axis = 0};
  const int32_t range[3] = {onri_const_int(&s->inside, 0), s->length, onri_const_int(&s->inside, 1)};
  int32_t in[2] = {*x, onri_temp(&s->inside)};
  ONR_TRY(onri_emit_with(&s->inside, &onri_layer_range, NULL, range, 3, &in[1], 1));
  *x = onri_temp(&s->inside);
  return onri_emit_with(&s->inside, &onri_layer_gather, &params, in, 2, x, 1);
}

/* *pads = [0, entries of `whole` - entries of `part`] */
static enum onr_status missing(const struct batch_scan *s, int32_t whole, int32_t part, int32_t *pads) {
  const struct onr_shape_params first = {.start = 0, .end = 1};
  const struct onr_binary_params difference = {.op = ONR_BINARY_SUB};
  const struct onr_concat_params join = {.axis = 0};
  const int32_t sizes[2] = {onri_temp(&s->inside), onri_temp(&s->inside)};
  const int32_t both[2] = {onri_const_ints(&s->inside, (int64_t[]){0}, 1), onri_temp(&s->inside)};
  ONR_TRY(onri_emit_with(&s->inside, &onri_layer_shape, &first, &whole, 1, &sizes[0], 1));
  ONR_TRY(onri_emit_with(&s->inside, &onri_layer_shape, &first, &part, 1, &sizes[1], 1));
  ONR_TRY(onri_emit_with(&s->inside, &onri_layer_binary, &difference, sizes, 2, &both[1], 1));
  *pads = onri_temp(&s->inside);
  return onri_emit_with(&s->inside, &onri_layer_concat, &join, both, 2, pads, 1);
}

/* The inner scan with its body, which becomes the body of the outer one. */
static enum onr_status fill_batch_scan(struct batch_scan *s, const struct onri_attribute *body) {
  const size_t states = (size_t)s->params.num_states;
  const struct onr_pad_params padding = {.mode = ONR_PAD_CONSTANT};
  const int32_t whole = s->in[states];
  int32_t pads = ONRI_NONE;
  for (size_t i = states; s->length != ONRI_NONE && i < s->num_in; i++) ONR_TRY(cut(s, &s->in[i]));
  if (s->length != ONRI_NONE) ONR_TRY(missing(s, whole, s->in[states], &pads));
  for (size_t i = 0; i < s->num_out; i++) s->out[i] = onri_temp(&s->inside);
  s->inside.out = s->out;
  s->inside.num_out = (int32_t)s->num_out;
  ONR_TRY(onri_emit_bodies(&s->inside, &onri_layer_scan, &s->params, s->in, s->num_in, &body, 1));
  for (size_t i = states; s->length != ONRI_NONE && i < s->num_out; i++) {
    const int32_t in[4] = {s->out[i], pads, ONRI_NONE, onri_const_ints(&s->inside, (int64_t[]){0}, 1)};
    s->out[i] = onri_temp(&s->inside);
    ONR_TRY(onri_emit_with(&s->inside, &onri_layer_pad, &padding, in, 4, &s->out[i], 1));
  }
  return ONR_STATUS_OK;
}

/* The body of the outer scan: an input for each state and sequence, one for the length, and the captures of the inner
 * body. */
static enum onr_status make_batch_scan(const struct onr_node *node, const struct onri_attribute *body,
                                       struct batch_scan *s) {
  struct onri_importer *importer = node->importer;
  const int has_length = node->in[0] != ONRI_NONE;
  const size_t formal = s->num_in + (size_t)has_length, all = formal + body->num_captures;
  struct onri_attribute inner = *body;
  int32_t *inputs = onri_arena_allocate(&importer->scratch, all * sizeof(*inputs));
  s->in = onri_arena_allocate(&importer->scratch, s->num_in * sizeof(*s->in));
  s->out = onri_arena_allocate(&importer->scratch, s->num_out * sizeof(*s->out));
  if (!inputs || !s->in || !s->out) return onri_import_no_memory(importer);
  ONR_TRY(onri_import_new_body(importer, &s->outer));
  s->inside = *node;
  s->inside.graph = s->outer;
  for (size_t i = 0; i < all; i++) inputs[i] = onri_temp(&s->inside);
  ONR_TRY(*node->status);
  memcpy(s->in, inputs, s->num_in * sizeof(*s->in));
  s->length = has_length ? inputs[s->num_in] : ONRI_NONE;
  inner.captures = inputs + formal;
  ONR_TRY(fill_batch_scan(s, &inner));
  ONR_TRY(onri_graph_set_inputs(s->outer, inputs, all, node->error));
  return onri_graph_set_outputs(s->outer, s->out, s->num_out, node->error);
}

static enum onr_status import_scan_8(const struct onr_node *node) {
  struct batch_scan s = {.num_in = (size_t)node->num_in - 1};
  struct onr_scan_params params = {.num_scan_inputs = node->num_in - (onri_in(node, 0) == ONRI_NONE)};
  const struct onri_attribute *body;
  struct onri_attribute outer;
  struct onr_node padded;
  size_t outputs;
  if (node->num_in < 2)
    return onr_fail(node->error, ONR_STATUS_ARITY, "%d inputs, at least 2 are needed", (int)node->num_in);
  ONR_TRY(read_scan(node, node->num_in - 1, &s.params, &body, &outputs));
  s.num_out = (size_t)s.params.num_states + outputs;
  ONR_TRY(check_scan_count(node, (size_t)params.num_scan_inputs, s.num_out));
  ONR_TRY(scan_list(node, "directions", (size_t)s.params.num_scan_inputs, 0, 1, s.params.input_reverse));
  ONR_TRY(pad_outputs(node, s.num_out, &padded));
  outer = *body;
  ONR_TRY(make_batch_scan(node, body, &s));
  outer.graphs = &s.outer;
  int32_t *in = onri_arena_allocate(&node->importer->scratch, (size_t)node->num_in * sizeof(*in));
  if (!in) return onri_import_no_memory(node->importer);
  memcpy(in, node->in + 1, s.num_in * sizeof(*in));
  in[s.num_in] = node->in[0]; /* the lengths, if any, come last */
  const struct onri_attribute *const bodies[1] = {&outer};
  return onri_emit_bodies(&padded, &onri_layer_scan, &params, in, (size_t)params.num_scan_inputs, bodies, 1);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, If, 1, 1, 1, 0, ONR_VARIADIC, import_if)
    ONRI_OP(ai_onnx, Loop, 1, 0, ONR_VARIADIC, 0, ONR_VARIADIC, import_loop)
    ONRI_OP(ai_onnx, Scan, 8, 0, ONR_VARIADIC, 1, ONR_VARIADIC, import_scan_8)
    ONRI_OP(ai_onnx, Scan, 9, 1, ONR_VARIADIC, 1, ONR_VARIADIC, import_scan)
};
/* clang-format on */
const struct onri_op_table onri_ops_control = ONRI_OP_TABLE(operators);
