/* loss.h: parameters of losses. */
#ifndef ONNXRUN_LAYERS_LOSS_H
#define ONNXRUN_LAYERS_LOSS_H

#include <stdint.h>

enum onr_loss_reduction { ONR_LOSS_NONE, ONR_LOSS_SUM, ONR_LOSS_MEAN };

/* nll_loss: -weight[target] x[target] for each place, x being log-probabilities.
 * inputs  x [N, C, d...] (float type), target [N, d...] (int32 or int64: a class, or the ignored number, which costs
 * 0), weight (optional, [C] of x's type) output  [N, d...]; or a scalar: the sum, or the sum divided by the sum of the
 * weights of what is not ignored (1 each without weight; NaN when there are none) */
struct onr_nll_loss_params {
  enum onr_loss_reduction reduction;
  int32_t has_ignored;
  int64_t ignored;
};

#endif
