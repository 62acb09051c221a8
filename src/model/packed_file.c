/* packed_file.c: see packed_file.h. */
#define _POSIX_C_SOURCE 200809L /* fileno */
#include "model/packed_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/numbers/checked.h"
#include "base/system/file.h"

enum { FORMAT = 1, BLOCKS_ALIGNMENT = 4096 };
static const char magic[8] = {'o', 'n', 'r', 'p', 'a', 'c', 'k', '\n'};

struct header {
  char magic[8];
  uint64_t format, file_bytes, num_records;
  struct onri_packed_key key;
  struct onri_digest checksum; /* of the header with zeros here, and of everything behind it */
};

/* --- reading --- */

static const void *mapped_range(void *data, uint64_t offset, size_t count, void *target) {
  (void)count, (void)target;
  return (const unsigned char *)data + offset;
}

static int checksum_of(const struct header *header, uint64_t bytes,
                       const void *(*read)(void *context, uint64_t offset, size_t count, void *target), void *context,
                       struct onr_env *env, struct onri_digest *checksum) {
  struct header bare = *header;
  bare.checksum = (struct onri_digest){{0}};
  *checksum = (struct onri_digest){{0}};
  onri_digest_add(checksum, &bare, sizeof(bare));
  return onri_digest_add_long(checksum, bytes, read, context, env);
}

/* whole: the checksum of all is compared. */
static const char *check(const unsigned char *data, size_t bytes, int whole, const struct onri_packed_key *key,
                         struct onr_env *env, uint64_t *num_records) {
  static const char damaged[] = "it is damaged";
  struct onri_digest checksum;
  struct header header;
  memcpy(&header, data, sizeof(header));
  if (memcmp(header.magic, magic, sizeof(magic)) != 0) return "it is not a file of packed weights";
  if (header.format != FORMAT || !onri_digest_equal(&header.key.library, &key->library))
    return "it is for another version of onnxrun, or another processor";
  if (!onri_digest_equal(&header.key.model, &key->model)) return "it is for another model";
  if (!onri_digest_equal(&header.key.way, &key->way)) return "it is for other options";
  if (header.file_bytes != bytes || header.num_records > (bytes - sizeof(header)) / sizeof(struct onri_block_record))
    return damaged;
  *num_records = header.num_records;
  if (!whole) return NULL;
  if (!checksum_of(&header, bytes - sizeof(header), mapped_range, (void *)(uintptr_t)(data + sizeof(header)), env,
                   &checksum) ||
      !onri_digest_equal(&checksum, &header.checksum))
    return damaged;
  return NULL;
}

static struct onri_block_store store_of(const unsigned char *data, size_t bytes, uint64_t num_records) {
  return (struct onri_block_store){.data = data,
                                   .bytes = bytes,
                                   .records = (const struct onri_block_record *)(data + sizeof(struct header)),
                                   .count = (size_t)num_records};
}

size_t onri_packed_part_head(const unsigned char *data, size_t bytes) {
  struct header header;
  if (bytes < sizeof(header)) return 0;
  memcpy(&header, data, sizeof(header));
  if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.file_bytes != bytes ||
      header.num_records > (bytes - sizeof(header)) / sizeof(struct onri_block_record))
    return 0;
  return sizeof(header) + (size_t)header.num_records * sizeof(struct onri_block_record);
}

const char *onri_packed_part_open(const unsigned char *data, size_t bytes, int blocks, struct onri_packed_key *key,
                                  struct onr_env *env, struct onri_block_store *store) {
  uint64_t num_records = 0;
  struct header header;
  memcpy(&header, data, sizeof(header)); /* the caller has seen onri_packed_part_head */
  key->model = header.key.model;
  const char *why = check(data, bytes, blocks, key, env, &num_records);
  if (why) return why;
  *store = store_of(data, bytes, num_records);
  store->is_part = 1;
  return NULL;
}

static int open_for_reading(const char *path, size_t *bytes) {
  struct onri_file_info info;
  const int fd = onri_file_open(path);
  if (fd < 0) return -1;
  if (onri_file_look(fd, &info) && info.kind == ONRI_FILE_REGULAR && info.bytes <= SIZE_MAX) {
    *bytes = (size_t)info.bytes;
    return fd;
  }
  onri_file_close(fd);
  errno = EINVAL;
  return -1;
}

const char *onri_packed_file_open(const char *path, const struct onri_packed_key *key, struct onr_env *env,
                                  struct onri_block_store *store) {
  uint64_t num_records = 0;
  size_t bytes;
  const int fd = open_for_reading(path, &bytes);
  if (fd < 0)
    return errno == ENOENT   ? "there is no such file"
           : errno == EINVAL ? "it is not a regular file"
                             : onri_file_reason(errno);
  const int is_long = bytes > sizeof(struct header);
  unsigned char *data = is_long ? onri_file_map(fd, bytes) : NULL;
  onri_file_close(fd);
  if (!data) return is_long ? "the system refuses to map it" : "it is not a file of packed weights";
  const char *why = check(data, bytes, 1, key, env, &num_records);
  if (why) {
    onri_file_unmap(data, bytes);
    return why;
  }
  *store = store_of(data, bytes, num_records);
  return NULL;
}

void onri_packed_file_close(struct onri_block_store *store) {
  if (store->data && !store->is_part) onri_file_unmap((void *)(uintptr_t)store->data, store->bytes);
  *store = (struct onri_block_store){0};
}

/* --- writing --- */

struct place {
  uint64_t address, bytes;
  size_t record;
};

static int by_address(const void *a, const void *b) {
  const struct place *x = a, *y = b;
  if (x->address != y->address) return x->address < y->address ? -1 : 1;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? -1 : 1;
  return x->record < y->record ? -1 : 1;
}

/* A file in the making: records as they are to be in the file; those of blocks by address; and of each record the first
 * one of the same block. */
struct making {
  int fd;
  const struct onri_block_record *in_memory;
  struct onri_block_record *records;
  struct place *places;
  size_t *first;
  size_t num_records, num_places;
  uint64_t end;
};

/* Offsets of the blocks. 0: the file would be too long. */
static int lay_out(struct making *m) {
  uint64_t at = sizeof(struct header) + m->num_records * sizeof(*m->records);
  at = (at + BLOCKS_ALIGNMENT - 1) / BLOCKS_ALIGNMENT * BLOCKS_ALIGNMENT;
  for (size_t i = 0; i < m->num_places; i++) {
    const struct place *p = &m->places[i], *before = i > 0 ? p - 1 : NULL;
    const int is_same = before && before->address == p->address && before->bytes == p->bytes;
    m->first[p->record] = is_same ? m->first[before->record] : p->record;
  }
  for (size_t i = 0; i < m->num_records; i++) {
    struct onri_block_record *record = &m->records[i];
    if (record->kind != ONRI_BLOCK_DATA) continue;
    record->at = m->first[i] < i ? m->records[m->first[i]].at : at;
    if (m->first[i] < i) continue;
    if (!onri_add_u64(at, record->bytes + ONR_SLACK_BYTES + ONRI_ALIGNMENT - 1, &at) || at > INT64_MAX) return 0;
    at = at / ONRI_ALIGNMENT * ONRI_ALIGNMENT;
  }
  m->end = at;
  return 1;
}

static const void *file_range(void *context, uint64_t offset, size_t count, void *target) {
  const int fd = *(const int *)context;
  return onri_file_read(fd, offset + sizeof(struct header), target, count) == (int64_t)count ? target : NULL;
}

/* The header comes last: until then the file is none. */
static int write_contents(const struct making *m, const struct onri_packed_key *key, struct onr_env *env) {
  struct header header = {.format = FORMAT, .file_bytes = m->end, .num_records = m->num_records, .key = *key};
  memcpy(header.magic, magic, sizeof(magic));
  if (!onri_file_resize(m->fd, m->end)) return 0;
  if (!onri_file_write(m->fd, sizeof(header), m->records, m->num_records * sizeof(*m->records))) return 0;
  for (size_t i = 0; i < m->num_records; i++) {
    const struct onri_block_record *block = &m->in_memory[i];
    if (block->kind != ONRI_BLOCK_DATA || m->first[i] < i) continue;
    if (onr_env_cancelled(env) ||
        !onri_file_write(m->fd, m->records[i].at, (const void *)(uintptr_t)block->at, (size_t)block->bytes))
      return 0;
  }
  int fd = m->fd;
  return checksum_of(&header, m->end - sizeof(header), file_range, &fd, env, &header.checksum) &&
         onri_file_write(m->fd, 0, &header, sizeof(header));
}

static const char *fill(struct making *m, const struct onri_packed_key *key, struct onr_env *env,
                        const struct onri_blocks *blocks) {
  m->num_records = blocks->num_records;
  m->in_memory = blocks->records;
  m->first = onri_allocate(env->allocator, m->num_records * sizeof(*m->first));
  m->records = onri_allocate(env->allocator, m->num_records * sizeof(*m->records));
  m->places = onri_allocate(env->allocator, m->num_records * sizeof(*m->places));
  if (!m->records || !m->places || !m->first) return "there is no memory for what is to be written";
  for (size_t i = 0; i < m->num_records; i++) {
    m->records[i] = blocks->records[i];
    if (m->records[i].kind == ONRI_BLOCK_DATA)
      m->places[m->num_places++] = (struct place){m->records[i].at, m->records[i].bytes, i};
  }
  if (m->num_places > 1) qsort(m->places, m->num_places, sizeof(*m->places), by_address);
  if (!lay_out(m)) return "it would be too long for a file";
  return write_contents(m, key, env) ? NULL : ONRI_NOT_WRITTEN;
}

static int is_packed_file(const unsigned char *first, size_t bytes) {
  return bytes >= sizeof(magic) && !memcmp(first, magic, sizeof(magic));
}

const char *onri_packed_file_write(const char *path, const struct onri_packed_key *key, struct onr_env *env,
                                   const struct onri_blocks *blocks) {
  struct making m = {0};
  struct onri_atomic_file f;
  const char *why = onri_atomic_file_begin(&f, path, is_packed_file, env->allocator);
  if (!why) {
    m.fd = fileno(f.file);
    why = fill(&m, key, env, blocks);
  }
  if (!why) why = onri_atomic_file_close(&f);
  if (!why) why = onri_atomic_file_place(&f);
  onri_atomic_file_end(&f);
  onri_release(env->allocator, m.records);
  onri_release(env->allocator, m.places);
  onri_release(env->allocator, m.first);
  return why;
}
