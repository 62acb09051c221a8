/* reduce.c: see reduce.h. */
#include "kernels/reduce/reduce.h"

#include <math.h>
#include <string.h>

#include "base/env.h"
#include "kernels/convert/convert.h"
#include "kernels/kernels.h"
#include "kernels/move/transpose.h"
#include "kernels/move/turned.h"
#include "kernels/reduce/reduce_lines.h"

enum { BLOCK = 256, ROWS = 1024, FLOATS = 4096, STAGED = 16384 /* bytes */ };

/* Elements behind each result. */
static double depth_of(const struct onri_reduce *r) {
  return (double)r->rows.count * (r->columns == 0 ? (double)r->run : (double)r->joined);
}

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

double onri_take_start(enum onri_take what) {
  switch (what) {
    case ONRI_TAKE_PROD: return 1;
    case ONRI_TAKE_MAX: return -(double)INFINITY;
    case ONRI_TAKE_MIN: return (double)INFINITY;
    default: return 0;
  }
}

/* --- what is read --- */

static const void *element(const struct onri_reduce *r, size_t at) {
  return (const char *)r->x + at * onr_dtype_size(r->dtype);
}

/* Results that are made together: those of positions from `position` on, or of columns side by side. */
struct part {
  size_t position, width /* at most ONRI_REDUCE_COLUMNS */;
  size_t start; /* where the first column lies */
};

/* Where the run of result i lies. */
static size_t start_of(const struct onri_reduce *r, struct part part, size_t i) {
  return onri_dims_offset(&r->kept, part.position + i);
}

/* Rows that are the same distance apart. */
struct rows {
  const void *x;
  size_t count, step;
};

/* From `row` on, at most ROWS of them. */
static struct rows rows_from(const struct onri_reduce *r, size_t start, size_t row) {
  const struct onri_dims *rows = &r->rows;
  const int32_t last = rows->rank - 1;
  const size_t left = rows->rank == 0 ? 1 : rows->dim[last] - row % rows->dim[last];
  return (struct rows){.x = element(r, start + onri_dims_offset(rows, row)),
                       .count = left < ROWS ? left : ROWS,
                       .step = rows->rank == 0 ? 0 : rows->stride[last]};
}

/* The same where columns may be apart: these are brought side by side. */
static struct rows dense_rows_from(const struct onri_reduce *r, size_t start, size_t row, size_t width, void *staged) {
  struct rows rows = rows_from(r, start, row);
  const size_t size = onr_dtype_size(r->dtype), most = STAGED / (width * size);
  if (r->column_step == 1) return rows;
  if (rows.count > most) rows.count = most;
  const struct onri_transpose t = {rows.x,     staged, (ptrdiff_t)(r->column_step * size), (ptrdiff_t)(width * size),
                                   rows.count, width};
  onri_transpose(&t, size);
  return (struct rows){staged, rows.count, width};
}

/* --- real numbers --- */

/* Results of two parts of the rows. */
static void combine(enum onri_take what, double *acc, const double *more, size_t count) {
  switch (what) {
    case ONRI_TAKE_PROD:
      for (size_t i = 0; i < count; i++) acc[i] *= more[i];
      break;
    case ONRI_TAKE_MAX:
      for (size_t i = 0; i < count; i++) acc[i] = ((more[i] != more[i]) | (more[i] > acc[i])) ? more[i] : acc[i];
      break;
    case ONRI_TAKE_MIN:
      for (size_t i = 0; i < count; i++) acc[i] = ((more[i] != more[i]) | (more[i] < acc[i])) ? more[i] : acc[i];
      break;
    default:
      for (size_t i = 0; i < count; i++) acc[i] += more[i];
      break;
  }
}

/* Neighbours among results that are one; how many are left. */
static size_t join(const struct onri_reduce *r, enum onri_take what, double *acc, size_t width) {
  if (r->columns == 0 || r->joined == 1) return width;
  for (size_t i = 0; i < width / r->joined; i++) {
    double all = acc[i * r->joined];
    for (size_t j = 1; j < r->joined; j++) combine(what, &all, &acc[i * r->joined + j], 1);
    acc[i] = all;
  }
  return width / r->joined;
}

/* How many rows of few columns are taken as one: those that lie one behind the other fill vectors together. */
enum { MANY = 4 /* times as many rows as are folded: fewer are not worth it */, FOLDED = 64 /* columns, at most */ };
static size_t fold_of(const struct onri_reduce *r, size_t width) {
  const struct onri_dims *rows = &r->rows;
  const size_t last = rows->rank > 0 ? rows->dim[rows->rank - 1] : 0, piece = last < ROWS ? last : ROWS;
  const int dense = rows->rank > 0 && r->column_step == 1 && rows->stride[rows->rank - 1] == width;
  const size_t most = dense && width <= FOLDED / 2 ? FOLDED / width : 1;
  const size_t fold = piece == 0 ? 1 : piece / ((piece + most - 1) / most); /* so that few rows are left over */
  return rows->count < MANY * fold ? 1 : fold;
}

static void pass_lines(const struct onri_reduce *r, size_t start, size_t width, enum onri_take what, double *acc,
                       const double *shift) {
  void (*take)(const struct onri_lines *lines, double *acc) = onri_kernels(reduce)->lines[what];
  const size_t fold = fold_of(r, width);
  double folded[ONRI_REDUCE_COLUMNS], centre[ONRI_REDUCE_COLUMNS];
  struct onri_pace pace = {r->env, 0};
  for (size_t i = 0; i < fold * width && fold > 1; i++) folded[i] = onri_take_start(what);
  for (size_t f = 0; f < fold && fold > 1 && what == ONRI_TAKE_EXP; f++)
    memcpy(centre + f * width, shift, width * sizeof(*shift));
  for (size_t row = 0; row < r->rows.count;) {
    const struct rows next = rows_from(r, start, row);
    struct onri_lines lines = {
        .x = next.x, .columns = width, .column_step = r->column_step, .rows = next.count, .row_step = next.step};
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
  for (size_t f = 0; f < fold && fold > 1; f++) combine(what, acc, folded + f * width, width);
}

/* Narrow floats, many rows of few columns at a time. */
static void pass_narrow_lines(const struct onri_reduce *r, size_t start, size_t width, enum onri_take what, double *acc,
                              const double *shift) {
  float buffer[FLOATS];
  uint64_t staged[STAGED / 8];
  const size_t size = onr_dtype_size(r->dtype), most = FLOATS / width;
  const onri_conversion convert = onri_conversion_of(onri_kernels(convert), r->dtype, ONR_DTYPE_F32);
  struct onri_pace pace = {r->env, 0};
  for (size_t row = 0; row < r->rows.count && !onri_pace_stop(&pace, 2 * FLOATS);) {
    const struct rows next = dense_rows_from(r, start, row, width, staged);
    const size_t count = next.count < most ? next.count : most;
    if (next.step == width) onri_widen(r->dtype, next.x, count * width, buffer);
    for (size_t i = 0; i < count && next.step != width; i++) {
      const char *x = (const char *)next.x + i * next.step * size;
      if (convert) convert(x, buffer + i * width, width);
      else onri_widen(r->dtype, x, width, buffer + i * width);
    }
    onri_kernels(reduce)->lines[what](&(struct onri_lines){buffer, width, 1, count, width, shift}, acc);
    row += count;
  }
}

static void pass_floats(const struct onri_reduce *r, size_t start, enum onri_take what, double *acc, double shift) {
  float buffer[FLOATS];
  struct onri_pace pace = {r->env, 0};
  for (size_t row = 0; row < r->rows.count; row++) {
    const size_t at = start + onri_dims_offset(&r->rows, row);
    for (size_t i = 0; i < r->run && !onri_pace_stop(&pace, 2 * FLOATS); i += FLOATS) {
      const size_t count = r->run - i < FLOATS ? r->run - i : FLOATS;
      const float *x = element(r, at + i);
      if (r->dtype != ONR_DTYPE_F32) onri_widen(r->dtype, x, count, buffer), x = buffer;
      acc[0] = onri_kernels(reduce)->run[what](x, count, shift, acc[0]);
    }
  }
}

/* At most BLOCK numbers. Integers come here for the ops whose result is a root or a logarithm. */
static const double *read_f64(enum onr_dtype dtype, const void *x, size_t count, double *buffer) {
  const enum onri_class class = onri_dtype_class(dtype);
  union {
    int64_t i[BLOCK];
    uint64_t u[BLOCK];
  } wide;
  if (class == ONRI_CLASS_F64) return x;
  onri_widen(dtype, x, count, &wide);
  for (size_t i = 0; i < count; i++) buffer[i] = class == ONRI_CLASS_I64 ? (double)wide.i[i] : (double)wide.u[i];
  return buffer;
}

static void pass_doubles(const struct onri_reduce *r, size_t start, enum onri_take what, double *acc, double shift) {
  const size_t block = r->dtype == ONR_DTYPE_F64 ? FLOATS : BLOCK;
  double buffer[BLOCK];
  struct onri_pace pace = {r->env, 0};
  for (size_t row = 0; row < r->rows.count; row++) {
    const size_t at = start + onri_dims_offset(&r->rows, row);
    for (size_t i = 0; i < r->run && !onri_pace_stop(&pace, 4 * block); i += block) {
      const size_t count = r->run - i < block ? r->run - i : block;
      const double *x = read_f64(r->dtype, element(r, at + i), count, buffer);
      acc[0] = onri_kernels(reduce)->double_run[what](x, count, shift, acc[0]);
    }
  }
}

enum { TURNED = 12 }; /* neighbours: lines of more are faster as they lie than side by side */
static void pass_double_lines(const struct onri_reduce *r, size_t start, size_t width, enum onri_take what, double *acc,
                              const double *shift) {
  double buffer[BLOCK];
  uint64_t staged[STAGED / 8];
  const size_t size = onr_dtype_size(r->dtype);
  struct onri_pace pace = {r->env, 0};
  for (size_t row = 0; row < r->rows.count;) {
    struct rows next = rows_from(r, start, row);
    const int along = r->dtype == ONR_DTYPE_F64 && next.step == 1 && next.count > TURNED;
    if (!along) next = dense_rows_from(r, start, row, width, staged);
    struct onri_double_rows rows = {next.x, width, along ? r->column_step : 1, next.count, next.step, shift};
    if (onri_pace_stop(&pace, next.count * 2 * BLOCK)) return;
    row += next.count;
    if (r->dtype == ONR_DTYPE_F64) {
      onri_kernels(reduce)->doubles[what](&rows, acc);
      continue;
    }
    rows.rows = 1;
    for (size_t i = 0; i < next.count; i++) {
      rows.x = read_f64(r->dtype, (const char *)next.x + i * next.step * size, width, buffer);
      onri_kernels(reduce)->doubles[what](&rows, acc);
    }
  }
}

static void pass_real(const struct onri_reduce *r, struct part part, enum onri_take what, double *acc,
                      const double *shift) {
  const int is_float = onri_dtype_class(r->dtype) == ONRI_CLASS_F32;
  const double first = onri_take_start(what);
  if (first == 0) memset(acc, 0, part.width * sizeof(*acc));
  for (size_t i = 0; i < part.width && first != 0; i++) acc[i] = first;
  for (size_t i = 0; i < part.width && r->columns == 0; i++)
    (is_float ? pass_floats : pass_doubles)(r, start_of(r, part, i), what, &acc[i], shift ? shift[i] : 0);
  if (r->columns == 0) return;
  if (r->dtype == ONR_DTYPE_F32) pass_lines(r, part.start, part.width, what, acc, shift);
  else (is_float ? pass_narrow_lines : pass_double_lines)(r, part.start, part.width, what, acc, shift);
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
  const onri_conversion convert = onri_conversion_of(onri_kernels(convert), ONR_DTYPE_F64, ONR_DTYPE_F32);
  if (r->dtype == ONR_DTYPE_F32 && convert) {
    convert(values, y, count);
    return;
  }
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

static void reduce_double(const struct onri_reduce *r, struct part part, void *y) {
  double acc[ONRI_REDUCE_COLUMNS], shift[ONRI_REDUCE_COLUMNS];
  pass_real(r, part, take_of(r->op), acc, NULL);
  size_t width = join(r, take_of(r->op), acc, part.width);
  if (r->op == ONR_REDUCE_LOG_SUM_EXP) {
    double each[ONRI_REDUCE_COLUMNS];
    for (size_t i = 0; i < width; i++) shift[i] = isfinite(acc[i]) ? acc[i] : 0.0;
    for (size_t i = 0; i < part.width; i++) each[i] = shift[i / (part.width / width)];
    pass_real(r, part, ONRI_TAKE_EXP, acc, each);
    width = join(r, ONRI_TAKE_EXP, acc, part.width);
  }
  const double depth = depth_of(r);
  if (r->op == ONR_REDUCE_MEAN && r->dtype == ONR_DTYPE_F32) /* far more digits than the result has */
    for (size_t i = 0; i < width; i++) acc[i] *= 1 / depth;
  else if (r->op == ONR_REDUCE_MEAN)
    for (size_t i = 0; i < width; i++) acc[i] /= depth;
  for (size_t i = 0; i < width && r->op == ONR_REDUCE_L2; i++) acc[i] = sqrt(acc[i]);
  for (size_t i = 0; i < width && (r->op == ONR_REDUCE_LOG_SUM || r->op == ONR_REDUCE_LOG_SUM_EXP); i++)
    acc[i] = log(acc[i]) + (r->op == ONR_REDUCE_LOG_SUM ? 0 : shift[i]);
  store_doubles(r, acc, width, y);
}

/* --- integers --- */

/* Each of acc[width], or the only one, takes in its share of x. */
#define EACH(term)                                                  \
  if (width > 1)                                                    \
    for (size_t i = 0; i < count; i++) acc[i] = term(acc[i], x[i]); \
  else                                                              \
    for (size_t i = 0; i < count; i++) acc[0] = term(acc[0], x[i]); \
  break;
#define SUM(a, x) ((a) + (x))
#define ABS(a, x) ((a) + ((x) >> 63 ? 0 - (x) : (x)))
#define SQUARE(a, x) ((a) + (x) * (x))
#define PROD(a, x) ((a) * (x))

/* With a sign or without, sums and products wrap to the same bits. */
static void take_integers(enum onri_take what, int is_signed, const uint64_t *restrict x, size_t count, size_t width,
                          uint64_t *restrict acc) {
  switch (what == ONRI_TAKE_ABS && !is_signed ? ONRI_TAKE_SUM : what) {
    case ONRI_TAKE_PROD: EACH(PROD)
    case ONRI_TAKE_SQUARE: EACH(SQUARE)
    case ONRI_TAKE_ABS: EACH(ABS)
    default: EACH(SUM)
  }
}

/* Dense rows. Few columns go through vectors some rows at a time. */
static void take_rows(enum onri_take what, int is_signed, const uint64_t *x, size_t rows, size_t width, uint64_t *acc) {
  const size_t fold = width <= FOLDED / 2 ? FOLDED / width : 1, wide = fold * width;
  uint64_t folded[FOLDED] = {0};
  if (what != ONRI_TAKE_SUM) {
    for (size_t i = 0; i < rows; i++) take_integers(what, is_signed, x + i * width, width, width, acc);
    return;
  }
  if (fold == 1) {
    onri_kernels(reduce)->add_rows(x, width, rows, acc);
    return;
  }
  onri_kernels(reduce)->add_rows(x, wide, rows / fold, folded);
  onri_kernels(reduce)->add_rows(x + rows / fold * wide, width, rows % fold, acc);
  for (size_t f = 0; f < fold; f++)
    for (size_t i = 0; i < width; i++) acc[i] += folded[f * width + i];
}

static void integer_run(const struct onri_reduce *r, size_t start, uint64_t *acc) {
  const int is_signed = onri_dtype_class(r->dtype) == ONRI_CLASS_I64;
  const size_t size = onr_dtype_size(r->dtype);
  uint64_t buffer[BLOCK];
  struct onri_pace pace = {r->env, 0};
  for (size_t row = 0; row < r->rows.count && !onri_pace_stop(&pace, 2 * r->run); row++) {
    const char *x = element(r, start + onri_dims_offset(&r->rows, row));
    for (size_t i = 0; i < r->run; i += BLOCK) {
      const size_t n = r->run - i < BLOCK ? r->run - i : BLOCK;
      if (size < sizeof(*buffer)) onri_widen(r->dtype, x + i * size, n, buffer);
      take_integers(take_of(r->op), is_signed, size < sizeof(*buffer) ? buffer : (const void *)(x + i * size), n, 1,
                    acc);
    }
  }
}

static void integer_columns(const struct onri_reduce *r, struct part part, uint64_t *acc) {
  enum { WIDE = STAGED / 16 };
  const int is_signed = onri_dtype_class(r->dtype) == ONRI_CLASS_I64;
  const size_t size = onr_dtype_size(r->dtype), width = part.width, most = WIDE / width;
  uint64_t staged[STAGED / 8], wide[WIDE];
  struct onri_pace pace = {r->env, 0};
  for (size_t row = 0, count; row < r->rows.count; row += count) {
    const struct rows next = dense_rows_from(r, part.start, row, width, staged);
    const void *x = next.x;
    count = next.count < most ? next.count : most;
    if (onri_pace_stop(&pace, 2 * count * width)) break;
    if (size < sizeof(*wide) || next.step != width) {
      for (size_t i = 0; i < count && next.step != width; i++)
        onri_widen(r->dtype, (const char *)next.x + i * next.step * size, width, wide + i * width);
      if (next.step == width) onri_widen(r->dtype, next.x, count * width, wide);
      x = wide;
    }
    take_rows(take_of(r->op), is_signed, x, count, width, acc);
  }
}

/* As `join`, of integers. */
static size_t join_integers(const struct onri_reduce *r, uint64_t *acc, size_t width) {
  if (r->columns == 0 || r->joined == 1) return width;
  for (size_t i = 0; i < width / r->joined; i++) {
    uint64_t all = acc[i * r->joined];
    for (size_t j = 1; j < r->joined; j++)
      all = r->op == ONR_REDUCE_PROD ? all * acc[i * r->joined + j] : all + acc[i * r->joined + j];
    acc[i] = all;
  }
  return width / r->joined;
}

static void reduce_integers(const struct onri_reduce *r, struct part part, void *y) {
  const int is_signed = onri_dtype_class(r->dtype) == ONRI_CLASS_I64;
  const uint64_t depth = (uint64_t)depth_of(r);
  uint64_t acc[ONRI_REDUCE_COLUMNS];
  for (size_t i = 0; i < part.width; i++) acc[i] = r->op == ONR_REDUCE_PROD;
  for (size_t i = 0; i < part.width && r->columns == 0; i++) integer_run(r, start_of(r, part, i), &acc[i]);
  if (r->columns > 0) integer_columns(r, part, acc);
  const size_t width = join_integers(r, acc, part.width);
  for (size_t i = 0; i < width && r->op == ONR_REDUCE_MEAN; i++)
    acc[i] = depth == 0 ? 0 : is_signed ? (uint64_t)((int64_t)acc[i] / (int64_t)depth) : acc[i] / depth;
  onri_narrow(r->dtype, acc, width, y);
}

/* Extremes, in their own size: vectors hold many. */
static void extreme_columns(const struct onri_reduce *r, struct part part, size_t k, uint64_t flip, int64_t *wide) {
  static const enum onr_dtype with_sign[] = {ONR_DTYPE_I8, ONR_DTYPE_I16, ONR_DTYPE_I32, ONR_DTYPE_I64};
  int64_t acc[ONRI_REDUCE_COLUMNS]; /* of the type's size */
  uint64_t staged[STAGED / 8];
  struct onri_pace pace = {r->env, 0};
  onri_narrow(with_sign[k], wide, part.width, acc);
  for (size_t row = 0; row < r->rows.count;) {
    const struct rows next = dense_rows_from(r, part.start, row, part.width, staged);
    if (onri_pace_stop(&pace, next.count * 64)) return;
    onri_kernels(reduce)->greatest[k](&(struct onri_integer_rows){next.x, part.width, next.count, next.step, flip},
                                      acc);
    row += next.count;
  }
  onri_widen(with_sign[k], acc, part.width, wide);
}

static void extreme_run(const struct onri_reduce *r, size_t start, size_t k, uint64_t flip, int64_t *wide) {
  struct onri_pace pace = {r->env, 0};
  for (size_t row = 0; row < r->rows.count && !onri_pace_stop(&pace, r->run / 4); row++)
    *wide = onri_kernels(reduce)->greatest_of_run[k](element(r, start + onri_dims_offset(&r->rows, row)), r->run, flip,
                                                     *wide);
}

/* Those of nothing are the bounds of the type. */
static void reduce_extreme(const struct onri_reduce *r, struct part part, void *y) {
  const size_t size = onr_dtype_size(r->dtype), k = size == 8 ? 3 : size / 2, bits = 8 * size;
  const uint64_t all = UINT64_MAX >> (64 - bits), flip = onri_integer_flip(r->dtype, r->op == ONR_REDUCE_MIN);
  int64_t wide[ONRI_REDUCE_COLUMNS];
  for (size_t i = 0; i < part.width; i++) wide[i] = (int64_t)(UINT64_MAX << (bits - 1));
  for (size_t i = 0; i < part.width && r->columns == 0; i++) extreme_run(r, start_of(r, part, i), k, flip, &wide[i]);
  if (r->columns > 0) extreme_columns(r, part, k, flip, wide);
  const size_t joined = r->columns > 0 ? r->joined : 1, width = part.width / joined;
  for (size_t i = 0; i < width; i++) {
    int64_t most = wide[i * joined];
    for (size_t j = 1; j < joined; j++) most = wide[i * joined + j] > most ? wide[i * joined + j] : most;
    wide[i] = (int64_t)(((uint64_t)most ^ flip) & all);
  }
  onri_narrow(r->dtype, wide, width, y);
}

static void reduce_part(const struct onri_reduce *r, struct part part, void *y) {
  const enum onri_class class = onri_dtype_class(r->dtype);
  const int real = r->op == ONR_REDUCE_L2 || r->op == ONR_REDUCE_LOG_SUM || r->op == ONR_REDUCE_LOG_SUM_EXP;
  if (class == ONRI_CLASS_F32 || class == ONRI_CLASS_F64 || real) reduce_double(r, part, y);
  else if (r->op == ONR_REDUCE_MAX || r->op == ONR_REDUCE_MIN) reduce_extreme(r, part, y);
  else reduce_integers(r, part, y);
}

static size_t column_blocks(const struct onri_reduce *r) {
  return r->columns == 0 ? 1 : (r->columns + ONRI_REDUCE_COLUMNS - 1) / ONRI_REDUCE_COLUMNS;
}

size_t onri_reduce_items(const struct onri_reduce *r) {
  return r->groups > 0 ? r->groups : r->kept.count * column_blocks(r);
}

static void reduce_items(const struct onri_reduce *r, size_t first_item, size_t last_item) {
  const size_t blocks = column_blocks(r), size = onr_dtype_size(r->dtype);
  for (size_t item = first_item, count; item < last_item && r->columns == 0; item += count) {
    count = last_item - item < ONRI_REDUCE_COLUMNS ? last_item - item : ONRI_REDUCE_COLUMNS;
    reduce_part(r, (struct part){.position = item, .width = count}, (char *)r->y + item * size);
  }
  for (size_t item = first_item; item < last_item && r->columns > 0; item++) {
    const size_t position = item / blocks, column = item % blocks * ONRI_REDUCE_COLUMNS, rest = r->columns - column;
    const struct part part = {.position = position,
                              .width = rest < ONRI_REDUCE_COLUMNS ? rest : ONRI_REDUCE_COLUMNS,
                              .start = onri_dims_offset(&r->kept, position) + column * r->column_step};
    reduce_part(r, part, (char *)r->y + (position * r->columns + column) / r->joined * size);
  }
}

/* Groups side by side: each element of them is a row of columns that are the groups. */
static void reduce_groups(const struct onri_reduce *r, size_t first, size_t last) {
  uint64_t turned[ONRI_TURNED_BYTES / 8], results[ONRI_TURNED_BYTES / 8];
  const size_t size = onr_dtype_size(r->dtype), most = sizeof(turned) / (r->group * size);
  struct onri_pace pace = {r->env, 0};
  for (size_t count; first < last && !onri_pace_stop(&pace, sizeof(turned)); first += count) {
    struct onri_reduce part = *r;
    count = last - first < most ? last - first : most;
    onri_turn((const char *)r->x + first * r->group * size, turned, count, r->group, size);
    for (int32_t d = 0; d < part.kept.rank; d++) part.kept.stride[d] *= count;
    for (int32_t d = 0; d < part.rows.rank; d++) part.rows.stride[d] *= count;
    part.x = turned, part.y = results;
    part.groups = 0, part.columns = count, part.column_step = 1;
    reduce_items(&part, 0, onri_reduce_items(&part));
    onri_turn(results, (char *)r->y + first * r->kept.count * size, r->kept.count, count, size);
  }
}

static void reduce_direct(const struct onri_reduce *r, size_t first, size_t last) {
  const size_t columns = r->kept.count, most = FLOATS / r->group + 1;
  struct onri_pace pace = {r->env, 0};
  for (size_t count; first < last && !onri_pace_stop(&pace, FLOATS); first += count) {
    count = last - first < most ? last - first : most;
    onri_kernels(reduce)->extremes(&(struct onri_reduce_groups){(const float *)r->x + first * r->group,
                                                                (float *)r->y + first * columns, count, r->rows.count,
                                                                columns, r->op == ONR_REDUCE_MIN});
  }
}

void onri_reduce(const struct onri_reduce *r, size_t first_item, size_t last_item) {
  if (r->direct) reduce_direct(r, first_item, last_item);
  else if (r->groups > 0) reduce_groups(r, first_item, last_item);
  else reduce_items(r, first_item, last_item);
}
