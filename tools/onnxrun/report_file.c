/* report_file.c: the nodes of a file as they are before any rewrite, and which of them each node that is run does the
 * work of; the file's weights, counted into histograms. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 40, MOST_READ = 1 << 20, MOST_TOLD = 400 };

/* A node of the file; texts are in `words`. */
struct file_node {
  const char *operator, * name, *module;
  size_t in, num_in, out, num_out; /* into `operands` */
  size_t stamp;                    /* of the last that asked for it; SIZE_MAX: nobody has */
  int is_done;                     /* a node that is run does its work */
};

struct operand_name {
  const char *name;
  size_t node; /* that writes it */
};

struct report_file {
  struct file_node *nodes;
  size_t num_nodes, nodes_capacity;
  const char **operands;
  size_t num_operands, operands_capacity;
  char **words;
  size_t num_words, words_capacity;
  struct operand_name *written; /* sorted by name */
  size_t num_written;
  const char **kept; /* sorted: names of values that are there when the model is run */
  size_t num_kept;
  size_t *stack;
  uint8_t *told; /* by number of value */
  size_t told_capacity;
  cJSON *weights;
  int no_memory;
};

/* --- while the plan is told --- */

static const char *keep_word(struct report_file *f, const char *text) {
  char *copy = *text ? strdup(text) : NULL;
  if (!*text) return "";
  if (copy && grow((void **)&f->words, &f->words_capacity, f->num_words + 1, sizeof(*f->words)))
    return f->words[f->num_words++] = copy;
  free(copy);
  f->no_memory = 1;
  return "";
}

static void add_operand(struct report_file *f, const char *name) {
  if (!grow((void **)&f->operands, &f->operands_capacity, f->num_operands + 1, sizeof(*f->operands))) f->no_memory = 1;
  else f->operands[f->num_operands++] = keep_word(f, name);
}

struct weight {
  double least, most, sum, squares;
  int64_t read, zeros, odd; /* odd: NaN and infinities */
};

static void add_up(const struct onr_tensor *x, int64_t step, struct weight *w) {
  const int64_t count = onr_desc_elements(&x->desc);
  w->least = INFINITY;
  w->most = -INFINITY;
  for (int64_t i = 0; i < count; i += step) {
    const double v = number_at(x, i).real;
    w->read++;
    w->odd += !isfinite(v);
    w->zeros += v == 0;
    if (!isfinite(v)) continue;
    if (v < w->least) w->least = v;
    if (v > w->most) w->most = v;
    w->sum += v;
    w->squares += v * v;
  }
}

static cJSON *histogram(const struct onr_tensor *x, int64_t step, const struct weight *w) {
  const int64_t count = onr_desc_elements(&x->desc);
  const double width = (w->most - w->least) / BINS;
  double bins[BINS] = {0};
  for (int64_t i = 0; i < count; i += step) {
    const double v = number_at(x, i).real;
    if (!isfinite(v)) continue;
    const double place = width > 0 ? (v - w->least) / width : 0;
    bins[place < BINS ? (int)place : BINS - 1]++;
  }
  return cJSON_CreateDoubleArray(bins, BINS);
}

/* Of large ones every so many-th element is read. */
static void count_weight(struct report_file *f, const struct onr_operand *o) {
  const int64_t count = onr_desc_elements(&o->tensor.desc), step = count / MOST_READ + 1;
  struct weight w = {0};
  char text[160];
  if (count < 2 || number_at(&o->tensor, 0).kind == NO_NUMBER || o->tensor.desc.dtype == ONR_DTYPE_I64 ||
      o->tensor.desc.dtype == ONR_DTYPE_BOOL)
    return;
  add_up(&o->tensor, step, &w);
  cJSON *item = cJSON_CreateObject();
  const double finite = (double)(w.read - w.odd), mean = finite > 0 ? w.sum / finite : 0;
  cJSON_AddStringToObject(item, "name", o->name);
  cJSON_AddStringToObject(item, "type", onr_desc_format(&o->tensor.desc, text, sizeof(text)));
  cJSON_AddNumberToObject(item, "elements", (double)count);
  cJSON_AddNumberToObject(item, "read", (double)w.read);
  cJSON_AddNumberToObject(item, "zeros", (double)w.zeros);
  cJSON_AddNumberToObject(item, "odd", (double)w.odd);
  if (finite > 0) {
    const double variance = w.squares / finite - mean * mean;
    cJSON_AddNumberToObject(item, "min", w.least);
    cJSON_AddNumberToObject(item, "max", w.most);
    cJSON_AddNumberToObject(item, "mean", mean);
    cJSON_AddNumberToObject(item, "std", variance > 0 ? sqrt(variance) : 0);
    cJSON_AddItemToObject(item, "bins", histogram(&o->tensor, step, &w));
  }
  cJSON_AddItemToArray(f->weights, item);
}

static void take_weight(struct report_file *f, const struct onr_node_run *run, size_t i, struct onr_operand *o) {
  void *copy = NULL;
  if (!o->tensor.data && (copy = malloc(onr_desc_bytes(&o->tensor.desc))) &&
      onr_node_run_constant(run, i, copy, NULL) == ONR_STATUS_OK)
    o->tensor.data = copy;
  if (o->tensor.data) count_weight(f, o);
  free(copy);
}

/* Weights that several nodes read are told once. */
static int is_new(struct report_file *f, size_t value) {
  if (!grow((void **)&f->told, &f->told_capacity, value + 1, 1)) f->no_memory = 1;
  return !f->no_memory && !f->told[value]++;
}

static void take_file_node(void *context, const struct onr_node_run *run) {
  struct report_file *f = context;
  struct onr_node_info info = {.size = sizeof(info)};
  struct onr_operand o = {.size = sizeof(o)};
  if (!grow((void **)&f->nodes, &f->nodes_capacity, f->num_nodes + 1, sizeof(*f->nodes))) f->no_memory = 1;
  if (f->no_memory) return;
  struct file_node *n = &f->nodes[f->num_nodes++];
  onr_node_run_info(run, &info);
  n->operator= keep_word(f, info.op_type);
  n->name = keep_word(f, info.name);
  n->module = keep_word(f, info.module_path);
  n->stamp = SIZE_MAX;
  n->in = f->num_operands;
  n->num_in = run->num_inputs;
  n->num_out = run->num_outputs;
  for (size_t i = 0; i < run->num_inputs; i++) {
    onr_node_run_input(run, i, &o);
    add_operand(f, o.name);
    if (o.storage == ONR_STORAGE_CONSTANT && o.name[0] && is_new(f, o.value)) take_weight(f, run, i, &o);
  }
  n->out = f->num_operands;
  for (size_t i = 0; i < run->num_outputs; i++) {
    onr_node_run_output(run, i, &o);
    add_operand(f, o.name);
  }
}

/* --- the file --- */

int report_file_read(const struct options *options, struct report_file **file) {
  struct options own = *options;
  struct inputs inputs = {0};
  struct loaded l;
  struct line problem = {0};
  struct report_file *f = *file = calloc(1, sizeof(*f));
  if (!f) return complain(EXIT_OTHER, "no memory for a report");
  f->weights = cJSON_CreateArray();
  own.disabled_passes = "all";
  own.backend = ONR_BACKEND_PORTABLE;
  own.packed = NULL;
  own.watch = take_file_node;
  own.watch_context = f;
  int code = load(&own, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(&own, &l, &inputs, &problem);
  if (!code && !problem.text[0]) onr_session_watch(l.session, NULL);
  unload(&l);
  clear_inputs(&inputs);
  return !code && f->no_memory ? complain(EXIT_OTHER, "no memory for the nodes of the file") : code;
}

cJSON *report_file_weights(struct report_file *f) {
  cJSON *weights = f->weights;
  f->weights = NULL;
  return weights;
}

void report_file_clear(struct report_file *f) {
  if (!f) return;
  for (size_t i = 0; i < f->num_words; i++) free(f->words[i]);
  free(f->words);
  free(f->nodes);
  free(f->operands);
  free(f->written);
  free(f->kept);
  free(f->stack);
  free(f->told);
  cJSON_Delete(f->weights);
  free(f);
}

/* --- who does whose work --- */

static int by_name(const void *left, const void *right) {
  const struct operand_name *a = left, *b = right;
  return strcmp(a->name, b->name);
}

static int by_text(const void *left, const void *right) {
  return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const struct operand_name *writer_of(const struct report_file *f, const char *name) {
  const struct operand_name key = {name, 0};
  return *name ? bsearch(&key, f->written, f->num_written, sizeof(*f->written), by_name) : NULL;
}

static int make_tables(struct report_file *f, const struct report_graph *g) {
  f->written = calloc(f->num_operands + 1, sizeof(*f->written));
  f->kept = calloc(g->num_values + 1, sizeof(*f->kept));
  f->stack = calloc(f->num_nodes + 1, sizeof(*f->stack));
  if (!f->written || !f->kept || !f->stack) return 0;
  for (size_t i = 0; i < f->num_nodes; i++)
    for (size_t k = 0; k < f->nodes[i].num_out; k++)
      f->written[f->num_written++] = (struct operand_name){f->operands[f->nodes[i].out + k], i};
  for (size_t i = 0; i < g->num_values; i++)
    if (g->values[i].is_known) f->kept[f->num_kept++] = g->values[i].name;
  qsort(f->written, f->num_written, sizeof(*f->written), by_name);
  qsort(f->kept, f->num_kept, sizeof(*f->kept), by_text);
  return 1;
}

static cJSON *file_node_json(const struct file_node *n) {
  cJSON *item = cJSON_CreateObject();
  cJSON_AddStringToObject(item, "operator", n->operator);
  cJSON_AddStringToObject(item, "name", n->name);
  cJSON_AddStringToObject(item, "module", n->module);
  return item;
}

static void push(struct report_file *f, const char *name, size_t stamp, size_t *depth) {
  const struct operand_name *writer = writer_of(f, name);
  if (!writer || f->nodes[writer->node].stamp == stamp) return;
  f->nodes[writer->node].stamp = stamp;
  f->stack[(*depth)++] = writer->node;
}

/* Back from a value up to values that others have made. */
static void walk(struct report_file *f, const char *name, size_t stamp, cJSON *list) {
  size_t depth = 0;
  push(f, name, stamp, &depth);
  while (depth) {
    struct file_node *n = &f->nodes[f->stack[--depth]];
    n->is_done = 1;
    cJSON_InsertItemInArray(list, 0, file_node_json(n));
    for (size_t i = 0; i < n->num_in; i++) {
      const char *input = f->operands[n->in + i];
      if (!bsearch(&input, f->kept, f->num_kept, sizeof(*f->kept), by_text)) push(f, input, stamp, &depth);
    }
  }
}

void report_file_match(struct report_file *f, const struct report_graph *g, cJSON *root) {
  const cJSON *number;
  cJSON *node, *folded = cJSON_AddArrayToObject(root, "folded");
  size_t stamp = 0, num_folded = 0;
  if (!make_tables(f, g)) return;
  cJSON_ArrayForEach(node, g->nodes) {
    cJSON *list = cJSON_AddArrayToObject(node, "from");
    if (cJSON_GetObjectItem(node, "parent")) continue;
    cJSON_ArrayForEach(number, cJSON_GetObjectItem(node, "out")) if (!cJSON_IsNull(number))
        walk(f, g->values[(size_t)number->valuedouble].name, stamp, list);
    stamp++;
  }
  for (size_t i = 0; i < f->num_nodes; i++)
    if (!f->nodes[i].is_done && ++num_folded <= MOST_TOLD) cJSON_AddItemToArray(folded, file_node_json(&f->nodes[i]));
  cJSON_AddNumberToObject(root, "num_folded", (double)num_folded);
}
