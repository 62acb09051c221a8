/* widened.h: tensors as float32 or float64 for kernels that compute in one of the two. float32 and float64 tensors are
 * used where they are, complex ones as pairs; narrower floats and integers of up to 16 bits are widened to float32 in
 * scratch, other integers to float64, and narrowed after the kernel. */
#ifndef ONRI_WIDENED_H
#define ONRI_WIDENED_H

#include "base/numbers/convert.h"
#include "base/types.h"

/* Plan: take bytes of scratch, 64-byte aligned. LIMIT when it overflows. */
enum onr_status onri_scratch_reserve(struct onr_call *call, size_t bytes, size_t *offset);

#define ONRI_WIDENED_IN_PLACE SIZE_MAX
/* Whether the reals of a type are float64. */
static inline int onri_is_double(enum onr_dtype dtype) {
  const enum onr_dtype part = onri_dtype_part(dtype);
  return part != ONR_DTYPE_F32 && onri_dtype_in(ONRI_DTYPES_NUMBER, part) && onr_dtype_size(part) >= sizeof(float);
}
static inline size_t onri_widened_size(enum onr_dtype dtype) { return onri_is_double(dtype) ? 8 : 4; }

/* UNSUPPORTED unless input i has a type that is turned into reals and back: any float or integer of 8 bits and more,
 * complex. */
enum onr_status onri_widened_expect(const struct onr_call *call, size_t i);
/* Plan: scratch for a tensor, when it needs some (else *offset is ONRI_WIDENED_IN_PLACE). */
enum onr_status onri_widened_plan(struct onr_call *call, const struct onr_desc *desc, size_t *offset);
/* Run: input i as reals; NULL when it is omitted. */
const void *onri_widened_input(struct onr_call *call, size_t i, size_t offset);
/* Run: where to write output i; onri_widened_finish stores it. NULL when it is not wanted. */
void *onri_widened_output(struct onr_call *call, size_t i, size_t offset);
void onri_widened_finish(struct onr_call *call, size_t i, size_t offset);

/* count elements to reals and back; integers are rounded to nearest even and held in range. */
void onri_widened_load(enum onr_dtype dtype, const void *source, size_t count, void *target);
void onri_widened_store(enum onr_dtype dtype, const void *source, size_t count, void *target);

#endif
