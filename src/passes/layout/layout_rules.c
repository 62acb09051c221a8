/* layout_rules.c: how layers behave when their tensors are stored in another order, and their results are, too. Those
 * whose dimensions come, go or are told by lists: layout_dims.c. */
#include <string.h>

#include "layers/conv/conv_layout.h"
#include "passes/layout/layout_node.h"

enum onr_status onri_rule_plain(struct onri_layout *layout) { return onri_layout_plain(layout, 0); }

/* --- layers with a channels_last parameter --- */

/* Those behind input 0. */
static enum onr_status other_inputs(struct onri_layout *layout, const struct onri_permutation *order) {
  for (int32_t k = 1; k < onri_layout_node(layout)->num_in; k++) {
    const int32_t v = onri_layout_node(layout)->in[k];
    const struct onri_permutation plain = onri_permutation_identity(onri_rewrite_rank(layout->rw, v));
    const int is_image = onri_layout_is_image(onri_layout_node(layout), k);
    if (v != ONRI_NONE) ONR_TRY(onri_layout_input(layout, k, is_image ? order : &plain));
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_rule_spatial(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  enum onr_status status = ONR_STATUS_OK;
  int32_t flag;
  memcpy(&flag, (const char *)onri_layout_node(layout)->params + onri_layout_node(layout)->layer->layout_param,
         sizeof(flag));
  if (rank < 3 || flag != 0 || !onri_layout_knows_outputs(layout)) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_permutation_channels_last(rank);
  char *params = onri_rewrite_params(layout->rw, onri_layout_node(layout), &status);
  ONR_TRY(status);
  flag = 1;
  memcpy(params + onri_layout_node(layout)->layer->layout_param, &flag, sizeof(flag));
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(other_inputs(layout, &order));
  return onri_layout_put_all(layout, &order);
}

/* conv: a channels-first image that nobody has in another order yet (the caller's picture) is read as it is. Where its
 * readers want that, the result is channels-first, too. */
enum onr_status onri_rule_conv(struct onri_layout *layout) {
  const struct onri_node *node = onri_layout_node(layout);
  const int32_t rank = onri_layout_rank_in(layout, 0), weight = node->in[1];
  const struct onri_permutation stored = onri_layout_order_in(layout, 0), order = onri_permutation_channels_last(rank);
  enum onr_status status = ONR_STATUS_OK;
  if (rank < 3 || onri_layout_rank_out(layout, 0) != rank || !onri_permutation_is_identity(&stored) ||
      !onri_layout_knows_outputs(layout) || !onri_rewrite_is_constant(layout->rw, weight) ||
      onri_layout_cost(layout, node->in[0], &order) == 0)
    return onri_rule_spatial(layout);
  const struct onr_desc *weights = &layout->rw->graph->values[weight].desc,
                        *y = &layout->rw->graph->values[node->out[0]].desc;
  const struct onr_conv_params *given = node->params;
  const int reads = onri_conv_reads_channels_first(given, weights, y);
  const int wants_first = layout->values[node->out[0]].wish < 0 || (reads && onri_conv_has_few_outputs(y));
  if (wants_first &&
      (reads ? onri_conv_makes_channels_first(y, given->groups) : onri_conv_stays_channels_first(given, weights, y)))
    return onri_layout_plain(layout, 0);
  if (!reads) return onri_rule_spatial(layout);
  struct onr_conv_params *params = onri_rewrite_params(layout->rw, onri_layout_node(layout), &status);
  ONR_TRY(status);
  params->channels_last = params->x_channels_first = 1;
  ONR_TRY(onri_layout_input(layout, 0, &stored));
  ONR_TRY(other_inputs(layout, &order));
  return onri_layout_put_all(layout, &order);
}

/* conv_integer and others of bytes, whose weights may be another input than in conv. */
enum onr_status onri_rule_conv_bytes(struct onri_layout *layout) {
  const struct onri_node *node = onri_layout_node(layout);
  const int32_t rank = onri_layout_rank_in(layout, 0),
                weight = node->in[node->layer == &onri_layer_qlinear_conv ? 3 : 1];
  const struct onri_permutation stored = onri_layout_order_in(layout, 0), order = onri_permutation_channels_last(rank);
  if (rank < 3 || onri_layout_rank_out(layout, 0) != rank || !onri_permutation_is_identity(&stored) ||
      !onri_layout_knows_outputs(layout) || weight == ONRI_NONE || !onri_rewrite_is_constant(layout->rw, weight) ||
      onri_layout_cost(layout, node->in[0], &order) == 0 || layout->values[node->out[0]].wish > 0)
    return onri_rule_spatial(layout);
  const struct onr_desc *values = &layout->rw->graph->values[weight].desc,
                        *y = &layout->rw->graph->values[node->out[0]].desc;
  return onri_conv_bytes_stay_channels_first(node->params, values, y) ? onri_layout_plain(layout, 0)
                                                                      : onri_rule_spatial(layout);
}

enum onr_status onri_rule_conv_transpose(struct onri_layout *layout) {
  const struct onri_node *node = onri_layout_node(layout);
  const struct onri_permutation stored = onri_layout_order_in(layout, 0);
  const struct onr_desc *x = &layout->rw->graph->values[node->in[0]].desc,
                        *weights = &layout->rw->graph->values[node->in[1]].desc;
  const int stays = onri_layout_rank_in(layout, 0) >= 3 && onri_permutation_is_identity(&stored) &&
                    onri_layout_knows_outputs(layout) && onri_rewrite_is_constant(layout->rw, node->in[1]) &&
                    onri_conv_transpose_stays_channels_first(node->params, weights, x);
  return stays ? onri_layout_plain(layout, 0) : onri_rule_spatial(layout);
}

enum onr_status onri_rule_either(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  if (rank < 3 || onri_layout_rank_out(layout, 0) != rank) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, 1);
  return onri_permutation_is_identity(&order) ? onri_layout_plain(layout, 0) : onri_rule_spatial(layout);
}

/* Whether vectors of channels are filled better than those of pixels, of which a line of the result has few. */
static int is_narrow(const struct onri_layout *layout, int64_t few_pixels) {
  enum { CHANNELS = 16 };
  const struct onr_desc *y = &layout->rw->graph->values[onri_layout_node(layout)->out[0]].desc;
  const int32_t rank = onri_layout_rank_out(layout, 0);
  return rank >= 3 && y->dim[1] >= CHANNELS && y->dim[rank - 1] > 0 && y->dim[rank - 1] <= few_pixels;
}

/* The portable kernel, of doubles and of indices, is for channels that lie side by side. */
enum onr_status onri_rule_pool(struct onri_layout *layout) {
  const struct onr_desc *y = &layout->rw->graph->values[onri_layout_node(layout)->out[0]].desc;
  const int is_portable = onri_layout_node(layout)->num_out > 1 || y->dtype == ONR_DTYPE_F64;
  const int is_either = !is_portable && !is_narrow(layout, 16);
  return is_either ? onri_rule_either(layout) : onri_rule_spatial(layout);
}

enum onr_status onri_rule_resize(struct onri_layout *layout) {
  const struct onr_resize_params *p = onri_layout_node(layout)->params;
  const int is_either = p->mode == ONR_RESIZE_NEAREST || !is_narrow(layout, 100);
  return is_either ? onri_rule_either(layout) : onri_rule_spatial(layout);
}

/* max_unpool: the indices are laid out as x is. */
enum onr_status onri_rule_unpool(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  const int fits = rank >= 3 && onri_layout_rank_in(layout, 1) == rank && onri_layout_knows_outputs(layout);
  const struct onr_max_unpool_params *p = onri_layout_node(layout)->params;
  if (!fits || p->channels_last) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, 1);
  if (onri_permutation_is_identity(&order)) return onri_layout_plain(layout, 0);
  ONR_TRY(onri_rule_spatial(layout));
  return onri_layout_input(layout, 1, &order);
}

/* --- layers that do not care --- */

enum onr_status onri_rule_elementwise(struct onri_layout *layout) {
  const int32_t count = onri_layout_node(layout)->num_in, rank = onri_layout_rank_out(layout, 0);
  for (int32_t k = 0; k < count; k++)
    if (onri_layout_has_in(layout, k) && (onri_layout_rank_in(layout, k) < 0 || onri_layout_rank_in(layout, k) > rank))
      return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, count);
  for (int32_t k = 0; k < count; k++)
    if (onri_layout_has_in(layout, k)) ONR_TRY(onri_layout_input(layout, k, &order));
  return onri_layout_put_all(layout, &order);
}

/* --- layers along one axis: an int64_t parameter --- */

/* Input 0 and the outputs are reordered together, the other inputs are lists or scalars. */
enum onr_status onri_rule_along_axis(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  int64_t axis;
  if (rank < 2 || onri_layout_rank_out(layout, 0) != rank || !onri_layout_knows_outputs(layout) ||
      !onri_layout_read_axis(layout, rank, &axis))
    return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, 1);
  ONR_TRY(onri_layout_write_axis(layout, axis, &order));
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  return onri_layout_put_all(layout, &order);
}

enum onr_status onri_rule_softmax(struct onri_layout *layout) {
  const struct onr_softmax_params *p = onri_layout_node(layout)->params;
  return p->flatten ? onri_layout_plain(layout, 0) : onri_rule_along_axis(layout);
}

enum onr_status onri_rule_concat(struct onri_layout *layout) {
  const int32_t count = onri_layout_node(layout)->num_in, rank = onri_layout_rank_out(layout, 0);
  int64_t axis;
  for (int32_t k = 0; k < count; k++)
    if (rank < 2 || onri_layout_rank_in(layout, k) != rank) return onri_layout_plain(layout, 0);
  if (!onri_layout_read_axis(layout, rank, &axis)) return onri_layout_plain(layout, 0);
  const struct onri_permutation order = onri_layout_choose(layout, 0, count);
  ONR_TRY(onri_layout_write_axis(layout, axis, &order));
  for (int32_t k = 0; k < count; k++) ONR_TRY(onri_layout_input(layout, k, &order));
  return onri_layout_put_all(layout, &order);
}

/* Dimensions from `axis` on form one block; those in front may be in any order. */
static enum onr_status trailing_from(struct onri_layout *layout, int64_t axis) {
  struct onri_permutation order = onri_layout_order_in(layout, 0);
  for (int64_t d = axis; d < order.rank; d++)
    if (order.axis[d] != d) order = onri_permutation_identity(order.rank);
  ONR_TRY(onri_layout_input(layout, 0, &order));
  ONR_TRY(onri_layout_plain(layout, 1));
  return onri_layout_put_all(layout, &order);
}

enum onr_status onri_rule_trailing(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  int64_t axis;
  if (rank < 2 || !onri_layout_knows_outputs(layout) || !onri_layout_read_axis(layout, rank, &axis))
    return onri_layout_plain(layout, 0);
  return trailing_from(layout, axis);
}

enum onr_status onri_rule_last_axis(struct onri_layout *layout) {
  const int32_t rank = onri_layout_rank_in(layout, 0);
  if (rank < 2 || onri_layout_rank_out(layout, 0) != rank) return onri_layout_plain(layout, 0);
  return trailing_from(layout, rank - 1);
}

/* matmul: a matrix on the right is a linear layer; a transposed operand is a flag away from a straight one. */
static enum onr_status matmul_operand(struct onri_layout *layout, int32_t i) {
  const int32_t rank = onri_layout_rank_in(layout, i);
  struct onri_permutation swapped = onri_permutation_identity(rank);
  const struct onri_permutation stored = onri_layout_order_in(layout, i);
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
  const int32_t a = onri_layout_rank_in(layout, 0), b = onri_layout_rank_in(layout, 1);
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
    if (onri_layout_rank_in(layout, k) != 4) return onri_layout_plain(layout, 0);
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
