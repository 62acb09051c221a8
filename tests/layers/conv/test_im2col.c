/* im2col: every element of y is the one of x that the window is over, for elements of all sizes. */
#include "layers/layers.h"
#include "support/index_loop.h"

struct shape {
  int spatial;
  int64_t batch, channels, in[3], kernel[3], stride[3], dilation[3];
};

static void check(const struct shape *s, enum onr_dtype dtype) {
  static unsigned char x[1 << 16];
  struct onr_im2col_params p = {.window = {.rank = s->spatial}};
  struct layer_test t = {.layer = &onri_layer_im2col, .params = &p, .num_out = 1, .threads = 2};
  const size_t size = onr_dtype_size(dtype);
  int64_t dims[5] = {s->batch, s->channels}, y_dims[8] = {s->batch, s->channels}, index[8] = {0}, rows = s->channels,
          columns = 1;
  for (int i = 0; i < s->spatial; i++) {
    p.window.kernel[i] = s->kernel[i], p.window.stride[i] = s->stride[i], p.window.dilation[i] = s->dilation[i];
    dims[2 + i] = s->in[i];
    y_dims[2 + i] = s->kernel[i];
    y_dims[2 + s->spatial + i] = (s->in[i] - (s->kernel[i] - 1) * s->dilation[i] - 1) / s->stride[i] + 1;
    rows *= y_dims[2 + i];
    columns *= y_dims[2 + s->spatial + i];
  }
  const size_t count = count_of(2 + s->spatial, dims);
  assert_true(count * size <= sizeof(x));
  fill_distinct(x, count, size);
  layer_test_input(&t, dtype, 2 + s->spatial, dims, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.dim[1], rows);
  assert_int_equal(t.out[0].desc.dim[2], columns);
  do {
    int64_t from[5] = {index[0], index[1]};
    for (int i = 0; i < s->spatial; i++)
      from[2 + i] = index[2 + s->spatial + i] * s->stride[i] + index[2 + i] * s->dilation[i];
    assert_memory_equal((char *)t.out[0].data + flat_index(index, 2 + 2 * s->spatial, y_dims) * size,
                        x + flat_index(from, 2 + s->spatial, dims) * size, size);
  } while (next_index(index, 2 + 2 * s->spatial, y_dims));
  layer_test_clear(&t);
}

static void columns(void **state) {
  static const struct shape shapes[] = {
      {1, 2, 3, {9}, {3}, {2}, {1}},
      {2, 2, 3, {5, 6}, {2, 3}, {1, 1}, {1, 1}},
      {2, 1, 4, {7, 6}, {3, 1}, {2, 3}, {2, 5}},
      {2, 1, 2, {4, 4}, {4, 4}, {1, INT32_MAX}, {1, 1}},
      {3, 2, 2, {3, 4, 5}, {2, 2, 2}, {1, 2, 1}, {1, 1, 3}},
  };
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_U8, ONR_DTYPE_F16, ONR_DTYPE_F64, ONR_DTYPE_C128};
  (void)state;
  for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
    for (size_t d = 0; d < sizeof(dtypes) / sizeof(*dtypes); d++) check(&shapes[i], dtypes[d]);
}

static void wrong_windows(void **state) {
  const struct {
    struct onr_window window;
    enum onr_status status;
  } wrong[] = {
      {{.rank = 2, .kernel = {5, 1}}, ONR_STATUS_SHAPE},
      {{.rank = 1, .kernel = {1}}, ONR_STATUS_SHAPE},
      {{.rank = 2, .kernel = {1, 0}}, ONR_STATUS_ATTRIBUTE},
      {{.rank = 2, .kernel = {1, 1}, .stride = {-1, 1}}, ONR_STATUS_ATTRIBUTE},
      {{.rank = 2, .kernel = {1, 1}, .pad_end = {0, 1}}, ONR_STATUS_ATTRIBUTE},
      {{.rank = 2, .kernel = {2, 2}, .dilation = {INT32_MAX, 1}}, ONR_STATUS_LIMIT},
      {{.rank = 2, .kernel = {INT64_MAX, 2}}, ONR_STATUS_SHAPE},
  };
  const float x[16] = {0};
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    const struct onr_im2col_params p = {wrong[i].window};
    struct layer_test t = {.layer = &onri_layer_im2col, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 4, DIMS(1, 1, 4, 4), x);
    assert_int_equal(layer_test_run(&t), wrong[i].status);
    assert_true(t.error.message[0] != '\0');
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(columns), cmocka_unit_test(wrong_windows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
