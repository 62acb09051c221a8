/* sort.h: a total order on elements of any number type, as unsigned 64-bit keys, and stable sorting of indices. */
#ifndef ONRI_SORT_H
#define ONRI_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/layer.h"

/* keys[i] < keys[j] exactly when x[i] < x[j]. -0 equals 0; all NaN are equal, and greater than every number. dtype must
 * be a number type or BOOL. When env (NULL: for less than a million) is cancelled, keys are left out. */
void onri_sort_keys(enum onr_dtype dtype, const void *x, size_t count, uint64_t *keys, const struct onr_env *env);

/* Stable merge sort of count items; less(context, a, b) says that a must stand before b. scratch holds count items.
 * When env is cancelled it ends early, and the items are in any order. */
struct onri_sort_entry {
  uint64_t key;
  int64_t index;
};
/* By key, ascending; entries of one key stay in order. scratch: [count]. 0: cancelled. */
int onri_sort_entries(struct onri_sort_entry *items, struct onri_sort_entry *scratch, size_t count,
                      const struct onr_env *env);

void onri_sort(int64_t *items, int64_t *scratch, size_t count, int (*less)(const void *context, int64_t a, int64_t b),
               const void *context, const struct onr_env *env);

/* By the upper 32 bits, from the least on; equal ones keep their order. 0 where it was cancelled: items are then of no
 * use. */
int onri_sort_high(uint64_t *items, uint64_t *scratch, size_t count, const struct onr_env *env);

#endif
