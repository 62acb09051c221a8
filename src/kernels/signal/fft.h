/* fft.h: the discrete Fourier transform of one line of complex numbers, any length, in double, in n log n steps. */
#ifndef ONRI_FFT_H
#define ONRI_FFT_H

#include <stddef.h>

#include "onnxrun/layer.h"

/* The tables of one length. For lengths that are no power of two: a convolution with a chirp (Bluestein), by transforms
 * of a power of two that is at least twice the length. */
struct onri_fft {
  size_t length, size; /* of the lines; of the transforms that are made */
  double *roots;       /* [size / 4 + 1] cos(2 pi k / size) */
  double *chirp;       /* [2][length] re and im of e^(-pi i k^2 / length); NULL for powers of two */
  double *filter;      /* [2][size] the transform of its inverse, over size */
};

struct onri_fft_line {
  double *re, *im;
};

/* How many doubles of room the transform of one line takes, and how many the tables. length: from 1 to 2^31. */
size_t onri_fft_room(size_t length);
size_t onri_fft_tables(size_t length);
size_t onri_fft_size(size_t length); /* of the transforms that are made; for a power of two the length itself */
/* tables: [onri_fft_tables], which must outlive *fft. room: [onri_fft_room], free afterwards; for powers of two it may
 * be NULL. env: a transform ends early, with any result, when it is cancelled. */
void onri_fft_init(struct onri_fft *fft, size_t length, double *tables, double *room, const struct onr_env *env);

/* The two lines of `size` in room: the first is what is transformed, the other is free until then. */
struct onri_fft_line onri_fft_first(const struct onri_fft *fft, double *room);
struct onri_fft_line onri_fft_other(const struct onri_fft *fft, double *room);
/* The transform of the first line, which lies in one of the two. inverse: conjugate roots, divided by the length. */
struct onri_fft_line onri_fft_run(const struct onri_fft *fft, double *room, int inverse, const struct onr_env *env);

/* One pass of a transform in Stockham's order: of x, which is `step` transforms of 4 m or 2 numbers that lie side by
 * side, into y, which is as many as there are left of a fourth or a half of the numbers. */
struct onri_fft_pass {
  struct onri_fft_line x, y;
  const double *roots; /* [quarter + 1] as in struct onri_fft */
  size_t quarter, step, m;
  size_t from, to, first, last; /* which of m, and which of the transforms */
};

struct onri_fft_kernels {
  void (*fours)(const struct onri_fft_pass *pass);
  void (*twos)(const struct onri_fft_pass *pass);
  /* line [count] times factor [count]; conjugate: the result. */
  void (*multiply)(struct onri_fft_line line, struct onri_fft_line factor, size_t count, int conjugate);
};

#endif
