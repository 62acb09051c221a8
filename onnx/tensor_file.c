/* tensor_file: one TensorProto in a file. It is read as a model whose only initializer it is, so that the scan and the
 * decoder of models check it. */
#include "onnxrun/tensor_file.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "onnx/decode.h"

enum { GRAPH_TAG = 7 << 3 | 2, INITIALIZER_TAG = 5 << 3 | 2, PREFIX_BYTES = 22 };

static size_t write_varint(unsigned char *target, uint64_t value) {
  size_t n = 0;
  for (; value >= 128; value >>= 7) target[n++] = (unsigned char)(value | 128);
  target[n++] = (unsigned char)value;
  return n;
}

/* The bytes of a model { graph { initializer { ... } } } around the file's. */
static enum onr_status read_wrapped(const char *path, const struct onr_env *env, unsigned char **bytes, size_t *size, struct onr_error *error) {
  unsigned char inner[12], prefix[PREFIX_BYTES + 2];
  struct onri_source source;
  size_t inner_size, n;
  enum onr_status status;
  ONR_TRY(onri_source_open(path, &source, error));
  inner[0] = INITIALIZER_TAG;
  inner_size = 1 + write_varint(inner + 1, source.size);
  prefix[0] = GRAPH_TAG;
  n = 1 + write_varint(prefix + 1, source.size + inner_size);
  memcpy(prefix + n, inner, inner_size);
  n += inner_size;
  *bytes = NULL;
  if (source.size > env->limits.tensor_bytes) status = onr_fail(error, ONR_STATUS_LIMIT, "the file is larger than the limit tensor_bytes");
  else {
    *size = n + (size_t)source.size;
    *bytes = onri_allocate(env->allocator, *size);
    if (!*bytes) status = onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a file of %llu bytes", (unsigned long long)source.size);
    else status = onri_source_read(&source, 0, (size_t)source.size, *bytes + n, error);
  }
  if (*bytes) memcpy(*bytes, prefix, n);
  onri_source_close(&source);
  return status;
}

/* A copy in one block, texts of strings included. */
static enum onr_status copy_out(const struct onr_env *env, const struct onri_constant *constant, struct onr_tensor *tensor,
                                struct onr_error *error) {
  const size_t bytes = onr_desc_bytes(&constant->desc), count = (size_t)onr_desc_elements(&constant->desc);
  const int strings = constant->desc.dtype == ONR_DTYPE_STRING;
  const struct onr_string *from = constant->data;
  size_t total = bytes;
  char *copy, *text;
  for (size_t i = 0; strings && i < count; i++)
    if (!onri_add_size(total, from[i].length, &total)) return onr_fail(error, ONR_STATUS_LIMIT, "the strings are too long");
  copy = onri_allocate(env->allocator, total);
  if (!copy) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a tensor of %zu bytes", total);
  if (bytes) memcpy(copy, constant->data, bytes);
  text = copy + bytes;
  for (size_t i = 0; strings && i < count; i++) {
    struct onr_string *to = (struct onr_string *)(void *)copy + i;
    if (from[i].length) memcpy(text, from[i].text, from[i].length);
    to->text = text;
    text += from[i].length;
  }
  *tensor = (struct onr_tensor){constant->desc, copy};
  return ONR_STATUS_OK;
}

static enum onr_status decode(struct onr_env *env, struct onri_sources *sources, const struct onri_skeleton *skeleton,
                              struct onri_arena *arena, struct onr_tensor *tensor, char *name, size_t name_size, struct onr_error *error) {
  const Onnx__ModelProto *model;
  struct onri_constant *constant = NULL;
  struct onri_tensor_decoder decoder = {.env = env, .sources = sources, .spans = skeleton->spans, .num_spans = skeleton->num_spans};
  enum onr_status status;
  ONR_TRY(onri_decode_model(skeleton, arena, &model, error));
  if (!model->graph || model->graph->n_initializer != 1) return onr_fail(error, ONR_STATUS_PARSE, "the file is no TensorProto");
  ONR_TRY(onri_tensor_decode(&decoder, model->graph->initializer[0], &constant, error));
  status = onri_constant_load(constant, error);
  if (status == ONR_STATUS_OK) status = copy_out(env, constant, tensor, error);
  if (status == ONR_STATUS_OK && name && name_size)
    snprintf(name, name_size, "%s", model->graph->initializer[0]->name ? model->graph->initializer[0]->name : "");
  onri_constant_release(constant);
  return status;
}

enum onr_status onr_tensor_proto_load(const char *path, const struct onr_allocator *allocator, struct onr_tensor *tensor, char *name,
                                      size_t name_size, struct onr_error *error) {
  struct onr_env env = {.allocator = allocator ? allocator : &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  struct onri_skeleton skeleton = {0};
  struct onri_sources *sources = NULL;
  struct onri_arena arena;
  unsigned char *bytes = NULL;
  size_t size = 0;
  enum onr_status status;
  *tensor = (struct onr_tensor){0};
  onri_arena_init(&arena, env.allocator, 0);
  status = read_wrapped(path, &env, &bytes, &size, error);
  if (status == ONR_STATUS_OK) status = onri_sources_create(env.allocator, &sources, error);
  if (status == ONR_STATUS_OK) status = onri_sources_set_memory(sources, bytes, size, NULL, error);
  if (status == ONR_STATUS_OK) status = onri_scan_model(&sources->main, &env.limits, env.allocator, &skeleton, error);
  if (status == ONR_STATUS_OK) {
    status = decode(&env, sources, &skeleton, &arena, tensor, name, name_size, error);
    onri_skeleton_clear(&skeleton);
  }
  onri_arena_clear(&arena);
  onri_sources_destroy(sources);
  onri_release(env.allocator, bytes);
  return status;
}

void onr_tensor_release(const struct onr_allocator *allocator, struct onr_tensor *tensor) {
  onri_release(allocator ? allocator : &onri_malloc_allocator, tensor->data);
  tensor->data = NULL;
}
