/* scaled_sums.c: dynamic quantisation: a product in integers, then a cast, a scale and perhaps a bias. */
#include "passes/quantized/quantized_parts.h"

/* A scale of the left side: one, known when the model runs or before. */
static int is_one_float(const struct onri_rewrite *rw, int32_t v) {
  const struct onr_desc *desc = onri_rewrite_desc(rw, v);
  return desc->dtype == ONR_DTYPE_F32 && desc->rank >= 0 && onr_desc_elements(desc) == 1;
}

/* Constant scales of the right side: one, or one a channel, which is dimension `axis` of `rank` of the result. */
static int are_scales(const struct onri_rewrite *rw, int32_t v, int64_t channels, int from_end) {
  const struct onr_desc *desc = onri_rewrite_desc(rw, v);
  if (!onri_rewrite_is_constant(rw, v) || desc->dtype != ONR_DTYPE_F32) return 0;
  if (onr_desc_elements(desc) == 1) return 1;
  return desc->rank >= from_end && onr_desc_elements(desc) == channels && desc->dim[desc->rank - from_end] == channels;
}

/* v as a list, which is what a bias or scales of channels are. */
static enum onr_status as_list(struct onri_rewrite *rw, int32_t *v) {
  const struct onri_constant *from = rw->graph->values[*v].constant;
  enum onr_status status = ONR_STATUS_OK;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){onr_desc_elements(&from->desc)});
  if (from->desc.rank <= 1) return ONR_STATUS_OK;
  const float *values = onri_value_data(rw->graph, *v, &status, rw->error);
  ONR_TRY(status);
  *v = onri_rewrite_data(rw, &desc, values);
  return *v < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* The sums of an integer layer, how far from the end of a result's dimensions its channels lie, and how many they are.
 */
static const struct onri_node *match_sums(const struct onri_rewrite *rw, int32_t v, int *from_end, int64_t *channels) {
  const struct onri_node *node = onri_rewrite_sole(rw, v, &onri_layer_matmul_integer);
  if (node) {
    *from_end = 1, *channels = onri_rewrite_dim(rw, node->in[1], -1);
    return node;
  }
  node = onri_rewrite_sole(rw, v, &onri_layer_conv_integer);
  if (!node || onri_rewrite_rank(rw, node->in[1]) < 3) return NULL;
  *from_end = onri_rewrite_rank(rw, node->in[1]) - 1, *channels = onri_rewrite_dim(rw, node->in[1], 0);
  return node;
}

/* factor (a_scale * b_scale, or anything of one element) times the sums as float32. */
static enum onr_status scaled_sums(struct onri_rewrite *rw, struct onri_node *node) {
  for (int side = 0; side < 2; side++) {
    int64_t channels;
    int from_end;
    const struct onri_node *cast = onri_rewrite_sole(rw, node->in[side], &onri_layer_cast);
    const struct onri_node *sums = cast ? match_sums(rw, cast->in[0], &from_end, &channels) : NULL;
    const struct onri_node *factor = onri_match_binary(rw, node->in[1 - side], ONR_BINARY_MUL);
    if (!sums || ((const struct onr_cast_params *)cast->params)->to != ONR_DTYPE_F32 || !factor) continue;
    int32_t b = factor->in[1];
    if (!is_one_float(rw, factor->in[0]) || !are_scales(rw, b, channels, from_end)) continue;
    ONR_TRY(as_list(rw, &b));
    const int32_t in[] = {sums->in[0],
                          sums->in[1],
                          factor->in[0],
                          b,
                          sums->num_in > 2 ? sums->in[2] : ONRI_NONE,
                          sums->num_in > 3 ? sums->in[3] : ONRI_NONE};
    if (sums->layer == &onri_layer_matmul_integer)
      return onri_rewrite_become(rw, node, &onri_layer_matmul_integer_real, NULL, in, 6);
    struct onr_conv_params params = *(const struct onr_conv_params *)sums->params;
    params.clamp.enabled = 0;
    return onri_rewrite_become(rw, node, &onri_layer_conv_integer_real, &params, in, 6);
  }
  return ONR_STATUS_OK;
}

/* A layer of real products without a bias, and where its channels are. */
static struct onri_node *match_real(const struct onri_rewrite *rw, int32_t v, int *from_end, int64_t *channels) {
  struct onri_node *node = onri_rewrite_sole(rw, v, &onri_layer_matmul_integer_real);
  if (!node) node = onri_rewrite_sole(rw, v, &onri_layer_conv_integer_real);
  if (!node || node->num_in > 6) return NULL;
  const int is_conv = node->layer == &onri_layer_conv_integer_real;
  if (is_conv && ((const struct onr_conv_params *)node->params)->clamp.enabled) return NULL;
  *channels = onri_rewrite_dim(rw, node->in[1], is_conv ? 0 : -1);
  *from_end = is_conv ? onri_rewrite_rank(rw, node->in[1]) - 1 : 1;
  return *from_end > 0 ? node : NULL;
}

static enum onr_status biased_sums(struct onri_rewrite *rw, struct onri_node *node) {
  for (int side = 0; side < 2; side++) {
    int64_t channels;
    int from_end;
    int32_t bias = node->in[1 - side];
    struct onri_node *product = match_real(rw, node->in[side], &from_end, &channels);
    if (!product || !are_scales(rw, bias, channels, from_end)) continue;
    const struct onr_desc *desc = onri_rewrite_desc(rw, bias);
    /* one value for all is no list of channels, and more dimensions than the product has make its result larger */
    if (onr_desc_elements(desc) != channels || desc->rank < from_end) continue;
    if (desc->rank > (product->layer == &onri_layer_conv_integer_real ? from_end + 1 : 1)) continue;
    ONR_TRY(as_list(rw, &bias));
    const int32_t in[] = {
        product->in[0], product->in[1], product->in[2], product->in[3], product->in[4], product->in[5], bias};
    const void *params = product->params;
    return onri_rewrite_become(rw, node, product->layer, params, in, 7);
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_scale_sums(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  if (p->clamp.enabled) return ONR_STATUS_OK;
  if (p->op == ONR_BINARY_MUL) return scaled_sums(rw, node);
  return p->op == ONR_BINARY_ADD ? biased_sums(rw, node) : ONR_STATUS_OK;
}
