/* cpu.h: what this processor can do, for kernels that are compiled several times. */
#ifndef ONRI_CPU_H
#define ONRI_CPU_H

#include "onnxrun/status.h"

/* Kernels beyond the base level exist in the build (cmake/library.cmake). */
#if defined(__x86_64__) && !defined(ONNXRUN_NO_WIDE_KERNELS)
#define ONRI_HAVE_AVX_KERNELS 1
#else
#define ONRI_HAVE_AVX_KERNELS 0
#endif

enum onri_cpu_level {
  ONRI_CPU_BASE,    /* what the compiler was told to assume */
  ONRI_CPU_AVX2,    /* with FMA and F16C */
  ONRI_CPU_AVXVNNI, /* and products of bytes; AVX-512 does not include it */
  ONRI_CPU_AVX512,  /* F, BW, DQ, VL */
  ONRI_CPU_VNNI,    /* and products of bytes */
  ONRI_CPU_FP16,    /* and arithmetic of float16 */
  ONRI_NUM_CPU_LEVELS
};

/* The highest level of this processor, or a lower one that the environment variable ONNXRUN_CPU names (base, avx2,
 * avxvnni, avx512, vnni, fp16) when it is first asked. Cheap; any thread. */
enum onri_cpu_level onri_cpu_level(void);
/* ARGUMENT when the variable names no level. A level that this processor lacks is no error: the highest is taken. */
enum onr_status onri_cpu_check(struct onr_error *error);

/* That level up to onri_cpu_level(), or the next lower one that the processor has all of. For tests of every level. */
enum onri_cpu_level onri_cpu_level_at(enum onri_cpu_level level);

#endif
