/* residual.c: the sum of a convolution and a tensor of its shape happens inside the convolution. Where both are
 * convolutions, the later one takes the other's result. */
#include "passes/match.h"

/* The convolution that makes v alone, and can add to it before it does anything else; NULL: none. */
static struct onri_node *find_conv(const struct onri_rewrite *rw, int32_t v) {
  struct onri_node *conv = onri_rewrite_sole(rw, v, &onri_layer_conv);
  const struct onr_conv_params *p = conv ? conv->params : NULL;
  return conv && conv->num_in <= 3 && !p->clamp.enabled && !p->tail.enabled ? conv : NULL;
}

static enum onr_status into_conv(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  const int32_t a = node->in[0], b = node->in[1];
  /* Halves are rounded in between. */
  if (p->op != ONR_BINARY_ADD || onri_rewrite_desc(rw, a)->dtype != ONR_DTYPE_F32 || !onri_rewrite_same_shape(rw, a, b))
    return ONR_STATUS_OK;
  struct onri_node *conv = find_conv(rw, a), *other = find_conv(rw, b);
  if (!conv || other > conv) conv = other;
  if (!conv) return ONR_STATUS_OK;
  struct onr_conv_params params = *(const struct onr_conv_params *)conv->params;
  params.clamp = p->clamp;
  const int32_t in[] = {conv->in[0], conv->in[1], conv->num_in > 2 ? conv->in[2] : ONRI_NONE,
                        conv->out[0] == a ? b : a};
  ONR_TRY(onri_rewrite_become(rw, node, &onri_layer_conv, &params, in, 4));
  node->origin = conv->origin;
  onri_rewrite_remove(rw, conv);
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_residual(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_binary, into_conv}};
  return onri_rewrite_sweep(rw, rules, 1);
}
