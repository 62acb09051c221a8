/* Each level's sums of taps against loops over them: all widths up to some vectors, taps that begin and end anywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "support/sweep.h"

#include "kernels/conv_transposed/col2im.h"
#include "kernels/kernels.h"

enum { WIDEST = 70, ROWS = 3, TAPS = 3, STEP = WIDEST + 5 };

static void put(enum onri_class class, void *to, size_t i, int64_t v) {
  if (class == ONRI_CLASS_F32) ((float *)to)[i] = (float)v;
  else if (class == ONRI_CLASS_F64) ((double *)to)[i] = (double)v;
  else ((int64_t *)to)[i] = v;
}

static void check(const struct onri_col2im_kernels *kernels, enum onri_class class, struct sweep *s, size_t width) {
  const size_t size = onri_class_size(class), rows = (size_t)sweep_pick(s, 1, ROWS);
  char *x = malloc(TAPS * ROWS * STEP * size), *y = malloc(rows * width * size),
       *expected = malloc(rows * width * size);
  struct onri_col2im_tap taps[TAPS];
  int64_t values[ROWS * WIDEST];
  assert_true(x && y && expected);
  for (size_t i = 0; i < TAPS * ROWS * STEP; i++) put(class, x, i, (int64_t)(i * 7919 % 61) - 30);
  for (size_t i = 0; i < rows * width; i++) put(class, y, i, values[i] = (int64_t)i - 5);
  for (size_t t = 0; t < TAPS; t++) {
    const size_t first = (size_t)sweep_pick(s, 0, (int64_t)width - 1);
    const size_t last = (size_t)sweep_pick(s, (int64_t)first + 1, (int64_t)width), at = t * ROWS * STEP;
    taps[t] = (struct onri_col2im_tap){x + at * size, first, last};
    for (size_t row = 0; row < rows; row++)
      for (size_t i = first; i < last; i++)
        values[row * width + i] += (int64_t)((at + row * STEP + i - first) * 7919 % 61) - 30;
  }
  for (size_t i = 0; i < rows * width; i++) put(class, expected, i, values[i]);
  kernels->add(class, &(struct onri_col2im_rows){taps, TAPS, rows, width, STEP, y});
  assert_memory_equal(y, expected, rows * width * size);
  free(x);
  free(y);
  free(expected);
}

static void test_levels(void **state) {
  (void)state;
  for (enum onri_cpu_level level = 0; level <= onri_cpu_level(); level++) {
    struct sweep s = sweep_from(5);
    for (size_t width = 1; width <= WIDEST; width++)
      for (int round = 0; round < 4; round++) {
        check(onri_kernels_at(col2im, level), ONRI_CLASS_F32, &s, width);
        check(onri_kernels_at(col2im, level), ONRI_CLASS_F64, &s, width);
        check(onri_kernels_at(col2im, level), ONRI_CLASS_I64, &s, width);
      }
  }
}

static void check_runs(const struct onri_col2im_kernels *kernels, struct sweep *s, size_t length) {
  enum { COUNT = 9, MOST = (COUNT + 1) * (WIDEST + 9) };
  static float x[MOST], y[MOST], expected[MOST];
  const size_t step = (size_t)sweep_pick(s, 1, (int64_t)length + 3), x_step = length + (size_t)sweep_pick(s, 0, 5);
  const struct onri_col2im_runs runs = {x,      y,    (size_t)sweep_pick(s, 1, COUNT), length,
                                        x_step, step, (length - 1) / step + 1};
  for (size_t i = 0; i < MOST; i++) x[i] = (float)(i * 7919 % 61), expected[i] = y[i] = (float)(i % 13);
  for (size_t i = 0; i < runs.count; i++)
    for (size_t j = 0; j < length; j++) expected[i * step + j] += x[i * x_step + j];
  kernels->add_runs(&runs);
  assert_memory_equal(y, expected, sizeof(y));
}

static void test_runs(void **state) {
  (void)state;
  for (enum onri_cpu_level level = 0; level <= onri_cpu_level(); level++) {
    struct sweep s = sweep_from(6);
    for (size_t length = 1; length <= WIDEST; length++)
      for (int round = 0; round < 8; round++) check_runs(onri_kernels_at(col2im, level), &s, length);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels), cmocka_unit_test(test_runs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
