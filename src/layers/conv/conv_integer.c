/* conv_integer, qlinear_conv: convolutions of 8-bit images.
 *
 * conv_integer  x, weight, x's zero point, weight's zero point                                        -> int32
 * qlinear_conv  x, x_scale, x_zero, weight, w_scale, w_zero, y_scale, y_zero, bias (int32, optional)   -> y_zero's type
 * Shapes are those of conv. One scale and one zero point; those of the weights may be one an output channel.
 * paths  XNNPACK: conv_integer_tuned.c
 *        portable: kernels/conv_integer.c
 */
#include "base/shape.h"
#include "kernels/conv/conv_integer.h"
#include "layers/conv/conv_integer.h"
#include "layers/layers.h"
#include "layers/elementwise/scratch.h"

static const struct onri_qconv_roles integer_roles = {
    0, ONRI_NO_ROLE, 2, 1, ONRI_NO_ROLE, 3, ONRI_NO_ROLE, ONRI_NO_ROLE, ONRI_NO_ROLE};
static const struct onri_qconv_roles quantised_roles = {0, 1, 2, 3, 4, 5, 6, 7, 8};

/* --- infer --- */

void onri_qconv_plain(const struct onr_call *call, const struct onri_qconv_roles *r, struct onri_qconv_plain *plain) {
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
static enum onr_status check_zeros(const struct onr_call *call, const struct onri_qconv_roles *r) {
  ONR_TRY(expect_values(call, r->x_zero, 1));
  return expect_values(call, r->w_zero, call->in[r->weight].dim[0]);
}

/* Types and shapes of what turns the sums into results. */
static enum onr_status check_scales(const struct onr_call *call, const struct onri_qconv_roles *r, int64_t channels) {
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

static enum onr_status geometry(const struct onr_call *call, const struct onri_qconv_roles *r, struct onri_conv *c,
                                struct onr_desc *out) {
  struct onri_qconv_plain plain;
  onri_qconv_plain(call, r, &plain);
  ONR_TRY(onri_conv_geometry(&plain.call, c, out));
  ONR_TRY(check_zeros(call, r));
  out->dtype = ONR_DTYPE_I32;
  if (r->y_zero == ONRI_NO_ROLE) return ONR_STATUS_OK;
  ONR_TRY(check_scales(call, r, call->in[r->weight].dim[0]));
  out->dtype = call->in[r->y_zero].dtype;
  return ONR_STATUS_OK;
}

static enum onr_status conv_integer_infer(struct onr_call *call) {
  struct onri_conv c;
  return geometry(call, &integer_roles, &c, &call->out[0]);
}

static enum onr_status qlinear_conv_infer(struct onr_call *call) {
  struct onri_conv c;
  return geometry(call, &quantised_roles, &c, &call->out[0]);
}

/* --- prepare --- */

/* The weights minus their zero points. */
static void subtract_zeros(const struct onr_call *call, const struct onri_qconv_roles *r, float *to) {
  const enum onr_dtype dtype = call->in[r->weight].dtype;
  const size_t channels = (size_t)call->in[r->weight].dim[0],
               each = (size_t)onr_desc_elements(&call->in[r->weight]) / channels;
  const void *zeros = onri_has(call, r->w_zero) ? call->inputs[r->w_zero] : NULL;
  const int one = zeros && onr_desc_elements(&call->in[r->w_zero]) == 1;
  for (size_t m = 0; m < channels; m++) {
    const int zero = zeros ? onri_value8(dtype, zeros, one ? 0 : m) : 0;
    for (size_t i = m * each; i < (m + 1) * each; i++)
      to[i] = (float)(onri_value8(dtype, call->inputs[r->weight], i) - zero);
  }
}

static size_t weight_bytes(const struct onr_call *call, const struct onri_qconv_roles *r) {
  return onri_size_of((size_t[]){(size_t)onr_desc_elements(&call->in[r->weight]), sizeof(float)}, 2);
}

static enum onr_status pack_portable(struct onr_call *call, const struct onri_qconv_roles *r,
                                     const struct onri_conv *c) {
  struct onri_qconv_prepared *p = call->prepared;
  float *differences = onr_env_allocate(call->env, weight_bytes(call, r));
  p->weights = onr_env_allocate(call->env, weight_bytes(call, r));
  if (differences && p->weights) {
    subtract_zeros(call, r, differences);
    onri_conv_pack_f32(c, differences, p->weights);
    call->packed_inputs |= (uint64_t)1 << r->weight;
  }
  onr_env_release(call->env, differences);
  if (call->packed_inputs != 0) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
}

static enum onr_status integer_prepare(struct onr_call *call, const struct onri_qconv_roles *r) {
  const struct onr_conv_params *params = call->params;
  const struct onri_qconv_prepared *p = call->prepared;
  struct onr_call silent = *call;
  struct onri_qconv_plain plain;
  struct onri_conv c;
  onri_qconv_plain(call, r, &plain);
  silent.error = NULL;
  if (!onri_conv_can_pack(&plain.call, params->groups, 0) || onr_desc_elements(&call->in[r->weight]) == 0)
    return ONR_STATUS_OK;
  if (onri_has(&silent, r->w_zero) && !silent.inputs[r->w_zero]) return ONR_STATUS_OK;
  if (expect_values(&silent, r->w_zero, silent.in[r->weight].dim[0]) != ONR_STATUS_OK)
    return ONR_STATUS_OK; /* infer says so */
  ONR_TRY(onri_conv_geometry_of_weights(&plain.call, &c));
  if (r->y_zero != ONRI_NO_ROLE && check_scales(&silent, r, silent.in[r->weight].dim[0]) == ONR_STATUS_OK)
    ONR_TRY(onri_qconv_tuned_prepare(call, r, &c));
  return p->fit != ONRI_XNN_NEVER ? ONR_STATUS_OK : pack_portable(call, r, &c);
}

static enum onr_status conv_integer_prepare(struct onr_call *call) { return integer_prepare(call, &integer_roles); }
static enum onr_status qlinear_conv_prepare(struct onr_call *call) { return integer_prepare(call, &quantised_roles); }

static void release_prepared(void *prepared, struct onr_env *env) {
  struct onri_qconv_prepared *p = prepared;
  onri_xnn_packed_release(&p->xnn, env);
  onr_env_release(env, p->weights);
  onr_env_release(env, p->scales);
  p->weights = NULL;
  p->scales = NULL;
}

/* --- plan --- */

static enum onr_status integer_plan(struct onr_call *call, const struct onri_qconv_roles *r) {
  const struct onri_qconv_prepared *p = call->prepared;
  struct onri_qconv_state *s = call->state;
  struct onr_desc out;
  ONR_TRY(geometry(call, r, &s->conv, &out));
  if (onr_desc_elements(&out) == 0) return ONR_STATUS_OK;
  if (p->fit != ONRI_XNN_NEVER) ONR_TRY(onri_qconv_tuned_plan(call, r));
  if (s->op) return ONR_STATUS_OK;
  if (p->weights) return ONR_STATUS_OK;
  s->weight = onri_scratch_take(call, weight_bytes(call, r));
  s->packed = onri_scratch_take(call, weight_bytes(call, r));
  return ONR_STATUS_OK;
}

static enum onr_status conv_integer_plan(struct onr_call *call) { return integer_plan(call, &integer_roles); }
static enum onr_status qlinear_conv_plan(struct onr_call *call) { return integer_plan(call, &quantised_roles); }

static void release_state(void *state, struct onr_env *env) {
  struct onri_qconv_state *s = state;
  (void)env;
  onri_xnn_delete(s->op);
  s->op = NULL;
}

/* --- run --- */

/* The weights, packed now when they are not constant. */
static const float *packed_weights(struct onr_call *call, const struct onri_qconv_roles *r) {
  const struct onri_qconv_prepared *p = call->prepared;
  const struct onri_qconv_state *s = call->state;
  if (p->weights) return p->weights;
  float *differences = (float *)(void *)((char *)call->scratch + s->weight);
  float *packed = (float *)(void *)((char *)call->scratch + s->packed);
  subtract_zeros(call, r, differences);
  onri_conv_pack_f32(&s->conv, differences, packed);
  return packed;
}

static enum onr_status integer_run(struct onr_call *call, const struct onri_qconv_roles *r) {
  const struct onri_qconv_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (s->op) return onri_qconv_tuned_run(call, r);
  struct onri_conv_integer c = {.conv = &s->conv,
                                .x_signed = call->in[r->x].dtype == ONR_DTYPE_I8,
                                .x = call->inputs[r->x],
                                .weights = packed_weights(call, r),
                                .y = call->outputs[0]};
  if (onri_has(call, r->x_zero)) c.x_zero = onri_value8(call->in[r->x].dtype, call->inputs[r->x_zero], 0);
  if (r->y_zero != ONRI_NO_ROLE) {
    const int is_u8 = call->out[0].dtype == ONR_DTYPE_U8;
    c.x_scale = onri_scale_of(call, r->x_scale, 0);
    c.y_scale = onri_scale_of(call, r->y_scale, 0);
    c.w_scales = call->inputs[r->w_scale];
    c.w_scale_step = onr_desc_elements(&call->in[r->w_scale]) > 1;
    c.bias = onri_has(call, r->bias) ? call->inputs[r->bias] : NULL;
    c.low = is_u8 ? 0 : INT8_MIN;
    c.high = is_u8 ? UINT8_MAX : INT8_MAX;
    c.y_zero = onri_value8(call->out[0].dtype, call->inputs[r->y_zero], 0);
  }
  onri_conv_integer(&c, call->env);
  return ONR_STATUS_OK;
}

static enum onr_status conv_integer_run(struct onr_call *call) { return integer_run(call, &integer_roles); }
static enum onr_status qlinear_conv_run(struct onr_call *call) { return integer_run(call, &quantised_roles); }

static int64_t multiply_adds(const struct onr_call *call, const struct onri_qconv_roles *r) {
  struct onri_conv c;
  struct onr_desc out;
  return geometry(call, r, &c, &out) == ONR_STATUS_OK ? onri_conv_multiply_adds(&c) : 0;
}

static int64_t conv_integer_multiply_adds(const struct onr_call *call) { return multiply_adds(call, &integer_roles); }
static int64_t qlinear_conv_multiply_adds(const struct onr_call *call) { return multiply_adds(call, &quantised_roles); }

static int64_t steps(const struct onr_call *call, const struct onri_qconv_roles *r) {
  struct onri_conv c;
  struct onr_desc out;
  return geometry(call, r, &c, &out) == ONR_STATUS_OK ? onri_conv_steps(&c) : 0;
}

static int64_t conv_integer_steps(const struct onr_call *call) { return steps(call, &integer_roles); }
static int64_t qlinear_conv_steps(const struct onr_call *call) { return steps(call, &quantised_roles); }

static uint32_t kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_XNNPACK ? ONRI_DTYPES_8BIT : 0;
}

const struct onr_layer onri_layer_conv_integer = {
    .name = "conv_integer",
    .inputs_min = 2,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_8BIT, ONRI_DTYPES_8BIT, ONR_AS_INPUT(0), ONR_AS_INPUT(1)},
    .layout = ONR_LAYOUT_SPATIAL,
    .layout_param = offsetof(struct onr_conv_params, channels_last),
    .params_size = sizeof(struct onr_conv_params),
    .prepared_size = sizeof(struct onri_qconv_prepared),
    .state_size = sizeof(struct onri_qconv_state),
    .infer = conv_integer_infer,
    .prepare = conv_integer_prepare,
    .plan = conv_integer_plan,
    .run = conv_integer_run,
    .release_state = release_state,
    .release_prepared = release_prepared,
    .multiply_adds = conv_integer_multiply_adds,
    .steps = conv_integer_steps,
};

const struct onr_layer onri_layer_qlinear_conv = {
    .name = "qlinear_conv",
    .inputs_min = 8,
    .inputs_max = 9,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_8BIT, ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONR_AS_INPUT(0), ONRI_DTYPES_8BIT,
              ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONR_AS_INPUT(3), ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPES_8BIT,
              ONRI_DTYPE_BIT(ONR_DTYPE_I32)},
    .flags = ONR_LAYER_OVERREADS,
    .layout = ONR_LAYOUT_SPATIAL,
    .layout_param = offsetof(struct onr_conv_params, channels_last),
    .params_size = sizeof(struct onr_conv_params),
    .prepared_size = sizeof(struct onri_qconv_prepared),
    .state_size = sizeof(struct onri_qconv_state),
    .infer = qlinear_conv_infer,
    .prepare = qlinear_conv_prepare,
    .plan = qlinear_conv_plan,
    .run = qlinear_conv_run,
    .release_state = release_state,
    .release_prepared = release_prepared,
    .multiply_adds = qlinear_conv_multiply_adds,
    .steps = qlinear_conv_steps,
    .kernel_types = kernel_types,
};
