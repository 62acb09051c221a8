/* binary_classes.h: the portable binary functions of one class. */
#ifndef ONRI_BINARY_CLASSES_H
#define ONRI_BINARY_CLASSES_H

#include <stddef.h>

#include "base/numbers/convert.h"
#include "params/elementwise.h"

/* a and b hold values of one class, 0 or 1 apart (a_step, b_step); y gets values of that class, or bool bytes when the
 * op's result is bool. y may be a or b where their step is 1. `bits` is the width of the element type, for the shifts.
 */
struct onri_binary_values {
  const void *a, *b;
  void *y;
  size_t a_step, b_step, count;
  uint32_t bits;
};
typedef void (*onri_binary_function)(const struct onri_binary_values *values);

/* NULL where the op is not defined on the class. */
onri_binary_function onri_binary_of_class(enum onr_binary op, enum onri_class c);

#endif
