/* conv_tail.h: the tail of a convolution, struct onr_tail, over its results as they are computed. */
#ifndef ONRI_CONV_TAIL_H
#define ONRI_CONV_TAIL_H

#include "kernels/elementwise/elementwise.h"
#include "layers/elementwise/unary_classes.h"
#include "params/tail.h"

struct onri_conv_tail {
  struct onr_unary_params function;
  onri_unary_kernel kernel; /* NULL: */
  onri_unary_function portable;
};

/* In plan. dtype: of the convolution. *tail stays zeroed where there is none. */
enum onr_status onri_conv_tail_plan(struct onr_call *call, const struct onr_tail *params, struct onri_conv_tail *tail);
static inline int onri_conv_has_tail(const struct onri_conv_tail *tail) { return tail->portable != NULL; }
/* context: struct onri_conv_tail. y: count floats. */
void onri_conv_tail_apply(const void *context, float *y, size_t count);
/* In run: all of a tensor, float or double, on all threads. */
void onri_conv_tail_all(const struct onri_conv_tail *tail, enum onr_dtype computed, void *y, size_t count,
                        struct onr_env *env);

#endif
