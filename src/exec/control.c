/* control.c: If, Loop and Scan, by running the frames of their bodies. Results are copied into slots of the node's
 * outputs, since a body's own memory is used again by its next run. */
#include <string.h>

#include "base/container.h"
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "exec/frame.h"
#include "layers/layers.h"

enum { COPIED_AT_ONCE = 8 }; /* bytes that take one operation (limits.work) */

/* Runs a body whose inputs are in body->inputs. Its results will be copied. */
static enum onr_status run_body(struct onri_frame *body, struct onr_error *error) {
  ONR_TRY(onri_frame_plan(body, body->inputs, error));
  ONR_TRY(onri_frame_run(body, body->inputs, NULL, error));
  size_t bytes = 0;
  for (size_t i = 0; i < body->space.graph->num_outputs; i++) {
    const struct onr_tensor result = onri_frame_output(body, i);
    bytes += onr_desc_bytes(&result.desc); /* memory that is there: the sum fits */
  }
  return onri_run_spend(body->space.run, bytes / COPIED_AT_ONCE, error);
}

/* Copies a result of a body into the slot of output i of the node. */
static enum onr_status keep_output(struct onri_plan *plan, const struct onri_step *step, int32_t i,
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
  if (onr_desc_bytes(&result->desc)) memmove(data, result->data, onr_desc_bytes(&result->desc));
  return ONR_STATUS_OK;
}

static struct onr_tensor input_tensor(const struct onri_plan *plan, const struct onri_step *step, int32_t i) {
  const int32_t v = step->node->in[i];
  if (v == ONRI_NONE) return (struct onr_tensor){0};
  return (struct onr_tensor){plan->inference.descs[v], onri_plan_address(plan, v)};
}

static enum onr_status read_condition(const struct onr_tensor *condition, int *result, struct onr_error *error) {
  if (condition->desc.dtype != ONR_DTYPE_BOOL || onr_desc_elements(&condition->desc) != 1)
    return onr_fail(error, ONR_STATUS_SHAPE, "expected a condition of one bool");
  *result = *(const uint8_t *)condition->data != 0;
  return ONR_STATUS_OK;
}

static enum onr_status run_if(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                              struct onr_error *error) {
  const struct onr_tensor condition = input_tensor(plan, step, 0);
  struct onri_frame *body;
  int32_t first = 1;
  int taken = 0;
  ONR_TRY(read_condition(&condition, &taken, error));
  if (!taken) first += (int32_t)step->node->bodies[0]->num_inputs;
  ONR_TRY(onri_frame_child(frame, step->node, taken ? 0 : 1, &body, error));
  for (size_t i = 0; i < body->space.graph->num_inputs; i++)
    body->inputs[i] = input_tensor(plan, step, first + (int32_t)i);
  ONR_TRY(run_body(body, error));
  for (int32_t i = 0; i < step->node->num_out; i++) {
    const struct onr_tensor result = onri_frame_output(body, (size_t)i);
    ONR_TRY(keep_output(plan, step, i, &result, error));
  }
  return ONR_STATUS_OK;
}

/* Only tensors are cut into slices and put together from them; the header of a sequence is none of its elements. */
static enum onr_status expect_elements(const struct onr_desc *desc, struct onr_error *error) {
  if (onri_dtype_is_element(desc->dtype)) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_TYPE, "expected a tensor to scan, found %s", onr_dtype_name(desc->dtype));
}

/* Appends one slice to scan output i of the node: slot [count, slice...]. Room grows by half, so appending is linear.
 */
static enum onr_status append_slice(struct onri_plan *plan, int32_t v, const struct onr_tensor *slice, int64_t count,
                                    struct onr_error *error) {
  struct onr_desc whole = {.dtype = slice->desc.dtype, .rank = slice->desc.rank + 1};
  const size_t bytes = onr_desc_bytes(&slice->desc);
  void *data;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  ONR_TRY(expect_elements(&slice->desc, error));
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
  if (bytes) memcpy((char *)data + (size_t)count * bytes, slice->data, bytes);
  return ONR_STATUS_OK;
}

static enum onr_status too_many_iterations(const struct onri_run *run, struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_LIMIT, "more than %llu iterations in one run (limit loop_iterations)",
                  (unsigned long long)run->env.limits.loop_iterations);
}

static enum onr_status spend_iteration(struct onri_run *run, struct onr_error *error) {
  ONR_TRY(onri_env_poll(&run->env, error));
  if (run->env.cancel) ONR_TRY(onri_env_poll(&run->env, error));
  if (!run->iterations_left) return too_many_iterations(run, error);
  run->iterations_left--;
  return ONR_STATUS_OK;
}

static enum onr_status read_trip_count(const struct onr_tensor *count, int64_t *trips, struct onr_error *error) {
  *trips = INT64_MAX;
  if (!count->data) return ONR_STATUS_OK;
  if (count->desc.dtype != ONR_DTYPE_I64 || onr_desc_elements(&count->desc) != 1)
    return onr_fail(error, ONR_STATUS_SHAPE, "expected a trip count of one int64");
  *trips = *(const int64_t *)count->data;
  return ONR_STATUS_OK;
}

/* Output of this iteration becomes an input of the next. It may be another input of this one, so it is copied aside,
 * unless it is this input. */
static enum onr_status carry(struct onri_frame *body, size_t output, size_t input, struct onr_error *error) {
  const struct onr_tensor value = onri_frame_output(body, output);
  struct onr_tensor *x = &body->inputs[input];
  if (value.data == x->data && onr_desc_equal(&value.desc, &x->desc)) return ONR_STATUS_OK;
  return onri_buffer_keep(body->space.run, onri_frame_next(body, input), &value, x, error);
}

/* A scan output of no iterations: nothing along `axis`; the rest is what a plan of the body for these inputs says, as
 * far as that can be told without running it. */
static enum onr_status empty_output(struct onri_plan *plan, int32_t v, struct onri_frame *body, size_t output,
                                    int32_t axis, struct onr_error *error) {
  const int32_t slice = body->space.graph->outputs[output];
  struct onr_desc desc = body->space.graph->values[slice].desc;
  struct onr_error why = {0};
  void *data;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  const enum onr_status status = onri_frame_plan(body, body->inputs, &why);
  if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED)
    return onr_fail(error, status, "%s", why.message);
  if (status == ONR_STATUS_OK && body->space.plan->inference.descs[slice].rank >= 0)
    desc = body->space.plan->inference.descs[slice];
  if (desc.rank < 0 || desc.rank >= ONR_MAX_RANK) desc.rank = 0;
  if (desc.dtype == ONR_DTYPE_NONE) desc.dtype = ONR_DTYPE_F32;
  ONR_TRY(expect_elements(&desc, error));
  desc.rank++;
  if (axis < 0) axis += desc.rank;
  if (axis < 0 || axis >= desc.rank) axis = 0;
  for (int32_t d = desc.rank - 1; d > axis; d--) desc.dim[d] = desc.dim[d - 1];
  desc.dim[axis] = 0;
  for (int32_t d = 0; d < desc.rank; d++)
    if (desc.dim[d] < 0) desc.dim[d] = 0;
  return onri_plan_resize(plan, v, &desc, 0, &data, error);
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

static enum onr_status run_loop(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                struct onr_error *error) {
  const struct onr_loop_params *params = step->call.params;
  const int32_t carried = params->num_carried, scans = step->node->num_out - carried;
  const struct onr_tensor m = input_tensor(plan, step, 0), condition = input_tensor(plan, step, 1);
  const struct onr_desc index_desc = {.dtype = ONR_DTYPE_I64}, bool_desc = {.dtype = ONR_DTYPE_BOOL};
  struct onri_frame *body;
  int64_t trips, i = 0;
  uint8_t go_on = 1;
  int wanted = 1;
  ONR_TRY(read_trip_count(&m, &trips, error));
  if (condition.data) ONR_TRY(read_condition(&condition, &wanted, error));
  ONR_TRY(onri_frame_child(frame, step->node, 0, &body, error));
  struct onr_tensor *x = body->inputs;
  x[0] = (struct onr_tensor){index_desc, &i};
  x[1] = (struct onr_tensor){bool_desc, &go_on};
  for (size_t k = 2; k < body->space.graph->num_inputs; k++) x[k] = input_tensor(plan, step, (int32_t)k);
  const int is_counted = goes_on(body->space.graph);
  if (wanted && is_counted && trips > 0 && (uint64_t)trips > frame->space.run->iterations_left)
    return too_many_iterations(frame->space.run, error);
  for (; wanted && i < trips; i++) {
    ONR_TRY(spend_iteration(frame->space.run, error));
    ONR_TRY(run_body(body, error));
    const struct onr_tensor next = onri_frame_output(body, 0);
    ONR_TRY(read_condition(&next, &wanted, error));
    for (int32_t k = 0; k < scans; k++) {
      const struct onr_tensor slice = onri_frame_output(body, (size_t)(1 + carried + k));
      if (is_counted && i == 0) ONR_TRY(reserve_scan(plan, step->node->out[carried + k], &slice, trips, error));
      ONR_TRY(append_slice(plan, step->node->out[carried + k], &slice, i, error));
    }
    for (int32_t k = 0; k < carried; k++) ONR_TRY(carry(body, (size_t)(1 + k), (size_t)(2 + k), error));
  }
  for (int32_t k = 0; k < carried; k++) ONR_TRY(keep_output(plan, step, k, &x[2 + k], error));
  for (int32_t k = 0; i == 0 && k < scans; k++)
    ONR_TRY(empty_output(plan, step->node->out[carried + k], body, (size_t)(1 + carried + k), 0, error));
  return ONR_STATUS_OK;
}

/* One slice of a tensor along an axis, or back into it: [outer][axis][inner] <-> [outer][inner]. */
struct slicing {
  size_t outer, length, inner_bytes;
};

static struct slicing slice_of(const struct onr_desc *whole, int32_t axis) {
  struct slicing s = {1, (size_t)whole->dim[axis], onr_dtype_size(whole->dtype)};
  for (int32_t d = 0; d < axis; d++) s.outer *= (size_t)whole->dim[d];
  for (int32_t d = axis + 1; d < whole->rank; d++) s.inner_bytes *= (size_t)whole->dim[d];
  return s;
}

static void copy_slice(const struct slicing *s, char *whole, char *slice, size_t index, int into_whole) {
  for (size_t o = 0; o < s->outer; o++) {
    char *part = whole + (o * s->length + index) * s->inner_bytes;
    if (into_whole) memcpy(part, slice + o * s->inner_bytes, s->inner_bytes);
    else memcpy(slice + o * s->inner_bytes, part, s->inner_bytes);
  }
}

/* Slice number `iteration` of scan input k becomes the body's input; zeros where there is none (-1). */
static enum onr_status feed_slice(struct onri_frame *body, const struct onr_tensor *whole,
                                  const struct onr_scan_params *params, int32_t k, int64_t iteration,
                                  struct onr_error *error) {
  const int32_t axis = params->input_axis[k] < 0 ? params->input_axis[k] + whole->desc.rank : params->input_axis[k];
  const struct slicing s = slice_of(&whole->desc, axis);
  const size_t index = (size_t)(params->input_reverse[k] ? whole->desc.dim[axis] - 1 - iteration : iteration);
  struct onr_desc desc = whole->desc;
  struct onri_buffer *room = onri_frame_next(body, (size_t)(params->num_states + k));
  desc.rank--;
  for (int32_t d = axis; d < ONR_MAX_RANK - 1; d++) desc.dim[d] = desc.dim[d + 1];
  desc.dim[ONR_MAX_RANK - 1] = 0;
  ONR_TRY(onri_buffer_grow(body->space.run, room, onr_desc_bytes(&desc) + ONR_SLACK_BYTES, 0, error));
  if (iteration < 0) memset(room->data, 0, onr_desc_bytes(&desc));
  else copy_slice(&s, whole->data, room->data, index, 0);
  body->inputs[params->num_states + k] = (struct onr_tensor){desc, room->data};
  return ONR_STATUS_OK;
}

/* Body output becomes slice number `iteration` of scan output k; the first one decides the shape. */
static enum onr_status collect_slice(struct onri_plan *plan, const struct onri_step *step,
                                     const struct onr_tensor *slice, int32_t k, int64_t iteration, int64_t trips,
                                     struct onr_error *error) {
  const struct onr_scan_params *params = step->call.params;
  const int32_t v = step->node->out[params->num_states + k];
  struct onr_desc whole = slice->desc;
  int32_t axis = params->output_axis[k];
  void *data;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  ONR_TRY(expect_elements(&slice->desc, error));
  whole.rank++;
  if (whole.rank > ONR_MAX_RANK) return onr_fail(error, ONR_STATUS_LIMIT, "a scan output of rank %d", whole.rank);
  if (axis < -whole.rank || axis >= whole.rank)
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "scan output axis %d is out of range for rank %d", axis, whole.rank);
  if (axis < 0) axis += whole.rank;
  for (int32_t d = whole.rank - 1; d > axis; d--) whole.dim[d] = whole.dim[d - 1];
  whole.dim[axis] = trips;
  if (iteration == 0) {
    ONR_TRY(onri_plan_resize(plan, v, &whole, 0, &data, error));
    if (whole.dtype == ONR_DTYPE_STRING) memset(data, 0, onr_desc_bytes(&whole)); /* text is looked for meanwhile */
  }
  if (!onr_desc_equal(&whole, &plan->inference.descs[v]))
    return onr_fail(error, ONR_STATUS_SHAPE, "a scan output changes its shape from one iteration to the next");
  const struct slicing s = slice_of(&whole, axis);
  copy_slice(&s, onri_plan_address(plan, v), slice->data,
             (size_t)(params->output_reverse[k] ? trips - 1 - iteration : iteration), 1);
  return ONR_STATUS_OK;
}

/* All scan inputs have one length along their axes. */
static enum onr_status scan_length(const struct onri_plan *plan, const struct onri_step *step, int64_t *trips,
                                   struct onr_error *error) {
  const struct onr_scan_params *params = step->call.params;
  *trips = -1;
  for (int32_t k = 0; k < params->num_scan_inputs; k++) {
    const struct onr_tensor x = input_tensor(plan, step, params->num_states + k);
    int32_t axis = params->input_axis[k];
    ONR_TRY(expect_elements(&x.desc, error));
    if (axis < -x.desc.rank || axis >= x.desc.rank)
      return onr_fail(error, ONR_STATUS_ATTRIBUTE, "scan input axis %d is out of range for rank %d", axis, x.desc.rank);
    if (axis < 0) axis += x.desc.rank;
    if (*trips >= 0 && *trips != x.desc.dim[axis])
      return onr_fail(error, ONR_STATUS_SHAPE, "scan inputs have %lld and %lld slices", (long long)*trips,
                      (long long)x.desc.dim[axis]);
    *trips = x.desc.dim[axis];
  }
  return ONR_STATUS_OK;
}

static enum onr_status run_scan(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                struct onr_error *error) {
  const struct onr_scan_params *params = step->call.params;
  const int32_t states = params->num_states, scans = step->node->num_out - states;
  struct onri_frame *body;
  int64_t trips;
  ONR_TRY(scan_length(plan, step, &trips, error));
  ONR_TRY(onri_frame_child(frame, step->node, 0, &body, error));
  for (size_t k = 0; k < body->space.graph->num_inputs; k++) body->inputs[k] = input_tensor(plan, step, (int32_t)k);
  for (int64_t i = 0; i < trips; i++) {
    ONR_TRY(spend_iteration(frame->space.run, error));
    for (int32_t k = 0; k < params->num_scan_inputs; k++) {
      const struct onr_tensor whole = input_tensor(plan, step, states + k);
      ONR_TRY(feed_slice(body, &whole, params, k, i, error));
    }
    ONR_TRY(run_body(body, error));
    for (int32_t k = 0; k < scans; k++) {
      const struct onr_tensor slice = onri_frame_output(body, (size_t)(states + k));
      ONR_TRY(collect_slice(plan, step, &slice, k, i, trips, error));
    }
    for (int32_t k = 0; k < states; k++) ONR_TRY(carry(body, (size_t)k, (size_t)k, error));
  }
  for (int32_t k = 0; k < states; k++) ONR_TRY(keep_output(plan, step, k, &body->inputs[k], error));
  for (int32_t k = 0; trips == 0 && k < params->num_scan_inputs; k++) {
    const struct onr_tensor whole = input_tensor(plan, step, states + k);
    ONR_TRY(feed_slice(body, &whole, params, k, -1, error));
  }
  for (int32_t k = 0; trips == 0 && k < scans; k++)
    ONR_TRY(empty_output(plan, step->node->out[states + k], body, (size_t)(states + k), params->output_axis[k], error));
  return ONR_STATUS_OK;
}

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

static enum onr_status run_sequence_map(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                        struct onr_error *error) {
  const struct onr_sequence_map_params *params = step->call.params;
  const struct onr_tensor first = input_tensor(plan, step, 0);
  const int64_t length = onr_sequence_length(&first);
  struct onri_frame *body;
  if (length < 0) return onr_fail(error, ONR_STATUS_TYPE, "input 0: expected a sequence");
  ONR_TRY(onri_frame_child(frame, step->node, 0, &body, error));
  for (int32_t k = 0; k < step->node->num_out; k++)
    if (step->node->out[k] != ONRI_NONE)
      ONR_TRY(onri_plan_put_list(plan, step->node->out[k], ONR_DTYPE_SEQUENCE, NULL, error));
  for (int64_t i = 0; i < length; i++) {
    ONR_TRY(spend_iteration(frame->space.run, error));
    for (size_t k = 0; k < body->space.graph->num_inputs; k++) {
      const struct onr_tensor x = input_tensor(plan, step, (int32_t)k);
      body->inputs[k] = x;
      if ((int32_t)k >= params->num_mapped || x.desc.dtype != ONR_DTYPE_SEQUENCE) continue;
      if (onr_sequence_length(&x) != length)
        return onr_fail(error, ONR_STATUS_SHAPE, "sequences of %lld and %lld entries", (long long)length,
                        (long long)onr_sequence_length(&x));
      body->inputs[k] = onr_sequence_entry(&x, i);
    }
    ONR_TRY(run_body(body, error));
    for (int32_t k = 0; k < step->node->num_out; k++) {
      const struct onr_tensor y = onri_frame_output(body, (size_t)k);
      ONR_TRY(add_entry(plan, step, k, i, &y, error));
    }
  }
  return ONR_STATUS_OK;
}

static enum onr_status run_control(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                   struct onr_error *error) {
  switch (step->node->layer->control) {
    case ONRI_CONTROL_IF: return run_if(frame, plan, step, error);
    case ONRI_CONTROL_LOOP: return run_loop(frame, plan, step, error);
    case ONRI_CONTROL_SCAN: return run_scan(frame, plan, step, error);
    case ONRI_CONTROL_MAP: return run_sequence_map(frame, plan, step, error);
  }
  return onr_fail(error, ONR_STATUS_INTERNAL, "%s is no control-flow layer", step->node->layer->name);
}

enum onr_status onri_control_run(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                 struct onr_error *error) {
  const enum onr_status status = run_control(frame, plan, step, error);
  onri_frame_done_bodies(frame, step->node);
  return status;
}
