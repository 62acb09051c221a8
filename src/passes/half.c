/* half.c: long runs of nodes on float16 and bfloat16 compute in float32 all through: values are converted where they
 * come in and where they leave, not before and behind each node. What lies between is rounded less often, never more.
 * Short ones are rounded behind each node, as PyTorch does: conversions cost them nothing that is felt, and there two
 * programs can agree to the last place, which in long ones they cannot.
 *
 * A node joins when its layer computes halves by way of float32 anyway and all that its rule calls one type is half.
 * Nodes that only move elements join where what they move has been converted: caches that pass through stay half.
 * Constants are widened when they are read, one at a time; products keep such weights half. */
#include "base/numbers/convert.h"
#include "base/types.h"
#include "layers/layers.h"
#include "passes/rewrite.h"

static int is_half(uint8_t dtype) { return dtype == ONR_DTYPE_F16 || dtype == ONR_DTYPE_BF16; }

enum kind { OTHER, COMPUTE, MOVE };
static const struct {
  const struct onr_layer *layer;
  enum kind kind;
  int all_outputs; /* are of one type; else output 0 is a float, others are none */
} known[] = {
#define ROW(name, kind, all) {&onri_layer_##name, kind, all},
#define C(name) ROW(name, COMPUTE, 0)
#define M(name) ROW(name, MOVE, 0)
    /* clang-format off */
    C(average_pool) C(batch_norm) C(binary) C(clip) C(conv) C(conv_transpose) C(einsum) C(gemm) C(global_average_pool)
    C(global_lp_pool) C(global_max_pool) C(grid_sample) C(group_norm) C(instance_norm) C(layer_norm) C(linear)
    C(log_softmax) C(lp_norm) C(lp_pool) C(lrn) C(matmul) C(max_pool) C(mean_variance_norm) C(reduce) C(resize)
    C(rms_norm) C(rotary_embedding) C(softmax) C(unary) C(where)
    ROW(gru, COMPUTE, 1) ROW(lstm, COMPUTE, 1) ROW(rnn, COMPUTE, 1)
    M(channel_shuffle) M(concat) M(depth_to_space) M(expand) M(flatten) M(flatten_dims) M(gather) M(identity) M(pad)
    M(reshape) M(shape) M(size) M(slice) M(space_to_depth) M(squeeze) M(tile) M(transpose) M(trilu) M(unflatten)
    M(unsqueeze)
    ROW(split, MOVE, 1)
/* clang-format on */
#undef ROW
#undef C
#undef M
};

struct half {
  struct onri_rewrite *rw;
  struct onri_arena arena;
  size_t num_values; /* before the pass */
  uint8_t *dtype;    /* [num_values] as the tables of layers say; NONE: not known */
  uint8_t *joins;    /* [num_values] it is made in float32 */
  uint8_t *node;     /* [num_nodes] it joins */
  int32_t *wide;     /* [num_values] its float32, or ONRI_NONE */
};

/* --- which --- */

static size_t root_of(const struct onri_node *node, size_t i) {
  for (int32_t as; (as = onri_types_as(onri_input_types(node->layer, node->params, i))) >= 0 && (size_t)as < i;)
    i = (size_t)as;
  return i;
}

static int is_constant(const struct half *h, int32_t v) { return onri_rewrite_is_constant(h->rw, v); }

/* What the node's rule calls one type is half in all inputs, and float32 would do as well. */
static int may_join(const struct half *h, const struct onri_node *node, enum kind kind) {
  size_t root = SIZE_MAX;
  uint8_t type = ONR_DTYPE_NONE;
  int moved = 0;
  for (int32_t i = 0; i < node->num_in && root == SIZE_MAX; i++)
    if (node->in[i] != ONRI_NONE && is_half(h->dtype[node->in[i]]))
      root = root_of(node, (size_t)i), type = h->dtype[node->in[i]];
  if (root == SIZE_MAX || !onri_dtype_in(onri_input_types(node->layer, node->params, root), ONR_DTYPE_F32)) return 0;
  for (int32_t i = 0; i < node->num_in; i++) {
    if (node->in[i] == ONRI_NONE) continue;
    const uint8_t dtype = h->dtype[node->in[i]];
    if (root_of(node, (size_t)i) != root ? is_half(dtype) : dtype != type) return 0;
    if (dtype != type) continue;
    moved |= h->joins[node->in[i]];
    if (kind == MOVE && !h->joins[node->in[i]] && !is_constant(h, node->in[i])) return 0;
  }
  return kind == COMPUTE || moved;
}

static enum onr_dtype output_dtype(const struct half *h, const struct onri_node *node) {
  const uint32_t type = onri_output_type(node->layer, node->params);
  const int32_t as = onri_types_as(type);
  if (node->layer == &onri_layer_cast) return ((const struct onr_cast_params *)node->params)->to;
  if (as >= 0)
    return as < node->num_in && node->in[as] != ONRI_NONE ? (enum onr_dtype)h->dtype[node->in[as]] : ONR_DTYPE_NONE;
  for (int d = 1; d < ONR_NUM_DTYPES; d++)
    if (type == ONRI_DTYPE_BIT(d)) return (enum onr_dtype)d;
  return ONR_DTYPE_NONE;
}

static enum kind kind_of(const struct onri_node *node, int *all_outputs) {
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (node->layer == known[i].layer && node->num_bodies == 0) {
      *all_outputs = known[i].all_outputs;
      return known[i].kind;
    }
  return OTHER;
}

/* Returns 1 when it computes with what is already float32: it saves conversions. */
static int look_at(struct half *h, size_t n) {
  const struct onri_node *node = &h->rw->graph->nodes[n];
  int all_outputs = 0, is_run = 0;
  if (!node->layer) return 0;
  const enum kind kind = kind_of(node, &all_outputs);
  const enum onr_dtype dtype = output_dtype(h, node);
  h->node[n] = kind != OTHER && (all_outputs || node->num_out == 1 || node->layer == &onri_layer_max_pool) &&
               may_join(h, node, kind) && dtype != ONR_DTYPE_NONE;
  for (int32_t k = 0; k < node->num_out; k++) {
    if (node->out[k] == ONRI_NONE || (k > 0 && !all_outputs)) continue;
    h->dtype[node->out[k]] = (uint8_t)dtype;
    h->joins[node->out[k]] = h->node[n] && is_half((uint8_t)dtype);
  }
  for (int32_t i = 0; i < node->num_in; i++)
    is_run |= h->node[n] && kind == COMPUTE && node->in[i] != ONRI_NONE && h->joins[node->in[i]];
  return is_run;
}

/* The nodes that save conversions. */
static size_t find_runs(struct half *h) {
  const struct onri_graph *graph = h->rw->graph;
  size_t count = 0;
  for (size_t v = 0; v < h->num_values; v++)
    if (graph->values[v].constant) h->dtype[v] = (uint8_t)graph->values[v].constant->desc.dtype;
  for (size_t i = 0; i < graph->num_inputs; i++)
    h->dtype[graph->inputs[i]] = (uint8_t)graph->values[graph->inputs[i]].desc.dtype;
  for (size_t n = 0; n < graph->num_nodes; n++) count += (size_t)look_at(h, n);
  return count;
}

/* --- what becomes of them --- */

/* Of a constant: when it is wanted. */
static enum onr_status load_widened(void *source, const struct onri_constant *constant, void *target,
                                    struct onr_error *error) {
  const struct onri_constant *from = constant->of;
  void *own = NULL;
  (void)source;
  if (!from->data) {
    own = onri_allocate(from->allocator, onr_desc_bytes(&from->desc) + ONR_SLACK_BYTES);
    if (!own) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for %zu bytes", onr_desc_bytes(&from->desc));
    const enum onr_status status = from->load(from->source, from, own, error);
    if (status != ONR_STATUS_OK) {
      onri_release(from->allocator, own);
      return status;
    }
  }
  onri_load(from->desc.dtype, own ? own : from->data, (size_t)onr_desc_elements(&from->desc), target);
  onri_release(from->allocator, own);
  return ONR_STATUS_OK;
}

static int32_t widened_constant(struct half *h, int32_t v) {
  struct onri_graph *graph = h->rw->graph;
  struct onri_constant *from = graph->values[v].constant, *to = onri_allocate_zeroed(from->allocator, sizeof(*to));
  if (!to) return -1;
  onri_constant_retain(from);
  *to = (struct onri_constant){
      .desc = from->desc, .allocator = from->allocator, .references = 1, .load = load_widened, .of = from};
  to->desc.dtype = ONR_DTYPE_F32;
  return onri_rewrite_constant(h->rw, to);
}

static int32_t cast(struct half *h, int32_t from, enum onr_dtype to, const struct onri_origin *origin) {
  const struct onr_cast_params params = {.to = to};
  struct onr_desc desc = *onri_rewrite_desc(h->rw, from);
  desc.dtype = to;
  return onri_rewrite_node(h->rw, &onri_layer_cast, &params, origin, &from, 1, &desc);
}

/* The float32 of half value v; -1 when out of memory. */
static int32_t wide_of(struct half *h, int32_t v, const struct onri_origin *origin) {
  if (h->wide[v] == ONRI_NONE)
    h->wide[v] = is_constant(h, v) ? widened_constant(h, v) : cast(h, v, ONR_DTYPE_F32, origin);
  return h->wide[v];
}

static enum onr_status join(struct half *h, size_t n) {
  for (int32_t i = 0; i < h->rw->graph->nodes[n].num_in; i++) {
    const int32_t v = h->rw->graph->nodes[n].in[i];
    if (v == ONRI_NONE || !is_half(h->dtype[v])) continue;
    const int32_t wide = wide_of(h, v, h->rw->graph->nodes[n].origin);
    if (wide < 0) return onri_rewrite_no_memory(h->rw);
    h->rw->graph->nodes[n].in[i] = wide;
  }
  for (int32_t k = 0; k < h->rw->graph->nodes[n].num_out; k++) {
    const int32_t v = h->rw->graph->nodes[n].out[k];
    if (v == ONRI_NONE || !h->joins[v]) continue;
    struct onr_desc desc = *onri_rewrite_desc(h->rw, v);
    desc.dtype = ONR_DTYPE_F32;
    h->wide[v] = onri_rewrite_value(h->rw, &desc);
    if (h->wide[v] < 0) return onri_rewrite_no_memory(h->rw);
    struct onri_graph *graph = h->rw->graph;
    graph->nodes[n].out[k] = h->wide[v];
    graph->values[h->wide[v]].producer = (int32_t)n;
    graph->values[v].producer = ONRI_NONE;
  }
  return ONR_STATUS_OK;
}

/* Somebody wants the half of a value that is made in float32. */
static enum onr_status narrow(struct half *h, int32_t v) {
  struct onri_graph *graph = h->rw->graph;
  if (v == ONRI_NONE || (size_t)v >= h->num_values || !h->joins[v]) return ONR_STATUS_OK;
  const struct onr_cast_params params = {.to = (enum onr_dtype)h->dtype[v]};
  if (graph->values[v].producer != ONRI_NONE) return ONR_STATUS_OK; /* it is made */
  const struct onri_origin *origin = graph->nodes[graph->values[h->wide[v]].producer].origin;
  return onri_graph_add_node(graph, &onri_layer_cast, &params, origin, &h->wide[v], 1, &v, 1)
             ? ONR_STATUS_OK
             : onri_rewrite_no_memory(h->rw);
}

static enum onr_status convert(struct half *h) {
  struct onri_graph *graph = h->rw->graph;
  const size_t num_nodes = graph->num_nodes;
  h->rw->changed = 1;
  for (size_t n = 0; n < num_nodes; n++)
    if (h->node[n]) ONR_TRY(join(h, n));
  for (size_t n = 0; n < num_nodes; n++)
    for (int32_t i = 0; graph->nodes[n].layer && !h->node[n] && i < graph->nodes[n].num_in; i++)
      ONR_TRY(narrow(h, graph->nodes[n].in[i]));
  for (size_t i = 0; i < graph->num_outputs; i++) ONR_TRY(narrow(h, graph->outputs[i]));
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_half(struct onri_rewrite *rw) {
  enum { LONG = 16 };
  struct half h = {.rw = rw, .num_values = rw->graph->num_values};
  enum onr_status status = ONR_STATUS_OK;
  onri_arena_init(&h.arena, rw->graph->env->allocator, 0);
  h.dtype = onri_arena_allocate(&h.arena, h.num_values + 1);
  h.joins = onri_arena_allocate(&h.arena, h.num_values + 1);
  h.node = onri_arena_allocate(&h.arena, rw->graph->num_nodes + 1);
  h.wide = onri_arena_allocate(&h.arena, (h.num_values + 1) * sizeof(*h.wide));
  if (!h.dtype || !h.joins || !h.node || !h.wide) status = onri_rewrite_no_memory(rw);
  for (size_t v = 0; status == ONR_STATUS_OK && v < h.num_values; v++) h.wide[v] = ONRI_NONE;
  if (status == ONR_STATUS_OK && find_runs(&h) >= LONG) status = convert(&h);
  onri_arena_clear(&h.arena);
  return status;
}
