/* det against expansion by minors */
#include "tests/support/layer_test.h"

#include "layers/layers.h"

static double minors(const float *a, int n) {
  double sum = 0;
  if (n == 0) return 1;
  for (int skip = 0; skip < n; skip++) {
    float rest[16];
    int at = 0;
    for (int i = 1; i < n; i++)
      for (int j = 0; j < n; j++)
        if (j != skip) rest[at++] = a[i * n + j];
    sum += (skip % 2 ? -1 : 1) * (double)a[skip] * minors(rest, n - 1);
  }
  return sum;
}

static void batches_of_matrices(void **state) {
  (void)state;
  for (int n = 0; n <= 4; n++) {
    float x[3 * 16], expected[3];
    struct layer_test t = {.layer = &onri_layer_det, .num_out = 1};
    fill_random(x, (size_t)(3 * n * n), -2, 2, (uint32_t)n + 1);
    if (n == 3) x[0] = x[3] = 0; /* needs a row exchange */
    for (int b = 0; b < 3; b++) expected[b] = (float)minors(x + b * n * n, n);
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){3, n, n}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, expected, 3, 1e-5, 1e-5);
    layer_test_clear(&t);
  }
}

static void singular_and_not_square(void **state) {
  const float x[6] = {1, 2, 2, 4, 0, 0};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_det, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_close(t.out[0].data, (float[]){0}, 1, 0, 1e-6);
  layer_test_clear(&t);
  struct layer_test u = {.layer = &onri_layer_det, .num_out = 1};
  layer_test_input(&u, ONR_DTYPE_F32, 2, (int64_t[]){2, 3}, x);
  assert_int_equal(layer_test_run(&u), ONR_STATUS_SHAPE);
  layer_test_clear(&u);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(batches_of_matrices), cmocka_unit_test(singular_and_not_square)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
