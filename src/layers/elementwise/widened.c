/* widened.c: widening and narrowing around kernels. */
#include "layers/elementwise/widened.h"

#include <math.h>

#include "base/numbers/checked.h"
#include "kernels/convert/convert.h"
#include "base/shape.h"

enum onr_status onri_scratch_reserve(struct onr_call *call, size_t bytes, size_t *offset) {
  size_t start, end;
  if (!onri_round_up(call->scratch_bytes, 64, &start) || !onri_add_size(start, bytes, &end) || end > SIZE_MAX / 2)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of this layer does not fit in memory");
  *offset = start;
  call->scratch_bytes = end;
  return ONR_STATUS_OK;
}

enum onr_status onri_widened_expect(const struct onr_call *call, size_t i) {
  if (ONRI_DTYPES_NUMBER >> onri_dtype_part(call->in[i].dtype) & 1) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "interpolation of %s is not supported",
                  onr_dtype_name(call->in[i].dtype));
}

enum onr_status onri_widened_plan(struct onr_call *call, const struct onr_desc *desc, size_t *offset) {
  size_t bytes;
  *offset = ONRI_WIDENED_IN_PLACE;
  const enum onr_dtype part = onri_dtype_part(desc->dtype);
  if (part == ONR_DTYPE_F32 || part == ONR_DTYPE_F64 || part == ONR_DTYPE_NONE) return ONR_STATUS_OK;
  if (!onri_mul_size((size_t)onr_desc_elements(desc), onri_widened_size(desc->dtype), &bytes)) bytes = SIZE_MAX;
  return onri_scratch_reserve(call, bytes, offset);
}

const void *onri_widened_input(struct onr_call *call, size_t i, size_t offset) {
  if (i >= call->num_in || !call->inputs[i] || offset == ONRI_WIDENED_IN_PLACE)
    return i < call->num_in ? call->inputs[i] : NULL;
  void *target = (unsigned char *)call->scratch + offset;
  onri_widened_load(call->in[i].dtype, call->inputs[i], (size_t)onr_desc_elements(&call->in[i]), target);
  return target;
}

void *onri_widened_output(struct onr_call *call, size_t i, size_t offset) {
  if (!call->outputs[i] || offset == ONRI_WIDENED_IN_PLACE) return call->outputs[i];
  return (unsigned char *)call->scratch + offset;
}

void onri_widened_finish(struct onr_call *call, size_t i, size_t offset) {
  if (!call->outputs[i] || offset == ONRI_WIDENED_IN_PLACE) return;
  onri_widened_store(call->out[i].dtype, (unsigned char *)call->scratch + offset,
                     (size_t)onr_desc_elements(&call->out[i]), call->outputs[i]);
}

/* X(dtype, storage, real, rounding, least, greatest), the bounds being reals */
#define EACH_INTEGER(X)                                                        \
  X(I8, int8_t, float, rintf, INT8_MIN, INT8_MAX)                              \
  X(U8, uint8_t, float, rintf, 0, UINT8_MAX)                                   \
  X(I16, int16_t, float, rintf, INT16_MIN, INT16_MAX)                          \
  X(U16, uint16_t, float, rintf, 0, UINT16_MAX)                                \
  X(I32, int32_t, double, rint, INT32_MIN, INT32_MAX)                          \
  X(U32, uint32_t, double, rint, 0, UINT32_MAX)                                \
  X(I64, int64_t, double, rint, -9223372036854775808.0, 9223372036854774784.0) \
  X(U64, uint64_t, double, rint, 0, 18446744073709549568.0)

#define DEFINE(dtype, storage, real, rounding, least, greatest)                                  \
  static void load_##dtype(const void *source, size_t count, void *target) {                     \
    for (size_t i = 0; i < count; i++) ((real *)target)[i] = (real)((const storage *)source)[i]; \
  }                                                                                              \
  static void store_##dtype(const void *source, size_t count, void *target) {                    \
    const real low = (real)(least), high = (real)(greatest);                                     \
    for (size_t i = 0; i < count; i++) {                                                         \
      const real v = rounding(((const real *)source)[i]);                                        \
      const real raised = v > low ? v : low; /* NaN too */                                       \
      ((storage *)target)[i] = (storage)(raised < high ? raised : high);                         \
    }                                                                                            \
  }
EACH_INTEGER(DEFINE)

static const struct {
  void (*load)(const void *source, size_t count, void *target);
  void (*store)(const void *source, size_t count, void *target);
} integers[ONR_NUM_DTYPES] = {
#define ROW(dtype, storage, real, rounding, least, greatest) \
  ONRI_IF(ONRI_HAS_TYPE_##dtype, [ONR_DTYPE_##dtype] = {load_##dtype, store_##dtype}, )
    EACH_INTEGER(ROW)
#undef ROW
};

void onri_widened_load(enum onr_dtype dtype, const void *source, size_t count, void *target) {
  if (integers[dtype].load) integers[dtype].load(source, count, target);
  else if (ONRI_CONVERTS) onri_widen(dtype, source, count, target);
}

void onri_widened_store(enum onr_dtype dtype, const void *source, size_t count, void *target) {
  if (integers[dtype].store) integers[dtype].store(source, count, target);
  else if (ONRI_CONVERTS) onri_narrow(dtype, source, count, target);
}
