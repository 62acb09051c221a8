/* scan_read.c: large contents are skipped, so a window is only filled where the scan looks. */
#include "onnx/file/scan_read.h"

#include <string.h>

static enum onr_status fill(struct onri_reader *reader, struct onr_error *error) {
  const uint64_t left = reader->source->size - reader->position;
  const size_t bytes = left < ONRI_WINDOW_BYTES ? (size_t)left : ONRI_WINDOW_BYTES;
  reader->filled = 0;
  ONR_TRY(onri_source_read(reader->source, reader->position, bytes, reader->window, error));
  reader->start = reader->position;
  reader->filled = bytes;
  return ONR_STATUS_OK;
}

static int in_window(const struct onri_reader *reader) {
  return reader->position >= reader->start && reader->position - reader->start < reader->filled;
}

static enum onr_status next_byte(struct onri_reader *reader, unsigned char *byte, struct onr_error *error) {
  if (reader->source->data) {
    *byte = reader->source->data[reader->position++];
    return ONR_STATUS_OK;
  }
  if (!in_window(reader)) ONR_TRY(fill(reader, error));
  *byte = reader->window[reader->position++ - reader->start];
  return ONR_STATUS_OK;
}

enum onr_status onri_reader_varint(struct onri_reader *reader, uint64_t end, uint64_t *value, struct onr_error *error) {
  const uint64_t first = reader->position;
  uint64_t result = 0;
  for (unsigned shift = 0;; shift += 7) {
    unsigned char byte;
    if (reader->position >= end)
      return onr_fail(error, ONR_STATUS_PARSE, "byte %llu: a number is cut off", (unsigned long long)first);
    ONR_TRY(next_byte(reader, &byte, error));
    if (shift == 63 && byte > 1)
      return onr_fail(error, ONR_STATUS_PARSE, "byte %llu: a number of more than 64 bits", (unsigned long long)first);
    result |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) break;
  }
  *value = result;
  return ONR_STATUS_OK;
}

enum onr_status onri_reader_bytes(struct onri_reader *reader, size_t bytes, void *target, struct onr_error *error) {
  unsigned char *to = target;
  if (reader->source->data || bytes > ONRI_WINDOW_BYTES) {
    ONR_TRY(onri_source_read(reader->source, reader->position, bytes, target, error));
    reader->position += bytes;
    return ONR_STATUS_OK;
  }
  while (bytes > 0) {
    size_t here;
    if (!in_window(reader)) ONR_TRY(fill(reader, error));
    here = reader->filled - (size_t)(reader->position - reader->start);
    if (here > bytes) here = bytes;
    memcpy(to, reader->window + (reader->position - reader->start), here);
    to += here;
    reader->position += here;
    bytes -= here;
  }
  return ONR_STATUS_OK;
}
