/* counted_memory.h: an allocator that counts, and fails when told to.
 *
 *   counted_memory_begin();
 *   struct onr_env env = {.allocator = &counted_memory, ...};
 *   counted_fail_at = counted_total + 1;        // the next allocation fails
 *   ...
 *   assert_int_equal(counted_live, 0);          // nothing is left behind */
#ifndef COUNTED_MEMORY_H
#define COUNTED_MEMORY_H

#include "support/layer_test.h"

static size_t counted_live, counted_total, counted_fail_at; /* blocks held, allocations so far, the one to fail */

static inline void *counted_allocate(void *context, size_t bytes, size_t alignment) {
  (void)context;
  if (++counted_total == counted_fail_at) return NULL;
  void *memory = onri_malloc_allocator.allocate(NULL, bytes, alignment);
  counted_live += memory != NULL;
  return memory;
}

static inline void counted_release(void *context, void *memory) {
  (void)context;
  counted_live -= memory != NULL;
  onri_malloc_allocator.release(NULL, memory);
}

static const struct onr_allocator counted_memory = {NULL, counted_allocate, counted_release};

static inline void counted_memory_begin(void) { counted_live = counted_total = counted_fail_at = 0; }

#endif
