/* conv_planes.h: planes of the phases of a transposed convolution (conv_phases.h), which are shuffled into its output.
 * Output o of an axis is place (o + begin) / stride of the phase whose rest it leaves, less the first place. */
#ifndef ONRI_CONV_PLANES_H
#define ONRI_CONV_PLANES_H

#include "kernels/conv_transposed/conv_phases.h"

int64_t onri_first_place(const struct onri_axis *a);
/* Of all phases together, so that planes are of one size. */
int64_t onri_places(const struct onri_axis *a);

/* Places [plane, plane + depth) of axis 0 and [row, row + rows) of axis 1 of image n, and all of axis 2:
 * [plane of a channel of a phase][depth][rows][columns]. */
struct onri_phase_planes {
  const struct onri_conv *c;
  const float *planes;
  float *y; /* the output, of all images */
  int64_t n, plane, depth, row, rows, columns;
  struct {
    int64_t first, group; /* its plane of channel 0, planes from one group to the next */
  } phase[ONRI_MOST_PHASES];
};

/* For onr_parallel_for over channels of the output: the outputs that lie at these places. */
void onri_phase_planes_shuffle(void *planes, size_t begin, size_t end);

#endif
