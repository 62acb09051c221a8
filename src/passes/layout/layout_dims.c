/* layout_dims.c: rules of layers that are told about dimensions one by one: which change places, go, come, are cut or
 * get a border. */
#include <string.h>

#include "passes/layout/layout_node.h"

/* --- changes of shape --- */

enum onr_status onri_rule_transpose(struct onri_layout *layout) {
  const struct onr_transpose_params *p = onri_layout_node(layout)->params;
  const int32_t rank = p->rank > 0 ? p->rank : onri_layout_rank_in(layout, 0);
  struct onri_permutation order = onri_permutation_identity(rank);
  unsigned seen = 0;
  if (rank < 1 || rank > ONR_MAX_RANK ||
      (onri_layout_rank_in(layout, 0) >= 0 && onri_layout_rank_in(layout, 0) != rank))
    return onri_layout_plain(layout, 0);
  for (int32_t i = 0; i < rank; i++) {
    const int32_t axis = p->rank > 0 ? p->perm[i] : rank - 1 - i;
    if (axis < 0 || axis >= rank || (seen >> axis & 1u)) return onri_layout_plain(layout, 0);
    seen |= 1u << axis;
    order.axis[i] = (uint8_t)axis;
  }
  onri_layout_view(layout, &order);
  return ONR_STATUS_OK;
}

/* Constant axes in input 1 as a mask over `rank` dimensions; 0 when they are not known or wrong. */
static int read_mask(const struct onri_layout *layout, int32_t rank, uint8_t mask[ONR_MAX_RANK], size_t *count) {
  int64_t axes[ONR_MAX_RANK];
  memset(mask, 0, ONR_MAX_RANK);
  if (!onri_layout_has_in(layout, 1) ||
      !onri_rewrite_ints(layout->rw, onri_layout_node(layout)->in[1], axes, ONR_MAX_RANK, count))
    return 0;
  for (size_t i = 0; i < *count; i++) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank || mask[axis]) return 0;
    mask[axis] = 1;
  }
  return 1;
}

static enum onr_status write_list(struct onri_layout *layout, int32_t input, const int64_t *values, size_t count) {
  const struct onr_desc desc = {.dtype = ONR_DTYPE_I64, .rank = 1, .dim = {(int64_t)count}};
  const int32_t v = onri_rewrite_data(layout->rw, &desc, values);
  if (v < 0) return onri_rewrite_no_memory(layout->rw);
  return onri_rewrite_set_input(layout->rw, onri_layout_node(layout), input, v);
}

/* The values in `order` of the dimensions in `mask`, ascending, as input 1. */
static enum onr_status write_mask(struct onri_layout *layout, const uint8_t mask[ONR_MAX_RANK],
                                  const struct onri_permutation *order) {
  int64_t axes[ONR_MAX_RANK];
  size_t count = 0;
  for (int32_t i = 0; i < order->rank; i++)
    if (mask[order->axis[i]]) axes[count++] = i;
  return onri_permutation_is_identity(order) ? ONR_STATUS_OK : write_list(layout, 1, axes, count);
}

/* `order` without the dimensions in `mask`; the others are numbered anew. */
static struct onri_permutation without(const struct onri_permutation *order, const uint8_t mask[ONR_MAX_RANK]) {
  struct onri_permutation result = {0};
  uint8_t number[ONR_MAX_RANK], next = 0;
  for (int32_t d = 0; d < order->rank; d++) {
    number[d] = next;
    next = (uint8_t)(next + !mask[d]);
  }
  for (int32_t i = 0; i < order->rank; i++)
    if (!mask[order->axis[i]]) result.axis[result.rank++] = number[order->axis[i]];
  return result;
}

enum onr_status onri_rule_reduce(struct onri_layout *layout) {
  const struct onr_reduce_params *p = onri_layout_node(layout)->params;
  const int32_t rank = onri_layout_rank_in(layout, 0);
  uint8_t mask[ONR_MAX_RANK];
  size_t count = 0;
  if (rank < 2 || !read_mask(layout, rank, mask, &count) || count == 0) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_order_in(layout, 0);
  const struct onri_permutation result = p->keep_dims ? order : without(&order, mask);
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(write_mask(layout, mask, &order));
  return onri_layout_put(layout, 0, &result);
}

enum onr_status onri_rule_arg_reduce(struct onri_layout *layout) {
  const struct onr_arg_reduce_params *p = onri_layout_node(layout)->params;
  const int32_t rank = onri_layout_rank_in(layout, 0);
  uint8_t mask[ONR_MAX_RANK] = {0};
  int64_t axis;
  if (rank < 2 || !onri_layout_read_axis(layout, rank, &axis)) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_order_in(layout, 0);
  mask[axis] = 1;
  const struct onri_permutation result = p->keep_dims ? order : without(&order, mask);
  ONR_TRY(onri_layout_write_axis(layout, axis, &order));
  ONR_TRY(onri_layout_input(layout, 0, &order));
  return onri_layout_put(layout, 0, &result);
}

enum onr_status onri_rule_squeeze(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  uint8_t mask[ONR_MAX_RANK];
  size_t count = 0;
  if (rank < 2 || !read_mask(layout, rank, mask, &count) || count == 0) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_order_in(layout, 0), result = without(&order, mask);
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(write_mask(layout, mask, &order));
  return onri_layout_put(layout, 0, &result);
}

/* The new dimensions of 1 may go anywhere: to where channels-last wants them when that fits, else to the front. */
enum onr_status onri_rule_unsqueeze(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0), result_rank = onri_layout_rank_out(layout, 0);
  uint8_t mask[ONR_MAX_RANK], number[ONR_MAX_RANK] = {0};
  size_t count = 0;
  if (rank < 2 || result_rank < rank || !read_mask(layout, result_rank, mask, &count) ||
      rank + (int32_t)count != result_rank)
    return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_order_in(layout, 0);
  struct onri_permutation result = onri_permutation_channels_last(result_rank);
  struct onri_permutation rest = without(&result, mask);
  if (onri_permutation_is_identity(&order)) return ONR_STATUS_OK;
  if (!onri_permutation_equal(&rest, &order)) {
    int32_t at = 0;
    for (int32_t d = 0, next = 0; d < result_rank; d++) {
      if (mask[d]) result.axis[at++] = (uint8_t)d;
      else number[next++] = (uint8_t)d;
    }
    for (int32_t i = 0; i < rank; i++) result.axis[at++] = number[order.axis[i]];
  }
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(write_mask(layout, mask, &result));
  return onri_layout_put(layout, 0, &result);
}

/* gather: the indices' dimensions take the stored of the axis, wherever it is stored. */
enum onr_status onri_rule_gather(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0), index_rank = onri_layout_rank_in(layout, 1);
  struct onri_permutation result = {0};
  int64_t axis;
  if (rank < 2 || index_rank < 0 || rank - 1 + index_rank > ONR_MAX_RANK ||
      !onri_layout_read_axis(layout, rank, &axis) ||
      onri_rewrite_is_constant(layout->rw, onri_layout_node(layout)->in[0]))
    return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_order_in(layout, 0);
  for (int32_t i = 0; i < rank; i++) {
    const int32_t d = order.axis[i];
    if (d == axis)
      for (int32_t k = 0; k < index_rank; k++) result.axis[result.rank++] = (uint8_t)(d + k);
    else result.axis[result.rank++] = (uint8_t)(d < axis ? d : d - 1 + index_rank);
  }
  ONR_TRY(onri_layout_write_axis(layout, axis, &order));
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  return onri_layout_put(layout, 0, &result);
}

/* --- lists with one entry a dimension --- */

/* pad: the begins of all axes, then the ends; or only of those in input 3. */
enum onr_status onri_rule_pad(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  int64_t pads[2 * ONR_MAX_RANK], axes[ONR_MAX_RANK], moved[2 * ONR_MAX_RANK] = {0};
  size_t count = 0, num_axes = (size_t)rank;
  if (rank < 2 || !onri_layout_has_in(layout, 1) ||
      !onri_rewrite_ints(layout->rw, onri_layout_node(layout)->in[1], pads, 2 * ONR_MAX_RANK, &count))
    return onri_layout_plain(layout, 0);
  for (int32_t d = 0; d < rank; d++) axes[d] = d;
  if (onri_layout_has_in(layout, 3) &&
      !onri_rewrite_ints(layout->rw, onri_layout_node(layout)->in[3], axes, ONR_MAX_RANK, &num_axes))
    return onri_layout_plain(layout, 0);
  if (count != 2 * num_axes) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, 1), inverse = onri_permutation_inverse(&order);
  for (size_t i = 0; i < num_axes; i++) {
    if (axes[i] < 0) axes[i] += rank;
    if (axes[i] < 0 || axes[i] >= rank) return onri_layout_plain(layout, 0);
    moved[inverse.axis[axes[i]]] = pads[i];
    moved[inverse.axis[axes[i]] + rank] = pads[i + num_axes];
  }
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  if (onri_permutation_is_identity(&order)) return ONR_STATUS_OK;
  ONR_TRY(write_list(layout, 1, moved, 2 * (size_t)rank));
  if (onri_layout_has_in(layout, 3))
    ONR_TRY(onri_rewrite_set_input(layout->rw, onri_layout_node(layout), 3, ONRI_NONE));
  return onri_layout_put(layout, 0, &order);
}

/* slice: without axes, the lists are about the first dimensions. */
enum onr_status onri_rule_slice(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  int64_t axes[ONR_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
  size_t count = 0;
  if (rank < 2 || onri_layout_rank_in(layout, 1) != 1) return onri_layout_plain(layout, 0);
  const int64_t length = onri_rewrite_dim(layout->rw, onri_layout_node(layout)->in[1], 0);
  if (length < 1 || length > rank) return onri_layout_plain(layout, 0);
  if (!onri_layout_has_in(layout, 3)) count = (size_t)length;
  else if (!onri_rewrite_ints(layout->rw, onri_layout_node(layout)->in[3], axes, ONR_MAX_RANK, &count))
    return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, 1), inverse = onri_permutation_inverse(&order);
  for (size_t i = 0; i < count; i++) {
    if (axes[i] < 0) axes[i] += rank;
    if (axes[i] < 0 || axes[i] >= rank) return onri_layout_plain(layout, 0);
    axes[i] = inverse.axis[axes[i]];
  }
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  if (onri_permutation_is_identity(&order)) return ONR_STATUS_OK;
  ONR_TRY(write_list(layout, 3, axes, count));
  return onri_layout_put(layout, 0, &order);
}
