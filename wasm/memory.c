/* memory.c: see memory.h. */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */
#include "memory.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_flag is_taken = ATOMIC_FLAG_INIT;

/* For so short a time that nobody sleeps. */
static void lock(void) {
  while (atomic_flag_test_and_set_explicit(&is_taken, memory_order_acquire)) continue;
}
static void unlock(void) { atomic_flag_clear_explicit(&is_taken, memory_order_release); }

static void *allocate(void *context, size_t bytes, size_t alignment) {
  void *memory = NULL;
  (void)context;
  if (alignment < sizeof(void *)) alignment = sizeof(void *);
  lock();
  if (posix_memalign(&memory, alignment, bytes) != 0) memory = NULL;
  unlock();
  return memory;
}

static void release(void *context, void *memory) {
  (void)context;
  lock();
  free(memory);
  unlock();
}

const struct onr_allocator onrw_allocator = {NULL, allocate, release};
