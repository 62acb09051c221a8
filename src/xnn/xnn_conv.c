/* xnn_conv.c: XNNPACK's convolution2d and deconvolution2d. */
#include "xnn/xnn_conv.h"

#include "base/checked.h"
#include "xnn/core.h"

static int below_limit(const int64_t *factors, size_t count) {
  int64_t product = 1;
  for (size_t i = 0; i < count; i++)
    if (!onri_mul_i64(product, factors[i] > 0 ? factors[i] : 1, &product) || product >= ONRI_XNN_MAX) return 0;
  return 1;
}

enum onr_status onri_xnn_conv_check(const struct onri_xnn_conv *c, struct onr_error *error) {
  const struct onri_axis *const h = &c->height, *const w = &c->width;
  const int64_t weights[] = {h->kernel, w->kernel, c->groups, c->group_in, c->group_out};
  const int64_t steps[] = {h->stride, w->stride};
  const int64_t x[] = {h->in, w->in, c->groups, c->group_in}, y[] = {h->out, w->out, c->groups, c->group_out};
  const int64_t pointers[] = {h->out, w->out, h->kernel, w->kernel};
  if (c->group_in > 0 && c->group_out > 0 && h->kernel > 0 && w->kernel > 0 && below_limit(weights, 5) && below_limit(steps, 2) && below_limit(x, 4) &&
      below_limit(y, 4) && below_limit(pointers, 4))
    return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_LIMIT, "a convolution with %lld x %lld outputs of %lld channels is beyond 2^31 steps an image",
                  (long long)h->out, (long long)w->out, (long long)(c->groups * c->group_out));
}

static enum xnn_status create(const struct onri_xnn_conv *c, const float *weight, const float *bias,
                              struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  const struct onri_axis *const h = &c->height, *const w = &c->width;
  const size_t in = (size_t)c->group_in, out = (size_t)c->group_out, groups = (size_t)c->groups;
  if (c->transposed)
    return xnn_create_deconvolution2d_nhwc_f32(
        (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel, (uint32_t)w->kernel,
        (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation, (uint32_t)groups, in, out,
        groups * in, groups * out, weight, bias, c->min, c->max, 0, NULL, cache, op);
  return xnn_create_convolution2d_nhwc_f32(
      (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel, (uint32_t)w->kernel,
      (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation, (uint32_t)groups, in, out,
      groups * in, groups * out, weight, bias, c->min, c->max, 0, NULL, cache, op);
}

/* XNNPACK reads weights as [groups][group_out][h][w][group_in]. */
static void reorder(const struct onri_xnn_conv *c, const float *weight, float *target) {
  const int64_t taps = c->height.kernel * c->width.kernel, in = c->group_in, out = c->group_out;
  /* Steps between input channels and output channels of one group. */
  const int64_t in_step = c->transposed ? out * taps : taps, out_step = c->transposed ? taps : in * taps;
  for (int64_t g = 0; g < c->groups; g++)
    for (int64_t o = 0; o < out; o++) {
      const float *const from = weight + g * in * out * taps + o * out_step;
      float *const to = target + (g * out + o) * taps * in;
      for (int64_t t = 0; t < taps; t++) /* writes run on; what is read stays in the L1 cache between taps */
        for (int64_t i = 0; i < in; i++) to[t * in + i] = from[i * in_step + t];
    }
}

enum onr_status onri_xnn_conv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c, const float *weight,
                                   const float *bias, struct onr_env *env, struct onr_error *error) {
  const int64_t taps = c->height.kernel * c->width.kernel;
  const int ordered = c->transposed ? c->group_in == 1 || (c->group_out == 1 && taps == 1) : c->group_in == 1 || taps == 1;
  struct onri_xnn_packing packing;
  struct xnn_operator *op = NULL;
  float *copy = NULL;
  if (!ordered) {
    copy = onr_env_allocate(env, (size_t)(c->groups * c->group_in * c->group_out * taps) * sizeof(float));
    if (copy == NULL) return onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
    reorder(c, weight, copy);
  }
  struct xnn_weights_cache_provider *const cache = onri_xnn_pack_begin(&packing, packed, env);
  const enum xnn_status status = create(c, ordered ? weight : copy, bias, cache, &op);
  const enum onr_status result = onri_xnn_pack_end(&packing, status, op, "convolution", error);
  onr_env_release(env, copy);
  return result;
}

static enum xnn_status reshape(struct xnn_operator *op, const struct onri_xnn_conv *c, int64_t batch, size_t *scratch_bytes,
                               struct onr_env *env) {
  size_t alignment = 1, out_height = 0, out_width = 0;
  enum xnn_status status;
  *scratch_bytes = 0;
  if (c->transposed)
    status = xnn_reshape_deconvolution2d_nhwc_f32(op, (size_t)batch, (size_t)c->height.in, (size_t)c->width.in,
                                                  (uint32_t)c->extra_height, (uint32_t)c->extra_width, &out_height, &out_width,
                                                  onri_threads_pool(env->threads));
  else
    status = xnn_reshape_convolution2d_nhwc_f32(op, (size_t)batch, (size_t)c->height.in, (size_t)c->width.in, scratch_bytes,
                                                &alignment, &out_height, &out_width, onri_threads_pool(env->threads));
  if (status == xnn_status_success && (out_height != (size_t)c->height.out || out_width != (size_t)c->width.out || alignment > 64))
    return xnn_status_invalid_state; /* it would write outside of our output */
  return status;
}

enum onr_status onri_xnn_conv_create(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                     const struct onri_xnn_conv *c, int64_t batch, size_t *scratch_bytes, struct onr_env *env,
                                     struct onr_error *error) {
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  enum xnn_status status = create(c, packed->data, NULL, onri_xnn_packed_cache(packed), op);
  if (status == xnn_status_success && *op != NULL) status = reshape(*op, c, batch, scratch_bytes, env);
  return onri_xnn_leave(&scope, status, op, "convolution", error);
}

enum onr_status onri_xnn_conv_setup(struct xnn_operator *op, const struct onri_xnn_conv *c, void *scratch, const float *x,
                                    float *y, struct onr_error *error) {
  const enum xnn_status status = c->transposed ? xnn_setup_deconvolution2d_nhwc_f32(op, x, y)
                                               : xnn_setup_convolution2d_nhwc_f32(op, scratch, x, y);
  if (status == xnn_status_success) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's convolution was not set up (its status %d)", (int)status);
}
