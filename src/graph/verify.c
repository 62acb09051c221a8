/* verify.c: what holds for every graph, after import and after each pass. A fault here is ours, never the file's. */
#include "graph/graph.h"

/* Who reads v, for the message. */
struct reader {
  const char *kind; /* "input" of a node, "output" of the graph */
  size_t index;
};

static enum onr_status fail(const struct reader *at, const char *what, struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_INTERNAL, "%s %zu %s", at->kind, at->index, what);
}

static int is_value(const struct onri_graph *graph, int32_t v) { return v >= 0 && v < (int32_t)graph->num_values; }

/* v can be read in front of node `n`: a graph input, a constant, or made by a node before it. is_there: of each value,
 * whether it is an input, or an output of those nodes. */
static enum onr_status verify_reader(const struct onri_graph *graph, const uint8_t *is_there, int32_t v, size_t n,
                                     const struct reader *at, struct onr_error *error) {
  if (!is_value(graph, v)) return fail(at, "is no value", error);
  const struct onri_value *value = &graph->values[v];
  if (value->producer == ONRI_NONE)
    return is_there[v] || value->constant ? ONR_STATUS_OK : fail(at, "is made by nothing: its node is gone", error);
  if (value->producer < 0 || value->producer >= (int32_t)graph->num_nodes)
    return fail(at, "is made by a node that is none", error);
  if ((size_t)value->producer >= n) return fail(at, "is made by a later node", error);
  return is_there[v] ? ONR_STATUS_OK : fail(at, "is made by a node that does not make it", error);
}

/* What a node reads is what its bodies read: the condition of an If goes to no body, all else to one. */
static enum onr_status verify_bodies(const struct onri_node *node, struct onr_error *error) {
  size_t inputs = onri_num_bodies(node) == 2;
  if (!node->layer->control || onri_num_bodies(node) > 2)
    return onr_fail(error, ONR_STATUS_INTERNAL, "%s has %d bodies", node->layer->name, onri_num_bodies(node));
  for (int32_t b = 0; b < onri_num_bodies(node); b++) {
    inputs += node->bodies[b]->num_inputs;
    if (onri_num_bodies(node) == 2 && node->bodies[b]->num_outputs != (size_t)node->num_out)
      return onr_fail(error, ONR_STATUS_INTERNAL, "%d outputs, but body %d has %zu", node->num_out, b,
                      node->bodies[b]->num_outputs);
    ONR_TRY(onri_graph_verify(node->bodies[b], error));
  }
  if (inputs == (size_t)node->num_in) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_INTERNAL, "%d inputs, but its bodies take %zu", node->num_in, inputs);
}

static enum onr_status verify_node(const struct onri_graph *graph, const uint8_t *is_there, size_t n,
                                   struct onr_error *error) {
  const struct onri_node *node = &graph->nodes[n];
  if (!node->layer) return onr_fail(error, ONR_STATUS_INTERNAL, "a removed node was left in place");
  for (int32_t i = 0; i < node->num_in; i++)
    if (node->in[i] != ONRI_NONE)
      ONR_TRY(verify_reader(graph, is_there, node->in[i], n, &(struct reader){"input", (size_t)i}, error));
  const int32_t needed = onri_outputs_needed(node->layer);
  if (node->num_out < needed)
    return onr_fail(error, ONR_STATUS_INTERNAL, "%d outputs where %d are needed", node->num_out, needed);
  for (int32_t i = 0; i < node->num_out; i++) {
    const struct reader at = {"output", (size_t)i};
    if (node->out[i] == ONRI_NONE && i < needed) return fail(&at, "is needed, but it has no value", error);
    if (node->out[i] == ONRI_NONE) continue;
    if (!is_value(graph, node->out[i])) return fail(&at, "is no value", error);
    if (graph->values[node->out[i]].producer != (int32_t)n) return fail(&at, "has another producer", error);
  }
  return onri_num_bodies(node) ? verify_bodies(node, error) : ONR_STATUS_OK;
}

static enum onr_status verify_value(const struct onri_value *value, struct onr_error *error) {
  const struct onr_desc *d = &value->desc;
  if (value->constant && (value->producer != ONRI_NONE || !onr_desc_equal(d, &value->constant->desc)))
    return onr_fail(error, ONR_STATUS_INTERNAL, "a constant is computed, or has another shape than its contents");
  if (d->rank < ONRI_UNKNOWN_RANK || d->rank > ONR_MAX_RANK)
    return onr_fail(error, ONR_STATUS_INTERNAL, "a value of rank %d", d->rank);
  for (int32_t k = 0; k < d->rank; k++)
    if (d->dim[k] < -1)
      return onr_fail(error, ONR_STATUS_INTERNAL, "dimension %d of a value is %lld", k, (long long)d->dim[k]);
  return ONR_STATUS_OK;
}

static enum onr_status verify_inputs(const struct onri_graph *graph, uint8_t *is_there, struct onr_error *error) {
  for (size_t i = 0; i < graph->num_inputs; i++) {
    const struct reader at = {"graph input", i};
    const int32_t v = graph->inputs[i];
    if (!is_value(graph, v)) return fail(&at, "is no value", error);
    if (is_there[v]) return fail(&at, "is listed twice", error);
    if (graph->values[v].producer != ONRI_NONE || graph->values[v].constant)
      return fail(&at, "is made by a node, or a constant", error);
    is_there[v] = 1;
  }
  return ONR_STATUS_OK;
}

static enum onr_status verify(const struct onri_graph *graph, uint8_t *is_there, struct onr_error *error) {
  ONR_TRY(verify_inputs(graph, is_there, error));
  for (size_t v = 0; v < graph->num_values; v++) ONR_TRY(verify_value(&graph->values[v], error));
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    const enum onr_status status = verify_node(graph, is_there, n, error);
    if (status != ONR_STATUS_OK) return node->layer ? onri_node_blame(node, status, error) : status;
    for (int32_t i = 0; i < node->num_out; i++)
      if (node->out[i] != ONRI_NONE) is_there[node->out[i]] = 1;
  }
  for (size_t i = 0; i < graph->num_outputs; i++)
    ONR_TRY(verify_reader(graph, is_there, graph->outputs[i], graph->num_nodes, &(struct reader){"graph output", i},
                          error));
  return ONR_STATUS_OK;
}

enum onr_status onri_graph_verify(const struct onri_graph *graph, struct onr_error *error) {
  if (!ONRI_PART(more)) return ONR_STATUS_OK; /* the whole library has asked, and passes are the same */
  uint8_t *is_there = onri_allocate_zeroed(graph->env->allocator, graph->num_values);
  if (!is_there)
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to verify a graph of %zu values", graph->num_values);
  const enum onr_status status = verify(graph, is_there, error);
  onri_release(graph->env->allocator, is_there);
  return status;
}
