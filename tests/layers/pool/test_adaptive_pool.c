/* Adaptive pools against their definition, in both layouts, on both backends; fractional pools of seeds and of wrong
 * samples. */
#include "support/layer_test.h"

#include <math.h>
#include <string.h>

#include "layers/layers.h"

enum { MAX = 1 << 14 };

struct shape {
  int spatial;
  int64_t batch, channels, in[3], output[3];
};

static int64_t size_of(const struct shape *s, int axis, int out) {
  const int i = axis - (3 - s->spatial);
  if (i < 0) return 1;
  return out && s->output[i] ? s->output[i] : s->in[i];
}

/* Window o of an axis. */
static int64_t begin_of(int64_t in, int64_t out, int64_t o) { return o * in / out; }
static int64_t end_of(int64_t in, int64_t out, int64_t o) {
  return (o + 1) * in % out ? (o + 1) * in / out + 1 : (o + 1) * in / out;
}

/* One window of a plane of which pixels are `step` apart. */
static double window(const struct shape *s, int max, const float *x, int64_t step, const int64_t o[3], int64_t *where) {
  double result = max ? -INFINITY : 0;
  int64_t begin[3], end[3], i[3], count = 0;
  for (int a = 0; a < 3; a++) {
    begin[a] = begin_of(size_of(s, a, 0), size_of(s, a, 1), o[a]);
    end[a] = end_of(size_of(s, a, 0), size_of(s, a, 1), o[a]);
  }
  for (i[0] = begin[0]; i[0] < end[0]; i[0]++)
    for (i[1] = begin[1]; i[1] < end[1]; i[1]++)
      for (i[2] = begin[2]; i[2] < end[2]; i[2]++, count++) {
        const int64_t at = (i[0] * size_of(s, 1, 0) + i[1]) * size_of(s, 2, 0) + i[2];
        const double v = (double)x[at * step];
        if (max && v > result) result = v, *where = at;
        if (!max) result += v;
      }
  return max ? result : result / (double)count;
}

static size_t reference(const struct shape *s, int max, int last, const float *x, float *y, int64_t *where) {
  int64_t pixels = 1, out = 1;
  for (int a = 0; a < 3; a++) pixels *= size_of(s, a, 0), out *= size_of(s, a, 1);
  for (int64_t plane = 0; plane < s->batch * s->channels; plane++)
    for (int64_t p = 0; p < out; p++) {
      const int64_t n = plane / s->channels, c = plane % s->channels, height = size_of(s, 1, 1),
                    width = size_of(s, 2, 1);
      const int64_t o[3] = {p / width / height, p / width % height, p % width};
      const int64_t to = last ? (n * out + p) * s->channels + c : plane * out + p;
      y[to] = (float)window(s, max, last ? x + n * pixels * s->channels + c : x + plane * pixels,
                            last ? s->channels : 1, o, &where[to]);
    }
  return (size_t)(s->batch * s->channels * out);
}

static void check_once(const struct shape *s, int max, int last, enum onr_backend backend, size_t outputs) {
  static float x[MAX], y[MAX];
  static int64_t where[MAX];
  struct onr_pool_params p = {.adaptive = s->spatial, .plane_indices = 1, .channels_last = last};
  struct layer_test t = {.layer = max ? &onri_layer_max_pool : &onri_layer_average_pool,
                         .params = &p,
                         .backend = backend,
                         .num_out = outputs,
                         .threads = (uint32_t)(1 + last)};
  int64_t dims[5] = {s->batch};
  for (int i = 0; i < s->spatial; i++) {
    p.output[i] = s->output[i];
    dims[i + (last ? 1 : 2)] = s->in[i];
  }
  dims[last ? s->spatial + 1 : 1] = s->channels;
  fill_random(x, MAX, -1, 1, 7);
  const size_t count = reference(s, max, last, x, y, where);
  assert_true(count <= MAX);
  layer_test_input(&t, ONR_DTYPE_F32, s->spatial + 2, dims, x);
  if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), (int64_t)count);
  assert_close(t.out[0].data, y, count, max ? 0 : 1e-5, max ? 0 : 1e-6);
  if (outputs > 1) assert_memory_equal(t.out[1].data, where, count * sizeof(where[0]));
  layer_test_clear(&t);
}

static void test_adaptive(void **state) {
  static const struct shape shapes[] = {
      {2, 2, 17, {9, 8}, {4, 3}},
      {2, 1, 70, {7, 5}, {7, 2}},
      {2, 2, 3, {6, 8}, {3, 2}},
      {2, 1, 5, {3, 4}, {10, 7}},
      {2, 2, 9, {5, 6}, {1, 1}},
      {2, 1, 5, {6, 7}, {0, 3}},
      {1, 2, 5, {13}, {5}},
      {1, 1, 4, {12}, {6}},
      {3, 1, 6, {5, 6, 4}, {2, 3, 3}},
      {3, 2, 2, {4, 3, 2}, {2, 0, 5}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
    for (int last = 0; last < 2; last++)
      for (int backend = 0; backend < 2; backend++) {
        const enum onr_backend b = backend ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO;
        check_once(&shapes[i], 0, last, b, 1);
        check_once(&shapes[i], 1, last, b, 1);
        check_once(&shapes[i], 1, last, b, 2);
      }
}

static void test_divisor(void **state) {
  const float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9},
              y[2][4] = {{3, 4, 6, 7}, {-1.5f, -2, -3, -3.5f}}; /* of sums 12, 16, 24, 28 */
  const struct onr_pool_params p = {.window = {.rank = 2, .kernel = {2, 2}}, .divisor = 4},
                               q = {.window = {.rank = 2, .kernel = {2, 2}}, .divisor = -8};
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct layer_test t = {.layer = &onri_layer_average_pool, .params = i ? &q : &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 3, 3}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, y[i], 4, 0, 0);
    layer_test_clear(&t);
  }
}

static enum onr_status fractional(const struct onr_fractional_max_pool_params *p, enum onr_dtype dtype, const void *x,
                                  const float *samples, float *y, int64_t *where) {
  struct layer_test t = {.layer = &onri_layer_fractional_max_pool, .params = p, .num_out = 2, .threads = 2};
  layer_test_input(&t, dtype, 4, (int64_t[]){1, 2, 6, 5}, x);
  if (samples) layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 2, 2}, samples);
  const enum onr_status status = layer_test_run(&t);
  if (status == ONR_STATUS_OK) {
    assert_int_equal(onr_desc_elements(&t.out[0].desc), 18);
    if (dtype == ONR_DTYPE_F32) memcpy(y, t.out[0].data, 18 * sizeof(*y));
    else
      for (int i = 0; i < 18; i++) y[i] = (float)((double *)t.out[0].data)[i];
    memcpy(where, t.out[1].data, 18 * sizeof(*where));
  } else {
    assert_true(t.error.message[0] != '\0');
  }
  layer_test_clear(&t);
  return status;
}

/* Each seed has its own windows, always the same; every result is where its index says. */
static void test_fractional_seeds(void **state) {
  struct onr_fractional_max_pool_params p = {.rank = 2, .kernel = {2, 2}, .output = {3, 3}};
  float x[60], y[2][18];
  double wide[60];
  int64_t where[2][18];
  int different = 0;
  (void)state;
  for (int i = 0; i < 60; i++) wide[i] = (double)(x[i] = (float)((i * 37) % 60));
  for (p.seed = 0; p.seed < 20; p.seed++) {
    assert_int_equal(fractional(&p, ONR_DTYPE_F32, x, NULL, y[p.seed % 2], where[p.seed % 2]), ONR_STATUS_OK);
    for (int i = 0; i < 18; i++) assert_float_equal(y[p.seed % 2][i], x[where[p.seed % 2][i] + i / 9 * 30], 0);
    different += p.seed > 0 && memcmp(where[0], where[1], sizeof(where[0])) != 0;
  }
  assert_true(different > 5);
  p.seed = 19;
  assert_int_equal(fractional(&p, ONR_DTYPE_F64, wide, NULL, y[0], where[0]), ONR_STATUS_OK);
  assert_memory_equal(y[0], y[1], sizeof(y[0]));
  assert_memory_equal(where[0], where[1], sizeof(where[0]));
}

static void test_wrong(void **state) {
  const struct onr_fractional_max_pool_params p = {.rank = 2, .kernel = {2, 2}, .output = {3, 3}},
                                              deep = {.rank = 3, .kernel = {2, 2, 2}, .output = {1, 1, 1}},
                                              wide = {.rank = 2, .kernel = {2, 2}, .output = {6, 3}},
                                              vast = {.rank = 2, .kernel = {INT64_MAX, 2}, .output = {1, 1}},
                                              negative = {.rank = 2, .kernel = {2, 2}, .output = {-1, 1}},
                                              none = {.rank = 2, .kernel = {2, 2}, .output = {1}};
  const struct onr_pool_params flat = {.adaptive = 1, .output = {2}}, less = {.adaptive = 2, .output = {-2, 2}},
                               more = {.adaptive = 2, .output = {INT64_MAX, 2}};
  const float x[60] = {0}, samples[][4] = {{0, 1, 0.5f, -0.1f}, {0, 1.5f, 0, 0}, {NAN, 0, 0, 0}, {0, 1, 1, 0}};
  float y[18];
  int64_t where[18];
  (void)state;
  for (int i = 0; i < 4; i++)
    assert_int_equal(fractional(&p, ONR_DTYPE_F32, x, samples[i], y, where), i < 3 ? ONR_STATUS_DATA : ONR_STATUS_OK);
  assert_int_equal(fractional(&deep, ONR_DTYPE_F32, x, NULL, y, where), ONR_STATUS_SHAPE);
  assert_int_equal(fractional(&wide, ONR_DTYPE_F32, x, NULL, y, where), ONR_STATUS_SHAPE);
  assert_int_equal(fractional(&vast, ONR_DTYPE_F32, x, NULL, y, where), ONR_STATUS_SHAPE);
  assert_int_equal(fractional(&negative, ONR_DTYPE_F32, x, NULL, y, where), ONR_STATUS_SHAPE);
  assert_int_equal(fractional(&none, ONR_DTYPE_F32, x, NULL, y, where), ONR_STATUS_ATTRIBUTE);
  for (int i = 0; i < 3; i++) {
    struct layer_test t = {.layer = &onri_layer_max_pool,
                           .params = i == 0   ? &flat
                                     : i == 1 ? &less
                                              : &more,
                           .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 2, 6, 5}, x);
    assert_int_equal(layer_test_run(&t), i == 0 ? ONR_STATUS_SHAPE : ONR_STATUS_LIMIT);
    layer_test_clear(&t);
  }
}

/* What max_pool took goes back, in both layouts; indices of other planes are refused. */
static void test_unpool_of_planes(void **state) {
  const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  const int64_t where[8] = {0, 3, 13, 10, 5, 2, 12, 14}, last_where[8] = {0, 5, 3, 2, 13, 12, 10, 14};
  const float last_x[8] = {1, 5, 2, 6, 3, 7, 4, 8};
  (void)state;
  for (int last = 0; last < 2; last++) {
    const struct onr_max_unpool_params p = {.window = {.rank = 2, .kernel = {2, 2}, .stride = {2, 2}},
                                            .plane_indices = 1,
                                            .output = {0, 5},
                                            .channels_last = last};
    struct layer_test t = {.layer = &onri_layer_max_unpool, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 2, 2, 2}, last ? last_x : x);
    layer_test_input(&t, ONR_DTYPE_I64, 4, (int64_t[]){1, 2, 2, 2}, last ? last_where : where);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.dim[last ? 2 : 3], 5);
    for (int i = 0; i < 8; i++)
      assert_float_equal(((float *)t.out[0].data)[last ? where[i] * 2 + i / 4 : where[i] + i / 4 * 20], x[i], 0);
    layer_test_clear(&t);
  }
  for (int i = 0; i < 2; i++) {
    const struct onr_max_unpool_params p = {.window = {.rank = 1, .kernel = {2}, .stride = {2}}, .plane_indices = 1};
    struct layer_test t = {.layer = &onri_layer_max_unpool, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 2, 2}, x);
    layer_test_input(&t, ONR_DTYPE_I64, 3, (int64_t[]){1, 2, 2}, (int64_t[]){0, 2, 1, i ? 4 : -1});
    assert_int_equal(layer_test_run(&t), ONR_STATUS_INDEX);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_adaptive), cmocka_unit_test(test_divisor),          cmocka_unit_test(test_fractional_seeds),
      cmocka_unit_test(test_wrong),    cmocka_unit_test(test_unpool_of_planes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
