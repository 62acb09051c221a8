/* grid_sample, affine_grid, col2im, roi_align and max_unpool against onnx.reference, images in both layouts. */
#include "support/layer_test.h"

#include <math.h>
#include <string.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { MAX = 512 };

/* [n][c][pixels] to [n][pixels][c]. */
static void to_last(const float *x, int64_t n, int64_t channels, int64_t pixels, float *y) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < channels; c++)
      for (int64_t p = 0; p < pixels; p++) y[(i * pixels + p) * channels + c] = x[(i * channels + c) * pixels + p];
}

static int64_t product(const int64_t *dims, int count) {
  int64_t result = 1;
  for (int i = 0; i < count; i++) result *= dims[i];
  return result;
}

struct grid_case {
  struct onr_grid_sample_params params;
  int spatial;
  int64_t x_shape[5], grid_shape[5];
  float x[64], grid[64], y[64];
};

static const struct grid_case grid_cases[] = {
#define GRID_CASES
#include "sample_cases.inc"
#undef GRID_CASES
};

static void test_grid_sample(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(grid_cases) / sizeof(grid_cases[0]); i++)
    for (int last = 0; last < 2; last++) {
      const struct grid_case *k = &grid_cases[i];
      const int64_t pixels = product(k->x_shape + 2, k->spatial), out = product(k->grid_shape + 1, k->spatial);
      struct onr_grid_sample_params p = k->params;
      float x[64], y[64];
      int64_t shape[5] = {k->x_shape[0]};
      p.channels_last = last;
      memcpy(x, k->x, sizeof(x));
      memcpy(y, k->y, sizeof(y));
      memcpy(shape, k->x_shape, sizeof(shape));
      if (last) {
        to_last(k->x, k->x_shape[0], k->x_shape[1], pixels, x);
        to_last(k->y, k->x_shape[0], k->x_shape[1], out, y);
        memmove(shape + 1, k->x_shape + 2, (size_t)k->spatial * sizeof(shape[0]));
        shape[k->spatial + 1] = k->x_shape[1];
      }
      struct layer_test t = {.layer = &onri_layer_grid_sample, .params = &p, .num_out = 1, .threads = 2};
      layer_test_input(&t, ONR_DTYPE_F32, k->spatial + 2, shape, x);
      layer_test_input(&t, ONR_DTYPE_F32, k->spatial + 2, k->grid_shape, k->grid);
      if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
      assert_close(t.out[0].data, y, (size_t)(k->x_shape[0] * k->x_shape[1] * out), 1e-5, 1e-5);
      layer_test_clear(&t);
    }
}

static void test_grid_borders(void **state) {
  const float x[] = {1, 5, -2, 7};
  (void)state;
  { /* Positions that are no numbers, or no int64, are outside. */
    const struct onr_grid_sample_params p = {0}, border = {.padding = ONR_GRID_BORDER, .mode = ONR_GRID_NEAREST};
    const float grid[] = {NAN, INFINITY, 1e30f, -1e30f};
    struct layer_test t = {.layer = &onri_layer_grid_sample, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 2, 2}, x);
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 2, 2}, grid);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, (float[]){0, 0}, 2, 0, 0);
    layer_test_clear(&t);
    t.params = &border;
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 2, 2}, x);
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 2, 2}, grid);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, (float[]){-2, 5}, 2, 0, 0);
    layer_test_clear(&t);
  }
  { /* Cubic at the border, as PyTorch: position -0.7 of a row of four mixes pixels 0, 0, 0, 1; weight of 1 from
       distance 1.7. */
    const struct onr_grid_sample_params p = {.mode = ONR_GRID_CUBIC, .padding = ONR_GRID_BORDER};
    const float grid[] = {(float)((-0.7 + 0.5) / 2 - 1), 0, 9, 0};
    const double a = -0.75, d = 1.7, w = a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a;
    struct layer_test t = {.layer = &onri_layer_grid_sample, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 1, 4}, x);
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 2, 2}, grid);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, (float[]){(float)(x[0] * (1 - w) + x[1] * w), 7}, 2, 1e-5, 0);
    layer_test_clear(&t);
  }
}

static void test_grid_types(void **state) {
  /* Centres of the four pixels and a place far outside; then the middle of the first two pixels, and of all four. */
  static const float grid[] = {-0.5f, -0.5f, 0.5f, -0.5f, -0.5f, 0.5f, 0.5f, 0.5f, 9, 9, 0, -0.5f, 0, 0};
  static const struct onr_grid_sample_params nearest = {.mode = ONR_GRID_NEAREST}, linear = {0};
  static const int64_t wide[4] = {INT64_MAX, INT64_MIN, (INT64_C(1) << 60) + 1, -1};
  static const struct onr_string words[4] = {{"a", 1}, {"bc", 2}, {"", 0}, {"d", 1}};
  struct layer_test t = {.layer = &onri_layer_grid_sample, .params = &nearest, .num_out = 1};
  (void)state;
  layer_test_input(&t, ONR_DTYPE_I64, 4, (int64_t[]){1, 1, 2, 2}, wide);
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 5, 2}, grid);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, wide, sizeof(wide));
  assert_int_equal(((int64_t *)t.out[0].data)[4], 0);
  layer_test_clear(&t);
  layer_test_input(&t, ONR_DTYPE_STRING, 4, (int64_t[]){1, 1, 2, 2}, words);
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 5, 2}, grid);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, words, sizeof(words));
  assert_int_equal(((struct onr_string *)t.out[0].data)[4].length, 0);
  layer_test_clear(&t);
  t.params = &linear;
  layer_test_input(&t, ONR_DTYPE_I8, 4, (int64_t[]){1, 1, 2, 2}, (int8_t[]){100, 127, -128, -98});
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 7, 2}, grid);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, ((int8_t[]){100, 127, -128, -98, 0, 114, 0}), 7); /* 113.5 to even; 0.25 */
  layer_test_clear(&t);
  layer_test_input(&t, ONR_DTYPE_STRING, 4, (int64_t[]){1, 1, 2, 2}, words);
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 5, 2}, grid);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_UNSUPPORTED);
  layer_test_clear(&t);
}

struct roi_case {
  struct onr_roi_align_params params;
  float y[128];
};

static const struct roi_case roi_cases[] = {
#define ROI_CASES
#include "sample_cases.inc"
#undef ROI_CASES
};

static void test_roi_align(void **state) {
  const float boxes[] = {0, 0, 4, 5, 1.2f, 0.3f, 3.7f, 4.9f, -3, -2, 9, 8, 4, 4, 4.2f, 4.1f, 30, 30, 40, 40};
  const int64_t batches[] = {0, 1, 1, 0, 1};
  (void)state;
  for (size_t i = 0; i < sizeof(roi_cases) / sizeof(roi_cases[0]); i++)
    for (int last = 0; last < 2; last++) {
      struct onr_roi_align_params p = roi_cases[i].params;
      float first[180], x[180], y[128];
      const int64_t out = p.output_height * p.output_width;
      p.channels_last = last;
      for (int k = 0; k < 180; k++) first[k] = (float)(k * 7 % 23 - 5);
      memcpy(x, first, sizeof(x));
      memcpy(y, roi_cases[i].y, sizeof(y));
      if (last) {
        to_last(first, 2, 3, 30, x);
        to_last(roi_cases[i].y, 5, 3, out, y);
      }
      struct layer_test t = {.layer = &onri_layer_roi_align, .params = &p, .num_out = 1, .threads = 2};
      layer_test_input(&t, ONR_DTYPE_F32, 4, last ? (int64_t[]){2, 6, 5, 3} : (int64_t[]){2, 3, 6, 5}, x);
      layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){5, 4}, boxes);
      layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){5}, batches);
      if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
      assert_close(t.out[0].data, y, (size_t)(15 * out), 2e-5, 2e-5);
      layer_test_clear(&t);
    }
}

static enum onr_status roi_status(struct onr_roi_align_params p, const float box[4], int64_t batch) {
  const float x[16] = {0};
  struct layer_test t = {.layer = &onri_layer_roi_align, .params = &p, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 4, 4}, x);
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){1, 4}, box);
  layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){1}, &batch);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_hostile_regions(void **state) {
  const float box[] = {0, 0, 4, 4}, huge[] = {-1e30f, -1e30f, 1e30f, 1e30f}, nan[] = {NAN, 0, NAN, 4},
              turned[] = {4, 4, 0, 0};
  const struct onr_roi_align_params p = {.output_height = 2, .output_width = 2, .spatial_scale = 1, .half_pixel = 1};
  struct onr_roi_align_params wrong = p;
  (void)state;
  assert_int_equal(roi_status(p, box, 0), ONR_STATUS_OK);
  assert_int_equal(roi_status(p, box, 1000000000), ONR_STATUS_INDEX);
  assert_int_equal(roi_status(p, box, -1), ONR_STATUS_INDEX);
  assert_int_equal(roi_status(p, huge, 0), ONR_STATUS_OK);
  assert_int_equal(roi_status(p, nan, 0), ONR_STATUS_OK);
  assert_int_equal(roi_status(p, turned, 0), ONR_STATUS_OK);
  wrong.output_height = 0;
  assert_int_equal(roi_status(wrong, box, 0), ONR_STATUS_ATTRIBUTE);
  wrong = p;
  wrong.sampling_ratio = (int64_t)1 << 40;
  assert_int_equal(roi_status(wrong, box, 0), ONR_STATUS_ATTRIBUTE);
}

struct col2im_case {
  struct onr_window window;
  int spatial;
  int64_t x_shape[3], image[3], block[3];
  float y[64];
};

static const struct col2im_case col2im_cases[] = {
#define COL2IM_CASES
#include "sample_cases.inc"
#undef COL2IM_CASES
};

/* Complex numbers get the negative value as their imaginary part. */
static void store_elements(enum onr_dtype dtype, const double *values, size_t count, void *elements) {
  const enum onr_dtype part = onri_dtype_part(dtype);
  for (size_t i = 0; i < count; i++) {
    const double pair[2] = {values[i], 0 - values[i]};
    onri_store_f64(part, pair, onri_dtype_parts(dtype), (char *)elements + i * onr_dtype_size(dtype));
  }
}

static enum onr_status run_col2im(struct layer_test *t, enum onr_dtype dtype, const int64_t x_shape[3], int64_t spatial,
                                  const int64_t *image, const int64_t *block) {
  double x[MAX], elements[2 * MAX];
  for (int k = 0; k < MAX; k++) x[k] = k * 5 % 11 - 4;
  store_elements(dtype, x, MAX, elements);
  layer_test_input(t, dtype, 3, x_shape, elements);
  layer_test_constant(t, ONR_DTYPE_I64, 1, &spatial, image);
  layer_test_constant(t, ONR_DTYPE_I64, 1, &spatial, block);
  return layer_test_run(t);
}

static void test_col2im_of(enum onr_dtype dtype) {
  for (size_t i = 0; i < sizeof(col2im_cases) / sizeof(col2im_cases[0]); i++) {
    const struct col2im_case *k = &col2im_cases[i];
    double y[64];
    uint64_t expected[2 * 64];
    const struct onr_col2im_params p = {.window = k->window};
    struct layer_test t = {.layer = &onri_layer_col2im, .params = &p, .num_out = 1, .threads = 2};
    if (run_col2im(&t, dtype, k->x_shape, k->spatial, k->image, k->block) != ONR_STATUS_OK)
      fail_msg("%s", t.error.message);
    const int64_t channels = k->x_shape[1] / product(k->block, k->spatial);
    assert_int_equal(t.out[0].desc.dim[1], channels);
    const size_t count = (size_t)(k->x_shape[0] * channels * product(k->image, k->spatial));
    for (size_t j = 0; j < count; j++) y[j] = (double)k->y[j];
    store_elements(dtype, y, count, expected); /* all are integers; unsigned types wrap */
    assert_memory_equal(t.out[0].data, expected, count * onr_dtype_size(dtype));
    layer_test_clear(&t);
  }
}

/* Images wider than vectors, and more taps than are added at once; integers, so that the order does not matter. */
static void test_wide_col2im_of(enum onr_dtype dtype, const int64_t image[2], const int64_t block[2],
                                const struct onr_window *w) {
  enum { WIDE = 11000 };
  static double x[WIDE], y[WIDE];
  static char elements[WIDE * 8], expected[WIDE * 8];
  const struct onr_col2im_params p = {.window = *w};
  const int64_t spatial = 2, channels = 2, taps = block[0] * block[1];
  int64_t blocks[2];
  for (int d = 0; d < 2; d++)
    blocks[d] = image[d] + w->pad_begin[d] + w->pad_end[d] - (block[d] - 1) * w->dilation[d]; /* the stride is 1 */
  const int64_t shape[3] = {1, channels * taps, blocks[0] * blocks[1]}, pixels = image[0] * image[1];
  const size_t count = (size_t)(shape[1] * shape[2]), size = onr_dtype_size(dtype);
  assert_true(count <= WIDE);
  for (size_t i = 0; i < count; i++) x[i] = (double)(i * 7919 % 31) - 15;
  memset(y, 0, sizeof(y));
  for (int64_t i = 0; i < (int64_t)count; i++) {
    const int64_t l = i % shape[2], tap = i / shape[2] % taps, c = i / shape[2] / taps;
    const int64_t row = l / blocks[1] + tap / block[1] * w->dilation[0] - w->pad_begin[0],
                  column = l % blocks[1] + tap % block[1] * w->dilation[1] - w->pad_begin[1];
    if (row >= 0 && row < image[0] && column >= 0 && column < image[1]) y[c * pixels + row * image[1] + column] += x[i];
  }
  struct layer_test t = {.layer = &onri_layer_col2im, .params = &p, .num_out = 1, .threads = 2};
  store_elements(dtype, x, count, elements);
  store_elements(dtype, y, (size_t)(channels * pixels), expected);
  layer_test_input(&t, dtype, 3, shape, elements);
  layer_test_constant(&t, ONR_DTYPE_I64, 1, &spatial, image);
  layer_test_constant(&t, ONR_DTYPE_I64, 1, &spatial, block);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, expected, (size_t)(channels * pixels) * size);
  layer_test_clear(&t);
}

static void test_wide_col2im(void **state) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_I64, ONR_DTYPE_F16};
  const struct onr_window plain = {.rank = 2, .stride = {1, 1}, .dilation = {1, 1}};
  const struct onr_window padded = {
      .rank = 2, .stride = {1, 1}, .dilation = {1, 2}, .pad_begin = {1, 3}, .pad_end = {0, 2}};
  (void)state;
  for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++) {
    test_wide_col2im_of(dtypes[i], (int64_t[]){11, 24}, (int64_t[]){9, 9}, &plain);
    test_wide_col2im_of(dtypes[i], (int64_t[]){4, 41}, (int64_t[]){3, 5}, &padded);
    test_wide_col2im_of(dtypes[i], (int64_t[]){6, 130}, (int64_t[]){2, 3}, &padded);
  }
}

static void test_col2im(void **state) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16, ONR_DTYPE_I8,  ONR_DTYPE_I64,
                                          ONR_DTYPE_U64, ONR_DTYPE_U16, ONR_DTYPE_C64, ONR_DTYPE_C128};
  (void)state;
  for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++) test_col2im_of(dtypes[i]);
  const struct onr_col2im_params none = {{0}};
  struct layer_test t = {.layer = &onri_layer_col2im, .params = &none, .num_out = 1};
  const int64_t huge = (int64_t)1 << 32;
  assert_int_equal(run_col2im(&t, ONR_DTYPE_F32, (int64_t[]){1, 4, 4}, 2, (int64_t[]){huge, huge}, (int64_t[]){2, 2}),
                   ONR_STATUS_SHAPE);
  layer_test_clear(&t);
  assert_int_equal(run_col2im(&t, ONR_DTYPE_F32, (int64_t[]){1, 4, 4}, 2, (int64_t[]){4, 4}, (int64_t[]){2, 2}),
                   ONR_STATUS_SHAPE);
  layer_test_clear(&t);
  assert_int_equal(run_col2im(&t, ONR_DTYPE_F32, (int64_t[]){1, 4, 4}, 2, (int64_t[]){3, 3}, (int64_t[]){2, 0}),
                   ONR_STATUS_SHAPE);
  layer_test_clear(&t);
}

struct affine_case {
  int align_corners, spatial;
  int64_t size[5];
  float theta[16], grid[64];
};

static const struct affine_case affine_cases[] = {
#define AFFINE_CASES
#include "sample_cases.inc"
#undef AFFINE_CASES
};

static void test_affine_grid(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(affine_cases) / sizeof(affine_cases[0]); i++) {
    const struct affine_case *k = &affine_cases[i];
    const struct onr_affine_grid_params p = {.align_corners = k->align_corners};
    struct layer_test t = {.layer = &onri_layer_affine_grid, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){k->size[0], k->spatial, k->spatial + 1}, k->theta);
    layer_test_constant(&t, ONR_DTYPE_I64, 1, (int64_t[]){k->spatial + 2}, k->size);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, k->grid, (size_t)(k->size[0] * product(k->size + 2, k->spatial) * k->spatial), 1e-6,
                 1e-6);
    layer_test_clear(&t);
  }
}

static enum onr_status run_unpool(struct layer_test *t, const int64_t *indices, const int64_t *shape) {
  layer_test_input(t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 2, 2}, (float[]){1, 2, 3, 4});
  layer_test_input(t, ONR_DTYPE_I64, 4, (int64_t[]){1, 1, 2, 2}, indices);
  if (shape) layer_test_constant(t, ONR_DTYPE_I64, 1, (int64_t[]){4}, shape);
  return layer_test_run(t);
}

static void test_max_unpool(void **state) {
  const struct onr_max_unpool_params p = {.window = {.rank = 2, .kernel = {2, 2}, .stride = {2, 2}}};
  const int64_t indices[] = {5, 7, 13, 15}, far[] = {5, 7, 13, 1000000000}, negative[] = {-1, 0, 1, 2};
  const float expected[] = {0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4};
  struct layer_test t = {.layer = &onri_layer_max_unpool, .params = &p, .num_out = 1};
  (void)state;
  assert_int_equal(run_unpool(&t, indices, NULL), ONR_STATUS_OK);
  assert_close(t.out[0].data, expected, 16, 0, 0);
  layer_test_clear(&t);
  assert_int_equal(run_unpool(&t, indices, (int64_t[]){1, 1, 5, 5}), ONR_STATUS_OK);
  for (int i = 0; i < 25; i++)
    assert_true(((float *)t.out[0].data)[i] == (i % 5 < 4 && i / 5 < 4 ? expected[i / 5 * 4 + i % 5] : 0));
  layer_test_clear(&t);
  assert_int_equal(run_unpool(&t, indices, (int64_t[]){1, 1, 3, 5}), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
  assert_int_equal(run_unpool(&t, far, NULL), ONR_STATUS_INDEX);
  layer_test_clear(&t);
  assert_int_equal(run_unpool(&t, negative, NULL), ONR_STATUS_INDEX);
  layer_test_clear(&t);
  { /* Pool and unpool an image of two channels, channels-last: maxima stay, the rest is 0. */
    const float x[] = {1, 8, 2, 7, 3, 6, 4, 5, 9, 0, 1, 2, 3, 4, 5, 6}; /* [1, 2, 4, 2] */
    const float kept[] = {0, 8, 0, 0, 0, 6, 0, 0, 9, 0, 0, 0, 0, 0, 5, 0};
    const struct onr_pool_params pool = {.window = {.rank = 2, .kernel = {2, 2}, .stride = {2, 2}}, .channels_last = 1};
    const struct onr_max_unpool_params last = {.window = pool.window, .channels_last = 1};
    struct layer_test down = {.layer = &onri_layer_max_pool, .params = &pool, .num_out = 2};
    layer_test_input(&down, ONR_DTYPE_F32, 4, (int64_t[]){1, 2, 4, 2}, x);
    assert_int_equal(layer_test_run(&down), ONR_STATUS_OK);
    t.params = &last;
    layer_test_input(&t, ONR_DTYPE_F32, 4, down.out[0].desc.dim, down.out[0].data);
    layer_test_input(&t, ONR_DTYPE_I64, 4, down.out[1].desc.dim, down.out[1].data);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, kept, 16, 0, 0);
    layer_test_clear(&t);
    layer_test_clear(&down);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_grid_sample), cmocka_unit_test(test_grid_borders),    cmocka_unit_test(test_grid_types),
      cmocka_unit_test(test_roi_align),   cmocka_unit_test(test_hostile_regions), cmocka_unit_test(test_col2im),
      cmocka_unit_test(test_wide_col2im), cmocka_unit_test(test_affine_grid),     cmocka_unit_test(test_max_unpool),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
