#include "model/needs.h"

#include <string.h>

#include "base/only.h"
#include "facts/bodies.h"
#include "layers/layers.h"
#include "onnxrun/model.h"
#include "passes/rewrite.h"

enum form { ONNX, KERNELS };
struct pass {
  const char *name;
  onri_pass_fn function;
  enum form form;
};

static const struct pass passes[] = {
#define ONRI_PASS(name, function, form) ONRI_IF(ONRI_HAS_REWRITE_##name, {#name, function, form}, )
#include "passes/passes.inc"
#undef ONRI_PASS
};
#define NUM_PASSES (sizeof(passes) / sizeof(passes[0]))

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

const char *onr_pass_name(size_t index) { return index < NUM_PASSES ? passes[index].name : NULL; }

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

static int is_disabled(const char *list, const struct pass *pass) {
  size_t length;
  const char *name;
  while (list && (name = next_name(&list, &length)) != NULL)
    if (is_name(name, length, "all") || is_name(name, length, pass->name) ||
        (pass->form == KERNELS && is_name(name, length, ONRI_PASSES_KERNELS)))
      return 1;
  return 0;
}

static enum onr_status check_names(const char *list, struct onr_error *error) {
  size_t length;
  const char *name;
  while (list && (name = next_name(&list, &length)) != NULL) {
    int found = is_name(name, length, "all") || is_name(name, length, ONRI_PASSES_KERNELS);
    for (size_t i = 0; i < NUM_PASSES; i++) found |= is_name(name, length, passes[i].name);
    if (!found)
      return onr_fail(error, ONR_STATUS_ARGUMENT, "no graph rewrite is called '%.*s'", (int)(length < 64 ? length : 64),
                      name);
  }
  return ONR_STATUS_OK;
}

/* Dequantized, and perhaps transposed as PyTorch's exporter does it. */
static int is_weight(const struct onri_rewrite *rw, const struct onri_node *producer) {
  if (producer->layer == &onri_layer_transpose) producer = onri_rewrite_producer(rw, producer->in[0]);
  return producer && producer->layer == &onri_layer_dequantize_linear;
}

/* Contents that follow from shapes become constants: shape arithmetic disappears. Small dequantized weights are among
 * what is known, too: onri_pass_quantized looks at them first. */
static enum onr_status fold_contents(struct onri_rewrite *rw) {
  for (size_t v = 0; v < rw->facts->num_values; v++) {
    struct onri_constant *contents = onri_facts_contents(rw->facts, (int32_t)v);
    const struct onri_node *producer = !contents ? NULL : onri_rewrite_producer(rw, (int32_t)v);
    if (!producer || is_weight(rw, producer)) continue;
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
static enum onr_status verify(const struct onri_graph *graph, struct onri_facts *facts, const struct pass *pass,
                              struct onr_error *error) {
  struct onr_error why = {0};
  enum onr_status status = onri_graph_verify(graph, &why);
  if (status == ONR_STATUS_OK && facts->graph) status = onri_facts_update(facts, &why);
  if (status == ONR_STATUS_OK || !error) return status;
  *error = why;
  if (status == ONR_STATUS_INTERNAL) {
    onr_fail(error, status, "after the graph rewrite '%s': %s", pass->name, why.message);
    memcpy(error->where, why.where, sizeof(error->where));
  }
  return status;
}

/* One pass on one graph. `fresh`: contents that follow from shapes have not been taken in yet. */
static enum onr_status run_pass(struct onri_graph *graph, const struct pass *pass, int *fresh, struct onri_facts *facts,
                                struct onri_fold_budget *budget, struct onr_error *error) {
  struct onri_rewrite rw;
  ONR_TRY(onri_env_poll(graph->env, error));
  enum onr_status status = onri_rewrite_begin(&rw, graph, facts, budget, error);
  if (status == ONR_STATUS_OK && *fresh && budget->takes_contents) status = fold_contents(&rw);
  if (status == ONR_STATUS_OK) status = pass->function(&rw);
  const int changed = rw.changed;
  *fresh = changed;
  status = onri_rewrite_end(&rw, status);
  return status == ONR_STATUS_OK && changed ? verify(graph, facts, pass, error) : status;
}

/* A graph still to do, and what its inputs carry over from its outputs. */
struct work {
  struct onri_graph *graph;
  int is_body;
  struct onri_carried carried;
  struct onri_passes_listener listener;
};

static enum onr_status begin_facts(struct onri_facts *facts, const struct work *work, struct onr_error *error) {
  const struct onri_passes_listener *listener = &work->listener;
  ONR_TRY(ONRI_PART(bodies) ? onri_facts_begin_carried(facts, work->graph, !work->is_body, &work->carried, error)
                            : onri_facts_begin(facts, work->graph, 1, error));
  return listener->deduced ? listener->deduced(listener->context, facts, error) : ONR_STATUS_OK;
}

/* Constants are folded before shapes are looked at. */
static enum onr_status run_all(const struct work *work, const char *disabled, struct onri_fold_budget *budget,
                               struct onr_error *error) {
  struct onri_graph *graph = work->graph;
  struct onri_facts facts = {0};
  int fresh = 0;
  onri_needs_tell(&work->listener, graph, &facts, 0);
  enum onr_status status = onri_graph_tidy(graph, error); /* so that every node has a reader */
  for (size_t i = 0; i < NUM_PASSES && status == ONR_STATUS_OK; i++) {
    if (is_disabled(disabled, &passes[i])) continue;
    if (!facts.graph && passes[i].function != onri_pass_fold && passes[i].function != onri_pass_fold_but_weights &&
        passes[i].function != onri_pass_half) {
      status = begin_facts(&facts, work, error);
      fresh = 1;
    }
    onri_needs_tell(&work->listener, graph, &facts, 0);
    if (status == ONR_STATUS_OK) status = run_pass(graph, &passes[i], &fresh, &facts, budget, error);
    if (fresh) onri_needs_tell_rewrite(&work->listener, passes[i].name);
  }
  if (status == ONR_STATUS_OK && !facts.graph && work->listener.deduced) status = begin_facts(&facts, work, error);
  onri_needs_tell(&work->listener, graph, &facts, 1);
  onri_facts_clear(&facts);
  onri_graph_unload(graph); /* what was but looked at; not all weights are to be in memory before one is packed */
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
    if (!onri_num_bodies(node)) continue;
    onri_body_feed(graph, node);
    work.carried = onri_body_carried(node);
    for (int32_t b = 0; b < onri_num_bodies(node); b++) {
      if (!onri_grow(graph->env->allocator, &list->items, sizeof(*list->items), &list->capacity, list->count + 1))
        return 0;
      work.graph = node->bodies[b];
      list->items[list->count++] = work;
    }
  }
  return 1;
}

enum onr_status onri_passes_run(struct onri_graph *graph, const char *disabled,
                                const struct onri_passes_listener *listener, struct onr_error *error) {
  struct worklist list = {0};
  const struct work main = {.graph = graph, .listener = *listener};
  struct onri_fold_budget budget = fold_budget(graph);
  ONR_TRY(check_names(disabled, error));
  budget.takes_contents = !is_disabled(disabled, &(struct pass){.name = "fold_constants"});
  enum onr_status status = run_all(&main, disabled, &budget, error);
  int enough = status != ONR_STATUS_OK || push_bodies(&list, graph);
  while (status == ONR_STATUS_OK && enough && list.count > 0) {
    struct work body = list.items[--list.count];
    body.listener.uses = listener->uses, body.listener.uses_context = listener->uses_context;
    status = run_all(&body, disabled, &budget, error);
    enough = status != ONR_STATUS_OK || push_bodies(&list, body.graph);
  }
  if (!enough) status = onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the list of body graphs");
  onri_release(graph->env->allocator, list.items);
  return status;
}
