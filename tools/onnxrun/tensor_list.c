/* tensor_list: named tensors in malloc'ed memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

struct named_tensor *list_add(struct tensor_list *list, const char *name) {
  struct named_tensor *item;
  if (list->count == list->capacity) {
    const size_t capacity = list->capacity ? 2 * list->capacity : 16;
    struct named_tensor *grown = realloc(list->items, capacity * sizeof(*grown));
    if (!grown) return NULL;
    list->items = grown;
    list->capacity = capacity;
  }
  item = &list->items[list->count++];
  memset(item, 0, sizeof(*item));
  snprintf(item->name, sizeof(item->name), "%s", name);
  return item;
}

const struct named_tensor *list_find(const struct tensor_list *list, const char *name) {
  for (size_t i = 0; i < list->count; i++)
    if (strcmp(list->items[i].name, name) == 0) return &list->items[i];
  return NULL;
}

void list_clear(struct tensor_list *list) {
  for (size_t i = 0; i < list->count; i++) onr_tensor_release(NULL, &list->items[i].tensor);
  free(list->items);
  *list = (struct tensor_list){0};
}
