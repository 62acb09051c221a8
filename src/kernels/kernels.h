/* kernels.h: the kernels that are compiled for several levels of the instruction set, a table a family and level.
 *
 * src/kernels/FAMILY/NAME_simd.c holds the bodies, written in simd.h's language, and defines the table
 * ONRI_AT_LEVEL(onri_FAMILY_kernels); it is compiled once a level. The family's header declares struct
 * onri_FAMILY_kernels, and its name stands in a list below. Files NAME_dot_simd.c are compiled for levels that add
 * nothing but products of bytes, too; there the other families are those of the level below. Files NAME_narrow_simd.c
 * move bytes and do little else, so that vectors of 64 bytes bring nothing: AVX-512 takes those of AVX2. Files
 * NAME_half_simd.c compute in float16 where a level can, and are compiled for the first level and those that can alone.
 */
#ifndef ONRI_KERNELS_H
#define ONRI_KERNELS_H

#include "base/cpu.h"

/* clang-format off: one a line, so that two changes do not meet */
#define ONRI_KERNEL_FAMILIES(FAMILY) \
  FAMILY(attention)                  \
  FAMILY(cell)                       \
  FAMILY(col2im)                     \
  FAMILY(conv_gemm)                  \
  FAMILY(convert)                    \
  FAMILY(cumulative)                 \
  FAMILY(depthwise)                  \
  FAMILY(elementwise)                \
  FAMILY(fft)                        \
  FAMILY(grid_sample)                \
  FAMILY(linear_attention)           \
  FAMILY(normalize)                  \
  FAMILY(pool)                       \
  FAMILY(quantize)                   \
  FAMILY(reduce)                     \
  FAMILY(resize)                     \
  FAMILY(sgemm)                      \
  FAMILY(softmax)                    \
  FAMILY(top_k)                      \
  FAMILY(transpose)                  \
  FAMILY(vecmath)                    \
  FAMILY(winograd)
/* clang-format on */
#define ONRI_DOT_FAMILIES(FAMILY) \
  FAMILY(byte_pair) FAMILY(byte_planes) FAMILY(byte_product) FAMILY(depthwise_dot) FAMILY(nbits) FAMILY(winograd_bytes)
#define ONRI_NARROW_FAMILIES(FAMILY) FAMILY(typed)
#define ONRI_HALF_FAMILIES(FAMILY) FAMILY(half_product)

/* A family's tables by level, each in a section of its own: of families that no layer calls the linker takes none. */
#define ONRI_DECLARE(family)      \
  struct onri_##family##_kernels; \
  extern const struct onri_##family##_kernels *const onri_##family##_levels[ONRI_NUM_CPU_LEVELS];
ONRI_KERNEL_FAMILIES(ONRI_DECLARE)
ONRI_DOT_FAMILIES(ONRI_DECLARE)
ONRI_NARROW_FAMILIES(ONRI_DECLARE)
ONRI_HALF_FAMILIES(ONRI_DECLARE)
#undef ONRI_DECLARE

/* The widest table of a family that this processor has, or that of the level that ONNXRUN_CPU names; any thread. */
#define onri_kernels(family) (onri_##family##_levels[onri_cpu_level()])
/* For tests. level: up to onri_cpu_level(); one that this processor lacks is the one below it. */
#define onri_kernels_at(family, level) (onri_##family##_levels[onri_cpu_level_at(level)])

#if defined(ONRI_LEVEL) /* in a file that is compiled once a level */
#define ONRI_PASTE(a, b) a##_##b
#define ONRI_PASTE_VALUES(a, b) ONRI_PASTE(a, b)
#define ONRI_AT_LEVEL(name) ONRI_PASTE_VALUES(name, ONRI_LEVEL)
#define ONRI_DECLARE(family) extern const struct onri_##family##_kernels ONRI_AT_LEVEL(onri_##family##_kernels);
ONRI_KERNEL_FAMILIES(ONRI_DECLARE)
ONRI_DOT_FAMILIES(ONRI_DECLARE)
ONRI_NARROW_FAMILIES(ONRI_DECLARE)
ONRI_HALF_FAMILIES(ONRI_DECLARE)
#undef ONRI_DECLARE
#endif

#endif
