/* kernels_dot_simd.c: the table of one level. */
#include "kernels/kernels.h"

#define COMMON(family) .family = &ONRI_AT_COMMON_LEVEL(onri_##family##_kernels),
#define DOT(family) .family = &ONRI_AT_LEVEL(onri_##family##_kernels),
#define NARROW(family) .family = &ONRI_AT_NARROW_LEVEL(onri_##family##_kernels),
extern const struct onri_kernels ONRI_AT_LEVEL(onri_kernels);
const struct onri_kernels ONRI_AT_LEVEL(onri_kernels) = {ONRI_KERNEL_FAMILIES(COMMON) ONRI_DOT_FAMILIES(DOT)
                                                             ONRI_NARROW_FAMILIES(NARROW)};
