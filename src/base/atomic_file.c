/* atomic_file.c: see atomic_file.h. */
#define _POSIX_C_SOURCE 200809L /* fdopen */
#include "base/atomic_file.h"

#include <errno.h>
#include <string.h>

#include "base/system/file.h"
#include "base/system/machine.h"
#include "base/text/text.h"

/* A new file beside `path`, whose name goes to `name`. */
static int create_beside(const char *path, char *name, size_t size) {
  int fd = -1;
  for (int i = 0; i < 100 && fd < 0; i++) {
    const int length = snprintf(name, size, "%s.%llu.%d.tmp", path, (unsigned long long)onri_machine_process(), i);
    if (length < 0 || (size_t)length >= size) return -1;
    fd = onri_file_create(name);
    if (fd < 0 && errno != EEXIST) return -1;
  }
  return fd;
}

/* By errno. */
static const char *why_not_created(void) {
  switch (errno) {
    case ENOENT: return "no file can be created beside it: there is no such folder";
    case ENOTDIR: return "no file can be created beside it: what should be its folder is a file";
    case EACCES:
    case EPERM: return "no file can be created beside it: its folder may not be written to";
    case EROFS: return "no file can be created beside it: it is on a file system that is only read";
    case ENOSPC:
#ifdef EDQUOT
    case EDQUOT:
#endif
      return "no file can be created beside it: the disk is full";
    case ENAMETOOLONG: return "no file can be created beside it: its name is too long";
    default: return "no file can be created beside it";
  }
}

static const char *why_not_replaced(const char *path, int (*is_ours)(const unsigned char *first, size_t bytes)) {
  struct onri_file_info info;
  unsigned char first[512];
  if (!onri_file_look_at(path, &info)) return NULL;
  if (info.kind != ONRI_FILE_REGULAR) return "there is something else than a file in its place";
  if (info.bytes == 0) return NULL;
  const int fd = onri_file_open(path);
  const int64_t bytes = fd < 0 ? -1 : onri_file_read(fd, 0, first, sizeof(first));
  if (fd >= 0) onri_file_close(fd);
  return bytes > 0 && is_ours(first, (size_t)bytes) ? NULL : "there is a file of something else in its place";
}

const char *onri_atomic_file_begin(struct onri_atomic_file *f, const char *path,
                                   int (*is_ours)(const unsigned char *first, size_t bytes),
                                   const struct onr_allocator *allocator) {
  const size_t size = strlen(path) + 64;
  *f = (struct onri_atomic_file){.allocator = allocator, .path = path};
  const char *why = why_not_replaced(path, is_ours);
  if (why) return why;
  f->name = onri_allocate(allocator, size);
  f->lacks_memory = !f->name;
  if (f->lacks_memory) return "there is no memory for its name";
  const int fd = create_beside(path, f->name, size);
  f->is_there = fd >= 0;
  f->file = fd < 0 ? NULL : fdopen(fd, "w+b");
  if (f->file) return NULL;
  why = why_not_created();
  if (fd >= 0) onri_file_close(fd);
  return why;
}

const char *onri_atomic_file_close(struct onri_atomic_file *f) {
  const int failed = ferror(f->file), unwritten = fclose(f->file);
  f->file = NULL;
  return failed || unwritten ? ONRI_NOT_WRITTEN : NULL;
}

const char *onri_atomic_file_place(struct onri_atomic_file *f) {
  if (!onri_file_replace(f->name, f->path)) return "it cannot be put in its place";
  f->is_there = 0;
  return NULL;
}

void onri_atomic_file_end(struct onri_atomic_file *f) {
  if (f->file) (void)fclose(f->file);
  if (f->is_there) onri_file_remove(f->name);
  if (f->name) onri_release(f->allocator, f->name);
  *f = (struct onri_atomic_file){0};
}

enum onr_status onri_atomic_file_fail(const struct onri_atomic_file *f, const char *why, struct onr_error *error) {
  char shown[160];
  return onr_fail(error, f->lacks_memory ? ONR_STATUS_NO_MEMORY : ONR_STATUS_IO, "'%s': %s",
                  onri_escape_string(f->path, shown, sizeof(shown)), why);
}
