/* functions.c: a function of the model is inlined wherever it is called, after its size has been worked out. */
#include <string.h>

#include "base/text/text.h"
#include "onnx/import/import_file.h"

enum { SHOWN = 96, MEASURE_DEPTH = ONRI_IMPORT_DEPTH };

/* "domain \1 name \1 overload" in the table's own room, NULL when out of memory. */
static const char *make_key(struct onri_importer *importer, const char *domain, const char *name,
                            const char *overload) {
  const char *parts[3] = {domain, name ? name : "", overload ? overload : ""};
  struct onri_function_table *table = &importer->functions;
  char *to;
  if (!onri_grow(importer->env->allocator, &table->key, 1, &table->key_capacity,
                 strlen(parts[0]) + strlen(parts[1]) + strlen(parts[2]) + 3))
    return NULL;
  to = table->key;
  for (int i = 0; i < 3; i++) {
    const size_t length = strlen(parts[i]);
    memcpy(to, parts[i], length);
    to += length;
    *to++ = i < 2 ? '\1' : '\0';
  }
  return table->key;
}

enum onr_status onri_functions_read(struct onri_importer *importer, const Onnx__ModelProto *model) {
  struct onri_function_table *table = &importer->functions;
  char shown[SHOWN];
  table->items = onri_arena_allocate(&importer->scratch, model->n_functions * sizeof(*table->items));
  if (!table->items) return onri_import_no_memory(importer);
  for (size_t i = 0; i < model->n_functions; i++) {
    const Onnx__FunctionProto *proto = model->functions[i];
    const char *key = make_key(importer, onri_canonical_domain(proto->domain), proto->name, proto->overload);
    int added;
    if (!proto->name || !*proto->name) return onr_fail(importer->error, ONR_STATUS_GRAPH, "a function without a name");
    if (key) key = onri_arena_string(&importer->scratch, key);
    added = key ? onri_names_put(&table->by_key, key, (int32_t)i) : -1;
    if (added < 0) return onri_import_no_memory(importer);
    if (!added)
      return onr_fail(importer->error, ONR_STATUS_GRAPH, "the function '%s' is defined twice",
                      onri_escape_string(proto->name, shown, sizeof(shown)));
    table->items[table->count++].proto = proto;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_function_find(struct onri_importer *importer, const Onnx__NodeProto *node,
                                   struct onri_function **function) {
  const char *key;
  int32_t found;
  *function = NULL;
  if (!importer->functions.count) return ONR_STATUS_OK;
  key = make_key(importer, onri_canonical_domain(node->domain), node->op_type, node->overload);
  if (!key) return onri_import_no_memory(importer);
  found = onri_names_get(&importer->functions.by_key, key);
  if (found >= 0) *function = &importer->functions.items[found];
  return ONR_STATUS_OK;
}

/* --- size --- */

static enum onr_status measure(struct onri_importer *importer, struct onri_function *function, uint32_t depth);

static enum onr_status measure_nodes(struct onri_importer *importer, Onnx__NodeProto *const *nodes, size_t count,
                                     uint32_t depth, uint64_t *total);

static enum onr_status measure_graphs(struct onri_importer *importer, const Onnx__NodeProto *node, uint32_t depth,
                                      uint64_t *total) {
  for (size_t a = 0; a < node->n_attribute; a++) {
    const Onnx__AttributeProto *attribute = node->attribute[a];
    if (attribute->g) ONR_TRY(measure_nodes(importer, attribute->g->node, attribute->g->n_node, depth + 1, total));
    for (size_t g = 0; g < attribute->n_graphs; g++)
      ONR_TRY(measure_nodes(importer, attribute->graphs[g]->node, attribute->graphs[g]->n_node, depth + 1, total));
  }
  return ONR_STATUS_OK;
}

static enum onr_status measure_nodes(struct onri_importer *importer, Onnx__NodeProto *const *nodes, size_t count,
                                     uint32_t depth, uint64_t *total) {
  if (depth > MEASURE_DEPTH || depth > importer->env->limits.depth)
    return onr_fail(importer->error, ONR_STATUS_LIMIT, "functions and graphs are nested more than %u deep (depth)",
                    (unsigned)depth - 1);
  for (size_t n = 0; n < count; n++) {
    struct onri_function *called;
    uint64_t more = 1;
    ONR_TRY(onri_function_find(importer, nodes[n], &called));
    if (called) {
      ONR_TRY(measure(importer, called, depth + 1));
      more = called->nodes;
    }
    *total = *total > UINT64_MAX - more ? UINT64_MAX : *total + more;
    ONR_TRY(measure_graphs(importer, nodes[n], depth, total));
  }
  return ONR_STATUS_OK;
}

/* Each function once; bounded depth. */
static enum onr_status measure(struct onri_importer *importer, struct onri_function *function, uint32_t depth) {
  char shown[SHOWN];
  uint64_t total = 0;
  if (function->measured == 2) return ONR_STATUS_OK;
  if (function->measured == 1)
    return onr_fail(importer->error, ONR_STATUS_GRAPH, "the function '%s' calls itself",
                    onri_escape_string(function->proto->name, shown, sizeof(shown)));
  function->measured = 1;
  ONR_TRY(measure_nodes(importer, function->proto->node, function->proto->n_node, depth, &total));
  function->nodes = total;
  function->measured = 2;
  return ONR_STATUS_OK;
}

/* --- calls --- */

static enum onr_status bind_inputs(struct onri_importer *importer, struct onri_scope *inside,
                                   const Onnx__FunctionProto *proto, const struct onri_file_node *node) {
  if (node->num_in > proto->n_input || node->num_out > proto->n_output)
    return onr_fail(importer->error, ONR_STATUS_ARITY,
                    "the function has %zu inputs and %zu outputs, the call has %zu and %zu", proto->n_input,
                    proto->n_output, node->num_in, node->num_out);
  for (size_t i = 0; i < proto->n_input; i++)
    ONR_TRY(onri_scope_bind(importer, inside, proto->input[i], i < node->num_in ? node->in[i] : ONRI_NONE));
  return ONR_STATUS_OK;
}

/* The caller's names for what the function made. */
static enum onr_status bind_outputs(struct onri_importer *importer, struct onri_scope *scope, struct onri_scope *inside,
                                    const Onnx__FunctionProto *proto, const struct onri_file_node *node,
                                    size_t first_own_value) {
  for (size_t i = 0; i < node->num_out; i++) {
    const char *name = node->proto->output[i];
    char shown[SHOWN];
    int32_t value;
    if (!*name) continue;
    if (onri_scope_find(importer, inside, proto->output[i], &value) != 1 || value == ONRI_NONE)
      return onr_fail(importer->error, ONR_STATUS_GRAPH, "the function does not make its output '%s'",
                      onri_escape_string(proto->output[i], shown, sizeof(shown)));
    ONR_TRY(onri_scope_bind(importer, scope, name, value));
    if ((size_t)value < first_own_value) continue;
    scope->graph->values[value].name = onri_intern(&importer->texts, name);
    if (!scope->graph->values[value].name) return onri_import_no_memory(importer);
  }
  return ONR_STATUS_OK;
}

static enum onr_status inline_body(struct onri_importer *importer, struct onri_scope *scope, struct onri_scope *inside,
                                   const Onnx__FunctionProto *proto, const struct onri_file_node *node) {
  const size_t first_own_value = scope->graph->num_values;
  ONR_TRY(bind_inputs(importer, inside, proto, node));
  ONR_TRY(onri_import_nodes(importer, inside, proto->node, proto->n_node, node->origin));
  return bind_outputs(importer, scope, inside, proto, node, first_own_value);
}

enum onr_status onri_function_call(struct onri_importer *importer, struct onri_scope *scope,
                                   struct onri_function *function, const struct onri_file_node *node) {
  const Onnx__FunctionProto *proto = function->proto;
  struct onri_attribute *attributes;
  struct onri_call call = {.function = function};
  struct onri_scope inside;
  enum onr_status status;
  if (importer->options->uses) importer->options->uses(importer->options->report_context, "part", "", "functions");
  ONR_TRY(measure(importer, function, 1));
  if (function->nodes > importer->env->limits.nodes - importer->nodes)
    return onr_fail(importer->error, ONR_STATUS_LIMIT,
                    "the graph has more than %llu nodes when functions are inlined (nodes)",
                    (unsigned long long)importer->env->limits.nodes);
  if (!function->has_opsets)
    ONR_TRY(onri_opsets_read(&importer->scratch, proto->opset_import, proto->n_opset_import, importer->opsets,
                             &function->opsets, importer->error));
  function->has_opsets = 1;
  ONR_TRY(onri_import_enter(importer));
  ONR_TRY(onri_attributes_read(importer, scope, node->proto->attribute, node->proto->n_attribute, &attributes,
                               &call.num_attributes));
  call.attributes = attributes;
  onri_scope_init(&inside, importer, NULL, scope->graph);
  inside.opsets = &function->opsets;
  inside.call = &call;
  status = inline_body(importer, scope, &inside, proto, node);
  onri_scope_clear(&inside, importer);
  importer->depth--;
  return status;
}
