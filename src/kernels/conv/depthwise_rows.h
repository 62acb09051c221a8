/* depthwise_rows.h: rows of a depthwise convolution. */
#ifndef ONRI_DEPTHWISE_ROWS_H
#define ONRI_DEPTHWISE_ROWS_H

#include "kernels/conv/depthwise.h"

/* Rows [top, bottom) of one plane of output, for some channels. Distances in elements. */
struct onri_depthwise_job {
  struct onri_axis axis[ONR_MAX_SPATIAL];
  int64_t x_plane, x_line, x_pixel, y_line, y_pixel; /* from one to the next */
  int64_t channels;                                  /* of all: from tap to tap of the weights */
  float min, max;
  const float *x;        /* the first of the channels, in pixel 0 of the image */
  const float *w, *bias; /* of that channel; bias may be NULL */
  float *y;              /* of that channel, in pixel 0 of the output plane */
  int64_t o0, top, bottom;
};

struct onri_depthwise_kernels {
  void (*rows)(const struct onri_depthwise_job *job, int64_t channels);
};

#endif
