/* counted_memory.h: an allocator that counts, for any number of threads, and fails when told to. Public headers alone.
 *
 *   counted_memory_begin();
 *   options.allocator = &counted_memory;
 *   counted_fail_at = counted_total + 1;        // the next allocation fails; counted_for_good: and all after it
 *   ...
 *   assert_int_equal(counted_live, 0);          // nothing is left behind */
#ifndef COUNTED_MEMORY_H
#define COUNTED_MEMORY_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "onnxrun/runtime.h"

static atomic_size_t counted_live, counted_total;              /* blocks held, allocations so far */
static atomic_size_t counted_bytes, counted_most, counted_sum; /* bytes held, held at most, and asked for so far */
static size_t counted_fail_at;                                 /* the number of the allocation that fails; 0: none */
static int counted_for_good;

/* What lies before a block. */
struct counted_head {
  void *start;
  size_t bytes;
};

#ifdef _WIN32
#define COUNTED_ALIGNED(alignment, bytes) _aligned_malloc(bytes, alignment)
#define COUNTED_FREE _aligned_free
#else
#define COUNTED_ALIGNED aligned_alloc
#define COUNTED_FREE free
#endif

static inline int counted_fails(size_t number) {
  return counted_fail_at && (counted_for_good ? number >= counted_fail_at : number == counted_fail_at);
}

static inline void *counted_allocate(void *context, size_t bytes, size_t alignment) {
  const size_t room = alignment > sizeof(struct counted_head) ? alignment : sizeof(struct counted_head);
  (void)context;
  if (counted_fails(atomic_fetch_add(&counted_total, 1) + 1) || bytes > SIZE_MAX / 2) return NULL;
  char *start = COUNTED_ALIGNED(room, (room + bytes + room - 1) / room * room);
  if (!start) return NULL;
  ((struct counted_head *)(void *)(start + room))[-1] = (struct counted_head){start, bytes};
  counted_live++;
  counted_sum += bytes;
  const size_t held = atomic_fetch_add(&counted_bytes, bytes) + bytes;
  for (size_t most = counted_most; most < held;)
    if (atomic_compare_exchange_weak(&counted_most, &most, held)) break;
  return start + room;
}

static inline void counted_release(void *context, void *memory) {
  (void)context;
  if (!memory) return;
  const struct counted_head head = ((struct counted_head *)memory)[-1];
  counted_live--;
  counted_bytes -= head.bytes;
  COUNTED_FREE(head.start);
}

static const struct onr_allocator counted_memory = {NULL, counted_allocate, counted_release};

static inline void counted_memory_begin(void) {
  counted_live = counted_total = counted_bytes = counted_most = counted_sum = counted_fail_at = 0;
  counted_for_good = 0;
}

#endif
