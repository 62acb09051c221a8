/* conv_fast.h: convolutions in float16, for ONR_PRECISION_FAST. Part of conv.h's layers. */
#ifndef ONRI_CONV_FAST_H
#define ONRI_CONV_FAST_H

#include "layers/conv/conv.h"

/* Why a convolution is, or is not going to be, computed in another way, in a few words. NULL, in prepare: it may be
 * prepared so, where its weights are finite. */
const char *onri_conv_fast_why_not(const struct onr_call *call, const struct onri_conv *c);
enum onr_status onri_conv_fast_prepare(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight);
enum onr_status onri_conv_fast_plan(struct onr_call *call);
enum onr_status onri_conv_fast_run(struct onr_call *call);

#endif
