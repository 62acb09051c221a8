/* kernels.c: see kernels.h. ONRI_COMMON_LEVELS, ONRI_DOT_LEVELS, ONRI_NARROW_LEVELS and ONRI_HALF_LEVELS name for each
 * level of the processor the one whose tables it takes; the build, which knows what it compiles, says so
 * (cmake/library.cmake). */
#include "kernels/kernels.h"

#define OF(family, level) onri_##family##_kernels_##level
#define ARRAY(family) const struct onri_##family##_kernels *const onri_##family##_levels[ONRI_NUM_CPU_LEVELS]
#if defined(__aarch64__)
#define TABLES(family, base, dot)                                                \
  extern const struct onri_##family##_kernels OF(family, base), OF(family, dot); \
  ARRAY(family) = {&OF(family, base), &OF(family, dot)};
#else
#define TABLES(family, base, avx2, avxvnni, avx512, vnni, fp16)                                        \
  extern const struct onri_##family##_kernels OF(family, base), OF(family, avx2), OF(family, avxvnni), \
      OF(family, avx512), OF(family, vnni), OF(family, fp16);                                          \
  ARRAY(family) = {&OF(family, base),   &OF(family, avx2), &OF(family, avxvnni),                       \
                   &OF(family, avx512), &OF(family, vnni), &OF(family, fp16)};
#endif
#define TABLES_OF(family, levels) TABLES(family, levels)
#define COMMON(family) TABLES_OF(family, ONRI_COMMON_LEVELS)
#define DOT(family) TABLES_OF(family, ONRI_DOT_LEVELS)
#define NARROW(family) TABLES_OF(family, ONRI_NARROW_LEVELS)
#define HALF(family) TABLES_OF(family, ONRI_HALF_LEVELS)
ONRI_KERNEL_FAMILIES(COMMON)
ONRI_DOT_FAMILIES(DOT)
ONRI_NARROW_FAMILIES(NARROW)
ONRI_HALF_FAMILIES(HALF)
