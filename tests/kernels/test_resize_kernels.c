/* The rows of an interpolation pass of every instruction set against sums in double, at every width that ends a vector.
 */
#include "support/kernel_levels.h"
#include "support/sweep.h"

#include "kernels/resize/resize_level.h"

enum { OUTER = 2, IN = 6, OUT = 5, INNER = 70, TAPS = 7 };

static void check(struct sweep *s, onri_resize_rows rows, int64_t inner, int32_t taps) {
  static float x[OUTER * IN * INNER], y[OUTER * OUT * INNER + 16];
  static double wide[OUTER * IN * INNER];
  int32_t index[OUT * TAPS];
  float weight[OUT * TAPS];
  const struct onri_resize_pass pass = {
      .outer = OUTER, .in = IN, .out = OUT, .inner = inner, .taps = taps, .index = index, .weight = weight};
  const size_t end = OUTER * OUT, from = (size_t)sweep_pick(s, 0, OUT);
  for (int i = 0; i < OUT * taps; i++)
    index[i] = (int32_t)sweep_pick(s, 0, IN - 1), weight[i] = (float)sweep_pick(s, -8, 8) / 8;
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(OUTER * IN * inner), 2, sweep_chance(s, 3) ? 20 : 0, x, wide);
  for (size_t i = 0; i < sizeof(y) / sizeof(y[0]); i++) y[i] = 77;
  rows(&pass, x, y, from, end);
  for (size_t row = 0; row < end; row++)
    for (int64_t i = 0; i < inner; i++) {
      double sum = row < from ? 77 : 0, found;
      for (int32_t t = 0; t < taps && row >= from; t++)
        sum += (double)weight[row % OUT * (size_t)taps + (size_t)t] *
               wide[((int64_t)(row / OUT) * IN + index[row % OUT * (size_t)taps + (size_t)t]) * inner + i];
      if (sweep_difference(ONR_DTYPE_F32, y + (int64_t)row * inner + i, &sum, 1, 1e-6, 1e-5, &found) >= 0)
        fail_msg("%d taps, rows of %d: row %d, element %d is %g instead of %g", taps, (int)inner, (int)row, (int)i,
                 found, sum);
    }
  for (size_t i = end * (size_t)inner; i < sizeof(y) / sizeof(y[0]); i++) assert_true(y[i] == 77);
}

static void test_every_level(void **state) {
  const onri_resize_rows levels[] = KERNEL_LEVELS(onri_resize_rows);
  struct sweep s = sweep_from(5);
  (void)state;
  for (size_t l = 0; l < kernel_levels(); l++)
    for (int64_t inner = 1; inner <= INNER; inner++)
      for (int32_t taps = 1; taps <= TAPS; taps++) check(&s, levels[l], inner, taps);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
