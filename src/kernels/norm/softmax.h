/* softmax.h: softmax, its logarithm and hardmax of lines of any float type. */
#ifndef ONRI_KERNEL_SOFTMAX_H
#define ONRI_KERNEL_SOFTMAX_H

#include "base/numbers/convert.h"

enum onri_softmax_kind { ONRI_SOFTMAX, ONRI_LOG_SOFTMAX, ONRI_HARDMAX };

/* x and y are [outer][length][inner]; the lines run along `length`. y may be x. */
struct onri_softmax {
  enum onri_softmax_kind kind;
  enum onr_dtype dtype;
  size_t length, inner;
  int turned; /* onri_turns of it: groups go together */
  const void *x;
  void *y;
  const struct onr_env *env; /* cancelled: lines end early */
};

/* Of float32, but for the last. y may be x. */
struct onri_softmax_kernels {
  /* `count` lines of neighbours, one behind the other. */
  void (*lines)(enum onri_softmax_kind kind, const float *x, float *y, size_t count, size_t length);
  /* `count` columns side by side, whose elements are `inner` apart. */
  void (*columns)(enum onri_softmax_kind kind, const float *x, float *y, size_t count, size_t length, size_t inner);
  void (*hard_columns)(const float *x, float *y, size_t count, size_t length, size_t inner);
  void (*columns_f64)(enum onri_softmax_kind kind, const double *x, double *y, size_t count, size_t length,
                      size_t inner);
};

/* Columns [column, column + columns) of outer index `outer`; columns <= ONRI_SOFTMAX_COLUMNS. With inner 1, or turned:
 * `columns` whole outer indices, any number, from `outer` on. */
enum { ONRI_SOFTMAX_COLUMNS = 64 };
void onri_softmax(const struct onri_softmax *s, size_t outer, size_t column, size_t columns);

#endif
