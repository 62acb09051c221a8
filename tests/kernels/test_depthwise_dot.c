/* Rows of depthwise convolutions of bytes, at every level that has an instruction for them, against sums written out:
 * all numbers of channels, lines, taps and outputs made together, rows shorter than these, both types of results,
 * folded or not. */
#include "kernels/conv_integer/depthwise_dot_row.h"
#include "kernels/kernels.h"

#include <math.h>

#include "support/sweep.h"

/* The first level that has such an instruction, and whether it takes bytes of x for signed ones. */
#if defined(__aarch64__)
enum { FIRST_LEVEL = ONRI_CPU_DOT, X_SIGNED = 1 };
#else
enum { FIRST_LEVEL = ONRI_CPU_VNNI, X_SIGNED = 0 };
#endif

enum { PIXELS = 40, MOST_LINES = 3, LINE = PIXELS * ONRI_DOT_CHANNELS, CASES = 400 };

static uint8_t x[(MOST_LINES + 1) * LINE + ONRI_DOT_CHANNELS];
static int8_t taps[MOST_LINES][8][ONRI_DOT_CHANNELS]; /* weights by tap and channel, 0 behind the kernel's last one */
static int8_t weights[MOST_LINES * 2 * 4 * ONRI_DOT_CHANNELS * 4];
static int32_t start[ONRI_DOT_CHANNELS];
static float scales[ONRI_DOT_CHANNELS], bias[ONRI_DOT_CHANNELS];
static int32_t zeros[ONRI_DOT_CHANNELS], masks[2 * 4];

/* Fours of channels of each 16 bytes are a vector's integers. */
static int place_of(int channel) { return channel % 16 / 4 * (ONRI_DOT_CHANNELS / 4) + channel / 16 * 4 + channel % 4; }

static void pack(int lines, int quads, int outputs, int step) {
  memset(weights, 0, sizeof(weights));
  for (int l = 0; l < lines; l++)
    for (int o = 0; o < outputs; o++)
      for (int t = o * step; t < quads * 4; t++)
        for (int c = 0; c < ONRI_DOT_CHANNELS; c++)
          weights[((l * quads + t / 4) * outputs + o) * ONRI_DOT_CHANNELS * 4 + place_of(c) * 4 + t % 4] =
              taps[l][t - o * step][c];
}

/* Both halves hold the same channels. */
static void fold(void) {
  for (int c = ONRI_DOT_CHANNELS / 2; c < ONRI_DOT_CHANNELS; c++) {
    const int from = place_of(c - ONRI_DOT_CHANNELS / 2), to = place_of(c);
    for (int l = 0; l < MOST_LINES; l++)
      for (int t = 0; t < 8; t++) taps[l][t][c] = taps[l][t][c - ONRI_DOT_CHANNELS / 2];
    start[to] = start[from], zeros[to] = zeros[from], scales[to] = scales[from], bias[to] = bias[from];
  }
}

static void set_masks(int quads, int outputs, int step, int kernel) {
  uint8_t bytes[2 * 4 * 4];
  for (int quad = 0; quad < quads; quad++)
    for (int o = 0; o < outputs; o++)
      for (int t = 0; t < 4; t++) {
        const int tap = quad * 4 + t - o * step;
        bytes[(quad * outputs + o) * 4 + t] = tap >= 0 && tap < kernel;
      }
  memcpy(masks, bytes, sizeof(masks));
}

static int value_at(size_t at) { return X_SIGNED ? (int8_t)x[at] : x[at]; }

/* row: how many bytes x of that row of results lies behind. */
static int expected(int lines, int kernel, size_t row, int pixel, int c, const struct onri_depthwise_dot_job *job) {
  const struct onri_requantise *r = job->requantise;
  int32_t sum = start[place_of(c)];
  for (int l = 0; l < lines; l++)
    for (int t = 0; t < kernel; t++)
      sum += value_at(row + (size_t)(l * LINE + (pixel + t) * ONRI_DOT_CHANNELS + c)) *
             (taps[l][t][c] - (job->zeros ? job->zeros[place_of(c)] : 0));
  if (job->reals) {
    const volatile float product = (float)sum * scales[place_of(c)];
    const float sum_of = product + bias[place_of(c)], real = sum_of < job->reals->low    ? job->reals->low
                                                             : sum_of > job->reals->high ? job->reals->high
                                                                                         : sum_of;
    int32_t bits;
    memcpy(&bits, &real, sizeof(bits));
    return bits;
  }
  if (!r) return sum;
  const float steps = rintf((float)sum * scales[place_of(c)]) + (float)r->zero;
  return !(steps > (float)r->low) ? r->low : steps > (float)r->high ? r->high : (int)steps;
}

/* Weights less their zero points give the same, where bytes hold them. */
static void check_without_zeros(const struct onri_depthwise_dot_kernels *kernels,
                                const struct onri_depthwise_dot_job *job, const char *y, size_t size) {
  static int8_t less[sizeof(weights)];
  static char again[1 << 14];
  struct onri_depthwise_dot_job without = *job;
  int holds = 1;
  for (int l = 0; l < (int)job->num_lines; l++)
    for (int t = 0; t < 8; t++)
      for (int c = 0; c < ONRI_DOT_CHANNELS; c++) {
        const int value = taps[l][t][c] - job->zeros[place_of(c)];
        if (t < (int)(job->quads * 4 - (job->outputs - 1) * job->step / ONRI_DOT_CHANNELS))
          holds &= value >= -128 && value <= 127;
      }
  assert_int_equal(kernels->take_zeros_off(job, less), holds);
  if (!holds) return;
  memset(again, 0x77, sizeof(again));
  without.zeros = NULL, without.weights = less, without.y = again;
  kernels->row(&without);
  assert_memory_equal(again, y, size);
}

static void check(struct sweep *s, const struct onri_depthwise_dot_kernels *kernels) {
  const int lines = (int)sweep_pick(s, 1, MOST_LINES), quads = (int)sweep_pick(s, 1, 2),
            step = (int)sweep_pick(s, 1, 2), is_u8 = (int)sweep_pick(s, 0, 1), is_sums = !sweep_pick(s, 0, 2);
  int outputs = 1 << sweep_pick(s, 0, 2);
  const int narrow = (int)sweep_pick(s, 0, 1);
  while ((outputs - 1) * step >= quads * 4) outputs /= 2;
  const int kernel = quads * 4 - (outputs - 1) * step, count = (int)sweep_pick(s, 1, 9);
  size_t line_at[MOST_LINES];
  enum { Y_ROW = 16 * ONRI_DOT_CHANNELS, HALF = ONRI_DOT_CHANNELS / 2 };
  char y[2 * Y_ROW * 4];
  const int size = is_sums ? 4 : 1;
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (uint8_t)sweep_next(s);
  for (int l = 0; l < lines; l++) line_at[l] = (size_t)l * LINE;
  for (int l = 0; l < MOST_LINES; l++)
    for (int t = 0; t < 8; t++)
      for (int c = 0; c < ONRI_DOT_CHANNELS; c++)
        taps[l][t][c] = t < kernel ? (int8_t)((int8_t)sweep_next(s) / (narrow ? 2 : 1)) : 0;
  for (int c = 0; c < ONRI_DOT_CHANNELS; c++)
    start[c] = (int32_t)sweep_pick(s, -50000, 50000),
    zeros[c] = (int32_t)(narrow ? sweep_pick(s, -60, 60) : sweep_pick(s, -128, 127)),
    scales[c] = (float)sweep_pick(s, 1, 1000) / 1e5f, bias[c] = (float)sweep_pick(s, -100, 100) / 16;
  if (!is_sums && sweep_chance(s, 2)) scales[3] = NAN, scales[9] = INFINITY, scales[ONRI_DOT_CHANNELS - 3] = 1e30f;
  pack(lines, quads, outputs, step);
  set_masks(quads, outputs, step, kernel);
  const struct onri_requantise requantise = {
      scales, 1, is_u8 ? 3 : -5, is_u8 ? 0 : -128, is_u8 ? 200 : 127, onri_scales_below_one(scales, ONRI_DOT_CHANNELS)};
  const struct onri_byte_reals reals = {scales, 1, bias, -300, 400};
  struct onri_depthwise_dot_job job = {.x = (const char *)x,
                                       .tap = ONRI_DOT_CHANNELS,
                                       .step = (size_t)step * ONRI_DOT_CHANNELS,
                                       .lines = line_at,
                                       .num_lines = (size_t)lines,
                                       .quads = (size_t)quads,
                                       .terms = 1,
                                       .outputs = (size_t)outputs,
                                       .weights = weights,
                                       .start = start,
                                       .zeros = sweep_pick(s, 0, 1) ? zeros : NULL,
                                       .masks = masks,
                                       .requantise = is_sums ? NULL : &requantise,
                                       .reals = is_sums && sweep_chance(s, 2) ? &reals : NULL,
                                       .y = y,
                                       .y_step = (size_t)(ONRI_DOT_CHANNELS * size),
                                       .count = (size_t)count,
                                       .channels = (size_t)sweep_pick(s, 1, 70)};
  const int folded = job.channels <= HALF && sweep_chance(s, 2);
  if (folded) job.x_fold = LINE, job.y_fold = (size_t)(Y_ROW * size), fold();
  if (folded) pack(lines, quads, outputs, step);
  const int channels = job.channels < ONRI_DOT_CHANNELS ? (int)job.channels : ONRI_DOT_CHANNELS;
  memset(y, 0x77, sizeof(y));
  kernels->row(&job);
  for (int o = 0; o < 32; o++)
    for (int c = 0; c < ONRI_DOT_CHANNELS; c++) {
      const int is_made = o % 16 < count && c < channels && (folded || o < 16);
      int32_t found = 0, wanted = 0;
      memcpy(&found, y + (o * ONRI_DOT_CHANNELS + c) * size, (size_t)size);
      if (is_made) wanted = expected(lines, kernel, o < 16 ? 0 : LINE, o % 16 * step, c, &job);
      else memset(&wanted, 0x77, (size_t)size);
      if (!is_sums && is_made && !is_u8) found = (int8_t)found;
      if (found != wanted)
        fail_msg("%d lines, kernel %d, step %d, %d together: output %d, channel %d is %d instead of %d", lines, kernel,
                 step, outputs, o, c, found, wanted);
    }
  if (job.zeros) check_without_zeros(kernels, &job, y, sizeof(y));
}

static void test_rows(void **state) {
  struct sweep s = sweep_from(11);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    const struct onri_depthwise_dot_kernels *kernels = onri_kernels_at(depthwise_dot, (enum onri_cpu_level)level);
    assert_int_equal(kernels->row != NULL, level >= (int)FIRST_LEVEL);
    for (int i = 0; kernels->row && i < CASES; i++) check(&s, kernels);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
