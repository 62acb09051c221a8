/* cells_base.c: the fast cells for what the compiler assumes of the processor. */
#define ONRI_FAST_CELLS onri_fast_cells_base
#include "kernels/recurrent/cells_fast_body.h"
