/* read_values.c: a file of values, whatever it is; its first bytes say. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "npy.h"
#include "onnxrun/tensor_file.h"
#include "recipe.h"

static size_t read_file_bytes(void *context, void *target, size_t bytes) {
  return bytes ? fread(target, 1, bytes, context) : 0;
}

uint64_t tensor_bytes(const struct options *options) {
  struct onr_limit_info limit = {.size = sizeof(limit)};
  if (options->limits.tensor_bytes) return options->limits.tensor_bytes;
  for (size_t i = 0; onr_limit(i, &limit) == ONR_STATUS_OK; i++)
    if (!strcmp(limit.name, "tensor_bytes")) return limit.standard;
  return UINT64_MAX;
}

int read_npy(const char *path, FILE *file, uint64_t most, enum onr_dtype declared, struct onr_tensor *tensor) {
  struct stat info;
  struct byte_stream stream = {path, read_file_bytes, file, UINT64_MAX, most};
  const off_t at = ftello(file);
  if (!fstat(fileno(file), &info) && S_ISREG(info.st_mode) && at >= 0 && info.st_size >= at)
    stream.left = (uint64_t)(info.st_size - at);
  return npy_read(&stream, declared, tensor);
}

static int read_proto(const char *path, enum onr_dtype declared, struct named_tensor *item) {
  struct onr_error error = {0};
  char name[65537];
  const enum onr_status status = onr_tensor_file_load(path, declared, NULL, &item->tensor, name, sizeof(name), &error);
  if (status == ONR_STATUS_OK) return list_rename(item, name) ? 0 : complain(EXIT_OTHER, "%s: no memory", path);
  if (exit_code_of(status) != EXIT_MODEL) return report_failure(status, path, &error);
  const char *ending = strrchr(path, '.');
  const int is_numpy = ending && (!strcmp(ending, ".npy") || !strcmp(ending, ".npz"));
  char what[32];
  snprintf(what, sizeof(what), "not a readable %s", is_numpy ? ending : "");
  return report_as(EXIT_USAGE, is_numpy ? what : onr_status_name(status), path, &error, "");
}

int read_values(const struct options *options, const char *path, enum onr_dtype declared, struct tensor_list *list) {
  char magic[NPY_MAGIC_BYTES] = "";
  if (!strcmp(path, "-")) return read_standard_input(options, NULL, NULL, declared, NULL, list);
  FILE *file = fopen(path, "rb");
  if (!file) return complain_file(path, "cannot be opened");
  errno = 0;
  const size_t n = fread(magic, 1, sizeof(magic), file);
  const int reason = ferror(file) ? errno : 0, is_npy = n == sizeof(magic) && !memcmp(magic, NPY_MAGIC, n);
  const int is_zip = is_archive(magic, n);
  struct named_tensor *item = is_zip || reason ? NULL : list_add(list, "");
  int code = 0;
  if (reason) code = complain(EXIT_OTHER, "%s: cannot be read: %s", path, strerror(reason));
  else if (!is_zip && !item) code = complain(EXIT_OTHER, "%s: no memory", path);
  else if (is_npy) code = read_npy(path, file, tensor_bytes(options), declared, &item->tensor);
  fclose(file);
  if (code || is_npy) return code;
  return is_zip ? npz_read(path, tensor_bytes(options), declared, list) : read_proto(path, declared, item);
}
