/* model.c: the immutable half: a rewritten graph, its packed weights, and what it declares. */
#include "model/model.h"

#include <string.h>

#include "base/cpu.h"
#include "base/shape.h"
#include "base/sized.h"
#include "model/packed.h"
#include "model/passes.h"

static enum onr_status no_memory(struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a model");
}

enum onr_status onri_model_options_read(const struct onr_model_options *given, struct onr_model_options *options,
                                        struct onr_error *error) {
  ONR_TRY(onri_cpu_check(error));
  return ONRI_SIZED_READ(options, given, onr_model_options, error);
}

enum onr_status onri_model_create(const struct onr_model_options *options, struct onr_model **model,
                                  struct onr_error *error) {
  static const struct onr_model_options defaults = {0};
  const struct onr_allocator *allocator;
  struct onr_limits limits;
  struct onr_model *m;
  if (!options) options = &defaults;
  *model = NULL;
  ONR_TRY(onri_allocator_choose(options->allocator, &allocator, error));
  ONR_TRY(ONRI_SIZED_READ(&limits, options->limits, onr_limits, error));
  m = onri_allocate_zeroed(allocator, sizeof(*m));
  if (!m) return no_memory(error);
  m->env = (struct onr_env){.allocator = &m->meter.allocator,
                            .uses = options ? options->uses : NULL,
                            .uses_context = options ? options->report_context : NULL,
                            .meter = &m->meter,
                            .threads = options->threads,
                            .limits = onri_limits_resolve(&limits),
                            .backend = options->backend,
                            .precision = options->precision,
                            .method = options->method,
                            .cancel = options->cancel};
  m->plan_bytes = limits.plan_bytes;
  m->work = limits.work;
  onri_meter_init(&m->meter, allocator, m->env.limits.total_bytes, sizeof(*m));
  onri_arena_init(&m->arena, m->env.allocator, 0);
  *model = m;
  return ONR_STATUS_OK;
}

void onr_model_destroy(struct onr_model *model) {
  if (!model) return;
  onri_graph_destroy(model->graph);
  if (ONRI_PART(packed)) onri_packed_clear(model);
  onri_blocks_clear(&model->blocks, &model->meter.allocator);
  if (model->release_keep) model->release_keep(model->keep);
  onri_arena_clear(&model->arena);
  onri_release(model->meter.under, model);
}

static enum onr_status declare_value(struct onri_arena *arena, const char *name, const struct onr_desc *desc,
                                     const char *const *dim_names, struct onr_value_info *info,
                                     struct onr_error *error) {
  *info = (struct onr_value_info){.name = onri_arena_string(arena, name), .dtype = desc->dtype, .rank = desc->rank};
  if (!info->name) return no_memory(error);
  for (int32_t d = 0; d < info->rank; d++) {
    info->dim[d] = desc->dim[d];
    if (!dim_names || !dim_names[d]) continue;
    info->dim_name[d] = onri_arena_string(arena, dim_names[d]);
    if (!info->dim_name[d]) return no_memory(error);
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_model_declare(const struct onri_graph *graph, const int32_t *values, size_t count, size_t room,
                                   struct onri_arena *arena, struct onr_value_info **infos, struct onr_error *error) {
  *infos = onri_arena_allocate(arena, room * sizeof(**infos));
  if (!*infos) return no_memory(error);
  for (size_t i = 0; i < count; i++) {
    const struct onri_value *value = &graph->values[values[i]];
    ONR_TRY(declare_value(arena, value->name, &value->desc, value->dim_names, &(*infos)[i], error));
    (*infos)[i].type = value->type ? onri_arena_string(arena, value->type) : NULL;
    if (value->type && !(*infos)[i].type) return no_memory(error);
  }
  return ONR_STATUS_OK;
}

static enum onr_status index_names(struct onr_model *m, const struct onr_value_info *infos, size_t count,
                                   struct onri_named **list, struct onr_error *error) {
  *list = onri_arena_allocate(&m->arena, count * sizeof(**list));
  if (!*list) return no_memory(error);
  for (size_t i = 0; i < count; i++) (*list)[i] = (struct onri_named){infos[i].name, (int32_t)i, 0};
  onri_named_sort(*list, count);
  return ONR_STATUS_OK;
}

static enum onr_status index_symbols(struct onr_model *m, struct onr_error *error) {
  const size_t count = m->graph->num_inputs + m->num_defaults;
  for (size_t i = 0; i < count; i++)
    for (int32_t d = 0; d < m->inputs[i].rank; d++) m->num_symbols += m->inputs[i].dim_name[d] != NULL;
  struct onri_named *next = m->symbols = onri_arena_allocate(&m->arena, m->num_symbols * sizeof(*next));
  if (!next) return no_memory(error);
  for (size_t i = 0; i < count; i++)
    for (int32_t d = 0; d < m->inputs[i].rank; d++)
      if (m->inputs[i].dim_name[d]) *next++ = (struct onri_named){m->inputs[i].dim_name[d], (int32_t)i, d};
  onri_named_sort(m->symbols, m->num_symbols);
  return ONR_STATUS_OK;
}

static enum onr_status declare_all(struct onr_model *m, const struct onr_model_info *info, struct onr_error *error) {
  m->info = *info;
  const char **const texts[] = {&m->info.producer_name, &m->info.producer_version, &m->info.domain, &m->info.graph_name,
                                &m->info.doc_string};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    *texts[i] = onri_arena_string(&m->arena, *texts[i] ? *texts[i] : "");
    if (!*texts[i]) return no_memory(error);
  }
  const size_t num_inputs = m->graph->num_inputs, num_outputs = m->graph->num_outputs;
  ONR_TRY(onri_model_declare(m->graph, m->graph->inputs, num_inputs, num_inputs + m->num_defaults, &m->arena,
                             &m->inputs, error));
  for (size_t i = 0; i < m->num_defaults; i++) {
    const struct onri_default *d = &m->defaults[i];
    ONR_TRY(declare_value(&m->arena, d->name, &d->desc, d->dim_names, &m->inputs[num_inputs + i], error));
  }
  ONR_TRY(onri_model_declare(m->graph, m->graph->outputs, num_outputs, num_outputs, &m->arena, &m->outputs, error));
  ONR_TRY(index_names(m, m->inputs, num_inputs + m->num_defaults, &m->input_names, error));
  ONR_TRY(index_names(m, m->outputs, num_outputs, &m->output_names, error));
  return index_symbols(m, error);
}

/* Depth is bounded by limits.depth. What is held is in memory or in a file: the sums fit. */
static uint64_t constant_bytes(const struct onri_graph *graph) {
  uint64_t bytes = 0;
  for (size_t v = 0; v < graph->num_values; v++)
    if (graph->values[v].constant) bytes += onr_desc_bytes(&graph->values[v].constant->desc);
  for (size_t n = 0; n < graph->num_nodes; n++)
    for (int32_t b = 0; b < onri_num_bodies(&graph->nodes[n]); b++) bytes += constant_bytes(graph->nodes[n].bodies[b]);
  return bytes;
}

enum { DIM_TEXT = 96 };

/* A dimension of an output: its number, or what it is of the inputs' dimensions. What is not told stays as declared. */
static enum onr_status tell_dim(struct onr_model *m, const struct onri_facts *facts, onri_expr dim, int64_t *size,
                                const char **name, struct onr_error *error) {
  char text[DIM_TEXT];
  if (onri_expr_is_number(&facts->exprs, dim, size)) {
    *name = NULL;
    return ONR_STATUS_OK;
  }
  if (!ONRI_PART(symbols) || *size >= 0 || !strcmp(onri_expr_format(&facts->exprs, dim, text, sizeof(text)), "?"))
    return ONR_STATUS_OK;
  *name = onri_arena_string(&m->arena, text);
  return *name ? ONR_STATUS_OK : no_memory(error);
}

/* What is deduced of the outputs' shapes is more than what the file declares. */
static enum onr_status tell_outputs(void *context, const struct onri_facts *facts, struct onr_error *error) {
  struct onr_model *m = context;
  for (size_t i = 0; i < m->graph->num_outputs; i++) {
    const struct onri_fact *fact = &facts->of[m->graph->outputs[i]];
    struct onr_value_info *info = &m->outputs[i];
    if (fact->rank == ONRI_UNKNOWN_RANK) continue;
    if (info->rank != fact->rank) {
      info->rank = fact->rank;
      for (int32_t d = 0; d < fact->rank; d++) info->dim[d] = ONR_UNKNOWN_DIM, info->dim_name[d] = NULL;
    }
    if (fact->dtype != ONR_DTYPE_NONE) info->dtype = fact->dtype;
    for (int32_t d = 0; d < fact->rank; d++)
      ONR_TRY(tell_dim(m, facts, fact->dim[d], &info->dim[d], &info->dim_name[d], error));
  }
  return ONR_STATUS_OK;
}

/* Rewrites that make what is for kernels alone: with layers of bytes, which have no form in C; or with none at all. */
static enum onr_status leave_out(struct onr_model *m, const char *more, const char **disabled,
                                 struct onr_error *error) {
  if (!*disabled) {
    *disabled = more;
    return ONR_STATUS_OK;
  }
  const size_t length = strlen(*disabled), added = strlen(more) + 1;
  char *both = onri_arena_allocate(&m->arena, length + 1 + added);
  if (!both) return no_memory(error);
  memcpy(both, *disabled, length);
  both[length] = ',';
  memcpy(both + length + 1, more, added);
  *disabled = both;
  return ONR_STATUS_OK;
}

enum onr_status onri_model_finish(struct onr_model *model, struct onri_graph *graph, const struct onr_model_info *info,
                                  void *keep, void (*release_keep)(void *keep), const struct onr_model_options *options,
                                  struct onr_error *error) {
  model->graph = graph;
  model->keep = keep;
  model->release_keep = release_keep;
  ONR_TRY(onri_graph_verify(graph, error));
  ONR_TRY(declare_all(model, info, error));
  model->constant_bytes = constant_bytes(graph);
  const struct onri_passes_listener listener = {.deduced = tell_outputs,
                                                .context = model,
                                                .uses = options ? options->uses : NULL,
                                                .uses_context = options ? options->report_context : NULL};
  const char *disabled = options ? options->disabled_passes : NULL;
  model->for_source = options && options->for_source;
  if (model->for_source)
    ONR_TRY(leave_out(model, "fuse_quantized,byte_pieces,channel_scale,conv_chain", &disabled, error));
  if (model->for_onnx) ONR_TRY(leave_out(model, ONRI_PASSES_KERNELS, &disabled, error));
  ONR_TRY(onri_passes_run(graph, disabled, &listener, error));
  ONR_TRY(onri_graph_verify(graph, error));
  if (options)
    model->packed.path = options->packed, model->packed.writes = options->packed_write,
    model->packed.passes = options->disabled_passes;
  if (!model->for_source && !model->for_onnx) {
    if (ONRI_PART(packed)) ONR_TRY(onri_packed_begin(model, error));
    ONR_TRY(onri_model_prepare(model, error));
  }
  model->info.num_nodes = graph->num_nodes;
  model->env.cancel = NULL; /* the loader's flag: sessions bring their own */
  model->env.threads = NULL;
  model->env.uses = NULL;
  return ONR_STATUS_OK;
}

size_t onr_model_num_inputs(const struct onr_model *model) { return model ? model->graph->num_inputs : 0; }

size_t onr_model_num_defaults(const struct onr_model *model) { return model ? model->num_defaults : 0; }

size_t onr_model_num_outputs(const struct onr_model *model) { return model ? model->graph->num_outputs : 0; }

const struct onr_value_info *onr_model_input(const struct onr_model *model, size_t index) {
  return index < onr_model_num_inputs(model) + onr_model_num_defaults(model) ? &model->inputs[index] : NULL;
}

const struct onr_value_info *onr_model_output(const struct onr_model *model, size_t index) {
  return index < onr_model_num_outputs(model) ? &model->outputs[index] : NULL;
}

int onr_model_find_input(const struct onr_model *model, const char *name) {
  if (!model || !name) return -1;
  const struct onri_named *found =
      onri_named_find(model->input_names, model->graph->num_inputs + model->num_defaults, name);
  return found ? found->index : -1;
}

int onr_model_find_output(const struct onr_model *model, const char *name) {
  if (!model || !name) return -1;
  const struct onri_named *found = onri_named_find(model->output_names, model->graph->num_outputs, name);
  return found ? found->index : -1;
}

size_t onr_model_num_properties(const struct onr_model *model) { return model ? model->num_properties : 0; }

const struct onr_property *onr_model_property(const struct onr_model *model, size_t index) {
  return index < onr_model_num_properties(model) ? &model->properties[index] : NULL;
}

const struct onr_property *onr_model_find_property(const struct onr_model *model, const char *key) {
  for (size_t i = 0; key && i < onr_model_num_properties(model); i++)
    if (!strcmp(model->properties[i].key, key)) return &model->properties[i];
  return NULL;
}

size_t onr_model_num_float_layers(const struct onr_model *model) { return model ? model->graph->num_float_layers : 0; }

const struct onr_float_layer *onr_model_float_layer(const struct onr_model *model, size_t index) {
  return index < onr_model_num_float_layers(model) ? &model->graph->float_layers[index] : NULL;
}

size_t onr_model_num_opsets(const struct onr_model *model) { return model ? model->num_opsets : 0; }

const struct onr_opset *onr_model_opset(const struct onr_model *model, size_t index) {
  return index < onr_model_num_opsets(model) ? &model->opsets[index] : NULL;
}

size_t onr_model_num_external_files(const struct onr_model *model) { return model ? model->num_external_files : 0; }

const char *onr_model_external_file(const struct onr_model *model, size_t index) {
  return index < onr_model_num_external_files(model) ? model->external_files[index] : NULL;
}

size_t onr_model_num_modules(const struct onr_model *model) { return model ? model->num_modules : 0; }

const struct onr_module_info *onr_model_module(const struct onr_model *model, size_t index) {
  return index < onr_model_num_modules(model) ? &model->modules[index] : NULL;
}

enum onr_status onr_model_get_info(const struct onr_model *model, struct onr_model_info *info) {
  return model ? ONRI_SIZED_WRITE(info, &model->info, onr_model_info, NULL) : ONR_STATUS_ARGUMENT;
}
