/* cell_avx512.c: the fast cells for AVX-512. */
#define ONRI_FAST_CELLS onri_cell_kernels_avx512
#include "kernels/recurrent/cell_fast_body.h"
