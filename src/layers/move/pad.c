/* pad.c: a border around x: a constant, the mirrored inside, the outermost elements, or the other end; negative pads
 * crop.
 *
 * Nothing is written twice: x is copied to its place, then for each axis, from the last to the first, the two borders
 * are filled; a border covers all of the axes behind it and only the inside of the axes before it. */
#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

struct pad_state {
  int64_t begin[ONR_MAX_RANK], end[ONR_MAX_RANK]; /* elements of border, 0 or more */
  int64_t crop[ONR_MAX_RANK];                     /* elements left out at the start */
  int64_t inside[ONR_MAX_RANK];                   /* elements of x that are kept */
};

static enum onr_status read_pads(const struct onr_call *call, int64_t begin[ONR_MAX_RANK], int64_t end[ONR_MAX_RANK]) {
  const int32_t rank = call->in[0].rank;
  int64_t pads[2 * ONR_MAX_RANK], axes[ONR_MAX_RANK];
  uint8_t mask[ONR_MAX_RANK];
  size_t count, num_axes = (size_t)rank;
  for (int32_t d = 0; d < ONR_MAX_RANK; d++) {
    axes[d] = d;
    begin[d] = end[d] = 0;
  }
  ONR_TRY(onri_read_ints(call, 1, pads, 2 * ONR_MAX_RANK, &count));
  if (onri_has(call, 3)) ONR_TRY(onri_read_ints(call, 3, axes, ONR_MAX_RANK, &num_axes));
  if (count != 2 * num_axes)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%d pads for %d axes: expected two for each", (int)count,
                    (int)num_axes);
  if (num_axes == 0) return ONR_STATUS_OK;
  ONR_TRY(onri_axes_resolve(axes, num_axes, rank, mask, call->error));
  for (size_t i = 0; i < num_axes; i++) {
    const int32_t d = onri_axis_at(axes[i], rank);
    begin[d] = pads[i];
    end[d] = pads[num_axes + i];
  }
  return ONR_STATUS_OK;
}

static enum onr_status pad_axis(const struct onr_call *call, enum onr_pad_mode mode, struct pad_state *s, int32_t d,
                                int64_t begin, int64_t end, int64_t *result) {
  const int64_t dim = call->in[0].dim[d];
  int64_t inside = dim;
  if ((begin < 0 && !onri_add_i64(inside, begin, &inside)) || (end < 0 && !onri_add_i64(inside, end, &inside)) ||
      inside < 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "pads of %lld and %lld on dimension %d of size %lld",
                    (long long)begin, (long long)end, (int)d, (long long)dim);
  s->crop[d] = begin < 0 ? -begin : 0;
  s->inside[d] = inside;
  s->begin[d] = begin > 0 ? begin : 0;
  s->end[d] = end > 0 ? end : 0;
  const int64_t most = s->begin[d] > s->end[d] ? s->begin[d] : s->end[d];
  if (most > 0 && mode != ONR_PAD_CONSTANT && (inside == 0 || (mode == ONR_PAD_REFLECT && most >= inside)))
    return onr_fail(call->error, ONR_STATUS_SHAPE, "a border of %lld on dimension %d cannot be made from %lld elements",
                    (long long)most, (int)d, (long long)inside);
  if (mode == ONR_PAD_CIRCULAR && most > inside)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "a border of %lld on dimension %d wraps around %lld elements more than once", (long long)most,
                    (int)d, (long long)inside);
  if (!onri_add_i64(inside, s->begin[d], result) || !onri_add_i64(*result, s->end[d], result))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "pads of %lld and %lld on dimension %d of size %lld",
                    (long long)begin, (long long)end, (int)d, (long long)dim);
  return ONR_STATUS_OK;
}

static enum onr_status pad_prepare_axes(const struct onr_call *call, struct pad_state *s, struct onr_desc *out) {
  const struct onr_pad_params *p = call->params;
  int64_t begin[ONR_MAX_RANK], end[ONR_MAX_RANK];
  *out = call->in[0];
  ONR_TRY(read_pads(call, begin, end));
  for (int32_t d = 0; d < out->rank; d++) ONR_TRY(pad_axis(call, p->mode, s, d, begin[d], end[d], &out->dim[d]));
  return ONR_STATUS_OK;
}

static enum onr_status pad_infer(struct onr_call *call) {
  struct pad_state s;
  struct onr_desc out;
  if (onri_has(call, 2)) {
    if (call->in[2].dtype != ONR_DTYPE_F32 || !(ONRI_DTYPES_FLOAT & ONRI_DTYPE_BIT(call->in[0].dtype)))
      ONR_TRY(onri_expect_same_dtype(call, 0, 2));
    if (onr_desc_elements(&call->in[2]) != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "the value to pad with has %lld elements: expected one",
                      (long long)onr_desc_elements(&call->in[2]));
  }
  ONR_TRY(pad_prepare_axes(call, &s, &out));
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status pad_plan(struct onr_call *call) {
  struct onr_desc out;
  return pad_prepare_axes(call, call->state, &out);
}

struct pad_job {
  const struct pad_state *s;
  struct onr_env *env;
  int32_t rank;
  size_t size;
  int64_t strides[ONR_MAX_RANK]; /* of y, in elements */
  const int64_t *dim;            /* of y */
  char *y;
};

/* Writes y[.., to .. to + count, ..] of axis d from the same lines at `from`, going in steps of `step`; or from
 * `value`. */
static void fill_border(const struct pad_job *job, int32_t d, int64_t to, int64_t count, int64_t from, int64_t step,
                        const void *value) {
  int64_t dims[ONR_MAX_RANK] = {0}, x_strides[ONR_MAX_RANK] = {0}, base = 0;
  struct onri_copy copy;
  if (count <= 0) return;
  for (int32_t i = 0; i < job->rank; i++) {
    dims[i] = i < d ? job->s->inside[i] : i == d ? count : job->dim[i];
    x_strides[i] = value ? 0 : i == d ? step * job->strides[i] : job->strides[i];
    base += i < d ? job->s->begin[i] * job->strides[i] : 0;
  }
  onri_copy_make(&copy, job->size, job->rank, dims, x_strides, job->strides);
  if (copy.num_tasks == 0) return;
  const char *x = value ? value : job->y + (size_t)(base + from * job->strides[d]) * job->size;
  onri_copy_run(&copy, job->env, x, job->y + (size_t)(base + to * job->strides[d]) * job->size);
}

/* The border may be wider than the inside: it is filled from the inside outwards, piece by piece. */
static void wrap_border(const struct pad_job *job, int32_t d) {
  const int64_t begin = job->s->begin[d], inside = job->s->inside[d], end = job->s->end[d];
  for (int64_t done = 0; done < end; done += inside) {
    const int64_t n = end - done < inside ? end - done : inside;
    fill_border(job, d, begin + inside + done, n, begin + done, 1, NULL);
  }
  for (int64_t left = begin; left > 0;) {
    const int64_t n = left < inside ? left : inside;
    left -= n;
    fill_border(job, d, left, n, left + inside, 1, NULL);
  }
}

static void pad_one_axis(const struct pad_job *job, int32_t d, enum onr_pad_mode mode, const void *value) {
  const int64_t begin = job->s->begin[d], inside = job->s->inside[d], end = job->s->end[d], last = begin + inside - 1;
  switch (mode) {
    case ONR_PAD_CONSTANT:
      fill_border(job, d, 0, begin, 0, 0, value);
      fill_border(job, d, last + 1, end, 0, 0, value);
      break;
    case ONR_PAD_EDGE:
      fill_border(job, d, 0, begin, begin, 0, NULL);
      fill_border(job, d, last + 1, end, last, 0, NULL);
      break;
    case ONR_PAD_REFLECT:
      fill_border(job, d, 0, begin, 2 * begin, -1, NULL);
      fill_border(job, d, last + 1, end, last - 1, -1, NULL);
      break;
    case ONR_PAD_WRAP:
    case ONR_PAD_CIRCULAR: wrap_border(job, d); break;
  }
}

/* The element to pad with, as x's type; 0 when it is not given. */
static void pad_element(const struct onr_call *call, char element[16]) {
  const enum onr_dtype dtype = call->in[0].dtype;
  float value;
  memset(element, 0, 16);
  if (!onri_has(call, 2)) return;
  if (call->in[2].dtype == dtype) {
    memcpy(element, call->inputs[2], onr_dtype_size(dtype));
    return;
  }
  memcpy(&value, call->inputs[2], sizeof(value));
  const double wide = (double)value;
  onri_narrow(dtype, onri_dtype_class(dtype) == ONRI_CLASS_F64 ? (const void *)&wide : (const void *)&value, 1,
              element);
}

static enum onr_status pad_by(struct onr_call *call, enum onr_pad_mode mode) {
  char value[16];
  const struct pad_state *s = call->state;
  const struct onr_desc *x = &call->in[0], *y = &call->out[0];
  struct pad_job job = {s, call->env, y->rank, onr_dtype_size(y->dtype), {0}, y->dim, call->outputs[0]};
  int64_t x_strides[ONR_MAX_RANK], from = 0, to = 0;
  struct onri_copy copy;
  pad_element(call, value);
  onri_strides(x, x_strides);
  onri_strides(y, job.strides);
  for (int32_t d = 0; d < y->rank; d++) {
    from += s->crop[d] * x_strides[d];
    to += s->begin[d] * job.strides[d];
  }
  onri_copy_make(&copy, job.size, y->rank, s->inside, x_strides, job.strides);
  if (copy.num_tasks > 0)
    onri_copy_run(&copy, call->env, (const char *)call->inputs[0] + (size_t)from * job.size,
                  job.y + (size_t)to * job.size);
  for (int32_t d = y->rank - 1; d >= 0; d--) pad_one_axis(&job, d, mode, value);
  return ONR_STATUS_OK;
}

static enum onr_status pad_run(struct onr_call *call) {
  const struct onr_pad_params *p = call->params;
  return pad_by(call, p->mode);
}

/* --- center_crop_pad: pads and crops that bring each named axis to a size, the odd element at the end --- */

static enum onr_status center_axes(const struct onr_call *call, struct pad_state *s, struct onr_desc *out) {
  const struct onr_center_crop_pad_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  int64_t sizes[ONR_MAX_RANK], target[ONR_MAX_RANK];
  uint8_t mask[ONR_MAX_RANK];
  size_t count;
  const size_t num_axes = p->num_axes > 0 ? (size_t)p->num_axes : (size_t)x->rank;
  ONR_TRY(onri_read_ints(call, 1, sizes, ONR_MAX_RANK, &count));
  if (count != num_axes)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%d sizes for %d axes", (int)count, (int)num_axes);
  for (int32_t d = 0; d < x->rank; d++) target[d] = p->num_axes > 0 ? x->dim[d] : sizes[d];
  if (p->num_axes > 0) ONR_TRY(onri_axes_resolve(p->axes, num_axes, x->rank, mask, call->error));
  for (int32_t i = 0; i < p->num_axes; i++) target[onri_axis_at(p->axes[i], x->rank)] = sizes[i];
  *out = *x;
  for (int32_t d = 0; d < x->rank; d++) {
    if (target[d] < 0)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "size %lld for dimension %d", (long long)target[d], (int)d);
    const int64_t more = target[d] - x->dim[d];
    ONR_TRY(pad_axis(call, ONR_PAD_CONSTANT, s, d, more / 2, more - more / 2, &out->dim[d]));
  }
  return ONR_STATUS_OK;
}

static enum onr_status center_infer(struct onr_call *call) {
  struct pad_state s;
  struct onr_desc out;
  ONR_TRY(center_axes(call, &s, &out));
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status center_plan(struct onr_call *call) {
  struct onr_desc out;
  return center_axes(call, call->state, &out);
}

static enum onr_status center_run(struct onr_call *call) { return pad_by(call, ONR_PAD_CONSTANT); }

const struct onr_layer onri_layer_pad = {
    .name = "pad",
    .inputs_min = 2,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {0, ONRI_DTYPES_INDEX, 0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1 | 1u << 3,
    .layout = ONRI_LAYOUT_PAD,
    .params_size = sizeof(struct onr_pad_params),
    .state_size = sizeof(struct pad_state),
    .infer = pad_infer,
    .plan = ONRI_WHERE(RUN_pad, pad_plan),
    .run = ONRI_WHERE(RUN_pad, pad_run),
};
const struct onr_layer onri_layer_center_crop_pad = {
    .name = "center_crop_pad",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .params_size = sizeof(struct onr_center_crop_pad_params),
    .state_size = sizeof(struct pad_state),
    .infer = center_infer,
    .plan = center_plan,
    .run = center_run,
};
