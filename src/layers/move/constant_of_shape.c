/* constant_of_shape.c: one element, repeated to a shape. */
#include <string.h>

#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

static enum onr_status constant_of_shape_infer(struct onr_call *call) {
  const struct onr_constant_of_shape_params *p = call->params;
  int64_t dims[ONR_MAX_RANK];
  size_t count;
  ONR_TRY(onri_read_ints(call, 0, dims, ONR_MAX_RANK, &count));
  for (size_t d = 0; d < count; d++)
    if (dims[d] < 0)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of the shape is %lld", (int)d, (long long)dims[d]);
  call->out[0] = onr_desc_make(p->dtype, (int32_t)count, dims);
  return ONR_STATUS_OK;
}

static enum onr_status constant_of_shape_run(struct onr_call *call) {
  const struct onr_constant_of_shape_params *p = call->params;
  const int64_t count = onr_desc_elements(&call->out[0]), stride = 0;
  struct onri_copy copy;
  onri_copy_make(&copy, onr_dtype_size(p->dtype), 1, &count, &stride, NULL);
  onri_copy_run(&copy, call->env, p->value, call->outputs[0]);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_constant_of_shape = {
    .name = "constant_of_shape",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_INDEX},
    .shape_inputs = 1u << 0,
    .params_size = sizeof(struct onr_constant_of_shape_params),
    .infer = constant_of_shape_infer,
    .run = constant_of_shape_run,
};
