/* modules.c: PyTorch's modules, as the file names them, with their parameters. */
#include "onnx/torch/modules.h"

#include <stdio.h>
#include <string.h>

#include "onnx/torch/module_reading.h"

int onri_reading_grow(struct onri_module_reading *r, void *array, size_t item, size_t *capacity, size_t needed) {
  return onri_grow(r->importer->env->allocator, array, item, capacity, needed);
}

/* --- modules --- */

int32_t onri_module_of(struct onri_module_reading *r, struct onri_slice path, struct onri_slice kind) {
  const char *name = onri_intern_slice(r->importer, path);
  int32_t index;
  if (!name) return -1;
  index = onri_names_get(&r->modules_by_path, name);
  if (index < 0) {
    if (!onri_reading_grow(r, &r->modules, sizeof(*r->modules), &r->modules_capacity, r->num_modules + 1)) return -1;
    index = (int32_t)r->num_modules++;
    r->modules[index] = (struct onr_module_info){.path = name, .kind = ""};
    if (onri_names_put(&r->modules_by_path, name, index) < 0) return -1;
  }
  if (kind.length && !*r->modules[index].kind) {
    r->modules[index].kind = onri_intern_slice(r->importer, kind);
    if (!r->modules[index].kind) return -1;
  }
  return index;
}

static struct onri_slice whole(const char *text) { return (struct onri_slice){text, strlen(text)}; }

struct onri_slice onri_node_metadata(const Onnx__NodeProto *node, const char *key) {
  return onri_metadata(node->metadata_props, node->n_metadata_props, key);
}

/* All modules around a node, outermost first. */
static int add_scopes(struct onri_module_reading *r, const Onnx__NodeProto *node) {
  struct onri_scopes scopes = onri_node_scopes(node);
  struct onri_slice path, kind;
  while (onri_scopes_next(&scopes, &path, &kind))
    if (onri_module_of(r, path, onri_last_component(kind)) < 0) return 0;
  return 1;
}

static enum onr_status add_modules(struct onri_module_reading *r) {
  for (size_t n = 0; n < r->graph->n_node; n++) {
    const char *path = onri_module_path(r->importer, r->graph->node[n]);
    const struct onri_slice nothing = {"", 0};
    /* First the node's own home: it is another one when the exporter has folded a BatchNorm away. */
    r->homes[n] = path ? onri_module_of(r, whole(path), nothing) : -1;
    if (r->homes[n] < 0 || !add_scopes(r, r->graph->node[n])) return onri_import_no_memory(r->importer);
  }
  return ONR_STATUS_OK;
}

void onri_add_elements(int64_t *sum, int64_t elements) {
  if (*sum <= INT64_MAX - elements) *sum += elements;
}

int64_t onri_initializer_elements(const struct onri_module_reading *r, int32_t initializer) {
  return onr_desc_elements(&r->importer->graph->values[initializer].desc);
}

static void add_to_module(struct onri_module_reading *r, int32_t module, const char *leaf, int64_t elements) {
  const int statistics = !strcmp(leaf, "running_mean") || !strcmp(leaf, "running_var");
  onri_add_elements(statistics ? &r->modules[module].buffers : &r->modules[module].parameters, elements);
}

int32_t onri_node_initializer(const struct onri_module_reading *r, const Onnx__NodeProto *node, size_t input) {
  return input < node->n_input ? onri_names_get(&r->initializers, node->input[input]) : -1;
}

/* --- without it --- */

/* "layer1.0.conv1.weight": letters, digits, underscores and dots, with at least one dot. */
static int is_python_path(const char *name) {
  return strchr(name, '.') && !name[strspn(name, "0123456789_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

/* home: the module of a node that reads it; -1: only bodies do. */
static enum onr_status count_initializer(struct onri_module_reading *r, int32_t value, int32_t home) {
  const char *name = r->importer->graph->values[value].name;
  const struct onri_slice nothing = {"", 0};
  if (r->seen[value] || !r->importer->counted[value]) return ONR_STATUS_OK;
  r->seen[value] = 1;
  const int named = is_python_path(name);
  const int32_t module =
      named || home < 0 ? onri_module_of(r, named ? onri_parent_path(whole(name)) : nothing, nothing) : home;
  if (module < 0) return onri_import_no_memory(r->importer);
  add_to_module(r, module, named ? onri_last_component(whole(name)).text : "", onri_initializer_elements(r, value));
  return ONR_STATUS_OK;
}

static enum onr_status count_initializers(struct onri_module_reading *r) {
  for (size_t n = 0; n < r->graph->n_node; n++)
    for (size_t i = 0; i < r->graph->node[n]->n_input; i++) {
      const int32_t value = onri_node_initializer(r, r->graph->node[n], i);
      if (value >= 0) ONR_TRY(count_initializer(r, value, r->homes[n]));
    }
  for (size_t i = 0; i < r->importer->num_initializers; i++) ONR_TRY(count_initializer(r, (int32_t)i, -1));
  return ONR_STATUS_OK;
}

/* --- the whole --- */

static enum onr_status name_initializers(struct onri_module_reading *r) {
  struct onri_importer *importer = r->importer;
  r->seen = onri_arena_allocate(&importer->scratch, importer->num_initializers + 1);
  r->taken = onri_arena_allocate(&importer->scratch, (importer->num_initializers + 1) * sizeof(*r->taken));
  r->homes = onri_arena_allocate(&importer->scratch, (r->graph->n_node + 1) * sizeof(*r->homes));
  if (!r->seen || !r->taken || !r->homes) return onri_import_no_memory(importer);
  for (size_t i = 0; i < importer->num_initializers; i++)
    if (onri_names_put(&r->initializers, importer->graph->values[i].name, (int32_t)i) < 0)
      return onri_import_no_memory(importer);
  return ONR_STATUS_OK;
}

/* PyTorch's name for the module that a node of the standard mostly stands for. */
static const char *kind_of(struct onri_module_reading *r, const Onnx__NodeProto *node, char text[64]) {
  static const struct {
    const char *op_type, *kind;
  } names[] = {{"Conv", "Conv%dd"}, {"ConvTranspose", "ConvTranspose%dd"}, {"Gemm", "Linear"}, {"MatMul", "Linear"}};
  const int32_t weight = onri_node_initializer(r, node, 1);
  for (size_t i = 0; weight >= 0 && i < sizeof(names) / sizeof(names[0]); i++)
    if (!strcmp(node->op_type, names[i].op_type)) {
      snprintf(text, 64, names[i].kind, r->importer->graph->values[weight].desc.rank - 2);
      return text;
    }
  return node->op_type;
}

/* A module whose kind no metadata says is called after its first node. */
static enum onr_status name_kinds(struct onri_module_reading *r) {
  char text[64];
  for (size_t n = 0; n < r->graph->n_node; n++) {
    const Onnx__NodeProto *node = r->graph->node[n];
    struct onr_module_info *module = &r->modules[r->homes[n]];
    if (!node->op_type || !strcmp(node->op_type, "Constant") || !*module->path || *module->kind) continue;
    module->kind = onri_intern(&r->importer->texts, kind_of(r, node, text));
    if (!module->kind) return onri_import_no_memory(r->importer);
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_all(struct onri_module_reading *r) {
  const struct onri_slice signature = onri_metadata(r->graph->metadata_props, r->graph->n_metadata_props,
                                                    "pkg.torch.export.ExportedProgram.graph_signature");
  ONR_TRY(name_initializers(r));
  ONR_TRY(add_modules(r));
  ONR_TRY(signature.length ? onri_signature_read(r, signature) : count_initializers(r));
  return name_kinds(r);
}

static void clear(struct onri_module_reading *r) {
  const struct onr_allocator *allocator = r->importer->env->allocator;
  onri_release(allocator, r->modules);
  onri_release(allocator, r->parameters);
  onri_release(allocator, r->strays);
  onri_names_clear(&r->modules_by_path);
  onri_names_clear(&r->initializers);
  onri_names_clear(&r->arguments);
}

enum onr_status onri_modules_read(struct onri_importer *importer, const Onnx__GraphProto *graph,
                                  struct onr_module_info **modules, size_t *num_modules) {
  struct onri_module_reading r = {.importer = importer, .graph = graph};
  enum onr_status status;
  onri_names_init(&r.modules_by_path, importer->env->allocator);
  onri_names_init(&r.initializers, importer->env->allocator);
  onri_names_init(&r.arguments, importer->env->allocator);
  status = read_all(&r);
  if (status == ONR_STATUS_OK) {
    *num_modules = r.num_modules;
    *modules = onri_arena_copy(&importer->graph->arena, r.modules, r.num_modules * sizeof(**modules));
    if (!*modules) status = onri_import_no_memory(importer);
  }
  clear(&r);
  return status;
}
