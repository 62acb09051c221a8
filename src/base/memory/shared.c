#include "base/memory/shared.h"

#include <string.h>

struct onri_shared_entry {
  void *memory;
  size_t offset, bytes;
  uint64_t hash;
  int32_t next; /* in the chain of its bucket, -1: the last */
};

/* Some of the contents: what is the same here is compared in full. Reading all would cost as much as packing. */
enum { SAMPLE_BYTES = 64, SAMPLE_STRIDE = 4096, MOST_COMPARED = 4 };

static uint64_t mix(uint64_t hash, const unsigned char *data, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ data[i]) * UINT64_C(1099511628211);
  return hash;
}

static uint64_t hash_of(const unsigned char *data, size_t bytes) {
  uint64_t hash = mix(UINT64_C(14695981039346656037), (const unsigned char *)&bytes, sizeof(bytes));
  for (size_t at = 0; at < bytes; at += SAMPLE_STRIDE)
    hash = mix(hash, data + at, bytes - at < SAMPLE_BYTES ? bytes - at : SAMPLE_BYTES);
  return hash ^ hash >> 32;
}

/* An earlier block with these contents; NULL: none. */
static void *find(const struct onri_shared_blocks *shared, const unsigned char *data, size_t bytes, size_t offset,
                  uint64_t hash) {
  int compared = 0;
  if (!shared->num_buckets) return NULL;
  for (int32_t e = shared->buckets[hash % shared->num_buckets]; e >= 0 && compared < MOST_COMPARED;
       e = shared->entries[e].next) {
    const struct onri_shared_entry *entry = &shared->entries[e];
    if (entry->hash != hash || entry->bytes != bytes || entry->offset != offset) continue;
    if (memcmp((const unsigned char *)entry->memory + offset, data, bytes) == 0) return entry->memory;
    compared++;
  }
  return NULL;
}

/* Twice as many buckets as there are entries at most. */
static int grow_buckets(struct onri_shared_blocks *shared, const struct onr_allocator *allocator) {
  const size_t count = shared->num_buckets ? 2 * shared->num_buckets : 64;
  int32_t *buckets;
  if (shared->count < shared->num_buckets) return 1;
  buckets = onri_allocate(allocator, count * sizeof(*buckets));
  if (!buckets) return 0;
  for (size_t b = 0; b < count; b++) buckets[b] = -1;
  for (size_t e = 0; e < shared->count; e++) {
    struct onri_shared_entry *entry = &shared->entries[e];
    entry->next = buckets[entry->hash % count];
    buckets[entry->hash % count] = (int32_t)e;
  }
  onri_release(allocator, shared->buckets);
  shared->buckets = buckets;
  shared->num_buckets = count;
  return 1;
}

static int remember(struct onri_shared_blocks *shared, const struct onr_allocator *allocator,
                    const struct onri_shared_entry *entry) {
  if (shared->count == INT32_MAX || !grow_buckets(shared, allocator) ||
      !onri_grow(allocator, &shared->entries, sizeof(*shared->entries), &shared->capacity, shared->count + 1))
    return 0;
  int32_t *first = &shared->buckets[entry->hash % shared->num_buckets];
  shared->entries[shared->count] = *entry;
  shared->entries[shared->count].next = *first;
  *first = (int32_t)shared->count++;
  return 1;
}

void *onri_shared_block(struct onr_env *env, void *memory, size_t offset, size_t bytes) {
  struct onri_shared_blocks *shared = env->shared;
  const unsigned char *data = (const unsigned char *)memory + offset;
  void *earlier;
  if (!shared || !memory) return memory;
  const uint64_t hash = hash_of(data, bytes);
  earlier = find(shared, data, bytes, offset, hash);
  if (earlier) {
    onri_env_retain(earlier);
    onr_env_release(env, memory);
    return earlier;
  }
  const struct onri_shared_entry entry = {.memory = memory, .offset = offset, .bytes = bytes, .hash = hash};
  if (remember(shared, env->allocator, &entry)) onri_env_retain(memory);
  return memory;
}

void onri_shared_clear(struct onri_shared_blocks *shared, struct onr_env *env) {
  for (size_t e = 0; e < shared->count; e++) onr_env_release(env, shared->entries[e].memory);
  onri_release(env->allocator, shared->entries);
  onri_release(env->allocator, shared->buckets);
  *shared = (struct onri_shared_blocks){0};
}
