/* tensor_load.c: contents from the file to memory, when a constant is first needed. */
#include <stdatomic.h>
#include <string.h>

#include "onnx/file/decode.h"

struct lazy {
  struct onr_env *env; /* the model's */
  const struct onri_sources *sources;
  const struct onri_external_file *file; /* NULL: the model file */
};

/* Element i of packed elements, low bits first; it may lie across two bytes. */
static unsigned packed_element(const unsigned char *raw, size_t i, uint32_t bits) {
  const size_t at = i * bits / 8, shift = i * bits % 8;
  unsigned value = (unsigned)raw[at] >> shift;
  if (shift + bits > 8) value |= (unsigned)raw[at + 1] << (8 - shift);
  return value & ((1u << bits) - 1);
}

/* target may begin before raw in the same memory, as long as both end together: an element is read before its
 * predecessor is written. */
static void unpack(const unsigned char *raw, size_t elements, uint32_t bits, int is_signed, unsigned char *target) {
  const unsigned sign = is_signed ? 1u << (bits - 1) : 0;
  unsigned next = elements ? packed_element(raw, 0, bits) : 0;
  for (size_t i = 0; i < elements; i++) {
    const unsigned value = next;
    if (i + 1 < elements) next = packed_element(raw, i + 1, bits);
    target[i] = (unsigned char)((value ^ sign) - sign);
  }
}

enum onr_status onri_raw_to_memory(enum onr_dtype dtype, const unsigned char *raw, size_t elements, void *target,
                                   struct onr_error *error) {
  const uint32_t bits = onri_dtype_packed_bits(dtype);
  const unsigned char *bytes = target;
  if (bits < 8) {
    unpack(raw, elements, bits, dtype == ONR_DTYPE_I4 || dtype == ONR_DTYPE_I2, target);
    return ONR_STATUS_OK;
  }
  if (elements && raw != bytes) memcpy(target, raw, elements * (bits / 8));
  if (dtype != ONR_DTYPE_BOOL) return ONR_STATUS_OK;
  for (size_t i = 0; i < elements; i++)
    if (bytes[i] > 1)
      return onr_fail(error, ONR_STATUS_DATA, "a bool must be 0 or 1, element %zu is %u", i, (unsigned)bytes[i]);
  return ONR_STATUS_OK;
}

static enum onr_status read_range(const struct lazy *lazy, uint64_t offset, size_t bytes, void *target,
                                  struct onr_error *error) {
  if (ONRI_PART(external) && lazy->file)
    return onri_external_read(lazy->sources, lazy->file, offset, bytes, target, error);
  return onri_source_read(&lazy->sources->main, offset, bytes, target, error);
}

/* A read that threads share. */
struct shared_read {
  const struct lazy *lazy;
  const struct onri_constant *constant;
  unsigned char *raw;
  atomic_int failed;
};

static void read_part(void *context, size_t begin, size_t end) {
  struct shared_read *r = context;
  struct onr_error ignored;
  if (read_range(r->lazy, r->constant->offset + begin, end - begin, r->raw + begin, &ignored) != ONR_STATUS_OK)
    atomic_store_explicit(&r->failed, 1, memory_order_relaxed);
}

static enum onr_status load(void *source, const struct onri_constant *constant, void *target, struct onr_error *error) {
  enum { PART = 1 << 20 };
  const struct lazy *lazy = source;
  /* Packed elements are read to the end of their memory and spread from there. */
  unsigned char *raw = (unsigned char *)target + (onr_desc_bytes(&constant->desc) - (size_t)constant->bytes);
  struct shared_read r = {.lazy = lazy, .constant = constant, .raw = raw};
  onr_parallel_for(lazy->env, (size_t)constant->bytes, PART, read_part, &r);
  ONR_TRY(onri_env_poll(lazy->env, error));                  /* parts may have been left out */
  if (atomic_load_explicit(&r.failed, memory_order_relaxed)) /* once more, for what to say */
    ONR_TRY(read_range(lazy, constant->offset, (size_t)constant->bytes, raw, error));
  return onri_raw_to_memory(constant->desc.dtype, raw, (size_t)onr_desc_elements(&constant->desc), target, error);
}

/* Contents that are in memory as they are in the file: of whole bytes, which may be anything, aligned as other memory
 * of the caller's has to be, and with readable bytes behind them. NULL: they are not. */
static const void *in_place(const struct onri_sources *sources, const struct onr_desc *desc, uint64_t offset,
                            uint64_t bytes) {
  const size_t size = onr_dtype_size(desc->dtype), alignment = size > 8 ? 8 : size;
  const unsigned char *data = sources->main.data + offset;
  if (!sources->data_stays || onri_dtype_packed_bits(desc->dtype) < 8 || desc->dtype == ONR_DTYPE_BOOL) return NULL;
  if (sources->main.size - offset - bytes < ONR_SLACK_BYTES || (uintptr_t)data % alignment) return NULL;
  return data;
}

enum onr_status onri_lazy_constant(const struct onri_tensor_decoder *decoder, const struct onr_desc *desc,
                                   struct onri_external_file *file, uint64_t offset, uint64_t bytes,
                                   struct onri_constant **constant, struct onr_error *error) {
  struct onri_constant *c = onri_allocate_zeroed(decoder->env->allocator, sizeof(*c));
  struct lazy *lazy = onri_arena_allocate(&decoder->sources->arena, sizeof(*lazy));
  enum onr_status status = ONR_STATUS_OK;
  if (!c || !lazy) {
    onri_release(decoder->env->allocator, c);
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a tensor of the file");
  }
  *lazy = (struct lazy){decoder->env, decoder->sources, file};
  *c = (struct onri_constant){.desc = *desc,
                              .allocator = decoder->env->allocator,
                              .references = 1,
                              .owned = 1,
                              .load = load,
                              .source = lazy,
                              .offset = offset,
                              .bytes = bytes};
  if (!file && decoder->sources->main.data) {
    c->data = (void *)(uintptr_t)in_place(decoder->sources, desc, offset, bytes);
    c->owned = !c->data;
    /* The caller's memory may be gone when the model has been loaded. */
    if (!decoder->sources->data_stays) status = onri_constant_load(c, error);
  }
  if (status != ONR_STATUS_OK) {
    onri_constant_release(c);
    return status;
  }
  *constant = c;
  return ONR_STATUS_OK;
}
