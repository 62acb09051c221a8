/* vecmath_simd.c: see vecmath.h. */
#include "base/only.h"
#include "kernels/elementwise/vecmath.h"
#include "kernels/kernels.h"
#include "kernels/simd/math.h"

#define LINE(name)                                                                                \
  static void name##_line(const float *x, float *y, size_t count) {                               \
    size_t i = 0;                                                                                 \
    for (; i + F32_LANES <= count; i += F32_LANES) f32_store(y + i, f32_##name(f32_load(x + i))); \
    if (i < count) f32_store_part(y + i, f32_##name(f32_load_part(x + i, count - i)), count - i); \
  }
LINE(exp)
LINE(sigmoid)
LINE(tanh)

static float exp_sum(const float *x, float shift, float *y, size_t count) {
  vf32 sum[2] = {{0}, {0}};
  size_t i = 0;
  for (; i + 2 * F32_LANES <= count; i += 2 * F32_LANES) UNROLL for (int k = 0; k < 2; k++) {
      const vf32 e = f32_exp_negative(f32_load(x + i + k * F32_LANES) - shift);
      f32_store(y + i + k * F32_LANES, e);
      sum[k] += e;
    }
  for (; i < count; i += F32_LANES) {
    const vf32 e = f32_exp_negative(f32_load_part(x + i, count - i) - shift);
    f32_store_part(y + i, e, count - i);
    sum[0] += f32_first_lanes(e, count - i);
  }
  return f32_sum(sum[0] + sum[1]);
}

static double exp_sum_f64(const double *x, double shift, double *y, size_t count) {
  vf64 sum = {0};
  size_t i = 0;
  for (; i + F64_LANES <= count; i += F64_LANES) {
    const vf64 e = f64_exp(f64_load(x + i) - shift);
    f64_store(y + i, e);
    sum += e;
  }
  if (i < count) {
    const vf64 e = f64_exp(f64_load_part(x + i, count - i) - shift);
    f64_store_part(y + i, e, count - i);
    sum += f64_select(i64_first_lanes(count - i), e, (vf64){0});
  }
  return f64_sum(sum);
}

static float max_line(const float *x, float max, size_t count) {
  vf32 most[4] = {f32_set(max), f32_set(max), f32_set(max), f32_set(max)};
  size_t i = 0;
  for (; i + 4 * F32_LANES <= count; i += 4 * F32_LANES)
    UNROLL for (int k = 0; k < 4; k++) most[k] = f32_greatest(f32_load(x + i + k * F32_LANES), most[k]);
  for (; i + F32_LANES <= count; i += F32_LANES) most[0] = f32_greatest(f32_load(x + i), most[0]);
  max = f32_greatest_lane(f32_greatest(f32_greatest(most[0], most[1]), f32_greatest(most[2], most[3])));
  for (; i < count; i++) max = x[i] > max ? x[i] : max;
  return max;
}

/* The bits of |x| are ordered as the numbers are, with infinity and NaN at the end. */
static int all_finite(const float *x, size_t count) {
  vi32 largest[4] = {{0}, {0}, {0}, {0}};
  size_t i = 0;
  for (; i + 4 * F32_LANES <= count; i += 4 * F32_LANES)
    UNROLL for (int k = 0; k < 4; k++) largest[k] =
        i32_greatest((vi32)f32_abs(f32_load(x + i + k * F32_LANES)), largest[k]);
  for (; i < count; i += F32_LANES)
    largest[0] = i32_greatest((vi32)f32_abs(f32_load_part(x + i, count - i)), largest[0]);
  const vi32 all = i32_greatest(i32_greatest(largest[0], largest[1]), i32_greatest(largest[2], largest[3]));
  return !i32_any(all >= 0x7F800000);
}

static void max_each(const float *x, float *max, size_t count) {
  for (size_t i = 0; i < count; i += F32_LANES)
    f32_store_part(max + i, f32_greatest(f32_load_part(x + i, count - i), f32_load_part(max + i, count - i)),
                   count - i);
}

static void exp_add_each(const float *x, const float *shift, double *sum, size_t count) {
  for (size_t i = 0; i < count; i += F32_LANES) {
    const size_t left = count - i, high = left > F64_LANES ? left - F64_LANES : 0;
    const vf32 e = f32_exp_negative(f32_load_part(x + i, left) - f32_load_part(shift + i, left));
    f64_store_part(sum + i, f64_load_part(sum + i, left) + f64_from_low(e), left);
    if (high > 0)
      f64_store_part(sum + i + F64_LANES, f64_load_part(sum + i + F64_LANES, high) + f64_from_high(e), high);
  }
}

static void exp_scale_each(const float *x, const float *shift, const float *scale, float *y, size_t count) {
  for (size_t i = 0; i < count; i += F32_LANES) {
    const size_t left = count - i;
    const vf32 e = f32_exp_negative(f32_load_part(x + i, left) - f32_load_part(shift + i, left));
    f32_store_part(y + i, e * f32_load_part(scale + i, left), left);
  }
}

const struct onri_vecmath_kernels ONRI_AT_LEVEL(onri_vecmath_kernels) = {
    .all_finite = all_finite,
    ONRI_IF(ONRI_HAS_PART_reductions, .exp = exp_line, .sigmoid = sigmoid_line, .tanh = tanh_line, .exp_sum = exp_sum,
            .exp_sum_f64 = exp_sum_f64, .max = max_line, .max_each = max_each, .exp_add_each = exp_add_each,
            .exp_scale_each = exp_scale_each, )};
