#include "onnx/write/wire.h"

#include <string.h>

enum { VARINT = 0, DELIMITED = 2, FIXED32 = 5, LONGEST_VARINT = 10 };

void onri_wire_clear(struct onri_wire *wire) {
  onri_release(wire->allocator, wire->bytes);
  *wire = (struct onri_wire){.allocator = wire->allocator};
}

void onri_wire_append(struct onri_wire *wire, const void *data, size_t bytes) {
  if (wire->failed || !bytes) return;
  wire->failed = bytes > SIZE_MAX - wire->count ||
                 !onri_grow(wire->allocator, &wire->bytes, 1, &wire->capacity, wire->count + bytes);
  if (wire->failed) return;
  memcpy(wire->bytes + wire->count, data, bytes);
  wire->count += bytes;
}

static size_t encode(uint64_t value, unsigned char text[LONGEST_VARINT]) {
  size_t n = 0;
  for (; value >= 0x80; value >>= 7) text[n++] = (unsigned char)(value | 0x80);
  text[n++] = (unsigned char)value;
  return n;
}

static void put(struct onri_wire *wire, uint64_t value) {
  unsigned char text[LONGEST_VARINT];
  onri_wire_append(wire, text, encode(value, text));
}

static void tag(struct onri_wire *wire, int field, int type) { put(wire, (uint64_t)field << 3 | (uint64_t)type); }

void onri_wire_int(struct onri_wire *wire, int field, int64_t value) {
  tag(wire, field, VARINT);
  put(wire, (uint64_t)value);
}

void onri_wire_float(struct onri_wire *wire, int field, float value) {
  uint32_t bits;
  unsigned char text[4];
  memcpy(&bits, &value, sizeof(bits));
  for (int i = 0; i < 4; i++) text[i] = (unsigned char)(bits >> 8 * i);
  tag(wire, field, FIXED32);
  onri_wire_append(wire, text, sizeof(text));
}

void onri_wire_head(struct onri_wire *wire, int field, uint64_t bytes) {
  tag(wire, field, DELIMITED);
  put(wire, bytes);
}

void onri_wire_bytes(struct onri_wire *wire, int field, const void *data, size_t bytes) {
  onri_wire_head(wire, field, bytes);
  onri_wire_append(wire, data, bytes);
}

void onri_wire_text(struct onri_wire *wire, int field, const char *text) {
  onri_wire_bytes(wire, field, text, strlen(text));
}

size_t onri_wire_begin(struct onri_wire *wire, int field) {
  tag(wire, field, DELIMITED);
  return wire->count;
}

/* The length, which is known now, goes in front. */
void onri_wire_end(struct onri_wire *wire, size_t begin) {
  unsigned char text[LONGEST_VARINT];
  if (wire->failed) return;
  const size_t bytes = wire->count - begin, n = encode(bytes, text);
  onri_wire_append(wire, text, n); /* room */
  if (wire->failed) return;
  memmove(wire->bytes + begin + n, wire->bytes + begin, bytes);
  memcpy(wire->bytes + begin, text, n);
}
