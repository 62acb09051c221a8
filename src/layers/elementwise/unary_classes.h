/* unary_classes.h: the portable unary functions of one class, for dtypes that have no kernel of their own. */
#ifndef ONRI_UNARY_CLASSES_H
#define ONRI_UNARY_CLASSES_H

#include <stddef.h>

#include "base/numbers/convert.h"
#include "params/elementwise.h"

/* x: count values of the class; y: the same, or bool bytes for IS_NAN and IS_INF; y may be x. */
typedef void (*onri_unary_function)(const void *x, void *y, size_t count, const struct onr_unary_params *params);

/* NULL where the op is not defined on the class. */
onri_unary_function onri_unary_of_class(enum onr_unary op, enum onri_class c);

#endif
