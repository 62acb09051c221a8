/* The rows of a depthwise convolution of every instruction set against the definition in double: kernels, strides,
 * dilations, padding and numbers of channels, so every way to cut them into vectors and tiles, with NaN and infinities.
 */
#include "kernels/conv/depthwise_rows.h"
#include "kernels/kernels.h"
#include "support/sweep.h"

enum { CHANNELS = 40, SIDE = 20, KERNEL = 9, PLANES = 2, GUARD = 64, CASES = 1500 };

static struct onri_axis draw_axis(struct sweep *s, int64_t size, int64_t most_kernel) {
  struct onri_axis a = {.in = sweep_pick(s, 1, size),
                        .kernel = sweep_pick(s, 1, most_kernel),
                        .stride = sweep_pick(s, 1, 3),
                        .dilation = sweep_pick(s, 0, 3) ? 1 : sweep_pick(s, 1, 3)};
  const int64_t extent = (a.kernel - 1) * a.dilation + 1;
  a.begin = sweep_pick(s, 0, a.kernel), a.end = sweep_pick(s, 0, a.kernel);
  while (a.in + a.begin + a.end < extent) a.begin++, a.end++;
  a.out = (a.in + a.begin + a.end - extent) / a.stride + 1;
  return a;
}

static double expected(const struct onri_depthwise_job *job, const double *x, const double *w, const double *bias,
                       int64_t row, int64_t o, int64_t channel) {
  const struct onri_axis *a = job->axis;
  double sum = bias ? bias[channel] : 0;
  for (int64_t k0 = 0; k0 < a[0].kernel; k0++)
    for (int64_t k1 = 0; k1 < a[1].kernel; k1++)
      for (int64_t k2 = 0; k2 < a[2].kernel; k2++) {
        const int64_t i0 = job->o0 * a[0].stride - a[0].begin + k0 * a[0].dilation,
                      i1 = row * a[1].stride - a[1].begin + k1 * a[1].dilation,
                      i2 = o * a[2].stride - a[2].begin + k2 * a[2].dilation;
        if (i0 < 0 || i0 >= a[0].in || i1 < 0 || i1 >= a[1].in || i2 < 0 || i2 >= a[2].in) continue;
        sum += x[i0 * job->x_plane + i1 * job->x_line + i2 * job->x_pixel + channel / job->each] *
               w[((k0 * a[1].kernel + k1) * a[2].kernel + k2) * job->channels + channel];
      }
  if (sum < (double)job->min) return (double)job->min;
  return sum > (double)job->max ? (double)job->max : sum;
}

static void three_times(const void *context, float *values, size_t count) {
  (void)context;
  for (size_t i = 0; i < count; i++) values[i] *= 3;
}

static void check(struct sweep *s, const struct onri_depthwise_kernels *kernels, uint32_t special) {
  static float x[PLANES * SIDE * SIDE * CHANNELS], w[PLANES * KERNEL * KERNEL * CHANNELS], b[CHANNELS], y[1 << 17];
  static double wx[PLANES * SIDE * SIDE * CHANNELS], ww[PLANES * KERNEL * KERNEL * CHANNELS], wb[CHANNELS];
  struct onri_depthwise_job job = {
      .axis = {draw_axis(s, PLANES, PLANES), draw_axis(s, SIDE, KERNEL), draw_axis(s, SIDE, KERNEL)}};
  const int64_t channels = sweep_pick(s, 1, CHANNELS), has_bias = sweep_pick(s, 0, 1);
  if (sweep_pick(s, 0, 1)) { /* the kernels that have code of their own */
    struct onri_axis *a = &job.axis[2];
    *a = (struct onri_axis){.in = sweep_pick(s, 1, SIDE), .kernel = 3 + 2 * sweep_pick(s, 0, 2), .dilation = 1};
    a->stride = sweep_pick(s, 1, 2), a->begin = a->end = a->kernel / 2;
    a->out = (a->in + 2 * a->begin - a->kernel) / a->stride + 1;
  }
  job.channels = job.y_pixel = channels;
  job.w_tap = channels, job.w_line = job.axis[2].kernel * channels;
  job.each = sweep_chance(s, 3) ? sweep_pick(s, 2, 8) : 1;
  job.x_pixel = (channels - 1) / job.each + 1;
  job.x_line = job.axis[2].in * job.x_pixel, job.x_plane = job.axis[1].in * job.x_line;
  job.y_line = job.axis[2].out * channels;
  job.o0 = sweep_pick(s, 0, job.axis[0].out - 1);
  job.top = sweep_pick(s, 0, job.axis[1].out - 1), job.bottom = sweep_pick(s, job.top + 1, job.axis[1].out);
  job.min = sweep_pick(s, 0, 1) ? -INFINITY : -1, job.max = sweep_pick(s, 0, 1) ? INFINITY : 2;
  const int64_t first = sweep_chance(s, 3) ? sweep_pick(s, 0, channels - 1) : 0,
                count = first > 0 ? sweep_pick(s, 1, channels - first) : channels;
  job.terms = 1, job.phase = first % job.each;
  job.x = x + first / job.each, job.w = w + first, job.bias = has_bias ? b + first : NULL, job.y = y + first;
  if (sweep_chance(s, 3)) job.tail = three_times;
  const size_t outputs = (size_t)(job.axis[1].out * job.y_line);
  assert_true(outputs + GUARD < sizeof(y) / sizeof(y[0]));
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(job.axis[0].in * job.x_plane), 2, special, x, wx);
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(job.axis[0].kernel * job.axis[1].kernel * job.axis[2].kernel * channels), 1, 0,
             w, ww);
  sweep_fill(s, ONR_DTYPE_F32, (size_t)channels, 1, 0, b, wb);
  for (size_t i = 0; i < outputs + GUARD; i++) y[i] = 77;
  kernels->rows(&job, count);
  for (int64_t row = 0; row < job.axis[1].out; row++)
    for (int64_t i = 0; i < job.y_line; i++) {
      const int64_t c = i % channels;
      const double is = expected(&job, wx, ww, has_bias ? wb : NULL, row, i / channels, c) * (job.tail ? 3 : 1);
      const float *at = y + row * job.y_line + i;
      double found;
      if (row < job.top || row >= job.bottom || c < first || c >= first + count) assert_true(*at == 77);
      else if (sweep_difference(ONR_DTYPE_F32, at, &is, 1, 1e-5, 1e-4, &found) >= 0)
        fail_msg("kernel %dx%dx%d, stride %d, %d channels: row %d, element %d: %g instead of %g",
                 (int)job.axis[0].kernel, (int)job.axis[1].kernel, (int)job.axis[2].kernel, (int)job.axis[2].stride,
                 (int)channels, (int)row, (int)i, found, is);
    }
  for (size_t i = outputs; i < outputs + GUARD; i++) assert_true(y[i] == 77);
}

/* Vectors of pixels: lines of one channel, of which each tap of a row sees a part that begins elsewhere. */
static void check_plane(struct sweep *s, const struct onri_depthwise_kernels *kernels, uint32_t special) {
  enum { ROW = 128, LINES = 60, TAPS = 5, APART = 3 };
  static float x[LINES * ROW], w[TAPS * KERNEL * APART], y[30 * ROW], bias;
  static double wx[LINES * ROW], ww[TAPS * KERNEL * APART];
  const int64_t columns = sweep_pick(s, 1, 70), out = sweep_pick(s, 1, 14), lines = sweep_pick(s, 1, TAPS);
  struct onri_axis a = {.out = out, .stride = sweep_pick(s, 1, 2), .dilation = sweep_chance(s, 3) ? 2 : 1};
  a.kernel = sweep_chance(s, 2) ? 1 + 2 * sweep_pick(s, 1, 3) : sweep_pick(s, 1, KERNEL);
  a.in = (13 * a.stride) + (a.kernel - 1) * a.dilation + 1;
  int64_t shifts[TAPS];
  for (int64_t k = 0; k < lines; k++) shifts[k] = sweep_pick(s, 0, 40);
  bias = 0.25f;
  const struct onri_depthwise_job job = {.axis = {{.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1},
                                                  {.in = lines, .out = 1, .kernel = lines, .stride = 1, .dilation = 1},
                                                  a},
                                         .x_pixel = ROW,
                                         .y_pixel = ROW,
                                         .channels = columns,
                                         .each = 1,
                                         .terms = 1,
                                         .min = -3,
                                         .max = INFINITY,
                                         .x = x,
                                         .w = w,
                                         .bias = &bias,
                                         .y = y,
                                         .bottom = 1,
                                         .w_tap = APART * lines,
                                         .w_line = APART,
                                         .shifts = shifts};
  assert_true(a.in <= LINES);
  sweep_fill(s, ONR_DTYPE_F32, sizeof(x) / sizeof(x[0]), 2, special, x, wx);
  sweep_fill(s, ONR_DTYPE_F32, sizeof(w) / sizeof(w[0]), 1, 0, w, ww);
  for (size_t i = 0; i < sizeof(y) / sizeof(y[0]); i++) y[i] = 77;
  kernels->rows(&job, columns);
  for (int64_t i = 0; i < 30 * ROW; i++) {
    const int64_t row = i / ROW, column = i % ROW;
    double sum = bias, found;
    for (int64_t k = 0; row < out && column < columns && k < a.kernel * lines; k++)
      sum += wx[(row * a.stride + k / lines * a.dilation) * ROW + column + shifts[k % lines]] * ww[k * APART];
    if (sum < (double)job.min) sum = (double)job.min;
    if (row >= out || column >= columns) assert_true(y[i] == 77);
    else if (sweep_difference(ONR_DTYPE_F32, y + i, &sum, 1, 1e-5, 1e-4, &found) >= 0)
      fail_msg("%d lines of %d taps, stride %d: row %d, column %d: %g instead of %g", (int)lines, (int)a.kernel,
               (int)a.stride, (int)row, (int)column, found, sum);
  }
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(11);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < CASES; i++) {
      check(&s, onri_kernels_at(depthwise, level), i % 5 ? 0 : 9);
      check_plane(&s, onri_kernels_at(depthwise, level), i % 5 ? 0 : 9);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
