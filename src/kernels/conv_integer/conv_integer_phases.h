/* conv_integer_phases.h: a transposed convolution of 8-bit images as plain ones (conv_integer.h), see conv_phases.h. */
#ifndef ONRI_CONV_INTEGER_PHASES_H
#define ONRI_CONV_INTEGER_PHASES_H

#include "kernels/conv_integer/conv_integer.h"

/* Like those of conv_integer.h, for a transposed c that onri_conv_phases_can. Its bytes are quantised. */
size_t onri_conv_integer_phases_packed_bytes(const struct onri_conv *c);
size_t onri_conv_integer_phases_scratch(const struct onri_conv *c, int x_signed, uint32_t threads);
/* weight: [groups * group_in, group_out, taps]; room: for as many bytes. */
void onri_conv_integer_phases_pack(const struct onri_conv *c, const void *weight, int is_signed, const int32_t *zeros,
                                   size_t zero_step, void *room, void *packed);
void onri_conv_integer_phases(const struct onri_conv_integer *c, struct onr_env *env);

#endif
