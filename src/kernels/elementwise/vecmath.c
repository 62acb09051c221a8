/* vecmath.c: see vecmath.h. */
#include "kernels/elementwise/vecmath.h"

#include "kernels/kernels.h"

void onri_exp_f32(const float *x, float *y, size_t count) { onri_kernels(vecmath)->exp(x, y, count); }
void onri_sigmoid_f32(const float *x, float *y, size_t count) { onri_kernels(vecmath)->sigmoid(x, y, count); }
void onri_tanh_f32(const float *x, float *y, size_t count) { onri_kernels(vecmath)->tanh(x, y, count); }
float onri_exp_sum_f32(const float *x, float shift, float *y, size_t count) {
  return onri_kernels(vecmath)->exp_sum(x, shift, y, count);
}
float onri_max_f32(const float *x, float max, size_t count) { return onri_kernels(vecmath)->max(x, max, count); }
int onri_all_finite_f32(const float *x, size_t count) { return onri_kernels(vecmath)->all_finite(x, count); }
