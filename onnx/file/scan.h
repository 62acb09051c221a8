/* scan.h: the one pass over a model file that sees every length before anything is decoded. */
#ifndef ONRI_SCAN_H
#define ONRI_SCAN_H

#include "base/memory/memory.h"
#include "onnx/file/source.h"

/* Larger contents of tensors stay in the file. */
#define ONRI_LIFT_BYTES 1024

struct onri_span {
  uint64_t offset, bytes; /* within the source */
};

/* What is left of a file: a well-formed message of onnx.proto, small, with spans in place of large tensor contents. */
struct onri_skeleton {
  const struct onr_allocator *allocator;
  unsigned char *bytes;
  size_t size, capacity;
  struct onri_span *spans;
  size_t num_spans, spans_capacity;
  uint64_t decoded_bytes; /* upper bound of the memory that decoding it takes */
};

/* PARSE for what is no ONNX protobuf, LIMIT where `limits` (without zero entries) or the memory that decoding would
 * take is exceeded. Messages nest at most ONRI_SCAN_DEPTH deep. On
 * failure the skeleton is cleared. */
#define ONRI_SCAN_DEPTH 240
enum onr_status onri_scan_model(const struct onri_source *source, const struct onr_limits *limits,
                                const struct onr_allocator *allocator, struct onri_skeleton *skeleton,
                                struct onr_error *error);
void onri_skeleton_clear(struct onri_skeleton *skeleton);
/* What has been decoded is not needed any more; the spans stay. */
void onri_skeleton_drop_bytes(struct onri_skeleton *skeleton);

#endif
