#define ONRI_LEVEL_TABLE onri_quantize_base
#include "kernels/quantize/quantize_body.h"

#include "base/cpu.h"

const struct onri_quantize_kernels *onri_quantize_kernels(void) {
#if ONRI_HAVE_AVX_KERNELS
  switch (onri_cpu_level()) {
    case ONRI_CPU_VNNI:
    case ONRI_CPU_AVX512: return &onri_quantize_avx512;
    case ONRI_CPU_AVX2: return &onri_quantize_avx2;
    default: break;
  }
#endif
  return &onri_quantize_base;
}
