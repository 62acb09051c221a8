/* vecmath_avx2.c: the functions of vecmath.h for AVX2. */
#define ONRI_VECMATH onri_vecmath_avx2
#include "kernels/elementwise/vecmath_body.h"
