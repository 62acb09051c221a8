/* Each level's passes of a Fourier transform against its definition, powers of two up to 1024, each pass in two parts;
 * and the product of two lines. Lengths that are no power of two: tests/layers/signal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/sweep.h"

#include "kernels/kernels.h"
#include "kernels/signal/fft.h"

enum { LARGEST = 1024 };

static uint32_t seed = 1;
static double next_value(void) {
  seed = seed * 1664525u + 1013904223u;
  return (double)(seed >> 8) / (1 << 23) - 1;
}

static void check_line(struct onri_fft_line found, struct onri_fft_line expected, size_t count, double tolerance) {
  for (size_t i = 0; i < count; i++) {
    assert_true(fabs(found.re[i] - expected.re[i]) <= tolerance);
    assert_true(fabs(found.im[i] - expected.im[i]) <= tolerance);
  }
}

static void transform_by_definition(struct onri_fft_line x, struct onri_fft_line y, size_t n) {
  for (size_t k = 0; k < n; k++) {
    y.re[k] = y.im[k] = 0;
    for (size_t j = 0; j < n; j++) {
      const double angle = -2 * 3.14159265358979323846 * (double)(j * k % n) / (double)n;
      y.re[k] += x.re[j] * cos(angle) - x.im[j] * sin(angle);
      y.im[k] += x.re[j] * sin(angle) + x.im[j] * cos(angle);
    }
  }
}

static struct onri_fft_line transform(const struct onri_fft_kernels *kernels, const double *roots, size_t n,
                                      struct onri_fft_line x, struct onri_fft_line y) {
  for (size_t left = n, step = 1, radix; left > 1; left /= radix, step *= radix) {
    radix = left >= 4 ? 4 : 2;
    const size_t rows = radix == 4 ? left / 4 : 1, cut = rows > 1 ? rows / 3 : 0;
    struct onri_fft_pass pass = {.x = x, .y = y, .roots = roots, .quarter = n / 4, .step = step, .m = left / 4};
    pass.last = step;
    for (pass.from = 0, pass.to = cut;; pass.from = cut, pass.to = rows) {
      if (pass.from < pass.to) (radix == 4 ? kernels->fours : kernels->twos)(&pass);
      if (pass.to == rows) break;
    }
    const struct onri_fft_line done = y;
    y = x, x = done;
  }
  return x;
}

static void test_powers_of_two(void **unused) {
  (void)unused;
  double values[8][LARGEST], *tables = malloc(onri_fft_tables(LARGEST) * sizeof(double)),
                             *room = malloc(onri_fft_room(LARGEST) * sizeof(double));
  const struct onri_fft_line x = {values[0], values[1]}, y = {values[2], values[3]}, expected = {values[4], values[5]};
  assert_true(tables && room);
  for (size_t n = 1; n <= LARGEST; n *= 2) {
    struct onri_fft fft;
    onri_fft_init(&fft, n, tables, room, NULL);
    for (size_t i = 0; i < n; i++) values[6][i] = next_value(), values[7][i] = next_value();
    transform_by_definition((struct onri_fft_line){values[6], values[7]}, expected, n);
    for (int l = 0; l <= (int)onri_cpu_level(); l++) {
      memcpy(x.re, values[6], sizeof(values[6]));
      memcpy(x.im, values[7], sizeof(values[7]));
      check_line(transform(onri_kernels_at(fft, l), fft.roots, n, x, y), expected, n, 1e-14 * (double)n + 1e-13);
    }
  }
  free(tables);
  free(room);
}

static void test_multiply(void **unused) {
  (void)unused;
  double values[4][67], lines[2][67], expected[2][67];
  const struct onri_fft_line a = {values[0], values[1]}, b = {values[2], values[3]}, line = {lines[0], lines[1]};
  for (size_t i = 0; i < 67; i++)
    for (size_t part = 0; part < 4; part++) values[part][i] = next_value();
  for (size_t count = 0; count <= 67; count++)
    for (int conjugate = 0; conjugate <= 1; conjugate++)
      for (int l = 0; l <= (int)onri_cpu_level(); l++) {
        memcpy(lines, values, sizeof(lines));
        memcpy(expected, values, sizeof(expected));
        for (size_t i = 0; i < count; i++) {
          expected[0][i] = a.re[i] * b.re[i] - a.im[i] * b.im[i];
          expected[1][i] = (a.re[i] * b.im[i] + a.im[i] * b.re[i]) * (conjugate ? -1 : 1);
        }
        onri_kernels_at(fft, l)->multiply(line, b, count, conjugate);
        check_line(line, (struct onri_fft_line){expected[0], expected[1]}, 67, 1e-15);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_powers_of_two), cmocka_unit_test(test_multiply)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
