/* npz.c: a zip archive of .npy files, read with libzip. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "npy.h"

int is_archive(const char *magic, size_t count) {
  return count >= 4 && !memcmp(magic, "PK", 2) && (magic[2] == 3 || magic[2] == 5);
}

/* An archive may unpack to that many bytes in any case, and to that many times its own size. */
enum { FREE_BYTES = 64 << 20, MOST_RATIO = 100 };

static size_t read_member_bytes(void *context, void *target, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    const zip_int64_t n = zip_fread(context, (char *)target + done, bytes - done);
    if (n <= 0) break;
    done += (size_t)n;
  }
  return done;
}

/* Reading to the end lets libzip compare the checksum. */
static int check_end(struct byte_stream *s) {
  char piece[4096];
  zip_int64_t n;
  while ((n = zip_fread(s->context, piece, sizeof(piece))) > 0) continue;
  return n ? complain(EXIT_USAGE, "%s: damaged: %s", s->where, zip_file_strerror(s->context)) : 0;
}

static int read_array(struct byte_stream *s, enum onr_dtype declared, struct onr_tensor *tensor) {
  char magic[NPY_MAGIC_BYTES];
  if (s->left < sizeof(magic) || read_member_bytes(s->context, magic, sizeof(magic)) != sizeof(magic) ||
      memcmp(magic, NPY_MAGIC, sizeof(magic)))
    return complain(EXIT_USAGE, "%s: not a readable .npy: the magic bytes are missing", s->where);
  s->left -= sizeof(magic);
  const int code = npy_read(s, declared, tensor);
  return code ? code : check_end(s);
}

/* The array's name is that of the member without the ending. */
static int name_item(struct named_tensor *item) {
  char *end = item->name + strlen(item->name);
  if (end - item->name > 4 && !strcmp(end - 4, ".npy")) end[-4] = '\0';
  return 0;
}

static int read_member(const char *path, zip_t *archive, zip_uint64_t index, uint64_t most, enum onr_dtype declared,
                       struct tensor_list *list) {
  zip_stat_t stat;
  char where[1024];
  if (zip_stat_index(archive, index, 0, &stat) || !(stat.valid & ZIP_STAT_SIZE) || !(stat.valid & ZIP_STAT_NAME))
    return complain(EXIT_USAGE, "%s: a member without a name or a size", path);
  snprintf(where, sizeof(where), "%s(%s)", path, stat.name);
  zip_file_t *file = zip_fopen_index(archive, index, 0);
  if (!file) return complain(EXIT_USAGE, "%s: cannot be read: %s", where, zip_strerror(archive));
  struct named_tensor *item = list_add(list, stat.name);
  struct byte_stream stream = {where, read_member_bytes, file, stat.size, most};
  int code = item ? name_item(item) : complain(EXIT_OTHER, "%s: no memory", where);
  if (!code) code = read_array(&stream, declared, &item->tensor);
  zip_fclose(file);
  return code;
}

/* A small archive can stand for more than there is memory. */
static int check_sizes(const char *path, zip_t *archive, zip_uint64_t count, uint64_t packed, uint64_t most) {
  uint64_t unpacked = 0;
  for (zip_uint64_t i = 0; i < count; i++) {
    zip_stat_t stat;
    if (zip_stat_index(archive, i, 0, &stat) || !(stat.valid & ZIP_STAT_SIZE)) continue;
    if (__builtin_add_overflow(unpacked, stat.size, &unpacked)) unpacked = UINT64_MAX;
    if (unpacked > most || (unpacked > FREE_BYTES && unpacked / MOST_RATIO > packed))
      return complain(EXIT_USAGE,
                      "%s: unpacks from %s to %s or more, which is refused; numpy.savez writes it without compression",
                      path, shown_bytes_count((double)packed).text, shown_bytes_count((double)unpacked).text);
  }
  return 0;
}

static int not_opened(const char *path, zip_error_t *error) {
  const int code = complain(EXIT_USAGE, "%s: %s", path, zip_error_strerror(error));
  zip_error_fini(error);
  return code;
}

/* Closes it. packed: its own bytes. */
static int read_members(const char *path, zip_t *archive, uint64_t packed, uint64_t most, enum onr_dtype declared,
                        struct tensor_list *list) {
  const zip_int64_t entries = zip_get_num_entries(archive, 0);
  const zip_uint64_t count = entries > 0 ? (zip_uint64_t)entries : 0;
  int code = check_sizes(path, archive, count, packed, most);
  for (zip_uint64_t i = 0; !code && i < count; i++) code = read_member(path, archive, i, most, declared, list);
  zip_discard(archive);
  return code;
}

int npz_read(const char *path, uint64_t most, enum onr_dtype declared, struct tensor_list *list) {
  int why = 0;
  struct stat info;
  zip_error_t error;
  zip_t *archive = zip_open(path, ZIP_RDONLY, &why);
  const uint64_t packed = stat(path, &info) || info.st_size < 0 ? 0 : (uint64_t)info.st_size;
  if (archive) return read_members(path, archive, packed, most, declared, list);
  zip_error_init_with_code(&error, why);
  return not_opened(path, &error);
}

int npz_read_memory(const char *where, const void *bytes, size_t size, uint64_t most, enum onr_dtype declared,
                    struct tensor_list *list) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &error);
  zip_t *archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
  if (!archive) {
    zip_source_free(source);
    return not_opened(where, &error);
  }
  zip_error_fini(&error);
  return read_members(where, archive, size, most, declared, list);
}

/* --- writing --- */

/* One member: the .npy in memory, which the archive frees. */
static int add_member(const char *path, zip_t *archive, const char *name, const struct onr_tensor *tensor) {
  char *bytes = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&bytes, &size);
  int code = file ? npy_put(file, path, tensor) : 0;
  const int failed = !file || ferror(file);
  if ((file && fclose(file)) || failed) code = complain(EXIT_OTHER, "%s: no memory for an array", path);
  zip_source_t *source = code ? NULL : zip_source_buffer(archive, bytes, size, 1);
  if (code || !source) {
    free(bytes);
    return code ? code : complain(EXIT_OTHER, "%s: %s", path, zip_strerror(archive));
  }
  const zip_int64_t index = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8);
  if (index >= 0 && !zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0)) return 0;
  code = complain(EXIT_OTHER, "%s: %s", path, zip_strerror(archive));
  if (index < 0) zip_source_free(source);
  return code;
}

int npz_write(const char *path, const struct onr_model *model, const struct results *results) {
  int why = 0, code = 0;
  zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &why);
  if (!archive) {
    zip_error_t error;
    zip_error_init_with_code(&error, why);
    code = complain(EXIT_OTHER, "%s: cannot be written: %s", path, zip_error_strerror(&error));
    zip_error_fini(&error);
    return code;
  }
  for (size_t i = 0; !code && i < results->count; i++) {
    const char *name = onr_model_output(model, i)->name;
    char *member = malloc(strlen(name) + sizeof(".npy"));
    if (!member) {
      code = complain(EXIT_OTHER, "%s: no memory for a name", path);
      break;
    }
    strcat(strcpy(member, name), ".npy");
    code = add_member(path, archive, member, &results->items[i]);
    free(member);
  }
  if (!code && zip_close(archive))
    code = complain(EXIT_OTHER, "%s: cannot be written: %s", path, zip_strerror(archive));
  else if (!code) return 0;
  zip_discard(archive);
  return code;
}
