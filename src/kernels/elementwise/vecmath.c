/* vecmath.c: see vecmath.h. */
#include "kernels/elementwise/vecmath.h"

#include "base/cpu.h"
#include "kernels/elementwise/vecmath_level.h"

static const struct onri_vecmath *vecmath(void) {
#if ONRI_HAVE_AVX_KERNELS
  switch (onri_cpu_level()) {
    case ONRI_CPU_AVX512: return &onri_vecmath_avx512;
    case ONRI_CPU_AVX2: return &onri_vecmath_avx2;
    default: break;
  }
#endif
  return &onri_vecmath_base;
}

void onri_exp_f32(const float *x, float *y, size_t count) { vecmath()->exp(x, y, count); }
void onri_sigmoid_f32(const float *x, float *y, size_t count) { vecmath()->sigmoid(x, y, count); }
void onri_tanh_f32(const float *x, float *y, size_t count) { vecmath()->tanh(x, y, count); }
float onri_exp_sum_f32(const float *x, float shift, float *y, size_t count) {
  return vecmath()->exp_sum(x, shift, y, count);
}
float onri_max_f32(const float *x, float max, size_t count) { return vecmath()->max(x, max, count); }
int onri_all_finite_f32(const float *x, size_t count) { return vecmath()->all_finite(x, count); }
