/* quantized_conv.c: convolutions of bytes. */
#include <string.h>

#include "passes/quantized/quantized_parts.h"

/* What conv and conv_transpose have in common, and where their weights have the output channels. */
struct convolution {
  const struct onr_layer *layer; /* of bytes */
  int64_t groups;                /* whose channels are those of dimension `axis` each; 1 where it has all channels */
  int32_t axis;
  size_t clamp; /* in the parameters */
  union {
    struct onr_conv_params plain;
    struct onr_conv_transpose_params transposed;
  } params;
};

/* Windows that move by more than 1 lie close together, and there are not too many phases. */
static int has_phases(const struct onr_conv_transpose_params *p) {
  int64_t phases = 1;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) {
    const int64_t stride = p->window.stride[i] > 0 ? p->window.stride[i] : 1;
    if (stride > 16 || (stride > 1 && p->window.dilation[i] > 1)) return 0;
    phases *= stride;
  }
  return phases <= 64;
}

static int match_convolution(const struct onri_node *op, struct convolution *c) {
  if (op->layer == &onri_layer_conv) {
    *c = (struct convolution){
        .layer = &onri_layer_qlinear_conv, .groups = 1, .clamp = offsetof(struct onr_conv_params, clamp)};
    c->params.plain = *(const struct onr_conv_params *)op->params;
    return !c->params.plain.clamp.enabled && !c->params.plain.tail.enabled;
  }
  const struct onr_conv_transpose_params *p = op->params;
  *c = (struct convolution){.layer = &onri_layer_qlinear_conv_transpose,
                            .groups = p->groups > 1 ? p->groups : 1,
                            .axis = 1,
                            .clamp = offsetof(struct onr_conv_transpose_params, clamp)};
  c->params.transposed = *p;
  return !p->clamp.enabled && !p->tail.enabled && has_phases(p);
}

/* v, values of 1 or 4 bytes, as a list for so many channels: `each` of them share one, and all are repeated. */
static enum onr_status spread(struct onri_rewrite *rw, int32_t *v, int64_t channels, int64_t each) {
  const struct onr_desc from = rw->graph->values[*v].constant->desc;
  const struct onr_desc desc = onr_desc_make(from.dtype, 1, &channels);
  const size_t size = onr_dtype_size(from.dtype);
  enum onr_status status = ONR_STATUS_OK;
  const char *x = onri_value_data(rw->graph, *v, &status, rw->error);
  ONR_TRY(status);
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return onri_rewrite_no_memory(rw);
  for (int64_t m = 0; m < channels; m++)
    memcpy((char *)constant->data + (size_t)m * size, x + (size_t)(m / each % onr_desc_elements(&from)) * size, size);
  *v = onri_rewrite_constant(rw, constant);
  return *v < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* Scales and zero points of weights as those of all output channels; *fits is 0 where it cannot be said so. */
static enum onr_status weights_of_channels(struct onri_rewrite *rw, const struct convolution *c,
                                           struct onri_quantised *w, int *fits) {
  const struct onr_desc *weights = &rw->graph->values[w->x].constant->desc;
  const int64_t axis = w->axis < 0 ? w->axis + weights->rank : w->axis, channels = weights->dim[c->axis];
  *fits = 1;
  if (w->scales == 1) return ONR_STATUS_OK;
  const int of_channels = axis == c->axis && (int64_t)w->scales == channels;
  /* the first dimension of transposed ones is that of x's channels, each a group of its own */
  const int of_groups = axis == 0 && c->axis == 1 && (int64_t)w->scales == c->groups && weights->dim[0] == c->groups;
  *fits = of_channels || of_groups;
  if (!*fits || (of_channels && c->groups == 1)) return ONR_STATUS_OK;
  const int64_t each = of_channels ? 1 : channels, all = channels * c->groups;
  ONR_TRY(spread(rw, &w->scale, all, each));
  if (w->zero != ONRI_NONE) ONR_TRY(spread(rw, &w->zero, all, each));
  w->scales = (size_t)all;
  return ONR_STATUS_OK;
}

enum onr_status onri_quantize_conv(struct onri_rewrite *rw, struct onri_node *node,
                                   const struct onri_quantized_target *t, const struct onri_node *op) {
  struct convolution c;
  struct onri_quantised x, w;
  int32_t bias;
  int fits;
  if (op->num_in > 3 || !match_convolution(op, &c) || !onri_match_bytes(rw, op->in[0], &x)) return ONR_STATUS_OK;
  ONR_TRY(onri_match_weights(rw, op->in[1], &w, &fits));
  if (!fits || !onri_rewrite_is_constant(rw, w.x)) return ONR_STATUS_OK;
  const struct onr_desc *weights = &rw->graph->values[w.x].constant->desc;
  if (weights->rank <= c.axis) return ONR_STATUS_OK;
  const int64_t channels = weights->dim[c.axis];
  if (channels < 1 || channels > INT64_MAX / c.groups) return ONR_STATUS_OK;
  ONR_TRY(weights_of_channels(rw, &c, &w, &fits));
  if (!fits) return ONR_STATUS_OK;
  *(struct onr_clamp *)(void *)((char *)&c.params + c.clamp) =
      (struct onr_clamp){.enabled = !onri_clips_nothing(t), .min = (float)t->low, .max = (float)t->high};
  const struct onri_product_steps steps = {&x, &w, (size_t)(channels * c.groups), t->y.step};
  ONR_TRY(onri_product_bias(rw, op->num_in > 2 ? op->in[2] : ONRI_NONE, &steps, &bias, &fits));
  if (!fits) return ONR_STATUS_OK;
  return onri_become_quantized(rw, node, c.layer, &c.params, &steps, t, bias);
}

/* A convolution of bytes that is not quantized. */
enum onr_status onri_real_conv(struct onri_rewrite *rw, struct onri_node *op) {
  struct onri_quantised x, w;
  const struct onr_conv_params *p = op->params;
  int32_t bias = op->num_in > 2 ? op->in[2] : ONRI_NONE;
  int fits;
  if (op->num_in > 3 || p->tail.enabled || !onri_match_bytes(rw, op->in[0], &x)) return ONR_STATUS_OK;
  ONR_TRY(onri_match_weights(rw, op->in[1], &w, &fits));
  if (!fits || !onri_rewrite_is_constant(rw, w.x)) return ONR_STATUS_OK;
  const int64_t channels = rw->graph->values[w.x].constant->desc.dim[0];
  if (w.scales != 1 && (w.axis != 0 || (int64_t)w.scales != channels)) return ONR_STATUS_OK;
  ONR_TRY(onri_real_bias(rw, &bias, channels, &fits));
  if (!fits) return ONR_STATUS_OK;
  const int32_t in[] = {x.x, w.x, x.scale, w.scale, x.zero, w.zero, bias};
  return onri_rewrite_become(rw, op, &onri_layer_conv_integer_real, p, in, bias == ONRI_NONE ? 6 : 7);
}
