/* graph.c: building, and the error text of a node. */
#include "graph/graph.h"

#include <stdio.h>
#include <string.h>

#include "base/text/text.h"

enum onr_status onri_graph_create(struct onr_env *env, struct onri_graph **graph, struct onr_error *error) {
  struct onri_graph *g = onri_allocate_zeroed(env->allocator, sizeof(*g));
  *graph = g;
  if (!g) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a graph");
  g->env = env;
  onri_arena_init(&g->arena, env->allocator, 0);
  return ONR_STATUS_OK;
}

static void destroy_node(struct onri_graph *graph, struct onri_node *node) {
  if (node->prepared && node->layer && node->layer->release_prepared)
    node->layer->release_prepared(node->prepared, graph->env);
  onri_release(graph->env->allocator, node->prepared);
  for (int32_t b = 0; b < onri_num_bodies(node); b++) onri_graph_destroy(node->bodies[b]);
}

void onri_graph_destroy(struct onri_graph *graph) {
  if (!graph) return;
  for (size_t n = 0; n < graph->num_nodes; n++) destroy_node(graph, &graph->nodes[n]);
  for (size_t v = 0; v < graph->num_values; v++) onri_constant_release(graph->values[v].constant);
  onri_release(graph->env->allocator, graph->nodes);
  onri_release(graph->env->allocator, graph->values);
  onri_arena_clear(&graph->arena);
  onri_release(graph->env->allocator, graph);
}

int32_t onri_graph_add_value(struct onri_graph *graph, const char *name, const struct onr_desc *desc) {
  struct onri_value *value;
  const char *copy = name && *name ? onri_arena_string(&graph->arena, name) : "";
  if (!copy || graph->num_values >= INT32_MAX) return -1;
  if (!onri_grow(graph->env->allocator, &graph->values, sizeof(*graph->values), &graph->values_capacity,
                 graph->num_values + 1))
    return -1;
  value = &graph->values[graph->num_values];
  *value = (struct onri_value){.name = copy, .producer = ONRI_NONE};
  value->desc.rank = ONRI_UNKNOWN_RANK;
  if (desc) value->desc = *desc;
  return (int32_t)graph->num_values++;
}

int32_t onri_graph_add_constant(struct onri_graph *graph, const char *name, struct onri_constant *constant) {
  int32_t v;
  if (!constant) return -1;
  v = onri_graph_add_value(graph, name, &constant->desc);
  if (v < 0) {
    onri_constant_release(constant);
    return -1;
  }
  graph->values[v].constant = constant;
  return v;
}

int32_t onri_graph_add_data(struct onri_graph *graph, const struct onr_desc *desc, const void *data) {
  struct onri_constant *constant = onri_constant_create(graph->env, desc);
  if (!constant) return -1;
  if (onr_desc_bytes(desc)) memcpy(constant->data, data, onr_desc_bytes(desc));
  return onri_graph_add_constant(graph, NULL, constant);
}

static const struct onri_origin nowhere = {"", "", "", "", ""};

/* A layer writes the outputs that its table needs whether anybody reads them or not, so each has a value. */
static int32_t *needed_outputs(struct onri_graph *graph, const struct onr_layer *layer, const int32_t *out,
                               size_t *num_out) {
  const size_t needed = (size_t)onri_outputs_needed(layer), given = *num_out;
  const size_t count = needed > given ? needed : given;
  int32_t *outputs = onri_arena_allocate(&graph->arena, count * sizeof(*outputs));
  for (size_t i = 0; outputs && i < count; i++) {
    outputs[i] = i < given ? out[i] : ONRI_NONE;
    if (i < needed && outputs[i] == ONRI_NONE && (outputs[i] = onri_graph_add_value(graph, NULL, NULL)) < 0)
      return NULL;
  }
  *num_out = count;
  return outputs;
}

struct onri_node *onri_graph_add_node(struct onri_graph *graph, const struct onr_layer *layer, const void *params,
                                      const struct onri_origin *origin, const int32_t *in, size_t num_in,
                                      const int32_t *out, size_t num_out) {
  struct onri_node *node;
  int32_t *outputs;
  if (num_in > INT32_MAX || num_out > INT32_MAX || graph->num_nodes >= INT32_MAX) return NULL;
  for (size_t i = 0; i < num_out; i++)
    if (out[i] < ONRI_NONE || out[i] >= (int32_t)graph->num_values) return NULL;
  outputs = needed_outputs(graph, layer, out, &num_out);
  if (!outputs) return NULL;
  if (!onri_grow(graph->env->allocator, &graph->nodes, sizeof(*graph->nodes), &graph->nodes_capacity,
                 graph->num_nodes + 1))
    return NULL;
  node = &graph->nodes[graph->num_nodes];
  *node = (struct onri_node){
      .layer = layer, .origin = origin ? origin : &nowhere, .num_in = (int32_t)num_in, .num_out = (int32_t)num_out};
  node->in = onri_arena_copy(&graph->arena, in, num_in * sizeof(*in));
  node->out = outputs;
  node->params = params ? onri_arena_copy(&graph->arena, params, layer->params_size)
                        : onri_arena_allocate(&graph->arena, layer->params_size);
  if (!node->in || !node->out || !node->params) return NULL;
  for (size_t i = 0; i < num_out; i++)
    if (outputs[i] != ONRI_NONE) graph->values[outputs[i]].producer = (int32_t)graph->num_nodes;
  graph->num_nodes++;
  return node;
}

static enum onr_status set_list(struct onri_graph *graph, int32_t **list, size_t *length, const int32_t *values,
                                size_t count, struct onr_error *error) {
  *list = onri_arena_copy(&graph->arena, values, count * sizeof(*values));
  *length = *list ? count : 0;
  return *list ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a graph");
}

enum onr_status onri_graph_set_inputs(struct onri_graph *graph, const int32_t *values, size_t count,
                                      struct onr_error *error) {
  return set_list(graph, &graph->inputs, &graph->num_inputs, values, count, error);
}

enum onr_status onri_graph_set_outputs(struct onri_graph *graph, const int32_t *values, size_t count,
                                       struct onr_error *error) {
  return set_list(graph, &graph->outputs, &graph->num_outputs, values, count, error);
}

enum onr_status onri_node_blame(const struct onri_node *node, enum onr_status status, struct onr_error *error) {
  const struct onri_origin *o = node->origin;
  const char *separator = o->module_path[0] && o->source[0] ? ", " : "";
  const int has_place = o->module_path[0] || o->source[0];
  char op[64], name[96], path[128], source[64]; /* as they fit on a line */
  if (status == ONR_STATUS_OK || !error || error->where[0]) return status;
  onri_escape_string(o->op_type[0] ? o->op_type : node->layer->name, op, sizeof(op));
  onri_escape_string(o->name, name, sizeof(name));
  onri_escape_string(o->module_path, path, sizeof(path));
  onri_escape_string(o->source, source, sizeof(source));
  snprintf(error->where, sizeof(error->where), "%s%s%s%s%s%s%s%s%s", op, name[0] ? " '" : "", name, name[0] ? "'" : "",
           has_place ? " (" : "", path, separator, source, has_place ? ")" : "");
  return status;
}
