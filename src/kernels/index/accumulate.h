/* accumulate.h: y = y op x, element by element, for all number types and bool. */
#ifndef ONRI_ACCUMULATE_H
#define ONRI_ACCUMULATE_H

#include "params/index.h"

/* Integers wrap; min and max of a NaN are NaN; of bool, add and max are or, mul and min are and. */
void onri_accumulate(enum onr_dtype dtype, enum onr_reduction op, void *y, const void *x, size_t count);

#endif
