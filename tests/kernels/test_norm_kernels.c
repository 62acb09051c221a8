/* Normalisations and softmax of every instruction set against the definitions in double: every length that ends a
 * vector, lines and columns, in place, with nothing written behind. */
#include <string.h>

#include "support/sweep.h"

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "kernels/norm/normalize.h"
#include "kernels/norm/softmax.h"

enum { MOST = 6000, GUARD = 16, CASES = 600 };

static float x[MOST], y[MOST + GUARD], scale[MOST], bias[MOST];
static double wide[MOST], expected[MOST], wide_scale[MOST], wide_bias[MOST];

static void expect(const char *what, int level, size_t count, double absolute) {
  double value;
  const int64_t at = sweep_difference(ONR_DTYPE_F32, y, expected, count, 2e-6, absolute, &value);
  if (at >= 0) fail_msg("%s, level %d: element %d is %.9g instead of %.9g", what, level, (int)at, value, expected[at]);
  for (size_t i = count; i < count + GUARD; i++) assert_true(y[i] == 77);
}

static void start(struct sweep *s, size_t count, double range, uint32_t special) {
  sweep_fill(s, ONR_DTYPE_F32, MOST, range, special, x, wide);
  memcpy(y, x, count * sizeof(*y));
  for (size_t i = count; i < MOST + GUARD; i++) y[i] = 77;
}

/* Line i of `length` elements, `step` apart, from element i * next on. */
static void softmax_reference(int is_log, size_t at, size_t length, size_t step) {
  double max = -(double)INFINITY, sum = 0;
  for (size_t i = 0; i < length; i++) max = wide[at + i * step] > max ? wide[at + i * step] : max;
  for (size_t i = 0; i < length; i++) sum += exp(wide[at + i * step] - max);
  for (size_t i = 0; i < length; i++) {
    const double v = wide[at + i * step] - max;
    expected[at + i * step] = is_log ? v - log(sum) : exp(v) / sum;
  }
}

static void check_softmax(struct sweep *s, int level) {
  const struct onri_softmax_kernels *kernels = onri_kernels_at(softmax, level);
  const int is_log = sweep_chance(s, 2);
  const enum onri_softmax_kind kind = is_log ? ONRI_LOG_SOFTMAX : ONRI_SOFTMAX;
  const size_t length = (size_t)(sweep_chance(s, 5) ? sweep_pick(s, 1, 2000) : sweep_pick(s, 1, 90)), lines = 3;
  start(s, lines * length, 20, sweep_chance(s, 4) ? 2 : 0);
  for (size_t i = 0; i < lines; i++) softmax_reference(is_log, i * length, length, 1);
  kernels->lines(kind, y, y, lines, length);
  expect("softmax of lines", level, lines * length, 2e-6);
  const size_t columns = (size_t)sweep_pick(s, 1, sweep_chance(s, 2) ? 8 : ONRI_SOFTMAX_COLUMNS);
  const size_t inner = columns + (size_t)(sweep_chance(s, 2) ? 0 : sweep_pick(s, 1, 3));
  const size_t rows = (size_t)sweep_pick(s, 1, sweep_chance(s, 2) ? 60 : MOST / (int64_t)inner);
  start(s, rows * inner, 20, sweep_chance(s, 4) ? 2 : 0);
  memcpy(expected, wide, rows * inner * sizeof(*wide)); /* what lies between the columns stays */
  for (size_t j = 0; j < columns; j++) softmax_reference(is_log, j, rows, inner);
  kernels->columns(kind, y, y, columns, rows, inner);
  expect("softmax of columns", level, rows * inner, 2e-6);
  start(s, rows * inner, 20, sweep_chance(s, 2) ? 20 : 0);
  memcpy(expected, wide, rows * inner * sizeof(*wide));
  for (size_t j = 0; j < columns; j++) {
    size_t best = 0;
    for (size_t i = 1; i < rows; i++) best = wide[i * inner + j] > wide[best * inner + j] ? i : best;
    for (size_t i = 0; i < rows; i++) expected[i * inner + j] = i == best;
  }
  kernels->hard_columns(y, y, columns, rows, inner);
  expect("hardmax of columns", level, rows * inner, 0);
}

static void check_slices(struct sweep *s, int level) {
  struct onri_norm_slices n = {.kind = (enum onri_normalize_kind)sweep_pick(s, 0, ONRI_NORMALIZE_L2),
                               .epsilon = 1e-3,
                               .run = (size_t)sweep_pick(s, 1, 300),
                               .count = 4,
                               .first = 1,
                               .entries = 3,
                               .each = sweep_chance(s, 2),
                               .x = y,
                               .y = y};
  float mean[4], inverse[4];
  start(s, n.count * n.run, 3, 0);
  sweep_fill(s, ONR_DTYPE_F32, MOST, 2, 0, scale, wide_scale);
  sweep_fill(s, ONR_DTYPE_F32, MOST, 2, 0, bias, wide_bias);
  if (sweep_chance(s, 2)) n.scale = scale;
  if (sweep_chance(s, 2)) n.bias = bias;
  n.mean = mean, n.inverse = inverse;
  onri_kernels_at(normalize, level)->slices(&n);
  for (size_t k = 0; k < n.count; k++) {
    const double *in = wide + k * n.run;
    double sum = 0, middle = 0;
    for (size_t i = 0; i < n.run; i++) middle += in[i] / (double)n.run;
    if (n.kind != ONRI_NORMALIZE_VARIANCE && n.kind != ONRI_NORMALIZE_STD) middle = 0;
    for (size_t i = 0; i < n.run; i++)
      sum += n.kind == ONRI_NORMALIZE_L1 ? fabs(in[i]) : (in[i] - middle) * (in[i] - middle);
    const double by = sum / (double)n.run;
    const double factor = n.kind == ONRI_NORMALIZE_STD                                        ? 1 / (sqrt(by) + 1e-3)
                          : n.kind == ONRI_NORMALIZE_VARIANCE || n.kind == ONRI_NORMALIZE_RMS ? 1 / sqrt(by + 1e-3)
                          : sum == 0                                                          ? 0
                          : n.kind == ONRI_NORMALIZE_L1                                       ? 1 / sum
                                                                                              : 1 / sqrt(sum);
    for (size_t i = 0; i < n.run; i++) {
      const size_t entry = n.each ? i : (k + 1) % 3;
      expected[k * n.run + i] =
          (in[i] - middle) * factor * (n.scale ? wide_scale[entry] : 1) + (n.bias ? wide_bias[entry] : 0);
    }
    assert_true(fabs((double)mean[k] - middle) <= 1e-6 && fabs((double)inverse[k] - factor) <= 1e-6 * factor);
  }
  expect("slices", level, n.count * n.run, 2e-5);
}

/* What lies between rows stays. */
static void check_each(struct sweep *s, int level) {
  const size_t columns = (size_t)sweep_pick(s, 1, 150), rows = (size_t)sweep_pick(s, 1, 20);
  const size_t step = columns + (size_t)sweep_pick(s, 0, 40), count = (rows - 1) * step + columns;
  const struct onri_norm_columns each = {y, y, columns, rows, step, bias, scale, bias + columns};
  start(s, count, 3, 5);
  sweep_fill(s, ONR_DTYPE_F32, MOST, 2, 0, scale, wide_scale);
  sweep_fill(s, ONR_DTYPE_F32, MOST, 2, 0, bias, wide_bias);
  onri_kernels_at(normalize, level)->apply_each(&each);
  for (size_t i = 0; i < count; i++) {
    const size_t j = i % step;
    expected[i] = j < columns ? (wide[i] - wide_bias[j]) * wide_scale[j] + wide_bias[columns + j] : wide[i];
  }
  expect("each", level, count, 1e-5);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(71);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(CASES); i++) {
      check_softmax(&s, level);
      check_slices(&s, level);
      check_each(&s, level);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
