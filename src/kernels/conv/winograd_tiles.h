/* winograd_tiles.h: the steps of winograd.c on tiles, in vectors of channels.
 *
 * Transformed inputs and products lie in lines of one vector: [point][vector of channels][tile of the block]. Weights
 * are packed by panels of ONRI_WINOGRAD_PANEL vectors of output channels: [panel][point][tap of axis 0 and
 * channel][channel of the panel]. */
#ifndef ONRI_WINOGRAD_TILES_H
#define ONRI_WINOGRAD_TILES_H

#include "kernels/conv/winograd.h"

enum {
  ONRI_WINOGRAD_LANES = 16 /* at most */,
  ONRI_WINOGRAD_PANEL = 2,
  ONRI_WINOGRAD_PAIRS = 3,
  ONRI_WINOGRAD_POINTS = 2 * ONRI_WINOGRAD_PAIRS + 2
};

/* Eight points in both directions lose four times as much as six, which deep networks do not bear. */
enum { ONRI_WINOGRAD_PLANE_POINTS = 6 };

/* a of the pairs of points, by the number of pairs. Errors are least where the products of all are near 1. */
static const double onri_winograd_pairs[ONRI_WINOGRAD_PAIRS + 1][ONRI_WINOGRAD_PAIRS] = {
    {0}, {1}, {0.70710678118654752440, 1.41421356237309504880}, {0.5, 1, 2}};

/* Distances in elements. */
struct onri_winograd_job {
  struct onri_winograd how;
  struct onri_axis axis[ONR_MAX_SPATIAL];
  int64_t x_stride[ONR_MAX_SPATIAL], y_stride[ONR_MAX_SPATIAL];
  int64_t channels;         /* of input, of a group */
  int64_t block;            /* tiles */
  int64_t v_plane, z_plane; /* from point to point of transformed inputs, of products */
  float min, max;
};

/* Outputs of a tile's image, from the first of some channels on; bias and residual may be NULL. */
struct onri_winograd_target {
  const float *bias, *residual;
  float *y;
};

/* How weights become values at the points of axes 1 and 2: by rows of g, one a point. */
struct onri_winograd_packing {
  int32_t points[2], taps[2];
  double g[2][ONRI_WINOGRAD_POINTS][ONRI_WINOGRAD_POINTS];
};

struct onri_winograd_kernels {
  int64_t lanes; /* of a vector */
  int64_t rows;  /* tiles that are multiplied at once */
  /* One tile, whose first output is at[]: x is the image's (of the group), v the tile's place in the first line. Of the
   * last vector of channels what lies behind them is read, and not used. */
  void (*forward)(const struct onri_winograd_job *job, const float *x, const int64_t at[ONR_MAX_SPATIAL], float *v);
  /* The products of `tiles` tiles with a panel, of which `vectors` (1 or 2) have channels. */
  void (*multiply)(const struct onri_winograd_job *job, int64_t tiles, int64_t vectors, const float *v, const float *u,
                   float *z);
  /* `channels` outputs of a tile, up to a panel. Adds 0 or NaN to each lane of finite. */
  void (*backward)(const struct onri_winograd_job *job, const float *z, const int64_t at[ONR_MAX_SPATIAL],
                   int64_t channels, const struct onri_winograd_target *to, float *finite);
  /* Planes of taps of up to a panel of output channels, `distance` apart; points of what is packed are `step` apart.
   * 0: some are not finite. */
  int (*pack)(const struct onri_winograd_packing *p, const float *weight, int64_t channels, int64_t distance, float *to,
              int64_t step);
};

#endif
