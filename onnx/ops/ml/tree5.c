/* tree5.c: TreeEnsemble-5, whose nodes and leaves are known by position; and what all importers of trees
 * share. */
#include "base/shape.h"
#include "onnx/ops/ml/ml.h"
#include "onnx/ops/ml/tree.h"

void *onri_tree_keep(const struct onr_node *node, size_t count, size_t size) {
  return count < SIZE_MAX / size ? onri_arena_allocate(&node->graph->arena, count * size) : NULL;
}

enum onr_status onri_tree_no_memory(const struct onr_node *node) {
  return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for the nodes of the trees");
}

enum onr_status onri_tree_ints(const struct onr_node *node, const char *name, size_t expected, const int64_t **ints) {
  size_t count;
  *ints = onri_attr_ints(node, name, &count);
  return onri_expect_count(node, name, count, expected);
}

enum onr_status onri_tree_ints_if(const struct onr_node *node, const char *name, size_t expected,
                                  const int64_t **ints) {
  *ints = NULL;
  return onri_attr_has(node, name) ? onri_tree_ints(node, name, expected, ints) : ONR_STATUS_OK;
}

enum onr_status onri_tree_feature_set(const struct onr_node *node, int64_t feature, struct onr_tree_ensemble_params *p,
                                      struct onr_tree_node *to) {
  const int64_t most = (1 << 28) - 1;
  if (feature < 0 || feature > most)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "a node asks for feature %lld: expected 0 to %lld",
                    (long long)feature, (long long)most);
  to->feature = (int32_t)feature;
  if ((uint32_t)feature >= p->num_features) p->num_features = (uint32_t)feature + 1;
  return ONR_STATUS_OK;
}

enum onr_status onri_tree_vote_set(const struct onr_node *node, int64_t target, double weight, uint32_t targets,
                                   struct onr_tree_vote *to) {
  if (target < 0 || target >= (int64_t)targets)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "a leaf votes for %lld: expected 0 to %u", (long long)target,
                    targets - 1);
  *to = (struct onr_tree_vote){(uint32_t)target, weight};
  return ONR_STATUS_OK;
}

struct branches {
  const int64_t *node[2], *is_leaf[2]; /* true, false */
  const int64_t *leaf_targets;
  struct onri_widened leaf_weights;
};

/* A leaf gets a node for each branch that leads to it. */
static enum onr_status set_branch(const struct onr_node *node, const struct branches *from, size_t i, int side,
                                  size_t inner, struct onr_tree_ensemble_params *p, uint32_t *to) {
  const int64_t at = from->node[side][i];
  const size_t count = from->is_leaf[side][i] ? from->leaf_weights.count : inner;
  if (at < 0 || (uint64_t)at >= count)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "node %zu leads to %s %lld: expected 0 to %lld", i,
                    from->is_leaf[side][i] ? "leaf" : "node", (long long)at, (long long)count - 1);
  *to = (uint32_t)at;
  if (!from->is_leaf[side][i]) return ONR_STATUS_OK;
  *to = p->num_nodes++;
  ((struct onr_tree_node *)(uintptr_t)p->nodes)[*to] =
      (struct onr_tree_node){.mode = ONR_TREE_LEAF, .yes = (uint32_t)at, .no = (uint32_t)at + 1};
  return ONR_STATUS_OK;
}

static enum onr_status read_leaves(const struct onr_node *node, struct branches *from,
                                   struct onr_tree_ensemble_params *p) {
  ONR_TRY(onri_attr_tensor(node, "leaf_weights", ONRI_DTYPES_FLOAT, &from->leaf_weights));
  const size_t count = from->leaf_weights.count;
  if (count == 0 || count > INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'leaf_weights' has %zu values: expected 1 to %d",
                    count, INT32_MAX);
  ONR_TRY(onri_tree_ints(node, "leaf_targetids", count, &from->leaf_targets));
  struct onr_tree_vote *votes = onri_tree_keep(node, count, sizeof(*votes));
  if (!votes) return onri_tree_no_memory(node);
  for (size_t i = 0; i < count; i++)
    ONR_TRY(onri_tree_vote_set(node, from->leaf_targets[i], onri_widened_at(&from->leaf_weights, i), p->targets,
                               &votes[i]));
  p->votes = votes;
  p->num_votes = (uint32_t)count;
  return ONR_STATUS_OK;
}

/* The members of all sets; each set ends with a NaN in the file. */
static enum onr_status read_members(const struct onr_node *node, struct onr_tree_ensemble_params *p, size_t inner) {
  struct onri_widened reals;
  struct onr_tree_node *nodes = (struct onr_tree_node *)(uintptr_t)p->nodes;
  size_t at = 0;
  ONR_TRY(onri_attr_tensor(node, "membership_values", ONRI_DTYPES_FLOAT, &reals));
  double *members = onri_tree_keep(node, reals.count, sizeof(*members));
  if (!members || reals.count > INT32_MAX) return onri_tree_no_memory(node);
  for (size_t i = 0; i < inner; i++) {
    if (nodes[i].mode != ONR_TREE_MEMBER) continue;
    nodes[i].members = p->num_members;
    for (;; at++) {
      if (at == reals.count)
        return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'membership_values' lacks the set of node %zu",
                        i);
      const double member = onri_widened_at(&reals, at);
      if (member != member) break;
      members[p->num_members++] = member;
    }
    at++;
    nodes[i].num_members = p->num_members - nodes[i].members;
  }
  p->members = members;
  return at == reals.count ? ONR_STATUS_OK
                           : onr_fail(node->error, ONR_STATUS_ATTRIBUTE,
                                      "attribute 'membership_values' has more sets than nodes ask for");
}

static enum onr_status read_positioned_nodes(const struct onr_node *node, struct branches *from,
                                             struct onr_tree_ensemble_params *p, size_t *inner) {
  const int64_t *features, *nan_yes;
  struct onri_widened modes, values;
  size_t leaves = 0;
  features = onri_attr_ints(node, "nodes_featureids", inner);
  if (*inner == 0 || *inner > INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'nodes_featureids' has %zu values: expected 1 to %d",
                    *inner, INT32_MAX);
  ONR_TRY(onri_tree_ints(node, "nodes_truenodeids", *inner, &from->node[0]));
  ONR_TRY(onri_tree_ints(node, "nodes_falsenodeids", *inner, &from->node[1]));
  ONR_TRY(onri_tree_ints(node, "nodes_trueleafs", *inner, &from->is_leaf[0]));
  ONR_TRY(onri_tree_ints(node, "nodes_falseleafs", *inner, &from->is_leaf[1]));
  ONR_TRY(onri_tree_ints_if(node, "nodes_missing_value_tracks_true", *inner, &nan_yes));
  ONR_TRY(onri_attr_tensor(node, "nodes_modes", ONRI_DTYPE_BIT(ONR_DTYPE_U8), &modes));
  ONR_TRY(onri_expect_count(node, "nodes_modes", modes.count, *inner));
  ONR_TRY(onri_attr_tensor(node, "nodes_splits", ONRI_DTYPES_FLOAT, &values));
  ONR_TRY(onri_expect_count(node, "nodes_splits", values.count, *inner));
  for (size_t i = 0; i < *inner; i++) leaves += (from->is_leaf[0][i] != 0) + (from->is_leaf[1][i] != 0);
  if (*inner + leaves > UINT32_MAX)
    return onr_fail(node->error, ONR_STATUS_LIMIT, "the trees have %zu nodes and leaves", *inner + leaves);
  struct onr_tree_node *nodes = onri_tree_keep(node, *inner + leaves, sizeof(*nodes));
  if (!nodes) return onri_tree_no_memory(node);
  p->nodes = nodes;
  p->num_nodes = (uint32_t)*inner;
  for (size_t i = 0; i < *inner; i++) {
    const uint8_t mode = ((const uint8_t *)modes.data)[i];
    if (mode > ONR_TREE_MEMBER)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "node %zu has mode %d: expected 0 to %d", i, mode,
                      ONR_TREE_MEMBER);
    nodes[i] = (struct onr_tree_node){
        .mode = (enum onr_tree_mode)mode, .value = onri_widened_at(&values, i), .nan_yes = nan_yes && nan_yes[i]};
    ONR_TRY(onri_tree_feature_set(node, features[i], p, &nodes[i]));
    ONR_TRY(set_branch(node, from, i, 0, *inner, p, &nodes[i].yes));
    ONR_TRY(set_branch(node, from, i, 1, *inner, p, &nodes[i].no));
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_roots(const struct onr_node *node, size_t inner, struct onr_tree_ensemble_params *p) {
  size_t count;
  const int64_t *ids = onri_attr_ints(node, "tree_roots", &count);
  if (count == 0 || count > inner)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'tree_roots' has %zu values: expected 1 to %zu",
                    count, inner);
  uint32_t *roots = onri_tree_keep(node, count, sizeof(*roots));
  if (!roots) return onri_tree_no_memory(node);
  for (size_t i = 0; i < count; i++) {
    if (ids[i] < 0 || (uint64_t)ids[i] >= inner)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "a tree has the root %lld: expected 0 to %zu",
                      (long long)ids[i], inner - 1);
    roots[i] = (uint32_t)ids[i];
  }
  p->roots = roots;
  p->num_roots = (uint32_t)count;
  return ONR_STATUS_OK;
}

static enum onr_status import_tree_ensemble(const struct onr_node *node) {
  struct onr_tree_ensemble_params p = {
      .aggregate = (enum onr_tree_aggregate)onri_attr_int32(node, "aggregate_function", ONR_TREE_SUM, 0, ONR_TREE_MAX),
      .targets = (uint32_t)onri_attr_int32(node, "n_targets", 1, 1, INT32_MAX),
      .keeps_type = 1};
  const int32_t transform = onri_attr_int32(node, "post_transform", ONR_SCORE_NONE, 0, ONR_SCORE_PROBIT);
  const int32_t x = onri_in(node, 0), sums = transform == ONR_SCORE_NONE ? onri_out(node, 0) : onri_temp(node);
  struct branches from = {0};
  size_t inner;
  ONR_TRY(read_leaves(node, &from, &p));
  ONR_TRY(read_positioned_nodes(node, &from, &p, &inner));
  ONR_TRY(read_members(node, &p, inner));
  ONR_TRY(read_roots(node, inner, &p));
  ONR_TRY(onri_emit_with(node, &onri_layer_tree_ensemble, &p, &x, 1, &sums, 1));
  return transform == ONR_SCORE_NONE ? ONR_STATUS_OK
                                     : onri_emit_transform(node, (enum onr_score_transform)transform, sums);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx_ml, TreeEnsemble, 5, 1, 1, 1, 1, import_tree_ensemble)
};
/* clang-format on */
const struct onri_op_table onri_ops_ml_tree5 = ONRI_OP_TABLE(operators);
