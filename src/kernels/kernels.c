/* kernels.c: see kernels.h. */
#include "kernels/kernels.h"

extern const struct onri_kernels onri_kernels_base, onri_kernels_avx2, onri_kernels_avx512, onri_kernels_vnni;

const struct onri_kernels *onri_kernels_of_level(enum onri_cpu_level level) {
#if ONRI_HAVE_AVX_KERNELS
  static const struct onri_kernels *const levels[ONRI_NUM_CPU_LEVELS] = {&onri_kernels_base, &onri_kernels_avx2,
                                                                         &onri_kernels_avx512, &onri_kernels_vnni};
  return levels[level];
#else
  (void)level;
  return &onri_kernels_base;
#endif
}

const struct onri_kernels *onri_kernels(void) { return onri_kernels_of_level(onri_cpu_level()); }
