/* varint.h: a number of protobuf's wire format, from memory. */
#ifndef ONRI_VARINT_H
#define ONRI_VARINT_H

#include <stddef.h>
#include <stdint.h>

enum { ONRI_WIRE_VARINT = 0, ONRI_WIRE_DELIMITED = 2, ONRI_WIRE_FIXED32 = 5 };

/* *at moves behind it. 0: it is cut off, or too long. */
static inline int onri_varint_read(const unsigned char *bytes, size_t count, size_t *at, uint64_t *value) {
  *value = 0;
  for (unsigned shift = 0; *at < count && shift < 64; shift += 7) {
    const unsigned char byte = bytes[(*at)++];
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return 1;
  }
  return 0;
}

#endif
