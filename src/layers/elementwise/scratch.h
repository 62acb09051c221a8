/* scratch.h: scratch memory by offsets, and operands of narrow types through it. */
#ifndef ONRI_SCRATCH_H
#define ONRI_SCRATCH_H

#include "base/numbers/convert.h"
#include "base/types.h"

/* In plan: `bytes` of scratch with slack behind them, 64-byte aligned; returns their offset. Saturates: the planner
 * refuses what is too large. */
size_t onri_scratch_take(struct onr_call *call, size_t bytes);
/* Product of sizes, SIZE_MAX when it overflows. */
size_t onri_size_of(const size_t *sizes, size_t count);
/* Bytes of a tensor in the class of its type. */
size_t onri_class_bytes(const struct onr_desc *desc);

/* True when kernels of the class of dtype can read it as it is. */
static inline int onri_is_native(enum onr_dtype dtype) {
  return !ONRI_CONVERTS || dtype == ONR_DTYPE_F32 || dtype == ONR_DTYPE_F64 || dtype == ONR_DTYPE_I64 ||
         dtype == ONR_DTYPE_U64;
}
/* Types that XNNPACK's float32 kernels can serve. */
static inline int onri_is_f32_or_narrower(enum onr_dtype dtype) {
  return onri_dtype_in(ONRI_DTYPES_F32_AND_HALF, dtype);
}

/* In run, on all threads: elements into their class, or (store) back. */
void onri_convert(struct onr_env *env, enum onr_dtype dtype, const void *from, void *to, size_t count, int store);
/* In run: input i in its class; a type that is not native goes to scratch at offset `at`. NULL for an omitted input. */
const void *onri_converted_input(struct onr_call *call, size_t i, size_t at);

/* In run, on all threads: no NaN and no infinity. 0 or 1 when cancelled. */
int onri_all_finite(struct onr_env *env, const float *x, size_t count);

/* Value i of an int8 or uint8 array. */
static inline int onri_value8(enum onr_dtype dtype, const void *data, size_t i) {
  return dtype == ONR_DTYPE_U8 ? ((const uint8_t *)data)[i] : ((const int8_t *)data)[i];
}

/* In prepare: values of a constant int8 or uint8 input, 1 or `count` of them, which the caller releases; NULL where it
 * is none such. *step: 0 or 1. */
enum onr_status onri_known_bytes(struct onr_call *call, size_t input, size_t count, int32_t **values, size_t *step);

/* In prepare: a constant input in float32, or in float64 when that is its type, from the moment when it is needed. */
struct onri_late {
  size_t input;
  const void *values; /* NULL: not read yet, or there is no such input */
  void *owned;
};
enum onr_status onri_late_read(struct onr_call *call, struct onri_late *late);
void onri_late_release(struct onri_late *late, struct onr_env *env);

#endif
