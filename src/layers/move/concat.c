/* concat.c: tensors one behind the other along an axis. Where the axis is the outermost that counts, the inputs are
 * wished to be made in place, and run copies only those that lie elsewhere. */
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

static enum onr_status concat_infer(struct onr_call *call) {
  const struct onr_concat_params *p = call->params;
  struct onr_desc out = call->in[0];
  int32_t axis;
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_axis_resolve(p->axis, out.rank, &axis, call->error));
  for (size_t i = 1; i < call->num_in; i++) {
    const struct onr_desc *x = &call->in[i];
    if (x->rank != out.rank)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "input %d has rank %d, input 0 has rank %d", (int)i, (int)x->rank,
                      (int)out.rank);
    for (int32_t d = 0; d < out.rank; d++)
      if (d != axis && x->dim[d] != out.dim[d])
        return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of input %d is %lld, of input 0 %lld", (int)d,
                        (int)i, (long long)x->dim[d], (long long)out.dim[d]);
    if (!onri_add_i64(out.dim[axis], x->dim[axis], &out.dim[axis]))
      return onr_fail(call->error, ONR_STATUS_LIMIT, "the sizes along axis %d exceed 64 bits", (int)axis);
  }
  call->out[0] = out;
  return ONR_STATUS_OK;
}

/* x seen as [outer][part], y as [outer][whole]. */
struct parts {
  int64_t outer, inner, whole;
  int32_t axis;
};

static enum onr_status parts_of(int64_t axis, const struct onr_desc *whole, struct parts *parts,
                                struct onr_error *error) {
  ONR_TRY(onri_axis_resolve(axis, whole->rank, &parts->axis, error));
  parts->outer = onri_product(whole, 0, parts->axis);
  parts->inner = onri_product(whole, parts->axis + 1, whole->rank);
  parts->whole = whole->dim[parts->axis] * parts->inner;
  return ONR_STATUS_OK;
}

static enum onr_status concat_plan(struct onr_call *call) {
  const struct onr_concat_params *p = call->params;
  struct parts parts;
  size_t offset = 0;
  ONR_TRY(parts_of(p->axis, &call->out[0], &parts, call->error));
  if (parts.outer != 1) return ONR_STATUS_OK;
  for (size_t i = 0; i < call->num_in; i++) {
    call->into[i].of = 0;
    call->into[i].offset = offset;
    offset += onr_desc_bytes(&call->in[i]);
  }
  return ONR_STATUS_OK;
}

/* From one outer index to the next: that many elements, or more where a cache has room. */
static int64_t step_of(const int64_t *rows, size_t i, int64_t part, const struct parts *parts) {
  return rows && rows[i] ? rows[i] * parts->inner : part;
}

/* Rows that are shorter than a line of the cache, which several inputs would write one after another: they are joined
 * some at a time. Those of one vector of 16 bytes are faster as they are. */
struct join {
  const struct onr_call *call;
  struct parts parts;
  size_t size;
};

static int joins_short_rows(const struct join *j) {
  enum { LEAST = 17, MOST = 63 }; /* bytes */
  for (size_t i = 0; i < j->call->num_in; i++) {
    const size_t bytes = (size_t)(j->call->in[i].dim[j->parts.axis] * j->parts.inner) * j->size;
    if (bytes < LEAST || bytes > MOST || (j->call->in_rows && j->call->in_rows[i])) return 0;
  }
  return j->parts.outer > 1 && !(j->call->out_rows && j->call->out_rows[0]);
}

static void join_rows(void *context, size_t begin, size_t end) {
  enum { TOGETHER = 4096 /* bytes of y */ };
  const struct join *j = context;
  const size_t step = (size_t)j->parts.whole * j->size, some = TOGETHER / step + 1;
  for (size_t row = begin, count; row < end; row += count) {
    char *y = (char *)j->call->outputs[0] + row * step;
    count = end - row < some ? end - row : some;
    for (size_t i = 0; i < j->call->num_in; i++) {
      const size_t bytes = (size_t)(j->call->in[i].dim[j->parts.axis] * j->parts.inner) * j->size;
      const char *x = (const char *)j->call->inputs[i] + row * bytes;
      (void)onri_kernels(transpose)->blocks(
          &(struct onri_blocks){x, y, (ptrdiff_t)bytes, (ptrdiff_t)step, bytes, count});
      y += bytes;
    }
  }
}

static enum onr_status concat_run(struct onr_call *call) {
  const struct onr_concat_params *p = call->params;
  const size_t size = onr_dtype_size(call->out[0].dtype);
  struct parts parts;
  char *y = call->outputs[0];
  ONR_TRY(parts_of(p->axis, &call->out[0], &parts, call->error));
  struct join join = {call, parts, size};
  if (joins_short_rows(&join)) {
    onr_parallel_for(call->env, (size_t)parts.outer, 32768 / ((size_t)parts.whole * size) + 1, join_rows, &join);
    return ONR_STATUS_OK;
  }
  for (size_t i = 0; i < call->num_in; i++) {
    const int64_t part = call->in[i].dim[parts.axis] * parts.inner;
    const int64_t dims[2] = {parts.outer, part}, x_strides[2] = {step_of(call->in_rows, i, part, &parts), 1},
                  y_strides[2] = {step_of(call->out_rows, 0, parts.whole, &parts), 1};
    struct onri_copy copy;
    if (part == 0 || parts.outer == 0) continue;
    if (call->inputs[i] != y) {
      onri_copy_make(&copy, size, 2, dims, x_strides, y_strides);
      onri_copy_run(&copy, call->env, call->inputs[i], y);
    }
    y += (size_t)part * size;
  }
  return ONR_STATUS_OK;
}

static int joins_rows(const void *params, int32_t rank) {
  const struct onr_concat_params *p = params;
  return rank >= 2 && (p->axis == -2 || p->axis == rank - 2);
}

static int concat_takes_room(const void *params, size_t i, int32_t rank) {
  (void)i;
  return joins_rows(params, rank);
}

static int32_t concat_goes_on(const void *params, size_t i, int32_t rank) {
  return i == 0 && joins_rows(params, rank) ? 0 : -1;
}

/* --- split --- */

/* Part i of parts of one size; the last ones are smaller where need be. */
static int64_t even_part(int64_t length, size_t count, size_t i) {
  const int64_t parts = (int64_t)count, chunk = length / parts + (length % parts != 0),
                left = length - (int64_t)i * chunk;
  return left < 0 ? 0 : left < chunk ? left : chunk;
}

/* The size of part i along the axis, also of one that nobody wants and that has no descriptor. */
static int64_t part_length(const struct onr_call *call, int64_t length, size_t i) {
  return onri_has(call, 1) ? ((const int64_t *)call->inputs[1])[i] : even_part(length, call->num_out, i);
}

static enum onr_status split_sizes_even(const struct onr_split_params *p, int64_t length, size_t count,
                                        struct onr_call *call, int32_t axis) {
  const int64_t parts = (int64_t)count;
  if (p->even && length % parts != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "axis %d of size %lld does not split into %d equal parts", (int)axis,
                    (long long)length, (int)parts);
  for (size_t i = 0; i < count; i++) call->out[i].dim[axis] = even_part(length, count, i);
  return ONR_STATUS_OK;
}

/* The parts of a split may be many: sizes are read one by one. */
static enum onr_status split_sizes_given(struct onr_call *call, int64_t length, int32_t axis) {
  const struct onr_desc *sizes = &call->in[1];
  int64_t sum = 0;
  if (sizes->rank != 1 || sizes->dim[0] != (int64_t)call->num_out)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld sizes for %d outputs", (long long)onr_desc_elements(sizes),
                    (int)call->num_out);
  const int64_t *size = call->inputs[1];
  for (size_t i = 0; i < call->num_out; i++) {
    if (size[i] < 0)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "the size of part %d is %lld", (int)i, (long long)size[i]);
    call->out[i].dim[axis] = size[i];
    if (!onri_add_i64(sum, size[i], &sum))
      return onr_fail(call->error, ONR_STATUS_SHAPE, "the sizes of the parts exceed 64 bits");
  }
  if (sum != length)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "the sizes of the parts sum to %lld, axis %d has %lld",
                    (long long)sum, (int)axis, (long long)length);
  return ONR_STATUS_OK;
}

static enum onr_status split_infer(struct onr_call *call) {
  const struct onr_split_params *p = call->params;
  const struct onr_desc x = call->in[0];
  int32_t axis;
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_axis_resolve(p->axis, x.rank, &axis, call->error));
  for (size_t i = 0; i < call->num_out; i++) call->out[i] = x;
  if (onri_has(call, 1)) return split_sizes_given(call, x.dim[axis], axis);
  return split_sizes_even(p, x.dim[axis], call->num_out, call, axis);
}

static enum onr_status split_plan(struct onr_call *call) {
  const struct onr_split_params *p = call->params;
  struct parts parts;
  size_t offset = 0;
  ONR_TRY(parts_of(p->axis, &call->in[0], &parts, call->error));
  if (parts.outer != 1) return ONR_STATUS_OK;
  for (size_t i = 0; i < call->num_out; i++) {
    call->view[i].of = 0;
    call->view[i].offset = offset;
    offset +=
        (size_t)(part_length(call, call->in[0].dim[parts.axis], i) * parts.inner) * onr_dtype_size(call->in[0].dtype);
  }
  return ONR_STATUS_OK;
}

static enum onr_status split_run(struct onr_call *call) {
  const struct onr_split_params *p = call->params;
  const size_t size = onr_dtype_size(call->in[0].dtype);
  struct parts parts;
  const char *x = call->inputs[0];
  ONR_TRY(parts_of(p->axis, &call->in[0], &parts, call->error));
  for (size_t i = 0; i < call->num_out; i++) {
    const int64_t part = part_length(call, call->in[0].dim[parts.axis], i) * parts.inner;
    const int64_t dims[2] = {parts.outer, part}, x_strides[2] = {parts.whole, 1};
    struct onri_copy copy;
    if (part == 0 || parts.outer == 0) continue;
    if (call->outputs[i] && call->outputs[i] != x) {
      onri_copy_make(&copy, size, 2, dims, x_strides, NULL);
      onri_copy_run(&copy, call->env, x, call->outputs[i]);
    }
    x += (size_t)part * size;
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_concat = {
    .name = "concat",
    .inputs_min = 1,
    .inputs_max = ONR_VARIADIC,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .types = {0, ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_CONCAT,
    .layout_param = offsetof(struct onr_concat_params, axis),
    .params_size = sizeof(struct onr_concat_params),
    .infer = concat_infer,
    .plan = concat_plan,
    .run = concat_run,
    .takes_room = concat_takes_room,
    .goes_on = concat_goes_on,
};
const struct onr_layer onri_layer_split = {
    .name = "split",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = ONR_VARIADIC,
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {0, ONRI_DTYPE_BIT(ONR_DTYPE_I64)},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .layout = ONR_LAYOUT_ALONG_AXIS,
    .layout_param = offsetof(struct onr_split_params, axis),
    .params_size = sizeof(struct onr_split_params),
    .infer = split_infer,
    .plan = split_plan,
    .run = split_run,
};
