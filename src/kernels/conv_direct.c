/* conv_direct.c: the portable convolution, for float32 and float64. */
#include "kernels/conv_direct.h"

#define BLOCK 64 /* output channels in registers and L1 at a time */

#define REAL float
#define NAME(x) x##_f32
#include "kernels/conv_direct.inc"
#undef REAL
#undef NAME

#define REAL double
#define NAME(x) x##_f64
#include "kernels/conv_direct.inc"
