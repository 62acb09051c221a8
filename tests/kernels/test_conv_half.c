/* Convolutions in float16 against sums in double, of any kernel, stride, dilation and padding in 1 to 3 dimensions,
 * within half_product.h's bound, with bias, residual and clamp; the same bits for any number of threads. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/env.h"
#include "kernels/conv/conv_half.h"
#include "kernels/kernels.h"
#include "kernels/matmul/half_product.h"

enum { MOST = 1 << 17 };
static float x[MOST], y[MOST], first[MOST], weight[MOST], plain[MOST], bias[MOST];
static _Alignas(64) char packed[4 * MOST];

static void make_image(struct onri_image *image, int64_t batch, int64_t channels, const int64_t *size) {
  *image = (struct onri_image){.batch = batch, .channels = channels, .channel_stride = 1};
  int64_t step = channels;
  for (int a = ONR_MAX_SPATIAL; a-- > 0; step *= size[a]) image->size[a] = size[a], image->stride[a] = step;
  image->batch_stride = step;
}

/* 0: there is no such output, or too much of it. */
static int make_conv(struct sweep *s, struct onri_conv *c) {
  int64_t in[ONR_MAX_SPATIAL], out[ONR_MAX_SPATIAL];
  const int64_t batch = sweep_pick(s, 1, 3);
  *c = (struct onri_conv){.groups = 1, .group_in = sweep_pick(s, 1, 40), .group_out = sweep_pick(s, 32, 80)};
  c->min = sweep_chance(s, 2) ? -1 : -(double)INFINITY;
  c->max = sweep_chance(s, 2) ? 1 : (double)INFINITY;
  const int is_pointwise = sweep_chance(s, 4);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    struct onri_axis *axis = &c->axis[a];
    *axis = (struct onri_axis){.in = sweep_pick(s, 1, 7), .kernel = 1, .stride = 1, .dilation = 1};
    if (!is_pointwise) {
      axis->kernel = sweep_pick(s, 1, 3), axis->stride = sweep_pick(s, 1, 2), axis->dilation = sweep_pick(s, 1, 3);
      axis->begin = sweep_pick(s, 0, 3), axis->end = sweep_pick(s, 0, 3);
    }
    const int64_t room = axis->in + axis->begin + axis->end - (axis->kernel - 1) * axis->dilation - 1;
    if (room < 0) return 0;
    in[a] = axis->in, out[a] = axis->out = room / axis->stride + 1;
  }
  make_image(&c->x, batch, c->group_in, in);
  make_image(&c->y, batch, c->group_out, out);
  return c->y.batch_stride * batch <= MOST && !onri_conv_half_why_not(c);
}

/* Output `channel` of a pixel, and its bound. */
static double expected_at(const struct onri_conv *c, int64_t image, const int64_t *at, int64_t channel, double *bound) {
  double sum = 0, size = 0, most_x = 0, most_w = 0;
  const int64_t taps = onri_conv_taps(c);
  for (int64_t t = 0; t < taps; t++) {
    const int64_t k[] = {t / (c->axis[1].kernel * c->axis[2].kernel), t / c->axis[2].kernel % c->axis[1].kernel,
                         t % c->axis[2].kernel};
    int64_t from = image * c->x.batch_stride, inside = 1;
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
      int64_t i;
      inside &= onri_axis_tap(&c->axis[a], at[a], k[a], &i);
      from += i * c->x.stride[a];
    }
    for (int64_t i = 0; i < c->group_in; i++) {
      const double w = (double)weight[(channel * c->group_in + i) * taps + t];
      most_w = fmax(most_w, fabs(w));
      if (!inside) continue;
      most_x = fmax(most_x, fabs((double)x[from + i]));
      sum += w * (double)x[from + i];
      size += fabs(w * (double)x[from + i]);
    }
  }
  *bound = (ONRI_HALF_TERMS + 2) * ldexp(size, -11) * 1.05 +
           (double)(taps * c->group_in) * ldexp(most_x * most_w, -26) + 1e-6;
  return sum;
}

static void check(struct sweep *s, struct onr_env *alone, struct onr_env *several) {
  struct onri_conv c;
  if (!make_conv(s, &c)) return;
  const int has_bias = sweep_chance(s, 2), has_residual = sweep_chance(s, 2);
  const size_t pixels = (size_t)(c.y.batch_stride / c.group_out), count = (size_t)(c.y.batch * c.y.batch_stride);
  const struct onri_conv_half operands = {
      .x = x, .packed = packed, .bias = has_bias ? bias : NULL, .residual = has_residual ? bias : NULL, .y = y};
  assert_true(onri_conv_half_packed_bytes(&c) <= sizeof(packed));
  onri_conv_pack_f32(&c, weight, plain);
  onri_conv_half_pack(&c, plain, packed, alone);
  onri_conv_half(&c, &operands, several);
  memcpy(first, y, count * sizeof(*y));
  onri_conv_half(&c, &operands, alone);
  assert_memory_equal(first, y, count * sizeof(*y));
  for (size_t i = 0; i < count; i += 1 + (size_t)sweep_pick(s, 0, 4)) {
    const size_t channel = i % (size_t)c.group_out, pixel = i / (size_t)c.group_out % pixels;
    const int64_t width = c.axis[2].out, height = c.axis[1].out,
                  at[] = {(int64_t)pixel / (width * height), (int64_t)pixel / width % height, (int64_t)pixel % width};
    double bound, v = expected_at(&c, (int64_t)(i / (size_t)c.y.batch_stride), at, (int64_t)channel, &bound);
    if (has_bias) v += (double)bias[channel];
    if (has_residual) v += (double)bias[i];
    v = fmin(c.max, fmax(c.min, v));
    if (!(fabs((double)y[i] - v) <= bound)) fail_msg("at %zu: %g, expected %g within %g", i, (double)y[i], v, bound);
  }
}

static void test_convolutions(void **unused) {
  struct sweep s = sweep_from(5);
  struct onr_env alone = {0}, several = {0};
  (void)unused;
  if (!onri_kernels(half_product)->rows) skip();
  assert_int_equal(onr_threads_create(3, NULL, &several.threads, NULL), ONR_STATUS_OK);
  fill_random(x, MOST, -1, 1, 1);
  fill_random(weight, MOST, -1, 1, 2);
  fill_random(bias, MOST, -1, 1, 3);
  for (int i = 0; i < sweep_cases(300); i++) check(&s, &alone, &several);
  onr_threads_destroy(several.threads);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_convolutions)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
