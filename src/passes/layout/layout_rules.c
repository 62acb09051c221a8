/* layout_rules.c: how layers behave when their tensors are stored in another order. */
#include <string.h>

#include "passes/layout/layout.h"

static int32_t rank_of_input(const struct onri_layout *layout, int32_t i) {
  const struct onri_node *node = onri_layout_node(layout);
  return i < node->num_in ? onri_rewrite_rank(layout->rw, node->in[i]) : ONRI_UNKNOWN_RANK;
}

static int32_t rank_of_output(const struct onri_layout *layout, int32_t i) {
  return onri_rewrite_rank(layout->rw, onri_layout_node(layout)->out[i]);
}

static int has_input(const struct onri_layout *layout, int32_t i) {
  const struct onri_node *node = onri_layout_node(layout);
  return i < node->num_in && node->in[i] != ONRI_NONE;
}

/* The order that input 0 is stored in, as a full list of axes. */
static struct onri_permutation order_of_input(const struct onri_layout *layout, int32_t i) {
  const struct onri_permutation order = onri_layout_permutation(layout, onri_layout_node(layout)->in[i]);
  return order.rank < 1 ? onri_permutation_identity(rank_of_input(layout, i)) : order;
}

/* Output 0, which has order's rank even where that is not known, and the others of that rank are made in this order;
 * the rest (statistics ...) stays in logical order. */
static enum onr_status put_all(struct onri_layout *layout, const struct onri_permutation *order) {
  for (int32_t k = 0; k < onri_layout_node(layout)->num_out; k++)
    if (k == 0 || rank_of_output(layout, k) == order->rank) ONR_TRY(onri_layout_put(layout, k, order));
  return ONR_STATUS_OK;
}

/* No output but the first is of unknown rank. */
static int knows_outputs(const struct onri_layout *layout) {
  const struct onri_node *node = onri_layout_node(layout);
  for (int32_t k = 1; k < node->num_out; k++)
    if (node->out[k] != ONRI_NONE && rank_of_output(layout, k) == ONRI_UNKNOWN_RANK) return 0;
  return 1;
}

enum onr_status onri_rule_plain(struct onri_layout *layout) { return onri_layout_plain(layout, 0); }

/* --- layers with a channels_last parameter --- */

enum onr_status onri_rule_spatial(struct onri_layout *layout) {
  const int32_t rank = rank_of_input(layout, 0);
  enum onr_status status = ONR_STATUS_OK;
  int32_t flag;
  memcpy(&flag, (const char *)onri_layout_node(layout)->params + onri_layout_node(layout)->layer->layout_param,
         sizeof(flag));
  if (rank < 3 || flag != 0 || !knows_outputs(layout)) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_permutation_channels_last(rank);
  char *params = onri_rewrite_params(layout->rw, onri_layout_node(layout), &status);
  ONR_TRY(status);
  flag = 1;
  memcpy(params + onri_layout_node(layout)->layer->layout_param, &flag, sizeof(flag));
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  return put_all(layout, &order);
}

/* max_unpool: the indices are laid out as x is. */
enum onr_status onri_rule_unpool(struct onri_layout *layout) {
  const struct onri_permutation order = onri_permutation_channels_last(rank_of_input(layout, 0));
  const int fits = order.rank >= 3 && rank_of_input(layout, 1) == order.rank && knows_outputs(layout);
  const struct onr_max_unpool_params *p = onri_layout_node(layout)->params;
  if (!fits || p->channels_last) return onri_layout_plain(layout, 0);
  ONR_TRY(onri_rule_spatial(layout));
  return onri_layout_input(layout, 1, &order);
}

/* --- layers that do not care --- */

enum onr_status onri_rule_elementwise(struct onri_layout *layout) {
  const int32_t count = onri_layout_node(layout)->num_in, rank = rank_of_output(layout, 0);
  for (int32_t k = 0; k < count; k++)
    if (has_input(layout, k) && (rank_of_input(layout, k) < 0 || rank_of_input(layout, k) > rank))
      return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, count);
  for (int32_t k = 0; k < count; k++)
    if (has_input(layout, k)) ONR_TRY(onri_layout_input(layout, k, &order));
  return put_all(layout, &order);
}

/* --- layers along one axis: an int64_t parameter --- */

static int read_axis(const struct onri_layout *layout, int32_t rank, int64_t *axis) {
  memcpy(axis, (const char *)onri_layout_node(layout)->params + onri_layout_node(layout)->layer->layout_param,
         sizeof(*axis));
  if (*axis < 0) *axis += rank;
  return *axis >= 0 && *axis < rank;
}

/* The axis parameter becomes the stored that `axis` has in `order`. */
static enum onr_status write_axis(struct onri_layout *layout, int64_t axis, const struct onri_permutation *order) {
  const struct onri_permutation inverse = onri_permutation_inverse(order);
  const int64_t moved = inverse.axis[axis];
  enum onr_status status = ONR_STATUS_OK;
  if (onri_permutation_is_identity(order)) return ONR_STATUS_OK;
  char *params = onri_rewrite_params(layout->rw, onri_layout_node(layout), &status);
  if (params) memcpy(params + onri_layout_node(layout)->layer->layout_param, &moved, sizeof(moved));
  return status;
}

/* Input 0 and the outputs are reordered together, the other inputs are lists or scalars. */
enum onr_status onri_rule_along_axis(struct onri_layout *layout) {
  const int32_t rank = rank_of_input(layout, 0);
  int64_t axis;
  if (rank < 2 || rank_of_output(layout, 0) != rank || !knows_outputs(layout) || !read_axis(layout, rank, &axis))
    return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, 1);
  ONR_TRY(write_axis(layout, axis, &order));
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  return put_all(layout, &order);
}

enum onr_status onri_rule_softmax(struct onri_layout *layout) {
  const struct onr_softmax_params *p = onri_layout_node(layout)->params;
  return p->flatten ? onri_layout_plain(layout, 0) : onri_rule_along_axis(layout);
}

enum onr_status onri_rule_concat(struct onri_layout *layout) {
  const int32_t count = onri_layout_node(layout)->num_in, rank = rank_of_output(layout, 0);
  int64_t axis;
  for (int32_t k = 0; k < count; k++)
    if (rank < 2 || rank_of_input(layout, k) != rank) return onri_layout_plain(layout, 0);
  if (!read_axis(layout, rank, &axis)) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, count);
  ONR_TRY(write_axis(layout, axis, &order));
  for (int32_t k = 0; k < count; k++) ONR_TRY(onri_layout_input(layout, k, &order));
  return put_all(layout, &order);
}

/* Dimensions from `axis` on form one block; those in front may be in any order. */
static enum onr_status trailing_from(struct onri_layout *layout, int64_t axis) {
  struct onri_permutation order = order_of_input(layout, 0);
  for (int64_t d = axis; d < order.rank; d++)
    if (order.axis[d] != d) order = onri_permutation_identity(order.rank);
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  return put_all(layout, &order);
}

enum onr_status onri_rule_trailing(struct onri_layout *layout) {
  const int32_t rank = rank_of_input(layout, 0);
  int64_t axis;
  if (rank < 2 || !knows_outputs(layout) || !read_axis(layout, rank, &axis)) return onri_layout_plain(layout, 0);
  return trailing_from(layout, axis);
}

enum onr_status onri_rule_last_axis(struct onri_layout *layout) {
  const int32_t rank = rank_of_input(layout, 0);
  if (rank < 2 || rank_of_output(layout, 0) != rank) return onri_layout_plain(layout, 0);
  return trailing_from(layout, rank - 1);
}

/* matmul: a matrix on the right is a linear layer; a transposed operand is a flag away from a straight one. */
static enum onr_status matmul_operand(struct onri_layout *layout, int32_t i) {
  const int32_t rank = rank_of_input(layout, i);
  struct onri_permutation swapped = onri_permutation_identity(rank);
  const struct onri_permutation stored = order_of_input(layout, i);
  enum onr_status status = ONR_STATUS_OK;
  swapped.axis[rank - 1] = (uint8_t)(rank - 2);
  swapped.axis[rank - 2] = (uint8_t)(rank - 1);
  const int is_constant = onri_rewrite_is_constant(layout->rw, onri_layout_node(layout)->in[i]);
  if (is_constant || !onri_permutation_equal(&stored, &swapped)) {
    const struct onri_permutation straight = onri_permutation_identity(rank);
    return onri_layout_input(layout, i, &straight);
  }
  struct onr_matmul_params *params = onri_rewrite_params(layout->rw, onri_layout_node(layout), &status);
  ONR_TRY(status);
  if (i == 0) params->transpose_a = !params->transpose_a;
  if (i == 1) params->transpose_b = !params->transpose_b;
  return onri_layout_input(layout, i, &swapped);
}

enum onr_status onri_rule_matmul(struct onri_layout *layout) {
  const int32_t a = rank_of_input(layout, 0), b = rank_of_input(layout, 1);
  const struct onr_matmul_params *p = onri_layout_node(layout)->params;
  if (a < 2 || b < 2) return onri_layout_plain(layout, 0);
  if (a > 2 && b == 2 && !p->transpose_a) return onri_rule_last_axis(layout);
  ONR_TRY(matmul_operand(layout, 0));
  ONR_TRY(matmul_operand(layout, 1));
  return onri_layout_plain(layout, 2);
}

static int is_cheaper(const struct onri_layout *layout, int32_t i, const struct onri_permutation *a,
                      const struct onri_permutation *b) {
  const int32_t v = onri_layout_node(layout)->in[i];
  return onri_layout_cost(layout, v, a) < onri_layout_cost(layout, v, b);
}

/* attention: takes its operands with the heads behind the sequence, too, and then gives its result that way. */
enum onr_status onri_rule_attention(struct onri_layout *layout) {
  const struct onr_attention_params *p = onri_layout_node(layout)->params;
  const struct onri_permutation straight = onri_permutation_identity(4), inner = {.rank = 4, .axis = {0, 2, 1, 3}};
  enum onr_status status = ONR_STATUS_OK;
  for (int32_t k = 0; k < 3; k++)
    if (rank_of_input(layout, k) != 4) return onri_layout_plain(layout, 0);
  if (p->q_heads_inner || p->kv_heads_inner || p->y_heads_inner) return onri_layout_plain(layout, 0);
  const int q_inner = is_cheaper(layout, 0, &inner, &straight);
  const int kv_inner = is_cheaper(layout, 1, &inner, &straight) && is_cheaper(layout, 2, &inner, &straight);
  struct onr_attention_params *params = onri_rewrite_params(layout->rw, onri_layout_node(layout), &status);
  ONR_TRY(status);
  params->q_heads_inner = params->y_heads_inner = q_inner;
  params->kv_heads_inner = kv_inner;
  ONR_TRY(onri_layout_input(layout, 0, q_inner ? &inner : &straight));
  ONR_TRY(onri_layout_input(layout, 1, kv_inner ? &inner : &straight));
  ONR_TRY(onri_layout_input(layout, 2, kv_inner ? &inner : &straight));
  ONR_TRY(onri_layout_plain(layout, 3));
  return onri_layout_put(layout, 0, q_inner ? &inner : &straight);
}

/* --- changes of shape --- */

enum onr_status onri_rule_transpose(struct onri_layout *layout) {
  const struct onr_transpose_params *p = onri_layout_node(layout)->params;
  const int32_t rank = p->rank > 0 ? p->rank : rank_of_input(layout, 0);
  struct onri_permutation order = onri_permutation_identity(rank);
  unsigned seen = 0;
  if (rank < 1 || rank > ONR_MAX_RANK || (rank_of_input(layout, 0) >= 0 && rank_of_input(layout, 0) != rank))
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
  if (!has_input(layout, 1) ||
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
  const int32_t rank = rank_of_input(layout, 0);
  uint8_t mask[ONR_MAX_RANK];
  size_t count = 0;
  if (rank < 2 || !read_mask(layout, rank, mask, &count) || count == 0) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = order_of_input(layout, 0);
  const struct onri_permutation result = p->keep_dims ? order : without(&order, mask);
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(write_mask(layout, mask, &order));
  return onri_layout_put(layout, 0, &result);
}

enum onr_status onri_rule_arg_reduce(struct onri_layout *layout) {
  const struct onr_arg_reduce_params *p = onri_layout_node(layout)->params;
  const int32_t rank = rank_of_input(layout, 0);
  uint8_t mask[ONR_MAX_RANK] = {0};
  int64_t axis;
  if (rank < 2 || !read_axis(layout, rank, &axis)) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = order_of_input(layout, 0);
  mask[axis] = 1;
  const struct onri_permutation result = p->keep_dims ? order : without(&order, mask);
  ONR_TRY(write_axis(layout, axis, &order));
  ONR_TRY(onri_layout_input(layout, 0, &order));
  return onri_layout_put(layout, 0, &result);
}

enum onr_status onri_rule_squeeze(struct onri_layout *layout) {
  const int32_t rank = rank_of_input(layout, 0);
  uint8_t mask[ONR_MAX_RANK];
  size_t count = 0;
  if (rank < 2 || !read_mask(layout, rank, mask, &count) || count == 0) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = order_of_input(layout, 0), result = without(&order, mask);
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(write_mask(layout, mask, &order));
  return onri_layout_put(layout, 0, &result);
}

/* The new dimensions of 1 may go anywhere: to where channels-last wants them when that fits, else to the front. */
enum onr_status onri_rule_unsqueeze(struct onri_layout *layout) {
  const int32_t rank = rank_of_input(layout, 0), result_rank = rank_of_output(layout, 0);
  uint8_t mask[ONR_MAX_RANK], number[ONR_MAX_RANK] = {0};
  size_t count = 0;
  if (rank < 2 || result_rank < rank || !read_mask(layout, result_rank, mask, &count) ||
      rank + (int32_t)count != result_rank)
    return onri_layout_plain(layout, 0);
  const struct onri_permutation order = order_of_input(layout, 0);
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
  const int32_t rank = rank_of_input(layout, 0), index_rank = rank_of_input(layout, 1);
  struct onri_permutation result = {0};
  int64_t axis;
  if (rank < 2 || index_rank < 0 || rank - 1 + index_rank > ONR_MAX_RANK || !read_axis(layout, rank, &axis) ||
      onri_rewrite_is_constant(layout->rw, onri_layout_node(layout)->in[0]))
    return onri_layout_plain(layout, 0);
  const struct onri_permutation order = order_of_input(layout, 0);
  for (int32_t i = 0; i < rank; i++) {
    const int32_t d = order.axis[i];
    if (d == axis)
      for (int32_t k = 0; k < index_rank; k++) result.axis[result.rank++] = (uint8_t)(d + k);
    else result.axis[result.rank++] = (uint8_t)(d < axis ? d : d - 1 + index_rank);
  }
  ONR_TRY(write_axis(layout, axis, &order));
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  return onri_layout_put(layout, 0, &result);
}

/* --- lists with one entry a dimension --- */

/* pad: the begins of all axes, then the ends; or only of those in input 3. */
enum onr_status onri_rule_pad(struct onri_layout *layout) {
  const int32_t rank = rank_of_input(layout, 0);
  int64_t pads[2 * ONR_MAX_RANK], axes[ONR_MAX_RANK], moved[2 * ONR_MAX_RANK] = {0};
  size_t count = 0, num_axes = (size_t)rank;
  if (rank < 2 || !has_input(layout, 1) ||
      !onri_rewrite_ints(layout->rw, onri_layout_node(layout)->in[1], pads, 2 * ONR_MAX_RANK, &count))
    return onri_layout_plain(layout, 0);
  for (int32_t d = 0; d < rank; d++) axes[d] = d;
  if (has_input(layout, 3) &&
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
  if (has_input(layout, 3)) ONR_TRY(onri_rewrite_set_input(layout->rw, onri_layout_node(layout), 3, ONRI_NONE));
  return onri_layout_put(layout, 0, &order);
}

/* slice: without axes, the lists are about the first dimensions. */
enum onr_status onri_rule_slice(struct onri_layout *layout) {
  const int32_t rank = rank_of_input(layout, 0);
  int64_t axes[ONR_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
  size_t count = 0;
  if (rank < 2 || rank_of_input(layout, 1) != 1) return onri_layout_plain(layout, 0);
  const int64_t length = onri_rewrite_dim(layout->rw, onri_layout_node(layout)->in[1], 0);
  if (length < 1 || length > rank) return onri_layout_plain(layout, 0);
  if (!has_input(layout, 3)) count = (size_t)length;
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
