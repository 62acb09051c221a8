/* reduce_lines.h: sums, products and extremes of float32 lines, and the place of an extreme. Sums and products are in
 * double; NaN is an extreme; the order is the same at every call, so the bits are. */
#ifndef ONRI_REDUCE_LINES_H
#define ONRI_REDUCE_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/numbers/convert.h"

enum onri_take {
  ONRI_TAKE_SUM,
  ONRI_TAKE_ABS,
  ONRI_TAKE_SQUARE,
  ONRI_TAKE_PROD,
  ONRI_TAKE_MAX,
  ONRI_TAKE_MIN,
  ONRI_TAKE_EXP,
  ONRI_NUM_TAKES
};

/* Lines side by side: line i begins at x + i * column_step, its elements are row_step apart. SQUARE and EXP sum
 * squares and exponentials of x - centre[i]; NULL: of x. */
struct onri_lines {
  const float *x;
  size_t columns, column_step; /* the step times 128 fits int32 */
  size_t rows, row_step;
  const double *centre;
};

struct onri_double_rows {
  const double *x;
  size_t columns, column_step /* 1, unless the row_step is */, rows, row_step;
  const double *centre; /* as above; NULL: 0 */
};

/* Rows of integers, row_step apart. In all of them, and in results, bits of `flip` are turned, so that what is sought
 * is the greatest number with a sign: ~0 for the least, the sign alone for those without one. */
struct onri_integer_rows {
  const void *x;
  size_t columns, rows, row_step;
  uint64_t flip;
};

/* The flip for integers of some type, or BOOL. */
static inline uint64_t onri_integer_flip(enum onr_dtype dtype, int minimum) {
  const size_t bits = 8 * onr_dtype_size(dtype);
  const int is_signed = onri_dtype_class(dtype) == ONRI_CLASS_I64 && dtype != ONR_DTYPE_BOOL;
  return (is_signed ? 0 : (uint64_t)1 << (bits - 1)) ^ (minimum ? UINT64_MAX >> (64 - bits) : 0);
}

/* Groups of rows of float32, all one behind the other: the extreme of each column of a group, with NaN as one. */
struct onri_reduce_groups {
  const float *x; /* [count][rows][columns] */
  float *y;       /* [count][columns] */
  size_t count, rows, columns;
  int minimum;
};

/* Rows of numbers side by side, of some class: of each column the wanted one, with a NaN before all, and which row it
 * lies in. best, place: of what came before, unless the first row is 0. */
struct onri_places_rows {
  const void *x;
  enum onri_class class;
  size_t columns, rows, row_step; /* in bytes */
  int64_t first, each;            /* what the first row is called, and how much more the next ones are */
  int minimum, last;
  int64_t *best; /* whatever makes the wanted one the greatest */
  int64_t *place;
};

struct onri_reduce_kernels {
  /* What `acc` becomes when it takes in a line. */
  double (*run[ONRI_NUM_TAKES])(const float *x, size_t count, double centre, double acc);
  /* The same for many lines: acc [columns]. */
  void (*lines[ONRI_NUM_TAKES])(const struct onri_lines *lines, double *acc);
  /* The same of doubles. */
  double (*double_run[ONRI_NUM_TAKES])(const double *x, size_t count, double centre, double acc);
  void (*doubles[ONRI_NUM_TAKES])(const struct onri_double_rows *rows, double *acc);
  /* Of integers of 1 << k bytes: of one line, with bits of `flip` turned, and of lines side by side. [k] */
  int64_t (*greatest_of_run[4])(const void *x, size_t count, uint64_t flip, int64_t acc);
  void (*greatest[4])(const struct onri_integer_rows *rows, void *acc);
  /* acc[columns] plus dense rows of as many; wraps. */
  void (*add_rows)(const uint64_t *x, size_t columns, size_t rows, uint64_t *acc);
  /* Index of the greatest, or least, of a line, the first or the last of equal ones; a NaN comes before all. count from
   * 1 to INT32_MAX. [minimum][last] */
  size_t (*place[2][2])(const float *x, size_t count);
  void (*places[2][2])(const struct onri_lines *lines, int64_t *place);
  void (*places_rows)(const struct onri_places_rows *rows);
  void (*extremes)(const struct onri_reduce_groups *groups);
};

/* What an accumulator begins with. */
double onri_take_start(enum onri_take what);

#endif
