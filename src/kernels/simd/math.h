/* math.h: the functions of float32 that kernels share, a vector at a time, in simd.h's language.
 *
 * All are right to a few units of the last place (relative error below 3e-7 with FMA, 4e-7 without), keep NaN, have no
 * branches but those to libm for huge arguments, and give a lane the same bits whatever lies in the others.
 * Coefficients are minimax fits to these functions on the stated range. */
#ifndef ONRI_SIMD_MATH_H
#define ONRI_SIMD_MATH_H

#include "kernels/simd.h"

/* These two keep NaN. */
INLINE vf32 f32_at_most(vf32 x, float limit) { return f32_least(f32_set(limit), x); }
INLINE vf32 f32_at_least(vf32 x, float limit) { return f32_greatest(f32_set(limit), x); }

/* q x + coefficient: a step of Horner's rule. */
INLINE vf32 f32_step(vf32 q, vf32 x, float coefficient) { return f32_fma(q, x, f32_set(coefficient)); }

/* --- exp: in parts of an octave where a register holds their powers of 2, so that the polynomial is short ---
 *
 * x = n ln 2 / EXP_PARTS + r, and exp(x) = 2^(n / EXP_PARTS) (1 + beyond). */
#if SIMD_BYTES == 64
enum { EXP_PARTS = 16, EXP_PART_BITS = 4 };
#elif SIMD_BYTES == 32
enum { EXP_PARTS = 8, EXP_PART_BITS = 3 };
#else
enum { EXP_PARTS = 1, EXP_PART_BITS = 0 };
#endif

/* 2^n x for whole octaves n of normal results; of x = 1, 0 for -127. */
INLINE vf32 f32_times_octaves(vf32 x, vi32 n) { return (vf32)((vi32)x + (n << 23)); }

/* 2^(n / EXP_PARTS), likewise; a power in the table is less by what the shift of n adds to it. */
INLINE vf32 f32_exp2_parts(vi32 n) {
#define PART(i, bits) (bits) - ((i) << (23 - EXP_PART_BITS)) /* 2^(i / EXP_PARTS) */
#if SIMD_BYTES == 64
  const vi32 powers = {PART(0, 0x3f800000),  PART(1, 0x3f85aac3),  PART(2, 0x3f8b95c2),  PART(3, 0x3f91c3d3),
                       PART(4, 0x3f9837f0),  PART(5, 0x3f9ef532),  PART(6, 0x3fa5fed7),  PART(7, 0x3fad583f),
                       PART(8, 0x3fb504f3),  PART(9, 0x3fbd08a4),  PART(10, 0x3fc5672a), PART(11, 0x3fce248c),
                       PART(12, 0x3fd744fd), PART(13, 0x3fe0ccdf), PART(14, 0x3feac0c7), PART(15, 0x3ff5257d)};
  const vi32 power = (vi32)_mm512_permutexvar_epi32((__m512i)n, (__m512i)powers);
#elif SIMD_BYTES == 32
  const vi32 powers = {PART(0, 0x3f800000), PART(1, 0x3f8b95c2), PART(2, 0x3f9837f0), PART(3, 0x3fa5fed7),
                       PART(4, 0x3fb504f3), PART(5, 0x3fc5672a), PART(6, 0x3fd744fd), PART(7, 0x3feac0c7)};
  const vi32 power = (vi32)_mm256_permutevar8x32_epi32((__m256i)powers, (__m256i)n);
#else
  const vi32 power = i32_set(PART(0, 0x3f800000));
#endif
#undef PART
  return (vf32)(power + (n << (23 - EXP_PART_BITS)));
}

/* (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2 / parts. */
INLINE vf32 f32_exp_rest(vf32 r, const int parts) {
  if (parts == 16) return f32_step(f32_set(0.16667025f), r, 0.50001621f);
  if (parts == 8) return f32_step(f32_set(0.16668109f), r, 0.50006482f);
  vf32 q = f32_set(0.0013882521f);
  q = f32_step(q, r, 0.008366519f);
  q = f32_step(q, r, 0.0416672f);
  q = f32_step(q, r, 0.16666543f);
  return f32_step(q, r, 0.49999997f);
}

/* 1.5 * 2^23: adding it rounds to an integer, found in the low bits. */
#define F32_ROUNDER 12582912.0f

/* Of x with |x| < 2^17; the parts are EXP_PARTS or 1. Bits of n from 22 on are F32_ROUNDER's: shifts to the left lose
 * them. */
struct f32_powers {
  vf32 beyond, whole; /* n as a float */
  vi32 n;
};
INLINE struct f32_powers f32_exp_split(vf32 x, const int parts) {
  const vf32 shifted = f32_fma(x, f32_set(1.44269504f * (float)parts), f32_set(F32_ROUNDER)), n = shifted - F32_ROUNDER;
  vf32 r = f32_fma(n, f32_set(-0.693359375f / (float)parts), x); /* ln 2 in two; the first product is exact */
  r = f32_fma(n, f32_set(2.12194440e-4f / (float)parts), r);
  return (struct f32_powers){f32_fma(f32_exp_rest(r, parts) * r, r, r), n, (vi32)shifted};
}

INLINE vi32 f32_whole_of(struct f32_powers p) { return p.n - (vi32)f32_set(F32_ROUNDER); }

/* exp(x) for x <= 0; what would be subnormal is another number below the normal ones, or 0, which saves steps. */
INLINE vf32 f32_exp_negative(vf32 x) {
  const struct f32_powers p = f32_exp_split(f32_at_least(x, -88.0296919f), EXP_PARTS); /* -127 ln 2 */
  const vf32 scale = f32_exp2_parts(p.n);
  return f32_fma(scale, p.beyond, scale);
}
INLINE vf32 f32_exp(vf32 x) {
  const struct f32_powers p = f32_exp_split(f32_at_least(f32_at_most(x, 89.0f), -104.0f), EXP_PARTS);
#if SIMD_BYTES == 64
  const vf32 scale = f32_exp2_parts(p.n & (EXP_PARTS - 1));
  return (vf32)_mm512_scalef_ps((__m512)f32_fma(scale, p.beyond, scale), (__m512)(p.whole * (1.0f / EXP_PARTS)));
#else
  /* in two steps, for results that are subnormal or infinite */
  const vi32 half = f32_whole_of(p) >> (EXP_PART_BITS + 1);
  const vf32 scale = f32_exp2_parts(p.n - (half << EXP_PART_BITS));
  return f32_fma(scale, p.beyond, scale) * f32_times_octaves(f32_set(1), half);
#endif
}

/* exp(x) - 1 for x <= 0, also close to 0. */
INLINE vf32 f32_expm1_negative(vf32 x) {
  const struct f32_powers p = f32_exp_split(f32_at_least(x, -80.0f), 1); /* whole octaves, whose powers are exact */
  const vf32 scale = f32_times_octaves(f32_set(1), p.n);
  return f32_fma(p.beyond, scale, scale - 1.0f);
}

INLINE vf32 f32_sigmoid(vf32 x) {
  /* exp of the negative magnitude cannot overflow; the two halves of the curve share one division */
  const vf32 e = f32_exp_negative(-f32_abs(x));
  return f32_select((vi32)x < 0, e, f32_set(1)) / (1.0f + e);
}

INLINE vf32 f32_within(vf32 x, float limit) { return f32_at_least(f32_at_most(x, limit), -limit); }

INLINE vf32 f32_tanh(vf32 x) {
  const vf32 e = f32_expm1_negative(-2.0f * f32_abs(x));
  return f32_with_sign_of(e / (e + 2.0f), x);
}

/* x P(x^2) / Q(x^2) up to |x| = 4; erf is 1 in float32 there, and the ratio not less, so that it is 1 exactly once it
 * is cut: gelu of -1e30 is 0. */
INLINE vf32 f32_erf(vf32 x) {
  const vf32 a = f32_within(x, 4.0f), t = a * a;
  vf32 p = f32_set(1.98678003e-06f);
  p = f32_step(p, t, 0.000284567068f);
  p = f32_step(p, t, 0.00388338114f);
  p = f32_step(p, t, 0.05310186f);
  p = f32_step(p, t, 0.193545878f);
  p = f32_step(p, t, 1.12837911f);
  vf32 q = f32_set(3.74202136e-05f);
  q = f32_step(q, t, 0.00118558086f);
  q = f32_step(q, t, 0.0152073242f);
  q = f32_step(q, t, 0.115350343f);
  q = f32_step(q, t, 0.504858136f);
  q = f32_step(q, t, 1.0f);
  return f32_within(a * p / q, 1.0f);
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

/* --- circular and hyperbolic functions --- */

/* libm's results for the lanes of the mask, where vectors have none: rare, so not inlined. */
SIMD_FUNCTION void f32_replace(vf32 *y, const vi32 *mask, const vf32 *x, float (*f)(float)) {
  for (int l = 0; l < F32_LANES; l++)
    if ((*mask)[l]) (*y)[l] = f((*x)[l]);
}

/* x - n pi / 2 for whole n up to 2^17: the products are exact, so small results are as right as others. */
INLINE vf32 f32_minus_quarters(vf32 x, vf32 n) {
#if HAS_FMA
  const vf32 r = f32_fma(n, f32_set(4.371138829e-8f), f32_fma(n, f32_set(-1.570796371f), x));
  return f32_fma(n, f32_set(1.71512451e-15f), r);
#else
  const double first = 0x1.921fb544p+0, second = 0x1.0b4611a626331p-34; /* 33 bits, and what is left */
  const vf64 low = f64_from_low(n), high = f64_from_high(n);
  return f32_from_f64(f64_from_low(x) - low * first - low * second, f64_from_high(x) - high * first - high * second);
#endif
}

/* Sine and cosine of x less a multiple of pi / 2, which is `quadrant` modulo 4; for |x| <= F32_CIRCLES. */
#define F32_CIRCLES 65536.0f
struct f32_circle {
  vf32 sin, cos;
  vi32 quadrant;
};
INLINE struct f32_circle f32_circle(vf32 x) {
  const vf32 shifted = f32_fma(x, f32_set(0.63661977f), f32_set(F32_ROUNDER));
  const vf32 r = f32_minus_quarters(x, shifted - F32_ROUNDER), t = r * r;
  vf32 s = f32_set(2.80794211e-06f);
  s = f32_step(s, t, -0.000198510505f);
  s = f32_step(s, t, 0.00833337568f);
  s = f32_step(s, t, -0.166666672f);
  vf32 c = f32_set(2.43936502e-05f);
  c = f32_step(c, t, -0.00138869591f);
  c = f32_step(c, t, 0.0416666381f);
  c = f32_step(f32_step(c, t, -0.5f), t, 1.0f);
  return (struct f32_circle){f32_with_sign_of(f32_fma(s, t * r, r), r), c, (vi32)shifted & 3};
}

INLINE vf32 f32_flip(vf32 x, vi32 odd) { return (vf32)((vi32)x ^ (odd << 31)); } /* -x where the lowest bit is set */

INLINE vf32 f32_sin_or_cos(vf32 x, const int ahead, float (*exact)(float)) {
  const struct f32_circle c = f32_circle(x);
  const vi32 quadrant = c.quadrant + ahead, beyond = f32_abs(x) > F32_CIRCLES;
  vf32 y = f32_flip(f32_select((quadrant & 1) != 0, c.cos, c.sin), quadrant >> 1 & 1);
  if (i32_any(beyond)) f32_replace(&y, &beyond, &x, exact);
  return y;
}
INLINE vf32 f32_sin(vf32 x) { return f32_sin_or_cos(x, 0, sinf); }
INLINE vf32 f32_cos(vf32 x) { return f32_sin_or_cos(x, 1, cosf); }

INLINE vf32 f32_tan(vf32 x) {
  const struct f32_circle c = f32_circle(x);
  const vi32 odd = (c.quadrant & 1) != 0, beyond = f32_abs(x) > F32_CIRCLES;
  vf32 y = f32_flip(f32_select(odd, c.cos, c.sin) / f32_select(odd, c.sin, c.cos), odd & 1);
  if (i32_any(beyond)) f32_replace(&y, &beyond, &x, tanf);
  return y;
}

/* pi / 2 - x, x <= pi / 2; and twice as much. */
INLINE vf32 f32_quarter_minus(vf32 x) { return 1.57079637f - x - 4.37113883e-8f; }
INLINE vf32 f32_half_minus(vf32 x) { return 3.14159274f - x - 8.74227766e-8f; }

INLINE vf32 f32_atan(vf32 x) {
  const vf32 a = f32_abs(x);
  const vi32 beyond = a > 1.0f;
  const vf32 z = f32_select(beyond, 1.0f / a, a), t = z * z;
  vf32 q = f32_set(-0.00178282452f);
  q = f32_step(q, t, 0.0108686909f);
  q = f32_step(q, t, -0.0310969874f);
  q = f32_step(q, t, 0.0578813888f);
  q = f32_step(q, t, -0.0839930624f);
  q = f32_step(q, t, 0.109508805f);
  q = f32_step(q, t, -0.142640159f);
  q = f32_step(q, t, 0.199985296f);
  q = f32_step(q, t, -0.333332986f);
  const vf32 y = f32_fma(q, t * z, z);
  return f32_with_sign_of(f32_select(beyond, f32_quarter_minus(y), y), x);
}

/* The arc sine of |x| up to 1/2; beyond, half that of cos: asin(x) = pi / 2 - 2 asin(sqrt((1 - x) / 2)). */
INLINE vf32 f32_arc(vf32 x, vi32 beyond) {
  const vf32 a = f32_abs(x);
  const vf32 t = f32_select(beyond, 0.5f - 0.5f * a, a * a), s = f32_select(beyond, f32_sqrt(t), a);
  vf32 q = f32_set(0.0421583056f);
  q = f32_step(q, t, 0.0241847783f);
  q = f32_step(q, t, 0.0454691499f);
  q = f32_step(q, t, 0.0749530941f);
  q = f32_step(q, t, 0.166667521f);
  return f32_fma(q, t * s, s);
}
INLINE vf32 f32_asin(vf32 x) {
  const vi32 beyond = f32_abs(x) > 0.5f;
  const vf32 y = f32_arc(x, beyond);
  return f32_with_sign_of(f32_select(beyond, f32_quarter_minus(2.0f * y), y), x);
}
INLINE vf32 f32_acos(vf32 x) {
  const vi32 beyond = f32_abs(x) > 0.5f;
  const vf32 y = f32_arc(x, beyond), twice = 2.0f * y;
  const vf32 far = f32_select(x < 0.0f, f32_half_minus(twice), twice);
  return f32_select(beyond, far, f32_quarter_minus(f32_with_sign_of(y, x)));
}

/* exp(|x|) / 2, also where exp(|x|) is more than a float holds. */
INLINE vf32 f32_half_exp(vf32 x) {
  const struct f32_powers p = f32_exp_split(f32_at_most(f32_abs(x), 91.0f), 1);
  const vi32 half = f32_whole_of(p) >> 1;
  return (1.0f + p.beyond) * f32_times_octaves(f32_set(1), half) * f32_times_octaves(f32_set(1), p.n - half - 1);
}
INLINE vf32 f32_cosh(vf32 x) {
  const vf32 e = f32_half_exp(x);
  return e + 0.25f / e;
}
INLINE vf32 f32_sinh(vf32 x) {
  const vf32 e = f32_half_exp(x), t = x * x;
  vf32 q = f32_set(2.78221319e-06f);
  q = f32_step(q, t, 0.000198428956f);
  q = f32_step(q, t, 0.00833331048f);
  q = f32_step(q, t, 0.166666672f);
  const vf32 y = f32_select(t < 1.0f, f32_fma(q, t * f32_abs(x), f32_abs(x)), e - 0.25f / e);
  return f32_with_sign_of(y, x);
}

/* log(1 + u), corrected for what the sum lost; where `beyond`, log(2 a). */
INLINE vf32 f32_log1p_or(vf32 u, vi32 beyond, vf32 a) {
  const vf32 sum = f32_select(beyond, a, 1.0f + u);
  const vf32 rest = f32_select(beyond, f32_set(0.69314718f), (u - (sum - 1.0f)) / sum);
  return f32_log(sum) + rest;
}
#define F32_SQUARES 8192.0f /* from here on, 1 more or less under a root is nothing */
INLINE vf32 f32_asinh(vf32 x) {
  const vf32 a = f32_abs(x), t = a * a;
  return f32_with_sign_of(f32_log1p_or(a + t / (1.0f + f32_sqrt(1.0f + t)), a > F32_SQUARES, a), x);
}
INLINE vf32 f32_acosh(vf32 x) {
  const vf32 d = x - 1.0f;
  const vf32 y = f32_log1p_or(d + f32_sqrt(d * (d + 2.0f)), x > F32_SQUARES, x);
  return f32_select(x < 1.0f, f32_set(NAN), y);
}
INLINE vf32 f32_atanh(vf32 x) {
  const vf32 a = f32_abs(x);
  const vf32 y = 0.5f * f32_log1p_or(2.0f * a / (1.0f - a), (vi32){0}, a);
  return f32_with_sign_of(f32_select(a == 1.0f, f32_set(INFINITY), y), x);
}

/* --- double: right to two units of the last place --- */

/* As f32_exp_split, |x| < 2^31: x = n ln 2 + r, and what exp(r) is beyond 1. */
INLINE vi64 f64_exp_split(vf64 x, vf64 *beyond) {
  static const double factorial[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                                     1.0 / 362880,     1.0 / 40320,     1.0 / 5040,     1.0 / 720,
                                     1.0 / 120,        1.0 / 24,        1.0 / 6,        0.5};
  const vf64 magic = f64_set(0x1.8p52), shifted = f64_fma(x, f64_set(0x1.71547652b82fep+0), magic), n = shifted - magic;
  const vf64 r = x - n * 0x1.62e42feep-1 - n * 0x1.a39ef35793c76p-33; /* the first product is exact */
  vf64 q = f64_set(factorial[0]);
  UNROLL for (int i = 1; i < 12; i++) q = f64_fma(q, r, f64_set(factorial[i]));
  *beyond = f64_fma(q * r, r, r);
  return (vi64)shifted - (vi64)magic;
}
INLINE vf64 f64_exp2_int(vi64 n) { return (vf64)((n + 1023) << 52); } /* -1022 <= n <= 1023 */

/* 2^n x, in two steps, for results that are subnormal or infinite. */
INLINE vf64 f64_times_octaves(vf64 x, vi64 n) {
  const vi64 half = (n + 2048) / 2 - 1024;
  return x * f64_exp2_int(half) * f64_exp2_int(n - half);
}
INLINE vf64 f64_exp(vf64 x) {
  vf64 beyond;
  const vi64 n = f64_exp_split(f64_greatest(f64_set(-746), f64_least(f64_set(710), x)), &beyond);
  return f64_times_octaves(1.0 + beyond, n);
}
/* exp(x) - 1 for x <= 0 */
INLINE vf64 f64_expm1_negative(vf64 x) {
  vf64 beyond;
  const vf64 scale = f64_exp2_int(f64_exp_split(f64_greatest(f64_set(-700), x), &beyond));
  return f64_fma(beyond, scale, scale - 1.0);
}
INLINE vf64 f64_with_sign_of(vf64 x, vf64 sign) { return (vf64)(((vi64)x & INT64_MAX) | ((vi64)sign & INT64_MIN)); }
INLINE vf64 f64_tanh(vf64 x) {
  const vf64 e = f64_expm1_negative(-2.0 * f64_abs(x));
  return f64_with_sign_of(e / (e + 2.0), x);
}
INLINE vf64 f64_sigmoid(vf64 x) {
  const vf64 e = f64_exp(-f64_abs(x));
  return f64_select((vi64)x < 0, e, f64_set(1)) / (1.0 + e);
}

/* x = 2^n (1 + f) with 1 + f in [sqrt 1/2, sqrt 2). */
INLINE vf64 f64_octaves(vf64 x, vf64 *f) {
  const vi64 subnormal = (vi64)(x < 0x1p-1022);
  const vu64 bits = (vu64)f64_select(subnormal, x * 0x1p54, x);
  const vu64 k = (bits - 0x3FE6A09E667F3BCD + ((uint64_t)1023 << 52)) >> 52; /* 1023 more */
  *f = (vf64)(bits - (k << 52) + ((uint64_t)1023 << 52)) - 1.0;
  return (vf64)(k | 0x4330000000000000) - f64_select(subnormal, f64_set(0x1p52 + 1077), f64_set(0x1p52 + 1023));
}

/* 1 / 5 + z / 7 + z^2 / 9 ... */
INLINE vf64 f64_log_tail(vf64 z) {
  static const double odd[] = {1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5};
  vf64 q = f64_set(odd[0]);
  UNROLL for (int i = 1; i < 9; i++) q = f64_fma(q, z, f64_set(odd[i]));
  return q;
}

/* As f32_log. With s = f / (2 + f), log(1 + f) = 2 s (1 + z / 3 + z^2 / 5 ...), z = s^2 < 0.03, which is f less
 * f^2 / 2 and what is small: nothing large is rounded. */
INLINE vf64 f64_log(vf64 x) {
  vf64 f, n = f64_octaves(x, &f);
  const vf64 s = f / (2.0 + f), z = s * s, q = f64_fma(f64_log_tail(z), z, f64_set(1.0 / 3)) * z * 2.0;
  const vf64 half = 0.5 * f * f, rest = f64_fma(n, f64_set(0x1.a39ef35793c76p-33), s * (half + q));
  vf64 y = f64_fma(n, f64_set(0x1.62e42feep-1), f - (half - rest));
  y = f64_select((vi64)(x > 0x1.fffffffffffffp1023), x, y); /* infinity */
  y = f64_select((vi64)(x == 0.0), f64_set(-(double)INFINITY), y);
  return f64_select((vi64)(x >= 0.0), y, f64_set((double)NAN)); /* below 0, and NaN */
}

/* As f32_replace. */
SIMD_FUNCTION void f64_replace(vf64 *y, const vi64 *mask, const vf64 *x, double (*f)(double)) {
  for (int l = 0; l < F64_LANES; l++)
    if ((*mask)[l]) (*y)[l] = f((*x)[l]);
}

/* As f32_circle, for |x| <= F64_CIRCLES: 33 bits of pi / 2 times n are exact. */
#define F64_CIRCLES 524288.0
INLINE vf64 f64_sin_or_cos(vf64 x, const int ahead, double (*exact)(double)) {
  static const double odd[] = {1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800,
                               1.0 / 362880,          -1.0 / 5040,          1.0 / 120,        -1.0 / 6};
  static const double even[] = {1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800,
                                1.0 / 40320,          -1.0 / 720,         1.0 / 24};
  const vf64 magic = f64_set(0x1.8p52), shifted = f64_fma(x, f64_set(0x1.45f306dc9c883p-1), magic), n = shifted - magic;
  vf64 r = x - n * 0x1.921fb544p+0;
  r = r - n * 0x1.0b4611a6p-34 - n * 0x1.3198a2e037073p-69;
  const vf64 t = r * r;
  vf64 s = f64_set(odd[0]), c = f64_set(even[0]);
  UNROLL for (int i = 1; i < 8; i++) s = f64_fma(s, t, f64_set(odd[i]));
  UNROLL for (int i = 1; i < 7; i++) c = f64_fma(c, t, f64_set(even[i]));
  s = f64_with_sign_of(f64_fma(s, t * r, r), r);
  const vf64 half = 0.5 * t, one = 1.0 - half; /* which loses what 1 - one - half is */
  c = one + f64_fma(c, t * t, (1.0 - one) - half);
  const vi64 quadrant = (vi64)shifted + ahead, beyond = (vi64)(f64_abs(x) > F64_CIRCLES);
  vf64 y = f64_select((vi64)((quadrant & 1) != 0), c, s);
  y = (vf64)((vi64)y ^ (quadrant >> 1 << 63));
  y = f64_select((vi64)(x != x), x, y);
  if (i32_any((vi32)beyond)) f64_replace(&y, &beyond, &x, exact);
  return y;
}
INLINE vf64 f64_sin(vf64 x) { return f64_sin_or_cos(x, 0, sin); }
INLINE vf64 f64_cos(vf64 x) { return f64_sin_or_cos(x, 1, cos); }

/* --- powers: of |a|, then the cases that C has for the sign, 0, 1, infinity and NaN --- */

INLINE vf64 f64_signed_power(vf64 a, vf64 b, vf64 power) {
  const vi64 minus = (vi64)a < 0, whole = (vi64)(f64_rint(b) == b); /* infinity is whole, and even */
  const vi64 odd = whole & (vi64)(f64_rint(0.5 * b) != 0.5 * b);
  power = f64_select((vi64)(b == 0.0) | (vi64)(f64_abs(a) == 1.0), f64_set(1), power);
  power = (vf64)((vi64)power ^ (minus & odd & INT64_MIN));
  power = f64_select((vi64)(a < 0.0) & (vi64)(a > -(double)INFINITY) & ~whole, f64_set((double)NAN), power);
  return f64_select((vi64)(a == 1.0) | (vi64)(b == 0.0), f64_set(1), power);
}

/* A polynomial of an odd number of coefficients, the highest first: even and odd powers do not wait for one another. */
INLINE vf64 f64_two_chains(const double *coefficient, const int count, vf64 x) {
  const vf64 square = x * x;
  vf64 even = f64_set(coefficient[0]), odd = f64_set(coefficient[1]);
  UNROLL for (int i = 2; i < count; i += 2) even = f64_fma(even, square, f64_set(coefficient[i]));
  UNROLL for (int i = 3; i < count; i += 2) odd = f64_fma(odd, square, f64_set(coefficient[i]));
  return f64_fma(odd, x, even);
}

/* Of float32: log and exp as f64_log and f64_exp, to some 36 bits, which are 12 more than a float has. */
INLINE vf64 f64_short_pow(vf64 a, vf64 b) {
  static const double odd[] = {2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3, 2.0};
  static const double factorial[] = {1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
                                     1.0 / 24,      1.0 / 6,      0.5,         1.0,        1.0};
  const vf64 x = f64_abs(a), magic = f64_set(0x1.8p52), ln_2 = f64_set(0x1.62e42fefa39efp-1);
  vf64 f, n = f64_octaves(x, &f);
  const vf64 s = f / (2.0 + f), z = s * s;
  vf64 log = f64_fma(n, ln_2, s * f64_two_chains(odd, 7, z));
  log = f64_select((vi64)(x == 0.0), f64_set(-(double)INFINITY), f64_select((vi64)(x < (double)INFINITY), log, x));
  const vf64 e = f64_greatest(f64_set(-200), f64_least(f64_set(200), b * log)); /* beyond float32's range */
  const vf64 shifted = f64_fma(e, f64_set(0x1.71547652b82fep+0), magic), r = f64_fma(shifted - magic, -ln_2, e);
  return f64_signed_power(a, b, f64_two_chains(factorial, 11, r) * f64_exp2_int((vi64)shifted - (vi64)magic));
}
/* Of the first `count` lanes: half of the work may be enough. */
INLINE vf32 f32_pow(vf32 a, vf32 b, size_t count) {
  const vf64 low = f64_short_pow(f64_from_low(a), f64_from_low(b));
  return f32_from_f64(low, count > F64_LANES ? f64_short_pow(f64_from_high(a), f64_from_high(b)) : low);
}

#if HAS_FMA
/* log(x) of x >= 0 as a sum of two, right to some 65 bits: as f64_log, with what each step loses. */
INLINE vf64 f64_long_log(vf64 x, vf64 *low) {
  vf64 f, n = f64_octaves(x, &f);
  const vf64 d = 2.0 + f, d_low = f - (d - 2.0), inverse = 1.0 / d;
  const vf64 s = f * inverse, s_low = f64_fma(-s, d_low, f64_fma(-s, d, f)) * inverse;
  const vf64 z = s * s, z_low = f64_fma(s, s, -z) + 2.0 * s * s_low;
  const vf64 q = f64_log_tail(z) * z;
  const vf64 c = 1.0 / 3 + q, c_low = q - (c - 1.0 / 3) + 0x1.5555555555555p-56; /* what 1/3 is beyond a double */
  const vf64 p = z * c, p_low = f64_fma(z, c, -p) + z * c_low + z_low * c;
  const vf64 t = s * p, t_low = f64_fma(s, p, -t) + s * p_low + s_low * p;
  const vf64 half = s + t, half_low = (s - half) + t + (t_low + s_low);
  const vf64 whole = n * 0x1.62e42feep-1, sum = whole + 2.0 * half;
  const vf64 rest = (whole - sum) + 2.0 * half + f64_fma(n, f64_set(0x1.a39ef35793c76p-33), 2.0 * half_low);
  const vf64 log = sum + rest;
  const vi64 special = (vi64)(x == 0.0) | ~(vi64)(x < (double)INFINITY);
  *low = f64_select(special, (vf64){0}, (sum - log) + rest);
  return f64_select(special, f64_select((vi64)(x == 0.0), f64_set(-(double)INFINITY), x), log);
}
INLINE vf64 f64_pow(vf64 a, vf64 b) {
  vf64 low, beyond;
  const vf64 log = f64_long_log(f64_abs(a), &low), e = b * log;
  const vf64 rest = f64_select((vi64)(f64_abs(e) < 1000.0), f64_fma(b, log, -e) + b * low, (vf64){0});
  const vi64 n = f64_exp_split(f64_greatest(f64_set(-746), f64_least(f64_set(710), e)), &beyond);
  return f64_signed_power(a, b, f64_times_octaves(1.0 + (beyond + f64_fma(rest, beyond, rest)), n));
}
#endif

#endif
