/* vecmath_level.h: one table of the functions of vecmath.h for each instruction set. */
#ifndef ONRI_VECMATH_LEVEL_H
#define ONRI_VECMATH_LEVEL_H

#include "kernels/elementwise/vecmath.h"

struct onri_vecmath {
  void (*exp)(const float *x, float *y, size_t count);
  void (*sigmoid)(const float *x, float *y, size_t count);
  void (*tanh)(const float *x, float *y, size_t count);
  float (*exp_sum)(const float *x, float shift, float *y, size_t count);
  float (*max)(const float *x, float max, size_t count);
  int (*all_finite)(const float *x, size_t count);
};

extern const struct onri_vecmath onri_vecmath_base;
extern const struct onri_vecmath onri_vecmath_avx2;
extern const struct onri_vecmath onri_vecmath_avx512;

#endif
