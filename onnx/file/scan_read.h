/* scan_read.h: a window on a source, from which the scan takes varints and bytes. */
#ifndef ONRI_SCAN_READ_H
#define ONRI_SCAN_READ_H

#include "onnx/file/source.h"

enum { ONRI_WINDOW_BYTES = 64 * 1024 };

struct onri_reader {
  const struct onri_source *source;
  unsigned char *window; /* ONRI_WINDOW_BYTES; contents of the source from `start` on. Not used for memory */
  uint64_t start;
  size_t filled;
  uint64_t position;
};

/* One varint within [position, end). PARSE when it is cut off or longer than ten bytes. */
enum onr_status onri_reader_varint(struct onri_reader *reader, uint64_t end, uint64_t *value, struct onr_error *error);
/* The next bytes, which must lie within the source; position moves behind them. */
enum onr_status onri_reader_bytes(struct onri_reader *reader, size_t bytes, void *target, struct onr_error *error);

#endif
