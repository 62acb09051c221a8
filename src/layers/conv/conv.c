/* conv.c: y[n, m, o] = bias[m] + sum over c, k of x[n, c, stride * o - pad + dilation * k] * weight[m, c, k], then a
 * clamp.
 *
 * input 0   x       [N, C, spatial...] (1 to 3 of them), or channels-last
 * input 1   weight  [M, C/groups, kernel...]
 * input 2   bias    [M], optional
 * input 3   residual like y, optional: added before the clamp
 * input 4   scale [N, 1..., C], optional, of a channels-last convolution of single pixels: x is multiplied by it first
 * output 0  y       [N, M, spatial...]
 * ONNX      Conv-1..22
 * NaN       padding takes no part: where a weight that is NaN or infinite meets nothing but padding, an output stays a
 *           number (PyTorch and ONNX Runtime multiply it by zeros and have NaN); all kernels here agree on it
 */
#include <math.h>

#include "base/services.h"
#include "base/shape.h"
#include "kernels/conv/depthwise.h"
#include "layers/conv/conv.h"
#include "layers/layers.h"
#include "layers/conv/window.h"

static struct onri_conv blank(const struct onr_conv_params *p) {
  struct onri_conv c = {.groups = p->groups == 0 ? 1 : p->groups, .min = -INFINITY, .max = INFINITY};
  if (p->clamp.enabled) c.min = p->clamp.min, c.max = p->clamp.max;
  return c;
}

enum onr_status onri_conv_geometry(const struct onr_call *call, struct onri_conv *c, struct onr_desc *out) {
  const struct onr_conv_params *p = call->params;
  const struct onr_desc *weight = &call->in[1];
  int32_t spatial = 0;
  *c = blank(p);
  if (c->groups < 1)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected groups of at least 1, found %lld",
                    (long long)c->groups);
  ONR_TRY(onri_conv_check_inputs(call, c->groups, 0));
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last && !p->x_channels_first, &c->x, &spatial, call->error));
  c->group_in = weight->dim[1];
  c->group_out = weight->dim[0] / c->groups;
  if (c->x.channels % c->groups != 0 || c->x.channels / c->groups != weight->dim[1])
    return onr_fail(
        call->error, ONR_STATUS_SHAPE, "weights [%lld, %lld, ...] do not fit an input of %lld channels in %lld groups",
        (long long)weight->dim[0], (long long)weight->dim[1], (long long)c->x.channels, (long long)c->groups);
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) c->axis[i].in = c->x.size[i];
  for (int32_t i = 0; i < spatial; i++) {
    const int64_t kernel = weight->dim[2 + i];
    if (p->window.rank == spatial && p->window.kernel[i] != 0 && p->window.kernel[i] != kernel)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "kernel_shape says %lld where the weights have %lld",
                      (long long)p->window.kernel[i], (long long)kernel);
    c->axis[ONR_MAX_SPATIAL - spatial + i].kernel = kernel;
  }
  ONR_TRY(onri_window_resolve(&p->window, spatial, c->axis, call->error));
  ONR_TRY(onri_window_output(0, 1, spatial, c->axis, call->error));
  c->goes_down = onri_depthwise_goes_down(c);
  *out = onri_image_desc(call->in[0].dtype, p->channels_last, c->x.batch, weight->dim[0], spatial, c->axis);
  if (onri_has(call, 3)) ONR_TRY(onri_expect_shape(call, 3, out->rank, out->dim));
  if (onri_has(call, ONRI_CONV_SCALE)) ONR_TRY(onri_conv_scale_check(call, c));
  return onri_image_view(out, p->channels_last, &c->y, &spatial, call->error);
}

enum onr_status onri_conv_geometry_of_weights(const struct onr_call *call, struct onri_conv *c) {
  const struct onr_conv_params *p = call->params;
  const struct onr_desc *weight = &call->in[1];
  const int32_t spatial = weight->rank - 2;
  *c = blank(p);
  c->group_in = weight->dim[1];
  c->group_out = weight->dim[0] / c->groups;
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) c->axis[i].in = 1; /* for SAME padding of a 1x1 kernel: none */
  for (int32_t i = 0; i < spatial; i++) c->axis[ONR_MAX_SPATIAL - spatial + i].kernel = weight->dim[2 + i];
  return onri_window_resolve(&p->window, spatial, c->axis, call->error);
}

static enum onr_status conv_infer(struct onr_call *call) {
  struct onri_conv c;
  return onri_conv_geometry(call, &c, &call->out[0]);
}

/* What is known of the sizes at load time; the others are 0. They choose a method, and are not relied upon. */
static void hint_sizes(const struct onr_call *call, struct onri_conv *c) {
  const struct onr_conv_params *p = call->params;
  const struct onr_desc *out = &call->out[0];
  const int32_t spatial = call->in[1].rank - 2, first = p->channels_last ? 1 : 2;
  const int fits =
      out->rank == call->in[1].rank && out->dim[p->channels_last ? out->rank - 1 : 1] == call->in[1].dim[0];
  c->x.batch = fits && out->dim[0] > 0 ? out->dim[0] : 0;
  for (int32_t i = 0; i < spatial; i++)
    c->axis[ONR_MAX_SPATIAL - spatial + i].out = fits && out->dim[first + i] > 0 ? out->dim[first + i] : 0;
  for (int32_t i = 0; i < ONR_MAX_SPATIAL - spatial; i++) c->axis[i].out = 1;
}

/* Packing depends on the kernel, strides and whether there is padding, not on the size of x, which may be unknown. */
static enum onr_status conv_prepare(struct onr_call *call) {
  const struct onr_conv_params *p = call->params;
  struct onri_conv c;
  if (!onri_conv_can_pack(call, p->groups, 0)) return ONR_STATUS_OK;
  ONR_TRY(onri_conv_geometry_of_weights(call, &c));
  hint_sizes(call, &c);
  return onri_conv_prepare(call, &c, p->channels_last, p->x_channels_first);
}

static enum onr_status conv_plan(struct onr_call *call) {
  struct onri_conv c;
  struct onr_desc out;
  ONR_TRY(onri_conv_geometry(call, &c, &out));
  const struct onr_conv_params *p = call->params;
  return onri_conv_plan(call, &c, &p->clamp, &p->tail);
}

static int64_t conv_multiply_adds(const struct onr_call *call) {
  struct onri_conv c;
  struct onr_desc out;
  return onri_conv_geometry(call, &c, &out) == ONR_STATUS_OK ? onri_conv_multiply_adds(&c) : 0;
}

static int64_t conv_steps(const struct onr_call *call) {
  struct onri_conv c;
  struct onr_desc out;
  return onri_conv_geometry(call, &c, &out) == ONR_STATUS_OK ? onri_conv_steps(&c) : 0;
}

const struct onr_layer onri_layer_conv = {
    .name = "conv",
    .inputs_min = 2,
    .inputs_max = 5,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_OVERREADS | ONRI_LAYER_READS_LATE | ONRI_LAYER_NO_REDUCTIONS,
    .layout = ONRI_LAYOUT_CONV,
    .layout_param = offsetof(struct onr_conv_params, channels_last),
    .params_size = sizeof(struct onr_conv_params),
    .prepared_size = sizeof(struct onri_conv_prepared),
    .state_size = sizeof(struct onri_conv_state),
    .infer = conv_infer,
    .prepare = conv_prepare,
    .plan = conv_plan,
    .run = onri_conv_run,
    .kept_size = sizeof(struct onri_conv_kept),
    .release_state = onri_conv_release_state,
    .release_kept = onri_conv_release_kept,
    .release_prepared = onri_conv_release_prepared,
    .multiply_adds = conv_multiply_adds,
    .steps = conv_steps,
    .kernel_types = onri_conv_kernel_types,
};
