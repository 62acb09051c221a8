/* kernel_levels.h: kernels of every instruction set of the build, so that each is tried on every one that this
 * processor has, and not on the widest alone.
 *
 *   static const struct onri_quantize_kernels *const levels[] = KERNEL_LEVELS(&onri_quantize);
 *   for (size_t l = 0; l < kernel_levels(); l++) check(levels[l]);
 *
 * tests/kernels/test_levels.sh asks that all kernels with such variants are in a list like this. */
#ifndef KERNEL_LEVELS_H
#define KERNEL_LEVELS_H

#include <stddef.h>

#include "base/cpu.h"

#if ONRI_HAVE_AVX_KERNELS
#define KERNEL_LEVELS(name) \
  { name##_base, name##_avx2, name##_avx512 }
#else
#define KERNEL_LEVELS(name) \
  { name##_base }
#endif

static const char *const kernel_level_names[] = {"base", "AVX2", "AVX-512"};

/* Entries of such a list that this processor can run. */
static inline size_t kernel_levels(void) {
  return !ONRI_HAVE_AVX_KERNELS ? 1 : onri_cpu_level() > ONRI_CPU_AVX512 ? 3 : (size_t)onri_cpu_level() + 1;
}

#endif
