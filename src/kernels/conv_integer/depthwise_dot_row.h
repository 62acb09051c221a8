/* depthwise_dot_row.h: what depthwise_dot.c takes of each level. */
#ifndef ONRI_DEPTHWISE_DOT_ROW_H
#define ONRI_DEPTHWISE_DOT_ROW_H

#include "kernels/quantize/byte_product.h"

/* A vector's worth of channels, in the order of i8_zip4, which is their own in vectors of 16 bytes. */
#if defined(__aarch64__)
enum { ONRI_DOT_CHANNELS = 16 };
#else
enum { ONRI_DOT_CHANNELS = 64 };
#endif
enum { ONRI_DOT_TAPS = 4, ONRI_DOT_LANES = ONRI_DOT_CHANNELS / 4 };
/* Where a channel of a block lies among its integers. */
static inline size_t onri_dot_place(size_t channel) {
  return channel % 16 / 4 * ONRI_DOT_LANES + channel / 16 * 4 + channel % 4;
}

/* A row of outputs for up to ONRI_DOT_CHANNELS channels; or two, folded: for half as many, which lie in both halves. */
struct onri_depthwise_dot_job {
  const char *x;           /* the first tap of the first window, of the first channel */
  size_t tap, step;        /* bytes from a tap to the next, from a window to the next */
  const size_t *lines;     /* bytes from a window to each line of its taps */
  size_t num_lines, quads; /* a line's taps are read as so many times four, */
  size_t terms;            /* or two or one, of 2 or 4 channels each: those of a group, which has as many outputs */
  size_t outputs;          /* 1, 2 or 4 of them are made of the same taps: */
  const int8_t *weights;   /* [lines][quads][outputs][4][ONRI_DOT_LANES channels][4 / terms taps][terms] */
  const int32_t *start;    /* [4][ONRI_DOT_LANES] */
  /* Of the weights, as start, or NULL; windows times them are taken off, whose taps are those of masks
   * [quads][outputs], 1 in each byte of a tap. */
  const int32_t *zeros, *masks;
  /* As many scales of its own, in order, and a bias of reals; neither: y is the sums. */
  const struct onri_requantise *requantise;
  const struct onri_byte_reals *reals;
  char *y;               /* rows of channels, in their own order */
  size_t x_fold, y_fold; /* bytes from the first row to the second one; 0: there is one */
  size_t y_step, count, channels;
};

struct onri_depthwise_dot_kernels {
  void (*row)(const struct onri_depthwise_dot_job *job); /* NULL: there is no such instruction */
  /* The job's weights less their zero points where there are taps; returns whether bytes hold all of them. */
  int (*take_zeros_off)(const struct onri_depthwise_dot_job *job, int8_t *weights);
};

#endif
