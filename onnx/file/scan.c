/* scan.c: the one pass that doubts everything: lengths, depth, counts, text. It copies what is worth decoding into a
 * skeleton, of which decode.c makes structs without a further question. */
#include "onnx/file/scan.h"

#include <string.h>

#include "base/text/text.h"
#include "onnx/file/scan_read.h"
#include "onnx/file/scan_table.h"

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 };

enum {
  LENGTH_BYTES = 5,         /* sub-messages get a length of fixed size, known only at their end */
  MAX_RANK_ENTRIES = 64,    /* far above what is accepted later, far below what hurts */
  MEMBER_BYTES = 8,         /* an element of a list */
  DECODED_SLACK = 32 << 20, /* decoding may take this, and */
  DECODED_FACTOR = 32,      /* this many bytes for each byte of the file that is not lifted */
  UNKNOWN_SLACK = 10000,    /* unknown fields: this many, and */
  UNKNOWN_FACTOR = 4        /* this many for each message */
};

struct frame {
  const struct onri_message_rule *rule;
  uint64_t end;  /* in the source */
  size_t tag;    /* in the skeleton, where the message's own tag is */
  size_t body;   /* in the skeleton, behind the length */
  uint32_t seen; /* field numbers */
  uint32_t lifted;
  uint32_t dims;
  uint64_t decoded_before;
  size_t key, key_bytes; /* in the skeleton: the last NAME with number 1 */
};

struct scan {
  struct onri_reader reader;
  const struct onr_limits *limits;
  struct onri_skeleton *skeleton;
  struct onr_error *error;
  struct frame frames[ONRI_SCAN_DEPTH];
  size_t depth, max_depth;
  uint64_t nodes, messages, unknown, lifted_bytes;
};

/* One field of the message on top. */
struct field {
  uint64_t position; /* of its tag */
  uint32_t number;
  unsigned wire;
  struct onri_field_rule rule;
  uint64_t length; /* WIRE_LENGTH */
};

static struct frame *top(struct scan *s) { return &s->frames[s->depth - 1]; }

#define FAIL_AT(s, f, status, ...) fail_at(s, f, onr_fail((s)->error, status, __VA_ARGS__))

/* Puts the place before the message. */
static enum onr_status fail_at(struct scan *s, const struct field *f, enum onr_status status) {
  char reason[256];
  if (!s->error) return status;
  memcpy(reason, s->error->message, sizeof(reason) - 1);
  reason[sizeof(reason) - 1] = '\0';
  return onr_fail(s->error, status, "byte %llu, field %u of %s: %s", (unsigned long long)f->position,
                  (unsigned)f->number, top(s)->rule->name, reason);
}

/* --- writing the skeleton --- */

static enum onr_status reserve(struct scan *s, size_t bytes, unsigned char **target) {
  struct onri_skeleton *k = s->skeleton;
  const uint64_t most = s->limits->file_bytes < INT32_MAX ? s->limits->file_bytes : INT32_MAX;
  if (bytes > most || k->size > most - bytes)
    return onr_fail(s->error, ONR_STATUS_LIMIT, "without tensor data the file has more than %llu bytes (file_bytes)",
                    (unsigned long long)most);
  if (!onri_grow(k->allocator, &k->bytes, 1, &k->capacity, k->size + bytes))
    return onr_fail(s->error, ONR_STATUS_NO_MEMORY, "no memory for %zu bytes of the file", k->size + bytes);
  *target = k->bytes + k->size;
  k->size += bytes;
  return ONR_STATUS_OK;
}

static size_t encode(uint64_t value, unsigned char target[10]) {
  size_t n = 0;
  for (; value > 0x7F; value >>= 7) target[n++] = (unsigned char)(value | 0x80);
  target[n++] = (unsigned char)value;
  return n;
}

static enum onr_status put_varint(struct scan *s, uint64_t value) {
  unsigned char text[10], *target;
  const size_t n = encode(value, text);
  ONR_TRY(reserve(s, n, &target));
  memcpy(target, text, n);
  return ONR_STATUS_OK;
}

static enum onr_status put_tag(struct scan *s, uint32_t number, enum wire wire) {
  return put_varint(s, (uint64_t)number << 3 | (uint64_t)wire);
}

static void patch_length(unsigned char *target, size_t length) {
  for (size_t i = 0; i < LENGTH_BYTES; i++, length >>= 7)
    target[i] = (unsigned char)((length & 0x7F) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}

/* --- counting --- */

static enum onr_status count_decoded(struct scan *s, const struct field *f, uint64_t bytes) {
  const uint64_t seen = s->reader.position - s->lifted_bytes;
  s->skeleton->decoded_bytes += bytes;
  if (s->skeleton->decoded_bytes / DECODED_FACTOR <= DECODED_SLACK / DECODED_FACTOR + seen) return ONR_STATUS_OK;
  return FAIL_AT(s, f, ONR_STATUS_LIMIT, "the first %llu bytes of the file would take more than %llu bytes of memory",
                 (unsigned long long)seen, (unsigned long long)s->skeleton->decoded_bytes);
}

static enum onr_status count_member(struct scan *s, const struct field *f) {
  struct frame *frame = top(s);
  if (f->rule.flags & ONRI_FIELD_RANK && ++frame->dims > MAX_RANK_ENTRIES)
    return FAIL_AT(s, f, ONR_STATUS_LIMIT, "a shape of more than %d dimensions", MAX_RANK_ENTRIES);
  if (f->rule.flags & ONRI_FIELD_NODE && ++s->nodes > s->limits->nodes)
    return FAIL_AT(s, f, ONR_STATUS_LIMIT, "more than %llu nodes (nodes)", (unsigned long long)s->limits->nodes);
  return count_decoded(s, f, MEMBER_BYTES);
}

/* --- fields --- */

static enum onr_status skip(struct scan *s, const struct field *f) {
  uint64_t ignored;
  switch (f->wire) {
    case WIRE_VARINT: return onri_reader_varint(&s->reader, top(s)->end, &ignored, s->error);
    case WIRE_FIXED64: s->reader.position += 8; return ONR_STATUS_OK;
    case WIRE_FIXED32: s->reader.position += 4; return ONR_STATUS_OK;
    default: s->reader.position += f->length; return ONR_STATUS_OK;
  }
}

static enum onr_status copy_varint(struct scan *s, const struct field *f) {
  uint64_t value;
  ONR_TRY(onri_reader_varint(&s->reader, top(s)->end, &value, s->error));
  ONR_TRY(put_tag(s, f->number, WIRE_VARINT));
  return put_varint(s, value);
}

/* Tag, length and contents. */
static enum onr_status copy_bytes(struct scan *s, const struct field *f, size_t *start) {
  unsigned char *target;
  if (f->length > SIZE_MAX / 2) return FAIL_AT(s, f, ONR_STATUS_LIMIT, "too long for this machine's memory");
  ONR_TRY(put_tag(s, f->number, WIRE_LENGTH));
  ONR_TRY(put_varint(s, f->length));
  *start = s->skeleton->size;
  ONR_TRY(reserve(s, (size_t)f->length, &target));
  ONR_TRY(onri_reader_bytes(&s->reader, (size_t)f->length, target, s->error));
  return count_decoded(s, f, f->length + 32); /* with a NUL and a pointer, rounded */
}

/* Numbers packed into one field: as many as varints end. */
static enum onr_status copy_packed_varints(struct scan *s, const struct field *f) {
  uint64_t count = 0;
  size_t start, run = 0;
  ONR_TRY(copy_bytes(s, f, &start));
  for (size_t i = start; i < s->skeleton->size; i++) {
    run++;
    if (run == 10 && s->skeleton->bytes[i] > 1) return FAIL_AT(s, f, ONR_STATUS_PARSE, "a number of more than 64 bits");
    if (s->skeleton->bytes[i] < 0x80) {
      count++;
      run = 0;
    }
  }
  if (run) return FAIL_AT(s, f, ONR_STATUS_PARSE, "a number is cut off");
  if (f->rule.flags & ONRI_FIELD_RANK && count + top(s)->dims > MAX_RANK_ENTRIES)
    return FAIL_AT(s, f, ONR_STATUS_LIMIT, "a shape of %llu dimensions", (unsigned long long)(count + top(s)->dims));
  top(s)->dims += (uint32_t)(f->rule.flags & ONRI_FIELD_RANK ? count : 0);
  return count_decoded(s, f, 8 * count);
}

static enum onr_status copy_fixed(struct scan *s, const struct field *f, size_t bytes) {
  unsigned char *target;
  ONR_TRY(put_tag(s, f->number, (enum wire)f->wire));
  ONR_TRY(reserve(s, bytes, &target));
  ONR_TRY(onri_reader_bytes(&s->reader, bytes, target, s->error));
  return count_decoded(s, f, bytes);
}

static enum onr_status copy_packed_fixed(struct scan *s, const struct field *f, size_t bytes) {
  size_t start;
  if (f->length % bytes)
    return FAIL_AT(s, f, ONR_STATUS_PARSE, "%llu bytes are no whole number of %zu-byte values",
                   (unsigned long long)f->length, bytes);
  return copy_bytes(s, f, &start);
}

static enum onr_status copy_name(struct scan *s, const struct field *f) {
  size_t start, i = 0;
  const unsigned char *text;
  if (f->length > s->limits->name_bytes)
    return FAIL_AT(s, f, ONR_STATUS_LIMIT, "a name of %llu bytes, the limit is %llu (name_bytes)",
                   (unsigned long long)f->length, (unsigned long long)s->limits->name_bytes);
  ONR_TRY(copy_bytes(s, f, &start));
  text = s->skeleton->bytes + start;
  while (i < f->length) {
    const size_t n = onri_utf8_sequence(text + i, (size_t)f->length - i);
    if (!n) return FAIL_AT(s, f, ONR_STATUS_PARSE, "a name that is not UTF-8");
    if (!text[i]) return FAIL_AT(s, f, ONR_STATUS_PARSE, "a name with a NUL byte inside");
    i += n;
  }
  if (f->number == 1) {
    top(s)->key = start;
    top(s)->key_bytes = (size_t)f->length;
  }
  return ONR_STATUS_OK;
}

static enum onr_status put_span(struct scan *s, const struct field *f) {
  struct onri_skeleton *k = s->skeleton;
  if (!onri_grow(k->allocator, &k->spans, sizeof(*k->spans), &k->spans_capacity, k->num_spans + 1))
    return onr_fail(s->error, ONR_STATUS_NO_MEMORY, "no memory for a tensor of the file");
  k->spans[k->num_spans] = (struct onri_span){.offset = s->reader.position, .bytes = f->length};
  ONR_TRY(put_tag(s, f->rule.span_field, WIRE_VARINT));
  ONR_TRY(put_varint(s, k->num_spans++));
  s->reader.position += f->length;
  s->lifted_bytes += f->length;
  return ONR_STATUS_OK;
}

static enum onr_status lift(struct scan *s, const struct field *f) {
  const uint32_t bit = (uint32_t)1 << f->number;
  const int was_seen = (top(s)->seen & bit) != 0, large = f->length > ONRI_LIFT_BYTES;
  size_t start;
  if (f->wire != WIRE_LENGTH) return copy_fixed(s, f, f->rule.packed_bytes);
  /* Pieces would have to be joined; no writer makes them. */
  if (was_seen && (large || top(s)->lifted & bit || !f->rule.packed_bytes))
    return FAIL_AT(s, f, ONR_STATUS_PARSE, "the data of one tensor in several pieces");
  if (f->rule.packed_bytes && f->length % f->rule.packed_bytes) return copy_packed_fixed(s, f, f->rule.packed_bytes);
  if (!large) return copy_bytes(s, f, &start);
  top(s)->lifted |= bit;
  return put_span(s, f);
}

static enum onr_status note_presence(struct scan *s, const struct field *f) {
  s->reader.position += f->length;
  ONR_TRY(put_tag(s, f->number, WIRE_LENGTH));
  return put_varint(s, 0);
}

static enum onr_status push(struct scan *s, const struct field *f) {
  const struct onri_message_rule *rule = &onri_message_rules[f->rule.message];
  const size_t tag = s->skeleton->size;
  const uint64_t before = s->skeleton->decoded_bytes;
  unsigned char *target;
  if (!(f->rule.flags & ONRI_FIELD_REPEATED) && top(s)->seen & (uint32_t)1 << f->number)
    return FAIL_AT(s, f, ONR_STATUS_PARSE, "a second %s where one is allowed", rule->name);
  if (s->depth >= s->max_depth)
    return FAIL_AT(s, f, ONR_STATUS_LIMIT, "messages are nested more than %zu deep (depth)", s->max_depth);
  ONR_TRY(put_tag(s, f->number, WIRE_LENGTH));
  ONR_TRY(reserve(s, LENGTH_BYTES, &target));
  ONR_TRY(count_decoded(s, f, rule->decoded_bytes + 32));
  s->messages++;
  s->frames[s->depth++] = (struct frame){.rule = rule,
                                         .end = s->reader.position + f->length,
                                         .tag = tag,
                                         .body = s->skeleton->size,
                                         .decoded_before = before};
  return ONR_STATUS_OK;
}

static void pop(struct scan *s) {
  const struct frame *frame = top(s);
  struct onri_skeleton *k = s->skeleton;
  if (frame->rule == &onri_message_rules[ONRI_MESSAGE_METADATA] &&
      !onri_metadata_wanted((const char *)k->bytes + frame->key, frame->key_bytes)) {
    k->size = frame->tag;
    k->decoded_bytes = frame->decoded_before;
  } else if (s->depth > 1) {
    patch_length(k->bytes + frame->body - LENGTH_BYTES, k->size - frame->body);
  }
  s->depth--;
}

/* --- the loop --- */

static int wire_fits(const struct field *f) {
  const int packable = f->rule.flags & ONRI_FIELD_REPEATED && f->wire == WIRE_LENGTH;
  switch (f->rule.kind) {
    case ONRI_FIELD_VARINT: return f->wire == WIRE_VARINT || packable;
    case ONRI_FIELD_FIXED32: return f->wire == WIRE_FIXED32 || packable;
    case ONRI_FIELD_LIFTED:
      return f->wire == WIRE_LENGTH || (f->rule.packed_bytes == 4 && f->wire == WIRE_FIXED32) ||
             (f->rule.packed_bytes == 8 && f->wire == WIRE_FIXED64);
    case ONRI_FIELD_UNKNOWN:
    case ONRI_FIELD_DROPPED: return 1;
    default: return f->wire == WIRE_LENGTH;
  }
}

static enum onr_status read_tag(struct scan *s, struct field *f) {
  const struct frame *frame = top(s);
  uint64_t tag, left;
  *f = (struct field){.position = s->reader.position};
  ONR_TRY(onri_reader_varint(&s->reader, frame->end, &tag, s->error));
  f->wire = (unsigned)(tag & 7);
  if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) return FAIL_AT(s, f, ONR_STATUS_PARSE, "there is no such field number");
  f->number = (uint32_t)(tag >> 3);
  if (f->wire != WIRE_VARINT && f->wire != WIRE_FIXED64 && f->wire != WIRE_LENGTH && f->wire != WIRE_FIXED32)
    return FAIL_AT(s, f, ONR_STATUS_PARSE, "wire type %u does not occur in ONNX files", f->wire);
  const struct onri_field_rule *rule = f->number < ONRI_MAX_FIELD ? onri_field_find(frame->rule, f->number) : NULL;
  if (rule) f->rule = *rule;
  if (!wire_fits(f)) return FAIL_AT(s, f, ONR_STATUS_PARSE, "wire type %u does not fit the field", f->wire);
  if (f->wire == WIRE_LENGTH) ONR_TRY(onri_reader_varint(&s->reader, frame->end, &f->length, s->error));
  left = frame->end - s->reader.position;
  if (f->wire == WIRE_LENGTH && f->length > left && s->depth == 1)
    return FAIL_AT(s, f, ONR_STATUS_PARSE, "the file is cut off: %llu bytes are announced, but only %llu are left",
                   (unsigned long long)f->length, (unsigned long long)left);
  if ((f->wire == WIRE_LENGTH && f->length > left) || (f->wire == WIRE_FIXED64 && left < 8) ||
      (f->wire == WIRE_FIXED32 && left < 4))
    return FAIL_AT(s, f, ONR_STATUS_PARSE, "%llu bytes are announced, but only %llu are left",
                   (unsigned long long)(f->wire == WIRE_LENGTH    ? f->length
                                        : f->wire == WIRE_FIXED64 ? 8
                                                                  : 4),
                   (unsigned long long)left);
  return ONR_STATUS_OK;
}

static enum onr_status take_field(struct scan *s, const struct field *f) {
  size_t start;
  switch (f->rule.kind) {
    case ONRI_FIELD_UNKNOWN:
      if (++s->unknown > UNKNOWN_SLACK + UNKNOWN_FACTOR * s->messages)
        return FAIL_AT(s, f, ONR_STATUS_LIMIT, "more than %llu unknown fields", (unsigned long long)(s->unknown - 1));
      return skip(s, f);
    case ONRI_FIELD_DROPPED: return skip(s, f);
    case ONRI_FIELD_VARINT: return f->wire == WIRE_LENGTH ? copy_packed_varints(s, f) : copy_varint(s, f);
    case ONRI_FIELD_FIXED32: return f->wire == WIRE_LENGTH ? copy_packed_fixed(s, f, 4) : copy_fixed(s, f, 4);
    case ONRI_FIELD_NAME: return copy_name(s, f);
    case ONRI_FIELD_BYTES: return copy_bytes(s, f, &start);
    case ONRI_FIELD_PRESENCE: return note_presence(s, f);
    case ONRI_FIELD_LIFTED: return lift(s, f);
    default: return push(s, f);
  }
}

static enum onr_status run(struct scan *s) {
  while (s->depth > 0) {
    struct frame *frame = top(s);
    struct field f;
    if (s->reader.position >= frame->end) {
      pop(s);
      continue;
    }
    ONR_TRY(read_tag(s, &f));
    if (f.rule.kind > ONRI_FIELD_DROPPED) ONR_TRY(count_member(s, &f));
    ONR_TRY(take_field(s, &f));
    if (f.number < ONRI_MAX_FIELD) frame->seen |= (uint32_t)1 << f.number;
  }
  return ONR_STATUS_OK;
}

static size_t depth_limit(const struct onr_limits *limits) {
  const uint64_t levels =
      limits->depth < ONRI_SCAN_DEPTH ? 3 * limits->depth + 8 : ONRI_SCAN_DEPTH; /* node, attribute, graph */
  return levels < ONRI_SCAN_DEPTH ? (size_t)levels : ONRI_SCAN_DEPTH;
}

enum onr_status onri_scan_model(const struct onri_source *source, const struct onr_limits *limits,
                                const struct onr_allocator *allocator, struct onri_skeleton *skeleton,
                                struct onr_error *error) {
  enum onr_status status;
  struct scan *s;
  *skeleton = (struct onri_skeleton){.allocator = allocator};
  if (!source->size) return onr_fail(error, ONR_STATUS_PARSE, "the file is empty");
  s = onri_allocate_zeroed(allocator, sizeof(*s) + ONRI_WINDOW_BYTES);
  if (!s) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to scan a file");
  s->reader = (struct onri_reader){.source = source, .window = (unsigned char *)(s + 1)};
  s->limits = limits;
  s->skeleton = skeleton;
  s->error = error;
  s->max_depth = depth_limit(limits);
  s->frames[s->depth++] = (struct frame){.rule = &onri_message_rules[ONRI_MESSAGE_MODEL], .end = source->size};
  status = run(s);
  onri_release(allocator, s);
  if (status != ONR_STATUS_OK) onri_skeleton_clear(skeleton);
  return status;
}

void onri_skeleton_drop_bytes(struct onri_skeleton *skeleton) {
  onri_release(skeleton->allocator, skeleton->bytes);
  skeleton->bytes = NULL;
  skeleton->size = skeleton->capacity = 0;
}

void onri_skeleton_clear(struct onri_skeleton *skeleton) {
  onri_skeleton_drop_bytes(skeleton);
  onri_release(skeleton->allocator, skeleton->spans);
  *skeleton = (struct onri_skeleton){.allocator = skeleton->allocator};
}
