/* xnn_resize.c: XNNPACK's resize_bilinear2d. */
#include "xnn/xnn_resize.h"

#include "base/checked.h"
#include "xnn/core.h"

static int product_fits(int64_t a, int64_t b, int64_t c) {
  int64_t product;
  return onri_mul_i64(a, b, &product) && onri_mul_i64(product, c, &product) && product < ONRI_XNN_MAX;
}

enum onr_status onri_xnn_resize_check(const struct onri_xnn_resize *r) {
  const int64_t most = (int64_t)1 << 24; /* positions are float32 */
  if (r->height >= most || r->width >= most || r->out_height >= most || r->out_width >= most) return ONR_STATUS_UNSUPPORTED;
  return product_fits(r->height, r->width, r->channels) && product_fits(r->out_height, r->out_width, r->channels)
             ? ONR_STATUS_OK
             : ONR_STATUS_UNSUPPORTED;
}

enum onr_status onri_xnn_resize_create(struct xnn_operator **op, const struct onri_xnn_resize *r, size_t *scratch_bytes,
                                       struct onr_env *env, struct onr_error *error) {
  const uint32_t flags = r->corners == ONRI_XNN_ALIGN_CORNERS ? XNN_FLAG_ALIGN_CORNERS
                         : r->corners == ONRI_XNN_ASYMMETRIC  ? XNN_FLAG_TENSORFLOW_LEGACY_MODE
                                                              : 0;
  struct onri_xnn_scope scope;
  size_t alignment = 1;
  *scratch_bytes = 0;
  onri_xnn_enter(&scope, env);
  enum xnn_status status = xnn_create_resize_bilinear2d_nhwc_f32((size_t)r->out_height, (size_t)r->out_width, flags, op);
  if (status == xnn_status_success && *op != NULL)
    status = xnn_reshape_resize_bilinear2d_nhwc_f32(*op, (size_t)r->batch, (size_t)r->height, (size_t)r->width,
                                                    (size_t)r->channels, (size_t)r->channels, (size_t)r->channels, scratch_bytes,
                                                    &alignment, onri_threads_pool(env->threads));
  if (status == xnn_status_success && alignment > 64) status = xnn_status_invalid_state;
  return onri_xnn_leave(&scope, status, op, "resize", error);
}

enum onr_status onri_xnn_resize_setup(struct xnn_operator *op, void *scratch, const float *x, float *y, struct onr_error *error) {
  const enum xnn_status status = xnn_setup_resize_bilinear2d_nhwc_f32(op, scratch, x, y);
  if (status == xnn_status_success) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's resize was not set up (its status %d)", (int)status);
}
