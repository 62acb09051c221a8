/* normalize.h: what the normalisation layers share. x is input 0, scale and bias are inputs 1 and 2. */
#ifndef ONRI_LAYER_NORMALIZE_H
#define ONRI_LAYER_NORMALIZE_H

#include "kernels/norm/normalize.h"
#include "onnxrun/layer.h"

struct onri_normalize_state {
  struct onri_normalize kernel; /* its pointers are set in run */
  struct onr_desc entries;      /* scale and bias are broadcast to it */
  size_t scale_at, bias_at;     /* where they lie in scratch when they are not used in place */
  size_t grain;
};

/* TYPE and SHAPE checks of scale and bias against `entries`. */
enum onr_status onri_normalize_check(const struct onr_call *call, const struct onr_desc *entries);
/* Fills in what follows from kernel.slices, kernel.rows, kernel.run and `entries`, and asks for scratch. */
void onri_normalize_plan(struct onr_call *call, struct onri_normalize_state *state);
void onri_normalize_run(struct onr_call *call, struct onri_normalize_state *state);

#endif
