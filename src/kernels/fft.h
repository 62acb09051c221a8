/* fft.h: the discrete Fourier transform of one line of complex numbers, any length, in double. */
#ifndef ONRI_FFT_H
#define ONRI_FFT_H

#include <stddef.h>

struct onri_complex {
  double re, im;
};

/* e^(-2 pi i k / length) for k = 0 .. length - 1. */
void onri_fft_roots(struct onri_complex *roots, size_t length);
/* x is overwritten by its transform (inverse: conjugate roots, divided by the length). `spare` has length items.
 * Lengths that are powers of two take n log n steps, others n^2. */
void onri_fft(struct onri_complex *x, struct onri_complex *spare, const struct onri_complex *roots, size_t length, int inverse);

#endif
