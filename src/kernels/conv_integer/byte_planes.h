/* byte_planes.h: convolutions of bytes to few outputs of a group, in vectors of pixels: byte_lines.h lays these out. */
#ifndef ONRI_BYTE_PLANES_H
#define ONRI_BYTE_PLANES_H

#include "kernels/conv_integer/conv_integer.h"

enum { ONRI_BYTE_PLANES_OUTPUTS = 8 /* of a group, at most */ };
/* Whether weights are those of such a convolution, and whether it then pays for these sizes. */
int onri_byte_planes_can(const struct onri_conv *c);
int onri_byte_planes_suit(const struct onri_conv *c);

/* weight: [groups * group_out, group_in, taps], which stays as it is. */
size_t onri_byte_planes_packed_bytes(const struct onri_conv *c);
/* SIZE_MAX where it does not fit, for any number of threads. */
size_t onri_byte_planes_scratch(const struct onri_conv *c, uint32_t threads);
/* weights: as they were given. */
void onri_byte_planes(const struct onri_conv_integer *c, const void *weights, struct onr_env *env);

#endif
