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
  const void *x;
  void *y;
  const struct onr_env *env; /* cancelled: lines end early */
};

/* Columns [column, column + columns) of outer index `outer`; columns <= ONRI_SOFTMAX_COLUMNS, and 1 when inner is 1. */
enum { ONRI_SOFTMAX_COLUMNS = 64 };
void onri_softmax(const struct onri_softmax *s, size_t outer, size_t column, size_t columns);

#endif
