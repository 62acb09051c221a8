/* write_value.c: an output into files: a tensor into PATH, what holds others into a folder PATH. */
#define _POSIX_C_SOURCE 200809L /* mkdir */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "npy.h"
#include "onnxrun/sequence.h"

enum { PATH_SIZE = 4096 };

static int write_entry(const char *folder, const char *name, const struct onr_tensor *value) {
  char path[PATH_SIZE];
  if (snprintf(path, sizeof(path), "%s/%s%s", folder, name, onr_sequence_length(value) < 0 ? ".npy" : "") >=
      (int)sizeof(path))
    return complain(EXIT_OTHER, "%s: the path is too long", folder);
  return write_value(path, value);
}

static int same_keys(const struct onr_tensor *a, const struct onr_tensor *b) {
  char unused[300];
  return onr_desc_equal(&a->desc, &b->desc) && agrees(a, b, 0, 0, unused, sizeof(unused));
}

/* Whether value is a sequence of maps that all have one list of keys and rows of one type, as a classifier makes it. */
static int is_table(const struct onr_tensor *value) {
  const int64_t count = value->desc.dtype == ONR_DTYPE_SEQUENCE ? onr_sequence_length(value) : 0;
  struct onr_tensor first = {0};
  for (int64_t i = 0; i < count; i++) {
    const struct onr_tensor map = onr_sequence_entry(value, i);
    if (map.desc.dtype != ONR_DTYPE_MAP || onr_sequence_length(&map) != 2) return 0;
    if (i == 0) first = map;
    const struct onr_tensor keys = onr_sequence_entry(&first, 0), values = onr_sequence_entry(&first, 1);
    const struct onr_tensor other = onr_sequence_entry(&map, 0), row = onr_sequence_entry(&map, 1);
    if (!same_keys(&keys, &other) || !onr_desc_equal(&values.desc, &row.desc)) return 0;
  }
  return count > 0;
}

int read_table(const struct onr_tensor *maps, struct onr_tensor *found_keys, struct onr_tensor *values_of_all) {
  if (!is_table(maps)) return 0;
  const int64_t count = onr_sequence_length(maps);
  const struct onr_tensor first = onr_sequence_entry(maps, 0), keys = onr_sequence_entry(&first, 0),
                          row = onr_sequence_entry(&first, 1);
  const size_t bytes = onr_desc_bytes(&row.desc);
  struct onr_tensor table = {onr_desc_make(row.desc.dtype, 2, (int64_t[]){count, row.desc.dim[0]}), NULL};
  table.data = malloc((size_t)count * bytes + 1);
  for (int64_t i = 0; table.data && i < count; i++) {
    const struct onr_tensor map = onr_sequence_entry(maps, i), values = onr_sequence_entry(&map, 1);
    if (bytes) memcpy((char *)table.data + (size_t)i * bytes, values.data, bytes);
  }
  *found_keys = keys;
  *values_of_all = table;
  return 1;
}

static int write_table(const char *folder, const struct onr_tensor *keys, struct onr_tensor *table) {
  if (!table->data) return complain(EXIT_OTHER, "no memory for a table of maps");
  int code = write_entry(folder, "keys", keys);
  if (!code) code = write_entry(folder, "values", table);
  free(table->data);
  return code;
}

int write_value(const char *path, const struct onr_tensor *value) {
  const int64_t count = onr_sequence_length(value);
  const int is_map = value->desc.dtype == ONR_DTYPE_MAP;
  struct onr_tensor keys, table;
  char name[32];
  int code = EXIT_OK;
  if (count < 0) return (code = check_kept(path)) ? code : npy_write(path, value);
  if (mkdir(path, 0777) != 0 && errno != EEXIST) return complain(EXIT_OTHER, "%s: %s", path, strerror(errno));
  if (read_table(value, &keys, &table)) return write_table(path, &keys, &table);
  for (int64_t i = 0; !code && i < count; i++) {
    const struct onr_tensor entry = onr_sequence_entry(value, i);
    snprintf(name, sizeof(name), "%lld", (long long)i);
    code = write_entry(path, !is_map ? name : i == 0 ? "keys" : "values", &entry);
  }
  return code;
}
