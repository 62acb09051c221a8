/* level.h: what the level has that is compiled for: how wide and how many its registers are, what it multiplies in one
 * instruction.
 * See simd.h. */
#ifndef ONRI_SIMD_LEVEL_H
#define ONRI_SIMD_LEVEL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__i386__) && !defined(__SSE2_MATH__)
#error "kernels round as floats do, which x87 does not: compile for i686 with -msse2 -mfpmath=sse"
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#if defined(__AVX512F__)
#define SIMD_BYTES 64
#define SIMD_REGISTERS 32
#elif defined(__AVX2__)
#define SIMD_BYTES 32
#define SIMD_REGISTERS 16
#elif defined(__aarch64__)
#define SIMD_BYTES 16
#define SIMD_REGISTERS 32
#else
#define SIMD_BYTES 16
#define SIMD_REGISTERS 16
#endif

#if defined(__FMA__) || defined(__aarch64__) || defined(__ARM_FEATURE_FMA)
#define HAS_FMA 1
#else
#define HAS_FMA 0
#endif

/* f32_fma_lane: instructions multiply by one lane of a vector. */
#if defined(__aarch64__)
#define FMA_HAS_LANES 1
#else
#define FMA_HAS_LANES 0
#endif

/* Products of bytes, four of which are added up: i32_dot_bytes, whose first factors have signs (DOT_IS_SIGNED) or none.
 */
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define HAS_DOT_BYTES 1
#define DOT_IS_SIGNED 0
#define DOT_HAS_LANES 0
#elif defined(__ARM_FEATURE_DOTPROD)
#define HAS_DOT_BYTES 1
#define DOT_IS_SIGNED 1
#define DOT_HAS_LANES 1
#else
#define HAS_DOT_BYTES 0
#define DOT_IS_SIGNED 0
#define DOT_HAS_LANES 0
#endif

/* Checks of sanitizers between all these instructions take compilers minutes, once they are inlined and unrolled. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SIMD_IS_CHECKED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIMD_IS_CHECKED 1
#endif

#if defined(SIMD_IS_CHECKED)
#define INLINE static inline __attribute__((unused))
#define UNROLL
#elif defined(__clang__)
#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("GCC unroll 64")
#endif

#define SIMD_FUNCTION static __attribute__((noinline, unused))

/* It is soon to be read. */
INLINE void simd_prefetch(const void *p) { __builtin_prefetch(p); }
/* The same for vector k of some in a row: each line of the cache once. */
INLINE void simd_prefetch_vector(const void *p, const int k) {
  if (k * SIMD_BYTES % 64 == 0) simd_prefetch(p);
}

#endif
