/* save: the outputs of a run into a folder, into one file, or to standard output. */
#define _POSIX_C_SOURCE 200809L /* mkdir */
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

/* FILE.npy, unless there is a folder of that name. */
static int is_file(const char *path) {
  const size_t length = strlen(path);
  return length > 4 && !strcmp(path + length - 4, ".npy") && !is_folder(path);
}

/* --- before the run --- */

int make_folders(const char *path, int all) {
  char part[PATH_SIZE];
  const size_t length = strlen(path);
  if (length >= sizeof(part)) return complain(EXIT_OTHER, "%s: the path is too long", path);
  for (size_t i = 1; i <= length; i++) {
    if (path[i] != '/' && (path[i] || !all)) continue;
    memcpy(part, path, i);
    part[i] = '\0';
    if (is_folder(part) || !mkdir(part, 0777)) continue;
    const int reason = errno;
    if (!is_folder(part)) return complain(EXIT_OTHER, "%s: cannot be made a folder: %s", part, strerror(reason));
  }
  return 0;
}

int prepare_output(const struct options *options, const struct onr_model *model) {
  const char *path = options->output;
  if (is_stream(path) && options->show)
    return complain(EXIT_USAGE, "run: --show draws on standard output, where -o - writes");
  if (is_stream(path) && isatty(STDOUT_FILENO))
    return complain(EXIT_USAGE,
                    "run: -o - writes no text, and standard output is a terminal; send it to a file or a program");
  if (is_stream(path)) return 0;
  if (is_file(path) && onr_model_num_outputs(model) != 1)
    return complain(EXIT_USAGE, "-o %s: the model has %zu outputs; -o DIR writes a file for each", path,
                    onr_model_num_outputs(model));
  return make_folders(path, !is_file(path));
}

/* --- after it --- */

static struct onr_tensor output(const struct loaded *l, size_t i) {
  struct onr_tensor y = {0};
  onr_session_get_output(l->session, i, &y, NULL);
  return y;
}

static void tell(const struct loaded *l, size_t i, const char *path, const char *ending) {
  const struct onr_tensor y = output(l, i);
  char text[160];
  printf("%s %s -> %s%s\n", shown(onr_model_output(l->model, i)->name).text,
         onr_desc_format(&y.desc, text, sizeof(text)), shown(path).text, ending);
}

/* What holds tensors is no single array. */
static int check_arrays(const struct options *options, const struct loaded *l) {
  for (size_t i = 0; i < onr_model_num_outputs(l->model); i++) {
    const struct onr_tensor y = output(l, i);
    if (onr_sequence_length(&y) >= 0)
      return complain(EXIT_USAGE, "-o %s: output '%s' is a %s, no single array; -o DIR writes its entries",
                      options->output, onr_model_output(l->model, i)->name, onr_dtype_name(y.desc.dtype));
  }
  return 0;
}

/* numpy.load reads them one by one. That the stream failed is told at the end of the program. */
static int write_stream(const struct loaded *l) {
  int code = 0;
  for (size_t i = 0; !code && i < onr_model_num_outputs(l->model); i++) {
    const struct onr_tensor y = output(l, i);
    code = npy_put(stdout, "standard output", &y);
  }
  return code;
}

static int write_file(const char *path, const struct loaded *l) {
  const struct onr_tensor y = output(l, 0);
  const int code = npy_write(path, &y);
  if (!code) tell(l, 0, path, "");
  return code;
}

static int write_folder(const char *folder, const struct loaded *l) {
  struct file_name *names = output_names(l);
  const size_t count = onr_model_num_outputs(l->model);
  int code = names ? EXIT_OK : complain(EXIT_OTHER, "no memory for the names of %zu outputs", count);
  for (size_t i = 0; !code && i < count; i++) {
    const struct onr_tensor y = output(l, i);
    char path[PATH_SIZE];
    if (snprintf(path, sizeof(path), "%s/%s", folder, names[i].text) >= (int)sizeof(path))
      code = complain(EXIT_OTHER, "%s: the path is too long", folder);
    if (!code) code = write_value(path, &y);
    if (!code) tell(l, i, path, onr_sequence_length(&y) < 0 ? "" : "/");
  }
  free(names);
  return code;
}

int save_outputs(const struct options *options, const struct loaded *l) {
  const char *path = options->output;
  const int single = is_stream(path) || is_file(path);
  const int code = single ? check_arrays(options, l) : 0;
  if (code) return code;
  return !single ? write_folder(path, l) : is_stream(path) ? write_stream(l) : write_file(path, l);
}
