/* conv_integer and qlinear_conv against integer loops, on both backends, in both layouts. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "layers/layers.h"

enum { CAPACITY = 40000 };
static uint8_t x[CAPACITY], w[CAPACITY], x_zero, w_zero[64];
static float w_scale[64];
static int32_t bias[64];

/* Sizes of two spatial dimensions; 1 x n is run as one, too. */
struct setup {
  int batch, groups, group_in, group_out, height, width, kernel_h, kernel_w, stride, dilation, pad;
  enum onr_dtype x, w, y;
  int zeros, per_channel, with_bias, last;
};

static int value(enum onr_dtype dtype, uint8_t bits) { return dtype == ONR_DTYPE_U8 ? bits : (int8_t)bits; }
static int out_size(int in, int kernel, const struct setup *s) {
  return (in + 2 * s->pad - (kernel - 1) * s->dilation - 1) / s->stride + 1;
}

static void fill_bytes(uint8_t *to, size_t count, uint32_t seed) {
  static float values[CAPACITY];
  fill_random(values, count, 0.0f, 255.99f, seed);
  for (size_t i = 0; i < count; i++) to[i] = (uint8_t)values[i];
}

static void prepare(const struct setup *s) {
  static float values[64];
  fill_bytes(x, CAPACITY, 1);
  fill_bytes(w, CAPACITY, 2);
  fill_bytes(w_zero, 64, 3);
  fill_random(w_scale, 64, 0.0005f, 0.002f, 4);
  fill_random(values, 64, -2000.0f, 2000.0f, 5);
  for (int m = 0; m < 64; m++) bias[m] = (int32_t)values[m];
  x_zero = s->x == ONR_DTYPE_U8 ? 131 : 5;
  if (!s->zeros) memset(w_zero, s->w == ONR_DTYPE_U8 ? 128 : 0, 64); /* symmetric */
}

/* The sum at one place, from the definition. */
static int64_t sum_of(const struct setup *s, int n, int m, int oh, int ow) {
  const int group = m / s->group_out, channels = s->groups * s->group_in;
  int64_t sum = 0;
  for (int c = 0; c < s->group_in; c++)
    for (int i = 0; i < s->kernel_h; i++)
      for (int j = 0; j < s->kernel_w; j++) {
        const int h = oh * s->stride - s->pad + i * s->dilation, v = ow * s->stride - s->pad + j * s->dilation;
        if (h < 0 || h >= s->height || v < 0 || v >= s->width) continue;
        const int channel = group * s->group_in + c;
        const int at = s->last ? ((n * s->height + h) * s->width + v) * channels + channel
                               : ((n * channels + channel) * s->height + h) * s->width + v;
        sum += (value(s->x, x[at]) - value(s->x, x_zero)) *
               (value(s->w, w[((m * s->group_in + c) * s->kernel_h + i) * s->kernel_w + j]) -
                value(s->w, w_zero[s->per_channel ? m : 0]));
      }
  return sum;
}

static void add_image(struct layer_test *t, const struct setup *s) {
  const int64_t channels = s->groups * s->group_in;
  const int64_t first[] = {s->batch, channels, s->height, s->width}, last[] = {s->batch, s->height, s->width, channels};
  layer_test_input(t, s->x, 4, s->last ? last : first, x);
}

static void add_weights(struct layer_test *t, const struct setup *s, int constant) {
  const int64_t dims[] = {s->groups * s->group_out, s->group_in, s->kernel_h, s->kernel_w};
  (constant ? layer_test_constant : layer_test_input)(t, s->w, 4, dims, w);
}

static struct onr_conv_params params_of(const struct setup *s) {
  return (struct onr_conv_params){.window = {.rank = 2,
                                             .stride = {s->stride, s->stride},
                                             .dilation = {s->dilation, s->dilation},
                                             .pad_begin = {s->pad, s->pad},
                                             .pad_end = {s->pad, s->pad}},
                                  .groups = s->groups,
                                  .channels_last = s->last};
}

/* Calls check(s, sum, index of the result, output channel) for every result. */
static int for_results(const struct setup *s, const void *results,
                       int (*check)(const struct setup *s, int64_t sum, const void *results, int at, int m)) {
  const int channels = s->groups * s->group_out, height = out_size(s->height, s->kernel_h, s),
            width = out_size(s->width, s->kernel_w, s);
  int count = 0;
  for (int n = 0; n < s->batch; n++)
    for (int m = 0; m < channels; m++)
      for (int h = 0; h < height; h++)
        for (int v = 0; v < width; v++)
          count += check(
              s, sum_of(s, n, m, h, v), results,
              s->last ? ((n * height + h) * width + v) * channels + m : ((n * channels + m) * height + h) * width + v,
              m);
  return count;
}

static int check_sum(const struct setup *s, int64_t sum, const void *results, int at, int m) {
  (void)s, (void)m;
  assert_int_equal(((const int32_t *)results)[at], sum);
  return 1;
}

static void check_integer(struct setup s, int constant) {
  const struct onr_conv_params params = params_of(&s);
  const int64_t channels = s.groups * s.group_out;
  struct layer_test t = {.layer = &onri_layer_conv_integer, .params = &params, .num_out = 1, .threads = 2};
  prepare(&s);
  add_image(&t, &s);
  add_weights(&t, &s, constant);
  layer_test_input(&t, s.x, 0, NULL, &x_zero);
  (constant ? layer_test_constant : layer_test_input)(&t, s.w, s.per_channel, &channels, w_zero);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.dtype, ONR_DTYPE_I32);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), for_results(&s, t.out[0].data, check_sum));
  layer_test_clear(&t);
}

static const float x_scale = 0.03f, y_scale = 0.25f;
static const uint8_t y_zero = 117;

static int check_quantised_result(const struct setup *s, int64_t sum, const void *results, int at, int m) {
  const int low = s->y == ONR_DTYPE_U8 ? 0 : -128, high = low + 255;
  const float scale = x_scale * w_scale[s->per_channel ? m : 0] / y_scale;
  const float real = rintf((float)(sum + (s->with_bias ? bias[m] : 0)) * scale) + (float)value(s->y, y_zero);
  const int expected = (int)fminf(fmaxf(real, (float)low), (float)high);
  assert_int_equal(value(s->y, ((const uint8_t *)results)[at]), expected);
  return expected > low && expected < high;
}

static void check_quantised(struct setup s, enum onr_backend backend, int constant) {
  const struct onr_conv_params params = params_of(&s);
  const int64_t channels = s.groups * s.group_out;
  struct layer_test t = {
      .layer = &onri_layer_qlinear_conv, .params = &params, .num_out = 1, .threads = 2, .backend = backend};
  prepare(&s);
  add_image(&t, &s);
  layer_test_constant(&t, ONR_DTYPE_F32, 0, NULL, &x_scale);
  layer_test_constant(&t, s.x, 0, NULL, &x_zero);
  add_weights(&t, &s, constant);
  layer_test_constant(&t, ONR_DTYPE_F32, s.per_channel, &channels, w_scale);
  layer_test_constant(&t, s.w, s.per_channel, &channels, w_zero);
  layer_test_constant(&t, ONR_DTYPE_F32, 0, NULL, &y_scale);
  layer_test_constant(&t, s.y, 0, NULL, &y_zero);
  if (s.with_bias) layer_test_constant(&t, ONR_DTYPE_I32, 1, &channels, bias);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.dtype, s.y);
  assert_true(for_results(&s, t.out[0].data, check_quantised_result) > onr_desc_elements(&t.out[0].desc) / 4);
  assert_int_equal(t.packed_inputs, constant ? 1 << 3 : 0);
  layer_test_clear(&t);
}

static const struct setup shapes[] = {
    {.batch = 2,
     .groups = 1,
     .group_in = 3,
     .group_out = 5,
     .height = 6,
     .width = 7,
     .kernel_h = 3,
     .kernel_w = 2,
     .stride = 1,
     .dilation = 1,
     .pad = 1},
    {.batch = 1,
     .groups = 2,
     .group_in = 4,
     .group_out = 3,
     .height = 9,
     .width = 8,
     .kernel_h = 3,
     .kernel_w = 3,
     .stride = 2,
     .dilation = 2,
     .pad = 2},
    {.batch = 1,
     .groups = 9,
     .group_in = 1,
     .group_out = 1,
     .height = 8,
     .width = 8,
     .kernel_h = 3,
     .kernel_w = 3,
     .stride = 1,
     .dilation = 1,
     .pad = 1},
    {.batch = 2,
     .groups = 1,
     .group_in = 40,
     .group_out = 17,
     .height = 4,
     .width = 5,
     .kernel_h = 3,
     .kernel_w = 3,
     .stride = 1,
     .dilation = 1,
     .pad = 1},
    {.batch = 3,
     .groups = 1,
     .group_in = 20,
     .group_out = 33,
     .height = 3,
     .width = 4,
     .kernel_h = 1,
     .kernel_w = 1,
     .stride = 1,
     .dilation = 1,
     .pad = 0},
    {.batch = 2, /* by Winograd's method, where it is taken: tiles that are cut at both ends */
     .groups = 1,
     .group_in = 34,
     .group_out = 64,
     .height = 5,
     .width = 7,
     .kernel_h = 3,
     .kernel_w = 3,
     .stride = 1,
     .dilation = 1,
     .pad = 0},
    {.batch = 1,
     .groups = 1,
     .group_in = 32,
     .group_out = 64,
     .height = 4,
     .width = 5,
     .kernel_h = 3,
     .kernel_w = 3,
     .stride = 1,
     .dilation = 1,
     .pad = 2},
};

static struct setup variant(size_t shape, int flags) {
  struct setup s = shapes[shape];
  s.x = flags & 1 ? ONR_DTYPE_I8 : ONR_DTYPE_U8;
  s.w = flags & 2 ? ONR_DTYPE_I8 : ONR_DTYPE_U8;
  s.y = flags & 4 ? ONR_DTYPE_I8 : ONR_DTYPE_U8;
  s.zeros = flags >> 3 & 1;
  s.per_channel = flags >> 4 & 1;
  s.with_bias = flags >> 5 & 1;
  s.last = flags >> 6 & 1;
  return s;
}

static void test_conv_integer(void **unused) {
  (void)unused;
  for (size_t shape = 0; shape < sizeof(shapes) / sizeof(shapes[0]); shape++)
    for (int flags = 0; flags < 128; flags++)
      if (!(flags & (4 | 32))) check_integer(variant(shape, flags), flags & 1);
}

static void test_qlinear_conv(void **unused) {
  (void)unused;
  for (size_t shape = 0; shape < sizeof(shapes) / sizeof(shapes[0]); shape++)
    for (int flags = 0; flags < 128; flags++) {
      check_quantised(variant(shape, flags), ONR_BACKEND_AUTO, 1);
      check_quantised(variant(shape, flags), ONR_BACKEND_PORTABLE, flags & 1);
    }
}

static void test_extreme_sums_are_exact(void **unused) {
  static uint8_t ones[3000];
  const struct onr_conv_params params = {0};
  struct layer_test t = {.layer = &onri_layer_conv_integer, .params = &params, .num_out = 1};
  (void)unused;
  memset(ones, 255, sizeof(ones));
  layer_test_input(&t, ONR_DTYPE_U8, 3, (int64_t[]){1, 1000, 3}, ones);
  layer_test_input(&t, ONR_DTYPE_U8, 3, (int64_t[]){1, 1000, 3}, ones);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(*(const int32_t *)t.out[0].data, 3000 * 65025);
  layer_test_clear(&t);
}

/* The ends of both types in all orders, in the deepest of the products that are made in 16 bits. */
static void test_extreme_tiles_are_exact(void **unused) {
  enum { IN = 1024, OUT = 64 };
  static uint8_t image[16 * IN], weights[OUT * IN * 9];
  const struct onr_conv_params params = {.channels_last = 1};
  struct layer_test t = {.layer = &onri_layer_conv_integer, .params = &params, .num_out = 1};
  uint32_t seed = 1;
  (void)unused;
  for (size_t i = 0; i < sizeof(image); i++) image[i] = i / IN % 3 == 1 ? 0 : 255;
  for (size_t i = 0; i < sizeof(weights); i++) {
    seed = seed * 1664525 + 1013904223;
    weights[i] = i / (9 * IN) % 2 ? (seed >> 30 ? 127 : 128) : (uint8_t)(i % 9 % 2 ? 127 : 128);
  }
  layer_test_input(&t, ONR_DTYPE_U8, 4, (int64_t[]){1, 4, 4, IN}, image);
  layer_test_constant(&t, ONR_DTYPE_I8, 4, (int64_t[]){OUT, IN, 3, 3}, weights);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  for (size_t at = 0; at < 4; at++)
    for (size_t o = 0; o < OUT; o++) {
      int32_t sum = 0;
      for (size_t k = 0; k < 9 * IN; k++)
        sum += image[((at / 2 + k % 9 / 3) * 4 + at % 2 + k % 3) * IN + k / 9] * (int8_t)weights[o * 9 * IN + k];
      assert_int_equal(((const int32_t *)t.out[0].data)[at * OUT + o], sum);
    }
  layer_test_clear(&t);
}

struct wrong {
  enum onr_dtype x_zero, w_zero, scale, y_zero, bias;
  int64_t zeros, scales, biases, x_zeros;
};

static enum onr_status status_of(struct wrong s) {
  static const uint8_t data[512];
  const struct onr_conv_params params = {0};
  struct layer_test t = {.layer = &onri_layer_qlinear_conv, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_U8, 4, (int64_t[]){1, 2, 4, 4}, data);
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, data);
  layer_test_input(&t, s.x_zero, 1, &s.x_zeros, data);
  layer_test_input(&t, ONR_DTYPE_I8, 4, (int64_t[]){3, 2, 2, 2}, data);
  layer_test_input(&t, s.scale, 1, &s.scales, data);
  layer_test_input(&t, s.w_zero, 1, &s.zeros, data);
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, data);
  layer_test_input(&t, s.y_zero, 0, NULL, data);
  layer_test_input(&t, s.bias, 1, &s.biases, data);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_inputs(void **unused) {
  const struct wrong good = {ONR_DTYPE_U8, ONR_DTYPE_I8, ONR_DTYPE_F32, ONR_DTYPE_U8, ONR_DTYPE_I32, 3, 3, 3, 1};
  struct wrong s = good;
  (void)unused;
  assert_int_equal(status_of(s), ONR_STATUS_OK);
  s = good, s.x_zero = ONR_DTYPE_I8, assert_int_equal(status_of(s), ONR_STATUS_TYPE);
  s = good, s.w_zero = ONR_DTYPE_U8, assert_int_equal(status_of(s), ONR_STATUS_TYPE);
  s = good, s.scale = ONR_DTYPE_F64, assert_int_equal(status_of(s), ONR_STATUS_TYPE);
  s = good, s.y_zero = ONR_DTYPE_I32, assert_int_equal(status_of(s), ONR_STATUS_TYPE);
  s = good, s.bias = ONR_DTYPE_F32, assert_int_equal(status_of(s), ONR_STATUS_TYPE);
  s = good, s.zeros = 2, assert_int_equal(status_of(s), ONR_STATUS_SHAPE);
  s = good, s.scales = 4, assert_int_equal(status_of(s), ONR_STATUS_SHAPE);
  s = good, s.biases = 1, assert_int_equal(status_of(s), ONR_STATUS_SHAPE);
  s = good, s.x_zeros = 2, assert_int_equal(status_of(s), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_conv_integer),           cmocka_unit_test(test_qlinear_conv),
      cmocka_unit_test(test_extreme_sums_are_exact), cmocka_unit_test(test_extreme_tiles_are_exact),
      cmocka_unit_test(test_wrong_inputs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
