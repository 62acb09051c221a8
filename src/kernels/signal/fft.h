/* fft.h: the discrete Fourier transform of one line of complex numbers, any length, in double, in n log n steps. */
#ifndef ONRI_FFT_H
#define ONRI_FFT_H

#include <stddef.h>

#include "onnxrun/layer.h"

struct onri_complex {
  double re, im;
};

/* The tables of one length. For lengths that are no power of two: a convolution with a chirp (Bluestein), by transforms
 * of a power of two that is at least twice the length. */
struct onri_fft {
  size_t length, size;         /* of the lines; of the transforms that are made */
  struct onri_complex *roots;  /* [size / 2] e^(-2 pi i k / size) */
  struct onri_complex *chirp;  /* [length] e^(-pi i k^2 / length); NULL for powers of two */
  struct onri_complex *filter; /* [size] the transform of its inverse, over size */
};

/* How many numbers a line of that length (from 1 to 2^31) must have room for, and how many the tables. */
size_t onri_fft_size(size_t length);
size_t onri_fft_tables(size_t length);
/* tables: room, which must outlive *fft. env: a transform ends early, with any result, when it is cancelled. */
void onri_fft_init(struct onri_fft *fft, size_t length, struct onri_complex *tables, const struct onr_env *env);
/* line [size], of which the first `length` are overwritten by their transform and the others are lost. inverse:
 * conjugate roots, divided by the length. */
void onri_fft_run(const struct onri_fft *fft, struct onri_complex *line, int inverse, const struct onr_env *env);

#endif
