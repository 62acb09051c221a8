/* accumulate.h: y = y op x, element by element, for all number types and bool. */
#ifndef ONRI_ACCUMULATE_H
#define ONRI_ACCUMULATE_H

#include <stdint.h>

#include "params/index.h"

/* Integers wrap; min and max of a NaN are NaN; of bool, add and max are or, mul and min are and. */
void onri_accumulate(enum onr_dtype dtype, enum onr_reduction op, void *y, const void *x, size_t count);
/* The same of elements apart, one after another: y[at[i]] = y[at[i]] op x[i]. NONE writes elements of any size. */
void onri_accumulate_at(enum onr_dtype dtype, enum onr_reduction op, void *y, const int64_t *at, const void *x,
                        size_t count);

#endif
