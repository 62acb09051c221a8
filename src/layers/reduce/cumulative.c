/* cumulative.c: cum_sum and cum_prod: running sums and products along an axis that is an input.
 *
 * x is [outer][length][inner]. A part of at most LANES neighbouring lines goes along the axis together, each line with
 * its running value in the number class of the type; narrow floats are rounded at each store only. */
#include <math.h>
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/move/turned.h"
#include "kernels/reduce/cumulative.h"
#include "layers/layers.h"

#define LANES 64
#define WIDE 1024        /* lanes of types that need no conversion */
#define NARROW 128       /* bytes side by side that are too few */
#define SOME_BYTES 16384 /* of rows that stay in the first cache while vectors walk down them */

static enum onr_status cumulative_infer(struct onr_call *call) {
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  if (onr_desc_elements(&call->in[1]) != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "axis has %lld elements: expected one",
                    (long long)onr_desc_elements(&call->in[1]));
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status cumulative_plan(struct onr_call *call) {
  call->in_place = 0;
  return ONR_STATUS_OK;
}

union lanes {
  float f32[LANES];
  double f64[LANES];
  uint64_t u64[LANES]; /* signed ones too: sums and products wrap the same way */
};

struct cumulative_job {
  enum onr_dtype dtype;
  int product, exclusive, reverse;
  size_t length, inner, lanes, parts; /* parts of so many lanes, of one outer index */
  const char *x;
  char *y;
  const struct onr_env *env;
};

static void start_lanes(union lanes *run, enum onri_class class, int product) {
  for (size_t i = 0; i < LANES; i++) {
    if (class == ONRI_CLASS_F32) run->f32[i] = (float)product;
    if (class == ONRI_CLASS_F64) run->f64[i] = product;
    if (class != ONRI_CLASS_F32 && class != ONRI_CLASS_F64) run->u64[i] = (uint64_t)product;
  }
}

static void advance(union lanes *run, const union lanes *x, size_t n, enum onri_class class, int product) {
  for (size_t i = 0; i < n; i++) {
    if (class == ONRI_CLASS_F32) {
      run->f32[i] = product ? run->f32[i] * x->f32[i] : run->f32[i] + x->f32[i];
    } else if (class == ONRI_CLASS_F64) {
      run->f64[i] = product ? run->f64[i] * x->f64[i] : run->f64[i] + x->f64[i];
    } else {
      run->u64[i] = product ? run->u64[i] * x->u64[i] : run->u64[i] + x->u64[i];
    }
  }
}

static void cumulative_part(const struct cumulative_job *job, size_t outer, size_t first) {
  const enum onri_class class = onri_dtype_class(job->dtype);
  const size_t size = onr_dtype_size(job->dtype), n = job->inner - first < LANES ? job->inner - first : LANES;
  union lanes run, x;
  struct onri_pace pace = {job->env, 0};
  start_lanes(&run, class, job->product);
  for (size_t step = 0; step < job->length && !onri_pace_stop(&pace, 16 + n); step++) {
    const size_t k = job->reverse ? job->length - 1 - step : step;
    const size_t at = ((outer * job->length + k) * job->inner + first) * size;
    onri_widen(job->dtype, job->x + at, n, &x); /* before the store: y may be x */
    if (job->exclusive) onri_narrow(job->dtype, &run, n, job->y + at);
    advance(&run, &x, n, class, job->product);
    if (!job->exclusive) onri_narrow(job->dtype, &run, n, job->y + at);
  }
}

/* --- types that need no conversion --- */

/* The type in the kernels' table; -1: none. */
static int kernel_type(enum onr_dtype dtype) {
  switch (dtype) {
    case ONR_DTYPE_F32: return ONRI_CUMULATIVE_F32;
    case ONR_DTYPE_F64: return ONRI_CUMULATIVE_F64;
    case ONR_DTYPE_I32:
    case ONR_DTYPE_U32: return ONRI_CUMULATIVE_U32;
    case ONR_DTYPE_I64:
    case ONR_DTYPE_U64: return ONRI_CUMULATIVE_U64;
    default: return -1;
  }
}

/* What runs begins as the first row does, whose -0 stays, or where exclusive with nothing. */
static void start_rows(const struct cumulative_job *job, const struct onri_cumulative_rows *r) {
  const size_t size = onr_dtype_size(job->dtype);
  union lanes none;
  if (!job->exclusive) {
    memcpy(r->run, r->x, r->columns * size);
    memmove(r->y, r->x, r->columns * size);
    return;
  }
  start_lanes(&none, onri_dtype_class(job->dtype), job->product);
  for (size_t i = 0; i < r->columns; i += LANES)
    onri_narrow(job->dtype, &none, r->columns - i < LANES ? r->columns - i : LANES, (char *)r->run + i * size);
}

/* Lines from `first` on, as many as go together, side by side. */
static void run_rows(const struct cumulative_job *job, size_t outer, size_t first) {
  const size_t size = onr_dtype_size(job->dtype), left = job->inner - first;
  const size_t at = ((outer * job->length + (job->reverse ? job->length - 1 : 0)) * job->inner + first) * size;
  const ptrdiff_t step = job->reverse ? -(ptrdiff_t)job->inner : (ptrdiff_t)job->inner;
  uint64_t run[WIDE];
  struct onri_cumulative_rows r = {job->x + at,   job->y + at, run, step, 1, left < job->lanes ? left : job->lanes,
                                   job->exclusive};
  struct onri_pace pace = {job->env, 0};
  const size_t most = SOME_BYTES / size / r.columns + 1;
  start_rows(job, &r);
  for (size_t row = job->exclusive ? 0 : 1; row < job->length && !onri_pace_stop(&pace, SOME_BYTES); row += r.rows) {
    const ptrdiff_t from = (ptrdiff_t)row * step * (ptrdiff_t)size;
    r.x = job->x + at + from, r.y = job->y + at + from;
    r.rows = most < job->length - row ? most : job->length - row;
    onri_kernels(cumulative)->rows[kernel_type(job->dtype)][job->product](&r);
  }
}

/* One line of neighbours. op: + or *; each of them has a loop of its own, since the sum waits for that before it. */
#define LINE_OF(type, op)                                                                \
  for (size_t step = 0; step < length && !onri_pace_stop(&pace, LANES); step += LANES) { \
    const size_t left = length - step, end = step + (left < LANES ? left : LANES);       \
    for (size_t i = step; i < end; i++) {                                                \
      const size_t k = reverse ? length - 1 - i : i;                                     \
      const type next = (type)(run op x[k]);                                             \
      y[k] = exclusive ? run : next;                                                     \
      run = next;                                                                        \
    }                                                                                    \
  }
#define LINE(name, type)                                                             \
  static void line_##name(const struct cumulative_job *job, size_t line) {           \
    const type *x = (const type *)(const void *)job->x + line * job->length;         \
    type *y = (type *)(void *)job->y + line * job->length, run = (type)job->product; \
    const size_t length = job->length;                                               \
    const int reverse = job->reverse, exclusive = job->exclusive;                    \
    struct onri_pace pace = {job->env, 0};                                           \
    if (job->product) LINE_OF(type, *)                                               \
    else LINE_OF(type, +)                                                            \
  }
LINE(f32, float)
LINE(f64, double)
LINE(u32, uint32_t)
LINE(u64, uint64_t)

static void (*const line_of[ONRI_NUM_CUMULATIVE])(const struct cumulative_job *job, size_t line) = {
    [ONRI_CUMULATIVE_F32] = line_f32,
    [ONRI_CUMULATIVE_F64] = line_f64,
    [ONRI_CUMULATIVE_U32] = line_u32,
    [ONRI_CUMULATIVE_U64] = line_u64};

/* Short lines of few neighbours: many outer indices side by side. */
static void turned_rows(void *context, void *columns, size_t count) {
  struct cumulative_job job = *(const struct cumulative_job *)context;
  job.inner *= count;
  job.x = job.y = columns;
  for (size_t first = 0; first < job.inner; first += WIDE) run_rows(&job, 0, first);
}

static void turned_parts(void *context, size_t begin, size_t end) {
  const struct cumulative_job *job = context;
  const size_t size = onr_dtype_size(job->dtype), group = job->length * job->inner, at = begin * group * size;
  onri_turned(turned_rows, context, job->x + at, job->y + at, end - begin, group, size, job->env);
}

static void cumulative_parts(void *context, size_t begin, size_t end) {
  const struct cumulative_job *job = context;
  const int type = kernel_type(job->dtype);
  for (size_t i = begin; i < end; i++) {
    const size_t outer = i / job->parts, first = i % job->parts * job->lanes;
    if (type < 0) cumulative_part(job, outer, first);
    else if (job->inner == 1) line_of[type](job, outer);
    else run_rows(job, outer, first);
  }
}

static enum onr_status cumulative_run(struct onr_call *call, int product) {
  const struct onr_cumulative_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  int64_t number;
  int32_t axis;
  onri_widen(call->in[1].dtype, call->inputs[1], 1, &number);
  ONR_TRY(onri_axis_resolve(number, x->rank, &axis, call->error));
  if (onr_desc_elements(x) == 0) return ONR_STATUS_OK;
  size_t outer = (size_t)onri_product(x, 0, axis), inner = (size_t)onri_product(x, axis + 1, x->rank);
  if (x->dim[axis] == 1) inner *= outer, outer = 1;
  struct cumulative_job job = {x->dtype, product,         p->exclusive,     p->reverse, (size_t)x->dim[axis], inner, 0,
                               0,        call->inputs[0], call->outputs[0], call->env};
  job.lanes = kernel_type(x->dtype) >= 0 ? WIDE : LANES;
  job.parts = (job.inner + job.lanes - 1) / job.lanes;
  const size_t work = job.length * (job.inner < job.lanes ? job.inner : job.lanes);
  const int turns =
      kernel_type(x->dtype) >= 0 && onri_turns(outer, job.length, job.inner, onr_dtype_size(x->dtype), NARROW);
  onr_parallel_for(call->env, outer * job.parts, work < 4096 ? 4096 * (turns ? 4 : 1) / work + 1 : 1,
                   turns ? turned_parts : cumulative_parts, &job);
  return ONR_STATUS_OK;
}

static enum onr_status cum_sum_run(struct onr_call *call) { return cumulative_run(call, 0); }
static enum onr_status cum_prod_run(struct onr_call *call) { return cumulative_run(call, 1); }

const struct onr_layer onri_layer_cum_sum = {
    .name = "cum_sum",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_cumulative_params),
    .infer = cumulative_infer,
    .plan = cumulative_plan,
    .run = cum_sum_run,
};
const struct onr_layer onri_layer_cum_prod = {
    .name = "cum_prod",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_cumulative_params),
    .infer = cumulative_infer,
    .plan = cumulative_plan,
    .run = cum_prod_run,
};
