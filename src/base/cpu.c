#include "base/cpu.h"

enum onri_cpu_level onri_cpu_level(void) {
#if ONRI_HAVE_AVX_KERNELS
  /* The compiler's run-time support asks the processor once, when the program is loaded, and includes what the
   * operating system saves of the registers. */
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return ONRI_CPU_BASE;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return ONRI_CPU_AVX512;
  return ONRI_CPU_AVX2;
#else
  return ONRI_CPU_BASE;
#endif
}
