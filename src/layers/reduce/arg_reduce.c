/* arg_reduce.c: index of the largest or smallest element along an axis. NaN counts as larger and smaller than any
 * number.
 *
 * input 0   x  any shape, any number type
 * output 0     int64; the axis is 1 or gone */
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "layers/elementwise/scratch.h"
#include "kernels/kernels.h"
#include "kernels/move/turned.h"
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

/* --- other types: a line in pieces, the extreme of each and where it lies --- */

enum { PIECE = 1024 };

/* x beats best, which came before it: further out, equal where the last one counts, or the first NaN. */
static int beats(float x, float best, const struct onr_arg_reduce_params *p) {
  if (best != best) return p->select_last && x != x;
  if (x != x) return 1;
  return (p->minimum ? x < best : x > best) || (p->select_last && x == best);
}

#define FIND(name, type)                                                                                     \
  static size_t find_##name(const type *x, size_t count, type wanted, int last) {                            \
    for (size_t i = 0; i < count; i += COLUMNS) {                                                            \
      const size_t rest = count - i, some = rest < COLUMNS ? rest : COLUMNS, first = last ? rest - some : i; \
      int is_there = 0;                                                                                      \
      for (size_t j = 0; j < some; j++) is_there |= x[first + j] == wanted;                                  \
      for (size_t j = 0; j < some && is_there; j++) {                                                        \
        const size_t at = first + (last ? some - 1 - j : j);                                                 \
        if (x[at] == wanted) return at;                                                                      \
      }                                                                                                      \
    }                                                                                                        \
    return 0;                                                                                                \
  }
FIND(8, uint8_t)
FIND(16, uint16_t)
FIND(32, uint32_t)
FIND(64, uint64_t)
#undef FIND

/* Floats narrower than float32. */
static void arg_narrow(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const size_t length = job->s->length, size = onr_dtype_size(job->dtype);
  const int minimum = job->p->minimum != 0, last = job->p->select_last != 0;
  struct onri_pace pace = {job->env, 0};
  float x[PIECE], best = 0;
  for (size_t line = begin; line < end; line++) {
    job->y[line] = 0;
    for (size_t i = 0; i < length && !onri_pace_stop(&pace, PIECE); i += PIECE) {
      const size_t count = length - i < PIECE ? length - i : PIECE;
      onri_widen(job->dtype, job->x + (line * length + i) * size, count, x);
      const size_t place = onri_kernels(reduce)->place[minimum][last](x, count);
      if (i > 0 && !beats(x[place], best, job->p)) continue;
      best = x[place];
      job->y[line] = (int64_t)(i + place);
    }
  }
}

static size_t find(const void *x, size_t size, size_t count, uint64_t wanted, int last) {
  switch (size) {
    case 1: return find_8(x, count, (uint8_t)wanted, last);
    case 2: return find_16(x, count, (uint16_t)wanted, last);
    case 4: return find_32(x, count, (uint32_t)wanted, last);
    default: return find_64(x, count, wanted, last);
  }
}

static void arg_integers(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const size_t length = job->s->length, size = onr_dtype_size(job->dtype), k = size == 8 ? 3 : size / 2;
  const int last = job->p->select_last != 0;
  const uint64_t flip = onri_integer_flip(job->dtype, job->p->minimum != 0);
  const int64_t least = (int64_t)(UINT64_MAX << (8 * size - 1));
  struct onri_pace pace = {job->env, 0};
  for (size_t line = begin; line < end; line++) {
    int64_t best = least;
    job->y[line] = 0;
    for (size_t i = 0; i < length && !onri_pace_stop(&pace, PIECE); i += PIECE) {
      const size_t count = length - i < PIECE ? length - i : PIECE;
      const char *x = job->x + (line * length + i) * size;
      const int64_t found = onri_kernels(reduce)->greatest_of_run[k](x, count, flip, least);
      if (i > 0 && (last ? found < best : found <= best)) continue;
      best = found;
      job->y[line] = (int64_t)(i + find(x, size, count, (uint64_t)found ^ flip, last));
    }
  }
}

/* --- other types, side by side: as numbers of 64 bits --- */

struct places {
  int64_t best[COLUMNS], place[COLUMNS];
};

/* Takes in rows from `first` of the axis on, as numbers of 64 bits where they are of a narrower type. */
static void take_rows(const struct job *job, struct onri_places_rows *r, const char *rows, size_t first, size_t count) {
  union {
    float f32[COLUMNS];
    uint64_t all[COLUMNS];
  } x;
  const size_t joined = (size_t)r->each;
  if (onri_is_native(job->dtype)) {
    r->x = rows, r->first = (int64_t)first, r->rows = count;
    onri_kernels(reduce)->places_rows(r);
    return;
  }
  for (size_t i = 0; i < count; i++, rows += r->row_step) {
    onri_widen(job->dtype, rows, r->columns, &x);
    r->x = &x, r->first = (int64_t)(first + i * joined), r->rows = 1;
    onri_kernels(reduce)->places_rows(r);
  }
}

/* Rows of up to COLUMNS elements, `step` bytes apart, as which `joined` of the axis go together; the last one may be
 * of some that came before once more. A column's place is the first of those. */
static void find_places(const struct job *job, const char *rows, size_t step, size_t columns, size_t joined,
                        struct places *p) {
  const size_t length = job->s->length, whole = length / joined, some = 16384 / columns;
  struct onri_places_rows r = {.class = onri_dtype_class(job->dtype),
                               .columns = columns,
                               .row_step = joined * step,
                               .each = (int64_t)joined,
                               .minimum = job->p->minimum != 0,
                               .last = job->p->select_last != 0,
                               .best = p->best,
                               .place = p->place};
  for (size_t i = 0; i < whole && !onr_env_cancelled(job->env); i += some)
    take_rows(job, &r, rows + i * joined * step, i * joined, whole - i < some ? whole - i : some);
  if (whole * joined < length) take_rows(job, &r, rows + (length - joined) * step, length - joined, 1);
}

static void arg_columns(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const struct arg_reduce_state *s = job->s;
  const size_t blocks = (s->inner + COLUMNS - 1) / COLUMNS, size = onr_dtype_size(job->dtype);
  for (size_t item = begin; item < end && !onr_env_cancelled(job->env); item++) {
    const size_t outer = item / blocks, column = item % blocks * COLUMNS, rest = s->inner - column,
                 count = rest < COLUMNS ? rest : COLUMNS;
    struct places p;
    find_places(job, job->x + (outer * s->length * s->inner + column) * size, s->inner * size, count, 1, &p);
    memcpy(job->y + outer * s->inner + column, p.place, count * sizeof(*p.place));
  }
}

/* Few columns of many rows, or one: some rows go together as one. */
static void arg_joined(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const struct arg_reduce_state *s = job->s;
  const size_t inner = s->inner, joined = inner == 1 ? SHORT : COLUMNS / inner, size = onr_dtype_size(job->dtype);
  for (size_t outer = begin; outer < end && !onr_env_cancelled(job->env); outer++) {
    struct places p;
    find_places(job, job->x + outer * s->length * inner * size, inner * size, joined * inner, joined, &p);
    for (size_t c = 0; c < inner; c++) {
      size_t at = c;
      for (size_t j = c; j < joined * inner; j += inner) {
        p.place[j] += (int64_t)(j / inner);
        const int is_further = job->p->select_last ? p.place[j] > p.place[at] : p.place[j] < p.place[at];
        if (p.best[j] > p.best[at] || (p.best[j] == p.best[at] && is_further)) at = j;
      }
      job->y[outer * inner + c] = p.place[at];
    }
  }
}

/* Short groups of few columns, one behind the other, are turned: of up to SHORT rows, or 4 SHORT elements. */
static void arg_turned(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const size_t length = job->s->length, inner = job->s->inner, size = onr_dtype_size(job->dtype);
  const size_t most = (length <= SHORT ? COLUMNS : SHORT * COLUMNS / length) / inner;
  uint64_t rows[SHORT * COLUMNS];
  struct places p;
  for (size_t count; begin < end && !onr_env_cancelled(job->env); begin += count) {
    count = end - begin < most ? end - begin : most;
    onri_turn(job->x + begin * length * inner * size, rows, count, length * inner, size);
    find_places(job, (const char *)rows, inner * count * size, inner * count, 1, &p);
    onri_turn(p.place, job->y + begin * inner, inner, count, sizeof(*p.place));
  }
}

static enum onr_status arg_reduce_run(struct onr_call *call) {
  const struct arg_reduce_state *s = call->state;
  struct job job = {s, call->params, call->in[0].dtype, call->inputs[0], call->outputs[0], call->env};
  const int vectors = job.dtype == ONR_DTYPE_F32 && s->length <= INT32_MAX;
  const enum onri_class class = onri_dtype_class(job.dtype);
  const int is_whole = class != ONRI_CLASS_F32 && class != ONRI_CLASS_F64;
  const int is_joined = s->inner > 1 || job.dtype == ONR_DTYPE_F64;
  const int is_short = s->length <= SHORT, is_narrow = s->inner <= COLUMNS / 4;
  const int is_turned = is_narrow && (is_short || (is_joined && s->length * s->inner <= 4 * SHORT));
  onr_parallel_for(call->env, s->outer * ((s->inner + COLUMNS - 1) / COLUMNS), s->grain,
                   vectors && is_short && s->inner == 1                   ? arg_short_lines
                   : vectors && (is_short || !is_narrow || s->inner == 1) ? arg_lines
                   : is_turned                                            ? arg_turned
                   : is_narrow && is_joined                               ? arg_joined
                   : s->inner > 1                                         ? arg_columns
                   : is_whole                                             ? arg_integers
                                                                          : arg_narrow,
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
