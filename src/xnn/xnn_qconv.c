/* xnn_qconv.c: XNNPACK's convolution2d with int8 operands and a scale an output channel. */
#include "xnn/xnn_qconv.h"

#include "xnn/core.h"

static enum xnn_status create(const struct onri_xnn_conv *c, const struct onri_xnn_qconv *q, const int8_t *weight,
                              const int32_t *bias, struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  const struct onri_axis *const h = &c->height, *const w = &c->width;
  const size_t in = (size_t)c->group_in, out = (size_t)c->group_out, groups = (size_t)c->groups;
  return xnn_create_convolution2d_nhwc_qs8_qc8w(
      (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel, (uint32_t)w->kernel,
      (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation, (uint32_t)groups, in, out,
      groups * in, groups * out, q->x_zero, q->x_scale, q->scales, weight, bias, q->y_zero, q->y_scale, INT8_MIN, INT8_MAX, 0,
      NULL, cache, op);
}

/* XNNPACK reads weights as [groups][group_out][h][w][group_in]. */
static void reorder(const struct onri_xnn_conv *c, const int8_t *weight, int8_t *target) {
  const int64_t taps = c->height.kernel * c->width.kernel, in = c->group_in, out = c->groups * c->group_out;
  for (int64_t o = 0; o < out; o++, weight += taps * in, target += taps * in)
    for (int64_t t = 0; t < taps; t++)
      for (int64_t i = 0; i < in; i++) target[t * in + i] = weight[i * taps + t];
}

enum onr_status onri_xnn_qconv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c, const struct onri_xnn_qconv *q,
                                    const int8_t *weight, const int32_t *bias, struct onr_env *env, struct onr_error *error) {
  const size_t taps = (size_t)(c->height.kernel * c->width.kernel);
  struct onri_xnn_packing packing;
  struct xnn_operator *op = NULL;
  int8_t *const copy = onr_env_allocate(env, (size_t)(c->groups * c->group_in * c->group_out) * taps);
  if (copy == NULL) return onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  reorder(c, weight, copy);
  struct xnn_weights_cache_provider *const cache = onri_xnn_pack_begin(&packing, packed, env);
  const enum xnn_status status = create(c, q, copy, bias, cache, &op);
  const enum onr_status result = onri_xnn_pack_end(&packing, status, op, "quantised convolution", error);
  onr_env_release(env, copy);
  return result;
}

static enum xnn_status reshape(struct xnn_operator *op, const struct onri_xnn_conv *c, int64_t batch, size_t *scratch_bytes,
                               struct onr_env *env) {
  size_t alignment = 1, out_height = 0, out_width = 0;
  *scratch_bytes = 0;
  const enum xnn_status status = xnn_reshape_convolution2d_nhwc_qs8_qc8w(op, (size_t)batch, (size_t)c->height.in, (size_t)c->width.in,
                                                                         scratch_bytes, &alignment, &out_height, &out_width,
                                                                         onri_threads_pool(env->threads));
  if (status == xnn_status_success && (out_height != (size_t)c->height.out || out_width != (size_t)c->width.out || alignment > 64))
    return xnn_status_invalid_state; /* it would write outside of our output */
  return status;
}

enum onr_status onri_xnn_qconv_create(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                      const struct onri_xnn_conv *c, const struct onri_xnn_qconv *q, int64_t batch,
                                      size_t *scratch_bytes, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  enum xnn_status status = create(c, q, packed->data, NULL, onri_xnn_packed_cache(packed), op);
  if (status == xnn_status_success && *op != NULL) status = reshape(*op, c, batch, scratch_bytes, env);
  return onri_xnn_leave(&scope, status, op, "quantised convolution", error);
}

enum onr_status onri_xnn_qconv_setup(struct xnn_operator *op, void *scratch, const int8_t *x, int8_t *y, struct onr_error *error) {
  const enum xnn_status status = xnn_setup_convolution2d_nhwc_qs8_qc8w(op, scratch, x, y);
  if (status == xnn_status_success) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's quantised convolution was not set up (its status %d)", (int)status);
}
