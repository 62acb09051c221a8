/* pool.h: memory of values that are dead, kept for those to come, so that a run that repeats allocates nothing. It
 * never holds more than half of what was alive at once beside what is. */
#ifndef ONRI_POOL_H
#define ONRI_POOL_H

#include "base/memory/memory.h"

enum { ONRI_POOL_BINS = 64 };

struct onri_pool {
  const struct onr_allocator *allocator;
  struct onri_spare *bins[ONRI_POOL_BINS]; /* by the power of two of their size */
  size_t spare, live, most_live;           /* bytes; the last: at once, so far */
};

/* At least `bytes`: *held. NULL on failure, when nothing is spare any more. */
void *onri_pool_take(struct onri_pool *pool, size_t bytes, size_t *held);
void onri_pool_give(struct onri_pool *pool, void *memory, size_t held);
/* Back to the allocator with what is spare. */
void onri_pool_clear(struct onri_pool *pool);

#endif
