#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE "ONNXRUN_CPU"

/* Levels beyond the first are in the build (cmake/library.cmake). */
#if defined(ONNXRUN_NO_WIDE_KERNELS)
#elif defined(__x86_64__)
#define HAS_AVX_KERNELS
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#define HAS_ARM_KERNELS
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#define HAS_ARM_KERNELS
#include <sys/sysctl.h>
#endif

#if defined(HAS_AVX_KERNELS)
/* Not every compiler has names for these. The registers are those of AVX2 and AVX-512. */
static int has_avxvnni(void) {
  enum { FEATURES = 7, AVX_VNNI = 1 << 4 };
  unsigned a, b, c, d;
  return __get_cpuid_count(FEATURES, 1, &a, &b, &c, &d) && (a & AVX_VNNI);
}
static int has_fp16(void) {
  enum { FEATURES = 7, AVX512_FP16 = 1 << 23 };
  unsigned a, b, c, d;
  return __get_cpuid_count(FEATURES, 0, &a, &b, &c, &d) && (d & AVX512_FP16);
}

static enum onri_cpu_level level_of_processor(void) {
  /* The compiler's run-time support asks the processor once, when the program is loaded, and includes what the
   * operating system saves of the registers. */
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return ONRI_CPU_BASE;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    if (!__builtin_cpu_supports("avx512vnni")) return ONRI_CPU_AVX512;
    return has_fp16() ? ONRI_CPU_FP16 : ONRI_CPU_VNNI;
  }
  return has_avxvnni() ? ONRI_CPU_AVXVNNI : ONRI_CPU_AVX2;
}

enum onri_cpu_level onri_cpu_level_at(enum onri_cpu_level level) {
  return level == ONRI_CPU_AVXVNNI && !has_avxvnni() ? ONRI_CPU_AVX2 : level;
}

#else
#if defined(HAS_ARM_KERNELS)
enum { FEATURE_HALF, FEATURE_DOT, NUM_FEATURES };

static int has_feature(int feature) {
#if defined(__linux__)
  static const unsigned long bits[NUM_FEATURES] = {1ul << 10, 1ul << 20}; /* ASIMDHP, ASIMDDP: old headers lack them */
  return (getauxval(AT_HWCAP) & bits[feature]) != 0;
#else
  static const char *const names[NUM_FEATURES] = {"hw.optional.arm.FEAT_FP16", "hw.optional.arm.FEAT_DotProd"};
  int value = 0;
  size_t size = sizeof(value);
  return !sysctlbyname(names[feature], &value, &size, NULL, 0) && value;
#endif
}

static enum onri_cpu_level level_of_processor(void) {
  return has_feature(FEATURE_HALF) && has_feature(FEATURE_DOT) ? ONRI_CPU_DOT : ONRI_CPU_BASE;
}
#else
static enum onri_cpu_level level_of_processor(void) { return ONRI_CPU_BASE; }
#endif

enum onri_cpu_level onri_cpu_level_at(enum onri_cpu_level level) { return level; }
#endif

/* ONRI_NUM_CPU_LEVELS: no name of a level. */
static int level_of_name(const char *name) {
#define NAME(unused, text) #text,
  static const char *const names[ONRI_NUM_CPU_LEVELS] = {ONRI_CPU_LEVELS(NAME)};
#undef NAME
  int level = 0;
  while (level < ONRI_NUM_CPU_LEVELS && strcmp(name, names[level])) level++;
  return level;
}

static enum onri_cpu_level level_of_environment(enum onri_cpu_level most) {
  const char *asked = getenv(VARIABLE);
  const int level = asked ? level_of_name(asked) : ONRI_NUM_CPU_LEVELS;
  return level < (int)most ? onri_cpu_level_at((enum onri_cpu_level)level) : most;
}

enum onr_status onri_cpu_check(struct onr_error *error) {
  const char *asked = getenv(VARIABLE);
  if (!asked || !*asked || level_of_name(asked) < ONRI_NUM_CPU_LEVELS) return ONR_STATUS_OK;
#define NAME(unused, text) " " #text
  return onr_fail(error, ONR_STATUS_ARGUMENT,
                  "the environment variable " VARIABLE ": expected one of" ONRI_CPU_LEVELS(NAME) ", found '%.32s'",
                  asked);
#undef NAME
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
