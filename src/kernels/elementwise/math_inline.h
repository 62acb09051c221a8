/* math_inline.h: float32 functions without branches or calls, for loops that the compiler turns into vector code.
 *
 * All are right to a few units of the last place (relative error below 3e-7 with FMA, 4e-7 without), keep NaN, and give
 * the same bits whether the compiler vectorises the loop around them or not. Coefficients are minimax fits to these
 * functions on the stated range. */
#ifndef ONRI_MATH_INLINE_H
#define ONRI_MATH_INLINE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define ONRI_MADD(a, b, c) __builtin_fmaf((a), (b), (c))
#else
#define ONRI_MADD(a, b, c) ((a) * (b) + (c))
#endif

static inline uint32_t onri_float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

static inline float onri_bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof(x));
  return x;
}

/* These two return x when x is NaN. */
static inline float onri_at_most(float x, float limit) { return x > limit ? limit : x; }
static inline float onri_at_least(float x, float limit) { return x < limit ? limit : x; }
static inline float onri_with_sign_of(float magnitude, float sign) {
  return onri_bits_float((onri_float_bits(magnitude) & 0x7FFFFFFFu) | (onri_float_bits(sign) & 0x80000000u));
}
static inline float onri_magnitude(float x) { return onri_bits_float(onri_float_bits(x) & 0x7FFFFFFFu); }

/* x = n ln 2 + r with |r| <= ln 2 / 2; *p is exp(r) - 1. Returns n. For |x| < 2^20. */
static inline int32_t onri_exp_split(float x, float *p) {
  const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer, found in the low bits */
  const float shifted = ONRI_MADD(x, 1.44269504f, magic);
  const float n = shifted - magic;
  float r = ONRI_MADD(n, -0.693359375f, x); /* ln 2 in two parts; the first has few bits, so the product is exact */
  r = ONRI_MADD(n, 2.12194440e-4f, r);
  float q = 0.0013882521f;
  q = ONRI_MADD(q, r, 0.008366519f);
  q = ONRI_MADD(q, r, 0.0416672f);
  q = ONRI_MADD(q, r, 0.16666543f);
  q = ONRI_MADD(q, r, 0.49999997f);
  *p = ONRI_MADD(q * r, r, r);
  return (int32_t)(onri_float_bits(shifted) - onri_float_bits(magic));
}

/* 2^n for -126 <= n <= 127. */
static inline float onri_exp2_int(int32_t n) { return onri_bits_float((uint32_t)(n + 127) << 23); }

static inline float onri_expf(float x) {
  float p;
  const int32_t n = onri_exp_split(onri_at_least(onri_at_most(x, 89.0f), -104.0f), &p);
  const int32_t half = n >> 1; /* in two steps, for results that are subnormal or infinite */
  const float scale = onri_exp2_int(half);
  return ONRI_MADD(p, scale, scale) * onri_exp2_int(n - half);
}

/* exp(x) - 1 for x <= 0, also close to 0. */
static inline float onri_expm1_negative(float x) {
  float p;
  const float scale = onri_exp2_int(onri_exp_split(onri_at_least(x, -80.0f), &p));
  return ONRI_MADD(p, scale, scale - 1.0f);
}

static inline float onri_sigmoidf(float x) {
  /* exp of the negative magnitude cannot overflow; the two halves of the curve share one division */
  const float e = onri_expf(-onri_magnitude(x));
  const float numerator = onri_float_bits(x) >> 31 ? e : 1.0f;
  return numerator / (1.0f + e);
}

static inline float onri_tanhf(float x) {
  const float e = onri_expm1_negative(-2.0f * onri_magnitude(x));
  return onri_with_sign_of(e / (e + 2.0f), x);
}

/* x P(x^2) / Q(x^2) up to |x| = 3.92; from there on erf is 1 in float32, and exactly so here for the sake of gelu. */
static inline float onri_erff(float x) {
  const float a = onri_at_least(onri_at_most(x, 3.92f), -3.92f);
  const float t = a * a;
  float p = 2.0500909e-06f;
  p = ONRI_MADD(p, t, 0.00028488206f);
  p = ONRI_MADD(p, t, 0.0037655893f);
  p = ONRI_MADD(p, t, 0.052748635f);
  p = ONRI_MADD(p, t, 0.19040583f);
  p = ONRI_MADD(p, t, 1.1283791f);
  float q = 3.809172e-05f;
  q = ONRI_MADD(q, t, 0.0011625288f);
  q = ONRI_MADD(q, t, 0.01496916f);
  q = ONRI_MADD(q, t, 0.114108846f);
  q = ONRI_MADD(q, t, 0.5020755f);
  q = ONRI_MADD(q, t, 1.0f);
  const float y = onri_at_most(onri_magnitude(a * p / q), 1.0f);
  return onri_with_sign_of(onri_magnitude(a) >= 3.92f ? 1.0f : y, x);
}

static inline float onri_geluf(float x) {
  const float half = 0.5f * x;
  return ONRI_MADD(half, onri_erff(x * 0.70710678f), half);
}

static inline float onri_swishf(float x, float alpha) { return x * onri_sigmoidf(alpha * x); }

/* x / 2 (1 + tanh(u)) is x sigmoid(2 u). */
static inline float onri_gelu_tanhf(float x) {
  const float u = x * ONRI_MADD(x * x, 0.07135481f, 1.5957691f); /* 2 sqrt(2 / pi) (1, 0.044715) */
  return x * onri_sigmoidf(u);
}

/* tanh(log(1 + e)) with e = exp(x) is (e^2 + 2 e) / (e^2 + 2 e + 2); 1 beyond 20. */
static inline float onri_mishf(float x) {
  const float e = onri_expf(onri_at_most(x, 20.0f));
  const float u = ONRI_MADD(e, e, 2.0f * e);
  return x * (u / (u + 2.0f));
}

/* x = m 2^k with m in [sqrt 1/2, sqrt 2): k ln 2 + log(1 + (m - 1)). */
static inline float onri_logf(float x) {
  const int subnormal = x < 1.17549435e-38f;
  const uint32_t bits = onri_float_bits(subnormal ? x * 8388608.0f : x);
  const int32_t k = (int32_t)(bits - 0x3F3504F3u) >> 23;
  const float f = onri_bits_float(bits - ((uint32_t)k << 23)) - 1.0f;
  const float n = (float)(k - (subnormal ? 23 : 0));
  float q = 0.067466386f;
  q = ONRI_MADD(q, f, -0.11675651f);
  q = ONRI_MADD(q, f, 0.11888163f);
  q = ONRI_MADD(q, f, -0.12405589f);
  q = ONRI_MADD(q, f, 0.14219552f);
  q = ONRI_MADD(q, f, -0.16667996f);
  q = ONRI_MADD(q, f, 0.20002119f);
  q = ONRI_MADD(q, f, -0.2500001f);
  q = ONRI_MADD(q, f, 0.33333313f);
  const float square = f * f;
  float y = ONRI_MADD(q * f, square, n * -2.12194440e-4f);
  y = ONRI_MADD(-0.5f, square, y) + f;
  y = ONRI_MADD(n, 0.693359375f, y);
  y = x > 3.4028235e38f ? x : y; /* infinity */
  y = x == 0.0f ? -INFINITY : y;
  return x >= 0.0f ? y : NAN; /* below 0, and NaN */
}

/* max(x, 0) + log(1 + exp(-|x|)); the logarithm of 1 + e corrected for what 1 + e lost. */
static inline float onri_softplusf(float x) {
  const float e = onri_expf(-onri_magnitude(x));
  const float sum = 1.0f + e;
  const float lost = e - (sum - 1.0f);
  const float y = onri_logf(sum) + lost / sum;
  return onri_at_least(x, 0.0f) + y;
}

#endif
