/* fft.c: powers of two by passes of four and, last, two; any other length by Bluestein's way. */
#include "kernels/signal/fft.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/env.h"
#include "kernels/kernels.h"

#define PI 3.14159265358979323846
enum {
  BETWEEN_POLLS = 1 << 16,
  APART =
      16 /* of parts and lines beyond their size: lines of a power of two would meet in the same sets of the cache */
};

static int is_power_of_2(size_t n) { return (n & (n - 1)) == 0; }

size_t onri_fft_size(size_t length) {
  size_t size = 1;
  if (is_power_of_2(length)) return length;
  while (size < 2 * length - 1) size *= 2;
  return size;
}

size_t onri_fft_room(size_t length) { return 4 * (onri_fft_size(length) + APART); }

size_t onri_fft_tables(size_t length) {
  const size_t size = onri_fft_size(length), roots = size / 4 + 1;
  return is_power_of_2(length) ? roots : roots + 2 * length + 2 * size;
}

static struct onri_fft_line line_at(double *re, size_t apart) { return (struct onri_fft_line){re, re + apart}; }

struct onri_fft_line onri_fft_first(const struct onri_fft *fft, double *room) {
  return line_at(room, fft->size + APART);
}
struct onri_fft_line onri_fft_other(const struct onri_fft *fft, double *room) {
  return line_at(room + 2 * (fft->size + APART), fft->size + APART);
}

/* --- powers of two --- */

typedef void (*pass_function)(const struct onri_fft_pass *pass);

/* In parts, between which it may be cancelled. */
static int run_pass(struct onri_fft_pass p, size_t m, pass_function function, struct onri_pace *pace) {
  const size_t columns = p.step < BETWEEN_POLLS ? p.step : BETWEEN_POLLS, rows = BETWEEN_POLLS / columns;
  for (size_t k = 0; k < m; k += rows)
    for (size_t q = 0; q < p.step; q += columns) {
      p.from = k, p.to = m - k < rows ? m : k + rows;
      p.first = q, p.last = p.step - q < columns ? p.step : q + columns;
      function(&p);
      if (onri_pace_stop(pace, 4 * (p.to - p.from) * (p.last - p.first))) return 0;
    }
  return 1;
}

/* x through all passes, with y as room; the result is in one of them. */
static struct onri_fft_line passes(const struct onri_fft *fft, struct onri_fft_line x, struct onri_fft_line y,
                                   const struct onr_env *env) {
  const struct onri_fft_kernels *kernels = onri_kernels(fft);
  struct onri_pace pace = {env, 0};
  for (size_t left = fft->size, step = 1; left > 1;) {
    const int is_four = left >= 4;
    const struct onri_fft_pass pass = {
        .x = x, .y = y, .roots = fft->roots, .quarter = fft->size / 4, .step = step, .m = left / 4};
    const struct onri_fft_line done = y;
    if (!run_pass(pass, is_four ? left / 4 : 1, is_four ? kernels->fours : kernels->twos, &pace)) return x;
    y = x, x = done;
    left /= is_four ? 4 : 2, step *= is_four ? 4 : 2;
  }
  return x;
}

/* --- any length --- */

/* k^2 counts modulo twice the length. */
static void set_chirp(struct onri_fft_line chirp, uint64_t k, uint64_t length) {
  const double angle = -PI * (double)(k * k % (2 * length)) / (double)length;
  chirp.re[k] = cos(angle), chirp.im[k] = sin(angle);
}

static int set_roots(struct onri_fft *fft, struct onri_pace *pace) {
  for (size_t k = 0; k <= fft->size / 4 && !onri_pace_stop(pace, 32); k++)
    fft->roots[k] = cos(2 * PI * (double)k / (double)fft->size);
  return !onr_env_cancelled(pace->env);
}

void onri_fft_init(struct onri_fft *fft, size_t length, double *tables, double *room, const struct onr_env *env) {
  const size_t size = onri_fft_size(length);
  struct onri_pace pace = {env, 0};
  *fft = (struct onri_fft){.length = length, .size = size, .roots = tables};
  if (!set_roots(fft, &pace) || is_power_of_2(length)) return;
  fft->chirp = tables + size / 4 + 1;
  fft->filter = fft->chirp + 2 * length;
  const struct onri_fft_line chirp = line_at(fft->chirp, length), filter = line_at(fft->filter, size);
  memset(room, 0, onri_fft_room(length) * sizeof(*room));
  struct onri_fft_line line = onri_fft_first(fft, room);
  for (size_t k = 0; k < length; k++) {
    if (onri_pace_stop(&pace, 32)) return;
    set_chirp(chirp, k, length);
    line.re[k] = chirp.re[k] / (double)size, line.im[k] = -chirp.im[k] / (double)size;
    if (k > 0) line.re[size - k] = line.re[k], line.im[size - k] = line.im[k];
  }
  line = passes(fft, line, onri_fft_other(fft, room), env);
  memcpy(filter.re, line.re, size * sizeof(double));
  memcpy(filter.im, line.im, size * sizeof(double));
}

/* With jk = (j^2 + k^2 - (k - j)^2) / 2 the sum over j is a convolution, which two transforms make. The inverse one is
 * the conjugate of the transform of the conjugate. */
static struct onri_fft_line bluestein(const struct onri_fft *fft, struct onri_fft_line x, struct onri_fft_line y,
                                      const struct onr_env *env) {
  const struct onri_fft_kernels *kernels = onri_kernels(fft);
  const struct onri_fft_line chirp = line_at(fft->chirp, fft->length), filter = line_at(fft->filter, fft->size);
  const size_t rest = (fft->size - fft->length) * sizeof(double);
  kernels->multiply(x, chirp, fft->length, 0);
  memset(x.re + fft->length, 0, rest);
  memset(x.im + fft->length, 0, rest);
  const struct onri_fft_line spectrum = passes(fft, x, y, env);
  kernels->multiply(spectrum, filter, fft->size, 1);
  const struct onri_fft_line line = passes(fft, spectrum, spectrum.re == x.re ? y : x, env);
  for (size_t k = 0; k < fft->length; k++) line.im[k] = -line.im[k];
  kernels->multiply(line, chirp, fft->length, 0);
  return line;
}

struct onri_fft_line onri_fft_run(const struct onri_fft *fft, double *room, int inverse, const struct onr_env *env) {
  struct onri_fft_line x = onri_fft_first(fft, room);
  const struct onri_fft_line y = onri_fft_other(fft, room);
  if (inverse)
    x = (struct onri_fft_line){x.im, x.re}; /* the transform of exchanged parts is the inverse's, exchanged */
  x = fft->chirp ? bluestein(fft, x, y, env) : passes(fft, x, y, env);
  if (!inverse) return x;
  for (size_t k = 0; k < fft->length; k++) x.re[k] /= (double)fft->length, x.im[k] /= (double)fft->length;
  return (struct onri_fft_line){x.im, x.re};
}
