/* Convolutions as products of every instruction set against the definition in double: 1-D to 3-D, groups, strides,
 * dilation, padding, odd channels, batch, both layouts of x, clamps, several panels and depths, threads that share
 * scratch; small images that see much padding; NaN and infinities in x. */
#include <string.h>

#include "base/env.h"
#include "kernels/conv/conv_gemm.h"
#include "kernels/kernels.h"
#include "support/sweep.h"

enum { CASES = 400, MOST = 1 << 18, GUARD = 64 };

static struct {
  float w[MOST], bias[512], residual[MOST], y[MOST];
  double wide_x[MOST], wide_w[MOST], wide_bias[512], wide_residual[MOST], expected[MOST];
} data;

static struct onri_axis draw_axis(struct sweep *s, int64_t size, int64_t most_kernel) {
  struct onri_axis a = {.in = sweep_pick(s, 1, size),
                        .kernel = sweep_pick(s, 1, most_kernel),
                        .stride = sweep_pick(s, 1, 3),
                        .dilation = sweep_chance(s, 3) ? sweep_pick(s, 1, 9) : 1};
  const int64_t extent = (a.kernel - 1) * a.dilation + 1;
  a.begin = sweep_pick(s, 0, extent), a.end = sweep_pick(s, 0, a.kernel);
  if (a.in + a.begin + a.end < extent) a.end = extent - a.in - a.begin;
  a.out = (a.in + a.begin + a.end - extent) / a.stride + 1;
  return a;
}

static void lay_out(struct onri_image *image, int64_t channels, int channels_last) {
  int64_t step = channels_last ? channels : 1;
  image->channels = channels;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; step *= image->size[a--]) image->stride[a] = step;
  image->channel_stride = channels_last ? 1 : step;
  image->batch_stride = channels_last ? step : step * channels;
}

static int64_t elements(const struct onri_image *image) {
  return image->batch * image->channels * image->size[0] * image->size[1] * image->size[2];
}

/* Each output sees one pixel, which the image lends as it lies. */
static void see_one_pixel(struct sweep *s, struct onri_conv *c) {
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    c->axis[a] = (struct onri_axis){
        .in = c->axis[a].in, .out = c->axis[a].in, .kernel = 1, .stride = 1, .dilation = sweep_pick(s, 1, 2)};
  if (!sweep_chance(s, 4)) return;
  c->group_in = 1024 / c->groups;           /* rows that fight for lines of the cache, */
  if (sweep_chance(s, 2)) c->group_in += 3; /* or do not */
}

/* Those of the next block are fetched while one is multiplied. */
static void take_many_weights(struct sweep *s, struct onri_conv *c) {
  c->groups = 1, c->group_in = sweep_pick(s, 250, 500), c->group_out = sweep_pick(s, 140, 250);
  for (int a = 0; a < ONR_MAX_SPATIAL - 1; a++)
    c->axis[a] = (struct onri_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
  c->axis[ONR_MAX_SPATIAL - 1] = draw_axis(s, 14, 2);
}

/* Small images, deep taps: each is multiplied by the pixels that meet the image through it. */
static void meet_padding(struct sweep *s, struct onri_conv *c) {
  c->groups = sweep_pick(s, 1, 2), c->group_in = sweep_pick(s, 96, 120), c->group_out = sweep_pick(s, 1, 20);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    c->axis[a] = a > 0 || sweep_chance(s, 3)
                     ? draw_axis(s, a > 0 ? 7 : 2, a > 0 ? 3 : 2)
                     : (struct onri_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
}

/* 0: too large. */
static int draw(struct sweep *s, enum onri_conv_form form, struct onri_conv *c) {
  const int dims = (int)sweep_pick(s, 1, 3);
  const int64_t few = sweep_chance(s, 3) ? 80 : 20;
  *c = (struct onri_conv){.groups = sweep_chance(s, 3) ? sweep_pick(s, 2, 4) : 1,
                          .group_in = sweep_pick(s, 1, few),
                          .group_out = sweep_pick(s, 1, few),
                          .min = sweep_chance(s, 2) ? -1 : -(double)INFINITY,
                          .max = sweep_chance(s, 2) ? 2 : (double)INFINITY};
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    c->axis[a] = a < ONR_MAX_SPATIAL - dims
                     ? (struct onri_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1}
                     : draw_axis(s,
                                 dims == 1   ? 300
                                 : dims == 2 ? 30
                                             : 10,
                                 dims == 1 ? 9 : 4);
  if (sweep_chance(s, 6)) take_many_weights(s, c);
  if (sweep_chance(s, 6)) meet_padding(s, c);
  if (sweep_chance(s, 4)) see_one_pixel(s, c);
  c->x.batch = c->y.batch = sweep_pick(s, 1, 2);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) c->x.size[a] = c->axis[a].in, c->y.size[a] = c->axis[a].out;
  lay_out(&c->x, c->groups * c->group_in, form == ONRI_CONV_LAST);
  lay_out(&c->y, c->groups * c->group_out, form != ONRI_CONV_FIRST);
  const int64_t weights = c->groups * c->group_in * c->group_out * onri_conv_taps(c);
  return weights < MOST && elements(&c->x) < MOST - GUARD && elements(&c->y) < MOST - GUARD &&
         elements(&c->y) * c->group_in * onri_conv_taps(c) < 4000000;
}

static double sum_of(const struct onri_conv *c, int64_t n, int64_t m, const int64_t o[ONR_MAX_SPATIAL],
                     double residual) {
  const int64_t g = m / c->group_out, taps = onri_conv_taps(c);
  double sum = data.wide_bias[m] + residual;
  for (int64_t t = 0; t < taps; t++) {
    const int64_t k[] = {t / c->axis[2].kernel / c->axis[1].kernel, t / c->axis[2].kernel % c->axis[1].kernel,
                         t % c->axis[2].kernel};
    int64_t at = n * c->x.batch_stride + g * c->group_in * c->x.channel_stride, i;
    int inside = 1;
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
      inside = inside && onri_axis_tap(&c->axis[a], o[a], k[a], &i);
      at += i * c->x.stride[a];
    }
    for (int64_t j = 0; inside && j < c->group_in; j++)
      sum += data.wide_x[at + j * c->x.channel_stride] * data.wide_w[(m * c->group_in + j) * taps + t];
  }
  return sum < c->min ? c->min : sum > c->max ? c->max : sum;
}

static void expect(const struct onri_conv *c, const struct onri_conv_gemm *operands) {
  for (int64_t n = 0; n < c->y.batch; n++)
    for (int64_t p = 0; p < c->y.size[0] * c->y.size[1] * c->y.size[2]; p++) {
      const int64_t o[] = {p / c->y.size[2] / c->y.size[1], p / c->y.size[2] % c->y.size[1], p % c->y.size[2]};
      const int64_t at = n * c->y.batch_stride + o[0] * c->y.stride[0] + o[1] * c->y.stride[1] + o[2] * c->y.stride[2];
      for (int64_t m = 0; m < c->y.channels; m++) {
        const int64_t i = at + m * c->y.channel_stride;
        data.expected[i] =
            sum_of(c, n, m, o, operands->residual ? data.wide_residual[i] : 0) * (operands->tail ? 3 : 1);
      }
    }
}

static void three_times(const void *context, float *values, size_t count) {
  (void)context;
  for (size_t i = 0; i < count; i++) values[i] *= 3;
}

static struct onr_threads *pool;

static void check_packing_by_threads(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                     enum onri_conv_form form, const float *expected) {
  const size_t bytes = onri_conv_gemm_packed_floats(c, kernels, form) * sizeof(float);
  struct onr_env env = {.threads = pool};
  float *packed = malloc(bytes);
  onri_conv_gemm_pack(c, kernels, form, data.w, packed, &env);
  assert_memory_equal(packed, expected, bytes);
  free(packed);
}

static void check(struct sweep *s, const struct onri_conv *c, enum onri_conv_form form,
                  const struct onri_conv_gemm_kernels *kernels) {
  const size_t outputs = (size_t)elements(&c->y), threads = (size_t)sweep_pick(s, 1, 3),
               weights = (size_t)(c->groups * c->group_out * c->group_in * onri_conv_taps(c));
  const int has_bias = sweep_chance(s, 2);
  struct onr_env env = {0};
  double found;
  const size_t slack = onri_conv_gemm_is_exact(form) ? 0 : ONR_SLACK_BYTES;
  float *x = malloc((size_t)elements(&c->x) * sizeof(*x) + slack); /* nothing behind it but slack */
  sweep_fill(s, ONR_DTYPE_F32, (size_t)elements(&c->x), 2, sweep_chance(s, 3) ? 5 : 0, x, data.wide_x);
  sweep_fill(s, ONR_DTYPE_F32, weights, 1, 0, data.w, data.wide_w);
  sweep_fill(s, ONR_DTYPE_F32, (size_t)c->y.channels, has_bias, 0, data.bias, data.wide_bias);
  float *packed = malloc(onri_conv_gemm_packed_floats(c, kernels, form) * sizeof(*packed)),
        *bias = malloc(onri_conv_gemm_bias_floats(c, kernels, form) * sizeof(*bias));
  void *scratch = malloc(onri_conv_gemm_scratch_bytes(threads));
  onri_conv_gemm_pack(c, kernels, form, data.w, packed, &env);
  check_packing_by_threads(c, kernels, form, packed);
  onri_conv_gemm_pack_bias(c, kernels, form, has_bias ? data.bias : NULL, bias);
  for (size_t i = 0; i < outputs + GUARD; i++) data.y[i] = 77;
  sweep_fill(s, ONR_DTYPE_F32, outputs, 2, sweep_chance(s, 3) ? 5 : 0, data.residual, data.wide_residual);
  struct onri_conv_gemm operands = {.form = form,
                                    .x = x,
                                    .packed = packed,
                                    .bias = bias,
                                    .y = data.y,
                                    .scratch = scratch,
                                    .threads = threads,
                                    .tail = sweep_chance(s, 3) ? three_times : NULL};
  if (sweep_chance(s, 2)) operands.residual = data.residual;
  if (operands.residual && sweep_chance(s, 2)) { /* y is written over it */
    memcpy(data.y, data.residual, outputs * sizeof(data.y[0]));
    operands.residual = data.y;
  }
  onri_conv_gemm_f32(c, kernels, &operands, &env);
  expect(c, &operands);
  const int64_t at = sweep_difference(ONR_DTYPE_F32, data.y, data.expected, outputs, 1e-5, 1e-3, &found);
  if (at >= 0)
    fail_msg("groups %d of %d to %d, kernel %dx%dx%d, form %d: element %d is %g instead of %g", (int)c->groups,
             (int)c->group_in, (int)c->group_out, (int)c->axis[0].kernel, (int)c->axis[1].kernel,
             (int)c->axis[2].kernel, (int)form, (int)at, found, data.expected[at]);
  for (size_t i = outputs; i < outputs + GUARD; i++) assert_true(data.y[i] == 77);
  free(x);
  free(packed);
  free(bias);
  free(scratch);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(12);
  int checked = 0;
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(CASES); i++) {
      const enum onri_conv_form form = (enum onri_conv_form)sweep_pick(&s, 0, 2);
      struct onri_conv c;
      if (!draw(&s, form, &c)) continue;
      check(&s, &c, form, onri_kernels_at(conv_gemm, level));
      checked++;
    }
  assert_true(checked > CASES / 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  if (onr_threads_create(3, NULL, &pool, NULL) != ONR_STATUS_OK) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  onr_threads_destroy(pool);
  return failures;
}
