/* info: what a model takes, gives and consists of. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules.h"

static const char *format_declared(const struct onr_value_info *info, char *text, size_t size) {
  size_t n = (size_t)snprintf(text, size, "%s[", info->dtype == ONR_DTYPE_NONE ? "?" : onr_dtype_name(info->dtype));
  if (info->rank < 0) snprintf(text + n, size - n, "?");
  for (int32_t d = 0; d < info->rank && n < size; d++) {
    const char *comma = d ? "," : "";
    if (info->dim[d] >= 0) n += (size_t)snprintf(text + n, size - n, "%s%lld", comma, (long long)info->dim[d]);
    else n += (size_t)snprintf(text + n, size - n, "%s%s", comma, info->dim_name[d] ? info->dim_name[d] : "?");
  }
  n = strlen(text);
  if (n + 1 < size) memcpy(text + n, "]", 2);
  return text;
}

static void print_values(const char *title, const struct onr_model *model, size_t count,
                         const struct onr_value_info *(*get)(const struct onr_model *, size_t)) {
  char text[512];
  printf("%s\n", title);
  for (size_t i = 0; i < count; i++) printf("  %-28s %s\n", get(model, i)->name, format_declared(get(model, i), text, sizeof(text)));
}

/* The nodes that are run. */
static void print_nodes(const struct onr_session *session) {
  const size_t count = onr_session_num_nodes(session);
  printf("\n%4s  %-20s %-8s %-26s %12s %14s  %s\n", "#", "layer", "kernel", "output", "parameters", "multiply-adds", "module");
  for (size_t i = 0; i < count; i++) {
    struct onr_node_info n;
    char text[160];
    if (onr_session_node(session, i, &n) != ONR_STATUS_OK) continue;
    printf("%4zu  %-20s %-8s %-26s %12lld %14lld  %s\n", i, n.layer, onr_kernel_name(n.kernel),
           n.output.dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(&n.output, text, sizeof(text)), (long long)n.parameters,
           (long long)n.multiply_adds, n.module_path[0] ? n.module_path : n.name);
  }
}

static int64_t total_multiply_adds(const struct onr_session *session) {
  int64_t sum = 0;
  for (size_t i = 0; i < onr_session_num_nodes(session); i++) {
    struct onr_node_info n;
    if (onr_session_node(session, i, &n) == ONR_STATUS_OK) sum += n.multiply_adds;
  }
  return sum;
}

static void print_text(const struct options *options, const struct loaded *l, const struct module_tree *tree) {
  struct onr_model_info info;
  char parameters[32], multiply_adds[32];
  onr_model_get_info(l->model, &info);
  printf("%s: %s%s%s, IR %lld, opset %lld\n", options->paths[0], info.producer_name[0] ? info.producer_name : "unknown producer",
         info.producer_version[0] ? " " : "", info.producer_version, (long long)info.ir_version, (long long)info.opset);
  print_values("inputs", l->model, onr_model_num_inputs(l->model), onr_model_input);
  print_values("outputs", l->model, onr_model_num_outputs(l->model), onr_model_output);
  const int named = tree->count > 1 || (tree->count && tree->modules[0].info->kind[0]);
  if (named) module_tree_print(tree);
  if (!named || options->nodes) print_nodes(l->session);
  printf("\n%zu nodes in the file, %zu after rewriting\n", info.num_nodes_in_file, info.num_nodes);
  printf("%s parameters, %s multiply-adds, %.1f MiB weights, %.1f MiB arena\n", with_commas(info.parameters, parameters),
         with_commas(total_multiply_adds(l->session), multiply_adds), (double)info.weight_bytes / 1048576, (double)onr_session_arena_bytes(l->session) / 1048576);
}

static void add_values(cJSON *root, const char *key, const struct onr_model *model, size_t count,
                       const struct onr_value_info *(*get)(const struct onr_model *, size_t)) {
  cJSON *array = cJSON_AddArrayToObject(root, key);
  char text[512];
  for (size_t i = 0; i < count; i++) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", get(model, i)->name);
    cJSON_AddStringToObject(item, "type", format_declared(get(model, i), text, sizeof(text)));
    cJSON_AddItemToArray(array, item);
  }
}

static void add_modules(cJSON *root, const struct module_tree *tree) {
  cJSON *array = cJSON_AddArrayToObject(root, "modules");
  char text[160];
  for (size_t i = 0; i < tree->count; i++) {
    const struct module *m = &tree->modules[i];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "path", m->info->path);
    cJSON_AddStringToObject(item, "kind", m->info->kind);
    cJSON_AddStringToObject(item, "output", m->output.dtype == ONR_DTYPE_NONE ? "" : onr_desc_format(&m->output, text, sizeof(text)));
    cJSON_AddNumberToObject(item, "own_parameters", (double)m->info->parameters);
    cJSON_AddNumberToObject(item, "own_buffers", (double)m->info->buffers);
    cJSON_AddNumberToObject(item, "parameters", (double)m->parameters);
    cJSON_AddNumberToObject(item, "multiply_adds", (double)m->multiply_adds);
    cJSON_AddItemToArray(array, item);
  }
}

static void print_json(const struct options *options, const struct loaded *l, const struct module_tree *tree) {
  struct onr_model_info info;
  cJSON *root = cJSON_CreateObject();
  onr_model_get_info(l->model, &info);
  cJSON_AddStringToObject(root, "model", options->paths[0]);
  cJSON_AddStringToObject(root, "producer", info.producer_name);
  cJSON_AddStringToObject(root, "producer_version", info.producer_version);
  cJSON_AddNumberToObject(root, "ir_version", (double)info.ir_version);
  cJSON_AddNumberToObject(root, "opset", (double)info.opset);
  add_values(root, "inputs", l->model, onr_model_num_inputs(l->model), onr_model_input);
  add_values(root, "outputs", l->model, onr_model_num_outputs(l->model), onr_model_output);
  add_modules(root, tree);
  cJSON *layers = cJSON_AddArrayToObject(root, "layers");
  for (size_t i = 0; i < onr_session_num_nodes(l->session); i++) {
    struct onr_node_info n;
    char text[160];
    if (onr_session_node(l->session, i, &n) != ONR_STATUS_OK) continue;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "layer", n.layer);
    cJSON_AddStringToObject(item, "op_type", n.op_type);
    cJSON_AddStringToObject(item, "kernel", onr_kernel_name(n.kernel));
    cJSON_AddStringToObject(item, "input_type", onr_dtype_name(n.input_type));
    cJSON_AddStringToObject(item, "name", n.name);
    cJSON_AddStringToObject(item, "module", n.module_path);
    cJSON_AddStringToObject(item, "source", n.source);
    cJSON_AddStringToObject(item, "output", n.output.dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(&n.output, text, sizeof(text)));
    cJSON_AddNumberToObject(item, "parameters", (double)n.parameters);
    cJSON_AddNumberToObject(item, "multiply_adds", (double)n.multiply_adds);
    cJSON_AddItemToArray(layers, item);
  }
  cJSON_AddNumberToObject(root, "parameters", (double)info.parameters);
  cJSON_AddNumberToObject(root, "multiply_adds", (double)total_multiply_adds(l->session));
  cJSON_AddNumberToObject(root, "weight_bytes", (double)info.weight_bytes);
  cJSON_AddNumberToObject(root, "arena_bytes", (double)onr_session_arena_bytes(l->session));
  char *text = cJSON_Print(root);
  puts(text ? text : "{}");
  free(text);
  cJSON_Delete(root);
}

/* Loads, and plans for the inputs that the options give. */
static int load_and_plan(const struct options *options, struct loaded *l, struct tensor_list *inputs) {
  struct onr_error error = {0};
  int code = load(options, options->paths[0], l);
  if (code) return code;
  code = make_inputs(options, l, inputs);
  if (code) return code;
  const enum onr_status status = onr_session_plan(l->session, &error);
  return status == ONR_STATUS_OK ? 0 : report_failure(status, &error);
}

/* The modules are those of the file as it is, before rewrites move their nodes into others. */
int command_info(const struct options *options) {
  struct options plain = *options;
  struct tensor_list inputs = {0}, plain_inputs = {0};
  struct module_tree tree = {0};
  struct loaded l = {0}, file = {0};
  plain.disabled_passes = "all";
  plain.backend = ONR_BACKEND_PORTABLE;
  int code = load_and_plan(options, &l, &inputs);
  if (!code && onr_model_num_modules(l.model)) code = load_and_plan(&plain, &file, &plain_inputs);
  if (!code && file.model) code = module_tree_make(file.model, file.session, &tree);
  if (!code && options->json) print_json(options, &l, &tree);
  else if (!code) print_text(options, &l, &tree);
  module_tree_clear(&tree);
  unload(&l);
  unload(&file);
  list_clear(&inputs);
  list_clear(&plain_inputs);
  return code;
}
