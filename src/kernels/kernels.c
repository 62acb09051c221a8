/* kernels.c: see kernels.h. ONRI_COMMON_LEVELS, ONRI_DOT_LEVELS, ONRI_NARROW_LEVELS and ONRI_HALF_LEVELS name for each
 * level of the processor the one whose tables it takes; the build, which knows what it compiles, says so
 * (cmake/library.cmake). */
#include "kernels/kernels.h"

#define TABLES(family, base, avx2, avxvnni, avx512, vnni, fp16)                                               \
  extern const struct onri_##family##_kernels onri_##family##_kernels_##base, onri_##family##_kernels_##avx2, \
      onri_##family##_kernels_##avxvnni, onri_##family##_kernels_##avx512, onri_##family##_kernels_##vnni,    \
      onri_##family##_kernels_##fp16;                                                                         \
  const struct onri_##family##_kernels *const onri_##family##_levels[ONRI_NUM_CPU_LEVELS] = {                 \
      &onri_##family##_kernels_##base,   &onri_##family##_kernels_##avx2, &onri_##family##_kernels_##avxvnni, \
      &onri_##family##_kernels_##avx512, &onri_##family##_kernels_##vnni, &onri_##family##_kernels_##fp16};
#define TABLES_OF(family, levels) TABLES(family, levels)
#define COMMON(family) TABLES_OF(family, ONRI_COMMON_LEVELS)
#define DOT(family) TABLES_OF(family, ONRI_DOT_LEVELS)
#define NARROW(family) TABLES_OF(family, ONRI_NARROW_LEVELS)
#define HALF(family) TABLES_OF(family, ONRI_HALF_LEVELS)
ONRI_KERNEL_FAMILIES(COMMON)
ONRI_DOT_FAMILIES(DOT)
ONRI_NARROW_FAMILIES(NARROW)
ONRI_HALF_FAMILIES(HALF)
