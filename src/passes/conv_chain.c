/* conv_chain.c: a convolution, a depthwise one of its result, and perhaps one of single pixels become one layer, where
 * what lies between them would leave the cache (layers/conv/conv_chain.c). After the layout pass. */
#include "base/env.h"
#include "passes/match.h"

/* Bytes that the first one makes of an image. */
enum { LEAST_BYTES = 1 << 20 };

static const struct onr_conv_params *params_of(const struct onri_node *node) { return node->params; }

static int is_constant_or_none(const struct onri_rewrite *rw, const struct onri_node *node, int32_t i) {
  return i >= node->num_in || node->in[i] == ONRI_NONE ||
         (onri_rewrite_is_constant(rw, node->in[i]) && onri_rewrite_desc(rw, node->in[i])->dtype == ONR_DTYPE_F32);
}

static int32_t bias_of(const struct onri_node *node) { return node->num_in > 2 ? node->in[2] : ONRI_NONE; }

static int has_residual(const struct onri_node *node) { return node->num_in > 3 && node->in[3] != ONRI_NONE; }

/* float32, channels-last, two dimensions, constant weights. */
static int can_be_stage(const struct onri_rewrite *rw, const struct onri_node *node) {
  return node && node->layer == &onri_layer_conv && params_of(node)->channels_last && node->num_in > 1 &&
         node->num_in <= 4 && onri_rewrite_rank(rw, node->in[1]) == 4 &&
         onri_rewrite_desc(rw, node->in[0])->dtype == ONR_DTYPE_F32 && onri_rewrite_is_constant(rw, node->in[1]) &&
         is_constant_or_none(rw, node, 1) && is_constant_or_none(rw, node, 2);
}

/* One of single pixels, or of a picture's few channels: others have faster methods. */
static int can_be_first(const struct onri_rewrite *rw, const struct onri_node *node) {
  enum { FEW = 4 };
  return can_be_stage(rw, node) && !has_residual(node) && params_of(node)->groups <= 1 &&
         (onri_match_pixelwise(rw, node) || onri_rewrite_dim(rw, node->in[1], 1) <= FEW);
}

static int can_be_second(const struct onri_rewrite *rw, const struct onri_node *node) {
  const int64_t groups = params_of(node)->groups;
  return can_be_stage(rw, node) && !has_residual(node) && !params_of(node)->x_channels_first && groups > 1 &&
         onri_rewrite_dim(rw, node->in[1], 0) == groups && onri_rewrite_dim(rw, node->in[1], 1) == 1;
}

static int can_be_third(const struct onri_rewrite *rw, const struct onri_node *node) {
  return can_be_stage(rw, node) && !params_of(node)->x_channels_first && onri_match_pixelwise(rw, node);
}

static int is_large(const struct onri_rewrite *rw, int32_t v) {
  double bytes = sizeof(float);
  for (int32_t d = 1; d < 4; d++) bytes *= (double)onri_rewrite_dim(rw, v, d); /* unknown: -1 */
  return onri_rewrite_rank(rw, v) == 4 && onri_rewrite_dim(rw, v, 1) > 0 && onri_rewrite_dim(rw, v, 2) > 0 &&
         bytes >= LEAST_BYTES;
}

static enum onr_status begin_chain(struct onri_rewrite *rw, struct onri_node *node) {
  struct onri_node *first = onri_rewrite_sole(rw, node->in[0], &onri_layer_conv);
  if (!can_be_second(rw, node) || !first || !can_be_first(rw, first) || !is_large(rw, node->in[0]))
    return ONR_STATUS_OK;
  const struct onr_conv_chain_params params = {.count = 2, .stage = {*params_of(first), *params_of(node)}};
  const int32_t in[] = {first->in[0], first->in[1], node->in[1], ONRI_NONE, bias_of(first), bias_of(node)};
  ONR_TRY(onri_rewrite_become(rw, node, &onri_layer_conv_chain, &params, in, sizeof(in) / sizeof(in[0])));
  onri_rewrite_remove(rw, first);
  return ONR_STATUS_OK;
}

static enum onr_status end_chain(struct onri_rewrite *rw, struct onri_node *node) {
  struct onri_node *chain = onri_rewrite_sole(rw, node->in[0], &onri_layer_conv_chain);
  if (!chain || !can_be_third(rw, node)) return ONR_STATUS_OK;
  struct onr_conv_chain_params params = *(const struct onr_conv_chain_params *)chain->params;
  if (params.count != 2) return ONR_STATUS_OK;
  params.stage[params.count++] = *params_of(node);
  const int32_t in[] = {chain->in[0], chain->in[1], chain->in[2],  node->in[1],
                        chain->in[4], chain->in[5], bias_of(node), has_residual(node) ? node->in[3] : ONRI_NONE};
  ONR_TRY(onri_rewrite_become(rw, node, &onri_layer_conv_chain, &params, in, has_residual(node) ? 8 : 7));
  onri_rewrite_remove(rw, chain);
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_conv_chain(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_conv, begin_chain}, {&onri_layer_conv, end_chain}};
  const struct onr_env *env = rw->graph->env;
  if (env->backend == ONR_BACKEND_PORTABLE || env->precision == ONR_PRECISION_FAST || env->method != ONR_METHOD_RULE)
    return ONR_STATUS_OK;
  return onri_rewrite_sweep(rw, rules, 2);
}
