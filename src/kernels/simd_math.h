/* simd_math.h: the functions of float32 that kernels share, a vector at a time, in simd.h's language.
 *
 * All are right to a few units of the last place (relative error below 3e-7 with FMA, 4e-7 without), keep NaN, have no
 * branches, and give a lane the same bits whatever lies in the others. Coefficients are minimax fits to these functions
 * on the stated range. */
#ifndef ONRI_SIMD_MATH_H
#define ONRI_SIMD_MATH_H

#include "kernels/simd.h"

/* These two keep NaN. */
INLINE vf32 f32_at_most(vf32 x, float limit) { return f32_least(f32_set(limit), x); }
INLINE vf32 f32_at_least(vf32 x, float limit) { return f32_greatest(f32_set(limit), x); }

/* q x + coefficient: a step of Horner's rule. */
INLINE vf32 f32_step(vf32 q, vf32 x, float coefficient) { return f32_fma(q, x, f32_set(coefficient)); }

/* 2^n for -126 <= n <= 127. */
INLINE vf32 f32_exp2_int(vi32 n) { return (vf32)((n + 127) << 23); }

/* x = n ln 2 + *r with |*r| <= ln 2 / 2; for |x| < 2^20. n as a float, and as an integer. */
struct f32_powers {
  vf32 n;
  vi32 whole;
};
INLINE struct f32_powers f32_exp_split(vf32 x, vf32 *r) {
  const vf32 magic = f32_set(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer, found in the low bits */
  const vf32 shifted = f32_fma(x, f32_set(1.44269504f), magic);
  const vf32 n = shifted - magic;
  *r = f32_fma(n, f32_set(-0.693359375f), x); /* ln 2 in two parts; the first is short, so the product is exact */
  *r = f32_fma(n, f32_set(2.12194440e-4f), *r);
  return (struct f32_powers){n, (vi32)shifted - (vi32)magic};
}

/* (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2. */
INLINE vf32 f32_exp_rest(vf32 r) {
  vf32 q = f32_set(0.0013882521f);
  q = f32_step(q, r, 0.008366519f);
  q = f32_step(q, r, 0.0416672f);
  q = f32_step(q, r, 0.16666543f);
  return f32_step(q, r, 0.49999997f);
}

INLINE vf32 f32_exp_bounded(vf32 x) { /* -104 <= x <= 89, or NaN */
  vf32 r;
  const struct f32_powers p = f32_exp_split(x, &r);
  const vf32 e = f32_step(f32_step(f32_exp_rest(r), r, 1.0f), r, 1.0f);
#if SIMD_BYTES == 64
  return (vf32)_mm512_scalef_ps((__m512)e, (__m512)p.n);
#else
  const vi32 half = p.whole >> 1; /* in two steps, for results that are subnormal or infinite */
  return e * f32_exp2_int(half) * f32_exp2_int(p.whole - half);
#endif
}
INLINE vf32 f32_exp(vf32 x) { return f32_exp_bounded(f32_at_least(f32_at_most(x, 89.0f), -104.0f)); }
INLINE vf32 f32_exp_negative(vf32 x) { return f32_exp_bounded(f32_at_least(x, -104.0f)); } /* x <= 0 */

/* exp(x) - 1 for x <= 0, also close to 0. */
INLINE vf32 f32_expm1_negative(vf32 x) {
  vf32 r;
  const vf32 scale = f32_exp2_int(f32_exp_split(f32_at_least(x, -80.0f), &r).whole);
  const vf32 p = f32_fma(f32_exp_rest(r) * r, r, r);
  return f32_fma(p, scale, scale - 1.0f);
}

INLINE vf32 f32_sigmoid(vf32 x) {
  /* exp of the negative magnitude cannot overflow; the two halves of the curve share one division */
  const vf32 e = f32_exp_negative(-f32_abs(x));
  return f32_select((vi32)x < 0, e, f32_set(1)) / (1.0f + e);
}

INLINE vf32 f32_tanh(vf32 x) {
  const vf32 e = f32_expm1_negative(-2.0f * f32_abs(x));
  return f32_with_sign_of(e / (e + 2.0f), x);
}

/* x P(x^2) / Q(x^2) up to |x| = 3.92; from there on erf is 1 in float32, and exactly so here for the sake of gelu. */
INLINE vf32 f32_erf(vf32 x) {
  const vf32 a = f32_at_least(f32_at_most(x, 3.92f), -3.92f);
  const vf32 t = a * a;
  vf32 p = f32_set(2.0500909e-06f);
  p = f32_step(p, t, 0.00028488206f);
  p = f32_step(p, t, 0.0037655893f);
  p = f32_step(p, t, 0.052748635f);
  p = f32_step(p, t, 0.19040583f);
  p = f32_step(p, t, 1.1283791f);
  vf32 q = f32_set(3.809172e-05f);
  q = f32_step(q, t, 0.0011625288f);
  q = f32_step(q, t, 0.01496916f);
  q = f32_step(q, t, 0.114108846f);
  q = f32_step(q, t, 0.5020755f);
  q = f32_step(q, t, 1.0f);
  const vf32 y = f32_at_most(f32_abs(a * p / q), 1.0f);
  return f32_with_sign_of(f32_select(f32_abs(a) >= 3.92f, f32_set(1), y), x);
}

INLINE vf32 f32_gelu(vf32 x) {
  const vf32 half = 0.5f * x;
  return f32_fma(half, f32_erf(x * 0.70710678f), half);
}

INLINE vf32 f32_swish(vf32 x, vf32 alpha) { return x * f32_sigmoid(alpha * x); }

/* x / 2 (1 + tanh(u)) is x sigmoid(2 u). */
INLINE vf32 f32_gelu_tanh(vf32 x) {
  const vf32 u = x * f32_step(x * x, f32_set(0.07135481f), 1.5957691f); /* 2 sqrt(2 / pi) (1, 0.044715) */
  return x * f32_sigmoid(u);
}

/* tanh(log(1 + e)) with e = exp(x) is (e^2 + 2 e) / (e^2 + 2 e + 2); 1 beyond 20. */
INLINE vf32 f32_mish(vf32 x) {
  const vf32 e = f32_exp(f32_at_most(x, 20.0f));
  const vf32 u = f32_fma(e, e, 2.0f * e);
  return x * (u / (u + 2.0f));
}

/* x = m 2^k with m in [sqrt 1/2, sqrt 2): k ln 2 + log(1 + (m - 1)). */
INLINE vf32 f32_log(vf32 x) {
  const vi32 subnormal = x < 1.17549435e-38f;
  const vi32 bits = (vi32)f32_select(subnormal, x * 8388608.0f, x);
  const vi32 k = (vi32)((vu32)bits - 0x3F3504F3u) >> 23;
  const vf32 f = (vf32)(vi32)((vu32)bits - ((vu32)k << 23)) - 1.0f;
  const vf32 n = f32_from_i32(k - (subnormal & 23));
  vf32 q = f32_set(0.067466386f);
  q = f32_step(q, f, -0.11675651f);
  q = f32_step(q, f, 0.11888163f);
  q = f32_step(q, f, -0.12405589f);
  q = f32_step(q, f, 0.14219552f);
  q = f32_step(q, f, -0.16667996f);
  q = f32_step(q, f, 0.20002119f);
  q = f32_step(q, f, -0.2500001f);
  q = f32_step(q, f, 0.33333313f);
  const vf32 square = f * f;
  vf32 y = f32_fma(q * f, square, n * -2.12194440e-4f);
  y = f32_fma(f32_set(-0.5f), square, y) + f;
  y = f32_fma(n, f32_set(0.693359375f), y);
  y = f32_select(x > 3.4028235e38f, x, y); /* infinity */
  y = f32_select(x == 0.0f, f32_set(-INFINITY), y);
  return f32_select(x >= 0.0f, y, f32_set(NAN)); /* below 0, and NaN */
}

/* max(x, 0) + log(1 + exp(-|x|)); the logarithm of 1 + e corrected for what 1 + e lost. */
INLINE vf32 f32_softplus(vf32 x) {
  const vf32 e = f32_exp_negative(-f32_abs(x));
  const vf32 sum = 1.0f + e;
  const vf32 lost = e - (sum - 1.0f);
  const vf32 y = f32_log(sum) + lost / sum;
  return f32_at_least(x, 0.0f) + y;
}

#endif
