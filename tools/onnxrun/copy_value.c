/* copy_value.c: a value with all that it holds and points to, in one block of malloc'ed memory. */
#include <stdlib.h>
#include <string.h>

#include "onnxrun/sequence.h"
#include "onnxrun/tensor_file.h"
#include "tool.h"

/* Entries hold entries at most a few times: the library bounds it. */
static size_t text_bytes(const struct onr_tensor *value) {
  const struct onr_string *strings = value->data;
  const int64_t entries = onr_sequence_length(value);
  const int64_t count = value->desc.dtype == ONR_DTYPE_STRING ? onr_desc_elements(&value->desc) : 0;
  size_t bytes = 0;
  for (int64_t i = 0; i < entries; i++) {
    const struct onr_tensor entry = onr_sequence_entry(value, i);
    bytes += text_bytes(&entry);
  }
  for (int64_t i = 0; i < count; i++) bytes += strings[i].length;
  return bytes;
}

static void move_text(const struct onr_tensor *value, char **next) {
  struct onr_string *strings = value->data;
  const int64_t entries = onr_sequence_length(value);
  const int64_t count = value->desc.dtype == ONR_DTYPE_STRING ? onr_desc_elements(&value->desc) : 0;
  for (int64_t i = 0; i < entries; i++) {
    const struct onr_tensor entry = onr_sequence_entry(value, i);
    move_text(&entry, next);
  }
  for (int64_t i = 0; i < count; i++) {
    if (strings[i].length) memcpy(*next, strings[i].text, strings[i].length);
    strings[i].text = *next;
    *next += strings[i].length;
  }
}

static struct onr_tensor allocate(struct onr_desc desc, size_t text) {
  const size_t bytes = onr_desc_bytes(&desc);
  return (struct onr_tensor){desc, bytes < SIZE_MAX / 4 ? malloc(bytes + text + 1) : NULL};
}

int copy_entries(enum onr_dtype kind, const struct onr_tensor *entries, int64_t count, struct onr_tensor *copy) {
  size_t text = 0;
  for (int64_t i = 0; i < count; i++) text += text_bytes(&entries[i]);
  *copy = allocate(onr_sequence_desc(kind, entries, count), text);
  if (!copy->data) return 0;
  char *next = (char *)copy->data + onr_desc_bytes(&copy->desc);
  onr_sequence_write(entries, count, copy->data);
  move_text(copy, &next);
  return 1;
}

int copy_value(const struct onr_tensor *value, struct onr_tensor *copy) {
  const int64_t count = onr_sequence_length(value);
  if (count >= 0) {
    struct onr_tensor *entries = calloc((size_t)count + 1, sizeof(*entries));
    for (int64_t i = 0; entries && i < count; i++) entries[i] = onr_sequence_entry(value, i);
    const int done = entries && copy_entries(value->desc.dtype, entries, count, copy);
    free(entries);
    return done;
  }
  const size_t bytes = onr_desc_bytes(&value->desc);
  *copy = allocate(value->desc, text_bytes(value));
  if (!copy->data) return 0;
  char *next = (char *)copy->data + bytes;
  if (bytes) memcpy(copy->data, value->data, bytes);
  move_text(copy, &next);
  return 1;
}
