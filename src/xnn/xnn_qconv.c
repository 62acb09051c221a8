/* xnn_qconv.c: XNNPACK's convolution2d with int8 operands and a scale an output channel. */
#include "xnn/xnn_qconv.h"

#include "xnn/plane.h"

static enum xnn_status create(const void *spec, const void *weights, const void *bias,
                              struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  const struct onri_plane_spec *s = spec;
  const struct onri_plane *p = &s->plane;
  const struct onri_axis *h = &p->height, *w = &p->width;
  const size_t in = (size_t)p->group_in, out = (size_t)p->group_out, groups = (size_t)p->groups;
  return xnn_create_convolution2d_nhwc_qs8_qc8w(
      (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel,
      (uint32_t)w->kernel, (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation, (uint32_t)w->dilation,
      (uint32_t)groups, in, out, groups * in, groups * out, s->q->x_zero, s->q->x_scale, s->q->scales, weights, bias,
      s->q->y_zero, s->q->y_scale, INT8_MIN, INT8_MAX, 0, NULL, cache, op);
}

static enum xnn_status reshape(struct xnn_operator *op, const void *spec, size_t *scratch_bytes,
                               struct pthreadpool *threads) {
  const struct onri_plane *p = &((const struct onri_plane_spec *)spec)->plane;
  size_t alignment = 1, height = 0, width = 0;
  const enum xnn_status status =
      xnn_reshape_convolution2d_nhwc_qs8_qc8w(op, (size_t)p->batch, (size_t)p->height.in, (size_t)p->width.in,
                                              scratch_bytes, &alignment, &height, &width, threads);
  return onri_plane_reshaped(p, status, alignment, height, width);
}

static enum xnn_status setup(struct xnn_operator *op, const struct onri_xnn_pointers *at) {
  return xnn_setup_convolution2d_nhwc_qs8_qc8w(op, at->scratch, at->a, at->y);
}

/* A sum and a scale stand with each channel's bytes. */
static void bound_packing(const void *spec, struct onri_xnn_scope *scope) {
  onri_plane_bound_packing(&((const struct onri_plane_spec *)spec)->plane, sizeof(int32_t), scope);
}

static const struct onri_xnn_family quantised = {"quantised convolution", create, reshape, setup, bound_packing,
                                                 onri_plane_spec_bound,   1};

enum onr_status onri_xnn_qconv_pack(struct onri_xnn_packed *packed, const struct onri_xnn_conv *c,
                                    const struct onri_xnn_qconv *q, const int8_t *weight, const int32_t *bias,
                                    struct onr_env *env, struct onr_error *error) {
  struct onri_plane_spec spec = {.q = q};
  return onri_plane_pack(&quantised, packed, &spec, c, 1, weight, bias, env, error);
}

enum onr_status onri_xnn_qconv_plan(struct xnn_operator **op, const struct onri_xnn_packed *packed,
                                    const struct onri_xnn_conv *c, const struct onri_xnn_qconv *q,
                                    size_t *scratch_bytes, struct onr_env *env, struct onr_error *error) {
  struct onri_plane_spec spec = {.q = q};
  return onri_plane_plan(&quantised, op, packed, &spec, c, scratch_bytes, env, error);
}

enum onr_status onri_xnn_qconv_resize(struct xnn_operator **op, const struct onri_xnn_conv *was,
                                      const struct onri_xnn_conv *c, int *fits, size_t *scratch_bytes,
                                      struct onr_env *env, struct onr_error *error) {
  return onri_plane_resize(&quantised, op, was, c, 0, fits, scratch_bytes, env, error);
}

enum onr_status onri_xnn_qconv_run(struct xnn_operator *op, void *scratch, const int8_t *x, int8_t *y,
                                   struct onr_env *env, struct onr_error *error) {
  return onri_xnn_run(&quantised, op, &(struct onri_xnn_pointers){.scratch = scratch, .a = x, .y = y}, env, error);
}
