/* node.c: resolves a node's inputs, then lets a function, the caller's registry, or the table turn it into layers.
 */
#include <string.h>

#include "base/text/text.h"
#include "onnx/import/import_file.h"
#include "onnx/torch/origin.h"

enum { SHOWN = 96 };

struct context {
  struct onri_scope *scope;
  const struct onri_file_node *node;
  int32_t *out;
  size_t num_out;
  int64_t opset;
};

static size_t trimmed(char *const *names, size_t count) {
  while (count && !*names[count - 1]) count--;
  return count;
}

static enum onr_status resolve_inputs(struct onri_importer *importer, struct onri_scope *scope,
                                      struct onri_file_node *node) {
  char shown[SHOWN];
  node->in = onri_arena_allocate(&importer->scratch, node->num_in * sizeof(*node->in));
  if (!node->in) return onri_import_no_memory(importer);
  for (size_t i = 0; i < node->num_in; i++) {
    const char *name = node->proto->input[i];
    int found;
    node->in[i] = ONRI_NONE;
    if (!*name) continue;
    found = onri_scope_find(importer, scope, name, &node->in[i]);
    if (found < 0) return onri_import_no_memory(importer);
    if (!found)
      return onr_fail(
          importer->error, ONR_STATUS_GRAPH,
          "input %zu, '%s', is not defined before this node: the name is unknown, or the nodes are not sorted", i,
          onri_escape_string(name, shown, sizeof(shown)));
  }
  return ONR_STATUS_OK;
}

/* New values for the outputs. The first `needed` ones have a value even where the file does not
 * name them, so that an importer finds a value in each output that its op always has. Where an op has any number, those
 * at the end count, too. */
static enum onr_status make_outputs(struct onri_importer *importer, struct context *c, size_t needed, size_t most) {
  const struct onri_file_node *node = c->node;
  struct onri_scope *scope = c->scope;
  const size_t given = most == ONR_VARIADIC ? node->proto->n_output : node->num_out;
  c->num_out = given > needed ? given : needed;
  c->out = onri_arena_allocate(&importer->scratch, c->num_out * sizeof(*c->out));
  if (!c->out) return onri_import_no_memory(importer);
  for (size_t i = 0; i < c->num_out; i++) {
    const char *name = i < node->proto->n_output ? node->proto->output[i] : "";
    c->out[i] = ONRI_NONE;
    if (!*name && i >= needed) continue;
    c->out[i] = onri_graph_add_value(scope->graph, name, NULL);
    if (c->out[i] < 0) return onri_import_no_memory(importer);
  }
  return ONR_STATUS_OK;
}

/* Once the node is imported: its own bodies cannot read what it makes. */
static enum onr_status bind_outputs(struct onri_importer *importer, const struct context *c) {
  for (size_t i = 0; i < c->num_out; i++) {
    const char *name = i < c->node->proto->n_output ? c->node->proto->output[i] : "";
    if (*name) ONR_TRY(onri_scope_bind(importer, c->scope, name, c->out[i]));
  }
  return ONR_STATUS_OK;
}

static int in_bounds(size_t count, uint8_t min, uint8_t max) {
  return count >= min && (max == ONR_VARIADIC || count <= max);
}

static enum onr_status check_count(struct onri_importer *importer, const char *what, size_t count, uint8_t min,
                                   uint8_t max) {
  if (in_bounds(count, min, max)) return ONR_STATUS_OK;
  if (max == ONR_VARIADIC)
    return onr_fail(importer->error, ONR_STATUS_ARITY, "%zu %s, at least %u are needed", count, what, (unsigned)min);
  return onr_fail(importer->error, ONR_STATUS_ARITY, "%zu %s, expected %u to %u", count, what, (unsigned)min,
                  (unsigned)max);
}

static enum onr_status check_arity(struct onri_importer *importer, const struct onri_file_node *node, uint8_t in_min,
                                   uint8_t in_max, uint8_t out_min, uint8_t out_max) {
  ONR_TRY(check_count(importer, "inputs", node->num_in, in_min, in_max));
  for (size_t i = 0; i < in_min; i++)
    if (node->in[i] == ONRI_NONE)
      return onr_fail(importer->error, ONR_STATUS_ARITY, "input %zu is omitted, but it is not optional", i);
  /* Outputs that nobody names are still outputs. */
  return check_count(importer, "outputs", node->num_out < out_min ? node->proto->n_output : node->num_out, out_min,
                     out_max);
}

/* --- turning it into layers --- */

/* What importers need not look at: the first failure of what they read. */
struct noted {
  enum onr_status status;
  struct onr_error error;
};

/* It goes before what came of it. */
static enum onr_status conclude(struct onri_importer *importer, const struct noted *noted, enum onr_status result) {
  if (noted->status == ONR_STATUS_OK) return result;
  if (importer->error) *importer->error = noted->error;
  return noted->status;
}

static enum onr_status read_attributes(struct onri_importer *importer, const struct context *c, struct onr_node *view,
                                       struct noted *noted) {
  struct onri_attribute *attributes;
  size_t count;
  ONR_TRY(onri_attributes_read(importer, c->scope, c->node->proto->attribute, c->node->proto->n_attribute, &attributes,
                               &count));
  *view = (struct onr_node){.importer = importer,
                            .graph = c->scope->graph,
                            .scope = c->scope,
                            .origin = c->node->origin,
                            .domain = c->node->domain,
                            .op_type = c->node->proto->op_type,
                            .opset = c->opset,
                            .num_in = (int32_t)c->node->num_in,
                            .num_out = (int32_t)c->num_out,
                            .in = c->node->in,
                            .out = c->out,
                            .attributes = attributes,
                            .num_attributes = count,
                            .status = &noted->status,
                            .first_error = &noted->error,
                            .error = importer->error};
  return ONR_STATUS_OK;
}

static enum onr_status import_registered(struct onri_importer *importer, const struct context *c,
                                         const struct onri_registered *entry) {
  struct noted noted = {0};
  enum onr_status status = ONR_STATUS_OK;
  struct onr_node view;
  void *params = onri_arena_allocate(&importer->scratch, entry->layer->params_size);
  if (!params) return onri_import_no_memory(importer);
  if (!ONRI_PART(segments) && (entry->layer->shape_inputs || entry->layer->flags & ONR_LAYER_DYNAMIC))
    return onr_fail(importer->error, ONR_STATUS_UNSUPPORTED,
                    "data tells the shape of its outputs, and this library was made for models without such nodes");
  ONR_TRY(check_arity(importer, c->node, entry->layer->inputs_min, entry->layer->inputs_max, entry->layer->outputs_min,
                      entry->layer->outputs_max));
  ONR_TRY(read_attributes(importer, c, &view, &noted));
  view.layer = entry->layer;
  if (entry->parse) status = entry->parse(&view, params, importer->error);
  if (status == ONR_STATUS_OK) status = onri_emit(&view, entry->layer, params);
  return conclude(importer, &noted, status);
}

static enum onr_status import_row(struct onri_importer *importer, const struct context *c, const struct onri_op *row) {
  struct noted noted = {0};
  struct onr_node view;
  ONR_TRY(check_arity(importer, c->node, row->inputs_min, row->inputs_max, row->outputs_min, row->outputs_max));
  ONR_TRY(read_attributes(importer, c, &view, &noted));
  return conclude(importer, &noted, row->import(&view));
}

/* What has no code is noted, and the import goes on: all of it is reported together. */
static enum onr_status note_unsupported(struct onri_importer *importer, const struct context *c, const char *reason) {
  struct onr_error *error = importer->error;
  char text[200];
  const size_t length = strlen(reason);
  memcpy(text, reason, length < sizeof(text) ? length + 1 : sizeof(text));
  text[sizeof(text) - 1] = '\0';
  ONR_TRY(onri_unsupported_add(importer, c->node->origin, c->node->domain, c->opset,
                               onri_unsupported_dtype(c->scope->graph, c->node->in, c->node->num_in), text));
  if (error) *error = (struct onr_error){.status = ONR_STATUS_OK};
  return ONR_STATUS_OK;
}

static enum onr_status import_layers(struct onri_importer *importer, struct onri_scope *scope,
                                     const struct onri_file_node *node) {
  const char *op_type = node->proto->op_type ? node->proto->op_type : "";
  const struct onri_registered *entry = onri_registry_find(importer->options->registry, node->domain, op_type);
  struct context c = {.scope = scope, .node = node, .opset = onri_opsets_version(scope->opsets, node->domain)};
  const size_t orphans = importer->num_orphans;
  enum onr_status status = ONR_STATUS_OK;
  const struct onri_op *row = NULL;
  if (!entry) {
    if (!c.opset && !*node->domain)
      return onr_fail(importer->error, ONR_STATUS_VERSION, "the operator set of the domain 'ai.onnx' is not imported");
    /* Some exporters forget to import other domains; they mean the first version. */
    row = onri_op_find(&importer->ops, node->domain, op_type, c.opset ? c.opset : 1);
  }
  if (entry) ONR_TRY(make_outputs(importer, &c, entry->layer->outputs_min, entry->layer->outputs_max));
  else ONR_TRY(make_outputs(importer, &c, row ? row->outputs_min : 0, row ? row->outputs_max : 0));
  if (entry) status = import_registered(importer, &c, entry);
  else if (row) status = import_row(importer, &c, row);
  if (row && importer->options->uses)
    importer->options->uses(importer->options->report_context, "operator", *row->domain ? row->domain : "ai.onnx",
                            row->op_type);
  while (importer->num_orphans > orphans) onri_graph_destroy(importer->orphans[--importer->num_orphans]);
  if (!entry && !row) status = note_unsupported(importer, &c, "");
  else if (status == ONR_STATUS_UNSUPPORTED)
    status = note_unsupported(importer, &c, importer->error ? importer->error->message : "");
  return status == ONR_STATUS_OK ? bind_outputs(importer, &c) : status;
}

enum onr_status onri_import_node(struct onri_importer *importer, struct onri_scope *scope, const Onnx__NodeProto *node,
                                 const struct onri_origin *parent) {
  struct onri_file_node file = {.proto = node,
                                .domain = onri_canonical_domain(node->domain),
                                .num_in = trimmed(node->input, node->n_input),
                                .num_out = trimmed(node->output, node->n_output)};
  struct onri_function *function = NULL;
  enum onr_status status = ONR_STATUS_OK;
  ONR_TRY(onri_env_poll(importer->env, importer->error));
  if (++importer->nodes > importer->env->limits.nodes)
    return onr_fail(importer->error, ONR_STATUS_LIMIT, "the graph has more than %llu nodes (nodes)",
                    (unsigned long long)importer->env->limits.nodes);
  file.origin = onri_origin_make(importer, node, parent);
  if (!file.origin) return onri_import_no_memory(importer);
  if (ONRI_PART(functions)) status = onri_function_find(importer, node, &function);
  if (status == ONR_STATUS_OK) status = resolve_inputs(importer, scope, &file);
  if (status == ONR_STATUS_OK)
    status = function ? onri_function_call(importer, scope, function, &file) : import_layers(importer, scope, &file);
  return onri_origin_blame(file.origin, status, importer->error);
}

enum onr_status onri_import_nodes(struct onri_importer *importer, struct onri_scope *scope,
                                  Onnx__NodeProto *const *nodes, size_t count, const struct onri_origin *parent) {
  for (size_t n = 0; n < count; n++) ONR_TRY(onri_import_node(importer, scope, nodes[n], parent));
  return ONR_STATUS_OK;
}
