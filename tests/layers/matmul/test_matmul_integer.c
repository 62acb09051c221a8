/* matmul_integer and qlinear_matmul against integer loops. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { CAPACITY = 100000 };
static uint8_t a[CAPACITY], b[CAPACITY], a_zero[CAPACITY], b_zero[CAPACITY];
static float a_scale[CAPACITY], b_scale[CAPACITY];

static void fill_bytes(uint8_t *x, size_t count, uint32_t seed) {
  static float values[CAPACITY];
  fill_random(values, count, 0.0f, 255.99f, seed);
  for (size_t i = 0; i < count; i++) x[i] = (uint8_t)values[i];
}

static int value(enum onr_dtype dtype, uint8_t bits) { return dtype == ONR_DTYPE_U8 ? bits : (int8_t)bits; }

struct setup {
  size_t batch, m, k, n;
  enum onr_dtype a, b;
  int zeros, per_row, per_column, b_is_matrix;
};

static int64_t sum_of(const struct setup *s, size_t batch, size_t i, size_t j) {
  int64_t sum = 0;
  const int za = s->zeros ? value(s->a, a_zero[s->per_row ? i : 0]) : 0,
            zb = s->zeros ? value(s->b, b_zero[s->per_column ? j : 0]) : 0;
  for (size_t p = 0; p < s->k; p++)
    sum += (value(s->a, a[(batch * s->m + i) * s->k + p]) - za) *
           (value(s->b, b[((s->b_is_matrix ? 0 : batch) * s->k + p) * s->n + j]) - zb);
  return sum;
}

static void add_operand(struct layer_test *t, enum onr_dtype dtype, int matrix, size_t batch, size_t rows,
                        size_t columns, const uint8_t *x) {
  const int64_t dims[] = {(int64_t)batch, (int64_t)rows, (int64_t)columns};
  layer_test_input(t, dtype, matrix ? 2 : 3, dims + matrix, x);
}

static void prepare(void) {
  fill_bytes(a, CAPACITY, 1);
  fill_bytes(b, CAPACITY, 2);
  fill_bytes(a_zero, CAPACITY, 3);
  fill_bytes(b_zero, CAPACITY, 4);
  fill_random(a_scale, CAPACITY, 0.001f, 0.01f, 5);
  fill_random(b_scale, CAPACITY, 0.001f, 0.01f, 6);
}

static void check_integer(struct setup s, uint32_t threads) {
  const int64_t rows = (int64_t)s.m, columns = (int64_t)s.n;
  struct layer_test t = {.layer = &onri_layer_matmul_integer, .num_out = 1, .threads = threads};
  prepare();
  add_operand(&t, s.a, 0, s.batch, s.m, s.k, a);
  add_operand(&t, s.b, s.b_is_matrix, s.batch, s.k, s.n, b);
  if (s.zeros) {
    layer_test_input(&t, s.a, s.per_row, &rows, a_zero);
    layer_test_input(&t, s.b, s.per_column, &columns, b_zero);
  }
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.dtype, ONR_DTYPE_I32);
  for (size_t batch = 0; batch < s.batch; batch++)
    for (size_t i = 0; i < s.m; i++)
      for (size_t j = 0; j < s.n; j++)
        assert_int_equal(((const int32_t *)t.out[0].data)[(batch * s.m + i) * s.n + j], sum_of(&s, batch, i, j));
  layer_test_clear(&t);
}

static void test_matmul_integer(void **unused) {
  (void)unused;
  for (int flags = 0; flags < 64; flags++)
    check_integer(
        (struct setup){2, 5, 9, 7, flags & 1 ? ONR_DTYPE_I8 : ONR_DTYPE_U8, flags & 2 ? ONR_DTYPE_I8 : ONR_DTYPE_U8,
                       flags >> 2 & 1, flags >> 3 & 1, flags >> 4 & 1, flags >> 5},
        1 + (uint32_t)(flags & 1));
  check_integer((struct setup){1, 35, 700, 140, ONR_DTYPE_U8, ONR_DTYPE_I8, 1, 0, 1, 1}, 2);
  check_integer((struct setup){1, 3, 0, 4, ONR_DTYPE_U8, ONR_DTYPE_I8, 0, 0, 0, 1}, 1);
  check_integer((struct setup){1, 3, 0, 4, ONR_DTYPE_U8, ONR_DTYPE_I8, 1, 0, 1, 1}, 1);
  check_integer((struct setup){2, 0, 3, 4, ONR_DTYPE_U8, ONR_DTYPE_I8, 0, 0, 0, 0}, 1);
}

static void test_extreme_sums_are_exact(void **unused) {
  const struct setup s = {1, 2, 1000, 2, ONR_DTYPE_U8, ONR_DTYPE_U8, 0, 0, 0, 1};
  struct layer_test t = {.layer = &onri_layer_matmul_integer, .num_out = 1};
  (void)unused;
  memset(a, 255, sizeof(a));
  memset(b, 255, sizeof(b));
  add_operand(&t, s.a, 0, 1, 2, 1000, a);
  add_operand(&t, s.b, 1, 1, 1000, 2, b);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  for (int i = 0; i < 4; i++) assert_int_equal(((const int32_t *)t.out[0].data)[i], 65025000);
  layer_test_clear(&t);
}

static void check_quantised(struct setup s, enum onr_dtype y, float y_scale, uint8_t y_zero) {
  const int64_t rows[] = {(int64_t)s.m, 1}, columns = (int64_t)s.n;
  struct layer_test t = {.layer = &onri_layer_qlinear_matmul, .num_out = 1, .threads = 2};
  prepare();
  add_operand(&t, s.a, 0, s.batch, s.m, s.k, a);
  layer_test_input(&t, ONR_DTYPE_F32, s.per_row, rows, a_scale);
  layer_test_input(&t, s.a, s.per_row * 2, rows, a_zero);
  add_operand(&t, s.b, 1, 1, s.k, s.n, b);
  layer_test_input(&t, ONR_DTYPE_F32, s.per_column, &columns, b_scale);
  layer_test_input(&t, s.b, s.per_column, &columns, b_zero);
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &y_scale);
  layer_test_input(&t, y, 0, NULL, &y_zero);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.dtype, y);
  const int low = y == ONR_DTYPE_U8 ? 0 : -128, high = low + 255;
  int inside = 0;
  for (size_t batch = 0; batch < s.batch; batch++)
    for (size_t i = 0; i < s.m; i++)
      for (size_t j = 0; j < s.n; j++) {
        const double scale =
            (double)a_scale[s.per_row ? i : 0] * (double)b_scale[s.per_column ? j : 0] / (double)y_scale;
        const double real = nearbyint((double)sum_of(&s, batch, i, j) * scale) + value(y, y_zero);
        const int expected = (int)fmin(fmax(real, low), high);
        assert_int_equal(value(y, ((const uint8_t *)t.out[0].data)[(batch * s.m + i) * s.n + j]), expected);
        inside += expected > low && expected < high;
      }
  assert_true(inside > 0);
  layer_test_clear(&t);
}

static void test_qlinear_matmul(void **unused) {
  (void)unused;
  for (int flags = 0; flags < 16; flags++)
    check_quantised((struct setup){2, 6, 30, 9, ONR_DTYPE_U8, flags & 1 ? ONR_DTYPE_I8 : ONR_DTYPE_U8, 1,
                                   flags >> 1 & 1, flags >> 2 & 1, 1},
                    flags & 8 ? ONR_DTYPE_I8 : ONR_DTYPE_U8, 0.08f, 117);
}

/* Values that are exact in float8: only the result is rounded, and held at the largest value. */
static void test_qlinear_matmul_of_float8(void **unused) {
  static const float x[6] = {1, 2, -0.5f, 4, 0, 8}, w[6] = {3, -1, 0.25f, 2, 1, -6}, x_zero = 1, w_zero = -0.5f,
                     y_zero = 2;
  static const enum onr_dtype outputs[] = {ONR_DTYPE_F8E4M3FN, ONR_DTYPE_F8E5M2, ONR_DTYPE_I8};
  (void)unused;
  for (size_t o = 0; o < 3; o++)
    for (float y_scale = 0.001f; y_scale < 1; y_scale *= 100) {
      const float half = 0.5f, two = 2;
      uint8_t a8[6], b8[6], a8_zero, b8_zero, y8_zero, expected[4];
      for (size_t i = 0; i < 6; i++)
        a8[i] = onri_small_from_f32(ONR_DTYPE_F8E4M3FN, x[i], 1),
        b8[i] = onri_small_from_f32(ONR_DTYPE_F8E5M2, w[i], 1);
      a8_zero = onri_small_from_f32(ONR_DTYPE_F8E4M3FN, x_zero, 1),
      b8_zero = onri_small_from_f32(ONR_DTYPE_F8E5M2, w_zero, 1);
      y8_zero = outputs[o] == ONR_DTYPE_I8 ? 2 : onri_small_from_f32(outputs[o], y_zero, 1);
      for (size_t i = 0; i < 4; i++) {
        double sum = 0;
        for (size_t k = 0; k < 3; k++) sum += (double)((x[i / 2 * 3 + k] - x_zero) * (w[k * 2 + i % 2] - w_zero));
        const double real = sum / (double)y_scale; /* the scales 0.5 and 2 are 1 together */
        if (outputs[o] == ONR_DTYPE_I8) expected[i] = (uint8_t)(int8_t)fmin(fmax(nearbyint(real) + 2, -128), 127);
        else expected[i] = onri_small_from_f32(outputs[o], (float)real + y_zero, 1);
      }
      struct layer_test t = {.layer = &onri_layer_qlinear_matmul, .num_out = 1};
      layer_test_input(&t, ONR_DTYPE_F8E4M3FN, 2, (int64_t[]){2, 3}, a8);
      layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &half);
      layer_test_input(&t, ONR_DTYPE_F8E4M3FN, 0, NULL, &a8_zero);
      layer_test_input(&t, ONR_DTYPE_F8E5M2, 2, (int64_t[]){3, 2}, b8);
      layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &two);
      layer_test_input(&t, ONR_DTYPE_F8E5M2, 0, NULL, &b8_zero);
      layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &y_scale);
      layer_test_input(&t, outputs[o], 0, NULL, &y8_zero);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      assert_memory_equal(t.out[0].data, expected, 4);
      layer_test_clear(&t);
    }
}

static enum onr_status status_of(enum onr_dtype dtype, int64_t k_of_b, int64_t zeros) {
  static const uint8_t data[64];
  struct layer_test t = {.layer = &onri_layer_matmul_integer, .num_out = 1};
  layer_test_input(&t, dtype, 2, (int64_t[]){2, 3}, data);
  layer_test_input(&t, ONR_DTYPE_U8, 2, (int64_t[]){k_of_b, 4}, data);
  layer_test_input(&t, dtype, 1, &zeros, data);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_inputs(void **unused) {
  (void)unused;
  assert_int_equal(status_of(ONR_DTYPE_U8, 3, 1), ONR_STATUS_OK);
  assert_int_equal(status_of(ONR_DTYPE_U8, 2, 1), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_U8, 3, 3), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_I16, 3, 1), ONR_STATUS_TYPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_matmul_integer), cmocka_unit_test(test_extreme_sums_are_exact),
      cmocka_unit_test(test_qlinear_matmul), cmocka_unit_test(test_qlinear_matmul_of_float8),
      cmocka_unit_test(test_wrong_inputs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
