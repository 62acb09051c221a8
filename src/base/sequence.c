/* sequence.c: flat blocks of tensors. */
#include "onnxrun/sequence.h"

#include <string.h>

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

int64_t onr_sequence_length(const struct onr_tensor *sequence) {
  if (!sequence) return -1;
  const struct header *header = sequence->data;
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
  char *block = sequence->data;
  const struct entry *entry = (const struct entry *)(const void *)(block + sizeof(struct header)) + i;
  const size_t table = sizeof(struct header) + (size_t)length * sizeof(*entry);
  if (!is_inside(entry, table, onr_desc_bytes(&sequence->desc))) return (struct onr_tensor){0};
  return (struct onr_tensor){entry->desc, block + entry->offset};
}

struct onr_desc onr_sequence_desc(enum onr_dtype kind, const struct onr_tensor *entries, int64_t count) {
  struct onr_desc desc = {.dtype = kind, .rank = 1};
  size_t bytes = 0, table;
  if (count < 0 || (!entries && count)) return (struct onr_desc){0};
  int good = onri_mul_size((size_t)count, sizeof(struct entry), &table) &&
             onri_add_size(table, sizeof(struct header) + DATA_ALIGNMENT, &bytes);
  for (int64_t i = 0; good && i < count; i++) {
    const size_t data = onr_desc_bytes(&entries[i].desc);
    good = data < SIZE_MAX / 2 && onri_add_size(bytes, rounded(data), &bytes);
  }
  desc.dim[0] = good && (uint64_t)bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX;
  return desc;
}

/* What lies between the parts is zero, so that equal sequences are equal blocks. */
void onr_sequence_write(const struct onr_tensor *entries, int64_t count, void *memory) {
  if (!memory || count < 0 || (!entries && count)) return;
  char *block = memory;
  struct header *header = memory;
  struct entry *table = (struct entry *)(void *)(block + sizeof(*header));
  const size_t written = sizeof(*header) + (size_t)count * sizeof(*table);
  const size_t total = (size_t)onr_sequence_desc(ONR_DTYPE_SEQUENCE, entries, count).dim[0];
  size_t offset = rounded(written);
  *header = (struct header){FORMAT, count};
  memset(block + written, 0, offset - written);
  for (int64_t i = 0; i < count; i++) {
    const size_t bytes = onr_desc_bytes(&entries[i].desc);
    table[i] = (struct entry){entries[i].desc, offset};
    if (bytes) memcpy(block + offset, entries[i].data, bytes);
    memset(block + offset + bytes, 0, rounded(bytes) - bytes);
    offset += rounded(bytes);
  }
  memset(block + offset, 0, total - offset);
}
