/* modules: PyTorch's modules, as the file names them, with their parameters.
 *
 * The default exporter lists the names of all parameters (graph_signature) and says for each node which of them its
 * operation took (fx_node). An initializer of a parameter's name is that parameter. Others were transposed, or folded into
 * another one, and are found through the nodes. */
#include "onnx/modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "base/text.h"
#include "onnx/metadata.h"

enum { SHOWN_PATH = 128 };

struct parameter {
  int32_t module;
  int32_t value;    /* the initializer of its name, or -1 */
  int is_bias, found;
  int64_t channels; /* of the operation that took it; 0: not known */
};

/* A constant with another name, or somebody else's name (equal constants become one), read by an operation that took
 * parameters which no constant is named after. */
struct stray {
  int32_t operation; /* the first of those parameters */
  int64_t elements;
};

struct reading {
  struct onri_importer *importer;
  const Onnx__GraphProto *graph;
  struct onri_names modules_by_path, initializers, arguments; /* arguments: names as in fx_node, to parameter */
  struct onr_module_info *modules;
  size_t num_modules, modules_capacity;
  struct parameter *parameters;
  size_t num_parameters, parameters_capacity;
  struct stray *strays;
  size_t num_strays, strays_capacity;
  uint8_t *seen;  /* [num_initializers] counted */
  size_t *taken;  /* [num_initializers] 1 + the last node whose operation took it by its name */
  int32_t *homes; /* [n_node] the module of each node */
};

static int grow(struct reading *r, void *array, size_t item, size_t *capacity, size_t needed) {
  return onri_grow(r->importer->env->allocator, array, item, capacity, needed);
}

/* --- modules --- */

/* The index of a module, which is added when it is new; -1: out of memory. kind may be empty. */
static int32_t module_of(struct reading *r, struct onri_slice path, struct onri_slice kind) {
  char shown[SHOWN_PATH];
  const char *name = onri_intern(&r->importer->texts, onri_escape(path.text, path.length, shown, sizeof(shown)));
  int32_t index;
  if (!name) return -1;
  index = onri_names_get(&r->modules_by_path, name);
  if (index < 0) {
    if (!grow(r, &r->modules, sizeof(*r->modules), &r->modules_capacity, r->num_modules + 1)) return -1;
    index = (int32_t)r->num_modules++;
    r->modules[index] = (struct onr_module_info){.path = name, .kind = ""};
    if (onri_names_put(&r->modules_by_path, name, index) < 0) return -1;
  }
  if (kind.length && !*r->modules[index].kind) {
    r->modules[index].kind = onri_intern(&r->importer->texts, onri_escape(kind.text, kind.length, shown, sizeof(shown)));
    if (!r->modules[index].kind) return -1;
  }
  return index;
}

static struct onri_slice whole(const char *text) { return (struct onri_slice){text, strlen(text)}; }

static struct onri_slice node_metadata(const Onnx__NodeProto *node, const char *key) {
  return onri_metadata(node->metadata_props, node->n_metadata_props, key);
}

/* All modules around a node, outermost first. What a node's operation is called stands last in both lists. */
static int add_scopes(struct reading *r, const Onnx__NodeProto *node) {
  struct onri_slice paths = node_metadata(node, "pkg.torch.onnx.name_scopes");
  struct onri_slice kinds = node_metadata(node, "pkg.torch.onnx.class_hierarchy");
  struct onri_slice path, kind, next_path, next_kind;
  if (!onri_list_next(&paths, &path) || !onri_list_next(&kinds, &kind)) return 1;
  while (onri_list_next(&paths, &next_path) && onri_list_next(&kinds, &next_kind)) {
    if (module_of(r, path, onri_last_component(kind)) < 0) return 0;
    path = next_path;
    kind = next_kind;
  }
  return 1;
}

static enum onr_status add_modules(struct reading *r) {
  for (size_t n = 0; n < r->graph->n_node; n++) {
    const struct onri_origin *origin = onri_origin_make(r->importer, r->graph->node[n], NULL);
    const struct onri_slice nothing = {"", 0};
    /* First the node's own home: it is another one when the exporter has folded a BatchNorm away. */
    r->homes[n] = origin ? module_of(r, whole(origin->module_path), nothing) : -1;
    if (r->homes[n] < 0 || !add_scopes(r, r->graph->node[n])) return onri_import_no_memory(r->importer);
  }
  return ONR_STATUS_OK;
}

static void add_elements(int64_t *sum, int64_t elements) {
  if (*sum <= INT64_MAX - elements) *sum += elements;
}

static int64_t elements_of(const struct reading *r, int32_t initializer) {
  return onr_desc_elements(&r->importer->graph->values[initializer].desc);
}

static int is_float(const struct reading *r, int32_t initializer) {
  return (ONRI_DTYPES_FLOAT & ONRI_DTYPE_BIT(r->importer->graph->values[initializer].desc.dtype)) != 0;
}

static void add_to_module(struct reading *r, int32_t module, const char *leaf, int64_t elements) {
  const int statistics = !strcmp(leaf, "running_mean") || !strcmp(leaf, "running_var");
  add_elements(statistics ? &r->modules[module].buffers : &r->modules[module].parameters, elements);
}

/* --- with the exporter's list --- */

/* "p_fc_weight: PARAMETER target='fc.weight'" or "b_bn_running_mean: BUFFER target='bn.running_mean' persistent=True" */
static int read_line(struct onri_slice line, const char *key, struct onri_slice *argument, struct onri_slice *target) {
  const char *found = onri_slice_find(line, key);
  if (!found) return 0;
  *argument = (struct onri_slice){line.text, (size_t)(found - line.text)};
  const char *begin = found + strlen(key), *end = memchr(begin, '\'', (size_t)(line.text + line.length - begin));
  if (!end) return 0;
  *target = (struct onri_slice){begin, (size_t)(end - begin)};
  return 1;
}

static char *copy(struct reading *r, struct onri_slice text) {
  char *to = onri_arena_allocate(&r->importer->scratch, text.length + 1);
  if (to && text.length) memcpy(to, text.text, text.length);
  return to;
}

static int ends_with(struct onri_slice text, const char *end) {
  const size_t length = strlen(end);
  return text.length >= length && !memcmp(text.text + text.length - length, end, length);
}

static enum onr_status add_parameter(struct reading *r, struct onri_slice argument, struct onri_slice target) {
  const int32_t module = module_of(r, onri_parent_path(target), (struct onri_slice){"", 0});
  char *name = copy(r, target), *as_argument = copy(r, argument);
  int32_t value;
  if (module < 0 || !name || !as_argument) return onri_import_no_memory(r->importer);
  value = onri_names_get(&r->initializers, name);
  if (value >= 0) add_elements(&r->modules[module].parameters, elements_of(r, value));
  if (!grow(r, &r->parameters, sizeof(*r->parameters), &r->parameters_capacity, r->num_parameters + 1) ||
      onri_names_put(&r->arguments, as_argument, (int32_t)r->num_parameters) < 0)
    return onri_import_no_memory(r->importer);
  r->parameters[r->num_parameters++] =
      (struct parameter){.module = module, .value = value, .is_bias = ends_with(target, "bias"), .found = value >= 0};
  return ONR_STATUS_OK;
}

static enum onr_status add_buffer(struct reading *r, struct onri_slice target) {
  const int32_t module = module_of(r, onri_parent_path(target), (struct onri_slice){"", 0});
  char *name = copy(r, target);
  int32_t value;
  if (module < 0 || !name) return onri_import_no_memory(r->importer);
  value = onri_names_get(&r->initializers, name);
  if (value >= 0 && is_float(r, value)) add_elements(&r->modules[module].buffers, elements_of(r, value));
  return ONR_STATUS_OK;
}

static enum onr_status read_signature(struct reading *r, struct onri_slice signature) {
  struct onri_slice line, argument, target;
  while (onri_line_next(&signature, &line)) {
    if (read_line(line, ": PARAMETER target='", &argument, &target)) ONR_TRY(add_parameter(r, argument, target));
    else if (read_line(line, ": BUFFER target='", &argument, &target)) ONR_TRY(add_buffer(r, target));
  }
  return ONR_STATUS_OK;
}

/* The next parameter in fx_node's text; -1: no more. */
static int32_t next_parameter(const struct reading *r, struct onri_slice *text) {
  while (text->length) {
    const char *begin = memchr(text->text, '%', text->length), *end = text->text + text->length, *p;
    char name[256];
    if (!begin) break;
    for (p = begin + 1; p < end && (*p == '_' || (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'));) p++;
    *text = (struct onri_slice){p, (size_t)(end - p)};
    const size_t length = (size_t)(p - begin - 1);
    if (length >= sizeof(name)) continue;
    memcpy(name, begin + 1, length);
    name[length] = '\0';
    const int32_t found = onri_names_get(&r->arguments, name);
    if (found >= 0) return found;
  }
  *text = (struct onri_slice){"", 0};
  return -1;
}

/* The first parameter of an operation that no initializer is named after; -1: none. */
static int32_t first_missing(const struct reading *r, struct onri_slice text) {
  for (int32_t p = next_parameter(r, &text); p >= 0; p = next_parameter(r, &text))
    if (r->parameters[p].value < 0) return p;
  return -1;
}

static int32_t initializer_of(const struct reading *r, const Onnx__NodeProto *node, size_t input) {
  return input < node->n_input ? onri_names_get(&r->initializers, node->input[input]) : -1;
}

static int is_recurrent(const Onnx__NodeProto *node) {
  return node->op_type && (!strcmp(node->op_type, "LSTM") || !strcmp(node->op_type, "GRU") || !strcmp(node->op_type, "RNN"));
}

/* W, R and B of the standard's node hold all of the layer's weights; its initial states are none. */
static void count_recurrent(struct reading *r, const Onnx__NodeProto *node, int32_t module) {
  for (size_t i = 1; i < 4; i++) {
    const int32_t value = initializer_of(r, node, i);
    if (value < 0 || r->seen[value]) continue;
    r->seen[value] = 1;
    add_elements(&r->modules[module].parameters, elements_of(r, value));
  }
}

static int64_t int_attribute(const Onnx__NodeProto *node, const char *name, int64_t otherwise) {
  for (size_t i = 0; i < node->n_attribute; i++)
    if (node->attribute[i]->name && !strcmp(node->attribute[i]->name, name)) return node->attribute[i]->i;
  return otherwise;
}

/* Channels that a convolution or a product with a weight makes; 0: another operator. */
static int64_t output_channels(const struct reading *r, const Onnx__NodeProto *node) {
  const char *op = node->op_type ? node->op_type : "";
  const int32_t weight = initializer_of(r, node, 1);
  const struct onr_desc *desc;
  if (weight < 0) return 0;
  desc = &r->importer->graph->values[weight].desc;
  if (desc->rank < 2) return 0;
  if (!strcmp(op, "Conv")) return desc->dim[0];
  if (!strcmp(op, "MatMul")) return desc->dim[desc->rank - 1];
  if (!strcmp(op, "Gemm")) return desc->dim[int_attribute(node, "transB", 0) ? 0 : 1];
  if (strcmp(op, "ConvTranspose")) return 0;
  const int64_t group = int_attribute(node, "group", 1);
  return group > 0 && desc->dim[1] <= INT64_MAX / group ? desc->dim[1] * group : 0;
}

/* What one node says of the parameters that no initializer is named after. */
static enum onr_status find_missing(struct reading *r, size_t n) {
  const Onnx__NodeProto *node = r->graph->node[n];
  struct onri_slice text = node_metadata(node, "pkg.torch.onnx.fx_node");
  const int32_t operation = first_missing(r, text);
  const int folded = node->op_type && strcmp(node->op_type, "BatchNormalization") &&
                     onri_slice_find(node_metadata(node, "pkg.torch.onnx.class_hierarchy"), ".BatchNorm") != NULL;
  if (operation < 0) return ONR_STATUS_OK;
  if (is_recurrent(node)) count_recurrent(r, node, r->parameters[operation].module);
  const int64_t channels = output_channels(r, node);
  for (int32_t p = next_parameter(r, &text); p >= 0; p = next_parameter(r, &text)) {
    struct parameter *parameter = &r->parameters[p];
    if (parameter->value >= 0) r->taken[parameter->value] = n + 1;
    if (is_recurrent(node)) parameter->found = 1;
    else if (channels && (folded || parameter->is_bias)) parameter->channels = channels;
  }
  for (size_t i = 0; i < node->n_input && !folded && !is_recurrent(node); i++) {
    const int32_t value = initializer_of(r, node, i);
    if (value < 0 || !is_float(r, value) || r->taken[value] == n + 1) continue;
    if (!grow(r, &r->strays, sizeof(*r->strays), &r->strays_capacity, r->num_strays + 1)) return onri_import_no_memory(r->importer);
    r->strays[r->num_strays++] = (struct stray){operation, elements_of(r, value)};
  }
  return ONR_STATUS_OK;
}

static int by_operation_and_size(const void *left, const void *right) {
  const struct stray *a = left, *b = right;
  if (a->operation != b->operation) return a->operation < b->operation ? -1 : 1;
  return a->elements > b->elements ? -1 : a->elements < b->elements;
}

/* Scale and offset of a BatchNorm that was folded, and biases that were zero and left out. */
static void count_channels(struct reading *r) {
  for (size_t p = 0; p < r->num_parameters; p++) {
    struct parameter *parameter = &r->parameters[p];
    if (parameter->found || !parameter->channels) continue;
    parameter->found = 1;
    add_elements(&r->modules[parameter->module].parameters, parameter->channels);
  }
}

/* An operation's largest constants are its parameters; smaller ones are the exporter's own zeros and ones. */
static enum onr_status match_strays(struct reading *r) {
  size_t *next = onri_arena_allocate(&r->importer->scratch, (r->num_parameters + 1) * sizeof(*next));
  if (!next) return onri_import_no_memory(r->importer);
  if (r->num_strays) qsort(r->strays, r->num_strays, sizeof(*r->strays), by_operation_and_size);
  for (size_t s = r->num_strays; s--;) next[r->strays[s].operation] = s + 1;
  for (size_t n = 0; n < r->graph->n_node; n++) {
    struct onri_slice text = node_metadata(r->graph->node[n], "pkg.torch.onnx.fx_node");
    const int32_t operation = first_missing(r, text);
    for (int32_t p = next_parameter(r, &text); p >= 0 && operation >= 0; p = next_parameter(r, &text)) {
      const size_t s = next[operation];
      if (r->parameters[p].found || !s || s > r->num_strays || r->strays[s - 1].operation != operation) continue;
      r->parameters[p].found = 1;
      next[operation]++;
      add_elements(&r->modules[r->parameters[p].module].parameters, r->strays[s - 1].elements);
    }
  }
  for (size_t p = 0; p < r->num_parameters; p++) r->modules[r->parameters[p].module].unknown += !r->parameters[p].found;
  return ONR_STATUS_OK;
}

/* --- without it --- */

/* "layer1.0.conv1.weight": letters, digits, underscores and dots, with at least one dot. */
static int is_python_path(const char *name) {
  return strchr(name, '.') && !name[strspn(name, "0123456789_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

/* home: the module of a node that reads it; -1: only bodies do. */
static enum onr_status count_initializer(struct reading *r, int32_t value, int32_t home) {
  const char *name = r->importer->graph->values[value].name;
  const struct onri_slice nothing = {"", 0};
  if (r->seen[value] || !r->importer->counted[value]) return ONR_STATUS_OK;
  r->seen[value] = 1;
  const int named = is_python_path(name);
  const int32_t module = named || home < 0 ? module_of(r, named ? onri_parent_path(whole(name)) : nothing, nothing) : home;
  if (module < 0) return onri_import_no_memory(r->importer);
  add_to_module(r, module, named ? onri_last_component(whole(name)).text : "", elements_of(r, value));
  return ONR_STATUS_OK;
}

static enum onr_status count_initializers(struct reading *r) {
  for (size_t n = 0; n < r->graph->n_node; n++)
    for (size_t i = 0; i < r->graph->node[n]->n_input; i++) {
      const int32_t value = initializer_of(r, r->graph->node[n], i);
      if (value >= 0) ONR_TRY(count_initializer(r, value, r->homes[n]));
    }
  for (size_t i = 0; i < r->importer->num_initializers; i++) ONR_TRY(count_initializer(r, (int32_t)i, -1));
  return ONR_STATUS_OK;
}

/* --- the whole --- */

static enum onr_status name_initializers(struct reading *r) {
  struct onri_importer *importer = r->importer;
  r->seen = onri_arena_allocate(&importer->scratch, importer->num_initializers + 1);
  r->taken = onri_arena_allocate(&importer->scratch, (importer->num_initializers + 1) * sizeof(*r->taken));
  r->homes = onri_arena_allocate(&importer->scratch, (r->graph->n_node + 1) * sizeof(*r->homes));
  if (!r->seen || !r->taken || !r->homes) return onri_import_no_memory(importer);
  for (size_t i = 0; i < importer->num_initializers; i++)
    if (onri_names_put(&r->initializers, importer->graph->values[i].name, (int32_t)i) < 0) return onri_import_no_memory(importer);
  return ONR_STATUS_OK;
}

/* PyTorch's name for the module that a node of the standard mostly stands for. */
static const char *kind_of(struct reading *r, const Onnx__NodeProto *node, char text[64]) {
  static const struct {
    const char *op_type, *kind;
  } names[] = {{"Conv", "Conv%dd"}, {"ConvTranspose", "ConvTranspose%dd"}, {"Gemm", "Linear"}, {"MatMul", "Linear"}};
  const int32_t weight = initializer_of(r, node, 1);
  for (size_t i = 0; weight >= 0 && i < sizeof(names) / sizeof(names[0]); i++)
    if (!strcmp(node->op_type, names[i].op_type)) {
      snprintf(text, 64, names[i].kind, r->importer->graph->values[weight].desc.rank - 2);
      return text;
    }
  return onri_escape_string(node->op_type, text, 64);
}

/* A module whose kind no metadata says is called after its first node. */
static enum onr_status name_kinds(struct reading *r) {
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

static enum onr_status read_all(struct reading *r) {
  const struct onri_slice signature =
      onri_metadata(r->graph->metadata_props, r->graph->n_metadata_props, "pkg.torch.export.ExportedProgram.graph_signature");
  ONR_TRY(name_initializers(r));
  ONR_TRY(add_modules(r));
  if (signature.length) {
    ONR_TRY(read_signature(r, signature));
    for (size_t n = 0; n < r->graph->n_node; n++) ONR_TRY(find_missing(r, n));
    count_channels(r);
    ONR_TRY(match_strays(r));
  } else {
    ONR_TRY(count_initializers(r));
  }
  return name_kinds(r);
}

static void clear(struct reading *r) {
  const struct onr_allocator *allocator = r->importer->env->allocator;
  onri_release(allocator, r->modules);
  onri_release(allocator, r->parameters);
  onri_release(allocator, r->strays);
  onri_names_clear(&r->modules_by_path);
  onri_names_clear(&r->initializers);
  onri_names_clear(&r->arguments);
}

enum onr_status onri_modules_read(struct onri_importer *importer, const Onnx__GraphProto *graph, struct onr_module_info **modules,
                                  size_t *num_modules) {
  struct reading r = {.importer = importer, .graph = graph};
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
