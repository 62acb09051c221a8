/* quantize.h: float32 to 8 and 16 bits and back, and the range of a float32 array, in vectors. */
#ifndef ONRI_KERNELS_QUANTIZE_H
#define ONRI_KERNELS_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/tensor.h"

/* Types that the kernels know; -1: none of them. */
enum { ONRI_STEPS_U8, ONRI_STEPS_I8, ONRI_STEPS_U16, ONRI_STEPS_I16, ONRI_NUM_STEPS };
static inline int onri_steps_of(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_U8    ? ONRI_STEPS_U8
         : dtype == ONR_DTYPE_I8  ? ONRI_STEPS_I8
         : dtype == ONR_DTYPE_U16 ? ONRI_STEPS_U16
         : dtype == ONR_DTYPE_I16 ? ONRI_STEPS_I16
                                  : -1;
}

struct onri_quantize_kernels {
  /* y = saturate(round(x / scale) + zero_point), half to even; a NaN quotient counts as 0. */
  void (*to[ONRI_NUM_STEPS])(const float *x, void *y, size_t count, float scale, float zero_point);
  /* y = (x - zero_point) scale */
  void (*from[ONRI_NUM_STEPS])(const void *x, float *y, size_t count, float scale, float zero_point);
  /* Where each element has a scale and a zero point: y = round(x / scale) + zero_point, y = (x - zero_point) scale; y
   * may be x. */
  void (*divide)(const float *x, float *y, size_t count, const float *scales, const float *zero_points);
  void (*multiply)(const float *x, float *y, size_t count, const float *scales, const float *zero_points);
  /* sums[i] = of x[r * row_step + i] over r < rows: bytes, unsigned or not; no more than 2^23 of them. */
  void (*sums)(const void *x, size_t rows, size_t row_step, size_t count, int is_signed, int32_t *sums);
  /* sums[r] = of x[r * length + i] over i < length, as above. */
  void (*line_sums)(const void *x, size_t rows, size_t length, int is_signed, int32_t *sums);
  /* y[i] = table[x[i]], of 256 bytes; y may be x. */
  void (*table)(const uint8_t *x, uint8_t *y, size_t count, const uint8_t *table);
  /* Least and greatest of x and 0; NaN is passed over. */
  void (*range)(const float *x, size_t count, float *least, float *greatest);
};

#endif
