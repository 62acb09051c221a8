/* convert_f64.c: any numeric type as doubles and back, through the class of the type. */
#include "base/numbers/convert.h"

enum { BLOCK = 64 };

union block {
  float f32[BLOCK];
  double f64[BLOCK];
  int64_t i64[BLOCK];
  uint64_t u64[BLOCK];
};

void onri_load_f64(enum onr_dtype dtype, const void *source, size_t count, double *target) {
  const enum onri_class class = onri_dtype_class(dtype);
  const size_t size = onr_dtype_size(dtype);
  for (size_t at = 0; at < count; at += BLOCK) {
    const size_t n = count - at < BLOCK ? count - at : BLOCK;
    union block b;
    onri_load(dtype, (const char *)source + at * size, n, &b);
    for (size_t k = 0; k < n; k++)
      target[at + k] = class == ONRI_CLASS_F32   ? (double)b.f32[k]
                       : class == ONRI_CLASS_F64 ? b.f64[k]
                       : class == ONRI_CLASS_I64 ? (double)b.i64[k]
                                                 : (double)b.u64[k];
  }
}

/* Values that no int64 holds become 0: a cast would be undefined. */
static int64_t to_integer(double value) { return value > -9.2e18 && value < 9.2e18 ? (int64_t)value : 0; }

void onri_store_f64(enum onr_dtype dtype, const double *source, size_t count, void *target) {
  const enum onri_class class = onri_dtype_class(dtype);
  const size_t size = onr_dtype_size(dtype);
  for (size_t at = 0; at < count; at += BLOCK) {
    const size_t n = count - at < BLOCK ? count - at : BLOCK;
    union block b;
    for (size_t k = 0; k < n; k++) {
      if (class == ONRI_CLASS_F32) b.f32[k] = (float)source[at + k];
      else if (class == ONRI_CLASS_F64) b.f64[k] = source[at + k];
      else b.i64[k] = to_integer(source[at + k]);
    }
    onri_store(dtype, &b, n, (char *)target + at * size);
  }
}
