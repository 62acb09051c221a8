/* tensor.c: TensorProto in all its encodings. */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/shape.h"
#include "onnx/file/decode.h"

/* The typed fields, and what else can hold contents. */
enum store { STORE_RAW, STORE_FLOAT, STORE_INT32, STORE_STRING, STORE_INT64, STORE_DOUBLE, STORE_UINT64, NUM_STORES };

static const char *const store_names[NUM_STORES] = {"raw_data",   "float_data",  "int32_data", "string_data",
                                                    "int64_data", "double_data", "uint64_data"};

/* Where elements of a type are when they are not in raw_data, and which numbers fit. */
static const struct type_rule {
  uint8_t store;
  int64_t min, max; /* of numbers in int32_data and uint64_data */
} type_rules[ONR_NUM_DTYPES] = {
    [ONR_DTYPE_F32] = {STORE_FLOAT, 0, 0},
    [ONR_DTYPE_C64] = {STORE_FLOAT, 0, 0},
    [ONR_DTYPE_F64] = {STORE_DOUBLE, 0, 0},
    [ONR_DTYPE_C128] = {STORE_DOUBLE, 0, 0},
    [ONR_DTYPE_STRING] = {STORE_STRING, 0, 0},
    [ONR_DTYPE_I64] = {STORE_INT64, INT64_MIN, INT64_MAX},
    [ONR_DTYPE_U64] = {STORE_UINT64, 0, 0},
    [ONR_DTYPE_U32] = {STORE_UINT64, 0, UINT32_MAX},
    [ONR_DTYPE_I32] = {STORE_INT32, INT32_MIN, INT32_MAX},
    [ONR_DTYPE_I16] = {STORE_INT32, INT16_MIN, INT16_MAX},
    [ONR_DTYPE_U16] = {STORE_INT32, 0, UINT16_MAX},
    [ONR_DTYPE_F16] = {STORE_INT32, 0, UINT16_MAX},
    [ONR_DTYPE_BF16] = {STORE_INT32, 0, UINT16_MAX},
    [ONR_DTYPE_I8] = {STORE_INT32, INT8_MIN, INT8_MAX},
    [ONR_DTYPE_U8] = {STORE_INT32, 0, UINT8_MAX},
    [ONR_DTYPE_BOOL] = {STORE_INT32, 0, 1},
    [ONR_DTYPE_F8E4M3FN] = {STORE_INT32, 0, UINT8_MAX},
    [ONR_DTYPE_F8E4M3FNUZ] = {STORE_INT32, 0, UINT8_MAX},
    [ONR_DTYPE_F8E5M2] = {STORE_INT32, 0, UINT8_MAX},
    [ONR_DTYPE_F8E5M2FNUZ] = {STORE_INT32, 0, UINT8_MAX},
    [ONR_DTYPE_F8E8M0] = {STORE_INT32, 0, UINT8_MAX},
    /* Bytes that hold several elements; writers disagree on whether a byte is signed. */
    [ONR_DTYPE_U4] = {STORE_INT32, INT8_MIN, UINT8_MAX},
    [ONR_DTYPE_I4] = {STORE_INT32, INT8_MIN, UINT8_MAX},
    [ONR_DTYPE_F4E2M1] = {STORE_INT32, INT8_MIN, UINT8_MAX},
    [ONR_DTYPE_U2] = {STORE_INT32, INT8_MIN, UINT8_MAX},
    [ONR_DTYPE_I2] = {STORE_INT32, INT8_MIN, UINT8_MAX},
    [ONR_DTYPE_F6E2M3] = {STORE_INT32, 0, 63},
    [ONR_DTYPE_F6E3M2] = {STORE_INT32, 0, 63},
};

/* --- type and dimensions --- */

static enum onr_status check_dims(const int64_t *dims, size_t count, struct onr_error *error) {
  int64_t product = 16; /* bytes of the widest element: what follows cannot overflow either */
  if (count > ONR_MAX_RANK)
    return onr_fail(error, ONR_STATUS_LIMIT, "a tensor of rank %zu, the limit is %d", count, ONR_MAX_RANK);
  for (size_t d = 0; d < count; d++) {
    if (dims[d] < 0)
      return onr_fail(error, ONR_STATUS_SHAPE, "dimension %zu of a tensor is negative: %lld", d, (long long)dims[d]);
    /* A zero does not excuse the other dimensions. */
    if (dims[d] && !onri_mul_i64(product, dims[d], &product))
      return onr_fail(error, ONR_STATUS_SHAPE, "the dimensions of a tensor multiply to more than 2^63 bytes");
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_desc(const Onnx__TensorProto *t, struct onr_desc *desc, struct onr_error *error) {
  if (t->has_segment) return onr_fail(error, ONR_STATUS_UNSUPPORTED, "a tensor stored in segments");
  if (t->data_type <= ONR_DTYPE_NONE || t->data_type > ONR_DTYPE_LAST_IN_FILES)
    return onr_fail(error, ONR_STATUS_TYPE, "a tensor with the unknown data type %d", (int)t->data_type);
  ONR_TRY(check_dims(t->dims, t->n_dims, error));
  *desc = onr_desc_make((enum onr_dtype)t->data_type, (int32_t)t->n_dims, t->dims);
  return ONR_STATUS_OK;
}

/* In a file. check_dims has seen to it that 16 bytes an element do not overflow. */
static uint64_t raw_size(const struct onr_desc *desc) {
  const uint64_t elements = (uint64_t)onr_desc_elements(desc), bits = onri_dtype_packed_bits(desc->dtype);
  return bits < 8 ? (elements * bits + 7) / 8 : elements * (bits / 8);
}

/* --- which field holds the contents --- */

struct stored {
  enum store store;
  uint64_t count;               /* bytes of raw_data, entries of the others */
  const struct onri_span *span; /* the contents are still in the file */
  int found;
};

static enum onr_status find_span(const struct onri_tensor_decoder *decoder, uint64_t index, uint64_t unit,
                                 struct stored *stored, struct onr_error *error) {
  if (index >= decoder->num_spans)
    return onr_fail(error, ONR_STATUS_INTERNAL, "the skeleton names a span it does not have");
  stored->span = &decoder->spans[index];
  stored->count = stored->span->bytes / unit;
  return ONR_STATUS_OK;
}

static enum onr_status find_stored(const struct onri_tensor_decoder *decoder, const Onnx__TensorProto *t,
                                   struct stored *stored, struct onr_error *error) {
  const uint64_t counts[NUM_STORES] = {t->has_raw_span ? 1 : t->raw_data.len,
                                       t->has_float_span ? 1 : t->n_float_data,
                                       t->n_int32_data,
                                       t->n_string_data,
                                       t->n_int64_data,
                                       t->has_double_span ? 1 : t->n_double_data,
                                       t->n_uint64_data};
  *stored = (struct stored){.store = STORE_RAW};
  for (int s = 0; s < NUM_STORES; s++) {
    if (!counts[s]) continue;
    if (stored->found)
      return onr_fail(error, ONR_STATUS_DATA, "a tensor has both %s and %s", store_names[stored->store],
                      store_names[s]);
    *stored = (struct stored){.store = (enum store)s, .count = counts[s], .found = 1};
  }
  if (stored->store == STORE_RAW && t->has_raw_span) return find_span(decoder, t->raw_span, 1, stored, error);
  if (stored->store == STORE_FLOAT && t->has_float_span) return find_span(decoder, t->float_span, 4, stored, error);
  if (stored->store == STORE_DOUBLE && t->has_double_span) return find_span(decoder, t->double_span, 8, stored, error);
  return ONR_STATUS_OK;
}

/* Whether an entry of int32_data is a byte of several elements; one of 6 bits has its own entry. */
static int shares_entries(enum onr_dtype dtype) {
  const uint32_t bits = onri_dtype_packed_bits(dtype);
  return bits == 2 || bits == 4;
}

/* Entries that the field must have. */
static uint64_t expected_count(const struct onr_desc *desc, enum store store, uint64_t raw_bytes) {
  const uint64_t elements = (uint64_t)onr_desc_elements(desc);
  switch (store) {
    case STORE_RAW: return raw_bytes;
    case STORE_FLOAT: return raw_bytes / 4; /* two for a complex number */
    case STORE_DOUBLE: return raw_bytes / 8;
    case STORE_INT32: return shares_entries(desc->dtype) ? raw_bytes : elements;
    default: return elements;
  }
}

static enum onr_status check_stored(const struct onr_desc *desc, const struct stored *stored, uint64_t raw_bytes,
                                    struct onr_error *error) {
  const struct type_rule *rule = &type_rules[desc->dtype];
  char text[160];
  uint64_t expected;
  onr_desc_format(desc, text, sizeof(text));
  if (!stored->found && onr_desc_elements(desc) == 0) return ONR_STATUS_OK;
  if (!stored->found) return onr_fail(error, ONR_STATUS_DATA, "a tensor %s without data", text);
  if (stored->store != rule->store && (stored->store != STORE_RAW || desc->dtype == ONR_DTYPE_STRING))
    return onr_fail(error, ONR_STATUS_DATA, "a tensor %s cannot be stored in %s", text, store_names[stored->store]);
  expected = expected_count(desc, stored->store, raw_bytes);
  if (stored->count != expected)
    return onr_fail(error, ONR_STATUS_DATA, "a tensor %s needs %llu %s of %s, found %llu", text,
                    (unsigned long long)expected, stored->store == STORE_RAW ? "bytes" : "entries",
                    store_names[stored->store], (unsigned long long)stored->count);
  return ONR_STATUS_OK;
}

/* --- contents in the skeleton --- */

static enum onr_status out_of_range(const struct onr_desc *desc, size_t i, long long value, struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_DATA, "element %zu is %lld, which is no %s", i, value, onr_dtype_name(desc->dtype));
}

static enum onr_status copy_int32(const Onnx__TensorProto *t, const struct onr_desc *desc, void *target,
                                  struct onr_error *error) {
  const struct type_rule *rule = &type_rules[desc->dtype];
  const size_t size = onr_dtype_size(desc->dtype);
  /* Packed bytes go to the end first, as in tensor_load.c. */
  unsigned char *to = (unsigned char *)target + (onr_desc_bytes(desc) - t->n_int32_data * size);
  for (size_t i = 0; i < t->n_int32_data; i++) {
    const int32_t value = t->int32_data[i];
    if (value < rule->min || value > rule->max) return out_of_range(desc, i, value, error);
    memcpy(to + i * size, &value, size); /* little-endian */
  }
  if (!shares_entries(desc->dtype)) return ONR_STATUS_OK;
  return onri_raw_to_memory(desc->dtype, to, (size_t)onr_desc_elements(desc), target, error);
}

static enum onr_status copy_uint64(const Onnx__TensorProto *t, const struct onr_desc *desc, void *target,
                                   struct onr_error *error) {
  uint32_t *narrow = target;
  if (desc->dtype == ONR_DTYPE_U64) {
    memcpy(target, t->uint64_data, t->n_uint64_data * sizeof(uint64_t));
    return ONR_STATUS_OK;
  }
  for (size_t i = 0; i < t->n_uint64_data; i++) {
    if (t->uint64_data[i] > UINT32_MAX) return out_of_range(desc, i, (long long)t->uint64_data[i], error);
    narrow[i] = (uint32_t)t->uint64_data[i];
  }
  return ONR_STATUS_OK;
}

static enum onr_status copy_strings(struct onri_sources *sources, const ProtobufCBinaryData *from, size_t count,
                                    struct onr_string *to, struct onr_error *error) {
  for (size_t i = 0; i < count; i++) {
    to[i].length = from[i].len;
    to[i].text = onri_arena_copy(&sources->arena, from[i].data, from[i].len);
    if (!to[i].text) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the strings of a tensor");
  }
  return ONR_STATUS_OK;
}

static enum onr_status copy_contents(const struct onri_tensor_decoder *decoder, const Onnx__TensorProto *t,
                                     const struct stored *stored, const struct onr_desc *desc, void *target,
                                     struct onr_error *error) {
  if (!stored->found) return ONR_STATUS_OK;
  switch (stored->store) {
    case STORE_RAW:
      return onri_raw_to_memory(desc->dtype, t->raw_data.data, (size_t)onr_desc_elements(desc), target, error);
    case STORE_FLOAT: memcpy(target, t->float_data, t->n_float_data * sizeof(float)); return ONR_STATUS_OK;
    case STORE_DOUBLE: memcpy(target, t->double_data, t->n_double_data * sizeof(double)); return ONR_STATUS_OK;
    case STORE_INT64: memcpy(target, t->int64_data, t->n_int64_data * sizeof(int64_t)); return ONR_STATUS_OK;
    case STORE_INT32: return copy_int32(t, desc, target, error);
    case STORE_UINT64: return copy_uint64(t, desc, target, error);
    default: return copy_strings(decoder->sources, t->string_data, t->n_string_data, target, error);
  }
}

static enum onr_status decode_external(const struct onri_tensor_decoder *decoder, const Onnx__TensorProto *t,
                                       const struct onr_desc *desc, uint64_t raw_bytes, const struct stored *stored,
                                       struct onri_constant **constant, struct onr_error *error) {
  struct onri_external external;
  if (desc->dtype == ONR_DTYPE_STRING)
    return onr_fail(error, ONR_STATUS_UNSUPPORTED, "a string tensor with external data");
  if (stored->found)
    return onr_fail(error, ONR_STATUS_DATA, "a tensor has both %s and external data", store_names[stored->store]);
  if (!ONRI_PART(external))
    return onr_fail(error, ONR_STATUS_UNSUPPORTED, "external data, and this library was made for models without");
  ONR_TRY(onri_external_resolve(decoder->sources, t, raw_bytes, &external, error));
  ONR_TRY(onri_desc_check(desc, decoder->env, error));
  return onri_lazy_constant(decoder, desc, external.file, external.offset, external.bytes, constant, error);
}

static enum onr_status span_constant(const struct onri_tensor_decoder *decoder, const struct onri_span *span,
                                     const struct onr_desc *desc, struct onri_constant **constant,
                                     struct onr_error *error) {
  struct onri_constant **shared = decoder->shared ? &decoder->shared[span - decoder->spans] : NULL;
  if (shared && *shared) *constant = *shared;
  else ONR_TRY(onri_lazy_constant(decoder, desc, NULL, span->offset, span->bytes, constant, error));
  if (!shared) return ONR_STATUS_OK;
  *shared = *constant;
  onri_constant_retain(*constant); /* the first time for the list, then for the caller */
  return ONR_STATUS_OK;
}

enum onr_status onri_tensor_decode(const struct onri_tensor_decoder *decoder, const Onnx__TensorProto *tensor,
                                   struct onri_constant **constant, struct onr_error *error) {
  struct onr_desc desc;
  struct stored stored;
  struct onri_constant *c;
  enum onr_status status;
  uint64_t raw_bytes;
  ONR_TRY(read_desc(tensor, &desc, error));
  raw_bytes = raw_size(&desc);
  ONR_TRY(find_stored(decoder, tensor, &stored, error));
  if (tensor->data_location == 1) return decode_external(decoder, tensor, &desc, raw_bytes, &stored, constant, error);
  if (tensor->data_location != 0)
    return onr_fail(error, ONR_STATUS_DATA, "a tensor with the unknown data location %d", (int)tensor->data_location);
  ONR_TRY(check_stored(&desc, &stored, raw_bytes, error));
  ONR_TRY(onri_desc_check(&desc, decoder->env, error));
  if (stored.span) return span_constant(decoder, stored.span, &desc, constant, error);
  c = onri_constant_create(decoder->env, &desc);
  if (!c) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a tensor of %zu bytes", onr_desc_bytes(&desc));
  status = copy_contents(decoder, tensor, &stored, &desc, c->data, error);
  if (status != ONR_STATUS_OK) {
    onri_constant_release(c);
    return status;
  }
  *constant = c;
  return ONR_STATUS_OK;
}

/* --- sparse --- */

static enum onr_status check_sparse(const struct onr_desc *dense, const struct onr_desc *values,
                                    const struct onr_desc *indices, struct onr_error *error) {
  char text[160];
  if (values->rank != 1) return onr_fail(error, ONR_STATUS_DATA, "the values of a sparse tensor must have rank 1");
  if (values->dtype == ONR_DTYPE_STRING) return onr_fail(error, ONR_STATUS_UNSUPPORTED, "a sparse tensor of strings");
  if (indices->dtype != ONR_DTYPE_I64)
    return onr_fail(error, ONR_STATUS_TYPE, "the indices of a sparse tensor must be int64");
  if (indices->rank >= 1 && indices->rank <= 2 && indices->dim[0] == values->dim[0] &&
      (indices->rank == 1 || indices->dim[1] == dense->rank))
    return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_DATA, "the indices %s of a sparse tensor do not fit %lld values of rank %d",
                  onr_desc_format(indices, text, sizeof(text)), (long long)values->dim[0], (int)dense->rank);
}

/* Position of value i in the dense tensor, -1 when an index is out of range. */
static int64_t position(const struct onr_desc *dense, const struct onr_desc *indices, const int64_t *index, int64_t i) {
  int64_t result = 0;
  if (indices->rank == 1) return index[i] >= 0 && index[i] < onr_desc_elements(dense) ? index[i] : -1;
  for (int32_t d = 0; d < dense->rank; d++) {
    const int64_t at = index[i * dense->rank + d];
    if (at < 0 || at >= dense->dim[d]) return -1;
    result = result * dense->dim[d] + at;
  }
  return result;
}

static enum onr_status scatter(const struct onri_constant *values, const struct onri_constant *indices,
                               struct onri_constant *dense, struct onr_error *error) {
  const size_t size = onr_dtype_size(dense->desc.dtype);
  const char *from = values->data;
  char *to = dense->data;
  int64_t before = -1;
  memset(to, 0, onr_desc_bytes(&dense->desc));
  for (int64_t i = 0; i < values->desc.dim[0]; i++) {
    const int64_t at = position(&dense->desc, &indices->desc, indices->data, i);
    if (at <= before)
      return onr_fail(error, ONR_STATUS_DATA, "index %lld of a sparse tensor is out of range or not in order",
                      (long long)i);
    memcpy(to + (size_t)at * size, from + (size_t)i * size, size);
    before = at;
  }
  return ONR_STATUS_OK;
}

static enum onr_status make_dense(const struct onri_tensor_decoder *decoder, const Onnx__SparseTensorProto *sparse,
                                  struct onri_constant *values, struct onri_constant *indices,
                                  struct onri_constant **constant, struct onr_error *error) {
  const struct onr_desc desc = onr_desc_make(values->desc.dtype, (int32_t)sparse->n_dims, sparse->dims);
  enum onr_status status;
  struct onri_constant *dense;
  ONR_TRY(check_sparse(&desc, &values->desc, &indices->desc, error));
  ONR_TRY(onri_desc_check(&desc, decoder->env, error));
  ONR_TRY(onri_constant_load(values, error));
  ONR_TRY(onri_constant_load(indices, error));
  dense = onri_constant_create(decoder->env, &desc);
  if (!dense)
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a tensor of %zu bytes", onr_desc_bytes(&desc));
  status = scatter(values, indices, dense, error);
  if (status != ONR_STATUS_OK) onri_constant_release(dense);
  else *constant = dense;
  return status;
}

enum onr_status onri_sparse_decode(const struct onri_tensor_decoder *decoder, const Onnx__SparseTensorProto *sparse,
                                   struct onri_constant **constant, struct onr_error *error) {
  struct onri_constant *values = NULL, *indices = NULL;
  enum onr_status status;
  if (!ONRI_PART(sparse))
    return onr_fail(error, ONR_STATUS_UNSUPPORTED, "a sparse tensor, and this library was made for models without");
  if (!sparse->values || !sparse->indices)
    return onr_fail(error, ONR_STATUS_DATA, "a sparse tensor without values or indices");
  ONR_TRY(check_dims(sparse->dims, sparse->n_dims, error));
  status = onri_tensor_decode(decoder, sparse->values, &values, error);
  if (status == ONR_STATUS_OK) status = onri_tensor_decode(decoder, sparse->indices, &indices, error);
  if (status == ONR_STATUS_OK) status = make_dense(decoder, sparse, values, indices, constant, error);
  onri_constant_release(values);
  onri_constant_release(indices);
  return status;
}
