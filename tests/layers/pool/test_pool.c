/* Pools against the definition in double precision, in both layouts. */
#include "support/layer_test.h"

#include <math.h>
#include <string.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { MAX = 1 << 16 };
enum kind { KIND_MAX, KIND_AVERAGE, KIND_LP };
static const struct onr_layer *const layers[] = {&onri_layer_max_pool, &onri_layer_average_pool, &onri_layer_lp_pool};
static const struct onr_layer *const global_layers[] = {&onri_layer_global_max_pool, &onri_layer_global_average_pool,
                                                        &onri_layer_global_lp_pool};

struct shape {
  int spatial;
  int64_t batch, channels, in[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
  int ceil_mode, count_padding, p;
};

struct axes {
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
};

static struct axes axes_of(const struct shape *s) {
  struct axes a;
  for (int i = 0; i < 3; i++) {
    const int from = i - (3 - s->spatial);
    a.in[i] = a.out[i] = a.kernel[i] = a.stride[i] = a.dilation[i] = 1;
    a.begin[i] = a.end[i] = 0;
    if (from < 0) continue;
    a.in[i] = s->in[from], a.kernel[i] = s->kernel[from], a.stride[i] = s->stride[from];
    a.dilation[i] = s->dilation[from], a.begin[i] = s->begin[from], a.end[i] = s->end[from];
    const int64_t span = a.in[i] + a.begin[i] + a.end[i] - (a.kernel[i] - 1) * a.dilation[i] - 1;
    a.out[i] = span / a.stride[i] + 1;
    if (s->ceil_mode) {
      a.out[i] = (span + a.stride[i] - 1) / a.stride[i] + 1;
      if ((a.out[i] - 1) * a.stride[i] >= a.in[i] + a.begin[i]) a.out[i]--;
    }
  }
  return a;
}

/* One window: its value, and the position of its maximum. */
static double window(const struct shape *s, enum kind kind, const struct axes *a, const float *x, int64_t step,
                     const int64_t o[3], int64_t *where) {
  double result = kind == KIND_MAX ? -INFINITY : 0;
  int64_t area = 0, k[3], i[3];
  for (k[0] = 0; k[0] < a->kernel[0]; k[0]++)
    for (k[1] = 0; k[1] < a->kernel[1]; k[1]++)
      for (k[2] = 0; k[2] < a->kernel[2]; k[2]++) {
        int inside = 1, padded = 1;
        for (int d = 0; d < 3; d++) {
          i[d] = o[d] * a->stride[d] - a->begin[d] + k[d] * a->dilation[d];
          inside = inside && i[d] >= 0 && i[d] < a->in[d];
          padded = padded && i[d] < a->in[d] + a->end[d];
        }
        area += inside || (s->count_padding && padded);
        if (!inside) continue;
        const int64_t at = (i[0] * a->in[1] + i[1]) * a->in[2] + i[2];
        const double v = x[at * step];
        if (kind == KIND_MAX && v > result) result = v, *where = at;
        if (kind == KIND_AVERAGE) result += v;
        if (kind == KIND_LP) result += pow(fabs(v), s->p);
      }
  return kind == KIND_AVERAGE ? (area ? result / (double)area : 0) : kind == KIND_LP ? pow(result, 1.0 / s->p) : result;
}

static size_t reference(const struct shape *s, enum kind kind, int last, const float *x, float *y, int64_t *where) {
  const struct axes a = axes_of(s);
  const int64_t pixels = a.in[0] * a.in[1] * a.in[2], out = a.out[0] * a.out[1] * a.out[2];
  for (int64_t n = 0; n < s->batch; n++)
    for (int64_t c = 0; c < s->channels; c++)
      for (int64_t p = 0; p < out; p++) {
        const int64_t o[3] = {p / a.out[2] / a.out[1], p / a.out[2] % a.out[1], p % a.out[2]};
        const int64_t to = last ? (n * out + p) * s->channels + c : (n * s->channels + c) * out + p;
        const float *plane = last ? x + n * pixels * s->channels + c : x + (n * s->channels + c) * pixels;
        int64_t at = 0;
        y[to] = (float)window(s, kind, &a, plane, last ? s->channels : 1, o, &at);
        where[to] = (n * s->channels + c) * pixels + at;
      }
  return (size_t)(s->batch * s->channels * out);
}

static void check_once(const struct shape *s, enum kind kind, int last, size_t outputs) {
  static float x[MAX], y[MAX];
  static int64_t where[MAX];
  const struct axes a = axes_of(s);
  struct onr_pool_params p = {.window = {.rank = s->spatial},
                              .ceil_mode = s->ceil_mode,
                              .count_include_pad = s->count_padding,
                              .p = s->p,
                              .channels_last = last};
  int64_t dims[5] = {s->batch};
  for (int i = 0; i < s->spatial; i++) {
    p.window.kernel[i] = s->kernel[i], p.window.stride[i] = s->stride[i], p.window.dilation[i] = s->dilation[i];
    p.window.pad_begin[i] = s->begin[i], p.window.pad_end[i] = s->end[i];
    dims[i + (last ? 1 : 2)] = s->in[i];
  }
  dims[last ? s->spatial + 1 : 1] = s->channels;
  fill_random(x, MAX, -1, 1, 5);
  const size_t count = reference(s, kind, last, x, y, where);
  assert_true(count <= MAX);
  struct layer_test t = {.layer = layers[kind], .params = &p, .num_out = outputs, .threads = (uint32_t)(1 + last)};
  layer_test_input(&t, ONR_DTYPE_F32, s->spatial + 2, dims, x);
  if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), (int64_t)count);
  assert_int_equal(t.out[0].desc.dim[last ? 1 : 2], a.out[3 - s->spatial]);
  assert_close(t.out[0].data, y, count, kind == KIND_MAX ? 0 : 1e-5, kind == KIND_MAX ? 0 : 1e-6);
  if (outputs > 1) assert_memory_equal(t.out[1].data, where, count * sizeof(where[0]));
  layer_test_clear(&t);
}

static void check(const struct shape *s, enum kind kind) {
  for (int last = 0; last < 2; last++)
    for (size_t outputs = 1; outputs <= (kind == KIND_MAX ? 2 : 1); outputs++) check_once(s, kind, last, outputs);
}

static const struct shape cases[] = {
    {2, 1, 17, {9, 8}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 0, 0, 2},
    {2, 2, 1, {9, 8}, {2, 2}, {2, 2}, {1, 1}, {0}, {0}, 0, 0, 1},
    {2, 1, 33, {7, 7}, {7, 7}, {1, 1}, {1, 1}, {0}, {0}, 0, 0, 3},
    {2, 1, 3, {9, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 0, 0, 2},
    {2, 1, 3, {9, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 0, 1, 2},
    {2, 2, 19, {9, 8}, {3, 4}, {2, 1}, {2, 1}, {1, 2}, {2, 0}, 0, 1, 2},
    {2, 1, 19, {9, 8}, {5, 5}, {2, 2}, {1, 1}, {2, 2}, {2, 2}, 0, 1, 2},
    {2, 1, 3, {9, 8}, {3, 2}, {2, 3}, {1, 1}, {0, 1}, {2, 0}, 0, 0, 2}, /* asymmetric, stride above the kernel */
    {2, 1, 5, {10, 10}, {3, 3}, {2, 2}, {1, 1}, {0}, {0}, 1, 0, 2},     /* hangs over the end */
    {2, 1, 5, {10, 11}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {0}, 1, 1, 2},
    {2, 1, 5, {6, 6}, {2, 2}, {4, 4}, {1, 1}, {1, 1}, {1, 1}, 1, 0, 2}, /* the last window would begin behind the image
                                                                         */
    {2, 1, 5, {11, 12}, {3, 3}, {1, 2}, {2, 3}, {0}, {0}, 0, 0, 2},
    {2, 1, 5, {11, 12}, {3, 3}, {1, 2}, {2, 3}, {1, 2}, {1, 2}, 0, 0, 2},
    {2, 1, 5, {4, 4}, {1, 1}, {2, 2}, {1, 1}, {0}, {0}, 0, 0, 2},
    {2, 1, 70, {4, 4}, {1, 3}, {1, 1}, {1, 1}, {0}, {0}, 0, 0, 2},
    {2, 1, 3, {30, 29}, {13, 11}, {1, 1}, {1, 1}, {6, 5}, {6, 5}, 0, 0, 2}, /* a window in several passes */
    {2, 0, 3, {5, 5}, {2, 2}, {1, 1}, {1, 1}, {0}, {0}, 0, 0, 2},
    {2, 1, 3, {2, 1}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 0, 0, 2}, /* smaller than the window */
    {1, 2, 5, {23}, {4}, {3}, {1}, {2}, {1}, 0, 0, 2},
    {1, 1, 5, {24}, {3}, {2}, {2}, {1}, {1}, 1, 0, 2},
    {3, 1, 4, {5, 6, 7}, {2, 3, 2}, {2, 1, 2}, {1, 1, 2}, {1, 1, 0}, {0, 1, 1}, 0, 0, 2},
    {3, 2, 3, {4, 4, 4}, {2, 2, 2}, {2, 2, 2}, {1, 1, 1}, {0}, {0}, 0, 0, 2},
};

static void test_windows(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int kind = KIND_MAX; kind <= KIND_LP; kind++) check(&cases[i], (enum kind)kind);
}

static void test_global(void **state) {
  static float x[MAX], y[MAX];
  static int64_t where[MAX];
  const struct shape shapes[] = {
      {1, 2, 70, {13}, {13}, {1}, {1}, {0}, {0}, 0, 0, 2},
      {2, 1, 3, {7, 5}, {7, 5}, {1, 1}, {1, 1}, {0}, {0}, 0, 0, 1},
      {3, 2, 130, {2, 3, 4}, {2, 3, 4}, {1, 1, 1}, {1, 1, 1}, {0}, {0}, 0, 0, 3},
  };
  (void)state;
  fill_random(x, MAX, -1, 1, 6);
  for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
    for (int kind = KIND_MAX; kind <= KIND_LP; kind++)
      for (int last = 0; last < 2; last++) {
        const struct shape *s = &shapes[i];
        const size_t count = reference(s, (enum kind)kind, last, x, y, where);
        const struct onr_global_pool_params p = {.p = s->p, .channels_last = last};
        int64_t dims[5] = {s->batch};
        for (int d = 0; d < s->spatial; d++) dims[d + (last ? 1 : 2)] = s->in[d];
        dims[last ? s->spatial + 1 : 1] = s->channels;
        struct layer_test t = {.layer = global_layers[kind], .params = &p, .num_out = 1, .threads = 2};
        layer_test_input(&t, ONR_DTYPE_F32, s->spatial + 2, dims, x);
        assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
        assert_int_equal(t.out[0].desc.rank, s->spatial + 2);
        assert_int_equal(onr_desc_elements(&t.out[0].desc), (int64_t)count);
        assert_close(t.out[0].data, y, count, 1e-6, 1e-7);
        layer_test_clear(&t);
      }
}

static void test_details(void **state) {
  (void)state;
  { /* Column order: the maximum at row 1, column 0 of a 2x3 image is position 1, not 3. */
    const float x[] = {0, 1, 2, 9, 4, 5};
    const struct onr_pool_params p = {.window = {.rank = 2, .kernel = {2, 3}}, .storage_order = 1};
    struct layer_test t = {.layer = &onri_layer_max_pool, .params = &p, .num_out = 2};
    layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 2, 3}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(((int64_t *)t.out[1].data)[0], 1);
    layer_test_clear(&t);
  }
  { /* Integers, and NaN wins. */
    const int8_t x[] = {-128, -5, -7, -128};
    const uint8_t u[] = {0, 200, 255, 1};
    const float nan[] = {1, NAN, 3, 2};
    const struct onr_pool_params p = {.window = {.rank = 1, .kernel = {2}}};
    struct layer_test t = {.layer = &onri_layer_max_pool, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_I8, 3, (int64_t[]){1, 1, 4}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_memory_equal(t.out[0].data, ((int8_t[]){-5, -5, -7}), 3);
    layer_test_clear(&t);
    layer_test_input(&t, ONR_DTYPE_U8, 3, (int64_t[]){1, 1, 4}, u);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_memory_equal(t.out[0].data, ((uint8_t[]){200, 255, 255}), 3);
    layer_test_clear(&t);
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 1, 4}, nan);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, (float[]){NAN, NAN, 3}, 3, 0, 0);
    layer_test_clear(&t);
  }
  { /* float64 and float16 averages. */
    const double x[] = {1, 2, 4, 1e-12};
    const uint16_t half[] = {0x3c00, 0x4000, 0x4400, 0}; /* 1 2 4 0 */
    const struct onr_pool_params p = {.window = {.rank = 1, .kernel = {2}}};
    struct layer_test t = {.layer = &onri_layer_average_pool, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F64, 3, (int64_t[]){1, 1, 4}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_true(((double *)t.out[0].data)[2] == 2 + 5e-13);
    layer_test_clear(&t);
    for (int last = 0; last < 2; last++) { /* channels-last goes through XNNPACK */
      const struct onr_pool_params q = {.window = p.window, .channels_last = last};
      t.params = &q;
      layer_test_input(&t, ONR_DTYPE_F16, 3, last ? (int64_t[]){1, 4, 1} : (int64_t[]){1, 1, 4}, half);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      assert_memory_equal(t.out[0].data, ((uint16_t[]){0x3e00, 0x4200, 0x4000}), 6);
      layer_test_clear(&t);
    }
  }
}

static enum onr_status status_of(const struct onr_layer *layer, struct onr_pool_params p) {
  static const float zeros[64];
  struct layer_test t = {.layer = layer, .params = &p, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 8, 8}, zeros);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong(void **state) {
  (void)state;
  struct onr_pool_params p = {.window = {.rank = 2, .kernel = {(int64_t)1 << 40, 2}}};
  assert_int_equal(status_of(&onri_layer_average_pool, p), ONR_STATUS_SHAPE);
  p.window.kernel[0] = 0;
  assert_int_equal(status_of(&onri_layer_max_pool, p), ONR_STATUS_ATTRIBUTE);
  p.window.kernel[0] = 2;
  assert_int_equal(status_of(&onri_layer_lp_pool, p), ONR_STATUS_ATTRIBUTE); /* p is 0 */
  assert_int_equal(status_of(&onri_layer_max_pool, p), ONR_STATUS_OK);
  p.window.pad_begin[0] = 2;
  assert_int_equal(status_of(&onri_layer_max_pool, p), ONR_STATUS_ATTRIBUTE);
  p.window.pad_begin[0] = 0;
  p.window.rank = 3;
  assert_int_equal(status_of(&onri_layer_max_pool, p), ONR_STATUS_SHAPE);
  p.window.rank = 2;
  p.window.kernel[0] = 9;
  assert_int_equal(status_of(&onri_layer_max_pool, p), ONR_STATUS_SHAPE);
}

/* An image of 8 pixels: how many windows ONNX Runtime 1.32 finds where the standard's formula gives none or one; -1: it
 * refuses. */
static void test_too_small(void **state) {
  static const struct {
    int64_t kernel, stride, ceil_mode, windows;
  } cases[] = {{9, 1, 0, 0},  {9, 1, 1, 0},  {10, 1, 0, -1}, {10, 1, 1, -1}, {11, 3, 1, 0},
               {10, 3, 1, 1}, {11, 3, 0, 0}, {13, 3, 1, 0},  {9, 2, 1, 1},   {20, 2, 1, -1}};
  static const float zeros[8];
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct onr_pool_params p = {.window = {.rank = 1, .kernel = {cases[i].kernel}, .stride = {cases[i].stride}},
                                      .ceil_mode = (int32_t)cases[i].ceil_mode,
                                      .may_be_empty = 1,
                                      .p = 2};
    struct layer_test t = {.layer = &onri_layer_lp_pool, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 1, 8}, zeros);
    assert_int_equal(layer_test_run(&t), cases[i].windows < 0 ? ONR_STATUS_SHAPE : ONR_STATUS_OK);
    if (cases[i].windows >= 0) assert_int_equal(t.out[0].desc.dim[2], cases[i].windows);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows), cmocka_unit_test(test_global),
                                     cmocka_unit_test(test_details), cmocka_unit_test(test_wrong),
                                     cmocka_unit_test(test_too_small)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
