/* Convolutions of a few channels a group, channels-last, of every instruction set against the definition in double:
 * groups that fill vectors evenly and such that do not, as many outputs as inputs or not, 1-D to 3-D, kernels, strides,
 * dilations, padding, NaN and infinities that reach their own group alone; the same bits for any number of threads. */
#include <string.h>

#include "base/env.h"
#include "kernels/conv/depthwise_rows.h"
#include "kernels/kernels.h"
#include "support/sweep.h"

enum { CASES = 600, MOST = 1 << 16, MOST_WEIGHTS = 1 << 16, CHANNELS = 2048, GUARD = 64 };

static struct {
  float w[MOST_WEIGHTS], bias[CHANNELS], y[MOST + GUARD], again[MOST + GUARD];
  double x[MOST], wide_w[MOST_WEIGHTS], wide_bias[CHANNELS];
} data;

static struct onri_axis draw_axis(struct sweep *s, int64_t size) {
  struct onri_axis a = {.in = sweep_pick(s, 1, size), .kernel = 3, .stride = sweep_pick(s, 1, 2), .dilation = 1};
  if (sweep_chance(s, 3)) a.kernel = sweep_pick(s, 1, 6), a.stride = sweep_pick(s, 1, 3);
  if (sweep_chance(s, 4)) a.dilation = sweep_pick(s, 1, 3);
  const int64_t extent = (a.kernel - 1) * a.dilation + 1;
  a.begin = sweep_pick(s, 0, a.kernel), a.end = sweep_pick(s, 0, a.kernel);
  while (a.in + a.begin + a.end < extent) a.begin++, a.end++;
  a.out = (a.in + a.begin + a.end - extent) / a.stride + 1;
  return a;
}

static void lay_out(struct onri_image *image, int64_t batch, int64_t channels) {
  int64_t step = channels;
  image->batch = batch, image->channels = channels, image->channel_stride = 1;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; step *= image->size[a--]) image->stride[a] = step;
  image->batch_stride = step;
}

static int64_t elements(const struct onri_image *image) { return image->batch * image->batch_stride; }

/* 0: too large. */
static int draw(struct sweep *s, struct onri_conv *c) {
  const int dims = (int)sweep_pick(s, 1, 3), even = sweep_chance(s, 2);
  *c = (struct onri_conv){.groups = sweep_pick(s, 2, sweep_chance(s, 4) ? 200 : 20),
                          .group_in = even ? (int64_t)2 << sweep_pick(s, 0, 2) : sweep_pick(s, 2, 8),
                          .min = sweep_chance(s, 2) ? -1 : -(double)INFINITY,
                          .max = sweep_chance(s, 2) ? 2 : (double)INFINITY};
  c->group_out = even || sweep_chance(s, 2) ? c->group_in : sweep_pick(s, 1, 8);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    c->axis[a] = a < ONR_MAX_SPATIAL - dims
                     ? (struct onri_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1}
                     : draw_axis(s, dims == 1   ? 100
                                    : dims == 2 ? 24
                                                : 7);
    c->x.size[a] = c->axis[a].in, c->y.size[a] = c->axis[a].out;
  }
  const int64_t batch = sweep_pick(s, 1, 2);
  lay_out(&c->x, batch, c->groups * c->group_in);
  lay_out(&c->y, batch, c->groups * c->group_out);
  return c->groups * c->group_in * c->group_out * onri_conv_taps(c) < MOST_WEIGHTS && elements(&c->x) < MOST &&
         elements(&c->y) < MOST && elements(&c->y) * c->group_in * onri_conv_taps(c) < 3000000;
}

static double expected(const struct onri_conv *c, int64_t i) {
  const int64_t m = i % c->y.channels, pixel = i / c->y.channels, taps = onri_conv_taps(c), *size = c->y.size,
                o[] = {pixel / size[2] / size[1] % size[0], pixel / size[2] % size[1], pixel % size[2]};
  const double *x = data.x + i / c->y.batch_stride * c->x.batch_stride + m / c->group_out * c->group_in;
  double sum = data.wide_bias[m];
  for (int64_t t = 0; t < taps; t++) {
    const int64_t k[] = {t / c->axis[2].kernel / c->axis[1].kernel, t / c->axis[2].kernel % c->axis[1].kernel,
                         t % c->axis[2].kernel};
    int64_t at = 0, inside = 1;
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
      const int64_t p = o[a] * c->axis[a].stride - c->axis[a].begin + k[a] * c->axis[a].dilation;
      inside = inside && p >= 0 && p < c->axis[a].in;
      at += p * c->x.stride[a];
    }
    for (int64_t j = 0; inside && j < c->group_in; j++)
      sum += x[at + j] * data.wide_w[(m * c->group_in + j) * taps + t];
  }
  return sum < c->min ? c->min : sum > c->max ? c->max : sum;
}

static void three_times(const void *context, float *values, size_t count) {
  (void)context;
  for (size_t i = 0; i < count; i++) values[i] *= 3;
}

/* x: memory that ends where it ends. */
static void check(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels, const float *x, int has_tail,
                  struct onr_threads *pool) {
  const onri_depthwise_tail tail = has_tail ? three_times : NULL;
  struct onr_env alone = {.threads = NULL}, shared = {.threads = pool};
  float *packed = malloc(onri_grouped_floats(c, kernels) * sizeof(*packed));
  const int64_t count = elements(&c->y);
  assert_non_null(packed);
  onri_grouped_pack(c, kernels, data.w, packed);
  for (int64_t i = count; i < count + GUARD; i++) data.y[i] = 77;
  onri_grouped_f32(c, kernels, x, packed, data.bias, data.y, tail, NULL, &alone);
  onri_grouped_f32(c, kernels, x, packed, data.bias, data.again, tail, NULL, &shared);
  for (int64_t i = 0; i < count; i++) {
    const double is = expected(c, i) * (has_tail ? 3 : 1);
    double found;
    if (memcmp(&data.y[i], &data.again[i], sizeof(float)) != 0 && !isnan(data.y[i]))
      fail_msg("output %d hangs on the threads", (int)i);
    if (sweep_difference(ONR_DTYPE_F32, data.y + i, &is, 1, 1e-5, 1e-4, &found) >= 0)
      fail_msg("%d groups of %d to %d, kernel %dx%dx%d by %d: element %d: %g instead of %g", (int)c->groups,
               (int)c->group_in, (int)c->group_out, (int)c->axis[0].kernel, (int)c->axis[1].kernel,
               (int)c->axis[2].kernel, (int)c->axis[2].stride, (int)i, found, is);
  }
  for (int64_t i = count; i < count + GUARD; i++) assert_true(data.y[i] == 77);
  free(packed);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(29);
  struct onr_threads *pool = NULL;
  int checked = 0;
  (void)state;
  assert_int_equal(onr_threads_create(3, NULL, &pool, NULL), ONR_STATUS_OK);
  for (int i = 0; i < sweep_cases(CASES); i++) {
    struct onri_conv c;
    if (!draw(&s, &c)) continue;
    float *x = malloc((size_t)elements(&c.x) * sizeof(*x));
    assert_non_null(x);
    sweep_fill(&s, ONR_DTYPE_F32, (size_t)elements(&c.x), 1, i % 4 ? 0 : 9, x, data.x);
    sweep_fill(&s, ONR_DTYPE_F32, (size_t)(c.y.channels * c.group_in * onri_conv_taps(&c)), 1, 0, data.w, data.wide_w);
    sweep_fill(&s, ONR_DTYPE_F32, (size_t)c.y.channels, 1, 0, data.bias, data.wide_bias);
    for (enum onri_cpu_level level = 0; level <= onri_cpu_level(); level++)
      if (onri_grouped_can(&c, onri_kernels_at(depthwise, level))) {
        check(&c, onri_kernels_at(depthwise, level), x, i % 3 == 0, pool);
        checked++;
      }
    free(x);
  }
  assert_true(checked > sweep_cases(CASES) / 3); /* there is one level at least */
  onr_threads_destroy(pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
