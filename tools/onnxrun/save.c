/* save: the outputs of a run into a folder, into one file, or to standard output. */
#define _POSIX_C_SOURCE 200809L /* mkdir */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "npy.h"
#include "onnxrun/sequence.h"

enum { PATH_SIZE = 4096 };

static int is_folder(const char *path) {
  struct stat info;
  return !stat(path, &info) && S_ISDIR(info.st_mode);
}

static int is_stream(const char *path) { return !strcmp(path, "-"); }

/* FILE.npy and so on, unless there is a folder of that name. */
static int ends_in(const char *path, const char *ending) {
  const size_t length = strlen(path), n = strlen(ending);
  return length > n && !strcmp(path + length - n, ending) && !is_folder(path);
}

static int is_array(const char *path) { return ends_in(path, ".npy"); }
static int is_zip(const char *path) { return ends_in(path, ".npz"); }
static int is_json(const char *path) { return ends_in(path, ".json"); }
static int is_file(const char *path) { return is_array(path) || is_zip(path) || is_json(path); }

/* --- before the run --- */

int make_folders(const char *path) {
  char part[PATH_SIZE];
  const size_t length = strlen(path);
  if (length >= sizeof(part)) return complain(EXIT_OTHER, "%s: the path is too long", path);
  for (size_t i = 1; i <= length; i++) {
    if (path[i] && path[i] != '/') continue;
    memcpy(part, path, i);
    part[i] = '\0';
    if (is_folder(part) || !mkdir(part, 0777)) continue;
    const int reason = errno;
    if (!is_folder(part)) return complain(EXIT_OTHER, "%s: cannot be made a folder: %s", part, strerror(reason));
  }
  return 0;
}

/* A file goes into a folder that is there. */
static int check_parent(const char *path) {
  char folder[PATH_SIZE];
  const char *slash = strrchr(path, '/');
  const size_t length = slash ? (size_t)(slash - path) : 0;
  if (!slash || length >= sizeof(folder)) return 0;
  memcpy(folder, path, length);
  folder[length] = '\0';
  if (!length || is_folder(folder)) return 0;
  errno = access(folder, F_OK) ? errno : ENOTDIR;
  return complain_file(path, "cannot be written");
}

/* ".txt", ".csv": short, and no number as in v1.2. */
static const char *ending_of(const char *path) {
  enum { LONGEST = 5 };
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
  if (!dot || dot == name || strlen(dot + 1) > LONGEST || !isalpha((unsigned char)dot[1])) return NULL;
  for (const char *at = dot + 1; *at; at++)
    if (!isalnum((unsigned char)*at)) return NULL;
  return dot;
}

int check_folder(const char *option, const char *path, const char *hint) {
  const char *ending = is_folder(path) ? NULL : ending_of(path);
  if (!ending) return 0;
  return complain(EXIT_USAGE, "%s %s: %s; a folder of that name is '%s/'", option, path, hint, path);
}

int prepare_output(const struct options *options, const struct onr_model *model) {
  const char *path = options->output;
  if (is_stream(path) && options->show)
    return complain(EXIT_USAGE, "run: --show draws on standard output, where -o - writes");
  if (is_stream(path) && isatty(STDOUT_FILENO))
    return complain(EXIT_USAGE,
                    "run: -o - writes no text, and standard output is a terminal; send it to a file or a program");
  if (is_stream(path)) return 0;
  if (!is_file(path)) {
    const int code = check_folder("-o", path, "outputs are written as .npy, .npz or .json, or into a folder");
    if (code) return code;
  }
  if (is_array(path) && onr_model_num_outputs(model) != 1)
    return complain(EXIT_USAGE,
                    "-o %s: the model has %zu outputs; -o DIR writes a file for each, -o FILE.npz one of all", path,
                    onr_model_num_outputs(model));
  if (!is_file(path)) return make_folders(path);
  const int code = check_kept(path);
  return code ? code : check_parent(path);
}

/* --- after it --- */

static void tell(const struct loaded *l, const struct results *r, size_t i, const char *path, const char *ending) {
  char text[160];
  printf("%s %s -> %s%s\n", shown(onr_model_output(l->model, i)->name).text,
         onr_desc_format(&r->items[i].desc, text, sizeof(text)), shown(path).text, ending);
}

/* What holds tensors is no single array. */
static int check_arrays(const struct options *options, const struct loaded *l, const struct results *r) {
  for (size_t i = 0; i < r->count; i++)
    if (onr_sequence_length(&r->items[i]) >= 0)
      return complain(EXIT_USAGE, "-o %s: output '%s' is a %s, no single array; -o DIR writes its entries",
                      options->output, onr_model_output(l->model, i)->name, onr_dtype_name(r->items[i].desc.dtype));
  return 0;
}

/* numpy.load reads them one by one. That the stream failed is told at the end of the program. */
static int write_stream(const struct results *r) {
  int code = 0;
  for (size_t i = 0; !code && i < r->count; i++) code = npy_put(stdout, "standard output", &r->items[i]);
  return code;
}

static int write_as_json(const char *path, const struct loaded *l, const struct results *r) {
  FILE *file = fopen(path, "w");
  if (!file) return complain_file(path, "cannot be written");
  errno = 0;
  put_json(file, l->model, r);
  const int failed = ferror(file);
  if (!fclose(file) && !failed) return 0;
  return complain(EXIT_OTHER, "%s: cannot be written: %s", path, strerror(errno ? errno : EIO));
}

static int write_file(const char *path, const struct loaded *l, const struct results *r) {
  const int code = is_json(path)  ? write_as_json(path, l, r)
                   : is_zip(path) ? npz_write(path, l->model, r)
                                  : npy_write(path, &r->items[0]);
  for (size_t i = 0; !code && i < r->count; i++) tell(l, r, i, path, "");
  return code;
}

static int path_in(const char *folder, const struct file_name *name, char path[PATH_SIZE]) {
  const size_t length = strlen(folder);
  const char *between = length && folder[length - 1] == '/' ? "" : "/";
  if (snprintf(path, PATH_SIZE, "%s%s%s", folder, between, name->text) < PATH_SIZE) return 0;
  return complain(EXIT_OTHER, "%s: the path is too long", folder);
}

static int write_folder(const char *folder, const struct loaded *l, const struct results *r) {
  char path[PATH_SIZE];
  struct file_name *names = output_names(l);
  int code = names ? EXIT_OK : complain(EXIT_OTHER, "no memory for the names of %zu outputs", r->count);
  /* All of them, before the first is written. */
  for (size_t i = 0; !code && i < r->count; i++)
    if (!(code = path_in(folder, &names[i], path))) code = check_kept(path);
  for (size_t i = 0; !code && i < r->count; i++) {
    code = path_in(folder, &names[i], path);
    if (!code) code = write_value(path, &r->items[i]);
    if (!code) tell(l, r, i, path, onr_sequence_length(&r->items[i]) < 0 ? "" : "/");
  }
  free(names);
  return code;
}

int save_outputs(const struct options *options, const struct loaded *l, const struct results *r) {
  const char *path = options->output;
  const int single = is_stream(path) || is_file(path);
  const int code = single ? check_arrays(options, l, r) : 0;
  if (code) return code;
  return !single ? write_folder(path, l, r) : is_stream(path) ? write_stream(r) : write_file(path, l, r);
}
