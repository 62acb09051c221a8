#include "model/passes.h"

#include <string.h>

#include "passes/control.h"
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
#define NUM_PASSES (sizeof(passes) / sizeof(passes[0]))

#define LAST_TURN 4 /* of looking at the shapes in a loop */

/* All constant folding of a model together: about a second of plain C, and what it takes to give each weight another
 * form (type, order) a few times. */
enum { FOLD_BYTES = 64 << 20, FOLD_WORK = 1 << 28, FOLD_WORK_ELEMENT = 8 };

static struct onri_fold_budget fold_budget(const struct onri_graph *graph) {
  struct onri_fold_budget budget = {.bytes = FOLD_BYTES, .work = FOLD_WORK};
  for (size_t v = 0; v < graph->num_values; v++) {
    const struct onri_constant *constant = graph->values[v].constant;
    if (!constant) continue; /* its bytes are in memory or in a file: the sums fit */
    budget.bytes += onr_desc_bytes(&constant->desc);
    budget.work += FOLD_WORK_ELEMENT * (uint64_t)onr_desc_elements(&constant->desc);
  }
  if (budget.bytes > graph->env->limits.total_bytes / 4) budget.bytes = (size_t)(graph->env->limits.total_bytes / 4);
  return budget;
}

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
  while (list && (name = next_name(&list, &length)) != NULL)
    if (is_name(name, length, "all") || is_name(name, length, pass)) return 1;
  return 0;
}

static enum onr_status check_names(const char *list, struct onr_error *error) {
  size_t length;
  const char *name;
  while (list && (name = next_name(&list, &length)) != NULL) {
    int found = is_name(name, length, "all");
    for (size_t i = 0; i < NUM_PASSES; i++) found |= is_name(name, length, passes[i].name);
    if (!found)
      return onr_fail(error, ONR_STATUS_ARGUMENT, "no graph rewrite is called '%.*s'", (int)(length < 64 ? length : 64),
                      name);
  }
  return ONR_STATUS_OK;
}

/* Contents that follow from shapes become constants: shape arithmetic disappears. */
static enum onr_status fold_contents(struct onri_rewrite *rw) {
  for (size_t v = 0; v < rw->probe->num_values; v++) {
    struct onri_constant *contents = onri_probe_contents(rw->probe, (int32_t)v);
    if (!contents || !onri_rewrite_producer(rw, (int32_t)v)) continue;
    onri_constant_retain(contents);
    const int32_t folded = onri_rewrite_constant(rw, contents);
    if (folded < 0) return onri_rewrite_no_memory(rw);
    rw->alias[v] = folded;
    rw->uses[folded] = rw->uses[v];
    rw->uses[v] = 0;
    rw->changed = 1;
  }
  return ONR_STATUS_OK;
}

/* A pass leaves no reader of what it has removed, and no value with another shape. */
static enum onr_status verify(const struct onri_graph *graph, struct onri_probe *probe, const struct pass *pass,
                              struct onr_error *error) {
  struct onr_error why = {0};
  enum onr_status status = onri_graph_verify(graph, &why);
  if (status == ONR_STATUS_OK && probe->graph) status = onri_probe_update(probe, &why);
  if (status == ONR_STATUS_OK || !error) return status;
  *error = why;
  if (status == ONR_STATUS_INTERNAL) {
    onr_fail(error, status, "after the graph rewrite '%s': %s", pass->name, why.message);
    memcpy(error->where, why.where, sizeof(error->where));
  }
  return status;
}

/* One pass on one graph. `fresh`: contents that follow from shapes have not been taken in yet. */
static enum onr_status run_pass(struct onri_graph *graph, const struct pass *pass, int *fresh, struct onri_probe *probe,
                                struct onri_fold_budget *budget, struct onr_error *error) {
  struct onri_rewrite rw;
  ONR_TRY(onri_env_poll(graph->env, error));
  enum onr_status status = onri_rewrite_begin(&rw, graph, probe, budget, error);
  if (status == ONR_STATUS_OK && *fresh) status = fold_contents(&rw);
  if (status == ONR_STATUS_OK) status = pass->function(&rw);
  *fresh = rw.changed;
  status = onri_rewrite_end(&rw, status);
  return status == ONR_STATUS_OK && *fresh ? verify(graph, probe, pass, error) : status;
}

/* A graph still to do, and what its inputs carry over from its outputs. */
struct work {
  struct onri_graph *graph;
  int is_body;
  int32_t num_carried, first_input, first_output;
};

/* What two descriptors agree on. Returns whether that is less than *known. */
static int weaken(struct onr_desc *known, const struct onr_desc *other) {
  const struct onr_desc before = *known;
  if (known->rank != other->rank) known->rank = ONRI_UNKNOWN_RANK;
  for (int32_t d = 0; d < known->rank; d++)
    if (known->dim[d] != other->dim[d]) known->dim[d] = ONR_UNKNOWN_DIM;
  return known->rank != before.rank || !onr_desc_equal(known, &before);
}

static struct onr_desc *carried_input(const struct work *work, int32_t k) {
  return &work->graph->values[work->graph->inputs[work->first_input + k]].desc;
}

/* Looks at the shapes of a graph; in a loop until what is carried has the shapes that it was taken to have. Each turn
 * forgets something, the last one everything. */
static enum onr_status probe_graph(const struct work *work, struct onri_probe *probe, struct onr_error *error) {
  struct onri_graph *graph = work->graph;
  int changed = 1;
  for (int turn = 0; changed; turn++) {
    changed = 0;
    ONR_TRY(onri_probe_begin(probe, graph, !work->is_body, error));
    for (int32_t k = 0; k < work->num_carried; k++)
      changed |= weaken(carried_input(work, k), &graph->values[graph->outputs[work->first_output + k]].desc);
    for (int32_t k = 0; changed && turn == LAST_TURN && k < work->num_carried; k++)
      carried_input(work, k)->rank = ONRI_UNKNOWN_RANK;
    if (changed) onri_probe_clear(probe);
  }
  return ONR_STATUS_OK;
}

/* Constants are folded before shapes are looked at: each sample would compute them anew. */
static enum onr_status run_all(const struct work *work, const char *disabled, struct onri_fold_budget *budget,
                               struct onr_error *error) {
  struct onri_graph *graph = work->graph;
  struct onri_probe probe = {0};
  int fresh = 0;
  enum onr_status status = onri_graph_tidy(graph, error); /* so that every node has a reader */
  for (size_t i = 0; i < NUM_PASSES && status == ONR_STATUS_OK; i++) {
    if (is_disabled(disabled, passes[i].name)) continue;
    if (!probe.graph && passes[i].function != onri_pass_fold) {
      status = probe_graph(work, &probe, error);
      fresh = 1;
    }
    if (status == ONR_STATUS_OK) status = run_pass(graph, &passes[i], &fresh, &probe, budget, error);
  }
  onri_probe_clear(&probe);
  return status;
}

/* Bodies are nested as deep as the file likes, so no recursion. */
struct worklist {
  struct work *items;
  size_t count, capacity;
};

static int push_bodies(struct worklist *list, struct onri_graph *graph) {
  for (size_t i = 0; i < graph->num_nodes; i++) {
    const struct onri_node *node = &graph->nodes[i];
    struct work work = {.is_body = 1};
    if (!node->num_bodies) continue;
    onri_control_feed(graph, node);
    work.num_carried = onri_control_carried(node, &work.first_input, &work.first_output);
    for (int32_t b = 0; b < node->num_bodies; b++) {
      if (!onri_grow(graph->env->allocator, &list->items, sizeof(*list->items), &list->capacity, list->count + 1))
        return 0;
      work.graph = node->bodies[b];
      list->items[list->count++] = work;
    }
  }
  return 1;
}

enum onr_status onri_passes_run(struct onri_graph *graph, const char *disabled, struct onr_error *error) {
  struct worklist list = {0};
  const struct work main = {.graph = graph};
  struct onri_fold_budget budget = fold_budget(graph);
  ONR_TRY(check_names(disabled, error));
  enum onr_status status = run_all(&main, disabled, &budget, error);
  int enough = status != ONR_STATUS_OK || push_bodies(&list, graph);
  while (status == ONR_STATUS_OK && enough && list.count > 0) {
    const struct work body = list.items[--list.count];
    status = run_all(&body, disabled, &budget, error);
    enough = status != ONR_STATUS_OK || push_bodies(&list, body.graph);
  }
  if (!enough) status = onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the list of body graphs");
  onri_release(graph->env->allocator, list.items);
  return status;
}
