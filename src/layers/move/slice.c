/* slice.c: a box of x with a step along each axis. One contiguous run of x is a view.
 *
 * inputs  x, starts, ends, axes (optional), steps (optional)
 * starts and ends count from the end when negative and are then clamped: to [0, dim] for a positive step, starts to
 * [0, dim - 1] and ends to [-1, dim - 1] for a negative one. */
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

struct slice_state {
  struct onri_copy copy;
  size_t offset; /* bytes */
};

/* For all dimensions of x. */
struct slice_box {
  int64_t start[ONR_MAX_RANK], step[ONR_MAX_RANK], count[ONR_MAX_RANK];
};

static int64_t clamp(int64_t i, int64_t low, int64_t high) { return i < low ? low : i > high ? high : i; }

/* dim <= 0 is an empty box. A negative index is brought to the front first; INT64_MIN + dim does not overflow. */
static void slice_axis(struct slice_box *box, int32_t d, int64_t dim, int64_t start, int64_t end, int64_t step) {
  uint64_t span = 0;
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  if (dim == 0) {
    start = end = 0;
  } else if (step > 0) {
    start = clamp(start, 0, dim);
    end = clamp(end, 0, dim);
    span = end > start ? (uint64_t)(end - start) : 0;
  } else {
    start = clamp(start, 0, dim - 1);
    end = clamp(end, -1, dim - 1);
    span = start > end ? (uint64_t)(start - end) : 0;
  }
  const uint64_t size = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
  box->start[d] = start;
  box->count[d] = span == 0 ? 0 : (int64_t)((span - 1) / size + 1);
  box->step[d] = box->count[d] > 1 ? step : 1; /* a step that is not taken must not overflow a stride */
}

static enum onr_status slice_read(const struct onr_call *call, struct slice_box *box) {
  const struct onr_desc *x = &call->in[0];
  int64_t starts[ONR_MAX_RANK], ends[ONR_MAX_RANK], axes[ONR_MAX_RANK], steps[ONR_MAX_RANK];
  size_t count, num_ends, num_axes, num_steps;
  uint8_t mask[ONR_MAX_RANK];
  ONR_TRY(onri_read_ints(call, 1, starts, ONR_MAX_RANK, &count));
  ONR_TRY(onri_read_ints(call, 2, ends, ONR_MAX_RANK, &num_ends));
  num_axes = num_steps = count;
  for (size_t i = 0; i < ONR_MAX_RANK; i++) {
    axes[i] = (int64_t)i;
    steps[i] = 1;
  }
  if (onri_has(call, 3)) ONR_TRY(onri_read_ints(call, 3, axes, ONR_MAX_RANK, &num_axes));
  if (onri_has(call, 4)) ONR_TRY(onri_read_ints(call, 4, steps, ONR_MAX_RANK, &num_steps));
  if (num_ends != count || num_axes != count || num_steps != count)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%d starts, %d ends, %d axes, %d steps: expected as many of each",
                    (int)count, (int)num_ends, (int)num_axes, (int)num_steps);
  if (!x->rank && count) return onr_fail(call->error, ONR_STATUS_SHAPE, "a scalar has no axis to slice along");
  ONR_TRY(onri_axes_resolve(axes, count, x->rank, mask, call->error));
  for (int32_t d = 0; d < x->rank; d++) slice_axis(box, d, x->dim[d], 0, x->dim[d], 1);
  for (size_t i = 0; i < count; i++) {
    const int32_t d = onri_axis_at(axes[i], x->rank);
    if (steps[i] == 0) return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "the step along axis %d is 0", (int)d);
    slice_axis(box, d, x->dim[d], starts[i], ends[i], steps[i]);
  }
  return ONR_STATUS_OK;
}

static enum onr_status slice_infer(struct onr_call *call) {
  struct slice_box box;
  ONR_TRY(slice_read(call, &box));
  call->out[0] = onr_desc_make(call->in[0].dtype, call->in[0].rank, box.count);
  return ONR_STATUS_OK;
}

static enum onr_status slice_plan(struct onr_call *call) {
  struct slice_state *s = call->state;
  const struct onr_desc *x = &call->in[0], *y = &call->out[0];
  const size_t size = onr_dtype_size(x->dtype);
  struct slice_box box;
  int64_t strides[ONR_MAX_RANK], first = 0;
  ONR_TRY(slice_read(call, &box));
  onri_strides(x, strides);
  if (onr_desc_elements(y) == 0) { /* a start may be one past the end */
    onri_copy_make(&s->copy, size, y->rank, y->dim, NULL, NULL);
    return ONR_STATUS_OK;
  }
  for (int32_t d = 0; d < x->rank; d++) {
    first += box.start[d] * strides[d];
    strides[d] *= box.step[d];
  }
  s->offset = (size_t)first * size;
  onri_copy_make(&s->copy, size, y->rank, y->dim, strides, NULL);
  if (onri_copy_is_contiguous(&s->copy)) {
    call->view[0].of = 0;
    call->view[0].offset = s->offset;
  }
  return ONR_STATUS_OK;
}

static enum onr_status slice_run(struct onr_call *call) {
  const struct slice_state *s = call->state;
  if (s->copy.num_tasks == 0) return ONR_STATUS_OK;
  const char *x = (const char *)call->inputs[0] + s->offset;
  if (call->outputs[0] != x) onri_copy_run(&s->copy, call->env, x, call->outputs[0]);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_slice = {
    .name = "slice",
    .inputs_min = 3,
    .inputs_max = 5,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_SELECTS | ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .types = {0, ONRI_DTYPES_INDEX, ONRI_DTYPES_INDEX, ONRI_DTYPES_INDEX, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 0x1e,
    .state_size = sizeof(struct slice_state),
    .layout = ONRI_LAYOUT_SLICE,
    .infer = slice_infer,
    .plan = slice_plan,
    .run = slice_run,
};
