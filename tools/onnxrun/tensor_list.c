/* tensor_list.c: named tensors in malloc'ed memory. */
#include <stdlib.h>
#include <string.h>

#include "onnxrun/tensor_file.h"
#include "tool.h"

int list_rename(struct named_tensor *item, const char *name) {
  const size_t size = strlen(name) + 1;
  char *copy = malloc(size);
  if (!copy) return 0;
  memcpy(copy, name, size);
  free(item->name);
  item->name = copy;
  return 1;
}

int grow(void **items, size_t *capacity, size_t count, size_t size) {
  if (count <= *capacity) return 1;
  const size_t more = 2 * *capacity > count ? 2 * *capacity : count;
  void *grown = realloc(*items, more * size);
  if (!grown) return 0;
  memset((char *)grown + *capacity * size, 0, (more - *capacity) * size);
  *items = grown;
  *capacity = more;
  return 1;
}

struct named_tensor *list_add(struct tensor_list *list, const char *name) {
  struct named_tensor item = {0};
  if (list->count == list->capacity) {
    const size_t capacity = list->capacity ? 2 * list->capacity : 16;
    struct named_tensor *grown = realloc(list->items, capacity * sizeof(*grown));
    if (!grown) return NULL;
    list->items = grown;
    list->capacity = capacity;
  }
  if (!list_rename(&item, name)) return NULL;
  list->items[list->count] = item;
  return &list->items[list->count++];
}

const struct named_tensor *list_find(const struct tensor_list *list, const char *name) {
  for (size_t i = 0; i < list->count; i++)
    if (strcmp(list->items[i].name, name) == 0) return &list->items[i];
  return NULL;
}

void list_clear(struct tensor_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    onr_tensor_release(NULL, &list->items[i].tensor);
    free(list->items[i].name);
  }
  free(list->items);
  *list = (struct tensor_list){0};
}
