/* conv_integer, qlinear_conv, qlinear_conv_transpose, conv_integer_real: convolutions of 8-bit images.
 *
 * conv_integer  x, weight, x's zero point, weight's zero point                                        -> int32
 * qlinear_conv  x, x_scale, x_zero, weight, w_scale, w_zero, y_scale, y_zero, bias (int32, optional)   -> y_zero's type
 * qlinear_conv_transpose  the same, with constant weights that onri_conv_phases_can take
 * conv_integer_real  x, weight, x_scale, w_scale, x_zero, w_zero, bias (float32); the last three optional -> float32
 * Shapes are those of conv and conv_transpose. One scale and one zero point; those of the weights may be one an output
 * channel. A quantised result is round(sum * (x_scale * w_scale / y_scale)) + y_zero, halves to even. Weights stay
 * bytes. path  vector: kernels/conv_integer/conv_integer.c
 */
#include "kernels/conv_integer/conv_integer.h"

#include <math.h>

#include "base/memory/blocks.h"
#include "kernels/conv_integer/conv_integer_phases.h"
#include "kernels/conv_transposed/conv_phases.h"
#include "base/services.h"
#include "base/shape.h"
#include "layers/conv/conv.h"
#include "layers/elementwise/scratch.h"
#include "layers/layers.h"

#define NO_ROLE 255
/* Which inputs are what; NO_ROLE where there is no such input. */
struct roles {
  uint8_t x, x_scale, x_zero, weight, w_scale, w_zero, y_scale, y_zero, bias;
  int transposed;
};
static const struct roles integer_roles = {0, NO_ROLE, 2, 1, NO_ROLE, 3, NO_ROLE, NO_ROLE, NO_ROLE, 0};
static const struct roles quantised_roles = {0, 1, 2, 3, 4, 5, 6, 7, 8, 0};
static const struct roles transposed_roles = {0, 1, 2, 3, 4, 5, 6, 7, 8, 1};
static const struct roles real_roles = {0, 2, 4, 1, 3, 5, NO_ROLE, NO_ROLE, 6, 0};

struct prepared {
  void *weights; /* packed; NULL: they are an input of run */
};

struct state {
  struct onri_conv conv;
  size_t packed, zeros, scales, kernel; /* offsets in scratch */
};

/* x and the weights as a call of conv with float32 operands: shapes are those of conv. */
struct plain {
  struct onr_call call;
  struct onr_desc in[2];
  const void *inputs[2];
};

/* --- infer --- */

static void make_plain(const struct onr_call *call, const struct roles *r, struct plain *plain) {
  plain->call = *call;
  plain->in[0] = call->in[r->x];
  plain->in[1] = call->in[r->weight];
  plain->in[0].dtype = plain->in[1].dtype = ONR_DTYPE_F32;
  plain->inputs[0] = call->inputs ? call->inputs[r->x] : NULL;
  plain->inputs[1] = call->inputs ? call->inputs[r->weight] : NULL;
  plain->call.in = plain->in;
  plain->call.inputs = plain->inputs;
  plain->call.num_in = 2;
}

/* Input i has one value, or `channels` of them. */
static enum onr_status expect_values(const struct onr_call *call, size_t i, int64_t channels) {
  char text[96];
  if (!onri_has(call, i) || onr_desc_elements(&call->in[i]) == 1) return ONR_STATUS_OK;
  if (call->in[i].rank == 1 && call->in[i].dim[0] == channels) return ONR_STATUS_OK;
  if (channels == 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input %zu with one value, found %s", i,
                    onr_desc_format(&call->in[i], text, sizeof(text)));
  return onr_fail(call->error, ONR_STATUS_SHAPE,
                  "expected input %zu with one value, or one an output channel (%lld), found %s", i,
                  (long long)channels, onr_desc_format(&call->in[i], text, sizeof(text)));
}

/* Shapes of the zero points. */
static enum onr_status check_zeros(const struct onr_call *call, const struct roles *r, int64_t channels) {
  ONR_TRY(expect_values(call, r->x_zero, 1));
  return expect_values(call, r->w_zero, channels);
}

/* Types and shapes of what turns the sums into results. */
static enum onr_status check_scales(const struct onr_call *call, const struct roles *r, int64_t channels) {
  const size_t scales[] = {r->x_scale, r->w_scale, r->y_scale};
  for (size_t i = 0; i < 3; i++) {
    ONR_TRY(expect_values(call, scales[i], scales[i] == r->w_scale ? channels : 1));
  }
  ONR_TRY(expect_values(call, r->y_zero, 1));
  if (!onri_has(call, r->bias)) return ONR_STATUS_OK;
  if (call->in[r->bias].rank == 1 && call->in[r->bias].dim[0] == channels) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a bias of %lld elements, found rank %d with %lld",
                  (long long)channels, call->in[r->bias].rank, (long long)onr_desc_elements(&call->in[r->bias]));
}

static enum onr_status geometry(const struct onr_call *call, const struct roles *r, struct onri_conv *c,
                                struct onr_desc *out) {
  struct plain plain;
  make_plain(call, r, &plain);
  ONR_TRY((r->transposed ? onri_conv_transpose_geometry : onri_conv_geometry)(&plain.call, c, out));
  const int64_t channels = c->groups * c->group_out;
  ONR_TRY(check_zeros(call, r, channels));
  out->dtype = ONR_DTYPE_I32;
  if (r->x_scale == NO_ROLE) return ONR_STATUS_OK;
  ONR_TRY(check_scales(call, r, channels));
  out->dtype = r->y_zero == NO_ROLE ? ONR_DTYPE_F32 : call->in[r->y_zero].dtype;
  return ONR_STATUS_OK;
}

static enum onr_status integer_infer(struct onr_call *call, const struct roles *r) {
  struct onri_conv c;
  return geometry(call, r, &c, &call->out[0]);
}

/* --- prepare --- */

static int64_t groups_of(const struct onr_call *call, const struct roles *r) {
  return r->transposed ? ((const struct onr_conv_transpose_params *)call->params)->groups
                       : ((const struct onr_conv_params *)call->params)->groups;
}

/* Zero points of weights, where they are known. */
struct zeros {
  int32_t *values;
  size_t step;
};

static enum onr_status pack_phases(const struct onr_call *call, const struct roles *r, const struct onri_conv *c,
                                   const void *weight, const struct zeros *zeros) {
  const struct prepared *p = call->prepared;
  const size_t count = (size_t)onr_desc_elements(&call->in[r->weight]);
  void *room = onr_env_allocate(call->env, count);
  if (!room) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  onri_conv_integer_phases_pack(c, weight, call->in[r->weight].dtype == ONR_DTYPE_I8, zeros->values, zeros->step, room,
                                p->weights);
  onr_env_release(call->env, room);
  return ONR_STATUS_OK;
}

static enum onr_status pack(struct onr_call *call, const struct roles *r, const struct onri_conv *c,
                            const void *weight) {
  const struct prepared *p = call->prepared;
  struct zeros zeros;
  enum onr_status status = ONR_STATUS_OK;
  ONR_TRY(onri_known_bytes(call, r->w_zero, (size_t)(c->groups * c->group_out), &zeros.values, &zeros.step));
  if (r->transposed) status = pack_phases(call, r, c, weight, &zeros);
  else
    onri_conv_integer_pack(c, weight, call->in[r->weight].dtype == ONR_DTYPE_I8, zeros.values, zeros.step, p->weights);
  onr_env_release(call->env, zeros.values);
  return status;
}

static enum onr_status integer_prepare(struct onr_call *call, const struct roles *r) {
  struct prepared *p = call->prepared;
  struct plain plain;
  struct onri_conv c;
  const void *data;
  make_plain(call, r, &plain);
  if (!onri_conv_can_pack(&plain.call, groups_of(call, r), r->transposed) ||
      onr_desc_elements(&call->in[r->weight]) == 0)
    return ONR_STATUS_OK;
  ONR_TRY((r->transposed ? onri_conv_transpose_geometry_of_weights : onri_conv_geometry_of_weights)(&plain.call, &c));
  if (r->transposed && !onri_conv_phases_can(&c)) return ONR_STATUS_OK;
  const size_t bytes = r->transposed ? onri_conv_integer_phases_packed_bytes(&c) : onri_conv_integer_packed_bytes(&c);
  call->packed_inputs |= (uint64_t)1 << r->weight;
  p->weights = bytes == SIZE_MAX ? NULL : onri_block_recall(call->env, bytes);
  if (p->weights) return ONR_STATUS_OK;
  ONR_TRY(onri_call_contents(call, r->weight, &data));
  p->weights = bytes == SIZE_MAX ? NULL : onri_block_begin(call->env, bytes);
  if (!p->weights) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  ONR_TRY(pack(call, r, &c, data));
  p->weights = onri_block_end(call->env, p->weights, bytes);
  return ONR_STATUS_OK;
}

static void release_prepared(void *prepared, struct onr_env *env) {
  struct prepared *p = prepared;
  onr_env_release(env, p->weights);
  p->weights = NULL;
}

/* --- plan --- */

static size_t take_channels(struct onr_call *call) {
  const struct state *s = call->state;
  const size_t channels = (size_t)(s->conv.groups * s->conv.group_out);
  return onri_scratch_take(call, onri_size_of((size_t[]){channels, sizeof(int32_t)}, 2));
}

static enum onr_status integer_plan(struct onr_call *call, const struct roles *r) {
  const struct prepared *p = call->prepared;
  struct state *s = call->state;
  struct onr_desc out;
  ONR_TRY(geometry(call, r, &s->conv, &out));
  if (onr_desc_elements(&out) == 0) return ONR_STATUS_OK;
  call->kernel = ONR_KERNEL_VECTOR;
  s->zeros = take_channels(call);
  s->scales = take_channels(call);
  const int x_signed = call->in[r->x].dtype == ONR_DTYPE_I8;
  if (r->transposed && !p->weights)
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "the weights are not constant, or too many phases");
  const uint32_t threads = onr_threads_count(call->env->threads);
  s->kernel = onri_scratch_take(call, r->transposed ? onri_conv_integer_phases_scratch(&s->conv, x_signed, threads)
                                                    : onri_conv_integer_scratch(&s->conv, x_signed, threads));
  if (!p->weights) s->packed = onri_scratch_take(call, onri_conv_integer_packed_bytes(&s->conv));
  return ONR_STATUS_OK;
}

/* --- run --- */

static int32_t byte_of(const struct onr_call *call, size_t input, size_t i) {
  return onri_value8(call->in[input].dtype, call->inputs[input], i);
}

/* The zero points of the weights, when there are any but 0. */
static void set_w_zeros(const struct onr_call *call, const struct roles *r, struct onri_conv_integer *c,
                        int32_t *zeros) {
  int32_t any = 0;
  if (!onri_has(call, r->w_zero)) return;
  const size_t count = (size_t)onr_desc_elements(&call->in[r->w_zero]);
  for (size_t i = 0; i < count; i++) any |= zeros[i] = byte_of(call, r->w_zero, i);
  c->w_zeros = any ? zeros : NULL;
  c->w_zero_step = count > 1;
}

/* A bound of the real results in steps, within what a byte holds; infinities are no bound. */
static int in_steps(float bound, float y_scale, const struct onri_requantise *q) {
  const float steps = rintf(bound / y_scale) + (float)q->zero;
  return !(steps > (float)q->low) ? q->low : steps > (float)q->high ? q->high : (int)steps;
}

/* Scales of the results, one an output channel. */
static void set_scales(const struct onr_call *call, const struct roles *r, float y, float *scales) {
  const struct onri_conv *c = &((const struct state *)call->state)->conv;
  const size_t step = onr_desc_elements(&call->in[r->w_scale]) > 1, count = (size_t)(c->groups * c->group_out);
  const float x = *(const float *)call->inputs[r->x_scale];
  const float *w = call->inputs[r->w_scale];
  for (size_t m = 0; m < count; m++) scales[m] = x * w[m * step] / y;
}

static const struct onr_clamp *clamp_of(const struct onr_call *call, const struct roles *r) {
  return r->transposed ? &((const struct onr_conv_transpose_params *)call->params)->clamp
                       : &((const struct onr_conv_params *)call->params)->clamp;
}

static void set_requantise(const struct onr_call *call, const struct roles *r, struct onri_requantise *q,
                           float *scales) {
  const struct onr_clamp *clamp = clamp_of(call, r);
  const int is_u8 = call->out[0].dtype == ONR_DTYPE_U8;
  const float y = *(const float *)call->inputs[r->y_scale];
  set_scales(call, r, y, scales);
  const struct onri_conv *c = &((const struct state *)call->state)->conv;
  *q = (struct onri_requantise){.scales = scales,
                                .scale_step = 1,
                                .zero = byte_of(call, r->y_zero, 0),
                                .low = is_u8 ? 0 : INT8_MIN,
                                .high = is_u8 ? UINT8_MAX : INT8_MAX,
                                .below_one = onri_scales_below_one(scales, (size_t)(c->groups * c->group_out))};
  if (!clamp->enabled) return;
  const int low = in_steps(clamp->min, y, q), high = in_steps(clamp->max, y, q);
  q->low = low, q->high = high;
}

static void set_reals(const struct onr_call *call, const struct roles *r, struct onri_byte_reals *reals,
                      float *scales) {
  const struct onr_clamp *clamp = clamp_of(call, r);
  set_scales(call, r, 1.0f, scales);
  *reals =
      (struct onri_byte_reals){scales, 1, onri_has(call, r->bias) ? call->inputs[r->bias] : NULL, -INFINITY, INFINITY};
  if (clamp->enabled) reals->low = clamp->min, reals->high = clamp->max;
}

static enum onr_status integer_run(struct onr_call *call, const struct roles *r) {
  const struct prepared *p = call->prepared;
  const struct state *s = call->state;
  char *scratch = call->scratch;
  struct onri_requantise requantise;
  struct onri_byte_reals reals;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  struct onri_conv_integer c = {.conv = &s->conv,
                                .x_signed = call->in[r->x].dtype == ONR_DTYPE_I8,
                                .w_signed = call->in[r->weight].dtype == ONR_DTYPE_I8,
                                .x = call->inputs[r->x],
                                .weights = p->weights,
                                .y = call->outputs[0],
                                .scratch = scratch + s->kernel};
  if (!c.weights) {
    onri_conv_integer_pack(&s->conv, call->inputs[r->weight], c.w_signed, NULL, 0, scratch + s->packed);
    c.weights = scratch + s->packed;
  }
  if (onri_has(call, r->x_zero)) c.x_zero = byte_of(call, r->x_zero, 0);
  set_w_zeros(call, r, &c, (int32_t *)(void *)(scratch + s->zeros));
  float *scales = (float *)(void *)(scratch + s->scales);
  if (r->y_zero != NO_ROLE) {
    c.bias = onri_has(call, r->bias) ? call->inputs[r->bias] : NULL;
    set_requantise(call, r, &requantise, scales);
    c.requantise = &requantise;
  } else if (r->x_scale != NO_ROLE) {
    set_reals(call, r, &reals, scales);
    c.reals = &reals;
  }
  if (r->transposed) onri_conv_integer_phases(&c, call->env);
  else onri_conv_integer(&c, call->env);
  return ONR_STATUS_OK;
}

static int64_t multiply_adds(const struct onr_call *call, const struct roles *r) {
  struct onri_conv c;
  struct onr_desc out;
  return geometry(call, r, &c, &out) == ONR_STATUS_OK ? onri_conv_multiply_adds(&c) : 0;
}

static int64_t steps(const struct onr_call *call, const struct roles *r) {
  struct onri_conv c;
  struct onr_desc out;
  return geometry(call, r, &c, &out) == ONR_STATUS_OK ? onri_conv_steps(&c) : 0;
}

/* What the layers do with their roles. */
#define WITH_ROLES(layer, roles)                                                                            \
  static enum onr_status layer##_infer(struct onr_call *call) { return integer_infer(call, &roles); }       \
  static enum onr_status layer##_prepare(struct onr_call *call) { return integer_prepare(call, &roles); }   \
  static enum onr_status layer##_plan(struct onr_call *call) { return integer_plan(call, &roles); }         \
  static enum onr_status layer##_run(struct onr_call *call) { return integer_run(call, &roles); }           \
  static int64_t layer##_multiply_adds(const struct onr_call *call) { return multiply_adds(call, &roles); } \
  static int64_t layer##_steps(const struct onr_call *call) { return steps(call, &roles); }
WITH_ROLES(conv_integer, integer_roles)
WITH_ROLES(qlinear_conv, quantised_roles)
WITH_ROLES(qlinear_conv_transpose, transposed_roles)
WITH_ROLES(conv_integer_real, real_roles)
#undef WITH_ROLES

static uint32_t kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_8BIT : 0;
}

#define LAYER(layer, layout_rule, params, least, most, ...)   \
  const struct onr_layer onri_layer_##layer = {               \
      .name = #layer,                                         \
      .inputs_min = (least),                                  \
      .inputs_max = (most),                                   \
      .outputs_min = 1,                                       \
      .outputs_max = 1,                                       \
      .types = {__VA_ARGS__},                                 \
      .flags = ONRI_LAYER_READS_LATE,                         \
      .layout = (layout_rule),                                \
      .layout_param = offsetof(struct params, channels_last), \
      .params_size = sizeof(struct params),                   \
      .prepared_size = sizeof(struct prepared),               \
      .state_size = sizeof(struct state),                     \
      .infer = layer##_infer,                                 \
      .prepare = layer##_prepare,                             \
      .plan = layer##_plan,                                   \
      .run = layer##_run,                                     \
      .release_prepared = release_prepared,                   \
      .multiply_adds = layer##_multiply_adds,                 \
      .steps = layer##_steps,                                 \
      .kernel_types = kernel_types,                           \
  }
#define BYTES ONRI_DTYPES_8BIT
#define REAL ONRI_DTYPE_BIT(ONR_DTYPE_F32)
LAYER(conv_integer, ONRI_LAYOUT_CONV_BYTES, onr_conv_params, 2, 4, BYTES, BYTES, ONR_AS_INPUT(0), ONR_AS_INPUT(1));
#define QUANTISED BYTES, REAL, ONR_AS_INPUT(0), BYTES, REAL, ONR_AS_INPUT(3), REAL, BYTES, ONRI_DTYPE_BIT(ONR_DTYPE_I32)
LAYER(qlinear_conv, ONRI_LAYOUT_CONV_BYTES, onr_conv_params, 8, 9, QUANTISED);
LAYER(qlinear_conv_transpose, ONR_LAYOUT_SPATIAL, onr_conv_transpose_params, 8, 9, QUANTISED);
LAYER(conv_integer_real, ONRI_LAYOUT_CONV_BYTES, onr_conv_params, 4, 7, BYTES, BYTES, REAL, REAL, ONR_AS_INPUT(0),
      ONR_AS_INPUT(1), REAL);
