/* tree.c: TreeEnsembleRegressor-1..3 and TreeEnsembleClassifier-1..3. Nodes that the file names by tree and
 * number get positions here; whether they are trees is checked where they are packed (src/layers/tree_pack.c). */
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "onnx/node/importer.h"
#include "onnx/ops/ml/ml.h"
#include "onnx/ops/ml/tree.h"

struct id {
  int64_t tree, number;
  uint32_t node;
};

struct ids {
  struct id *sorted; /* by tree and number */
  size_t count;
};

static int by_id(const void *a, const void *b) {
  const struct id *x = a, *y = b;
  return x->tree != y->tree ? (x->tree > y->tree) - (x->tree < y->tree)
                            : (x->number > y->number) - (x->number < y->number);
}

static enum onr_status sort_ids(const struct onr_node *node, const int64_t *trees, const int64_t *numbers,
                                struct ids *ids) {
  ids->sorted = onri_arena_allocate(&node->importer->scratch, ids->count * sizeof(*ids->sorted));
  if (!ids->sorted) return onri_tree_no_memory(node);
  for (size_t i = 0; i < ids->count; i++) ids->sorted[i] = (struct id){trees[i], numbers[i], (uint32_t)i};
  qsort(ids->sorted, ids->count, sizeof(*ids->sorted), by_id);
  for (size_t i = 1; i < ids->count; i++)
    if (by_id(&ids->sorted[i - 1], &ids->sorted[i]) == 0)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "tree %lld has two nodes %lld", (long long)ids->sorted[i].tree,
                      (long long)ids->sorted[i].number);
  return ONR_STATUS_OK;
}

static enum onr_status find_node(const struct onr_node *node, const struct ids *ids, int64_t tree, int64_t number,
                                 uint32_t *found) {
  const struct id wanted = {.tree = tree, .number = number};
  const struct id *id = bsearch(&wanted, ids->sorted, ids->count, sizeof(*id), by_id);
  if (!id)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "tree %lld has no node %lld", (long long)tree,
                    (long long)number);
  *found = id->node;
  return ONR_STATUS_OK;
}

/* The first node of each tree in the file is its root. */
static enum onr_status find_roots(const struct onr_node *node, const struct ids *ids,
                                  struct onr_tree_ensemble_params *p) {
  uint32_t *roots = onri_tree_keep(node, ids->count, sizeof(*roots));
  if (!roots) return onri_tree_no_memory(node);
  for (size_t i = 0; i < ids->count; i++) {
    const struct id *id = &ids->sorted[i];
    if (i == 0 || id[-1].tree != id->tree) roots[p->num_roots++] = id->node;
    else if (id->node < roots[p->num_roots - 1]) roots[p->num_roots - 1] = id->node;
  }
  p->roots = roots;
  return ONR_STATUS_OK;
}

static enum onr_status read_mode(const struct onr_node *node, const struct onr_string *text, enum onr_tree_mode *mode) {
  static const char *const names[] = {
      [ONR_TREE_LEQ] = "BRANCH_LEQ", [ONR_TREE_LT] = "BRANCH_LT", [ONR_TREE_GTE] = "BRANCH_GTE",
      [ONR_TREE_GT] = "BRANCH_GT",   [ONR_TREE_EQ] = "BRANCH_EQ", [ONR_TREE_NEQ] = "BRANCH_NEQ",
      [ONR_TREE_MEMBER] = "",        [ONR_TREE_LEAF] = "LEAF"};
  for (int m = 0; m <= ONR_TREE_LEAF; m++)
    if (m != ONR_TREE_MEMBER && text->length == strlen(names[m]) && !memcmp(text->text, names[m], text->length)) {
      *mode = (enum onr_tree_mode)m;
      return ONR_STATUS_OK;
    }
  return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "a node of a tree has an unknown mode of %zu letters",
                  text->length);
}

static enum onr_status read_named_nodes(const struct onr_node *node, struct ids *ids,
                                        struct onr_tree_ensemble_params *p) {
  const int64_t *trees, *numbers, *features, *yes, *no, *nan_yes;
  const struct onr_string *modes;
  struct onri_widened values;
  size_t count;
  trees = onri_attr_ints(node, "nodes_treeids", &ids->count);
  if (ids->count == 0 || ids->count > INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'nodes_treeids' has %zu values: expected 1 to %d",
                    ids->count, INT32_MAX);
  ONR_TRY(onri_tree_ints(node, "nodes_nodeids", ids->count, &numbers));
  ONR_TRY(onri_tree_ints(node, "nodes_featureids", ids->count, &features));
  ONR_TRY(onri_tree_ints(node, "nodes_truenodeids", ids->count, &yes));
  ONR_TRY(onri_tree_ints(node, "nodes_falsenodeids", ids->count, &no));
  ONR_TRY(onri_tree_ints_if(node, "nodes_missing_value_tracks_true", ids->count, &nan_yes));
  modes = onri_attr_strings(node, "nodes_modes", &count);
  ONR_TRY(onri_expect_count(node, "nodes_modes", count, ids->count));
  ONR_TRY(onri_attr_reals(node, "nodes_values", &values));
  ONR_TRY(onri_expect_count(node, "nodes_values", values.count, ids->count));
  ONR_TRY(sort_ids(node, trees, numbers, ids));
  struct onr_tree_node *nodes = onri_tree_keep(node, ids->count, sizeof(*nodes));
  if (!nodes) return onri_tree_no_memory(node);
  for (size_t i = 0; i < ids->count; i++) {
    ONR_TRY(read_mode(node, &modes[i], &nodes[i].mode));
    if (nodes[i].mode == ONR_TREE_LEAF) continue;
    nodes[i].value = onri_widened_at(&values, i);
    nodes[i].nan_yes = nan_yes && nan_yes[i] != 0;
    ONR_TRY(onri_tree_feature_set(node, features[i], p, &nodes[i]));
    ONR_TRY(find_node(node, ids, trees[i], yes[i], &nodes[i].yes));
    ONR_TRY(find_node(node, ids, trees[i], no[i], &nodes[i].no));
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

struct vote {
  uint32_t leaf, position;
};

struct votes {
  const int64_t *target;
  struct onri_widened weights;
  struct vote *of_leaves;
};

static int by_leaf(const void *a, const void *b) {
  const struct vote *x = a, *y = b;
  return x->leaf != y->leaf ? (x->leaf > y->leaf) - (x->leaf < y->leaf)
                            : (x->position > y->position) - (x->position < y->position);
}

static enum onr_status read_votes(const struct onr_node *node, const struct vote_names *names, const struct ids *ids,
                                  struct votes *votes) {
  const int64_t *trees, *numbers;
  size_t count;
  votes->target = onri_attr_ints(node, names->targets, &count);
  if (count > INT32_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' has %zu values", names->targets, count);
  ONR_TRY(onri_tree_ints(node, names->trees, count, &trees));
  ONR_TRY(onri_tree_ints(node, names->numbers, count, &numbers));
  ONR_TRY(onri_attr_reals(node, names->weights, &votes->weights));
  ONR_TRY(onri_expect_count(node, names->weights, votes->weights.count, count));
  votes->of_leaves = onri_arena_allocate(&node->importer->scratch, count * sizeof(*votes->of_leaves));
  if (!votes->of_leaves) return onri_tree_no_memory(node);
  for (size_t i = 0; i < count; i++) {
    votes->of_leaves[i].position = (uint32_t)i;
    ONR_TRY(find_node(node, ids, trees[i], numbers[i], &votes->of_leaves[i].leaf));
  }
  return ONR_STATUS_OK;
}

/* Puts the votes of a leaf side by side. What is no leaf keeps its branches: nobody reads its votes. */
static enum onr_status group_votes(const struct onr_node *node, const struct votes *votes,
                                   struct onr_tree_ensemble_params *p) {
  const size_t count = votes->weights.count;
  struct onr_tree_node *nodes = (struct onr_tree_node *)(uintptr_t)p->nodes;
  struct onr_tree_vote *grouped = onri_tree_keep(node, count, sizeof(*grouped));
  if (!grouped) return onri_tree_no_memory(node);
  qsort(votes->of_leaves, count, sizeof(*votes->of_leaves), by_leaf);
  for (size_t i = 0; i < count; i++) {
    const size_t vote = votes->of_leaves[i].position;
    struct onr_tree_node *leaf = &nodes[votes->of_leaves[i].leaf];
    ONR_TRY(
        onri_tree_vote_set(node, votes->target[vote], onri_widened_at(&votes->weights, vote), p->targets, &grouped[i]));
    if (leaf->mode != ONR_TREE_LEAF) continue;
    if (leaf->no == 0) leaf->yes = (uint32_t)i;
    leaf->no = (uint32_t)i + 1;
  }
  p->votes = grouped;
  p->num_votes = (uint32_t)count;
  return ONR_STATUS_OK;
}

static enum onr_status read_base(const struct onr_node *node, size_t classes, struct onr_tree_ensemble_params *p) {
  struct onri_widened reals;
  ONR_TRY(onri_attr_reals(node, "base_values", &reals));
  if (reals.count == 0) return ONR_STATUS_OK;
  if (reals.count != 1) ONR_TRY(onri_expect_count(node, "base_values", reals.count, classes));
  double *base = onri_tree_keep(node, reals.count, sizeof(*base));
  if (!base) return onri_tree_no_memory(node);
  for (size_t i = 0; i < reals.count; i++) base[i] = onri_widened_at(&reals, i);
  p->base = base;
  p->num_base = p->targets == 1 ? 1 : (uint32_t)reals.count;
  return ONR_STATUS_OK;
}

static enum onr_status import_tree_regressor(const struct onr_node *node) {
  static const char *const aggregates[] = {
      [ONR_TREE_AVERAGE] = "AVERAGE", [ONR_TREE_SUM] = "SUM", [ONR_TREE_MIN] = "MIN", [ONR_TREE_MAX] = "MAX", NULL};
  struct onr_tree_ensemble_params p = {
      .aggregate = (enum onr_tree_aggregate)onri_attr_choice(node, "aggregate_function", aggregates, ONR_TREE_SUM),
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

/* Two classes and votes for the first alone: its score decides, and the second score is made from it. onnx.reference
 * and ONNX Runtime differ here: the label and the scores are those of ONNX Runtime, but PROBIT's those of
 * onnx.reference. */
static struct onr_class_scores_params one_score(enum onr_score_transform transform, const struct votes *votes) {
  int positive = 1;
  for (size_t i = 0; i < votes->weights.count; i++) positive &= onri_widened_at(&votes->weights, i) >= 0;
  struct onr_class_scores_params params = {.second = positive ? ONR_SECOND_COMPLEMENT : ONR_SECOND_OPPOSITE,
                                           .threshold = positive ? 0.5f : 0.0f};
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

static enum onr_status import_tree_classifier(const struct onr_node *node) {
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
  ONR_TRY(onri_emit_with(node, &onri_layer_class_scores, &scores, &sums, 1,
                         (const int32_t[]){classes, onri_out(node, 1)}, 2));
  return onri_emit_labels(node, &labels, classes, p.targets);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx_ml, TreeEnsembleClassifier, 1, 1, 1, 2, 2, import_tree_classifier)
    ONRI_OP(ai_onnx_ml, TreeEnsembleRegressor, 1, 1, 1, 1, 1, import_tree_regressor)
};
/* clang-format on */
const struct onri_op_table onri_ops_ml_tree = ONRI_OP_TABLE(operators);
