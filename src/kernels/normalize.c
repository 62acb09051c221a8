/* normalize.c: see normalize.h. */
#include "kernels/normalize.h"

#include <math.h>

enum { BLOCK = 512, LANES = 8 };
enum sum_of { SUM, SUM_SQUARE, SUM_ABS };

#define T float
#define NAME(x) x##_f32
#include "kernels/normalize_type.h"
#undef T
#undef NAME

#define T double
#define NAME(x) x##_f64
#include "kernels/normalize_type.h"
#undef T
#undef NAME

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

void onri_normalize(const struct onri_normalize *n, size_t first_slice, size_t last_slice) {
  for (size_t s = first_slice; s < last_slice; s++) {
    const size_t start = onri_dims_offset(&n->slices, s);
    double mean;
    const double factor = factor_of(n, start, &mean);
    if (n->mean != NULL) n->mean[s] = (float)mean;
    if (n->inverse != NULL) n->inverse[s] = (float)factor;
    if (n->y == NULL) continue;
    if (n->dtype == ONR_DTYPE_F64)
      write_slice_f64(n, s, start, mean, factor);
    else
      write_slice_f32(n, s, start, mean, factor);
  }
}
