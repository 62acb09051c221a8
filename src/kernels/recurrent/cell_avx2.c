/* cell_avx2.c: the fast cells for AVX2. */
#define ONRI_FAST_CELLS onri_cell_kernels_avx2
#include "kernels/recurrent/cell_fast_body.h"
