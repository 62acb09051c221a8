/* control_scan.c: Scan: inputs are cut into slices along an axis, and outputs put together from them. */
#include "exec/control.h"

#include <string.h>

#include "layers/layers.h"

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

static enum onr_status copy_slice(const struct onr_env *env, const struct slicing *s, char *whole, char *slice,
                                  size_t index, int into_whole, struct onr_error *error) {
  struct onri_pace pace = {env, 0};
  for (size_t o = 0; o < s->outer && !onri_pace_stop(&pace, 8 + s->inner_bytes / 8); o++) {
    char *part = whole + (o * s->length + index) * s->inner_bytes, *piece = slice + o * s->inner_bytes;
    ONR_TRY(onri_env_copy(env, into_whole ? part : piece, into_whole ? piece : part, s->inner_bytes, error));
  }
  return onri_env_poll(env, error);
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
  const struct onr_env *env = &body->space.run->env;
  if (iteration < 0) ONR_TRY(onri_env_copy(env, room->data, NULL, onr_desc_bytes(&desc), error));
  else ONR_TRY(copy_slice(env, &s, whole->data, room->data, index, 0, error));
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
  ONR_TRY(onri_control_expect_elements(&slice->desc, error));
  whole.rank++;
  if (whole.rank > ONR_MAX_RANK) return onr_fail(error, ONR_STATUS_LIMIT, "a scan output of rank %d", whole.rank);
  ONR_TRY(onri_control_output_axis(whole.rank, &axis, error));
  for (int32_t d = whole.rank - 1; d > axis; d--) whole.dim[d] = whole.dim[d - 1];
  whole.dim[axis] = trips;
  if (iteration == 0) {
    ONR_TRY(onri_plan_resize(plan, v, &whole, 0, &data, error));
    if (whole.dtype == ONR_DTYPE_STRING) /* text is looked for meanwhile */
      ONR_TRY(onri_env_copy(&plan->space->run->env, data, NULL, onr_desc_bytes(&whole), error));
  }
  if (!onr_desc_equal(&whole, &plan->inference.descs[v]))
    return onr_fail(error, ONR_STATUS_SHAPE, "a scan output changes its shape from one iteration to the next");
  const struct slicing s = slice_of(&whole, axis);
  const size_t index = (size_t)(params->output_reverse[k] ? trips - 1 - iteration : iteration);
  return copy_slice(&plan->space->run->env, &s, onri_plan_address(plan, v), slice->data, index, 1, error);
}

/* All scan inputs have one length along their axes. */
static enum onr_status scan_length(const struct onri_plan *plan, const struct onri_step *step, int64_t *trips,
                                   struct onr_error *error) {
  const struct onr_scan_params *params = step->call.params;
  *trips = -1;
  for (int32_t k = 0; k < params->num_scan_inputs; k++) {
    const struct onr_tensor x = onri_control_input(plan, step, params->num_states + k);
    int32_t axis = params->input_axis[k];
    ONR_TRY(onri_control_expect_elements(&x.desc, error));
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

enum onr_status onri_control_scan(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                  struct onr_error *error) {
  const struct onr_scan_params *params = step->call.params;
  const int32_t states = params->num_states, scans = step->node->num_out - states;
  struct onri_frame *body;
  int64_t trips;
  ONR_TRY(scan_length(plan, step, &trips, error));
  ONR_TRY(onri_frame_child(frame, step->node, 0, &body, error));
  for (size_t k = 0; k < body->space.graph->num_inputs; k++)
    body->inputs[k] = onri_control_input(plan, step, (int32_t)k);
  for (int64_t i = 0; i < trips; i++) {
    ONR_TRY(onri_control_spend(frame->space.run, error));
    for (int32_t k = 0; k < params->num_scan_inputs; k++) {
      const struct onr_tensor whole = onri_control_input(plan, step, states + k);
      ONR_TRY(feed_slice(body, &whole, params, k, i, error));
    }
    ONR_TRY(onri_control_run_body(body, error));
    for (int32_t k = 0; k < scans; k++) {
      const struct onr_tensor slice = onri_frame_output(body, (size_t)(states + k));
      ONR_TRY(collect_slice(plan, step, &slice, k, i, trips, error));
    }
    for (int32_t k = 0; k < states; k++) ONR_TRY(onri_control_carry(body, (size_t)k, (size_t)k, error));
  }
  for (int32_t k = 0; k < states; k++) ONR_TRY(onri_control_keep(plan, step, k, &body->inputs[k], error));
  for (int32_t k = 0; trips == 0 && k < params->num_scan_inputs; k++) {
    const struct onr_tensor whole = onri_control_input(plan, step, states + k);
    ONR_TRY(feed_slice(body, &whole, params, k, -1, error));
  }
  for (int32_t k = 0; trips == 0 && k < scans; k++)
    ONR_TRY(onri_control_empty(plan, step->node->out[states + k], body, (size_t)(states + k), params->output_axis[k],
                               error));
  return ONR_STATUS_OK;
}
