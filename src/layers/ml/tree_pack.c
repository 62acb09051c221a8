/* tree_pack.c: checks the trees of an ensemble and lays them out. Every node is visited at most once, so a forest that
 * passes has neither cycles nor shared branches, and each walk ends. */
#include "layers/ml/tree_pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory/memory.h"

/* A node of the parameters, and where it goes. */
struct item {
  uint32_t node, slot;
};

struct packing {
  struct onr_call *call;
  const struct onr_tree_ensemble_params *p;
  struct onri_trees *trees;
  uint8_t *visited;
  struct item *stack;
  uint32_t depth, slots;
};

static enum onr_status visit(struct packing *pack, uint32_t node, uint32_t slot) {
  if (node >= pack->p->num_nodes)
    return onr_fail(pack->call->error, ONR_STATUS_ATTRIBUTE, "a tree leads to node %u of %u", node, pack->p->num_nodes);
  if (pack->visited[node])
    return onr_fail(pack->call->error, ONR_STATUS_ATTRIBUTE, "node %u is reached twice: the nodes are no trees", node);
  pack->visited[node] = 1;
  pack->stack[pack->depth++] = (struct item){node, slot};
  return ONR_STATUS_OK;
}

/* Votes of one target come together here. */
static enum onr_status pack_leaf(const struct packing *pack, const struct onr_tree_node *from,
                                 struct onri_tree_node *to) {
  const struct onr_tree_ensemble_params *p = pack->p;
  if (from->yes > from->no || from->no > p->num_votes)
    return onr_fail(pack->call->error, ONR_STATUS_ATTRIBUTE, "a leaf has votes %u to %u of %u", from->yes, from->no,
                    p->num_votes);
  double value = 0;
  for (uint32_t v = from->yes; v < from->no; v++) {
    const double weight = p->votes[v].weight;
    if (p->votes[v].target >= p->targets)
      return onr_fail(pack->call->error, ONR_STATUS_ATTRIBUTE, "vote %u is for target %u of %u", v, p->votes[v].target,
                      p->targets);
    const int replaces = v == from->yes || (p->aggregate == ONR_TREE_MIN && weight < value) ||
                         (p->aggregate == ONR_TREE_MAX && weight > value);
    if (replaces) value = weight;
    else if (p->aggregate == ONR_TREE_SUM || p->aggregate == ONR_TREE_AVERAGE) value += weight;
  }
  to->tag = ONRI_TREE_LEAF;
  to->next = 0;
  if (p->targets == 1) {
    to->value = value;
  } else {
    to->part.first = from->yes;
    to->part.count = from->no - from->yes;
  }
  return ONR_STATUS_OK;
}

/* The kind of a question, and whether its answers are exchanged. */
static const struct {
  enum onri_tree_kind kind;
  int exchanged;
} kinds[] = {
    [ONR_TREE_LEQ] = {ONRI_TREE_LEQ, 0},   [ONR_TREE_LT] = {ONRI_TREE_LT, 0}, [ONR_TREE_GTE] = {ONRI_TREE_LT, 1},
    [ONR_TREE_GT] = {ONRI_TREE_LEQ, 1},    [ONR_TREE_EQ] = {ONRI_TREE_EQ, 0}, [ONR_TREE_NEQ] = {ONRI_TREE_EQ, 1},
    [ONR_TREE_MEMBER] = {ONRI_TREE_IN, 0},
};

static enum onr_status pack_branch(struct packing *pack, const struct onr_tree_node *from, struct onri_tree_node *to) {
  const struct onr_tree_ensemble_params *p = pack->p;
  if (from->mode < 0 || from->mode > ONR_TREE_MEMBER)
    return onr_fail(pack->call->error, ONR_STATUS_ATTRIBUTE, "a node has the unknown mode %d", (int)from->mode);
  if (from->feature < 0 || (uint32_t)from->feature >= p->num_features ||
      (uint32_t)from->feature >> (32 - ONRI_TREE_TAG_BITS) != 0)
    return onr_fail(pack->call->error, ONR_STATUS_ATTRIBUTE, "a node asks for feature %d: expected 0 to %u",
                    (int)from->feature, (1u << (32 - ONRI_TREE_TAG_BITS)) - 1);
  const int exchanged = kinds[from->mode].exchanged;
  const int nan_yes = (from->nan_yes != 0 || from->mode == ONR_TREE_NEQ) != exchanged;
  to->tag = (uint32_t)from->feature << ONRI_TREE_TAG_BITS | (uint32_t)nan_yes << ONRI_TREE_KIND_BITS |
            (uint32_t)kinds[from->mode].kind;
  to->next = pack->slots;
  pack->slots += 2;
  if (kinds[from->mode].kind != ONRI_TREE_LEQ) pack->trees->all_leq = 0;
  if (from->mode == ONR_TREE_MEMBER) {
    if (from->members > p->num_members || from->num_members > p->num_members - from->members)
      return onr_fail(pack->call->error, ONR_STATUS_ATTRIBUTE, "a set has members %u to %llu of %u", from->members,
                      (unsigned long long)from->members + from->num_members, p->num_members);
    to->part.first = from->members;
    to->part.count = from->num_members;
  } else {
    to->value = from->value;
  }
  ONR_TRY(visit(pack, exchanged ? from->yes : from->no, to->next + 1));
  return visit(pack, exchanged ? from->no : from->yes, to->next);
}

static enum onr_status pack_tree(struct packing *pack, uint32_t root, uint32_t *slot) {
  *slot = pack->slots++;
  ONR_TRY(visit(pack, root, *slot));
  while (pack->depth > 0) {
    const struct item item = pack->stack[--pack->depth];
    const struct onr_tree_node *from = &pack->p->nodes[item.node];
    struct onri_tree_node *to = &pack->trees->nodes[item.slot];
    ONR_TRY(from->mode == ONR_TREE_LEAF ? pack_leaf(pack, from, to) : pack_branch(pack, from, to));
  }
  return ONR_STATUS_OK;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static enum onr_status pack_all(struct packing *pack) {
  const struct onr_tree_ensemble_params *p = pack->p;
  if (p->num_members > 0) memcpy(pack->trees->members, p->members, p->num_members * sizeof(double));
  for (uint32_t n = 0; n < p->num_roots; n++) ONR_TRY(pack_tree(pack, p->roots[n], &pack->trees->roots[n]));
  for (uint32_t i = 0; i < pack->slots; i++) {
    const struct onri_tree_node *node = &pack->trees->nodes[i];
    if (onri_tree_kind(node) == ONRI_TREE_IN)
      qsort(pack->trees->members + node->part.first, node->part.count, sizeof(double), by_value);
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_trees_pack(struct onr_call *call) {
  const struct onr_tree_ensemble_params *p = call->params;
  struct onri_trees *trees = call->prepared;
  struct packing pack = {.call = call, .p = p, .trees = trees};
  enum onr_status status = ONR_STATUS_NO_MEMORY;
  /* Each slot belongs to a node that was visited. */
  trees->all_leq = 1;
  trees->nodes = onr_env_allocate(call->env, (size_t)p->num_nodes * sizeof(*trees->nodes));
  trees->roots = onr_env_allocate(call->env, (size_t)p->num_roots * sizeof(*trees->roots));
  trees->members = onr_env_allocate(call->env, (size_t)p->num_members * sizeof(*trees->members));
  pack.visited = onr_env_allocate(call->env, p->num_nodes);
  pack.stack = onr_env_allocate(call->env, (size_t)p->num_nodes * sizeof(*pack.stack));
  if (trees->nodes && trees->roots && trees->members && pack.visited && pack.stack) {
    memset(pack.visited, 0, p->num_nodes);
    status = pack_all(&pack);
  } else {
    onr_fail(call->error, status, "no memory for the nodes of the trees");
  }
  onr_env_release(call->env, pack.stack);
  onr_env_release(call->env, pack.visited);
  return status;
}

void onri_trees_release(void *prepared, struct onr_env *env) {
  struct onri_trees *trees = prepared;
  onr_env_release(env, trees->nodes);
  onr_env_release(env, trees->roots);
  onr_env_release(env, trees->members);
}
