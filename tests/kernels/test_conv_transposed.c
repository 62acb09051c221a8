/* Transposed convolutions as products, by all ways, of every instruction set, against the definition in double: 1-D to
 * 3-D, groups, strides, dilation, cut borders, images of several parts on each axis, clamps; the same bits for any
 * number of threads. */
#include <string.h>

#include "base/env.h"
#include "kernels/conv_transposed/conv_transposed.h"
#include "kernels/kernels.h"
#include "support/sweep.h"

enum { CASES = 250, MOST = 1 << 19, GUARD = 64 };

static struct {
  float x[MOST], w[MOST], bias[1024], y[MOST], again[MOST];
  double wide_x[MOST], wide_w[MOST], wide_bias[1024], expected[MOST];
} data;

static struct onri_axis draw_axis(struct sweep *s, int64_t size, int64_t most_kernel) {
  struct onri_axis a = {.in = sweep_pick(s, 1, size),
                        .kernel = sweep_pick(s, 1, most_kernel),
                        .stride = sweep_pick(s, 1, 4),
                        .dilation = sweep_chance(s, 3) ? sweep_pick(s, 1, 5) : 1};
  const int64_t all = (a.in - 1) * a.stride + (a.kernel - 1) * a.dilation + 1;
  a.begin = sweep_pick(s, 0, a.kernel), a.end = sweep_pick(s, 0, a.kernel);
  if (a.begin + a.end >= all) a.begin = a.end = 0;
  a.out = all - a.begin - a.end + sweep_pick(s, 0, a.stride - 1);
  return a;
}

static void lay_out(struct onri_image *image, int64_t batch, int64_t channels) {
  int64_t step = channels;
  image->batch = batch, image->channels = channels, image->channel_stride = 1;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; step *= image->size[a--]) image->stride[a] = step;
  image->batch_stride = step;
}

static int64_t elements(const struct onri_image *image) { return image->batch * image->batch_stride; }

/* 0: too large. Many taps and outputs make parts of few pixels. */
static int draw(struct sweep *s, struct onri_conv *c) {
  const int dims = (int)sweep_pick(s, 1, 3), large = sweep_chance(s, 2);
  *c = (struct onri_conv){.transposed = 1,
                          .groups = sweep_chance(s, 3) ? sweep_pick(s, 2, 40) : 1,
                          .group_in = sweep_pick(s, 1, 20),
                          .group_out = sweep_pick(s, 1, large ? 60 : 6),
                          .min = sweep_chance(s, 2) ? -1 : -(double)INFINITY,
                          .max = sweep_chance(s, 2) ? 2 : (double)INFINITY};
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    c->axis[a] = a < ONR_MAX_SPATIAL - dims
                     ? (struct onri_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1}
                     : draw_axis(s,
                                 dims == 1   ? 3000
                                 : dims == 2 ? 60
                                             : 12,
                                 dims == 1 ? 60 : 9);
    c->x.size[a] = c->axis[a].in, c->y.size[a] = c->axis[a].out;
  }
  const int64_t batch = sweep_pick(s, 1, 2);
  lay_out(&c->x, batch, c->groups * c->group_in);
  lay_out(&c->y, batch, c->groups * c->group_out);
  return c->y.channels <= 1024 && c->groups * c->group_in * c->group_out * onri_conv_taps(c) < MOST &&
         elements(&c->x) < MOST - GUARD && elements(&c->y) < MOST - GUARD &&
         elements(&c->x) * c->group_out * onri_conv_taps(c) < 6000000;
}

/* What pixel i of all has for y. */
static void add_pixel(const struct onri_conv *c, const double *x, const int64_t i[ONR_MAX_SPATIAL], double *y) {
  const int64_t taps = onri_conv_taps(c);
  for (int64_t t = 0; t < taps; t++) {
    const int64_t k[] = {t / c->axis[2].kernel / c->axis[1].kernel, t / c->axis[2].kernel % c->axis[1].kernel,
                         t % c->axis[2].kernel};
    int64_t at = 0, inside = 1;
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
      const int64_t o = i[a] * c->axis[a].stride + k[a] * c->axis[a].dilation - c->axis[a].begin;
      inside = inside && o >= 0 && o < c->axis[a].out;
      at += o * c->y.stride[a];
    }
    for (int64_t j = 0; inside && j < c->x.channels; j++)
      for (int64_t m = 0; m < c->group_out; m++)
        y[at + j / c->group_in * c->group_out + m] += x[j] * data.wide_w[(j * c->group_out + m) * taps + t];
  }
}

static void expect(const struct onri_conv *c) {
  const int64_t count = elements(&c->y), pixels = c->x.size[0] * c->x.size[1] * c->x.size[2];
  for (int64_t i = 0; i < count; i++) data.expected[i] = data.wide_bias[i % c->y.channels];
  for (int64_t p = 0; p < c->x.batch * pixels; p++) {
    const int64_t i[] = {p % pixels / c->x.size[2] / c->x.size[1], p / c->x.size[2] % c->x.size[1], p % c->x.size[2]};
    add_pixel(c, data.wide_x + p * c->x.channels, i, data.expected + p / pixels * c->y.batch_stride);
  }
  for (int64_t i = 0; i < count; i++) data.expected[i] = fmin(fmax(data.expected[i], c->min), c->max);
}

/* Where output i of channels-last images lies. */
static size_t place_of(const struct onri_conv *c, size_t i) {
  const struct onri_image *y = &c->y;
  int64_t rest = (int64_t)i, at = rest % y->channels * y->channel_stride;
  rest /= y->channels;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; rest /= y->size[a--]) at += rest % y->size[a] * y->stride[a];
  return (size_t)(at + rest * y->batch_stride);
}

static void planes_of(struct onri_image *image) {
  int64_t step = 1;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; step *= image->size[a--]) image->stride[a] = step;
  image->channel_stride = step;
}

/* Both images are channels-first from now on. */
static void turn_planes(struct onri_conv *c) {
  const int64_t pixels = c->x.size[0] * c->x.size[1] * c->x.size[2];
  for (int64_t p = 0; p < c->x.batch * pixels; p++)
    for (int64_t j = 0; j < c->x.channels; j++)
      data.x[(p / pixels * c->x.channels + j) * pixels + p % pixels] = (float)data.wide_x[p * c->x.channels + j];
  planes_of(&c->x);
  planes_of(&c->y);
}

static void run(const struct onri_conv *c, const struct onri_conv_way *way,
                const struct onri_conv_gemm_kernels *kernels, const float *packed, const float *bias,
                struct onr_threads *threads, float *y) {
  struct onr_env env = {.threads = threads};
  const size_t count = onr_threads_count(threads);
  void *scratch = malloc(onri_conv_gemm_scratch_bytes(count));
  float *part = malloc(way->scratch_floats(c) * sizeof(*part) + 1);
  const struct onri_conv_gemm operands = {.form = ONRI_CONV_LAST,
                                          .x = data.x,
                                          .packed = packed,
                                          .bias = bias,
                                          .y = y,
                                          .scratch = scratch,
                                          .threads = count};
  assert_true(scratch && part);
  way->run(c, kernels, &operands, part, &env);
  free(part);
  free(scratch);
}

static void check(const struct onri_conv *c, const struct onri_conv_way *way,
                  const struct onri_conv_gemm_kernels *kernels, struct onr_threads *pool) {
  const size_t weights = (size_t)(c->groups * c->group_in * c->group_out * onri_conv_taps(c));
  float *packed = malloc(way->floats(c, kernels) * sizeof(*packed));
  float *bias = malloc(way->bias_floats(c, kernels) * sizeof(*bias));
  float *room = malloc(2 * weights * sizeof(*room));
  assert_true(packed && bias && room);
  way->pack(c, kernels, data.w, room, packed, &(struct onr_env){.threads = NULL});
  way->pack_bias(c, kernels, data.bias, bias);
  run(c, way, kernels, packed, bias, NULL, data.y);
  run(c, way, kernels, packed, bias, pool, data.again);
  for (size_t i = 0; i < (size_t)elements(&c->y); i++) {
    const size_t at = place_of(c, i);
    if (memcmp(&data.y[at], &data.again[at], sizeof(float)) != 0) fail_msg("output %zu hangs on the threads", i);
    if (fabs((double)data.y[at] - data.expected[i]) > 1e-4 * (1 + fabs(data.expected[i])))
      fail_msg("output %zu: found %g, expected %g", i, (double)data.y[at], data.expected[i]);
  }
  free(room);
  free(bias);
  free(packed);
}

static void check_ways(const struct onri_conv *c, struct onr_threads *pool) {
  static const struct onri_conv_way *const ways[] = {&onri_conv_by_phases, &onri_conv_shuffled, &onri_conv_spread,
                                                     &onri_conv_spread_planes};
  for (enum onri_cpu_level level = 0; level <= onri_cpu_level(); level++)
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
      assert_true(ways[i]->can(c));
      check(c, ways[i], onri_kernels_at(conv_gemm, level), pool);
    }
}

static void test_levels(void **state) {
  struct onr_threads *pool = NULL;
  struct sweep s = sweep_from(11);
  int checked = 0;
  (void)state;
  assert_int_equal(onr_threads_create(3, NULL, &pool, NULL), ONR_STATUS_OK);
  for (int i = 0; i < sweep_cases(CASES); i++) {
    struct onri_conv c;
    if (!draw(&s, &c)) continue;
    sweep_fill(&s, ONR_DTYPE_F32, (size_t)elements(&c.x), 1, 0, data.x, data.wide_x);
    sweep_fill(&s, ONR_DTYPE_F32, (size_t)(c.x.channels * c.group_out * onri_conv_taps(&c)), 1, 0, data.w, data.wide_w);
    sweep_fill(&s, ONR_DTYPE_F32, (size_t)c.y.channels, 1, 0, data.bias, data.wide_bias);
    expect(&c);
    check_ways(&c, pool);
    turn_planes(&c);
    for (enum onri_cpu_level level = 0; level <= onri_cpu_level(); level++) {
      check(&c, &onri_conv_shuffled, onri_kernels_at(conv_gemm, level), pool);
      check(&c, &onri_conv_spread_planes, onri_kernels_at(conv_gemm, level), pool);
    }
    checked++;
  }
  assert_true(checked > sweep_cases(CASES) / 4);
  onr_threads_destroy(pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
