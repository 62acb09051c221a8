/* vecmath.h: lines of float32. Functions are right to a relative error below 3e-7; NaN stays NaN. y may be x. */
#ifndef ONRI_VECMATH_H
#define ONRI_VECMATH_H

#include <stddef.h>

struct onri_vecmath_kernels {
  void (*exp)(const float *x, float *y, size_t count);
  void (*sigmoid)(const float *x, float *y, size_t count);
  void (*tanh)(const float *x, float *y, size_t count);
  /* y = exp(x - shift); returns the sum of y. */
  float (*exp_sum)(const float *x, float shift, float *y, size_t count);
  double (*exp_sum_f64)(const double *x, double shift, double *y, size_t count);
  /* Largest of x and max; NaN is skipped. */
  float (*max)(const float *x, float max, size_t count);
  /* False when x has a NaN or an infinity. */
  int (*all_finite)(const float *x, size_t count);
  /* Element by element. */
  void (*max_each)(const float *x, float *max, size_t count);
  void (*exp_add_each)(const float *x, const float *shift, double *sum, size_t count); /* sum += exp(x - shift) */
  void (*exp_scale_each)(const float *x, const float *shift, const float *scale, float *y, size_t count);
};

/* Of this processor. */
void onri_exp_f32(const float *x, float *y, size_t count);
void onri_sigmoid_f32(const float *x, float *y, size_t count);
void onri_tanh_f32(const float *x, float *y, size_t count);
float onri_exp_sum_f32(const float *x, float shift, float *y, size_t count);
float onri_max_f32(const float *x, float max, size_t count);
int onri_all_finite_f32(const float *x, size_t count);

#endif
