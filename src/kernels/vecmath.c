/* vecmath.c: see vecmath.h. */
#include "kernels/vecmath.h"

void onri_exp_f32(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = onri_exp1(x[i]);
}

void onri_sigmoid_f32(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = onri_sigmoid1(x[i]);
}

void onri_tanh_f32(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = onri_tanh1(x[i]);
}
