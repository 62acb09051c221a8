/* Normalisations and softmax written out, and what only looks like them. */
#include "support/graph_test.h"

static int32_t binary(struct graph_test *t, enum onr_binary op, int32_t a, int32_t b) {
  return graph_test_binary(t, op, a, b);
}

static int32_t mean(struct graph_test *t, int32_t x) {
  return graph_test_reduce(t, ONR_REDUCE_MEAN, x, 1, (int64_t[]){-1}, 1);
}

static int32_t deviation(struct graph_test *t, int32_t squares) {
  return graph_test_unary(t, ONR_UNARY_SQRT, 0, 0,
                          binary(t, ONR_BINARY_ADD, mean(t, squares), graph_test_scalar(t, 1e-5f)));
}

static void test_layer_norm(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t x = graph_test_input(&t, 3, (int64_t[]){-1, 3, 8});
  const int32_t centred = binary(&t, ONR_BINARY_SUB, x, mean(&t, x));
  const int32_t root = deviation(&t, binary(&t, ONR_BINARY_POW, centred, graph_test_scalar(&t, 2)));
  const int32_t scaled = binary(&t, ONR_BINARY_MUL, binary(&t, ONR_BINARY_DIV, centred, root),
                                graph_test_constant(&t, 1, (int64_t[]){8}, NULL));
  graph_test_output(&t, binary(&t, ONR_BINARY_ADD, scaled, graph_test_constant(&t, 1, (int64_t[]){8}, NULL)));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  assert_int_equal(graph_test_find(&t, &onri_layer_layer_norm)->num_in, 3);
  graph_test_end(&t);
}

/* PyTorch's nn.RMSNorm: Pow, ReduceMean, Add, Sqrt, Reciprocal, Mul, Mul. */
static void test_rms_norm(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t x = graph_test_input(&t, 3, (int64_t[]){2, 3, 8});
  const int32_t root = deviation(&t, binary(&t, ONR_BINARY_POW, x, graph_test_scalar(&t, 2)));
  const int32_t normalised = binary(&t, ONR_BINARY_MUL, x, graph_test_unary(&t, ONR_UNARY_RECIPROCAL, 0, 0, root));
  graph_test_output(&t, binary(&t, ONR_BINARY_MUL, graph_test_constant(&t, 1, (int64_t[]){8}, NULL), normalised));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  assert_int_equal(graph_test_find(&t, &onri_layer_rms_norm)->num_in, 2);
  graph_test_end(&t);
}

/* Squares of one tensor under another one: no norm. */
static void test_two_tensors_are_no_norm(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){3, 8}), y = graph_test_input(&t, 2, (int64_t[]){3, 8});
  const int32_t root = deviation(&t, binary(&t, ONR_BINARY_MUL, x, x));
  graph_test_output(&t, binary(&t, ONR_BINARY_DIV, y, root));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_rms_norm) + graph_test_count(&t, &onri_layer_layer_norm), 0);
  graph_test_end(&t);
}

static int32_t grouped(struct graph_test *t, int32_t x, const int64_t *split, const int64_t *back) {
  const float ones[2] = {1, 1}, zeros[2] = {0, 0};
  const struct onr_instance_norm_params params = {.epsilon = 1e-5f};
  const int32_t in[3] = {graph_test_reshape(t, x, 3, split), graph_test_constant(t, 1, (int64_t[]){2}, ones),
                         graph_test_constant(t, 1, (int64_t[]){2}, zeros)};
  return graph_test_reshape(t, graph_test_node(t, &onri_layer_instance_norm, &params, in, 3), 4, back);
}

static void test_group_norm(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t x = graph_test_input(&t, 4, (int64_t[]){-1, 6, 4, 5});
  int32_t y = grouped(&t, x, (int64_t[]){0, 2, -1}, (int64_t[]){-1, 6, 4, 5});
  y = binary(&t, ONR_BINARY_MUL, y, graph_test_constant(&t, 3, (int64_t[]){6, 1, 1}, NULL));
  graph_test_output(&t, binary(&t, ONR_BINARY_ADD, y, graph_test_constant(&t, 3, (int64_t[]){6, 1, 1}, NULL)));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_size(&t), 1);
  assert_int_equal(((const struct onr_group_norm_params *)graph_test_find(&t, &onri_layer_group_norm)->params)->groups,
                   2);
  graph_test_end(&t);
}

/* The batch merged into the groups is another normalisation. */
static void test_merged_batch_is_no_group_norm(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t x = graph_test_input(&t, 4, (int64_t[]){4, 6, 4, 5});
  graph_test_output(&t, grouped(&t, x, (int64_t[]){2, 2, -1}, (int64_t[]){4, 6, 4, 5}));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_count(&t, &onri_layer_group_norm), 0);
  graph_test_end(&t);
}

static void test_softmax(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, 9});
  const int32_t top = graph_test_reduce(&t, ONR_REDUCE_MAX, x, 1, (int64_t[]){1}, 1);
  const int32_t e = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, binary(&t, ONR_BINARY_SUB, x, top));
  graph_test_output(&t, binary(&t, ONR_BINARY_DIV, e, graph_test_reduce(&t, ONR_REDUCE_SUM, e, 1, (int64_t[]){1}, 1)));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  assert_int_equal(graph_test_count(&t, &onri_layer_softmax), 1);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layer_norm),
      cmocka_unit_test(test_rms_norm),
      cmocka_unit_test(test_two_tensors_are_no_norm),
      cmocka_unit_test(test_group_norm),
      cmocka_unit_test(test_merged_batch_is_no_group_norm),
      cmocka_unit_test(test_softmax),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
