/* convert.c: see convert.h. */
#include "kernels/convert/convert.h"

#include "kernels/kernels.h"

/* Fewer elements are not worth looking for vectors. */
enum { FEW = 4 };

static onri_conversion between(enum onr_dtype from, enum onr_dtype to, size_t count) {
  return count < FEW ? NULL : onri_conversion_of(onri_kernels(convert), from, to);
}

static const enum onr_dtype widest[] = {ONR_DTYPE_NONE, ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_I64, ONR_DTYPE_U64};

void onri_widen(enum onr_dtype dtype, const void *source, size_t count, void *target) {
  onri_widen_as(dtype, source, count, onri_dtype_class(dtype), target);
}

void onri_narrow(enum onr_dtype dtype, const void *source, size_t count, void *target) {
  const enum onr_dtype from = widest[onri_dtype_class(dtype)];
  const onri_conversion convert = between(from, dtype, count);
  if (convert) convert(source, target, count);
  else onri_store(dtype, source, count, target);
}

void onri_widen_as(enum onr_dtype dtype, const void *source, size_t count, enum onri_class c, void *target) {
  const onri_conversion convert = between(dtype, widest[c], count);
  if (convert) convert(source, target, count);
  else onri_load_as(dtype, source, count, c, target);
}

void onri_convert_elements(const struct onri_cast *cast, const void *source, void *target, size_t count) {
  const onri_conversion convert = between(cast->from, cast->to, count);
  if (convert) convert(source, target, count);
  else onri_cast_elements(cast, source, target, count);
}
