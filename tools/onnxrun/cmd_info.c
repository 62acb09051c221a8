/* cmd_info.c: what a model takes, gives and consists of. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module_tree.h"
#include "print.h"

/* What is told of a model. */
struct report {
  const struct loaded *l;
  const struct inputs *inputs;
  struct module_tree tree;
  struct line problem; /* why it could not be planned; "": it could */
};

enum { SHOWN_DEFAULTS = 8 };

static void print_value(const struct onr_value_info *info) {
  char text[512];
  printf("  ");
  print_padded(shown(info->name).text, 28);
  printf(" %s\n", shown(declared_text(info, text, sizeof(text))).text);
}

static void print_inputs(const struct onr_model *model) {
  const size_t required = onr_model_num_inputs(model), optional = onr_model_num_defaults(model);
  puts("inputs");
  for (size_t i = 0; i < required; i++) print_value(onr_model_input(model, i));
  if (optional) puts("inputs with a default");
  for (size_t i = 0; i < optional && i < SHOWN_DEFAULTS; i++) print_value(onr_model_input(model, required + i));
  if (optional > SHOWN_DEFAULTS) printf("  ... and %zu more\n", optional - SHOWN_DEFAULTS);
}

static int is_guessed(const struct inputs *inputs, const struct onr_value_info *info, int32_t d) {
  char own[640], other[640];
  for (size_t k = 0; k < inputs->num_guessed; k++)
    if (!strcmp(dim_label(info, d, own, sizeof(own)),
                dim_label(inputs->guessed[k].info, inputs->guessed[k].d, other, sizeof(other))))
      return 1;
  return 0;
}

/* The sizes that the shapes and costs below are for. */
static void print_dims(const struct report *r) {
  const struct onr_model *model = r->l->model;
  struct line line = {0};
  char label[640], entry[700];
  if (r->problem.text[0]) return;
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    const struct named_tensor *item = list_find(&r->inputs->list, info->name);
    for (int32_t d = 0; item && d < info->rank; d++) {
      if (info->dim[d] >= 0) continue;
      snprintf(entry, sizeof(entry), "%s = %lld%s", dim_label(info, d, label, sizeof(label)),
               (long long)item->tensor.desc.dim[d], is_guessed(r->inputs, info, d) ? " (guessed)" : "");
      if (!strstr(line.text, entry)) line_add(&line, "%s%s", line.text[0] ? ", " : "", entry);
    }
  }
  if (!line.text[0]) return;
  printf("dimensions, set by --dim NAME=SIZE\n  ");
  print_escaped(stdout, line.text, strlen(line.text));
  putchar('\n');
}

/* The nodes that are run. */
static void print_nodes(const struct onr_session *session) {
  const size_t count = onr_session_num_nodes(session);
  printf("\n%4s  %-20s %-8s %-26s %12s %14s  %s\n", "#", "layer", "kernel", "output", "parameters", "multiply-adds",
         "module");
  for (size_t i = 0; i < count; i++) {
    struct onr_node_info n = {.size = sizeof(n)};
    char text[160];
    if (onr_session_node(session, i, &n) != ONR_STATUS_OK) continue;
    printf("%4zu  %-20s %-8s %-26s %12lld %14lld  %s\n", i, n.layer, onr_kernel_name(n.kernel),
           n.output.dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(&n.output, text, sizeof(text)),
           (long long)n.parameters, (long long)n.multiply_adds, shown(n.module_path[0] ? n.module_path : n.name).text);
  }
}

static int64_t total_multiply_adds(const struct onr_session *session) {
  int64_t sum = 0;
  for (size_t i = 0; i < onr_session_num_nodes(session); i++) {
    struct onr_node_info n = {.size = sizeof(n)};
    if (onr_session_node(session, i, &n) == ONR_STATUS_OK) sum += n.multiply_adds;
  }
  return sum;
}

/* What the maker of the model has written into it. */
static void print_properties(const struct onr_model *model, const struct onr_model_info *info) {
  if (info->domain[0] || info->model_version)
    printf("model version %lld of %s\n", (long long)info->model_version,
           info->domain[0] ? shown(info->domain).text : "no domain");
  for (size_t i = 0; i < onr_model_num_opsets(model); i++) {
    const struct onr_opset *opset = onr_model_opset(model, i);
    if (opset->domain[0]) printf("opset %s %lld\n", shown(opset->domain).text, (long long)opset->version);
  }
  if (onr_model_num_properties(model)) puts("properties");
  for (size_t i = 0; i < onr_model_num_properties(model); i++) {
    const struct onr_property *p = onr_model_property(model, i);
    printf("  ");
    print_padded(shown(p->key).text, 28);
    printf(" %s\n", shown(p->value.text).text);
  }
}

/* Of a quantized model: what computes in float32 all the same, the same reasons together. */
static void print_float_layers(const struct onr_model *model) {
  enum { SHOWN = 4 };
  const size_t count = onr_model_num_float_layers(model);
  if (count) puts("\nbetween quantized tensors these stay float32");
  for (size_t i = 0; i < count; i++) {
    const struct onr_float_layer *first = onr_model_float_layer(model, i);
    size_t alike = 0, before = 0;
    for (size_t k = 0; k < count; k++) {
      const struct onr_float_layer *other = onr_model_float_layer(model, k);
      if (strcmp(other->layer, first->layer) || strcmp(other->reason, first->reason)) continue;
      before += k < i;
      alike++;
    }
    if (before) continue;
    printf("  %zu %s: %s:", alike, first->layer, first->reason);
    for (size_t k = i, told = 0; k < count && told < SHOWN; k++) {
      const struct onr_float_layer *other = onr_model_float_layer(model, k);
      if (strcmp(other->layer, first->layer) || strcmp(other->reason, first->reason)) continue;
      printf("%s %s", told ? "," : "", shown(other->module_path[0] ? other->module_path : other->name).text);
      told++;
    }
    puts(alike > SHOWN ? ", ..." : "");
  }
}

static struct onr_node_info node_of(const struct onr_session *session, size_t i) {
  struct onr_node_info n = {.size = sizeof(n)};
  onr_session_node(session, i, &n);
  return n;
}

/* With --precision fast: how many layers compute in float16, and why others do not, the same reasons together. */
static void print_precision(const struct onr_session *session) {
  const size_t count = onr_session_num_nodes(session);
  size_t half = 0;
  for (size_t i = 0; i < count; i++) half += node_of(session, i).method == ONR_METHOD_HALF;
  printf("\n%zu layers compute in float16; exact stay", half);
  size_t told = 0;
  for (size_t i = 0; i < count; i++) {
    const struct onr_node_info first = node_of(session, i);
    size_t alike = 0, before = 0;
    for (size_t k = 0; first.note && k < count; k++) {
      const struct onr_node_info other = node_of(session, k);
      if (!other.note || strcmp(other.note, first.note) || strcmp(other.layer, first.layer)) continue;
      before += k < i;
      alike++;
    }
    if (!first.note || before) continue;
    printf("\n  %zu %s: %s: %s%s", alike, first.layer, first.note,
           shown(first.module_path[0] ? first.module_path : first.name).text, alike > 1 ? ", ..." : "");
    told++;
  }
  puts(told ? "" : " those that multiply nothing by constant weights");
}

static void print_text(const struct options *options, const struct report *r) {
  const struct loaded *l = r->l;
  const struct module_tree *tree = &r->tree;
  struct onr_model_info info = {.size = sizeof(info)};
  char parameters[32], multiply_adds[32];
  onr_model_get_info(l->model, &info);
  printf("%s: %s%s%s, IR %lld, opset %lld\n", shown(l->path).text,
         info.producer_name[0] ? shown(info.producer_name).text : "unknown producer",
         info.producer_version[0] ? " " : "", shown(info.producer_version).text, (long long)info.ir_version,
         (long long)info.opset);
  print_properties(l->model, &info);
  print_inputs(l->model);
  puts("outputs");
  for (size_t i = 0; i < onr_model_num_outputs(l->model); i++) print_value(onr_model_output(l->model, i));
  print_dims(r);
  const int named = tree->count > 1 || (tree->count && tree->modules[0].info->kind[0]);
  if (named) module_tree_print(tree);
  if (!r->problem.text[0] && (!named || options->nodes)) print_nodes(l->session);
  printf("\n%zu node%s in the file, %zu after rewriting\n", info.num_nodes_in_file,
         info.num_nodes_in_file == 1 ? "" : "s",
         r->problem.text[0] ? info.num_nodes : onr_session_num_nodes(l->session)); /* with shapes, more is folded */
  printf("%s parameters, %s weights", with_commas(info.parameters, parameters),
         shown_bytes_count((double)info.weight_bytes).text);
  if (!r->problem.text[0])
    printf(", %s multiply-adds, %s arena", with_commas(total_multiply_adds(l->session), multiply_adds),
           shown_bytes_count((double)onr_session_arena_bytes(l->session)).text);
  putchar('\n');
  print_float_layers(l->model);
  if (options->precision == ONR_PRECISION_FAST && !r->problem.text[0]) print_precision(l->session);
  if (!r->problem.text[0]) return;
  printf("\nShapes and costs are not known: ");
  print_escaped(stdout, r->problem.text, strlen(r->problem.text));
  putchar('\n');
}

static void add_value(cJSON *array, const struct onr_value_info *info) {
  cJSON *item = cJSON_CreateObject();
  char text[512];
  cJSON_AddStringToObject(item, "name", info->name);
  cJSON_AddStringToObject(item, "type", declared_text(info, text, sizeof(text)));
  cJSON_AddItemToArray(array, item);
}

static void add_modules(cJSON *root, const struct module_tree *tree) {
  cJSON *array = cJSON_AddArrayToObject(root, "modules");
  char text[160];
  for (size_t i = 0; i < tree->count; i++) {
    const struct module *m = &tree->modules[i];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "path", m->info->path);
    cJSON_AddStringToObject(item, "kind", m->info->kind);
    const int is_model = !m->info->path[0] && tree->num_outputs;
    cJSON_AddStringToObject(item, "output",
                            is_model                            ? tree->outputs[0].text
                            : m->output.dtype == ONR_DTYPE_NONE ? ""
                                                                : onr_desc_format(&m->output, text, sizeof(text)));
    cJSON *outputs = is_model ? cJSON_AddArrayToObject(item, "outputs") : NULL;
    for (size_t k = 0; outputs && k < tree->num_outputs; k++)
      cJSON_AddItemToArray(outputs, cJSON_CreateString(tree->outputs[k].text));
    cJSON_AddNumberToObject(item, "own_parameters", (double)m->info->parameters);
    cJSON_AddNumberToObject(item, "own_buffers", (double)m->info->buffers);
    cJSON_AddNumberToObject(item, "parameters", (double)m->parameters);
    cJSON_AddNumberToObject(item, "multiply_adds", (double)m->multiply_adds);
    cJSON_AddItemToArray(array, item);
  }
}

static void add_layers(cJSON *root, const struct onr_session *session) {
  cJSON *layers = cJSON_AddArrayToObject(root, "layers");
  for (size_t i = 0; i < onr_session_num_nodes(session); i++) {
    struct onr_node_info n = {.size = sizeof(n)};
    char text[160];
    if (onr_session_node(session, i, &n) != ONR_STATUS_OK) continue;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "layer", n.layer);
    cJSON_AddStringToObject(item, "op_type", n.op_type);
    cJSON_AddStringToObject(item, "kernel", onr_kernel_name(n.kernel));
    if (n.method) cJSON_AddStringToObject(item, "method", onr_method_name(n.method));
    if (n.note) cJSON_AddStringToObject(item, "note", n.note);
    cJSON_AddStringToObject(item, "input_type", onr_dtype_name(n.input_type));
    cJSON_AddStringToObject(item, "name", n.name);
    cJSON_AddStringToObject(item, "module", n.module_path);
    cJSON_AddStringToObject(item, "source", n.source);
    cJSON_AddStringToObject(item, "output",
                            n.output.dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(&n.output, text, sizeof(text)));
    cJSON_AddNumberToObject(item, "parameters", (double)n.parameters);
    cJSON_AddNumberToObject(item, "multiply_adds", (double)n.multiply_adds);
    cJSON_AddItemToArray(layers, item);
  }
}

static void add_float_layers(cJSON *root, const struct onr_model *model) {
  cJSON *array = cJSON_AddArrayToObject(root, "float_layers");
  for (size_t i = 0; i < onr_model_num_float_layers(model); i++) {
    const struct onr_float_layer *layer = onr_model_float_layer(model, i);
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "layer", layer->layer);
    cJSON_AddStringToObject(item, "name", layer->name);
    cJSON_AddStringToObject(item, "module", layer->module_path);
    cJSON_AddStringToObject(item, "reason", layer->reason);
    cJSON_AddItemToArray(array, item);
  }
}

static void add_properties(cJSON *root, const struct onr_model *model, const struct onr_model_info *info) {
  cJSON_AddStringToObject(root, "domain", info->domain);
  cJSON_AddNumberToObject(root, "model_version", (double)info->model_version);
  cJSON_AddStringToObject(root, "graph", info->graph_name);
  cJSON_AddStringToObject(root, "doc_string", info->doc_string);
  cJSON *properties = cJSON_AddObjectToObject(root, "properties"), *opsets = cJSON_AddObjectToObject(root, "opsets");
  for (size_t i = 0; i < onr_model_num_properties(model); i++) {
    const struct onr_property *p = onr_model_property(model, i);
    if (!cJSON_GetObjectItemCaseSensitive(properties, p->key))
      cJSON_AddStringToObject(properties, p->key, p->value.text);
  }
  for (size_t i = 0; i < onr_model_num_opsets(model); i++) {
    const struct onr_opset *opset = onr_model_opset(model, i);
    cJSON_AddNumberToObject(opsets, opset->domain[0] ? opset->domain : "ai.onnx", (double)opset->version);
  }
}

static int tell_json(const struct report *r) {
  const struct loaded *l = r->l;
  struct onr_model_info info = {.size = sizeof(info)};
  cJSON *root = cJSON_CreateObject();
  onr_model_get_info(l->model, &info);
  cJSON_AddStringToObject(root, "model", l->path);
  cJSON_AddStringToObject(root, "producer", info.producer_name);
  cJSON_AddStringToObject(root, "producer_version", info.producer_version);
  cJSON_AddNumberToObject(root, "ir_version", (double)info.ir_version);
  cJSON_AddNumberToObject(root, "opset", (double)info.opset);
  add_properties(root, l->model, &info);
  const size_t required = onr_model_num_inputs(l->model), optional = onr_model_num_defaults(l->model);
  cJSON *inputs = cJSON_AddArrayToObject(root, "inputs"),
        *defaults = cJSON_AddArrayToObject(root, "inputs_with_default");
  cJSON *outputs = cJSON_AddArrayToObject(root, "outputs");
  for (size_t i = 0; i < required; i++) add_value(inputs, onr_model_input(l->model, i));
  for (size_t i = 0; i < optional; i++) add_value(defaults, onr_model_input(l->model, required + i));
  for (size_t i = 0; i < onr_model_num_outputs(l->model); i++) add_value(outputs, onr_model_output(l->model, i));
  add_modules(root, &r->tree);
  add_layers(root, l->session);
  add_float_layers(root, l->model);
  cJSON_AddNumberToObject(root, "parameters", (double)info.parameters);
  cJSON_AddNumberToObject(root, "multiply_adds", (double)total_multiply_adds(l->session));
  cJSON_AddNumberToObject(root, "weight_bytes", (double)info.weight_bytes);
  cJSON_AddNumberToObject(root, "arena_bytes", (double)onr_session_arena_bytes(l->session));
  if (r->problem.text[0]) cJSON_AddStringToObject(root, "problem", r->problem.text);
  return print_json(root, 0);
}

/* An output as it is declared, with the sizes of the inputs for its names. 0: a size is not known. */
static int format_output(const struct options *options, const struct report *r, const struct onr_value_info *declared,
                         struct shown *target) {
  struct onr_value_info info = *declared;
  char text[512];
  int known = info.dtype != ONR_DTYPE_NONE && info.rank >= 0;
  for (int32_t d = 0; d < info.rank; d++) {
    if (info.dim[d] < 0 && info.dim_name[d]) info.dim[d] = dim_size(options, r->l->model, &r->inputs->list, &info, d);
    known &= info.dim[d] >= 0;
  }
  *target = shown(declared_text(&info, text, sizeof(text)));
  return known;
}

/* What the model as a whole gives. Of a single output whose size is not declared its node knows more. */
static int add_outputs(const struct options *options, struct report *r) {
  struct module_tree *tree = &r->tree;
  const size_t count = onr_model_num_outputs(r->l->model);
  int known = 1;
  if (r->problem.text[0]) return 0;
  tree->outputs = calloc(count + 1, sizeof(*tree->outputs));
  if (!tree->outputs) return complain(EXIT_OTHER, "no memory for %zu outputs", count);
  for (size_t i = 0; i < count; i++)
    known &= format_output(options, r, onr_model_output(r->l->model, i), &tree->outputs[i]);
  tree->num_outputs = count == 1 && !known ? 0 : count;
  return 0;
}

/* The modules are those of the file as it is, before rewrites move their nodes into others. */
static int make_tree(const struct options *options, struct report *r) {
  struct options plain = *options;
  struct inputs inputs = {0};
  struct line problem = {0};
  struct loaded file = {0};
  if (!onr_model_num_modules(r->l->model)) return 0;
  if (r->problem.text[0]) return module_tree_make(r->l->model, NULL, &r->tree);
  plain.disabled_passes = "all";
  plain.backend = ONR_BACKEND_PORTABLE;
  struct onr_error error = {0};
  /* A packed model has no weights for another way to compute: its tree has no shapes. */
  if (try_load(&plain, r->l->path, NULL, &file, &error) != ONR_STATUS_OK)
    return module_tree_make(r->l->model, NULL, &r->tree);
  int code = make_inputs(&plain, &file, &inputs, &problem);
  if (!code) code = module_tree_make(r->l->model, problem.text[0] ? NULL : file.session, &r->tree);
  if (!code) code = add_outputs(options, r);
  clear_inputs(&inputs);
  unload(&file);
  return code;
}

/* --- a model that cannot be loaded --- */

static void print_declared(void *context, const struct onr_value_info *const *inputs, size_t num_inputs,
                           const struct onr_value_info *const *outputs, size_t num_outputs) {
  printf("%s: cannot be loaded\ninputs\n", shown(context).text);
  for (size_t i = 0; i < num_inputs; i++) print_value(inputs[i]);
  puts("outputs");
  for (size_t i = 0; i < num_outputs; i++) print_value(outputs[i]);
}

static void add_declared(void *context, const struct onr_value_info *const *inputs, size_t num_inputs,
                         const struct onr_value_info *const *outputs, size_t num_outputs) {
  cJSON *in = cJSON_AddArrayToObject(context, "inputs"), *out = cJSON_AddArrayToObject(context, "outputs");
  for (size_t i = 0; i < num_inputs; i++) add_value(in, inputs[i]);
  for (size_t i = 0; i < num_outputs; i++) add_value(out, outputs[i]);
}

/* What it takes and gives, as far as the loader came. */
static void tell_declared(const struct options *options) {
  const char *path = options->paths[0];
  cJSON *root = options->json ? cJSON_CreateObject() : NULL;
  const struct onr_model_options listener = {.size = sizeof(listener),
                                             .declared = root ? add_declared : print_declared,
                                             .report_context = root ? (void *)root : options->paths[0]};
  struct onr_error error = {0};
  struct loaded l;
  if (root) cJSON_AddStringToObject(root, "model", path);
  const enum onr_status status = try_load(options, path, &listener, &l, &error);
  unload(&l);
  if (!root) return;
  if (status != ONR_STATUS_OK) cJSON_AddStringToObject(root, "problem", error.message);
  if (cJSON_GetObjectItem(root, "inputs")) print_json(root, 0);
  else cJSON_Delete(root);
}

/* Of a model that cannot be planned, or not even loaded, there is still to tell what it takes and gives; the exit code
 * says the rest. */
int command_info(const struct options *options) {
  struct loaded l;
  struct inputs inputs;
  struct report r = {&l, &inputs, {0}, {{0}}};
  int code = load(options, options->paths[0], &l);
  if (code) tell_declared(options);
  if (code) return code;
  const int failed = make_inputs(options, &l, &inputs, &r.problem);
  code = !failed || r.problem.text[0] ? make_tree(options, &r) : failed;
  if (!code) code = options->json ? tell_json(&r) : (print_text(options, &r), EXIT_OK);
  module_tree_clear(&r.tree);
  unload(&l);
  clear_inputs(&inputs);
  return code ? code : failed;
}
