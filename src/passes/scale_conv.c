/* scale_conv.c: a depthwise convolution of single pixels is a product with one number a channel, and a sum. After the
 * sums of convolutions, to which it is a convolution. */
#include "passes/match.h"

static int is_pixelwise(const struct onr_window *w, int32_t axes) {
  if (w->rank == 0) return 1;
  if (w->rank != axes || w->auto_pad != ONR_AUTO_PAD_NOTSET) return 0;
  for (int32_t a = 0; a < axes; a++)
    if (w->kernel[a] > 1 || w->stride[a] > 1 || w->kernel[a] < 0 || w->stride[a] < 0 || w->dilation[a] < 0 ||
        w->pad_begin[a] || w->pad_end[a])
      return 0;
  return 1;
}

/* v, of `channels` numbers, as [channels, 1, 1 ...] beside an image; -1 when out of memory. */
static int32_t of_channels(struct onri_rewrite *rw, int32_t v, int64_t channels, int32_t axes,
                           enum onr_status *status) {
  struct onr_desc desc = onr_desc_make(onri_rewrite_desc(rw, v)->dtype, 1, &channels);
  const void *data = onri_value_data(rw->graph, v, status, rw->error);
  for (; desc.rank <= axes; desc.rank++) desc.dim[desc.rank] = 1;
  return data ? onri_rewrite_data(rw, &desc, data) : -1;
}

static int is_scale(const struct onri_rewrite *rw, const struct onri_node *node) {
  const struct onr_conv_params *p = node->params;
  const int32_t rank = onri_rewrite_rank(rw, node->in[0]);
  const enum onr_dtype dtype = onri_rewrite_desc(rw, node->in[0])->dtype;
  if (node->num_in < 2 || node->num_in > 3 || p->channels_last || p->clamp.enabled || p->tail.enabled) return 0;
  if (!onri_rewrite_is_constant(rw, node->in[1]) || rank < 3 || onri_rewrite_rank(rw, node->in[1]) != rank) return 0;
  if ((dtype != ONR_DTYPE_F32 && dtype != ONR_DTYPE_F64) || onri_rewrite_desc(rw, node->in[1])->dtype != dtype)
    return 0;
  const int64_t channels = onri_rewrite_dim(rw, node->in[1], 0);
  if (channels < 1 || p->groups != channels || onri_rewrite_dim(rw, node->in[0], 1) != channels) return 0;
  for (int32_t d = 1; d < rank; d++)
    if (onri_rewrite_dim(rw, node->in[1], d) != 1) return 0;
  return is_pixelwise(&p->window, rank - 2);
}

static int is_bias(const struct onri_rewrite *rw, int32_t v, int64_t channels, enum onr_dtype dtype) {
  return onri_rewrite_is_constant(rw, v) && onri_rewrite_desc(rw, v)->dtype == dtype && onri_rewrite_rank(rw, v) == 1 &&
         onri_rewrite_dim(rw, v, 0) == channels;
}

static enum onr_status conv(struct onri_rewrite *rw, struct onri_node *node) {
  static const struct onr_binary_params mul = {.op = ONR_BINARY_MUL}, add = {.op = ONR_BINARY_ADD};
  if (!is_scale(rw, node)) return ONR_STATUS_OK;
  const int64_t channels = onri_rewrite_dim(rw, node->in[1], 0);
  const int32_t axes = onri_rewrite_rank(rw, node->in[0]) - 2, bias = node->num_in > 2 ? node->in[2] : ONRI_NONE;
  const struct onr_desc x = *onri_rewrite_desc(rw, node->in[0]);
  enum onr_status status = ONR_STATUS_OK;
  if (bias != ONRI_NONE && !is_bias(rw, bias, channels, x.dtype)) return ONR_STATUS_OK;
  const int32_t scale = of_channels(rw, node->in[1], channels, axes, &status), in[] = {node->in[0], scale};
  if (scale < 0) return status != ONR_STATUS_OK ? status : onri_rewrite_no_memory(rw);
  if (bias == ONRI_NONE) return onri_rewrite_become(rw, node, &onri_layer_binary, &mul, in, 2);
  const ptrdiff_t index = node - rw->graph->nodes; /* a new node moves them */
  const int32_t shift = of_channels(rw, bias, channels, axes, &status);
  if (shift < 0) return status != ONR_STATUS_OK ? status : onri_rewrite_no_memory(rw);
  const int32_t product = onri_rewrite_node(rw, &onri_layer_binary, &mul, node->origin, in, 2, &x);
  if (product < 0) return onri_rewrite_no_memory(rw);
  const int32_t terms[] = {product, shift};
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_binary, &add, terms, 2);
}

enum onr_status onri_pass_scale_conv(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_conv, conv}};
  return onri_rewrite_sweep(rw, rules, 1);
}
