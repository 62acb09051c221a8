/* wire.h: changes protobuf messages of ONNX as messages: fields are dropped, doubled, exchanged, taken from another
 * file, their values bent; lengths stay right. What comes out is mostly a model that loads, or nearly one. */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum wire_message {
  WIRE_CASE = 1, /* ours: a model (1), what is done with it (3), and its inputs: tensors (2), sequences, optionals, maps
                    (4 to 6) */
  WIRE_MODEL,
  WIRE_OPSET,
  WIRE_GRAPH,
  WIRE_NODE,
  WIRE_ATTRIBUTE,
  WIRE_FUNCTION,
  WIRE_VALUE,
  WIRE_TYPE,
  WIRE_TENSOR_TYPE,
  WIRE_SHAPE,
  WIRE_DIM,
  WIRE_TENSOR,
  WIRE_SPARSE,
  WIRE_ENTRY,
  WIRE_SEQUENCE,
  WIRE_OPTIONAL,
  WIRE_MAP,
  WIRE_ELEMENT_TYPE /* TypeProto.Sequence and Optional */
};

/* In place; size becomes at most `most`. Returns the new size. */
size_t wire_mutate(enum wire_message root, uint8_t *data, size_t size, size_t most, unsigned seed);
/* The first with parts of the second. Returns the size, at most `most`; 0: nothing was made. */
size_t wire_cross(enum wire_message root, const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                  uint8_t *out, size_t most, unsigned seed);

/* One field of a message; 0 at its end, and where it is no message. */
struct wire_field {
  uint32_t number, wire;
  uint64_t value; /* of a varint or a fixed number */
  const uint8_t *bytes;
  size_t size;
};
int wire_next(const uint8_t **at, const uint8_t *end, struct wire_field *field);

/* libFuzzer's, or driver.c's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

#endif
