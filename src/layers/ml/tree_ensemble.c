/* tree_ensemble.c: sums what decision trees say about rows. prepare (tree_pack.c) has made one flat array of all trees,
 * in which the branches of a node lie side by side; a block of rows goes through one tree after the other. */
#include <float.h>

#include "base/numbers/convert.h"
#include "base/shape.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"
#include "layers/ml/tree_pack.h"

enum { ROWS = 64, TOGETHER = 8 };

static enum onr_status tree_check(const struct onr_call *call) {
  const struct onr_tree_ensemble_params *p = call->params;
  if (p->targets < 1 || (p->num_base > 1 && p->num_base != p->targets))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "%u base values for %u targets: expected one, or one for each",
                    p->num_base, p->targets);
  return ONR_STATUS_OK;
}

static enum onr_status tree_infer(struct onr_call *call) {
  const struct onr_tree_ensemble_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, 1, 2));
  if (x->dim[x->rank - 1] < (int64_t)p->num_features)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected rows of at least %u features, found %lld", p->num_features,
                    (long long)x->dim[x->rank - 1]);
  call->out[0] =
      onr_desc_make(p->keeps_type ? x->dtype : ONR_DTYPE_F32, 2, (int64_t[]){x->rank == 2 ? x->dim[0] : 1, p->targets});
  return ONR_STATUS_OK;
}

struct tree_state {
  size_t sums, x;
};

static enum onr_status tree_plan(struct onr_call *call) {
  const struct onr_desc *x = &call->in[0];
  struct tree_state *s = call->state;
  const size_t elements = (size_t)onr_desc_elements(&call->out[0]), inputs = (size_t)onr_desc_elements(x);
  if (elements > SIZE_MAX / sizeof(double) || inputs > SIZE_MAX / sizeof(double))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of the trees exceeds the address space");
  ONR_TRY(onri_scratch_reserve(call, elements * sizeof(double), &s->sums));
  s->x = ONRI_WIDENED_IN_PLACE;
  return x->dtype == ONR_DTYPE_F32 || x->dtype == ONR_DTYPE_F64
             ? ONR_STATUS_OK
             : onri_scratch_reserve(call, inputs * sizeof(double), &s->x);
}

/* --- one row in one tree --- */

static int is_member(const double *set, size_t count, double x) {
  size_t low = 0, high = count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (set[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low < count && set[low] == x;
}

static inline double feature_of(const void *row, int wide, uint32_t feature) {
  return wide ? ((const double *)row)[feature] : (double)((const float *)row)[feature];
}

/* A few rows at a time in a forest whose questions are all "x <= value?", the usual one: a step of one row does not
 * wait for that of another. Rows that have reached their leaf stay there. */
static inline void leaves_of_leq(const struct onri_tree_node *nodes, uint32_t root, const char *x, size_t stride,
                                 int wide, uint32_t leaves[TOGETHER]) {
  uint32_t moving;
  for (size_t k = 0; k < TOGETHER; k++) leaves[k] = root;
  do {
    moving = 0;
    for (size_t k = 0; k < TOGETHER; k++) {
      const struct onri_tree_node *node = &nodes[leaves[k]];
      const double v = feature_of(x + k * stride, wide, onri_tree_feature(node));
      const uint32_t yes = (uint32_t)(v <= node->value) | ((uint32_t)(v != v) & onri_tree_nan_yes(node));
      const uint32_t inner = onri_tree_kind(node) != ONRI_TREE_LEAF;
      leaves[k] = inner ? node->next + (yes ^ 1) : leaves[k];
      moving |= inner;
    }
  } while (moving);
}

static inline const struct onri_tree_node *leaf_of_any(const struct onri_trees *trees, uint32_t root, const void *row,
                                                       int wide) {
  const struct onri_tree_node *node = &trees->nodes[root];
  for (;;) {
    const enum onri_tree_kind kind = onri_tree_kind(node);
    if (kind == ONRI_TREE_LEAF) return node;
    const double x = feature_of(row, wide, onri_tree_feature(node));
    int yes = 0;
    if (x != x) yes = (int)onri_tree_nan_yes(node);
    else if (kind == ONRI_TREE_LEQ) yes = x <= node->value;
    else if (kind == ONRI_TREE_LT) yes = x < node->value;
    else if (kind == ONRI_TREE_EQ) yes = x == node->value;
    else yes = is_member(trees->members + node->part.first, node->part.count, x);
    node = &trees->nodes[node->next + (uint32_t)!yes];
  }
}

/* --- rows --- */

struct tree_job {
  const struct onr_tree_ensemble_params *p;
  const struct onri_trees *trees;
  const struct onr_call *call;
  size_t features, element; /* of a row; bytes of an element as the walk reads it */
  const char *x;
  char *converted; /* NULL: x is float32 or float64 */
  double *sums;
};

static void add(enum onr_tree_aggregate aggregate, double weight, double *sum) {
  if (aggregate == ONR_TREE_MIN) *sum = weight < *sum ? weight : *sum;
  else if (aggregate == ONR_TREE_MAX) *sum = weight > *sum ? weight : *sum;
  else *sum += weight;
}

static void add_leaf(const struct tree_job *job, const struct onri_tree_node *leaf, size_t row) {
  const struct onr_tree_ensemble_params *p = job->p;
  double *sums = job->sums + row * p->targets;
  if (p->targets == 1) {
    add(p->aggregate, leaf->value, sums);
    return;
  }
  for (uint32_t v = 0; v < leaf->part.count; v++) {
    const struct onr_tree_vote *vote = &p->votes[leaf->part.first + v];
    add(p->aggregate, vote->weight, sums + vote->target);
  }
}

static inline void add_tree(const struct tree_job *job, uint32_t root, size_t begin, size_t end, int wide) {
  const size_t stride = job->features * job->element;
  const char *x = job->converted ? job->converted : job->x;
  size_t row = begin;
  for (; job->trees->all_leq && job->features > 0 && row + TOGETHER <= end; row += TOGETHER) {
    uint32_t leaves[TOGETHER];
    leaves_of_leq(job->trees->nodes, root, x + row * stride, stride, wide, leaves);
    for (size_t k = 0; k < TOGETHER; k++) add_leaf(job, &job->trees->nodes[leaves[k]], row + k);
  }
  for (; row < end; row++) add_leaf(job, leaf_of_any(job->trees, root, x + row * stride, wide), row);
}

static double first_sum(const struct tree_job *job) {
  const enum onr_dtype dtype = job->call->out[0].dtype;
  const double largest = dtype == ONR_DTYPE_F64 ? DBL_MAX : dtype == ONR_DTYPE_F16 ? 65504 : (double)FLT_MAX;
  return job->p->aggregate == ONR_TREE_MIN ? largest : job->p->aggregate == ONR_TREE_MAX ? -largest : 0;
}

static void finish_rows(const struct tree_job *job, size_t begin, size_t end) {
  const struct onr_tree_ensemble_params *p = job->p;
  const enum onr_dtype dtype = job->call->out[0].dtype;
  const double scale = p->aggregate == ONR_TREE_AVERAGE ? 1 / (double)p->num_roots : 1;
  for (size_t i = begin * p->targets; i < end * p->targets; i++)
    job->sums[i] = job->sums[i] * scale + (p->num_base > 0 ? p->base[i % p->num_base] : 0);
  onri_store_f64(dtype, job->sums + begin * p->targets, (end - begin) * p->targets,
                 (char *)job->call->outputs[0] + begin * p->targets * onr_dtype_size(dtype));
}

static void tree_blocks(void *context, size_t first, size_t last) {
  const struct tree_job *job = context;
  const size_t rows = (size_t)job->call->out[0].dim[0], size = onr_dtype_size(job->call->in[0].dtype);
  const size_t begin = first * ROWS, end = last * ROWS < rows ? last * ROWS : rows;
  for (size_t i = begin * job->p->targets; i < end * job->p->targets; i++) job->sums[i] = first_sum(job);
  if (job->converted)
    onri_load_f64(job->call->in[0].dtype, job->x + begin * job->features * size, (end - begin) * job->features,
                  (double *)(void *)job->converted + begin * job->features);
  for (uint32_t t = 0; t < job->p->num_roots; t++) {
    if (job->element == sizeof(double)) add_tree(job, job->trees->roots[t], begin, end, 1);
    else add_tree(job, job->trees->roots[t], begin, end, 0);
  }
  finish_rows(job, begin, end);
}

static enum onr_status tree_run(struct onr_call *call) {
  const struct tree_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  char *scratch = call->scratch;
  const struct tree_job job = {.p = call->params,
                               .trees = call->prepared,
                               .call = call,
                               .features = (size_t)x->dim[x->rank - 1],
                               .element = x->dtype == ONR_DTYPE_F32 ? sizeof(float) : sizeof(double),
                               .x = call->inputs[0],
                               .converted = s->x == ONRI_WIDENED_IN_PLACE ? NULL : scratch + s->x,
                               .sums = (double *)(void *)(scratch + s->sums)};
  onr_parallel_for(call->env, ((size_t)call->out[0].dim[0] + ROWS - 1) / ROWS, 1, tree_blocks, (void *)(uintptr_t)&job);
  return ONR_STATUS_OK;
}

static uint32_t tree_types(const void *params, size_t i) {
  return i == 0 && ((const struct onr_tree_ensemble_params *)params)->keeps_type ? ONRI_DTYPES_FLOAT : 0;
}

const struct onr_layer onri_layer_tree_ensemble = {
    .name = "tree_ensemble",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER},
    .flags = ONR_LAYER_HEAVY,
    .params_size = sizeof(struct onr_tree_ensemble_params),
    .prepared_size = sizeof(struct onri_trees),
    .state_size = sizeof(struct tree_state),
    .check = tree_check,
    .types_by_params = tree_types,
    .infer = tree_infer,
    .prepare = onri_trees_pack,
    .plan = tree_plan,
    .run = tree_run,
    .release_prepared = onri_trees_release,
};
