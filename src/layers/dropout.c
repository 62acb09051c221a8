/* dropout: inference does not drop anything.
 *
 * input 0   x         any type
 * input 1   ratio     float scalar, optional
 * input 2   training  bool scalar, optional
 * output 0  y         x, as a view
 * output 1  mask      ones, bool or of x's type
 */
#include <string.h>

#include "base/cast.h"
#include "base/shape.h"
#include "layers/layers.h"

static enum onr_status dropout_infer(struct onr_call *call) {
  const struct onr_dropout_params *p = call->params;
  for (size_t i = 1; i < 3; i++) {
    if (!onri_has(call, i)) continue;
    ONR_TRY(onri_expect_dtype(call, i, i == 1 ? ONRI_DTYPES_FLOAT : ONRI_DTYPE_BIT(ONR_DTYPE_BOOL)));
    if (onr_desc_elements(&call->in[i]) != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a scalar as input %zu", i);
  }
  call->out[0] = call->in[0];
  if (call->num_out > 1) {
    call->out[1] = call->in[0];
    if (!p->mask_like_x) call->out[1].dtype = ONR_DTYPE_BOOL;
  }
  return ONR_STATUS_OK;
}

static enum onr_status dropout_plan(struct onr_call *call) {
  call->view[0] = (struct onr_place){0, 0};
  return ONR_STATUS_OK;
}

static int is_training(const struct onr_call *call) {
  double ratio = 0.5; /* the default of ONNX */
  if (!onri_has(call, 2) || *(const uint8_t *)call->inputs[2] == 0) return 0;
  if (onri_has(call, 1)) onri_load_as(call->in[1].dtype, call->inputs[1], 1, ONRI_CLASS_F64, &ratio);
  return ratio != 0;
}

static enum onr_status dropout_run(struct onr_call *call) {
  const size_t bytes = onr_desc_bytes(&call->in[0]);
  if (is_training(call)) return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "Dropout in training mode: only inference is");
  if (call->outputs[0] && bytes > 0 && call->outputs[0] != call->inputs[0]) memmove(call->outputs[0], call->inputs[0], bytes);
  if (call->num_out > 1 && call->outputs[1]) {
    const struct onri_cast cast = {.from = ONR_DTYPE_BOOL, .to = call->out[1].dtype};
    const size_t count = (size_t)onr_desc_elements(&call->out[1]);
    const uint8_t one = 1;
    for (size_t i = 0; i < count; i++)
      onri_cast_elements(&cast, &one, (char *)call->outputs[1] + i * onr_dtype_size(cast.to), 1);
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_dropout = {
    .name = "dropout",
    .inputs_min = 1, .inputs_max = 3, .outputs_min = 1, .outputs_max = 2,
    .params_size = sizeof(struct onr_dropout_params),
    .infer = dropout_infer,
    .plan = dropout_plan,
    .run = dropout_run,
};
