/* plane.c: which convolutions XNNPACK's 2-D operators compute, and with how much memory. */
#include "xnn/plane.h"

#include "base/numbers/checked.h"

/* An axis along which nothing is mixed: its pixels are as good as images. */
static int is_idle(const struct onri_axis *a) {
  return a->kernel == 1 && a->stride == 1 && a->begin == 0 && a->end == 0 && a->in == a->out;
}

static int in_range(const struct onri_axis *a) {
  const int64_t values[] = {a->kernel, a->stride, a->dilation};
  for (size_t i = 0; i < 3; i++)
    if (values[i] < 1 || values[i] > INT32_MAX) return 0;
  return a->begin >= 0 && a->end >= 0 && a->begin <= INT32_MAX && a->end <= INT32_MAX;
}

static int64_t extent_of(const struct onri_axis *a) { return (a->kernel - 1) * a->dilation + 1; }

/* Outputs of a transposed axis behind the last tap. */
static int64_t extra_of(const struct onri_axis *a) {
  return a->out - (a->stride * (a->in - 1) + extent_of(a) - a->begin - a->end);
}

int onri_plane_of(const struct onri_xnn_conv *c, struct onri_plane *plane) {
  const struct onri_axis *depth = &c->axis[0], *height = &c->axis[1], *width = &c->axis[2];
  *plane = (struct onri_plane){.height = *height,
                               .width = *width,
                               .batch = c->batch,
                               .groups = c->groups,
                               .group_in = c->group_in,
                               .group_out = c->group_out,
                               .transposed = c->transposed};
  if (is_idle(depth)) {
    if (!onri_mul_i64(c->batch, depth->in, &plane->batch)) return 0;
  } else if (is_idle(height) && is_idle(width)) {
    plane->height = *depth;
    if (!onri_mul_i64(height->in, width->in, &plane->width.in)) return 0;
    plane->width.out = plane->width.in;
  } else {
    return 0;
  }
  if (!in_range(&plane->height) || !in_range(&plane->width)) return 0;
  if (plane->height.kernel == 1) plane->height.dilation = 1; /* it says nothing, but XNNPACK looks at it */
  if (plane->width.kernel == 1) plane->width.dilation = 1;
  plane->taps = plane->height.kernel * plane->width.kernel;
  if (c->transposed) {
    plane->extra_height = extra_of(&plane->height);
    plane->extra_width = extra_of(&plane->width);
  }
  return 1;
}

int onri_plane_of_weights(const struct onri_xnn_conv *c, struct onri_plane *plane) {
  struct onri_xnn_conv any = *c;
  for (int i = 0; i < ONR_MAX_SPATIAL && !c->transposed; i++) any.axis[i].in = any.axis[i].out = 0;
  any.batch = 0;
  return onri_plane_of(&any, plane);
}

static int is_strided(const struct onri_plane *p) { return p->height.stride > 1 || p->width.stride > 1; }

/* Transposed with a stride: XNNPACK makes one small convolution of each phase. With dilation or a kernel below the
 * stride it would multiply mostly zeros instead. */
static int has_phases(const struct onri_plane *p) {
  return p->height.dilation == 1 && p->width.dilation == 1 && p->height.stride <= p->height.kernel &&
         p->width.stride <= p->width.kernel;
}

/* XNNPACK computes with these in 32 bits, channels being rounded up to the width of a tile. */
static int weights_fit(const struct onri_plane *p) {
  const int64_t factors[] = {p->taps, p->group_in + 31, sizeof(float)},
                all[] = {p->taps, p->group_in, p->group_out, p->groups};
  int64_t row = 1, count = 1;
  if (p->group_in < 1 || p->group_out < 1 || p->groups < 1 || p->group_in >= ONRI_XNN_MAX) return 0;
  for (size_t i = 0; i < 3; i++)
    if (!onri_mul_i64(row, factors[i], &row) || row >= ONRI_XNN_MAX) return 0;
  for (size_t i = 0; i < 4; i++)
    if (!onri_mul_i64(count, all[i], &count) || count >= ONRI_XNN_MAX) return 0;
  return 1;
}

/* The table of pointers stays below 8 outputs a pixel of 4 bytes, and so below what onri_plane_bound_operator allows,
 * whatever the sizes are. Phases round the width up to a tile each. */
static int pointers_are_bounded(const struct onri_plane *p) {
  const int64_t tile = 17, rounding = p->transposed && is_strided(p) ? tile * p->width.stride + 1 : 1;
  int64_t product;
  return p->taps <= 1 << 16 && onri_mul_i64(p->taps, rounding, &product) && product <= 4 * p->groups * p->group_out;
}

/* Each phase has an output, whatever the image is: it has for one pixel. See transposed_axis_fits. */
static int has_every_phase(const struct onri_axis *a) { return a->out >= a->stride - 1; }

/* Beyond its widest depthwise kernel XNNPACK takes one that fills a tile of 16 or 32 output channels with one: ten
 * times slower than ours. */
static int wastes_tiles(const struct onri_plane *p) {
  return !p->transposed && p->group_in == 1 && p->group_out == 1 && p->taps > 25;
}

enum onri_xnn_fit onri_plane_fit(const struct onri_plane *p) {
  if (!weights_fit(p) || wastes_tiles(p)) return ONRI_XNN_NEVER;
  if (p->transposed && (p->extra_height >= p->height.stride || p->extra_width >= p->width.stride))
    return ONRI_XNN_NEVER;
  if (p->transposed && is_strided(p)) {
    if (!has_phases(p)) return ONRI_XNN_NEVER;
    if (!has_every_phase(&p->height) || !has_every_phase(&p->width)) return ONRI_XNN_SOMETIMES;
  }
  return pointers_are_bounded(p) ? ONRI_XNN_ALWAYS : ONRI_XNN_SOMETIMES;
}

static int axis_fits(const struct onri_axis *a) {
  if (a->in < 1 || a->out < 1) return 0;
  return extent_of(a) <= a->in + a->begin + a->end &&
         a->out == (a->in + a->begin + a->end - extent_of(a)) / a->stride + 1;
}

/* A phase without outputs is computed as one with 2^64 of them, unless it is the last of all: then it is one with none.
 */
static int transposed_axis_fits(const struct onri_axis *a, int64_t extra, int strided) {
  return a->in >= 1 && a->out >= 1 && extra >= 0 && extra < a->stride && (!strided || a->out >= a->stride - 1);
}

int onri_plane_fits(const struct onri_plane *p) {
  if (p->batch < 1) return 0;
  if (!p->transposed) return axis_fits(&p->height) && axis_fits(&p->width);
  const int strided = is_strided(p);
  return transposed_axis_fits(&p->height, p->extra_height, strided) &&
         transposed_axis_fits(&p->width, p->extra_width, strided);
}

/* --- weights --- */

size_t onri_plane_weight_bytes(const struct onri_plane *p, size_t size) {
  return (size_t)(p->taps * p->groups * p->group_in * p->group_out) * size;
}

#define DEFINE_TURN(type)                                                                                   \
  static void turn_##type(const type *from, int64_t in, int64_t in_step, int64_t taps, type *to) {          \
    for (int64_t t = 0; t < taps; t++) /* writes run on; what is read stays in the L1 cache between taps */ \
      for (int64_t i = 0; i < in; i++) to[t * in + i] = from[i * in_step + t];                              \
  }
DEFINE_TURN(int8_t)
DEFINE_TURN(float)

void onri_plane_reorder(const struct onri_plane *p, size_t size, const void *weight, void *target) {
  const int64_t taps = p->taps, in = p->group_in, out = p->group_out;
  /* Steps between input channels and output channels of one group. */
  const int64_t in_step = p->transposed ? out * taps : taps, out_step = p->transposed ? taps : in * taps;
  for (int64_t g = 0; g < p->groups; g++)
    for (int64_t o = 0; o < out; o++) {
      const int64_t from = g * in * out * taps + o * out_step, to = (g * out + o) * taps * in;
      if (size == 1) turn_int8_t((const int8_t *)weight + from, in, in_step, taps, (int8_t *)target + to);
      else turn_float((const float *)weight + from, in, in_step, taps, (float *)target + to);
    }
}

/* --- memory --- */

static void bound(struct onri_xnn_scope *scope, size_t base, size_t factor, size_t units) {
  size_t most;
  if (onri_mul_size(factor, units, &most) && onri_add_size(most, base, &most) && most < scope->most) scope->most = most;
}

/* Narrow groups are filled up to the width of a tile. */
void onri_plane_bound_packing(const struct onri_plane *p, size_t size, struct onri_xnn_scope *scope) {
  bound(scope, 1 << 20, 16, onri_plane_weight_bytes(p, size));
}

/* A table of one pointer for each tap of each output: quadratic where the kernel is as large as the image. */
void onri_plane_bound_operator(const struct onri_plane *p, struct onri_xnn_scope *scope) {
  const int64_t image[] = {p->batch, p->height.in, p->width.in, p->groups, p->group_in};
  const int64_t output[] = {p->batch, p->height.out, p->width.out, p->groups, p->group_out};
  int64_t x = 1, y = 1, all;
  for (size_t i = 0; i < 5; i++)
    if (!onri_mul_i64(x, image[i], &x) || !onri_mul_i64(y, output[i], &y)) return;
  if (onri_add_i64(x, y, &all) && onri_add_i64(all, (int64_t)onri_plane_weight_bytes(p, 1), &all))
    bound(scope, 16 << 20, 32, (size_t)all);
}

static int axes_alike(const struct onri_axis *a, const struct onri_axis *b) {
  return a->kernel == b->kernel && a->stride == b->stride && a->dilation == b->dilation && a->begin == b->begin &&
         a->end == b->end;
}

int onri_plane_alike(const struct onri_plane *a, const struct onri_plane *b) {
  return axes_alike(&a->height, &b->height) && axes_alike(&a->width, &b->width) && a->groups == b->groups &&
         a->group_in == b->group_in && a->group_out == b->group_out && a->transposed == b->transposed;
}

/* --- the life of an operator --- */

void onri_plane_spec_bound(const void *spec, struct onri_xnn_scope *scope) {
  onri_plane_bound_operator(&((const struct onri_plane_spec *)spec)->plane, scope);
}

enum xnn_status onri_plane_reshaped(const struct onri_plane *p, enum xnn_status status, size_t alignment, size_t height,
                                    size_t width) {
  if (status != xnn_status_success) return status;
  return alignment > 64 || height != (size_t)p->height.out || width != (size_t)p->width.out ? xnn_status_invalid_state
                                                                                            : xnn_status_success;
}

/* Whether our order is XNNPACK's, too. */
static int is_ordered(const struct onri_plane *p) {
  return p->transposed ? p->group_in == 1 || (p->group_out == 1 && p->taps == 1) : p->group_in == 1 || p->taps == 1;
}

enum onr_status onri_plane_pack(const struct onri_xnn_family *family, struct onri_xnn_packed *packed,
                                struct onri_plane_spec *spec, const struct onri_xnn_conv *c, size_t size,
                                const void *weight, const void *bias, struct onr_env *env, struct onr_error *error) {
  void *copy = NULL;
  if (!onri_plane_of_weights(c, &spec->plane))
    return onr_fail(error, ONR_STATUS_INTERNAL, "this convolution is not one of planes");
  if (!is_ordered(&spec->plane)) {
    copy = onr_env_allocate(env, onri_plane_weight_bytes(&spec->plane, size));
    if (!copy) return onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
    onri_plane_reorder(&spec->plane, size, weight, copy);
  }
  const enum onr_status result = onri_xnn_pack(family, packed, spec, copy ? copy : weight, bias, env, error);
  onr_env_release(env, copy);
  return result;
}

void onri_plane_recall(const struct onri_xnn_family *family, struct onri_xnn_packed *packed,
                       struct onri_plane_spec *spec, const struct onri_xnn_conv *c, struct onr_env *env) {
  if (onri_plane_of_weights(c, &spec->plane)) onri_xnn_recall(family, packed, spec, env);
}

enum onr_status onri_plane_plan(const struct onri_xnn_family *family, struct xnn_operator **op,
                                const struct onri_xnn_packed *packed, struct onri_plane_spec *spec,
                                const struct onri_xnn_conv *c, size_t *scratch_bytes, struct onr_env *env,
                                struct onr_error *error) {
  if (!onri_plane_of(c, &spec->plane) || !onri_plane_fits(&spec->plane)) return ONR_STATUS_OK;
  return onri_xnn_plan(family, op, packed, spec, 0, scratch_bytes, env, error);
}

enum onr_status onri_plane_resize(const struct onri_xnn_family *family, struct xnn_operator **op,
                                  const struct onri_xnn_conv *was, const struct onri_xnn_conv *c, int roomy, int *fits,
                                  size_t *scratch_bytes, struct onr_env *env, struct onr_error *error) {
  struct onri_plane_spec spec = {.min = c->min, .max = c->max};
  struct onri_plane old;
  *fits = 0;
  if (!onri_plane_of(was, &old) || !onri_plane_of(c, &spec.plane) || !onri_plane_alike(&spec.plane, &old))
    return ONR_STATUS_OK;
  if (!onri_plane_fits(&spec.plane)) {
    onri_xnn_delete(*op);
    *op = NULL;
    return ONR_STATUS_OK;
  }
  ONR_TRY(onri_xnn_plan(family, op, NULL, &spec, roomy, scratch_bytes, env, error));
  *fits = *op != NULL;
  return ONR_STATUS_OK;
}
