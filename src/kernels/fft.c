/* fft: radix 2 where the length allows it, the definition elsewhere. */
#include "kernels/fft.h"

#include <math.h>
#include <string.h>

void onri_fft_roots(struct onri_complex *roots, size_t length) {
  for (size_t k = 0; k < length; k++) {
    const double angle = -6.283185307179586476925 * (double)k / (double)length;
    roots[k] = (struct onri_complex){cos(angle), sin(angle)};
  }
}

static struct onri_complex multiply(struct onri_complex a, struct onri_complex b) {
  return (struct onri_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static void by_definition(struct onri_complex *x, struct onri_complex *spare, const struct onri_complex *roots, size_t length) {
  for (size_t k = 0; k < length; k++) {
    struct onri_complex sum = {0, 0};
    for (size_t j = 0, at = 0; j < length; j++) {
      const struct onri_complex term = multiply(x[j], roots[at]);
      sum.re += term.re;
      sum.im += term.im;
      at += k;
      if (at >= length) at -= length;
    }
    spare[k] = sum;
  }
  memcpy(x, spare, length * sizeof(*x));
}

static void reverse_bits(struct onri_complex *x, size_t length) {
  for (size_t i = 1, j = 0; i < length; i++) {
    size_t bit = length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const struct onri_complex t = x[i];
      x[i] = x[j];
      x[j] = t;
    }
  }
}

static void radix_2(struct onri_complex *x, const struct onri_complex *roots, size_t length) {
  reverse_bits(x, length);
  for (size_t half = 1; half < length; half *= 2) {
    const size_t step = length / (2 * half);
    for (size_t first = 0; first < length; first += 2 * half)
      for (size_t k = 0; k < half; k++) {
        struct onri_complex *a = &x[first + k], *b = a + half;
        const struct onri_complex t = multiply(*b, roots[k * step]);
        *b = (struct onri_complex){a->re - t.re, a->im - t.im};
        *a = (struct onri_complex){a->re + t.re, a->im + t.im};
      }
  }
}

/* The inverse is the conjugate of the transform of the conjugate. */
static void conjugate(struct onri_complex *x, size_t length, double scale) {
  for (size_t k = 0; k < length; k++) x[k] = (struct onri_complex){x[k].re * scale, -x[k].im * scale};
}

void onri_fft(struct onri_complex *x, struct onri_complex *spare, const struct onri_complex *roots, size_t length, int inverse) {
  if (!length) return;
  if (inverse) conjugate(x, length, 1);
  if (length & (length - 1)) by_definition(x, spare, roots, length);
  else radix_2(x, roots, length);
  if (inverse) conjugate(x, length, 1 / (double)length);
}
