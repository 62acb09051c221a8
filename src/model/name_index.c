/* name_index.c: sorting and looking up. */
#include "model/name_index.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
  const struct onri_named *x = a, *y = b;
  const int order = strcmp(x->name, y->name);
  if (order) return order;
  if (x->index != y->index) return x->index < y->index ? -1 : 1;
  return x->dim < y->dim ? -1 : x->dim > y->dim;
}

void onri_named_sort(struct onri_named *list, size_t count) {
  if (count > 1) qsort(list, count, sizeof(*list), compare);
}

const struct onri_named *onri_named_find(const struct onri_named *list, size_t count, const char *name) {
  size_t begin = 0, end = count;
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    if (strcmp(list[middle].name, name) < 0) begin = middle + 1;
    else end = middle;
  }
  return begin < count && !strcmp(list[begin].name, name) ? &list[begin] : NULL;
}
