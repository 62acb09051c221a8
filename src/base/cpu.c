#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static enum onri_cpu_level level_of_processor(void) {
#if ONRI_HAVE_AVX_KERNELS
  /* The compiler's run-time support asks the processor once, when the program is loaded, and includes what the
   * operating system saves of the registers. */
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return ONRI_CPU_BASE;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return __builtin_cpu_supports("avx512vnni") ? ONRI_CPU_VNNI : ONRI_CPU_AVX512;
  return ONRI_CPU_AVX2;
#else
  return ONRI_CPU_BASE;
#endif
}

static enum onri_cpu_level level_of_environment(enum onri_cpu_level most) {
  static const char *const names[ONRI_NUM_CPU_LEVELS] = {"base", "avx2", "avx512", "vnni"};
  const char *asked = getenv("ONNXRUN_CPU");
  for (int level = 0; asked && level < (int)most; level++)
    if (strcmp(asked, names[level]) == 0) return (enum onri_cpu_level)level;
  return most;
}

enum onri_cpu_level onri_cpu_level(void) {
  static atomic_int known; /* level + 1; whoever is first finds the same */
  int level = atomic_load_explicit(&known, memory_order_relaxed);
  if (level == 0) {
    level = (int)level_of_environment(level_of_processor()) + 1;
    atomic_store_explicit(&known, level, memory_order_relaxed);
  }
  return (enum onri_cpu_level)(level - 1);
}
