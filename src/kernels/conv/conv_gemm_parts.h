/* conv_gemm_parts.h: the parts of a convolution as a product that are compiled for each instruction set: gathering the
 * image into a panel, and multiplying a panel by packed weights.
 *
 * Channels side by side: a panel has a row for each pixel of output, the taps that it sees one behind the other.
 * Pixels side by side: the panel is a slab, the lines that the outputs see of each channel, and a tap sees the same
 * lines from another place on. An axis of a slab has lists: the pixels of one rest by the stride, so that neighbours in
 * it are neighbours in the output; or, where taps have less in common than that would take, those of one tap. */
#ifndef ONRI_CONV_GEMM_PARTS_H
#define ONRI_CONV_GEMM_PARTS_H

#include "base/image.h"

/* A panel holds so many pixels, whole tiles of them, by so much of the depth: [pixels][ONRI_PANEL_ROW]. A slab has
 * lists of up to ONRI_SLAB_TAPS taps on both axes together. */
enum {
  ONRI_PANEL_PIXELS = 112,
  ONRI_PANEL_DEPTH = 256,
  ONRI_PANEL_ROW = ONRI_PANEL_DEPTH + 16,
  ONRI_SLAB_TAPS = 256,
  ONRI_SLAB_FLOATS = 32 << 10,
  ONRI_PANEL_FLOATS = ONRI_SLAB_FLOATS + 2048 /* of which vectors read some behind the last pixel */
};

/* Outputs that are neighbours in a row. */
struct onri_conv_run {
  int64_t first, count;        /* pixels of the panel */
  int64_t at[ONR_MAX_SPATIAL]; /* where their tap 0 lies; may be outside the image */
  const float *x;              /* there: not to be read then */
};

/* A piece of the depth for the pixels of a panel: `count` elements from element `from` of a tap, or of a row of taps
 * where these are one run. */
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

/* Lines of some channels: list l of an axis has `count` pixels, `stride` apart, from pixel at[l] on. In the slab:
 * [channel] [list of axis 1][list of axis 2][line][pixel]. */
struct onri_slab_axis {
  int64_t in, stride, count, lists;
  int64_t at[ONRI_SLAB_TAPS];
};
struct onri_conv_slab {
  struct onri_slab_axis axis[2];
  int64_t line, pixel; /* of the image: from line to line, from pixel to pixel, in elements */
  int64_t channels, channel;
  const float *x; /* pixel 0 of line 0 of the first channel; NULL: the plane lies in padding */
};

/* A tap: distances in the slab and in the weights. */
struct onri_conv_tap {
  int64_t x, w;
};

/* y[pixel][channel] (+)= panel[pixel][depth] * w[depth][channel], for the channels of a block. */
struct onri_conv_product {
  const float *panel, *w; /* w: [depth][width] */
  int64_t pixels;
  int64_t width;       /* of the block, one or two vectors; in planes up to plane_channels */
  int64_t channels;    /* that are stored */
  const float *bias;   /* width of them; may be NULL where there is `from` */
  const float *from;   /* what sums begin with, laid out as y, and may be y; NULL: the bias alone */
  float *y;            /* of the first of the channels */
  const int64_t *y_at; /* of each pixel; not in planes */
  float min, max;
  const float *next; /* what the next product reads of the weights; NULL: nothing. Of slabs in planes alone */
  int64_t next_floats;
  /* Channels side by side. */
  int64_t panel_row, depth; /* from pixel to pixel; it may be the image itself */
  /* Pixels side by side: `taps` of `units` channels, which are so far apart in the panel and in the weights. */
  int32_t is_slab;
  const struct onri_conv_tap *taps;
  int64_t num_taps, units, x_unit, w_unit;
  /* In planes: outputs lie in lines, `columns` of each `pitch` pixels are there. */
  int64_t pitch, columns, y_line, y_channel; /* from line to line, from channel to channel */
};

struct onri_conv_gemm_kernels {
  int64_t lanes;          /* of a vector */
  int64_t tile;           /* pixels that share weights in registers or in L1 */
  int64_t plane_channels; /* most that multiply_planes takes at once */
  int is_plain;           /* short code: its tiles are not registers (simd.h) */
  /* `to`: where in the panel's rows the piece begins. Up to a vector is written behind it. */
  void (*gather)(const struct onri_conv_gather *g, const struct onri_conv_piece *piece, float *to);
  void (*gather_slab)(const struct onri_conv_slab *slab, float *to);
  void (*multiply)(const struct onri_conv_product *p);
  void (*multiply_planes)(const struct onri_conv_product *p); /* of a slab: vectors of pixels, y channels-first */
};

#endif
