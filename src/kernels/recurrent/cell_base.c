/* cell_base.c: the fast cells for what the compiler assumes of the processor. */
#define ONRI_FAST_CELLS onri_cell_kernels_base
#include "kernels/recurrent/cell_fast_body.h"
