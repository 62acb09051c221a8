/* lp_norm and mean_variance_norm: norms without parameters.
 *
 * input 0   x  any shape, floating-point
 * output 0  y  x's shape and type */
#include "base/shape.h"
#include "layers/norm/normalize.h"
#include "params/params.h"

static enum onr_status lp_norm_infer(struct onr_call *call) {
  const struct onr_lp_norm_params *p = call->params;
  int32_t axis;
  ONR_TRY(onri_axis_resolve(p->axis, call->in[0].rank, &axis, call->error));
  if (p->p != 1 && p->p != 2)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected p 1 or 2, found %d", (int)p->p);
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status mean_variance_norm_infer(struct onr_call *call) {
  const struct onr_mean_variance_norm_params *p = call->params;
  uint8_t mask[ONR_MAX_RANK];
  ONR_TRY(onri_axes_resolve(p->axes, (size_t)p->num_axes, call->in[0].rank, mask, call->error));
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

/* Slices are made of the dimensions in `mask`; neighbours among them at the end are one run. */
static void plan_slices(struct onr_call *call, const uint8_t *mask) {
  const struct onr_desc *x = &call->in[0];
  struct onri_normalize_state *s = call->state;
  struct onri_normalize *n = &s->kernel;
  int64_t strides[ONR_MAX_RANK];
  int32_t run_from = x->rank;
  onri_strides(x, strides);
  while (run_from > 0 && (mask[run_from - 1] || x->dim[run_from - 1] == 1)) run_from--;
  n->run = (size_t)onri_product(x, run_from, x->rank);
  for (int32_t d = 0; d < run_from; d++) onri_dims_add(mask[d] ? &n->rows : &n->slices, x->dim[d], strides[d]);
  s->entries = onr_desc_make(x->dtype, 0, NULL);
  onri_normalize_plan(call, s);
  call->in_place = 0;
}

static enum onr_status lp_norm_plan(struct onr_call *call) {
  const struct onr_lp_norm_params *p = call->params;
  struct onri_normalize_state *s = call->state;
  uint8_t mask[ONR_MAX_RANK] = {0};
  int32_t axis;
  ONR_TRY(onri_axis_resolve(p->axis, call->in[0].rank, &axis, call->error));
  mask[axis] = 1;
  s->kernel.kind = p->p == 1 || call->in[0].dim[axis] == 1 ? ONRI_NORMALIZE_L1 : ONRI_NORMALIZE_L2; /* of one: |x| */
  plan_slices(call, mask);
  return ONR_STATUS_OK;
}

static enum onr_status mean_variance_norm_plan(struct onr_call *call) {
  const struct onr_mean_variance_norm_params *p = call->params;
  struct onri_normalize_state *s = call->state;
  uint8_t mask[ONR_MAX_RANK];
  ONR_TRY(onri_axes_resolve(p->axes, (size_t)p->num_axes, call->in[0].rank, mask, call->error));
  s->kernel.kind = ONRI_NORMALIZE_STD;
  s->kernel.epsilon = 1e-9; /* ONNX's definition */
  plan_slices(call, mask);
  return ONR_STATUS_OK;
}

static enum onr_status norm_run(struct onr_call *call) {
  onri_normalize_run(call, call->state);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_lp_norm = {
    .name = "lp_norm",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONR_LAYOUT_ALONG_AXIS,
    .layout_param = offsetof(struct onr_lp_norm_params, axis),
    .params_size = sizeof(struct onr_lp_norm_params),
    .state_size = sizeof(struct onri_normalize_state),
    .infer = lp_norm_infer,
    .plan = lp_norm_plan,
    .run = norm_run,
};

const struct onr_layer onri_layer_mean_variance_norm = {
    .name = "mean_variance_norm",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_mean_variance_norm_params),
    .state_size = sizeof(struct onri_normalize_state),
    .infer = mean_variance_norm_infer,
    .plan = mean_variance_norm_plan,
    .run = norm_run,
};
