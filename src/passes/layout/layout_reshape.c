/* layout_reshape.c: a reshape, and the shape, of a tensor that is not stored in logical order.
 *
 * A reshape merges and splits runs of dimensions: [N, C, H, W] -> [N, C, HW] has the groups N -> N, C -> C, (H, W) ->
 * HW. Where the dimensions of each group lie side by side and in order, the stored tensor can be reshaped in the same
 * way, and the result is stored with its groups in the stored order: [N, H, W, C] -> [N, HW, C]. */
#include "passes/layout/layout.h"

#include <string.h>

#include "base/numbers/checked.h"

/* Stands for the one unknown dimension on both sides: larger than other dims are, and prime. */
#define UNKNOWN INT64_C(2147483647)

struct shape {
  int32_t rank;
  int64_t dim[ONR_MAX_RANK];
};

struct groups {
  int32_t count;
  uint8_t of_in[ONR_MAX_RANK], of_out[ONR_MAX_RANK]; /* the group of each dimension */
};

/* Dims with UNKNOWN for an unknown one. 0 when rank or two dims are unknown, or a dimension is empty. */
static int read_shape(const struct onr_desc *desc, struct shape *shape, int64_t *known, int *unknown) {
  shape->rank = desc->rank;
  *known = 1;
  *unknown = 0;
  if (desc->rank < 0) return 0;
  for (int32_t d = 0; d < desc->rank; d++) {
    shape->dim[d] = desc->dim[d];
    if (desc->dim[d] < 0) {
      shape->dim[d] = UNKNOWN;
      ++*unknown;
    } else if (desc->dim[d] == 0 || !onri_mul_i64(*known, desc->dim[d], known)) {
      return 0;
    }
  }
  return *unknown <= 1;
}

/* The finest groups with equal products. 0 when there are none. */
static int find_groups(const struct shape *x, const struct shape *y, struct groups *groups) {
  int32_t i = 0, j = 0;
  groups->count = 0;
  while (i < x->rank || j < y->rank) {
    const uint8_t group = (uint8_t)groups->count++;
    int64_t a = 1, b = 1;
    if (i < x->rank) groups->of_in[i] = group, a = x->dim[i++];
    if (j < y->rank) groups->of_out[j] = group, b = y->dim[j++];
    while (a != b) {
      if (a < b) {
        if (i == x->rank || !onri_mul_i64(a, x->dim[i], &a)) return 0;
        groups->of_in[i++] = group;
      } else {
        if (j == y->rank || !onri_mul_i64(b, y->dim[j], &b)) return 0;
        groups->of_out[j++] = group;
      }
    }
  }
  return 1;
}

/* The stored order with the dimensions of each group side by side and ascending, at the stored of the group's first
 * one. Dimensions of 1 count as being in stored anywhere. Returns whether that moves anything. */
static int regroup(const struct shape *x, const struct groups *groups, const struct onri_permutation *stored,
                   struct onri_permutation *result) {
  uint8_t was[ONR_MAX_RANK], is[ONR_MAX_RANK], done[2 * ONR_MAX_RANK] = {0};
  int32_t num_was = 0, num_is = 0;
  result->rank = 0;
  for (int32_t i = 0; i < stored->rank; i++) {
    const uint8_t group = groups->of_in[stored->axis[i]];
    if (x->dim[stored->axis[i]] != 1) was[num_was++] = stored->axis[i];
    if (done[group]) continue;
    if (x->dim[stored->axis[i]] == 1) { /* wait for a dimension that fixes the stored, unless there is none */
      int others = 0;
      for (int32_t d = 0; d < x->rank; d++) others |= groups->of_in[d] == group && x->dim[d] != 1;
      if (others) continue;
    }
    done[group] = 1;
    for (int32_t d = 0; d < x->rank; d++)
      if (groups->of_in[d] == group) result->axis[result->rank++] = (uint8_t)d;
  }
  for (int32_t i = 0; i < result->rank; i++)
    if (x->dim[result->axis[i]] != 1) is[num_is++] = result->axis[i];
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

static enum onr_status reshape_stored(struct onri_layout *layout, const struct shape *y,
                                      const struct onri_permutation *in, const struct onri_permutation *out) {
  const struct onr_reshape_params params = {.allow_zero = 1};
  const struct onr_desc list = {.dtype = ONR_DTYPE_I64, .rank = 1, .dim = {out->rank}};
  int64_t dims[ONR_MAX_RANK];
  for (int32_t i = 0; i < out->rank; i++) dims[i] = y->dim[out->axis[i]] == UNKNOWN ? -1 : y->dim[out->axis[i]];
  const int32_t inputs[2] = {onri_layout_get(layout, onri_layout_node(layout)->in[0], in),
                             onri_rewrite_data(layout->rw, &list, dims)};
  if (inputs[0] < 0 || inputs[1] < 0) return onri_rewrite_no_memory(layout->rw);
  ONR_TRY(onri_rewrite_become(layout->rw, onri_layout_node(layout), &onri_layer_reshape, &params, inputs, 2));
  return onri_layout_put(layout, 0, out);
}

enum onr_status onri_rule_reshape(struct onri_layout *layout) {
  const struct onri_node *node = onri_layout_node(layout);
  struct shape x, y;
  struct groups groups;
  int64_t known[2];
  int unknown[2];
  struct onri_permutation in;
  const struct onri_permutation stored = onri_layout_permutation(layout, node->in[0]);
  if (onri_permutation_is_identity(&stored) || onri_rewrite_is_constant(layout->rw, node->in[0]) ||
      !read_shape(onri_rewrite_desc(layout->rw, node->in[0]), &x, &known[0], &unknown[0]) ||
      !read_shape(onri_rewrite_desc(layout->rw, node->out[0]), &y, &known[1], &unknown[1]) ||
      unknown[0] != unknown[1] || known[0] != known[1] || !find_groups(&x, &y, &groups))
    return onri_layout_plain(layout, 0);
  const int moves = regroup(&x, &groups, &stored, &in);
  if (moves && layout->values[node->out[0]].wish <= 0) return onri_layout_plain(layout, 0);
  const struct onri_permutation out = result_order(&y, &groups, &in);
  return reshape_stored(layout, &y, moves ? &in : &stored, &out);
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
