/* shapes: fewer changes of shape, and layers that exporters write out as changes of shape. */
#include "passes/match.h"

static int is_reshaping(const struct onri_node *node) {
  return node != NULL && (node->layer == &onri_layer_reshape || node->layer == &onri_layer_flatten ||
                          node->layer == &onri_layer_squeeze || node->layer == &onri_layer_unsqueeze);
}

/* Two changes of shape in a row: the second one alone, when its result is known but for one dimension. */
static enum onr_status merge(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onri_node *first = onri_rewrite_producer(rw, node->in[0]);
  const struct onr_desc *out = onri_rewrite_desc(rw, node->out[0]);
  const struct onr_reshape_params params = {.allow_zero = 1};
  int64_t dims[ONR_MAX_RANK];
  int32_t unknown = 0;
  if (!is_reshaping(first) || out->rank < 1) return ONR_STATUS_OK;
  for (int32_t d = 0; d < out->rank; d++) {
    dims[d] = out->dim[d];
    if (dims[d] == 0) return ONR_STATUS_OK;
    unknown += dims[d] < 0;
  }
  if (unknown > 1) return ONR_STATUS_OK;
  const struct onr_desc list = {.dtype = ONR_DTYPE_I64, .rank = 1, .dim = {out->rank}};
  const int32_t in[2] = {first->in[0], onri_rewrite_data(rw, &list, dims)};
  if (in[1] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, node, &onri_layer_reshape, &params, in, 2);
}

enum onr_status onri_pass_reshapes(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {
      {&onri_layer_reshape, merge}, {&onri_layer_flatten, merge}, {&onri_layer_squeeze, merge}, {&onri_layer_unsqueeze, merge}};
  return onri_rewrite_sweep(rw, rules, sizeof rules / sizeof rules[0]);
}

/* Dims from `first` on of a and from `second` on of b are known to be the same. */
static int same_rest(const struct onr_desc *a, int32_t first, const struct onr_desc *b, int32_t second) {
  int32_t unknown = 0;
  if (a->rank - first != b->rank - second) return 0;
  for (int32_t d = 0; first + d < a->rank; d++) {
    if (a->dim[first + d] != b->dim[second + d]) return 0;
    unknown += a->dim[first + d] == ONR_UNKNOWN_DIM;
  }
  return unknown == 0;
}

/* [N, C, ...] -> [N, groups, C / groups, ...] -> the two swapped -> [N, C, ...]. */
static enum onr_status channel_shuffle(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onri_node *swap = onri_rewrite_match(rw, node->in[0], &onri_layer_transpose);
  const struct onri_node *split = swap != NULL ? onri_rewrite_match(rw, swap->in[0], &onri_layer_reshape) : NULL;
  if (split == NULL) return ONR_STATUS_OK;
  const struct onr_transpose_params *p = swap->params;
  const struct onr_desc *x = onri_rewrite_desc(rw, split->in[0]), *mid = onri_rewrite_desc(rw, split->out[0]),
                        *y = onri_rewrite_desc(rw, node->out[0]);
  if (x->rank < 3 || y->rank != x->rank || mid->rank != x->rank + 1 || p->rank != mid->rank) return ONR_STATUS_OK;
  for (int32_t i = 0; i < p->rank; i++)
    if (p->perm[i] != (i == 1 ? 2 : i == 2 ? 1 : i)) return ONR_STATUS_OK;
  if (x->dim[0] != mid->dim[0] || x->dim[0] != y->dim[0] || mid->dim[1] < 1 || mid->dim[2] < 1 || x->dim[1] != y->dim[1] ||
      x->dim[1] % mid->dim[1] != 0 || x->dim[1] / mid->dim[1] != mid->dim[2] || !same_rest(x, 2, mid, 3) || !same_rest(x, 2, y, 2))
    return ONR_STATUS_OK;
  const struct onr_channel_shuffle_params params = {.groups = mid->dim[1]};
  return onri_rewrite_become(rw, node, &onri_layer_channel_shuffle, &params, &split->in[0], 1);
}

enum onr_status onri_pass_channel_shuffle(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_reshape, channel_shuffle}};
  return onri_rewrite_sweep(rw, rules, 1);
}

/* The mean or the maximum over all of an image: a global pool. Only images, of rank 4 and more: a mean over the last
 * dimension of a sequence has no use for channels-last. */
static enum onr_status global_pool(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_reduce_params *p = node->params;
  const struct onr_global_pool_params params = {0};
  const int32_t rank = onri_rewrite_rank(rw, node->in[0]);
  uint8_t mask[ONR_MAX_RANK];
  if (rank < 4 || rank > 5 || (p->op != ONR_REDUCE_MEAN && p->op != ONR_REDUCE_MAX) || !onri_match_is_float(rw, node->in[0]) ||
      !onri_match_axes(rw, node, rank, mask))
    return ONR_STATUS_OK;
  for (int32_t d = 0; d < rank; d++)
    if (mask[d] != (d >= 2)) return ONR_STATUS_OK;
  const struct onr_layer *pool = p->op == ONR_REDUCE_MEAN ? &onri_layer_global_average_pool : &onri_layer_global_max_pool;
  if (p->keep_dims) return onri_rewrite_become(rw, node, pool, &params, node->in, 1);
  struct onr_desc desc = *onri_rewrite_desc(rw, node->in[0]);
  for (int32_t d = 2; d < rank; d++) desc.dim[d] = 1;
  const size_t index = (size_t)(node - rw->graph->nodes);
  const int32_t in[2] = {onri_rewrite_node(rw, pool, &params, node->origin, node->in, 1, &desc), node->in[1]};
  if (in[0] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_squeeze, NULL, in, 2);
}

enum onr_status onri_pass_global_pool(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_reduce, global_pool}};
  return onri_rewrite_sweep(rw, rules, 1);
}
