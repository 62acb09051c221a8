/* references.c: what compare compares with: files of values by the names in them, by those that index.json of run
 * --dump-all has for them, else by their own. */
#define _POSIX_C_SOURCE 200809L
#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "onnxrun/tensor_file.h"
#include "recipe.h"
#include "step_values.h"

enum { PATH_SIZE = 4096, LARGEST_INDEX = 256 << 20, MOST_NESTED = 16 };

static int has_ending(const char *name, const char *ending) {
  const size_t length = strlen(name), n = strlen(ending);
  return length > n && !strcmp(name + length - n, ending);
}

static int path_in(const char *folder, const char *file, char path[PATH_SIZE]) {
  if (snprintf(path, PATH_SIZE, "%s/%s", folder, file) < PATH_SIZE) return 0;
  return complain(EXIT_OTHER, "%s: the path is too long", folder);
}

/* --- by index.json --- */

static int bad_row(const char *index, size_t number, const char *why) {
  return complain(EXIT_USAGE, "%s: entry %zu: %s; run --dump-all writes it", index, number, why);
}

/* The type that a description begins with, "bfloat16[2,3]". */
static enum onr_dtype type_of(const cJSON *row) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "type"));
  char name[32];
  snprintf(name, sizeof(name), "%.*s", text ? (int)strcspn(text, "[") : 0, text ? text : "");
  return dtype_of(name);
}

static int read_one(const struct options *options, const char *path, enum onr_dtype declared,
                    struct onr_tensor *value) {
  struct tensor_list list = {0};
  int code = read_values(options, path, declared, &list);
  if (!code && list.count != 1) code = complain(EXIT_USAGE, "%s: expected one tensor, found %zu", path, list.count);
  if (!code) {
    *value = list.items[0].tensor;
    list.items[0].tensor = (struct onr_tensor){0};
  }
  list_clear(&list);
  return code;
}

struct dumped {
  const struct options *options;
  const char *folder, *index;
  size_t number; /* of the row in the index */
};

static int read_row(const struct dumped *from, const cJSON *row, int depth, struct onr_tensor *value);

static int read_entries(const struct dumped *from, const cJSON *rows, enum onr_dtype kind, int depth,
                        struct onr_tensor *value) {
  const size_t count = (size_t)cJSON_GetArraySize(rows);
  struct onr_tensor *entries = calloc(count + 1, sizeof(*entries));
  const cJSON *row;
  size_t n = 0;
  int code = 0;
  if (kind != ONR_DTYPE_SEQUENCE && kind != ONR_DTYPE_OPTIONAL && kind != ONR_DTYPE_MAP)
    code = bad_row(from->index, from->number, "it has entries and is no sequence, optional or map");
  else if (depth == MOST_NESTED) code = bad_row(from->index, from->number, "entries in entries, too deep");
  else if (!entries) code = complain(EXIT_OTHER, "%s: no memory for %zu entries", from->index, count);
  cJSON_ArrayForEach(row, rows) if (!code) code = read_row(from, row, depth + 1, &entries[n++]);
  if (!code && !copy_entries(kind, entries, (int64_t)count, value))
    code = complain(EXIT_OTHER, "%s: no memory for %zu entries", from->index, count);
  for (size_t i = 0; i < n; i++) onr_tensor_release(NULL, &entries[i]);
  free(entries);
  return code;
}

static int read_row(const struct dumped *from, const cJSON *row, int depth, struct onr_tensor *value) {
  const cJSON *entries = cJSON_GetObjectItemCaseSensitive(row, "entries");
  const char *file = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "file"));
  char path[PATH_SIZE];
  if (entries) return read_entries(from, entries, type_of(row), depth, value);
  if (!file) return bad_row(from->index, from->number, "no 'file'");
  const int code = path_in(from->folder, file, path);
  return code ? code : read_one(from->options, path, type_of(row), value);
}

static int read_rows(struct dumped *from, const cJSON *rows, struct references *references) {
  const cJSON *row;
  int code = 0;
  cJSON_ArrayForEach(row, rows) {
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "name"));
    if (!name) return bad_row(from->index, from->number, "no 'name'");
    struct named_tensor *item = list_add(&references->list, name);
    if (!item) return complain(EXIT_OTHER, "%s: no memory for a name", from->index);
    if ((code = read_row(from, row, 0, &item->tensor))) return code;
    from->number++;
  }
  return 0;
}

static int read_index(const struct options *options, const char *folder, const char *path, FILE *file,
                      struct references *references) {
  struct dumped from = {options, folder, path, 0};
  void *text;
  size_t size;
  int code = read_all(file, path, NULL, 0, LARGEST_INDEX, &text, &size);
  if (code) return code;
  cJSON *rows = cJSON_ParseWithLength(text, size);
  free(text);
  code = cJSON_IsArray(rows) ? read_rows(&from, rows, references)
                             : complain(EXIT_USAGE, "%s: expected the list that run --dump-all writes", path);
  cJSON_Delete(rows);
  references->has_turns = 1;
  return code;
}

/* --- by their names --- */

/* What has no name has that of its file. */
static int read_file(const struct options *options, const char *path, const char *file, struct references *references) {
  struct tensor_list *list = &references->list;
  const size_t before = list->count;
  char stem[256];
  const int code = read_values(options, path, ONR_DTYPE_NONE, list);
  snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(file, "/"), file);
  char *dot = strrchr(stem, '.');
  if (dot) *dot = '\0';
  if (!code && list->count == before + 1 && !list->items[before].name[0])
    return list_rename(&list->items[before], stem) ? 0 : complain(EXIT_OTHER, "%s: no memory", path);
  return code;
}

static int read_files(const struct options *options, const char *folder, struct references *references) {
  struct dirent **entries = NULL;
  const int count = scandir(folder, &entries, NULL, alphasort);
  int code = count < 0 ? complain_file(folder, "cannot be read") : 0;
  for (int i = 0; i < count; i++) {
    char path[PATH_SIZE];
    const char *name = entries[i]->d_name;
    if (!code && (has_ending(name, ".npy") || has_ending(name, ".npz") || has_ending(name, ".pb")) &&
        !(code = path_in(folder, name, path)))
      code = read_file(options, path, name, references);
    free(entries[i]);
  }
  free(entries);
  return code;
}

/* --- both --- */

static int read_folder(const struct options *options, const char *folder, struct references *references) {
  char path[PATH_SIZE];
  int code = path_in(folder, "index.json", path);
  FILE *file = code ? NULL : fopen(path, "rb");
  if (!file) return code ? code : read_files(options, folder, references);
  code = read_index(options, folder, path, file, references);
  fclose(file);
  return code;
}

static int by_name(const void *left, const void *right) {
  const struct named_tensor *a = left, *b = right;
  return strcmp(a->name, b->name);
}

void sort_by_name(struct tensor_list *list) {
  if (list->count) qsort(list->items, list->count, sizeof(*list->items), by_name);
}

const struct named_tensor *find_by_name(const struct tensor_list *list, const char *name) {
  const struct named_tensor key = {.name = (char *)(uintptr_t)name};
  return list->count ? bsearch(&key, list->items, list->count, sizeof(*list->items), by_name) : NULL;
}

int read_references(const struct options *options, struct references *references) {
  const char *path = options->reference;
  const char *slash = strrchr(path, '/');
  struct stat info;
  const int is_folder = !stat(path, &info) && S_ISDIR(info.st_mode);
  const int code = is_folder ? read_folder(options, path, references)
                             : read_file(options, path, slash ? slash + 1 : path, references);
  sort_by_name(&references->list);
  return code;
}

const struct named_tensor *find_reference(const struct references *references, const char *key) {
  char clean[LONGEST_FILE_STEM + 1];
  const struct named_tensor *found = find_by_name(&references->list, key);
  if (found || references->has_turns) return found;
  file_name_of(key, clean, sizeof(clean));
  return find_by_name(&references->list, clean);
}
