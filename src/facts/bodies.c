/* bodies.c: what bodies are fed, and what If, Loop and Scan make. */
#include "facts/bodies.h"

#include <string.h>

#include "facts/rules.h"
#include "onnxrun/model.h" /* ONR_UNKNOWN_DIM */

enum { DEPTH_MOST = 4, LAST_TURN = 4 };

/* --- what bodies are fed --- */

int32_t onri_body_explicit_inputs(const struct onri_node *node) {
  if (node->layer->control == ONRI_CONTROL_LOOP) return 2 + ((const struct onr_loop_params *)node->params)->num_carried;
  if (node->layer->control == ONRI_CONTROL_SCAN) {
    const struct onr_scan_params *p = node->params;
    return p->num_states + p->num_scan_inputs;
  }
  return 1;
}

int32_t onri_body_formal_inputs(const struct onri_node *node) {
  return node->layer->control == ONRI_CONTROL_IF ? 0 : onri_body_explicit_inputs(node);
}

/* Slice k of a Scan: the whole without its axis. */
static struct onr_desc slice_desc(const struct onr_scan_params *p, int32_t k, const struct onr_desc *whole) {
  struct onr_desc desc = *whole;
  const int32_t rank = desc.rank > 0 ? desc.rank : 0; /* it may not be known */
  const int32_t axis = p->input_axis[k] < 0 ? p->input_axis[k] + rank : p->input_axis[k];
  if (axis < 0 || axis >= rank) return (struct onr_desc){.dtype = desc.dtype, .rank = ONRI_UNKNOWN_RANK};
  desc.rank--;
  memmove(desc.dim + axis, desc.dim + axis + 1, (size_t)(desc.rank - axis) * sizeof(desc.dim[0]));
  desc.dim[desc.rank] = 0;
  return desc;
}

/* What the node feeds formal input k. */
static struct onr_desc fed_desc(const struct onri_graph *graph, const struct onri_node *node, int32_t k) {
  const struct onr_desc unknown = {.rank = ONRI_UNKNOWN_RANK};
  if (node->layer->control == ONRI_CONTROL_LOOP && k < 2)
    return (struct onr_desc){.dtype = k == 0 ? ONR_DTYPE_I64 : ONR_DTYPE_BOOL};
  if (node->in[k] == ONRI_NONE) return unknown;
  const struct onr_desc *outer = &graph->values[node->in[k]].desc;
  if (node->layer->control == ONRI_CONTROL_MAP && outer->dtype == ONR_DTYPE_SEQUENCE) return unknown;
  const struct onr_scan_params *p = node->params;
  if (node->layer->control == ONRI_CONTROL_SCAN && k >= p->num_states) return slice_desc(p, k - p->num_states, outer);
  return *outer;
}

/* The descriptors of captures; `read`: the node's input that is the first one. */
static int32_t feed_captures(const struct onri_graph *graph, const struct onri_node *node, struct onri_graph *body,
                             int32_t read) {
  for (size_t i = (size_t)onri_body_formal_inputs(node); i < body->num_inputs && read < node->num_in; i++, read++)
    if (node->in[read] != ONRI_NONE) body->values[body->inputs[i]].desc = graph->values[node->in[read]].desc;
  return read;
}

void onri_body_feed(const struct onri_graph *graph, const struct onri_node *node) {
  int32_t read = onri_body_explicit_inputs(node);
  for (int32_t b = 0; b < onri_num_bodies(node); b++) {
    struct onri_graph *body = node->bodies[b];
    const int32_t formal = node->layer->control == ONRI_CONTROL_MAP ? node->num_in : onri_body_formal_inputs(node);
    for (int32_t k = 0; k < formal && (size_t)k < body->num_inputs; k++) {
      struct onr_desc *inner = &body->values[body->inputs[k]].desc;
      const enum onr_dtype declared = inner->dtype;
      *inner = fed_desc(graph, node, k);
      if (inner->dtype == ONR_DTYPE_NONE) inner->dtype = declared;
    }
    if (node->layer != &onri_layer_sequence_map) read = feed_captures(graph, node, body, read);
  }
}

struct onri_carried onri_body_carried(const struct onri_node *node) {
  if (node->layer->control == ONRI_CONTROL_LOOP)
    return (struct onri_carried){((const struct onr_loop_params *)node->params)->num_carried, 2, 1};
  if (node->layer->control == ONRI_CONTROL_SCAN)
    return (struct onri_carried){((const struct onr_scan_params *)node->params)->num_states, 0, 0};
  return (struct onri_carried){0};
}

/* --- what is carried --- */

/* What two descriptors agree on. Returns whether that is less than *known. */
static int weaken(struct onr_desc *known, const struct onr_desc *other) {
  const struct onr_desc before = *known;
  if (known->rank != other->rank) known->rank = ONRI_UNKNOWN_RANK;
  for (int32_t d = 0; d < known->rank; d++)
    if (known->dim[d] != other->dim[d]) known->dim[d] = ONR_UNKNOWN_DIM;
  return known->rank != before.rank || !onr_desc_equal(known, &before);
}

/* Each turn forgets something, the last one everything. */
enum onr_status onri_facts_begin_carried(struct onri_facts *facts, struct onri_graph *graph, int is_main,
                                         const struct onri_carried *carried, struct onr_error *error) {
  int changed = 1;
  const int32_t depth = facts->depth;
  for (int turn = 0; changed; turn++) {
    changed = 0;
    facts->depth = depth;
    ONR_TRY(onri_facts_begin(facts, graph, is_main, error));
    for (int32_t k = 0; k < carried->count; k++) {
      struct onr_desc *in = &graph->values[graph->inputs[carried->first_input + k]].desc;
      changed |= weaken(in, &graph->values[graph->outputs[carried->first_output + k]].desc);
    }
    for (int32_t k = 0; changed && turn == LAST_TURN && k < carried->count; k++)
      graph->values[graph->inputs[carried->first_input + k]].desc.rank = ONRI_UNKNOWN_RANK;
    if (changed) onri_facts_clear(facts);
  }
  return ONR_STATUS_OK;
}

/* --- what control nodes make --- */

/* An expression of a body outside of it: a number, or a dimension of a capture (`first` of the node's inputs is the
 * first). */
static onri_expr outside(struct onri_deduction *d, const struct onri_facts *body, int32_t first, onri_expr x) {
  int64_t number;
  const struct onri_graph *graph = body->graph;
  if (onri_expr_is_number(&body->exprs, x, &number)) return onri_fact_number(d, number);
  for (size_t i = (size_t)onri_body_formal_inputs(d->node); i < graph->num_inputs && x != ONRI_EXPR_ANY; i++, first++) {
    const struct onri_fact *inner = &body->of[graph->inputs[i]], *outer = onri_fact_in(d, first);
    for (int32_t k = 0; k < inner->rank && k < outer->rank; k++)
      if (inner->dim[k] == x) return outer->dim[k];
  }
  return onri_fact_new_dim(d);
}

static struct onri_fact output_of(struct onri_deduction *d, const struct onri_facts *body, int32_t first, size_t k) {
  struct onri_fact out = body->of[body->graph->outputs[k]];
  for (int32_t i = 0; i < out.rank; i++) out.dim[i] = outside(d, body, first, out.dim[i]);
  out.num_elements = -1;
  return out;
}

/* What holds for both. */
static void join(struct onri_deduction *d, struct onri_fact *a, const struct onri_fact *b) {
  if (a->dtype != b->dtype) a->dtype = ONR_DTYPE_NONE;
  if (a->rank != b->rank) a->rank = ONRI_UNKNOWN_RANK;
  for (int32_t i = 0; i < a->rank; i++)
    if (a->dim[i] != b->dim[i] || a->dim[i] == ONRI_EXPR_ANY) a->dim[i] = onri_fact_new_dim(d);
}

/* Slices of outputs lie one behind the other along a new axis. */
static void insert_dim(struct onri_fact *out, int32_t axis, onri_expr dim) {
  const int32_t rank = out->rank + 1;
  if (out->rank == ONRI_UNKNOWN_RANK) return;
  if (axis < 0) axis += rank;
  if (rank > ONR_MAX_RANK || axis < 0 || axis >= rank) {
    out->rank = ONRI_UNKNOWN_RANK;
    return;
  }
  memmove(out->dim + axis + 1, out->dim + axis, (size_t)(out->rank - axis) * sizeof(out->dim[0]));
  out->dim[axis] = dim;
  out->rank = rank;
}

/* A carried output is what the node was given (no iteration), or what the last one made. */
static void carried_output(struct onri_deduction *d, const struct onri_facts *body, const struct onri_carried *carried,
                           int32_t k) {
  const int32_t first = onri_body_explicit_inputs(d->node);
  const struct onri_fact *given = onri_fact_in(d, carried->first_input + k);
  const struct onri_fact *before = &body->of[body->graph->inputs[carried->first_input + k]],
                         *after = &body->of[body->graph->outputs[carried->first_output + k]];
  struct onri_fact out = output_of(d, body, first, (size_t)(carried->first_output + k));
  for (int32_t i = 0; i < out.rank && i < before->rank && i < given->rank; i++)
    if (onri_expr_is_same(after->dim[i], before->dim[i])) out.dim[i] = given->dim[i];
  join(d, &out, given);
  d->out[k] = out;
}

static void scan_output(struct onri_deduction *d, const struct onri_facts *body, const struct onri_carried *carried,
                        int32_t k) {
  const int32_t slice = k - carried->count;
  int32_t axis = 0;
  onri_expr length = onri_fact_new_dim(d);
  d->out[k] = output_of(d, body, onri_body_explicit_inputs(d->node), (size_t)(carried->first_output + k));
  if (d->node->layer->control == ONRI_CONTROL_SCAN) {
    const struct onr_scan_params *p = d->node->params;
    const struct onri_fact *x = onri_fact_in(d, p->num_states);
    if (slice < ONR_SCAN_MAX) axis = p->output_axis[slice];
    const int32_t along = p->num_scan_inputs > 0 ? onri_fact_axis(p->input_axis[0], x->rank) : -1;
    if (along >= 0) length = x->dim[along];
  }
  insert_dim(&d->out[k], axis, length);
}

static void loop_outputs(struct onri_deduction *d, const struct onri_facts *body, const struct onri_carried *carried) {
  for (int32_t k = 0; k < d->node->num_out && (size_t)(carried->first_output + k) < body->graph->num_outputs; k++)
    if (k < carried->count) carried_output(d, body, carried, k);
    else scan_output(d, body, carried, k);
}

static void branch_outputs(struct onri_deduction *d, const struct onri_facts *body, int32_t b, int32_t first) {
  for (int32_t k = 0; k < d->node->num_out && (size_t)k < body->graph->num_outputs; k++) {
    const struct onri_fact out = output_of(d, body, first, (size_t)k);
    if (b == 0) d->out[k] = out;
    else join(d, &d->out[k], &out);
  }
}

enum onr_status onri_facts_of_bodies(struct onri_deduction *d, struct onr_error *error) {
  const struct onri_carried carried = onri_body_carried(d->node);
  const int is_if = d->node->layer->control == ONRI_CONTROL_IF;
  int32_t first = onri_body_explicit_inputs(d->node);
  enum onr_status status = ONR_STATUS_OK;
  if ((!is_if && d->node->layer != &onri_layer_loop && d->node->layer != &onri_layer_scan) ||
      d->facts->depth >= DEPTH_MOST || d->facts->bodies_left <= 0)
    return ONR_STATUS_OK;
  onri_body_feed(d->facts->graph, d->node);
  for (int32_t b = 0; b < onri_num_bodies(d->node) && status == ONR_STATUS_OK; b++) {
    struct onri_facts body = {.depth = d->facts->depth + 1};
    d->facts->bodies_left--;
    status = onri_facts_begin_carried(&body, d->node->bodies[b], 0, &carried, error);
    if (status == ONR_STATUS_OK && is_if) branch_outputs(d, &body, b, first);
    if (status == ONR_STATUS_OK && !is_if) loop_outputs(d, &body, &carried);
    first += (int32_t)d->node->bodies[b]->num_inputs - onri_body_formal_inputs(d->node);
    onri_facts_clear(&body);
  }
  return status;
}
