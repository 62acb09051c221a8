/* cells_avx512.c: the fast cells for AVX-512. */
#define ONRI_FAST_CELLS onri_fast_cells_avx512
#include "kernels/recurrent/cells_fast_body.h"
