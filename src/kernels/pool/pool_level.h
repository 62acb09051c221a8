/* pool_level.h: windows over channels that lie side by side, float32, for each instruction set. */
#ifndef ONRI_POOL_LEVEL_H
#define ONRI_POOL_LEVEL_H

#include <stdint.h>

/* What one window covers of the last axis. */
struct onri_pool_span {
  int64_t first; /* its first pixel inside the image */
  int64_t taps;  /* 0: it lies in padding */
  float divisor; /* of the sum; not for the maximum */
};

/* A row of windows; distances in elements. */
struct onri_pool_row {
  int64_t windows, channels;
  int64_t taps[2], step[2];          /* along the two outer axes, the same for the whole row */
  int64_t pixel;                     /* from pixel to pixel along the last axis */
  int64_t dilated;                   /* from tap to tap along it */
  int64_t y_step;                    /* from window to window of y */
  const struct onri_pool_span *span; /* [windows] */
};

/* x: the first channel of pixel 0 of the row's first line. NaN stays NaN. */
typedef void (*onri_pool_row_kernel)(const struct onri_pool_row *row, const float *x, float *y);

struct onri_pool_kernels {
  onri_pool_row_kernel max, average;
};

extern const struct onri_pool_kernels onri_pool_base;
extern const struct onri_pool_kernels onri_pool_avx2;
extern const struct onri_pool_kernels onri_pool_avx512;

#endif
