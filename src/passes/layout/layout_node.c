/* layout_node.c: what rules ask of the node that is being visited, and do with it. */
#include "passes/layout/layout_node.h"

#include <string.h>

int32_t onri_layout_rank_in(const struct onri_layout *layout, int32_t i) {
  const struct onri_node *node = onri_layout_node(layout);
  return i < node->num_in ? onri_rewrite_rank(layout->rw, node->in[i]) : ONRI_UNKNOWN_RANK;
}

int32_t onri_layout_rank_out(const struct onri_layout *layout, int32_t i) {
  return onri_rewrite_rank(layout->rw, onri_layout_node(layout)->out[i]);
}

int onri_layout_has_in(const struct onri_layout *layout, int32_t i) {
  const struct onri_node *node = onri_layout_node(layout);
  return i < node->num_in && node->in[i] != ONRI_NONE;
}

struct onri_permutation onri_layout_order_in(const struct onri_layout *layout, int32_t i) {
  const struct onri_permutation order = onri_layout_permutation(layout, onri_layout_node(layout)->in[i]);
  return order.rank < 1 ? onri_permutation_identity(onri_layout_rank_in(layout, i)) : order;
}

enum onr_status onri_layout_put_all(struct onri_layout *layout, const struct onri_permutation *order) {
  for (int32_t k = 0; k < onri_layout_node(layout)->num_out; k++)
    if (k == 0 || onri_layout_rank_out(layout, k) == order->rank) ONR_TRY(onri_layout_put(layout, k, order));
  return ONR_STATUS_OK;
}

int onri_layout_knows_outputs(const struct onri_layout *layout) {
  const struct onri_node *node = onri_layout_node(layout);
  for (int32_t k = 1; k < node->num_out; k++)
    if (node->out[k] != ONRI_NONE && onri_layout_rank_out(layout, k) == ONRI_UNKNOWN_RANK) return 0;
  return 1;
}

int onri_layout_read_axis(const struct onri_layout *layout, int32_t rank, int64_t *axis) {
  memcpy(axis, (const char *)onri_layout_node(layout)->params + onri_layout_node(layout)->layer->layout_param,
         sizeof(*axis));
  if (*axis < -rank || *axis >= rank) return 0;
  if (*axis < 0) *axis += rank;
  return 1;
}

enum onr_status onri_layout_write_axis(struct onri_layout *layout, int64_t axis, const struct onri_permutation *order) {
  const struct onri_permutation inverse = onri_permutation_inverse(order);
  const int64_t moved = inverse.axis[axis];
  enum onr_status status = ONR_STATUS_OK;
  if (onri_permutation_is_identity(order)) return ONR_STATUS_OK;
  char *params = onri_rewrite_params(layout->rw, onri_layout_node(layout), &status);
  if (params) memcpy(params + onri_layout_node(layout)->layer->layout_param, &moved, sizeof(moved));
  return status;
}
