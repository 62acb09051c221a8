/* vecmath_base.c: the functions of vecmath.h for what the compiler assumes of the processor. */
#define ONRI_VECMATH onri_vecmath_base
#include "kernels/elementwise/vecmath_body.h"
