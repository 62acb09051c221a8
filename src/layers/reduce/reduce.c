/* reduce.c: sum, mean, extremes, product, norms and logarithms of sums over some axes; sum_to: over those along which a
 * shape was broadcast.
 *
 * input 0   x     any shape, any number type; bool too for the extremes
 * input 1   axes  int64 [n]    optional          sum_to: like, a tensor whose shape broadcasts to x's
 * output 0  y     x's type; reduced dimensions are 1 or gone */
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "kernels/move/turned.h"
#include "kernels/reduce/reduce.h"
#include "params/params.h"

struct reduce_state {
  struct onri_reduce kernel; /* its pointers are set in run */
  size_t grain;
  int is_copy; /* each result is one element, as it is */
};

static enum onr_status read_axes(const struct onr_call *call, uint8_t mask[ONR_MAX_RANK]) {
  const struct onr_reduce_params *p = call->params;
  const int32_t rank = call->in[0].rank;
  int64_t axes[ONR_MAX_RANK];
  size_t count = 0;
  if (onri_has(call, 1)) ONR_TRY(onri_read_ints(call, 1, axes, ONR_MAX_RANK, &count));
  ONR_TRY(onri_axes_resolve(axes, count, rank, mask, call->error));
  if (count == 0 && !p->noop_with_empty_axes)
    for (int32_t d = 0; d < rank; d++) mask[d] = 1;
  return ONR_STATUS_OK;
}

static enum onr_status reduce_infer(struct onr_call *call) {
  const struct onr_reduce_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  uint8_t mask[ONR_MAX_RANK];
  ONR_TRY(read_axes(call, mask));
  struct onr_desc y = {.dtype = x->dtype};
  for (int32_t d = 0; d < x->rank; d++) {
    if (!mask[d]) y.dim[y.rank++] = x->dim[d];
    else if (p->keep_dims) y.dim[y.rank++] = 1;
  }
  call->out[0] = y;
  return ONR_STATUS_OK;
}

/* Neighbouring dimensions of one kind become one. */
static int32_t merge_dims(const struct onr_desc *x, const uint8_t *mask, int64_t *dims, uint8_t *reduced) {
  int32_t count = 0;
  for (int32_t d = 0; d < x->rank; d++) {
    if (x->dim[d] == 1) continue;
    if (count > 0 && reduced[count - 1] == mask[d]) {
      dims[count - 1] *= x->dim[d];
    } else {
      dims[count] = x->dim[d];
      reduced[count++] = mask[d];
    }
  }
  return count;
}

/* Short runs, one behind the other, as columns: many results at a time. */
static void stand_short_runs_side_by_side(struct onri_reduce *r) {
  enum { SHORT = 1024, SHORT_TO_TURN = 64 };
  const int32_t last = r->kept.rank - 1;
  const size_t most = r->dtype == ONR_DTYPE_F32 ? SHORT : SHORT_TO_TURN;
  if (r->columns > 0 || r->run > most || last < 0 || r->kept.dim[last] < 2) return;
  if (r->kept.stride[last] > INT32_MAX / ONRI_REDUCE_COLUMNS) return;
  r->columns = r->kept.dim[last];
  r->column_step = r->kept.stride[last];
  r->kept.count /= r->columns;
  r->kept.rank--;
  if (r->kept.rank == 0) r->kept.count = 1;
  onri_dims_add(&r->rows, (int64_t)r->run, 1);
}

/* Extremes of few rows of each of many groups: exact in float32, and what a group takes to begin is more than they do.
 */
static int is_direct(struct onri_reduce *r, int32_t count, const int64_t *dims, const uint8_t *reduced,
                     const int64_t *strides) {
  enum { FEW = 2048 /* elements of a group */ };
  if (r->dtype != ONR_DTYPE_F32 || (r->op != ONR_REDUCE_MAX && r->op != ONR_REDUCE_MIN)) return 0;
  if (count != 3 || reduced[0] || !reduced[1] || strides[0] > FEW || dims[1] == 0 || dims[2] < 4) return 0;
  r->direct = 1;
  r->groups = (size_t)dims[0], r->group = (size_t)strides[0];
  onri_dims_add(&r->rows, dims[1], strides[1]);
  onri_dims_add(&r->kept, dims[2], strides[2]);
  return 1;
}

/* Few elements in all dimensions but the first: many of these go together, if that makes wider rows than there are. */
static int turns_groups(struct onri_reduce *r, int32_t count, const int64_t *dims, const uint8_t *reduced,
                        const int64_t *strides) {
  enum { SHORT = 12 /* elements of a run */ };
  const size_t size = onr_dtype_size(r->dtype), last = count > 0 ? (size_t)dims[count - 1] : 0;
  const int32_t least = r->dtype == ONR_DTYPE_F32 ? 2 : 3; /* rows of a few wider numbers are faster read as they lie */
  if (count < least || reduced[0] || (reduced[count - 1] && last > SHORT)) return 0;
  const size_t group = (size_t)strides[0], side = !reduced[count - 1] ? last : count > 2 ? (size_t)dims[count - 2] : 1;
  if (size > 8 || !onri_turns((size_t)dims[0], group, 1, size, SIZE_MAX)) return 0;
  if (ONRI_TURNED_BYTES / (group * size) < 2 * side) return 0;
  r->groups = (size_t)dims[0], r->group = group;
  for (int32_t d = 1; d < count; d++) onri_dims_add(reduced[d] ? &r->rows : &r->kept, dims[d], strides[d]);
  return 1;
}

/* Short runs of a few neighbours in many rows: elements are columns, some of which are one result in the end. */
static int joins_runs(struct onri_reduce *r, int32_t count, const int64_t *dims, const uint8_t *reduced,
                      const int64_t *strides) {
  enum { SHORT = 32 };
  if (count < 3 || !reduced[count - 1] || dims[count - 1] == 0 || dims[count - 1] > SHORT ||
      dims[count - 1] * dims[count - 2] > ONRI_REDUCE_COLUMNS)
    return 0;
  r->joined = (size_t)dims[count - 1];
  r->columns = (size_t)(dims[count - 1] * dims[count - 2]);
  for (int32_t d = 0; d < count - 2; d++) onri_dims_add(reduced[d] ? &r->rows : &r->kept, dims[d], strides[d]);
  return 1;
}

/* Elements that are worth waking a thread for: extremes of integers go through vectors in their own size. */
static size_t task_of(const struct onri_reduce *r) {
  const enum onri_class class = onri_dtype_class(r->dtype);
  const int integer = class == ONRI_CLASS_I64 || class == ONRI_CLASS_U64;
  const int extreme = r->op == ONR_REDUCE_MAX || r->op == ONR_REDUCE_MIN;
  return integer && extreme ? 16384 * 8 / onr_dtype_size(r->dtype) : 16384;
}

static int is_copy(const struct onr_call *call, enum onr_reduce_op op) {
  const int keeps = op == ONR_REDUCE_SUM || op == ONR_REDUCE_MEAN || op == ONR_REDUCE_MAX || op == ONR_REDUCE_MIN ||
                    op == ONR_REDUCE_PROD || op == ONR_REDUCE_LOG_SUM_EXP;
  return keeps && onr_desc_elements(&call->in[0]) == onr_desc_elements(&call->out[0]);
}

static enum onr_status plan_over(struct onr_call *call, enum onr_reduce_op op, const uint8_t mask[ONR_MAX_RANK]) {
  struct reduce_state *s = call->state;
  struct onri_reduce *r = &s->kernel;
  int64_t dims[ONR_MAX_RANK], stride = 1;
  uint8_t reduced[ONR_MAX_RANK];
  int64_t strides[ONR_MAX_RANK];
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  s->is_copy = is_copy(call, op);
  if (s->is_copy) {
    call->view[0] = (struct onr_view){0, 0};
    return ONR_STATUS_OK;
  }
  const int32_t count = merge_dims(&call->in[0], mask, dims, reduced);
  for (int32_t d = count; d-- > 0; stride *= dims[d]) strides[d] = stride;
  r->op = op;
  r->dtype = call->in[0].dtype;
  r->kept.count = r->rows.count = 1;
  r->run = r->column_step = r->joined = 1;
  if (!is_direct(r, count, dims, reduced, strides) && !turns_groups(r, count, dims, reduced, strides) &&
      !joins_runs(r, count, dims, reduced, strides)) {
    if (count > 0 && reduced[count - 1]) r->run = (size_t)dims[count - 1];
    else if (count > 0) r->columns = (size_t)dims[count - 1];
    for (int32_t d = 0; d + 1 < count; d++) onri_dims_add(reduced[d] ? &r->rows : &r->kept, dims[d], strides[d]);
    stand_short_runs_side_by_side(r);
  }
  const size_t columns = r->columns < ONRI_REDUCE_COLUMNS ? r->columns : ONRI_REDUCE_COLUMNS, task = task_of(r);
  const size_t item = r->groups > 0 ? r->group : r->rows.count * (r->columns == 0 ? r->run : columns);
  s->grain = item == 0 || item >= task ? 1 : task / item;
  return ONR_STATUS_OK;
}

static enum onr_status reduce_plan(struct onr_call *call) {
  const struct onr_reduce_params *p = call->params;
  uint8_t mask[ONR_MAX_RANK];
  ONR_TRY(read_axes(call, mask));
  return plan_over(call, p->op, mask);
}

/* The dimensions that broadcasting `like` to x added or stretched. */
static enum onr_status broadcast_axes(const struct onr_call *call, uint8_t mask[ONR_MAX_RANK]) {
  const struct onr_desc *x = &call->in[0], *like = &call->in[1];
  const int32_t more = x->rank - like->rank;
  int fits = more >= 0;
  for (int32_t d = 0; fits && d < x->rank; d++) {
    mask[d] = d < more || like->dim[d - more] != x->dim[d];
    fits = d < more || !mask[d] || like->dim[d - more] == 1;
  }
  char wide[96], narrow[96];
  return fits ? ONR_STATUS_OK
              : onr_fail(call->error, ONR_STATUS_SHAPE, "expected a shape that broadcasts to %s, found %s",
                         onr_desc_format(x, wide, sizeof(wide)), onr_desc_format(like, narrow, sizeof(narrow)));
}

static enum onr_status sum_to_infer(struct onr_call *call) {
  uint8_t mask[ONR_MAX_RANK];
  ONR_TRY(broadcast_axes(call, mask));
  call->out[0] = call->in[1];
  call->out[0].dtype = call->in[0].dtype;
  return ONR_STATUS_OK;
}

static enum onr_status sum_to_plan(struct onr_call *call) {
  uint8_t mask[ONR_MAX_RANK];
  ONR_TRY(broadcast_axes(call, mask));
  return plan_over(call, ONR_REDUCE_SUM, mask);
}

static void reduce_range(void *context, size_t begin, size_t end) { onri_reduce(context, begin, end); }

static enum onr_status reduce_run(struct onr_call *call) {
  struct reduce_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (s->is_copy) {
    if (call->inputs[0] != call->outputs[0])
      onri_copy_bytes(call->env, call->inputs[0], call->outputs[0], onr_desc_bytes(&call->in[0]));
    return ONR_STATUS_OK;
  }
  s->kernel.env = call->env;
  s->kernel.x = call->inputs[0];
  s->kernel.y = call->outputs[0];
  onr_parallel_for(call->env, onri_reduce_items(&s->kernel), s->grain, reduce_range, &s->kernel);
  return ONR_STATUS_OK;
}

static uint32_t reduce_types(const void *params, size_t i) {
  const enum onr_reduce_op op = ((const struct onr_reduce_params *)params)->op;
  if (i > 0) return 0;
  return ONRI_DTYPES_NUMBER | (op == ONR_REDUCE_MAX || op == ONR_REDUCE_MIN ? ONRI_DTYPE_BIT(ONR_DTYPE_BOOL) : 0);
}

const struct onr_layer onri_layer_reduce = {
    .name = "reduce",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .layout = ONRI_LAYOUT_REDUCE,
    .params_size = sizeof(struct onr_reduce_params),
    .state_size = sizeof(struct reduce_state),
    .types_by_params = reduce_types,
    .infer = reduce_infer,
    .plan = ONRI_WHERE(RUN_reduce, reduce_plan),
    .run = ONRI_WHERE(RUN_reduce, reduce_run),
};

const struct onr_layer onri_layer_sum_to = {
    .name = "sum_to",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER},
    .state_size = sizeof(struct reduce_state),
    .infer = sum_to_infer,
    .plan = sum_to_plan,
    .run = reduce_run,
};
