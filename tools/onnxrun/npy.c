/* npy.c: reading and writing of NumPy's arrays. */
#define _FILE_OFFSET_BITS 64
#include "npy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_HEADER = 65536, MOST_EMPTY_STRINGS = 65536, PIECE = 1 << 20 };

/* --- reading --- */

static int take(struct byte_stream *s, void *target, size_t bytes) {
  if (bytes > s->left || s->read(s->context, target, bytes) != bytes) return 0;
  if (s->left != UINT64_MAX) s->left -= bytes;
  return 1;
}

static int bad(const struct byte_stream *s, const char *why) {
  return complain(EXIT_USAGE, "%s: not a readable .npy: %s", s->where, why);
}

static int read_header(struct byte_stream *s, enum onr_dtype declared, struct npy_header *header) {
  unsigned char version[2], size[4] = {0};
  if (!take(s, version, 2)) return bad(s, "the header is cut off");
  if (version[0] < 1 || version[0] > 3 || version[1])
    return complain(EXIT_USAGE, "%s: not a readable .npy: version %d.%d, expected 1.0, 2.0 or 3.0", s->where,
                    version[0], version[1]);
  if (!take(s, size, version[0] == 1 ? 2 : 4)) return bad(s, "the header is cut off");
  const uint32_t length =
      (uint32_t)size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16 | (uint32_t)size[3] << 24;
  if (length > LONGEST_HEADER)
    return complain(EXIT_USAGE, "%s: not a readable .npy: a header of %lu bytes, at most %d are read", s->where,
                    (unsigned long)length, LONGEST_HEADER);
  char *text = malloc((size_t)length + 1);
  if (!text) return complain(EXIT_OTHER, "%s: no memory for its header", s->where);
  const int code = take(s, text, length) ? npy_header_parse(s->where, text, length, declared, header)
                                         : bad(s, "the header is cut off");
  free(text);
  return code;
}

/* Bytes of the data in the file. What they become is bounded too: strings take more than their characters. */
static int count_bytes(const struct byte_stream *s, const struct npy_header *h, size_t *bytes) {
  const uint64_t count = (uint64_t)onr_desc_elements(&h->desc);
  const uint64_t each = h->item_bytes + (h->desc.dtype == ONR_DTYPE_STRING ? sizeof(struct onr_string) : 0);
  char text[160];
  uint64_t total, all;
  if (__builtin_mul_overflow(count, (uint64_t)h->item_bytes, &total)) total = UINT64_MAX;
  if (__builtin_mul_overflow(count, each, &all)) all = UINT64_MAX;
  if (s->left != UINT64_MAX && total > s->left)
    return complain(EXIT_USAGE, "%s: cut off: expected %llu bytes of data for %s, found %llu", s->where,
                    (unsigned long long)total, onr_desc_format(&h->desc, text, sizeof(text)),
                    (unsigned long long)s->left);
  if (all > s->most || all > SIZE_MAX / 4)
    return complain(EXIT_OTHER, "%s: %s takes more than the limit tensor_bytes of %llu bytes", s->where,
                    onr_desc_format(&h->desc, text, sizeof(text)), (unsigned long long)s->most);
  if (h->desc.dtype == ONR_DTYPE_STRING && !h->item_bytes && count > MOST_EMPTY_STRINGS)
    return complain(EXIT_USAGE, "%s: %llu strings of no characters, more than %d", s->where, (unsigned long long)count,
                    MOST_EMPTY_STRINGS);
  *bytes = (size_t)total;
  return 0;
}

/* In pieces, so that no more is held than has been there. */
static int read_data(struct byte_stream *s, size_t bytes, void **data) {
  size_t held = 0, capacity = bytes < PIECE || s->left != UINT64_MAX ? bytes : PIECE;
  unsigned char *all = malloc(capacity + 1);
  while (all && held < bytes) {
    const size_t piece = capacity - held;
    if (!take(s, all + held, piece)) {
      free(all);
      return bad(s, "the data cannot be read to its end");
    }
    held += piece;
    if (held == bytes) break;
    capacity = capacity < bytes / 2 ? capacity * 2 : bytes;
    unsigned char *grown = realloc(all, capacity + 1);
    if (!grown) free(all);
    all = grown;
  }
  *data = all;
  return all ? 0 : complain(EXIT_OTHER, "%s: no memory for %zu bytes", s->where, bytes);
}

/* Booleans are 0 or 1; what stands for a type of fewer bits fits them. */
static int check_values(const struct byte_stream *s, const struct onr_tensor *tensor) {
  const int64_t count = onr_desc_elements(&tensor->desc);
  const int bits = npy_used_bits(tensor->desc.dtype);
  const int is_signed = tensor->desc.dtype == ONR_DTYPE_I4 || tensor->desc.dtype == ONR_DTYPE_I2;
  unsigned char *bytes = tensor->data;
  for (int64_t i = 0; tensor->desc.dtype == ONR_DTYPE_BOOL && i < count; i++) bytes[i] = bytes[i] != 0;
  for (int64_t i = 0; bits && i < count; i++) {
    const int value = is_signed ? (signed char)bytes[i] : bytes[i], least = is_signed ? -(1 << (bits - 1)) : 0;
    if (value < least || value >= least + (1 << bits))
      return complain(EXIT_USAGE, "%s: element %lld is %d, which is no %s", s->where, (long long)i, value,
                      onr_dtype_name(tensor->desc.dtype));
  }
  return 0;
}

int npy_read(struct byte_stream *s, enum onr_dtype declared, struct onr_tensor *tensor) {
  struct npy_header header;
  void *data = NULL;
  size_t bytes = 0;
  int code = read_header(s, declared, &header);
  if (!code) code = count_bytes(s, &header, &bytes);
  if (!code) code = read_data(s, bytes, &data);
  if (!code && !npy_to_native(&header, &data))
    code = complain(EXIT_OTHER, "%s: no memory for %zu bytes", s->where, bytes);
  if (!code && header.desc.dtype == ONR_DTYPE_STRING) {
    code = npy_text_read(s->where, &header, data, tensor);
    free(data);
    return code;
  }
  if (code) {
    free(data);
    return code;
  }
  *tensor = (struct onr_tensor){header.desc, data};
  return check_values(s, tensor);
}

/* --- writing --- */

/* What stands before the data. */
struct head {
  char text[512];
  size_t length, width; /* width: of strings, in characters */
  char letter;          /* of strings; 0: the tensor holds none */
};

static int make_head(const char *where, const struct onr_tensor *tensor, struct head *head) {
  *head = (struct head){.letter = 0};
  if (tensor->desc.dtype == ONR_DTYPE_STRING) head->letter = npy_text_type(tensor, &head->width);
  const int length = npy_header_format(&tensor->desc, head->letter, head->width, head->text, sizeof(head->text) - 64);
  if (length < 0)
    return complain(EXIT_OTHER, "%s: NumPy has no type for %s", where, onr_dtype_name(tensor->desc.dtype));
  head->length = (size_t)length;
  while ((NPY_MAGIC_BYTES + 4 + head->length + 1) % 64) head->text[head->length++] = ' ';
  head->text[head->length++] = '\n';
  return 0;
}

/* The stream knows whether it failed. */
static void write_all(FILE *file, const struct onr_tensor *tensor, const struct head *head) {
  const size_t bytes = onr_desc_bytes(&tensor->desc);
  const unsigned char start[4] = {1, 0, (unsigned char)(head->length & 255), (unsigned char)(head->length >> 8)};
  fwrite(NPY_MAGIC, 1, NPY_MAGIC_BYTES, file);
  fwrite(start, 1, sizeof(start), file);
  fwrite(head->text, 1, head->length, file);
  if (head->letter) npy_text_write(file, tensor, head->letter, head->width);
  else if (bytes) fwrite(tensor->data, 1, bytes, file);
}

int npy_put(FILE *file, const char *where, const struct onr_tensor *tensor) {
  struct head head;
  const int code = make_head(where, tensor, &head);
  if (!code) write_all(file, tensor, &head);
  return code;
}

int npy_write(const char *path, const struct onr_tensor *tensor) {
  struct head head;
  const int code = make_head(path, tensor, &head);
  if (code) return code;
  FILE *file = fopen(path, "wb");
  if (!file) return complain_file(path, "cannot be written");
  errno = 0;
  write_all(file, tensor, &head);
  const int failed = ferror(file);
  int reason = errno;
  if (!fclose(file) && !failed) return 0;
  if (!reason) reason = errno;
  return complain(EXIT_OTHER, "%s: cannot be written: %s", path, strerror(reason ? reason : EIO));
}
