/* heap.h: what a run makes whose lifetime no plan tells: text of STRING values, and entries of containers. Entries are
 * counted by who holds them. Text is pointed to from many strings, also into its middle, so it is found again: now and
 * then, between two steps, what no string of a living value points to is given back. */
#ifndef ONRI_HEAP_H
#define ONRI_HEAP_H

#include "base/memory/memory.h"
#include "onnxrun/tensor.h"

struct onri_text;
struct onri_entry;
struct onri_list;
struct onri_list_block;

struct onri_heap {
  const struct onr_allocator *allocator;
  struct onri_text **texts; /* blocks of text */
  size_t num_texts, texts_capacity;
  struct onri_text *open;        /* the one that small texts go to */
  size_t text_bytes, enough;     /* of all; from how many on it is worth while to look for what is dead */
  size_t visited;                /* strings seen in this collection */
  struct onri_entry *strings;    /* container.h: all entries of type STRING, whose text lives, too; */
  struct onri_list_block *lists; /* memory for lists, what of it is free, and how many are in use */
  struct onri_list *spare;
  size_t num_nodes;
};

void onri_heap_init(struct onri_heap *heap, const struct onr_allocator *allocator);
/* Zeroed; NULL on failure. */
char *onri_heap_text(struct onri_heap *heap, size_t bytes);
/* All text is given back; entries stay, and memory for lists where there are some. */
void onri_heap_clear(struct onri_heap *heap);

/* A collection: begin, mark the strings of all living values, end. Entries of containers are marked by begin. */
static inline int onri_heap_is_full(const struct onri_heap *heap) { return heap->text_bytes > heap->enough; }
void onri_heap_begin(struct onri_heap *heap);
void onri_heap_mark(struct onri_heap *heap, const struct onr_string *strings, size_t count);
void onri_heap_end(struct onri_heap *heap);

#endif
