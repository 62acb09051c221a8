/* grid_sample.h: a pixel as a weighted sum of others, or the greatest of them, channels side by side. */
#ifndef ONRI_GRID_SAMPLE_KERNEL_H
#define ONRI_GRID_SAMPLE_KERNEL_H

#include <stdint.h>

struct onri_grid_sample_kernels {
  /* y[c] = the sum of weight[i] x[offset[i] + c], in float64; 0 where count is. */
  void (*weigh)(const float *x, const int64_t *offset, const double *weight, int count, int64_t channels, float *y);
  /* The same sum added to sum[c]. */
  void (*add)(const float *x, const int64_t *offset, const double *weight, int count, int64_t channels, double *sum);
  /* most[c] = the greatest of weight[i] x[offset[i] + c], and of itself; NaN counts where there is nothing else. */
  void (*most)(const float *x, const int64_t *offset, const double *weight, int count, int64_t channels, double *most);
};

#endif
