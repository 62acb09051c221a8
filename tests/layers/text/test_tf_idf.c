/* tf_idf: expected values are those of ONNX Runtime. */
#include <string.h>

#include "support/layer_test.h"

#include "layers/layers.h"

#define S(text) \
  { text, sizeof(text) - 1 }

static void expect_floats(const struct onr_tensor *y, const float *expected, size_t count) {
  assert_int_equal(onr_desc_elements(&y->desc), count);
  assert_memory_equal(y->data, expected, count * sizeof(*expected));
}

static const float some_weights[] = {0.5f, 2.0f, 3.0f, 0.25f, 8.0f};
static const int64_t some_starts[] = {0, 2, 6}, some_columns[] = {1, 5, 0, 2, 4},
                     some_pool[] = {2, 5, 2, 3, 3, 2, 2, 2, 2};
static const struct onr_tf_idf_params some = {.min_length = 1,
                                              .max_length = 3,
                                              .max_skips = 1,
                                              .starts = some_starts,
                                              .num_lengths = 3,
                                              .columns = some_columns,
                                              .weights = some_weights,
                                              .num_grams = 5,
                                              .pool_ints = some_pool,
                                              .pool_size = 9};

static void test_rows_of_integers(void **unused) {
  (void)unused;
  static const float expected[3][12] = {[ONR_TF_IDF_COUNT] = {2, 3, 2, 0, 0, 1, 0, 3, 2, 0, 1, 2},
                                        [ONR_TF_IDF_FOUND] = {3, 0.5f, 0.25f, 0, 0, 2, 0, 0.5f, 0.25f, 0, 8, 2},
                                        [ONR_TF_IDF_BOTH] = {6, 1.5f, 0.5f, 0, 0, 2, 0, 1.5f, 0.5f, 0, 8, 4}};
  const int32_t narrow[] = {2, 3, 2, 3, 5, 2, 5, 5, 3, 2, 2, 2};
  const int64_t wide[] = {2, 3, 2, 3, 5, 2, 5, 5, 3, 2, 2, 2};
  for (int mode = 0; mode < 3; mode++)
    for (int w = 0; w < 2; w++) {
      struct onr_tf_idf_params params = some;
      params.mode = (enum onr_tf_idf_mode)mode;
      struct layer_test t = {.layer = &onri_layer_tf_idf, .params = &params, .num_out = 1, .threads = 2};
      layer_test_input(&t, w ? ONR_DTYPE_I64 : ONR_DTYPE_I32, 2, (int64_t[]){2, 6}, w ? (const void *)wide : narrow);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      expect_floats(&t.out[0], expected[mode], 12);
      layer_test_clear(&t);
    }
}

static void test_strings(void **unused) {
  (void)unused;
  static const float expected[3][2] = {{1, 3}, {3, 2}, {3, 6}};
  const struct onr_string x[] = {S("b"), S("ab"), S(""), S("b"), S("ab")},
                          pool[] = {S("b"), S("b"), S("ab"), S(""), S("ab")};
  for (int mode = 0; mode < 3; mode++) {
    const struct onr_tf_idf_params params = {.mode = (enum onr_tf_idf_mode)mode,
                                             .min_length = 2,
                                             .max_length = 2,
                                             .max_skips = 3,
                                             .starts = (const int64_t[]){0, 1},
                                             .num_lengths = 2,
                                             .columns = (const int64_t[]){0, 1, 0},
                                             .weights = (const float[]){1, 2, 3},
                                             .num_grams = 3,
                                             .pool_strings = pool,
                                             .pool_size = 5};
    struct layer_test t = {.layer = &onri_layer_tf_idf, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){5}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    expect_floats(&t.out[0], expected[mode], 2);
    layer_test_clear(&t);
  }
}

static void test_tokens_of_another_type_are_never_found(void **unused) {
  (void)unused;
  static const float nothing[6];
  const struct onr_string x[] = {S("2"), S("3")};
  struct layer_test t = {.layer = &onri_layer_tf_idf, .params = &some, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){2}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  expect_floats(&t.out[0], nothing, 6);
  layer_test_clear(&t);
}

static void expect_status(const struct onr_tf_idf_params *params, enum onr_status status) {
  const int64_t x[] = {2, 3};
  struct layer_test t = {.layer = &onri_layer_tf_idf, .params = params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){2}, x);
  assert_int_equal(layer_test_run(&t), status);
  layer_test_clear(&t);
}

#define EXPECT(status, ...)                 \
  do {                                      \
    struct onr_tf_idf_params p = some;      \
    __VA_ARGS__;                            \
    expect_status(&p, ONR_STATUS_##status); \
  } while (0)

static void test_wrong_parameters(void **unused) {
  (void)unused;
  EXPECT(OK, (void)0);
  EXPECT(OK, p.max_skips = INT64_MAX);
  EXPECT(ATTRIBUTE, p.mode = (enum onr_tf_idf_mode)3);
  EXPECT(ATTRIBUTE, p.min_length = 0);
  EXPECT(ATTRIBUTE, p.min_length = 4, p.max_length = 3);
  EXPECT(ATTRIBUTE, p.max_length = 4);
  EXPECT(ATTRIBUTE, p.max_skips = -1);
  EXPECT(ATTRIBUTE, p.num_grams = 4);
  EXPECT(ATTRIBUTE, p.pool_size = 8);
  EXPECT(ATTRIBUTE, p.pool_size = 5);
  EXPECT(ATTRIBUTE, p.starts = ((const int64_t[]){0, 6, 2}));
  EXPECT(ATTRIBUTE, p.starts = ((const int64_t[]){-1, 2, 6}));
  EXPECT(ATTRIBUTE, p.columns = ((const int64_t[]){0, 1, -1, 2, 3}));
  EXPECT(ATTRIBUTE, p.columns = ((const int64_t[]){0, 1, INT64_MAX, 2, 3}));
  EXPECT(LIMIT, p.columns = ((const int64_t[]){0, 1, INT64_MAX - 1, 2, 3}));
  EXPECT(ATTRIBUTE, p.pool_ints = ((const int64_t[]){2, 5, 2, 3, 2, 3, 2, 2, 2})); /* a bigram twice */
}

/* 2^20 tokens with pairs at every distance are 2^40 tokens to look at. */
static void test_bounded_work(void **unused) {
  (void)unused;
  enum { COUNT = 1 << 20 };
  struct onr_tf_idf_params params = some;
  params.max_skips = INT64_MAX;
  int64_t *x = test_calloc(COUNT, sizeof(*x));
  struct layer_test t = {.layer = &onri_layer_tf_idf, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){COUNT}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_LIMIT);
  layer_test_clear(&t);
  test_free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows_of_integers), cmocka_unit_test(test_strings),
                                     cmocka_unit_test(test_tokens_of_another_type_are_never_found),
                                     cmocka_unit_test(test_wrong_parameters), cmocka_unit_test(test_bounded_work)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
