/* cast.h: from any numeric type to any other. */
#ifndef ONRI_CAST_H
#define ONRI_CAST_H

#include "base/numbers/convert.h"

/* Truncated; NaN gives 0; saturates. */
static inline int64_t onri_f64_to_i64(double v) {
  if (v != v) return 0;
  if (v >= 9223372036854775808.0) return INT64_MAX;
  return v < -9223372036854775808.0 ? INT64_MIN : (int64_t)v;
}
/* Truncated; NaN gives 0; saturates above; a negative value wraps, as if it had been an int64 before. */
static inline uint64_t onri_f64_to_u64(double v) {
  if (!(v >= 9223372036854775808.0)) return (uint64_t)onri_f64_to_i64(v);
  return v >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)v;
}

/* count elements of dtype as values of class c. Class NONE on either side: nothing happens. */
void onri_load_as(enum onr_dtype dtype, const void *source, size_t count, enum onri_class c, void *target);

struct onri_cast {
  enum onr_dtype from, to;
  int saturate;                /* float8 targets */
  enum onri_rounding rounding; /* float8e8m0 target */
};
/* Floats to integers: truncated, NaN gives 0, int32 and 64-bit types saturate, narrower ones wrap. Integers wrap.
 * Anything but 0 is true. Float targets round once, to nearest even. Neither side need be aligned; target may be source
 * when the elements have one size. */
void onri_cast_elements(const struct onri_cast *cast, const void *source, void *target, size_t count);

#endif
