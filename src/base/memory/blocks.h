/* blocks.h: the packed weights of a model. Whatever layers pack while it is prepared, they pack into blocks from here:
 * blocks lie together in large pieces of memory, and those of equal contents are held once, however many layers made
 * them: a weight that forty nodes read is packed forty times, and kept once. */
#ifndef ONRI_BLOCKS_H
#define ONRI_BLOCKS_H

#include "base/env.h"

/* Zeroed: none. It owns one share of each block that it knows until it is closed, and the pieces until it is cleared.
 */
struct onri_blocks {
  int is_open;       /* a model is being prepared */
  int has_pieces;    /* else each block has memory of its own */
  uint64_t expected; /* bytes of blocks that are still to come, about */
  struct onri_piece *pieces;
  size_t num_pieces, pieces_capacity;
  struct onri_block_entry *entries;
  size_t count, capacity;
  int32_t *buckets; /* [num_buckets] first entry of a chain, or -1 */
  size_t num_buckets;
};

/* Memory for a block of so many bytes, with ONR_SLACK_BYTES of zeros behind it; NULL: there is none. One owner, who
 * releases it with onr_env_release. Without env->blocks, or when they are closed, as onr_env_allocate. */
void *onri_block_begin(struct onr_env *env, size_t bytes);
/* What the block holds is final. Returns it, or, when an earlier block holds the same, that one, which then has one
 * more owner, and releases it. */
void *onri_block_end(struct onr_env *env, void *memory, size_t bytes);

/* constant_bytes: about what will be packed. */
void onri_blocks_open(struct onri_blocks *blocks, uint64_t constant_bytes);
void onri_blocks_close(struct onri_blocks *blocks, struct onr_env *env);
/* All owners are gone. */
void onri_blocks_clear(struct onri_blocks *blocks, const struct onr_allocator *allocator);

#endif
