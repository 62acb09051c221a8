/* blocks.c: see blocks.h. */
#include "base/only.h"
#include "base/memory/blocks.h"

#include <string.h>

#include "base/numbers/checked.h"

struct onri_block_entry {
  void *memory;
  size_t bytes;
  uint64_t hash;
  int32_t next; /* in the chain of its bucket, -1: the last */
};

/* --- pieces --- */

struct onri_piece {
  char *memory;
  size_t bytes, used;
};

/* A piece, the header that an allocator of ours puts before it included, is some large pages of memory. */
enum { MOST_PIECE = 16 << 20, LEAST_PIECE = 4 << 20, HEADER_ROOM = 128, MOST_BLOCK = LEAST_PIECE / 2 };

void onri_blocks_open(struct onri_blocks *blocks, uint64_t constant_bytes) {
  blocks->is_open = 1;
  /* AddressSanitizer sees what is touched beside a block that has memory of its own. */
  blocks->has_pieces = !ONRI_WATCHED && constant_bytes >= LEAST_PIECE;
  blocks->constant_bytes = blocks->expected = constant_bytes;
}

static size_t piece_bytes(const struct onri_blocks *blocks) {
  const uint64_t bytes = blocks->expected;
  return (bytes > MOST_PIECE ? MOST_PIECE : bytes > LEAST_PIECE ? (size_t)bytes : LEAST_PIECE) - HEADER_ROOM;
}

/* Room in a piece; NULL: none, and no memory for one. */
static void *take(struct onri_blocks *blocks, struct onr_env *env, size_t bytes) {
  const struct onr_allocator *allocator = env->allocator;
  blocks->expected -= bytes < blocks->expected ? bytes : blocks->expected;
  if (!blocks->has_pieces || bytes > MOST_BLOCK || !onri_round_up(bytes, ONRI_ALIGNMENT, &bytes)) return NULL;
  for (size_t i = 0; i < blocks->num_pieces; i++) {
    struct onri_piece *piece = &blocks->pieces[i];
    if (bytes > piece->bytes - piece->used) continue;
    piece->used += bytes;
    return piece->memory + piece->used - bytes;
  }
  if (!onri_grow(allocator, &blocks->pieces, sizeof(*blocks->pieces), &blocks->pieces_capacity, blocks->num_pieces + 1))
    return NULL;
  struct onri_piece *piece = &blocks->pieces[blocks->num_pieces];
  const size_t size = piece_bytes(blocks);
  *piece = (struct onri_piece){onri_allocate(allocator, size), size, bytes};
  if (piece->memory) blocks->num_pieces++;
  else blocks->has_pieces = 0, onri_meter_take_refusal(env->meter); /* there may be room for less */
  return piece->memory;
}

/* The block that was taken last of its piece: its room is free again. */
static void give_back(struct onri_blocks *blocks, const char *memory, size_t bytes) {
  if (!onri_round_up(bytes, ONRI_ALIGNMENT, &bytes)) return;
  for (size_t i = 0; i < blocks->num_pieces; i++) {
    struct onri_piece *piece = &blocks->pieces[i];
    if (memory == piece->memory + piece->used - bytes) piece->used -= bytes;
  }
}

/* --- equal blocks --- */

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
static void *find(const struct onri_blocks *blocks, const unsigned char *data, size_t bytes, uint64_t hash) {
  int compared = 0;
  if (!blocks->num_buckets) return NULL;
  for (int32_t e = blocks->buckets[hash % blocks->num_buckets]; e >= 0 && compared < MOST_COMPARED;
       e = blocks->entries[e].next) {
    const struct onri_block_entry *entry = &blocks->entries[e];
    if (entry->hash != hash || entry->bytes != bytes) continue;
    if (memcmp(entry->memory, data, bytes) == 0) return entry->memory;
    compared++;
  }
  return NULL;
}

/* Twice as many buckets as there are entries at most. */
static int grow_buckets(struct onri_blocks *blocks, const struct onr_allocator *allocator) {
  const size_t count = blocks->num_buckets ? 2 * blocks->num_buckets : 64;
  int32_t *buckets;
  if (blocks->count < blocks->num_buckets) return 1;
  buckets = onri_allocate(allocator, count * sizeof(*buckets));
  if (!buckets) return 0;
  for (size_t b = 0; b < count; b++) buckets[b] = -1;
  for (size_t e = 0; e < blocks->count; e++) {
    struct onri_block_entry *entry = &blocks->entries[e];
    entry->next = buckets[entry->hash % count];
    buckets[entry->hash % count] = (int32_t)e;
  }
  onri_release(allocator, blocks->buckets);
  blocks->buckets = buckets;
  blocks->num_buckets = count;
  return 1;
}

static int remember(struct onri_blocks *blocks, const struct onr_allocator *allocator,
                    const struct onri_block_entry *entry) {
  if (blocks->count == INT32_MAX || !grow_buckets(blocks, allocator) ||
      !onri_grow(allocator, &blocks->entries, sizeof(*blocks->entries), &blocks->capacity, blocks->count + 1))
    return 0;
  int32_t *first = &blocks->buckets[entry->hash % blocks->num_buckets];
  blocks->entries[blocks->count] = *entry;
  blocks->entries[blocks->count].next = *first;
  *first = (int32_t)blocks->count++;
  return 1;
}

/* --- stores and records --- */

int onri_blocks_stored(const struct onr_env *env) {
  const struct onri_blocks *blocks = env->blocks;
  return ONRI_PART(packed) && blocks && blocks->is_open && blocks->store.data && !blocks->store.differs;
}

void onri_blocks_differ(struct onr_env *env) { env->blocks->store.differs = 1; }

/* The next record, when it is of this kind. */
static int take_record(struct onr_env *env, enum onri_block_kind kind, struct onri_block_record *record) {
  if (!onri_blocks_stored(env)) return 0;
  struct onri_block_store *store = &env->blocks->store;
  if (store->next < store->count) {
    *record = store->records[store->next++];
    if (record->kind == (uint64_t)kind) return 1;
  }
  onri_blocks_differ(env);
  return 0;
}

void *onri_block_recall(struct onr_env *env, size_t bytes) {
  struct onri_block_record record;
  if (!take_record(env, ONRI_BLOCK_DATA, &record)) return NULL;
  const struct onri_block_store *store = &env->blocks->store;
  /* With slack behind it, as all memory that kernels read. */
  if (record.bytes == bytes && record.at <= store->bytes && record.at % ONRI_ALIGNMENT == 0 &&
      bytes <= store->bytes - record.at && ONR_SLACK_BYTES <= store->bytes - record.at - bytes) {
    return (void *)(uintptr_t)(store->data + record.at);
  }
  onri_blocks_differ(env);
  return NULL;
}

int onri_block_answer(struct onr_env *env, uint64_t *answer) {
  struct onri_block_record record;
  if (!take_record(env, ONRI_BLOCK_ANSWER, &record)) return 0;
  *answer = record.at;
  return 1;
}

int onri_blocks_record(const struct onr_env *env) {
  return ONRI_PART(packed) && env->blocks && env->blocks->is_open && env->blocks->is_recording;
}

/* Where there is no memory for a record there will be no file. */
static int add_record(struct onr_env *env, enum onri_block_kind kind, uint64_t bytes, uint64_t at) {
  struct onri_blocks *blocks = env->blocks;
  if (!onri_blocks_record(env)) return 0;
  if (!onri_grow(env->allocator, &blocks->records, sizeof(*blocks->records), &blocks->records_capacity,
                 blocks->num_records + 1)) {
    blocks->is_recording = 0;
    return 0;
  }
  blocks->records[blocks->num_records++] = (struct onri_block_record){kind, bytes, at};
  return 1;
}

void onri_block_tell(struct onr_env *env, uint64_t answer) { add_record(env, ONRI_BLOCK_ANSWER, 0, answer); }

int onri_block_keep(struct onr_env *env, const void *data, size_t bytes) {
  return add_record(env, ONRI_BLOCK_DATA, bytes, (uintptr_t)data);
}

/* --- one block --- */

void *onri_block_begin(struct onr_env *env, size_t bytes) {
  struct onri_blocks *blocks = env->blocks;
  size_t with_slack, total;
  if (!onri_add_size(bytes, ONR_SLACK_BYTES, &with_slack) || !onri_add_size(with_slack, ONRI_ALIGNMENT, &total))
    return NULL;
  void *room = blocks && blocks->is_open ? take(blocks, env, total) : NULL;
  char *memory = room ? onri_env_place(env, room, with_slack) : onr_env_allocate(env, with_slack);
  const int is_written = memory && onri_blocks_record(env); /* what packing leaves out, too */
  if (memory) memset(memory + (is_written ? 0 : bytes), 0, ONR_SLACK_BYTES + (is_written ? bytes : 0));
  return memory;
}

void *onri_block_end(struct onr_env *env, void *memory, size_t bytes) {
  struct onri_blocks *blocks = env->blocks;
  void *earlier;
  if (!ONRI_PART(shared) || !blocks || !blocks->is_open || !memory) return memory;
  const uint64_t hash = hash_of(memory, bytes);
  earlier = find(blocks, memory, bytes, hash);
  if (earlier) {
    blocks->has_shared = 1;
    onri_env_retain(earlier);
    onr_env_release(env, memory);
    give_back(blocks, (const char *)memory - ONRI_ALIGNMENT, bytes + ONR_SLACK_BYTES + ONRI_ALIGNMENT);
    onri_block_keep(env, earlier, bytes);
    return earlier;
  }
  onri_block_keep(env, memory, bytes);
  const struct onri_block_entry entry = {.memory = memory, .bytes = bytes, .hash = hash};
  if (remember(blocks, env->allocator, &entry)) onri_env_retain(memory);
  return memory;
}

void onri_blocks_close(struct onri_blocks *blocks, struct onr_env *env) {
  for (size_t e = 0; e < blocks->count; e++) onr_env_release(env, blocks->entries[e].memory);
  onri_release(env->allocator, blocks->entries);
  onri_release(env->allocator, blocks->buckets);
  blocks->entries = NULL;
  blocks->buckets = NULL;
  blocks->count = blocks->capacity = blocks->num_buckets = 0;
  onri_release(env->allocator, blocks->records);
  blocks->records = NULL;
  blocks->num_records = blocks->records_capacity = 0;
  blocks->is_recording = 0;
  blocks->is_open = 0;
}

void onri_blocks_clear(struct onri_blocks *blocks, const struct onr_allocator *allocator) {
  for (size_t i = 0; i < blocks->num_pieces; i++) onri_release(allocator, blocks->pieces[i].memory);
  onri_release(allocator, blocks->pieces);
  *blocks = (struct onri_blocks){0};
}
