/* cells_avx2.c: the fast cells for AVX2. */
#define ONRI_FAST_CELLS onri_fast_cells_avx2
#include "kernels/recurrent/cells_fast_body.h"
