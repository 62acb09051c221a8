/* layer_norm, rms_norm: over all dimensions from an axis on.
 *
 * input 0   x      any shape, floating-point
 * input 1   scale  broadcast to x's dimensions from the axis on    optional
 * input 2   bias   as scale                                        optional, layer_norm only
 * output 0  y      x's shape and type; rms_norm: scale's type
 * output 1  mean, output 2  1 / sqrt(variance + epsilon)           optional, layer_norm only; float32 */
#include "base/shape.h"
#include "layers/norm/normalize.h"
#include "params/params.h"

static struct onr_desc tail_of(const struct onr_desc *x, int32_t axis) {
  struct onr_desc tail = {.dtype = x->dtype, .rank = x->rank - axis};
  for (int32_t d = axis; d < x->rank; d++) tail.dim[d - axis] = x->dim[d];
  return tail;
}

static enum onr_status check_shape(const struct onr_call *call, const struct onr_normalized_shape *shape) {
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, shape->num_dims, ONR_MAX_RANK));
  for (int32_t i = 0, d = x->rank - shape->num_dims; i < shape->num_dims; i++, d++)
    if (x->dim[d] != shape->dim[i])
      return onr_fail(call->error, ONR_STATUS_SHAPE,
                      "expected dimension %d of size %lld, as in the normalized shape, found %lld", (int)d,
                      (long long)shape->dim[i], (long long)x->dim[d]);
  return ONR_STATUS_OK;
}

static enum onr_status norm_infer(struct onr_call *call, int64_t wanted, const struct onr_normalized_shape *shape) {
  const struct onr_desc *x = &call->in[0];
  int32_t axis;
  ONR_TRY(check_shape(call, shape));
  ONR_TRY(onri_axis_resolve(wanted, x->rank, &axis, call->error));
  const struct onr_desc tail = tail_of(x, axis);
  ONR_TRY(onri_normalize_check(call, &tail));
  struct onr_desc statistic = *x;
  statistic.dtype = ONR_DTYPE_F32;
  for (int32_t d = axis; d < x->rank; d++) statistic.dim[d] = 1;
  for (size_t i = 0; i < call->num_out; i++) call->out[i] = i == 0 ? *x : statistic;
  return ONR_STATUS_OK;
}

static enum onr_status layer_norm_infer(struct onr_call *call) {
  const struct onr_layer_norm_params *p = call->params;
  return norm_infer(call, p->axis, &p->shape);
}

static enum onr_status rms_norm_infer(struct onr_call *call) {
  const struct onr_rms_norm_params *p = call->params;
  ONR_TRY(norm_infer(call, p->axis, &p->shape));
  if (onri_has(call, 1)) call->out[0].dtype = call->in[1].dtype;
  return ONR_STATUS_OK;
}

static enum onr_status norm_plan(struct onr_call *call, enum onri_normalize_kind kind, int64_t wanted, float epsilon) {
  const struct onr_desc *x = &call->in[0];
  struct onri_normalize_state *s = call->state;
  int32_t axis;
  ONR_TRY(onri_axis_resolve(wanted, x->rank, &axis, call->error));
  s->entries = tail_of(x, axis);
  s->kernel.kind = kind;
  s->kernel.epsilon = (double)epsilon;
  s->kernel.run = (size_t)onri_product(x, axis, x->rank);
  s->kernel.index = ONRI_INDEX_RUN;
  onri_dims_add(&s->kernel.slices, onri_product(x, 0, axis), onri_product(x, axis, x->rank));
  onri_normalize_plan(call, s);
  if (call->out[0].dtype == x->dtype) call->in_place = 0;
  return ONR_STATUS_OK;
}

static enum onr_status layer_norm_plan(struct onr_call *call) {
  const struct onr_layer_norm_params *p = call->params;
  return norm_plan(call, ONRI_NORMALIZE_VARIANCE, p->axis, p->epsilon);
}

static enum onr_status rms_norm_plan(struct onr_call *call) {
  const struct onr_rms_norm_params *p = call->params;
  return norm_plan(call, ONRI_NORMALIZE_RMS, p->axis, p->epsilon);
}

static enum onr_status norm_run(struct onr_call *call) {
  onri_normalize_run(call, call->state);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_layer_norm = {
    .name = "layer_norm",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 3,
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONR_LAYOUT_TRAILING,
    .layout_param = offsetof(struct onr_layer_norm_params, axis),
    .params_size = sizeof(struct onr_layer_norm_params),
    .state_size = sizeof(struct onri_normalize_state),
    .infer = layer_norm_infer,
    .plan = layer_norm_plan,
    .run = norm_run,
};

const struct onr_layer onri_layer_rms_norm = {
    .name = "rms_norm",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT},
    .layout = ONR_LAYOUT_TRAILING,
    .layout_param = offsetof(struct onr_rms_norm_params, axis),
    .params_size = sizeof(struct onr_rms_norm_params),
    .state_size = sizeof(struct onri_normalize_state),
    .infer = rms_norm_infer,
    .plan = rms_norm_plan,
    .run = norm_run,
};
