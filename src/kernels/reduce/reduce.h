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
  const void *x;
  void *y;
  const struct onr_env *env; /* cancelled: items end early */
};

/* Items are results, or blocks of ONRI_REDUCE_COLUMNS columns of them. Floats accumulate in double. */
enum { ONRI_REDUCE_COLUMNS = 128 };
size_t onri_reduce_items(const struct onri_reduce *r);
void onri_reduce(const struct onri_reduce *r, size_t first_item, size_t last_item);

#endif
