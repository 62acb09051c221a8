/* shape.c: shape and size: what is known about a tensor, as a tensor. */
#include "base/shape.h"
#include "layers/layers.h"

static int32_t clamp_axis(int64_t axis, int32_t rank) {
  if (axis < 0) axis += rank;
  if (axis < 0) return 0;
  return axis > rank ? rank : (int32_t)axis;
}

static enum onr_status shape_infer(struct onr_call *call) {
  const struct onr_shape_params *p = call->params;
  const int32_t rank = call->in[0].rank;
  const int32_t start = clamp_axis(p->start, rank), end = clamp_axis(p->end, rank);
  const int64_t count = end > start ? end - start : 0;
  call->out[0] = onr_desc_make(ONR_DTYPE_I64, 1, &count);
  return ONR_STATUS_OK;
}

static enum onr_status shape_run(struct onr_call *call) {
  const struct onr_shape_params *p = call->params;
  const int32_t start = clamp_axis(p->start, call->in[0].rank);
  int64_t *y = call->outputs[0];
  for (int64_t i = 0; i < call->out[0].dim[0]; i++) y[i] = call->in[0].dim[start + i];
  return ONR_STATUS_OK;
}

static enum onr_status size_infer(struct onr_call *call) {
  call->out[0] = onr_desc_make(ONR_DTYPE_I64, 0, NULL);
  return ONR_STATUS_OK;
}

static enum onr_status size_run(struct onr_call *call) {
  int64_t *y = call->outputs[0];
  *y = onr_desc_elements(&call->in[0]);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_shape = {
    .name = "shape",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_I64),
    .flags = ONR_LAYER_SHAPE_ONLY | ONRI_LAYER_NO_PRODUCTS,
    .layout = ONRI_LAYOUT_SHAPE,
    .params_size = sizeof(struct onr_shape_params),
    .infer = shape_infer,
    .run = shape_run,
};
const struct onr_layer onri_layer_size = {
    .name = "size",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_I64),
    .flags = ONR_LAYER_SHAPE_ONLY,
    .layout = ONRI_LAYOUT_SIZE,
    .infer = size_infer,
    .run = size_run,
};
