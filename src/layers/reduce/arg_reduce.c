/* arg_reduce.c: index of the largest or smallest element along an axis. NaN counts as larger and smaller than any
 * number.
 *
 * input 0   x  any shape, any number type
 * output 0     int64; the axis is 1 or gone */
#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/reduce/reduce_lines.h"
#include "params/params.h"

enum { COLUMNS = 64, SHORT = 32 };

struct arg_reduce_state {
  size_t outer, length, inner, grain;
};

static enum onr_status arg_reduce_infer(struct onr_call *call) {
  const struct onr_arg_reduce_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  int32_t axis;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  struct onr_desc y = {.dtype = ONR_DTYPE_I64};
  for (int32_t d = 0; d < x->rank; d++) {
    if (d != axis) y.dim[y.rank++] = x->dim[d];
    else if (p->keep_dims) y.dim[y.rank++] = 1;
  }
  if (x->rank > 0 && x->dim[axis] == 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected elements along axis %d, found none", (int)axis);
  call->out[0] = y;
  return ONR_STATUS_OK;
}

static enum onr_status arg_reduce_plan(struct onr_call *call) {
  const struct onr_arg_reduce_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  struct arg_reduce_state *s = call->state;
  int32_t axis;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  s->outer = (size_t)onri_product(x, 0, axis);
  s->length = x->rank == 0 ? 1 : (size_t)x->dim[axis];
  s->inner = x->rank == 0 ? 1 : (size_t)onri_product(x, axis + 1, x->rank);
  const size_t item = s->length * (s->inner < COLUMNS ? s->inner : COLUMNS);
  s->grain = item == 0 || item >= 16384 ? 1 : 16384 / item;
  return ONR_STATUS_OK;
}

struct job {
  const struct arg_reduce_state *s;
  const struct onr_arg_reduce_params *p;
  enum onr_dtype dtype;
  const char *x;
  int64_t *y;
  const struct onr_env *env;
};

union block {
  float f32[COLUMNS];
  double f64[COLUMNS];
  int64_t i64[COLUMNS];
  uint64_t u64[COLUMNS];
};

/* x beats best: further out, equal where the last one counts, or the first NaN. */
#define BEATS_AS(x, best, minimum, last)                          \
  ((best) != (best) ? ((last) && (x) != (x))                      \
   : (x) != (x)     ? 1                                           \
   : (minimum)      ? ((x) < (best) || ((last) && (x) == (best))) \
                    : ((x) > (best) || ((last) && (x) == (best))))
#define BEATS(x, best) BEATS_AS(x, best, minimum, last)

#define COMPARE(member)                                       \
  for (size_t j = 0; j < count; j++)                          \
    if (index == 0 || BEATS(x->member[j], best->member[j])) { \
      best->member[j] = x->member[j];                         \
      y[j] = index;                                           \
    }

static void take_row(const struct job *job, enum onri_class class, const union block *x, union block *best,
                     size_t count, int64_t index, int64_t *y) {
  const int minimum = job->p->minimum != 0, last = job->p->select_last != 0;
  switch (class) {
    case ONRI_CLASS_F32: COMPARE(f32) break;
    case ONRI_CLASS_F64: COMPARE(f64) break;
    case ONRI_CLASS_I64: COMPARE(i64) break;
    default: COMPARE(u64) break;
  }
}

/* Float32, by vectors: a line by itself, or columns side by side. */
static void arg_lines(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const struct arg_reduce_state *s = job->s;
  const struct onri_reduce_kernels *kernels = onri_kernels(reduce);
  const int minimum = job->p->minimum != 0, last = job->p->select_last != 0;
  const size_t blocks = (s->inner + COLUMNS - 1) / COLUMNS;
  struct onri_pace pace = {job->env, 0};
  for (size_t item = begin; item < end && !onri_pace_stop(&pace, s->length); item++) {
    const size_t outer = item / blocks, column = item % blocks * COLUMNS, rest = s->inner - column;
    const float *x = (const float *)(const void *)job->x + outer * s->length * s->inner + column;
    int64_t *y = job->y + outer * s->inner + column;
    const struct onri_lines lines = {
        .x = x, .columns = rest < COLUMNS ? rest : COLUMNS, .column_step = 1, .rows = s->length, .row_step = s->inner};
    if (s->inner == 1) *y = (int64_t)kernels->place[minimum][last](x, s->length);
    else kernels->places[minimum][last](&lines, y);
  }
}

/* Short lines of float32, one behind the other. */
static void arg_short_lines(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const struct onri_lines lines = {.x = (const float *)(const void *)job->x + begin * job->s->length,
                                   .columns = end - begin,
                                   .column_step = job->s->length,
                                   .rows = job->s->length,
                                   .row_step = 1};
  onri_kernels(reduce)->places[job->p->minimum != 0][job->p->select_last != 0](&lines, job->y + begin);
}

/* Other types: a line of neighbours. Most blocks hold nothing that beats what came before, nor a NaN, and are asked at
 * once. */
#define SCAN_FOR(minimum, last)                                                                                      \
  {                                                                                                                  \
    int some = 0;                                                                                                    \
    for (size_t j = 0; j < count; j++)                                                                               \
      some |= (minimum) ? ((last) ? !(x[j] > best) : !(x[j] >= best)) : ((last) ? !(x[j] < best) : !(x[j] <= best)); \
    for (size_t j = 0; j < count && some; j++)                                                                       \
      if (BEATS_AS(x[j], best, minimum, last)) {                                                                     \
        best = x[j];                                                                                                 \
        place = (int64_t)j;                                                                                          \
      }                                                                                                              \
  }
#define SCAN(member, type)                                                                        \
  static int64_t scan_##member(const type *x, size_t count, type *given, const struct job *job) { \
    type best = *given;                                                                           \
    int64_t place = -1;                                                                           \
    if (job->p->minimum && job->p->select_last) SCAN_FOR(1, 1)                                    \
    else if (job->p->minimum) SCAN_FOR(1, 0)                                                      \
    else if (job->p->select_last) SCAN_FOR(0, 1)                                                  \
    else SCAN_FOR(0, 0)                                                                           \
    *given = best;                                                                                \
    return place;                                                                                 \
  }
SCAN(f32, float)
SCAN(f64, double)
SCAN(i64, int64_t)
SCAN(u64, uint64_t)

static int64_t scan(const struct job *job, const union block *x, size_t count, union block *best) {
  switch (onri_dtype_class(job->dtype)) {
    case ONRI_CLASS_F32: return scan_f32(x->f32, count, best->f32, job);
    case ONRI_CLASS_F64: return scan_f64(x->f64, count, best->f64, job);
    case ONRI_CLASS_I64: return scan_i64(x->i64, count, best->i64, job);
    default: return scan_u64(x->u64, count, best->u64, job);
  }
}

static void arg_scan(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const size_t length = job->s->length, size = onr_dtype_size(job->dtype);
  struct onri_pace pace = {job->env, 0};
  for (size_t line = begin; line < end; line++) {
    union block x, best;
    int64_t place = 0;
    onri_widen(job->dtype, job->x + line * length * size, 1, &best);
    for (size_t i = 0; i < length && !onri_pace_stop(&pace, COLUMNS); i += COLUMNS) {
      const size_t count = length - i < COLUMNS ? length - i : COLUMNS;
      onri_widen(job->dtype, job->x + (line * length + i) * size, count, &x);
      const int64_t found = scan(job, &x, count, &best);
      if (found >= 0) place = (int64_t)i + found;
    }
    job->y[line] = place;
  }
}

static void arg_range(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const struct arg_reduce_state *s = job->s;
  const size_t blocks = (s->inner + COLUMNS - 1) / COLUMNS, size = onr_dtype_size(job->dtype);
  const enum onri_class class = onri_dtype_class(job->dtype);
  for (size_t item = begin; item < end; item++) {
    const size_t outer = item / blocks, column = item % blocks * COLUMNS, rest = s->inner - column;
    const size_t count = rest < COLUMNS ? rest : COLUMNS;
    union block x, best;
    struct onri_pace pace = {job->env, 0};
    for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 8 + count); i++) {
      onri_widen(job->dtype, job->x + ((outer * s->length + i) * s->inner + column) * size, count, &x);
      take_row(job, class, &x, &best, count, (int64_t)i, job->y + outer * s->inner + column);
    }
  }
}

static enum onr_status arg_reduce_run(struct onr_call *call) {
  const struct arg_reduce_state *s = call->state;
  struct job job = {s, call->params, call->in[0].dtype, call->inputs[0], call->outputs[0], call->env};
  const int vectors = job.dtype == ONR_DTYPE_F32 && s->length <= INT32_MAX;
  onr_parallel_for(call->env, s->outer * ((s->inner + COLUMNS - 1) / COLUMNS), s->grain,
                   !vectors && s->inner == 1             ? arg_scan
                   : !vectors                            ? arg_range
                   : s->inner == 1 && s->length <= SHORT ? arg_short_lines
                                                         : arg_lines,
                   &job);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_arg_reduce = {
    .name = "arg_reduce",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER},
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_I64),
    .layout = ONRI_LAYOUT_ARG_REDUCE,
    .layout_param = offsetof(struct onr_arg_reduce_params, axis),
    .params_size = sizeof(struct onr_arg_reduce_params),
    .state_size = sizeof(struct arg_reduce_state),
    .infer = arg_reduce_infer,
    .plan = arg_reduce_plan,
    .run = arg_reduce_run,
};
