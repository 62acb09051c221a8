/* packed_file.h: the file of packed weights. It is written by us and read as a stranger's.
 *
 *   header     what the file is, and for whom; a digest of everything
 *   records    [num_records] struct onri_block_record, in the order in which preparing the model asks for them
 *   blocks     each aligned as in memory, with ONR_SLACK_BYTES behind it; equal ones are there once
 *
 * Numbers are in the machine's own order: the key knows it. Nothing in the file says how much memory to take or where
 * to write; a record is believed where the block is in the file and has the size that a layer asks for. */
#ifndef ONRI_PACKED_FILE_H
#define ONRI_PACKED_FILE_H

#include "base/digest.h"
#include "base/memory/blocks.h"

struct onri_packed_key {
  struct onri_digest library, model, way; /* who packs, what, and with which options */
};

/* NULL, or why the file is not used; then *store is not changed. */
const char *onri_packed_file_open(const char *path, const struct onri_packed_key *key, struct onr_env *env,
                                  struct onri_block_store *store);
/* The same of a file that lies in a packed model: the bytes stay. key->model is not compared, it becomes the file's.
 * blocks: they are compared with the checksum, which reads them all. */
const char *onri_packed_part_open(const unsigned char *data, size_t bytes, int blocks, struct onri_packed_key *key,
                                  struct onr_env *env, struct onri_block_store *store);
/* Bytes of the header and the records; 0: it is no such file. */
size_t onri_packed_part_head(const unsigned char *data, size_t bytes);
void onri_packed_file_close(struct onri_block_store *store);
/* The records of the blocks; what is there is replaced when it is such a file. NULL, or why nothing was written. */
const char *onri_packed_file_write(const char *path, const struct onri_packed_key *key, struct onr_env *env,
                                   const struct onri_blocks *blocks);

#endif
