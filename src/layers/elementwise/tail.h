/* tail.h: the function of struct onr_tail, which a layer applies to what it has made while that is in cache. */
#ifndef ONRI_TAIL_H
#define ONRI_TAIL_H

#include "kernels/elementwise/elementwise.h"
#include "layers/elementwise/unary_classes.h"
#include "params/tail.h"

struct onri_tail {
  struct onr_unary_params function;
  onri_unary_kernel kernel; /* NULL: */
  onri_unary_function portable;
};

/* In plan; of the class in which input 0 is computed. *tail stays zeroed where there is none. */
enum onr_status onri_tail_plan(const struct onr_call *call, const struct onr_tail *params, struct onri_tail *tail);
static inline int onri_has_tail(const struct onri_tail *tail) { return tail->portable != NULL; }
/* context: struct onri_tail. y: count elements of the class. */
void onri_tail_apply(const void *context, void *y, size_t count);

#endif
