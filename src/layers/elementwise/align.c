/* align.c: dimensions of 1 behind those of x, so that it broadcasts at an axis of another tensor.
 *
 * input 0   x     any type
 * input 1   like  only its rank is used
 * output 0  y     x as a view; a scalar stays one
 */
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

static enum onr_status align_infer(struct onr_call *call) {
  const struct onr_align_params *p = call->params;
  const int32_t rank = call->in[1].rank;
  int32_t axis;
  call->out[0] = call->in[0];
  if (call->in[0].rank == 0) return ONR_STATUS_OK;
  ONR_TRY(onri_axis_resolve(p->axis, rank, &axis, call->error));
  if (axis + call->in[0].rank > rank)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "axis %d leaves no room for %d dimensions in a rank %d tensor",
                    axis, call->in[0].rank, rank);
  while (axis + call->out[0].rank < rank) call->out[0].dim[call->out[0].rank++] = 1;
  return ONR_STATUS_OK;
}

static enum onr_status align_plan(struct onr_call *call) {
  call->view[0] = (struct onr_view){0, 0};
  return ONR_STATUS_OK;
}

static enum onr_status align_run(struct onr_call *call) {
  if (call->outputs[0] != call->inputs[0])
    onri_copy_bytes(call->env, call->inputs[0], call->outputs[0], onr_desc_bytes(&call->in[0]));
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_align = {
    .name = "align",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_align_params),
    .infer = align_infer,
    .plan = align_plan,
    .run = align_run,
};
