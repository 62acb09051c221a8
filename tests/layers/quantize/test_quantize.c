/* quantize_linear, dequantize_linear and dynamic_quantize_linear on both backends against their formulas in double. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

#define CAPACITY 70001
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const enum onr_backend backends[] = {ONR_BACKEND_PORTABLE, ONR_BACKEND_AUTO};

struct grid_case {
  int32_t rank;
  int64_t dim[4];
  int64_t axis, block_size;
  int32_t scale_rank;
  int64_t scale_dim[4];
};

static const struct grid_case grids[] = {
    {2, {5, 33}, 1, 0, 0, {0}},
    {2, {5, 33}, 9, 0, 1, {1}}, /* one scale: the axis is not looked at */
    {3, {2, 7, 5}, 1, 0, 1, {7}},
    {3, {2, 7, 5}, -1, 0, 1, {5}},
    {3, {3, 7, 5}, 0, 0, 1, {3}},
    {3, {2, 7, 5}, 1, 3, 3, {2, 3, 5}},
    {3, {2, 7, 5}, 2, 2, 3, {2, 7, 3}},
    {2, {600, 3}, 0, 600, 2, {1, 3}},
    {2, {3, 600}, 1, 300, 2, {3, 2}},
    {2, {0, 3}, 1, 0, 1, {3}},
    /* turns of the axis within a block and over several, from the middle of a slice on */
    {2, {701, 2}, 1, 0, 1, {2}},
    {2, {301, 2}, 0, 0, 1, {301}},
    {4, {3, 5, 17, 7}, 2, 0, 1, {17}},
    {3, {5, 255, 1}, 1, 0, 1, {255}},
    {3, {4, 97, 63}, 1, 0, 1, {97}},
    {3, {2, 5, 64}, 1, 0, 1, {5}},
    {3, {3, 1000, 3}, 1, 0, 1, {1000}},
    {3, {2, 600, 3}, 1, 40, 3, {2, 15, 3}},
};

/* The scale of element `index`, from its coordinates. */
static size_t scale_index(const struct grid_case *g, size_t index) {
  int64_t coordinate[4];
  const int32_t axis = (int32_t)(g->axis < 0 ? g->axis + g->rank : g->axis);
  size_t at = 0;
  for (int32_t d = g->rank - 1; d >= 0; d--) {
    coordinate[d] = (int64_t)index % g->dim[d];
    index /= (size_t)g->dim[d];
  }
  if (g->scale_rank == 0 || (g->scale_rank == 1 && g->scale_dim[0] == 1)) return 0;
  if (g->block_size == 0) return (size_t)coordinate[axis];
  for (int32_t d = 0; d < g->rank; d++)
    at = at * (size_t)g->scale_dim[d] + (size_t)(d == axis ? coordinate[d] / g->block_size : coordinate[d]);
  return at;
}

static size_t elements(int32_t rank, const int64_t *dim) {
  size_t n = 1;
  for (int32_t d = 0; d < rank; d++) n *= (size_t)dim[d];
  return n;
}

static double integer_at(enum onr_dtype dtype, const void *data, size_t i) {
  int64_t v = 0;
  onri_load(dtype, (const char *)data + i * onr_dtype_size(dtype), 1, &v);
  return (double)v;
}

static const struct {
  enum onr_dtype dtype;
  double least, greatest;
} integers[] = {{ONR_DTYPE_U8, 0, 255},         {ONR_DTYPE_I8, -128, 127}, {ONR_DTYPE_U16, 0, 65535},
                {ONR_DTYPE_I16, -32768, 32767}, {ONR_DTYPE_U4, 0, 15},     {ONR_DTYPE_I4, -8, 7},
                {ONR_DTYPE_U2, 0, 3},           {ONR_DTYPE_I2, -2, 1}};

/* Scales are powers of two and zero points small, so that every step is exact and ties really happen. */
static void make_scales(enum onr_dtype dtype, float *scale, void *zero, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const int64_t z = (int64_t)i % 3 - (onri_dtype_class(dtype) == ONRI_CLASS_I64);
    scale[i] = ldexpf(1.0f, (int)(i % 4) - 3);
    onri_store(dtype, &z, 1, (char *)zero + i * onr_dtype_size(dtype));
  }
}

static void check(const struct grid_case *g, size_t type, int with_zero, enum onr_backend backend) {
  const enum onr_dtype dtype = integers[type].dtype;
  const struct onr_quantize_params params = {
      .axis = g->axis, .block_size = g->block_size, .output_dtype = with_zero ? ONR_DTYPE_NONE : dtype};
  const size_t count = elements(g->rank, g->dim), scales = elements(g->scale_rank, g->scale_dim);
  static float x[CAPACITY], scale[CAPACITY];
  static int16_t zero[CAPACITY];
  fill_random(x, count, -40.0f, 40.0f, 3);
  for (size_t i = 0; i < count; i++) x[i] = roundf(x[i] * 16.0f) / 16.0f;
  make_scales(dtype, scale, zero, scales);
  struct layer_test q = {.layer = &onri_layer_quantize_linear, .params = &params, .backend = backend, .num_out = 1};
  layer_test_input(&q, ONR_DTYPE_F32, g->rank, g->dim, x);
  layer_test_input(&q, ONR_DTYPE_F32, g->scale_rank, g->scale_dim, scale);
  if (with_zero) layer_test_input(&q, dtype, g->scale_rank, g->scale_dim, zero);
  assert_int_equal(layer_test_run(&q), ONR_STATUS_OK);
  assert_int_equal(q.out[0].desc.dtype, dtype);
  struct layer_test d = {.layer = &onri_layer_dequantize_linear,
                         .params = &(struct onr_quantize_params){.axis = g->axis, .block_size = g->block_size},
                         .backend = backend,
                         .num_out = 1};
  layer_test_input(&d, dtype, g->rank, g->dim, q.out[0].data);
  layer_test_input(&d, ONR_DTYPE_F32, g->scale_rank, g->scale_dim, scale);
  if (with_zero) layer_test_input(&d, dtype, g->scale_rank, g->scale_dim, zero);
  assert_int_equal(layer_test_run(&d), ONR_STATUS_OK);
  for (size_t i = 0; i < count; i++) {
    const size_t k = scale_index(g, i);
    const double s = (double)scale[k], z = with_zero ? integer_at(dtype, zero, k) : 0;
    const double quantized = fmin(fmax(rint((double)x[i] / s) + z, integers[type].least), integers[type].greatest);
    if (integer_at(dtype, q.out[0].data, i) != quantized)
      fail_msg("%s, element %zu: %g / %g + %g is %g, found %g", onr_dtype_name(dtype), i, (double)x[i], s, z, quantized,
               integer_at(dtype, q.out[0].data, i));
    assert_true((double)((const float *)d.out[0].data)[i] == (quantized - z) * s);
  }
  layer_test_clear(&q);
  layer_test_clear(&d);
}

static void test_every_grid_and_type(void **state) {
  (void)state;
  for (size_t g = 0; g < COUNT(grids); g++)
    for (size_t type = 0; type < COUNT(integers); type++)
      for (int with_zero = 0; with_zero < 2; with_zero++)
        for (size_t b = 0; b < COUNT(backends); b++) check(&grids[g], type, with_zero, backends[b]);
}

static void quantize(enum onr_dtype x_type, const void *x, enum onr_dtype scale_type, const void *scale,
                     struct onr_quantize_params params, void *y, size_t count) {
  struct layer_test t = {.layer = &onri_layer_quantize_linear, .params = &params, .num_out = 1};
  layer_test_input(&t, x_type, 1, (int64_t[]){(int64_t)count}, x);
  layer_test_input(&t, scale_type, 0, NULL, scale);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  memcpy(y, t.out[0].data, onr_desc_bytes(&t.out[0].desc));
  layer_test_clear(&t);
}

static void test_scale_zero_and_nan(void **state) {
  (void)state;
  const float x[4] = {1, -1, 0, NAN}, zero = 0;
  for (size_t b = 0; b < COUNT(backends); b++) {
    const struct onr_quantize_params params = {.output_dtype = ONR_DTYPE_I8};
    struct layer_test t = {
        .layer = &onri_layer_quantize_linear, .params = &params, .backend = backends[b], .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){4}, x);
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &zero);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_memory_equal(t.out[0].data, ((int8_t[]){127, -128, 0, 0}), 4);
    layer_test_clear(&t);
  }
}

static void test_float8_float4_and_half(void **state) {
  (void)state;
  const float x[3] = {3.0f, 1000.0f, -0.3f}, two = 2.0f;
  uint8_t y[3];
  quantize(ONR_DTYPE_F32, x, ONR_DTYPE_F32, &two, (struct onr_quantize_params){.output_dtype = ONR_DTYPE_F8E4M3FN}, y,
           3);
  assert_memory_equal(y, ((uint8_t[]){0x3C, 0x7E, 0xA2}), 3); /* 1.5, 448, -0.15625 */
  quantize(ONR_DTYPE_F32, x, ONR_DTYPE_F32, &two,
           (struct onr_quantize_params){.output_dtype = ONR_DTYPE_F8E4M3FN, .unsaturated = 1}, y, 3);
  assert_int_equal(y[1], 0x7F);
  quantize(ONR_DTYPE_F32, x, ONR_DTYPE_F32, &two, (struct onr_quantize_params){.output_dtype = ONR_DTYPE_F4E2M1}, y, 3);
  assert_memory_equal(y, ((uint8_t[]){0x3, 0x7, 0x8}), 3); /* 1.5, 6, -0 */
  /* in bfloat16 the quotients are 3.5 and 2.5: ties, to the even neighbour */
  const float fine[2] = {3.4999f, 2.4999f}, one = 1.0f;
  int8_t q[2];
  quantize(ONR_DTYPE_F32, fine, ONR_DTYPE_F32, &one,
           (struct onr_quantize_params){.output_dtype = ONR_DTYPE_I8, .precision = ONR_DTYPE_BF16}, q, 2);
  assert_memory_equal(q, ((int8_t[]){4, 2}), 2);
  quantize(ONR_DTYPE_F32, fine, ONR_DTYPE_F32, &one, (struct onr_quantize_params){.output_dtype = ONR_DTYPE_I8}, q, 2);
  assert_memory_equal(q, ((int8_t[]){3, 2}), 2);
}

static void test_dequantize_other_types(void **state) {
  (void)state;
  const int32_t x[2] = {2000000001, -7};
  const float scale = 0.5f;
  const uint16_t half = 0x3800; /* 0.5 */
  const uint8_t small[2] = {0x3C, 0xFE};
  const struct onr_quantize_params none = {0};
  struct layer_test a = {.layer = &onri_layer_dequantize_linear, .params = &none, .num_out = 1};
  layer_test_input(&a, ONR_DTYPE_I32, 1, (int64_t[]){2}, x);
  layer_test_input(&a, ONR_DTYPE_F32, 0, NULL, &scale);
  assert_int_equal(layer_test_run(&a), ONR_STATUS_OK);
  assert_memory_equal(a.out[0].data, ((float[]){1000000000.0f, -3.5f}), 8);
  layer_test_clear(&a);
  struct layer_test b = {.layer = &onri_layer_dequantize_linear, .params = &none, .num_out = 1};
  layer_test_input(&b, ONR_DTYPE_F8E4M3FN, 1, (int64_t[]){2}, small);
  layer_test_input(&b, ONR_DTYPE_F16, 0, NULL, &half);
  assert_int_equal(layer_test_run(&b), ONR_STATUS_OK);
  assert_int_equal(b.out[0].desc.dtype, ONR_DTYPE_F16);
  assert_memory_equal(b.out[0].data, ((uint16_t[]){0x3A00, 0xDB00}), 4); /* 0.75, -224 */
  layer_test_clear(&b);
}

static void test_wrong_calls(void **state) {
  (void)state;
  static const struct {
    struct onr_quantize_params params;
    enum onr_dtype x, scale;
    int32_t scale_rank;
    int64_t scale_dim[2];
    enum onr_status status;
  } wrong[] = {
      {{.axis = 9}, ONR_DTYPE_U8, ONR_DTYPE_F32, 1, {3}, ONR_STATUS_ATTRIBUTE},
      {{.axis = 1}, ONR_DTYPE_U8, ONR_DTYPE_F32, 1, {2}, ONR_STATUS_SHAPE},
      {{.axis = 1}, ONR_DTYPE_U8, ONR_DTYPE_F32, 2, {2, 3}, ONR_STATUS_SHAPE},
      {{.axis = 1, .block_size = 2}, ONR_DTYPE_U8, ONR_DTYPE_F32, 2, {2, 3}, ONR_STATUS_SHAPE},
      {{.axis = 1, .block_size = -1}, ONR_DTYPE_U8, ONR_DTYPE_F32, 0, {0}, ONR_STATUS_ATTRIBUTE},
      {{.axis = 1}, ONR_DTYPE_I64, ONR_DTYPE_F32, 0, {0}, ONR_STATUS_TYPE},
      {{.axis = 1}, ONR_DTYPE_U8, ONR_DTYPE_I64, 0, {0}, ONR_STATUS_TYPE},
      {{.axis = 1, .output_dtype = ONR_DTYPE_I8}, ONR_DTYPE_U8, ONR_DTYPE_F32, 0, {0}, ONR_STATUS_TYPE},
  };
  const float x[12] = {1, 1, 1, 1, 1, 1}; /* enough for six elements of 8 bytes */
  for (size_t k = 0; k < COUNT(wrong); k++) {
    struct layer_test t = {.layer = &onri_layer_dequantize_linear, .params = &wrong[k].params, .num_out = 1};
    layer_test_input(&t, wrong[k].x, 2, (int64_t[]){2, 3}, x);
    layer_test_input(&t, wrong[k].scale, wrong[k].scale_rank, wrong[k].scale_dim, x);
    assert_int_equal(layer_test_run(&t), wrong[k].status);
    layer_test_clear(&t);
  }
}

static void check_dynamic(const float *x, size_t count, enum onr_backend backend) {
  struct layer_test t = {.layer = &onri_layer_dynamic_quantize_linear, .backend = backend, .num_out = 3, .threads = 2};
  float least = 0, greatest = 0;
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){(int64_t)count}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  for (size_t i = 0; i < count; i++) {
    least = fminf(least, x[i]);
    greatest = fmaxf(greatest, x[i]);
  }
  const float scale = (least == greatest ? 1.0f : greatest - least) / 255.0f;
  const double zero = fmin(fmax(rint(-(double)least / (double)scale), 0), 255);
  assert_true(*(const float *)t.out[1].data == scale);
  assert_int_equal(*(const uint8_t *)t.out[2].data, (int)zero);
  for (size_t i = 0; i < count; i++) {
    const double quotient = (double)x[i] / (double)scale;
    if (fabs(quotient - floor(quotient) - 0.5) < 1e-4) continue; /* a tie may fall to either side in float32 */
    assert_int_equal(((const uint8_t *)t.out[0].data)[i], (int)fmin(fmax(rint(quotient) + zero, 0), 255));
  }
  layer_test_clear(&t);
}

static void test_dynamic(void **state) {
  (void)state;
  static float x[CAPACITY];
  static const float range[][2] = {{-3, 5}, {1, 9}, {-7, -2}, {0, 0}};
  static const size_t counts[] = {0, 1, 31, 33, 1000, CAPACITY};
  for (size_t r = 0; r < COUNT(range); r++)
    for (size_t c = 0; c < COUNT(counts); c++)
      for (size_t b = 0; b < COUNT(backends); b++) {
        fill_random(x, counts[c], range[r][0], range[r][1], (uint32_t)c + 5);
        check_dynamic(x, counts[c], backends[b]);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_grid_and_type),
      cmocka_unit_test(test_scale_zero_and_nan),
      cmocka_unit_test(test_float8_float4_and_half),
      cmocka_unit_test(test_dequantize_other_types),
      cmocka_unit_test(test_wrong_calls),
      cmocka_unit_test(test_dynamic),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
