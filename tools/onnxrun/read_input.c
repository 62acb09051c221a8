/* read_input.c: what a file or a word of the command line is, for an input whose type and shape are known. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "npy.h"
#include "recipe.h"

static int ends_as(const char *path, const char *const *endings) {
  const char *dot = strrchr(path, '.');
  for (; dot && *endings; endings++)
    if (!strcmp(dot, *endings)) return 1;
  return 0;
}

/* A list, a string or a number that stands where a file's name might. */
static int is_literal(const char *text) {
  char *end;
  if (*text == '[' || *text == '"' || !strcmp(text, "true") || !strcmp(text, "false")) return 1;
  strtod(text, &end);
  return end != text && !*end;
}

/* The model wants the bytes themselves: it decodes them. */
static int wants_bytes(const struct onr_value_info *info) { return info->dtype == ONR_DTYPE_U8 && info->rank == 1; }

enum content { PICTURE, SOUND, JSON, LINES, RAW, OTHER };

static enum content content_of(const char *path, const unsigned char *bytes, size_t size,
                               const struct onr_value_info *info, const struct recipe *recipe) {
  static const char *const json[] = {".json", NULL}, *const text[] = {".txt", NULL},
                           *const raw[] = {".raw", ".bin", NULL};
  const int is_file = strcmp(path, "standard input") != 0;
  if (recipe->is_shaped || recipe->dtype != ONR_DTYPE_NONE) return RAW;
  if (is_picture(bytes, size)) return wants_bytes(info) ? RAW : PICTURE;
  if (is_sound(bytes, size)) return wants_bytes(info) ? RAW : SOUND;
  if (is_file && ends_as(path, json)) return JSON;
  if (is_file && ends_as(path, raw)) return RAW;
  if ((is_file && ends_as(path, text)) || (!is_file && info->dtype == ONR_DTYPE_STRING)) return LINES;
  return !is_file && size && strchr("[{\"", *bytes) ? JSON : OTHER;
}

static int make(const struct options *options, const char *where, enum content content, void *bytes, size_t size,
                const struct onr_value_info *info, const struct recipe *recipe, struct named_tensor *item) {
  switch (content) {
    case PICTURE: return read_picture(options, where, bytes, size, info, recipe, &item->tensor);
    case SOUND: return read_sound(options, where, bytes, size, info, recipe, &item->tensor, &item->frames);
    case JSON: return read_json(where, bytes, size, info, &item->tensor);
    case LINES:
      if (info->dtype == ONR_DTYPE_STRING) return read_lines(where, bytes, size, info, &item->tensor);
      return complain(EXIT_USAGE,
                      "%s: lines of text, and input '%s' is %s; numbers are read from .json, .npy or plain bytes",
                      where, info->name, onr_dtype_name(info->dtype));
    case RAW: return read_raw(options, where, bytes, size, info, recipe, &item->tensor);
    case OTHER: break;
  }
  return complain(EXIT_USAGE,
                  "%s: expected a .npy, .npz, a picture, sound, JSON, or with --dtype or --shape plain bytes", where);
}

/* What of a recipe it heeds. */
static void note_kind(enum content content, unsigned *kinds) {
  *kinds |= content == PICTURE ? 1u << RECIPE_PICTURES
            : content == SOUND ? 1u << RECIPE_SOUNDS
            : content == RAW   ? 1u << RECIPE_BYTES
                               : 0;
}

static int add_made(const struct options *options, const char *where, enum content content, FILE *file,
                    const void *first, size_t num_first, const struct onr_value_info *info, const struct recipe *recipe,
                    unsigned *kinds, struct tensor_list *list) {
  void *bytes;
  size_t size;
  int code = read_all(file, where, first, num_first, tensor_bytes(options), &bytes, &size);
  if (code) return code;
  struct named_tensor *item = list_add(list, info->name);
  if (content == OTHER) content = content_of(where, bytes, size, info, recipe);
  note_kind(content, kinds);
  code = item ? make(options, where, content, bytes, size, info, recipe, item)
              : complain(EXIT_OTHER, "%s: no memory", where);
  free(bytes);
  return code;
}

static int read_archive(const struct options *options, const char *where, const void *first, size_t num_first,
                        enum onr_dtype declared, struct tensor_list *list) {
  void *bytes;
  size_t size;
  int code = read_all(stdin, where, first, num_first, tensor_bytes(options), &bytes, &size);
  if (code) return code;
  code = npz_read_memory(where, bytes, size, tensor_bytes(options), declared, list);
  free(bytes);
  return code;
}

int read_standard_input(const struct options *options, const struct onr_value_info *info, const struct recipe *recipe,
                        enum onr_dtype declared, unsigned *kinds, struct tensor_list *list) {
  static const char where[] = "standard input";
  char magic[NPY_MAGIC_BYTES] = "";
  errno = 0;
  const size_t n = fread(magic, 1, sizeof(magic), stdin);
  if (ferror(stdin)) return complain(EXIT_OTHER, "%s: cannot be read: %s", where, strerror(errno));
  const int is_npy = n == sizeof(magic) && !memcmp(magic, NPY_MAGIC, n);
  if (!n) return complain(EXIT_USAGE, "%s: expected a .npy or .npz, found nothing", where);
  if (is_archive(magic, n)) return read_archive(options, where, magic, n, declared, list);
  if (!is_npy && !info)
    return complain(EXIT_USAGE, "%s: expected a .npy or .npz; -i NAME=- says for which input something else is", where);
  if (!is_npy) return add_made(options, where, OTHER, stdin, magic, n, info, recipe, kinds, list);
  struct named_tensor *item = list_add(list, "");
  if (!item) return complain(EXIT_OTHER, "%s: no memory", where);
  return read_npy(where, stdin, tensor_bytes(options), declared, &item->tensor);
}

/* A pipe is read once: what has been looked at is not read again. */
static int read_file(const struct options *options, const char *path, const struct onr_value_info *info,
                     const struct recipe *recipe, unsigned *kinds, struct tensor_list *list) {
  unsigned char head[16];
  FILE *file = fopen(path, "rb");
  if (!file) return complain_file(path, "cannot be opened");
  size_t n = fread(head, 1, NPY_MAGIC_BYTES, file);
  const int is_npy = n == NPY_MAGIC_BYTES && !memcmp(head, NPY_MAGIC, n);
  if (is_npy) {
    struct named_tensor *item = list_add(list, "");
    const int code = item ? read_npy(path, file, tensor_bytes(options), info->dtype, &item->tensor)
                          : complain(EXIT_OTHER, "%s: no memory", path);
    fclose(file);
    return code;
  }
  n += fread(head + n, 1, sizeof(head) - n, file);
  const enum content content = ferror(file) ? OTHER : content_of(path, head, n, info, recipe);
  const int code = content == OTHER ? 0 : add_made(options, path, content, file, head, n, info, recipe, kinds, list);
  fclose(file);
  return content == OTHER ? read_values(options, path, info->dtype, list) : code;
}

int read_for_input(const struct options *options, struct recipe_file *recipes, const char *file,
                   const struct onr_value_info *info, struct tensor_list *list) {
  struct recipe recipe;
  int code = recipe_of(options, recipes, info->name, &recipe);
  if (code) return code;
  if (!strcmp(file, "-")) return read_standard_input(options, info, &recipe, info->dtype, &recipes->kinds, list);
  if (!is_literal(file) || !access(file, F_OK)) return read_file(options, file, info, &recipe, &recipes->kinds, list);
  struct named_tensor *item = list_add(list, info->name);
  struct line where = {0};
  line_add(&where, "-i %s=%.40s%s", info->name, file, strlen(file) > 40 ? "..." : "");
  return item ? read_json(where.text, file, strlen(file), info, &item->tensor)
              : complain(EXIT_OTHER, "no memory for an input");
}
