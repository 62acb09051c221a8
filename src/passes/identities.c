/* identities.c: nodes that pass on their input as it is. */
#include "passes/match.h"

/* x has the shape and the type of y: all dims known and equal. For layers that keep the number of elements it is enough
 * that all but one are equal. */
static int keeps_shape(const struct onri_rewrite *rw, int32_t x, int32_t y, int keeps_elements) {
  const int32_t rank = onri_rewrite_rank(rw, x);
  int32_t unequal = 0;
  if (rank == ONRI_UNKNOWN_RANK || rank != onri_rewrite_rank(rw, y)) return 0;
  if (onri_rewrite_desc(rw, x)->dtype == ONR_DTYPE_NONE ||
      onri_rewrite_desc(rw, x)->dtype != onri_rewrite_desc(rw, y)->dtype)
    return 0;
  for (int32_t d = 0; d < rank; d++) {
    const int64_t from = onri_rewrite_dim(rw, x, d), to = onri_rewrite_dim(rw, y, d);
    if (from != to || from == 0) return 0;
    unequal += keeps_elements ? !onri_rewrite_same_dim(rw, x, d, y, d) : from == ONR_UNKNOWN_DIM;
  }
  return unequal <= (keeps_elements ? 1 : 0);
}

static enum onr_status pass_on(struct onri_rewrite *rw, struct onri_node *node, int applies) {
  if (applies && node->out[0] != ONRI_NONE) onri_rewrite_alias(rw, node, node->in[0]);
  return ONR_STATUS_OK;
}

static enum onr_status always(struct onri_rewrite *rw, struct onri_node *node) { return pass_on(rw, node, 1); }
static enum onr_status same_elements(struct onri_rewrite *rw, struct onri_node *node) {
  return pass_on(rw, node, keeps_shape(rw, node->in[0], node->out[0], 1));
}
static enum onr_status same_shape(struct onri_rewrite *rw, struct onri_node *node) {
  return pass_on(rw, node, keeps_shape(rw, node->in[0], node->out[0], 0));
}

static enum onr_status single_input(struct onri_rewrite *rw, struct onri_node *node) {
  return pass_on(rw, node, node->num_in == 1);
}

static enum onr_status cast(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_cast_params *p = node->params;
  return pass_on(rw, node, onri_rewrite_desc(rw, node->in[0])->dtype == p->to);
}

static enum onr_status transpose(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_transpose_params *p = node->params;
  int applies = p->rank > 0 || onri_rewrite_rank(rw, node->in[0]) == 1;
  for (int32_t i = 0; i < p->rank; i++) applies &= p->perm[i] == i;
  return pass_on(rw, node, applies);
}

static enum onr_status pad(struct onri_rewrite *rw, struct onri_node *node) {
  return pass_on(rw, node, onri_rewrite_all_equal(rw, node->in[1], 0));
}

/* Of the whole of x, forwards. Steps other than 1 may keep the shape, too: backwards. */
static enum onr_status slice(struct onri_rewrite *rw, struct onri_node *node) {
  const int forwards = node->num_in < 5 || node->in[4] == ONRI_NONE || onri_rewrite_all_equal(rw, node->in[4], 1);
  return pass_on(rw, node, forwards && keeps_shape(rw, node->in[0], node->out[0], 0));
}

static enum onr_status unary(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_unary_params *p = node->params;
  return pass_on(rw, node, p->op == ONR_UNARY_AFFINE && p->alpha == 1.0f && p->beta == 0.0f);
}

/* A constant that changes neither the value nor the shape of x. */
static int is_neutral(const struct onri_rewrite *rw, int32_t x, int32_t c, double neutral) {
  const struct onr_desc *from = onri_rewrite_desc(rw, x);
  if (!onri_rewrite_all_equal(rw, c, neutral) || from->rank == ONRI_UNKNOWN_RANK) return 0;
  const struct onr_desc *desc = onri_rewrite_desc(rw, c);
  if (desc->rank > from->rank || desc->dtype != from->dtype) return 0;
  for (int32_t d = 0; d < desc->rank; d++)
    if (desc->dim[d] != 1 && desc->dim[d] != from->dim[from->rank - desc->rank + d]) return 0;
  return 1;
}

static enum onr_status binary(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  const int is_sum = p->op == ONR_BINARY_ADD, is_product = p->op == ONR_BINARY_MUL;
  if (p->clamp.enabled || node->num_in != 2 || node->in[0] == ONRI_NONE || node->in[1] == ONRI_NONE)
    return ONR_STATUS_OK;
  const double neutral = is_sum || p->op == ONR_BINARY_SUB ? 0 : 1;
  if (!is_sum && !is_product && p->op != ONR_BINARY_SUB && p->op != ONR_BINARY_DIV && p->op != ONR_BINARY_POW)
    return ONR_STATUS_OK;
  if (is_neutral(rw, node->in[0], node->in[1], neutral)) return pass_on(rw, node, 1);
  if ((is_sum || is_product) && is_neutral(rw, node->in[1], node->in[0], neutral))
    onri_rewrite_alias(rw, node, node->in[1]);
  return ONR_STATUS_OK;
}

/* A condition that is known and the same everywhere. */
static enum onr_status where(struct onri_rewrite *rw, struct onri_node *node) {
  for (int32_t side = 1; side <= 2; side++)
    if (onri_rewrite_all_equal(rw, node->in[0], 2 - side) && keeps_shape(rw, node->in[side], node->out[0], 0)) {
      onri_rewrite_alias(rw, node, node->in[side]);
      return ONR_STATUS_OK;
    }
  return ONR_STATUS_OK;
}

/* A batch of one, where ranks are known: nothing, or a dimension of 1 more or less. */
static enum onr_status single_batch(struct onri_rewrite *rw, struct onri_node *node, int32_t x,
                                    const struct onr_layer *layer) {
  const struct onr_batch_params *p = node->params;
  const int32_t rank = onri_rewrite_rank(rw, x);
  const struct onr_desc axes = onr_desc_make(ONR_DTYPE_I64, 1, (int64_t[]){1});
  if (rank == p->rank) return pass_on(rw, node, 1);
  if (rank != p->rank - 1) return ONR_STATUS_OK;
  const int32_t axis = onri_rewrite_data(rw, &axes, &(int64_t){p->axis});
  return axis < 0 ? onri_rewrite_no_memory(rw)
                  : onri_rewrite_become(rw, node, layer, NULL, (int32_t[]){node->in[0], axis}, 2);
}

static enum onr_status batch(struct onri_rewrite *rw, struct onri_node *node) {
  return single_batch(rw, node, node->in[0], &onri_layer_unsqueeze);
}
static enum onr_status unbatch(struct onri_rewrite *rw, struct onri_node *node) {
  return single_batch(rw, node, node->in[1], &onri_layer_squeeze);
}

static const struct onri_rewrite_rule rules[] = {
    {&onri_layer_identity, always},
    {&onri_layer_unary, unary},
    {&onri_layer_binary, binary},
    {&onri_layer_cast, cast},
    {&onri_layer_cast_like, same_elements},
    {&onri_layer_transpose, transpose},
    {&onri_layer_reshape, same_elements},
    {&onri_layer_flatten_dims, same_elements},
    {&onri_layer_unflatten, same_elements},
    {&onri_layer_flatten, same_elements},
    {&onri_layer_expand, same_shape},
    {&onri_layer_tile, same_shape},
    {&onri_layer_pad, pad},
    {&onri_layer_slice, slice},
    {&onri_layer_concat, single_input},
    {&onri_layer_batch, batch},
    {&onri_layer_unbatch, unbatch},
    {&onri_layer_where, where},
    {&onri_layer_sum_to, same_shape},
};

enum onr_status onri_pass_identities(struct onri_rewrite *rw) {
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}
