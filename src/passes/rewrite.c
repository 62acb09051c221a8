#include "passes/rewrite.h"

#include <string.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"

/* --- begin and end --- */

static int grow(struct onri_rewrite *rw) {
  const struct onri_graph *graph = rw->graph;
  const struct onr_allocator *allocator = graph->env->allocator;
  if (!onri_grow(allocator, &rw->uses, sizeof(*rw->uses), &rw->uses_capacity, graph->num_values + 1) ||
      !onri_grow(allocator, &rw->alias, sizeof(*rw->alias), &rw->alias_capacity, graph->num_values + 1) ||
      !onri_grow(allocator, &rw->is_output, sizeof(*rw->is_output), &rw->output_capacity, graph->num_values + 1))
    return 0;
  for (; rw->num_values < graph->num_values; rw->num_values++) {
    rw->uses[rw->num_values] = 0;
    rw->alias[rw->num_values] = ONRI_NONE;
    rw->is_output[rw->num_values] = 0;
  }
  return 1;
}

enum onr_status onri_rewrite_begin(struct onri_rewrite *rw, struct onri_graph *graph, struct onri_facts *facts,
                                   struct onri_fold_budget *budget, struct onr_error *error) {
  *rw = (struct onri_rewrite){.graph = graph, .error = error, .facts = facts, .budget = budget};
  if (!grow(rw)) return onri_rewrite_no_memory(rw);
  for (size_t i = 0; i < graph->num_nodes; i++) {
    const struct onri_node *node = &graph->nodes[i];
    for (int32_t k = 0; node->layer && k < node->num_in; k++)
      if (node->in[k] != ONRI_NONE) rw->uses[node->in[k]]++;
  }
  for (size_t i = 0; i < graph->num_outputs; i++) {
    rw->uses[graph->outputs[i]]++;
    rw->is_output[graph->outputs[i]] = 1;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_rewrite_end(struct onri_rewrite *rw, enum onr_status status) {
  struct onri_graph *graph = rw->graph;
  if (status == ONR_STATUS_OK && rw->changed) {
    for (size_t i = 0; i < graph->num_nodes; i++) onri_rewrite_visit(rw, &graph->nodes[i]);
    for (size_t i = 0; i < graph->num_outputs; i++) graph->outputs[i] = onri_rewrite_resolve(rw, graph->outputs[i]);
    status = onri_graph_tidy(graph, rw->error);
  }
  onri_release(graph->env->allocator, rw->uses);
  onri_release(graph->env->allocator, rw->alias);
  onri_release(graph->env->allocator, rw->is_output);
  return status;
}

void onri_rewrite_release(struct onri_rewrite *rw, int32_t v) {
  if (v == ONRI_NONE || (rw->facts && rw->facts->graph) || rw->uses[v] > 0 || rw->is_output[v]) return;
  struct onri_value *value = &rw->graph->values[v];
  if (value->constant) onri_constant_release(value->constant);
  value->constant = NULL;
}

enum onr_status onri_rewrite_no_memory(struct onri_rewrite *rw) {
  return onr_fail(rw->error, ONR_STATUS_NO_MEMORY, "out of memory while rewriting a graph of %zu nodes",
                  rw->graph->num_nodes);
}

/* --- looking --- */

int32_t onri_rewrite_resolve(const struct onri_rewrite *rw, int32_t v) {
  while (v != ONRI_NONE && rw->alias[v] != ONRI_NONE) v = rw->alias[v];
  return v;
}

void onri_rewrite_visit(struct onri_rewrite *rw, struct onri_node *node) {
  if (!node->layer) return;
  for (int32_t k = 0; k < node->num_in; k++) node->in[k] = onri_rewrite_resolve(rw, node->in[k]);
}

struct onri_node *onri_rewrite_producer(const struct onri_rewrite *rw, int32_t v) {
  if (v == ONRI_NONE || rw->graph->values[v].producer == ONRI_NONE) return NULL;
  struct onri_node *node = &rw->graph->nodes[rw->graph->values[v].producer];
  return node->layer ? node : NULL;
}

struct onri_node *onri_rewrite_match(const struct onri_rewrite *rw, int32_t v, const struct onr_layer *layer) {
  struct onri_node *node = onri_rewrite_producer(rw, v);
  return node && node->layer == layer && node->num_out > 0 && node->out[0] == v ? node : NULL;
}

struct onri_node *onri_rewrite_sole(const struct onri_rewrite *rw, int32_t v, const struct onr_layer *layer) {
  struct onri_node *node = onri_rewrite_match(rw, v, layer);
  return node && rw->uses[v] == 1 ? node : NULL;
}

const struct onr_desc *onri_rewrite_desc(const struct onri_rewrite *rw, int32_t v) {
  return &rw->graph->values[v].desc;
}

int32_t onri_rewrite_rank(const struct onri_rewrite *rw, int32_t v) {
  return v == ONRI_NONE ? ONRI_UNKNOWN_RANK : rw->graph->values[v].desc.rank;
}

int64_t onri_rewrite_dim(const struct onri_rewrite *rw, int32_t v, int32_t d) {
  const int32_t rank = onri_rewrite_rank(rw, v);
  if (d < 0) d += rank;
  return d < 0 || d >= rank ? ONR_UNKNOWN_DIM : rw->graph->values[v].desc.dim[d];
}

int onri_rewrite_is_constant(const struct onri_rewrite *rw, int32_t v) {
  return v != ONRI_NONE && rw->graph->values[v].constant != NULL;
}

int onri_rewrite_same_dim(const struct onri_rewrite *rw, int32_t a, int32_t i, int32_t b, int32_t j) {
  const int64_t x = onri_rewrite_dim(rw, a, i), y = onri_rewrite_dim(rw, b, j);
  if (x != y || x != ONR_UNKNOWN_DIM) return x == y;
  if (a == b && i == j) return 1;
  return a >= 0 && b >= 0 &&
         onri_facts_same_dim(rw->facts, a, i < 0 ? i + onri_rewrite_rank(rw, a) : i, b,
                             j < 0 ? j + onri_rewrite_rank(rw, b) : j);
}

int onri_rewrite_same_shape(const struct onri_rewrite *rw, int32_t a, int32_t b) {
  const int32_t rank = onri_rewrite_rank(rw, a);
  if (rank == ONRI_UNKNOWN_RANK || rank != onri_rewrite_rank(rw, b)) return 0;
  for (int32_t d = 0; d < rank; d++)
    if (!onri_rewrite_same_dim(rw, a, d, b, d)) return 0;
  return 1;
}

static const void *contents(const struct onri_rewrite *rw, int32_t v) {
  struct onr_error ignored = {0};
  enum onr_status status = ONR_STATUS_OK;
  return onri_rewrite_is_constant(rw, v) ? onri_value_data(rw->graph, v, &status, &ignored) : NULL;
}

const float *onri_rewrite_floats(const struct onri_rewrite *rw, int32_t v, size_t *count) {
  if (!onri_rewrite_is_constant(rw, v)) return NULL;
  const struct onr_desc *desc = &rw->graph->values[v].constant->desc;
  *count = (size_t)onr_desc_elements(desc);
  return desc->dtype == ONR_DTYPE_F32 && *count > 0 ? contents(rw, v) : NULL;
}

static double element(enum onr_dtype dtype, const void *data, size_t i) {
  const char *at = (const char *)data + i * onr_dtype_size(dtype);
  union {
    float f;
    double d;
    int64_t i;
    uint64_t u;
  } x;
  onri_load(dtype, at, 1, &x);
  switch (onri_dtype_class(dtype)) {
    case ONRI_CLASS_F32: return (double)x.f;
    case ONRI_CLASS_F64: return x.d;
    case ONRI_CLASS_I64: return (double)x.i;
    default: return (double)x.u;
  }
}

int onri_rewrite_all_equal(const struct onri_rewrite *rw, int32_t v, double value) {
  if (!onri_rewrite_is_constant(rw, v)) return 0;
  const struct onr_desc *desc = &rw->graph->values[v].constant->desc;
  const size_t count = (size_t)onr_desc_elements(desc);
  if (count == 0 || onri_dtype_class(desc->dtype) == ONRI_CLASS_NONE) return 0;
  const void *data = contents(rw, v);
  for (size_t i = 0; data && i < count; i++)
    if (!(element(desc->dtype, data, i) == value)) return 0;
  return data != NULL;
}

int onri_rewrite_scalar(const struct onri_rewrite *rw, int32_t v, double *value) {
  if (!onri_rewrite_is_constant(rw, v)) return 0;
  const struct onr_desc *desc = &rw->graph->values[v].constant->desc;
  if (onr_desc_elements(desc) != 1 || onri_dtype_class(desc->dtype) == ONRI_CLASS_NONE) return 0;
  const void *data = contents(rw, v);
  if (data) *value = element(desc->dtype, data, 0);
  return data != NULL;
}

int onri_rewrite_ints(const struct onri_rewrite *rw, int32_t v, int64_t *values, size_t capacity, size_t *count) {
  if (!onri_rewrite_is_constant(rw, v)) return 0;
  const struct onr_desc *desc = &rw->graph->values[v].constant->desc;
  if (!onri_dtype_in(ONRI_DTYPES_INDEX, desc->dtype) || desc->rank > 1) return 0;
  const int64_t elements = onr_desc_elements(desc);
  if ((uint64_t)elements > capacity) return 0;
  *count = (size_t)elements;
  if (*count == 0) return 1;
  const void *data = contents(rw, v);
  if (data) onri_load(desc->dtype, data, *count, values);
  return data != NULL;
}

/* --- changing --- */

static void use(struct onri_rewrite *rw, int32_t v, int32_t change) {
  if (v != ONRI_NONE) rw->uses[v] += change;
}

void onri_rewrite_remove(struct onri_rewrite *rw, struct onri_node *node) {
  for (int32_t k = 0; k < node->num_in; k++) use(rw, node->in[k], -1);
  node->layer = NULL;
  rw->changed = 1;
}

void onri_rewrite_alias(struct onri_rewrite *rw, struct onri_node *node, int32_t to) {
  const int32_t from = node->out[0];
  const int is_input = rw->graph->values[to].producer == ONRI_NONE && !onri_rewrite_is_constant(rw, to);
  if (rw->is_output[from] && (is_input || rw->is_output[to])) return;
  rw->is_output[to] |= rw->is_output[from];
  rw->uses[to] += rw->uses[from];
  rw->uses[from] = 0;
  rw->alias[from] = to;
  onri_rewrite_remove(rw, node);
}

void onri_rewrite_take(struct onri_rewrite *rw, struct onri_node *node, struct onri_node *from) {
  struct onri_graph *graph = rw->graph;
  graph->values[node->out[0]].producer = ONRI_NONE;
  node->out[0] = from->out[0];
  graph->values[node->out[0]].producer = (int32_t)(node - graph->nodes);
  onri_rewrite_remove(rw, from);
}

enum onr_status onri_rewrite_become(struct onri_rewrite *rw, struct onri_node *node, const struct onr_layer *layer,
                                    const void *params, const int32_t *in, size_t num_in) {
  struct onri_arena *arena = &rw->graph->arena;
  void *own = NULL;
  if (layer->params_size > 0) {
    own = params ? onri_arena_copy(arena, params, layer->params_size) : onri_arena_allocate(arena, layer->params_size);
    if (!own) return onri_rewrite_no_memory(rw);
  }
  int32_t *inputs = onri_arena_copy(arena, in, num_in * sizeof(*in));
  if (!inputs) return onri_rewrite_no_memory(rw);
  for (size_t k = 0; k < num_in; k++) use(rw, in[k], 1);
  onri_rewrite_remove(rw, node);
  node->layer = layer;
  node->params = own;
  node->in = inputs;
  node->num_in = (int32_t)num_in;
  return ONR_STATUS_OK;
}

enum onr_status onri_rewrite_set_input(struct onri_rewrite *rw, struct onri_node *node, int32_t i, int32_t v) {
  if (i >= node->num_in) {
    int32_t *in = onri_arena_allocate(&rw->graph->arena, ((size_t)i + 1) * sizeof(*in));
    if (!in) return onri_rewrite_no_memory(rw);
    for (int32_t k = 0; k <= i; k++) in[k] = k < node->num_in ? node->in[k] : ONRI_NONE;
    node->in = in;
    node->num_in = i + 1;
  }
  use(rw, v, 1);
  use(rw, node->in[i], -1);
  node->in[i] = v;
  rw->changed = 1;
  return ONR_STATUS_OK;
}

void *onri_rewrite_params(struct onri_rewrite *rw, struct onri_node *node, enum onr_status *status) {
  void *copy = onri_arena_copy(&rw->graph->arena, node->params, node->layer->params_size);
  if (!copy) {
    *status = onri_rewrite_no_memory(rw);
    return NULL;
  }
  node->params = copy;
  rw->changed = 1;
  return copy;
}

/* What there is no memory for is not ONRI_NONE, which stands for an input that is left out. */
enum { NO_VALUE = ONRI_NONE - 1 };

static int32_t account(struct onri_rewrite *rw, int32_t v) { return v >= 0 && grow(rw) ? v : NO_VALUE; }

int32_t onri_rewrite_value(struct onri_rewrite *rw, const struct onr_desc *desc) {
  const struct onr_desc copy = *desc; /* it may be another value's, and the values may move */
  return account(rw, onri_graph_add_value(rw->graph, NULL, &copy));
}

int32_t onri_rewrite_data(struct onri_rewrite *rw, const struct onr_desc *desc, const void *data) {
  return account(rw, onri_graph_add_data(rw->graph, desc, data));
}

int32_t onri_rewrite_constant(struct onri_rewrite *rw, struct onri_constant *constant) {
  return account(rw, onri_graph_add_constant(rw->graph, NULL, constant));
}

int32_t onri_rewrite_node(struct onri_rewrite *rw, const struct onr_layer *layer, const void *params,
                          const struct onri_origin *origin, const int32_t *in, size_t num_in,
                          const struct onr_desc *out) {
  for (size_t k = 0; k < num_in; k++)
    if (in[k] < ONRI_NONE) return NO_VALUE;
  const int32_t v = onri_rewrite_value(rw, out);
  if (v < 0 || !onri_graph_add_node(rw->graph, layer, params, origin, in, num_in, &v, 1)) return NO_VALUE;
  for (size_t k = 0; k < num_in; k++) use(rw, in[k], 1);
  rw->changed = 1;
  return v;
}

/* --- reshapes --- */

/* The dimension of x that y's dimension d is, none that is taken; the one at the same place where there is a choice. */
static int32_t find_copy(const onri_expr *x, int32_t x_rank, const uint8_t *taken, onri_expr dim, int32_t d) {
  int32_t found = -1;
  for (int32_t k = 0; k < x_rank; k++)
    if (!taken[k] && onri_expr_is_same(x[k], dim) && (found < 0 || k == d)) found = k;
  return found;
}

int onri_rewrite_reshaping(struct onri_rewrite *rw, const onri_expr *x, int32_t x_rank, const onri_expr *y,
                           int32_t y_rank, struct onri_reshaping *reshaping) {
  struct onri_reshaping *r = reshaping;
  uint8_t taken[ONR_MAX_RANK] = {0};
  int32_t unknown = 0;
  *r = (struct onri_reshaping){.params = {.allow_zero = 1}, .list = {.dtype = ONR_DTYPE_I64, .rank = 1}};
  r->list.dim[0] = y_rank;
  if (x_rank < 0 || y_rank < 0) return 0;
  for (int32_t d = 0; d < y_rank; d++) {
    if (onri_expr_is_number(&rw->facts->exprs, y[d], &r->dims[d])) {
      if (r->dims[d] == 0) return 0;
      continue;
    }
    const int32_t k = find_copy(x, x_rank, taken, y[d], d);
    r->dims[d] = k < 0 ? -1 : 1;
    if (k >= 0) r->params.copy[d] = (uint8_t)(k + 1), taken[k] = 1;
    unknown += k < 0;
  }
  return unknown <= 1;
}

enum onr_status onri_rewrite_reshape(struct onri_rewrite *rw, struct onri_node *node, int32_t x,
                                     const struct onri_reshaping *reshaping) {
  const size_t index = (size_t)(node - rw->graph->nodes);
  const int32_t in[2] = {x, onri_rewrite_data(rw, &reshaping->list, reshaping->dims)};
  if (in[0] < 0 || in[1] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_reshape, &reshaping->params, in, 2);
}

/* --- patterns --- */

enum onr_status onri_rewrite_sweep(struct onri_rewrite *rw, const struct onri_rewrite_rule *rules, size_t count) {
  for (size_t i = 0; i < rw->graph->num_nodes; i++) {
    onri_rewrite_visit(rw, &rw->graph->nodes[i]);
    for (size_t r = 0; r < count; r++) {
      const struct onri_node *node = &rw->graph->nodes[i];
      if (!node->layer) break;
      if (node->layer == rules[r].layer) ONR_TRY(rules[r].apply(rw, &rw->graph->nodes[i]));
    }
  }
  return ONR_STATUS_OK;
}
