/* normalize_simd.c: see normalize.h. Three passes over a slice that lies in L1: sum, squared distances, result; the
 * first two widen to double, so that all of it runs at about a third of what L1 gives. */
#include "kernels/kernels.h"
#include "kernels/norm/normalize.h"
#include "kernels/reduce/run_simd.h"

/* The entries i ... of scale or bias, or the one for all. */
INLINE vf32 entries(const float *p, size_t i, size_t left, vf32 one, const int each) {
  return each ? f32_load_part(p + i, left) : one;
}

INLINE void apply_loop(const float *x, float *y, size_t count, vf32 mean, vf32 factor, const float *scale,
                       const float *bias, const int each, const int has_scale, const int has_bias) {
  const vf32 one_scale = has_scale && !each ? f32_set(*scale) * factor : factor;
  const vf32 one_bias = has_bias && !each ? f32_set(*bias) : (vf32){0};
  for (size_t i = 0; i < count; i += F32_LANES) {
    const size_t left = count - i;
    vf32 v = (f32_load_part(x + i, left) - mean) * one_scale;
    if (has_scale && each)
      v = has_bias ? f32_fma(v, entries(scale, i, left, one_scale, 1), entries(bias, i, left, v, 1))
                   : v * entries(scale, i, left, one_scale, 1);
    else if (has_bias) v += entries(bias, i, left, one_bias, each);
    f32_store_part(y + i, v, left);
  }
}

static void apply(const float *x, float *y, size_t count, float mean, float factor, const float *scale,
                  const float *bias, size_t step) {
  const vf32 m = f32_set(mean), f = f32_set(factor);
  if (!scale && !bias) apply_loop(x, y, count, m, f, scale, bias, 0, 0, 0);
  else if (!scale && step) apply_loop(x, y, count, m, f, scale, bias, 1, 0, 1);
  else if (!scale) apply_loop(x, y, count, m, f, scale, bias, 0, 0, 1);
  else if (step && bias) apply_loop(x, y, count, m, f, scale, bias, 1, 1, 1);
  else if (step) apply_loop(x, y, count, m, f, scale, bias, 1, 1, 0);
  else if (bias) apply_loop(x, y, count, m, f, scale, bias, 0, 1, 1);
  else apply_loop(x, y, count, m, f, scale, bias, 0, 1, 0);
}

/* Columns of as many rows; what they are multiplied by stays in L1. */
static void apply_each(const struct onri_norm_columns *given) {
  const struct onri_norm_columns n = *given;
  const size_t rest = n.columns % F32_LANES, whole = n.columns - rest;
  for (size_t r = 0; r < n.rows; r++) {
    const float *x = n.x + r * n.row_step;
    float *y = n.y + r * n.row_step;
    for (size_t i = 0; i < whole; i += F32_LANES)
      f32_store(y + i,
                f32_fma(f32_load(x + i) - f32_load(n.centre + i), f32_load(n.factor + i), f32_load(n.shift + i)));
    if (rest == 0) continue;
    const vf32 v = f32_load_part(x + whole, rest) - f32_load_part(n.centre + whole, rest);
    f32_store_part(y + whole, f32_fma(v, f32_load_part(n.factor + whole, rest), f32_load_part(n.shift + whole, rest)),
                   rest);
  }
}

static void factors(enum onri_normalize_kind kind, double *sums, size_t count, double elements, double epsilon) {
  for (size_t i = 0; i < count; i += F64_LANES) {
    vf64 v = f64_load_part(sums + i, count - i);
    if (kind == ONRI_NORMALIZE_VARIANCE || kind == ONRI_NORMALIZE_RMS) v = f64_sqrt(v / elements + epsilon);
    if (kind == ONRI_NORMALIZE_STD) v = f64_sqrt(v / elements) + epsilon;
    if (kind == ONRI_NORMALIZE_L2) v = f64_sqrt(v);
    const int may_be_0 = kind == ONRI_NORMALIZE_L1 || kind == ONRI_NORMALIZE_L2;
    const vf64 factor = 1.0 / v;
    f64_store_part(sums + i, may_be_0 ? f64_select((vi64)(v == 0.0), (vf64){0}, factor) : factor, count - i);
  }
}

/* Roots and quotients take long: they wait for the sums of a few slices, and go through vectors together. */
enum { TOGETHER = 32, SHORT = 32 };

/* Short slices without a mean: as little as there can be for each. */
INLINE void short_sums(const struct onri_norm_slices n, double *sums, const enum onri_take what) {
  for (size_t s = 0; s < n.count; s++) {
    const float *x = n.x + s * n.run;
    vf64 sum = {0};
    size_t i = 0;
    for (; i + F64_LANES <= n.run; i += F64_LANES) sum = taken(sum, f64_load_f32(x + i), (vf64){0}, what);
    if (i < n.run) sum = taken(sum, f64_from_low(f32_load_part(x + i, n.run - i)), (vf64){0}, what);
    sums[s] = f64_sum(sum);
  }
}

/* What is only multiplied. The last vector overlaps the one before it, and is read before that is written. */
static void scale_slices(const struct onri_norm_slices n, const double *factor) {
  for (size_t s = 0; s < n.count; s++) {
    const float *x = n.x + s * n.run;
    float *y = n.y + s * n.run;
    const vf32 by = f32_set((float)factor[s]);
    if (n.run < F32_LANES) {
      f32_store_part(y, f32_load_part(x, n.run) * by, n.run);
      continue;
    }
    const vf32 last = f32_load(x + n.run - F32_LANES) * by;
    for (size_t i = 0; i + F32_LANES <= n.run; i += F32_LANES) f32_store(y + i, f32_load(x + i) * by);
    f32_store(y + n.run - F32_LANES, last);
  }
}

static void sums_of(const struct onri_norm_slices n, double *mean, double *sums) {
  const double elements = (double)n.run;
  const int centres = onri_normalize_centres(n.kind);
  if (n.run <= SHORT && !centres) {
    if (n.kind == ONRI_NORMALIZE_L1) short_sums(n, sums, ONRI_TAKE_ABS);
    else short_sums(n, sums, ONRI_TAKE_SQUARE);
    return;
  }
  for (size_t s = 0; s < n.count; s++) {
    const float *x = n.x + s * n.run;
    if (centres) mean[s] = run_of(x, n.run, 0, 0, ONRI_TAKE_SUM) / elements;
    if (n.kind == ONRI_NORMALIZE_L1) sums[s] = run_of(x, n.run, 0, 0, ONRI_TAKE_ABS);
    else sums[s] = run_of(x, n.run, mean[s], 0, ONRI_TAKE_SQUARE);
  }
}

/* x, y, mean, inverse and first: of the first of `count` slices, which are at most TOGETHER. */
static void some_slices(const struct onri_norm_slices n) {
  double mean[TOGETHER] = {0}, factor[TOGETHER];
  sums_of(n, mean, factor);
  factors(n.kind, factor, n.count, (double)n.run, n.epsilon);
  if (n.y && !n.scale && !n.bias && !n.mean && !n.inverse && !onri_normalize_centres(n.kind)) {
    scale_slices(n, factor);
    return;
  }
  for (size_t s = 0; s < n.count; s++) {
    const size_t entry = n.each ? 0 : (n.first + s) % n.entries;
    if (n.mean) n.mean[s] = (float)mean[s];
    if (n.inverse) n.inverse[s] = (float)factor[s];
    if (n.y)
      apply(n.x + s * n.run, n.y + s * n.run, n.run, (float)mean[s], (float)factor[s], n.scale ? n.scale + entry : NULL,
            n.bias ? n.bias + entry : NULL, (size_t)n.each);
  }
}

/* As many as stay in the first cache between the passes. */
static void slices(const struct onri_norm_slices *given) {
  enum { FLOATS = 4096 };
  struct onri_norm_slices n = *given;
  const size_t most = n.run > FLOATS ? 1 : n.run * TOGETHER > FLOATS ? FLOATS / n.run : TOGETHER;
  for (size_t left = given->count; left > 0; left -= n.count) {
    n.count = left < most ? left : most;
    some_slices(n);
    n.first += n.count;
    n.x += n.count * n.run;
    if (n.y) n.y += n.count * n.run;
    if (n.mean) n.mean += n.count;
    if (n.inverse) n.inverse += n.count;
  }
}

const struct onri_normalize_kernels ONRI_AT_LEVEL(onri_normalize_kernels) = {slices, factors, apply, apply_each};
