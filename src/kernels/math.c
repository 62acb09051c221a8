#include "kernels/math.h"

#include "kernels/elementwise.h"

#define VECTOR(name, op) \
  void onri_vec_##name##_f32(const float *x, float *y, size_t n) { onri_unary_kernel_f32(ONR_UNARY_##op)(x, y, n, 1.0f, 0.0f); }

VECTOR(exp, EXP)
VECTOR(log, LOG)
VECTOR(sigmoid, SIGMOID)
VECTOR(tanh, TANH)
VECTOR(erf, ERF)
VECTOR(gelu, GELU)
VECTOR(gelu_tanh, GELU_TANH)
VECTOR(silu, SWISH)
VECTOR(softplus, SOFTPLUS)
VECTOR(mish, MISH)
