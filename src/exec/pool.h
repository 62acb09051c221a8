/* pool.h: memory of a session that is dead, kept for what comes, so that a run that repeats allocates nothing, and a
 * plan for new sizes no more than it is larger than those before it. What is spare makes a session hold a sixteenth
 * more than it needed at once. */
#ifndef ONRI_POOL_H
#define ONRI_POOL_H

#include "base/memory/meter.h"

enum { ONRI_POOL_BINS = 256 };

struct onri_pool {
  struct onr_allocator allocator;          /* what to hand out; it points to this struct, which must stay where it is */
  struct onri_meter *meter;                /* counts it, spare memory too */
  struct onri_spare *bins[ONRI_POOL_BINS]; /* by size, four to a power of two */
  size_t spare, live, most_live;           /* bytes; the last: at once, so far */
};

void onri_pool_init(struct onri_pool *pool, struct onri_meter *meter);
/* Memory that knows its size: at least `bytes`, *held. NULL on failure, when nothing is spare any more. */
void *onri_pool_take(struct onri_pool *pool, size_t bytes, size_t *held);
void onri_pool_give(struct onri_pool *pool, void *memory, size_t held);
/* Back with what is spare. */
void onri_pool_clear(struct onri_pool *pool);

#endif
