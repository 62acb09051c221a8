/* resize_base.c: interpolation passes of float32 for what the compiler assumes of the processor. */
#include "kernels/resize/resize_level.h"

#define REAL float
#define NAME(x) x##_f32
#include "kernels/resize/resize.inc"

void onri_resize_rows_base(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end) {
  rows_f32(pass, x, y, begin, end);
}
