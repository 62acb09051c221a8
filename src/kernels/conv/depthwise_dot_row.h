/* depthwise_dot_row.h: what depthwise_dot.c takes of each level. */
#ifndef ONRI_DEPTHWISE_DOT_ROW_H
#define ONRI_DEPTHWISE_DOT_ROW_H

#include "kernels/quantize/byte_product.h"

/* A vector's worth of channels, in the order of i8_zip4. */
enum { ONRI_DOT_CHANNELS = 64, ONRI_DOT_TAPS = 4 };

/* A row of outputs for up to ONRI_DOT_CHANNELS channels. */
struct onri_depthwise_dot_job {
  const char *x;           /* the first tap of the first window, of the first channel */
  size_t tap, step;        /* bytes from a tap to the next, from a window to the next */
  const size_t *lines;     /* bytes from a window to each line of its taps */
  size_t num_lines, quads; /* a line's taps are read as so many times four */
  size_t outputs;          /* 1, 2 or 4 of them are made of the same taps: */
  const int8_t *weights;   /* [lines][quads][outputs][4][16 channels][4 taps] */
  const int32_t *start;    /* [4][16] */
  const float *scales;     /* [4][16] */
  int zero, low, high;     /* as in struct onri_requantise */
  char *y;
  size_t y_step, count, channels;
};

struct onri_depthwise_dot_kernels {
  void (*row)(const struct onri_depthwise_dot_job *job); /* NULL: there is no such instruction */
};

#endif
