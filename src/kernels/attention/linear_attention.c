/* linear_attention.c: see linear_attention.h. */
#include "kernels/attention/linear_attention.h"

#include "base/cpu.h"

void onri_linear_attention(const struct onri_linear_attention *attention) {
#if ONRI_HAVE_AVX_KERNELS
  switch (onri_cpu_level()) {
    case ONRI_CPU_VNNI:
    case ONRI_CPU_AVX512: onri_linear_attention_avx512(attention); return;
    case ONRI_CPU_AVX2: onri_linear_attention_avx2(attention); return;
    default: break;
  }
#endif
  onri_linear_attention_base(attention);
}
