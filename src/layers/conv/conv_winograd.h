/* conv_winograd.h: a convolution by kernels/conv/winograd.h: float32 and narrower, channels-last, constant weights. */
#ifndef ONRI_CONV_WINOGRAD_H
#define ONRI_CONV_WINOGRAD_H

#include "kernels/conv/winograd.h"
#include "layers/elementwise/scratch.h"

struct onri_conv_winograd {
  struct onri_winograd how;
  float *weights; /* packed; NULL: it is done another way */
};

/* In prepare; sizes in c may be 0: unknown. weight: as for onri_conv_pack_f32. */
enum onr_status onri_conv_winograd_prepare(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight,
                                           struct onri_conv_winograd *prepared);
/* Which of ONR_METHOD_WINOGRAD_... it is. */
enum onr_method onri_conv_winograd_method(const struct onri_conv_winograd *prepared);
/* In plan: *scratch is its offset. */
enum onr_status onri_conv_winograd_plan(struct onr_call *call, const struct onri_conv *c,
                                        const struct onri_conv_winograd *prepared, struct onri_winograd_plan *plan,
                                        size_t *scratch);

#endif
