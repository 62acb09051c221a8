/* Convolution by Winograd's method at every level of this processor against sums in double: every way of doing it on
 * images of any size, padding, dilation, batch, groups and channels, with one thread and several, which give the same
 * bits; and that numbers which are not finite are noticed wherever an output sees them. */
#include <string.h>

#include "base/env.h"
#include "kernels/conv/winograd.h"
#include "kernels/kernels.h"
#include "support/sweep.h"

enum { MOST_X = 1 << 18, MOST_W = 1 << 18, GUARD = 64, CASES = 600 };

static float x[MOST_X + GUARD], w[MOST_W], bias[256], residual[MOST_X], y[MOST_X], again[MOST_X];
static double wide_x[MOST_X], wide_residual[MOST_X], wide_w[MOST_W], wide_bias[256], expected[MOST_X],
    magnitude[MOST_X];

static struct onri_axis draw_axis(struct sweep *s, int64_t kernel, int64_t most_size) {
  struct onri_axis a = {.in = sweep_pick(s, 1, most_size),
                        .kernel = kernel,
                        .stride = 1,
                        .dilation = kernel > 1 && sweep_chance(s, 4) ? sweep_pick(s, 1, 3) : 1};
  const int64_t reach = (kernel - 1) * a.dilation;
  if (kernel > 1) a.begin = sweep_pick(s, 0, reach), a.end = sweep_pick(s, 0, reach);
  while (a.in + a.begin + a.end <= reach) a.in++;
  a.out = a.in + a.begin + a.end - reach;
  return a;
}

static struct onri_image image_of(int64_t batch, int64_t channels, int64_t d, int64_t h, int64_t columns) {
  return (struct onri_image){.batch = batch,
                             .channels = channels,
                             .size = {d, h, columns},
                             .batch_stride = d * h * columns * channels,
                             .channel_stride = 1,
                             .stride = {h * columns * channels, columns * channels, channels}};
}

/* One of the ways, not only the one that is thought to be fastest; NULL kernels: too large a case. */
static struct onri_winograd draw(struct sweep *s, int level, struct onri_conv *c) {
  struct onri_winograd how = {NULL, {1, 1, 1}, {1, 1, 1}};
  const int64_t taps = sweep_chance(s, 3) ? 5 : 3, kind = sweep_pick(s, 0, 3); /* lines across, down, planes */
  const int32_t points = (int32_t)sweep_pick(s, taps == 3 ? 2 : 3, kind < 2 ? 4 : 3) * 2;
  const int64_t size = sweep_chance(s, 3) ? 7 : 40;
  *c = (struct onri_conv){.groups = sweep_chance(s, 4) ? sweep_pick(s, 1, 3) : 1,
                          .group_in = sweep_pick(s, 1, sweep_chance(s, 2) ? 70 : 9),
                          .group_out = sweep_pick(s, 1, sweep_chance(s, 2) ? 70 : 9),
                          .min = sweep_chance(s, 2) ? -3 : -INFINITY,
                          .max = sweep_chance(s, 2) ? 6 : INFINITY};
  c->axis[0] = draw_axis(s, sweep_chance(s, 4) ? 3 : 1, 3);
  if (sweep_chance(s, 3)) c->axis[0].stride = 2, c->axis[0].out = (c->axis[0].out - 1) / 2 + 1;
  c->axis[1] = draw_axis(s, kind == 0 ? 1 : taps, size);
  c->axis[2] = draw_axis(s, kind == 1 ? 1 : taps, size);
  for (int i = 1; i < 3; i++)
    if (c->axis[i].kernel > 1) how.points[i] = points, how.outputs[i] = points - (int32_t)taps + 1;
  const int64_t batch = sweep_pick(s, 1, 3);
  c->x = image_of(batch, c->groups * c->group_in, c->axis[0].in, c->axis[1].in, c->axis[2].in);
  c->y = image_of(batch, c->groups * c->group_out, c->axis[0].out, c->axis[1].out, c->axis[2].out);
  const int64_t work = batch * c->y.batch_stride * c->group_in * onri_conv_taps(c);
  if (batch * c->x.batch_stride <= MOST_X && batch * c->y.batch_stride <= MOST_X && work < 3000000 &&
      c->groups * c->group_out * c->group_in * onri_conv_taps(c) <= MOST_W)
    how.kernels = onri_kernels_at(winograd, (enum onri_cpu_level)level);
  return how;
}

/* One output, and the sum of the magnitudes of its terms. */
static double sum_of(const struct onri_conv *c, int64_t n, const int64_t at[3], int64_t m, double *magnitudes) {
  const int64_t g = m / c->group_out, taps = onri_conv_taps(c);
  double sum = wide_bias[m];
  *magnitudes = fabs(sum);
  for (int64_t t = 0; t < taps; t++) {
    const int64_t k[] = {t / c->axis[2].kernel / c->axis[1].kernel, t / c->axis[2].kernel % c->axis[1].kernel,
                         t % c->axis[2].kernel};
    int64_t from = n * c->x.batch_stride + g * c->group_in, i;
    int inside = 1;
    for (int a = 0; a < 3; a++) {
      inside &= onri_axis_tap(&c->axis[a], at[a], k[a], &i);
      from += i * c->x.stride[a];
    }
    for (int64_t j = 0; inside && j < c->group_in; j++) {
      const double term = wide_x[from + j] * wide_w[(m * c->group_in + j) * taps + t];
      sum += term, *magnitudes += fabs(term);
    }
  }
  return sum;
}

static size_t reference(const struct onri_conv *c, int has_residual, int *finite) {
  const int64_t channels = c->groups * c->group_out;
  size_t i = 0;
  *finite = 1;
  for (int64_t n = 0; n < c->y.batch; n++)
    for (int64_t o0 = 0; o0 < c->y.size[0]; o0++)
      for (int64_t o1 = 0; o1 < c->y.size[1]; o1++)
        for (int64_t o2 = 0; o2 < c->y.size[2]; o2++)
          for (int64_t m = 0; m < channels; m++, i++) {
            const double sum = sum_of(c, n, (int64_t[]){o0, o1, o2}, m, &magnitude[i]);
            const double y_is = has_residual ? sum + wide_residual[i] : sum;
            *finite &= isfinite(sum) != 0;
            expected[i] = y_is < c->min ? c->min : y_is > c->max ? c->max : y_is;
          }
  return i;
}

static int run(const struct onri_conv *c, const struct onri_winograd *how, const float *packed, const float *added,
               struct onr_threads *threads, float *to) {
  struct onr_env env = {.threads = threads};
  struct onri_winograd_plan plan;
  size_t bytes;
  assert_true(onri_winograd_plan(c, how, onr_threads_count(threads), &plan, &bytes));
  float *scratch = malloc(bytes);
  memset(scratch, 0xFF, bytes); /* NaN */
  const int finite = onri_winograd_f32(c, &plan, x, packed, bias, added, to, scratch, &env);
  free(scratch);
  return finite;
}

/* What is lost grows with the transforms: a share of what is added in a tile, by half the points of an axis. */
static const double loss[] = {0, 0, 4e-7, 1.2e-6, 1.6e-6};

static void check(struct sweep *s, int level, struct onr_threads *threads, uint32_t special) {
  struct onri_conv c;
  const struct onri_winograd how = draw(s, level, &c);
  const int half = how.points[how.points[2] > 1 ? 2 : 1] / 2;
  size_t bytes;
  int finite;
  if (!how.kernels) return;
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(c.x.batch * c.x.batch_stride), 2, special, x, wide_x);
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(c.groups * c.group_out * c.group_in * onri_conv_taps(&c)), 1, 0, w, wide_w);
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(c.groups * c.group_out), 1, 0, bias, wide_bias);
  for (int64_t i = 0; i < GUARD; i++) x[c.x.batch * c.x.batch_stride + i] = NAN; /* what lies behind is not used */
  const float *added = sweep_chance(s, 3) ? residual : NULL;
  sweep_fill(s, ONR_DTYPE_F32, (size_t)(c.y.batch * c.y.batch_stride), 2, 0, residual, wide_residual);
  const size_t count = reference(&c, added != NULL, &finite);
  assert_true(onri_winograd_packed_bytes(&c, &how, &bytes));
  struct onr_env alone = {0}, many = {.threads = threads};
  float *packed = malloc(bytes), *by_threads = malloc(bytes);
  double most = 1;
  for (size_t i = 0; finite && i < count; i++) most = fmax(most, magnitude[i]);
  assert_true(onri_winograd_pack(&c, &how, w, packed, &alone));
  assert_true(onri_winograd_pack(&c, &how, w, by_threads, &many));
  assert_memory_equal(packed, by_threads, bytes);
  for (size_t i = 0; i < count + GUARD && i < MOST_X; i++) y[i] = 77;
  assert_int_equal(run(&c, &how, packed, added, NULL, y), finite);
  for (size_t i = count; i < count + GUARD && i < MOST_X; i++) assert_true(y[i] == 77);
  for (size_t i = 0; finite && i < count; i++)
    if (!(fabs((double)y[i] - expected[i]) <= loss[half] * most))
      fail_msg("level %d, %d points, kernel %dx%dx%d, image %dx%dx%d, channels %d, %d: element %d is %g instead of %g",
               level, 2 * half, (int)c.axis[0].kernel, (int)c.axis[1].kernel, (int)c.axis[2].kernel, (int)c.axis[0].in,
               (int)c.axis[1].in, (int)c.axis[2].in, (int)c.group_in, (int)c.group_out, (int)i, (double)y[i],
               expected[i]);
  assert_int_equal(run(&c, &how, packed, added, threads, again), finite);
  if (finite) assert_memory_equal(y, again, count * sizeof(y[0]));
  free(packed);
  free(by_threads);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(12);
  struct onr_threads *threads[2];
  (void)state;
  for (uint32_t i = 0; i < 2; i++)
    assert_int_equal(onr_threads_create(2 + 3 * i, NULL, &threads[i], NULL), ONR_STATUS_OK);
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(CASES); i++) check(&s, level, threads[i % 2], i % 5 ? 0 : 1);
  for (int i = 0; i < 2; i++) onr_threads_destroy(threads[i]);
}

static void weights_are_finite(void **state) {
  struct onri_conv c = {.groups = 1, .group_in = 2, .group_out = 3};
  const struct onri_winograd how = {onri_kernels(winograd), {1, 6, 6}, {1, 4, 4}};
  static const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f}; /* the last: its sums are not */
  float packed[36 * 2 * 2 * 16];
  struct onr_env env = {0};
  size_t bytes;
  (void)state;
  for (int i = 0; i < 3; i++)
    c.axis[i] = (struct onri_axis){.in = 9, .out = 7, .kernel = i ? 3 : 1, .stride = 1, .dilation = 1};
  assert_true(onri_winograd_packed_bytes(&c, &how, &bytes));
  assert_true(bytes <= sizeof(packed));
  for (int i = 0; i < 2 * 3 * 9; i++) w[i] = 1;
  assert_true(onri_winograd_pack(&c, &how, w, packed, &env));
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    for (int at = 0; at < 2 * 3 * 9; at++) {
      for (int j = at / 9 * 9; j < at / 9 * 9 + 9; j++) w[j] = i < 3 ? 1 : bad[i];
      w[at] = bad[i];
      assert_false(onri_winograd_pack(&c, &how, w, packed, &env));
      for (int j = at / 9 * 9; j < at / 9 * 9 + 9; j++) w[j] = 1;
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level), cmocka_unit_test(weights_are_finite)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
