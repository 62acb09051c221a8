/* graph.c: one GraphProto, the main graph or the body of a node. */
#include <string.h>

#include "base/shape.h"
#include "base/text/text.h"
#include "onnx/import/import_file.h"
#include "onnx/import/load.h"
#include "onnx/import/type_text.h"
#include "onnx/torch/origin.h"

enum { SHOWN = 96, TYPE_TEXT = 256, FIRST_WITH_DEFAULTS = 4 /* IR version */ };

enum onr_status onri_import_enter(struct onri_importer *importer) {
  const uint64_t limit =
      importer->env->limits.depth < ONRI_IMPORT_DEPTH ? importer->env->limits.depth : ONRI_IMPORT_DEPTH;
  if (importer->depth < limit) {
    importer->depth++;
    return ONR_STATUS_OK;
  }
  return onr_fail(importer->error, ONR_STATUS_LIMIT, "functions and graphs are nested more than %llu deep (depth)",
                  (unsigned long long)limit);
}

/* Says which value a failure is about. */
static enum onr_status blame_value(struct onri_importer *importer, const char *kind, const char *name,
                                   enum onr_status status) {
  struct onr_error *error = importer->error;
  char shown[SHOWN];
  if (!error || error->where[0]) return status;
  onri_escape_string(name ? name : "", shown, sizeof(shown));
  memcpy(error->where, kind, strlen(kind) + 1);
  strcat(strcat(strcat(error->where, " '"), shown), "'");
  return status;
}

/* --- declared types --- */

static int is_supported(const Onnx__TypeProto *type) { return !type->has_opaque_type && !type->has_sparse_tensor_type; }

/* What a declaration says in words. */
struct words {
  const char **dim_names;
  const char *type; /* of what holds tensors */
};

static enum onr_status read_container_type(struct onri_importer *importer, const Onnx__TypeProto *type,
                                           struct words *words) {
  char text[TYPE_TEXT];
  if (!words) return ONR_STATUS_OK;
  words->dim_names = onri_arena_allocate(&importer->graph->arena, sizeof(*words->dim_names));
  words->type = onri_intern(&importer->texts, onri_type_text(type, text, sizeof(text)));
  return words->dim_names && words->type ? ONR_STATUS_OK : onri_import_no_memory(importer);
}

/* Unknown rank, dims and dtype stay unknown. words may be NULL. */
static enum onr_status read_type(struct onri_importer *importer, const Onnx__TypeProto *type, struct onr_desc *desc,
                                 struct words *words) {
  const Onnx__TensorShapeProto *shape;
  *desc = (struct onr_desc){.rank = ONRI_UNKNOWN_RANK};
  if (!type) return ONR_STATUS_OK;
  if (!is_supported(type))
    return onr_fail(importer->error, ONR_STATUS_UNSUPPORTED,
                    "only tensors, sequences, optionals and maps can go in and out of a graph");
  if (type->has_sequence_type || type->has_optional_type || type->has_map_type) {
    if (!ONRI_PART(containers))
      return onr_fail(importer->error, ONR_STATUS_UNSUPPORTED,
                      "sequences, optionals and maps, and this library was made for models without");
    const int64_t bytes = ONR_UNKNOWN_DIM;
    *desc = onr_desc_make(type->has_sequence_type ? ONR_DTYPE_SEQUENCE
                          : type->has_map_type    ? ONR_DTYPE_MAP
                                                  : ONR_DTYPE_OPTIONAL,
                          1, &bytes);
    return read_container_type(importer, type, words);
  }
  if (!type->tensor_type) return ONR_STATUS_OK;
  if (type->tensor_type->elem_type < 0 || type->tensor_type->elem_type > ONR_DTYPE_LAST_IN_FILES)
    return onr_fail(importer->error, ONR_STATUS_TYPE, "unknown data type %d", (int)type->tensor_type->elem_type);
  desc->dtype = (enum onr_dtype)type->tensor_type->elem_type;
  shape = type->tensor_type->shape;
  if (!shape) return ONR_STATUS_OK;
  if (shape->n_dim > ONR_MAX_RANK)
    return onr_fail(importer->error, ONR_STATUS_LIMIT, "rank %zu, the limit is %d", shape->n_dim, ONR_MAX_RANK);
  desc->rank = (int32_t)shape->n_dim;
  if (words) words->dim_names = onri_arena_allocate(&importer->graph->arena, shape->n_dim * sizeof(*words->dim_names));
  if (words && !words->dim_names) return onri_import_no_memory(importer);
  for (size_t d = 0; d < shape->n_dim; d++) {
    const Onnx__TensorShapeProto__Dimension *dim = shape->dim[d];
    desc->dim[d] = dim->has_dim_value && dim->dim_value >= 0 ? dim->dim_value : ONR_UNKNOWN_DIM;
    if (!words || !dim->dim_param || !*dim->dim_param || desc->dim[d] >= 0) continue;
    words->dim_names[d] = onri_intern(&importer->texts, dim->dim_param);
    if (!words->dim_names[d]) return onri_import_no_memory(importer);
  }
  return onri_desc_check_known(desc, importer->env, importer->error);
}

/* --- inputs and initializers --- */

static enum onr_status bind_constant(struct onri_importer *importer, struct onri_scope *scope, const char *name,
                                     struct onri_constant *constant) {
  int32_t value;
  if (!name || !*name) {
    onri_constant_release(constant);
    return onr_fail(importer->error, ONR_STATUS_GRAPH, "an initializer without a name");
  }
  value = onri_graph_add_constant(scope->graph, name, constant);
  return value < 0 ? onri_import_no_memory(importer) : onri_scope_bind(importer, scope, name, value);
}

static enum onr_status read_initializers(struct onri_importer *importer, struct onri_scope *scope,
                                         const Onnx__GraphProto *proto) {
  struct onri_constant *constant;
  for (size_t i = 0; i < proto->n_initializer; i++) {
    const char *name = proto->initializer[i]->name;
    enum onr_status status = onri_tensor_decode(importer->tensors, proto->initializer[i], &constant, importer->error);
    if (status == ONR_STATUS_OK) status = bind_constant(importer, scope, name, constant);
    if (status != ONR_STATUS_OK) return blame_value(importer, "initializer", name, status);
  }
  for (size_t i = 0; i < proto->n_sparse_initializer; i++) {
    const Onnx__SparseTensorProto *sparse = proto->sparse_initializer[i];
    const char *name = sparse->values ? sparse->values->name : NULL;
    onri_import_tell_part(importer, "sparse");
    enum onr_status status = onri_sparse_decode(importer->tensors, sparse, &constant, importer->error);
    if (status == ONR_STATUS_OK) status = bind_constant(importer, scope, name, constant);
    if (status != ONR_STATUS_OK) return blame_value(importer, "sparse initializer", name, status);
  }
  return ONR_STATUS_OK;
}

static enum onr_status add_input(struct onri_importer *importer, struct onri_scope *scope,
                                 const Onnx__ValueInfoProto *info, int32_t *value) {
  const int is_main = !scope->outer;
  struct words words = {0};
  struct onr_desc desc;
  if (!info->name || !*info->name) return onr_fail(importer->error, ONR_STATUS_GRAPH, "a graph input without a name");
  ONR_TRY(read_type(importer, info->type, &desc, is_main ? &words : NULL));
  if (is_main && desc.dtype == ONR_DTYPE_NONE)
    return onr_fail(importer->error, ONR_STATUS_TYPE, "a graph input without a data type");
  *value = onri_graph_add_value(scope->graph, info->name, &desc);
  if (*value < 0) return onri_import_no_memory(importer);
  scope->graph->values[*value].dim_names = words.dim_names;
  scope->graph->values[*value].type = words.type;
  return onri_scope_bind(importer, scope, info->name, *value);
}

static int is_opened(const struct onri_opened *opened, const char *name) {
  for (size_t i = 0; opened && i < opened->count; i++)
    if (!strcmp(opened->names[i], name)) return 1;
  return 0;
}

/* An initializer that is also an input of the main graph: a default. Files before IR version 4 had to list all of them
 * as inputs, and mean constants. */
static enum onr_status add_default(struct onri_importer *importer, struct onri_scope *scope,
                                   const Onnx__ValueInfoProto *info, size_t most, int32_t *inputs, size_t *num_inputs) {
  const int32_t index = onri_names_get(&scope->names, info->name) - 1;
  struct onri_value *value = &scope->graph->values[index];
  struct words words = {0};
  struct onr_desc desc;
  if (scope->outer || importer->ir_version < FIRST_WITH_DEFAULTS || index < 0) return ONR_STATUS_OK;
  ONR_TRY(read_type(importer, info->type, &desc, &words));
  if (desc.dtype == ONR_DTYPE_NONE) desc.dtype = value->desc.dtype;
  if (is_opened(importer->opened, info->name)) {
    onri_constant_release(value->constant);
    value->constant = NULL;
    value->desc = desc;
    value->dim_names = words.dim_names;
    inputs[(*num_inputs)++] = index;
    return ONR_STATUS_OK;
  }
  if (!ONRI_PART(defaults))
    return onr_fail(importer->error, ONR_STATUS_UNSUPPORTED,
                    "input '%s' has a default, and this library was made for models without", value->name);
  if (!importer->defaults)
    importer->defaults = onri_arena_allocate(&scope->graph->arena, most * sizeof(*importer->defaults));
  if (!importer->defaults) return onri_import_no_memory(importer);
  importer->defaults[importer->num_defaults++] = (struct onri_default){value->name, desc, words.dim_names};
  return ONR_STATUS_OK;
}

/* An input listed twice is an error also where it is an initializer, so its name is in `seen`. */
static enum onr_status read_inputs(struct onri_importer *importer, struct onri_scope *scope,
                                   const Onnx__GraphProto *proto, int32_t *inputs, size_t *num_inputs,
                                   struct onri_names *seen) {
  for (size_t i = 0; i < proto->n_input; i++) {
    const Onnx__ValueInfoProto *info = proto->input[i];
    const char *name = info->name ? info->name : "";
    const int added = onri_names_put(seen, name, 0);
    enum onr_status status = ONR_STATUS_OK;
    if (added < 0) return onri_import_no_memory(importer);
    if (!added) status = onr_fail(importer->error, ONR_STATUS_GRAPH, "two graph inputs have this name");
    else if (onri_names_get(&scope->names, name) < 0)
      status = add_input(importer, scope, info, &inputs[(*num_inputs)++]);
    else status = add_default(importer, scope, info, proto->n_input, inputs, num_inputs);
    if (status != ONR_STATUS_OK) return blame_value(importer, "input", name, status);
  }
  return ONR_STATUS_OK;
}

/* --- outputs --- */

/* The caller knows an output by its name, so a value with another name (or one that is given out twice) gets a copy. */
static enum onr_status name_output(struct onri_importer *importer, struct onri_scope *scope, const char *name,
                                   int32_t *value) {
  static const struct onri_origin origin = {"Identity", "", "", "", ""};
  int32_t copy;
  if (!strcmp(scope->graph->values[*value].name, name)) return ONR_STATUS_OK;
  copy = onri_graph_add_value(scope->graph, name, &scope->graph->values[*value].desc);
  if (copy < 0 || !onri_graph_add_node(scope->graph, &onri_layer_identity, NULL, &origin, value, 1, &copy, 1))
    return onri_import_no_memory(importer);
  *value = copy;
  return ONR_STATUS_OK;
}

static enum onr_status add_output(struct onri_importer *importer, struct onri_scope *scope,
                                  const Onnx__ValueInfoProto *info, int32_t *output) {
  const char *name = info->name ? info->name : "";
  struct words words = {0};
  struct onr_desc declared;
  struct onri_value *value;
  const int found = onri_scope_find(importer, scope, name, output);
  if (found < 0) return onri_import_no_memory(importer);
  if (!found || *output == ONRI_NONE)
    return onr_fail(importer->error, ONR_STATUS_GRAPH, "no node makes this output of the graph");
  ONR_TRY(read_type(importer, info->type, &declared, scope->outer ? NULL : &words));
  if (!scope->outer) ONR_TRY(name_output(importer, scope, name, output));
  value = &scope->graph->values[*output];
  if (value->producer != ONRI_NONE) {
    value->desc = declared;
    value->dim_names = words.dim_names;
    value->type = words.type;
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_outputs(struct onri_importer *importer, struct onri_scope *scope,
                                    const Onnx__GraphProto *proto, int32_t *outputs, struct onri_names *seen) {
  for (size_t i = 0; i < proto->n_output; i++) {
    const char *name = proto->output[i]->name ? proto->output[i]->name : "";
    enum onr_status status = add_output(importer, scope, proto->output[i], &outputs[i]);
    if (status == ONR_STATUS_OK && !scope->outer) {
      const int added = onri_names_put(seen, name, 0);
      if (added < 0) return onri_import_no_memory(importer);
      if (!added) status = onr_fail(importer->error, ONR_STATUS_GRAPH, "two graph outputs have this name");
    }
    if (status != ONR_STATUS_OK) return blame_value(importer, "output", name, status);
  }
  return ONR_STATUS_OK;
}

/* --- the whole --- */

/* The values that there are now are the initializers. */
static enum onr_status prepare_count(struct onri_importer *importer) {
  importer->num_initializers = importer->graph->num_values;
  importer->counted = onri_arena_allocate(&importer->scratch, importer->num_initializers);
  return importer->counted ? ONR_STATUS_OK : onri_import_no_memory(importer);
}

/* Room for what the nodes will add, so that large graphs are not copied while they grow. Nodes are within the limit
 * here. */
static enum onr_status reserve(struct onri_importer *importer, struct onri_graph *graph, size_t nodes) {
  const struct onr_allocator *allocator = importer->env->allocator;
  if (onri_grow(allocator, &graph->values, sizeof(*graph->values), &graph->values_capacity,
                graph->num_values + nodes) &&
      onri_grow(allocator, &graph->nodes, sizeof(*graph->nodes), &graph->nodes_capacity, graph->num_nodes + nodes))
    return ONR_STATUS_OK;
  return onri_import_no_memory(importer);
}

/* inputs has room for all formal inputs; captures come later. */
static enum onr_status read_graph(struct onri_importer *importer, struct onri_scope *scope,
                                  const Onnx__GraphProto *proto, size_t *num_inputs, int32_t *inputs,
                                  int32_t *outputs) {
  struct onri_names seen;
  enum onr_status status;
  ONR_TRY(read_initializers(importer, scope, proto));
  if (!scope->outer) ONR_TRY(prepare_count(importer));
  onri_names_init(&seen, importer->env->allocator);
  status = read_inputs(importer, scope, proto, inputs, num_inputs, &seen);
  onri_names_clear(&seen);
  ONR_TRY(status);
  ONR_TRY(reserve(importer, scope->graph, proto->n_node));
  ONR_TRY(onri_import_nodes(importer, scope, proto->node, proto->n_node, NULL));
  status = read_outputs(importer, scope, proto, outputs, &seen);
  onri_names_clear(&seen);
  return status;
}

/* An operator may have outputs that no layer here computes. That is no matter where nobody reads them. */
static enum onr_status check_made(struct onri_importer *importer, const struct onri_graph *graph,
                                  const uint8_t *is_input, int32_t v, const struct onri_origin *reader) {
  const struct onri_value *value = v == ONRI_NONE ? NULL : &graph->values[v];
  char shown[SHOWN];
  if (!value || value->producer != ONRI_NONE || value->constant || is_input[v]) return ONR_STATUS_OK;
  const enum onr_status status =
      onr_fail(importer->error, ONR_STATUS_UNSUPPORTED, "'%s' is an output that is not computed",
               onri_escape_string(value->name, shown, sizeof(shown)));
  return reader ? onri_origin_blame(reader, status, importer->error) : status;
}

static enum onr_status check_all_made(struct onri_importer *importer, const struct onri_graph *graph) {
  uint8_t *is_input = onri_arena_allocate(&importer->scratch, graph->num_values);
  if (!is_input) return onri_import_no_memory(importer);
  for (size_t i = 0; i < graph->num_inputs; i++) is_input[graph->inputs[i]] = 1;
  for (size_t n = 0; n < graph->num_nodes; n++)
    for (int32_t i = 0; i < graph->nodes[n].num_in; i++)
      ONR_TRY(check_made(importer, graph, is_input, graph->nodes[n].in[i], graph->nodes[n].origin));
  for (size_t i = 0; i < graph->num_outputs; i++)
    ONR_TRY(check_made(importer, graph, is_input, graph->outputs[i], NULL));
  return ONR_STATUS_OK;
}

static enum onr_status import_graph(struct onri_importer *importer, struct onri_scope *scope,
                                    const Onnx__GraphProto *proto) {
  int32_t *inputs = onri_arena_allocate(&importer->scratch, proto->n_input * sizeof(*inputs));
  int32_t *outputs = onri_arena_allocate(&importer->scratch, proto->n_output * sizeof(*outputs)), *all = inputs;
  size_t num_inputs = 0;
  if (!inputs || !outputs) return onri_import_no_memory(importer);
  ONR_TRY(read_graph(importer, scope, proto, &num_inputs, inputs, outputs));
  if (scope->num_captures) {
    all = onri_arena_allocate(&importer->scratch, (num_inputs + scope->num_captures) * sizeof(*all));
    if (!all) return onri_import_no_memory(importer);
    if (num_inputs) memcpy(all, inputs, num_inputs * sizeof(*all));
    memcpy(all + num_inputs, scope->inner, scope->num_captures * sizeof(*all));
  }
  ONR_TRY(onri_graph_set_inputs(scope->graph, all, num_inputs + scope->num_captures, importer->error));
  ONR_TRY(onri_graph_set_outputs(scope->graph, outputs, proto->n_output, importer->error));
  /* Outputs of nodes that are unsupported as a whole are reported with them. */
  return importer->unsupported.count ? ONR_STATUS_OK : check_all_made(importer, scope->graph);
}

enum onr_status onri_import_body(struct onri_importer *importer, struct onri_scope *outer,
                                 const Onnx__GraphProto *proto, struct onri_graph **body, int32_t **captures,
                                 size_t *num_captures) {
  struct onri_scope scope;
  enum onr_status status;
  ONR_TRY(onri_import_enter(importer));
  ONR_TRY(onri_import_new_body(importer, body));
  onri_scope_init(&scope, importer, outer, *body);
  status = import_graph(importer, &scope, proto);
  *num_captures = scope.num_captures;
  *captures = onri_arena_copy(&importer->scratch, scope.captured, scope.num_captures * sizeof(**captures));
  if (status == ONR_STATUS_OK && !*captures) status = onri_import_no_memory(importer);
  onri_scope_clear(&scope, importer);
  importer->depth--;
  return status;
}

enum onr_status onri_import_main(struct onri_importer *importer, const Onnx__GraphProto *proto,
                                 const struct onri_opsets *opsets) {
  struct onri_scope scope;
  enum onr_status status;
  onri_scope_init(&scope, importer, NULL, importer->graph);
  scope.opsets = opsets;
  status = import_graph(importer, &scope, proto);
  onri_scope_clear(&scope, importer);
  return status;
}
