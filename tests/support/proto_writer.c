#include "support/proto_writer.h"

#include <stdlib.h>
#include <string.h>

void proto_free(struct proto *p) {
  free(p->bytes);
  memset(p, 0, sizeof(*p));
}

void proto_raw(struct proto *p, const void *bytes, size_t size) {
  if (p->size + size > p->capacity) {
    p->capacity = 2 * (p->size + size) + 64;
    p->bytes = realloc(p->bytes, p->capacity);
    if (!p->bytes) abort();
  }
  if (size) memcpy(p->bytes + p->size, bytes, size);
  p->size += size;
}

void proto_varint(struct proto *p, uint64_t value) {
  do {
    const unsigned char byte = (unsigned char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
    proto_raw(p, &byte, 1);
    value >>= 7;
  } while (value);
}

void proto_int(struct proto *p, uint32_t field, int64_t value) {
  proto_varint(p, (uint64_t)field << 3);
  proto_varint(p, (uint64_t)value);
}

void proto_float(struct proto *p, uint32_t field, float value) {
  proto_varint(p, (uint64_t)field << 3 | 5);
  proto_raw(p, &value, 4);
}

void proto_bytes(struct proto *p, uint32_t field, const void *bytes, size_t size) {
  proto_varint(p, (uint64_t)field << 3 | 2);
  proto_varint(p, size);
  proto_raw(p, bytes, size);
}

void proto_text(struct proto *p, uint32_t field, const char *text) { proto_bytes(p, field, text, strlen(text)); }

void proto_message(struct proto *p, uint32_t field, struct proto *message) {
  proto_bytes(p, field, message->bytes, message->size);
  proto_free(message);
}

struct proto proto_tensor(const char *name, int32_t data_type, const int64_t *dims, size_t rank) {
  struct proto t = {0};
  for (size_t d = 0; d < rank; d++) proto_int(&t, 1, dims[d]);
  proto_int(&t, 2, data_type);
  if (name) proto_text(&t, 8, name);
  return t;
}

struct proto proto_entry(const char *key, const char *value) {
  struct proto e = {0};
  proto_text(&e, 1, key);
  proto_text(&e, 2, value);
  return e;
}

static void names(struct proto *p, uint32_t field, const char *list) {
  while (*list) {
    const size_t length = strcspn(list, " ");
    if (length == 1 && *list == '-') proto_text(p, field, "");
    else proto_bytes(p, field, list, length);
    list += length;
    list += strspn(list, " ");
  }
}

struct proto proto_node(const char *domain, const char *op_type, const char *inputs, const char *outputs) {
  struct proto n = {0};
  names(&n, 1, inputs);
  names(&n, 2, outputs);
  proto_text(&n, 4, op_type);
  if (*domain) proto_text(&n, 7, domain);
  return n;
}

struct proto proto_value(const char *name, int64_t dim) {
  struct proto v = {0}, type = {0}, tensor = {0}, shape = {0}, d = {0};
  if (dim < 0) proto_text(&d, 2, "n");
  else proto_int(&d, 1, dim);
  proto_message(&shape, 1, &d);
  proto_int(&tensor, 1, 1);
  proto_message(&tensor, 2, &shape);
  proto_message(&type, 1, &tensor);
  proto_text(&v, 1, name);
  proto_message(&v, 2, &type);
  return v;
}

struct proto proto_attribute(const char *name, int32_t type) {
  struct proto a = {0};
  proto_text(&a, 1, name);
  proto_int(&a, 20, type);
  return a;
}

struct proto proto_model(struct proto *graph) {
  static const struct {
    const char *domain;
    int64_t version;
  } sets[2] = {{"", 20}, {"test", 1}};
  struct proto m = {0};
  proto_int(&m, 1, 10);
  proto_message(&m, 7, graph);
  for (int i = 0; i < 2; i++) {
    struct proto opset = {0};
    proto_text(&opset, 1, sets[i].domain);
    proto_int(&opset, 2, sets[i].version);
    proto_message(&m, 8, &opset);
  }
  return m;
}
