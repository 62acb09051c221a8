/* value_file.c: one TensorProto, MapProto, SequenceProto or OptionalProto in a file. It is read as a model that holds
 * nothing else, so that the scan and the decoder of models check it. */
#include <stdio.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/shape.h"
#include "base/sized.h"
#include "onnx/file/decode.h"
#include "onnx/file/file_kind.h"
#include "onnxrun/sequence.h"
#include "onnxrun/tensor_file.h"

enum {
  GRAPH_FIELD = 7,
  TENSOR_FIELD = 5,
  MAP_FIELD = 29,
  SEQUENCE_FIELD = 30,
  OPTIONAL_FIELD = 31,
  LENGTH_DELIMITED = 2,
  PREFIX_BYTES = 24
};

static size_t write_varint(unsigned char *target, uint64_t value) {
  size_t n = 0;
  for (; value >= 128; value >>= 7) target[n++] = (unsigned char)(value | 128);
  target[n++] = (unsigned char)value;
  return n;
}

static size_t write_field(unsigned char *target, uint64_t field, uint64_t bytes) {
  const size_t n = write_varint(target, field << 3 | LENGTH_DELIMITED);
  return n + write_varint(target + n, bytes);
}

/* What stands before the file's bytes so that they become: model { graph { value } }. */
static size_t write_prefix(unsigned char prefix[PREFIX_BYTES], enum onr_dtype kind, uint64_t bytes) {
  const uint64_t field = kind == ONR_DTYPE_SEQUENCE   ? SEQUENCE_FIELD
                         : kind == ONR_DTYPE_OPTIONAL ? OPTIONAL_FIELD
                         : kind == ONR_DTYPE_MAP      ? MAP_FIELD
                                                      : TENSOR_FIELD;
  unsigned char inner[PREFIX_BYTES];
  const size_t inner_bytes = write_field(inner, field, bytes),
               n = write_field(prefix, GRAPH_FIELD, inner_bytes + bytes);
  memcpy(prefix + n, inner, inner_bytes);
  return n + inner_bytes;
}

/* own: where the file's own bytes begin. */
static enum onr_status read_wrapped(const char *path, enum onr_dtype kind, const struct onr_env *env,
                                    unsigned char **bytes, size_t *size, size_t *own, struct onr_error *error) {
  unsigned char prefix[PREFIX_BYTES];
  struct onri_source source;
  enum onr_status status;
  size_t n;
  *bytes = NULL;
  ONR_TRY(onri_source_open(path, &source, error));
  n = *own = write_prefix(prefix, kind, source.size);
  if (source.size > env->limits.tensor_bytes) {
    status = onr_fail(error, ONR_STATUS_LIMIT, "the file is larger than the limit tensor_bytes");
  } else {
    *size = n + (size_t)source.size;
    *bytes = onri_allocate(env->allocator, *size);
    status = *bytes ? onri_source_read(&source, 0, (size_t)source.size, *bytes + n, error)
                    : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a file of %llu bytes",
                               (unsigned long long)source.size);
  }
  if (*bytes) memcpy(*bytes, prefix, n);
  onri_source_close(&source);
  return status;
}

/* --- decoding, into memory of an arena --- */

struct reader {
  struct onri_tensor_decoder decoder;
  struct onri_arena *arena;
  struct onr_error *error;
};

static enum onr_status read_sequence(const struct reader *r, const Onnx__SequenceProto *proto,
                                     struct onr_tensor *value);

static enum onr_status no_memory(const struct reader *r) {
  return onr_fail(r->error, ONR_STATUS_NO_MEMORY, "no memory for a value");
}

static enum onr_status read_tensor(const struct reader *r, const Onnx__TensorProto *proto, struct onr_tensor *value) {
  struct onri_constant *constant;
  enum onr_status status;
  ONR_TRY(onri_tensor_decode(&r->decoder, proto, &constant, r->error));
  status = onri_constant_load(constant, r->error);
  if (status == ONR_STATUS_OK) {
    *value =
        (struct onr_tensor){constant->desc, onri_arena_copy(r->arena, constant->data, onr_desc_bytes(&constant->desc))};
    if (!value->data) status = no_memory(r);
  }
  onri_constant_release(constant);
  return status;
}

static enum onr_status write_block(const struct reader *r, enum onr_dtype kind, const struct onr_tensor *entries,
                                   int64_t count, struct onr_tensor *value) {
  value->desc = onr_sequence_desc(kind, entries, count);
  value->data = onri_arena_allocate(r->arena, onr_desc_bytes(&value->desc));
  if (!value->data) return no_memory(r);
  onr_sequence_write(entries, count, value->data);
  return ONR_STATUS_OK;
}

/* Depth is that of messages in the file, which the scan has bounded. */
static enum onr_status read_optional(const struct reader *r, const Onnx__OptionalProto *proto,
                                     struct onr_tensor *value) {
  struct onr_tensor entry;
  if (proto->tensor_value) ONR_TRY(read_tensor(r, proto->tensor_value, &entry));
  else if (proto->sequence_value) ONR_TRY(read_sequence(r, proto->sequence_value, &entry));
  else if (proto->optional_value) ONR_TRY(read_optional(r, proto->optional_value, &entry));
  else return write_block(r, ONR_DTYPE_OPTIONAL, NULL, 0, value);
  return write_block(r, ONR_DTYPE_OPTIONAL, &entry, 1, value);
}

/* The file has a tensor of one value for each key; a map has one tensor of all. */
static enum onr_status read_map_values(const struct reader *r, const Onnx__SequenceProto *proto, size_t count,
                                       struct onr_tensor *values) {
  *values = (struct onr_tensor){onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){(int64_t)count}), NULL};
  if ((proto ? proto->n_tensor_values : 0) != count)
    return onr_fail(r->error, ONR_STATUS_DATA, "a map has %zu keys, but not as many values", count);
  for (size_t i = 0; i < count; i++) {
    struct onr_tensor value;
    ONR_TRY(read_tensor(r, proto->tensor_values[i], &value));
    const size_t size = onr_dtype_size(value.desc.dtype);
    if (i == 0) {
      values->desc.dtype = value.desc.dtype;
      values->data = onri_arena_allocate(r->arena, onr_desc_bytes(&values->desc));
      if (!values->data) return no_memory(r);
    }
    if (onr_desc_elements(&value.desc) != 1 || value.desc.dtype != values->desc.dtype)
      return onr_fail(r->error, ONR_STATUS_DATA, "value %zu of a map: expected one %s", i,
                      onr_dtype_name(values->desc.dtype));
    memcpy((char *)values->data + i * size, value.data, size);
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_map(const struct reader *r, const Onnx__MapProto *proto, struct onr_tensor *value) {
  const int strings = proto->n_string_keys > 0;
  const size_t count = strings ? proto->n_string_keys : proto->n_keys;
  struct onr_string *texts = onri_arena_allocate(r->arena, proto->n_string_keys * sizeof(*texts));
  struct onr_tensor entries[2] = {
      {onr_desc_make(strings ? ONR_DTYPE_STRING : ONR_DTYPE_I64, 1, (int64_t[]){(int64_t)count}),
       strings ? (void *)texts : (void *)proto->keys}};
  if (!texts) return no_memory(r);
  if (strings && proto->n_keys > 0)
    return onr_fail(r->error, ONR_STATUS_DATA, "a map has keys that are numbers and keys that are strings");
  for (size_t i = 0; i < proto->n_string_keys; i++)
    texts[i] = (struct onr_string){(const char *)proto->string_keys[i].data, proto->string_keys[i].len};
  ONR_TRY(read_map_values(r, proto->values, count, &entries[1]));
  return write_block(r, ONR_DTYPE_MAP, entries, 2, value);
}

static enum onr_status read_sequence(const struct reader *r, const Onnx__SequenceProto *proto,
                                     struct onr_tensor *value) {
  const size_t total =
      proto->n_tensor_values + proto->n_sequence_values + proto->n_map_values + proto->n_optional_values;
  struct onr_tensor *entries = onri_arena_allocate(r->arena, total * sizeof(*entries));
  size_t n = 0;
  if (!entries) return no_memory(r);
  for (size_t i = 0; i < proto->n_tensor_values; i++) ONR_TRY(read_tensor(r, proto->tensor_values[i], &entries[n++]));
  for (size_t i = 0; i < proto->n_sequence_values; i++)
    ONR_TRY(read_sequence(r, proto->sequence_values[i], &entries[n++]));
  for (size_t i = 0; i < proto->n_map_values; i++) ONR_TRY(read_map(r, proto->map_values[i], &entries[n++]));
  for (size_t i = 0; i < proto->n_optional_values; i++)
    ONR_TRY(read_optional(r, proto->optional_values[i], &entries[n++]));
  return write_block(r, ONR_DTYPE_SEQUENCE, entries, (int64_t)total, value);
}

static enum onr_status read_value(const struct reader *r, enum onr_dtype kind, const Onnx__GraphProto *graph,
                                  struct onr_tensor *value, const char **name) {
  if (kind == ONR_DTYPE_SEQUENCE && graph && graph->sequence_file) {
    *name = graph->sequence_file->name;
    return read_sequence(r, graph->sequence_file, value);
  }
  if (kind == ONR_DTYPE_MAP && graph && graph->map_file) {
    *name = graph->map_file->name;
    return read_map(r, graph->map_file, value);
  }
  if (kind == ONR_DTYPE_OPTIONAL && graph && graph->optional_file) {
    *name = graph->optional_file->name;
    return read_optional(r, graph->optional_file, value);
  }
  if (onri_dtype_is_block(kind) || !graph || graph->n_initializer != 1)
    return onr_fail(r->error, ONR_STATUS_PARSE, "the file does not hold the expected value");
  *name = graph->initializer[0]->name;
  return read_tensor(r, graph->initializer[0], value);
}

/* --- handing out: one block, texts of strings at its end --- */

/* Bytes of all texts; with `cursor` they are copied there and the strings point to the copies. */
static size_t gather_texts(struct onr_tensor *value, char **cursor) {
  const int64_t count =
      value->desc.dtype == ONR_DTYPE_STRING ? onr_desc_elements(&value->desc) : onr_sequence_length(value);
  size_t total = 0;
  for (int64_t i = 0; i < count; i++) {
    if (value->desc.dtype != ONR_DTYPE_STRING) {
      struct onr_tensor entry = onr_sequence_entry(value, i);
      total += gather_texts(&entry, cursor);
      continue;
    }
    struct onr_string *string = (struct onr_string *)value->data + i;
    total += string->length;
    if (!cursor) continue;
    if (string->length) memcpy(*cursor, string->text, string->length);
    string->text = *cursor;
    *cursor += string->length;
  }
  return total;
}

static enum onr_status copy_out(const struct onr_env *env, struct onr_tensor *value, struct onr_tensor *result,
                                struct onr_error *error) {
  const size_t bytes = onr_desc_bytes(&value->desc), texts = gather_texts(value, NULL);
  size_t total;
  char *copy = onri_add_size(bytes, texts, &total) ? onri_allocate(env->allocator, total) : NULL;
  if (!copy) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a value of %zu bytes", bytes);
  char *cursor = copy + bytes;
  if (bytes) memcpy(copy, value->data, bytes);
  *result = (struct onr_tensor){value->desc, copy};
  gather_texts(result, &cursor);
  return ONR_STATUS_OK;
}

static enum onr_status decode(struct onr_env *env, struct onri_sources *sources, const struct onri_skeleton *skeleton,
                              enum onr_dtype kind, struct onr_tensor *tensor, char *name, size_t name_size,
                              struct onr_error *error) {
  struct onri_arena arena;
  const struct reader r = {
      {.env = env, .sources = sources, .spans = skeleton->spans, .num_spans = skeleton->num_spans}, &arena, error};
  const Onnx__ModelProto *model;
  struct onr_tensor value;
  const char *own_name = NULL;
  enum onr_status status;
  onri_arena_init(&arena, env->allocator, (size_t)env->limits.total_bytes);
  status = onri_decode_model(skeleton, &arena, &model, error);
  if (status == ONR_STATUS_OK) status = read_value(&r, kind, model->graph, &value, &own_name);
  if (status == ONR_STATUS_OK) status = copy_out(env, &value, tensor, error);
  if (status == ONR_STATUS_OK && name && name_size) snprintf(name, name_size, "%s", own_name ? own_name : "");
  onri_arena_clear(&arena);
  return status;
}

enum onr_status onr_tensor_file_load(const char *path, enum onr_dtype kind,
                                     const struct onr_tensor_file_options *options, struct onr_tensor *tensor,
                                     char *name, size_t name_size, struct onr_error *error) {
  struct onr_tensor_file_options known;
  struct onr_limits limits;
  struct onr_env env = {.allocator = NULL};
  struct onri_skeleton skeleton = {0};
  struct onri_sources *sources = NULL;
  unsigned char *bytes = NULL;
  size_t size = 0, own = 0;
  enum onr_status status;
  if (!path || !tensor) return onr_fail(error, ONR_STATUS_ARGUMENT, "path and tensor must not be NULL");
  *tensor = (struct onr_tensor){0};
  ONR_TRY(ONRI_SIZED_READ(&known, options, onr_tensor_file_options, error));
  ONR_TRY(ONRI_SIZED_READ(&limits, known.limits, onr_limits, error));
  ONR_TRY(onri_allocator_choose(known.allocator, &env.allocator, error));
  env.limits = onri_limits_resolve(&limits);
  status = read_wrapped(path, kind, &env, &bytes, &size, &own, error);
  if (status == ONR_STATUS_OK) status = onri_sources_create(env.allocator, &sources, error);
  if (status == ONR_STATUS_OK) status = onri_sources_set_memory(sources, bytes, size, NULL, error);
  if (status == ONR_STATUS_OK) status = onri_scan_model(&sources->main, &env.limits, env.allocator, &skeleton, error);
  if (status == ONR_STATUS_OK) {
    status = decode(&env, sources, &skeleton, kind, tensor, name, name_size, error);
    onri_skeleton_clear(&skeleton);
  }
  onri_sources_destroy(sources);
  if (status != ONR_STATUS_OK && bytes) {
    const struct onri_source file = onri_source_memory(bytes + own, size - own);
    status = onri_file_kind_blame(&file, env.allocator, path, "value of ONNX (TensorProto ...)", status, error);
  }
  onri_release(env.allocator, bytes);
  return status;
}

void onr_tensor_release(const struct onr_allocator *allocator, struct onr_tensor *tensor) {
  if (!tensor || !tensor->data || onri_allocator_choose(allocator, &allocator, NULL) != ONR_STATUS_OK) return;
  onri_release(allocator, tensor->data);
  tensor->data = NULL;
}
