/* run_simd.h: one line of float32 over all lanes, for kernels in simd.h's language; see reduce_lines.h. */
#ifndef ONRI_RUN_SIMD_H
#define ONRI_RUN_SIMD_H

#include "kernels/reduce/reduce_lines.h"
#include "kernels/simd/math.h"

/* A float's share in a sum, of one half of a vector. */
INLINE vf64 taken(vf64 acc, vf64 x, vf64 centre, const enum onri_take what) {
  if (what == ONRI_TAKE_SUM || what == ONRI_TAKE_EXP) return acc + x;
  if (what == ONRI_TAKE_ABS) return acc + f64_abs(x);
  if (what == ONRI_TAKE_PROD) return acc * x;
  const vf64 distance = x - centre;
  return f64_fma(distance, distance, acc);
}

/* Both halves. Exponentials are taken before floats are widened. */
INLINE void take_vector(vf64 *sum, const float *x, const vf64 *centre, const enum onri_take what) {
  if (what == ONRI_TAKE_EXP) {
    const vf32 e = f32_exp(f32_load(x) - f32_from_f64(centre[0], centre[1]));
    sum[0] += f64_from_low(e);
    sum[1] += f64_from_high(e);
  } else {
    sum[0] = taken(sum[0], f64_load_f32(x), centre[0], what);
    sum[1] = taken(sum[1], f64_load_f32(x + F64_LANES), centre[1], what);
  }
}

/* The same of what was loaded. */
INLINE void take_lanes(vf64 *sum, vf32 v, const vf64 *centre, const enum onri_take what) {
  if (what == ONRI_TAKE_EXP) v = f32_exp(v - f32_from_f64(centre[0], centre[1]));
  sum[0] = taken(sum[0], f64_from_low(v), centre[0], what);
  sum[1] = taken(sum[1], f64_from_high(v), centre[1], what);
}

/* The first `left` lanes of v count. */
INLINE void take_part(vf64 *sum, vf32 v, const vf64 *centre, const enum onri_take what, size_t left) {
  vf64 all[2] = {sum[0], sum[1]};
  take_lanes(all, v, centre, what);
  sum[0] = f64_select(i64_first_lanes(left), all[0], sum[0]);
  sum[1] = f64_select(i64_first_lanes(left > F64_LANES ? left - F64_LANES : 0), all[1], sum[1]);
}

INLINE int is_extreme(const enum onri_take what) { return what == ONRI_TAKE_MAX || what == ONRI_TAKE_MIN; }
INLINE vf32 extreme(vf32 a, vf32 x, const enum onri_take what) {
  return what == ONRI_TAKE_MAX ? f32_greatest(x, a) : f32_least(x, a); /* a NaN in x is passed over */
}

enum { RUN = 4, AHEAD = 1024 /* floats that are fetched before they are asked for */ };

/* Exponentials take so long that two sums side by side are enough. */
INLINE int is_long(const enum onri_take what) { return what == ONRI_TAKE_EXP; }

INLINE float extreme_of_run(const float *x, size_t count, const float start, const enum onri_take what) {
  vf32 best[RUN];
  vi32 strange[RUN];
  size_t i = 0;
  UNROLL for (int k = 0; k < RUN; k++) best[k] = f32_set(start), strange[k] = (vi32){0};
  for (; i + RUN * F32_LANES <= count; i += RUN * F32_LANES) UNROLL for (int k = 0; k < RUN; k++) {
      simd_prefetch_vector(x + i + k * F32_LANES + AHEAD, k);
      const vf32 v = f32_load(x + i + k * F32_LANES);
      best[k] = extreme(best[k], v, what);
      strange[k] |= v != v;
    }
  for (; i < count; i += F32_LANES) {
    const vf32 v = f32_load_part(x + i, count - i);
    const vf32 whole = i + F32_LANES <= count ? v : f32_select(i32_first_lanes(count - i), v, f32_set(start));
    best[0] = extreme(best[0], whole, what);
    strange[0] |= v != v;
  }
  if (i32_any((strange[0] | strange[1]) | (strange[2] | strange[3]))) return NAN;
  const vf32 all = extreme(extreme(best[0], best[1], what), extreme(best[2], best[3], what), what);
  return what == ONRI_TAKE_MAX ? f32_greatest_lane(all) : f32_least_lane(all);
}

INLINE double short_run(const float *x, size_t count, double centre, double acc, const enum onri_take what) {
  const vf64 middle[2] = {f64_set(centre), f64_set(centre)}, start = f64_set(what == ONRI_TAKE_PROD ? 1 : 0);
  vf64 sum[2] = {start, start};
  size_t i = 0;
  for (; i + F32_LANES <= count; i += F32_LANES) take_vector(sum, x + i, middle, what);
  if (i < count) take_part(sum, f32_load_part(x + i, count - i), middle, what, count - i);
  return what == ONRI_TAKE_PROD ? acc * f64_product(sum[0] * sum[1]) : acc + f64_sum(sum[0] + sum[1]);
}

INLINE double run_of(const float *x, size_t count, double centre, double acc, const enum onri_take what) {
  if (is_extreme(what)) {
    const float found = extreme_of_run(x, count, what == ONRI_TAKE_MAX ? -INFINITY : INFINITY, what);
    if (found != found || acc != acc) return (double)NAN;
    return (what == ONRI_TAKE_MAX) == ((double)found > acc) ? (double)found : acc;
  }
  if (count < RUN * F32_LANES) return short_run(x, count, centre, acc, what);
  const vf64 middle[2] = {f64_set(centre), f64_set(centre)};
  const int vectors = is_long(what) ? 2 : RUN;
  vf64 sum[2 * RUN];
  size_t i = 0;
  UNROLL for (int k = 0; k < 2 * vectors; k++) sum[k] = f64_set(what == ONRI_TAKE_PROD ? 1 : 0);
  for (; i + vectors * F32_LANES <= count; i += vectors * F32_LANES) UNROLL for (int k = 0; k < vectors; k++) {
      simd_prefetch_vector(x + i + k * F32_LANES + AHEAD, k);
      take_vector(sum + 2 * k, x + i + k * F32_LANES, middle, what);
    }
  for (; i + F32_LANES <= count; i += F32_LANES) take_vector(sum, x + i, middle, what);
  if (i < count) take_part(sum + 2, f32_load_part(x + i, count - i), middle, what, count - i);
  UNROLL for (int k = vectors; k > 0; k /= 2) UNROLL for (int j = 0; j < k; j++) sum[j] =
      what == ONRI_TAKE_PROD ? sum[j] * sum[j + k] : sum[j] + sum[j + k];
  return what == ONRI_TAKE_PROD ? acc * f64_product(sum[0]) : acc + f64_sum(sum[0]);
}

#endif
