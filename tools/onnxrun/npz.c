/* npz: a zip archive of .npy files, read with libzip. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "tool.h"

static int read_member(const char *path, zip_t *archive, zip_int64_t index, struct tensor_list *list) {
  zip_stat_t stat;
  zip_file_t *file;
  unsigned char *bytes;
  struct named_tensor *item;
  char where[1024];
  int code;
  if (zip_stat_index(archive, (zip_uint64_t)index, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE) || stat.size > SIZE_MAX / 2)
    return complain(EXIT_USAGE, "%s: a member without a size", path);
  snprintf(where, sizeof(where), "%s(%s)", path, stat.name);
  bytes = malloc((size_t)stat.size + 1);
  file = zip_fopen_index(archive, (zip_uint64_t)index, 0);
  item = list_add(list, stat.name);
  if (!bytes || !file || !item || zip_fread(file, bytes, stat.size) != (zip_int64_t)stat.size) {
    code = complain(EXIT_OTHER, "%s: cannot be read", where);
  } else {
    char *suffix = strstr(item->name, ".npy");
    if (suffix && !suffix[4]) *suffix = '\0';
    code = npy_parse(where, bytes, (size_t)stat.size, &item->tensor);
  }
  if (file) zip_fclose(file);
  free(bytes);
  return code;
}

int npz_read(const char *path, struct tensor_list *list) {
  int why = 0, code = 0;
  zip_t *archive = zip_open(path, ZIP_RDONLY, &why);
  if (!archive) {
    zip_error_t error;
    zip_error_init_with_code(&error, why);
    code = complain(EXIT_OTHER, "%s: %s", path, zip_error_strerror(&error));
    zip_error_fini(&error);
    return code;
  }
  const zip_int64_t count = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; !code && i < count; i++) code = read_member(path, archive, i, list);
  zip_discard(archive);
  return code;
}
