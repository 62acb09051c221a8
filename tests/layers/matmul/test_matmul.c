/* linear, matmul and gemm on both backends against sums in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "base/cpu.h"
#include "layers/layers.h"

enum { CAPACITY = 24000 };
static const enum onr_backend backends[] = {ONR_BACKEND_PORTABLE, ONR_BACKEND_AUTO};

struct product_case {
  int32_t rank_a, rank_b;
  int64_t a[4], b[4];
  int transpose_a, transpose_b, constant_b, bias; /* bias: 0 none, 1 [n], 2 [1], 3 [m, n], 4 [m, 1] (gemm) */
  float alpha, beta;
  struct onr_clamp clamp;
};

struct sizes {
  size_t m, n, k, batches, a_row, a_col, b_row, b_col;
};

static int64_t dim_back(const int64_t *dim, int32_t rank, int32_t back) { return rank >= back ? dim[rank - back] : 1; }

static struct sizes sizes_of(const struct product_case *c) {
  struct sizes s = {0};
  const int64_t a0 = c->rank_a == 1 ? 1 : dim_back(c->a, c->rank_a, 2), a1 = dim_back(c->a, c->rank_a, 1);
  const int64_t b0 = c->rank_b == 1 ? c->b[0] : dim_back(c->b, c->rank_b, 2);
  const int64_t b1 = c->rank_b == 1 ? 1 : dim_back(c->b, c->rank_b, 1);
  s.m = (size_t)(c->transpose_a ? a1 : a0);
  s.k = (size_t)(c->transpose_a ? a0 : a1);
  s.n = (size_t)(c->transpose_b ? b0 : b1);
  s.a_row = c->transpose_a ? 1 : (size_t)a1;
  s.a_col = c->transpose_a ? (size_t)a1 : 1;
  s.b_row = c->transpose_b ? 1 : (size_t)b1;
  s.b_col = c->transpose_b ? (size_t)b1 : 1;
  s.batches = 1;
  for (int32_t back = 3; back <= 4; back++) {
    const int64_t da = dim_back(c->a, c->rank_a, back), db = dim_back(c->b, c->rank_b, back);
    s.batches *= (size_t)(da > db ? da : db);
  }
  return s;
}

/* Which matrix of x batch number `batch` reads; the result's batch dims are those of rank 4 at most. */
static size_t matrix_index(const int64_t *dim, int32_t rank, const int64_t *other, int32_t other_rank, size_t batch) {
  const int64_t x3 = dim_back(dim, rank, 3), x4 = dim_back(dim, rank, 4), y3 = dim_back(other, other_rank, 3);
  const size_t inner = (size_t)(x3 > y3 ? x3 : y3), i4 = batch / inner, i3 = batch % inner;
  return (x4 == 1 ? 0 : i4) * (size_t)x3 + (x3 == 1 ? 0 : i3);
}

static void reference(const struct product_case *c, const float *a, const float *b, const float *bias, float *y) {
  const struct sizes s = sizes_of(c);
  for (size_t batch = 0; batch < s.batches; batch++) {
    const float *x = a + matrix_index(c->a, c->rank_a, c->b, c->rank_b, batch) * s.m * s.k;
    const float *w = b + matrix_index(c->b, c->rank_b, c->a, c->rank_a, batch) * s.k * s.n;
    for (size_t i = 0; i < s.m; i++)
      for (size_t j = 0; j < s.n; j++) {
        double sum = 0;
        for (size_t p = 0; p < s.k; p++)
          sum += (double)x[i * s.a_row + p * s.a_col] * (double)w[p * s.b_row + j * s.b_col];
        sum *= (double)c->alpha;
        const size_t at[] = {0, j, 0, i * s.n + j, i};
        if (c->bias) sum += (double)c->beta * (double)bias[at[c->bias]];
        if (c->clamp.enabled) sum = fmin(fmax(sum, (double)c->clamp.min), (double)c->clamp.max);
        y[(batch * s.m + i) * s.n + j] = (float)sum;
      }
  }
}

static void add(struct layer_test *t, int constant, int32_t rank, const int64_t *dims, const float *x) {
  if (constant) layer_test_constant(t, ONR_DTYPE_F32, rank, dims, x);
  else layer_test_input(t, ONR_DTYPE_F32, rank, dims, x);
}

static void check(const struct onr_layer *layer, const void *params, const struct product_case *c, uint32_t threads) {
  static float a[CAPACITY], b[CAPACITY], bias[CAPACITY], expected[CAPACITY];
  const struct sizes s = sizes_of(c);
  const int64_t bias_dims[][2] = {{0}, {(int64_t)s.n}, {1}, {(int64_t)s.m, (int64_t)s.n}, {(int64_t)s.m, 1}};
  fill_random(a, CAPACITY, -1.0f, 1.0f, 1);
  fill_random(b, CAPACITY, -1.0f, 1.0f, 2);
  fill_random(bias, CAPACITY, -1.0f, 1.0f, 3);
  reference(c, a, b, bias, expected);
  for (int i = 0; i < 2; i++) {
    struct layer_test t = {.layer = layer, .params = params, .backend = backends[i], .num_out = 1, .threads = threads};
    layer_test_input(&t, ONR_DTYPE_F32, c->rank_a, c->a, a);
    add(&t, c->constant_b, c->rank_b, c->b, b);
    if (c->bias) add(&t, c->constant_b, c->bias > 2 ? 2 : 1, bias_dims[c->bias], bias);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(onr_desc_elements(&t.out[0].desc), s.batches * s.m * s.n);
    assert_close(t.out[0].data, expected, s.batches * s.m * s.n, 1e-5, 1e-5);
    layer_test_clear(&t);
  }
}

static const struct onr_clamp no_clamp = {0, 0, 0}, relu = {1, 0.0f, INFINITY};

static void matmul_case(struct product_case c) {
  c.alpha = c.alpha == 0.0f ? 1.0f : c.alpha;
  c.beta = 1.0f;
  const struct onr_matmul_params params = {c.transpose_a, c.transpose_b, c.alpha, .clamp = c.clamp};
  for (uint32_t threads = 1; threads <= 2; threads++) check(&onri_layer_matmul, &params, &c, threads);
}

static void test_matmul_shapes(void **unused) {
  (void)unused;
  for (int constant = 0; constant <= 1; constant++)
    for (int bias = 0; bias <= 2; bias++) {
      matmul_case((struct product_case){2, 2, {5, 7}, {7, 3}, .constant_b = constant, .bias = bias});
      matmul_case((struct product_case){3, 2, {2, 5, 9}, {9, 17}, .constant_b = constant, .bias = bias, .clamp = relu});
      matmul_case((struct product_case){1, 2, {9}, {9, 17}, .constant_b = constant, .bias = bias});
      matmul_case((struct product_case){2, 1, {5, 9}, {9}, .constant_b = constant, .bias = bias == 2});
      matmul_case((struct product_case){2, 2, {5, 7}, {3, 7}, .transpose_b = 1, .constant_b = constant, .bias = bias});
      matmul_case(
          (struct product_case){3, 3, {3, 6, 65}, {3, 65, 33}, .constant_b = constant, .bias = bias, .alpha = 0.5f});
      matmul_case((struct product_case){4, 3, {2, 3, 4, 5}, {3, 5, 6}, .constant_b = constant, .bias = bias});
      matmul_case((struct product_case){4, 4, {2, 1, 4, 5}, {1, 3, 5, 6}, .constant_b = constant, .bias = bias});
      matmul_case((struct product_case){2, 3, {4, 5}, {3, 5, 6}, .constant_b = constant, .bias = bias});
      matmul_case((struct product_case){
          3, 3, {3, 5, 4}, {3, 6, 5}, .transpose_a = 1, .transpose_b = 1, .constant_b = constant, .bias = bias});
    }
  matmul_case((struct product_case){1, 1, {9}, {9}, .alpha = 1.0f});
  matmul_case((struct product_case){2, 2, {70, 300}, {300, 20}, .constant_b = 1, .bias = 1, .clamp = {1, -0.5f, 0.5f}});
  matmul_case((struct product_case){2, 2, {3, 0}, {0, 4}, .bias = 1});
  matmul_case((struct product_case){2, 2, {0, 3}, {3, 4}, .constant_b = 1});
}

static void test_gemm(void **unused) {
  (void)unused;
  for (int flags = 0; flags < 8; flags++)
    for (int bias = 0; bias <= 4; bias++)
      for (int scaled = 0; scaled <= 1; scaled++) {
        const int ta = flags & 1, tb = flags >> 1 & 1, constant = flags >> 2;
        struct product_case c = {2,
                                 2,
                                 {ta ? 11 : 13, ta ? 13 : 11},
                                 {tb ? 19 : 11, tb ? 11 : 19},
                                 ta,
                                 tb,
                                 constant,
                                 bias,
                                 scaled ? 0.25f : 1.0f,
                                 scaled ? 2.0f : 1.0f,
                                 scaled ? no_clamp : relu};
        const struct onr_gemm_params params = {c.alpha, c.beta, ta, tb, .clamp = c.clamp};
        check(&onri_layer_gemm, &params, &c, 1);
      }
}

static void test_linear(void **unused) {
  (void)unused;
  for (int transposed = 0; transposed <= 1; transposed++)
    for (int constant = 0; constant <= 1; constant++) {
      struct product_case c = {3,    2,           {2, 3, 11}, {transposed ? 11 : 21, transposed ? 21 : 11},
                               0,    !transposed, constant,   1,
                               1.0f, 1.0f,        relu};
      const struct onr_linear_params params = {transposed, .clamp = c.clamp};
      check(&onri_layer_linear, &params, &c, 2);
    }
}

/* What our own vectors do where they are the fastest. */
static void test_constant_weights_are_absorbed(void **unused) {
  (void)unused;
  enum { OUT = 96 };
  const float x[4] = {1, 2, 3, 4};
  float w[OUT * 2], b[OUT], expected[2 * OUT];
  const struct onr_linear_params params = {.weight_transposed = 0};
  const uint64_t packed_inputs[] = {0, 2};
  for (int j = 0; j < OUT; j++) {
    w[2 * j] = (float)(j % 3), w[2 * j + 1] = (float)(j % 2), b[j] = (float)(10 * j);
    for (int r = 0; r < 2; r++) expected[r * OUT + j] = x[2 * r] * w[2 * j] + x[2 * r + 1] * w[2 * j + 1] + b[j];
  }
  for (int i = 0; i < 2; i++) {
    struct layer_test t = {.layer = &onri_layer_linear, .params = &params, .backend = backends[i], .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x);
    layer_test_constant(&t, ONR_DTYPE_F32, 2, (int64_t[]){OUT, 2}, w);
    layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){OUT}, b);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    if (onri_cpu_level() != ONRI_CPU_BASE) assert_int_equal(t.packed_inputs, packed_inputs[i]);
    assert_memory_equal(t.out[0].data, expected, sizeof(expected));
    layer_test_clear(&t);
  }
}

static void test_integers_wrap(void **unused) {
  (void)unused;
  const int64_t a[4] = {INT64_MAX, 2, -3, 4}, b[2] = {2, 5};
  const struct onr_matmul_params params = {0};
  struct layer_test t = {.layer = &onri_layer_matmul, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_I64, 2, (int64_t[]){2, 2}, a);
  layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){2}, b);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  const int64_t expected[2] = {8, 14}; /* 2 (2^63 - 1) + 10 = 8 modulo 2^64 */
  assert_memory_equal(t.out[0].data, expected, sizeof(expected));
  layer_test_clear(&t);
  const int32_t small_a[4] = {1, -2, 3, 4}, small_b[4] = {5, 6, 7, -8}, c[2] = {100, 200};
  const struct onr_gemm_params gemm = {.alpha = 2.0f, .beta = 1.0f};
  struct layer_test u = {.layer = &onri_layer_gemm, .params = &gemm, .num_out = 1};
  layer_test_input(&u, ONR_DTYPE_I32, 2, (int64_t[]){2, 2}, small_a);
  layer_test_input(&u, ONR_DTYPE_I32, 2, (int64_t[]){2, 2}, small_b);
  layer_test_input(&u, ONR_DTYPE_I32, 1, (int64_t[]){2}, c);
  assert_int_equal(layer_test_run(&u), ONR_STATUS_OK);
  const int32_t expected32[4] = {82, 244, 186, 172};
  assert_memory_equal(u.out[0].data, expected32, sizeof(expected32));
  layer_test_clear(&u);
  /* The sum of both parts is truncated, not each of them: 0.25 {-9, 22, 43, -14} + 0.35 {100, 200}, then in bits of
   * int32. */
  const struct onr_gemm_params parts = {.alpha = 0.25f, .beta = 0.35f};
  struct layer_test v = {.layer = &onri_layer_gemm, .params = &parts, .num_out = 1};
  layer_test_input(&v, ONR_DTYPE_I32, 2, (int64_t[]){2, 2}, small_a);
  layer_test_input(&v, ONR_DTYPE_I32, 2, (int64_t[]){2, 2}, small_b);
  layer_test_input(&v, ONR_DTYPE_I32, 1, (int64_t[]){2}, c);
  assert_int_equal(layer_test_run(&v), ONR_STATUS_OK);
  assert_memory_equal(v.out[0].data, ((int32_t[]){32, 75, 45, 66}), 16);
  layer_test_clear(&v);
}

static void test_narrow_floats_and_double(void **unused) {
  (void)unused;
  const float a[6] = {1, 2, 3, -4, 5, 6}, b[6] = {0.5f, 1, -1, 2, 4, 0.25f}, expected[4] = {10.5f, 5.75f, 17, 7.5f};
  const enum onr_dtype dtypes[] = {ONR_DTYPE_F16, ONR_DTYPE_BF16};
  const struct onr_matmul_params params = {0};
  for (int i = 0; i < 8; i++) {
    uint16_t narrow_a[6], narrow_b[6];
    float y[4];
    const enum onr_dtype dtype = dtypes[i & 1];
    onri_store(dtype, a, 6, narrow_a);
    onri_store(dtype, b, 6, narrow_b);
    struct layer_test t = {
        .layer = &onri_layer_matmul, .params = &params, .num_out = 1, .backend = backends[i >> 1 & 1]};
    layer_test_input(&t, dtype, 2, (int64_t[]){2, 3}, narrow_a);
    if (i & 4) layer_test_constant(&t, dtype, 2, (int64_t[]){3, 2}, narrow_b);
    else layer_test_input(&t, dtype, 2, (int64_t[]){3, 2}, narrow_b);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    onri_load(dtype, t.out[0].data, 4, y);
    assert_close(y, expected, 4, 0, 0);
    layer_test_clear(&t);
  }
  const double x[3] = {1, 1e-12, 1}, w[3] = {1, 1, -1};
  struct layer_test t = {.layer = &onri_layer_matmul, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F64, 1, (int64_t[]){3}, x);
  layer_test_input(&t, ONR_DTYPE_F64, 1, (int64_t[]){3}, w);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.rank, 0);
  assert_true(fabs(*(const double *)t.out[0].data - 1e-12) < 1e-15);
  layer_test_clear(&t);
}

static enum onr_status shape_status(const struct onr_layer *layer, const void *params, int32_t rank_a, const int64_t *a,
                                    int32_t rank_b, const int64_t *b, int32_t rank_c, const int64_t *c) {
  static const float data[256];
  struct layer_test t = {.layer = layer, .params = params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, rank_a, a, data);
  layer_test_input(&t, ONR_DTYPE_F32, rank_b, b, data);
  if (c) layer_test_input(&t, ONR_DTYPE_F32, rank_c, c, data);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_shapes(void **unused) {
  (void)unused;
  const struct onr_matmul_params matmul = {0};
  const struct onr_gemm_params gemm = {.alpha = 1.0f, .beta = 1.0f};
  const int64_t a[] = {2, 3}, b[] = {4, 5}, b3[] = {3, 5}, c[] = {3, 5}, batch2[] = {2, 2, 3}, batch3[] = {3, 3, 2};
  assert_int_equal(shape_status(&onri_layer_matmul, &matmul, 2, a, 2, b, 0, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(shape_status(&onri_layer_matmul, &matmul, 0, a, 2, b, 0, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(shape_status(&onri_layer_matmul, &matmul, 3, batch2, 3, batch3, 0, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(shape_status(&onri_layer_matmul, &matmul, 2, a, 2, b3, 1, a), ONR_STATUS_SHAPE);
  assert_int_equal(shape_status(&onri_layer_gemm, &gemm, 2, a, 2, b3, 2, c), ONR_STATUS_SHAPE);
  assert_int_equal(shape_status(&onri_layer_gemm, &gemm, 3, batch2, 2, b3, 0, NULL), ONR_STATUS_SHAPE);
}

/* What is added to the product has its shape; integers have nothing behind it. */
static void test_wrong_endings(void **unused) {
  (void)unused;
  static const float data[64];
  const struct onr_matmul_params plain = {0}, active = {.tail = {1, {ONR_UNARY_TANH, 0, 0}}};
  const enum onr_status expected[] = {ONR_STATUS_OK, ONR_STATUS_SHAPE, ONR_STATUS_TYPE, ONR_STATUS_TYPE};
  for (int i = 0; i < 4; i++) {
    const enum onr_dtype dtype = i < 2 ? ONR_DTYPE_F32 : ONR_DTYPE_I32;
    struct layer_test t = {.layer = &onri_layer_matmul, .params = i == 3 ? &active : &plain, .num_out = 1};
    layer_test_input(&t, dtype, 2, (int64_t[]){2, 3}, data);
    layer_test_input(&t, dtype, 2, (int64_t[]){3, 5}, data);
    layer_test_input(&t, dtype, 0, NULL, NULL);
    if (i < 3) layer_test_input(&t, dtype, 2, (int64_t[]){i == 1 ? 1 : 2, 5}, data);
    assert_int_equal(layer_test_run(&t), expected[i]);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_matmul_shapes), cmocka_unit_test(test_gemm),
      cmocka_unit_test(test_linear),        cmocka_unit_test(test_constant_weights_are_absorbed),
      cmocka_unit_test(test_integers_wrap), cmocka_unit_test(test_narrow_floats_and_double),
      cmocka_unit_test(test_wrong_shapes),  cmocka_unit_test(test_wrong_endings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
