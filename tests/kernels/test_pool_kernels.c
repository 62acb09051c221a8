/* The rows of windows of every instruction set against the definition in double: every number of channels, so every way
 * to cut them into vectors, with NaN and infinities. */
#include "support/kernel_levels.h"
#include "support/sweep.h"

#include "kernels/pool/pool_level.h"

enum { WIDTH = 12, LINES = 3, PLANES = 2, CHANNELS = 150, WINDOWS = 9 };

static void check(struct sweep *s, const struct onri_pool_kernels *kernels, int64_t channels, uint32_t special) {
  static float x[PLANES * LINES * WIDTH * CHANNELS], y[WINDOWS * CHANNELS + 64];
  static double wide[PLANES * LINES * WIDTH * CHANNELS];
  struct onri_pool_span span[WINDOWS];
  struct onri_pool_row row = {
      .windows = sweep_pick(s, 1, WINDOWS), .channels = channels, .pixel = channels, .y_step = channels, .span = span};
  const int64_t dilation = sweep_pick(s, 1, 3);
  row.dilated = dilation * channels;
  row.taps[0] = sweep_pick(s, 0, PLANES), row.taps[1] = sweep_pick(s, 1, LINES);
  row.step[0] = LINES * WIDTH * channels, row.step[1] = WIDTH * channels;
  for (int64_t i = 0; i < row.windows; i++) {
    span[i] = (struct onri_pool_span){.first = sweep_pick(s, 0, 2),
                                      .taps = sweep_pick(s, 0, (WIDTH - 3) / dilation),
                                      .divisor = (float)sweep_pick(s, 1, 30)};
  }
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(PLANES * LINES * WIDTH * channels), 2, special, x, wide);
  for (int average = 0; average < 2; average++) {
    for (size_t i = 0; i < sizeof(y) / sizeof(y[0]); i++) y[i] = 77;
    (average ? kernels->average : kernels->max)(&row, x, y);
    for (int64_t o = 0; o < row.windows; o++)
      for (int64_t c = 0; c < channels; c++) {
        double v = average ? 0 : -(double)INFINITY;
        for (int64_t i = 0; i < row.taps[0]; i++)
          for (int64_t j = 0; j < row.taps[1]; j++)
            for (int64_t k = 0; k < span[o].taps; k++) {
              const double at = wide[((i * LINES + j) * WIDTH + span[o].first + k * dilation) * channels + c];
              v = average ? v + at : at > v || isnan(at) ? at : v;
            }
        if (average) v /= (double)span[o].divisor;
        double found;
        if (sweep_difference(ONR_DTYPE_F32, y + o * channels + c, &v, 1, average ? 2e-6 : 0, average ? 1e-5 : 0,
                             &found) >= 0)
          fail_msg("%s of %d channels: window %d, channel %d: %g instead of %g", average ? "average" : "maximum",
                   (int)channels, (int)o, (int)c, found, v);
      }
    for (size_t i = (size_t)(row.windows * channels); i < sizeof(y) / sizeof(y[0]); i++) assert_true(y[i] == 77);
  }
}

static void test_every_level(void **state) {
  const struct onri_pool_kernels *const levels[] = KERNEL_LEVELS(&onri_pool);
  struct sweep s = sweep_from(3);
  (void)state;
  for (size_t l = 0; l < kernel_levels(); l++)
    for (int64_t channels = 1; channels <= CHANNELS; channels += channels < 70 ? 1 : 7)
      for (uint32_t special = 0; special < 20; special += 9) check(&s, levels[l], channels, special);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
