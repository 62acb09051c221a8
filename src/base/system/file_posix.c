/* file_posix.c: see file.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/system/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "files beyond 2 GiB: built with _FILE_OFFSET_BITS=64");

enum { LARGEST_PIECE = 1 << 30 };

const char *onri_path_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

int onri_path_is_rooted(const char *path) { return *path == '/'; }

static int open_again(int folder, const char *path, int flags) {
  int fd;
  do fd = openat(folder, path, flags | O_CLOEXEC, 0666);
  while (fd < 0 && errno == EINTR);
  return fd;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
int onri_file_open(const char *path) { return open_again(AT_FDCWD, path, O_RDONLY | O_NONBLOCK); }

int onri_file_create(const char *path) { return open_again(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL); }

void onri_file_close(int fd) { (void)close(fd); }

static int take_info(const struct stat *s, struct onri_file_info *info) {
  *info = (struct onri_file_info){.kind = S_ISREG(s->st_mode) && s->st_size >= 0 ? ONRI_FILE_REGULAR
                                          : S_ISDIR(s->st_mode)                  ? ONRI_FILE_FOLDER
                                                                                 : ONRI_FILE_OTHER,
                                  .bytes = (uint64_t)s->st_size,
                                  .device = (uint64_t)s->st_dev,
                                  .index = (uint64_t)s->st_ino};
  return 1;
}

int onri_file_look(int fd, struct onri_file_info *info) {
  struct stat s;
  return fstat(fd, &s) == 0 && take_info(&s, info);
}

int onri_file_look_at(const char *path, struct onri_file_info *info) { return onri_folder_look(AT_FDCWD, path, info); }

int64_t onri_file_read(int fd, uint64_t offset, void *target, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    const size_t left = bytes - done;
    const ssize_t n =
        pread(fd, (char *)target + done, left < LARGEST_PIECE ? left : LARGEST_PIECE, (off_t)(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += (size_t)n;
  }
  return (int64_t)done;
}

int onri_file_write(int fd, uint64_t offset, const void *data, size_t bytes) {
  const char *from = data;
  while (bytes > 0) {
    const ssize_t n = pwrite(fd, from, bytes < LARGEST_PIECE ? bytes : LARGEST_PIECE, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    from += n;
    offset += (uint64_t)n;
    bytes -= (size_t)n;
  }
  return 1;
}

int onri_file_resize(int fd, uint64_t bytes) { return bytes <= INT64_MAX && ftruncate(fd, (off_t)bytes) == 0; }

int onri_file_seek(FILE *file, uint64_t offset) {
  return offset <= INT64_MAX && fseeko(file, (off_t)offset, SEEK_SET) == 0;
}

void *onri_file_map(int fd, size_t bytes) {
  void *data = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
  return data == MAP_FAILED ? NULL : data;
}

void onri_file_unmap(void *data, size_t bytes) { munmap(data, bytes); }

int onri_file_replace(const char *from, const char *to) { return rename(from, to) == 0; }

void onri_file_remove(const char *path) { (void)unlink(path); }

int onri_folder_open(const char *path) { return open_again(AT_FDCWD, path, O_RDONLY | O_DIRECTORY); }

int onri_folder_enter(int folder, const char *name, int is_folder) {
  return open_again(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (is_folder ? O_DIRECTORY : 0));
}

int onri_folder_link(int folder, const char *name, char *target, size_t size) {
  const ssize_t length = readlinkat(folder, name, target, size);
  if (length <= 0 || (size_t)length >= size) return 0;
  target[length] = '\0';
  return 1;
}

int onri_folder_look(int folder, const char *name, struct onri_file_info *info) {
  struct stat s;
  return fstatat(folder, name, &s, 0) == 0 && take_info(&s, info);
}

int onri_file_duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }
