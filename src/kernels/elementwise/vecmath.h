/* vecmath.h: exp, sigmoid and tanh of float32 lines, without branches so that compilers turn the loops into vectors.
 * Relative error below 2e-7 over the whole range (sigmoid below 1e-37 is 0); NaN stays NaN. y may be x. */
#ifndef ONRI_VECMATH_H
#define ONRI_VECMATH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline float onri_power2(int32_t n) { /* -126 <= n <= 127 */
  const uint32_t bits = (uint32_t)(n + 127) << 23;
  float result;
  memcpy(&result, &bits, sizeof(result));
  return result;
}

/* x = n ln 2 + r with |r| <= ln 2 / 2; returns exp(r) - 1. Adding and taking off 1.5 * 2^23 rounds to an integer. */
static inline float onri_exp_parts(float x, int32_t *n) {
  const float shifted = x * 1.44269504f + 12582912.0f, whole = shifted - 12582912.0f;
  /* ln 2 in two parts, the first one short enough that its product with n is exact */
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  int32_t bits;
  memcpy(&bits, &shifted, sizeof(bits));
  *n = bits - 0x4B400000;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  return r + r * r * p;
}

static inline float onri_exp1(float x) {
  float v = x < -104.0f ? -104.0f : x;
  int32_t n;
  v = v > 89.0f ? 89.0f : v;
  const float p = 1.0f + onri_exp_parts(v, &n);
  const int32_t half = n / 2; /* in two steps: n itself may leave the range of exponents */
  return p * onri_power2(half) * onri_power2(n - half);
}

static inline float onri_sigmoid1(float x) { return 1.0f / (1.0f + onri_exp1(-x)); }

static inline float onri_tanh1(float x) {
  float v = x < 0.0f ? -x : x;
  int32_t n;
  v = v > 10.0f ? 10.0f : v;
  const float p = onri_exp_parts(2.0f * v, &n), scale = onri_power2(n & 31);
  const float e = scale * p + (scale - 1.0f); /* exp(2v) - 1 without cancellation near 0 */
  const float t = e / (e + 2.0f);
  return x < 0.0f ? -t : t;
}

void onri_exp_f32(const float *x, float *y, size_t count);
void onri_sigmoid_f32(const float *x, float *y, size_t count);
void onri_tanh_f32(const float *x, float *y, size_t count);
/* y = exp(x - shift); returns the sum of y. */
float onri_exp_sum_f32(const float *x, float shift, float *y, size_t count);
/* Largest of x and max; NaN is skipped. */
float onri_max_f32(const float *x, float max, size_t count);
/* False when x has a NaN or an infinity. */
int onri_all_finite_f32(const float *x, size_t count);

#endif
