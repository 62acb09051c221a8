/* layout.c: channels-last through the whole graph, with as few transposed tensors as possible. See layout.h. */
#include "passes/layout/layout.h"

#include <string.h>

#include "base/shape.h"

/* --- orders of values --- */

/* Dimensions of `desc` in this order, those known to be 1 left out: equal lists mean equal bytes. */
static int32_t moving_axes(const struct onr_desc *desc, const struct onri_permutation *order,
                           uint8_t axes[ONR_MAX_RANK]) {
  int32_t count = 0;
  for (int32_t i = 0; i < desc->rank; i++) {
    const uint8_t axis = order->rank < 1 ? (uint8_t)i : order->axis[i];
    if (desc->dim[axis] != 1) axes[count++] = axis;
  }
  return count;
}

static int same_bytes(const struct onr_desc *desc, const struct onri_permutation *a, const struct onri_permutation *b) {
  uint8_t x[ONR_MAX_RANK], y[ONR_MAX_RANK];
  const int32_t count = moving_axes(desc, a, x);
  moving_axes(desc, b, y);
  return count <= 0 || memcmp(x, y, (size_t)count) == 0;
}

static double elements(const struct onr_desc *desc) {
  double count = 1;
  for (int32_t d = 0; d < desc->rank; d++) count *= desc->dim[d] >= 0 ? (double)desc->dim[d] : d == 0 ? 1 : 64;
  return count;
}

static struct onr_desc reorder(const struct onr_desc *desc, const struct onri_permutation *order) {
  struct onr_desc result = *desc;
  for (int32_t i = 0; i < desc->rank && order->rank > 0; i++) result.dim[i] = desc->dim[order->axis[i]];
  return result;
}

struct onri_permutation onri_layout_permutation(const struct onri_layout *layout, int32_t v) {
  const struct onri_layout_value *stored = &layout->values[v], *base = &layout->values[stored->base];
  if (stored->base == v) return base->order;
  const struct onri_permutation inverse = onri_permutation_inverse(&stored->view);
  return onri_permutation_then(&inverse, &base->order);
}

/* --- making forms --- */

static int32_t remember(struct onri_layout *layout, int32_t base, const struct onri_permutation *order, int32_t value) {
  if (value < 0 || !onri_grow(layout->rw->graph->env->allocator, &layout->forms, sizeof(*layout->forms),
                              &layout->forms_capacity, layout->num_forms + 1))
    return -1;
  layout->forms[layout->num_forms] = (struct onri_form){*order, value, layout->values[base].forms};
  layout->values[base].forms = (int32_t)layout->num_forms++;
  return value;
}

static void copy_reordered(const struct onr_desc *from, const struct onr_desc *to, const struct onri_permutation *order,
                           const char *source, char *target) {
  const size_t size = onr_dtype_size(from->dtype), count = (size_t)onr_desc_elements(to);
  int64_t strides[ONR_MAX_RANK], index[ONR_MAX_RANK] = {0};
  int64_t at = 0;
  onri_strides(from, strides);
  for (size_t i = 0; i < count; i++) {
    memcpy(target + i * size, source + (size_t)at * size, size);
    for (int32_t d = to->rank - 1; d >= 0; d--) {
      at += strides[order->axis[d]];
      if (++index[d] < to->dim[d]) break;
      at -= strides[order->axis[d]] * to->dim[d];
      index[d] = 0;
    }
  }
}

/* A constant of `desc` (that of v, perhaps with leading 1s) in another order; -1 on failure. */
static int32_t reorder_constant(struct onri_layout *layout, int32_t v, const struct onr_desc *desc,
                                const struct onri_permutation *order) {
  struct onri_rewrite *rw = layout->rw;
  struct onr_error ignored = {0};
  enum onr_status status = ONR_STATUS_OK;
  const struct onr_desc to = reorder(desc, order);
  const void *data = onri_value_data(rw->graph, v, &status, &ignored);
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &to);
  if (!constant || (!data && onr_desc_bytes(desc) > 0)) {
    onri_constant_release(constant);
    return -1;
  }
  if (onr_desc_bytes(desc) > 0) copy_reordered(desc, &to, order, data, constant->data);
  return onri_rewrite_constant(rw, constant);
}

static int32_t add_transpose(struct onri_layout *layout, int32_t x, const struct onri_permutation *order,
                             const struct onr_desc *desc, int32_t into) {
  struct onri_rewrite *rw = layout->rw;
  struct onr_transpose_params params = {.rank = order->rank};
  for (int32_t i = 0; i < order->rank; i++) params.perm[i] = order->axis[i];
  if (into == ONRI_NONE)
    return onri_rewrite_node(rw, &onri_layer_transpose, &params, onri_layout_node(layout)->origin, &x, 1, desc);
  if (!onri_graph_add_node(rw->graph, &onri_layer_transpose, &params, onri_layout_node(layout)->origin, &x, 1, &into,
                           1))
    return -1;
  rw->uses[x]++;
  return into;
}

int32_t onri_layout_get(struct onri_layout *layout, int32_t v, const struct onri_permutation *order) {
  const struct onri_layout_value *stored = &layout->values[v];
  const int32_t b = stored->base;
  const struct onri_permutation wanted = onri_permutation_then(&stored->view, order);
  const struct onri_layout_value *base = &layout->values[b];
  const struct onr_desc *desc = onri_rewrite_desc(layout->rw, b);
  if (onri_permutation_equal(&wanted, &base->order)) return base->value;
  for (int32_t f = base->forms; f != ONRI_NONE; f = layout->forms[f].next)
    if (onri_permutation_equal(&wanted, &layout->forms[f].order)) return layout->forms[f].value;
  if (onri_rewrite_is_constant(layout->rw, b) && desc->dtype != ONR_DTYPE_STRING)
    return remember(layout, b, &wanted, reorder_constant(layout, b, desc, &wanted));
  /* The value itself is free to be the target when nothing makes it any more. */
  const int is_free = onri_permutation_is_identity(order) && !onri_rewrite_producer(layout->rw, v) && base->value != v;
  const struct onri_permutation inverse = onri_permutation_inverse(&base->order);
  const struct onri_permutation change = base->order.rank < 1 ? wanted : onri_permutation_then(&inverse, &wanted);
  const struct onr_desc result = reorder(desc, &wanted);
  return remember(layout, b, &wanted, add_transpose(layout, base->value, &change, &result, is_free ? v : ONRI_NONE));
}

int32_t onri_layout_get_broadcast(struct onri_layout *layout, int32_t v, const struct onri_permutation *order) {
  struct onr_desc desc = *onri_rewrite_desc(layout->rw, v);
  const int32_t missing = order->rank - desc.rank;
  uint8_t axes[ONR_MAX_RANK];
  if (missing == 0) return onri_layout_get(layout, v, order);
  const struct onri_permutation plain = onri_permutation_identity(desc.rank);
  if (onri_permutation_is_identity(order) || moving_axes(&desc, &plain, axes) == 0)
    return onri_layout_get(layout, v, &plain);
  memmove(desc.dim + missing, desc.dim, (size_t)desc.rank * sizeof(desc.dim[0]));
  for (int32_t d = 0; d < missing; d++) desc.dim[d] = 1;
  desc.rank = order->rank;
  if (onri_rewrite_is_constant(layout->rw, v) && layout->values[v].base == v && desc.dtype != ONR_DTYPE_STRING)
    return reorder_constant(layout, v, &desc, order);
  int64_t leading[ONR_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
  const struct onr_desc list = {.dtype = ONR_DTYPE_I64, .rank = 1, .dim = {missing}};
  const int32_t in[2] = {onri_layout_get(layout, v, &plain), onri_rewrite_data(layout->rw, &list, leading)};
  const int32_t full = in[0] < 0 || in[1] < 0 ? -1
                                              : onri_rewrite_node(layout->rw, &onri_layer_unsqueeze, NULL,
                                                                  onri_layout_node(layout)->origin, in, 2, &desc);
  const struct onr_desc result = reorder(&desc, order);
  return full < 0 ? -1 : add_transpose(layout, full, order, &result, ONRI_NONE);
}

/* A transpose that moves no bytes is still a node. */
static double cost_of_change(const struct onr_desc *desc, const struct onri_permutation *from,
                             const struct onri_permutation *to) {
  if (onri_permutation_equal(from, to)) return 0;
  return same_bytes(desc, from, to) ? 0.5 : elements(desc);
}

double onri_layout_cost(const struct onri_layout *layout, int32_t v, const struct onri_permutation *order) {
  const struct onr_desc *desc = onri_rewrite_desc(layout->rw, v);
  const struct onri_permutation stored = onri_layout_permutation(layout, v);
  uint8_t axes[ONR_MAX_RANK];
  if (onri_rewrite_is_constant(layout->rw, layout->values[v].base)) return 0;
  if (desc->rank == order->rank) return cost_of_change(desc, &stored, order);
  const struct onri_permutation plain = onri_permutation_identity(desc->rank);
  const int moves = moving_axes(desc, &plain, axes) > 1 && !onri_permutation_is_identity(order);
  return moves || !same_bytes(desc, &stored, &plain) ? elements(desc) : 0;
}

enum onr_status onri_layout_input(struct onri_layout *layout, int32_t i, const struct onri_permutation *order) {
  const int32_t now = onri_layout_node(layout)->in[i];
  const int32_t v = onri_layout_get_broadcast(layout, now, order);
  if (v < 0) return onri_rewrite_no_memory(layout->rw);
  return v == now ? ONR_STATUS_OK : onri_rewrite_set_input(layout->rw, onri_layout_node(layout), i, v);
}

enum onr_status onri_layout_put(struct onri_layout *layout, int32_t i, const struct onri_permutation *order) {
  struct onri_rewrite *rw = layout->rw;
  const int32_t v = onri_layout_node(layout)->out[i];
  if (v == ONRI_NONE || onri_permutation_is_identity(order)) return ONR_STATUS_OK;
  const struct onr_desc desc = reorder(onri_rewrite_desc(rw, v), order);
  const int32_t stored = onri_rewrite_value(rw, &desc);
  if (stored < 0) return onri_rewrite_no_memory(rw);
  rw->graph->values[stored].producer = (int32_t)layout->current;
  rw->graph->values[stored].name = rw->graph->values[v].name;
  rw->graph->values[stored].order = onri_arena_copy(&rw->graph->arena, order->axis, sizeof(order->axis));
  if (!rw->graph->values[stored].order) return onri_rewrite_no_memory(rw);
  rw->graph->values[v].producer = ONRI_NONE;
  onri_layout_node(layout)->out[i] = stored;
  layout->values[v].order = *order;
  layout->values[v].value = stored;
  rw->changed = 1;
  return ONR_STATUS_OK;
}

void onri_layout_view(struct onri_layout *layout, const struct onri_permutation *order) {
  struct onri_node *node = onri_layout_node(layout);
  const int32_t v = node->out[0];
  const struct onri_layout_value *from = &layout->values[node->in[0]];
  layout->values[v].base = from->base;
  layout->values[v].view = onri_permutation_then(&from->view, order);
  onri_rewrite_remove(layout->rw, node);
  layout->rw->graph->values[v].producer = ONRI_NONE;
}

enum onr_status onri_layout_plain(struct onri_layout *layout, int32_t first) {
  for (int32_t k = first; k < onri_layout_node(layout)->num_in; k++) {
    const int32_t v = onri_layout_node(layout)->in[k];
    const struct onri_permutation plain = onri_permutation_identity(onri_rewrite_rank(layout->rw, v));
    if (v != ONRI_NONE) ONR_TRY(onri_layout_input(layout, k, &plain));
  }
  return ONR_STATUS_OK;
}

/* --- choosing --- */

static double total_cost(const struct onri_layout *layout, const struct onri_node *node, int32_t first, int32_t count,
                         const struct onri_permutation *order) {
  const struct onr_desc *out = onri_rewrite_desc(layout->rw, node->out[0]);
  const struct onri_permutation last = onri_permutation_channels_last(out->rank),
                                plain = onri_permutation_identity(out->rank);
  const int32_t wish = layout->values[node->out[0]].wish;
  double cost = 0;
  for (int32_t k = first; k < first + count; k++)
    if (node->in[k] != ONRI_NONE) cost += onri_layout_cost(layout, node->in[k], order);
  if (wish > 0) cost += cost_of_change(out, order, &last);
  if (wish < 0) cost += cost_of_change(out, order, &plain);
  return cost;
}

struct onri_permutation onri_layout_choose(const struct onri_layout *layout, int32_t first, int32_t count) {
  const struct onri_node *node = onri_layout_node(layout);
  const int32_t rank = onri_rewrite_rank(layout->rw, node->out[0]);
  struct onri_permutation best = onri_permutation_identity(rank);
  if (rank < 2) return best;
  double lowest = total_cost(layout, node, first, count, &best);
  for (int32_t k = first; k <= first + count; k++) {
    struct onri_permutation order = onri_permutation_channels_last(rank);
    if (k < first + count) {
      if (node->in[k] == ONRI_NONE || onri_rewrite_rank(layout->rw, node->in[k]) != rank) continue;
      order = onri_layout_permutation(layout, node->in[k]);
    } else if (layout->values[node->out[0]].wish <= 0 || rank < 3) {
      continue;
    }
    if (order.rank < 1) continue;
    const double cost = total_cost(layout, node, first, count, &order);
    if (cost < lowest) {
      lowest = cost;
      best = order;
    }
  }
  return best;
}

/* --- the pass --- */

/* Backwards: what the readers of each value want. */
static void collect_wishes(struct onri_layout *layout) {
  const struct onri_graph *graph = layout->rw->graph;
  for (size_t i = 0; i < graph->num_outputs; i++) layout->values[graph->outputs[i]].wish--;
  for (size_t n = graph->num_nodes; n-- > 0;) {
    const struct onri_node *node = &graph->nodes[n];
    if (!node->layer) continue;
    const struct onri_layout_rule *rule = onri_layout_find(node->layer);
    const int32_t of_output = node->num_out > 0 && node->out[0] != ONRI_NONE ? layout->values[node->out[0]].wish : 0;
    for (int32_t k = 0; k < node->num_in; k++) {
      int32_t wish = -1;
      if (node->in[k] == ONRI_NONE) continue;
      if (rule->wish == ONRI_WISH_OUTPUT) wish = (of_output > 0) - (of_output < 0);
      if (rule->wish == ONRI_WISH_CHANNELS_LAST && onri_layout_is_image(node, k)) wish = 1;
      if (rule->wish == ONRI_WISH_NOTHING) wish = 0;
      layout->values[node->in[k]].wish += wish;
    }
  }
}

/* A graph output must not become a graph input, nor one tensor two outputs. */
static int is_own_memory(const struct onri_rewrite *rw, int32_t v) {
  return !rw->is_output[v] && (rw->graph->values[v].producer != ONRI_NONE || onri_rewrite_is_constant(rw, v));
}

/* Inputs that the rule has left alone are read in logical order: the node that made them may be gone, or store them
 * otherwise. */
static enum onr_status settle(struct onri_layout *layout) {
  for (int32_t k = 0; onri_layout_node(layout)->layer && k < onri_layout_node(layout)->num_in; k++) {
    const int32_t v = onri_layout_node(layout)->in[k];
    if (v == ONRI_NONE || (size_t)v >= layout->num_values) continue;
    if (layout->values[v].base == v && layout->values[v].value == v) continue;
    const struct onri_permutation plain = onri_permutation_identity(onri_rewrite_rank(layout->rw, v));
    ONR_TRY(onri_layout_input(layout, k, &plain));
  }
  return ONR_STATUS_OK;
}

static enum onr_status sweep(struct onri_layout *layout) {
  struct onri_graph *graph = layout->rw->graph;
  const size_t num_nodes = graph->num_nodes;
  for (size_t n = 0; n < num_nodes; n++) {
    if (!graph->nodes[n].layer) continue;
    const struct onri_layout_rule *rule = onri_layout_find(graph->nodes[n].layer);
    layout->current = n;
    ONR_TRY(rule->apply(layout));
    ONR_TRY(settle(layout));
  }
  for (size_t i = 0; i < graph->num_outputs; i++) {
    const struct onri_permutation plain = onri_permutation_identity(onri_rewrite_rank(layout->rw, graph->outputs[i]));
    int32_t v = onri_layout_get(layout, graph->outputs[i], &plain);
    if (v >= 0 && v != graph->outputs[i] && !is_own_memory(layout->rw, v))
      v = onri_rewrite_node(layout->rw, &onri_layer_identity, NULL, onri_layout_node(layout)->origin, &v, 1,
                            onri_rewrite_desc(layout->rw, v));
    if (v < 0) return onri_rewrite_no_memory(layout->rw);
    layout->rw->is_output[v] = 1;
    graph->outputs[i] = v;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_layout(struct onri_rewrite *rw) {
  const struct onr_allocator *allocator = rw->graph->env->allocator;
  struct onri_layout layout = {.rw = rw, .num_values = rw->graph->num_values};
  layout.values = onri_allocate(allocator, (layout.num_values + 1) * sizeof(*layout.values));
  if (!layout.values) return onri_rewrite_no_memory(rw);
  for (size_t v = 0; v < layout.num_values; v++)
    layout.values[v] = (struct onri_layout_value){.base = (int32_t)v, .value = (int32_t)v, .forms = ONRI_NONE};
  collect_wishes(&layout);
  const enum onr_status status = sweep(&layout);
  onri_release(allocator, layout.values);
  onri_release(allocator, layout.forms);
  return status;
}
