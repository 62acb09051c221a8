/* bench_kernels.c: every convolution and product of a model by every method that it has. The model is loaded once a
 * method; what is the same in shapes and weights' shapes is one row. */
#define _POSIX_C_SOURCE 200809L
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { FEWEST_RUNS = 3, MOST_RUNS = 10000 };
static const double slower = 1.05; /* than the best one, to be worth a word */

struct row {
  struct onr_node_info node; /* the first of its kind, by the rule; its strings went with the model */
  char layer[32];
  size_t count;
  double ms[ONR_NUM_METHODS]; /* of all of them; 0: this method cannot */
};

/* What one load has measured. */
struct measured {
  struct onr_node_info *nodes;
  char (*layers)[32]; /* their names, which go with the model */
  double *ms;         /* the least of all runs */
  size_t count;
};

static void clear(struct measured *m) {
  free(m->nodes);
  free(m->layers);
  free(m->ms);
  *m = (struct measured){0};
}

static int take_nodes(const struct loaded *l, struct measured *m, uint64_t *before, int is_first) {
  for (size_t i = 0; i < m->count; i++) {
    m->nodes[i] = onr_node_info_init();
    if (onr_session_node(l->session, i, &m->nodes[i]) != ONR_STATUS_OK) return 0;
    const double ms = (double)(m->nodes[i].total_ns - before[i]) / 1e6;
    before[i] = m->nodes[i].total_ns;
    if (is_first || ms < m->ms[i]) m->ms[i] = ms;
  }
  return 1;
}

/* The first run counts for none. */
static enum onr_status run_for(const struct loaded *l, double seconds, struct measured *m, struct onr_error *error) {
  enum onr_status status = onr_session_run(l->session, error);
  if (status != ONR_STATUS_OK) return status;
  m->count = onr_session_num_nodes(l->session);
  m->nodes = calloc(m->count + 1, sizeof(*m->nodes));
  m->layers = calloc(m->count + 1, sizeof(*m->layers));
  m->ms = calloc(m->count + 1, sizeof(*m->ms));
  uint64_t *before = calloc(m->count + 1, sizeof(*before));
  const double end = now_ms() + seconds * 1e3;
  int enough = m->nodes && m->layers && m->ms && before && take_nodes(l, m, before, 1);
  for (int run = 0; enough && run < MOST_RUNS && (run < FEWEST_RUNS || now_ms() < end); run++) {
    status = onr_session_run(l->session, error);
    if (status != ONR_STATUS_OK) break;
    enough = take_nodes(l, m, before, run == 0);
  }
  for (size_t i = 0; enough && i < m->count; i++) snprintf(m->layers[i], sizeof(m->layers[i]), "%s", m->nodes[i].layer);
  free(before);
  return enough ? status : ONR_STATUS_NO_MEMORY;
}

static int measure(const struct options *options, enum onr_method method, struct measured *m) {
  struct options own = *options;
  struct loaded l;
  struct inputs inputs;
  struct onr_error error = {0};
  char passes[1024];
  own.profile = 1;
  own.method = method;
  snprintf(passes, sizeof(passes), "conv_chain%s%s", options->disabled_passes ? "," : "",
           options->disabled_passes ? options->disabled_passes : "");
  own.disabled_passes = passes; /* which makes one layer of several convolutions */
  int code = load(&own, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(&own, &l, &inputs, NULL);
  if (!code) {
    const enum onr_status status = run_for(&l, options->seconds / ONR_NUM_METHODS, m, &error);
    if (status != ONR_STATUS_OK) code = report_run_failure(status, &own, &l, &inputs, &error);
    else if (method == ONR_METHOD_RULE) say_what_is_random(&own, &inputs);
  }
  unload(&l);
  clear_inputs(&inputs);
  return code;
}

/* --- rows --- */

static int same_desc(const struct onr_desc *a, const struct onr_desc *b) {
  return a->dtype == b->dtype && a->rank == b->rank &&
         !memcmp(a->dim, b->dim, sizeof(a->dim[0]) * (size_t)(a->rank > 0 ? a->rank : 0));
}

static int is_alike(const struct onr_node_info *a, const struct onr_node_info *b) {
  return a->multiply_adds == b->multiply_adds && same_desc(&a->input, &b->input) && same_desc(&a->weight, &b->weight) &&
         same_desc(&a->output, &b->output);
}

static struct row *find_row(struct row *rows, size_t count, const struct onr_node_info *node) {
  for (size_t i = 0; i < count; i++)
    if (is_alike(&rows[i].node, node) && rows[i].node.method == node->method) return &rows[i];
  return NULL;
}

/* Nodes with a method, by the rule. */
static size_t make_rows(const struct measured *m, struct row *rows, size_t *row_of) {
  size_t count = 0;
  for (size_t i = 0; i < m->count; i++) {
    row_of[i] = SIZE_MAX;
    if (m->nodes[i].method == ONR_METHOD_RULE || !m->nodes[i].multiply_adds) continue;
    struct row *row = find_row(rows, count, &m->nodes[i]);
    if (!row) {
      row = &rows[count++];
      row->node = m->nodes[i];
      memcpy(row->layer, m->layers[i], sizeof(row->layer));
    }
    row->count++;
    row->ms[row->node.method] += m->ms[i];
    row_of[i] = (size_t)(row - rows);
  }
  return count;
}

/* Loads by other methods have the same nodes. A method counts where all nodes of a row took it. */
static void add_method(struct row *rows, size_t num_rows, const struct measured *rule, const struct measured *m,
                       const size_t *row_of, enum onr_method method) {
  for (size_t r = 0; r < num_rows && m->count == rule->count; r++) {
    double ms = 0;
    int all = 1;
    if (rows[r].node.method == method) continue;
    for (size_t i = 0; i < m->count && all; i++) {
      if (row_of[i] != r) continue;
      all = m->nodes[i].method == method && is_alike(&m->nodes[i], &rule->nodes[i]);
      ms += m->ms[i];
    }
    if (all) rows[r].ms[method] = ms;
  }
}

static enum onr_method best_of(const struct row *row) {
  enum onr_method best = row->node.method;
  for (int k = 1; k < ONR_NUM_METHODS; k++)
    if (row->ms[k] > 0 && row->ms[k] < row->ms[best]) best = (enum onr_method)k;
  return best;
}

static int longer_first(const void *a, const void *b) {
  const struct row *x = a, *y = b;
  const double p = x->ms[x->node.method], q = y->ms[y->node.method];
  return p > q ? -1 : p < q;
}

static double speed(const struct row *row, double ms) {
  return ms > 0 ? 2.0 * (double)row->node.multiply_adds * (double)row->count / ms / 1e6 : 0;
}

/* --- telling --- */

struct shape {
  char text[160];
};

static struct shape shape_of(const struct onr_desc *desc) {
  struct shape s;
  if (desc->dtype == ONR_DTYPE_NONE) snprintf(s.text, sizeof(s.text), "?");
  else onr_desc_format(desc, s.text, sizeof(s.text));
  return s;
}

static void print_rows(const struct row *rows, size_t count) {
  double all = 0, lost = 0;
  size_t worse = 0;
  for (size_t i = 0; i < count; i++) {
    const struct row *row = &rows[i];
    const enum onr_method chosen = row->node.method, best = best_of(row);
    const int is_worse = row->ms[chosen] > slower * row->ms[best];
    printf("%zu x %s %s, weights %s -> %s\n", row->count, row->layer, shape_of(&row->node.input).text,
           shape_of(&row->node.weight).text, shape_of(&row->node.output).text);
    for (int k = 1; k < ONR_NUM_METHODS; k++)
      if (row->ms[k] > 0)
        printf("  %-10s %10s %8.1f GFLOP/s%s%s\n", onr_method_name((enum onr_method)k),
               shown_time(row->ms[k] / (double)row->count).text, speed(row, row->ms[k]),
               k == (int)chosen ? "  chosen" : "", k == (int)best && is_worse ? "  better" : "");
    all += row->ms[chosen];
    lost += row->ms[chosen] - row->ms[best];
    worse += (size_t)is_worse;
  }
  printf(
      "%zu kinds, %s in all; in %zu the method that was chosen is more than %.0f %% slower than the best one; "
      "the best of each would save %s\n",
      count, shown_time(all).text, worse, (slower - 1) * 100, shown_time(lost).text);
}

static void add_dims(cJSON *item, const char *name, const struct onr_desc *desc) {
  cJSON *dims = cJSON_AddArrayToObject(item, name);
  for (int32_t d = 0; d < desc->rank; d++) cJSON_AddItemToArray(dims, cJSON_CreateNumber((double)desc->dim[d]));
}

static int tell_json(const char *path, uint32_t threads, const struct row *rows, size_t count) {
  cJSON *root = cJSON_CreateObject();
  cJSON_AddStringToObject(root, "model", path);
  cJSON_AddNumberToObject(root, "threads", threads);
  cJSON *array = cJSON_AddArrayToObject(root, "kernels");
  for (size_t i = 0; i < count; i++) {
    const struct row *row = &rows[i];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "layer", row->layer);
    cJSON_AddNumberToObject(item, "count", (double)row->count);
    add_dims(item, "input", &row->node.input);
    add_dims(item, "weight", &row->node.weight);
    add_dims(item, "output", &row->node.output);
    cJSON_AddNumberToObject(item, "multiply_adds", (double)row->node.multiply_adds);
    cJSON_AddStringToObject(item, "chosen", onr_method_name(row->node.method));
    cJSON_AddStringToObject(item, "best", onr_method_name(best_of(row)));
    cJSON *methods = cJSON_AddArrayToObject(item, "methods");
    for (int k = 1; k < ONR_NUM_METHODS; k++) {
      if (!(row->ms[k] > 0)) continue;
      cJSON *method = cJSON_CreateObject();
      cJSON_AddStringToObject(method, "method", onr_method_name((enum onr_method)k));
      cJSON_AddNumberToObject(method, "ms", row->ms[k] / (double)row->count);
      cJSON_AddNumberToObject(method, "gflops", speed(row, row->ms[k]));
      cJSON_AddItemToArray(methods, method);
    }
    cJSON_AddItemToArray(array, item);
  }
  return print_json(root, 1);
}

int bench_kernels(const struct options *options, int (*begin)(const struct options *options)) {
  struct measured rule = {0};
  int code = measure(options, ONR_METHOD_RULE, &rule);
  struct row *rows = calloc(rule.count + 1, sizeof(*rows));
  size_t *row_of = calloc(rule.count + 1, sizeof(*row_of));
  if (!code && (!rows || !row_of)) code = complain(EXIT_OTHER, "no memory for a table of kernels");
  const size_t count = code ? 0 : make_rows(&rule, rows, row_of);
  for (int k = 1; k < ONR_NUM_METHODS && !code; k++) {
    struct measured m = {0};
    code = measure(options, (enum onr_method)k, &m);
    if (!code) add_method(rows, count, &rule, &m, row_of, (enum onr_method)k);
    clear(&m);
  }
  if (!code && count) qsort(rows, count, sizeof(*rows), longer_first);
  if (!code) code = begin(options);
  if (!code && options->json) code = tell_json(options->paths[0], (uint32_t)options->threads, rows, count);
  else if (!code) print_rows(rows, count);
  free(rows);
  free(row_of);
  clear(&rule);
  return code;
}
