/* shapes.c: fewer changes of shape, and layers that exporters write out as changes of shape. */
#include "passes/match.h"

static int is_reshaping(const struct onri_node *node) {
  return node && (node->layer == &onri_layer_reshape || node->layer == &onri_layer_flatten ||
                  node->layer == &onri_layer_flatten_dims || node->layer == &onri_layer_unflatten ||
                  node->layer == &onri_layer_squeeze || node->layer == &onri_layer_unsqueeze);
}

/* Two changes of shape in a row: the second one alone. */
static enum onr_status merge(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onri_node *first = onri_rewrite_producer(rw, node->in[0]);
  onri_expr x[ONR_MAX_RANK], y[ONR_MAX_RANK];
  struct onri_reshaping reshaping;
  if (!is_reshaping(first)) return ONR_STATUS_OK;
  const int32_t from = first->in[0], x_rank = onri_facts_dims(rw->facts, from, x),
                y_rank = onri_facts_dims(rw->facts, node->out[0], y);
  if (y_rank < 1 || !onri_rewrite_reshaping(rw, x, x_rank, y, y_rank, &reshaping)) return ONR_STATUS_OK;
  return onri_rewrite_reshape(rw, node, from, &reshaping);
}

enum onr_status onri_pass_reshapes(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_reshape, merge},      {&onri_layer_flatten, merge},
                                                   {&onri_layer_squeeze, merge},      {&onri_layer_unsqueeze, merge},
                                                   {&onri_layer_flatten_dims, merge}, {&onri_layer_unflatten, merge}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}

/* Dims from `first` on of a and from `second` on of b are the same. */
static int same_rest(const struct onri_rewrite *rw, int32_t a, int32_t first, int32_t b, int32_t second) {
  const int32_t rest = onri_rewrite_rank(rw, a) - first;
  if (rest != onri_rewrite_rank(rw, b) - second) return 0;
  for (int32_t d = 0; d < rest; d++)
    if (!onri_rewrite_same_dim(rw, a, first + d, b, second + d)) return 0;
  return 1;
}

/* [N, C, ...] -> [N, groups, C / groups, ...] -> the two swapped -> [N, C, ...]. */
static enum onr_status channel_shuffle(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onri_node *swap = onri_rewrite_match(rw, node->in[0], &onri_layer_transpose);
  const struct onri_node *split = swap ? onri_rewrite_match(rw, swap->in[0], &onri_layer_reshape) : NULL;
  if (!split) return ONR_STATUS_OK;
  const struct onr_transpose_params *p = swap->params;
  const int32_t x = split->in[0], mid = split->out[0], y = node->out[0], rank = onri_rewrite_rank(rw, x);
  const int64_t channels = onri_rewrite_dim(rw, x, 1), groups = onri_rewrite_dim(rw, mid, 1),
                each = onri_rewrite_dim(rw, mid, 2);
  if (rank < 3 || onri_rewrite_rank(rw, y) != rank || p->rank != rank + 1) return ONR_STATUS_OK;
  for (int32_t i = 0; i < p->rank; i++)
    if (p->perm[i] != (i == 1 ? 2 : i == 2 ? 1 : i)) return ONR_STATUS_OK;
  if (groups < 1 || each < 1 || channels < 1 || channels % groups != 0 || channels / groups != each ||
      onri_rewrite_dim(rw, y, 1) != channels || !onri_rewrite_same_dim(rw, x, 0, mid, 0) ||
      !onri_rewrite_same_dim(rw, x, 0, y, 0) || !same_rest(rw, x, 2, mid, 3) || !same_rest(rw, x, 2, y, 2))
    return ONR_STATUS_OK;
  const struct onr_channel_shuffle_params params = {.groups = groups};
  return onri_rewrite_become(rw, node, &onri_layer_channel_shuffle, &params, &x, 1);
}

static const struct onr_transpose_params swap_last = {.rank = 4, .perm = {0, 1, 3, 2}};

/* [ab, c, d] -> [ab, d, c] -> [a, b, d, c]: the reshape comes first, so that the transpose is one of rank 4. */
static enum onr_status swap_then_split(struct onri_rewrite *rw, struct onri_node *node, const struct onri_node *swap) {
  const int32_t x = swap->in[0];
  struct onr_desc desc = *onri_rewrite_desc(rw, node->out[0]);
  struct onri_reshaping reshaping;
  onri_expr from[ONR_MAX_RANK], to[ONR_MAX_RANK];
  const int32_t x_rank = onri_facts_dims(rw->facts, x, from), rank = onri_facts_dims(rw->facts, node->out[0], to);
  if (!onri_rewrite_same_dim(rw, x, 1, node->out[0], 3) || !onri_rewrite_same_dim(rw, x, 2, node->out[0], 2))
    return ONR_STATUS_OK;
  const onri_expr last = to[2];
  to[2] = to[3], to[3] = last;
  desc.dim[2] = onri_rewrite_dim(rw, node->out[0], 3);
  desc.dim[3] = onri_rewrite_dim(rw, node->out[0], 2);
  if (!onri_rewrite_reshaping(rw, from, x_rank, to, rank, &reshaping)) return ONR_STATUS_OK;
  const size_t index = (size_t)(node - rw->graph->nodes);
  const int32_t in[2] = {x, onri_rewrite_data(rw, &reshaping.list, reshaping.dims)};
  const int32_t split =
      in[1] < 0 ? -1 : onri_rewrite_node(rw, &onri_layer_reshape, &reshaping.params, node->origin, in, 2, &desc);
  if (split < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_transpose, &swap_last, &split, 1);
}

/* [a, b, c, d] -> [ab, c, d] -> [ab, d, c] -> [a, b, d, c], as exporters transpose keys: a transpose. The first step
 * may be missing. */
static enum onr_status flat_transpose(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onri_node *swap = onri_rewrite_match(rw, node->in[0], &onri_layer_transpose);
  if (!swap || onri_rewrite_rank(rw, swap->in[0]) != 3 || onri_rewrite_rank(rw, node->out[0]) != 4)
    return ONR_STATUS_OK;
  const struct onr_transpose_params *p = swap->params;
  if (p->rank != 3 || p->perm[0] != 0 || p->perm[1] != 2) return ONR_STATUS_OK;
  const struct onri_node *merged = onri_rewrite_match(rw, swap->in[0], &onri_layer_reshape);
  if (!merged || onri_rewrite_rank(rw, merged->in[0]) != 4) return swap_then_split(rw, node, swap);
  const int32_t x = merged->in[0], y = node->out[0];
  if (!same_rest(rw, x, 2, swap->in[0], 1) || !onri_rewrite_same_dim(rw, x, 0, y, 0) ||
      !onri_rewrite_same_dim(rw, x, 1, y, 1) || !onri_rewrite_same_dim(rw, x, 2, y, 3) ||
      !onri_rewrite_same_dim(rw, x, 3, y, 2))
    return swap_then_split(rw, node, swap);
  return onri_rewrite_become(rw, node, &onri_layer_transpose, &swap_last, &x, 1);
}

enum onr_status onri_pass_flat_transpose(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_reshape, flat_transpose}};
  return onri_rewrite_sweep(rw, rules, 1);
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
  if (rank < 4 || rank > 5 || (p->op != ONR_REDUCE_MEAN && p->op != ONR_REDUCE_MAX) ||
      !onri_match_is_float(rw, node->in[0]) || !onri_match_axes(rw, node, rank, mask))
    return ONR_STATUS_OK;
  for (int32_t d = 0; d < rank; d++)
    if (mask[d] != (d >= 2)) return ONR_STATUS_OK;
  const struct onr_layer *pool =
      p->op == ONR_REDUCE_MEAN ? &onri_layer_global_average_pool : &onri_layer_global_max_pool;
  if (p->keep_dims) return onri_rewrite_become(rw, node, pool, &params, node->in, 1);
  struct onr_desc desc = *onri_rewrite_desc(rw, node->in[0]);
  for (int32_t d = 2; d < rank; d++) desc.dim[d] = 1;
  const size_t index = (size_t)(node - rw->graph->nodes);
  const int32_t axes = node->in[1]; /* the node moves when one is added */
  const int32_t in[2] = {onri_rewrite_node(rw, pool, &params, node->origin, node->in, 1, &desc), axes};
  if (in[0] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_squeeze, NULL, in, 2);
}

enum onr_status onri_pass_global_pool(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_reduce, global_pool}};
  return onri_rewrite_sweep(rw, rules, 1);
}
