#define ONRI_LEVEL_TABLE onri_elementwise_base
#include "kernels/elementwise/elementwise_body.h"

#include "base/cpu.h"

static const struct onri_elementwise_kernels *kernels_of_this_processor(void) {
#if ONRI_HAVE_AVX_KERNELS
  switch (onri_cpu_level()) {
    case ONRI_CPU_AVX512: return &onri_elementwise_avx512;
    case ONRI_CPU_AVX2: return &onri_elementwise_avx2;
    default: break;
  }
#endif
  return &onri_elementwise_base;
}

onri_unary_kernel onri_unary_kernel_f32(enum onr_unary op) { return kernels_of_this_processor()->unary[op]; }

onri_binary_kernel onri_binary_kernel_f32(enum onr_binary op) { return kernels_of_this_processor()->binary[op]; }
