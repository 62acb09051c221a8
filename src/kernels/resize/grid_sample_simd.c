/* grid_sample_simd.c: see grid_sample.h. A conversion and an FMA a load; to find where the taps lie takes longer. */
#include "kernels/resize/grid_sample.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

INLINE void weigh_some(const float *x, const int64_t *offset, const double *weight, const int count, int64_t channels,
                       float *y) {
  int64_t c = 0;
  for (; c + F64_LANES <= channels; c += F64_LANES) {
    vf64 sum = {0};
    for (int i = 0; i < count; i++) sum = f64_fma(f64_set(weight[i]), f64_load_f32(x + offset[i] + c), sum);
    f64_store_f32(y + c, sum);
  }
  for (; c < channels; c++) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += weight[i] * (double)x[offset[i] + c];
    y[c] = (float)sum;
  }
}

/* Four is what most pixels of an image are made of. */
static void weigh(const float *x, const int64_t *offset, const double *weight, int count, int64_t channels, float *y) {
  if (count == 4) weigh_some(x, offset, weight, 4, channels, y);
  else weigh_some(x, offset, weight, count, channels, y);
}

INLINE double greater(double a, double b) { return a > b || b != b ? a : b; }

INLINE void take(const float *x, const int64_t *offset, const double *weight, int count, int64_t channels, double *to,
                 const int most) {
  int64_t c = 0;
  for (; c + F64_LANES <= channels; c += F64_LANES) {
    vf64 all = f64_load(to + c);
    for (int i = 0; i < count; i++) {
      const vf64 v = f64_load_f32(x + offset[i] + c), part = v * weight[i];
      if (!most) all = f64_fma(f64_set(weight[i]), v, all);
      else all = f64_select((vi64)(all != all), part, f64_greatest(part, all));
    }
    f64_store(to + c, all);
  }
  for (; c < channels; c++)
    for (int i = 0; i < count; i++) {
      const double part = weight[i] * (double)x[offset[i] + c];
      to[c] = most ? greater(part, to[c]) : to[c] + part;
    }
}

static void add(const float *x, const int64_t *offset, const double *weight, int count, int64_t channels, double *sum) {
  take(x, offset, weight, count, channels, sum, 0);
}
static void most(const float *x, const int64_t *offset, const double *weight, int count, int64_t channels,
                 double *found) {
  take(x, offset, weight, count, channels, found, 1);
}

const struct onri_grid_sample_kernels ONRI_AT_LEVEL(onri_grid_sample_kernels) = {weigh, add, most};
