/* gather.c: gather (whole slices along an axis), gather_elements (single elements along an axis), gather_nd (slices
 * named by several coordinates). Indices are checked before what they name is read, and everything is copied on all
 * threads. */
#include <stdatomic.h>

#include "kernels/move/copy.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

#define TASK_BYTES ((size_t)32 * 1024)

static size_t grain_of(size_t bytes) { return bytes >= TASK_BYTES || bytes == 0 ? 1 : TASK_BYTES / bytes; }

/* --- gather: x [outer][length][block], y [outer][count][block] --- */

static enum onr_status gather_infer(struct onr_call *call) {
  const struct onr_gather_params *p = call->params;
  const struct onr_desc x = call->in[0], indices = call->in[1];
  int32_t axis;
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_axis_resolve(p->axis, x.rank, &axis, call->error));
  struct onr_desc out = {.dtype = x.dtype, .rank = x.rank - 1 + indices.rank};
  if (out.rank > ONR_MAX_RANK)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the result has rank %d: the highest is %d", (int)out.rank,
                    ONR_MAX_RANK);
  int32_t n = 0;
  for (int32_t d = 0; d < axis; d++) out.dim[n++] = x.dim[d];
  for (int32_t d = 0; d < indices.rank; d++) out.dim[n++] = indices.dim[d];
  for (int32_t d = axis + 1; d < x.rank; d++) out.dim[n++] = x.dim[d];
  call->out[0] = out;
  return ONR_STATUS_OK;
}

struct gather_state {
  size_t outer, count, block;
  int64_t length;
};

/* One known index of the outermost axis that counts is a view. */
static enum onr_status gather_plan(struct onr_call *call) {
  const struct onr_gather_params *p = call->params;
  struct gather_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  int32_t axis;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  s->outer = (size_t)onri_product(x, 0, axis);
  s->count = (size_t)onr_desc_elements(&call->in[1]);
  s->block = (size_t)onri_product(x, axis + 1, x->rank) * onr_dtype_size(x->dtype);
  s->length = x->dim[axis];
  if (s->outer == 1 && s->count == 1 && call->inputs[1]) {
    ONR_TRY(onri_indices_check(call, 1, 0, 1, 1, s->length));
    call->view[0].of = 0;
    call->view[0].offset = (size_t)onri_index_at(onri_indices(call, 1), 0, s->length) * s->block;
  }
  return ONR_STATUS_OK;
}

struct gather_job {
  const struct gather_state *s;
  struct onri_indices indices;
  const char *x;
  char *y;
};

static void gather_part(void *context, size_t begin, size_t end) {
  const struct gather_job *job = context;
  const struct gather_state *s = job->s;
  size_t i = begin % s->count;
  const char *x = job->x + begin / s->count * (size_t)s->length * s->block;
  char *y = job->y + begin * s->block;
  for (size_t n = begin; n < end; n++, y += s->block) {
    onri_copy_element(y, x + (size_t)onri_index_at(job->indices, i, s->length) * s->block, s->block);
    if (++i == s->count) {
      i = 0;
      x += (size_t)s->length * s->block;
    }
  }
}

static enum onr_status gather_run(struct onr_call *call) {
  const struct gather_state *s = call->state;
  struct gather_job job = {s, onri_indices(call, 1), call->inputs[0], call->outputs[0]};
  ONR_TRY(onri_indices_check(call, 1, 0, 1, s->count, s->length));
  const size_t total = s->outer * s->count;
  if (total == 0 || s->block == 0) return ONR_STATUS_OK;
  if (s->count == 1) {
    const char *x = job.x + (size_t)onri_index_at(job.indices, 0, s->length) * s->block;
    const int64_t dims[2] = {(int64_t)s->outer, (int64_t)s->block}, x_strides[2] = {s->length * (int64_t)s->block, 1};
    struct onri_copy copy;
    if (x == job.y) return ONR_STATUS_OK;
    onri_copy_make(&copy, 1, 2, dims, x_strides, NULL);
    onri_copy_run(&copy, call->env, x, job.y);
    return ONR_STATUS_OK;
  }
  onr_parallel_for(call->env, total, grain_of(s->block), gather_part, &job);
  return ONR_STATUS_OK;
}

/* --- gather_elements --- */

static enum onr_status gather_elements_infer(struct onr_call *call) {
  const struct onr_gather_params *p = call->params;
  const struct onr_desc *x = &call->in[0], *indices = &call->in[1];
  int32_t axis;
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  ONR_TRY(onri_expect_rank(call, 1, x->rank, x->rank));
  for (int32_t d = 0; d < x->rank; d++)
    if (d != axis && indices->dim[d] > x->dim[d])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of the indices is %lld, of the data %lld", (int)d,
                      (long long)indices->dim[d], (long long)x->dim[d]);
  call->out[0] = *indices;
  call->out[0].dtype = call->in[0].dtype;
  return ONR_STATUS_OK;
}

struct elements_job {
  const struct onr_desc *desc; /* of the indices */
  struct onri_indices indices;
  int64_t strides[ONR_MAX_RANK]; /* of x, 0 along axis */
  int64_t axis_stride, length;
  size_t size;
  const char *x;
  char *y;
  atomic_int *outside; /* some index was */
};

enum { PIECE = 1024 /* columns */ };
static size_t pieces_of(size_t columns) { return (columns + PIECE - 1) / PIECE; }

/* All of them count from the beginning, and are inside. */
static int are_plain(const int64_t *index, size_t columns, int64_t length) {
  uint64_t all = 0; /* the highest bit: one of the two is negative */
  for (size_t c = 0; c < columns; c++) all |= (uint64_t)index[c] | ((uint64_t)(length - 1) - (uint64_t)index[c]);
  return !(all >> 63);
}

/* Elements of one size by plain indices, `step` apart where the axis is another. */
#define ROW(name, type)                                                                                              \
  static void row_##name(const struct elements_job *job, size_t first, size_t columns, int64_t base, int64_t step) { \
    const int64_t *index = (const int64_t *)job->indices.data + first, stride = job->axis_stride;                    \
    const type *x = (const type *)(const void *)job->x + base;                                                       \
    type *y = (type *)(void *)job->y + first;                                                                        \
    for (size_t c = 0; c < columns; c++, x += step) y[c] = x[index[c] * stride];                                     \
  }
ROW(1, uint8_t)
ROW(2, uint16_t)
ROW(4, uint32_t)
ROW(8, uint64_t)
#undef ROW

/* 0: an index is outside. */
static int any_row(const struct elements_job *job, size_t first, size_t columns, int64_t base, int64_t step) {
  int inside = 1;
  for (size_t c = 0; c < columns && inside; c++) {
    const int64_t at = onri_index_at(job->indices, first + c, job->length);
    inside = at >= 0 && at < job->length;
    if (inside)
      onri_copy_element(job->y + (first + c) * job->size,
                        job->x + (size_t)(base + (int64_t)c * step + at * job->axis_stride) * job->size, job->size);
  }
  return inside;
}

static int one_row(const struct elements_job *job, size_t first, size_t columns, int64_t base, int64_t step) {
  if (!job->indices.wide || !are_plain((const int64_t *)job->indices.data + first, columns, job->length))
    return any_row(job, first, columns, base, step);
  switch (job->size) {
    case 1: row_1(job, first, columns, base, step); return 1;
    case 2: row_2(job, first, columns, base, step); return 1;
    case 4: row_4(job, first, columns, base, step); return 1;
    case 8: row_8(job, first, columns, base, step); return 1;
    default: return any_row(job, first, columns, base, step);
  }
}

/* Some columns of a row, which is the last dimension of the indices. */
static void elements_pieces(void *context, size_t begin, size_t end) {
  const struct elements_job *job = context;
  const int32_t last = job->desc->rank - 1;
  const size_t columns = (size_t)job->desc->dim[last], pieces = pieces_of(columns);
  for (size_t piece = begin; piece < end; piece++) {
    const size_t row = pieces > 1 ? piece / pieces : piece; /* divisions take long */
    const size_t from = (piece - row * pieces) * PIECE, left = columns - from;
    int64_t base = (int64_t)from * job->strides[last];
    size_t rest = row;
    for (int32_t d = last - 1; d >= 0; d--) {
      base += (int64_t)(rest % (size_t)job->desc->dim[d]) * job->strides[d];
      rest /= (size_t)job->desc->dim[d];
    }
    if (!one_row(job, row * columns + from, left < PIECE ? left : PIECE, base, job->strides[last])) {
      atomic_store(job->outside, 1);
      return;
    }
  }
}

static enum onr_status gather_elements_run(struct onr_call *call) {
  const struct onr_gather_params *p = call->params;
  const struct onr_desc *x = &call->in[0], *indices = &call->in[1];
  atomic_int outside = 0;
  struct elements_job job = {indices,         onri_indices(call, 1), {0},     0, 0, onr_dtype_size(x->dtype),
                             call->inputs[0], call->outputs[0],      &outside};
  const size_t total = (size_t)onr_desc_elements(indices);
  int32_t axis;
  if (total == 0) return ONR_STATUS_OK;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  job.length = x->dim[axis];
  if (job.length == 0) return onri_indices_check(call, 1, 0, 1, total, 0);
  onri_strides(x, job.strides);
  job.axis_stride = job.strides[axis];
  job.strides[axis] = 0;
  const size_t columns = (size_t)indices->dim[indices->rank - 1];
  onr_parallel_for(call->env, total / columns * pieces_of(columns),
                   grain_of((columns < PIECE ? columns : PIECE) * job.size), elements_pieces, &job);
  return atomic_load(&outside) ? onri_indices_check(call, 1, 0, 1, total, job.length) : ONR_STATUS_OK;
}

/* --- gather_nd --- */

static enum onr_status gather_nd_infer(struct onr_call *call) {
  const struct onr_gather_nd_params *p = call->params;
  const struct onr_desc x = call->in[0], indices = call->in[1];
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_expect_rank(call, 1, 1, ONR_MAX_RANK));
  const int32_t least = x.rank < indices.rank ? x.rank : indices.rank;
  if (p->batch_dims < 0 || p->batch_dims >= least)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "batch_dims is %lld: expected 0..%d", (long long)p->batch_dims,
                    (int)least - 1);
  const int32_t batch = (int32_t)p->batch_dims;
  const int64_t depth = indices.dim[indices.rank - 1];
  for (int32_t d = 0; d < batch; d++)
    if (x.dim[d] != indices.dim[d])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "batch dimension %d is %lld in the data, %lld in the indices",
                      (int)d, (long long)x.dim[d], (long long)indices.dim[d]);
  if (depth < 1 || depth > x.rank - batch)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "the last dimension of the indices is %lld: expected 1..%d",
                    (long long)depth, (int)(x.rank - batch));
  struct onr_desc out = {.dtype = x.dtype, .rank = indices.rank - 1 + x.rank - batch - (int32_t)depth};
  if (out.rank > ONR_MAX_RANK)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the result has rank %d: the highest is %d", (int)out.rank,
                    ONR_MAX_RANK);
  int32_t n = 0;
  for (int32_t d = 0; d < indices.rank - 1; d++) out.dim[n++] = indices.dim[d];
  for (int32_t d = batch + (int32_t)depth; d < x.rank; d++) out.dim[n++] = x.dim[d];
  call->out[0] = out;
  return ONR_STATUS_OK;
}

struct nd_job {
  struct onri_indices indices;
  int32_t depth;
  int64_t dim[ONR_MAX_RANK], stride[ONR_MAX_RANK]; /* of the indexed dimensions, in elements */
  size_t rows_per_batch, batch_elements, size, block;
  const char *x;
  char *y;
};

static void nd_rows(void *context, size_t begin, size_t end) {
  const struct nd_job *job = context;
  for (size_t row = begin; row < end; row++) {
    int64_t from = (int64_t)(row / job->rows_per_batch * job->batch_elements);
    for (int32_t d = 0; d < job->depth; d++)
      from += onri_index_at(job->indices, row * (size_t)job->depth + (size_t)d, job->dim[d]) * job->stride[d];
    onri_copy_element(job->y + row * job->block, job->x + (size_t)from * job->size, job->block);
  }
}

static enum onr_status gather_nd_run(struct onr_call *call) {
  const struct onr_gather_nd_params *p = call->params;
  const struct onr_desc *x = &call->in[0], *indices = &call->in[1];
  const int32_t batch = (int32_t)p->batch_dims, last = indices->rank - 1, depth = (int32_t)indices->dim[last];
  struct nd_job job = {.indices = onri_indices(call, 1),
                       .depth = depth,
                       .size = onr_dtype_size(x->dtype),
                       .x = call->inputs[0],
                       .y = call->outputs[0]};
  int64_t strides[ONR_MAX_RANK];
  const size_t rows = (size_t)onri_product(indices, 0, last);
  onri_strides(x, strides);
  for (int32_t d = 0; d < depth; d++) {
    job.dim[d] = x->dim[batch + d];
    job.stride[d] = strides[batch + d];
    ONR_TRY(onri_indices_check(call, 1, (size_t)d, (size_t)depth, rows, job.dim[d]));
  }
  job.rows_per_batch = (size_t)onri_product(indices, batch, last);
  job.batch_elements = (size_t)onri_product(x, batch, x->rank);
  job.block = (size_t)onri_product(x, batch + depth, x->rank) * job.size;
  if (rows == 0 || job.block == 0) return ONR_STATUS_OK;
  onr_parallel_for(call->env, rows, grain_of(job.block), nd_rows, &job);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_gather = {
    .name = "gather",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_SELECTS | ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_GATHER,
    .layout_param = offsetof(struct onr_gather_params, axis),
    .params_size = sizeof(struct onr_gather_params),
    .state_size = sizeof(struct gather_state),
    .infer = gather_infer,
    .plan = gather_plan,
    .run = gather_run,
};
const struct onr_layer onri_layer_gather_elements = {
    .name = "gather_elements",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_SELECTS,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_gather_params),
    .infer = gather_elements_infer,
    .run = gather_elements_run,
};
const struct onr_layer onri_layer_gather_nd = {
    .name = "gather_nd",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_SELECTS,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_gather_nd_params),
    .infer = gather_nd_infer,
    .run = gather_nd_run,
};
