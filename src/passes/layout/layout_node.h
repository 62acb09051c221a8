/* layout_node.h: what rules ask of the node that is being visited, and do with it. */
#ifndef ONRI_LAYOUT_NODE_H
#define ONRI_LAYOUT_NODE_H

#include "passes/layout/layout.h"

/* ONRI_UNKNOWN_RANK where it is not known, or there is no such input. */
int32_t onri_layout_rank_in(const struct onri_layout *layout, int32_t i);
int32_t onri_layout_rank_out(const struct onri_layout *layout, int32_t i);
int onri_layout_has_in(const struct onri_layout *layout, int32_t i);
/* The order that input i is stored in, as a full list of axes. */
struct onri_permutation onri_layout_order_in(const struct onri_layout *layout, int32_t i);
/* Output 0, which has order's rank even where that is not known, and the others of that rank are made in this order;
 * the rest (statistics ...) stays in logical order. */
enum onr_status onri_layout_put_all(struct onri_layout *layout, const struct onri_permutation *order);
/* No output but the first is of unknown rank. */
int onri_layout_knows_outputs(const struct onri_layout *layout);
/* The axis parameter, counted from the front; 0 when it is none of `rank` axes. */
int onri_layout_read_axis(const struct onri_layout *layout, int32_t rank, int64_t *axis);
/* The axis parameter becomes the place that `axis` has in `order`. */
enum onr_status onri_layout_write_axis(struct onri_layout *layout, int64_t axis, const struct onri_permutation *order);

#endif
