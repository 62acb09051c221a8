/* blocks.h: the packed weights of a model. Whatever layers pack while it is prepared, they pack into blocks from here:
 * blocks lie together in large pieces of memory, and those of equal contents are held once, however many layers made
 * them: a weight that forty nodes read is packed forty times, and kept once. */
#ifndef ONRI_BLOCKS_H
#define ONRI_BLOCKS_H

#include "base/env.h"

/* Bytes of constants of a model from which on what is packed is of types of half the size where they hold it. */
enum { ONRI_NARROW_LEAST_BYTES = 8 << 20 };

/* What the preparing of a model asks for, in its order: blocks, and answers that only the contents of weights give
 * (whether they are finite). A file of packed weights holds them, so that a later load neither packs nor reads weights.
 */
enum onri_block_kind { ONRI_BLOCK_DATA = 1, ONRI_BLOCK_ANSWER = 2 };
struct onri_block_record {
  uint64_t kind;  /* enum onri_block_kind */
  uint64_t bytes; /* of DATA */
  uint64_t at;    /* DATA: its place in the file, or while records are made its address; ANSWER: the answer */
};

/* Such a file in memory, which a stranger may have made, and may still change: each record is checked when it is taken.
 */
struct onri_block_store {
  const unsigned char *data; /* NULL: there is none */
  size_t bytes;
  const struct onri_block_record *records; /* in data */
  size_t count, next;
  int is_part; /* of a packed model, whose owner unmaps it */
  int differs; /* a record was not what was asked for: from there on everything is packed */
};

/* Zeroed: none. It owns one share of each block that it knows until it is closed, and the pieces until it is cleared.
 */
struct onri_blocks {
  int is_open;             /* a model is being prepared */
  int has_pieces;          /* else each block has memory of its own */
  int has_shared;          /* two were equal */
  uint64_t constant_bytes; /* of the model */
  uint64_t expected;       /* bytes of blocks that are still to come, about */
  struct onri_piece *pieces;
  size_t num_pieces, pieces_capacity;
  struct onri_block_entry *entries;
  size_t count, capacity;
  int32_t *buckets; /* [num_buckets] first entry of a chain, or -1 */
  size_t num_buckets;
  struct onri_block_store store;
  int is_recording;
  struct onri_block_record *records;
  size_t num_records, records_capacity;
};

/* The next block of the store, when there is one of so many bytes, for reading only; NULL: it must be made. One owner,
 * as below. */
void *onri_block_recall(struct onr_env *env, size_t bytes);
/* Memory for a block of so many bytes, with ONR_SLACK_BYTES of zeros behind it; NULL: there is none. One owner, who
 * releases it with onr_env_release. Without env->blocks, or when they are closed, as onr_env_allocate. */
void *onri_block_begin(struct onr_env *env, size_t bytes);
/* What the block holds is final. Returns it, or, when an earlier block holds the same, that one, which then has one
 * more owner, and releases it. */
void *onri_block_end(struct onr_env *env, void *memory, size_t bytes);

/* Contents that stay as they are: to be recalled like a block. 1: there are records, and until they are used the
 * contents must stay. */
int onri_block_keep(struct onr_env *env, const void *data, size_t bytes);
/* 1: the store has the answer to the next question. Else ask, and tell what the answer was. */
int onri_block_answer(struct onr_env *env, uint64_t *answer);
void onri_block_tell(struct onr_env *env, uint64_t answer);
/* 1 while nothing that was asked differed from the store. */
int onri_blocks_stored(const struct onr_env *env);
/* 1 while records are made. */
int onri_blocks_record(const struct onr_env *env);
/* From here on the store is not what is wanted. */
void onri_blocks_differ(struct onr_env *env);
/* 1: memory lies in a store. */
static inline int onri_blocks_hold(const struct onri_blocks *blocks, const void *memory) {
  return blocks && (uintptr_t)memory - (uintptr_t)blocks->store.data < blocks->store.bytes;
}

/* constant_bytes: about what will be packed. */
void onri_blocks_open(struct onri_blocks *blocks, uint64_t constant_bytes);
void onri_blocks_close(struct onri_blocks *blocks, struct onr_env *env);
/* All owners are gone. */
void onri_blocks_clear(struct onri_blocks *blocks, const struct onr_allocator *allocator);

#endif
