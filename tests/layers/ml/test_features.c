/* Columns of tables and support vectors, worked out by hand, and shapes that do not fit. Results of onnx.reference and
 * ONNX Runtime are in tests/onnx/history/forms_ml.py. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "layers/layers.h"

static void scaled(void **state) {
  const int64_t x[] = {1000000001, 2, 5, 4};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_scale_features, .num_out = 1, .threads = 2};
  layer_test_input(&t, ONR_DTYPE_I64, 2, (int64_t[]){2, 2}, x);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){2}, (float[]){1e9f, 2});
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, (float[]){3});
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_close(t.out[0].data, (float[]){3, 0, -2999999985.0f, 6}, 4, 1e-7, 0);
  layer_test_clear(&t);
}

static void imputed(void **state) {
  const double x[] = {NAN, 1, 0, NAN}, nan = NAN, values[] = {7, -8}, expected[] = {7, 1, 0, -8};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_impute_features, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F64, 2, (int64_t[]){2, 2}, x);
  layer_test_input(&t, ONR_DTYPE_F64, 0, NULL, &nan);
  layer_test_input(&t, ONR_DTYPE_F64, 1, (int64_t[]){2}, values);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, expected, sizeof(expected));
  layer_test_clear(&t);
}

static void joined(void **state) {
  const int64_t widths[] = {1, 3};
  const struct onr_join_features_params params = {widths};
  const int32_t b[] = {5, 6, 7, 8};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_join_features, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, (float[]){1, 2, 3, 4});
  layer_test_input(&t, ONR_DTYPE_I32, 2, (int64_t[]){2, 2}, b);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_close(t.out[0].data, (float[]){1, 5, 6, 0, 3, 7, 8, 0}, 8, 0, 0);
  layer_test_clear(&t);
}

/* One row, one vector, nine features. */
static void kernels(void **state) {
  const float x[] = {1, 2, 0, 0, 0, 0, 0, 0, 3}, v[] = {1, 1, 0, 0, 0, 0, 0, 0, 1}; /* product 6, squared distance 5 */
  const struct {
    struct onr_svm_kernel_params params;
    double expected;
  } cases[] = {{{ONR_SVM_LINEAR, 0, 0, 0}, 6},
               {{ONR_SVM_POLY, 0.5f, 1, 2}, 16},
               {{ONR_SVM_RBF, 0.2f, 0, 0}, exp(-1.0)},
               {{ONR_SVM_SIGMOID, 0.25f, -1, 0}, tanh(0.5)}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const float expected = (float)cases[i].expected;
    struct layer_test t = {.layer = &onri_layer_svm_kernel, .params = &cases[i].params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){1, 9}, x);
    layer_test_constant(&t, ONR_DTYPE_F32, 2, (int64_t[]){1, 9}, v);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, &expected, 1, 1e-6, 0);
    layer_test_clear(&t);
  }
}

/* Three classes with a vector each. Pair (i, j): coefficient [j - 1][i] k_i + coefficient [i][j] k_j + rho. */
static enum onr_status vote(struct layer_test *t, const int64_t *per_class, int64_t pairs) {
  static const float kernel[] = {1, 2, 3}, coefficients[] = {1, -1, 0.5f, 2, 0, 1}, rho[] = {0.5f, -9, 0};
  static struct onr_svm_vote_params params;
  params = (struct onr_svm_vote_params){per_class, 3};
  *t = (struct layer_test){.layer = &onri_layer_svm_vote, .params = &params, .num_out = 2};
  layer_test_input(t, ONR_DTYPE_F32, 2, (int64_t[]){1, 3}, kernel);
  layer_test_input(t, ONR_DTYPE_F32, 2, (int64_t[]){2, 3}, coefficients);
  layer_test_input(t, ONR_DTYPE_F32, 1, &pairs, rho);
  return layer_test_run(t);
}

static void votes(void **state) {
  struct layer_test t;
  (void)state;
  assert_int_equal(vote(&t, (int64_t[]){1, 1, 1}, 3), ONR_STATUS_OK);
  assert_int_equal(((const int64_t *)t.out[0].data)[0], 1);
  assert_close(t.out[1].data, (float[]){-0.5f, -5.5f, 3}, 3, 1e-6, 1e-6); /* (0, 1) for 1, (0, 2) for 2, (1, 2) for 1 */
  layer_test_clear(&t);
  assert_int_equal(vote(&t, (int64_t[]){1, 1, 2}, 3), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
  assert_int_equal(vote(&t, (int64_t[]){INT64_MAX, INT64_MAX, 5}, 3), ONR_STATUS_ATTRIBUTE);
  layer_test_clear(&t);
  assert_int_equal(vote(&t, (int64_t[]){2, -1, 2}, 3), ONR_STATUS_ATTRIBUTE);
  layer_test_clear(&t);
  assert_int_equal(vote(&t, (int64_t[]){1, 1, 1}, 2), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
}

static void unfit(void **state) {
  const float three[] = {1, 2, 3};
  const int64_t widths[] = {-1};
  const struct onr_join_features_params negative = {widths};
  const struct onr_svm_kernel_params linear = {ONR_SVM_LINEAR, 0, 0, 0};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_scale_features, .num_out = 1}; /* three scales for two features */
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){1, 2}, three);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, three);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){3}, three);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
  struct layer_test u = {.layer = &onri_layer_join_features, .params = &negative, .num_out = 1};
  layer_test_input(&u, ONR_DTYPE_F32, 1, (int64_t[]){3}, three);
  assert_int_equal(layer_test_run(&u), ONR_STATUS_ATTRIBUTE);
  layer_test_clear(&u);
  struct layer_test v = {.layer = &onri_layer_svm_kernel, .params = &linear, .num_out = 1};
  layer_test_input(&v, ONR_DTYPE_F32, 1, (int64_t[]){3}, three);
  layer_test_constant(&v, ONR_DTYPE_F32, 2, (int64_t[]){1, 2}, three);
  assert_int_equal(layer_test_run(&v), ONR_STATUS_SHAPE);
  layer_test_clear(&v);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(scaled),  cmocka_unit_test(imputed), cmocka_unit_test(joined),
                                     cmocka_unit_test(kernels), cmocka_unit_test(votes),   cmocka_unit_test(unfit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
