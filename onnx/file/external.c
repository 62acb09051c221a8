/* external.c: tensor data in other files. A location is a path from a stranger. It is never compared as a string: it is
 * walked one component at a time from a directory descriptor, and no step may go up or follow a symbolic link. */
#include "onnx/file/external.h"

#include <errno.h>
#include <string.h>

#include "base/only.h"
#include "base/system/file.h"
#include "base/text/text.h"

enum { SHOWN = 160, MOST_OPEN_FILES = 128, LONGEST_COMPONENT = 256 };

enum onr_status onri_sources_create(const struct onr_allocator *allocator, struct onri_sources **sources,
                                    struct onr_error *error) {
  struct onri_sources *s = onri_allocate_zeroed(allocator, sizeof(*s));
  *sources = s;
  if (!s) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a model");
  s->allocator = allocator;
  s->main.fd = s->directories[0] = s->directories[1] = -1;
  onri_arena_init(&s->arena, allocator, 0);
  onri_names_init(&s->locations, allocator);
  return ONR_STATUS_OK;
}

void onri_sources_destroy(void *sources) {
  struct onri_sources *s = sources;
  if (!s) return;
  for (size_t i = 0; i < s->num_files; i++) onri_source_close(&s->files[i]->source);
  for (int d = 0; d < 2; d++)
    if (s->directories[d] >= 0) onri_file_close(s->directories[d]);
  onri_source_close(&s->main);
  if (s->image) onri_file_unmap(s->image, s->image_bytes);
  onri_release(s->allocator, s->reads.items);
  for (size_t i = 0; i < s->num_files; i++) onri_release(s->allocator, s->files[i]->reads.items);
  onri_release(s->allocator, s->files);
  onri_names_clear(&s->locations);
  onri_arena_clear(&s->arena);
  onri_release(s->allocator, s);
}

static enum onr_status open_directory(const char *path, int *fd, struct onr_error *error) {
  char shown[SHOWN];
  *fd = onri_folder_open(path);
  if (*fd >= 0) return ONR_STATUS_OK;
  const int reason = errno;
  return onr_fail(error, ONR_STATUS_IO, "cannot open the directory '%s': %s",
                  onri_escape_string(path, shown, sizeof(shown)),
                  reason == ENOENT    ? "there is none"
                  : reason == ENOTDIR ? "it is a file"
                  : reason == EACCES  ? "it may not be read"
                                      : onri_file_reason(reason));
}

enum onr_status onri_sources_set_memory(struct onri_sources *sources, const void *data, size_t bytes,
                                        const char *extra_directory, struct onr_error *error) {
  sources->main = onri_source_memory(data, bytes);
  return extra_directory ? open_directory(extra_directory, &sources->directories[1], error) : ONR_STATUS_OK;
}

enum onr_status onri_sources_open(struct onri_sources *sources, const char *path, const char *extra_directory,
                                  struct onr_error *error) {
  const char *name = onri_path_name(path);
  char *directory;
  ONR_TRY(onri_source_open(path, &sources->main, error));
  if (!ONRI_PART(external)) return ONR_STATUS_OK;
  if (extra_directory) ONR_TRY(open_directory(extra_directory, &sources->directories[1], error));
  if (name == path) return open_directory(".", &sources->directories[0], error);
  directory = onri_arena_copy(&sources->arena, path, (size_t)(name - path) + 1);
  if (!directory) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a path");
  directory[name - path] = '\0'; /* with the slash: the root directory is "/" */
  return open_directory(directory, &sources->directories[0], error);
}

static int share(int from, int *to) {
  *to = from < 0 ? -1 : onri_file_duplicate(from);
  return from < 0 || *to >= 0;
}

enum onr_status onri_sources_share(const struct onri_sources *from, struct onri_sources *sources,
                                   struct onr_error *error) {
  sources->main = from->main;
  sources->main.reads = NULL;
  sources->data_stays = from->main.data != NULL;
  for (size_t i = 0; i < from->num_files; i++)
    if (from->files[i]->source.image)
      ONR_TRY(onri_sources_add_file(sources, from->files[i]->location, strlen(from->files[i]->location),
                                    &from->files[i]->source, error));
  if (share(from->main.fd, &sources->main.fd) && share(from->directories[0], &sources->directories[0]) &&
      share(from->directories[1], &sources->directories[1]))
    return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_IO, "the model's files cannot be opened once more: too many are open");
}

enum onr_status onri_sources_keep_memory(struct onri_sources *sources, struct onr_error *error) {
  void *copy;
  if (!sources->main.data || sources->data_stays) return ONR_STATUS_OK;
  copy = onri_arena_copy(&sources->arena, sources->main.data, (size_t)sources->main.size);
  if (!copy) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a copy of the model");
  sources->main.data = copy;
  return ONR_STATUS_OK;
}

/* --- digests --- */

struct ranges {
  const struct onri_sources *sources;
  const struct onri_external_file *file; /* NULL: the main one */
};

static const void *read_digested(void *context, uint64_t offset, size_t count, void *target) {
  const struct ranges *r = context;
  struct onr_error ignored;
  const enum onr_status status = r->file ? onri_external_read(r->sources, r->file, offset, count, target, &ignored)
                                         : onri_source_read(&r->sources->main, offset, count, target, &ignored);
  return status == ONR_STATUS_OK ? target : NULL;
}

void onri_sources_track(struct onri_sources *s, int tracks) {
  s->tracks = tracks;
  s->reads.allocator = s->allocator;
  s->main.reads = tracks ? &s->reads : NULL;
  for (size_t i = 0; i < s->num_files; i++) s->files[i]->source.reads = tracks ? &s->files[i]->reads : NULL;
}

static int add_files(const struct onri_sources *sources, struct onr_env *env, struct onri_digest *digest) {
  struct ranges r = {.sources = sources};
  onri_digest_add_number(digest, sources->main.size);
  if (!onri_digest_add_long(digest, sources->main.size, read_digested, &r, env)) return 0;
  for (size_t i = 0; i < sources->num_files; i++) {
    r.file = sources->files[i];
    onri_digest_add_text(digest, r.file->location);
    onri_digest_add_number(digest, r.file->source.size);
    if (!onri_digest_add_long(digest, r.file->source.size, read_digested, &r, env)) return 0;
  }
  return 1;
}

int onri_sources_digest(struct onri_sources *sources, struct onr_env *env, struct onri_digest *digest) {
  const int tracks = sources->tracks;
  if (tracks) onri_sources_track(sources, 0);
  const int done = add_files(sources, env, digest);
  if (tracks) onri_sources_track(sources, 1);
  return done;
}

/* --- opening --- */

static int open_beneath(int directory, const char *location) {
  int at = directory, next = -1;
  errno = ENOENT;
  while (*location) {
    char component[LONGEST_COMPONENT];
    const size_t length = strcspn(location, ONRI_SEPARATORS);
    const int last = !location[length + strspn(location + length, ONRI_SEPARATORS)];
    if (length >= sizeof(component)) {
      errno = ENAMETOOLONG;
      next = -1;
      break;
    }
    memcpy(component, location, length);
    component[length] = '\0';
    location += length + strspn(location + length, ONRI_SEPARATORS);
    if (!strcmp(component, ".")) continue;
    next = onri_folder_enter(at, component, !last);
    if (at != directory) {
      const int reason = errno;
      onri_file_close(at);
      errno = reason;
    }
    at = next;
    if (next < 0) break;
  }
  if (next < 0 && at != directory && at >= 0) onri_file_close(at);
  return next;
}

/* Caches of downloaded models keep files under their hash and put links beside the model. Such a link is taken when the
 * file that it means lies directly in the extra directory; it is opened there, so the link cannot lead elsewhere. */
static int open_linked(const struct onri_sources *s, const char *location) {
  struct onri_file_info meant, opened;
  char target[1024];
  const char *name;
  int fd;
  if (s->directories[0] < 0 || s->directories[1] < 0 || strpbrk(location, ONRI_SEPARATORS)) return -1;
  if (!onri_folder_link(s->directories[0], location, target, sizeof(target))) return -1;
  name = onri_path_name(target);
  if (!*name || !strcmp(name, "..")) return -1;
  fd = open_beneath(s->directories[1], name);
  if (fd < 0) return -1;
  if (onri_folder_look(s->directories[0], location, &meant) && onri_file_look(fd, &opened) &&
      meant.device == opened.device && meant.index == opened.index)
    return fd;
  onri_file_close(fd);
  return -1;
}

static const char *open_reason(int reason) {
  switch (reason) {
    case ENOENT: return "there is no such file beside the model";
    case ELOOP:
    case ENOTDIR:
      return "it passes a symbolic link (or a file) that does not lead into the extra directory of the options";
    default: return onri_file_reason(reason);
  }
}

static enum onr_status open_file(struct onri_sources *s, struct onri_external_file *file, struct onr_error *error) {
  char shown[SHOWN];
  struct onri_file_info info;
  int fd = -1, reason = ENOENT;
  onri_escape_string(file->location, shown, sizeof(shown));
  for (int d = 0; fd < 0 && d < 2; d++) {
    if (s->directories[d] < 0) continue;
    fd = open_beneath(s->directories[d], file->location);
    if (fd < 0 && (errno != ENOENT || d == 0)) reason = errno;
  }
  if (fd < 0) fd = open_linked(s, file->location);
  if (s->directories[0] < 0 && s->directories[1] < 0)
    return onr_fail(error, ONR_STATUS_EXTERNAL,
                    "external data '%s': a model in memory has no directory; name one in the options", shown);
  if (fd < 0) return onr_fail(error, ONR_STATUS_EXTERNAL, "external data '%s': %s", shown, open_reason(reason));
  if (!onri_source_from_descriptor(fd, &file->source) || !onri_file_look(fd, &info)) {
    onri_file_close(fd);
    file->source.fd = -1;
    return onr_fail(error, ONR_STATUS_EXTERNAL, "external data '%s' is not a regular file", shown);
  }
  if (s->tracks) file->source.reads = &s->files[onri_names_get(&s->locations, file->location)]->reads;
  file->device = info.device;
  file->inode = info.index;
  return ONR_STATUS_OK;
}

static enum onr_status check_location(const char *location, struct onr_error *error) {
  char shown[SHOWN];
  onri_escape_string(location, shown, sizeof(shown));
  if (!*location) return onr_fail(error, ONR_STATUS_EXTERNAL, "external data with an empty location");
  if (onri_path_is_rooted(location))
    return onr_fail(error, ONR_STATUS_EXTERNAL, "external data '%s': the path must be relative", shown);
  for (const char *at = location; *at; at += strspn(at, ONRI_SEPARATORS)) {
    const size_t length = strcspn(at, ONRI_SEPARATORS);
    if (length == 2 && !memcmp(at, "..", 2))
      return onr_fail(error, ONR_STATUS_EXTERNAL, "external data '%s' leaves the model's directory", shown);
    at += length;
  }
  return ONR_STATUS_OK;
}

/* A new entry of the list, without a source; NULL: out of memory. */
static struct onri_external_file *add_file(struct onri_sources *s, const char *location) {
  struct onri_external_file *file = onri_arena_allocate(&s->arena, sizeof(*file));
  if (!file || !onri_grow(s->allocator, &s->files, sizeof(*s->files), &s->files_capacity, s->num_files + 1))
    return NULL;
  *file = (struct onri_external_file){
      .location = onri_arena_string(&s->arena, location), .source = {.fd = -1}, .reads = {.allocator = s->allocator}};
  if (!file->location || s->num_files >= INT32_MAX ||
      onri_names_put(&s->locations, file->location, (int32_t)s->num_files) < 0)
    return NULL;
  s->files[s->num_files++] = file;
  return file;
}

enum onr_status onri_sources_add_file(struct onri_sources *s, const char *location, size_t length,
                                      const struct onri_source *source, struct onr_error *error) {
  char *text = onri_arena_allocate(&s->arena, length + 1);
  if (text) memcpy(text, location, length), text[length] = '\0';
  if (text && onri_names_get(&s->locations, text) >= 0)
    return onr_fail(error, ONR_STATUS_EXTERNAL, "the packed model has a file twice");
  struct onri_external_file *file = text ? add_file(s, text) : NULL;
  if (!file) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a file of external data");
  file->source = *source;
  return ONR_STATUS_OK;
}

/* Files are opened once and shared. Few stay open: some models have one file a tensor. */
static enum onr_status find_file(struct onri_sources *s, const char *location, struct onri_external_file **found,
                                 struct onr_error *error) {
  const int32_t known = onri_names_get(&s->locations, location);
  struct onri_external_file *file;
  if (known >= 0) {
    *found = s->files[known];
    return ONR_STATUS_OK;
  }
  ONR_TRY(check_location(location, error));
  file = add_file(s, location);
  if (!file) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a file of external data");
  ONR_TRY(open_file(s, file, error));
  if (s->num_files > MOST_OPEN_FILES) {
    onri_file_close(file->source.fd);
    file->source.fd = -1;
  }
  *found = file;
  return ONR_STATUS_OK;
}

/* --- the entries of a tensor --- */

/* A decimal number below 2^63. */
static int parse_number(const char *text, uint64_t *value) {
  uint64_t result = 0;
  if (!*text) return 0;
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || result > (INT64_MAX - 9) / 10) return 0;
    result = result * 10 + (uint64_t)(*text - '0');
  }
  *value = result;
  return 1;
}

static enum onr_status take_text(struct onri_sources *s, const char *key, const ProtobufCBinaryData *value,
                                 const char **text, struct onr_error *error) {
  char shown[SHOWN];
  if (*text) return onr_fail(error, ONR_STATUS_EXTERNAL, "external data has the key '%s' twice", key);
  if (value->len && memchr(value->data, 0, value->len))
    return onr_fail(error, ONR_STATUS_EXTERNAL, "the %s of external data holds a NUL byte: '%s'", key,
                    onri_escape((const char *)value->data, value->len, shown, sizeof(shown)));
  *text = onri_arena_allocate(&s->arena, value->len + 1);
  if (!*text) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a path");
  if (value->len) memcpy((char *)*text, value->data, value->len);
  return ONR_STATUS_OK;
}

enum onr_status onri_external_resolve(struct onri_sources *sources, const Onnx__TensorProto *tensor, uint64_t bytes,
                                      struct onri_external *external, struct onr_error *error) {
  static const char *const keys[3] = {"location", "offset", "length"};
  const char *texts[3] = {NULL, NULL, NULL};
  uint64_t offset = 0, length = bytes;
  char shown[SHOWN];
  for (size_t i = 0; i < tensor->n_external_data; i++)
    for (int k = 0; k < 3; k++)
      if (tensor->external_data[i]->key && !strcmp(tensor->external_data[i]->key, keys[k]))
        ONR_TRY(take_text(sources, keys[k], &tensor->external_data[i]->value, &texts[k], error));
  if (!texts[0]) return onr_fail(error, ONR_STATUS_EXTERNAL, "external data without a location");
  for (int k = 1; k < 3; k++)
    if (texts[k] && !parse_number(texts[k], k == 1 ? &offset : &length))
      return onr_fail(error, ONR_STATUS_EXTERNAL, "the %s of external data must be a number below 2^63, found '%s'",
                      keys[k], onri_escape_string(texts[k], shown, sizeof(shown)));
  if (length != bytes)
    return onr_fail(error, ONR_STATUS_EXTERNAL,
                    "external data has a length of %llu bytes, its type and dimensions need %llu",
                    (unsigned long long)length, (unsigned long long)bytes);
  ONR_TRY(find_file(sources, texts[0], &external->file, error));
  if (offset > external->file->source.size || bytes > external->file->source.size - offset)
    return onr_fail(error, ONR_STATUS_EXTERNAL, "external data of %llu bytes at %llu leaves '%s' of %llu bytes",
                    (unsigned long long)bytes, (unsigned long long)offset,
                    onri_escape_string(texts[0], shown, sizeof(shown)),
                    (unsigned long long)external->file->source.size);
  external->offset = offset;
  external->bytes = bytes;
  return ONR_STATUS_OK;
}

enum onr_status onri_external_read(const struct onri_sources *sources, const struct onri_external_file *file,
                                   uint64_t offset, size_t bytes, void *target, struct onr_error *error) {
  struct onri_external_file again = *file;
  enum onr_status status;
  char shown[SHOWN];
  if (file->source.fd >= 0 || file->source.image) return onri_source_read(&file->source, offset, bytes, target, error);
  again.source.fd = -1;
  ONR_TRY(open_file((struct onri_sources *)sources, &again, error));
  if (again.device != file->device || again.inode != file->inode || again.source.size < file->source.size)
    status = onr_fail(error, ONR_STATUS_EXTERNAL, "external data '%s' was changed while the model was in use",
                      onri_escape_string(file->location, shown, sizeof(shown)));
  else status = onri_source_read(&again.source, offset, bytes, target, error);
  onri_source_close(&again.source);
  return status;
}
