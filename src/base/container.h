/* container.h: sequences, optionals and maps while a model runs. The value is a handle of a few bytes to a list that
 * never changes: lists share their entries and most of their inner nodes, so a copy costs nothing, and a list with one
 * entry more or less costs the logarithm of its length. At the borders of the library they are flat blocks
 * (onnxrun/sequence.h), whose functions read both forms. */
#ifndef ONRI_CONTAINER_H
#define ONRI_CONTAINER_H

#include "base/heap.h"
#include "onnxrun/sequence.h"

struct onri_list; /* NULL: empty */

struct onri_handle {
  int64_t format;
  struct onri_list *list;
};

size_t onri_list_length(const struct onri_list *list);
struct onr_tensor onri_list_at(const struct onri_list *list, size_t i); /* i < length */
struct onri_list *onri_list_retain(struct onri_list *list);
void onri_list_release(struct onri_heap *heap, struct onri_list *list);

/* New lists, each to be released. Tensors are copied into entries, containers are shared. */
enum onr_status onri_list_make(struct onri_heap *heap, const struct onr_tensor *values, size_t count,
                               struct onri_list **result, struct onr_error *error);
/* The same of `count` values that next gives one after the other; 0: the caller wants to stop, *result is NULL. */
struct onri_values {
  int (*next)(struct onri_values *values, struct onr_tensor *value);
};
enum onr_status onri_list_read(struct onri_heap *heap, struct onri_values *values, size_t count,
                               struct onri_list **result, struct onr_error *error);
enum onr_status onri_list_insert(struct onri_heap *heap, struct onri_list *list, size_t at,
                                 const struct onr_tensor *value, struct onri_list **result, struct onr_error *error);
enum onr_status onri_list_erase(struct onri_heap *heap, struct onri_list *list, size_t at, struct onri_list **result,
                                struct onr_error *error);
/* What a list of so many entries takes, without their contents. */
size_t onri_list_bytes(size_t count);

/* A container as a list, to be released: a handle's own one, or what a flat block holds. is_ours: it may be a handle.
 */
enum onr_status onri_container_list(struct onri_heap *heap, const struct onr_tensor *container, int is_ours,
                                    struct onri_list **result, struct onr_error *error);
int onri_is_handle(const struct onr_tensor *value);
struct onr_desc onri_handle_desc(enum onr_dtype kind);
struct onri_handle onri_handle_make(struct onri_list *list);
/* sequence.c: a value outside of the executor: a handle becomes a flat block, everything else stays as it is. */
struct onr_desc onri_flat_desc(const struct onr_tensor *value);
void onri_flat_write(const struct onr_tensor *value, void *memory);
/* What the data of a flat block takes, one value more; saturated. */
size_t onri_flat_add(size_t contents, const struct onr_desc *flat);
/* Of all entries of a list; each list knows, since shared entries may make a flat block of any size. */
size_t onri_list_flat_bytes(const struct onri_list *list);

/* For heap.c: marks the text of all entries. */
void onri_entries_mark(struct onri_heap *heap);
/* Gives back memory for lists, where there are none. */
void onri_lists_trim(struct onri_heap *heap);

#endif
