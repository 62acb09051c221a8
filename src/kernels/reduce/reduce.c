/* reduce.c: see reduce.h. */
#include "kernels/reduce/reduce.h"
#include "kernels/convert/convert.h"

#include "kernels/kernels.h"
#include "kernels/reduce/reduce_lines.h"

#include <math.h>

enum { BLOCK = 256, LANES = 8 };

static const void *element(const struct onri_reduce *r, size_t at) {
  return (const char *)r->x + at * onr_dtype_size(r->dtype);
}

/* --- readers: a block as the type that the loops take --- */

static const float *read_f32(const struct onri_reduce *r, size_t at, size_t count, float *buffer) {
  if (r->dtype == ONR_DTYPE_F32) return element(r, at);
  onri_widen(r->dtype, element(r, at), count, buffer);
  return buffer;
}

/* Integers come here for the ops whose result is a root or a logarithm. */
static const double *read_f64(const struct onri_reduce *r, size_t at, size_t count, double *buffer) {
  const enum onri_class class = onri_dtype_class(r->dtype);
  if (class == ONRI_CLASS_F64) return element(r, at);
  union {
    int64_t i[BLOCK];
    uint64_t u[BLOCK];
  } wide;
  onri_widen(r->dtype, element(r, at), count, &wide);
  for (size_t i = 0; i < count; i++) buffer[i] = class == ONRI_CLASS_I64 ? (double)wide.i[i] : (double)wide.u[i];
  return buffer;
}

static const int64_t *read_i64(const struct onri_reduce *r, size_t at, size_t count, int64_t *buffer) {
  if (r->dtype == ONR_DTYPE_I64) return element(r, at);
  onri_widen(r->dtype, element(r, at), count, buffer);
  return buffer;
}

static const uint64_t *read_u64(const struct onri_reduce *r, size_t at, size_t count, uint64_t *buffer) {
  if (r->dtype == ONR_DTYPE_U64) return element(r, at);
  onri_widen(r->dtype, element(r, at), count, buffer);
  return buffer;
}

/* --- loops --- */

#define A double
#define LOWEST (-(double)INFINITY)
#define HIGHEST ((double)INFINITY)
#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))
#define ABS(a) fabs(a)
#define EXP(a, shift) exp((a) - (shift))
#include "base/env.h"
#define T double
#define NAME(x) x##_f64
#include "kernels/reduce/reduce_type.h"
#undef T
#undef NAME
#undef A
#undef LOWEST
#undef HIGHEST
#undef ABS
#undef EXP

#undef ADD
#undef MUL

/* Integers wrap around; exponentials of integers are taken in double. */
#define EXP(a, shift) ((a) - (shift))
#define A int64_t
#define LOWEST INT64_MIN
#define HIGHEST INT64_MAX
#define ADD(a, b) ((int64_t)((uint64_t)(a) + (uint64_t)(b)))
#define MUL(a, b) ((int64_t)((uint64_t)(a) * (uint64_t)(b)))
#define ABS(a) ((a) < 0 ? (int64_t)(0 - (uint64_t)(a)) : (a))
#define T int64_t
#define NAME(x) x##_i64
#include "kernels/reduce/reduce_type.h"
#undef T
#undef NAME
#undef A
#undef LOWEST
#undef HIGHEST
#undef ABS
#undef ADD
#undef MUL

#define A uint64_t
#define LOWEST 0
#define HIGHEST UINT64_MAX
#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))
#define ABS(a) (a)
#define T uint64_t
#define NAME(x) x##_u64
#include "kernels/reduce/reduce_type.h"
#undef T
#undef NAME

/* --- results --- */

static enum onri_take take_of(enum onr_reduce_op op) {
  switch (op) {
    case ONR_REDUCE_MAX:
    case ONR_REDUCE_LOG_SUM_EXP: return ONRI_TAKE_MAX; /* its first pass */
    case ONR_REDUCE_MIN: return ONRI_TAKE_MIN;
    case ONR_REDUCE_PROD: return ONRI_TAKE_PROD;
    case ONR_REDUCE_L1: return ONRI_TAKE_ABS;
    case ONR_REDUCE_L2:
    case ONR_REDUCE_SUM_SQUARE: return ONRI_TAKE_SQUARE;
    default: return ONRI_TAKE_SUM;
  }
}

/* Elements behind each result. */
static double depth_of(const struct onri_reduce *r) {
  return (double)r->rows.count * (r->columns == 0 ? (double)r->run : 1.0);
}

double onri_take_start(enum onri_take what) {
  switch (what) {
    case ONRI_TAKE_PROD: return 1;
    case ONRI_TAKE_MAX: return -(double)INFINITY;
    case ONRI_TAKE_MIN: return (double)INFINITY;
    default: return 0;
  }
}

enum { ROWS = 1024 };

/* The rows of the innermost dimension from `row` on as lines, at most ROWS of them. */
static struct onri_lines lines_from(const struct onri_reduce *r, size_t start, size_t row, size_t width) {
  const struct onri_dims *rows = &r->rows;
  const int32_t last = rows->rank - 1;
  const size_t left = rows->rank == 0 ? 1 : rows->dim[last] - row % rows->dim[last];
  return (struct onri_lines){.x = element(r, start + onri_dims_offset(rows, row)),
                             .columns = width,
                             .column_step = r->column_step,
                             .rows = left < ROWS ? left : ROWS,
                             .row_step = rows->rank == 0 ? 0 : rows->stride[last]};
}

static double combined(enum onri_take what, double a, double b) {
  switch (what) {
    case ONRI_TAKE_PROD: return a * b;
    case ONRI_TAKE_MAX: return b != b || b > a ? b : a;
    case ONRI_TAKE_MIN: return b != b || b < a ? b : a;
    default: return a + b;
  }
}

/* How many rows of few columns are taken as one: those that lie one behind the other fill vectors together. */
static size_t fold_of(const struct onri_reduce *r, size_t width) {
  const struct onri_dims *rows = &r->rows;
  const int dense = rows->rank > 0 && r->column_step == 1 && rows->stride[rows->rank - 1] == width;
  return dense && width < ONRI_REDUCE_COLUMNS / 4 ? ONRI_REDUCE_COLUMNS / 2 / width : 1;
}

static void pass_lines(const struct onri_reduce *r, size_t start, size_t width, enum onri_take what, double *acc,
                       const double *shift) {
  void (*take)(const struct onri_lines *lines, double *acc) = onri_kernels()->reduce->lines[what];
  const size_t fold = fold_of(r, width);
  double folded[ONRI_REDUCE_COLUMNS], centre[ONRI_REDUCE_COLUMNS];
  struct onri_pace pace = {r->env, 0};
  for (size_t i = 0; i < fold * width && fold > 1; i++) folded[i] = onri_take_start(what), centre[i] = shift[i % width];
  for (size_t row = 0; row < r->rows.count;) {
    struct onri_lines lines = lines_from(r, start, row, width);
    if (onri_pace_stop(&pace, lines.rows * 64)) return;
    row += lines.rows;
    if (fold > 1 && lines.rows >= fold) {
      struct onri_lines wide = lines;
      wide.columns = wide.row_step = fold * width;
      wide.rows = lines.rows / fold;
      wide.centre = what == ONRI_TAKE_EXP ? centre : NULL;
      take(&wide, folded);
      lines.x += wide.rows * wide.row_step;
      lines.rows %= fold;
    }
    lines.centre = what == ONRI_TAKE_EXP ? shift : NULL;
    if (lines.rows > 0) take(&lines, acc);
  }
  for (size_t i = 0; i < fold * width && fold > 1; i++) acc[i % width] = combined(what, acc[i % width], folded[i]);
}

/* Narrow floats pass through a buffer. */
static void pass_vectors(const struct onri_reduce *r, size_t start, size_t width, enum onri_take what, double *acc,
                         const double *shift) {
  const struct onri_reduce_kernels *kernels = onri_kernels()->reduce;
  const size_t piece = r->columns == 0 ? r->run : width, block = r->dtype == ONR_DTYPE_F32 ? 16 * BLOCK : BLOCK;
  float buffer[BLOCK];
  struct onri_pace pace = {r->env, 0};
  for (size_t i = 0; i < width; i++) acc[i] = onri_take_start(what);
  if (r->columns > 0 && r->dtype == ONR_DTYPE_F32) {
    pass_lines(r, start, width, what, acc, shift);
    return;
  }
  for (size_t row = 0; row < r->rows.count; row++) {
    const size_t at = start + onri_dims_offset(&r->rows, row);
    for (size_t i = 0; i < piece; i += block) {
      if (onri_pace_stop(&pace, 2 * block)) return;
      const size_t count = piece - i < block ? piece - i : block;
      const float *x = read_f32(r, at + i, count, buffer);
      const struct onri_lines line = {.x = x, .columns = count, .column_step = 1, .rows = 1, .centre = shift + i};
      if (r->columns == 0) acc[0] = kernels->run[what](x, count, shift[0], acc[0]);
      else kernels->lines[what](&line, acc + i);
    }
  }
}

static void pass_double(const struct onri_reduce *r, size_t start, size_t width, enum onri_take what, double *acc,
                        const double *shift) {
  if (onri_dtype_class(r->dtype) == ONRI_CLASS_F32) pass_vectors(r, start, width, what, acc, shift);
  else pass_f64(r, start, width, what, acc, shift);
}

static int64_t to_integer(double v) {
  if (!(v > -9.2e18)) return INT64_MIN; /* NaN too */
  return v >= 9.2e18 ? INT64_MAX : (int64_t)v;
}

static void store_doubles(const struct onri_reduce *r, const double *values, size_t count, void *y) {
  union {
    float f[ONRI_REDUCE_COLUMNS];
    int64_t i[ONRI_REDUCE_COLUMNS];
  } narrow;
  switch (onri_dtype_class(r->dtype)) {
    case ONRI_CLASS_F64: onri_narrow(r->dtype, values, count, y); return;
    case ONRI_CLASS_F32:
      for (size_t i = 0; i < count; i++) narrow.f[i] = (float)values[i];
      break;
    default:
      for (size_t i = 0; i < count; i++) narrow.i[i] = to_integer(values[i]);
      break;
  }
  onri_narrow(r->dtype, &narrow, count, y);
}

static void reduce_double(const struct onri_reduce *r, size_t start, size_t width, void *y) {
  double acc[ONRI_REDUCE_COLUMNS], shift[ONRI_REDUCE_COLUMNS] = {0};
  pass_double(r, start, width, take_of(r->op), acc, shift);
  if (r->op == ONR_REDUCE_LOG_SUM_EXP) {
    for (size_t i = 0; i < width; i++) shift[i] = isfinite(acc[i]) ? acc[i] : 0.0;
    pass_double(r, start, width, ONRI_TAKE_EXP, acc, shift);
  }
  for (size_t i = 0; i < width; i++) {
    if (r->op == ONR_REDUCE_MEAN) acc[i] /= depth_of(r);
    if (r->op == ONR_REDUCE_L2) acc[i] = sqrt(acc[i]);
    if (r->op == ONR_REDUCE_LOG_SUM || r->op == ONR_REDUCE_LOG_SUM_EXP) acc[i] = log(acc[i]) + shift[i];
  }
  store_doubles(r, acc, width, y);
}

static void reduce_i64(const struct onri_reduce *r, size_t start, size_t width, void *y) {
  const int64_t shift[ONRI_REDUCE_COLUMNS] = {0}, depth = (int64_t)depth_of(r);
  int64_t acc[ONRI_REDUCE_COLUMNS];
  pass_i64(r, start, width, take_of(r->op), acc, shift);
  if (r->op == ONR_REDUCE_MEAN)
    for (size_t i = 0; i < width; i++) acc[i] = depth == 0 ? 0 : acc[i] / depth;
  onri_narrow(r->dtype, acc, width, y);
}

static void reduce_u64(const struct onri_reduce *r, size_t start, size_t width, void *y) {
  const uint64_t shift[ONRI_REDUCE_COLUMNS] = {0}, depth = (uint64_t)depth_of(r);
  uint64_t acc[ONRI_REDUCE_COLUMNS];
  pass_u64(r, start, width, take_of(r->op), acc, shift);
  if (r->op == ONR_REDUCE_MEAN)
    for (size_t i = 0; i < width; i++) acc[i] = depth == 0 ? 0 : acc[i] / depth;
  onri_narrow(r->dtype, acc, width, y);
}

/* The extreme of nothing: the type's own bound, which the wide accumulator would not give. */
static void fill_extreme(const struct onri_reduce *r, size_t width, void *y) {
  const int bits = r->dtype == ONR_DTYPE_BOOL ? 1 : (int)onr_dtype_size(r->dtype) * 8, max = r->op == ONR_REDUCE_MAX;
  const int is_signed = onri_dtype_class(r->dtype) == ONRI_CLASS_I64 && r->dtype != ONR_DTYPE_BOOL;
  const uint64_t all = UINT64_MAX >> (64 - bits), low = is_signed ? ~(all >> 1) : 0, high = is_signed ? all >> 1 : all;
  uint64_t values[ONRI_REDUCE_COLUMNS];
  for (size_t i = 0; i < width; i++) values[i] = max ? low : high;
  onri_narrow(r->dtype, values, width, y);
}

static void reduce_item(const struct onri_reduce *r, size_t start, size_t width, void *y) {
  const enum onri_class class = onri_dtype_class(r->dtype);
  const int extreme = r->op == ONR_REDUCE_MAX || r->op == ONR_REDUCE_MIN;
  const int real = r->op == ONR_REDUCE_L2 || r->op == ONR_REDUCE_LOG_SUM || r->op == ONR_REDUCE_LOG_SUM_EXP;
  if (class == ONRI_CLASS_F32 || class == ONRI_CLASS_F64 || real) reduce_double(r, start, width, y);
  else if (extreme && depth_of(r) == 0.0) fill_extreme(r, width, y);
  else if (class == ONRI_CLASS_I64) reduce_i64(r, start, width, y);
  else reduce_u64(r, start, width, y);
}

static size_t column_blocks(const struct onri_reduce *r) {
  return r->columns == 0 ? 1 : (r->columns + ONRI_REDUCE_COLUMNS - 1) / ONRI_REDUCE_COLUMNS;
}

size_t onri_reduce_items(const struct onri_reduce *r) { return r->kept.count * column_blocks(r); }

void onri_reduce(const struct onri_reduce *r, size_t first_item, size_t last_item) {
  const size_t blocks = column_blocks(r), per_position = r->columns == 0 ? 1 : r->columns;
  for (size_t item = first_item; item < last_item; item++) {
    const size_t position = item / blocks, column = item % blocks * ONRI_REDUCE_COLUMNS, rest = per_position - column;
    const size_t width = rest < ONRI_REDUCE_COLUMNS ? rest : ONRI_REDUCE_COLUMNS;
    reduce_item(r, onri_dims_offset(&r->kept, position) + column * r->column_step, width,
                (char *)r->y + (position * per_position + column) * onr_dtype_size(r->dtype));
  }
}
