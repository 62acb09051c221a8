/* digest.h: 128 bits that say whether bytes are the same ones. They hold against accidents, not against somebody who
 * looks for two files with the same digest. */
#ifndef ONRI_DIGEST_H
#define ONRI_DIGEST_H

#include "base/env.h"

struct onri_digest {
  uint64_t word[2];
};

/* What is added, and how it is cut into additions, decides the result. Starts zeroed. */
void onri_digest_add(struct onri_digest *digest, const void *data, size_t bytes);
void onri_digest_add_text(struct onri_digest *digest, const char *text /* NULL: none */);
void onri_digest_add_number(struct onri_digest *digest, uint64_t number);
int onri_digest_equal(const struct onri_digest *a, const struct onri_digest *b);

/* Of a long run of bytes, by all threads: read brings [offset, offset + count) of them to `target`, count no more than
 * ONRI_DIGEST_READ, or returns where they are; NULL: they cannot be read, and the result is 0. */
enum { ONRI_DIGEST_READ = 1 << 15 };
int onri_digest_add_long(struct onri_digest *digest, uint64_t bytes,
                         const void *(*read)(void *context, uint64_t offset, size_t count, void *target), void *context,
                         struct onr_env *env);

#endif
