/* file_windows.c: see file.h. Names are UTF-8 outside and UTF-16 inside; all else is Win32, and below a folder the
 * system's own way to open a file from another one. */
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

#include "base/system/file.h"

enum { LARGEST_PIECE = 1 << 30 };

/* --- paths --- */

static int is_separator(char c) { return c == '/' || c == '\\'; }

const char *onri_path_name(const char *path) {
  const char *name = path;
  for (const char *at = path; *at; at++)
    if (is_separator(*at) || (*at == ':' && at == path + 1)) name = at + 1;
  return name;
}

int onri_path_is_rooted(const char *path) { return is_separator(*path) || strchr(path, ':'); }

/* To be freed. NULL with errno: no UTF-8, or no memory. */
static wchar_t *wide(const char *path) {
  const int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
  wchar_t *text = length > 0 ? malloc((size_t)length * sizeof(*text)) : NULL;
  errno = length > 0 ? ENOMEM : ENOENT;
  if (text) MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, text, length);
  return text;
}

/* --- errors --- */

static void set_errno(DWORD error) {
  static const struct {
    DWORD error;
    int number;
  } known[] = {{ERROR_FILE_NOT_FOUND, ENOENT},
               {ERROR_PATH_NOT_FOUND, ENOENT},
               {ERROR_INVALID_NAME, ENOENT},
               {ERROR_BAD_PATHNAME, ENOENT},
               {ERROR_INVALID_DRIVE, ENOENT},
               {ERROR_BAD_NETPATH, ENOENT},
               {ERROR_ACCESS_DENIED, EACCES},
               {ERROR_SHARING_VIOLATION, EACCES},
               {ERROR_LOCK_VIOLATION, EACCES},
               {ERROR_USER_MAPPED_FILE, EACCES},
               {ERROR_WRITE_PROTECT, EROFS},
               {ERROR_FILE_EXISTS, EEXIST},
               {ERROR_ALREADY_EXISTS, EEXIST},
               {ERROR_DIRECTORY, ENOTDIR},
               {ERROR_DISK_FULL, ENOSPC},
               {ERROR_HANDLE_DISK_FULL, ENOSPC},
               {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
               {ERROR_OUTOFMEMORY, ENOMEM},
               {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
               {ERROR_TOO_MANY_OPEN_FILES, EMFILE}};
  errno = EIO;
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (known[i].error == error) errno = known[i].number;
}

static int succeeded(BOOL done) {
  if (!done) set_errno(GetLastError());
  return done != 0;
}

static HANDLE handle_of(int fd) { return (HANDLE)_get_osfhandle(fd); }

/* The descriptor owns the handle. */
static int describe(HANDLE handle, int flags) {
  const int fd = _open_osfhandle((intptr_t)handle, flags | _O_BINARY | _O_NOINHERIT);
  if (fd < 0) CloseHandle(handle);
  return fd;
}

static HANDLE open_handle(const char *path, DWORD access, DWORD how, DWORD flags) {
  wchar_t *name = wide(path);
  if (!name) return INVALID_HANDLE_VALUE;
  HANDLE handle = CreateFileW(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, how,
                              flags | FILE_FLAG_BACKUP_SEMANTICS, NULL);
  if (handle == INVALID_HANDLE_VALUE) set_errno(GetLastError());
  free(name);
  return handle;
}

/* --- a file --- */

int onri_file_open(const char *path) {
  const HANDLE handle = open_handle(path, GENERIC_READ, OPEN_EXISTING, 0);
  return handle == INVALID_HANDLE_VALUE ? -1 : describe(handle, _O_RDONLY);
}

int onri_file_create(const char *path) {
  const HANDLE handle = open_handle(path, GENERIC_READ | GENERIC_WRITE, CREATE_NEW, FILE_ATTRIBUTE_NORMAL);
  return handle == INVALID_HANDLE_VALUE ? -1 : describe(handle, _O_RDWR);
}

void onri_file_close(int fd) { (void)_close(fd); }

static int look(HANDLE handle, struct onri_file_info *info) {
  BY_HANDLE_FILE_INFORMATION found;
  *info = (struct onri_file_info){.kind = ONRI_FILE_OTHER};
  if (GetFileType(handle) != FILE_TYPE_DISK) return 1;
  if (!succeeded(GetFileInformationByHandle(handle, &found))) return 0;
  info->kind = found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? ONRI_FILE_FOLDER : ONRI_FILE_REGULAR;
  info->bytes = (uint64_t)found.nFileSizeHigh << 32 | found.nFileSizeLow;
  info->device = found.dwVolumeSerialNumber;
  info->index = (uint64_t)found.nFileIndexHigh << 32 | found.nFileIndexLow;
  return 1;
}

int onri_file_look(int fd, struct onri_file_info *info) { return look(handle_of(fd), info); }

int onri_file_look_at(const char *path, struct onri_file_info *info) {
  const HANDLE handle = open_handle(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING, 0);
  if (handle == INVALID_HANDLE_VALUE) return 0;
  const int done = look(handle, info);
  CloseHandle(handle);
  return done;
}

static OVERLAPPED at(uint64_t offset) {
  OVERLAPPED place = {0};
  place.Offset = (DWORD)offset;
  place.OffsetHigh = (DWORD)(offset >> 32);
  return place;
}

int64_t onri_file_read(int fd, uint64_t offset, void *target, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    const size_t left = bytes - done;
    OVERLAPPED place = at(offset + done);
    DWORD n = 0;
    if (!ReadFile(handle_of(fd), (char *)target + done, (DWORD)(left < LARGEST_PIECE ? left : LARGEST_PIECE), &n,
                  &place)) {
      if (GetLastError() == ERROR_HANDLE_EOF) break;
      set_errno(GetLastError());
      return -1;
    }
    if (n == 0) break;
    done += n;
  }
  return (int64_t)done;
}

int onri_file_write(int fd, uint64_t offset, const void *data, size_t bytes) {
  const char *from = data;
  while (bytes > 0) {
    OVERLAPPED place = at(offset);
    DWORD n = 0;
    if (!succeeded(WriteFile(handle_of(fd), from, (DWORD)(bytes < LARGEST_PIECE ? bytes : LARGEST_PIECE), &n, &place)))
      return 0;
    if (n == 0) return 0;
    from += n;
    offset += n;
    bytes -= n;
  }
  return 1;
}

int onri_file_resize(int fd, uint64_t bytes) {
  const LARGE_INTEGER end = {.QuadPart = (int64_t)bytes};
  return bytes <= INT64_MAX && succeeded(SetFilePointerEx(handle_of(fd), end, NULL, FILE_BEGIN)) &&
         succeeded(SetEndOfFile(handle_of(fd)));
}

int onri_file_seek(FILE *file, uint64_t offset) {
  return offset <= INT64_MAX && _fseeki64(file, (int64_t)offset, SEEK_SET) == 0;
}

/* The view holds the mapping, which holds the file. */
void *onri_file_map(int fd, size_t bytes) {
  const HANDLE mapping = CreateFileMappingW(handle_of(fd), NULL, PAGE_READONLY, 0, 0, NULL);
  if (!mapping) {
    set_errno(GetLastError());
    return NULL;
  }
  void *data = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, bytes);
  if (!data) set_errno(GetLastError());
  CloseHandle(mapping);
  return data;
}

void onri_file_unmap(void *data, size_t bytes) {
  (void)bytes;
  UnmapViewOfFile(data);
}

int onri_file_replace(const char *from, const char *to) {
  wchar_t *wide_from = wide(from), *wide_to = wide_from ? wide(to) : NULL;
  const int done =
      wide_to && succeeded(MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH));
  free(wide_from);
  free(wide_to);
  return done;
}

void onri_file_remove(const char *path) {
  wchar_t *name = wide(path);
  if (name) (void)DeleteFileW(name);
  free(name);
}

/* --- a folder --- */

int onri_folder_open(const char *path) {
  struct onri_file_info info;
  const HANDLE handle = open_handle(path, GENERIC_READ, OPEN_EXISTING, 0);
  if (handle == INVALID_HANDLE_VALUE) return -1;
  if (look(handle, &info) && info.kind == ONRI_FILE_FOLDER) return describe(handle, _O_RDONLY);
  CloseHandle(handle);
  errno = ENOTDIR;
  return -1;
}

/* What this opens is not looked for by Win32's rules: no drives, no devices such as NUL, nothing above. */
static HANDLE open_below(HANDLE folder, wchar_t *name, ULONG options) {
  UNICODE_STRING text;
  OBJECT_ATTRIBUTES object;
  IO_STATUS_BLOCK outcome;
  HANDLE handle = NULL;
  RtlInitUnicodeString(&text, name);
  InitializeObjectAttributes(&object, &text, OBJ_CASE_INSENSITIVE, folder, NULL);
  const NTSTATUS status = NtCreateFile(&handle, GENERIC_READ | SYNCHRONIZE, &object, &outcome, NULL, 0,
                                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                                       options | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT, NULL, 0);
  if (status >= 0) return handle;
  set_errno(RtlNtStatusToDosError(status));
  return NULL;
}

static int is_link(HANDLE handle) {
  BY_HANDLE_FILE_INFORMATION found;
  return !GetFileInformationByHandle(handle, &found) || found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT;
}

int onri_folder_enter(int folder, const char *name, int is_folder) {
  struct onri_file_info info;
  wchar_t *text = strpbrk(name, ONRI_SEPARATORS ":") ? NULL : wide(name);
  HANDLE handle = text ? open_below(handle_of(folder), text, FILE_OPEN_REPARSE_POINT) : NULL;
  free(text);
  if (!handle) return -1;
  errno = is_link(handle) ? ELOOP : !look(handle, &info) || (is_folder && info.kind != ONRI_FILE_FOLDER) ? ENOTDIR : 0;
  if (!errno) return describe(handle, _O_RDONLY);
  CloseHandle(handle);
  return -1;
}

int onri_folder_link(int folder, const char *name, char *target, size_t size) {
  (void)folder, (void)name, (void)target, (void)size;
  return 0;
}

int onri_folder_look(int folder, const char *name, struct onri_file_info *info) {
  wchar_t *text = wide(name);
  HANDLE handle = text ? open_below(handle_of(folder), text, 0) : NULL;
  free(text);
  if (!handle) return 0;
  const int done = look(handle, info);
  CloseHandle(handle);
  return done;
}

int onri_file_duplicate(int fd) { return _dup(fd); }
