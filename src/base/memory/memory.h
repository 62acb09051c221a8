/* memory.h: the caller's allocator, and an arena that frees everything at once. */
#ifndef ONRI_MEMORY_H
#define ONRI_MEMORY_H

#include <stddef.h>

#include "onnxrun/runtime.h"

#define ONRI_ALIGNMENT 64

/* 1 in a build that AddressSanitizer watches: memory then lies so that it sees what is touched beside an item. So it
 * does where branches are counted (ONNXRUN_COVERAGE): every item of an arena may then be the one there is no memory
 * for.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(ONNXRUN_WATCHED)
enum { ONRI_WATCHED = 1 };
#elif defined(__has_feature)
enum { ONRI_WATCHED = __has_feature(address_sanitizer) };
#else
enum { ONRI_WATCHED = 0 };
#endif

/* malloc and free as an allocator; used where the caller gives none. */
extern const struct onr_allocator onri_malloc_allocator;

/* The caller's allocator, NULL: malloc's. ARGUMENT when it lacks a function. */
enum onr_status onri_allocator_choose(const struct onr_allocator *given, const struct onr_allocator **allocator,
                                      struct onr_error *error);

/* 64-byte aligned; NULL on failure. */
void *onri_allocate(const struct onr_allocator *allocator, size_t bytes);
void *onri_allocate_zeroed(const struct onr_allocator *allocator, size_t bytes);
void onri_release(const struct onr_allocator *allocator, void *memory);

/* Grow an array to hold at least `needed` items of `item_bytes`; contents are kept. Returns 0 when out of memory (array
 * unchanged). *array starts as NULL with *capacity 0. */
int onri_grow(const struct onr_allocator *allocator, void *array /* T ** */, size_t item_bytes, size_t *capacity,
              size_t needed);

/* Blocks of growing size; single items are never freed. budget 0: none. */
struct onri_arena {
  const struct onr_allocator *allocator;
  struct onri_arena_block *blocks;
  size_t used_bytes, budget_bytes;
};
void onri_arena_init(struct onri_arena *arena, const struct onr_allocator *allocator, size_t budget_bytes);
/* 16-byte aligned and zeroed; NULL when out of memory or over budget. */
void *onri_arena_allocate(struct onri_arena *arena, size_t bytes);
void *onri_arena_copy(struct onri_arena *arena, const void *data, size_t bytes);
char *onri_arena_string(struct onri_arena *arena, const char *text); /* copy; NULL stays NULL */
void onri_arena_clear(struct onri_arena *arena);

#endif
