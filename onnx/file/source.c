/* source.c: files are read with pread, never mapped: a file that shrinks must end in an error, not in SIGBUS. */
#define _POSIX_C_SOURCE 200809L
#include "onnx/file/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/text.h"

_Static_assert(sizeof(off_t) == 8, "files beyond 2 GiB: built with _FILE_OFFSET_BITS=64");

struct onri_source onri_source_memory(const void *data, size_t bytes) {
  return (struct onri_source){.fd = -1, .data = data, .size = bytes};
}

int onri_source_from_descriptor(int fd, struct onri_source *source) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0) return 0;
  *source = (struct onri_source){.fd = fd, .size = (uint64_t)info.st_size};
  return 1;
}

enum onr_status onri_source_open(const char *path, struct onri_source *source, struct onr_error *error) {
  char shown[200];
  int fd;
  /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
  do fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  while (fd < 0 && errno == EINTR);
  *source = (struct onri_source){.fd = -1};
  if (fd < 0) {
    const int reason = errno;
    return onr_fail(error, ONR_STATUS_IO, "cannot open '%s': %s", onri_escape_string(path, shown, sizeof(shown)),
                    reason == ENOENT   ? "no such file"
                    : reason == EACCES ? "permission denied"
                                       : "the system refuses it");
  }
  if (!onri_source_from_descriptor(fd, source)) {
    struct stat info;
    const int is_folder = fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
    close(fd);
    return onr_fail(error, ONR_STATUS_IO, "'%s' is %s, expected a file", onri_escape_string(path, shown, sizeof(shown)),
                    is_folder ? "a folder" : "no regular file");
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_source_read(const struct onri_source *source, uint64_t offset, size_t bytes, void *target,
                                 struct onr_error *error) {
  enum { LARGEST_READ = 1 << 30 };
  char *to = target;
  if (offset > source->size || bytes > source->size - offset)
    return onr_fail(error, ONR_STATUS_INTERNAL, "a read of %zu bytes at %llu leaves the file", bytes,
                    (unsigned long long)offset);
  if (source->data) {
    if (bytes) memcpy(target, source->data + offset, bytes);
    return ONR_STATUS_OK;
  }
  while (bytes > 0) {
    const ssize_t n = pread(source->fd, to, bytes < LARGEST_READ ? bytes : LARGEST_READ, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return onr_fail(error, ONR_STATUS_IO, "reading at byte %llu failed", (unsigned long long)offset);
    if (n == 0)
      return onr_fail(error, ONR_STATUS_IO, "the file ends at byte %llu, it had %llu bytes when it was opened",
                      (unsigned long long)offset, (unsigned long long)source->size);
    to += n;
    offset += (uint64_t)n;
    bytes -= (size_t)n;
  }
  return ONR_STATUS_OK;
}

void onri_source_close(struct onri_source *source) {
  if (!source->data && source->fd >= 0) close(source->fd);
  *source = (struct onri_source){.fd = -1};
}
