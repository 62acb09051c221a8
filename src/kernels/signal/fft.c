/* fft.c: radix 2, and Bluestein's way from any length to a power of two. */
#include "kernels/signal/fft.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/env.h"

#define PI 3.14159265358979323846
enum { BETWEEN_POLLS = 1 << 18 };

static int is_power_of_2(size_t n) { return (n & (n - 1)) == 0; }

size_t onri_fft_size(size_t length) {
  size_t size = 1;
  if (is_power_of_2(length)) return length;
  while (size < 2 * length - 1) size *= 2;
  return size;
}

size_t onri_fft_tables(size_t length) {
  const size_t size = onri_fft_size(length);
  return is_power_of_2(length) ? size / 2 + 1 : size / 2 + length + size;
}

static struct onri_complex multiply(struct onri_complex a, struct onri_complex b) {
  return (struct onri_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static struct onri_complex conjugate(struct onri_complex a) { return (struct onri_complex){a.re, -a.im}; }

/* --- powers of two --- */

static void reverse_bits(struct onri_complex *x, size_t length, struct onri_pace *pace) {
  for (size_t i = 1, j = 0; i < length && !onri_pace_stop(pace, 8); i++) {
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

/* Butterflies [k, end) of the block at x, whose halves are `half` long. */
static void butterflies(struct onri_complex *x, size_t half, size_t k, size_t end, const struct onri_complex *roots,
                        size_t step) {
  for (; k < end; k++) {
    struct onri_complex *a = &x[k], *b = a + half;
    const struct onri_complex t = multiply(*b, roots[k * step]);
    *b = (struct onri_complex){a->re - t.re, a->im - t.im};
    *a = (struct onri_complex){a->re + t.re, a->im + t.im};
  }
}

static void radix_2(struct onri_complex *x, const struct onri_complex *roots, size_t length,
                    const struct onr_env *env) {
  struct onri_pace pace = {env, 0};
  reverse_bits(x, length, &pace);
  for (size_t half = 1; half < length; half *= 2)
    for (size_t first = 0; first < length; first += 2 * half)
      for (size_t k = 0; k < half; k += BETWEEN_POLLS) {
        const size_t end = half - k < BETWEEN_POLLS ? half : k + BETWEEN_POLLS;
        butterflies(x + first, half, k, end, roots, length / (2 * half));
        if (onri_pace_stop(&pace, 4 * (end - k))) return;
      }
}

/* --- any length --- */

/* e^(-pi i k^2 / length): k^2 counts modulo twice the length. */
static struct onri_complex chirp_of(uint64_t k, uint64_t length) {
  const double angle = -PI * (double)(k * k % (2 * length)) / (double)length;
  return (struct onri_complex){cos(angle), sin(angle)};
}

void onri_fft_init(struct onri_fft *fft, size_t length, struct onri_complex *tables, const struct onr_env *env) {
  const size_t size = onri_fft_size(length);
  struct onri_pace pace = {env, 0};
  *fft = (struct onri_fft){.length = length, .size = size, .roots = tables};
  for (size_t k = 0; k < size / 2; k++) {
    const double angle = -2 * PI * (double)k / (double)size;
    if (onri_pace_stop(&pace, 32)) return;
    fft->roots[k] = (struct onri_complex){cos(angle), sin(angle)};
  }
  if (is_power_of_2(length)) return;
  fft->chirp = tables + size / 2;
  fft->filter = fft->chirp + length;
  memset(fft->filter, 0, size * sizeof(*fft->filter));
  for (size_t k = 0; k < length; k++) {
    if (onri_pace_stop(&pace, 32)) return;
    fft->chirp[k] = chirp_of(k, length);
    const struct onri_complex inverse = {fft->chirp[k].re / (double)size, -fft->chirp[k].im / (double)size};
    fft->filter[k] = inverse;
    if (k > 0) fft->filter[size - k] = inverse;
  }
  radix_2(fft->filter, fft->roots, size, env);
}

/* With jk = (j^2 + k^2 - (k - j)^2) / 2 the sum over j is a convolution, which two transforms make. The inverse one is
 * the conjugate of the transform of the conjugate. */
static void bluestein(const struct onri_fft *fft, struct onri_complex *x, const struct onr_env *env) {
  for (size_t k = 0; k < fft->length; k++) x[k] = multiply(x[k], fft->chirp[k]);
  memset(x + fft->length, 0, (fft->size - fft->length) * sizeof(*x));
  radix_2(x, fft->roots, fft->size, env);
  for (size_t k = 0; k < fft->size; k++) x[k] = conjugate(multiply(x[k], fft->filter[k]));
  radix_2(x, fft->roots, fft->size, env);
  for (size_t k = 0; k < fft->length; k++) x[k] = multiply(conjugate(x[k]), fft->chirp[k]);
}

void onri_fft_run(const struct onri_fft *fft, struct onri_complex *line, int inverse, const struct onr_env *env) {
  for (size_t k = 0; inverse && k < fft->length; k++) line[k] = conjugate(line[k]);
  if (fft->chirp) bluestein(fft, line, env);
  else radix_2(line, fft->roots, fft->size, env);
  for (size_t k = 0; inverse && k < fft->length; k++)
    line[k] = (struct onri_complex){line[k].re / (double)fft->length, -line[k].im / (double)fft->length};
}
