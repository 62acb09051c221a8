/* posix.h: what the tool, and the tests, take from POSIX and MinGW has not, or not in UTF-8. On Windows it is put in
 * front of each of their files; elsewhere nobody sees it. Functions are as POSIX has them; what is said here is where
 * they are less. */
#ifndef ONNXRUN_WINDOWS_POSIX_H
#define ONNXRUN_WINDOWS_POSIX_H

#include <direct.h>
#include <fcntl.h>
#include <io.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name of io.h that POSIX leaves to programs. */
#define tell posix_tell

/* --- files: names are UTF-8, contents are bytes --- */

FILE *posix_fopen(const char *path, const char *mode);
/* "/dev/null" is NUL. */
int posix_open(const char *path, int flags, ...);
int posix_access(const char *path, int mode);
int posix_mkdir(const char *path, unsigned mode);
int posix_unlink(const char *path);
int posix_rmdir(const char *path);
int posix_rename(const char *from, const char *to);
/* mingw's has no numbers of files. */
#define dev_t unsigned long long
#define ino_t unsigned long long
struct posix_stat {
  unsigned short st_mode;
  long long st_size, st_mtime;
  dev_t st_dev;
  ino_t st_ino;
};
int posix_stat(const char *path, struct posix_stat *info);
int posix_fstat(int fd, struct posix_stat *info);
#define fopen posix_fopen
#define open posix_open
#define access posix_access
#define mkdir posix_mkdir
#define unlink posix_unlink
#define rmdir posix_rmdir
#define rename posix_rename
#undef stat
#undef fstat
#define stat posix_stat
#define fstat posix_fstat

struct dirent {
  char d_name[1024];
};
int scandir(const char *path, struct dirent ***entries, int (*is_wanted)(const struct dirent *entry),
            int (*order)(const struct dirent **a, const struct dirent **b));
int alphasort(const struct dirent **a, const struct dirent **b);

#define F_GETFD 1
#define F_SETFD 2
#define FD_CLOEXEC 1
#define O_CLOEXEC _O_NOINHERIT
/* F_GETFD: whether it is open. */
int fcntl(int fd, int command, ...);

/* XXXXXX at the end becomes what makes a new name. */
int mkstemp(char *path);
char *mkdtemp(char *path);
#define truncate posix_truncate
int truncate(const char *path, long long bytes);
long long pwrite(int fd, const void *data, size_t bytes, long long offset);
int link(const char *from, const char *to);
/* "/proc/self/exe": the program, with slashes. */
long long readlink(const char *path, char *target, size_t size);

/* One at a time; *text and *size are known when it is closed. */
FILE *open_memstream(char **text, size_t *size);
int posix_fclose(FILE *file);
#define fclose posix_fclose

/* --- pages: anonymous ones --- */

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 1
#define MAP_ANONYMOUS 2
#define MAP_FAILED ((void *)-1)
void *mmap(void *at, size_t bytes, int protection, int flags, int fd, long long offset);
int mprotect(void *pages, size_t bytes, int protection);
int munmap(void *pages, size_t bytes);
#define _SC_PAGESIZE 1
long sysconf(int name);

/* --- signals: those that Windows has; SIGHUP never comes --- */

#define SIGHUP 1
#define SA_RESETHAND 1
struct sigaction {
  void (*sa_handler)(int number);
  int sa_flags;
};
int sigaction(int number, const struct sigaction *now, struct sigaction *before);

/* --- the terminal, the process --- */

struct winsize {
  unsigned short ws_row, ws_col;
};
#define TIOCGWINSZ 1
int ioctl(int fd, unsigned long request, struct winsize *size);

struct rusage {
  long long ru_maxrss; /* KiB */
};
#define RUSAGE_SELF 0
int getrusage(int who, struct rusage *usage);

/* --- shared libraries: a plugin calls the library's functions, which a program of Windows has not got for it --- */

#define RTLD_NOW 0
#define RTLD_LOCAL 0
void *dlopen(const char *path, int flags);
void *dlsym(void *library, const char *name);
const char *dlerror(void);

#endif
