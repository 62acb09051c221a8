/* posix.c: see posix.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <windows.h>
/* windows.h first */
#include <psapi.h>

#undef fclose

enum { LONGEST = 4096 };

/* 0 with errno: too long, or not UTF-8. */
static int widen(const char *path, wchar_t wide[LONGEST]) {
  if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, LONGEST)) return 1;
  errno = GetLastError() == ERROR_INSUFFICIENT_BUFFER ? ENAMETOOLONG : ENOENT;
  return 0;
}

static int narrow(const wchar_t *wide, char *text, int size) {
  return WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL) > 0;
}

/* --- files --- */

FILE *posix_fopen(const char *path, const char *mode) {
  wchar_t wide[LONGEST], how[8] = {0};
  size_t n = 0;
  if (!widen(path, wide)) return NULL;
  for (; mode[n] && n < 6; n++) how[n] = (wchar_t)mode[n];
  if (!strchr(mode, 'b')) how[n] = L'b';
  return _wfopen(wide, how);
}

int posix_open(const char *path, int flags, ...) {
  wchar_t wide[LONGEST];
  return widen(strcmp(path, "/dev/null") ? path : "NUL", wide) ? _wopen(wide, flags | _O_BINARY, _S_IREAD | _S_IWRITE)
                                                               : -1;
}

int posix_access(const char *path, int mode) {
  wchar_t wide[LONGEST];
  return widen(path, wide) ? _waccess(wide, mode & ~1) : -1;
}

int posix_mkdir(const char *path, unsigned mode) {
  wchar_t wide[LONGEST];
  (void)mode;
  return widen(path, wide) ? _wmkdir(wide) : -1;
}

int posix_unlink(const char *path) {
  wchar_t wide[LONGEST];
  return widen(path, wide) ? _wunlink(wide) : -1;
}

int posix_rmdir(const char *path) {
  wchar_t wide[LONGEST];
  return widen(path, wide) ? _wrmdir(wide) : -1;
}

int posix_rename(const char *from, const char *to) {
  wchar_t wide_from[LONGEST], wide_to[LONGEST];
  if (!widen(from, wide_from) || !widen(to, wide_to)) return -1;
  if (MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING)) return 0;
  errno = GetLastError() == ERROR_FILE_NOT_FOUND ? ENOENT : EACCES;
  return -1;
}

static int look(HANDLE handle, struct posix_stat *info) {
  BY_HANDLE_FILE_INFORMATION found;
  *info = (struct posix_stat){.st_mode = _S_IFIFO};
  if (GetFileType(handle) == FILE_TYPE_CHAR) info->st_mode = _S_IFCHR;
  if (GetFileType(handle) != FILE_TYPE_DISK) return 0;
  if (!GetFileInformationByHandle(handle, &found)) return errno = EIO, -1;
  const int is_folder = (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  const uint64_t ticks = (uint64_t)found.ftLastWriteTime.dwHighDateTime << 32 | found.ftLastWriteTime.dwLowDateTime;
  info->st_mode = (unsigned short)((is_folder ? _S_IFDIR : _S_IFREG) | _S_IREAD | _S_IWRITE);
  info->st_size = (long long)((uint64_t)found.nFileSizeHigh << 32 | found.nFileSizeLow);
  info->st_mtime = (long long)(ticks / 10000000) - 11644473600; /* of 1601 */
  info->st_dev = found.dwVolumeSerialNumber;
  info->st_ino = (uint64_t)found.nFileIndexHigh << 32 | found.nFileIndexLow;
  return 0;
}

int posix_stat(const char *path, struct posix_stat *info) {
  wchar_t wide[LONGEST];
  if (!widen(path, wide)) return -1;
  const HANDLE handle = CreateFileW(wide, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                    NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  if (handle == INVALID_HANDLE_VALUE) {
    errno = GetLastError() == ERROR_ACCESS_DENIED ? EACCES : ENOENT;
    return -1;
  }
  const int result = look(handle, info);
  CloseHandle(handle);
  return result;
}

int posix_fstat(int fd, struct posix_stat *info) { return look((HANDLE)_get_osfhandle(fd), info); }

long long readlink(const char *path, char *target, size_t size) {
  wchar_t wide[LONGEST];
  const DWORD length = strcmp(path, "/proc/self/exe") ? 0 : GetModuleFileNameW(NULL, wide, LONGEST);
  if (!length || length >= LONGEST || !narrow(wide, target, (int)size)) return -1;
  for (char *at = target; *at; at++)
    if (*at == '\\') *at = '/';
  return (long long)strlen(target);
}

static struct {
  FILE *file;
  char **text;
  size_t *size;
} memory_stream;

/* A file that goes when it is closed. */
FILE *open_memstream(char **text, size_t *size) {
  wchar_t folder[MAX_PATH + 1], name[MAX_PATH + 1];
  if (memory_stream.file || !GetTempPathW(MAX_PATH + 1, folder) || !GetTempFileNameW(folder, L"onr", 0, name))
    return NULL;
  memory_stream.file = _wfopen(name, L"w+bTD");
  memory_stream.text = text, memory_stream.size = size;
  *text = NULL, *size = 0;
  return memory_stream.file;
}

static int take_memory(FILE *file) {
  const long long size = fflush(file) ? -1 : _ftelli64(file);
  char *text = size < 0 ? NULL : malloc((size_t)size + 1);
  memory_stream.file = NULL;
  rewind(file);
  if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) return free(text), EOF;
  text[size] = '\0';
  *memory_stream.text = text, *memory_stream.size = (size_t)size;
  return 0;
}

int posix_fclose(FILE *file) {
  const int failed = file == memory_stream.file && take_memory(file);
  return fclose(file) || failed ? EOF : 0;
}

/* --- names --- */

static int next_name(char *path, unsigned *number) {
  static unsigned last;
  char *end = path + strlen(path) - 6;
  *number = last ? last + 1 : (unsigned)GetCurrentProcessId() * 1009 ^ (unsigned)GetTickCount64();
  last = *number;
  return snprintf(end, 7, "%06x", *number & 0xffffff);
}

int mkstemp(char *path) {
  unsigned number;
  for (int i = 0; i < 1000; i++) {
    next_name(path, &number);
    const int fd = posix_open(path, _O_RDWR | _O_CREAT | _O_EXCL);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

char *mkdtemp(char *path) {
  unsigned number;
  for (int i = 0; i < 1000; i++) {
    next_name(path, &number);
    if (!posix_mkdir(path, 0700)) return path;
    if (errno != EEXIST) break;
  }
  return NULL;
}

int truncate(const char *path, long long bytes) {
  const int fd = posix_open(path, _O_RDWR);
  const int failed = fd < 0 || _chsize_s(fd, bytes);
  if (fd >= 0) _close(fd);
  return failed ? -1 : 0;
}

long long pwrite(int fd, const void *data, size_t bytes, long long offset) {
  OVERLAPPED place = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
  DWORD n = 0;
  return WriteFile((HANDLE)_get_osfhandle(fd), data, (DWORD)bytes, &n, &place) ? n : -1;
}

int link(const char *from, const char *to) {
  wchar_t wide_from[LONGEST], wide_to[LONGEST];
  return widen(from, wide_from) && widen(to, wide_to) && CreateHardLinkW(wide_to, wide_from, NULL) ? 0 : -1;
}

/* --- folders --- */

int alphasort(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int add_entry(struct dirent ***entries, int count, const struct dirent *entry) {
  struct dirent *own = malloc(sizeof(*own));
  if (count % 64 == 0) {
    struct dirent **grown = realloc(*entries, (size_t)(count + 64) * sizeof(*grown));
    if (!grown) return free(own), 0;
    *entries = grown;
  }
  if (own) *own = *entry;
  (*entries)[count] = own;
  return own != NULL;
}

int scandir(const char *path, struct dirent ***entries, int (*is_wanted)(const struct dirent *entry),
            int (*order)(const struct dirent **a, const struct dirent **b)) {
  wchar_t wide[LONGEST];
  WIN32_FIND_DATAW found;
  char pattern[LONGEST];
  int count = 0;
  *entries = NULL;
  snprintf(pattern, sizeof(pattern), "%s/*", path);
  if (!widen(pattern, wide)) return -1;
  const HANDLE search = FindFirstFileW(wide, &found);
  if (search == INVALID_HANDLE_VALUE) {
    errno = GetLastError() == ERROR_ACCESS_DENIED ? EACCES : GetLastError() == ERROR_DIRECTORY ? ENOTDIR : ENOENT;
    return -1;
  }
  do {
    struct dirent entry;
    if (!narrow(found.cFileName, entry.d_name, (int)sizeof(entry.d_name)) || (is_wanted && !is_wanted(&entry)))
      continue;
    if (add_entry(entries, count, &entry)) count++;
  } while (FindNextFileW(search, &found));
  FindClose(search);
  if (!*entries) *entries = malloc(sizeof(**entries)); /* to be freed */
  if (count && order) qsort(*entries, (size_t)count, sizeof(**entries), (int (*)(const void *, const void *))order);
  return count;
}

/* --- pages --- */

static DWORD of_protection(int protection) {
  return protection & PROT_WRITE ? PAGE_READWRITE : protection & PROT_READ ? PAGE_READONLY : PAGE_NOACCESS;
}

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, long long offset) {
  (void)at, (void)fd, (void)offset;
  void *pages =
      flags & MAP_ANONYMOUS ? VirtualAlloc(NULL, bytes, MEM_COMMIT | MEM_RESERVE, of_protection(protection)) : NULL;
  return pages ? pages : MAP_FAILED;
}

int mprotect(void *pages, size_t bytes, int protection) {
  DWORD before;
  return VirtualProtect(pages, bytes, of_protection(protection), &before) ? 0 : -1;
}

int munmap(void *pages, size_t bytes) {
  (void)bytes;
  return VirtualFree(pages, 0, MEM_RELEASE) ? 0 : -1;
}

long sysconf(int name) {
  SYSTEM_INFO info;
  (void)name;
  GetSystemInfo(&info);
  return (long)info.dwPageSize;
}

/* --- descriptors and signals --- */

int fcntl(int fd, int command, ...) {
  if (command != F_GETFD) return 0;
  return _get_osfhandle(fd) < 0 ? -1 : 0;
}

int sigaction(int number, const struct sigaction *now, struct sigaction *before) {
  if (number == SIGHUP) return errno = EINVAL, -1;
  void (*old)(int) = signal(number, now ? now->sa_handler : SIG_DFL); /* which lasts for one signal, too */
  if (old == SIG_ERR) return -1;
  if (!now) signal(number, old);
  if (before) *before = (struct sigaction){.sa_handler = old};
  return 0;
}

/* --- the terminal, the process --- */

int ioctl(int fd, unsigned long request, struct winsize *size) {
  CONSOLE_SCREEN_BUFFER_INFO info;
  (void)request;
  if (!GetConsoleScreenBufferInfo((HANDLE)_get_osfhandle(fd), &info)) return -1;
  *size = (struct winsize){.ws_row = (unsigned short)(info.srWindow.Bottom - info.srWindow.Top + 1),
                           .ws_col = (unsigned short)(info.srWindow.Right - info.srWindow.Left + 1)};
  return 0;
}

int getrusage(int who, struct rusage *usage) {
  PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof(counters)};
  (void)who;
  if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters))) return -1;
  usage->ru_maxrss = (long long)(counters.PeakWorkingSetSize / 1024);
  return 0;
}

/* --- shared libraries --- */

void *dlopen(const char *path, int flags) {
  (void)path, (void)flags;
  return NULL;
}

void *dlsym(void *library, const char *name) {
  (void)library, (void)name;
  return NULL;
}

const char *dlerror(void) {
  return "on Windows the tool takes no plugins: they would need the library's functions from it";
}
