/* tensor_write.c: contents as files have them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers/convert.h"
#include "onnx/write/spell.h"

/* of TensorProto */
enum { DIMS = 1, DATA_TYPE = 2, STRING_DATA = 6, NAME = 8, RAW_DATA = 9, EXTERNAL_DATA = 13, DATA_LOCATION = 14 };
enum { LOCATION_EXTERNAL = 1 };

static uint64_t raw_bytes(const struct onr_desc *desc) {
  const uint64_t bits = onri_dtype_packed_bits(desc->dtype), elements = (uint64_t)onr_desc_elements(desc);
  return bits < 8 ? (elements * bits + 7) / 8 : onr_desc_bytes(desc);
}

/* Narrow elements side by side, low bits first. */
static void pack(const unsigned char *data, size_t elements, uint32_t bits, unsigned char *target) {
  const unsigned mask = (1u << bits) - 1;
  memset(target, 0, (elements * bits + 7) / 8);
  for (size_t i = 0; i < elements; i++) {
    const size_t at = i * bits / 8, shift = i * bits % 8;
    const unsigned value = (data[i] & mask) << shift;
    target[at] |= (unsigned char)value;
    if (value >> 8) target[at + 1] |= (unsigned char)(value >> 8);
  }
}

static void fields(struct onri_wire *wire, const char *name, const struct onr_desc *desc) {
  for (int32_t d = 0; d < desc->rank; d++) onri_wire_int(wire, DIMS, desc->dim[d]);
  onri_wire_int(wire, DATA_TYPE, desc->dtype);
  if (name) onri_wire_text(wire, NAME, name);
}

static int append(void *context, const void *data, size_t bytes) {
  onri_wire_append(context, data, bytes);
  return 0;
}

static enum onr_status put_raw(struct onr_env *env, const struct onr_desc *desc, const void *data,
                               int (*take)(void *context, const void *data, size_t bytes), void *context,
                               struct onr_error *error) {
  const uint32_t bits = onri_dtype_packed_bits(desc->dtype);
  const size_t bytes = (size_t)raw_bytes(desc);
  const void *raw = data;
  unsigned char *packed = NULL;
  if (bits < 8 && !(raw = packed = onri_allocate(env->allocator, bytes + 1)))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to write a tensor");
  if (packed) pack(data, (size_t)onr_desc_elements(desc), bits, packed);
  const int failed = bytes && take(context, raw, bytes);
  onri_release(env->allocator, packed);
  return failed ? onr_fail(error, ONR_STATUS_IO, "it cannot be written (is the disk full?)") : ONR_STATUS_OK;
}

void onri_write_tensor(struct onri_wire *wire, int field, const char *name, const struct onr_desc *desc,
                       const void *data) {
  struct onr_env env = {.allocator = wire->allocator};
  const size_t begin = onri_wire_begin(wire, field);
  fields(wire, name, desc);
  if (desc->dtype == ONR_DTYPE_STRING) {
    const struct onr_string *strings = data;
    for (int64_t i = 0; i < onr_desc_elements(desc); i++)
      onri_wire_bytes(wire, STRING_DATA, strings[i].text, strings[i].length);
  } else {
    onri_wire_head(wire, RAW_DATA, raw_bytes(desc));
    if (put_raw(&env, desc, data, append, wire, NULL) != ONR_STATUS_OK) wire->failed = 1;
  }
  onri_wire_end(wire, begin);
}

uint64_t onri_write_tensor_head(struct onri_wire *wire, int field, const char *name, const struct onr_desc *desc) {
  struct onri_wire head = {.allocator = wire->allocator};
  const uint64_t bytes = raw_bytes(desc);
  fields(&head, name, desc);
  onri_wire_head(&head, RAW_DATA, bytes);
  onri_wire_head(wire, field, head.count + bytes);
  onri_wire_append(wire, head.bytes, head.count);
  wire->failed |= head.failed;
  onri_wire_clear(&head);
  return bytes;
}

static void pair(struct onri_wire *wire, const char *key, const char *value) {
  const size_t begin = onri_wire_begin(wire, EXTERNAL_DATA);
  onri_wire_text(wire, 1, key);
  onri_wire_text(wire, 2, value);
  onri_wire_end(wire, begin);
}

static void number_pair(struct onri_wire *wire, const char *key, uint64_t value) {
  char text[24];
  snprintf(text, sizeof(text), "%" PRIu64, value);
  pair(wire, key, text);
}

uint64_t onri_write_tensor_outside(struct onri_wire *wire, int field, const char *name, const struct onr_desc *desc,
                                   const char *location, uint64_t offset) {
  const uint64_t bytes = raw_bytes(desc);
  const size_t begin = onri_wire_begin(wire, field);
  fields(wire, name, desc);
  pair(wire, "location", location);
  number_pair(wire, "offset", offset);
  number_pair(wire, "length", bytes);
  onri_wire_int(wire, DATA_LOCATION, LOCATION_EXTERNAL);
  onri_wire_end(wire, begin);
  return bytes;
}

enum onr_status onri_write_raw(struct onr_env *env, const struct onri_constant *constant,
                               int (*take)(void *context, const void *data, size_t bytes), void *context,
                               struct onr_error *error) {
  if (constant->data) return put_raw(env, &constant->desc, constant->data, take, context, error);
  void *data = onri_allocate(env->allocator, onr_desc_bytes(&constant->desc) + ONR_SLACK_BYTES);
  enum onr_status status = data ? constant->load(constant->source, constant, data, error)
                                : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to write a tensor");
  if (status == ONR_STATUS_OK) status = put_raw(env, &constant->desc, data, take, context, error);
  onri_release(env->allocator, data);
  return status;
}
