/* pool.c: portable pools, for float32 and float64. */
#include "kernels/pool.h"

#include <math.h>

#define BLOCK 64 /* channels at a time */

static float root_f32(float sum, int32_t p) { return p == 1 ? sum : p == 2 ? sqrtf(sum) : powf(sum, 1.0f / (float)p); }
static double root_f64(double sum, int32_t p) { return p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1.0 / p); }

#define REAL float
#define NAME(x) x##_f32
#define POW powf
#define ABS fabsf
#define ROOT root_f32
#include "kernels/pool.inc"
#undef REAL
#undef NAME
#undef POW
#undef ABS
#undef ROOT

#define REAL double
#define NAME(x) x##_f64
#define POW pow
#define ABS fabs
#define ROOT root_f64
#include "kernels/pool.inc"
