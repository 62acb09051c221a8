/* math.h: y[i] = f(x[i]) on float32 arrays, in the widest variant that this processor has. x and y may be the same array.
 * Relative error below 3e-7, or 4e-7 on processors without FMA (gelu, gelu_tanh, mish: of max(|y|, |x|)); the same bits wherever an array is cut.
 * Loops of your own can inline the functions of kernels/math_inline.h. */
#ifndef ONRI_KERNELS_MATH_H
#define ONRI_KERNELS_MATH_H

#include <stddef.h>

void onri_vec_exp_f32(const float *x, float *y, size_t n);
void onri_vec_log_f32(const float *x, float *y, size_t n);
void onri_vec_sigmoid_f32(const float *x, float *y, size_t n);
void onri_vec_tanh_f32(const float *x, float *y, size_t n);
void onri_vec_erf_f32(const float *x, float *y, size_t n);
void onri_vec_gelu_f32(const float *x, float *y, size_t n);
void onri_vec_gelu_tanh_f32(const float *x, float *y, size_t n);
void onri_vec_silu_f32(const float *x, float *y, size_t n);
void onri_vec_softplus_f32(const float *x, float *y, size_t n);
void onri_vec_mish_f32(const float *x, float *y, size_t n);

#endif
