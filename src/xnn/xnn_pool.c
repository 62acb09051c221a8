/* xnn_pool.c: XNNPACK's max_pooling2d and average_pooling2d. */
#include "xnn/xnn_pool.h"

#include <math.h>

#include "base/checked.h"
#include "xnn/core.h"

/* Windows that hang over the end after rounding up: as if there were more padding. */
static int64_t end_padding(const struct onri_axis *a) {
  const int64_t reach = (a->out - 1) * a->stride + (a->kernel - 1) * a->dilation + 1 - a->in - a->begin;
  return reach > 0 ? reach : 0;
}

static int is_padded(const struct onri_axis *a) { return a->begin > 0 || end_padding(a) > 0; }

static int axis_fits(const struct onri_axis *a, int average) {
  if (a->stride > a->kernel || a->begin >= a->kernel) return 0;
  /* Padding is replaced by the nearest pixel, which a dilated window may not contain. */
  return a->dilation == 1 || (!average && !is_padded(a));
}

enum onr_status onri_xnn_pool_check(const struct onri_xnn_pool *p) {
  const struct onri_axis *const h = &p->height, *const w = &p->width;
  const int64_t factors[] = {h->out, w->out, h->kernel, w->kernel}, x[] = {h->in, w->in, p->channels};
  int64_t pointers = 1, pixels = 1;
  for (int i = 0; i < 4; i++)
    if (!onri_mul_i64(pointers, factors[i], &pointers) || pointers >= ONRI_XNN_MAX) return ONR_STATUS_UNSUPPORTED;
  for (int i = 0; i < 3; i++)
    if (!onri_mul_i64(pixels, x[i], &pixels) || pixels >= ONRI_XNN_MAX) return ONR_STATUS_UNSUPPORTED;
  if (pixels == 0 || p->batch == 0 || h->kernel * w->kernel == 1) return ONR_STATUS_UNSUPPORTED;
  return axis_fits(h, p->average) && axis_fits(w, p->average) ? ONR_STATUS_OK : ONR_STATUS_UNSUPPORTED;
}

static enum xnn_status create(const struct onri_xnn_pool *p, struct xnn_operator **op) {
  const struct onri_axis *const h = &p->height, *const w = &p->width;
  if (p->average)
    return xnn_create_average_pooling2d_nhwc_f32((uint32_t)h->begin, (uint32_t)end_padding(w), (uint32_t)end_padding(h),
                                                 (uint32_t)w->begin, (uint32_t)h->kernel, (uint32_t)w->kernel,
                                                 (uint32_t)h->stride, (uint32_t)w->stride, -INFINITY, INFINITY, 0, op);
  return xnn_create_max_pooling2d_nhwc_f32((uint32_t)h->begin, (uint32_t)end_padding(w), (uint32_t)end_padding(h),
                                           (uint32_t)w->begin, (uint32_t)h->kernel, (uint32_t)w->kernel, (uint32_t)h->stride,
                                           (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation, -INFINITY,
                                           INFINITY, 0, op);
}

static enum xnn_status reshape(struct xnn_operator *op, const struct onri_xnn_pool *p, size_t *scratch_bytes, struct onr_env *env) {
  const size_t batch = (size_t)p->batch, height = (size_t)p->height.in, width = (size_t)p->width.in, channels = (size_t)p->channels;
  size_t alignment = 1, out_height = 0, out_width = 0;
  enum xnn_status status;
  *scratch_bytes = 0;
  if (p->average)
    status = xnn_reshape_average_pooling2d_nhwc_f32(op, batch, height, width, channels, channels, channels, scratch_bytes,
                                                    &alignment, &out_height, &out_width, onri_threads_pool(env->threads));
  else
    status = xnn_reshape_max_pooling2d_nhwc_f32(op, batch, height, width, channels, channels, channels, &out_height, &out_width,
                                                onri_threads_pool(env->threads));
  if (status == xnn_status_success && (out_height != (size_t)p->height.out || out_width != (size_t)p->width.out || alignment > 64))
    return xnn_status_invalid_state; /* it would write outside of our output */
  return status;
}

enum onr_status onri_xnn_pool_create(struct xnn_operator **op, const struct onri_xnn_pool *p, size_t *scratch_bytes,
                                     struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  enum xnn_status status = create(p, op);
  if (status == xnn_status_success && *op != NULL) status = reshape(*op, p, scratch_bytes, env);
  return onri_xnn_leave(&scope, status, op, "pool", error);
}

enum onr_status onri_xnn_pool_setup(struct xnn_operator *op, const struct onri_xnn_pool *p, void *scratch, const float *x,
                                    float *y, struct onr_error *error) {
  const enum xnn_status status = p->average ? xnn_setup_average_pooling2d_nhwc_f32(op, scratch, x, y)
                                            : xnn_setup_max_pooling2d_nhwc_f32(op, x, y);
  if (status == xnn_status_success) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's pool was not set up (its status %d)", (int)status);
}
