/* resize against onnx.reference, in both layouts. */
#include "support/layer_test.h"

#include <math.h>
#include <string.h>

#include "layers/layers.h"

enum { N = 1, C = 2, H = 3, W = 5, MAX = 4096 };

struct resize_case {
  struct onr_resize_params params;
  int64_t count; /* of scales or sizes */
  int has_scales;
  float scales[4];
  int64_t sizes[4];
  int has_roi;
  float roi[8];
  int64_t shape[4];
  float y[170];
};

static const struct resize_case cases[] = {
#include "resize_cases.inc"
};

/* [n][c][h][w] to [n][h][w][c]. */
static void to_last(const float *x, const int64_t shape[4], float *y) {
  for (int64_t n = 0; n < shape[0]; n++)
    for (int64_t c = 0; c < shape[1]; c++)
      for (int64_t i = 0; i < shape[2] * shape[3]; i++)
        y[(n * shape[2] * shape[3] + i) * shape[1] + c] = x[(n * shape[1] + c) * shape[2] * shape[3] + i];
}

static void check(const struct resize_case *k, int last) {
  const int64_t shape[] = {N, C, H, W};
  float x[N * C * H * W], stored[N * C * H * W], expected[MAX];
  const size_t count = (size_t)(k->shape[0] * k->shape[1] * k->shape[2] * k->shape[3]);
  struct onr_resize_params p = k->params;
  p.channels_last = last;
  for (int i = 0; i < N * C * H * W; i++) x[i] = (float)((i + 1) * (i + 1) % 17 - 3);
  memcpy(stored, x, sizeof(x));
  memcpy(expected, k->y, count * sizeof(expected[0]));
  if (last) {
    to_last(x, shape, stored);
    to_last(k->y, k->shape, expected);
  }
  struct layer_test t = {.layer = &onri_layer_resize, .params = &p, .num_out = 1, .threads = 2};
  layer_test_input(&t, ONR_DTYPE_F32, 4, last ? (int64_t[]){N, H, W, C} : shape, stored);
  layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){2 * k->count}, k->has_roi ? k->roi : NULL);
  layer_test_constant(&t, ONR_DTYPE_F32, 1, &k->count, k->has_scales ? k->scales : NULL);
  layer_test_constant(&t, ONR_DTYPE_I64, 1, &k->count, k->has_scales ? NULL : k->sizes);
  if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), (int64_t)count);
  assert_int_equal(t.out[0].desc.dim[last ? 1 : 2], k->shape[2]);
  const double tolerance = p.mode == ONR_RESIZE_NEAREST ? 0 : 1e-5;
  assert_close(t.out[0].data, expected, count, tolerance, tolerance);
  layer_test_clear(&t);
}

static void test_reference(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int last = 0; last < 2; last++) check(&cases[i], last);
}

static void test_dtypes(void **state) {
  const float scales[] = {2};
  (void)state;
  { /* Bytes are rounded; half_pixel of {0, 255}: 0, 63.75, 191.25, 255. */
    const struct onr_resize_params p = {.mode = ONR_RESIZE_LINEAR, .num_axes = 1, .axes = {-1}};
    struct layer_test t = {.layer = &onri_layer_resize, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_U8, 1, (int64_t[]){2}, (uint8_t[]){0, 255});
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
    layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, scales);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_memory_equal(t.out[0].data, ((uint8_t[]){0, 64, 191, 255}), 4);
    layer_test_clear(&t);
  }
  { /* Wide integers are interpolated in float64, halves go to even, and overshooting is held in range. */
    const struct onr_resize_params p = {.mode = ONR_RESIZE_LINEAR},
                                   cubic = {.mode = ONR_RESIZE_CUBIC, .cubic_a = -0.75f};
    struct layer_test t = {.layer = &onri_layer_resize, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){2},
                     (int64_t[]){-(INT64_C(1) << 52) - 2, (INT64_C(1) << 52) + 8});
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
    layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, scales);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    const int64_t half = INT64_C(1) << 51;
    assert_memory_equal(t.out[0].data, ((int64_t[]){-2 * half - 2, 0 - half, half + 6, 2 * half + 8}),
                        32); /* the second is 0.5 more */
    layer_test_clear(&t);
    t = (struct layer_test){.layer = &onri_layer_resize, .params = &cubic, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_U32, 1, (int64_t[]){2}, (uint32_t[]){0, UINT32_MAX});
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
    layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, scales);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(((uint32_t *)t.out[0].data)[0], 0);
    assert_true(((uint32_t *)t.out[0].data)[3] == UINT32_MAX);
    layer_test_clear(&t);
  }
  { /* Nearest moves anything: int64, and the old rounding when growing. */
    const struct onr_resize_params p = {.coordinates = ONR_RESIZE_ASYMMETRIC, .nearest = ONR_RESIZE_SIMPLE};
    struct layer_test t = {.layer = &onri_layer_resize, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){2}, (int64_t[]){7, INT64_MIN});
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
    layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, scales);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_memory_equal(t.out[0].data, ((int64_t[]){7, 7, INT64_MIN, INT64_MIN}), 32);
    layer_test_clear(&t);
  }
  { /* float64, cubic at -0.75: exact at the pixels themselves. */
    const struct onr_resize_params p = {
        .mode = ONR_RESIZE_CUBIC, .coordinates = ONR_RESIZE_ASYMMETRIC, .cubic_a = -0.75f};
    struct layer_test t = {.layer = &onri_layer_resize, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F64, 1, (int64_t[]){3}, (double[]){1e-9, 3, -2});
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
    layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, scales);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_true(((double *)t.out[0].data)[0] == 1e-9 && ((double *)t.out[0].data)[4] == -2);
    layer_test_clear(&t);
  }
}

static enum onr_status status_of(struct onr_resize_params p, const float *scales, const int64_t *sizes, int64_t count) {
  static const float zeros[64];
  struct layer_test t = {.layer = &onri_layer_resize, .params = &p, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){4, 4}, zeros);
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
  layer_test_constant(&t, ONR_DTYPE_F32, 1, &count, scales);
  layer_test_constant(&t, ONR_DTYPE_I64, 1, &count, sizes);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong(void **state) {
  const struct onr_resize_params none = {0}, crop = {.coordinates = ONR_RESIZE_TF_CROP_AND_RESIZE};
  const struct onr_resize_params twice = {.num_axes = 2, .axes = {1, -1}}, far = {.num_axes = 1, .axes = {2}};
  const float good[] = {1, 2}, negative[] = {1, -2}, nan[] = {NAN, 1}, huge[] = {1, 1e30f};
  const int64_t sizes[] = {4, 8}, minus[] = {4, -8};
  (void)state;
  assert_int_equal(status_of(none, good, NULL, 2), ONR_STATUS_OK);
  assert_int_equal(status_of(none, good, sizes, 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(none, NULL, NULL, 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(none, negative, NULL, 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(none, nan, NULL, 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(none, huge, NULL, 2), ONR_STATUS_LIMIT);
  assert_int_equal(status_of(none, NULL, minus, 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(none, good, NULL, 1), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(crop, NULL, sizes, 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(twice, good, NULL, 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(far, good, NULL, 1), ONR_STATUS_ATTRIBUTE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference), cmocka_unit_test(test_dtypes),
                                     cmocka_unit_test(test_wrong)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
