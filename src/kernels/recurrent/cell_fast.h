/* cell_fast.h: the cells with default functions in float32, one set for each instruction set. */
#ifndef ONRI_CELL_FAST_H
#define ONRI_CELL_FAST_H

#include "kernels/recurrent/cell.h"

struct onri_cell_kernels {
  void (*lstm)(const struct onri_cell *cell);
  void (*gru)(const struct onri_cell *cell); /* linear_before_reset */
  void (*rnn)(const struct onri_cell *cell);
};

extern const struct onri_cell_kernels onri_cell_kernels_base;
extern const struct onri_cell_kernels onri_cell_kernels_avx2;
extern const struct onri_cell_kernels onri_cell_kernels_avx512;

#endif
