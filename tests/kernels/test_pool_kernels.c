/* The rows of windows of every instruction set against the definition in double: every number of channels, so every way
 * to cut them into vectors, with NaN and infinities; and the rows of windows over pixels. */
#include "support/sweep.h"

#include "kernels/kernels.h"
#include "kernels/pool/pool_rows.h"

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
    (average ? kernels->average_row : kernels->max_row)(&row, x, y);
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

/* Windows over a plane of LINES by WIDTH pixels. */
static struct onri_pool_row draw_row(struct sweep *s, int64_t channels, struct onri_pool_span span[WINDOWS]) {
  const struct onri_pool_row row = {.windows = sweep_pick(s, 1, WINDOWS),
                                    .channels = channels,
                                    .taps = {1, sweep_pick(s, 0, LINES)},
                                    .step = {0, WIDTH * channels},
                                    .pixel = channels,
                                    .dilated = channels,
                                    .y_step = channels,
                                    .span = span};
  for (int64_t i = 0; i < row.windows; i++)
    span[i] = (struct onri_pool_span){.first = sweep_pick(s, 0, 2), .taps = sweep_pick(s, 0, WIDTH - 3)};
  return row;
}

/* Maxima of bytes, with and without a sign. */
static void check_bytes(struct sweep *s, const struct onri_pool_kernels *kernels, int64_t channels) {
  static uint8_t x[LINES * WIDTH * CHANNELS], y[WINDOWS * CHANNELS + 64];
  struct onri_pool_span span[WINDOWS];
  const uint8_t flip = sweep_chance(s, 2) ? 0x80 : 0;
  const struct onri_pool_row row = draw_row(s, channels, span);
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (uint8_t)sweep_next(s);
  memset(y, 77, sizeof(y));
  kernels->max_bytes(&row, x, y, flip);
  for (int64_t o = 0; o < row.windows; o++)
    for (int64_t c = 0; c < channels; c++) {
      int v = flip ? -128 : 0;
      for (int64_t j = 0; j < row.taps[1]; j++)
        for (int64_t k = 0; k < span[o].taps; k++) {
          const uint8_t at = x[(j * WIDTH + span[o].first + k) * channels + c];
          const int value = flip ? (int8_t)at : at;
          if (value > v) v = value;
        }
      assert_int_equal(flip ? (int8_t)y[o * channels + c] : y[o * channels + c], v);
    }
  for (size_t i = (size_t)(row.windows * channels); i < sizeof(y); i++) assert_true(y[i] == 77);
}

/* Where maxima lie: the first of the largest ones, but the last NaN. */
static void check_places(struct sweep *s, const struct onri_pool_kernels *kernels, int64_t channels, uint32_t special) {
  static float x[LINES * WIDTH * CHANNELS], y[WINDOWS * CHANNELS];
  static double wide[LINES * WIDTH * CHANNELS];
  static int64_t index[WINDOWS * CHANNELS + 64];
  struct onri_pool_span span[WINDOWS];
  const int with_y = !sweep_chance(s, 3);
  struct onri_pool_row row = draw_row(s, channels, span);
  row.place = 5, row.place_step[1] = 3 * WIDTH, row.place_pixel = row.place_dilated = 3;
  const struct onri_pool_places places = {index, 1000, 7};
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(LINES * WIDTH * channels), 2, special, x, wide);
  for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i += 3) x[i] = floorf(x[i]); /* some are equal */
  for (size_t i = 0; i < sizeof(index) / sizeof(index[0]); i++) index[i] = -77;
  kernels->max_row_places(&row, &places, x, with_y ? y : NULL);
  for (int64_t o = 0; o < row.windows; o++)
    for (int64_t c = 0; c < channels; c++) {
      float v = -INFINITY;
      int64_t at = -1;
      for (int64_t j = 0; j < row.taps[1]; j++)
        for (int64_t k = 0; k < span[o].taps; k++) {
          const float here = x[(j * WIDTH + span[o].first + k) * channels + c];
          if (at >= 0 && !(here > v) && !isnan(here)) continue;
          v = here;
          at = 5 + 3 * (j * WIDTH + span[o].first + k);
        }
      assert_int_equal(index[o * channels + c], at + 1000 + 7 * c);
      if (with_y) assert_true(y[o * channels + c] == v || (isnan(v) && isnan(y[o * channels + c])));
    }
  for (size_t i = (size_t)(row.windows * channels); i < sizeof(index) / sizeof(index[0]); i++)
    assert_int_equal(index[i], -77);
}

static int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

/* Draws a block over x of [PLANES][lines][width]; windows of several sizes when `uneven`. */
static void draw_block(struct sweep *s, struct onri_pool_block *b, struct onri_pool_span *span, float *divisor,
                       int uneven) {
  b->stride = sweep_pick(s, 1, 5), b->kernel = sweep_pick(s, 1, 9), b->dilation = sweep_pick(s, 1, 3);
  const int64_t extent = (b->kernel - 1) * b->dilation + 1, room = sweep_chance(s, 8) ? ONRI_POOL_COLUMNS : 80;
  b->windows = sweep_pick(s, 1, (room - extent) / b->stride + 1);
  int64_t columns = (b->windows - 1) * b->stride + extent;
  for (int64_t o = 0; uneven && o < b->windows; o++) {
    span[o].first = sweep_pick(s, 0, columns - 1);
    span[o].taps = sweep_pick(s, 0, columns - span[o].first);
  }
  if (uneven) b->stride = 0;
  b->before = sweep_chance(s, 2) ? sweep_pick(s, 0, columns) : 0, columns -= b->before;
  b->after = sweep_chance(s, 2) ? sweep_pick(s, 0, columns) : 0, b->columns = columns - b->after;
  for (int64_t o = 0; o < b->windows; o++) divisor[o] = (float)sweep_pick(s, 1, 9);
  b->span = span, b->divisor = divisor;
}

/* Window o of a line, with the padding left out. */
static double window_of(const struct onri_pool_block *b, const double *x, int64_t line, int64_t o, int average) {
  const struct onri_pool_line *l = &b->line[line];
  const int64_t first = b->stride ? o * b->stride : b->span[o].first, taps = b->stride ? b->kernel : b->span[o].taps;
  double v = average ? 0 : -(double)INFINITY;
  for (int64_t i = 0; i < b->planes; i++)
    for (int64_t j = 0; j < l->taps; j++)
      for (int64_t k = 0; k < taps; k++) {
        const int64_t column = first + k * b->dilation - b->before;
        if (column < 0 || column >= b->columns) continue;
        const double at = x[i * b->plane_step + j * b->line_step + column];
        v = average ? v + at : at > v || isnan(at) ? at : v;
      }
  return average ? v / ((double)l->counted * (double)b->divisor[o]) : v;
}

static void check_block(struct sweep *s, const struct onri_pool_kernels *kernels, int uneven) {
  enum { LINE = ONRI_POOL_COLUMNS + 9, ALL = ONRI_POOL_LINES + 3, GAP = 5 };
  static float x[PLANES * ALL * LINE], y[ONRI_POOL_LINES * LINE];
  static double wide[PLANES * ALL * LINE];
  struct onri_pool_span span[ONRI_POOL_COLUMNS];
  float divisor[ONRI_POOL_COLUMNS];
  struct onri_pool_block b = {.lines = sweep_pick(s, 1, ONRI_POOL_LINES), .planes = sweep_pick(s, 0, PLANES)};
  int64_t from[ONRI_POOL_LINES];
  draw_block(s, &b, span, divisor, uneven);
  if (uneven) b.dilation = 1;
  const int64_t pitch = b.windows + GAP;
  b.line_step = b.columns, b.plane_step = ALL * b.columns;
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(PLANES * b.plane_step), 2, sweep_chance(s, 2) ? 50 : 0, x, wide);
  for (int64_t i = 0; i < b.lines; i++) {
    from[i] = sweep_pick(s, 0, ALL - 1) * b.columns;
    b.line[i] =
        (struct onri_pool_line){.x = from[i],
                                .y = i * pitch,
                                .taps = sweep_pick(s, 0, least_of(3, ALL - (b.columns ? from[i] / b.columns : 0))),
                                .counted = (float)sweep_pick(s, 1, 9)};
  }
  for (int average = 0; average < 2; average++) {
    for (size_t i = 0; i < sizeof(y) / sizeof(y[0]); i++) y[i] = 77;
    (average ? kernels->average_block : kernels->max_block)(&b, x, y);
    for (int64_t i = 0; i < b.lines; i++)
      for (int64_t o = 0; o < pitch; o++) {
        double found, v = o < b.windows ? window_of(&b, wide + from[i], i, o, average) : 77;
        if (sweep_difference(ONR_DTYPE_F32, y + i * pitch + o, &v, 1, average ? 2e-6 : 0, average ? 1e-5 : 0, &found) >=
            0)
          fail_msg("%s of %d pixels, %d apart, stride %d, %d + %d + %d columns: line %d, window %d: %g instead of %g",
                   average ? "average" : "maximum", (int)b.kernel, (int)b.dilation, (int)b.stride, (int)b.before,
                   (int)b.columns, (int)b.after, (int)i, (int)o, found, v);
      }
  }
}

/* Windows that pads of all sizes cut, at every pixel of a plane. */
static void check_plane(struct sweep *s, const struct onri_pool_kernels *kernels) {
  enum { MOST = 40, ALL = 60 };
  static float x[ALL * ALL], y[ALL * ALL], counted[ALL], divisor[ALL];
  static double wide[ALL * ALL];
  struct onri_pool_plane p = {.kernel = {sweep_pick(s, 1, 5), sweep_pick(s, 1, 5)},
                              .dilation = {sweep_pick(s, 1, 2), sweep_pick(s, 1, 2)},
                              .windows = {sweep_pick(s, 1, MOST), sweep_pick(s, 1, MOST)},
                              .x_line = ALL,
                              .y_line = ALL,
                              .counted = counted,
                              .divisor = divisor};
  if (sweep_chance(s, 2)) p.kernel[0] = p.kernel[1] = 3;
  const int64_t height = p.windows[0] + (p.kernel[0] - 1) * p.dilation[0], width = onri_pool_plane_width(&p);
  p.top = sweep_pick(s, 0, least_of(3, height)), p.left = sweep_pick(s, 0, least_of(3, width));
  p.bottom = sweep_pick(s, 0, least_of(3, height - p.top)), p.lines = height - p.top - p.bottom;
  p.columns = width - p.left - sweep_pick(s, 0, least_of(3, width - p.left));
  for (int64_t i = 0; i < ALL; i++) counted[i] = (float)sweep_pick(s, 1, 5), divisor[i] = (float)sweep_pick(s, 1, 5);
  sweep_fill(s, ONR_DTYPE_F32, ALL * ALL, 2, sweep_chance(s, 2) ? 200 : 0, x, wide);
  for (int average = 0; average < 2; average++) {
    for (size_t i = 0; i < ALL * ALL; i++) y[i] = 77;
    (average ? kernels->average_plane : kernels->max_plane)(&p, x, y);
    for (int64_t at = 0; at < ALL * ALL; at++) {
      const int64_t o = at / ALL, q = at % ALL;
      double found, v = average ? 0 : -(double)INFINITY;
      for (int64_t j = 0; j < p.kernel[0]; j++)
        for (int64_t k = 0; k < p.kernel[1]; k++) {
          const int64_t line = o + j * p.dilation[0] - p.top, column = q + k * p.dilation[1] - p.left;
          if (line < 0 || line >= p.lines || column < 0 || column >= p.columns) continue;
          const double value = wide[line * ALL + column];
          v = average ? v + value : value > v || isnan(value) ? value : v;
        }
      if (average) v /= (double)counted[o] * (double)divisor[q];
      if (o >= p.windows[0] || q >= p.windows[1]) v = 77;
      if (sweep_difference(ONR_DTYPE_F32, y + at, &v, 1, average ? 2e-6 : 0, average ? 1e-5 : 0, &found) >= 0)
        fail_msg("%s of %d by %d, %d by %d windows: at %d, %d: %g instead of %g", average ? "average" : "maximum",
                 (int)p.kernel[0], (int)p.kernel[1], (int)p.windows[0], (int)p.windows[1], (int)o, (int)q, found, v);
    }
  }
}

static void check_terms(struct sweep *s, const struct onri_pool_kernels *kernels) {
  enum { MOST = 200, REACH = 100, TERMS = 9, VECTOR = 64 };
  uint8_t x[MOST + REACH + VECTOR], y[MOST + 2 * VECTOR];
  size_t terms[TERMS];
  const size_t count = (size_t)sweep_pick(s, 1, MOST), num = (size_t)sweep_pick(s, 1, TERMS);
  const uint8_t flip = sweep_chance(s, 2) ? 0x80 : 0;
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (uint8_t)sweep_next(s);
  for (size_t t = 0; t < num; t++) terms[t] = (size_t)sweep_pick(s, 0, REACH);
  memset(y, 77, sizeof(y));
  kernels->max_terms(x, terms, num, flip, y, count);
  for (size_t p = 0; p < count; p++) {
    uint8_t most = 0;
    for (size_t t = 0; t < num; t++) most = x[p + terms[t]] > most ? x[p + terms[t]] : most;
    assert_int_equal(y[p], most ^ flip);
  }
  for (size_t p = (count + VECTOR - 1) / VECTOR * VECTOR; p < sizeof(y); p++) assert_int_equal(y[p], 77);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(3);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    const struct onri_pool_kernels *kernels = onri_kernels_at(pool, level);
    for (int64_t channels = 1; channels <= CHANNELS; channels += channels < 70 ? 1 : 7) {
      for (uint32_t special = 0; special < 20; special += 9) check(&s, kernels, channels, special);
      check_places(&s, kernels, channels, channels % 2 ? 9 : 0);
      check_bytes(&s, kernels, channels);
    }
    for (int i = 0; i < sweep_cases(300); i++) check_plane(&s, kernels), check_terms(&s, kernels);
    for (int i = 0; i < sweep_cases(1500); i++) check_block(&s, kernels, i % 8 == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
