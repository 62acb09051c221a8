/* file.h: what the library needs of files beyond C's own: by position, mapped, of a folder, put in place of others. A
 * descriptor is the C library's. Paths are UTF-8 on every system. Functions that return int are 1, or 0 with errno,
 * where nothing else is said. file_posix.c, file_windows.c. */
#ifndef ONRI_SYSTEM_FILE_H
#define ONRI_SYSTEM_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#if defined(_WIN32)
#define ONRI_SEPARATORS "/\\"
#else
#define ONRI_SEPARATORS "/"
#endif

enum onri_file_kind { ONRI_FILE_REGULAR, ONRI_FILE_FOLDER, ONRI_FILE_OTHER };

struct onri_file_info {
  enum onri_file_kind kind;
  uint64_t bytes;
  uint64_t device, index; /* which file it is, whatever its name */
};

/* --- paths --- */

/* What stands behind the last separator; the path itself where there is none. */
const char *onri_path_name(const char *path);
/* It begins at a root or a drive, or names a stream of a file: nothing that lies below a folder is spelt so. */
int onri_path_is_rooted(const char *path);

/* --- a file --- */

/* For reading. Never waits for a writer. A descriptor; -1 with errno: ENOENT, EACCES, ... */
int onri_file_open(const char *path);
/* A new one, for reading and writing; EEXIST when there is something of that name. */
int onri_file_create(const char *path);
void onri_file_close(int fd);
int onri_file_look(int fd, struct onri_file_info *info);
/* Follows links. */
int onri_file_look_at(const char *path, struct onri_file_info *info);
/* Bytes read, fewer only at the end of the file; -1 with errno. From several threads at once. */
int64_t onri_file_read(int fd, uint64_t offset, void *target, size_t bytes);
int onri_file_write(int fd, uint64_t offset, const void *data, size_t bytes);
/* What is added reads as zeros. */
int onri_file_resize(int fd, uint64_t bytes);
int onri_file_seek(FILE *file, uint64_t offset);
/* The first `bytes` of it, to be read, until unmapped; the descriptor may be closed before. NULL: the system refuses.
 */
void *onri_file_map(int fd, size_t bytes);
void onri_file_unmap(void *data, size_t bytes);
/* `from` takes the name `to`; there is one file of that name at any time. Windows refuses while somebody has `to` open.
 */
int onri_file_replace(const char *from, const char *to);
void onri_file_remove(const char *path);

/* --- a folder --- */

/* A descriptor to look for files from; -1 with errno: ENOENT, ENOTDIR, EACCES. */
int onri_folder_open(const char *path);
/* What lies directly in it, for reading; no name of more than one part, no link. folder: it has to be one itself. -1
 * with errno: ENOENT, ENOTDIR, EACCES, ELOOP for a link. */
int onri_folder_enter(int folder, const char *name, int is_folder);
/* Where the link of that name leads, ended by NUL; 0: it is none, or does not fit. Never on Windows. */
int onri_folder_link(int folder, const char *name, char *target, size_t size);
/* Follows links. */
int onri_folder_look(int folder, const char *name, struct onri_file_info *info);
/* Another descriptor of the same folder or file; -1. */
int onri_file_duplicate(int fd);

/* Why, of what a function here has left in errno: a few words for a message. */
const char *onri_file_reason(int number);

#endif
