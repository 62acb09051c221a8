/* control.c: If, and what all control flow does with the frames of bodies. Results are copied into slots of the node's
 * outputs, since a body's own memory is used again by its next run. */
#include "exec/control.h"

#include "base/container.h"
#include "base/only.h"
#include "base/shape.h"
#include "layers/layers.h"

enum { COPIED_AT_ONCE = 8 }; /* bytes that take one operation (limits.work) */

enum onr_status onri_control_run_body(struct onri_frame *body, struct onr_error *error) {
  ONR_TRY(onri_frame_plan(body, body->inputs, error));
  ONR_TRY(onri_frame_run(body, body->inputs, NULL, error));
  size_t bytes = 0;
  for (size_t i = 0; i < body->space.graph->num_outputs; i++) {
    const struct onr_tensor result = onri_frame_output(body, i);
    bytes += onr_desc_bytes(&result.desc); /* memory that is there: the sum fits */
  }
  return onri_run_spend(body->space.run, bytes / COPIED_AT_ONCE, error);
}

enum onr_status onri_control_keep(struct onri_plan *plan, const struct onri_step *step, int32_t i,
                                  const struct onr_tensor *result, struct onr_error *error) {
  const int32_t v = step->node->out[i];
  struct onri_list *list;
  void *data;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  if (onri_dtype_is_block(result->desc.dtype)) {
    ONR_TRY(onri_container_list(&plan->space->run->heap, result, 1, &list, error));
    return onri_plan_put_list(plan, v, result->desc.dtype, list, error);
  }
  ONR_TRY(onri_plan_resize(plan, v, &result->desc, 0, &data, error));
  return onri_env_copy(&plan->space->run->env, data, result->data, onr_desc_bytes(&result->desc), error);
}

struct onr_tensor onri_control_input(const struct onri_plan *plan, const struct onri_step *step, int32_t i) {
  const int32_t v = step->node->in[i];
  if (v == ONRI_NONE) return (struct onr_tensor){0};
  return (struct onr_tensor){plan->inference.descs[v], onri_plan_address(plan, v)};
}

enum onr_status onri_control_condition(const struct onr_tensor *condition, int *result, struct onr_error *error) {
  if (condition->desc.dtype != ONR_DTYPE_BOOL || onr_desc_elements(&condition->desc) != 1)
    return onr_fail(error, ONR_STATUS_SHAPE, "expected a condition of one bool");
  *result = *(const uint8_t *)condition->data != 0;
  return ONR_STATUS_OK;
}

enum onr_status onri_control_expect_elements(const struct onr_desc *desc, struct onr_error *error) {
  if (onri_dtype_is_element(desc->dtype)) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_TYPE, "expected a tensor to scan, found %s", onr_dtype_name(desc->dtype));
}

enum onr_status onri_control_too_many(const struct onri_run *run, struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_LIMIT, "more than %llu iterations in one run (limit loop_iterations)",
                  (unsigned long long)run->env.limits.loop_iterations);
}

enum onr_status onri_control_spend(struct onri_run *run, struct onr_error *error) {
  ONR_TRY(onri_env_poll(&run->env, error));
  if (run->env.cancel) ONR_TRY(onri_env_poll(&run->env, error));
  if (!run->iterations_left) return onri_control_too_many(run, error);
  run->iterations_left--;
  return ONR_STATUS_OK;
}

enum onr_status onri_control_carry(struct onri_frame *body, size_t output, size_t input, struct onr_error *error) {
  const struct onr_tensor value = onri_frame_output(body, output);
  struct onr_tensor *x = &body->inputs[input];
  if (value.data == x->data && onr_desc_equal(&value.desc, &x->desc)) return ONR_STATUS_OK;
  return onri_buffer_keep(body->space.run, onri_frame_next(body, input), &value, x, error);
}

enum onr_status onri_control_output_axis(int32_t rank, int32_t *axis, struct onr_error *error) {
  if (*axis < -rank || *axis >= rank)
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "scan output axis %d is out of range for rank %d", *axis, rank);
  if (*axis < 0) *axis += rank;
  return ONR_STATUS_OK;
}

enum onr_status onri_control_empty(struct onri_plan *plan, int32_t v, struct onri_frame *body, size_t output,
                                   int32_t axis, struct onr_error *error) {
  const int32_t slice = body->space.graph->outputs[output];
  struct onr_desc desc = body->space.graph->values[slice].desc;
  struct onr_error why = {0};
  void *data;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  const enum onr_status status = onri_frame_plan(body, body->inputs, &why);
  if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED)
    return onr_fail(error, status, "%s", why.message);
  const int is_known = status == ONR_STATUS_OK && body->space.plan->inference.descs[slice].rank >= 0;
  if (is_known) desc = body->space.plan->inference.descs[slice];
  if (desc.rank < 0 || desc.rank >= ONR_MAX_RANK) desc.rank = 0;
  if (desc.dtype == ONR_DTYPE_NONE) desc.dtype = ONR_DTYPE_F32;
  ONR_TRY(onri_control_expect_elements(&desc, error));
  desc.rank++;
  const enum onr_status fits = onri_control_output_axis(desc.rank, &axis, is_known ? error : NULL);
  if (fits != ONR_STATUS_OK && is_known) return fits;
  if (fits != ONR_STATUS_OK) axis = 0; /* of a rank that nobody knows */
  for (int32_t d = desc.rank - 1; d > axis; d--) desc.dim[d] = desc.dim[d - 1];
  desc.dim[axis] = 0;
  for (int32_t d = 0; d < desc.rank; d++)
    if (desc.dim[d] < 0) desc.dim[d] = 0;
  return onri_plan_resize(plan, v, &desc, 0, &data, error);
}

static enum onr_status run_if(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                              struct onr_error *error) {
  const struct onr_tensor condition = onri_control_input(plan, step, 0);
  struct onri_frame *body;
  int32_t first = 1;
  int taken = 0;
  ONR_TRY(onri_control_condition(&condition, &taken, error));
  if (!taken) first += (int32_t)step->node->bodies[0]->num_inputs;
  ONR_TRY(onri_frame_child(frame, step->node, taken ? 0 : 1, &body, error));
  for (size_t i = 0; i < body->space.graph->num_inputs; i++)
    body->inputs[i] = onri_control_input(plan, step, first + (int32_t)i);
  ONR_TRY(onri_control_run_body(body, error));
  for (int32_t i = 0; i < step->node->num_out; i++) {
    const struct onr_tensor result = onri_frame_output(body, (size_t)i);
    ONR_TRY(onri_control_keep(plan, step, i, &result, error));
  }
  return ONR_STATUS_OK;
}

static enum onr_status run_control(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                   struct onr_error *error) {
  (void)frame; /* where there is no case */
  (void)plan;
  switch (step->node->layer->control) {
    ONRI_IF(ONRI_HAS_LAYER_if, case ONRI_CONTROL_IF : return run_if(frame, plan, step, error);)
    ONRI_IF(ONRI_HAS_LAYER_loop, case ONRI_CONTROL_LOOP : return onri_control_loop(frame, plan, step, error);)
    ONRI_IF(ONRI_HAS_LAYER_scan, case ONRI_CONTROL_SCAN : return onri_control_scan(frame, plan, step, error);)
    ONRI_IF(ONRI_HAS_LAYER_sequence_map, case ONRI_CONTROL_MAP : return onri_control_map(frame, plan, step, error);)
  }
  return onr_fail(error, ONR_STATUS_INTERNAL, "%s is no control-flow layer", step->node->layer->name);
}

enum onr_status onri_control_run(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                 struct onr_error *error) {
  const enum onr_status status = run_control(frame, plan, step, error);
  onri_frame_done_bodies(frame, step->node);
  return status;
}
