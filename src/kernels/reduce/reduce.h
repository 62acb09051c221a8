/* reduce.h: sums, products and extremes over some dimensions of a tensor of any number type. */
#ifndef ONRI_REDUCE_H
#define ONRI_REDUCE_H

#include "base/numbers/convert.h"
#include "kernels/dims.h"
#include "params/reduce.h"

/* Each result reduces `rows` pieces. With columns == 0 a piece is a run of `run` neighbours, and there is one result
 * for each position of `kept`. Else a piece is one element, and `columns` of them, column_step apart, are reduced side
 * by side, giving columns results for each position of `kept`; the step is 1 but for float32. */
struct onri_reduce {
  enum onr_reduce_op op;
  enum onr_dtype dtype;
  struct onri_dims kept, rows;
  size_t run, columns, column_step;
  size_t joined; /* > 1: so many columns, at most ONRI_REDUCE_COLUMNS of them in all, are one result each */
  /* > 0: x is so many groups of `group` elements, one behind the other, and kept and rows are all dimensions of one. */
  size_t groups, group;
  int direct; /* the extremes of groups of float32 of two dimensions, rows of which columns are kept, as they lie */
  const void *x;
  void *y;
  const struct onr_env *env; /* cancelled: items end early */
};

/* Items are groups, or results, or blocks of ONRI_REDUCE_COLUMNS columns of them. Floats accumulate in double. */
enum { ONRI_REDUCE_COLUMNS = 256 };
size_t onri_reduce_items(const struct onri_reduce *r);
void onri_reduce(const struct onri_reduce *r, size_t first_item, size_t last_item);

#endif
