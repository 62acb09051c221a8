/* source.c: files are read with pread, never mapped: a file that shrinks must end in an error, not in SIGBUS. */
#include "onnx/file/source.h"

#include <errno.h>
#include <string.h>

#include "base/memory/memory.h"
#include "base/system/file.h"
#include "base/text/text.h"

struct onri_source onri_source_memory(const void *data, size_t bytes) {
  return (struct onri_source){.fd = -1, .data = data, .size = bytes};
}

int onri_source_from_descriptor(int fd, struct onri_source *source) {
  struct onri_file_info info;
  if (!onri_file_look(fd, &info) || info.kind != ONRI_FILE_REGULAR) return 0;
  *source = (struct onri_source){.fd = fd, .size = info.bytes};
  return 1;
}

enum onr_status onri_source_open(const char *path, struct onri_source *source, struct onr_error *error) {
  char shown[200];
  const int fd = onri_file_open(path);
  *source = (struct onri_source){.fd = -1};
  if (fd < 0) {
    const int reason = errno;
    return onr_fail(error, ONR_STATUS_IO, "cannot open '%s': %s", onri_escape_string(path, shown, sizeof(shown)),
                    onri_file_reason(reason));
  }
  if (!onri_source_from_descriptor(fd, source)) {
    struct onri_file_info info;
    const int is_folder = onri_file_look(fd, &info) && info.kind == ONRI_FILE_FOLDER;
    onri_file_close(fd);
    return onr_fail(error, ONR_STATUS_IO, "'%s' is %s, expected a file", onri_escape_string(path, shown, sizeof(shown)),
                    is_folder ? "a folder" : "no regular file");
  }
  return ONR_STATUS_OK;
}

uint64_t onri_source_held(const struct onri_source *source) {
  uint64_t held = 0;
  if (!source->image) return source->size;
  for (size_t i = 0; i < source->num_extents; i++) held += source->extents[i].bytes;
  return held;
}

static void note_read(struct onri_reads *reads, uint64_t offset, uint64_t bytes) {
  struct onri_extent *last = reads->count ? &reads->items[reads->count - 1] : NULL;
  if (last && last->offset + last->bytes == offset) {
    last->bytes += bytes;
    return;
  }
  if (!onri_grow(reads->allocator, &reads->items, sizeof(*reads->items), &reads->capacity, reads->count + 1)) {
    reads->failed = 1;
    return;
  }
  reads->items[reads->count++] = (struct onri_extent){offset, bytes, 0};
}

/* The last extent that begins at or before offset; the first when there is none. */
static size_t find_extent(const struct onri_source *source, uint64_t offset) {
  size_t low = 0, high = source->num_extents;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (source->extents[middle].offset <= offset) low = middle;
    else high = middle;
  }
  return low;
}

static enum onr_status read_extents(const struct onri_source *source, uint64_t offset, size_t bytes, char *target,
                                    struct onr_error *error) {
  for (size_t i = find_extent(source, offset); bytes > 0; i++) {
    const struct onri_extent *e = i < source->num_extents ? &source->extents[i] : NULL;
    if (!e || offset < e->offset || offset - e->offset >= e->bytes)
      return onr_fail(error, ONR_STATUS_DATA,
                      "the packed model has left out what was at byte %llu of its file: pack the model again",
                      (unsigned long long)offset);
    const uint64_t left = e->bytes - (offset - e->offset);
    const size_t here = left < bytes ? (size_t)left : bytes;
    memcpy(target, source->image + e->at + (offset - e->offset), here);
    target += here;
    offset += here;
    bytes -= here;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_source_read(const struct onri_source *source, uint64_t offset, size_t bytes, void *target,
                                 struct onr_error *error) {
  if (offset > source->size || bytes > source->size - offset)
    return onr_fail(error, ONR_STATUS_INTERNAL, "a read of %zu bytes at %llu leaves the file", bytes,
                    (unsigned long long)offset);
  if (source->reads) note_read(source->reads, offset, bytes);
  if (source->image) return read_extents(source, offset, bytes, target, error);
  if (source->data) {
    if (bytes) memcpy(target, source->data + offset, bytes);
    return ONR_STATUS_OK;
  }
  const int64_t n = bytes ? onri_file_read(source->fd, offset, target, bytes) : 0;
  if (n < 0) return onr_fail(error, ONR_STATUS_IO, "reading at byte %llu failed", (unsigned long long)offset);
  if ((uint64_t)n < bytes)
    return onr_fail(error, ONR_STATUS_IO, "the file ends at byte %llu, it had %llu bytes when it was opened",
                    (unsigned long long)(offset + (uint64_t)n), (unsigned long long)source->size);
  return ONR_STATUS_OK;
}

void onri_source_close(struct onri_source *source) {
  if (!source->data && source->fd >= 0) onri_file_close(source->fd);
  *source = (struct onri_source){.fd = -1};
}
