/* proto_writer: protobuf messages byte by byte, right or wrong as a test wants them. */
#ifndef TEST_PROTO_WRITER_H
#define TEST_PROTO_WRITER_H

#include <stddef.h>
#include <stdint.h>

/* Grows as needed; free with proto_free. All zero is empty. */
struct proto {
  unsigned char *bytes;
  size_t size, capacity;
};

void proto_free(struct proto *p);
void proto_raw(struct proto *p, const void *bytes, size_t size);
void proto_varint(struct proto *p, uint64_t value);
void proto_int(struct proto *p, uint32_t field, int64_t value);
void proto_float(struct proto *p, uint32_t field, float value);
void proto_bytes(struct proto *p, uint32_t field, const void *bytes, size_t size);
void proto_text(struct proto *p, uint32_t field, const char *text);
/* Appends `message` as a field and frees it. */
void proto_message(struct proto *p, uint32_t field, struct proto *message);

/* --- pieces of ONNX --- */

/* A tensor with name, dims and data type; data fields are added by the caller. */
struct proto proto_tensor(const char *name, int32_t data_type, const int64_t *dims, size_t rank);
struct proto proto_entry(const char *key, const char *value);
/* Lists of names are separated by spaces; "-" is an empty name. */
struct proto proto_node(const char *domain, const char *op_type, const char *inputs, const char *outputs);
/* float32 of shape [dim]; dim < 0: a symbolic one called "n" */
struct proto proto_value(const char *name, int64_t dim);
struct proto proto_attribute(const char *name, int32_t type);
/* A model with IR 10 that imports ai.onnx 20 and "test" 1; frees the graph. */
struct proto proto_model(struct proto *graph);

#endif
