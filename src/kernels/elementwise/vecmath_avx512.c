/* vecmath_avx512.c: the functions of vecmath.h for AVX-512. */
#define ONRI_VECMATH onri_vecmath_avx512
#include "kernels/elementwise/vecmath_body.h"
