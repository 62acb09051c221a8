/* sequence.c: flat blocks of tensors, and what is read of handles in the same way. */
#include <string.h>

#include "base/container.h"
#include "base/numbers/checked.h"
#include "base/shape.h"

enum { DATA_ALIGNMENT = 64, FORMAT = 0x51455331 };

struct header {
  int64_t format, count;
};

struct entry {
  struct onr_desc desc;
  uint64_t offset; /* from the start of the block */
};

static size_t rounded(size_t bytes) { return (bytes + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT; }

static const struct onri_list *list_of(const struct onr_tensor *handle) {
  return ((const struct onri_handle *)handle->data)->list;
}

int64_t onr_sequence_length(const struct onr_tensor *sequence) {
  if (!sequence) return -1;
  const struct header *header = sequence->data;
  if (onri_is_handle(sequence)) return (int64_t)onri_list_length(list_of(sequence));
  const size_t bytes = onr_desc_bytes(&sequence->desc);
  if (!onri_dtype_is_block(sequence->desc.dtype)) return -1;
  if (!header || bytes < sizeof(*header) || header->format != FORMAT) return -1;
  if (header->count < 0 || (uint64_t)header->count > (bytes - sizeof(*header)) / sizeof(struct entry)) return -1;
  return header->count;
}

/* Does the entry lie inside a block of `bytes`, behind its table? */
static int is_inside(const struct entry *entry, size_t table, size_t bytes) {
  if (!onr_dtype_size(entry->desc.dtype) || entry->desc.rank < 0 || entry->desc.rank > ONR_MAX_RANK) return 0;
  for (int32_t d = 0; d < entry->desc.rank; d++)
    if (entry->desc.dim[d] < 0) return 0;
  return entry->offset % DATA_ALIGNMENT == 0 && entry->offset >= table && entry->offset <= bytes &&
         onr_desc_bytes(&entry->desc) <= bytes - entry->offset;
}

struct onr_tensor onr_sequence_entry(const struct onr_tensor *sequence, int64_t i) {
  const int64_t length = onr_sequence_length(sequence);
  if (i < 0 || i >= length) return (struct onr_tensor){0};
  if (onri_is_handle(sequence)) return onri_list_at(list_of(sequence), (size_t)i);
  char *block = sequence->data;
  const struct entry *entry = (const struct entry *)(const void *)(block + sizeof(struct header)) + i;
  const size_t table = sizeof(struct header) + (size_t)length * sizeof(*entry);
  if (!is_inside(entry, table, onr_desc_bytes(&sequence->desc))) return (struct onr_tensor){0};
  return (struct onr_tensor){entry->desc, block + entry->offset};
}

/* Entries of a block that is made: an array, or those of a handle. */
struct entries {
  const struct onr_tensor *values, *handle;
  int64_t count;
};

static struct onr_tensor value_at(const struct entries *entries, int64_t i) {
  return entries->values ? entries->values[i] : onr_sequence_entry(entries->handle, i);
}

/* Bytes of a block, saturated: so many entries, whose data takes `contents`, each rounded. */
static size_t block_bytes(size_t count, size_t contents) {
  size_t bytes;
  const int good = onri_mul_size(count, sizeof(struct entry), &bytes) &&
                   onri_add_size(bytes, sizeof(struct header) + DATA_ALIGNMENT, &bytes) &&
                   onri_add_size(bytes, contents, &bytes);
  return good && bytes < SIZE_MAX / 4 ? bytes : SIZE_MAX / 4;
}

size_t onri_flat_add(size_t contents, const struct onr_desc *flat) {
  const size_t data = onr_desc_bytes(flat);
  return data < SIZE_MAX / 4 && contents < SIZE_MAX / 4 - data - DATA_ALIGNMENT ? contents + rounded(data)
                                                                                : SIZE_MAX / 4;
}

static struct onr_desc desc_of(enum onr_dtype kind, size_t bytes) {
  return (struct onr_desc){.dtype = kind, .rank = 1, .dim = {bytes < SIZE_MAX / 4 ? (int64_t)bytes : INT64_MAX}};
}

static struct onr_desc block_desc(enum onr_dtype kind, const struct entries *entries) {
  size_t contents = 0;
  if (entries->handle)
    return desc_of(kind, block_bytes((size_t)entries->count, onri_list_flat_bytes(list_of(entries->handle))));
  for (int64_t i = 0; i < entries->count; i++) {
    const struct onr_desc flat = onri_flat_desc(&entries->values[i]);
    contents = onri_flat_add(contents, &flat);
  }
  return desc_of(kind, block_bytes((size_t)entries->count, contents));
}

/* What lies between the parts is zero, so that equal sequences are equal blocks. */
static void write_block(const struct entries *entries, void *memory) {
  char *block = memory;
  struct header *header = memory;
  struct entry *table = (struct entry *)(void *)(block + sizeof(*header));
  const size_t written = sizeof(*header) + (size_t)entries->count * sizeof(*table);
  const size_t total = (size_t)block_desc(ONR_DTYPE_SEQUENCE, entries).dim[0];
  size_t offset = rounded(written);
  *header = (struct header){FORMAT, entries->count};
  memset(block + written, 0, offset - written);
  for (int64_t i = 0; i < entries->count; i++) {
    const struct onr_tensor value = value_at(entries, i);
    const struct onr_desc flat = onri_flat_desc(&value);
    const size_t bytes = onr_desc_bytes(&flat);
    table[i] = (struct entry){flat, offset};
    onri_flat_write(&value, block + offset);
    memset(block + offset + bytes, 0, rounded(bytes) - bytes);
    offset += rounded(bytes);
  }
  memset(block + offset, 0, total - offset);
}

struct onr_desc onri_flat_desc(const struct onr_tensor *value) {
  const struct entries entries = {.handle = value, .count = onri_is_handle(value) ? onr_sequence_length(value) : 0};
  return onri_is_handle(value) ? block_desc(value->desc.dtype, &entries) : value->desc;
}

void onri_flat_write(const struct onr_tensor *value, void *memory) {
  const struct entries entries = {.handle = value, .count = onri_is_handle(value) ? onr_sequence_length(value) : 0};
  const size_t bytes = onr_desc_bytes(&value->desc);
  if (onri_is_handle(value)) write_block(&entries, memory);
  else if (bytes) memcpy(memory, value->data, bytes);
}

struct onr_desc onr_sequence_desc(enum onr_dtype kind, const struct onr_tensor *values, int64_t count) {
  const struct entries entries = {.values = values, .count = count};
  if (count < 0 || (!values && count)) return (struct onr_desc){0};
  return block_desc(kind, &entries);
}

void onr_sequence_write(const struct onr_tensor *values, int64_t count, void *memory) {
  const struct entries entries = {.values = values, .count = count};
  if (!memory || count < 0 || (!values && count)) return;
  write_block(&entries, memory);
}
