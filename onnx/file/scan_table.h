/* scan_table.h: what the scan does with each field of each message, and where decoding puts it. */
#ifndef ONRI_SCAN_TABLE_H
#define ONRI_SCAN_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum onri_field_kind {
  ONRI_FIELD_UNKNOWN = 0, /* not in the table: dropped and counted */
  ONRI_FIELD_DROPPED,     /* part of ONNX, but nobody reads it */
  ONRI_FIELD_VARINT,
  ONRI_FIELD_FIXED32,
  ONRI_FIELD_NAME, /* UTF-8 without NUL, at most limits.name_bytes */
  ONRI_FIELD_BYTES,
  ONRI_FIELD_PRESENCE, /* length-delimited; its contents are dropped */
  ONRI_FIELD_LIFTED,   /* bytes, or packed fixed-size numbers: left in the file when large */
  ONRI_FIELD_MESSAGE
};

enum onri_field_flags {
  ONRI_FIELD_REPEATED = 1,
  ONRI_FIELD_RANK = 2, /* one entry a dimension: a few at most */
  ONRI_FIELD_NODE = 4  /* counts against limits.nodes */
};

struct onri_field_rule {
  uint16_t number;
  uint16_t at,
      count_at;        /* in the struct: the field, and whether it is there, or how many of it; 0: its pointer tells */
  uint16_t span_field; /* LIFTED: the field that holds the span's index */
  uint8_t kind, flags;
  uint8_t message;      /* MESSAGE: an enum onri_message_kind */
  uint8_t packed_bytes; /* LIFTED numbers: 4 or 8; 0: plain bytes */
  uint8_t width;        /* bytes of one element in the struct, or in the array that it points to */
};

enum onri_message_kind {
  ONRI_MESSAGE_MODEL,
  ONRI_MESSAGE_OPSET,
  ONRI_MESSAGE_GRAPH,
  ONRI_MESSAGE_NODE,
  ONRI_MESSAGE_ATTRIBUTE,
  ONRI_MESSAGE_FUNCTION,
  ONRI_MESSAGE_VALUE,
  ONRI_MESSAGE_TYPE,
  ONRI_MESSAGE_TENSOR_TYPE,
  ONRI_MESSAGE_SHAPE,
  ONRI_MESSAGE_DIMENSION,
  ONRI_MESSAGE_TENSOR,
  ONRI_MESSAGE_SPARSE,
  ONRI_MESSAGE_ENTRY,
  ONRI_MESSAGE_METADATA,
  ONRI_MESSAGE_SEQUENCE,
  ONRI_MESSAGE_MAP,
  ONRI_MESSAGE_OPTIONAL,
  ONRI_NUM_MESSAGES
};

enum { ONRI_MAX_FIELD = 32 }; /* numbers of fields in files are below */

struct onri_message_rule {
  const char *name;
  const struct onri_field_rule *fields; /* sorted by number */
  uint16_t num_fields;
  uint16_t decoded_bytes; /* of the struct */
};

extern const struct onri_message_rule onri_message_rules[ONRI_NUM_MESSAGES];

/* NULL: there is none of this number. */
const struct onri_field_rule *onri_field_find(const struct onri_message_rule *rule, uint32_t number);

/* Metadata of nodes and graphs that is kept: where they came from. */
int onri_metadata_wanted(const char *key, size_t length);

#endif
