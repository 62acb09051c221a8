/* normalize.c: see normalize.h. */
#include "kernels/norm/normalize.h"

#include <math.h>
#include <string.h>

#include "base/env.h"
#include "kernels/convert/convert.h"
#include "kernels/kernels.h"
#include "kernels/move/turned.h"
#include "kernels/reduce/reduce_lines.h"

enum { BLOCK = 512, COLUMNS = 64, DENSE = 4096, ROWS = 64 };

double onri_normalize_factor(enum onri_normalize_kind kind, double sum, double n, double epsilon) {
  onri_kernels(normalize)->factors(kind, &sum, 1, n, epsilon);
  return sum;
}

/* Sums of columns become the sum of all elements of the column's slice. */
static void spread_sum(const struct onri_normalize *n, double *columns, size_t slices) {
  for (size_t s = 0; s < slices; s++) {
    double sum = 0.0;
    for (size_t j = 0; j < n->run; j++) sum += columns[s * n->run + j];
    for (size_t j = 0; j < n->run; j++) columns[s * n->run + j] = sum;
  }
}

/* --- one class each: double in plain loops, float32 by vector kernels --- */

static double sum_f64(const double *x, size_t count, double mean, enum onri_take what) {
  double sum = 0.0;
  for (size_t i = 0; i < count; i++) {
    const double v = x[i] - mean;
    sum += what == ONRI_TAKE_SUM ? v : what == ONRI_TAKE_SQUARE ? v * v : fabs(v);
  }
  return sum;
}
static double sum_f32(const float *x, size_t count, double mean, enum onri_take what) {
  return onri_kernels(reduce)->run[what](x, count, mean, 0);
}

static void add_rows_f64(const double *x, size_t columns, size_t rows, size_t step, const double *mean,
                         enum onri_take what, double *sum) {
  for (size_t r = 0; r < rows; r++, x += step)
    for (size_t j = 0; j < columns; j++) sum[j] += sum_f64(x + j, 1, mean[j], what);
}
static void add_rows_f32(const float *x, size_t columns, size_t rows, size_t step, const double *mean,
                         enum onri_take what, double *sum) {
  const struct onri_lines lines = {
      .x = x, .columns = columns, .column_step = 1, .rows = rows, .row_step = step, .centre = mean};
  onri_kernels(reduce)->lines[what](&lines, sum);
}

static void apply_f64(const double *x, double *y, size_t count, double mean, double factor, const double *scale,
                      const double *bias, size_t step) {
  for (size_t i = 0; i < count; i++)
    y[i] = (x[i] - mean) * factor * (scale ? scale[i * step] : 1.0) + (bias ? bias[i * step] : 0.0);
}
static void apply_f32(const float *x, float *y, size_t count, float mean, float factor, const float *scale,
                      const float *bias, size_t step) {
  onri_kernels(normalize)->apply(x, y, count, mean, factor, scale, bias, step);
}

/* Rows of columns, as they lie. */
static void apply_rows_f64(const double *x, double *y, size_t columns, size_t rows, size_t step, const double *centre,
                           const double *factor, const double *shift) {
  for (size_t r = 0; r < rows; r++, x += step, y += step)
    for (size_t j = 0; j < columns; j++) y[j] = (x[j] - centre[j]) * factor[j] + shift[j];
}
static void apply_rows_f32(const float *x, float *y, size_t columns, size_t rows, size_t step, const float *centre,
                           const float *factor, const float *shift) {
  const struct onri_norm_columns all = {x, y, columns, rows, step, centre, factor, shift};
  onri_kernels(normalize)->apply_each(&all);
}

#define T float
#define NAME(x) x##_f32
#define DTYPE ONR_DTYPE_F32
#include "kernels/norm/normalize_type.h"
#undef T
#undef NAME
#undef DTYPE

#define T double
#define NAME(x) x##_f64
#define DTYPE ONR_DTYPE_F64
#include "kernels/norm/normalize_type.h"
#undef T
#undef NAME
#undef DTYPE

static double slice_sum(const struct onri_normalize *n, size_t start, double mean, enum onri_take what) {
  return n->dtype == ONR_DTYPE_F64 ? sum_slice_f64(n, start, mean, what) : sum_slice_f32(n, start, mean, what);
}

/* What the slice is multiplied by, after *mean was taken off. */
static double factor_of(const struct onri_normalize *n, size_t start, double *mean) {
  const double elements = (double)n->rows.count * (double)n->run;
  const enum onri_take what = n->kind == ONRI_NORMALIZE_L1 ? ONRI_TAKE_ABS : ONRI_TAKE_SQUARE;
  *mean = onri_normalize_centres(n->kind) ? slice_sum(n, start, 0.0, ONRI_TAKE_SUM) / elements : 0.0;
  return onri_normalize_factor(n->kind, slice_sum(n, start, *mean, what), elements, n->epsilon);
}

static void normalize_slice(const struct onri_normalize *n, size_t s) {
  const size_t start = onri_dims_offset(&n->slices, s);
  double mean;
  const double factor = factor_of(n, start, &mean);
  if (n->mean) n->mean[s] = (float)mean;
  if (n->inverse) n->inverse[s] = (float)factor;
  if (!n->y) return;
  if (n->dtype == ONR_DTYPE_F64) write_slice_f64(n, s, start, mean, factor);
  else write_slice_f32(n, s, start, mean, factor);
}

/* --- lines of float32 divided by their norms: there is no mean, scale or bias --- */

static int is_plain(const struct onri_normalize *n) {
  return (n->kind == ONRI_NORMALIZE_L1 || n->kind == ONRI_NORMALIZE_L2) && n->dtype == ONR_DTYPE_F32 &&
         n->y_dtype == ONR_DTYPE_F32;
}

/* `width` lines side by side, at most WIDTH, whose elements are `step` apart. Of few lines some rows are taken as one.
 */
enum { WIDTH = 2 * COLUMNS };
static void plain_columns(const struct onri_normalize *n, const float *x, float *y, size_t width, size_t rows,
                          size_t step) {
  static const float none[WIDTH];
  const struct onri_normalize_kernels *kernels = onri_kernels(normalize);
  const enum onri_take what = n->kind == ONRI_NORMALIZE_L1 ? ONRI_TAKE_ABS : ONRI_TAKE_SQUARE;
  const size_t fold = width == step && rows > WIDTH / width ? WIDTH / width : 1, wide = fold * width;
  const size_t whole = rows / fold, rest = rows % fold;
  struct onri_lines lines = {.x = x, .columns = wide, .column_step = 1, .rows = whole, .row_step = fold * step};
  double sum[WIDTH] = {0};
  float factor[WIDTH];
  struct onri_pace pace = {n->env, 0};
  onri_kernels(reduce)->lines[what](&lines, sum);
  lines.x += whole * fold * step, lines.columns = rest * width, lines.rows = 1;
  if (rest > 0) onri_kernels(reduce)->lines[what](&lines, sum);
  for (size_t f = 1; f < fold; f++)
    for (size_t j = 0; j < width; j++) sum[j] += sum[f * width + j];
  kernels->factors(n->kind, sum, width, (double)rows, n->epsilon);
  for (size_t j = 0; j < width; j++) factor[j] = (float)sum[j];
  for (size_t f = 1; f < fold; f++) memcpy(factor + f * width, factor, width * sizeof(*factor));
  for (size_t r = 0, count; r < whole && !onri_pace_stop(&pace, ROWS * wide); r += count) {
    count = whole - r < ROWS ? whole - r : ROWS;
    apply_rows_f32(x + r * fold * step, y + r * fold * step, wide, count, fold * step, none, factor, none);
  }
  apply_rows_f32(x + whole * fold * step, y + whole * fold * step, rest * width, 1, 0, none, factor, none);
}

static void turned_columns(void *context, void *columns, size_t count) {
  const struct onri_normalize *n = context;
  const size_t rows = n->rows.rank > 0 ? n->rows.count : n->run, inner = n->rows.rank > 0 ? n->rows.stride[0] : 1;
  float *x = columns;
  for (size_t j = 0; j < inner * count; j += WIDTH)
    plain_columns(n, x + j, x + j, inner * count - j < WIDTH ? inner * count - j : WIDTH, rows, inner * count);
}

/* Groups that turn: of short runs, or of a few lines side by side; 0: none. */
static size_t groups_that_turn(const struct onri_normalize *n) {
  enum { SHORT = 8 /* elements of a run */, NARROW = 64 /* bytes */ };
  const int32_t rank = n->slices.rank;
  if (!is_plain(n)) return 0;
  if (n->rows.rank == 0)
    return rank == 1 && n->run <= SHORT && onri_turns(n->slices.count, n->run, 1, sizeof(float), NARROW)
               ? n->slices.count
               : 0;
  if (rank != 2 || n->rows.rank != 1 || n->run != 1 || n->slices.stride[1] != 1 ||
      n->rows.stride[0] != n->slices.dim[1] || n->slices.stride[0] != n->rows.count * n->slices.dim[1])
    return 0;
  return onri_turns(n->slices.dim[0], n->rows.count, n->slices.dim[1], sizeof(float), NARROW) ? n->slices.dim[0] : 0;
}

void onri_normalize_merge(struct onri_normalize *n) {
  n->merge = 1;
  n->turned = groups_that_turn(n);
  const int32_t last = n->slices.rank - 1;
  if (last < 0 || n->rows.rank != 1 || n->index == ONRI_INDEX_ROW) return;
  if (n->run == 0 || n->run > COLUMNS / 2 || n->slices.stride[last] != n->run || n->slices.dim[last] == 1) return;
  n->merge = COLUMNS / n->run;
}

/* Slices that lie in a row, and blocks of n->merge of them. */
static size_t slices_of_row(const struct onri_normalize *n) { return n->slices.dim[n->slices.rank - 1]; }
static size_t blocks_of(const struct onri_normalize *n) { return (slices_of_row(n) + n->merge - 1) / n->merge; }

/* Slices of one run each, one behind the other; of float32, or so short that they are converted as a whole. */
static int is_dense(const struct onri_normalize *n) {
  const int is_f32 = n->dtype == ONR_DTYPE_F32 && n->y_dtype == ONR_DTYPE_F32;
  return (is_f32 || (onri_dtype_class(n->dtype) == ONRI_CLASS_F32 && n->run > 0 && n->run <= DENSE)) && n->merge <= 1 &&
         n->rows.rank == 0 && (n->slices.rank == 0 || (n->slices.rank == 1 && n->slices.stride[0] == n->run)) &&
         (n->index == ONRI_INDEX_RUN ? n->scale_slices <= 1 : n->scale_slices == 0 || n->scale_step == 1);
}

static void normalize_dense(const struct onri_normalize *n, size_t first, size_t last) {
  struct onri_pace pace = {n->env, 0};
  float room[DENSE];
  const size_t most = n->run >= DENSE ? 1 : DENSE / (n->run + 1);
  for (size_t s = first; s < last && !onri_pace_stop(&pace, DENSE + n->run);) {
    const size_t at = s * n->run, count = last - s < most ? last - s : most;
    const int narrows = n->y && n->y_dtype != ONR_DTYPE_F32;
    const float *x = (const float *)n->x + at;
    if (n->dtype != ONR_DTYPE_F32) x = read_f32(n, at, count * n->run, room);
    const struct onri_norm_slices slices = {.kind = n->kind,
                                            .epsilon = n->epsilon,
                                            .run = n->run,
                                            .count = count,
                                            .first = s,
                                            .entries = n->scale_slices == 0 ? 1 : n->scale_slices,
                                            .each = n->index == ONRI_INDEX_RUN,
                                            .x = x,
                                            .scale = n->scale,
                                            .bias = n->bias,
                                            .y = narrows ? room
                                                 : n->y  ? (float *)n->y + at
                                                         : NULL,
                                            .mean = n->mean ? n->mean + s : NULL,
                                            .inverse = n->inverse ? n->inverse + s : NULL};
    onri_kernels(normalize)->slices(&slices);
    if (narrows) write_f32(n, at, count * n->run, room);
    s += count;
  }
}

size_t onri_normalize_items(const struct onri_normalize *n) {
  if (n->turned > 0) return n->turned;
  return n->merge > 1 ? n->slices.count / slices_of_row(n) * blocks_of(n) : n->slices.count;
}

void onri_normalize(const struct onri_normalize *n, size_t first_item, size_t last_item) {
  if (n->turned > 0) {
    const size_t group = n->rows.count * n->run * (n->slices.count / n->turned), at = first_item * group;
    onri_turned(turned_columns, (void *)(uintptr_t)n, (const float *)n->x + at, (float *)n->y + at,
                last_item - first_item, group, sizeof(float), n->env);
    return;
  }
  if (is_dense(n)) {
    normalize_dense(n, first_item, last_item);
    return;
  }
  for (size_t item = first_item; item < last_item; item++) {
    if (n->merge <= 1) {
      normalize_slice(n, item);
      continue;
    }
    const size_t group = item % blocks_of(n) * n->merge, groups = slices_of_row(n), left = groups - group;
    const size_t slice = item / blocks_of(n) * groups + group, start = onri_dims_offset(&n->slices, slice);
    const size_t count = left < n->merge ? left : n->merge;
    if (is_plain(n) && n->run == 1)
      plain_columns(n, (const float *)n->x + start, (float *)n->y + start, count, n->rows.count, n->rows.stride[0]);
    else if (n->dtype == ONR_DTYPE_F64) columns_f64(n, slice, start, count);
    else columns_f32(n, slice, start, count);
  }
}
