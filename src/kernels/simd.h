/* simd.h: the vector language in which kernels are written once for all instruction sets.
 *
 * A file src/kernels/FAMILY/NAME_simd.c is compiled once for each level (cmake/library.cmake), with the level's
 * compiler flags, and vectors are as wide as a register of it. They are vectors of the compiler (GCC and clang): + - *
 * / & | ^ <<
 * >> and comparisons, which give -1 or 0 in each lane, work on them as on numbers; here is what is missing from these.
 *
 *   vf32 vf64           float, double         vi32 vu32 vi64 vu64   integers of 32 and 64 bits
 *   F32_LANES ...       how many lie in one vector
 *   X_load, X_store     memory of any alignment; X_load_part, X_store_part touch the first `count` elements alone,
 *                       count from 0 to more than a vector; lanes behind them are 0
 *   f32_least(a, b)     a < b ? a : b, lane by lane: where one is NaN, b. To keep a NaN of x: f32_least(limit, x)
 *   f32_fma(a, b, c)    a * b + c, rounded once where the processor can (HAS_FMA)
 */
#ifndef ONRI_SIMD_H
#define ONRI_SIMD_H

#include "kernels/simd/across.h"
#include "kernels/simd/convert.h"
#include "kernels/simd/dot.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/level.h"
#include "kernels/simd/memory.h"
#include "kernels/simd/reduce.h"

/* Of kernels (not of the language) the compiler decides what is worth a copy for each size: of all of them where
 * ONRI_PLAIN is 2, of those that do not say ONRI_TILED where it is 1. Tiles that are not unrolled are no registers. */
#if !defined(ONRI_TILED)
#define ONRI_TILED 0
#endif
#if defined(ONRI_PLAIN) && ONRI_PLAIN > ONRI_TILED
#undef INLINE
#undef UNROLL
#define INLINE static inline __attribute__((unused))
#define UNROLL
#define ONRI_IS_PLAIN 1
#else
#define ONRI_IS_PLAIN 0
#endif

#endif
