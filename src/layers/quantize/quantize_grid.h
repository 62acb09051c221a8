/* quantize_grid.h: which scale belongs to which element: one for all, one a slice of an axis, or one a block of it. */
#ifndef ONRI_QUANTIZE_GRID_H
#define ONRI_QUANTIZE_GRID_H

#include "onnxrun/layer.h"
#include "params/elementwise.h"

/* x seen as [outer][length][inner] around the axis. */
struct onri_quantize_grid {
  enum { ONRI_GRID_TENSOR, ONRI_GRID_AXIS, ONRI_GRID_BLOCK } kind;
  size_t length, inner;
  size_t block, num_blocks; /* BLOCK */
};

/* Elements that follow each other; scale i of the run is scales[first + i * step]. */
struct onri_quantize_run {
  size_t count, first, step;
};

/* Checks inputs 1 (scale) and 2 (zero point, optional) of the call against input 0. */
enum onr_status onri_quantize_grid_make(const struct onr_call *call, struct onri_quantize_grid *grid);
/* The run that begins at element `begin`, of at most `most` elements. */
struct onri_quantize_run onri_quantize_grid_run(const struct onri_quantize_grid *grid, size_t begin, size_t most);

#endif
