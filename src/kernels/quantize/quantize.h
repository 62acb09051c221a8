/* quantize.h: float32 to 8 bits and back, and the range of a float32 array, in vectors. */
#ifndef ONRI_KERNELS_QUANTIZE_H
#define ONRI_KERNELS_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

struct onri_quantize_kernels {
  /* y = saturate(round(x / scale) + zero_point), half to even; a NaN quotient counts as 0. */
  void (*to_u8)(const float *x, uint8_t *y, size_t count, float scale, float zero_point);
  void (*to_i8)(const float *x, int8_t *y, size_t count, float scale, float zero_point);
  /* y = (x - zero_point) scale */
  void (*from_u8)(const uint8_t *x, float *y, size_t count, float scale, float zero_point);
  void (*from_i8)(const int8_t *x, float *y, size_t count, float scale, float zero_point);
  /* Least and greatest of x and 0; NaN is passed over. */
  void (*range)(const float *x, size_t count, float *least, float *greatest);
};

#endif
