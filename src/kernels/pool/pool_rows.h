/* pool_rows.h: windows of float32 in vectors: of channels that lie side by side, or of pixels. NaN stays NaN. Of bytes,
 * too, maxima of channels. */
#ifndef ONRI_POOL_ROWS_H
#define ONRI_POOL_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* What one window covers of the last axis. */
struct onri_pool_span {
  int64_t first; /* its first pixel inside the image */
  int64_t taps;  /* 0: it lies in padding */
  float divisor; /* of the sum; not for the maximum */
};

/* A row of windows over channels side by side; distances in elements. */
struct onri_pool_row {
  int64_t windows, channels;
  int64_t taps[2], step[2];          /* along the two outer axes, the same for the whole row */
  int64_t pixel;                     /* from pixel to pixel along the last axis */
  int64_t dilated;                   /* from tap to tap along it */
  int64_t y_step;                    /* from window to window of y */
  const struct onri_pool_span *span; /* [windows] */
  /* Which pixel of a channel's image it is, for indices: the row's first one, from tap to tap along the outer axes,
   * from pixel to pixel and from tap to tap along the last one. Below 2^31. */
  int32_t place, place_step[2], place_pixel, place_dilated;
};

/* Where maxima of a row lie: a number for each element of y, which counts from `first` for channel 0, `each` more for
 * each other channel. */
struct onri_pool_places {
  int64_t *index;
  int64_t first, each;
};

enum { ONRI_POOL_LINES = 8, ONRI_POOL_COLUMNS = 512 };

/* A few rows of windows over pixels side by side, the same of any plane: the lines under each are combined into one,
 * then its windows. */
struct onri_pool_block {
  int64_t lines;
  struct onri_pool_line {
    int64_t x; /* from a plane's beginning to pixel `first` of the first line that is covered, and of y */
    int64_t y;
    int64_t taps;  /* along the middle axis */
    float counted; /* AVERAGE: the sum of a window is divided by this times span.divisor */
  } line[ONRI_POOL_LINES];
  int64_t planes, plane_step; /* taps along the outer axis */
  int64_t line_step;
  int64_t before, columns, after;            /* pixels in padding, of x, and in padding: at most ONRI_POOL_COLUMNS */
  int64_t windows, kernel, stride, dilation; /* stride 0: windows as in span, whose `first` counts from `before` on */
  const struct onri_pool_span *span;         /* [windows] */
  const float *divisor;                      /* AVERAGE: [windows] */
};

/* A whole plane of few pixels, and windows at each of them: it is copied into one with its padding, whose lines are
 * whole vectors. */
struct onri_pool_plane {
  int64_t lines, columns, x_line; /* of x that windows reach; from line to line */
  int64_t top, bottom, left;      /* padding; the right one is what `columns` and left leave of a line */
  int64_t windows[2], y_line;     /* down, across */
  int64_t kernel[2], dilation[2];
  const float *counted; /* AVERAGE: [windows down], and */
  const float *divisor; /* [windows across]: their product divides a sum */
};

enum { ONRI_POOL_PLANE_PIXELS = 4096 };
static inline int64_t onri_pool_plane_width(const struct onri_pool_plane *p) {
  return p->windows[1] + (p->kernel[1] - 1) * p->dilation[1];
}

struct onri_pool_kernels {
  /* x: the first channel of pixel 0 of the row's first line. */
  void (*max_row)(const struct onri_pool_row *row, const float *x, float *y);
  void (*average_row)(const struct onri_pool_row *row, const float *x, float *y);
  /* The first one of those that are largest, but the last NaN. y may be NULL. */
  void (*max_row_places)(const struct onri_pool_row *row, const struct onri_pool_places *places, const float *x,
                         float *y);
  /* Bytes ^ flip are without a sign. */
  void (*max_bytes)(const struct onri_pool_row *row, const uint8_t *x, uint8_t *y, uint8_t flip);
  /* y[p]: the greatest x[p + terms[t]], without a sign, ^ flip. A vector is read and written whole. */
  void (*max_terms)(const uint8_t *x, const size_t *terms, size_t num_terms, uint8_t flip, uint8_t *y, size_t count);
  void (*max_block)(const struct onri_pool_block *block, const float *x, float *y);
  void (*average_block)(const struct onri_pool_block *block, const float *x, float *y);
  /* (width rounded up to 16) * (top + lines + bottom) and * windows[0] are at most ONRI_POOL_PLANE_PIXELS. */
  void (*max_plane)(const struct onri_pool_plane *plane, const float *x, float *y);
  void (*average_plane)(const struct onri_pool_plane *plane, const float *x, float *y);
};

#endif
