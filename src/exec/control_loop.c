/* control_loop.c: Loop: carried values go from one iteration to the next, scan outputs grow by a slice each. */
#include "exec/control.h"

#include <string.h>

#include "base/shape.h"
#include "layers/layers.h"

/* Appends one slice to scan output i of the node: slot [count, slice...]. Room grows by half, so appending is linear.
 */
static enum onr_status append_slice(struct onri_plan *plan, int32_t v, const struct onr_tensor *slice, int64_t count,
                                    struct onr_error *error) {
  struct onr_desc whole = {.dtype = slice->desc.dtype, .rank = slice->desc.rank + 1};
  const size_t bytes = onr_desc_bytes(&slice->desc);
  void *data;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  ONR_TRY(onri_control_expect_elements(&slice->desc, error));
  if (whole.rank > ONR_MAX_RANK) return onr_fail(error, ONR_STATUS_LIMIT, "a scan output of rank %d", whole.rank);
  whole.dim[0] = count + 1;
  memcpy(whole.dim + 1, slice->desc.dim, (size_t)slice->desc.rank * sizeof(whole.dim[0]));
  if (count) {
    struct onr_desc before = plan->inference.descs[v];
    before.dim[0] = count + 1;
    if (!onr_desc_equal(&before, &whole))
      return onr_fail(error, ONR_STATUS_SHAPE, "a scan output changes its shape from one iteration to the next");
  }
  ONR_TRY(onri_plan_resize(plan, v, &whole, (size_t)count * bytes, &data, error));
  return onri_env_copy(&plan->space->run->env, (char *)data + (size_t)count * bytes, slice->data, bytes, error);
}

static enum onr_status read_trip_count(const struct onr_tensor *count, int64_t *trips, struct onr_error *error) {
  *trips = INT64_MAX;
  if (!count->data) return ONR_STATUS_OK;
  if (count->desc.dtype != ONR_DTYPE_I64 || onr_desc_elements(&count->desc) != 1)
    return onr_fail(error, ONR_STATUS_SHAPE, "expected a trip count of one int64");
  *trips = *(const int64_t *)count->data;
  return ONR_STATUS_OK;
}

/* Does the condition never change? */
static int goes_on(const struct onri_graph *body) {
  int32_t v = body->outputs[0];
  while (body->values[v].producer != ONRI_NONE && body->nodes[body->values[v].producer].layer == &onri_layer_identity)
    v = body->nodes[body->values[v].producer].in[0];
  return v == body->inputs[1];
}

/* What a loop of known length collects is refused before it is collected, and has its memory at once. */
static enum onr_status reserve_scan(struct onri_plan *plan, int32_t v, const struct onr_tensor *slice, int64_t trips,
                                    struct onr_error *error) {
  struct onr_desc whole = {.dtype = slice->desc.dtype, .rank = slice->desc.rank + 1, .dim = {trips}};
  void *data;
  if (v == ONRI_NONE || whole.rank > ONR_MAX_RANK || !onri_dtype_is_element(whole.dtype)) return ONR_STATUS_OK;
  memcpy(whole.dim + 1, slice->desc.dim, (size_t)slice->desc.rank * sizeof(whole.dim[0]));
  return onri_plan_resize(plan, v, &whole, 0, &data, error);
}

enum onr_status onri_control_loop(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                  struct onr_error *error) {
  const struct onr_loop_params *params = step->call.params;
  const int32_t carried = params->num_carried, scans = step->node->num_out - carried;
  const struct onr_tensor m = onri_control_input(plan, step, 0), condition = onri_control_input(plan, step, 1);
  const struct onr_desc index_desc = {.dtype = ONR_DTYPE_I64}, bool_desc = {.dtype = ONR_DTYPE_BOOL};
  struct onri_frame *body;
  int64_t trips, i = 0;
  uint8_t go_on = 1;
  int wanted = 1;
  ONR_TRY(read_trip_count(&m, &trips, error));
  if (condition.data) ONR_TRY(onri_control_condition(&condition, &wanted, error));
  ONR_TRY(onri_frame_child(frame, step->node, 0, &body, error));
  struct onr_tensor *x = body->inputs;
  x[0] = (struct onr_tensor){index_desc, &i};
  x[1] = (struct onr_tensor){bool_desc, &go_on};
  for (size_t k = 2; k < body->space.graph->num_inputs; k++) x[k] = onri_control_input(plan, step, (int32_t)k);
  const int is_counted = goes_on(body->space.graph);
  if (wanted && is_counted && trips > 0 && (uint64_t)trips > frame->space.run->iterations_left)
    return onri_control_too_many(frame->space.run, error);
  for (; wanted && i < trips; i++) {
    ONR_TRY(onri_control_spend(frame->space.run, error));
    ONR_TRY(onri_control_run_body(body, error));
    const struct onr_tensor next = onri_frame_output(body, 0);
    ONR_TRY(onri_control_condition(&next, &wanted, error));
    for (int32_t k = 0; k < scans; k++) {
      const struct onr_tensor slice = onri_frame_output(body, (size_t)(1 + carried + k));
      if (is_counted && i == 0) ONR_TRY(reserve_scan(plan, step->node->out[carried + k], &slice, trips, error));
      ONR_TRY(append_slice(plan, step->node->out[carried + k], &slice, i, error));
    }
    for (int32_t k = 0; k < carried; k++) ONR_TRY(onri_control_carry(body, (size_t)(1 + k), (size_t)(2 + k), error));
  }
  for (int32_t k = 0; k < carried; k++) ONR_TRY(onri_control_keep(plan, step, k, &x[2 + k], error));
  for (int32_t k = 0; i == 0 && k < scans; k++)
    ONR_TRY(onri_control_empty(plan, step->node->out[carried + k], body, (size_t)(1 + carried + k), 0, error));
  return ONR_STATUS_OK;
}
