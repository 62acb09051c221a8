/* product_parts.c: what a product makes in one piece and nobody reads but in parts (Q, K and V of one projection) is
 * made as these parts, each behind the other in memory: products with some columns of the same weights. Runs after the
 * layout pass. */
#include <string.h>

#include "passes/match.h"

enum { MOST_PARTS = 8, NEARBY = 64 };

/* A layer of products, and where its parameters say which columns it takes. */
static const struct kind {
  const struct onr_layer *layer;
  size_t columns;
} kinds[] = {
    {&onri_layer_linear, offsetof(struct onr_linear_params, columns)},
    {&onri_layer_matmul, offsetof(struct onr_matmul_params, columns)},
    {&onri_layer_gemm, offsetof(struct onr_gemm_params, columns)},
};

/* The whole, of which dimension `axis` counts the parts, and who reads it: part i is read by node readers[i]. */
struct whole {
  const struct kind *kind;
  int32_t product, axis; /* product: the node's index */
  int64_t count, size;   /* parts, columns of each */
  size_t readers[MOST_PARTS];
};

static int is_reshaping(const struct onri_node *node) {
  return node->layer == &onri_layer_reshape || node->layer == &onri_layer_squeeze ||
         node->layer == &onri_layer_unsqueeze;
}

static const struct kind *kind_of(const struct onri_node *node) {
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    struct onr_columns columns;
    if (kinds[i].layer != node->layer) continue;
    memcpy(&columns, (const char *)node->params + kinds[i].columns, sizeof(columns));
    return columns.count == 0 && node->num_in <= 3 ? &kinds[i] : NULL;
  }
  return NULL;
}

/* The number of the part that a node takes, or -1. */
static int64_t part_of(const struct onri_rewrite *rw, const struct onri_node *node, int32_t x, int32_t axis,
                       int64_t count) {
  int64_t index;
  size_t num;
  if (node->layer != &onri_layer_gather || node->in[0] != x || onri_rewrite_rank(rw, node->in[1]) != 0 ||
      !onri_rewrite_ints(rw, node->in[1], &index, 1, &num) || num != 1)
    return -1;
  const int64_t at = ((const struct onr_gather_params *)node->params)->axis;
  if ((at < 0 ? at + onri_rewrite_rank(rw, x) : at) != axis) return -1;
  if (index < 0) index += count;
  return index < count ? index : -1;
}

/* All that read x take a part of it, each another one: they follow within a few nodes. */
static int find_readers(const struct onri_rewrite *rw, size_t first, int32_t x, struct whole *w) {
  int64_t found = 0;
  uint32_t seen = 0;
  for (size_t n = first; n < rw->graph->num_nodes && n < first + NEARBY && found < w->count; n++) {
    const struct onri_node *node = &rw->graph->nodes[n];
    const int64_t part = node->layer ? part_of(rw, node, x, w->axis, w->count) : -1;
    if (part < 0) continue;
    if (seen >> part & 1u) return 0;
    seen |= 1u << part;
    w->readers[part] = n;
    found++;
  }
  return found == w->count && rw->uses[x] == (int32_t)found;
}

static int find_whole(const struct onri_rewrite *rw, const struct onri_node *node, struct whole *w) {
  const int32_t x = node->in[0], rank = onri_rewrite_rank(rw, x);
  const int64_t axis = ((const struct onr_gather_params *)node->params)->axis;
  if (rank < 2 || axis < -rank || axis >= rank || onri_rewrite_desc(rw, x)->dtype != ONR_DTYPE_F32) return 0;
  w->axis = (int32_t)(axis < 0 ? axis + rank : axis);
  w->count = onri_rewrite_dim(rw, x, w->axis);
  w->size = 1;
  for (int32_t d = w->axis + 1; d < rank; d++) {
    const int64_t dim = onri_rewrite_dim(rw, x, d);
    if (dim < 1 || dim > INT32_MAX / w->size) return 0;
    w->size *= dim;
  }
  if (w->count < 2 || w->count > MOST_PARTS || !find_readers(rw, (size_t)(node - rw->graph->nodes), x, w)) return 0;
  int32_t v = x;
  const struct onri_node *maker = onri_rewrite_producer(rw, v);
  for (int i = 0; maker && is_reshaping(maker) && i < NEARBY; i++) {
    v = maker->in[0];
    maker = onri_rewrite_producer(rw, v);
    if (rw->uses[v] != 1) return 0;
  }
  w->kind = maker && maker->num_out == 1 ? kind_of(maker) : NULL;
  if (!w->kind || onri_rewrite_rank(rw, maker->in[1]) != 2 || onri_rewrite_rank(rw, v) < 2) return 0;
  w->product = (int32_t)(maker - rw->graph->nodes);
  return onri_rewrite_dim(rw, v, -1) == w->count * w->size;
}

/* Reader `part` becomes a reshape of a product of its own. */
static enum onr_status make_part(struct onri_rewrite *rw, const struct whole *w, size_t part,
                                 const struct onri_reshaping *reshaping) {
  const struct onri_node product = rw->graph->nodes[w->product];
  const struct onr_columns columns = {(int64_t)part * w->size, w->size};
  struct onr_desc desc = *onri_rewrite_desc(rw, product.out[0]);
  desc.dim[desc.rank - 1] = w->size;
  char *params = onri_arena_copy(&rw->graph->arena, product.params, product.layer->params_size);
  if (!params) return onri_rewrite_no_memory(rw);
  memcpy(params + w->kind->columns, &columns, sizeof(columns));
  const int32_t v =
      onri_rewrite_node(rw, product.layer, params, product.origin, product.in, (size_t)product.num_in, &desc);
  if (v < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_reshape(rw, &rw->graph->nodes[w->readers[part]], v, reshaping);
}

static enum onr_status gather(struct onri_rewrite *rw, struct onri_node *node) {
  struct whole w;
  struct onri_reshaping reshaping;
  onri_expr from[ONR_MAX_RANK], to[ONR_MAX_RANK];
  if (!find_whole(rw, node, &w)) return ONR_STATUS_OK;
  const int32_t from_rank = onri_facts_dims(rw->facts, rw->graph->nodes[w.product].out[0], from),
                rank = onri_facts_dims(rw->facts, node->out[0], to);
  if (from_rank < 2) return ONR_STATUS_OK;
  from[from_rank - 1] = onri_expr_number(&rw->facts->exprs, w.size);
  if (!onri_rewrite_reshaping(rw, from, from_rank, to, rank, &reshaping)) return ONR_STATUS_OK;
  for (size_t part = 0; part < (size_t)w.count; part++) ONR_TRY(make_part(rw, &w, part, &reshaping));
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_product_parts(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_gather, gather}};
  return onri_rewrite_sweep(rw, rules, 1);
}
