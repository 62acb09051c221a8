/* system.c: Emscripten's C library for modules without its JavaScript opens no files; it leaves opening them to
 * files.js here. */
#include <fcntl.h>

long __syscall_openat(int folder, const char *path, int flags, ...);
long __syscall_open(const char *path, long flags, ...);

long __syscall_open(const char *path, long flags, ...) { return __syscall_openat(AT_FDCWD, path, (int)flags, 0); }
