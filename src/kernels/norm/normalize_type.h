/* normalize_type.h: the loops for one class; included by normalize.c with T, its DTYPE and NAME(x) defined. */
#include "kernels/convert/convert.h"

/* A block as T: in place when the tensor has it so, else converted into buffer. */
static const T *NAME(read)(const struct onri_normalize *n, size_t at, size_t count, T *buffer) {
  if (onr_dtype_size(n->dtype) == sizeof(T)) return (const T *)n->x + at;
  onri_widen(n->dtype, (const char *)n->x + at * onr_dtype_size(n->dtype), count, buffer);
  return buffer;
}

static void NAME(write)(const struct onri_normalize *n, size_t at, size_t count, const T *values) {
  const struct onri_cast cast = {.from = DTYPE, .to = n->y_dtype, .saturate = 1};
  char *y = (char *)n->y + at * onr_dtype_size(n->y_dtype);
  if (onri_dtype_class(n->y_dtype) == onri_dtype_class(DTYPE)) onri_narrow(n->y_dtype, values, count, y);
  else onri_convert_elements(&cast, values, y, count);
}

/* Sum of x - mean, its square or its absolute value, in eight sums so that the order allows vectors. */
static double NAME(sum)(const T *x, size_t count, double mean, enum sum_of what) {
  double lane[LANES] = {0}, sum = 0.0;
  size_t i = 0;
  if (what == SUM)
    for (; i + LANES <= count; i += LANES)
      for (int l = 0; l < LANES; l++) lane[l] += (double)x[i + l];
  else if (what == SUM_SQUARE)
    for (; i + LANES <= count; i += LANES)
      for (int l = 0; l < LANES; l++) lane[l] += ((double)x[i + l] - mean) * ((double)x[i + l] - mean);
  else
    for (; i + LANES <= count; i += LANES)
      for (int l = 0; l < LANES; l++) lane[l] += fabs((double)x[i + l]);
  for (int l = 0; l < LANES; l++) sum += lane[l];
  for (; i < count; i++) {
    const double v = (double)x[i] - mean;
    sum += what == SUM ? v : what == SUM_SQUARE ? v * v : fabs(v);
  }
  return sum;
}

static double NAME(sum_slice)(const struct onri_normalize *n, size_t start, double mean, enum sum_of what) {
  T buffer[BLOCK];
  double sum = 0.0;
  struct onri_pace pace = {n->env, 0};
  for (size_t r = 0; r < n->rows.count; r++) {
    const size_t at = start + onri_dims_offset(&n->rows, r);
    for (size_t i = 0; i < n->run && !onri_pace_stop(&pace, 2 * BLOCK); i += BLOCK) {
      const size_t count = n->run - i < BLOCK ? n->run - i : BLOCK;
      sum += NAME(sum)(NAME(read)(n, at + i, count, buffer), count, mean, what);
    }
  }
  return sum;
}

/* y = (x - mean) factor scale + bias; scale and bias have one entry an element (step 1) or one for all (step 0). */
static void NAME(apply)(const T *x, T *y, size_t count, T mean, T factor, const T *scale, const T *bias, size_t step) {
  if (!scale) {
    for (size_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor;
  } else if (step == 0) {
    const T all = factor * scale[0];
    for (size_t i = 0; i < count; i++) y[i] = (x[i] - mean) * all;
  } else {
    for (size_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor * scale[i];
  }
  if (bias && step == 0)
    for (size_t i = 0; i < count; i++) y[i] += bias[0];
  else if (bias)
    for (size_t i = 0; i < count; i++) y[i] += bias[i];
}

static void NAME(write_slice)(const struct onri_normalize *n, size_t slice, size_t start, double mean, double factor) {
  T in[BLOCK], out[BLOCK];
  const int native = n->y_dtype == DTYPE;
  const size_t first = n->scale_slices == 0 ? 0 : slice % n->scale_slices * n->scale_step;
  const T *scale = !n->scale ? NULL : (const T *)n->scale + first;
  const T *bias = !n->bias ? NULL : (const T *)n->bias + first;
  const size_t step = n->index == ONRI_INDEX_RUN ? 1 : 0;
  struct onri_pace pace = {n->env, 0};
  for (size_t r = 0; r < n->rows.count; r++) {
    const size_t at = start + onri_dims_offset(&n->rows, r);
    for (size_t i = 0; i < n->run && !onri_pace_stop(&pace, 2 * BLOCK); i += BLOCK) {
      const size_t count = n->run - i < BLOCK ? n->run - i : BLOCK, entry = step                         ? i
                                                                            : n->index == ONRI_INDEX_ROW ? r
                                                                                                         : 0;
      T *y = native ? (T *)n->y + at + i : out;
      NAME(apply)
      (NAME(read)(n, at + i, count, in), y, count, (T)mean, (T)factor, !scale ? NULL : scale + entry,
       bias == NULL ? NULL : bias + entry, step);
      if (!native) NAME(write)(n, at + i, count, out);
    }
  }
}

/* `count` slices side by side from element `start` on, the first of which is number `slice`: columns [count * run]. */
static void NAME(columns)(const struct onri_normalize *n, size_t slice, size_t start, size_t count) {
  const size_t width = count * n->run, groups = n->slices.dim[1];
  double sum[COLUMNS] = {0}, square[COLUMNS] = {0};
  T buffer[COLUMNS], centre[COLUMNS], factor[COLUMNS], shift[COLUMNS] = {0};
  struct onri_pace pace = {n->env, 0};
  for (size_t r = 0; r < n->rows.count && !onri_pace_stop(&pace, 2 * COLUMNS); r++) {
    const T *x = NAME(read)(n, start + r * n->rows.stride[0], width, buffer);
    for (size_t j = 0; j < width; j++) sum[j] += (double)x[j];
  }
  spread_mean(n, sum, count);
  for (size_t j = 0; j < width; j++) centre[j] = (T)sum[j];
  for (size_t r = 0; r < n->rows.count && !onri_pace_stop(&pace, 2 * COLUMNS); r++) {
    const T *x = NAME(read)(n, start + r * n->rows.stride[0], width, buffer);
    for (size_t j = 0; j < width; j++) square[j] += ((double)x[j] - sum[j]) * ((double)x[j] - sum[j]);
  }
  spread_mean(n, square, count);
  for (size_t j = 0; j < width; j++) {
    const size_t entry = (slice + j / n->run) % groups * n->scale_step + (n->index == ONRI_INDEX_RUN ? j % n->run : 0);
    factor[j] = (T)(1.0 / sqrt(square[j] + n->epsilon));
    if (n->scale) factor[j] *= ((const T *)n->scale)[entry];
    if (n->bias) shift[j] = ((const T *)n->bias)[entry];
  }
  for (size_t r = 0; r < n->rows.count && !onri_pace_stop(&pace, 2 * COLUMNS); r++) {
    const size_t at = start + r * n->rows.stride[0];
    const T *x = NAME(read)(n, at, width, buffer);
    T out[COLUMNS];
    for (size_t j = 0; j < width; j++) out[j] = (x[j] - centre[j]) * factor[j] + shift[j];
    NAME(write)(n, at, width, out);
  }
}
