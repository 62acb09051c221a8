/* Sums of bytes at fixed distances, at every level, against sums written out: all numbers of outputs and of fours of
 * terms, counts that end within vectors, all three kinds of results. */
#include "kernels/conv_integer/byte_planes_row.h"
#include "kernels/kernels.h"

#include <math.h>

#include "support/sweep.h"

enum { MOST = 150, FOURS = 5, REACH = 200, BEHIND = 64, OUTPUTS = ONRI_PLANES_OUTPUTS, CASES = 300 };

static uint8_t x[MOST + REACH + BEHIND];
static int weights[OUTPUTS][FOURS * 4];
static int32_t words[FOURS * OUTPUTS * 2];

static void pack(const struct onri_byte_planes_kernels *kernels, int fours, int outputs) {
  for (int f = 0; f < fours; f++)
    for (int o = 0; o < outputs; o++)
      for (int t = 0; t < 4; t++) {
        const int at = (f * outputs + o) * (int)kernels->words, weight = weights[o][f * 4 + t];
        if (kernels->words == 1) ((int8_t *)&words[at])[t] = (int8_t)weight;
        else ((int16_t *)&words[at])[t] = (int16_t)weight;
      }
}

static void check(struct sweep *s, const struct onri_byte_planes_kernels *kernels) {
  const int fours = (int)sweep_pick(s, 0, FOURS), outputs = (int)sweep_pick(s, 1, OUTPUTS),
            count = (int)sweep_pick(s, 1, MOST), kind = (int)sweep_pick(s, 0, 2), has_bias = (int)sweep_pick(s, 0, 1),
            x_signed = kernels->shift[1] == 0;
  static char y[OUTPUTS * 2 * (MOST + BEHIND) * 4];
  size_t terms[FOURS * 4];
  int32_t start[OUTPUTS];
  float scales[OUTPUTS], bias[OUTPUTS];
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (uint8_t)sweep_next(s);
  for (int t = 0; t < FOURS * 4; t++) terms[t] = (size_t)sweep_pick(s, 0, REACH);
  for (int o = 0; o < OUTPUTS; o++) {
    for (int t = 0; t < FOURS * 4; t++) weights[o][t] = (int)sweep_pick(s, kernels->low, kernels->high);
    start[o] = (int32_t)sweep_pick(s, -50000, 50000);
    scales[o] = (float)sweep_pick(s, 1, 1000) / 1e5f, bias[o] = (float)sweep_pick(s, -100, 100) / 8;
  }
  pack(kernels, fours, outputs);
  const struct onri_requantise bytes = {scales, 1, 3, 0, 200, 1};
  const struct onri_byte_reals reals = {scales, 1, has_bias ? bias : NULL, -500, 500};
  const size_t size = kind == 1 ? 1 : 4, y_step = (MOST + BEHIND) * size;
  const struct onri_byte_planes_job job = {.x = x,
                                           .terms = terms,
                                           .fours = (size_t)fours,
                                           .outputs = (size_t)outputs,
                                           .weights = words,
                                           .start = start,
                                           .requantise = kind == 1 ? &bytes : NULL,
                                           .reals = kind == 2 ? &reals : NULL,
                                           .y = y,
                                           .y_step = y_step,
                                           .count = (size_t)count};
  memset(y, 77, sizeof(y));
  kernels->row(&job);
  for (int o = 0; o < outputs; o++)
    for (int p = 0; p < count; p++) {
      const char *at = y + (size_t)o * y_step + (size_t)p * size;
      int32_t sum = start[o], found = 0;
      float real;
      for (int t = 0; t < fours * 4; t++) {
        const uint8_t byte = x[(size_t)p + terms[t]];
        sum += (x_signed ? (int8_t)byte : byte) * weights[o][t];
      }
      memcpy(&found, at, size), memcpy(&real, &found, sizeof(real));
      const volatile float product = (float)sum * scales[o];
      const float steps = rintf(product) + 3, wanted = product + (has_bias ? bias[o] : 0.0f);
      if (kind == 0) assert_int_equal(found, sum);
      if (kind == 1) assert_int_equal(found, steps < 0 ? 0 : steps > 200 ? 200 : (int)steps);
      if (kind == 2) assert_true(real == (wanted < -500 ? -500 : wanted > 500 ? 500 : wanted));
    }
  for (int o = 0; o < OUTPUTS; o++) /* nothing behind a whole vector */
    for (size_t i = (size_t)(count + BEHIND - 1) / BEHIND * BEHIND * size; i < y_step; i++)
      assert_int_equal(y[(size_t)o * y_step + i], 77);
}

static void check_take(struct sweep *s, const struct onri_byte_planes_kernels *kernels) {
  uint8_t y[MOST + BEHIND];
  const size_t step = (size_t)sweep_pick(s, 1, 5), count = (size_t)sweep_pick(s, 0, MOST / (int64_t)step);
  uint8_t *end = x + sizeof(x) - (count > 0 ? (count - 1) * step + 1 : 0); /* nothing is read behind */
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (uint8_t)sweep_next(s);
  memset(y, 77, sizeof(y));
  kernels->take(end, step, count, 0x80, y);
  for (size_t i = 0; i < sizeof(y); i++) assert_int_equal(y[i], i < count ? end[i * step] ^ 0x80 : 77);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(5);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(CASES); i++) {
      check(&s, onri_kernels_at(byte_planes, level));
      check_take(&s, onri_kernels_at(byte_planes, level));
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
