/* xnn_qconv.c: XNNPACK's convolution2d with int8 operands and a scale an output channel. */
#include "xnn/xnn_qconv.h"

#include "xnn/plane.h"

static const char name[] = "quantised convolution";

static enum xnn_status create(const struct onri_plane *p, const struct onri_xnn_qconv *q, const int8_t *weight,
                              const int32_t *bias, struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  const struct onri_axis *h = &p->height, *w = &p->width;
  const size_t in = (size_t)p->group_in, out = (size_t)p->group_out, groups = (size_t)p->groups;
  return xnn_create_convolution2d_nhwc_qs8_qc8w(
      (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel,
      (uint32_t)w->kernel, (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation,
      (uint32_t)groups, in, out, groups * in, groups * out, q->x_zero, q->x_scale, q->scales, weight, bias, q->y_zero,
      q->y_scale, INT8_MIN, INT8_MAX, 0, NULL, cache, op);
}

enum onr_status onri_xnn_qconv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c,
                                    const struct onri_xnn_qconv *q, const int8_t *weight, const int32_t *bias,
                                    struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_packing packing;
  struct onri_plane p;
  struct xnn_operator *op = NULL;
  if (!onri_plane_of_weights(c, &p))
    return onr_fail(error, ONR_STATUS_INTERNAL, "this convolution is not one of planes");
  int8_t *copy = onr_env_allocate(env, onri_plane_weight_bytes(&p, 1));
  if (!copy) return onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  onri_plane_reorder(&p, 1, weight, copy);
  struct xnn_weights_cache_provider *cache = onri_xnn_pack_begin(&packing, packed, env);
  onri_plane_bound_packing(&p, sizeof(int32_t), &packing.scope); /* a sum and a scale stand with each channel's bytes */
  const enum xnn_status status = create(&p, q, copy, bias, cache, &op);
  const enum onr_status result = onri_xnn_pack_end(&packing, status, op, name, error);
  onr_env_release(env, copy);
  return result;
}

/* In a scope. */
static enum onr_status reshape(struct xnn_operator **op, enum xnn_status status, const struct onri_plane *p,
                               struct onri_xnn_scope *scope, size_t *scratch_bytes, struct onr_env *env,
                               struct onr_error *error) {
  size_t alignment = 1, height = 0, width = 0;
  *scratch_bytes = 0;
  if (status == xnn_status_success && *op)
    status = xnn_reshape_convolution2d_nhwc_qs8_qc8w(*op, (size_t)p->batch, (size_t)p->height.in, (size_t)p->width.in,
                                                     scratch_bytes, &alignment, &height, &width,
                                                     onri_threads_pool(env->threads));
  if (alignment > 64) status = xnn_status_invalid_state;
  return onri_plane_leave(p, scope, status, op, height, width, name, error);
}

enum onr_status onri_xnn_qconv_create(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                      const struct onri_xnn_conv *c, const struct onri_xnn_qconv *q,
                                      size_t *scratch_bytes, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  struct onri_plane p;
  if (!onri_plane_of(c, &p) || !onri_plane_fits(&p)) return ONR_STATUS_OK;
  onri_xnn_enter(&scope, env);
  onri_plane_bound_operator(&p, &scope);
  const enum xnn_status status = create(&p, q, packed->data, NULL, onri_xnn_packed_cache(packed), op);
  return reshape(op, status, &p, &scope, scratch_bytes, env, error);
}

enum onr_status onri_xnn_qconv_resize(struct xnn_operator **op, const struct onri_xnn_conv *was,
                                      const struct onri_xnn_conv *c, int *fits, size_t *scratch_bytes,
                                      struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  struct onri_plane p, q;
  *fits = 0;
  if (!onri_plane_of(was, &q) || !onri_plane_of(c, &p) || !onri_plane_alike(&p, &q)) return ONR_STATUS_OK;
  if (!onri_plane_fits(&p)) {
    onri_xnn_delete(*op);
    *op = NULL;
    return ONR_STATUS_OK;
  }
  onri_xnn_enter(&scope, env);
  onri_plane_bound_operator(&p, &scope);
  const enum onr_status result = reshape(op, xnn_status_success, &p, &scope, scratch_bytes, env, error);
  *fits = *op != NULL;
  return result;
}

enum onr_status onri_xnn_qconv_setup(struct xnn_operator *op, void *scratch, const int8_t *x, int8_t *y,
                                     struct onr_error *error) {
  const enum xnn_status status = xnn_setup_convolution2d_nhwc_qs8_qc8w(op, scratch, x, y);
  if (status == xnn_status_success) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's quantised convolution was not set up (its status %d)",
                  (int)status);
}
