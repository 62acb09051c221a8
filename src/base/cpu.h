/* cpu.h: what this processor can do, for kernels that are compiled several times. */
#ifndef ONRI_CPU_H
#define ONRI_CPU_H

#include "onnxrun/status.h"

/* The levels of an architecture: the first is what the compiler was told to assume. */
#if defined(__aarch64__)
#define ONRI_CPU_LEVELS(X) \
  X(BASE, base)            \
  X(DOT, dot) /* products of bytes, and arithmetic of float16 */
#else
#define ONRI_CPU_LEVELS(X)                                                     \
  X(BASE, base)                                                                \
  X(AVX2, avx2)       /* with FMA and F16C */                                  \
  X(AVXVNNI, avxvnni) /* and products of bytes; AVX-512 does not include it */ \
  X(AVX512, avx512)   /* F, BW, DQ, VL */                                      \
  X(VNNI, vnni)       /* and products of bytes */                              \
  X(FP16, fp16)       /* and arithmetic of float16 */
#endif

enum onri_cpu_level {
#define ONRI_LEVEL_OF(name, text) ONRI_CPU_##name,
  ONRI_CPU_LEVELS(ONRI_LEVEL_OF)
#undef ONRI_LEVEL_OF
      ONRI_NUM_CPU_LEVELS
};

/* The highest level of this processor, or a lower one that the environment variable ONNXRUN_CPU names when it is first
 * asked. Cheap; any thread. */
enum onri_cpu_level onri_cpu_level(void);
/* ARGUMENT when the variable names no level. A level that this processor lacks is no error: the highest is taken. */
enum onr_status onri_cpu_check(struct onr_error *error);

/* That level up to onri_cpu_level(), or the next lower one that the processor has all of. For tests of every level. */
enum onri_cpu_level onri_cpu_level_at(enum onri_cpu_level level);

#endif
