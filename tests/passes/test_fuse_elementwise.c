/* Element-wise layers in a row: one pass over memory. */
#include "support/graph_test.h"

static void test_a_row_becomes_one(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 3, (int64_t[]){-1, 4, 6}), y = graph_test_input(&t, 2, (int64_t[]){4, 1});
  int32_t v = graph_test_unary(&t, ONR_UNARY_TANH, 0, 0, x);
  v = graph_test_binary(&t, ONR_BINARY_SUB, y, v);
  v = graph_test_binary(&t, ONR_BINARY_MUL, v, graph_test_scalar(&t, 3));
  v = graph_test_binary(&t, ONR_BINARY_ADD, v, x);
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_SIGMOID, 0, 0, v));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  const struct onri_node *chain = graph_test_find(&t, &onri_layer_fused_elementwise);
  assert_int_equal(((const struct onr_fused_elementwise_params *)chain->params)->num_steps, 5);
  assert_int_equal(chain->num_in, 2);
  graph_test_end(&t);
}

/* The start is broadcast by the second step: each stays where its own shape is. */
static void test_growing_shapes_are_not_joined(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t small = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_input(&t, 2, (int64_t[]){4, 1}));
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_MUL, small, graph_test_input(&t, 2, (int64_t[]){4, 50})));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 2);
  graph_test_end(&t);
}

static void test_values_with_two_readers_are_kept(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t v = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_input(&t, 1, (int64_t[]){9}));
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_SQRT, 0, 0, v));
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_NEG, 0, 0, v));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 3);
  graph_test_end(&t);
}

/* More steps than a chain has room for: several chains. */
static void test_long_rows_are_cut(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  int32_t v = graph_test_input(&t, 1, (int64_t[]){9});
  for (int i = 0; i < 2 * ONR_FUSED_STEPS; i++)
    v = graph_test_unary(&t, i % 2 ? ONR_UNARY_SIN : ONR_UNARY_COS, 0, 0, v);
  graph_test_output(&t, v);
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_fused_elementwise), 2);
  assert_int_equal(graph_test_size(&t), 2);
  graph_test_end(&t);
}

/* v op v: the value of a chain is none of its inputs. */
static void test_squares_of_the_middle(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t v = graph_test_unary(&t, ONR_UNARY_TANH, 0, 0, graph_test_input(&t, 1, (int64_t[]){9}));
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_MUL, v, v));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 2);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_row_becomes_one),
      cmocka_unit_test(test_growing_shapes_are_not_joined),
      cmocka_unit_test(test_values_with_two_readers_are_kept),
      cmocka_unit_test(test_long_rows_are_cut),
      cmocka_unit_test(test_squares_of_the_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
