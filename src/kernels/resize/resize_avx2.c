/* resize_avx2.c: interpolation passes of float32 for AVX2. */
#include "kernels/resize/resize_level.h"

#define REAL float
#define NAME(x) x##_f32
#include "kernels/resize/resize.inc"

void onri_resize_rows_avx2(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end) {
  rows_f32(pass, x, y, begin, end);
}
