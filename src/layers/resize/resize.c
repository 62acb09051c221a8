/* resize.c: interpolation along any axes: nearest, linear, cubic.
 *
 * input 0   x       any rank
 * input 1   roi     starts and ends, one each per axis, in parts of the size; optional; for tf_crop_and_resize
 * input 2   scales  float32 [axes], optional
 * input 3   sizes   int64 [axes], optional
 * output 0  y
 * ONNX      Resize-10..19, Upsample-1..9
 * NaN       a pixel that counts with weight 0 is still counted: NaN and infinities make NaN of it, as 0 times them is
 * path      nearest gathers elements of any dtype; linear and cubic make one pass an axis, in vectors of what lies
 * behind it, or of lines
 */
#include <math.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/resize/resize.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"
#include "layers/resize/resize_axis.h"

#define VECTOR_TYPES ONRI_DTYPES_F32_AND_HALF

struct resize_state {
  struct onri_resize_axis axis[ONR_MAX_RANK]; /* in the order of x as it is stored */
  void *tables;
  size_t x, y, between[2]; /* in scratch */
};

/* The stored dimension that dimension d of [N, C, spatial...] is. */
static int32_t stored_dim(const struct onr_resize_params *p, int32_t rank, int32_t d) {
  if (!p->channels_last || rank < 3 || d == 0) return d;
  return d == 1 ? rank - 1 : d - 1;
}

/* Stored dimension of each axis that roi, scales and sizes speak of. */
static enum onr_status resolve_axes(const struct onr_call *call, int32_t axes[ONR_MAX_RANK], int32_t *count) {
  const struct onr_resize_params *p = call->params;
  const int32_t rank = call->in[0].rank;
  uint8_t seen[ONR_MAX_RANK] = {0};
  *count = p->num_axes > 0 ? p->num_axes : rank;
  if (*count > rank)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "%d axes for an input of rank %d", *count, rank);
  for (int32_t i = 0; i < *count; i++) {
    int32_t d = i;
    if (p->num_axes > 0) ONR_TRY(onri_axis_resolve(p->axes[i], rank, &d, call->error));
    if (seen[d]++) return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "axis %d is named twice", d);
    axes[i] = stored_dim(p, rank, d);
  }
  return ONR_STATUS_OK;
}

static int is_given(const struct onr_call *call, size_t i) {
  return onri_has(call, i) && onr_desc_elements(&call->in[i]) > 0;
}

static enum onr_status check_list(const struct onr_call *call, size_t i, const char *name, int64_t count) {
  if (call->in[i].rank != 1 || call->in[i].dim[0] != count)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected %lld %s, found rank %d with %lld", (long long)count, name,
                    call->in[i].rank, (long long)onr_desc_elements(&call->in[i]));
  if (!call->inputs[i]) return onr_fail(call->error, ONR_STATUS_INTERNAL, "%s are not known", name);
  return ONR_STATUS_OK;
}

/* Pixels after scaling: the product is rounded to the type of the scales. */
static double scaled(const struct onr_call *call, int64_t in, int32_t i, double *scale) {
  const struct onr_resize_params *p = call->params;
  if (p->wide_scales) {
    *scale = ((const double *)call->inputs[2])[i];
    return (double)in * *scale;
  }
  const float narrow = ((const float *)call->inputs[2])[i], product = (float)in * narrow;
  *scale = (double)narrow;
  return (double)product;
}

static enum onr_status take_scales(const struct onr_call *call, struct onri_resize_axis *axis, const int32_t *axes,
                                   int32_t count) {
  const struct onr_resize_params *p = call->params;
  for (int32_t i = 0; i < count; i++) {
    struct onri_resize_axis *a = &axis[axes[i]];
    const double out = scaled(call, a->in, i, &a->scale);
    if (!(a->scale > 0) || !isfinite(a->scale))
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected scales above 0, found %g", a->scale);
    if (!(out < 2147483648.0))
      return onr_fail(call->error, ONR_STATUS_LIMIT, "%lld pixels scaled by %g are beyond 2^31", (long long)a->in,
                      a->scale);
    a->out = (int64_t)floor(out);
    a->exact = (double)a->out == a->scale * (double)a->in;
    if (!p->recompute_scales) continue;
    a->exact = 1;
    a->scale = a->in > 0 ? (double)a->out / (double)a->in : 1;
  }
  return ONR_STATUS_OK;
}

static enum onr_status take_sizes(const struct onr_call *call, struct onri_resize_axis *axis, const int32_t *axes,
                                  int32_t count) {
  const struct onr_resize_params *p = call->params;
  const int64_t *sizes = call->inputs[3];
  double common = p->aspect == ONR_RESIZE_NOT_LARGER ? INFINITY : 0;
  for (int32_t i = 0; i < count; i++) {
    struct onri_resize_axis *a = &axis[axes[i]];
    if (sizes[i] < 0)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected sizes of at least 0, found %lld",
                      (long long)sizes[i]);
    if (a->in == 0 && sizes[i] > 0)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "0 pixels cannot become %lld", (long long)sizes[i]);
    a->out = sizes[i];
    a->exact = 1;
    a->scale = a->in > 0 ? (double)a->out / (double)a->in : 1;
    common = p->aspect == ONR_RESIZE_NOT_LARGER ? fmin(common, a->scale) : fmax(common, a->scale);
  }
  for (int32_t i = 0; i < count && p->aspect != ONR_RESIZE_STRETCH; i++) {
    struct onri_resize_axis *a = &axis[axes[i]];
    const double out = floor(common * (double)a->in + 0.5);
    if (!(out < 2147483648.0))
      return onr_fail(call->error, ONR_STATUS_LIMIT, "%lld pixels scaled by %g are beyond 2^31", (long long)a->in,
                      common);
    a->out = (int64_t)out;
    a->scale = common;
    a->exact = (double)a->out == common * (double)a->in;
  }
  return ONR_STATUS_OK;
}

static enum onr_status take_roi(const struct onr_call *call, struct onri_resize_axis *axis, const int32_t *axes,
                                int32_t count) {
  const struct onr_resize_params *p = call->params;
  if (p->coordinates != ONR_RESIZE_TF_CROP_AND_RESIZE) return ONR_STATUS_OK;
  if (!is_given(call, 1)) return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "tf_crop_and_resize needs a roi");
  ONR_TRY(check_list(call, 1, "roi values", 2 * (int64_t)count));
  for (int32_t i = 0; i < 2 * count; i++) {
    union {
      float f;
      double d;
    } value;
    const enum onr_dtype dtype = call->in[1].dtype;
    onri_widen(dtype, (const unsigned char *)call->inputs[1] + (size_t)i * onr_dtype_size(dtype), 1, &value);
    const double bound = onri_is_double(dtype) ? value.d : (double)value.f;
    if (i < count) axis[axes[i]].start = bound;
    else axis[axes[i - count]].end = bound;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_resize_geometry(const struct onr_call *call, struct onri_resize_axis axis[ONR_MAX_RANK]) {
  const struct onr_resize_params *p = call->params;
  int32_t axes[ONR_MAX_RANK], count;
  if (p->mode != ONR_RESIZE_NEAREST) ONR_TRY(onri_widened_expect(call, 0));
  for (int32_t d = 0; d < call->in[0].rank; d++)
    axis[d] = (struct onri_resize_axis){
        .in = call->in[0].dim[d], .out = call->in[0].dim[d], .scale = 1, .exact = 1, .end = 1, .taps = 1};
  ONR_TRY(resolve_axes(call, axes, &count));
  if (is_given(call, 2) == is_given(call, 3))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected either scales or sizes, found %s",
                    is_given(call, 2) ? "both" : "none");
  if (is_given(call, 2)) {
    ONR_TRY(check_list(call, 2, "scales", count));
    ONR_TRY(take_scales(call, axis, axes, count));
  } else {
    ONR_TRY(check_list(call, 3, "sizes", count));
    ONR_TRY(take_sizes(call, axis, axes, count));
  }
  ONR_TRY(take_roi(call, axis, axes, count));
  for (int32_t d = 0; d < call->in[0].rank; d++)
    axis[d].active = axis[d].out != axis[d].in || axis[d].scale != 1 || axis[d].start != 0 || axis[d].end != 1;
  return ONR_STATUS_OK;
}

static enum onr_status resize_infer(struct onr_call *call) {
  struct onri_resize_axis axis[ONR_MAX_RANK];
  ONR_TRY(onri_resize_geometry(call, axis));
  call->out[0] = call->in[0];
  for (int32_t d = 0; d < call->in[0].rank; d++) call->out[0].dim[d] = axis[d].out;
  return ONR_STATUS_OK;
}

/* Index, weight and outside tables of all active axes, in one block. */
static enum onr_status make_tables(struct onr_call *call, struct resize_state *s) {
  const struct onr_resize_params *p = call->params;
  const size_t real = onri_widened_size(call->in[0].dtype);
  const int32_t rank = call->in[0].rank;
  size_t total = 0;
  for (int32_t d = 0; d < rank; d++) {
    if (!s->axis[d].active) continue;
    ONR_TRY(onri_resize_axis_taps(p, &s->axis[d], call->error));
    const size_t entries = (size_t)s->axis[d].out * (size_t)s->axis[d].taps; /* below 2^31 */
    total += (entries * (real + 4) + (size_t)s->axis[d].out + 63) / 64 * 64;
  }
  if (total == 0) return ONR_STATUS_OK;
  s->tables = onr_env_allocate(call->env, total);
  if (!s->tables)
    return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of an interpolation");
  unsigned char *next = s->tables;
  for (int32_t d = 0; d < rank; d++) {
    struct onri_resize_axis *a = &s->axis[d];
    if (!a->active) continue;
    const size_t entries = (size_t)a->out * (size_t)a->taps;
    a->weight = next;
    a->index = (int32_t *)(void *)(next + entries * real);
    a->outside = next + entries * (real + 4);
    next += (entries * (real + 4) + (size_t)a->out + 63) / 64 * 64;
    onri_resize_axis_fill(p, a, onri_is_double(call->in[0].dtype));
  }
  return ONR_STATUS_OK;
}

/* Intermediate images between passes, two in turn. */
static enum onr_status reserve_between(struct onr_call *call, struct resize_state *s) {
  struct onr_desc desc = call->in[0];
  int32_t left = 0, turn = 0;
  size_t largest[2] = {0, 0};
  for (int32_t d = 0; d < desc.rank; d++) left += s->axis[d].active;
  for (int32_t d = 0; d < desc.rank; d++) {
    size_t bytes;
    if (!s->axis[d].active || --left == 0) continue;
    desc.dim[d] = s->axis[d].out;
    if (!onri_mul_size((size_t)onr_desc_elements(&desc), onri_widened_size(desc.dtype) * onri_dtype_parts(desc.dtype),
                       &bytes))
      bytes = SIZE_MAX;
    if (bytes > largest[turn]) largest[turn] = bytes;
    turn = !turn;
  }
  ONR_TRY(onri_scratch_reserve(call, largest[0], &s->between[0]));
  return onri_scratch_reserve(call, largest[1], &s->between[1]);
}

static enum onr_status resize_plan(struct onr_call *call) {
  const struct onr_resize_params *p = call->params;
  struct resize_state *s = call->state;
  ONR_TRY(onri_resize_geometry(call, s->axis));
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  ONR_TRY(make_tables(call, s));
  if (p->mode == ONR_RESIZE_NEAREST) return ONR_STATUS_OK;
  if (VECTOR_TYPES & ONRI_DTYPE_BIT(call->in[0].dtype)) call->kernel = ONR_KERNEL_VECTOR;
  ONR_TRY(onri_widened_plan(call, &call->in[0], &s->x));
  ONR_TRY(onri_widened_plan(call, &call->out[0], &s->y));
  return reserve_between(call, s);
}

static void run_passes(struct onr_call *call, const struct resize_state *s, const void *x, void *y) {
  const int32_t rank = call->in[0].rank;
  const int wide = onri_is_double(call->in[0].dtype);
  const size_t parts = onri_dtype_parts(call->in[0].dtype);
  struct onr_desc desc = call->in[0];
  int32_t left = 0, turn = 0;
  for (int32_t d = 0; d < rank; d++) left += s->axis[d].active;
  if (left == 0)
    onri_env_copy(call->env, y, x, (size_t)onr_desc_elements(&desc) * onri_widened_size(desc.dtype) * parts, NULL);
  for (int32_t d = 0; d < rank; d++) {
    const struct onri_resize_axis *a = &s->axis[d];
    if (!a->active) continue;
    const struct onri_resize_pass pass = {.outer = onri_product(&desc, 0, d),
                                          .in = a->in,
                                          .out = a->out,
                                          .taps = a->taps,
                                          .inner = onri_product(&desc, d + 1, rank) * (int64_t)parts,
                                          .index = a->index,
                                          .weight = a->weight};
    void *to = --left == 0 ? y : (unsigned char *)call->scratch + s->between[turn];
    if (wide) onri_resize_pass_f64(&pass, x, to, call->env);
    else onri_resize_pass_f32(&pass, x, to, call->env);
    desc.dim[d] = a->out;
    x = to;
    turn = !turn;
  }
}

static void run_nearest(struct onr_call *call, const struct resize_state *s) {
  struct onri_resize_gather g = {.rank = call->in[0].rank, .element = onr_dtype_size(call->in[0].dtype)};
  for (int32_t d = 0; d < g.rank; d++) {
    g.in[d] = s->axis[d].in;
    g.out[d] = s->axis[d].out;
    g.index[d] = s->axis[d].active ? s->axis[d].index : NULL;
  }
  onri_resize_gather(&g, call->inputs[0], call->outputs[0], call->env);
}

/* tf_crop_and_resize: output pixels whose position is not in the image take the extrapolation value. */
static void extrapolate(struct onr_call *call, const struct resize_state *s) {
  const struct onr_resize_params *p = call->params;
  const enum onr_dtype dtype = call->out[0].dtype;
  const size_t size = onr_dtype_size(dtype);
  const double value = (double)p->extrapolation_value;
  unsigned char element[16] = {0}; /* of a string: the empty one */
  onri_store_f64(onri_dtype_part(dtype), &value, 1, element);
  const int64_t count = onr_desc_elements(&call->out[0]);
  struct onri_pace pace = {call->env, 0};
  for (int64_t i = 0; i < count && !onri_pace_stop(&pace, 16); i++) {
    int64_t rest = i;
    int outside = 0;
    for (int32_t d = call->out[0].rank - 1; d >= 0; d--) {
      if (s->axis[d].active) outside |= s->axis[d].outside[rest % s->axis[d].out];
      rest /= s->axis[d].out;
    }
    if (outside) memcpy((unsigned char *)call->outputs[0] + (size_t)i * size, element, size);
  }
}

static enum onr_status resize_run(struct onr_call *call) {
  const struct onr_resize_params *p = call->params;
  const struct resize_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (p->mode == ONR_RESIZE_NEAREST) {
    run_nearest(call, s);
  } else {
    run_passes(call, s, onri_widened_input(call, 0, s->x), onri_widened_output(call, 0, s->y));
    onri_widened_finish(call, 0, s->y);
  }
  if (p->coordinates == ONR_RESIZE_TF_CROP_AND_RESIZE) extrapolate(call, s);
  return ONR_STATUS_OK;
}

static void resize_release_state(void *state, struct onr_env *env) {
  struct resize_state *s = state;
  onr_env_release(env, s->tables);
  s->tables = NULL;
}

static uint32_t resize_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? VECTOR_TYPES : 0;
}

enum { WEIGHT = 16 }; /* operations that computing one takes */

/* One pass an axis; an antialiased filter may be as wide as the image. */
static int64_t resize_steps(const struct onr_call *call) {
  struct onri_resize_axis axis[ONR_MAX_RANK];
  struct onr_desc desc = call->in[0];
  int64_t most = 0;
  if (onri_resize_geometry(call, axis) != ONR_STATUS_OK) return 0;
  for (int32_t d = 0; d < desc.rank; d++) {
    if (!axis[d].active || onri_resize_axis_taps(call->params, &axis[d], call->error) != ONR_STATUS_OK) continue;
    desc.dim[d] = axis[d].out;
    const int64_t elements = onri_steps(desc.dim, (size_t)desc.rank);
    const int64_t pass = ONRI_STEPS(elements, axis[d].taps), weights = ONRI_STEPS(axis[d].out, axis[d].taps, WEIGHT);
    if (pass > most) most = pass;
    if (weights > most) most = weights;
  }
  return most;
}

static uint32_t resize_types(const void *params, size_t i) {
  return i == 2 && ((const struct onr_resize_params *)params)->wide_scales ? ONRI_DTYPE_BIT(ONR_DTYPE_F64) : 0;
}

const struct onr_layer onri_layer_resize = {
    .name = "resize",
    .inputs_min = 1,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPES_FLOAT, ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_I64)},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 14,
    .layout = ONRI_LAYOUT_RESIZE,
    .layout_param = offsetof(struct onr_resize_params, channels_last),
    .params_size = sizeof(struct onr_resize_params),
    .state_size = sizeof(struct resize_state),
    .types_by_params = resize_types,
    .infer = resize_infer,
    .plan = resize_plan,
    .run = resize_run,
    .steps = resize_steps,
    .release_state = resize_release_state,
    .kernel_types = resize_kernel_types,
};
