/* causal_conv against its definition in double. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { CAPACITY = 40000 };

struct setup {
  size_t batch, channels, length, taps;
  int bias, past;
  int32_t silu;
  enum onr_dtype dtype;
  uint32_t threads;
};

static float x[CAPACITY], weight[CAPACITY], bias[CAPACITY], past[CAPACITY], y[CAPACITY], present[CAPACITY],
    found[CAPACITY];

/* Random values that the type can hold, as the next input. */
static void add(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims, float *values,
                uint32_t seed) {
  static float raw[CAPACITY];
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  const size_t count = (size_t)onr_desc_elements(&desc);
  fill_random(values, count, -1.0f, 1.0f, seed);
  onri_store(dtype, values, count, raw);
  onri_load(dtype, raw, count, values);
  layer_test_input(t, dtype, rank, dims, raw);
}

/* Position i of past (or zeros) with x behind it. */
static float line_at(const struct setup *s, size_t row, size_t i) {
  const size_t carried = s->taps - 1;
  if (i >= carried) return x[row * s->length + i - carried];
  return s->past ? past[row * carried + i] : 0.0f;
}

static float rounded(enum onr_dtype dtype, double value) {
  float number = (float)value, stored;
  onri_store(dtype, &number, 1, &stored);
  onri_load(dtype, &stored, 1, &number);
  return number;
}

static void reference(const struct setup *s) {
  for (size_t row = 0; row < s->batch * s->channels; row++) {
    const size_t channel = row % s->channels;
    for (size_t i = 0; i < s->length; i++) {
      double sum = s->bias ? (double)bias[channel] : 0;
      for (size_t j = 0; j < s->taps; j++)
        sum += (double)weight[channel * s->taps + j] * (double)line_at(s, row, i + j);
      const double z = (double)rounded(s->dtype, sum);
      y[row * s->length + i] = rounded(s->dtype, s->silu ? z / (1 + exp(-z)) : sum);
    }
    for (size_t i = 0; i + 1 < s->taps; i++) present[row * (s->taps - 1) + i] = line_at(s, row, s->length + i);
  }
}

static void check(struct setup s) {
  const struct onr_causal_conv_params params = {s.silu};
  const int64_t b = (int64_t)s.batch, c = (int64_t)s.channels, l = (int64_t)s.length, k = (int64_t)s.taps;
  const double tolerance = s.dtype == ONR_DTYPE_F32   ? 2e-6 + 2e-8 * (double)s.taps
                           : s.dtype == ONR_DTYPE_F16 ? 2e-3
                                                      : 1.6e-2;
  struct layer_test t = {.layer = &onri_layer_causal_conv, .params = &params, .num_out = 2, .threads = s.threads};
  add(&t, s.dtype, 3, (int64_t[]){b, c, l}, x, 1);
  add(&t, s.dtype, 3, (int64_t[]){c, 1, k}, weight, 2);
  if (s.bias) add(&t, s.dtype, 1, &c, bias, 3);
  if (!s.bias) layer_test_input(&t, s.dtype, 0, NULL, NULL);
  if (s.past) add(&t, s.dtype, 3, (int64_t[]){b, c, k - 1}, past, 4);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  reference(&s);
  onri_load(s.dtype, t.out[0].data, s.batch * s.channels * s.length, found);
  assert_close(found, y, s.batch * s.channels * s.length, tolerance, tolerance);
  assert_int_equal(t.out[1].desc.dim[2], k - 1);
  onri_load(s.dtype, t.out[1].data, s.batch * s.channels * (s.taps - 1), found);
  assert_close(found, present, s.batch * s.channels * (s.taps - 1), 0, 0);
  layer_test_clear(&t);
}

static void test_sizes(void **unused) {
  const size_t lengths[] = {1, 2, 3, 100, 256, 700}, taps[] = {1, 2, 4, 9};
  (void)unused;
  for (size_t l = 0; l < 6; l++)
    for (size_t k = 0; k < 4; k++)
      for (int flags = 0; flags < 8; flags++)
        check((struct setup){2, 7, lengths[l], taps[k], flags & 1, flags >> 1 & 1, flags >> 2, ONR_DTYPE_F32,
                             1 + (uint32_t)(l & 1)});
  check((struct setup){1, 1200, 1, 4, 1, 1, 1, ONR_DTYPE_F32, 2});
  check((struct setup){2, 3, 10, 700, 1, 1, 0, ONR_DTYPE_F32, 1});
  check((struct setup){0, 3, 10, 4, 1, 1, 0, ONR_DTYPE_F32, 1});
  check((struct setup){2, 3, 0, 4, 1, 1, 0, ONR_DTYPE_F32, 1});
}

static void test_narrow_types(void **unused) {
  (void)unused;
  for (int flags = 0; flags < 8; flags++) {
    check((struct setup){2, 5, 300, 4, flags & 1, flags >> 1 & 1, flags >> 2, ONR_DTYPE_F16, 2});
    check((struct setup){2, 5, 300, 4, flags & 1, flags >> 1 & 1, flags >> 2, ONR_DTYPE_BF16, 1});
  }
}

static enum onr_status status_of(enum onr_dtype dtype, const int64_t *weight_dims, const int64_t *past_dims) {
  const struct onr_causal_conv_params params = {0};
  struct layer_test t = {.layer = &onri_layer_causal_conv, .params = &params, .num_out = 2};
  layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){2, 3, 5}, x);
  layer_test_input(&t, dtype, 3, weight_dims, weight);
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
  layer_test_input(&t, ONR_DTYPE_F32, 3, past_dims, past);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_shapes(void **unused) {
  const int64_t w[] = {3, 1, 4}, no_taps[] = {3, 1, 0}, channels[] = {2, 1, 4}, dense[] = {3, 3, 4};
  const int64_t p[] = {2, 3, 3}, longer[] = {2, 3, 4}, batch[] = {1, 3, 3};
  (void)unused;
  assert_int_equal(status_of(ONR_DTYPE_F32, w, p), ONR_STATUS_OK);
  assert_int_equal(status_of(ONR_DTYPE_F16, w, p), ONR_STATUS_TYPE);
  assert_int_equal(status_of(ONR_DTYPE_F32, no_taps, p), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_F32, channels, p), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_F32, dense, p), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_F32, w, longer), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_F32, w, batch), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_narrow_types),
      cmocka_unit_test(test_wrong_shapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
