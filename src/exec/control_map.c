/* control_map.c: SequenceMap: a body for each entry, and sequences of what it makes. */
#include "exec/control.h"

#include "base/container.h"
#include "layers/layers.h"

/* What a body has made becomes entry i of output k of the node. */
static enum onr_status add_entry(struct onri_plan *plan, const struct onri_step *step, int32_t k, int64_t i,
                                 const struct onr_tensor *entry, struct onr_error *error) {
  struct onri_heap *heap = &plan->space->run->heap;
  struct onri_handle *handle;
  struct onri_list *longer;
  if (step->node->out[k] == ONRI_NONE) return ONR_STATUS_OK;
  handle = onri_plan_address(plan, step->node->out[k]);
  ONR_TRY(onri_list_insert(heap, handle->list, (size_t)i, entry, &longer, error));
  onri_list_release(heap, handle->list);
  handle->list = longer;
  return ONR_STATUS_OK;
}

enum onr_status onri_control_map(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                 struct onr_error *error) {
  const struct onr_sequence_map_params *params = step->call.params;
  const struct onr_tensor first = onri_control_input(plan, step, 0);
  const int64_t length = onr_sequence_length(&first);
  struct onri_frame *body;
  if (length < 0) return onr_fail(error, ONR_STATUS_TYPE, "input 0: expected a sequence");
  ONR_TRY(onri_frame_child(frame, step->node, 0, &body, error));
  for (int32_t k = 0; k < step->node->num_out; k++)
    if (step->node->out[k] != ONRI_NONE)
      ONR_TRY(onri_plan_put_list(plan, step->node->out[k], ONR_DTYPE_SEQUENCE, NULL, error));
  for (int64_t i = 0; i < length; i++) {
    ONR_TRY(onri_control_spend(frame->space.run, error));
    for (size_t k = 0; k < body->space.graph->num_inputs; k++) {
      const struct onr_tensor x = onri_control_input(plan, step, (int32_t)k);
      body->inputs[k] = x;
      if ((int32_t)k >= params->num_mapped || x.desc.dtype != ONR_DTYPE_SEQUENCE) continue;
      if (onr_sequence_length(&x) != length)
        return onr_fail(error, ONR_STATUS_SHAPE, "sequences of %lld and %lld entries", (long long)length,
                        (long long)onr_sequence_length(&x));
      body->inputs[k] = onr_sequence_entry(&x, i);
    }
    ONR_TRY(onri_control_run_body(body, error));
    for (int32_t k = 0; k < step->node->num_out; k++) {
      const struct onr_tensor y = onri_frame_output(body, (size_t)k);
      ONR_TRY(add_entry(plan, step, k, i, &y, error));
    }
  }
  return ONR_STATUS_OK;
}
