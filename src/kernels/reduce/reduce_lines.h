/* reduce_lines.h: sums, products and extremes of float32 lines, and the place of an extreme. Sums and products are in
 * double; NaN is an extreme; the order is the same at every call, so the bits are. */
#ifndef ONRI_REDUCE_LINES_H
#define ONRI_REDUCE_LINES_H

#include <stddef.h>
#include <stdint.h>

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

struct onri_reduce_kernels {
  /* What `acc` becomes when it takes in a line. */
  double (*run[ONRI_NUM_TAKES])(const float *x, size_t count, double centre, double acc);
  /* The same for many lines: acc [columns]. */
  void (*lines[ONRI_NUM_TAKES])(const struct onri_lines *lines, double *acc);
  /* Index of the greatest, or least, of a line, the first or the last of equal ones; a NaN comes before all. count from
   * 1 to INT32_MAX. [minimum][last] */
  size_t (*place[2][2])(const float *x, size_t count);
  void (*places[2][2])(const struct onri_lines *lines, int64_t *place);
};

/* What an accumulator begins with. */
double onri_take_start(enum onri_take what);

#endif
