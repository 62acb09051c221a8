/* byte_table.c: what becomes of each of the 256 bytes: activations between quantized tensors.
 *
 * input 0   x      int8 or uint8, any shape
 * input 1   table  int8 or uint8 [256]: of x as an unsigned byte
 * output 0  y      x's shape, the table's type
 */
#include "kernels/kernels.h"
#include "kernels/quantize/quantize.h"
#include "layers/elementwise/broadcast.h"
#include "layers/layers.h"

static enum onr_status table_infer(struct onr_call *call) {
  if (call->in[1].rank != 1 || call->in[1].dim[0] != 256)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a table of 256 elements, found %lld",
                    (long long)onr_desc_elements(&call->in[1]));
  call->out[0] = call->in[0];
  call->out[0].dtype = call->in[1].dtype;
  return ONR_STATUS_OK;
}

static enum onr_status table_plan(struct onr_call *call) {
  call->kernel = ONR_KERNEL_VECTOR;
  call->in_place = 0;
  return ONR_STATUS_OK;
}

static void table_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  onri_kernels(quantize)->table((const uint8_t *)call->inputs[0] + begin, (uint8_t *)call->outputs[0] + begin,
                                end - begin, call->inputs[1]);
}

static enum onr_status table_run(struct onr_call *call) {
  onri_elementwise_for(call->env, (size_t)onr_desc_elements(&call->in[0]), table_part, call);
  return ONR_STATUS_OK;
}

static uint32_t table_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_8BIT : 0;
}

const struct onr_layer onri_layer_byte_table = {
    .name = "byte_table",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_8BIT, ONRI_DTYPES_8BIT},
    .output_type = ONR_AS_INPUT(1),
    .infer = table_infer,
    .plan = table_plan,
    .run = table_run,
    .kernel_types = table_kernel_types,
};
