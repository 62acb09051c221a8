/* layout_reshape.c: a reshape, and the shape, of a tensor that is not stored in logical order.
 *
 * A reshape merges and splits runs of dimensions: [N, C, H, W] -> [N, C, HW] has the groups N -> N, C -> C, (H, W) ->
 * HW. Where the dimensions of each group lie side by side and in order, the stored tensor can be reshaped in the same
 * way, and the result is stored with its groups in the stored order: [N, H, W, C] -> [N, HW, C]. */
#include "passes/layout/layout.h"

#include <string.h>

struct shape {
  int32_t rank;
  onri_expr dim[ONR_MAX_RANK];
};

struct groups {
  int32_t count;
  uint8_t of_in[ONR_MAX_RANK], of_out[ONR_MAX_RANK]; /* the group of each dimension */
};

static int is_one(const struct onri_exprs *exprs, onri_expr dim) {
  int64_t number;
  return onri_expr_is_number(exprs, dim, &number) && number == 1;
}

/* 0 when rank or a dimension is unknown, or a dimension is empty. */
static int read_shape(struct onri_layout *layout, int32_t v, struct shape *shape) {
  int64_t number;
  shape->rank = onri_facts_dims(layout->rw->facts, v, shape->dim);
  for (int32_t d = 0; d < shape->rank; d++)
    if (shape->dim[d] == ONRI_EXPR_ANY ||
        (onri_expr_is_number(&layout->rw->facts->exprs, shape->dim[d], &number) && number == 0))
      return 0;
  return shape->rank >= 0;
}

/* Whether the product a is a part of the product b: then a's side goes on. */
static int is_part(struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  int64_t x, y;
  if (onri_expr_is_number(exprs, a, &x) && onri_expr_is_number(exprs, b, &y)) return x < y;
  return onri_expr_is_same(onri_expr_mul(exprs, onri_expr_div(exprs, b, a), a), b);
}

/* The finest groups with equal products. 0 when there are none. */
static int find_groups(struct onri_exprs *exprs, const struct shape *x, const struct shape *y, struct groups *groups) {
  const onri_expr one = onri_expr_number(exprs, 1);
  int32_t i = 0, j = 0;
  groups->count = 0;
  while (i < x->rank || j < y->rank) {
    const uint8_t group = (uint8_t)groups->count++;
    onri_expr a = one, b = one;
    if (i < x->rank) groups->of_in[i] = group, a = x->dim[i++];
    if (j < y->rank) groups->of_out[j] = group, b = y->dim[j++];
    while (!onri_expr_is_same(a, b)) {
      if (is_part(exprs, a, b)) {
        if (i == x->rank) return 0;
        groups->of_in[i] = group;
        a = onri_expr_mul(exprs, a, x->dim[i++]);
      } else {
        if (j == y->rank) return 0;
        groups->of_out[j] = group;
        b = onri_expr_mul(exprs, b, y->dim[j++]);
      }
    }
  }
  return 1;
}

/* The stored order with the dimensions of each group side by side and ascending, at the stored of the group's first
 * one. Dimensions of 1 count as being in stored anywhere. Returns whether that moves anything. */
static int regroup(const struct onri_exprs *exprs, const struct shape *x, const struct groups *groups,
                   const struct onri_permutation *stored, struct onri_permutation *result) {
  uint8_t was[ONR_MAX_RANK], is[ONR_MAX_RANK], done[2 * ONR_MAX_RANK] = {0};
  int32_t num_was = 0, num_is = 0;
  result->rank = 0;
  for (int32_t i = 0; i < stored->rank; i++) {
    const uint8_t group = groups->of_in[stored->axis[i]];
    if (!is_one(exprs, x->dim[stored->axis[i]])) was[num_was++] = stored->axis[i];
    if (done[group]) continue;
    if (is_one(exprs, x->dim[stored->axis[i]])) { /* wait for a dimension that fixes the stored, unless there is none */
      int others = 0;
      for (int32_t d = 0; d < x->rank; d++) others |= groups->of_in[d] == group && !is_one(exprs, x->dim[d]);
      if (others) continue;
    }
    done[group] = 1;
    for (int32_t d = 0; d < x->rank; d++)
      if (groups->of_in[d] == group) result->axis[result->rank++] = (uint8_t)d;
  }
  for (int32_t i = 0; i < result->rank; i++)
    if (!is_one(exprs, x->dim[result->axis[i]])) is[num_is++] = result->axis[i];
  return num_was != num_is || memcmp(was, is, (size_t)num_is) != 0;
}

/* The groups in the order of `in`, as dimensions of the result; groups of new dimensions of 1 go to the end. */
static struct onri_permutation result_order(const struct shape *y, const struct groups *groups,
                                            const struct onri_permutation *in) {
  struct onri_permutation order = {0};
  uint8_t done[2 * ONR_MAX_RANK] = {0};
  for (int32_t i = 0; i <= in->rank; i++) {
    const int last = i == in->rank;
    const uint8_t group = last ? 0 : groups->of_in[in->axis[i]];
    if (!last && done[group]) continue;
    for (int32_t d = 0; d < y->rank; d++)
      if (last ? !done[groups->of_out[d]] : groups->of_out[d] == group) order.axis[order.rank++] = (uint8_t)d;
    if (!last) done[group] = 1;
  }
  return order;
}

static struct shape permute(const struct shape *x, const struct onri_permutation *order) {
  struct shape result = {.rank = x->rank};
  for (int32_t i = 0; i < x->rank; i++) result.dim[i] = x->dim[order->axis[i]];
  return result;
}

enum onr_status onri_rule_reshape(struct onri_layout *layout) {
  const struct onri_node *node = onri_layout_node(layout);
  struct onri_exprs *exprs = &layout->rw->facts->exprs;
  struct shape x, y;
  struct groups groups;
  struct onri_reshaping reshaping;
  struct onri_permutation in;
  const struct onri_permutation stored = onri_layout_permutation(layout, node->in[0]);
  if (onri_permutation_is_identity(&stored) || onri_rewrite_is_constant(layout->rw, node->in[0]) ||
      !read_shape(layout, node->in[0], &x) || !read_shape(layout, node->out[0], &y) ||
      !find_groups(exprs, &x, &y, &groups))
    return onri_layout_plain(layout, 0);
  const int moves = regroup(exprs, &x, &groups, &stored, &in);
  if (moves && layout->values[node->out[0]].wish <= 0) return onri_layout_plain(layout, 0);
  const struct onri_permutation out = result_order(&y, &groups, &in), *order = moves ? &in : &stored;
  const struct shape from = permute(&x, order), to = permute(&y, &out);
  if (!onri_rewrite_reshaping(layout->rw, from.dim, from.rank, to.dim, to.rank, &reshaping))
    return onri_layout_plain(layout, 0);
  const int32_t source = onri_layout_get(layout, onri_layout_node(layout)->in[0], order);
  if (source < 0) return onri_rewrite_no_memory(layout->rw);
  ONR_TRY(onri_rewrite_reshape(layout->rw, onri_layout_node(layout), source, &reshaping));
  return onri_layout_put(layout, 0, &out);
}

/* shape: of the stored tensor, with the dimensions picked in logical order. */
enum onr_status onri_rule_shape(struct onri_layout *layout) {
  const struct onri_node *node = onri_layout_node(layout);
  const struct onr_shape_params *p = node->params, whole = {0, INT64_MAX};
  const struct onri_permutation stored = onri_layout_permutation(layout, node->in[0]);
  const int64_t rank = onri_rewrite_rank(layout->rw, node->in[0]);
  int64_t values[ONR_MAX_RANK];
  if (rank < 2 || onri_permutation_is_identity(&stored)) return onri_layout_plain(layout, 0);
  const struct onri_permutation inverse = onri_permutation_inverse(&stored);
  int64_t start = p->start < 0 ? p->start + rank : p->start, end = p->end < 0 ? p->end + rank : p->end;
  start = start < 0 ? 0 : start > rank ? rank : start;
  end = end < start ? start : end > rank ? rank : end;
  for (int64_t d = start; d < end; d++) values[d - start] = inverse.axis[d];
  const struct onr_desc dims = {.dtype = ONR_DTYPE_I64, .rank = 1, .dim = {rank}},
                        list = {.dtype = ONR_DTYPE_I64, .rank = 1, .dim = {end - start}};
  const int32_t x = onri_layout_get(layout, node->in[0], &stored);
  const int32_t shape =
      x < 0 ? -1 : onri_rewrite_node(layout->rw, &onri_layer_shape, &whole, node->origin, &x, 1, &dims);
  const int32_t in[2] = {shape, onri_rewrite_data(layout->rw, &list, values)};
  if (in[0] < 0 || in[1] < 0) return onri_rewrite_no_memory(layout->rw);
  const struct onr_gather_params gather = {.axis = 0};
  return onri_rewrite_become(layout->rw, onri_layout_node(layout), &onri_layer_gather, &gather, in, 2);
}

/* size: the same for every order. */
enum onr_status onri_rule_size(struct onri_layout *layout) {
  const struct onri_permutation stored = onri_layout_permutation(layout, onri_layout_node(layout)->in[0]);
  return onri_layout_input(layout, 0, &stored);
}
