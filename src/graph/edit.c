/* edit.c: what passes need: replacing values, counting uses, dead nodes, order. */
#include "graph/graph.h"

#include <string.h>

void onri_graph_replace(struct onri_graph *graph, int32_t from, int32_t to) {
  for (size_t n = 0; n < graph->num_nodes; n++) {
    struct onri_node *node = &graph->nodes[n];
    for (int32_t i = 0; node->layer && i < node->num_in; i++)
      if (node->in[i] == from) node->in[i] = to;
  }
  for (size_t i = 0; i < graph->num_outputs; i++)
    if (graph->outputs[i] == from) graph->outputs[i] = to;
}

int32_t *onri_graph_count_uses(struct onri_graph *graph, struct onri_arena *arena) {
  int32_t *uses = onri_arena_allocate(arena, graph->num_values * sizeof(*uses));
  if (!uses) return NULL;
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    for (int32_t i = 0; node->layer && i < node->num_in; i++)
      if (node->in[i] != ONRI_NONE) uses[node->in[i]]++;
  }
  for (size_t i = 0; i < graph->num_outputs; i++) uses[graph->outputs[i]]++;
  return uses;
}

/* One visit of the depth-first walk: node, and the next input to look at. */
struct visit {
  int32_t node, next_input;
};

enum mark { UNSEEN, OPEN, DONE };

/* Producer node of input i, or ONRI_NONE. */
static int32_t producer_of(const struct onri_graph *graph, const struct onri_node *node, int32_t i) {
  return node->in[i] == ONRI_NONE ? ONRI_NONE : graph->values[node->in[i]].producer;
}

/* Appends `root` and all it needs to `order`, producers first, without recursion. */
static enum onr_status walk(const struct onri_graph *graph, int32_t root, uint8_t *marks, struct visit *stack,
                            int32_t *order, size_t *length, struct onr_error *error) {
  size_t depth = 0;
  if (marks[root] == DONE) return ONR_STATUS_OK;
  marks[root] = OPEN;
  stack[depth++] = (struct visit){root, 0};
  while (depth) {
    struct visit *top = &stack[depth - 1];
    const struct onri_node *node = &graph->nodes[top->node];
    if (top->next_input == node->num_in) {
      marks[top->node] = DONE;
      order[(*length)++] = top->node;
      depth--;
      continue;
    }
    const int32_t p = producer_of(graph, node, top->next_input++);
    if (p == ONRI_NONE || marks[p] == DONE) continue;
    if (!graph->nodes[p].layer)
      return onr_fail(error, ONR_STATUS_INTERNAL, "a node reads the output of a removed node");
    if (marks[p] == OPEN)
      return onri_node_blame(node, onr_fail(error, ONR_STATUS_GRAPH, "the node is part of a cycle"), error);
    marks[p] = OPEN;
    stack[depth++] = (struct visit){p, 0};
  }
  return ONR_STATUS_OK;
}

enum { NOT_LIVE, LIVE, LATE };

/* Is it computed of constants alone? Then it waits for its first reader: computed earlier, it would fill memory. */
static int may_wait(const struct onri_graph *graph, const struct onri_node *node, const uint8_t *live) {
  if (node->layer->control || node->layer->flags & ONR_LAYER_IMPURE) return 0;
  for (int32_t i = 0; i < node->num_in; i++) {
    const struct onri_value *value = node->in[i] == ONRI_NONE ? NULL : &graph->values[node->in[i]];
    if (value && !value->constant && (value->producer == ONRI_NONE || live[value->producer] != LATE)) return 0;
  }
  return 1;
}

/* Marks all nodes that the outputs need, then orders them, keeping the present order where it is one. */
static enum onr_status order_live_nodes(const struct onri_graph *graph, uint8_t *marks, struct visit *stack,
                                        int32_t *order, size_t *length, struct onr_error *error) {
  for (size_t i = 0; i < graph->num_outputs; i++) {
    const int32_t p = graph->values[graph->outputs[i]].producer;
    if (p != ONRI_NONE) ONR_TRY(walk(graph, p, marks, stack, order, length, error));
  }
  uint8_t *live = marks + graph->num_nodes; /* NOT_LIVE: all zero */
  for (size_t i = 0; i < *length; i++)      /* producers come first */
    live[order[i]] = may_wait(graph, &graph->nodes[order[i]], live) ? LATE : LIVE;
  memset(marks, UNSEEN, graph->num_nodes);
  *length = 0;
  for (uint8_t when = LIVE; when <= LATE; when++)
    for (size_t n = 0; n < graph->num_nodes; n++)
      if (live[n] == when) ONR_TRY(walk(graph, (int32_t)n, marks, stack, order, length, error));
  return ONR_STATUS_OK;
}

static void drop_nodes(struct onri_graph *graph, const uint8_t *live) {
  for (size_t n = 0; n < graph->num_nodes; n++) {
    struct onri_node *node = &graph->nodes[n];
    if (live[n]) continue;
    for (int32_t i = 0; i < node->num_out; i++)
      if (node->out[i] != ONRI_NONE && graph->values[node->out[i]].producer == (int32_t)n)
        graph->values[node->out[i]].producer = ONRI_NONE;
    for (int32_t b = 0; b < onri_num_bodies(node); b++) onri_graph_destroy(node->bodies[b]);
    node->num_bodies = 0;
  }
}

static enum onr_status release_unused_constants(struct onri_graph *graph, struct onr_error *error) {
  struct onri_arena scratch;
  int32_t *uses;
  onri_arena_init(&scratch, graph->env->allocator, 0);
  uses = onri_graph_count_uses(graph, &scratch);
  for (size_t v = 0; uses && v < graph->num_values; v++)
    if (!uses[v]) {
      onri_constant_release(graph->values[v].constant);
      graph->values[v].constant = NULL;
    }
  onri_arena_clear(&scratch);
  return uses ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to count uses");
}

enum onr_status onri_graph_tidy(struct onri_graph *graph, struct onr_error *error) {
  const struct onr_allocator *allocator = graph->env->allocator;
  const size_t count = graph->num_nodes;
  uint8_t *marks = onri_allocate_zeroed(allocator, 2 * count);
  struct visit *stack = onri_allocate(allocator, count * sizeof(*stack));
  int32_t *order = onri_allocate(allocator, count * sizeof(*order));
  struct onri_node *nodes = onri_allocate(allocator, count * sizeof(*nodes));
  enum onr_status status = ONR_STATUS_OK;
  size_t length = 0;
  if (!marks || !stack || !order || !nodes)
    status = onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to order %zu nodes", count);
  if (status == ONR_STATUS_OK) status = order_live_nodes(graph, marks, stack, order, &length, error);
  if (status == ONR_STATUS_OK) {
    drop_nodes(graph, marks + count);
    for (size_t n = 0; n < length; n++) nodes[n] = graph->nodes[order[n]];
    onri_release(allocator, graph->nodes);
    graph->nodes = nodes;
    graph->num_nodes = length;
    graph->nodes_capacity = count;
    nodes = NULL;
    for (size_t n = 0; n < length; n++)
      for (int32_t i = 0; i < graph->nodes[n].num_out; i++)
        if (graph->nodes[n].out[i] != ONRI_NONE) graph->values[graph->nodes[n].out[i]].producer = (int32_t)n;
  }
  onri_release(allocator, marks);
  onri_release(allocator, stack);
  onri_release(allocator, order);
  onri_release(allocator, nodes);
  return status == ONR_STATUS_OK ? release_unused_constants(graph, error) : status;
}
