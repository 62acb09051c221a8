/* packed_model.c: see packed_model.h. */
#define _POSIX_C_SOURCE 200809L /* fileno */
#include "onnx/import/packed_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/numbers/checked.h"
#include "base/system/file.h"

enum { FORMAT = 1, PAGE = 4096, LONGEST_LOCATION = 4096, MOST_SOURCES = 1 << 20 };
static const char magic[8] = {'o', 'n', 'r', 'm', 'o', 'd', 'e', 'l'};

struct head {
  char magic[8];
  uint64_t format, file_bytes, num_sources;
  uint64_t part_at, part_bytes;
  struct onri_digest checksum; /* of this with zeros here, of all before the part, and of the part's own head */
};

struct entry {
  uint64_t size; /* of the file as it was */
  uint64_t num_extents, extents_at;
  uint64_t name_bytes, name_at; /* of the location; none: the model file */
};

static const void *mapped_range(void *data, uint64_t offset, size_t count, void *target) {
  (void)count, (void)target;
  return (const unsigned char *)data + offset;
}

static int checksum_of(const struct head *head, const unsigned char *data, size_t part_head, struct onr_env *env,
                       struct onri_digest *checksum) {
  struct head bare = *head;
  bare.checksum = (struct onri_digest){{0}};
  *checksum = (struct onri_digest){{0}};
  onri_digest_add(checksum, &bare, sizeof(bare));
  const uint64_t bytes = head->part_at - sizeof(*head) + part_head;
  return onri_digest_add_long(checksum, bytes, mapped_range, (void *)(uintptr_t)(data + sizeof(*head)), env);
}

/* --- reading --- */

struct image {
  const unsigned char *data;
  uint64_t bytes; /* of what is before the part: all that entries may point to */
};

static int lies_in(const struct image *image, uint64_t at, uint64_t count, uint64_t size, uint64_t alignment) {
  uint64_t bytes;
  return at % alignment == 0 && onri_mul_u64(count, size, &bytes) && at <= image->bytes && bytes <= image->bytes - at;
}

/* Sorted, none in another, all of them in the file as it was and in this one. */
static int are_sound(const struct image *image, const struct entry *entry, const struct onri_extent *extents) {
  uint64_t end = 0;
  for (uint64_t i = 0; i < entry->num_extents; i++) {
    const struct onri_extent *e = &extents[i];
    if (e->offset < end || e->bytes == 0 || e->offset > entry->size || e->bytes > entry->size - e->offset ||
        !lies_in(image, e->at, e->bytes, 1, 1))
      return 0;
    end = e->offset + e->bytes;
  }
  return entry->size <= INT64_MAX;
}

static enum onr_status bad_entry(size_t i, struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_PARSE, "a packed model that is damaged: file %zu of it has no sound place", i);
}

/* What is mapped a stranger may still change, so an extent that was found sound could lead out of the file afterwards:
 * extents are copied first. */
static enum onr_status take_entry(const struct image *image, size_t i, struct onri_sources *sources, int *has_holes,
                                  struct onr_error *error) {
  struct entry entry;
  memcpy(&entry, image->data + sizeof(struct head) + i * sizeof(entry), sizeof(entry));
  if (!lies_in(image, entry.extents_at, entry.num_extents, sizeof(struct onri_extent), 8) || !entry.name_bytes != !i ||
      entry.name_bytes > LONGEST_LOCATION || !lies_in(image, entry.name_at, entry.name_bytes, 1, 1))
    return bad_entry(i, error);
  const size_t bytes = (size_t)entry.num_extents * sizeof(struct onri_extent);
  const struct onri_extent *extents = onri_arena_copy(&sources->arena, image->data + entry.extents_at, bytes);
  if (!extents) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a packed model");
  if (!are_sound(image, &entry, extents)) return bad_entry(i, error);
  const struct onri_source source = {
      .fd = -1, .size = entry.size, .image = image->data, .extents = extents, .num_extents = (size_t)entry.num_extents};
  *has_holes |= onri_source_held(&source) < source.size;
  if (i)
    return onri_sources_add_file(sources, (const char *)image->data + entry.name_at, (size_t)entry.name_bytes, &source,
                                 error);
  sources->main = source;
  return ONR_STATUS_OK;
}

static const char *check_head(const struct head *head, const unsigned char *data, size_t bytes, struct onr_env *env) {
  struct onri_digest checksum;
  if (head->format != FORMAT) return "it is of another version of onnxrun: pack the model again";
  if (head->file_bytes != bytes || head->part_at > bytes || head->part_at % PAGE || head->part_at < sizeof(*head) ||
      head->part_bytes != bytes - head->part_at || head->num_sources < 1 || head->num_sources > MOST_SOURCES ||
      head->num_sources > (head->part_at - sizeof(*head)) / sizeof(struct entry))
    return "its length or its parts are not what its head says";
  const size_t part_head = onri_packed_part_head(data + head->part_at, (size_t)head->part_bytes);
  if (!part_head) return "its packed weights have no sound head";
  if (!checksum_of(head, data, part_head, env, &checksum) || !onri_digest_equal(&checksum, &head->checksum))
    return "its checksum is another one";
  return NULL;
}

enum onr_status onri_packed_model_open(struct onri_sources *sources, struct onr_model *model, int verifies,
                                       struct onr_error *error) {
  const uint64_t size = sources->main.size;
  struct head head;
  if (size < sizeof(head) || size > SIZE_MAX || sources->main.fd < 0) return ONR_STATUS_OK;
  ONR_TRY(onri_source_read(&sources->main, 0, sizeof(head), &head, error));
  if (memcmp(head.magic, magic, sizeof(magic)) != 0) return ONR_STATUS_OK;
  unsigned char *data = onri_file_map(sources->main.fd, (size_t)size);
  if (!data) return onr_fail(error, ONR_STATUS_IO, "the system refuses to map the packed model");
  sources->image = data;
  sources->image_bytes = (size_t)size;
  const char *why = check_head(&head, data, (size_t)size, &model->env);
  ONR_TRY(onri_env_poll(&model->env, error));
  if (why) return onr_fail(error, ONR_STATUS_PARSE, "a packed model that is damaged: %s", why);
  onri_source_close(&sources->main);
  if (sources->directories[0] >= 0) onri_file_close(sources->directories[0]);
  sources->directories[0] = -1;
  const struct image image = {data, head.part_at};
  model->packed.part = data + head.part_at;
  model->packed.part_bytes = (size_t)head.part_bytes;
  model->packed.verifies = verifies;
  for (size_t i = 0; i < head.num_sources; i++)
    ONR_TRY(take_entry(&image, i, sources, &model->packed.has_holes, error));
  return ONR_STATUS_OK;
}

/* --- writing --- */

int onri_is_packed_model(const unsigned char *first, size_t bytes) {
  return bytes >= sizeof(magic) && !memcmp(first, magic, sizeof(magic));
}

static int by_offset(const void *a, const void *b) {
  const struct onri_extent *x = a, *y = b;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Sorted, and those that touch become one. Returns how many are left. */
static size_t merge(struct onri_extent *items, size_t count) {
  size_t kept = 0;
  if (count > 1) qsort(items, count, sizeof(*items), by_offset);
  for (size_t i = 0; i < count; i++) {
    struct onri_extent *last = kept ? &items[kept - 1] : NULL;
    const uint64_t end = items[i].offset + items[i].bytes;
    if (!items[i].bytes) continue;
    if (!last || items[i].offset > last->offset + last->bytes) items[kept++] = items[i];
    else if (end > last->offset + last->bytes) last->bytes = end - last->offset;
  }
  return kept;
}

struct writing {
  struct onri_sources *sources;
  struct onr_env *env;
  struct onr_error *error;
  int whole;
  struct onri_atomic_file target;
  FILE *file;  /* its */
  uint64_t at; /* bytes written */
  struct entry *entries;
  size_t count;
};

static enum onr_status refuse(const struct writing *w, const char *why) {
  return onri_atomic_file_fail(&w->target, why, w->error);
}

/* What is kept of file i: 0 is the model file. */
static struct onri_reads *reads_of(const struct writing *w, size_t i) {
  return i ? &w->sources->files[i - 1]->reads : &w->sources->reads;
}

static uint64_t size_of(const struct writing *w, size_t i) {
  return i ? w->sources->files[i - 1]->source.size : w->sources->main.size;
}

static void put(struct writing *w, const void *data, size_t bytes) {
  fwrite(data, 1, bytes, w->file);
  w->at += bytes;
}

static void pad(struct writing *w, size_t alignment) {
  while (w->at % alignment) putc(0, w->file), w->at++;
}

static enum onr_status copy_range(struct writing *w, size_t i, uint64_t offset, uint64_t bytes) {
  char piece[1 << 15];
  while (bytes > 0) {
    const size_t here = bytes < sizeof(piece) ? (size_t)bytes : sizeof(piece);
    ONR_TRY(i ? onri_external_read(w->sources, w->sources->files[i - 1], offset, here, piece, w->error)
              : onri_source_read(&w->sources->main, offset, here, piece, w->error));
    put(w, piece, here);
    offset += here;
    bytes -= here;
  }
  return onri_env_poll(w->env, w->error);
}

/* Kept bytes first, then where they are. */
static enum onr_status put_source(struct writing *w, size_t i) {
  struct onri_reads *reads = reads_of(w, i);
  struct entry *entry = &w->entries[i];
  struct onri_extent all = {0, size_of(w, i), 0};
  struct onri_extent *extents = w->whole ? &all : reads->items;
  *entry = (struct entry){.size = all.bytes};
  if (reads->failed) return onr_fail(w->error, ONR_STATUS_NO_MEMORY, "no memory to pack a model");
  entry->num_extents = w->whole ? all.bytes > 0 : merge(reads->items, reads->count);
  for (size_t k = 0; k < entry->num_extents; k++) {
    extents[k].at = w->at;
    ONR_TRY(copy_range(w, i, extents[k].offset, extents[k].bytes));
  }
  pad(w, 8);
  entry->extents_at = w->at;
  put(w, extents, (size_t)entry->num_extents * sizeof(*extents));
  entry->name_at = w->at;
  entry->name_bytes = i ? strlen(w->sources->files[i - 1]->location) : 0;
  if (i) put(w, w->sources->files[i - 1]->location, (size_t)entry->name_bytes);
  return ONR_STATUS_OK;
}

static enum onr_status copy_part(struct writing *w, const char *packed, uint64_t *bytes) {
  struct onri_source part;
  char piece[1 << 15];
  enum onr_status status = onri_source_open(packed, &part, w->error);
  *bytes = part.size;
  for (uint64_t at = 0; status == ONR_STATUS_OK && at < part.size; at += sizeof(piece)) {
    const size_t here = part.size - at < sizeof(piece) ? (size_t)(part.size - at) : sizeof(piece);
    status = onri_source_read(&part, at, here, piece, w->error);
    put(w, piece, here);
  }
  onri_source_close(&part);
  return status;
}

/* The head comes last: until then the file is none. */
static enum onr_status put_head(struct writing *w, struct head *head) {
  const int fd = fileno(w->file);
  enum onr_status status = ONR_STATUS_OK;
  head->file_bytes = w->at;
  rewind(w->file);
  onri_file_seek(w->file, sizeof(*head));
  fwrite(w->entries, sizeof(*w->entries), w->count, w->file);
  if (fflush(w->file) != 0) return refuse(w, ONRI_NOT_WRITTEN);
  unsigned char *data = onri_file_map(fd, (size_t)w->at);
  if (!data) return refuse(w, "the system refuses to map what was written");
  const size_t part_head = onri_packed_part_head(data + head->part_at, (size_t)head->part_bytes);
  if (!part_head || !checksum_of(head, data, part_head, w->env, &head->checksum))
    status = refuse(w, "what was written cannot be read");
  onri_file_unmap(data, (size_t)w->at);
  if (status != ONR_STATUS_OK) return status;
  rewind(w->file);
  fwrite(head, sizeof(*head), 1, w->file);
  return fflush(w->file) == 0 && !ferror(w->file) ? ONR_STATUS_OK : refuse(w, ONRI_NOT_WRITTEN);
}

static enum onr_status write_all(struct writing *w, const char *packed) {
  static const struct head no_head;
  struct head head = {.format = FORMAT, .num_sources = w->count};
  memcpy(head.magic, magic, sizeof(magic));
  put(w, &no_head, sizeof(no_head));
  put(w, w->entries, w->count * sizeof(*w->entries));
  for (size_t i = 0; i < w->count; i++) ONR_TRY(put_source(w, i));
  pad(w, PAGE);
  head.part_at = w->at;
  ONR_TRY(copy_part(w, packed, &head.part_bytes));
  if (fflush(w->file) != 0 || ferror(w->file)) return refuse(w, ONRI_NOT_WRITTEN);
  return put_head(w, &head);
}

static enum onr_status write_target(struct writing *w, const char *path, const char *packed) {
  const char *why = onri_atomic_file_begin(&w->target, path, onri_is_packed_model, w->env->allocator);
  if (why) return refuse(w, why);
  w->file = w->target.file;
  ONR_TRY(write_all(w, packed));
  ONR_TRY(onri_meter_settle_model(w->env->meter, ONR_STATUS_OK, w->error));
  why = onri_atomic_file_close(&w->target);
  if (!why) why = onri_atomic_file_place(&w->target);
  return why ? refuse(w, why) : ONR_STATUS_OK;
}

enum onr_status onri_packed_model_write(const char *path, struct onri_sources *sources, const char *packed, int whole,
                                        struct onr_env *env, struct onr_error *error) {
  struct writing w = {.sources = sources, .env = env, .error = error, .whole = whole, .count = sources->num_files + 1};
  onri_sources_track(sources, 0); /* what follows is no load's */
  w.entries = onri_allocate_zeroed(env->allocator, w.count * sizeof(*w.entries));
  const enum onr_status status =
      w.entries ? write_target(&w, path, packed) : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to pack a model");
  onri_atomic_file_end(&w.target);
  onri_release(env->allocator, w.entries);
  return status;
}
