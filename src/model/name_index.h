/* name_index.h: places sorted by their name, so that neither looking one up nor comparing equal names takes longer for
 * a thousand inputs than it must. */
#ifndef ONRI_NAME_INDEX_H
#define ONRI_NAME_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct onri_named {
  const char *name;
  int32_t index, dim; /* of the input or output; of its dimension, where the name is one's */
};

/* By name, then by place. */
void onri_named_sort(struct onri_named *list, size_t count);
/* The first of that name in a sorted list, or NULL. */
const struct onri_named *onri_named_find(const struct onri_named *list, size_t count, const char *name);

#endif
