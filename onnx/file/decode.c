/* decode.c: a skeleton becomes the structs that protoc-c declares, by the table of the scan, in an arena. What the scan
 * lets through is well-formed, and messages in it are nested ONRI_SCAN_DEPTH deep at most; there is a stack of them, no
 * recursion. Each message is read twice: how many elements its lists have, then what they are. */
#include "onnx/file/decode.h"

#include <string.h>

#include "onnx/file/scan_table.h"
#include "onnx/file/varint.h"

/* A message that is being read. */
struct frame {
  const struct onri_message_rule *rule;
  char *target; /* its struct */
  size_t at, end;
};

struct decoder {
  const unsigned char *bytes;
  struct onri_arena *arena;
  size_t depth;
  struct frame frames[ONRI_SCAN_DEPTH];
};

struct field {
  const struct onri_field_rule *rule;
  int is_delimited;
  uint64_t value; /* of a single varint */
  size_t at, length;
};

static struct field next_field(const struct decoder *d, const struct frame *frame, size_t *at) {
  struct field f = {0};
  uint64_t tag = 0, length = 0;
  onri_varint_read(d->bytes, frame->end, at, &tag);
  const unsigned wire = (unsigned)(tag & 7);
  f.rule = onri_field_find(frame->rule, (uint32_t)(tag >> 3));
  f.is_delimited = wire == ONRI_WIRE_DELIMITED;
  if (wire == ONRI_WIRE_VARINT) onri_varint_read(d->bytes, frame->end, at, &f.value);
  else if (f.is_delimited) onri_varint_read(d->bytes, frame->end, at, &length);
  else length = wire == ONRI_WIRE_FIXED32 ? 4 : 8;
  f.at = *at;
  f.length = (size_t)length;
  *at += f.length;
  return f;
}

static int is_list(const struct onri_field_rule *rule) { return (rule->flags & ONRI_FIELD_REPEATED) != 0; }

/* Numbers that may be packed into one field. */
static int is_fixed(const struct onri_field_rule *rule) {
  return rule->kind == ONRI_FIELD_FIXED32 || (rule->kind == ONRI_FIELD_LIFTED && rule->packed_bytes);
}

static size_t count_elements(const struct decoder *d, const struct field *f) {
  size_t count = 0;
  if (is_fixed(f->rule)) return f->length / f->rule->width;
  if (f->rule->kind != ONRI_FIELD_VARINT || !f->is_delimited) return 1;
  for (size_t i = 0; i < f->length; i++) count += d->bytes[f->at + i] < 0x80;
  return count;
}

static size_t *count_of(const struct frame *frame, const struct onri_field_rule *rule) {
  return (size_t *)(void *)(frame->target + rule->count_at);
}

/* Makes the struct of the message and the arrays of its lists, which are empty so far; NULL: no memory. */
static char *open_message(struct decoder *d, enum onri_message_kind kind, size_t at, size_t length) {
  struct frame *frame = &d->frames[d->depth++];
  *frame = (struct frame){.rule = &onri_message_rules[kind], .at = at, .end = at + length};
  frame->target = onri_arena_allocate(d->arena, frame->rule->decoded_bytes);
  while (frame->target && at < frame->end) {
    const struct field f = next_field(d, frame, &at);
    if (f.rule && is_list(f.rule)) *count_of(frame, f.rule) += count_elements(d, &f);
  }
  for (size_t i = 0; frame->target && i < frame->rule->num_fields; i++) {
    const struct onri_field_rule *rule = &frame->rule->fields[i];
    size_t *count = is_list(rule) ? count_of(frame, rule) : NULL;
    if (!count || !*count) continue;
    void *elements = onri_arena_allocate(d->arena, *count * rule->width);
    if (!elements) return NULL;
    memcpy(frame->target + rule->at, &elements, sizeof(elements));
    *count = 0;
  }
  return frame->target;
}

/* Where the next element of the field goes. */
static char *take_place(const struct frame *frame, const struct onri_field_rule *rule, size_t count) {
  char *place = frame->target + rule->at;
  if (is_list(rule)) {
    size_t *all = count_of(frame, rule);
    char *first;
    memcpy(&first, place, sizeof(first));
    place = first + *all * rule->width;
    *all += count;
  } else if (rule->count_at) {
    *(protobuf_c_boolean *)(void *)(frame->target + rule->count_at) = 1;
  }
  return place;
}

static void put_number(char *place, size_t width, uint64_t value) {
  const uint32_t low = (uint32_t)value;
  if (width == sizeof(low)) memcpy(place, &low, sizeof(low));
  else memcpy(place, &value, sizeof(value));
}

static void put_varints(const struct decoder *d, const struct frame *frame, const struct field *f) {
  const size_t width = f->rule->width, end = f->at + f->length;
  char *place = take_place(frame, f->rule, count_elements(d, f));
  if (!f->is_delimited) {
    put_number(place, width, f->value);
    return;
  }
  for (size_t at = f->at; at < end; place += width) {
    uint64_t value;
    onri_varint_read(d->bytes, end, &at, &value);
    put_number(place, width, value);
  }
}

/* Text ends with a NUL; bytes have a length. */
static int put_bytes(struct decoder *d, const struct frame *frame, const struct field *f) {
  const int is_text = f->rule->kind == ONRI_FIELD_NAME;
  uint8_t *copy = is_text || f->length ? onri_arena_allocate(d->arena, f->length + (size_t)is_text) : NULL;
  if (!copy && (is_text || f->length)) return 0;
  if (f->length) memcpy(copy, d->bytes + f->at, f->length);
  const ProtobufCBinaryData bytes = {f->length, copy};
  char *place = take_place(frame, f->rule, 1);
  if (is_text) memcpy(place, &copy, sizeof(copy));
  else memcpy(place, &bytes, sizeof(bytes));
  return 1;
}

static int put_field(struct decoder *d, const struct frame *frame, const struct field *f) {
  if (is_list(f->rule) && !count_elements(d, f)) return 1; /* packed, and empty: there may be no array */
  if (f->rule->kind == ONRI_FIELD_VARINT) {
    put_varints(d, frame, f);
  } else if (is_fixed(f->rule)) {
    char *place = take_place(frame, f->rule, count_elements(d, f));
    if (f->length) memcpy(place, d->bytes + f->at, f->length);
  } else if (f->rule->kind == ONRI_FIELD_MESSAGE) {
    char *place = take_place(frame, f->rule, 1);
    const char *message = open_message(d, (enum onri_message_kind)f->rule->message, f->at, f->length);
    memcpy(place, &message, sizeof(message));
    return message != NULL;
  } else {
    return put_bytes(d, frame, f);
  }
  return 1;
}

/* Everything in the message on top of the stack. 0: no memory. */
static int run(struct decoder *d) {
  while (d->depth > 0) {
    struct frame *frame = &d->frames[d->depth - 1];
    if (frame->at == frame->end) {
      d->depth--;
      continue;
    }
    const struct field f = next_field(d, frame, &frame->at);
    if (f.rule && !put_field(d, frame, &f)) return 0;
  }
  return 1;
}

enum onr_status onri_decode_model(const struct onri_skeleton *skeleton, struct onri_arena *arena,
                                  const Onnx__ModelProto **model, struct onr_error *error) {
  struct decoder d = {.bytes = skeleton->bytes, .arena = arena};
  *model = (const Onnx__ModelProto *)(void *)open_message(&d, ONRI_MESSAGE_MODEL, 0, skeleton->size);
  if (*model && run(&d)) return ONR_STATUS_OK;
  *model = NULL;
  return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to decode %zu bytes", skeleton->size);
}
