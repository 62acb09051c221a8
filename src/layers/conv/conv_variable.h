/* conv_variable.h: convolutions whose weights are an input of each run, as products (kernels/conv/conv_gemm.h): they
 * are packed, and the bias, each time. Part of conv.h's layers, not for conv_transpose. */
#ifndef ONRI_CONV_VARIABLE_H
#define ONRI_CONV_VARIABLE_H

#include "layers/conv/conv.h"

/* In plan, with state->conv, weight and bias: takes scratch where it pays, and says so in state->variable. */
enum onr_status onri_conv_variable_plan(struct onr_call *call);
/* 0: the weights are not finite, which are multiplied by padding: the portable kernel must do it. */
int onri_conv_variable_run(struct onr_call *call);

#endif
