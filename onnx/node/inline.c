/* inline.c: a body graph that runs exactly once becomes nodes of the graph around it. */
#include "onnx/node/importer.h"

/* What each value of a body is called in the graph around it. */
struct renaming {
  const struct onr_node *node;
  struct onri_graph *from;
  int32_t *to; /* [from->num_values] */
};

static enum onr_status make_values(struct renaming *r) {
  struct onri_graph *graph = r->node->graph;
  for (size_t v = 0; v < r->from->num_values; v++) {
    const struct onri_value *value = &r->from->values[v];
    if (r->to[v] != ONRI_NONE) continue;
    if (value->constant) {
      onri_constant_retain(value->constant);
      r->to[v] = onri_graph_add_constant(graph, value->name, value->constant);
    } else {
      r->to[v] = onri_graph_add_value(graph, value->name, NULL);
    }
    if (r->to[v] < 0) return onri_import_no_memory(r->node->importer);
  }
  return ONR_STATUS_OK;
}

static int32_t *rename_list(const struct renaming *r, const int32_t *values, int32_t count) {
  int32_t *renamed = onri_arena_allocate(&r->node->importer->scratch, (size_t)count * sizeof(*renamed));
  for (int32_t i = 0; renamed && i < count; i++) renamed[i] = values[i] == ONRI_NONE ? ONRI_NONE : r->to[values[i]];
  return renamed;
}

/* The bodies of a node change their owner with it. */
static enum onr_status move_node(const struct renaming *r, struct onri_node *old) {
  struct onri_graph *graph = r->node->graph;
  const int32_t *in = rename_list(r, old->in, old->num_in), *out = rename_list(r, old->out, old->num_out);
  struct onri_graph **bodies = onri_arena_copy(&graph->arena, old->bodies, (size_t)old->num_bodies * sizeof(*bodies));
  struct onri_node *new;
  if (!in || !out || !bodies) return onri_import_no_memory(r->node->importer);
  new = onri_graph_add_node(graph, old->layer, old->params, old->origin, in, (size_t)old->num_in, out,
                            (size_t)old->num_out);
  if (!new) return onri_import_no_memory(r->node->importer);
  new->bodies = bodies;
  new->num_bodies = old->num_bodies;
  old->num_bodies = 0;
  return ONR_STATUS_OK;
}

enum onr_status onri_emit_inlined(const struct onr_node *node, const struct onri_attribute *body, const int32_t *in,
                                  int32_t *out) {
  struct renaming r = {.node = node, .from = body->graphs[0]};
  const size_t formal = r.from->num_inputs - body->num_captures;
  if (*node->status != ONR_STATUS_OK) return *node->status;
  r.to = onri_arena_allocate(&node->importer->scratch, r.from->num_values * sizeof(*r.to));
  if (!r.to) return onri_import_no_memory(node->importer);
  for (size_t v = 0; v < r.from->num_values; v++) r.to[v] = ONRI_NONE;
  for (size_t i = 0; i < r.from->num_inputs; i++)
    r.to[r.from->inputs[i]] = i < formal ? in[i] : body->captures[i - formal];
  ONR_TRY(make_values(&r));
  for (size_t n = 0; n < r.from->num_nodes; n++) ONR_TRY(move_node(&r, &r.from->nodes[n]));
  for (size_t i = 0; i < r.from->num_outputs; i++) out[i] = r.to[r.from->outputs[i]];
  return ONR_STATUS_OK;
}
