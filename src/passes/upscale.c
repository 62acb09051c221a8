/* upscale.c: a transposed convolution whose windows lie side by side makes each pixel a block: it is a product (a
 * convolution of one pixel) with the weights of all places of the block, and depth_to_space: so vectors of channels are
 * full where one place alone would leave them half empty. */
#include <stddef.h>

#include "passes/match.h"

/* The size of the blocks, or 0 when the node is something else. */
static int64_t block_of(const struct onri_rewrite *rw, const struct onri_node *node) {
  enum { LANES = 16 };
  const struct onr_conv_transpose_params *p = node->params;
  if (node->num_in < 2 || !onri_rewrite_is_constant(rw, node->in[1]) || onri_rewrite_rank(rw, node->in[0]) != 4)
    return 0;
  const struct onr_desc *w = &rw->graph->values[node->in[1]].constant->desc;
  if (w->dtype != ONR_DTYPE_F32 || w->rank != 4 || w->dim[0] < 1 || w->dim[1] < 1 || w->dim[2] != w->dim[3] ||
      w->dim[2] < 2 || w->dim[1] % LANES == 0)
    return 0;
  if (p->window.rank != 2 || p->groups > 1 || p->has_output_shape || p->channels_last) return 0;
  if (p->window.auto_pad != ONR_AUTO_PAD_NOTSET && p->window.auto_pad != ONR_AUTO_PAD_VALID) return 0;
  const int padded = p->window.auto_pad == ONR_AUTO_PAD_NOTSET;
  for (int i = 0; i < 2; i++)
    if (p->window.stride[i] != w->dim[2] || p->window.dilation[i] > 1 || p->output_padding[i] != 0 ||
        p->output_size[i] != 0 || (p->window.kernel[i] != 0 && p->window.kernel[i] != w->dim[2]) ||
        (padded && (p->window.pad_begin[i] != 0 || p->window.pad_end[i] != 0)))
      return 0;
  return w->dim[2];
}

/* [C, M, k, k] to [k k M, C, 1, 1]. */
static int32_t turned_weights(struct onri_rewrite *rw, const float *w, const struct onr_desc *from) {
  const size_t in = (size_t)from->dim[0], out = (size_t)from->dim[1], taps = (size_t)(from->dim[2] * from->dim[3]);
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){(int64_t)(taps * out), (int64_t)in, 1, 1});
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return -1;
  float *target = constant->data;
  for (size_t c = 0; c < in; c++)
    for (size_t m = 0; m < out; m++)
      for (size_t t = 0; t < taps; t++) target[(t * out + m) * in + c] = *w++;
  return onri_rewrite_constant(rw, constant);
}

static int32_t repeated_bias(struct onri_rewrite *rw, const float *bias, size_t out, size_t taps) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){(int64_t)(taps * out)});
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return -1;
  float *target = constant->data;
  for (size_t t = 0; t < taps; t++)
    for (size_t m = 0; m < out; m++) *target++ = bias[m];
  return onri_rewrite_constant(rw, constant);
}

static enum onr_status conv_transpose(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_conv_transpose_params *p = node->params;
  const struct onr_block_params blocks = {.block_size = block_of(rw, node), .order = ONR_BLOCK_DCR};
  const struct onr_conv_params product = {.clamp = p->clamp, .tail = p->tail};
  const int has_bias = node->num_in > 2 && node->in[2] != ONRI_NONE;
  size_t count = 0;
  if (blocks.block_size == 0) return ONR_STATUS_OK;
  const struct onr_desc w = rw->graph->values[node->in[1]].constant->desc;
  const float *weights = onri_rewrite_floats(rw, node->in[1], &count),
              *bias = has_bias ? onri_rewrite_floats(rw, node->in[2], &count) : NULL;
  if (!weights || (has_bias && (!bias || count != (size_t)w.dim[1]))) return ONR_STATUS_OK;
  const int64_t taps = w.dim[2] * w.dim[3];
  const ptrdiff_t index = node - rw->graph->nodes; /* a new node moves them */
  struct onr_desc wide = *onri_rewrite_desc(rw, node->in[0]);
  wide.dim[1] = taps * w.dim[1];
  int32_t in[3] = {node->in[0], turned_weights(rw, weights, &w),
                   has_bias ? repeated_bias(rw, bias, (size_t)w.dim[1], (size_t)taps) : ONRI_NONE};
  if (in[1] < 0 || (has_bias && in[2] < 0)) return onri_rewrite_no_memory(rw);
  const int32_t columns = onri_rewrite_node(rw, &onri_layer_conv, &product, node->origin, in, has_bias ? 3 : 2, &wide);
  if (columns < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_depth_to_space, &blocks, &columns, 1);
}

enum onr_status onri_pass_upscale(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_conv_transpose, conv_transpose}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}
