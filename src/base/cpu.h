/* cpu.h: what this processor can do, for kernels that are compiled several times. */
#ifndef ONRI_CPU_H
#define ONRI_CPU_H

/* Kernels named *_avx2.c and *_avx512.c exist in the build. */
#if defined(__x86_64__) && !defined(ONNXRUN_NO_WIDE_KERNELS)
#define ONRI_HAVE_AVX_KERNELS 1
#else
#define ONRI_HAVE_AVX_KERNELS 0
#endif

enum onri_cpu_level {
  ONRI_CPU_BASE,   /* what the compiler was told to assume */
  ONRI_CPU_AVX2,   /* with FMA and F16C */
  ONRI_CPU_AVX512, /* F, BW, DQ, VL */
  ONRI_NUM_CPU_LEVELS
};

/* Cheap; any thread. */
enum onri_cpu_level onri_cpu_level(void);

#endif
