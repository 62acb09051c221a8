#include "passes/passes.h"

#include <string.h>

#include "passes/probe.h"
#include "passes/rewrite.h"

struct pass {
  const char *name;
  onri_pass_fn function;
};

static const struct pass passes[] = {
#define ONRI_PASS(name, function) {#name, function},
#include "passes/passes.inc"
#undef ONRI_PASS
};
#define NUM_PASSES (sizeof passes / sizeof passes[0])

/* Bytes that all constant folding together may add to a model. */
#define FOLD_BUDGET ((size_t)64 << 20)

const char *onri_passes_name(size_t index) { return index < NUM_PASSES ? passes[index].name : NULL; }

/* The next name of the list: its start, or NULL at the end; *length its length. */
static const char *next_name(const char **list, size_t *length) {
  static const char separators[] = ", ";
  const char *name = *list + strspn(*list, separators);
  *length = strcspn(name, separators);
  *list = name + *length;
  return *length > 0 ? name : NULL;
}

static int is_name(const char *text, size_t length, const char *name) {
  return strlen(name) == length && memcmp(text, name, length) == 0;
}

static int is_disabled(const char *list, const char *pass) {
  size_t length;
  const char *name;
  while (list != NULL && (name = next_name(&list, &length)) != NULL)
    if (is_name(name, length, "all") || is_name(name, length, pass)) return 1;
  return 0;
}

static enum onr_status check_names(const char *list, struct onr_error *error) {
  size_t length;
  const char *name;
  while (list != NULL && (name = next_name(&list, &length)) != NULL) {
    int found = is_name(name, length, "all");
    for (size_t i = 0; i < NUM_PASSES; i++) found |= is_name(name, length, passes[i].name);
    if (!found)
      return onr_fail(error, ONR_STATUS_ARGUMENT, "no graph rewrite is called '%.*s'", (int)(length < 64 ? length : 64), name);
  }
  return ONR_STATUS_OK;
}

/* Contents that follow from shapes become constants: shape arithmetic disappears. */
static enum onr_status fold_contents(struct onri_rewrite *rw, struct onri_probe *probe) {
  for (size_t v = 0; v < probe->num_values; v++) {
    struct onri_node *producer = onri_rewrite_producer(rw, (int32_t)v);
    if (probe->contents[v] == NULL || producer == NULL || onri_rewrite_is_constant(rw, (int32_t)v)) continue;
    struct onri_constant *constant = probe->contents[v];
    probe->contents[v] = NULL;
    const int32_t folded = onri_rewrite_constant(rw, constant);
    if (folded < 0) return onri_rewrite_no_memory(rw);
    rw->alias[v] = folded;
    rw->uses[folded] = rw->uses[v];
    rw->uses[v] = 0;
    rw->changed = 1;
  }
  return ONR_STATUS_OK;
}

/* No pass leaves a reader of what it removed. */
static enum onr_status verify(const struct onri_graph *graph, const struct pass *pass, struct onr_error *error) {
  struct onr_error why = {0};
  const enum onr_status status = onri_graph_verify(graph, &why);
  if (status == ONR_STATUS_OK) return status;
  onr_fail(error, status, "after the graph rewrite '%s': %s", pass->name, why.message);
  if (error) memcpy(error->where, why.where, sizeof(error->where));
  return status;
}

/* One pass on one graph. `stale`: shapes are not known or no longer, so infer them first. */
static enum onr_status run_pass(struct onri_graph *graph, const struct pass *pass, int is_body, int *stale, struct onri_probe *probe,
                                size_t *budget, struct onr_error *error) {
  const struct onr_allocator *allocator = graph->env->allocator;
  struct onri_rewrite rw;
  ONR_TRY(onri_env_poll(graph->env, error));
  if (*stale) {
    onri_probe_clear(probe, allocator);
    ONR_TRY(onri_probe_run(graph, !is_body, probe, error));
  }
  enum onr_status status = onri_rewrite_begin(&rw, graph, probe, budget, error);
  if (status == ONR_STATUS_OK && *stale && !is_body && probe->contents != NULL) status = fold_contents(&rw, probe);
  onri_probe_drop_contents(probe, allocator);
  if (status == ONR_STATUS_OK) status = pass->function(&rw);
  *stale = rw.changed;
  status = onri_rewrite_end(&rw, status);
  return status == ONR_STATUS_OK && *stale ? verify(graph, pass, error) : status;
}

static enum onr_status run_all(struct onri_graph *graph, const char *disabled, int is_body, size_t *budget,
                               struct onr_error *error) {
  struct onri_probe probe = {0};
  int stale = 1;
  enum onr_status status = onri_graph_tidy(graph, error); /* so that every node has a reader */
  for (size_t i = 0; i < NUM_PASSES && status == ONR_STATUS_OK; i++)
    if (!is_disabled(disabled, passes[i].name)) status = run_pass(graph, &passes[i], is_body, &stale, &probe, budget, error);
  onri_probe_clear(&probe, graph->env->allocator);
  return status;
}

/* Graphs still to do. Bodies are nested as deep as the file likes, so no recursion. */
struct worklist {
  struct onri_graph **graphs;
  size_t count, capacity;
};

static int push_bodies(struct worklist *list, struct onri_graph *graph) {
  for (size_t i = 0; i < graph->num_nodes; i++) {
    const struct onri_node *node = &graph->nodes[i];
    for (int32_t b = 0; node->layer != NULL && b < node->num_bodies; b++) {
      if (!onri_grow(graph->env->allocator, &list->graphs, sizeof *list->graphs, &list->capacity, list->count + 1)) return 0;
      list->graphs[list->count++] = node->bodies[b];
    }
  }
  return 1;
}

enum onr_status onri_passes_run(struct onri_graph *graph, const char *disabled, struct onr_error *error) {
  struct worklist list = {0};
  size_t budget = FOLD_BUDGET;
  ONR_TRY(check_names(disabled, error));
  enum onr_status status = run_all(graph, disabled, 0, &budget, error);
  int enough = status != ONR_STATUS_OK || push_bodies(&list, graph);
  while (status == ONR_STATUS_OK && enough && list.count > 0) {
    struct onri_graph *body = list.graphs[--list.count];
    status = run_all(body, disabled, 1, &budget, error);
    enough = status != ONR_STATUS_OK || push_bodies(&list, body);
  }
  if (!enough) status = onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the list of body graphs");
  onri_release(graph->env->allocator, list.graphs);
  return status;
}
