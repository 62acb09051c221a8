/* normalize.c: see normalize.h. */
#include "kernels/norm/normalize.h"

#include <math.h>

#include "base/numbers/cast.h"

enum { BLOCK = 512, LANES = 8, COLUMNS = 16 };
enum sum_of { SUM, SUM_SQUARE, SUM_ABS };

/* Sums of columns become the mean of all elements of the column's slice. */
static void spread_mean(const struct onri_normalize *n, double *columns, size_t slices) {
  for (size_t s = 0; s < slices; s++) {
    double sum = 0.0;
    for (size_t j = 0; j < n->run; j++) sum += columns[s * n->run + j];
    for (size_t j = 0; j < n->run; j++) columns[s * n->run + j] = sum / ((double)n->rows.count * (double)n->run);
  }
}

#define T float
#define NAME(x) x##_f32
#define DTYPE ONR_DTYPE_F32
#include "base/env.h"
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

static double slice_sum(const struct onri_normalize *n, size_t start, double mean, enum sum_of what) {
  return n->dtype == ONR_DTYPE_F64 ? sum_slice_f64(n, start, mean, what) : sum_slice_f32(n, start, mean, what);
}

/* What the slice is multiplied by, after *mean was taken off. */
static double factor_of(const struct onri_normalize *n, size_t start, double *mean) {
  const double elements = (double)n->rows.count * (double)n->run;
  double norm;
  *mean = 0.0;
  switch (n->kind) {
    case ONRI_NORMALIZE_VARIANCE:
    case ONRI_NORMALIZE_STD:
      *mean = slice_sum(n, start, 0.0, SUM) / elements;
      norm = slice_sum(n, start, *mean, SUM_SQUARE) / elements;
      return n->kind == ONRI_NORMALIZE_STD ? 1.0 / (sqrt(norm) + n->epsilon) : 1.0 / sqrt(norm + n->epsilon);
    case ONRI_NORMALIZE_RMS: return 1.0 / sqrt(slice_sum(n, start, 0.0, SUM_SQUARE) / elements + n->epsilon);
    case ONRI_NORMALIZE_L1: norm = slice_sum(n, start, 0.0, SUM_ABS); break;
    default: norm = sqrt(slice_sum(n, start, 0.0, SUM_SQUARE)); break;
  }
  return norm == 0.0 ? 0.0 : 1.0 / norm;
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

void onri_normalize_merge(struct onri_normalize *n) {
  n->merge = 1;
  if (n->kind != ONRI_NORMALIZE_VARIANCE || n->slices.rank != 2 || n->rows.rank != 1 || n->index == ONRI_INDEX_ROW)
    return;
  if (n->run == 0 || n->run > COLUMNS / 2 || n->slices.stride[1] != n->run) return;
  n->merge = COLUMNS / n->run;
}

static size_t blocks_of(const struct onri_normalize *n) { return (n->slices.dim[1] + n->merge - 1) / n->merge; }

size_t onri_normalize_items(const struct onri_normalize *n) {
  return n->merge > 1 ? n->slices.dim[0] * blocks_of(n) : n->slices.count;
}

void onri_normalize(const struct onri_normalize *n, size_t first_item, size_t last_item) {
  for (size_t item = first_item; item < last_item; item++) {
    if (n->merge <= 1) {
      normalize_slice(n, item);
      continue;
    }
    const size_t group = item % blocks_of(n) * n->merge, groups = n->slices.dim[1], left = groups - group;
    const size_t slice = item / blocks_of(n) * groups + group, start = onri_dims_offset(&n->slices, slice);
    const size_t count = left < n->merge ? left : n->merge;
    if (n->dtype == ONR_DTYPE_F64) columns_f64(n, slice, start, count);
    else columns_f32(n, slice, start, count);
  }
}
