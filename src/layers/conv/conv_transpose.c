/* conv_transpose.c: the gradient of a convolution with respect to its input; upsampling with learned weights. Then a
 * clamp.
 *
 * input 0   x       [N, C, spatial...] (1 to 3 of them), or channels-last
 * input 1   weight  [C, M/groups, kernel...]
 * input 2   bias    [M], optional
 * output 0  y       [N, M, spatial...]
 * ONNX      ConvTranspose-1..22
 */
#include <math.h>

#include "base/numbers/checked.h"
#include "base/services.h"
#include "base/shape.h"
#include "layers/conv/conv.h"
#include "layers/layers.h"
#include "layers/conv/window.h"

static enum onr_status check_output_padding(const struct onr_conv_transpose_params *p, int32_t i,
                                            const struct onri_axis *a, struct onr_error *error) {
  const int64_t most = a->stride > a->dilation ? a->stride : a->dilation, padding = p->output_padding[i];
  if (padding >= 0 && (padding == 0 || padding < most)) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_ATTRIBUTE,
                  "expected output_padding of 0 to %lld (below stride or dilation), found %lld", (long long)(most - 1),
                  (long long)padding);
}

/* Output size of axis a, without output padding. */
static int64_t least_output(const struct onri_axis *a) {
  return a->stride * (a->in - 1) + (a->kernel - 1) * a->dilation + 1 - a->begin - a->end; /* all below 2^31 */
}

/* The size that output_size asks for, which output padding can reach. */
static enum onr_status take_output_size(int64_t wanted, struct onri_axis *a, struct onr_error *error) {
  const int64_t least = least_output(a);
  a->out = wanted;
  if (wanted >= least && wanted - least < a->stride) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_SHAPE, "expected output_size of %lld to %lld for an input of %lld, found %lld",
                  (long long)least, (long long)(least + a->stride - 1), (long long)a->in, (long long)wanted);
}

static int is_same(const struct onr_conv_transpose_params *p) {
  return p->window.auto_pad == ONR_AUTO_PAD_SAME_UPPER || p->window.auto_pad == ONR_AUTO_PAD_SAME_LOWER;
}

/* Output size of axis a; with auto_pad or output_shape also its padding. */
static enum onr_status resolve_output(const struct onr_conv_transpose_params *p, int32_t i, struct onri_axis *a,
                                      struct onr_error *error) {
  const int64_t extent = (a->kernel - 1) * a->dilation + 1;
  const int same = is_same(p);
  int64_t full;
  if (a->in == 0) return onr_fail(error, ONR_STATUS_SHAPE, "the image has no pixels");
  full = a->stride * (a->in - 1) + p->output_padding[i] + extent; /* all below 2^31 */
  if (p->output_size[i] > 0) {
    ONR_TRY(take_output_size(p->output_size[i], a, error));
  } else if (p->has_output_shape || same) {
    a->out = p->has_output_shape ? p->output_shape[i] : a->in * a->stride;
    if (a->out < 1)
      return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected output_shape of at least 1, found %lld",
                      (long long)a->out);
    const int64_t total = a->out < full ? full - a->out : 0;
    a->begin = p->window.auto_pad == ONR_AUTO_PAD_SAME_UPPER ? total / 2 : total - total / 2;
    a->end = total - a->begin;
  } else {
    a->out = full - a->begin - a->end;
    if (a->out < 1)
      return onr_fail(error, ONR_STATUS_SHAPE, "padding %lld + %lld leaves nothing of an output of %lld",
                      (long long)a->begin, (long long)a->end, (long long)full);
  }
  if (a->out > INT32_MAX)
    return onr_fail(error, ONR_STATUS_LIMIT, "an output size of %lld is beyond the limit of %d", (long long)a->out,
                    INT32_MAX);
  return ONR_STATUS_OK;
}

/* What does not depend on x. */
static enum onr_status fixed_geometry(const struct onr_call *call, struct onri_conv *c) {
  const struct onr_conv_transpose_params *p = call->params;
  const struct onr_desc *weight = &call->in[1];
  const int32_t spatial = weight->rank - 2, lead = ONR_MAX_SPATIAL - spatial;
  c->transposed = 1;
  c->groups = p->groups == 0 ? 1 : p->groups;
  c->min = p->clamp.enabled ? p->clamp.min : -INFINITY;
  c->max = p->clamp.enabled ? p->clamp.max : INFINITY;
  c->group_in = weight->dim[0] / c->groups;
  c->group_out = weight->dim[1];
  for (int32_t i = 0; i < spatial; i++) {
    const int64_t kernel = weight->dim[2 + i];
    if (p->window.rank == spatial && p->window.kernel[i] != 0 && p->window.kernel[i] != kernel)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "kernel_shape says %lld where the weights have %lld",
                      (long long)p->window.kernel[i], (long long)kernel);
    c->axis[lead + i].kernel = kernel;
  }
  ONR_TRY(onri_window_resolve(&p->window, spatial, c->axis, call->error));
  for (int32_t i = 0; i < spatial; i++) ONR_TRY(check_output_padding(p, i, &c->axis[lead + i], call->error));
  return ONR_STATUS_OK;
}

enum onr_status onri_conv_transpose_geometry(const struct onr_call *call, struct onri_conv *c, struct onr_desc *out) {
  const struct onr_conv_transpose_params *p = call->params;
  const int64_t groups = p->groups == 0 ? 1 : p->groups;
  int32_t spatial = 0;
  *c = (struct onri_conv){0};
  if (groups < 1)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected groups of at least 1, found %lld", (long long)groups);
  ONR_TRY(onri_conv_check_inputs(call, groups, 1));
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last, &c->x, &spatial, call->error));
  if (c->x.channels != call->in[1].dim[0] || c->x.channels % groups != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "weights [%lld, ...] do not fit an input of %lld channels in %lld groups",
                    (long long)call->in[1].dim[0], (long long)c->x.channels, (long long)groups);
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) c->axis[i].in = c->x.size[i];
  ONR_TRY(fixed_geometry(call, c));
  for (int32_t i = 0; i < spatial; i++)
    ONR_TRY(resolve_output(p, i, &c->axis[ONR_MAX_SPATIAL - spatial + i], call->error));
  *out =
      onri_image_desc(call->in[0].dtype, p->channels_last, c->x.batch, call->in[1].dim[1] * groups, spatial, c->axis);
  return onri_image_view(out, p->channels_last, &c->y, &spatial, call->error);
}

static enum onr_status conv_transpose_infer(struct onr_call *call) {
  struct onri_conv c;
  return onri_conv_transpose_geometry(call, &c, &call->out[0]);
}

/* The geometry of an image of one pixel. Padding that depends on sizes is left out: with SAME it leaves stride outputs
 * a pixel. */
enum onr_status onri_conv_transpose_geometry_of_weights(const struct onr_call *call, struct onri_conv *c) {
  const struct onr_conv_transpose_params *p = call->params;
  const int32_t lead = ONR_MAX_SPATIAL - (call->in[1].rank - 2);
  *c = (struct onri_conv){0};
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) c->axis[i].in = 1;
  ONR_TRY(fixed_geometry(call, c));
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) {
    struct onri_axis *a = &c->axis[i];
    if (is_same(p)) a->begin = a->end = 0;
    a->out = least_output(a) + (i < lead ? 0 : p->output_padding[i - lead]);
  }
  return ONR_STATUS_OK;
}

static enum onr_status conv_transpose_prepare(struct onr_call *call) {
  const struct onr_conv_transpose_params *p = call->params;
  struct onri_conv c;
  if (!onri_conv_can_pack(call, p->groups, 1)) return ONR_STATUS_OK;
  ONR_TRY(onri_conv_transpose_geometry_of_weights(call, &c));
  return onri_conv_prepare(call, &c, p->channels_last && !p->has_output_shape, 0);
}

static enum onr_status conv_transpose_plan(struct onr_call *call) {
  struct onri_conv c;
  struct onr_desc out;
  ONR_TRY(onri_conv_transpose_geometry(call, &c, &out));
  const struct onr_conv_transpose_params *p = call->params;
  return onri_conv_plan(call, &c, &p->clamp, &p->tail);
}

static int64_t conv_transpose_multiply_adds(const struct onr_call *call) {
  struct onri_conv c;
  struct onr_desc out;
  return onri_conv_transpose_geometry(call, &c, &out) == ONR_STATUS_OK ? onri_conv_multiply_adds(&c) : 0;
}

static int64_t conv_transpose_steps(const struct onr_call *call) {
  struct onri_conv c;
  struct onr_desc out;
  return onri_conv_transpose_geometry(call, &c, &out) == ONR_STATUS_OK ? onri_conv_steps(&c) : 0;
}

const struct onr_layer onri_layer_conv_transpose = {
    .name = "conv_transpose",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_OVERREADS | ONRI_LAYER_READS_LATE,
    .layout = ONRI_LAYOUT_CONV_TRANSPOSE,
    .layout_param = offsetof(struct onr_conv_transpose_params, channels_last),
    .params_size = sizeof(struct onr_conv_transpose_params),
    .prepared_size = sizeof(struct onri_conv_prepared),
    .state_size = sizeof(struct onri_conv_state),
    .infer = conv_transpose_infer,
    .prepare = conv_transpose_prepare,
    .plan = conv_transpose_plan,
    .run = onri_conv_run,
    .kept_size = sizeof(struct onri_conv_kept),
    .release_state = onri_conv_release_state,
    .release_kept = onri_conv_release_kept,
    .release_prepared = onri_conv_release_prepared,
    .multiply_adds = conv_transpose_multiply_adds,
    .steps = conv_transpose_steps,
    .kernel_types = onri_conv_kernel_types,
};
