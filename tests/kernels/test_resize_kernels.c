/* The rows and lines of an interpolation pass of every instruction set against sums in double, at every width that ends
 * a vector; lines have the same bits whatever others are done with them. */
#include "support/sweep.h"

#include "kernels/kernels.h"
#include "kernels/resize/grid_sample.h"
#include "kernels/resize/resize_rows.h"

enum { OUTER = 2, IN = 6, OUT = 5, INNER = 70, TAPS = 7 };

static void check(struct sweep *s, const struct onri_resize_kernels *kernels, int64_t inner, int32_t taps) {
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
  kernels->rows(&pass, x, y, from, end);
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

/* near: pixels of one output lie close together, as they do in images. */
static void check_lines(struct sweep *s, const struct onri_resize_kernels *kernels, int near) {
  enum { LINES = 40, MOST_IN = 400, MOST_OUT = 90, GUARD = 16 };
  static float x[LINES * MOST_IN], y[LINES * MOST_OUT + GUARD], alone[MOST_OUT];
  static double wide[LINES * MOST_IN];
  int32_t index[MOST_OUT * TAPS];
  float weight[MOST_OUT * TAPS];
  const int64_t outer = sweep_pick(s, 1, LINES), in = sweep_pick(s, 1, MOST_IN), out = sweep_pick(s, 1, MOST_OUT);
  const int32_t taps = (int32_t)sweep_pick(s, 1, TAPS);
  const struct onri_resize_pass pass = {
      .outer = outer, .in = in, .out = out, .inner = 1, .taps = taps, .index = index, .weight = weight};
  const size_t from = (size_t)sweep_pick(s, 0, outer - 1);
  for (int64_t i = 0; i < out * taps; i++) {
    const int64_t at = i / taps * in / out + i % taps;
    index[i] = (int32_t)(near ? at < in ? at : in - 1 : sweep_pick(s, 0, in - 1));
    weight[i] = (float)sweep_pick(s, -8, 8) / 8;
  }
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(outer * in), 2, sweep_chance(s, 3) ? 20 : 0, x, wide);
  for (size_t i = 0; i < sizeof(y) / sizeof(y[0]); i++) y[i] = 77;
  kernels->lines(&pass, x, y, from, (size_t)outer);
  for (int64_t i = 0; i < outer * out + GUARD; i++) {
    const int64_t line = i / out, j = i % out;
    double sum = 0, found;
    if (line < (int64_t)from || line >= outer) {
      assert_true(y[i] == 77);
      continue;
    }
    for (int32_t t = 0; t < taps; t++) sum += (double)weight[j * taps + t] * wide[line * in + index[j * taps + t]];
    if (sweep_difference(ONR_DTYPE_F32, y + i, &sum, 1, 1e-6, 1e-5, &found) >= 0)
      fail_msg("%d taps, %d to %d: line %d, pixel %d is %g instead of %g", (int)taps, (int)in, (int)out, (int)line,
               (int)j, found, sum);
  }
  kernels->lines(&pass, x + (int64_t)from * in, alone, 0, 1);
  for (int64_t j = 0; j < out; j++)
    assert_true(alone[j] == y[(int64_t)from * out + j] || (isnan(alone[j]) && isnan(y[(int64_t)from * out + j])));
}

static void check_weigh(struct sweep *s, const struct onri_grid_sample_kernels *kernels) {
  enum { PIXELS = 9, CHANNELS = 70, MOST = 16 };
  float x[PIXELS * CHANNELS], y[CHANNELS + 16];
  double wide[PIXELS * CHANNELS], weight[MOST], added[CHANNELS], most[CHANNELS];
  int64_t offset[MOST];
  const int64_t channels = sweep_pick(s, 1, CHANNELS), count = sweep_pick(s, 0, MOST);
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(PIXELS * channels), 2, sweep_chance(s, 3) ? 20 : 0, x, wide);
  for (int64_t i = 0; i < count; i++)
    offset[i] = sweep_pick(s, 0, PIXELS - 1) * channels, weight[i] = (double)sweep_pick(s, -99, 99) / 99;
  for (size_t i = 0; i < sizeof(y) / sizeof(y[0]); i++) y[i] = 77;
  for (int64_t c = 0; c < channels; c++) added[c] = 3, most[c] = c % 2 ? NAN : 0.25;
  kernels->weigh(x, offset, weight, (int)count, channels, y);
  kernels->add(x, offset, weight, (int)count, channels, added);
  kernels->most(x, offset, weight, (int)count, channels, most);
  for (int64_t c = 0; c < channels; c++) {
    double sum = 0, greatest = c % 2 ? NAN : 0.25, found;
    for (int64_t i = 0; i < count; i++) {
      sum += weight[i] * wide[offset[i] + c];
      greatest = fmax(greatest, weight[i] * wide[offset[i] + c]);
    }
    assert_true(fabs(added[c] - (sum + 3)) <= 1e-12 || added[c] == sum + 3 || isnan(sum));
    assert_int_equal(isnan(added[c]), isnan(sum));
    assert_true(most[c] == greatest || (isnan(most[c]) && isnan(greatest)));
    if (sweep_difference(ONR_DTYPE_F32, y + c, &sum, 1, 1e-7, 1e-7, &found) >= 0)
      fail_msg("%d pixels of %d channels: %d is %g instead of %g", (int)count, (int)channels, (int)c, found, sum);
  }
  for (size_t i = (size_t)channels; i < sizeof(y) / sizeof(y[0]); i++) assert_true(y[i] == 77);
}

static void check_take(struct sweep *s, const struct onri_resize_kernels *kernels) {
  enum { MOST = 100, GUARD = 32 };
  uint8_t x[MOST + ONRI_TAKE], y[MOST + GUARD];
  struct onri_byte_takes takes = {.count = (size_t)sweep_pick(s, 1, MOST)};
  const size_t room = takes.count + (size_t)sweep_pick(s, 0, GUARD / 2);
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (uint8_t)sweep_next(s);
  for (size_t g = 0; g * ONRI_TAKE < takes.count; g++) {
    takes.from[g] = (int32_t)sweep_pick(s, 0, MOST);
    for (size_t i = 0; i < ONRI_TAKE; i++) takes.at[g][i] = (uint8_t)sweep_pick(s, 0, ONRI_TAKE - 1);
  }
  memset(y, 77, sizeof(y));
  if (!kernels->take) return; /* no such instruction */
  kernels->take(&takes, x, y, room);
  for (size_t i = 0; i < takes.count; i++)
    assert_int_equal(y[i], x[takes.from[i / ONRI_TAKE] + takes.at[i / ONRI_TAKE][i % ONRI_TAKE]]);
  for (size_t i = room; i < sizeof(y); i++) assert_int_equal(y[i], 77);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(5);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    const struct onri_resize_kernels *kernels = onri_kernels_at(resize, level);
    for (int64_t inner = 1; inner <= INNER; inner++)
      for (int32_t taps = 1; taps <= TAPS; taps++) check(&s, kernels, inner, taps);
    for (int i = 0; i < sweep_cases(300); i++) check_take(&s, kernels);
    for (int i = 0; i < sweep_cases(300); i++) check_lines(&s, kernels, i % 4);
    for (int i = 0; i < sweep_cases(500); i++) check_weigh(&s, onri_kernels_at(grid_sample, level));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
