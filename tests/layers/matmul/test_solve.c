/* solve: right-hand sides are made from known solutions, A X in double */
#include "tests/support/layer_test.h"

#include "layers/layers.h"

enum { MOST = 2048 };

/* b = A x, or A^T x, for one matrix. */
static void multiply(const float *a, const float *x, float *b, int n, int k, int transposed) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < k; j++) {
      double sum = 0;
      for (int l = 0; l < n; l++) sum += (double)(transposed ? a[l * n + i] : a[i * n + l]) * x[l * k + j];
      b[i * k + j] = (float)sum;
    }
}

/* Random, with a diagonal that keeps them far from singular, in an order that needs row exchanges. */
static void fill_matrices(float *a, int count, int n, uint32_t seed) {
  fill_random(a, (size_t)(count * n * n), -1, 1, seed);
  for (int m = 0; m < count; m++)
    for (int i = 0; i < n; i++) a[(m * n + i) * n + (i + 1) % n] += i % 2 ? (float)n : (float)-n;
}

struct sides {
  int32_t rank_a, rank_b;
  int64_t a[4], b[4];      /* dimensions */
  int num_a, num_b, num_x; /* matrices */
};

static const struct sides cases[] = {
    {2, 1, {5, 5}, {5}, 1, 1, 1},       {2, 2, {7, 7}, {7, 3}, 1, 1, 1},    {3, 3, {3, 4, 4}, {3, 4, 2}, 3, 3, 3},
    {2, 3, {4, 4}, {3, 4, 2}, 1, 3, 3}, {3, 2, {2, 4, 4}, {4, 2}, 2, 1, 2}, {3, 1, {2, 4, 4}, {4}, 2, 1, 2},
    {2, 2, {1, 1}, {1, 4}, 1, 1, 1},    {2, 2, {0, 0}, {0, 4}, 1, 1, 1},    {2, 2, {4, 4}, {4, 0}, 1, 1, 1}};

/* Where B is shared, so is X: all matrices are one then. */
static void check_sides(const struct sides *c, int transposed, int constant) {
  const int n = (int)c->a[c->rank_a - 1], k = c->rank_b == 1 ? 1 : (int)c->b[c->rank_b - 1];
  const struct onr_solve_params params = {.transpose_a = transposed};
  float a[MOST], x[MOST], b[MOST];
  fill_matrices(a, c->num_a, n, 3);
  for (int m = 1; m < c->num_a && c->num_b == 1; m++)
    for (int i = 0; i < n * n; i++) a[m * n * n + i] = a[i];
  fill_random(x, (size_t)(c->num_x * n * k), -2, 2, 4);
  for (int m = 1; m < c->num_x && c->num_b == 1; m++)
    for (int i = 0; i < n * k; i++) x[m * n * k + i] = x[i];
  for (int m = 0; m < c->num_b; m++) multiply(a + m % c->num_a * n * n, x + m * n * k, b + m * n * k, n, k, transposed);
  struct layer_test t = {.layer = &onri_layer_solve, .params = &params, .num_out = 1};
  (constant ? layer_test_constant : layer_test_input)(&t, ONR_DTYPE_F32, c->rank_a, c->a, a);
  layer_test_input(&t, ONR_DTYPE_F32, c->rank_b, c->b, b);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), c->num_x * n * k);
  assert_close(t.out[0].data, x, (size_t)(c->num_x * n * k), 1e-4, 1e-5);
  layer_test_clear(&t);
}

static void finds_what_was_multiplied(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    for (int flags = 0; flags < 4; flags++) check_sides(&cases[i], flags & 1, flags >> 1);
}

static void inverts(void **state) {
  enum { N = 6, COUNT = 3 };
  const struct onr_solve_params params = {0};
  float a[COUNT * N * N], unit[COUNT * N * N] = {0}, product[COUNT * N * N];
  (void)state;
  fill_matrices(a, COUNT, N, 9);
  struct layer_test t = {.layer = &onri_layer_solve, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){COUNT, N, N}, a);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  for (int m = 0; m < COUNT; m++) {
    multiply(a + m * N * N, (const float *)t.out[0].data + m * N * N, product + m * N * N, N, N, 0);
    for (int i = 0; i < N; i++) unit[(m * N + i) * N + i] = 1;
  }
  assert_close(product, unit, COUNT * N * N, 1e-5, 1e-5);
  layer_test_clear(&t);
}

static enum onr_status status_of(enum onr_dtype dtype_b, const int64_t *a_dims, const float *a, int32_t b_rank,
                                 const int64_t *b_dims) {
  static const float b[MOST];
  const struct onr_solve_params params = {0};
  struct layer_test t = {.layer = &onri_layer_solve, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, a_dims, a);
  layer_test_input(&t, dtype_b, b_rank, b_dims, b);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void refuses(void **state) {
  const int64_t square[2] = {2, 2}, flat[2] = {2, 3}, two[1] = {2}, three[1] = {3};
  const float singular[4] = {1, 2, 2, 4}, zero[4] = {0}, wide[6] = {1, 0, 0, 0, 1, 0}, unit[4] = {1, 0, 0, 1};
  (void)state;
  assert_int_equal(status_of(ONR_DTYPE_F32, square, unit, 1, two), ONR_STATUS_OK);
  assert_int_equal(status_of(ONR_DTYPE_F32, square, singular, 1, two), ONR_STATUS_ARITHMETIC);
  assert_int_equal(status_of(ONR_DTYPE_F32, square, zero, 1, two), ONR_STATUS_ARITHMETIC);
  assert_int_equal(status_of(ONR_DTYPE_F32, flat, wide, 1, two), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_F32, square, unit, 1, three), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_F32, square, unit, 0, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_DTYPE_F64, square, unit, 1, two), ONR_STATUS_TYPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_multiplied), cmocka_unit_test(inverts),
                                     cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
