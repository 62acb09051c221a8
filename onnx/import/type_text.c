/* type_text.c: see type_text.h. The scan leaves what such a type holds as the bytes that it is in the file. */
#include "onnx/import/type_text.h"

#include "onnx/file/varint.h"
#include "onnxrun/tensor.h"

struct message {
  const unsigned char *bytes;
  size_t count;
};

/* The last field of this number: a message or, of a number, its value. 0: there is none. */
static int find(const struct message *m, uint64_t field, struct message *inner, uint64_t *number) {
  int found = 0;
  for (size_t at = 0; at < m->count;) {
    uint64_t tag, value;
    if (!onri_varint_read(m->bytes, m->count, &at, &tag) || !onri_varint_read(m->bytes, m->count, &at, &value)) break;
    const int is_message = (tag & 7) == ONRI_WIRE_DELIMITED;
    if (!is_message && (tag & 7) != ONRI_WIRE_VARINT) break;
    if (is_message && value > m->count - at) break;
    if (tag >> 3 == field && (is_message ? inner != NULL : number != NULL)) {
      found = 1;
      if (is_message) *inner = (struct message){m->bytes + at, (size_t)value};
      else *number = value;
    }
    if (is_message) at += (size_t)value;
  }
  return found;
}

/* ONNX has C's names for the types of C. */
static const char *name_of(uint64_t dtype) {
  if (dtype == ONR_DTYPE_F32) return "float";
  if (dtype == ONR_DTYPE_F64) return "double";
  return dtype && dtype <= ONR_DTYPE_LAST_IN_FILES ? onr_dtype_name((enum onr_dtype)dtype) : "?";
}

/* What a type is, by the field of TypeProto that it has. */
enum { TENSOR = 1, SEQUENCE = 4, MAP = 5, OPTIONAL = 9 };

/* Words one behind the other, as many as there is room for. */
struct text {
  char *at;
  size_t used, size;
};

static void put(struct text *t, const char *words) {
  for (; *words && t->used + 1 < t->size; words++) t->at[t->used++] = *words;
  t->at[t->used] = '\0';
}

/* One level in: what stands before its contents; *type becomes them. 0: there are none to look into. */
static int enter(uint64_t kind, const struct message *own, struct message *type, struct text *t) {
  uint64_t key = 0;
  put(t, kind == MAP ? "map(" : kind == SEQUENCE ? "seq(" : "optional(");
  if (kind == MAP) {
    find(own, 1, NULL, &key);
    put(t, name_of(key));
    put(t, ",");
  }
  return find(own, kind == MAP ? 2 : 1, type, NULL);
}

/* "tensor(float)", of the message of a tensor's type. */
static void put_tensor(const struct message *tensor, struct text *t) {
  uint64_t dtype = 0;
  find(tensor, 1, NULL, &dtype);
  put(t, "tensor(");
  put(t, name_of(dtype));
  put(t, ")");
}

/* The kind of container that a type is, and what that has in it; 0: it is none. */
static uint64_t container_of(const struct message *type, struct message *own) {
  static const uint64_t kinds[] = {SEQUENCE, MAP, OPTIONAL};
  for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
    if (find(type, kinds[k], own, NULL)) return kinds[k];
  return 0;
}

const char *onri_type_text(const Onnx__TypeProto *type, char *text, size_t size) {
  enum { MOST_LEVELS = 8 };
  uint64_t kind = type->has_sequence_type ? SEQUENCE : type->has_map_type ? MAP : OPTIONAL;
  const ProtobufCBinaryData *data = kind == SEQUENCE ? &type->sequence_type
                                    : kind == MAP    ? &type->map_type
                                                     : &type->optional_type;
  struct message own = {data->data, data->len}, inner = {NULL, 0};
  struct text t = {text, 0, size};
  int levels = 0, is_known = 0;
  while (kind && levels < MOST_LEVELS) {
    levels++;
    if (!enter(kind, &own, &inner, &t)) break;
    is_known = find(&inner, TENSOR, &own, NULL);
    if (is_known) put_tensor(&own, &t);
    kind = is_known ? 0 : container_of(&inner, &own);
  }
  if (!is_known) put(&t, "?");
  while (levels-- > 0) put(&t, ")");
  return text;
}
