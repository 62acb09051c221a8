/* import_ml_tree.c: TreeEnsemble-5, TreeEnsembleRegressor-1..3 and TreeEnsembleClassifier-1..3. Nodes that the file names by
 * tree and number get positions here; whether they are trees is checked where they are packed (src/layers/tree_pack.c). */
#include <string.h>

#include "base/shape.h"
#include "kernels/order.h"
#include "onnx/importer.h"
#include "onnx/import_ml.h"

/* Of the model, zeroed; NULL when out of memory. */
static void *keep(const struct onr_node *node, size_t count, size_t size) {
  return count < SIZE_MAX / size ? onri_arena_allocate(&node->graph->arena, count * size) : NULL;
}

static enum onr_status no_memory(const struct onr_node *node) {
  return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for the nodes of the trees");
}

static enum onr_status read_ints(const struct onr_node *node, const char *name, size_t expected, const int64_t **ints) {
  size_t count;
  *ints = onri_attr_ints(node, name, &count);
  return onri_expect_count(node, name, count, expected);
}

/* As read_ints; NULL when the attribute is absent. */
static enum onr_status read_optional(const struct onr_node *node, const char *name, size_t expected, const int64_t **ints) {
  *ints = NULL;
  return onri_attr_has(node, name) ? read_ints(node, name, expected, ints) : ONR_STATUS_OK;
}

static enum onr_status set_feature(const struct onr_node *node, int64_t feature, struct onr_tree_ensemble_params *p, struct onr_tree_node *to) {
  const int64_t most = (1 << 28) - 1;
  if (feature < 0 || feature > most)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "a node asks for feature %lld: expected 0 to %lld", (long long)feature, (long long)most);
  to->feature = (int32_t)feature;
  if ((uint32_t)feature >= p->num_features) p->num_features = (uint32_t)feature + 1;
  return ONR_STATUS_OK;
}

static enum onr_status set_target(const struct onr_node *node, int64_t target, double weight, uint32_t targets, struct onr_tree_vote *to) {
  if (target < 0 || target >= (int64_t)targets)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "a leaf votes for %lld: expected 0 to %u", (long long)target, targets - 1);
  *to = (struct onr_tree_vote){(uint32_t)target, weight};
  return ONR_STATUS_OK;
}

/* --- versions 1 and 3: nodes and votes say to which tree and which number they belong --- */

struct ids {
  const int64_t *tree, *number; /* of each node */
  int64_t *order;               /* nodes by tree and number */
  size_t count;
};

static int id_less(const void *context, int64_t a, int64_t b) {
  const struct ids *ids = context;
  return ids->tree[a] != ids->tree[b] ? ids->tree[a] < ids->tree[b] : ids->number[a] < ids->number[b];
}

static enum onr_status sort_ids(const struct onr_node *node, struct ids *ids) {
  struct onri_arena *scratch = &node->importer->scratch;
  int64_t *other = onri_arena_allocate(scratch, ids->count * sizeof *other);
  ids->order = onri_arena_allocate(scratch, ids->count * sizeof *ids->order);
  if (!other || !ids->order) return no_memory(node);
  for (size_t i = 0; i < ids->count; i++) ids->order[i] = (int64_t)i;
  onri_sort(ids->order, other, ids->count, id_less, ids);
  for (size_t i = 1; i < ids->count; i++)
    if (!id_less(ids, ids->order[i - 1], ids->order[i]))
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "tree %lld has two nodes %lld", (long long)ids->tree[ids->order[i]],
                      (long long)ids->number[ids->order[i]]);
  return ONR_STATUS_OK;
}

static enum onr_status find_node(const struct onr_node *node, const struct ids *ids, int64_t tree, int64_t number, uint32_t *found) {
  size_t low = 0, high = ids->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int64_t i = ids->order[middle];
    if (ids->tree[i] < tree || (ids->tree[i] == tree && ids->number[i] < number)) low = middle + 1;
    else high = middle;
  }
  if (low == ids->count || ids->tree[ids->order[low]] != tree || ids->number[ids->order[low]] != number)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "tree %lld has no node %lld", (long long)tree, (long long)number);
  *found = (uint32_t)ids->order[low];
  return ONR_STATUS_OK;
}

/* The first node of each tree in the file is its root. */
static enum onr_status find_roots(const struct onr_node *node, const struct ids *ids, struct onr_tree_ensemble_params *p) {
  uint32_t *roots = keep(node, ids->count, sizeof *roots);
  if (!roots) return no_memory(node);
  for (size_t i = 0; i < ids->count; i++) {
    const uint32_t at = (uint32_t)ids->order[i];
    if (i == 0 || ids->tree[ids->order[i - 1]] != ids->tree[at]) roots[p->num_roots++] = at;
    else if (at < roots[p->num_roots - 1]) roots[p->num_roots - 1] = at;
  }
  p->roots = roots;
  return ONR_STATUS_OK;
}

static enum onr_status read_mode(const struct onr_node *node, const struct onr_string *text, enum onr_tree_mode *mode) {
  static const char *const names[] = {[ONR_TREE_LEQ] = "BRANCH_LEQ", [ONR_TREE_LT] = "BRANCH_LT",   [ONR_TREE_GTE] = "BRANCH_GTE",
                                      [ONR_TREE_GT] = "BRANCH_GT",   [ONR_TREE_EQ] = "BRANCH_EQ",   [ONR_TREE_NEQ] = "BRANCH_NEQ",
                                      [ONR_TREE_MEMBER] = "",        [ONR_TREE_LEAF] = "LEAF"};
  for (int m = 0; m <= ONR_TREE_LEAF; m++)
    if (m != ONR_TREE_MEMBER && text->length == strlen(names[m]) && !memcmp(text->text, names[m], text->length)) {
      *mode = (enum onr_tree_mode)m;
      return ONR_STATUS_OK;
    }
  return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "a node of a tree has an unknown mode of %zu letters", text->length);
}

static enum onr_status read_named_nodes(const struct onr_node *node, struct ids *ids, struct onr_tree_ensemble_params *p) {
  const int64_t *features, *yes, *no, *nan_yes;
  const struct onr_string *modes;
  struct onri_reals values;
  size_t count;
  ids->tree = onri_attr_ints(node, "nodes_treeids", &ids->count);
  if (ids->count == 0 || ids->count > INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'nodes_treeids' has %zu values: expected 1 to %d", ids->count, INT32_MAX);
  ONR_TRY(read_ints(node, "nodes_nodeids", ids->count, &ids->number));
  ONR_TRY(read_ints(node, "nodes_featureids", ids->count, &features));
  ONR_TRY(read_ints(node, "nodes_truenodeids", ids->count, &yes));
  ONR_TRY(read_ints(node, "nodes_falsenodeids", ids->count, &no));
  ONR_TRY(read_optional(node, "nodes_missing_value_tracks_true", ids->count, &nan_yes));
  modes = onri_attr_strings(node, "nodes_modes", &count);
  ONR_TRY(onri_expect_count(node, "nodes_modes", count, ids->count));
  ONR_TRY(onri_attr_reals(node, "nodes_values", &values));
  ONR_TRY(onri_expect_count(node, "nodes_values", values.count, ids->count));
  ONR_TRY(sort_ids(node, ids));
  struct onr_tree_node *nodes = keep(node, ids->count, sizeof *nodes);
  if (!nodes) return no_memory(node);
  for (size_t i = 0; i < ids->count; i++) {
    ONR_TRY(read_mode(node, &modes[i], &nodes[i].mode));
    if (nodes[i].mode == ONR_TREE_LEAF) continue;
    nodes[i].value = onri_real_at(&values, i);
    nodes[i].nan_yes = nan_yes != NULL && nan_yes[i] != 0;
    ONR_TRY(set_feature(node, features[i], p, &nodes[i]));
    ONR_TRY(find_node(node, ids, ids->tree[i], yes[i], &nodes[i].yes));
    ONR_TRY(find_node(node, ids, ids->tree[i], no[i], &nodes[i].no));
  }
  p->nodes = nodes;
  p->num_nodes = (uint32_t)ids->count;
  return find_roots(node, ids, p);
}

/* Attributes of the votes: class_* of the classifier, target_* of the regressor. */
struct vote_names {
  const char *trees, *numbers, *targets, *weights;
};
static const struct vote_names of_classes = {"class_treeids", "class_nodeids", "class_ids", "class_weights"};
static const struct vote_names of_targets = {"target_treeids", "target_nodeids", "target_ids", "target_weights"};

struct votes {
  const int64_t *target;
  struct onri_reals weights;
  uint32_t *leaf; /* whose it is */
};

static int vote_less(const void *context, int64_t a, int64_t b) {
  const struct votes *votes = context;
  return votes->leaf[a] < votes->leaf[b];
}

static enum onr_status read_votes(const struct onr_node *node, const struct vote_names *names, const struct ids *ids, struct votes *votes) {
  const int64_t *trees, *numbers;
  size_t count;
  votes->target = onri_attr_ints(node, names->targets, &count);
  if (count > INT32_MAX) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' has %zu values", names->targets, count);
  ONR_TRY(read_ints(node, names->trees, count, &trees));
  ONR_TRY(read_ints(node, names->numbers, count, &numbers));
  ONR_TRY(onri_attr_reals(node, names->weights, &votes->weights));
  ONR_TRY(onri_expect_count(node, names->weights, votes->weights.count, count));
  votes->leaf = onri_arena_allocate(&node->importer->scratch, count * sizeof *votes->leaf);
  if (!votes->leaf) return no_memory(node);
  for (size_t i = 0; i < count; i++) ONR_TRY(find_node(node, ids, trees[i], numbers[i], &votes->leaf[i]));
  return ONR_STATUS_OK;
}

/* Puts the votes of a leaf side by side. What is no leaf keeps its branches: nobody reads its votes. */
static enum onr_status group_votes(const struct onr_node *node, const struct votes *votes, struct onr_tree_ensemble_params *p) {
  const size_t count = votes->weights.count;
  struct onr_tree_node *nodes = (struct onr_tree_node *)(uintptr_t)p->nodes;
  struct onr_tree_vote *grouped = keep(node, count, sizeof *grouped);
  int64_t *order = onri_arena_allocate(&node->importer->scratch, count * sizeof *order);
  int64_t *other = onri_arena_allocate(&node->importer->scratch, count * sizeof *other);
  if (!grouped || !order || !other) return no_memory(node);
  for (size_t i = 0; i < count; i++) order[i] = (int64_t)i;
  onri_sort(order, other, count, vote_less, votes);
  for (size_t i = 0; i < count; i++) {
    const size_t vote = (size_t)order[i];
    struct onr_tree_node *leaf = &nodes[votes->leaf[vote]];
    ONR_TRY(set_target(node, votes->target[vote], onri_real_at(&votes->weights, vote), p->targets, &grouped[i]));
    if (leaf->mode != ONR_TREE_LEAF) continue;
    if (leaf->no == 0) leaf->yes = (uint32_t)i;
    leaf->no = (uint32_t)i + 1;
  }
  p->votes = grouped;
  p->num_votes = (uint32_t)count;
  return ONR_STATUS_OK;
}

static enum onr_status read_base(const struct onr_node *node, size_t classes, struct onr_tree_ensemble_params *p) {
  struct onri_reals reals;
  ONR_TRY(onri_attr_reals(node, "base_values", &reals));
  if (reals.count == 0) return ONR_STATUS_OK;
  if (reals.count != 1) ONR_TRY(onri_expect_count(node, "base_values", reals.count, classes));
  double *base = keep(node, reals.count, sizeof *base);
  if (!base) return no_memory(node);
  for (size_t i = 0; i < reals.count; i++) base[i] = onri_real_at(&reals, i);
  p->base = base;
  p->num_base = p->targets == 1 ? 1 : (uint32_t)reals.count;
  return ONR_STATUS_OK;
}

enum onr_status onri_import_tree_regressor(const struct onr_node *node) {
  static const char *const aggregates[] = {[ONR_TREE_AVERAGE] = "AVERAGE", [ONR_TREE_SUM] = "SUM", [ONR_TREE_MIN] = "MIN",
                                           [ONR_TREE_MAX] = "MAX", NULL};
  struct onr_tree_ensemble_params p = {.aggregate = (enum onr_tree_aggregate)onri_attr_choice(node, "aggregate_function", aggregates, ONR_TREE_SUM),
                                       .targets = (uint32_t)onri_attr_int32(node, "n_targets", 1, 1, INT32_MAX)};
  const enum onr_score_transform transform = onri_attr_transform(node);
  const int32_t x = onri_in(node, 0), sums = transform == ONR_SCORE_NONE ? onri_out(node, 0) : onri_temp(node);
  struct ids ids = {0};
  struct votes votes = {0};
  ONR_TRY(read_named_nodes(node, &ids, &p));
  ONR_TRY(read_votes(node, &of_targets, &ids, &votes));
  ONR_TRY(group_votes(node, &votes, &p));
  ONR_TRY(read_base(node, p.targets, &p));
  ONR_TRY(onri_emit_with(node, &onri_layer_tree_ensemble, &p, &x, 1, &sums, 1));
  return transform == ONR_SCORE_NONE ? ONR_STATUS_OK : onri_emit_transform(node, transform, sums);
}

/* Two classes and votes for the first alone: its score decides, and the second score is made from it. onnx.reference and ONNX
 * Runtime differ here: the label and the scores are those of ONNX Runtime, but PROBIT's those of onnx.reference. */
static struct onr_class_scores_params one_score(enum onr_score_transform transform, const struct votes *votes) {
  int positive = 1;
  for (size_t i = 0; i < votes->weights.count; i++) positive &= onri_real_at(&votes->weights, i) >= 0;
  struct onr_class_scores_params params = {.second = positive ? ONR_SECOND_COMPLEMENT : ONR_SECOND_OPPOSITE, .threshold = positive ? 0.5f : 0.0f};
  if (transform == ONR_SCORE_LOGISTIC) params.second = ONR_SECOND_OPPOSITE;
  if (transform == ONR_SCORE_PROBIT) params.second = ONR_SECOND_COMPLEMENT;
  if (transform == ONR_SCORE_LOGISTIC || transform == ONR_SCORE_PROBIT) params.transform = transform;
  return params;
}

static int votes_for_first(const struct votes *votes) {
  for (size_t i = 0; i < votes->weights.count; i++)
    if (votes->target[i] != 0) return 0;
  return 1;
}

enum onr_status onri_import_tree_classifier(const struct onr_node *node) {
  struct onr_tree_ensemble_params p = {.aggregate = ONR_TREE_SUM};
  struct onr_class_scores_params scores = {.transform = onri_attr_transform(node)};
  const int32_t x = onri_in(node, 0), sums = onri_temp(node), classes = onri_temp(node);
  struct onri_labels labels;
  struct ids ids = {0};
  struct votes votes = {0};
  ONR_TRY(onri_attr_labels(node, "classlabels_int64s", "classlabels_strings", &labels));
  ONR_TRY(read_named_nodes(node, &ids, &p));
  ONR_TRY(read_votes(node, &of_classes, &ids, &votes));
  p.targets = (uint32_t)labels.count;
  if (labels.count == 2 && votes_for_first(&votes)) {
    p.targets = 1;
    scores = one_score(scores.transform, &votes);
  }
  ONR_TRY(group_votes(node, &votes, &p));
  ONR_TRY(read_base(node, labels.count, &p));
  ONR_TRY(onri_emit_with(node, &onri_layer_tree_ensemble, &p, &x, 1, &sums, 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_class_scores, &scores, &sums, 1, (const int32_t[]){classes, onri_out(node, 1)}, 2));
  return onri_emit_labels(node, &labels, classes, p.targets);
}

/* --- version 5: inner nodes and leaves, by position --- */

struct branches {
  const int64_t *node[2], *is_leaf[2]; /* true, false */
  const int64_t *leaf_targets;
  struct onri_reals leaf_weights;
};

/* A leaf gets a node for each branch that leads to it. */
static enum onr_status set_branch(const struct onr_node *node, const struct branches *from, size_t i, int side, size_t inner,
                                  struct onr_tree_ensemble_params *p, uint32_t *to) {
  const int64_t at = from->node[side][i];
  const size_t count = from->is_leaf[side][i] ? from->leaf_weights.count : inner;
  if (at < 0 || (uint64_t)at >= count)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "node %zu leads to %s %lld: expected 0 to %lld", i,
                    from->is_leaf[side][i] ? "leaf" : "node", (long long)at, (long long)count - 1);
  *to = (uint32_t)at;
  if (!from->is_leaf[side][i]) return ONR_STATUS_OK;
  *to = p->num_nodes++;
  ((struct onr_tree_node *)(uintptr_t)p->nodes)[*to] = (struct onr_tree_node){.mode = ONR_TREE_LEAF, .yes = (uint32_t)at, .no = (uint32_t)at + 1};
  return ONR_STATUS_OK;
}

static enum onr_status read_leaves(const struct onr_node *node, struct branches *from, struct onr_tree_ensemble_params *p) {
  ONR_TRY(onri_attr_tensor(node, "leaf_weights", ONRI_DTYPES_FLOAT, &from->leaf_weights));
  const size_t count = from->leaf_weights.count;
  if (count == 0 || count > INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'leaf_weights' has %zu values: expected 1 to %d", count, INT32_MAX);
  ONR_TRY(read_ints(node, "leaf_targetids", count, &from->leaf_targets));
  struct onr_tree_vote *votes = keep(node, count, sizeof *votes);
  if (!votes) return no_memory(node);
  for (size_t i = 0; i < count; i++)
    ONR_TRY(set_target(node, from->leaf_targets[i], onri_real_at(&from->leaf_weights, i), p->targets, &votes[i]));
  p->votes = votes;
  p->num_votes = (uint32_t)count;
  return ONR_STATUS_OK;
}

/* The members of all sets; each set ends with a NaN in the file. */
static enum onr_status read_members(const struct onr_node *node, struct onr_tree_ensemble_params *p, size_t inner) {
  struct onri_reals reals;
  struct onr_tree_node *nodes = (struct onr_tree_node *)(uintptr_t)p->nodes;
  size_t at = 0;
  ONR_TRY(onri_attr_tensor(node, "membership_values", ONRI_DTYPES_FLOAT, &reals));
  double *members = keep(node, reals.count, sizeof *members);
  if (!members || reals.count > INT32_MAX) return no_memory(node);
  for (size_t i = 0; i < inner; i++) {
    if (nodes[i].mode != ONR_TREE_MEMBER) continue;
    nodes[i].members = p->num_members;
    for (;; at++) {
      if (at == reals.count) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'membership_values' lacks the set of node %zu", i);
      const double member = onri_real_at(&reals, at);
      if (member != member) break;
      members[p->num_members++] = member;
    }
    at++;
    nodes[i].num_members = p->num_members - nodes[i].members;
  }
  p->members = members;
  return at == reals.count ? ONR_STATUS_OK
                           : onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'membership_values' has more sets than nodes ask for");
}

static enum onr_status read_positioned_nodes(const struct onr_node *node, struct branches *from, struct onr_tree_ensemble_params *p, size_t *inner) {
  const int64_t *features, *nan_yes;
  struct onri_reals modes, values;
  size_t leaves = 0;
  features = onri_attr_ints(node, "nodes_featureids", inner);
  if (*inner == 0 || *inner > INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'nodes_featureids' has %zu values: expected 1 to %d", *inner, INT32_MAX);
  ONR_TRY(read_ints(node, "nodes_truenodeids", *inner, &from->node[0]));
  ONR_TRY(read_ints(node, "nodes_falsenodeids", *inner, &from->node[1]));
  ONR_TRY(read_ints(node, "nodes_trueleafs", *inner, &from->is_leaf[0]));
  ONR_TRY(read_ints(node, "nodes_falseleafs", *inner, &from->is_leaf[1]));
  ONR_TRY(read_optional(node, "nodes_missing_value_tracks_true", *inner, &nan_yes));
  ONR_TRY(onri_attr_tensor(node, "nodes_modes", ONRI_DTYPE_BIT(ONR_DTYPE_U8), &modes));
  ONR_TRY(onri_expect_count(node, "nodes_modes", modes.count, *inner));
  ONR_TRY(onri_attr_tensor(node, "nodes_splits", ONRI_DTYPES_FLOAT, &values));
  ONR_TRY(onri_expect_count(node, "nodes_splits", values.count, *inner));
  for (size_t i = 0; i < *inner; i++) leaves += (from->is_leaf[0][i] != 0) + (from->is_leaf[1][i] != 0);
  if (*inner + leaves > UINT32_MAX) return onr_fail(node->error, ONR_STATUS_LIMIT, "the trees have %zu nodes and leaves", *inner + leaves);
  struct onr_tree_node *nodes = keep(node, *inner + leaves, sizeof *nodes);
  if (!nodes) return no_memory(node);
  p->nodes = nodes;
  p->num_nodes = (uint32_t)*inner;
  for (size_t i = 0; i < *inner; i++) {
    const uint8_t mode = ((const uint8_t *)modes.data)[i];
    if (mode > ONR_TREE_MEMBER)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "node %zu has mode %d: expected 0 to %d", i, mode, ONR_TREE_MEMBER);
    nodes[i] = (struct onr_tree_node){.mode = (enum onr_tree_mode)mode, .value = onri_real_at(&values, i), .nan_yes = nan_yes && nan_yes[i]};
    ONR_TRY(set_feature(node, features[i], p, &nodes[i]));
    ONR_TRY(set_branch(node, from, i, 0, *inner, p, &nodes[i].yes));
    ONR_TRY(set_branch(node, from, i, 1, *inner, p, &nodes[i].no));
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_roots(const struct onr_node *node, size_t inner, struct onr_tree_ensemble_params *p) {
  size_t count;
  const int64_t *ids = onri_attr_ints(node, "tree_roots", &count);
  if (count == 0 || count > inner)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'tree_roots' has %zu values: expected 1 to %zu", count, inner);
  uint32_t *roots = keep(node, count, sizeof *roots);
  if (!roots) return no_memory(node);
  for (size_t i = 0; i < count; i++) {
    if (ids[i] < 0 || (uint64_t)ids[i] >= inner)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "a tree has the root %lld: expected 0 to %zu", (long long)ids[i], inner - 1);
    roots[i] = (uint32_t)ids[i];
  }
  p->roots = roots;
  p->num_roots = (uint32_t)count;
  return ONR_STATUS_OK;
}

enum onr_status onri_import_tree_ensemble(const struct onr_node *node) {
  struct onr_tree_ensemble_params p = {.aggregate = (enum onr_tree_aggregate)onri_attr_int32(node, "aggregate_function", ONR_TREE_SUM, 0, ONR_TREE_MAX),
                                       .targets = (uint32_t)onri_attr_int32(node, "n_targets", 1, 1, INT32_MAX), .keeps_type = 1};
  const int32_t transform = onri_attr_int32(node, "post_transform", ONR_SCORE_NONE, 0, ONR_SCORE_PROBIT);
  const int32_t x = onri_in(node, 0), sums = transform == ONR_SCORE_NONE ? onri_out(node, 0) : onri_temp(node);
  struct branches from = {0};
  size_t inner;
  ONR_TRY(read_leaves(node, &from, &p));
  ONR_TRY(read_positioned_nodes(node, &from, &p, &inner));
  ONR_TRY(read_members(node, &p, inner));
  ONR_TRY(read_roots(node, inner, &p));
  ONR_TRY(onri_emit_with(node, &onri_layer_tree_ensemble, &p, &x, 1, &sums, 1));
  return transform == ONR_SCORE_NONE ? ONR_STATUS_OK : onri_emit_transform(node, (enum onr_score_transform)transform, sums);
}
