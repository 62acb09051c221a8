/* scatter.c: scatter_elements, scatter_nd, tensor_scatter: a copy of x, or x itself when it may be written over, with
 * updates put where indices say. Updates are written in order, so that doubled indices have one meaning. */
#include "base/env.h"
#include "kernels/index/accumulate.h"
#include "kernels/move/copy.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

static enum onr_status scatter_plan(struct onr_call *call) {
  if (onr_desc_equal(&call->in[0], &call->out[0])) call->in_place = 0;
  return ONR_STATUS_OK;
}

/* What fits the caches stays in those of this thread, which writes over it. */
static void copy_data(struct onr_call *call) {
  enum { NEAR = 1 << 20 };
  const size_t bytes = onr_desc_bytes(&call->out[0]);
  if (bytes == 0 || call->outputs[0] == call->inputs[0]) return;
  if (bytes <= NEAR) memcpy(call->outputs[0], call->inputs[0], bytes);
  else onri_copy_bytes(call->env, call->inputs[0], call->outputs[0], bytes);
}

static uint32_t types_of(enum onr_reduction reduction, size_t i) {
  return i == 0 && reduction != ONR_REDUCTION_NONE ? ONRI_DTYPES_NUMBER | ONRI_DTYPE_BIT(ONR_DTYPE_BOOL) : 0;
}

/* --- scatter_elements --- */

enum { PART = 256 };

static enum onr_status scatter_elements_infer(struct onr_call *call) {
  const struct onr_scatter_elements_params *p = call->params;
  const struct onr_desc *x = &call->in[0], *indices = &call->in[1], *updates = &call->in[2];
  int32_t axis;
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  ONR_TRY(onri_expect_rank(call, 1, x->rank, x->rank));
  ONR_TRY(onri_expect_rank(call, 2, x->rank, x->rank));
  for (int32_t d = 0; d < x->rank; d++) {
    if (indices->dim[d] != updates->dim[d])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d is %lld in the indices, %lld in the updates", (int)d,
                      (long long)indices->dim[d], (long long)updates->dim[d]);
    if (d != axis && indices->dim[d] > x->dim[d])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of the indices is %lld, of the data %lld", (int)d,
                      (long long)indices->dim[d], (long long)x->dim[d]);
  }
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status scatter_elements_run(struct onr_call *call) {
  const struct onr_scatter_elements_params *p = call->params;
  const struct onr_desc *x = &call->in[0], *desc = &call->in[1];
  const struct onri_indices indices = onri_indices(call, 1);
  const size_t size = onr_dtype_size(x->dtype), total = (size_t)onr_desc_elements(desc);
  const int32_t last = x->rank - 1;
  int64_t strides[ONR_MAX_RANK], index[ONR_MAX_RANK] = {0}, at[PART], base = 0;
  int32_t axis;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  const int64_t length = x->dim[axis];
  ONR_TRY(onri_indices_check(call, 1, 0, 1, total, length));
  copy_data(call);
  onri_strides(x, strides);
  const int64_t axis_stride = strides[axis];
  strides[axis] = 0;
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0, count; i < total && !onri_pace_stop(&pace, 8 * PART); i += count) { /* a part of a row */
    const size_t left = (size_t)(desc->dim[last] - index[last]);
    count = left < PART ? left : PART;
    for (size_t k = 0; k < count; k++)
      at[k] = base + (int64_t)k * strides[last] + onri_index_at(indices, i + k, length) * axis_stride;
    onri_accumulate_at(x->dtype, p->reduction, call->outputs[0], at, (const char *)call->inputs[2] + i * size, count);
    base += (int64_t)count * strides[last];
    index[last] += (int64_t)count;
    for (int32_t d = last; index[d] == desc->dim[d] && d > 0; d--) {
      base += strides[d - 1] - strides[d] * desc->dim[d];
      index[d] = 0, index[d - 1]++;
    }
  }
  return ONR_STATUS_OK;
}

/* --- scatter_nd --- */

static enum onr_status scatter_nd_infer(struct onr_call *call) {
  const struct onr_desc *x = &call->in[0], *indices = &call->in[1], *updates = &call->in[2];
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_expect_rank(call, 1, 1, ONR_MAX_RANK));
  const int64_t depth = indices->dim[indices->rank - 1];
  if (depth < 1 || depth > x->rank)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "the last dimension of the indices is %lld: expected 1..%d",
                    (long long)depth, (int)x->rank);
  const int32_t outer = indices->rank - 1, inner = x->rank - (int32_t)depth;
  if (updates->rank != outer + inner)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "the updates have rank %d: expected %d", (int)updates->rank,
                    (int)(outer + inner));
  for (int32_t d = 0; d < updates->rank; d++) {
    const int64_t expected = d < outer ? indices->dim[d] : x->dim[d - outer + (int32_t)depth];
    if (updates->dim[d] != expected)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of the updates is %lld: expected %lld", (int)d,
                      (long long)updates->dim[d], (long long)expected);
  }
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status scatter_nd_run(struct onr_call *call) {
  const struct onr_scatter_nd_params *p = call->params;
  const struct onr_desc *x = &call->in[0], *desc = &call->in[1];
  const struct onri_indices indices = onri_indices(call, 1);
  const int32_t last = desc->rank - 1, depth = (int32_t)desc->dim[last];
  const size_t size = onr_dtype_size(x->dtype), rows = (size_t)onri_product(desc, 0, last);
  const size_t elements = (size_t)onri_product(x, depth, x->rank), block = elements * size;
  const char *updates = call->inputs[2];
  char *y = call->outputs[0];
  int64_t strides[ONR_MAX_RANK];
  for (int32_t d = 0; d < depth; d++) ONR_TRY(onri_indices_check(call, 1, (size_t)d, (size_t)depth, rows, x->dim[d]));
  copy_data(call);
  if (block == 0) return ONR_STATUS_OK;
  onri_strides(x, strides);
  struct onri_pace pace = {call->env, 0};
  for (size_t row = 0; row < rows && !onri_pace_stop(&pace, 8 + elements); row++, updates += block) {
    int64_t at = 0;
    for (int32_t d = 0; d < depth; d++)
      at += onri_index_at(indices, row * (size_t)depth + (size_t)d, x->dim[d]) * strides[d];
    char *target = y + (size_t)at * size;
    if (p->reduction == ONR_REDUCTION_NONE) {
      onri_copy_element(target, updates, block);
    } else {
      onri_accumulate(x->dtype, p->reduction, target, updates, elements);
    }
  }
  return ONR_STATUS_OK;
}

/* --- tensor_scatter --- */

static enum onr_status tensor_scatter_infer(struct onr_call *call) {
  const struct onr_tensor_scatter_params *p = call->params;
  const struct onr_desc *cache = &call->in[0], *update = &call->in[1];
  int32_t axis;
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_axis_resolve(p->axis, cache->rank, &axis, call->error));
  if (axis == 0) return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "axis 0 is the batch: it cannot be the sequence");
  ONR_TRY(onri_expect_rank(call, 1, cache->rank, cache->rank));
  call->out[0] = call->in[0];
  if (onri_has(call, 3)) {
    ONR_TRY(onri_expect_shape(call, 3, 1, (int64_t[]){1}));
    const int64_t least = *(const int64_t *)call->inputs[3];
    if (least > cache->dim[axis]) call->out[0].dim[axis] = least;
  }
  for (int32_t d = 0; d < cache->rank; d++)
    if (d == axis ? update->dim[d] > call->out[0].dim[d] : update->dim[d] != cache->dim[d])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d is %lld in the update, %lld in the cache", (int)d,
                      (long long)update->dim[d], (long long)call->out[0].dim[d]);
  if (onri_has(call, 2)) {
    ONR_TRY(onri_expect_rank(call, 2, 1, 1));
    if (call->in[2].dim[0] != cache->dim[0])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld write positions for a batch of %lld",
                      (long long)call->in[2].dim[0], (long long)cache->dim[0]);
  }
  return ONR_STATUS_OK;
}

/* First position of batch item b. */
static enum onr_status first_position(const struct onr_call *call, size_t b, int64_t length, int64_t count,
                                      int64_t *first) {
  const struct onr_tensor_scatter_params *p = call->params;
  *first = onri_has(call, 2) ? onri_index_raw(onri_indices(call, 2), b) : 0;
  if (*first < 0 || (!p->circular && *first > length - count))
    return onr_fail(call->error, ONR_STATUS_INDEX, "write position %lld with %lld new entries in a cache of %lld",
                    (long long)*first, (long long)count, (long long)length);
  if (p->circular && length > 0) *first %= length;
  return ONR_STATUS_OK;
}

/* Bytes from one line to the next: those of its positions, or more where a cache has room. */
static size_t line_bytes(const int64_t *rows, int64_t positions, size_t block) {
  return (size_t)(rows && rows[0] ? rows[0] : positions) * block;
}

/* What was there, unless it lies there already, and zeros behind it. */
static void begin_line(const struct onr_call *call, size_t line, size_t block, int64_t old, int64_t length) {
  const size_t step = line_bytes(call->out_rows, length, block), filled = (size_t)old * block;
  char *y = (char *)call->outputs[0] + line * step;
  if (call->outputs[0] != call->inputs[0] && filled)
    onri_env_copy(call->env, y, (const char *)call->inputs[0] + line * line_bytes(call->in_rows, old, block), filled,
                  NULL);
  if (length > old) onri_env_copy(call->env, y + filled, NULL, (size_t)length * block - filled, NULL);
}

static enum onr_status tensor_scatter_run(struct onr_call *call) {
  const struct onr_tensor_scatter_params *p = call->params;
  const struct onr_desc *x = &call->out[0], *update = &call->in[1];
  int32_t axis;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  const int64_t length = x->dim[axis], old = call->in[0].dim[axis], count = update->dim[axis];
  const size_t block = (size_t)onri_product(x, axis + 1, x->rank) * onr_dtype_size(x->dtype);
  const size_t batch = (size_t)x->dim[0], lines = (size_t)onri_product(x, 1, axis);
  int64_t first;
  for (size_t b = 0; b < batch; b++) ONR_TRY(first_position(call, b, length, count, &first));
  const char *from = call->inputs[1];
  struct onri_pace pace = {call->env, 0};
  for (size_t b = 0; b < batch; b++) {
    ONR_TRY(first_position(call, b, length, count, &first));
    const int64_t before_wrap = count < length - first ? count : length - first;
    for (size_t line = 0; line < lines && !onri_pace_stop(&pace, 8 + (size_t)length * block / 8); line++) {
      char *y = (char *)call->outputs[0] + (b * lines + line) * line_bytes(call->out_rows, length, block);
      begin_line(call, b * lines + line, block, old, length);
      const size_t until_wrap = (size_t)before_wrap * block;
      ONR_TRY(onri_env_copy(call->env, y + (size_t)first * block, from, until_wrap, call->error));
      ONR_TRY(onri_env_copy(call->env, y, from + until_wrap, (size_t)count * block - until_wrap, call->error));
      from += (size_t)count * block;
    }
  }
  return ONR_STATUS_OK;
}

static int tensor_scatter_takes_room(const void *params, size_t i, int32_t rank) {
  const struct onr_tensor_scatter_params *p = params;
  return i == 0 && rank >= 3 && (p->axis == -2 || p->axis == rank - 2);
}

static int32_t tensor_scatter_goes_on(const void *params, size_t i, int32_t rank) {
  return i == 0 && tensor_scatter_takes_room(params, 0, rank) ? 0 : -1;
}

static uint32_t scatter_elements_types(const void *params, size_t i) {
  return types_of(((const struct onr_scatter_elements_params *)params)->reduction, i);
}

const struct onr_layer onri_layer_scatter_elements = {
    .name = "scatter_elements",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPES_INDEX, ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_scatter_elements_params),
    .types_by_params = scatter_elements_types,
    .infer = scatter_elements_infer,
    .plan = scatter_plan,
    .run = scatter_elements_run,
};
static uint32_t scatter_nd_types(const void *params, size_t i) {
  return types_of(((const struct onr_scatter_nd_params *)params)->reduction, i);
}

const struct onr_layer onri_layer_scatter_nd = {
    .name = "scatter_nd",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPES_INDEX, ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_scatter_nd_params),
    .types_by_params = scatter_nd_types,
    .infer = scatter_nd_infer,
    .plan = scatter_plan,
    .run = scatter_nd_run,
};
const struct onr_layer onri_layer_tensor_scatter = {
    .name = "tensor_scatter",
    .inputs_min = 2,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONR_AS_INPUT(0), ONRI_DTYPES_INDEX, ONRI_DTYPE_BIT(ONR_DTYPE_I64)},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 3,
    .params_size = sizeof(struct onr_tensor_scatter_params),
    .infer = tensor_scatter_infer,
    .plan = scatter_plan,
    .run = tensor_scatter_run,
    .takes_room = tensor_scatter_takes_room,
    .goes_on = tensor_scatter_goes_on,
};
