/* file_reason.c: why a file cannot be opened, in words that are the same everywhere. */
#include <errno.h>
#include <stddef.h>

#include "base/system/file.h"

const char *onri_file_reason(int number) {
  static const struct {
    int number;
    const char *words;
  } rows[] = {{ENOENT, "no such file"},
              {EACCES, "permission denied"},
              {ENOTDIR, "a part of the path is no folder"},
              {ELOOP, "links that lead in a circle"},
              {ENAMETOOLONG, "the name is too long"},
              {EMFILE, "this process has too many files open"},
              {ENFILE, "this machine has too many files open"},
              {ENOMEM, "no memory"},
              {EIO, "the disk fails"}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    if (rows[i].number == number) return rows[i].words;
  return "the system refuses it";
}
