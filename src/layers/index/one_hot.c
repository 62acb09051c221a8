/* one_hot.c: eye_like and one_hot: an off value everywhere, an on value where the index says. */
#include <math.h>
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

union number {
  float f32;
  double f64;
  int64_t i64;
  uint64_t u64;
};

/* --- eye_like --- */

static enum onr_status eye_like_infer(struct onr_call *call) {
  const struct onr_eye_like_params *p = call->params;
  const struct onr_desc x = call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, 2, 2));
  call->out[0] = x;
  if (p->dtype != ONR_DTYPE_NONE) call->out[0].dtype = p->dtype;
  if (onri_dtype_class(call->out[0].dtype) == ONRI_CLASS_NONE)
    return onr_fail(call->error, ONR_STATUS_TYPE, "a unit matrix of %s", onr_dtype_name(call->out[0].dtype));
  return ONR_STATUS_OK;
}

/* The element 1 of a type. */
static void one_of(enum onr_dtype dtype, char element[16]) {
  union number one = {.u64 = 1};
  if (onri_dtype_class(dtype) == ONRI_CLASS_F32) one.f32 = 1;
  if (onri_dtype_class(dtype) == ONRI_CLASS_F64) one.f64 = 1;
  onri_narrow(dtype, &one, 1, element);
}

static enum onr_status eye_like_run(struct onr_call *call) {
  const struct onr_eye_like_params *p = call->params;
  const struct onr_desc *y = &call->out[0];
  const size_t size = onr_dtype_size(y->dtype);
  const int64_t rows = y->dim[0], columns = y->dim[1];
  char one[16];
  one_of(y->dtype, one);
  if (rows == 0 || columns == 0) return ONR_STATUS_OK;
  onri_zero_bytes(call->env, call->outputs[0], onr_desc_bytes(y));
  if (p->k >= columns || p->k <= -rows) return ONR_STATUS_OK;
  for (int64_t row = p->k < 0 ? -p->k : 0; row < rows && row + p->k < columns; row++)
    onri_copy_element((char *)call->outputs[0] + (size_t)(row * columns + row + p->k) * size, one, size);
  return ONR_STATUS_OK;
}

/* --- one_hot --- */

/* One element of a number type as an integer, towards 0; returns 0 for what is none. */
static int read_integer(enum onr_dtype dtype, const void *data, size_t i, int64_t *result) {
  union number v;
  onri_widen(dtype, (const char *)data + i * onr_dtype_size(dtype), 1, &v);
  double real;
  switch (onri_dtype_class(dtype)) {
    case ONRI_CLASS_F32: real = (double)v.f32; break;
    case ONRI_CLASS_F64: real = v.f64; break;
    case ONRI_CLASS_U64:
    case ONRI_CLASS_I64: *result = v.i64; return onri_dtype_class(dtype) == ONRI_CLASS_I64 || v.u64 <= INT64_MAX;
    default: return 0;
  }
  if (!(fabs(real) < 0x1p62)) return 0;
  *result = (int64_t)real;
  return 1;
}

static enum onr_status one_hot_infer(struct onr_call *call) {
  const struct onr_one_hot_params *p = call->params;
  const struct onr_desc indices = call->in[0];
  int32_t axis;
  int64_t depth;
  ONR_TRY(onri_expect_rank(call, 0, 0, ONR_MAX_RANK - 1));
  ONR_TRY(onri_axis_resolve(p->axis, indices.rank + 1, &axis, call->error));
  if (onr_desc_elements(&call->in[1]) != 1 || onr_desc_elements(&call->in[2]) != 2)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected one depth and two values, found %lld and %lld",
                    (long long)onr_desc_elements(&call->in[1]), (long long)onr_desc_elements(&call->in[2]));
  if (!read_integer(call->in[1].dtype, call->inputs[1], 0, &depth) || depth < 1)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "the depth is not a positive integer");
  struct onr_desc out = {.dtype = call->in[2].dtype, .rank = indices.rank + 1};
  for (int32_t d = 0, from = 0; d < out.rank; d++) out.dim[d] = d == axis ? depth : indices.dim[from++];
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status one_hot_run(struct onr_call *call) {
  const struct onr_one_hot_params *p = call->params;
  const struct onr_desc *indices = &call->in[0], *y = &call->out[0];
  const size_t size = onr_dtype_size(y->dtype);
  const char *values = call->inputs[2];
  const int64_t total = onr_desc_elements(y), repeat = 0;
  struct onri_copy copy;
  int32_t axis;
  if (total == 0) return ONR_STATUS_OK;
  ONR_TRY(onri_axis_resolve(p->axis, y->rank, &axis, call->error));
  const int64_t depth = y->dim[axis];
  const size_t inner = (size_t)onri_product(y, axis + 1, y->rank), count = (size_t)onr_desc_elements(indices);
  onri_copy_make(&copy, size, 1, &total, &repeat, NULL);
  onri_copy_run(&copy, call->env, values, call->outputs[0]);
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 8); i++) {
    int64_t index;
    if (!read_integer(indices->dtype, call->inputs[0], i, &index) || index < -depth || index >= depth) continue;
    if (index < 0) index += depth;
    const size_t to = (i / inner * (size_t)depth + (size_t)index) * inner + i % inner;
    onri_copy_element((char *)call->outputs[0] + to * size, values + size, size);
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_eye_like = {
    .name = "eye_like",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_SHAPE_ONLY,
    .params_size = sizeof(struct onr_eye_like_params),
    .infer = eye_like_infer,
    .run = eye_like_run,
};
const struct onr_layer onri_layer_one_hot = {
    .name = "one_hot",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPES_NUMBER},
    .shape_inputs = 1u << 1,
    .params_size = sizeof(struct onr_one_hot_params),
    .infer = one_hot_infer,
    .run = one_hot_run,
};
