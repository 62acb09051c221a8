/* conv_phases.h: phases of a transposed convolution: outputs `stride` apart meet the same taps, so that those of the
 * output that are so far apart are a convolution with stride 1 of their own. */
#ifndef ONRI_CONV_PHASES_H
#define ONRI_CONV_PHASES_H

#include "kernels/conv/conv_gemm.h"

enum { ONRI_MOST_PHASES = 256 };

/* Taps of the outputs of an axis that leave the same rest by its stride: `count` from `first` on, `step` apart. Place q
 * of these outputs meets pixel q - shift - i * dilation through the i-th of them. */
struct onri_phase_taps {
  int64_t first, step, count, dilation, shift;
};
struct onri_phase_taps onri_phase_taps(const struct onri_axis *a, int64_t rest);
/* That axis of a plain convolution, for `out` outputs from `place` on. */
struct onri_axis onri_phase_axis(const struct onri_axis *a, const struct onri_phase_taps *taps, int64_t place,
                                 int64_t out);

/* How many phases there are. */
int64_t onri_conv_phases_count(const struct onri_conv *c);
/* The convolution of a phase, which may have no outputs, or no taps; its first output is element *y of the whole. */
struct onri_conv onri_conv_phase(const struct onri_conv *c, int64_t phase, int64_t *y);
/* The weights of a phase, of elements of `size` bytes: [groups * group_out, group_in, taps]. weight as conv_direct.h
 * has it. */
void onri_conv_phase_weights(const struct onri_conv *c, int64_t phase, const void *weight, size_t size, void *to);

/* There are not more than that. */
int onri_conv_phases_can(const struct onri_conv *c);

#endif
