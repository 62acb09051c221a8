/* channel_scale.c: x times one number a channel, and a convolution of single pixels behind it (squeeze and excite): the
 * convolution multiplies its weights instead (layers/conv/conv_scale.h), where they are fewer. After the layout pass.
 */
#include "base/env.h"
#include "passes/match.h"

/* An image has so many times more pixels than there are outputs: else the weights are as many as what is multiplied. */
enum { TIMES = 4 };

static int can_scale(const struct onri_rewrite *rw, const struct onri_node *conv) {
  const struct onr_conv_params *p = conv->params;
  return p->channels_last && !p->x_channels_first && conv->num_in <= 4 && onri_rewrite_is_constant(rw, conv->in[1]) &&
         onri_rewrite_desc(rw, conv->in[0])->dtype == ONR_DTYPE_F32 && onri_match_pixelwise(rw, conv);
}

/* [N, 1, 1, C] beside x [N, H, W, C]. */
static int is_scale_of(const struct onri_rewrite *rw, int32_t scale, int32_t x) {
  return onri_rewrite_rank(rw, scale) == 4 && onri_rewrite_rank(rw, x) == 4 && onri_rewrite_dim(rw, scale, 1) == 1 &&
         onri_rewrite_dim(rw, scale, 2) == 1 && onri_rewrite_same_dim(rw, scale, 0, x, 0) &&
         onri_rewrite_same_dim(rw, scale, 3, x, 3) && onri_rewrite_desc(rw, scale)->dtype == ONR_DTYPE_F32;
}

static int is_worth_it(const struct onri_rewrite *rw, const struct onri_node *conv) {
  const double pixels = (double)onri_rewrite_dim(rw, conv->in[0], 1) * (double)onri_rewrite_dim(rw, conv->in[0], 2);
  return onri_rewrite_dim(rw, conv->in[0], 1) > 0 && pixels >= TIMES * (double)onri_rewrite_dim(rw, conv->in[1], 0);
}

static enum onr_status take_scale(struct onri_rewrite *rw, struct onri_node *conv) {
  struct onri_node *mul = onri_rewrite_sole(rw, conv->in[0], &onri_layer_binary);
  if (!mul || !can_scale(rw, conv) || !is_worth_it(rw, conv)) return ONR_STATUS_OK;
  const struct onr_binary_params *p = mul->params;
  if (p->op != ONR_BINARY_MUL || p->clamp.enabled) return ONR_STATUS_OK;
  for (int side = 0; side < 2; side++) {
    const int32_t x = mul->in[side], scale = mul->in[1 - side];
    if (!onri_rewrite_same_shape(rw, x, mul->out[0]) || !is_scale_of(rw, scale, x)) continue;
    const int32_t in[] = {x, conv->in[1], conv->num_in > 2 ? conv->in[2] : ONRI_NONE,
                          conv->num_in > 3 ? conv->in[3] : ONRI_NONE, scale};
    ONR_TRY(onri_rewrite_become(rw, conv, conv->layer, conv->params, in, sizeof(in) / sizeof(in[0])));
    onri_rewrite_remove(rw, mul);
    return ONR_STATUS_OK;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_channel_scale(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_conv, take_scale}};
  const struct onr_env *env = rw->graph->env;
  if (env->backend == ONR_BACKEND_PORTABLE || env->precision == ONR_PRECISION_FAST) return ONR_STATUS_OK;
  return onri_rewrite_sweep(rw, rules, 1);
}
