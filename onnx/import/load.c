/* load.c: scan, decode, import. */
#include "onnx/import/load.h"

#include <string.h>

#include "base/only.h"
#include "model/model.h"
#include "onnx/import/import_file.h"
#include "onnx/torch/modules.h"

void onri_importer_clear(struct onri_importer *importer) {
  const struct onr_allocator *allocator = importer->env->allocator;
  for (size_t i = 0; i < importer->num_orphans; i++) onri_graph_destroy(importer->orphans[i]);
  for (size_t i = 0; i < importer->num_held; i++) onri_constant_release(importer->held[i]);
  onri_release(allocator, importer->orphans);
  onri_release(allocator, importer->held);
  onri_release(allocator, importer->unsupported.items);
  onri_release(allocator, importer->functions.key);
  onri_names_clear(&importer->unsupported.by_text);
  onri_names_clear(&importer->functions.by_key);
  onri_names_clear(&importer->texts.names);
  onri_arena_clear(&importer->scratch);
}

void onri_importer_init(struct onri_importer *importer, struct onr_env *env, struct onri_graph *graph,
                        const struct onri_tensor_decoder *tensors, const struct onr_model_options *options,
                        struct onr_error *error) {
  static const struct onr_model_options defaults = {0};
  *importer = (struct onri_importer){
      .env = env, .error = error, .tensors = tensors, .graph = graph, .options = options ? options : &defaults};
  onri_arena_init(&importer->scratch, env->allocator, 0);
  onri_names_init(&importer->texts.names, env->allocator);
  importer->texts.arena = &graph->arena;
  onri_names_init(&importer->functions.by_key, env->allocator);
  onri_names_init(&importer->unsupported.by_text, env->allocator);
}

static enum onr_status read_opsets(struct onri_importer *importer, const Onnx__ModelProto *model,
                                   struct onri_opsets *opsets) {
  struct onr_opset *first;
  ONR_TRY(onri_check_ir_version(model, importer->error));
  ONR_TRY(
      onri_opsets_read(&importer->scratch, model->opset_import, model->n_opset_import, NULL, opsets, importer->error));
  if (!opsets->count) { /* a file older than operator set versions */
    first = onri_arena_allocate(&importer->scratch, sizeof(*first));
    if (!first) return onri_import_no_memory(importer);
    *first = (struct onr_opset){"", 1};
    *opsets = (struct onri_opsets){first, 1};
  }
  importer->opsets = opsets;
  return ONR_STATUS_OK;
}

/* With a NUL behind it. */
static enum onr_status copy_text(struct onri_importer *importer, const ProtobufCBinaryData *from, const char **to) {
  char *text = onri_arena_allocate(&importer->graph->arena, from->len + 1);
  if (!text) return onri_import_no_memory(importer);
  if (from->len) memcpy(text, from->data, from->len);
  *to = text;
  return ONR_STATUS_OK;
}

static enum onr_status copy_properties(struct onri_importer *importer, const Onnx__ModelProto *model,
                                       struct onri_loaded *loaded) {
  struct onri_arena *arena = &importer->graph->arena;
  loaded->properties = onri_arena_allocate(arena, model->n_metadata_props * sizeof(*loaded->properties));
  if (!loaded->properties) return onri_import_no_memory(importer);
  for (size_t i = 0; i < model->n_metadata_props; i++) {
    const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
    struct onr_property *property = &loaded->properties[i];
    property->key = onri_arena_string(arena, entry->key ? entry->key : "");
    property->value.length = entry->value.len;
    if (!property->key) return onri_import_no_memory(importer);
    ONR_TRY(copy_text(importer, &entry->value, &property->value.text));
  }
  loaded->num_properties = model->n_metadata_props;
  return ONR_STATUS_OK;
}

static enum onr_status copy_opsets(struct onri_importer *importer, struct onri_loaded *loaded) {
  const struct onri_opsets *opsets = importer->opsets;
  struct onri_arena *arena = &importer->graph->arena;
  loaded->opsets = onri_arena_allocate(arena, opsets->count * sizeof(*loaded->opsets));
  if (!loaded->opsets) return onri_import_no_memory(importer);
  for (size_t i = 0; i < opsets->count; i++) {
    loaded->opsets[i] = (struct onr_opset){onri_arena_string(arena, opsets->items[i].domain), opsets->items[i].version};
    if (!loaded->opsets[i].domain) return onri_import_no_memory(importer);
  }
  loaded->num_opsets = opsets->count;
  return ONR_STATUS_OK;
}

static enum onr_status fill_info(struct onri_importer *importer, const Onnx__ModelProto *model,
                                 struct onri_loaded *loaded) {
  struct onr_model_info *info = &loaded->info;
  *info = (struct onr_model_info){.ir_version = model->ir_version,
                                  .opset = onri_opsets_version(importer->opsets, ""),
                                  .num_nodes_in_file = model->graph->n_node};
  if (ONRI_PART(more)) ONR_TRY(onri_modules_read(importer, model->graph, &loaded->modules, &loaded->num_modules));
  for (size_t i = 0; i < loaded->num_modules; i++)
    if (info->parameters <= INT64_MAX - loaded->modules[i].parameters)
      info->parameters += loaded->modules[i].parameters;
  info->producer_name = onri_intern(&importer->texts, model->producer_name ? model->producer_name : "");
  info->producer_version = onri_intern(&importer->texts, model->producer_version ? model->producer_version : "");
  info->graph_name = onri_intern(&importer->texts, model->graph->name ? model->graph->name : "");
  if (!info->producer_name || !info->producer_version || !info->graph_name) return onri_import_no_memory(importer);
  info->model_version = model->model_version;
  ONR_TRY(copy_text(importer, &model->domain, &info->domain));
  ONR_TRY(copy_text(importer, &model->doc_string, &info->doc_string));
  ONR_TRY(copy_properties(importer, model, loaded));
  return copy_opsets(importer, loaded);
}

/* The caller's struct may be shorter than ours, so it cannot step through an array of them. */
static const struct onr_value_info **pointers_to(struct onri_importer *importer, const struct onr_value_info *infos,
                                                 size_t count) {
  const struct onr_value_info **pointers = onri_arena_allocate(&importer->scratch, count * sizeof(*pointers));
  for (size_t i = 0; pointers && i < count; i++) pointers[i] = &infos[i];
  return pointers;
}

static enum onr_status tell_declared(struct onri_importer *importer) {
  const struct onri_graph *g = importer->graph;
  const struct onr_model_options *options = importer->options;
  struct onr_value_info *inputs, *outputs;
  const struct onr_value_info **in, **out;
  if (!options->declared) return ONR_STATUS_OK;
  ONR_TRY(onri_model_declare(g, g->inputs, g->num_inputs, g->num_inputs, &importer->scratch, &inputs, importer->error));
  ONR_TRY(
      onri_model_declare(g, g->outputs, g->num_outputs, g->num_outputs, &importer->scratch, &outputs, importer->error));
  in = pointers_to(importer, inputs, g->num_inputs);
  out = pointers_to(importer, outputs, g->num_outputs);
  if (!in || !out) return onri_import_no_memory(importer);
  options->declared(options->report_context, in, g->num_inputs, out, g->num_outputs);
  return ONR_STATUS_OK;
}

static enum onr_status import(struct onri_importer *importer, const Onnx__ModelProto *model,
                              struct onri_loaded *loaded) {
  struct onri_opsets opsets;
  if (!model->graph) return onr_fail(importer->error, ONR_STATUS_GRAPH, "the file holds no graph");
  importer->ir_version = model->ir_version;
  importer->from_pytorch = model->producer_name && !strcmp(model->producer_name, "pytorch");
  ONR_TRY(read_opsets(importer, model, &opsets));
  ONR_TRY(onri_op_index_make(&importer->scratch, &importer->ops, importer->error));
  if (ONRI_PART(functions)) ONR_TRY(onri_functions_read(importer, model));
  ONR_TRY(onri_import_main(importer, model->graph, &opsets));
  ONR_TRY(tell_declared(importer));
  ONR_TRY(onri_unsupported_finish(importer));
  loaded->defaults = importer->defaults;
  loaded->num_defaults = importer->num_defaults;
  return fill_info(importer, model, loaded);
}

static enum onr_status decode_and_import(struct onri_importer *importer, struct onri_skeleton *skeleton,
                                         struct onri_loaded *loaded) {
  const Onnx__ModelProto *model;
  struct onri_arena decoded;
  enum onr_status status;
  onri_arena_init(&decoded, importer->env->allocator, 0);
  status = onri_decode_model(skeleton, &decoded, &model, importer->error);
  onri_skeleton_drop_bytes(skeleton);
  if (status == ONR_STATUS_OK) status = import(importer, model, loaded);
  onri_arena_clear(&decoded);
  return status;
}

static enum onr_status scan_and_import(struct onr_env *env, struct onri_sources *sources,
                                       const struct onr_model_options *options, const struct onri_opened *opened,
                                       struct onri_loaded *loaded, struct onr_error *error) {
  struct onri_skeleton skeleton;
  struct onri_tensor_decoder tensors = {.env = env, .sources = sources};
  struct onri_importer importer;
  struct onri_graph *graph;
  enum onr_status status;
  *loaded = (struct onri_loaded){.graph = NULL};
  ONR_TRY(onri_scan_model(&sources->main, &env->limits, env->allocator, &skeleton, error));
  tensors.spans = skeleton.spans;
  tensors.num_spans = skeleton.num_spans;
  tensors.shared = onri_allocate_zeroed(env->allocator, skeleton.num_spans * sizeof(struct onri_constant *));
  status = tensors.shared ? onri_graph_create(env, &graph, error)
                          : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to load a model");
  if (status == ONR_STATUS_OK) {
    onri_importer_init(&importer, env, graph, &tensors, options, error);
    importer.opened = opened;
    status = decode_and_import(&importer, &skeleton, loaded);
    onri_importer_clear(&importer);
    if (status == ONR_STATUS_OK) loaded->graph = graph;
    else onri_graph_destroy(graph);
  }
  for (size_t i = 0; tensors.shared && i < skeleton.num_spans; i++) onri_constant_release(tensors.shared[i]);
  onri_release(env->allocator, tensors.shared);
  onri_skeleton_clear(&skeleton);
  return status;
}

/* A file can ask for much more memory than it has bytes: sparse tensors, functions that are called often. Weights are
 * not in memory yet while it is read, so no honest file comes near this. */
enum { READING_SLACK = 128 << 20, READING_FACTOR = 128 };

enum onr_status onri_onnx_load(struct onr_env *env, struct onri_sources *sources,
                               const struct onr_model_options *options, const struct onri_opened *opened,
                               struct onri_loaded *loaded, struct onr_error *error) {
  struct onri_meter *meter = env->meter;
  const uint64_t total = env->limits.total_bytes, size = onri_source_held(&sources->main);
  const uint64_t most = size < (total - 1) / READING_FACTOR ? READING_SLACK + READING_FACTOR * size : total;
  enum onr_status status;
  if (meter && most < total) onri_meter_set_limit(meter, "what reading a file of this size may take,", most);
  status = onri_meter_settle_model(meter, scan_and_import(env, sources, options, opened, loaded, error), error);
  if (meter && most < total) onri_meter_set_limit(meter, "the limit total_bytes", total);
  if (status != ONR_STATUS_OK) { /* also what was read but for notes that there was no memory for */
    onri_graph_destroy(loaded->graph);
    loaded->graph = NULL;
  }
  return status;
}
