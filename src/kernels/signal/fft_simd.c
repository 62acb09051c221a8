/* fft_simd.c: see fft.h. Real and imaginary parts lie apart, so that vectors hold numbers of as many transforms; in the
 * first pass, which has one, as many numbers of it. */
#include "kernels/kernels.h"
#include "kernels/signal/fft.h"
#include "kernels/simd.h"

struct numbers {
  vf64 re, im;
};

INLINE struct numbers load(const struct onri_fft_line line, size_t at, size_t count) {
  if (count >= F64_LANES) return (struct numbers){f64_load(line.re + at), f64_load(line.im + at)};
  return (struct numbers){f64_load_part(line.re + at, count), f64_load_part(line.im + at, count)};
}
INLINE void store(const struct onri_fft_line line, size_t at, struct numbers v, size_t count) {
  f64_store_part(line.re + at, v.re, count);
  f64_store_part(line.im + at, v.im, count);
}
INLINE struct numbers add(struct numbers a, struct numbers b) { return (struct numbers){a.re + b.re, a.im + b.im}; }
INLINE struct numbers subtract(struct numbers a, struct numbers b) {
  return (struct numbers){a.re - b.re, a.im - b.im};
}
INLINE struct numbers times(struct numbers a, struct numbers b) {
  return (struct numbers){f64_fma(a.re, b.re, -(a.im * b.im)), f64_fma(a.re, b.im, a.im * b.re)};
}
INLINE struct numbers turned(struct numbers a) { return (struct numbers){-a.im, a.re}; } /* times i */

/* Sines are cosines from the other end. */
INLINE double sine(const struct onri_fft_pass *p, size_t k) { return -p->roots[p->quarter - k]; }
INLINE struct numbers root(const struct onri_fft_pass *p, size_t k) {
  return (struct numbers){f64_set(p->roots[k]), f64_set(sine(p, k))};
}
INLINE struct numbers roots_from(const struct onri_fft_pass *p, size_t k, size_t count) {
  double im[F64_LANES] = {0};
  if (count >= F64_LANES) {
    for (size_t i = 0; i < F64_LANES; i++) im[i] = sine(p, k + i);
    return (struct numbers){f64_load(p->roots + k), f64_load(im)};
  }
  for (size_t i = 0; i < count; i++) im[i] = sine(p, k + i);
  return (struct numbers){f64_load_part(p->roots + k, count), f64_load(im)};
}
/* Squares and cubes are made, not kept: tables of long lines are memory that a file asks for. */
INLINE void powers(struct numbers w[3], struct numbers root) {
  w[0] = root;
  w[1] = times(root, root);
  w[2] = times(w[1], root);
}

/* v: numbers that lie m apart; w: the roots for them. */
INLINE void four(struct numbers v[4], const struct numbers w[3]) {
  const struct numbers sum = add(v[0], v[2]), difference = subtract(v[0], v[2]);
  const struct numbers other = add(v[1], v[3]), turn = turned(subtract(v[1], v[3]));
  v[0] = add(sum, other);
  v[1] = times(subtract(difference, turn), w[0]);
  v[2] = times(subtract(sum, other), w[1]);
  v[3] = times(add(difference, turn), w[2]);
}

/* a0 b0 c0 d0 a1 b1 ... */
INLINE void store_fours(double *y, vf64 a, vf64 b, vf64 c, vf64 d, size_t count) {
  const vf64 even[2] = {f64_interleave_low(a, c), f64_interleave_high(a, c)},
             odd[2] = {f64_interleave_low(b, d), f64_interleave_high(b, d)};
  const vf64 v[4] = {f64_interleave_low(even[0], odd[0]), f64_interleave_high(even[0], odd[0]),
                     f64_interleave_low(even[1], odd[1]), f64_interleave_high(even[1], odd[1])};
  UNROLL for (size_t i = 0; i < 4; i++) if (i * F64_LANES < 4 * count)
      f64_store_part(y + i * F64_LANES, v[i], 4 * count - i * F64_LANES);
}

static void first_fours(const struct onri_fft_pass *p) {
  for (size_t k = p->from; k < p->to; k += F64_LANES) {
    const size_t left = p->to - k, count = left < F64_LANES ? left : F64_LANES;
    struct numbers v[4], w[3];
    UNROLL for (size_t i = 0; i < 4; i++) v[i] = load(p->x, k + i * p->m, count);
    powers(w, roots_from(p, k, count));
    four(v, w);
    store_fours(p->y.re + 4 * k, v[0].re, v[1].re, v[2].re, v[3].re, count);
    store_fours(p->y.im + 4 * k, v[0].im, v[1].im, v[2].im, v[3].im, count);
  }
}

static void fours(const struct onri_fft_pass *p) {
  const size_t s = p->step;
  if (s == 1) {
    first_fours(p);
    return;
  }
  for (size_t k = p->from; k < p->to; k++) {
    struct numbers w[3];
    powers(w, root(p, k * s));
    for (size_t q = p->first; q < p->last; q += F64_LANES) {
      struct numbers v[4];
      UNROLL for (size_t i = 0; i < 4; i++) v[i] = load(p->x, q + (k + i * p->m) * s, p->last - q);
      four(v, w);
      UNROLL for (size_t i = 0; i < 4; i++) store(p->y, q + (4 * k + i) * s, v[i], p->last - q);
    }
  }
}

static void twos(const struct onri_fft_pass *p) {
  for (size_t q = p->first; q < p->last; q += F64_LANES) {
    const struct numbers a = load(p->x, q, p->last - q), b = load(p->x, q + p->step, p->last - q);
    store(p->y, q, add(a, b), p->last - q);
    store(p->y, q + p->step, subtract(a, b), p->last - q);
  }
}

static void multiply(struct onri_fft_line line, struct onri_fft_line factor, size_t count, int conjugate) {
  for (size_t i = 0; i < count; i += F64_LANES) {
    struct numbers v = times(load(line, i, count - i), load(factor, i, count - i));
    if (conjugate) v.im = -v.im;
    store(line, i, v, count - i);
  }
}

const struct onri_fft_kernels ONRI_AT_LEVEL(onri_fft_kernels) = {fours, twos, multiply};
