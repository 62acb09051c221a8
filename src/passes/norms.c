/* norms.c: layer, RMS and group normalisation and softmax as exporters write them out. The bare normalisation is
 * recognised first; a scale and a shift behind it are taken in one by one. */
#include <string.h>

#include "passes/match.h"

/* v = x - mean of x over the last n dimensions; n, or 0. */
static int32_t match_centred(const struct onri_rewrite *rw, int32_t v, int32_t *x) {
  const struct onri_node *node = onri_match_binary(rw, v, ONR_BINARY_SUB);
  int32_t of;
  if (!node) return 0;
  const int32_t count = onri_match_trailing_reduce(rw, node->in[1], ONR_REDUCE_MEAN, &of);
  *x = node->in[0];
  return of == *x ? count : 0;
}

/* v = mean of the squares of x over the last n dimensions, plus epsilon; n, or 0. */
static int32_t match_mean_square(const struct onri_rewrite *rw, int32_t v, int32_t *x, double *epsilon) {
  int32_t mean, square;
  if (!onri_match_shift(rw, v, &mean, epsilon) || *epsilon < 0) return 0;
  const int32_t count = onri_match_trailing_reduce(rw, mean, ONR_REDUCE_MEAN, &square);
  return count > 0 && onri_match_square(rw, square, x) ? count : 0;
}

/* The node is top / sqrt(mean square + epsilon), in any spelling. Returns the number of dimensions, or 0. */
static int32_t match_normalised(const struct onri_rewrite *rw, const struct onri_node *node, int32_t *top,
                                int32_t *squared, double *epsilon) {
  const struct onr_binary_params *p = node->params;
  int32_t inside;
  if (p->clamp.enabled) return 0;
  if (p->op == ONR_BINARY_DIV) {
    const struct onri_node *root = onri_match_unary(rw, node->in[1], ONR_UNARY_SQRT);
    *top = node->in[0];
    return root ? match_mean_square(rw, root->in[0], squared, epsilon) : 0;
  }
  for (int side = 0; p->op == ONR_BINARY_MUL && side < 2; side++) {
    *top = node->in[side];
    if (onri_match_rsqrt(rw, node->in[1 - side], &inside)) return match_mean_square(rw, inside, squared, epsilon);
  }
  return 0;
}

/* Two values are the same, or the same difference written down twice. */
static int same_centred(const struct onri_rewrite *rw, int32_t a, int32_t b, int32_t *x, int32_t count) {
  int32_t other;
  if (match_centred(rw, a, x) != count) return 0;
  return a == b || (match_centred(rw, b, &other) == count && other == *x);
}

static enum onr_status bare(struct onri_rewrite *rw, struct onri_node *node) {
  int32_t top, squared, x;
  double epsilon;
  const int32_t count = match_normalised(rw, node, &top, &squared, &epsilon);
  if (count == 0 || !onri_match_is_float(rw, top)) return ONR_STATUS_OK;
  if (same_centred(rw, top, squared, &x, count)) {
    const struct onr_layer_norm_params params = {.axis = -count, .epsilon = (float)epsilon};
    return onri_rewrite_become(rw, node, &onri_layer_layer_norm, &params, &x, 1);
  }
  if (top != squared) return ONR_STATUS_OK;
  const struct onr_rms_norm_params params = {.axis = -count, .epsilon = (float)epsilon};
  return onri_rewrite_become(rw, node, &onri_layer_rms_norm, &params, &top, 1);
}

/* Constant c has, from the back, the last `count` dimensions of x, or fewer. */
static int fits_trailing(const struct onri_rewrite *rw, int32_t c, int32_t x, int32_t count) {
  const struct onr_desc *desc = onri_rewrite_desc(rw, c), *of = onri_rewrite_desc(rw, x);
  if (!onri_rewrite_is_constant(rw, c) || desc->dtype != of->dtype || desc->rank < 1 || desc->rank > count ||
      of->rank < count)
    return 0;
  for (int32_t d = 0; d < desc->rank; d++)
    if (desc->dim[d] != of->dim[of->rank - desc->rank + d]) return 0;
  return 1;
}

/* Constant c has one element a channel of x [N, C, ...]: [C, 1, ...] with or without leading 1s. */
static int fits_channels(const struct onri_rewrite *rw, int32_t c, int32_t x) {
  size_t count;
  const int64_t channels = onri_rewrite_dim(rw, x, 1);
  return channels > 0 && onri_match_per_channel(rw, c, onri_rewrite_rank(rw, x), channels, 1, &count) &&
         count == (size_t)channels;
}

/* Input `slot` (1 scale, 2 bias) of norm becomes constant c, flattened to [channels] for group_norm. */
static enum onr_status take_constant(struct onri_rewrite *rw, struct onri_node *norm, struct onri_node *node,
                                     int32_t slot, int32_t c) {
  if (norm->layer == &onri_layer_group_norm) {
    size_t count;
    const float *data = onri_rewrite_floats(rw, c, &count);
    const struct onr_desc desc = {.dtype = ONR_DTYPE_F32, .rank = 1, .dim = {(int64_t)count}};
    c = onri_rewrite_data(rw, &desc, data);
    if (c < 0) return onri_rewrite_no_memory(rw);
  }
  ONR_TRY(onri_rewrite_set_input(rw, norm, slot, c));
  onri_rewrite_take(rw, norm, node);
  return ONR_STATUS_OK;
}

static int has(const struct onri_node *node, int32_t i) { return i < node->num_in && node->in[i] != ONRI_NONE; }

/* norm(x) c before a bias, or norm(x) + c. */
static enum onr_status scale_or_shift(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  const int32_t slot = p->op == ONR_BINARY_MUL ? 1 : 2;
  if ((p->op != ONR_BINARY_MUL && p->op != ONR_BINARY_ADD) || p->clamp.enabled) return ONR_STATUS_OK;
  for (int side = 0; side < 2; side++) {
    const int32_t v = node->in[side], c = node->in[1 - side];
    struct onri_node *norm = onri_rewrite_producer(rw, v);
    if (!norm || rw->uses[v] != 1 || norm->num_out != 1 || has(norm, slot) || (slot == 1 && has(norm, 2))) continue;
    int fits = 0;
    if (norm->layer == &onri_layer_layer_norm)
      fits = fits_trailing(rw, c, norm->in[0], (int32_t) - ((const struct onr_layer_norm_params *)norm->params)->axis);
    if (norm->layer == &onri_layer_rms_norm && slot == 1)
      fits = fits_trailing(rw, c, norm->in[0], (int32_t) - ((const struct onr_rms_norm_params *)norm->params)->axis);
    if (norm->layer == &onri_layer_group_norm)
      fits =
          !((const struct onr_group_norm_params *)norm->params)->scale_per_group && fits_channels(rw, c, norm->in[0]);
    if (fits) return take_constant(rw, norm, node, slot, c);
  }
  return ONR_STATUS_OK;
}

/* exp(x - max x) / sum of it, along the last dimension: softmax. */
static enum onr_status softmax(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  int32_t summed, top;
  if (p->op != ONR_BINARY_DIV || p->clamp.enabled) return ONR_STATUS_OK;
  const struct onri_node *exponential = onri_match_unary(rw, node->in[0], ONR_UNARY_EXP);
  if (!exponential || onri_match_trailing_reduce(rw, node->in[1], ONR_REDUCE_SUM, &summed) != 1 ||
      summed != node->in[0])
    return ONR_STATUS_OK;
  const struct onri_node *difference = onri_match_binary(rw, exponential->in[0], ONR_BINARY_SUB);
  if (!difference || onri_match_trailing_reduce(rw, difference->in[1], ONR_REDUCE_MAX, &top) != 1 ||
      top != difference->in[0])
    return ONR_STATUS_OK;
  const struct onr_softmax_params params = {.axis = -1};
  return onri_rewrite_become(rw, node, &onri_layer_softmax, &params, &difference->in[0], 1);
}

/* Reshape [N, G, -1], instance_norm without a scale of its own, reshape back: group_norm. */
static enum onr_status group_norm(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onri_node *instance = onri_rewrite_match(rw, node->in[0], &onri_layer_instance_norm);
  if (!instance || has(instance, 3)) return ONR_STATUS_OK;
  const struct onr_instance_norm_params *p = instance->params;
  const struct onri_node *split = onri_rewrite_match(rw, instance->in[0], &onri_layer_reshape);
  if (!split || p->channels_last) return ONR_STATUS_OK;
  if ((has(instance, 1) && !onri_rewrite_all_equal(rw, instance->in[1], 1)) ||
      (has(instance, 2) && !onri_rewrite_all_equal(rw, instance->in[2], 0)))
    return ONR_STATUS_OK;
  const int32_t x = split->in[0], grouped = split->out[0];
  const struct onr_desc *from = onri_rewrite_desc(rw, x), *to = onri_rewrite_desc(rw, node->out[0]),
                        *mid = onri_rewrite_desc(rw, grouped);
  const int64_t groups = onri_rewrite_dim(rw, grouped, 1), channels = onri_rewrite_dim(rw, x, 1);
  if (from->rank < 3 || to->rank != from->rank || mid->rank != 3 || groups < 1 || channels < 1 ||
      channels % groups != 0)
    return ONR_STATUS_OK;
  if (!onri_rewrite_same_shape(rw, x, node->out[0]) || !onri_rewrite_same_dim(rw, x, 0, grouped, 0))
    return ONR_STATUS_OK;
  const struct onr_group_norm_params params = {.groups = groups, .epsilon = p->epsilon};
  return onri_rewrite_become(rw, node, &onri_layer_group_norm, &params, &x, 1);
}

enum onr_status onri_pass_norms(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {
      {&onri_layer_binary, bare},
      {&onri_layer_binary, softmax},
      {&onri_layer_binary, scale_or_shift},
      {&onri_layer_reshape, group_norm},
  };
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}
