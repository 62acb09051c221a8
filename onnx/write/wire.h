/* wire.h: bytes of ONNX's protobuf messages, written into memory. Running out of it is noted, and asked for once. */
#ifndef ONRI_WIRE_H
#define ONRI_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory/memory.h"

struct onri_wire {
  const struct onr_allocator *allocator;
  unsigned char *bytes;
  size_t count, capacity;
  int failed; /* something did not fit into memory: the bytes are not whole */
};

void onri_wire_clear(struct onri_wire *wire);
void onri_wire_int(struct onri_wire *wire, int field, int64_t value);
void onri_wire_float(struct onri_wire *wire, int field, float value);
void onri_wire_bytes(struct onri_wire *wire, int field, const void *data, size_t bytes);
void onri_wire_text(struct onri_wire *wire, int field, const char *text);
/* A message inside the message: its fields come between these two. */
size_t onri_wire_begin(struct onri_wire *wire, int field);
void onri_wire_end(struct onri_wire *wire, size_t begin);
/* The head of a field whose `bytes` follow from elsewhere. */
void onri_wire_head(struct onri_wire *wire, int field, uint64_t bytes);
void onri_wire_append(struct onri_wire *wire, const void *data, size_t bytes);

#endif
