/* normalize.h: mean, variance and norms of slices of a tensor, and the slices divided by them. */
#ifndef ONRI_NORMALIZE_H
#define ONRI_NORMALIZE_H

#include "base/numbers/convert.h"
#include "kernels/dims.h"

enum onri_normalize_kind {
  ONRI_NORMALIZE_VARIANCE, /* (x - mean) / sqrt(variance + epsilon) */
  ONRI_NORMALIZE_STD,      /* (x - mean) / (sqrt(variance) + epsilon) */
  ONRI_NORMALIZE_RMS,      /* x / sqrt(mean square + epsilon) */
  ONRI_NORMALIZE_L1,       /* x / sum |x|, 0 where that is 0 */
  ONRI_NORMALIZE_L2        /* x / sqrt(sum x^2), 0 where that is 0 */
};

/* Which entry of scale and bias an element takes. */
enum onri_normalize_index { ONRI_INDEX_RUN, ONRI_INDEX_ROW, ONRI_INDEX_SLICE };

/* A slice is `rows` runs of `run` neighbours. Statistics are in double. */
struct onri_normalize {
  enum onri_normalize_kind kind;
  enum onr_dtype dtype, y_dtype;
  double epsilon;
  struct onri_dims slices, rows;
  size_t run;
  /* > 1: so many slices of short runs lie side by side in each row (channels last), and are walked together; set by
   * onri_normalize_merge. */
  size_t merge;
  size_t turned; /* > 0: so many groups of short lines, which are turned (kernels/move/turned.h); set likewise */
  /* float64 for F64, else float32; NULL: none. Slice s starts at entry (s % scale_slices) * scale_step. */
  const void *scale, *bias;
  enum onri_normalize_index index;
  size_t scale_slices, scale_step;
  const void *x;
  void *y;                   /* may be x */
  float *mean, *inverse;     /* [slices] or NULL */
  const struct onr_env *env; /* cancelled: slices end early */
};

/* `count` slices of float32, each of which is one run, one behind the other; scale and bias have an entry an element.
 */
struct onri_norm_slices {
  enum onri_normalize_kind kind;
  double epsilon;
  size_t run, count, first, entries;
  int each;
  const float *x, *scale, *bias;
  float *y; /* NULL: statistics alone */
  float *mean, *inverse;
};

/* y = (x - centre) factor + shift; these have an entry a column. Rows are row_step apart, in x and in y. */
struct onri_norm_columns {
  const float *x;
  float *y;
  size_t columns, rows, row_step;
  const float *centre, *factor, *shift;
};

struct onri_normalize_kernels {
  void (*slices)(const struct onri_norm_slices *slices);
  /* What slices of so many elements are multiplied by, in the place of their sums: of squared distances from the mean
   * (for RMS and L2: squares, for L1: magnitudes). */
  void (*factors)(enum onri_normalize_kind kind, double *sums, size_t count, double elements, double epsilon);
  /* y = (x - mean) factor scale + bias; scale and bias have an entry an element (step 1) or one for all (step 0), or
   * are NULL. */
  void (*apply)(const float *x, float *y, size_t count, float mean, float factor, const float *scale, const float *bias,
                size_t step);
  void (*apply_each)(const struct onri_norm_columns *columns);
};

/* The factor of one slice. */
double onri_normalize_factor(enum onri_normalize_kind kind, double sum, double n, double epsilon);
static inline int onri_normalize_centres(enum onri_normalize_kind kind) {
  return kind == ONRI_NORMALIZE_VARIANCE || kind == ONRI_NORMALIZE_STD;
}

/* Call when all but the pointers is set. */
void onri_normalize_merge(struct onri_normalize *n);
/* Items are slices, or merged ones. */
size_t onri_normalize_items(const struct onri_normalize *n);
void onri_normalize(const struct onri_normalize *n, size_t first_item, size_t last_item);

#endif
