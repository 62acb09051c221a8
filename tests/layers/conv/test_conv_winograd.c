/* Convolutions that are done by Winograd's method, as layers: float32 and halves, sizes known at load time or not, and
 * numbers that are not finite, which stay where the portable kernel has them. */
#include <math.h>

#include "support/sweep.h"

#include "layers/layers.h"

enum { IN = 40, OUT = 48, SIDE = 14, MOST = 2 * SIDE * SIDE * SIDE * OUT };

static float x[MOST], w[OUT * IN * 27], bias[OUT];
static double unused[MOST];

struct shape {
  int32_t spatial;
  int64_t in[3], kernel[3];
  double tolerance;
};

static const struct shape shapes[] = {
    {2, {14, 14}, {3, 3}, 3e-5}, {2, {9, 13}, {5, 5}, 1e-4},        {1, {60}, {3}, 2e-5},
    {1, {61}, {5}, 1e-4},        {3, {3, 11, 12}, {3, 3, 3}, 1e-4}, {2, {14, 14}, {1, 3}, 2e-5},
};

static enum onr_kernel run(struct layer_test *t, const struct shape *s, const struct onr_conv_params *p,
                           enum onr_dtype dtype, enum onr_backend backend, const void *image, const void *weights,
                           const void *added) {
  int64_t in[5] = {2}, kernel[5] = {OUT, IN};
  for (int i = 0; i < s->spatial; i++) in[1 + i] = s->in[i], kernel[2 + i] = s->kernel[i];
  in[1 + s->spatial] = IN;
  *t = (struct layer_test){.layer = &onri_layer_conv, .params = p, .backend = backend, .num_out = 1, .threads = 2};
  layer_test_input(t, dtype, 2 + s->spatial, in, image);
  layer_test_constant(t, dtype, 2 + s->spatial, kernel, weights);
  layer_test_constant(t, dtype, 1, (int64_t[]){OUT}, added);
  if (layer_test_run(t) != ONR_STATUS_OK) fail_msg("%s", t->error.message);
  return t->kernel;
}

static void compare(const struct shape *s, enum onr_dtype dtype, uint32_t special, uint64_t seed) {
  static uint16_t half_x[MOST], half_w[OUT * IN * 27], half_bias[OUT];
  struct sweep random = sweep_from(seed);
  struct onr_conv_params p = {.window = {.rank = s->spatial}, .clamp = {1, 0, 4}, .channels_last = 1};
  for (int i = 0; i < s->spatial; i++) p.window.pad_begin[i] = p.window.pad_end[i] = s->kernel[i] / 2;
  const int wide = dtype == ONR_DTYPE_F32;
  void *data[] = {wide ? (void *)x : half_x, wide ? (void *)w : half_w, wide ? (void *)bias : half_bias};
  struct layer_test tuned, plain;
  sweep_fill(&random, dtype, MOST, 2, special, data[0], unused);
  sweep_fill(&random, dtype, sizeof(w) / sizeof(w[0]), 0.1, 0, data[1], unused);
  sweep_fill(&random, dtype, OUT, 1, special > 1 ? 100 : 0, data[2], unused);
  assert_int_equal(run(&tuned, s, &p, dtype, ONR_BACKEND_AUTO, data[0], data[1], data[2]), ONR_KERNEL_VECTOR);
  assert_int_equal(run(&plain, s, &p, dtype, ONR_BACKEND_PORTABLE, data[0], data[1], data[2]), ONR_KERNEL_PORTABLE);
  const size_t count = (size_t)onr_desc_elements(&plain.out[0].desc);
  double *expected = malloc(count * sizeof(*expected)), found;
  onri_load_f64(dtype, plain.out[0].data, count, expected);
  const int64_t at = sweep_difference(dtype, tuned.out[0].data, expected, count, 2 * sweep_rounding(dtype),
                                      s->tolerance * (wide ? 1 : 2), &found);
  if (at >= 0) fail_msg("shape %d: element %d is %g instead of %g", (int)(s - shapes), (int)at, found, expected[at]);
  free(expected);
  layer_test_clear(&tuned);
  layer_test_clear(&plain);
}

static void test_layers(void **state) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F16, ONR_DTYPE_BF16};
  (void)state;
  for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
    for (size_t d = 0; d < sizeof(dtypes) / sizeof(dtypes[0]); d++)
      for (uint32_t special = 0; special < 3; special++) compare(&shapes[i], dtypes[d], special, 5 + special);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
