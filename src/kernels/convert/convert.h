/* convert.h: from one element type to another, in vectors where the two are common: onri_load, onri_store, onri_load_as
 * and onri_cast_elements of src/base/numbers with the same results, but faster; those do what has no vectors here.
 *
 * Source and target may be unaligned; a target may be its source when the elements have one size. */
#ifndef ONRI_KERNELS_CONVERT_H
#define ONRI_KERNELS_CONVERT_H

#include "base/numbers/cast.h"

typedef void (*onri_conversion)(const void *source, void *target, size_t count);

struct onri_convert_kernels {
  const uint8_t (*number)[ONR_NUM_DTYPES]; /* [from][to]: which of the conversions; 0 is none */
  const onri_conversion *conversions;
};

/* NULL: none. Not for float8 and the like, nor for what rounds twice. */
static inline onri_conversion onri_conversion_of(const struct onri_convert_kernels *kernels, enum onr_dtype from,
                                                 enum onr_dtype to) {
  return kernels->conversions[kernels->number[from][to]];
}

/* Into the class of the type, and back. */
void onri_widen(enum onr_dtype dtype, const void *source, size_t count, void *target);
void onri_narrow(enum onr_dtype dtype, const void *source, size_t count, void *target);
/* As values of class c. */
void onri_widen_as(enum onr_dtype dtype, const void *source, size_t count, enum onri_class c, void *target);
void onri_convert_elements(const struct onri_cast *cast, const void *source, void *target, size_t count);

#endif
