/* sorted_keys.h: a list of keys, numbers or strings, sorted once to be searched often. */
#ifndef ONRI_SORTED_KEYS_H
#define ONRI_SORTED_KEYS_H

#include "onnxrun/layer.h"

struct onri_sorted_keys {
  enum onr_dtype dtype;
  const void *list; /* [count] the caller's, unsorted */
  size_t count;
  int64_t *order;    /* positions in the list */
  uint64_t *numbers; /* order keys (kernels/order.h) of numbers, in that order; NULL for strings */
};

/* dtype: any number type, BOOL or STRING. NO_MEMORY; release it all the same. */
enum onr_status onri_sorted_keys_make(struct onri_sorted_keys *keys, enum onr_dtype dtype, const void *list,
                                      size_t count, struct onr_env *env, struct onr_error *error);
void onri_sorted_keys_release(struct onri_sorted_keys *keys, struct onr_env *env); /* safe on zeroed keys */
/* positions[i] of the last key that equals element i of x, -1: none. NaN equals NaN. */
void onri_sorted_keys_find(const struct onri_sorted_keys *keys, const void *x, size_t count, int64_t *positions);

#endif
