/* xnn_conv.c: XNNPACK's convolution2d and deconvolution2d. */
#include "xnn/xnn_conv.h"

#include <math.h>

#include "base/digest.h"
#include "base/memory/blocks.h"
#include "xnn/plane.h"

/* Of the small convolutions that XNNPACK is asked about. */
enum { PROBE_OUT = 64, PROBE_TAPS = 25, PROBE_PIXELS = 32, PROBE_SLACK = ONR_SLACK_BYTES / sizeof(float) };
enum { PROBE_WEIGHTS = 3 * 2 * PROBE_OUT };

static enum xnn_status create(const void *spec, const void *weights, const void *bias,
                              struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  const struct onri_plane_spec *s = spec;
  const struct onri_plane *p = &s->plane;
  const struct onri_axis *h = &p->height, *w = &p->width;
  const size_t in = (size_t)p->group_in, out = (size_t)p->group_out, groups = (size_t)p->groups;
  if (ONRI_PART(transposed) && p->transposed)
    return xnn_create_deconvolution2d_nhwc_f32(
        (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel,
        (uint32_t)w->kernel, (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation,
        (uint32_t)groups, in, out, groups * in, groups * out, weights, bias, s->min, s->max, 0, NULL, cache, op);
  return xnn_create_convolution2d_nhwc_f32(
      (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel,
      (uint32_t)w->kernel, (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation,
      (uint32_t)groups, in, out, groups * in, groups * out, weights, bias, s->min, s->max, 0, NULL, cache, op);
}

static enum xnn_status reshape(struct xnn_operator *op, const void *spec, size_t *scratch_bytes,
                               struct pthreadpool *threads) {
  const struct onri_plane *p = &((const struct onri_plane_spec *)spec)->plane;
  size_t alignment = 1, height = 0, width = 0;
  const enum xnn_status status =
      ONRI_PART(transposed) && p->transposed
          ? xnn_reshape_deconvolution2d_nhwc_f32(op, (size_t)p->batch, (size_t)p->height.in, (size_t)p->width.in,
                                                 (uint32_t)p->extra_height, (uint32_t)p->extra_width, &height, &width,
                                                 threads)
          : xnn_reshape_convolution2d_nhwc_f32(op, (size_t)p->batch, (size_t)p->height.in, (size_t)p->width.in,
                                               scratch_bytes, &alignment, &height, &width, threads);
  return onri_plane_reshaped(p, status, alignment, height, width);
}

static enum xnn_status setup(struct xnn_operator *op, const struct onri_xnn_pointers *at) {
  return xnn_setup_convolution2d_nhwc_f32(op, at->scratch, at->a, at->y);
}

static enum xnn_status setup_transposed(struct xnn_operator *op, const struct onri_xnn_pointers *at) {
  return xnn_setup_deconvolution2d_nhwc_f32(op, at->a, at->y);
}

static void bound_packing(const void *spec, struct onri_xnn_scope *scope) {
  onri_plane_bound_packing(&((const struct onri_plane_spec *)spec)->plane, sizeof(float), scope);
}

static const struct onri_xnn_family plain = {"convolution",         create, reshape, setup, bound_packing,
                                             onri_plane_spec_bound, 1};
static const struct onri_xnn_family transposed = {
    "transposed convolution", create, reshape, setup_transposed, bound_packing, onri_plane_spec_bound, 1};

static const struct onri_xnn_family *family_of(int is_transposed) {
  return ONRI_PART(transposed) && is_transposed ? &transposed : &plain;
}

/* --- packed weights in a file --- */

static struct onri_plane probe_of(const struct onri_plane *p);

/* How XNNPACK lays weights out on this processor, which it tells nobody: what it makes of the smallest convolution that
 * the same micro-kernel computes, with weights that are numbered. */
static enum onr_status ask_about_layout(const struct onri_xnn_conv *c, uint64_t *layout, struct onr_env *env,
                                        struct onr_error *error) {
  float weight[PROBE_WEIGHTS], bias[PROBE_OUT];
  struct onri_plane_spec spec = {.min = c->min, .max = c->max};
  struct onri_xnn_packed packed = {0};
  struct onri_digest digest = {{0}};
  struct onr_env apart = *env;
  apart.blocks = NULL;
  *layout = 0;
  if (!onri_plane_of_weights(c, &spec.plane)) return ONR_STATUS_OK;
  spec.plane = probe_of(&spec.plane);
  if (spec.plane.taps > PROBE_TAPS) return ONR_STATUS_OK; /* not known: see onri_xnn_conv_recall */
  for (int i = 0; i < PROBE_WEIGHTS; i++) weight[i] = (float)(i + 1);
  for (int i = 0; i < PROBE_OUT; i++) bias[i] = (float)-i;
  ONR_TRY(onri_xnn_pack(family_of(c->transposed), &packed, &spec, weight, bias, &apart, error));
  onri_digest_add(&digest, packed.data, packed.bytes);
  *layout = digest.word[0] | 1;
  onri_xnn_packed_release(&packed, &apart);
  return ONR_STATUS_OK;
}

enum onr_status onri_xnn_conv_recall(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c, struct onr_env *env,
                                     struct onr_error *error) {
  struct onri_plane_spec spec = {.min = c->min, .max = c->max};
  uint64_t layout, stored;
  if (!onri_blocks_stored(env)) return ONR_STATUS_OK;
  ONR_TRY(ask_about_layout(c, &layout, env, error));
  if (!onri_block_answer(env, &stored) || !layout) return ONR_STATUS_OK;
  if (stored == layout) onri_plane_recall(family_of(c->transposed), packed, &spec, c, env);
  else onri_blocks_differ(env);
  return ONR_STATUS_OK;
}

enum onr_status onri_xnn_conv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c, const float *weight,
                                   const float *bias, struct onr_env *env, struct onr_error *error) {
  struct onri_plane_spec spec = {.min = c->min, .max = c->max};
  uint64_t layout;
  if (onri_blocks_record(env)) {
    ONR_TRY(ask_about_layout(c, &layout, env, error));
    onri_block_tell(env, layout);
  }
  return onri_plane_pack(family_of(c->transposed), packed, &spec, c, sizeof(float), weight, bias, env, error);
}

enum onr_status onri_xnn_conv_plan(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                   const struct onri_xnn_conv *c, size_t *scratch_bytes, struct onr_env *env,
                                   struct onr_error *error) {
  struct onri_plane_spec spec = {.min = c->min, .max = c->max};
  return onri_plane_plan(family_of(c->transposed), op, packed, &spec, c, scratch_bytes, env, error);
}

enum onr_status onri_xnn_conv_resize(struct xnn_operator **op, const struct onri_xnn_conv *was,
                                     const struct onri_xnn_conv *c, int roomy, int *fits, size_t *scratch_bytes,
                                     struct onr_env *env, struct onr_error *error) {
  *fits = 0;
  if (was->min != c->min || was->max != c->max) return ONR_STATUS_OK;
  return onri_plane_resize(family_of(c->transposed), op, was, c, roomy, fits, scratch_bytes, env, error);
}

enum onr_status onri_xnn_conv_run(struct xnn_operator *op, const struct onri_xnn_conv *c, void *scratch, const float *x,
                                  float *y, struct onr_env *env, struct onr_error *error) {
  return onri_xnn_run(family_of(c->transposed), op, &(struct onri_xnn_pointers){.scratch = scratch, .a = x, .y = y},
                      env, error);
}

/* --- NaN --- */

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
  const struct onri_xnn_family *family = family_of(q->transposed);
  const struct onri_plane_spec spec = {.plane = *q};
  size_t bytes = 0;
  enum xnn_status status = reshape(op, &spec, &bytes, NULL);
  void *scratch = bytes > 0 ? onr_env_allocate(env, bytes) : NULL;
  if (bytes > 0 && !scratch) status = xnn_status_out_of_memory;
  if (status == xnn_status_success)
    status = family->setup(op, &(struct onri_xnn_pointers){.scratch = scratch, .a = x, .y = y});
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
  const struct onri_plane_spec spec = {probe_of(p), min, max};
  const struct onri_plane *q = &spec.plane;
  float weight[PROBE_WEIGHTS];
  struct onri_xnn_scope scope;
  struct xnn_operator *op = NULL;
  *right = 0;
  if (q->taps > PROBE_TAPS) return ONR_STATUS_OK; /* not known */
  for (size_t i = 0; i < sizeof(weight) / sizeof(weight[0]); i++) weight[i] = 1.0f;
  onri_xnn_enter(&scope, env);
  enum xnn_status status = create(&spec, weight, NULL, NULL, &op);
  if (status == xnn_status_success) status = watch_nan(op, q, right, env);
  const enum onr_status result = onri_xnn_leave(&scope, status, &op, plain.name, error);
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
