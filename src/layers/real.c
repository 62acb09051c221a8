/* real.c: widening and narrowing around kernels. */
#include "layers/real.h"

#include <math.h>

#include "base/checked.h"
#include "base/convert.h"

enum onr_status onri_scratch_reserve(struct onr_call *call, size_t bytes, size_t *offset) {
  size_t start, end;
  if (!onri_round_up(call->scratch_bytes, 64, &start) || !onri_add_size(start, bytes, &end) || end > SIZE_MAX / 2)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of this layer does not fit in memory");
  *offset = start;
  call->scratch_bytes = end;
  return ONR_STATUS_OK;
}

enum onr_status onri_real_plan(struct onr_call *call, const struct onr_desc *desc, size_t *offset) {
  size_t bytes;
  *offset = ONRI_REAL_IN_PLACE;
  if (desc->dtype == ONR_DTYPE_F32 || desc->dtype == ONR_DTYPE_F64 || desc->dtype == ONR_DTYPE_NONE) return ONR_STATUS_OK;
  if (!onri_mul_size((size_t)onr_desc_elements(desc), sizeof(float), &bytes)) bytes = SIZE_MAX;
  return onri_scratch_reserve(call, bytes, offset);
}

const void *onri_real_input(struct onr_call *call, size_t i, size_t offset) {
  if (i >= call->num_in || call->inputs[i] == NULL || offset == ONRI_REAL_IN_PLACE) return i < call->num_in ? call->inputs[i] : NULL;
  void *const target = (unsigned char *)call->scratch + offset;
  onri_real_load(call->in[i].dtype, call->inputs[i], (size_t)onr_desc_elements(&call->in[i]), target);
  return target;
}

void *onri_real_output(struct onr_call *call, size_t i, size_t offset) {
  if (call->outputs[i] == NULL || offset == ONRI_REAL_IN_PLACE) return call->outputs[i];
  return (unsigned char *)call->scratch + offset;
}

void onri_real_finish(struct onr_call *call, size_t i, size_t offset) {
  if (call->outputs[i] == NULL || offset == ONRI_REAL_IN_PLACE) return;
  onri_real_store(call->out[i].dtype, (unsigned char *)call->scratch + offset, (size_t)onr_desc_elements(&call->out[i]),
                  call->outputs[i]);
}

void onri_real_load(enum onr_dtype dtype, const void *source, size_t count, void *target) {
  if (dtype == ONR_DTYPE_I8)
    for (size_t i = 0; i < count; i++) ((float *)target)[i] = (float)((const int8_t *)source)[i];
  else if (dtype == ONR_DTYPE_U8)
    for (size_t i = 0; i < count; i++) ((float *)target)[i] = (float)((const uint8_t *)source)[i];
  else
    onri_load(dtype, source, count, target);
}

static float held(float value, float low, float high) {
  if (!(value > low)) return low; /* NaN too */
  return value < high ? value : high;
}

void onri_real_store(enum onr_dtype dtype, const void *source, size_t count, void *target) {
  if (dtype == ONR_DTYPE_I8)
    for (size_t i = 0; i < count; i++) ((int8_t *)target)[i] = (int8_t)held(rintf(((const float *)source)[i]), -128, 127);
  else if (dtype == ONR_DTYPE_U8)
    for (size_t i = 0; i < count; i++) ((uint8_t *)target)[i] = (uint8_t)held(rintf(((const float *)source)[i]), 0, 255);
  else
    onri_store(dtype, source, count, target);
}
