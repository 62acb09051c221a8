/* emit.c: from importers into the graph. What fails here is noted in node->status, and the emit that follows reports
 * it.
 */
#include <string.h>

#include "onnx/node/importer.h"

static int32_t or_no_memory(const struct onr_node *node, int32_t value) {
  if (value < 0 && *node->status == ONR_STATUS_OK)
    onri_node_note(node, onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a value of the graph"));
  return value;
}

/* A node of the file may become many: a sum of n inputs, what a function or a gradient stands for. */
static enum onr_status count_node(struct onri_importer *importer) {
  if (++importer->emitted <= importer->env->limits.nodes) return ONR_STATUS_OK;
  return onr_fail(importer->error, ONR_STATUS_LIMIT,
                  "the graph has more than %llu nodes once all are written out (nodes)",
                  (unsigned long long)importer->env->limits.nodes);
}

enum onr_status onri_emit_with(const struct onr_node *node, const struct onr_layer *layer, const void *params,
                               const int32_t *in, size_t num_in, const int32_t *out, size_t num_out) {
  if (*node->status != ONR_STATUS_OK) return *node->status;
  ONR_TRY(count_node(node->importer));
  if (layer == &onri_layer_absent)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "this build leaves out the layer that it would be");
  if (!onri_graph_add_node(node->graph, layer, params, node->origin, in, num_in, out, num_out))
    return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a node of the graph");
  return ONR_STATUS_OK;
}

enum onr_status onri_emit(const struct onr_node *node, const struct onr_layer *layer, const void *params) {
  return onri_emit_with(node, layer, params, node->in, (size_t)node->num_in, node->out, (size_t)node->num_out);
}

/* The importer no longer owns the graph. */
static void adopt(struct onri_importer *importer, const struct onri_graph *body) {
  size_t kept = 0;
  for (size_t i = 0; i < importer->num_orphans; i++)
    if (importer->orphans[i] != body) importer->orphans[kept++] = importer->orphans[i];
  importer->num_orphans = kept;
}

enum onr_status onri_emit_bodies(const struct onr_node *node, const struct onr_layer *layer, const void *params,
                                 const int32_t *in, size_t num_in, const struct onri_attribute *const *bodies,
                                 size_t num_bodies) {
  struct onri_importer *importer = node->importer;
  struct onri_graph **graphs = onri_arena_allocate(&node->graph->arena, num_bodies * sizeof(*graphs));
  size_t total = num_in, at = num_in;
  int32_t *all;
  for (size_t b = 0; b < num_bodies; b++) total += bodies[b]->num_captures;
  all = onri_arena_allocate(&importer->scratch, total * sizeof(*all));
  if (!graphs || !all) return onri_import_no_memory(importer);
  if (num_in) memcpy(all, in, num_in * sizeof(*all));
  for (size_t b = 0; b < num_bodies; b++) {
    graphs[b] = bodies[b]->graphs[0];
    if (bodies[b]->num_captures) memcpy(all + at, bodies[b]->captures, bodies[b]->num_captures * sizeof(*all));
    at += bodies[b]->num_captures;
  }
  ONR_TRY(onri_emit_with(node, layer, params, all, total, node->out, (size_t)node->num_out));
  node->graph->nodes[node->graph->num_nodes - 1].bodies = graphs;
  node->graph->nodes[node->graph->num_nodes - 1].num_bodies = (int32_t)num_bodies;
  for (size_t b = 0; b < num_bodies; b++) adopt(importer, graphs[b]);
  return ONR_STATUS_OK;
}

int32_t onri_temp(const struct onr_node *node) {
  return or_no_memory(node, onri_graph_add_value(node->graph, NULL, NULL));
}

int32_t onri_const_ints(const struct onr_node *node, const int64_t *values, size_t count) {
  const int64_t dims[1] = {(int64_t)count};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I64, 1, dims);
  return or_no_memory(node, onri_graph_add_data(node->graph, &desc, values));
}

int32_t onri_const_int(const struct onr_node *node, int64_t value) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I64, 0, NULL);
  return or_no_memory(node, onri_graph_add_data(node->graph, &desc, &value));
}

int32_t onri_const_float(const struct onr_node *node, float value) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 0, NULL);
  return or_no_memory(node, onri_graph_add_data(node->graph, &desc, &value));
}

const void *onri_node_data(const struct onr_node *node, int32_t value) {
  enum onr_status status = ONR_STATUS_OK;
  const void *data = onri_value_data(node->graph, value, &status, node->error);
  onri_node_note(node, status);
  return data;
}

enum onr_status onri_import_withdrawn(const struct onr_node *node) {
  return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "withdrawn from opset %lld", (long long)node->opset);
}
