/* head_matmul against its definition in double, with the roundings that it promises. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/cast.h"
#include "layers/layers.h"

enum { CAPACITY = 40000 };

struct setup {
  size_t batch, heads, kv_heads, m, n, k;
  struct onr_head_matmul_params params;
  enum onr_dtype a_dtype, b_dtype;
  uint32_t threads;
};

static double a[CAPACITY], b[CAPACITY], y[CAPACITY], found[CAPACITY];

static double rounded(enum onr_dtype dtype, double value) {
  char stored[8];
  onri_store_f64(dtype, &value, 1, stored);
  onri_load_f64(dtype, stored, 1, &value);
  return value;
}

static void add(struct layer_test *t, enum onr_dtype dtype, const int64_t *dims, double *values, uint32_t seed) {
  static float random[CAPACITY];
  static char raw[CAPACITY * 8];
  const struct onr_desc desc = onr_desc_make(dtype, 4, dims);
  const size_t count = (size_t)onr_desc_elements(&desc);
  fill_random(random, count, -1.0f, 1.0f, seed);
  for (size_t i = 0; i < count; i++) values[i] = rounded(dtype, (double)random[i]);
  onri_store_f64(dtype, values, count, raw);
  layer_test_input(t, dtype, 4, dims, raw);
}

static enum onr_dtype result_of(const struct setup *s) {
  if (!s->params.scores) return s->b_dtype;
  if (s->params.precision != ONR_DTYPE_NONE) return s->params.precision;
  return s->a_dtype == ONR_DTYPE_F64 ? ONR_DTYPE_F64 : ONR_DTYPE_F32;
}

static void reference(const struct setup *s) {
  const double scale = s->params.has_scale ? (double)s->params.scale : 1 / sqrt((double)s->k);
  const double root = s->params.scores ? rounded(s->a_dtype, (double)sqrtf((float)scale)) : 1;
  for (size_t i = 0; i < s->batch * s->heads * s->m * s->n; i++) {
    const size_t column = i % s->n, row = i / s->n, head = row / s->m / (s->heads / s->kv_heads);
    double sum = 0;
    for (size_t e = 0; e < s->k; e++) {
      const double of_b = b[head * s->k * s->n + (s->params.scores ? column * s->k + e : e * s->n + column)];
      sum += rounded(s->a_dtype, a[row * s->k + e] * root) * rounded(s->a_dtype, rounded(s->a_dtype, of_b) * root);
    }
    y[i] = rounded(result_of(s), rounded(s->a_dtype, sum));
  }
}

static void check(struct setup s) {
  const int64_t batch = (int64_t)s.batch, m = (int64_t)s.m, n = (int64_t)s.n, k = (int64_t)s.k;
  struct layer_test t = {.layer = &onri_layer_head_matmul, .params = &s.params, .num_out = 1, .threads = s.threads};
  add(&t, s.a_dtype, (int64_t[]){batch, (int64_t)s.heads, m, k}, a, 1);
  add(&t, s.b_dtype,
      s.params.scores ? (int64_t[]){batch, (int64_t)s.kv_heads, n, k} : (int64_t[]){batch, (int64_t)s.kv_heads, k, n},
      b, 2);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  reference(&s);
  assert_int_equal(t.out[0].desc.dtype, result_of(&s));
  const size_t count = (size_t)onr_desc_elements(&t.out[0].desc);
  assert_int_equal(count, s.batch * s.heads * s.m * s.n);
  onri_load_f64(t.out[0].desc.dtype, t.out[0].data, count, found);
  /* sums of float32; where they are rounded further, one step */
  const int is_half = s.a_dtype == ONR_DTYPE_F16 || result_of(&s) == ONR_DTYPE_F16;
  const double tolerance = s.a_dtype == ONR_DTYPE_F64 && result_of(&s) == ONR_DTYPE_F64 ? 1e-13
                           : is_half                                                    ? 1.0 / 1024
                                                                                        : 3e-6;
  for (size_t i = 0; i < count; i++)
    if (!(fabs(found[i] - y[i]) <= tolerance * (1 + fabs(y[i]))))
      fail_msg("element %zu: expected %.9g, found %.9g", i, y[i], found[i]);
  layer_test_clear(&t);
}

static void test_products(void **unused) {
  const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16};
  (void)unused;
  for (int i = 0; i < 9; i++) {
    const enum onr_dtype one = types[i / 3], other = types[i % 3];
    for (uint32_t threads = 1; threads <= 2; threads++) {
      check((struct setup){2, 4, 2, 5, 7, 3, {.scores = 0}, one, other, threads});
      check((struct setup){2, 4, 1, 5, 7, 3, {.scores = 1, .precision = other}, one, one, threads});
      check((struct setup){1, 2, 2, 130, 33, 17, {.scores = 1, .has_scale = 1, .scale = 0.37f}, one, one, threads});
      check((struct setup){1, 3, 3, 70, 9, 20, {.scores = 0}, one, other, threads});
    }
  }
  check(
      (struct setup){1, 2, 1, 3, 4, 5, {.scores = 1, .has_scale = 1, .scale = 0.0f}, ONR_DTYPE_F32, ONR_DTYPE_F32, 1});
  check((struct setup){1, 2, 1, 3, 4, 0, {.scores = 0}, ONR_DTYPE_F32, ONR_DTYPE_F32, 1});
  check((struct setup){1, 2, 1, 0, 4, 5, {.scores = 1}, ONR_DTYPE_F32, ONR_DTYPE_F32, 1});
}

static enum onr_status status_of(int scores, float scale, const int64_t *b_dims, const int64_t *like) {
  const struct onr_head_matmul_params params = {.scores = scores, .has_scale = 1, .scale = scale};
  static const float x[512];
  struct layer_test t = {.layer = &onri_layer_head_matmul, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){2, 4, 3, 8}, x);
  layer_test_input(&t, ONR_DTYPE_F32, 4, b_dims, x);
  if (like) layer_test_input(&t, ONR_DTYPE_F32, 4, like, x);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_shapes(void **unused) {
  const int64_t keys[] = {2, 2, 5, 8}, heads[] = {2, 3, 5, 8}, none[] = {2, 0, 5, 8}, batch[] = {1, 2, 5, 8},
                values[] = {2, 2, 8, 5};
  const int64_t like[] = {2, 4, 3, 1}, rows[] = {2, 4, 2, 1};
  (void)unused;
  assert_int_equal(status_of(1, 1.0f, keys, NULL), ONR_STATUS_OK);
  assert_int_equal(status_of(1, -1.0f, keys, NULL), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(1, NAN, keys, NULL), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(1, 1.0f, heads, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(1, 1.0f, none, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(1, 1.0f, batch, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(1, 1.0f, values, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(0, 1.0f, values, like), ONR_STATUS_OK);
  assert_int_equal(status_of(0, 1.0f, values, rows), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_products),
      cmocka_unit_test(test_wrong_shapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
