/* conv_gemm_parts.h: the two parts of a convolution as a product that are compiled for each instruction set: gathering
 * the image into a panel, and multiplying a panel by packed weights. */
#ifndef ONRI_CONV_GEMM_PARTS_H
#define ONRI_CONV_GEMM_PARTS_H

#include "base/image.h"

/* A panel holds so many pixels, whole tiles of them, by so much of the depth: [pixels][ONRI_PANEL_ROW], or by depth:
 * [depth][ONRI_PLANE_PIXELS]. */
enum {
  ONRI_PANEL_PIXELS = 112,
  ONRI_PLANE_PIXELS = 128,
  ONRI_PANEL_DEPTH = 256,
  ONRI_PANEL_ROW = ONRI_PANEL_DEPTH + 16,
  ONRI_PANEL_FLOATS = ONRI_PLANE_PIXELS * ONRI_PANEL_ROW
};

/* Outputs that are neighbours in a row. */
struct onri_conv_run {
  int64_t first, count;        /* pixels of the panel */
  int64_t at[ONR_MAX_SPATIAL]; /* where their tap 0 lies; may be outside the image */
  const float *x;              /* there: not to be read then */
};

/* A piece of the depth for the pixels of a panel. Channels side by side: `count` elements from element `from` of a
 * tap, or of a row of taps where these are one run. Pixels side by side: one element of one tap. */
struct onri_conv_piece {
  int64_t tap[ONR_MAX_SPATIAL]; /* distance of the tap from tap 0, in pixels */
  int64_t x;                    /* and of the first of the elements, in elements */
  int64_t from, count;
};

struct onri_conv_gather {
  int64_t in[ONR_MAX_SPATIAL];
  int64_t width;        /* elements of a tap: 1 where pixels lie side by side */
  int64_t stride, step; /* from pixel to pixel of a run: in pixels of x, in elements */
  const struct onri_conv_run *runs;
  int64_t num_runs;
};

/* y[pixel][channel] (+)= panel[pixel][depth] * w[depth][channel], for the channels of a block. */
struct onri_conv_product {
  const float *panel, *w; /* w: [depth][width] */
  int64_t panel_row;      /* from pixel to pixel, by depth from element to element; it may be the image itself */
  int64_t pixels, depth;
  int32_t by_depth;
  int64_t width;       /* of the block, one or two vectors; in planes up to plane_channels */
  int64_t channels;    /* that are stored */
  const float *bias;   /* width of them; may be NULL where there is `from` */
  const float *from;   /* what sums begin with, laid out as y, and may be y; NULL: the bias alone */
  float *y;            /* of the first of the channels */
  const int64_t *y_at; /* of each pixel; in planes of the first */
  int64_t y_channel;   /* in planes: from channel to channel; pixels lie side by side */
  float min, max;
};

struct onri_conv_gemm_kernels {
  int64_t lanes;          /* of a vector */
  int64_t tile;           /* pixels that share weights in registers or in L1 */
  int64_t plane_channels; /* most that multiply_planes takes at once */
  /* `to`: where in the panel's rows the piece begins (by depth: the row itself). Up to a vector is written behind it.
   */
  void (*gather)(const struct onri_conv_gather *g, const struct onri_conv_piece *piece, float *to);
  void (*gather_by_depth)(const struct onri_conv_gather *g, const struct onri_conv_piece *piece, float *to);
  void (*multiply)(const struct onri_conv_product *p);
  void (*multiply_planes)(const struct onri_conv_product *p); /* by_depth: vectors of pixels, y channels-first */
};

#endif
