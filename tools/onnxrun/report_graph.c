/* report_graph.c: nodes with what they read and write, and the memory plan, taken while a model runs. */
#include "report.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const char *const storage_names[] = {[ONR_STORAGE_NONE] = "none",
                                            [ONR_STORAGE_CONSTANT] = "constant",
                                            [ONR_STORAGE_CALLER] = "caller",
                                            [ONR_STORAGE_ARENA] = "arena",
                                            [ONR_STORAGE_OWN] = "own"};

/* --- values --- */

static struct report_value *value_of(struct report_graph *g, size_t number) {
  if (!grow((void **)&g->values, &g->values_capacity, number + 1, sizeof(*g->values))) {
    g->no_memory = 1;
    return NULL;
  }
  if (g->num_values <= number) g->num_values = number + 1;
  return &g->values[number];
}

/* The memory of a value is in use in this step. */
static void use_memory(struct report_graph *g, size_t number, size_t step) {
  struct report_value *root = value_of(g, number);
  if (!root) return;
  if (!root->last && !root->first) root->first = step + 1; /* 0: never */
  root->last = step + 1;
}

/* Adds its number to a list; null: it is omitted. */
static void take_value(struct report_graph *g, const struct onr_operand *o, int in_main_graph, cJSON *list) {
  struct report_value *v = o->storage == ONR_STORAGE_NONE ? NULL : value_of(g, o->value);
  cJSON_AddItemToArray(list, v ? cJSON_CreateNumber((double)o->value) : cJSON_CreateNull());
  if (!v) return;
  v->is_known = 1;
  v->name = o->name;
  v->desc = o->tensor.desc;
  v->storage = o->storage;
  v->memory = o->memory;
  v->offset = o->offset;
  if (in_main_graph && o->storage == ONR_STORAGE_ARENA) use_memory(g, o->memory, g->num_steps);
}

/* --- nodes --- */

/* Why plain C computes it; "" where something faster does. */
static const char *why_plain(const struct onr_node_info *info, int is_view, int has_bodies) {
  if (info->kernel != ONR_KERNEL_PORTABLE) return "";
  if (has_bodies) return "runs its body; what is in it counts for itself";
  if (is_view) return "only another view of its input: nothing is computed";
  if (onr_desc_elements(&info->output) <= 8) return "a few numbers: there is nothing to gain";
  if (info->input_type != ONR_DTYPE_F32 && info->input_type != ONR_DTYPE_NONE)
    return "no vector code for its type of input";
  return "no vector code for this layer with these shapes or attributes";
}

static void add_desc(cJSON *item, const char *key, const struct onr_desc *desc) {
  char text[160];
  if (desc->dtype != ONR_DTYPE_NONE) cJSON_AddStringToObject(item, key, onr_desc_format(desc, text, sizeof(text)));
}

static void add_scratch(struct report_graph *g, const struct onr_node_run *run) {
  if (!grow((void **)&g->scratch, &g->scratch_capacity, g->num_scratch + 1, sizeof(*g->scratch))) g->no_memory = 1;
  else g->scratch[g->num_scratch++] = (struct report_scratch){g->num_steps, run->scratch_offset, run->scratch_bytes};
}

/* Its operands; whether its output is a view of an input; the bytes that it reads and writes. */
static int take_operands(struct report_graph *g, const struct onr_node_run *run, cJSON *item) {
  const int is_main = run->parent == ONR_NO_NODE;
  cJSON *in = cJSON_AddArrayToObject(item, "in"), *out = cJSON_AddArrayToObject(item, "out");
  const void *first = NULL;
  double bytes = 0;
  int is_view = 0;
  for (size_t i = 0; i < run->num_inputs; i++) {
    struct onr_operand o = {.size = sizeof(o)};
    onr_node_run_input(run, i, &o);
    if (!i) first = o.tensor.data;
    bytes += (double)onr_desc_bytes(&o.tensor.desc);
    take_value(g, &o, is_main, in);
  }
  for (size_t i = 0; i < run->num_outputs; i++) {
    struct onr_operand o = {.size = sizeof(o)};
    onr_node_run_output(run, i, &o);
    is_view |= o.tensor.data && o.tensor.data == first;
    bytes += (double)onr_desc_bytes(&o.tensor.desc);
    take_value(g, &o, is_main, out);
  }
  cJSON_AddNumberToObject(item, "bytes", bytes);
  return is_view;
}

void report_take_node(struct report_graph *g, const struct onr_node_run *run) {
  static const char *const views[] = {"reshape", "identity", "slice", "split", "flatten", "squeeze", "unsqueeze"};
  struct onr_node_info info = {.size = sizeof(info)};
  if (!grow((void **)&g->seen, &g->seen_capacity, run->node + 1, 1)) g->no_memory = 1;
  if (g->no_memory || g->seen[run->node] || run->node >= g->profile->count) return;
  g->seen[run->node] = 1;
  onr_node_run_info(run, &info);
  cJSON *item = profile_node_json(g->profile, run->node);
  if (info.method) cJSON_AddStringToObject(item, "method", onr_method_name(info.method));
  cJSON_AddNumberToObject(item, "parameters", (double)info.parameters);
  cJSON_AddNumberToObject(item, "scratch_bytes", (double)run->scratch_bytes);
  int is_view = take_operands(g, run, item), moves = 0;
  for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) moves |= !strcmp(views[i], info.layer);
  cJSON_AddStringToObject(item, "plain", why_plain(&info, is_view && moves, g->profile->nodes[run->node].inner_ns > 0));
  cJSON_AddItemToArray(g->nodes, item);
  if (run->parent != ONR_NO_NODE) return;
  cJSON_AddNumberToObject(item, "step", (double)g->num_steps);
  if (run->scratch_bytes) add_scratch(g, run);
  g->num_steps++;
}

/* --- as JSON --- */

static int is_output(const struct onr_model *model, const char *name) {
  return name[0] && onr_model_find_output(model, name) >= 0;
}

cJSON *report_values_json(struct report_graph *g, const struct onr_model *model) {
  cJSON *array = cJSON_CreateArray();
  for (size_t i = 0; i < g->num_values; i++) {
    const struct report_value *v = &g->values[i];
    if (!v->is_known) continue;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "value", (double)i);
    cJSON_AddStringToObject(item, "name", v->name);
    add_desc(item, "type", &v->desc);
    cJSON_AddNumberToObject(item, "bytes", (double)onr_desc_bytes(&v->desc));
    cJSON_AddStringToObject(item, "storage", storage_names[v->storage]);
    cJSON_AddItemToArray(array, item);
    if (is_output(model, v->name) && g->values[v->memory].last) g->values[v->memory].last = g->num_steps;
  }
  return array;
}

static void add_block(cJSON *array, double value, size_t offset, size_t bytes, size_t first, size_t last) {
  const double numbers[] = {value, (double)offset, (double)bytes, (double)first, (double)last};
  cJSON_AddItemToArray(array, cJSON_CreateDoubleArray(numbers, 5));
}

/* Blocks as [value, offset, bytes, first step, last step]; the value of scratch memory is -1. */
cJSON *report_memory_json(const struct report_graph *g, size_t arena_bytes) {
  cJSON *root = cJSON_CreateObject(), *blocks = cJSON_AddArrayToObject(root, "blocks");
  cJSON_AddNumberToObject(root, "arena_bytes", (double)arena_bytes);
  cJSON_AddNumberToObject(root, "steps", (double)g->num_steps);
  for (size_t i = 0; i < g->num_values; i++) {
    const struct report_value *v = &g->values[i];
    if (v->is_known && v->last && v->storage == ONR_STORAGE_ARENA && v->memory == i)
      add_block(blocks, (double)i, v->offset, onr_desc_bytes(&v->desc), v->first - 1, v->last - 1);
  }
  for (size_t i = 0; i < g->num_scratch; i++) {
    const struct report_scratch *s = &g->scratch[i];
    add_block(blocks, -1, s->offset, s->bytes, s->step, s->step);
  }
  return root;
}

void report_graph_clear(struct report_graph *g) {
  cJSON_Delete(g->nodes);
  free(g->values);
  free(g->scratch);
  free(g->seen);
  *g = (struct report_graph){0};
}
