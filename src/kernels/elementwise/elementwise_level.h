/* elementwise_level.h: one table of kernels for each instruction set. */
#ifndef ONRI_ELEMENTWISE_LEVEL_H
#define ONRI_ELEMENTWISE_LEVEL_H

#include "kernels/elementwise/elementwise.h"

struct onri_elementwise_kernels {
  const onri_unary_kernel *unary;   /* [ONR_NUM_UNARY], entries may be NULL */
  const onri_binary_kernel *binary; /* [ONR_NUM_BINARY], entries may be NULL */
};

extern const struct onri_elementwise_kernels onri_elementwise_base;
extern const struct onri_elementwise_kernels onri_elementwise_avx2;
extern const struct onri_elementwise_kernels onri_elementwise_avx512;

#endif
