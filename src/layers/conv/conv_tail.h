/* conv_tail.h: what a convolution does with its sums, which are computed in float or double: residual, clamp, and
 * struct onr_tail. Kernels that do not do it themselves have it done behind them. */
#ifndef ONRI_CONV_TAIL_H
#define ONRI_CONV_TAIL_H

#include "layers/elementwise/tail.h"
#include "params/clamp.h"

struct onri_conv_tail {
  struct onri_tail function;
  struct onr_clamp clamp; /* of a sum with the residual; without one it is the kernels' */
};

/* In plan. *tail stays zeroed where there is none. */
enum onr_status onri_conv_tail_plan(struct onr_call *call, const struct onr_clamp *clamp, const struct onr_tail *params,
                                    struct onri_conv_tail *tail);
static inline int onri_conv_has_tail(const struct onri_conv_tail *tail) { return onri_has_tail(&tail->function); }
/* The function alone. context: struct onri_conv_tail. y: count floats. */
void onri_conv_tail_apply(const void *context, float *y, size_t count);
/* In run: all of a tensor, float or double, on all threads. residual: NULL: none, or it was added and clamped before.
 */
void onri_conv_tail_all(const struct onri_conv_tail *tail, enum onr_dtype computed, const void *residual, void *y,
                        size_t count, struct onr_env *env);

#endif
