/* fuse_attention.c: softmax(scale Q K^T + mask) V as exporters write it out becomes one layer that keeps no score
 * matrix.
 *
 * The scale may sit on Q, on K (in front of or behind its transpose), on the scores, or on several of them. Scores may
 * be capped, cap tanh(scores / cap). The mask is added.
 *
 * A query from which the mask hides all keys gets what the graph says: Softmax gives NaN for a row of -infinity, and so
 * does the layer here; exporters that mean PyTorch's scaled_dot_product_attention, which gives 0, write where(isnan(p),
 * 0, p) behind Softmax, which is taken into the layer, too. Only the operator Attention gives 0 by itself. */
#include "passes/match.h"

struct pattern {
  int32_t q, k, v, mask; /* k: as it goes into the product, transposed */
  double scale, cap;     /* cap 0: none */
};

/* The scale of v comes off, as long as nobody else reads the scaled value. */
static int32_t unscale(const struct onri_rewrite *rw, int32_t v, double *scale) {
  double factor = 1;
  const int32_t x = onri_match_scale(rw, v, &factor);
  if (x == v || rw->uses[v] != 1) return v;
  *scale *= factor;
  return x;
}

/* Product of one reader, without clamp, bias or flags. */
static struct onri_node *match_product(const struct onri_rewrite *rw, int32_t v, double *scale) {
  struct onri_node *node = onri_rewrite_sole(rw, v, &onri_layer_matmul);
  if (!node) return NULL;
  const struct onr_matmul_params *p = node->params;
  if (p->transpose_a || p->transpose_b || p->clamp.enabled || (node->num_in > 2 && node->in[2] != ONRI_NONE))
    return NULL;
  if (p->scale != 0.0f) *scale *= (double)p->scale;
  return node;
}

/* A mask has the shape of the scores or is broadcast to it; the scores themselves are not. A mask that is shorter than
 * the keys hides the rest instead of being broadcast. */
static int is_mask(const struct onri_rewrite *rw, int32_t mask, int32_t scores, int32_t sum) {
  const struct onr_desc *m = onri_rewrite_desc(rw, mask), *s = onri_rewrite_desc(rw, sum);
  return m->rank >= 2 && m->rank <= s->rank && m->dtype == s->dtype && onri_rewrite_same_shape(rw, scores, sum) &&
         onri_rewrite_same_dim(rw, mask, m->rank - 1, sum, s->rank - 1);
}

/* x for v = cap tanh(x / cap); v where it is not that, or somebody else reads what is in between. */
static int32_t uncap(const struct onri_rewrite *rw, int32_t v, double *cap) {
  double outer = 1, inner = 1;
  const int32_t capped = onri_match_scale(rw, v, &outer);
  const struct onri_node *tanh = onri_match_unary(rw, capped, ONR_UNARY_TANH);
  if (!tanh || rw->uses[v] != 1 || rw->uses[capped] != 1 || rw->uses[tanh->in[0]] != 1) return v;
  const int32_t x = onri_match_scale(rw, tanh->in[0], &inner);
  if (!(outer > 0) || !onri_match_near(outer * inner, 1)) return v;
  *cap = outer;
  return x;
}

static int match_scores(const struct onri_rewrite *rw, int32_t v, struct pattern *p) {
  struct onri_node *product;
  p->scale = 1;
  p->cap = 0;
  p->mask = ONRI_NONE;
  const struct onri_node *sum = onri_match_binary(rw, v, ONR_BINARY_ADD);
  if (sum && rw->uses[v] == 1) {
    for (int side = 0; side < 2 && p->mask == ONRI_NONE; side++) {
      double scale = 1, cap;
      const int32_t scores = unscale(rw, uncap(rw, sum->in[side], &cap), &scale);
      if (match_product(rw, scores, &scale) && is_mask(rw, sum->in[1 - side], sum->in[side], v)) {
        p->mask = sum->in[1 - side];
        v = sum->in[side];
      }
    }
    if (p->mask == ONRI_NONE) return 0;
  }
  v = unscale(rw, uncap(rw, v, &p->cap), &p->scale);
  product = match_product(rw, v, &p->scale);
  if (!product) return 0;
  p->q = unscale(rw, product->in[0], &p->scale);
  p->k = unscale(rw, product->in[1], &p->scale);
  return 1;
}

/* K as [batch, heads, keys, size] from its transposed form: by undoing or changing the transpose that made it. */
static int32_t straighten(struct onri_rewrite *rw, int32_t v, double *scale) {
  const struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_transpose);
  if (!node) return ONRI_NONE;
  const struct onr_transpose_params *p = node->params;
  const int32_t rank = onri_rewrite_rank(rw, v);
  struct onr_transpose_params params = *p;
  if (p->rank != rank || rank < 3) return ONRI_NONE;
  params.perm[rank - 1] = p->perm[rank - 2];
  params.perm[rank - 2] = p->perm[rank - 1];
  int is_identity = 1;
  for (int32_t i = 0; i < rank; i++) is_identity &= params.perm[i] == i;
  int32_t x = node->in[0];
  if (rw->uses[v] == 1) x = unscale(rw, x, scale);
  if (is_identity) return x;
  struct onr_desc desc = *onri_rewrite_desc(rw, v);
  desc.dim[rank - 1] = onri_rewrite_dim(rw, v, rank - 2);
  desc.dim[rank - 2] = onri_rewrite_dim(rw, v, rank - 1);
  return onri_rewrite_node(rw, &onri_layer_transpose, &params, node->origin, &x, 1, &desc);
}

/* Whether the transpose of K can be undone: a look ahead, before anything is changed. */
static int can_straighten(const struct onri_rewrite *rw, int32_t v) {
  const struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_transpose);
  const int32_t rank = onri_rewrite_rank(rw, v);
  return node && rank >= 3 && ((const struct onr_transpose_params *)node->params)->rank == rank;
}

/* x for a v that repeats each of x's heads: reshape(expand(unsqueeze(x, 2))), as grouped queries are spelled out. The
 * layer shares the heads by itself. v where it is not that. */
static int32_t unrepeated(const struct onri_rewrite *rw, int32_t v) {
  uint8_t axes[ONR_MAX_RANK] = {0};
  const struct onri_node *reshape = onri_rewrite_match(rw, v, &onri_layer_reshape);
  const struct onri_node *expand = reshape ? onri_rewrite_match(rw, reshape->in[0], &onri_layer_expand) : NULL;
  const struct onri_node *unsqueeze = expand ? onri_rewrite_match(rw, expand->in[0], &onri_layer_unsqueeze) : NULL;
  if (!unsqueeze || onri_rewrite_rank(rw, v) != 4 || onri_rewrite_rank(rw, unsqueeze->in[0]) != 4) return v;
  const int32_t x = unsqueeze->in[0], repeated = expand->out[0];
  if (onri_rewrite_rank(rw, repeated) != 5 || !onri_match_axes(rw, unsqueeze, 5, axes) || !axes[2]) return v;
  for (int32_t d = 0; d < 4; d++)
    if (!onri_rewrite_same_dim(rw, x, d, repeated, d < 2 ? d : d + 1) ||
        (d != 1 && !onri_rewrite_same_dim(rw, x, d, v, d)))
      return v;
  const int64_t heads = onri_rewrite_dim(rw, x, 1), times = onri_rewrite_dim(rw, repeated, 2);
  return heads > 0 && times > 0 && onri_rewrite_dim(rw, v, 1) % heads == 0 &&
                 onri_rewrite_dim(rw, v, 1) / heads == times
             ? x
             : v;
}

static int is_last_axis_softmax(const struct onri_node *softmax, int32_t rank) {
  const struct onr_softmax_params *p = softmax->params;
  return p->axis == -1 || p->axis == rank - 1;
}

/* Batch and head dimensions of the operands must agree: matmul would broadcast them, attention does not. */
static int heads_agree(const struct onri_rewrite *rw, const struct pattern *p, int32_t rank) {
  for (int32_t d = 0; d < rank - 2; d++)
    if (!onri_rewrite_same_dim(rw, p->q, d, p->k, d) || !onri_rewrite_same_dim(rw, p->q, d, p->v, d)) return 0;
  return 1;
}

/* The softmax behind where(isnan(p), 0, p), or behind v itself; NULL when it is neither, or read by others. */
static const struct onri_node *match_probabilities(const struct onri_rewrite *rw, int32_t v,
                                                   enum onr_blind_query *blind_query) {
  const struct onri_node *where = onri_rewrite_sole(rw, v, &onri_layer_where);
  double zero;
  *blind_query = ONR_BLIND_QUERY_NAN;
  if (!where) return onri_rewrite_sole(rw, v, &onri_layer_softmax);
  const struct onri_node *is_nan = onri_match_unary(rw, where->in[0], ONR_UNARY_IS_NAN);
  if (!is_nan || rw->uses[where->in[0]] != 1 || is_nan->in[0] != where->in[2] || rw->uses[where->in[2]] != 2 ||
      !onri_rewrite_scalar(rw, where->in[1], &zero) || zero != 0)
    return NULL;
  *blind_query = ONR_BLIND_QUERY_GUARDED;
  return onri_rewrite_match(rw, where->in[2], &onri_layer_softmax);
}

static enum onr_status fuse(struct onri_rewrite *rw, struct onri_node *node) {
  struct pattern p;
  enum onr_blind_query blind_query;
  const struct onr_matmul_params *mp = node->params;
  const int32_t rank = onri_rewrite_rank(rw, node->out[0]);
  const size_t index = (size_t)(node - rw->graph->nodes);
  if ((rank != 3 && rank != 4) || mp->transpose_a || mp->transpose_b || mp->clamp.enabled || mp->scale != 0.0f ||
      node->num_in != 2 || !onri_match_is_float(rw, node->out[0]))
    return ONR_STATUS_OK;
  const struct onri_node *softmax = match_probabilities(rw, node->in[0], &blind_query);
  if (!softmax || !is_last_axis_softmax(softmax, rank) || !match_scores(rw, softmax->in[0], &p)) return ONR_STATUS_OK;
  p.v = node->in[1];
  if (onri_rewrite_rank(rw, p.q) != rank || onri_rewrite_rank(rw, p.k) != rank || onri_rewrite_rank(rw, p.v) != rank ||
      !heads_agree(rw, &p, rank) || !can_straighten(rw, p.k) || p.scale == 0)
    return ONR_STATUS_OK;
  if (rank == 3 && p.mask != ONRI_NONE && onri_rewrite_rank(rw, p.mask) == 3 && onri_rewrite_dim(rw, p.mask, 0) != 1)
    return ONR_STATUS_OK;
  int32_t k = straighten(rw, p.k, &p.scale);
  if (k < 0) return onri_rewrite_no_memory(rw);
  const int32_t few_k = unrepeated(rw, k), few_v = unrepeated(rw, p.v);
  if (few_k != k && few_v != p.v && onri_rewrite_same_dim(rw, few_k, 1, few_v, 1)) {
    k = few_k;
    p.v = few_v;
  }
  const struct onr_attention_params params = {.scale = (float)p.scale,
                                              .softcap = (float)p.cap,
                                              .heads = rank == 3,
                                              .kv_heads = rank == 3,
                                              .blind_query = blind_query};
  const int32_t in[4] = {p.q, k, p.v, p.mask};
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_attention, &params, in,
                             p.mask == ONRI_NONE ? 3 : 4);
}

enum onr_status onri_pass_attention(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_matmul, fuse}};
  return onri_rewrite_sweep(rw, rules, 1);
}
