/* xnn_conv.c: XNNPACK's convolution2d and deconvolution2d. */
#include "xnn/xnn_conv.h"

#include <math.h>

#include "xnn/plane.h"

static const char name[] = "convolution";

static enum xnn_status create(const struct onri_plane *p, float min, float max, const float *weight, const float *bias,
                              struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  const struct onri_axis *h = &p->height, *w = &p->width;
  const size_t in = (size_t)p->group_in, out = (size_t)p->group_out, groups = (size_t)p->groups;
  if (p->transposed)
    return xnn_create_deconvolution2d_nhwc_f32(
        (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel,
        (uint32_t)w->kernel, (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation,
        (uint32_t)groups, in, out, groups * in, groups * out, weight, bias, min, max, 0, NULL, cache, op);
  return xnn_create_convolution2d_nhwc_f32(
      (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel,
      (uint32_t)w->kernel, (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation,
      (uint32_t)groups, in, out, groups * in, groups * out, weight, bias, min, max, 0, NULL, cache, op);
}

static enum xnn_status reshape(struct xnn_operator *op, const struct onri_plane *p, size_t *scratch_bytes,
                               size_t *height, size_t *width, struct pthreadpool *threads) {
  size_t alignment = 1;
  *scratch_bytes = 0;
  if (p->transposed)
    return xnn_reshape_deconvolution2d_nhwc_f32(op, (size_t)p->batch, (size_t)p->height.in, (size_t)p->width.in,
                                                (uint32_t)p->extra_height, (uint32_t)p->extra_width, height, width,
                                                threads);
  const enum xnn_status status =
      xnn_reshape_convolution2d_nhwc_f32(op, (size_t)p->batch, (size_t)p->height.in, (size_t)p->width.in, scratch_bytes,
                                         &alignment, height, width, threads);
  return alignment > 64 ? xnn_status_invalid_state : status;
}

static enum xnn_status setup(struct xnn_operator *op, int transposed, void *scratch, const float *x, float *y) {
  return transposed ? xnn_setup_deconvolution2d_nhwc_f32(op, x, y)
                    : xnn_setup_convolution2d_nhwc_f32(op, scratch, x, y);
}

/* --- packing --- */

/* Whether our order is XNNPACK's, too. */
static int is_ordered(const struct onri_plane *p) {
  return p->transposed ? p->group_in == 1 || (p->group_out == 1 && p->taps == 1) : p->group_in == 1 || p->taps == 1;
}

enum onr_status onri_xnn_conv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c, const float *weight,
                                   const float *bias, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_packing packing;
  struct onri_plane p;
  struct xnn_operator *op = NULL;
  float *copy = NULL;
  if (!onri_plane_of_weights(c, &p))
    return onr_fail(error, ONR_STATUS_INTERNAL, "this convolution is not one of planes");
  if (!is_ordered(&p)) {
    copy = onr_env_allocate(env, onri_plane_weight_bytes(&p, sizeof(float)));
    if (!copy) return onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
    onri_plane_reorder(&p, sizeof(float), weight, copy);
  }
  struct xnn_weights_cache_provider *cache = onri_xnn_pack_begin(&packing, packed, env);
  onri_plane_bound_packing(&p, sizeof(float), &packing.scope);
  const enum xnn_status status = create(&p, c->min, c->max, copy ? copy : weight, bias, cache, &op);
  const enum onr_status result = onri_xnn_pack_end(&packing, status, op, name, error);
  onr_env_release(env, copy);
  return result;
}

/* --- operators --- */

enum onr_status onri_xnn_conv_create(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                     const struct onri_xnn_conv *c, size_t *scratch_bytes, struct onr_env *env,
                                     struct onr_error *error) {
  struct onri_xnn_scope scope;
  struct onri_plane p;
  size_t height = 0, width = 0;
  if (!onri_plane_of(c, &p) || !onri_plane_fits(&p)) return ONR_STATUS_OK;
  onri_xnn_enter(&scope, env);
  onri_plane_bound_operator(&p, &scope);
  enum xnn_status status = create(&p, c->min, c->max, packed->data, NULL, onri_xnn_packed_cache(packed), op);
  if (status == xnn_status_success && *op)
    status = reshape(*op, &p, scratch_bytes, &height, &width, onri_threads_pool(env->threads));
  return onri_plane_leave(&p, &scope, status, op, height, width, name, error);
}

enum onr_status onri_xnn_conv_resize(struct xnn_operator **op, const struct onri_xnn_conv *was,
                                     const struct onri_xnn_conv *c, int roomy, int *fits, size_t *scratch_bytes,
                                     struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_scope scope;
  struct onri_plane p, q;
  size_t height = 0, width = 0;
  *fits = 0;
  if (was->min != c->min || was->max != c->max || !onri_plane_of(was, &q) || !onri_plane_of(c, &p) ||
      !onri_plane_alike(&p, &q))
    return ONR_STATUS_OK;
  if (!onri_plane_fits(&p)) {
    onri_xnn_delete(*op);
    *op = NULL;
    return ONR_STATUS_OK;
  }
  onri_xnn_enter(&scope, env);
  scope.roomy = roomy;
  onri_plane_bound_operator(&p, &scope);
  const enum xnn_status status = reshape(*op, &p, scratch_bytes, &height, &width, onri_threads_pool(env->threads));
  const enum onr_status result = onri_plane_leave(&p, &scope, status, op, height, width, name, error);
  *fits = *op != NULL;
  return result;
}

enum onr_status onri_xnn_conv_setup(struct xnn_operator *op, const struct onri_xnn_conv *c, void *scratch,
                                    const float *x, float *y, struct onr_error *error) {
  const enum xnn_status status = setup(op, c->transposed, scratch, x, y);
  if (status == xnn_status_success) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's convolution was not set up (its status %d)", (int)status);
}

/* --- NaN --- */

enum { PROBE_OUT = 64, PROBE_TAPS = 25, PROBE_PIXELS = 32, PROBE_SLACK = ONR_SLACK_BYTES / sizeof(float) };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int is_depthwise(const struct onri_plane *p) { return p->group_in == 1 && p->group_out == 1 && !p->transposed; }

/* The smallest convolution for which XNNPACK takes the same micro-kernel: which one depends on the kind of convolution,
 * on the taps of a depthwise one and on the output channels of the others, up to the width of a tile. One row of
 * PROBE_PIXELS outputs or one less. */
static struct onri_plane probe_of(const struct onri_plane *p) {
  const int padded = p->height.begin + p->height.end + p->width.begin + p->width.end > 0;
  const int strided = p->height.stride > 1 || p->width.stride > 1;
  const struct onri_axis one = {.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
  struct onri_plane q = {.height = one, .width = one, .batch = 1, .groups = 1, .transposed = p->transposed};
  struct onri_axis *a = &q.width;
  q.group_in = is_depthwise(p) ? 1 : 2;
  q.group_out = least(p->group_out, PROBE_OUT);
  if (p->taps > 1) a->kernel = is_depthwise(p) ? p->taps : p->transposed && strided ? 3 : 2;
  if (p->taps > 1 && p->transposed && strided) a->stride = 2;
  if (p->taps == 1 && (padded || strided)) a->begin = 1;
  q.taps = a->kernel;
  a->in = q.transposed ? (PROBE_PIXELS - a->kernel) / a->stride + 1 : PROBE_PIXELS + a->kernel - 1 - a->begin;
  a->out = q.transposed ? a->stride * (a->in - 1) + a->kernel - a->begin : PROBE_PIXELS;
  return q;
}

static enum xnn_status run_probe(struct xnn_operator *op, const struct onri_plane *q, const float *x, float *y,
                                 struct onr_env *env) {
  size_t bytes = 0, height, width;
  enum xnn_status status = reshape(op, q, &bytes, &height, &width, NULL);
  void *scratch = bytes > 0 ? onr_env_allocate(env, bytes) : NULL;
  if (bytes > 0 && !scratch) status = xnn_status_out_of_memory;
  if (status == xnn_status_success) status = setup(op, q->transposed, scratch, x, y);
  if (status == xnn_status_success) status = xnn_run_operator(op, NULL);
  onr_env_release(env, scratch);
  return status;
}

/* NaN everywhere gives NaN everywhere, but for what sees padding alone; NaN in the last pixel gives it in the last
 * output alone. */
static enum xnn_status watch_nan(struct xnn_operator *op, const struct onri_plane *q, int *right, struct onr_env *env) {
  float x[2 * (PROBE_PIXELS + PROBE_TAPS) + PROBE_SLACK], y[PROBE_PIXELS * PROBE_OUT + PROBE_SLACK];
  const size_t count = (size_t)(q->width.out * q->group_out), last = (size_t)(q->width.in * q->group_in);
  for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) x[i] = NAN;
  enum xnn_status status = run_probe(op, q, x, y, env);
  *right = status == xnn_status_success;
  for (size_t i = (size_t)(q->width.begin * q->group_out); *right && i < count; i++) *right = isnan(y[i]);
  if (!*right || !is_depthwise(q)) return status;
  for (size_t i = 0; i + 1 < last; i++) x[i] = 1;
  status = run_probe(op, q, x, y, env);
  for (size_t i = 0; status == xnn_status_success && *right && i + 1 < count; i++) *right = !isnan(y[i]);
  return status;
}

static enum onr_status ask_about_nan(const struct onri_plane *p, float min, float max, int *right, struct onr_env *env,
                                     struct onr_error *error) {
  const struct onri_plane q = probe_of(p);
  float weight[3 * 2 * PROBE_OUT];
  struct onri_xnn_scope scope;
  struct xnn_operator *op = NULL;
  *right = 0;
  if (q.taps > PROBE_TAPS) return ONR_STATUS_OK; /* not known */
  for (size_t i = 0; i < sizeof(weight) / sizeof(weight[0]); i++) weight[i] = 1.0f;
  onri_xnn_enter(&scope, env);
  enum xnn_status status = create(&q, min, max, weight, NULL, NULL, &op);
  if (status == xnn_status_success) status = watch_nan(op, &q, right, env);
  const enum onr_status result = onri_xnn_leave(&scope, status, &op, name, error);
  onri_xnn_delete(op);
  return result;
}

enum onr_status onri_xnn_conv_fit(const struct onri_xnn_conv *c, int *finite_only, enum onri_xnn_fit *fit,
                                  struct onr_env *env, struct onr_error *error) {
  struct onri_plane p;
  int right = 1;
  *fit = ONRI_XNN_NEVER;
  if (!(c->min < c->max) || !onri_plane_of_weights(c, &p) || onri_plane_fit(&p) == ONRI_XNN_NEVER) return ONR_STATUS_OK;
  if (finite_only) {
    ONR_TRY(ask_about_nan(&p, c->min, c->max, &right, env, error));
    *finite_only = !right;
  }
  *fit = onri_plane_fit(&p);
  return ONR_STATUS_OK;
}
