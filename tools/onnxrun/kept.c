/* kept.c: what a command reads is not written over, whatever name it goes by. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool.h"

struct kept {
  dev_t device;
  ino_t inode;
  const char *what;
};

/* Files are read and written far apart, and by what knows of no command; a process runs one. */
static struct {
  struct kept *items;
  size_t count, capacity;
  const char *command;
} files;

int keep_file(const char *path, const char *what) {
  struct stat info;
  if (!path || stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return 0;
  if (!grow((void **)&files.items, &files.capacity, files.count + 1, sizeof(*files.items)))
    return complain(EXIT_OTHER, "no memory for the names of files");
  files.items[files.count++] = (struct kept){info.st_dev, info.st_ino, what};
  return 0;
}

/* "NAME=FILE" or "FILE". */
static int keep_input(const char *word) {
  const char *value = strchr(word, '=');
  const int code = keep_file(word, "an input");
  return code || !value ? code : keep_file(value + 1, "an input");
}

int keep_files(const struct options *o) {
  const char *others[] = {o->recipe, o->labels, o->plugin, o->reference, o->packs ? NULL : o->packed};
  int code = 0;
  files.command = commands[o->command].name;
  for (size_t i = 0; !code && i < o->num_paths && !commands[o->command].replaces_model; i++)
    code = keep_file(o->paths[i], "the model itself");
  for (size_t i = 0; !code && i < o->num_inputs; i++) code = keep_input(o->inputs[i]);
  for (size_t i = 0; !code && i < sizeof(others) / sizeof(others[0]); i++)
    code = keep_file(others[i], "a file that is read");
  return code;
}

int check_kept(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) return 0;
  for (size_t i = 0; i < files.count; i++)
    if (files.items[i].device == info.st_dev && files.items[i].inode == info.st_ino)
      return complain(EXIT_USAGE, "%s: %s is %s, which would be lost", files.command, path, files.items[i].what);
  return 0;
}

void forget_files(void) {
  free(files.items);
  files.items = NULL;
  files.count = files.capacity = 0;
}
