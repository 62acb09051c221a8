/* inject.c: a library to preload (LD_PRELOAD): lets calls into the C library fail, as the environment says.
 *
 *   FAULT_KIND  malloc, open, read, fstat, mmap, write, thread; or short, eintr: reads and writes that do a part, or
 *               are interrupted
 *   FAULT_AT    the number of the call that fails, from 1; 0: none
 *   FAULT_ON    set: so do all that follow
 *   FAULT_LOG   a file that the count of such calls is written to when the program ends
 *
 * A program may say so itself, again and again: fault_arm, fault_count. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

enum kind { NONE, MALLOC, OPEN, READ, FSTAT, MMAP, WRITE, THREAD, SHORT, EINTR_KIND };
static enum kind kind;
static unsigned long fails_at;
static int goes_on, is_ready;
static atomic_ulong calls;

void fault_arm(const char *name, unsigned long at, int on);
unsigned long fault_count(void);

/* Counts from the next call on; name NULL: nothing fails. */
void fault_arm(const char *name, unsigned long at, int on) {
  static const char *const names[] = {"none", "malloc", "open",   "read",  "fstat",
                                      "mmap", "write",  "thread", "short", "eintr"};
  is_ready = 0;
  kind = NONE;
  for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
    if (!strcmp(name, names[i])) kind = (enum kind)i;
  fails_at = at;
  goes_on = on;
  calls = 0;
  is_ready = 1;
}

/* Of that kind, since fault_arm. */
unsigned long fault_count(void) { return calls; }

__attribute__((constructor)) static void begin(void) {
  const char *at = getenv("FAULT_AT");
  fault_arm(getenv("FAULT_KIND"), at ? strtoul(at, NULL, 10) : 0, getenv("FAULT_ON") != NULL);
}

__attribute__((destructor)) static void end(void) {
  const char *log = getenv("FAULT_LOG");
  char text[32];
  const int fd = log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;
  if (fd < 0) return;
  snprintf(text, sizeof(text), "%lu\n", (unsigned long)calls);
  syscall(SYS_write, fd, text, strlen(text));
  close(fd);
}

static int fails(enum kind of) {
  if (!is_ready || kind != of) return 0;
  const unsigned long number = atomic_fetch_add(&calls, 1) + 1;
  return fails_at && (number == fails_at || (goes_on && number > fails_at));
}

static int refuse(int reason) {
  errno = reason;
  return -1;
}

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* --- memory --- */

static void *no_memory(void) {
  errno = ENOMEM;
  return NULL;
}

void *malloc(size_t bytes) { return fails(MALLOC) ? no_memory() : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return fails(MALLOC) ? no_memory() : __libc_calloc(count, bytes); }
void *realloc(void *memory, size_t bytes) { return fails(MALLOC) ? no_memory() : __libc_realloc(memory, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) {
  return fails(MALLOC) ? no_memory() : __libc_memalign(alignment, bytes);
}
void *memalign(size_t alignment, size_t bytes) {
  return fails(MALLOC) ? no_memory() : __libc_memalign(alignment, bytes);
}
int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  if (fails(MALLOC)) return ENOMEM;
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : ENOMEM;
}

/* --- files --- */

#define OPEN_LIKE(name)                                                                          \
  int name(const char *path, int flags, ...) {                                                   \
    va_list more;                                                                                \
    va_start(more, flags);                                                                       \
    const int mode = va_arg(more, int);                                                          \
    va_end(more);                                                                                \
    return fails(OPEN) ? refuse(EMFILE) : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode); \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)

#define OPENAT_LIKE(name)                                                                      \
  int name(int folder, const char *path, int flags, ...) {                                     \
    va_list more;                                                                              \
    va_start(more, flags);                                                                     \
    const int mode = va_arg(more, int);                                                        \
    va_end(more);                                                                              \
    return fails(OPEN) ? refuse(EMFILE) : (int)syscall(SYS_openat, folder, path, flags, mode); \
  }
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)

FILE *fopen(const char *path, const char *mode) {
  if (fails(OPEN)) return refuse(EMFILE), NULL;
  return REAL(fopen)(path, mode);
}
FILE *fopen64(const char *path, const char *mode) {
  if (fails(OPEN)) return refuse(EMFILE), NULL;
  return REAL(fopen64)(path, mode);
}

#define READ_LIKE(name)                                    \
  ssize_t name(int fd, void *to, size_t bytes, off_t at) { \
    if (fails(READ)) return refuse(EIO);                   \
    if (fails(EINTR_KIND)) return refuse(EINTR);           \
    if (bytes > 1 && fails(SHORT)) bytes /= 2;             \
    return syscall(SYS_pread64, fd, to, bytes, at);        \
  }
READ_LIKE(pread)
READ_LIKE(pread64)
ssize_t read(int fd, void *to, size_t bytes) {
  if (fails(READ)) return refuse(EIO);
  if (fails(EINTR_KIND)) return refuse(EINTR);
  return syscall(SYS_read, fd, to, bytes > 1 && fails(SHORT) ? bytes / 2 : bytes);
}
ssize_t write(int fd, const void *from, size_t bytes) {
  if (fails(WRITE)) return refuse(ENOSPC);
  if (fails(EINTR_KIND)) return refuse(EINTR);
  return syscall(SYS_write, fd, from, bytes > 1 && fails(SHORT) ? bytes / 2 : bytes);
}
#define WRITE_LIKE(name)                                           \
  ssize_t name(int fd, const void *from, size_t bytes, off_t at) { \
    if (fails(WRITE)) return refuse(ENOSPC);                       \
    if (fails(EINTR_KIND)) return refuse(EINTR);                   \
    if (bytes > 1 && fails(SHORT)) bytes /= 2;                     \
    return syscall(SYS_pwrite64, fd, from, bytes, at);             \
  }
WRITE_LIKE(pwrite)
WRITE_LIKE(pwrite64)
int rename(const char *from, const char *to) {
  if (fails(WRITE)) return refuse(ENOSPC);
  return (int)syscall(SYS_rename, from, to);
}
int fstat(int fd, struct stat *info) { return fails(FSTAT) ? refuse(EIO) : REAL(fstat)(fd, info); }
int fstat64(int fd, struct stat64 *info) { return fails(FSTAT) ? refuse(EIO) : REAL(fstat64)(fd, info); }
void *mmap(void *at, size_t bytes, int access, int flags, int fd, off_t offset) {
  if (fails(MMAP)) return refuse(ENOMEM), MAP_FAILED;
  return (void *)syscall(SYS_mmap, at, bytes, access, flags, fd, offset); /* NOLINT */
}
void *mmap64(void *at, size_t bytes, int access, int flags, int fd, off64_t offset) {
  if (fails(MMAP)) return refuse(ENOMEM), MAP_FAILED;
  return (void *)syscall(SYS_mmap, at, bytes, access, flags, fd, offset); /* NOLINT */
}

/* --- threads --- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  return fails(THREAD) ? EAGAIN : REAL(pthread_create)(thread, attributes, run, argument);
}
