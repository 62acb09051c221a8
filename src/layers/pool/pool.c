/* max_pool, average_pool, lp_pool: a reduction over a sliding window.
 *
 * input 0   x        [N, C, spatial...] (1 to 3 of them), or channels-last
 * output 0  y        [N, C, spatial...]
 * output 1  indices  max_pool, optional: int64, like y
 * ONNX      MaxPool-1..22, AveragePool-1..22, LpPool-1..22; torch.nn.AdaptiveAvgPool1d to AdaptiveMaxPool3d
 * NaN       the maximum of a window with NaN is NaN, and its index that of the last one: as PyTorch has it
 * average   of a window in which nothing counts: 0
 * path      vectors of channels or pixels: max_pool and average_pool of floats of up to 32 bits (with indices, of
 * channels), max_pool of bytes; portable: everything else; windows of hundreds of pixels that overlap are made of parts
 */
#include <math.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "base/services.h"
#include "base/shape.h"
#include "kernels/pool/pool_wide.h"
#include "layers/layers.h"
#include "layers/pool/pool.h"
#include "layers/elementwise/widened.h"
#include "layers/conv/window.h"

struct pool_state {
  struct onri_pool pool;
  int wide;
  size_t x, y, work, places; /* in scratch */
};

/* Axes of windows that slide. */
static enum onr_status sliding(const struct onr_call *call, int32_t spatial, struct onri_axis axis[ONR_MAX_SPATIAL]) {
  const struct onr_pool_params *p = call->params;
  if (p->window.rank != spatial)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "a kernel of %d dimensions does not fit an image of %d",
                    p->window.rank, spatial);
  for (int32_t i = 0; i < spatial; i++) {
    struct onri_axis *a = &axis[ONR_MAX_SPATIAL - spatial + i];
    a->kernel = p->window.kernel[i];
    if (a->kernel < 1)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a kernel of at least 1, found %lld",
                      (long long)a->kernel);
  }
  ONR_TRY(onri_window_resolve(&p->window, spatial, axis, call->error));
  for (int32_t i = 0; i < ONR_MAX_SPATIAL && p->window.auto_pad == ONR_AUTO_PAD_NOTSET; i++) {
    const struct onri_axis *a = &axis[i];
    const int64_t extent = (a->kernel - 1) * a->dilation + 1;
    if (a->begin >= extent || a->end >= extent)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "padding %lld + %lld is not below the window of %lld",
                      (long long)a->begin, (long long)a->end, (long long)extent);
  }
  const int rounds_up =
      p->ceil_mode && p->window.auto_pad != ONR_AUTO_PAD_SAME_UPPER && p->window.auto_pad != ONR_AUTO_PAD_SAME_LOWER;
  return onri_window_output(rounds_up, !p->may_be_empty, spatial, axis, call->error);
}

static enum onr_status adaptive_size(int64_t wanted, double ratio, struct onri_axis *a, struct onr_error *error) {
  const double scaled = floor((double)a->in * ratio);
  a->out = wanted == 0 ? a->in : wanted;
  if (wanted != 0 || ratio == 0) return ONR_STATUS_OK;
  if (!(scaled >= 1 && scaled <= INT32_MAX))
    return onr_fail(error, ONR_STATUS_SHAPE, "%lld pixels times %g are not from 1 to %d", (long long)a->in, ratio,
                    INT32_MAX);
  a->out = (int64_t)scaled;
  return ONR_STATUS_OK;
}

/* Axes of windows that cut the image into parts; *irregular when no window of one size does that. */
static enum onr_status adaptive(const struct onr_call *call, int32_t spatial, struct onri_axis axis[ONR_MAX_SPATIAL],
                                int32_t *irregular) {
  const struct onr_pool_params *p = call->params;
  if (p->adaptive != spatial)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "an output of %d dimensions does not fit an image of %d",
                    p->adaptive, spatial);
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) {
    struct onri_axis *a = &axis[i];
    const int32_t k = i - (ONR_MAX_SPATIAL - spatial);
    if (k < 0) a->out = 1;
    else ONR_TRY(adaptive_size(p->output[k], p->ratio[k], a, call->error));
    if (a->out < 0 || a->out > INT32_MAX || a->in > INT32_MAX)
      return onr_fail(call->error, ONR_STATUS_LIMIT,
                      "expected image and output sizes from 0 to %d, found %lld and %lld", INT32_MAX, (long long)a->in,
                      (long long)a->out);
    if (a->in == 0) return onr_fail(call->error, ONR_STATUS_SHAPE, "the image has no pixels");
    *irregular |= a->in % a->out != 0;
    a->kernel = a->stride = a->in / a->out;
    a->dilation = 1;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_pool_geometry(const struct onr_call *call, enum onri_pool_kind kind, struct onri_pool *pool,
                                   struct onr_desc *out) {
  const struct onr_pool_params *p = call->params;
  int32_t spatial = 0;
  *pool = (struct onri_pool){.kind = kind,
                             .count_padding = p->count_include_pad,
                             .p = p->p,
                             .column_order = p->storage_order,
                             .plane_indices = p->plane_indices,
                             .divisor = p->divisor};
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last, &pool->x, &spatial, call->error));
  if (kind == ONRI_POOL_LP && p->p < 1)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected p of at least 1, found %d", p->p);
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) pool->axis[i].in = pool->x.size[i];
  ONR_TRY(p->adaptive ? adaptive(call, spatial, pool->axis, &pool->adaptive) : sliding(call, spatial, pool->axis));
  *out = onri_image_desc(call->in[0].dtype, p->channels_last, pool->x.batch, pool->x.channels, spatial, pool->axis);
  return onri_image_view(out, p->channels_last, &pool->y, &spatial, call->error);
}

static enum onr_status infer(struct onr_call *call, enum onri_pool_kind kind) {
  struct onri_pool pool;
  ONR_TRY(onri_pool_geometry(call, kind, &pool, &call->out[0]));
  if (call->num_out > 1) {
    call->out[1] = call->out[0];
    call->out[1].dtype = ONR_DTYPE_I64;
  }
  return ONR_STATUS_OK;
}

static enum onr_status plan_wide(struct onr_call *call, struct pool_state *s) {
  const size_t elements = onri_pool_wide_elements(&s->pool);
  size_t bytes, places = 0;
  if (!onri_mul_size(elements, onri_widened_size(call->in[0].dtype), &bytes)) bytes = SIZE_MAX;
  if (call->num_out > 1 && !onri_mul_size(elements, sizeof(int64_t), &places)) places = SIZE_MAX;
  ONR_TRY(onri_scratch_reserve(call, bytes, &s->work));
  return onri_scratch_reserve(call, places, &s->places);
}

static int needs_no_scratch(const struct pool_state *s) {
  return onri_pool_is_last(&s->pool) || onri_pool_turns_bytes(&s->pool);
}

/* Maxima that are taken of bytes as they are. */
static int is_bytes(const struct onr_call *call, const struct pool_state *s) {
  return onri_dtype_in(ONRI_DTYPES_8BIT, call->in[0].dtype) && s->pool.kind == ONRI_POOL_MAX && !s->pool.plain &&
         !s->wide && call->num_out == 1 && (needs_no_scratch(s) || onri_pool_is_byte_planes(&s->pool));
}

static enum onr_status plan_bytes(struct onr_call *call, struct pool_state *s) {
  call->kernel = ONR_KERNEL_VECTOR;
  if (needs_no_scratch(s)) return ONR_STATUS_OK;
  return onri_scratch_reserve(call, onri_pool_byte_planes_scratch(&s->pool, onr_threads_count(call->env->threads)),
                              &s->work);
}

static void run_bytes(struct onr_call *call, const struct pool_state *s) {
  const int is_signed = call->in[0].dtype == ONR_DTYPE_I8;
  void *scratch = (char *)call->scratch + s->work;
  if (needs_no_scratch(s)) onri_pool_max_bytes(&s->pool, call->inputs[0], call->outputs[0], is_signed, call->env);
  else onri_pool_max_byte_planes(&s->pool, call->inputs[0], call->outputs[0], is_signed, scratch, call->env);
}

/* Kernels of pixels combine the lines under a row of windows before they cut it into these: of taps they see so few
 * that halving them gains nothing. */
static int sees_few_taps(const struct onr_call *call, const struct onri_pool *pool) {
  enum { FEW = 600 };
  const struct onri_axis *a = pool->axis;
  return call->num_out == 1 && !onri_is_double(call->in[0].dtype) && onri_pool_is_vector(pool) &&
         onri_pool_is_pixels(pool) && (double)a[0].kernel * (double)a[1].kernel + (double)a[2].kernel <= FEW;
}

static enum onr_status plan(struct onr_call *call, enum onri_pool_kind kind) {
  struct pool_state *s = call->state;
  struct onr_desc out;
  ONR_TRY(onri_pool_geometry(call, kind, &s->pool, &out));
  s->pool.plain = onr_env_backend(call->env) != ONR_BACKEND_AUTO;
  s->wide = onr_desc_elements(&out) > 0 && onri_pool_is_wide(&s->pool) && !sees_few_taps(call, &s->pool);
  if (s->wide) ONR_TRY(plan_wide(call, s));
  else if ((call->num_out == 1 ? onri_pool_is_vector(&s->pool) : onri_pool_finds_places(&s->pool)) &&
           !onri_is_double(call->in[0].dtype))
    call->kernel = ONR_KERNEL_VECTOR;
  if (onr_desc_elements(&out) > 0 && is_bytes(call, s)) return plan_bytes(call, s);
  ONR_TRY(onri_widened_plan(call, &call->in[0], &s->x));
  return onri_widened_plan(call, &call->out[0], &s->y);
}

static void run_wide(struct onr_call *call, const struct pool_state *s, const void *x, void *y, int64_t *indices) {
  void *work = (unsigned char *)call->scratch + s->work;
  int64_t *places = (int64_t *)(void *)((unsigned char *)call->scratch + s->places);
  if (onri_is_double(call->in[0].dtype)) onri_pool_wide_f64(&s->pool, x, y, indices, work, places, call->env);
  else onri_pool_wide_f32(&s->pool, x, y, indices, work, places, call->env);
}

static enum onr_status pool_run(struct onr_call *call) {
  const struct pool_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (is_bytes(call, s)) {
    run_bytes(call, s);
    return ONR_STATUS_OK;
  }
  const void *x = onri_widened_input(call, 0, s->x);
  void *y = onri_widened_output(call, 0, s->y);
  int64_t *indices = call->num_out > 1 ? call->outputs[1] : NULL;
  if (s->wide) run_wide(call, s, x, y, indices);
  else if (onri_is_double(call->in[0].dtype)) onri_pool_f64(&s->pool, x, y, indices, call->env);
  else onri_pool_f32(&s->pool, x, y, indices, call->env);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

static enum onr_status max_pool_infer(struct onr_call *call) { return infer(call, ONRI_POOL_MAX); }
static enum onr_status max_pool_plan(struct onr_call *call) { return plan(call, ONRI_POOL_MAX); }
static enum onr_status average_pool_infer(struct onr_call *call) { return infer(call, ONRI_POOL_AVERAGE); }
static enum onr_status average_pool_plan(struct onr_call *call) { return plan(call, ONRI_POOL_AVERAGE); }
static enum onr_status lp_pool_infer(struct onr_call *call) { return infer(call, ONRI_POOL_LP); }
static enum onr_status lp_pool_plan(struct onr_call *call) { return plan(call, ONRI_POOL_LP); }

/* Each output pixel meets every tap, or the parts of windows are doubled some 30 times. */
static int64_t steps(const struct onr_call *call, enum onri_pool_kind kind) {
  struct onri_pool pool;
  struct onr_desc out;
  if (onri_pool_geometry(call, kind, &pool, &out) != ONR_STATUS_OK) return 0;
  int64_t product = onr_desc_elements(&out);
  if (onri_pool_is_wide(&pool))
    return onri_pool_wide_elements(&pool) < INT64_MAX / 32 ? (int64_t)onri_pool_wide_elements(&pool) * 32 : INT64_MAX;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) {
    const int64_t taps = pool.axis[i].kernel < pool.axis[i].in ? pool.axis[i].kernel : pool.axis[i].in;
    if (!onri_mul_i64(product, taps > 0 ? taps : 1, &product)) return INT64_MAX;
  }
  return product;
}

static int64_t max_pool_steps(const struct onr_call *call) { return steps(call, ONRI_POOL_MAX); }
static int64_t average_pool_steps(const struct onr_call *call) { return steps(call, ONRI_POOL_AVERAGE); }
static int64_t lp_pool_steps(const struct onr_call *call) { return steps(call, ONRI_POOL_LP); }

static uint32_t average_pool_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF : 0;
}

static uint32_t max_pool_kernel_types(const void *params, enum onr_kernel kernel) {
  const uint32_t types = average_pool_kernel_types(params, kernel);
  return types ? types | ONRI_DTYPES_8BIT : 0;
}
#define lp_pool_kernel_types NULL

#define POOL(kind, outputs, dtypes, layout_rule)                       \
  const struct onr_layer onri_layer_##kind = {                         \
      .name = #kind,                                                   \
      .inputs_min = 1,                                                 \
      .inputs_max = 1,                                                 \
      .outputs_min = 1,                                                \
      .outputs_max = (outputs),                                        \
      .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,      \
      .types = {dtypes},                                               \
      .output_type = ONR_AS_INPUT(0),                                  \
      .layout = (layout_rule),                                         \
      .layout_param = offsetof(struct onr_pool_params, channels_last), \
      .params_size = sizeof(struct onr_pool_params),                   \
      .state_size = sizeof(struct pool_state),                         \
      .infer = kind##_infer,                                           \
      .plan = kind##_plan,                                             \
      .run = pool_run,                                                 \
      .steps = kind##_steps,                                           \
      .kernel_types = kind##_kernel_types,                             \
  }
POOL(max_pool, 2, ONRI_DTYPES_FLOAT | ONRI_DTYPES_8BIT, ONRI_LAYOUT_POOL);
POOL(average_pool, 1, ONRI_DTYPES_FLOAT, ONRI_LAYOUT_POOL);
POOL(lp_pool, 1, ONRI_DTYPES_FLOAT, ONR_LAYOUT_SPATIAL);
