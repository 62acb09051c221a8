/* heap.c: blocks of text, sorted by address while they are marked. */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/numbers/checked.h"
#include "base/only.h"

/* Small texts share a block, which lives as long as one of them; so it is small, too. */
enum { SHARED_BYTES = 1024, SMALL_BYTES = ONRI_WATCHED ? 0 : SHARED_BYTES / 4, LEAST_BYTES = 1 << 20 };

struct onri_text {
  size_t size, used;
  int is_marked;
  char bytes[];
};

void onri_heap_init(struct onri_heap *heap, const struct onr_allocator *allocator) {
  *heap = (struct onri_heap){.allocator = allocator, .enough = LEAST_BYTES};
}

static struct onri_text *add_text(struct onri_heap *heap, size_t bytes) {
  size_t total;
  struct onri_text *text;
  if (!onri_add_size(bytes, sizeof(*text), &total) ||
      !onri_grow(heap->allocator, &heap->texts, sizeof(struct onri_text *), &heap->texts_capacity, heap->num_texts + 1))
    return NULL;
  text = onri_allocate(heap->allocator, total);
  if (!text) return NULL;
  *text = (struct onri_text){.size = bytes};
  memset(text->bytes, 0, bytes);
  heap->texts[heap->num_texts++] = text;
  heap->text_bytes += bytes;
  return text;
}

char *onri_heap_text(struct onri_heap *heap, size_t bytes) {
  struct onri_text *text = heap->open;
  if (bytes > SMALL_BYTES) text = add_text(heap, bytes);
  else if (!text || text->size - text->used < bytes) text = heap->open = add_text(heap, SHARED_BYTES);
  if (!text) return NULL;
  text->used += bytes;
  return text->bytes + text->used - bytes;
}

void onri_heap_clear(struct onri_heap *heap) {
  for (size_t i = 0; i < heap->num_texts; i++) onri_release(heap->allocator, heap->texts[i]);
  onri_release(heap->allocator, heap->texts);
  heap->texts = NULL;
  heap->open = NULL;
  heap->num_texts = heap->texts_capacity = heap->text_bytes = 0;
  heap->enough = LEAST_BYTES;
  if (ONRI_PART(containers)) onri_lists_trim(heap);
}

static int by_address(const void *a, const void *b) {
  const uintptr_t x = (uintptr_t) * (struct onri_text *const *)a, y = (uintptr_t) * (struct onri_text *const *)b;
  return x < y ? -1 : x > y;
}

void onri_heap_begin(struct onri_heap *heap) {
  qsort(heap->texts, heap->num_texts, sizeof(struct onri_text *), by_address);
  for (size_t i = 0; i < heap->num_texts; i++) heap->texts[i]->is_marked = 0;
  heap->visited = 0;
  if (ONRI_PART(containers)) onri_entries_mark(heap);
}

void onri_heap_mark(struct onri_heap *heap, const struct onr_string *strings, size_t count) {
  const struct onri_text *last = NULL; /* neighbours often lie in one block */
  heap->visited += count;
  for (size_t i = 0; i < count; i++) {
    const uintptr_t at = (uintptr_t)strings[i].text;
    size_t low = 0, high = heap->num_texts;
    if (!strings[i].length || (last && at - (uintptr_t)last->bytes < last->size)) continue;
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      if ((uintptr_t)heap->texts[middle]->bytes <= at) low = middle + 1;
      else high = middle;
    }
    if (!low || at - (uintptr_t)heap->texts[low - 1]->bytes >= heap->texts[low - 1]->size) continue;
    heap->texts[low - 1]->is_marked = 1;
    last = heap->texts[low - 1];
  }
}

/* The next collection comes when the text has doubled, and there is enough of it to pay for the strings looked at. */
void onri_heap_end(struct onri_heap *heap) {
  size_t kept = 0;
  heap->text_bytes = 0;
  heap->open = NULL;
  for (size_t i = 0; i < heap->num_texts; i++) {
    if (heap->texts[i]->is_marked) {
      heap->text_bytes += heap->texts[i]->size;
      heap->texts[kept++] = heap->texts[i];
    } else {
      onri_release(heap->allocator, heap->texts[i]);
    }
  }
  heap->num_texts = kept;
  heap->enough = 2 * heap->text_bytes + 16 * heap->visited + LEAST_BYTES;
}
