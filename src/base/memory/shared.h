/* shared.h: blocks of equal contents are held once, however many layers made them: a weight that forty nodes read is
 * packed forty times, and kept once. Used while a model is prepared. */
#ifndef ONRI_SHARED_H
#define ONRI_SHARED_H

#include "base/env.h"

/* Zeroed: no blocks yet. It owns one share of each block that it knows. */
struct onri_shared_blocks {
  struct onri_shared_entry *entries;
  size_t count, capacity;
  int32_t *buckets; /* [num_buckets] first entry of a chain, or -1 */
  size_t num_buckets;
};

/* memory: from onr_env_allocate; what it holds from `offset` on, `bytes` of it, is final. Returns memory, or, when an
 * earlier block holds the same, that one, which then has one more owner, and releases memory. Each owner releases it
 * with onr_env_release. Without env->shared, and when there is no memory for the table, memory is returned. */
void *onri_shared_block(struct onr_env *env, void *memory, size_t offset, size_t bytes);
void onri_shared_clear(struct onri_shared_blocks *shared, struct onr_env *env);

#endif
