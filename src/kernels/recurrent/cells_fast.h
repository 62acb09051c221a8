/* cells_fast.h: the cells with default functions in float32, one set for each instruction set. */
#ifndef ONRI_CELLS_FAST_H
#define ONRI_CELLS_FAST_H

#include "kernels/recurrent/cells.h"

struct onri_fast_cells {
  void (*lstm)(const struct onri_cell *cell);
  void (*gru)(const struct onri_cell *cell); /* linear_before_reset */
  void (*rnn)(const struct onri_cell *cell);
};

extern const struct onri_fast_cells onri_fast_cells_base;
extern const struct onri_fast_cells onri_fast_cells_avx2;
extern const struct onri_fast_cells onri_fast_cells_avx512;

#endif
