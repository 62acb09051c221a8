/* Changes of shape: merged, or recognised as a channel shuffle or a global pool. */
#include "support/graph_test.h"

static void test_changes_of_shape_merge(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  int32_t x = graph_test_reshape(&t, graph_test_input(&t, 3, (int64_t[]){-1, 6, 4}), 2, (int64_t[]){0, -1});
  x = graph_test_node(&t, &onri_layer_unsqueeze, NULL, (int32_t[]){x, graph_test_ints(&t, 1, (int64_t[]){1})}, 2);
  x = graph_test_node(&t, &onri_layer_squeeze, NULL, (int32_t[]){x, graph_test_ints(&t, 1, (int64_t[]){1})}, 2);
  graph_test_output(&t, graph_test_reshape(&t, x, 3, (int64_t[]){0, 3, 8}));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  graph_test_end(&t);
}

static int32_t shuffle(struct graph_test *t, int32_t x, const int32_t *perm) {
  x = graph_test_reshape(t, x, 5, (int64_t[]){2, 2, 3, 4, 5});
  return graph_test_reshape(t, graph_test_transpose(t, x, 5, perm), 4, (int64_t[]){2, 6, 4, 5});
}

static void test_channel_shuffle(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  graph_test_output(&t, shuffle(&t, graph_test_input(&t, 4, (int64_t[]){2, 6, 4, 5}), (int32_t[]){0, 2, 1, 3, 4}));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_size(&t), 1);
  assert_int_equal(
      ((const struct onr_channel_shuffle_params *)graph_test_find(&t, &onri_layer_channel_shuffle)->params)->groups, 2);
  graph_test_end(&t);
}

static void test_other_permutations_are_no_shuffle(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  graph_test_output(&t, shuffle(&t, graph_test_input(&t, 4, (int64_t[]){2, 6, 4, 5}), (int32_t[]){0, 2, 1, 4, 3}));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_count(&t, &onri_layer_channel_shuffle), 0);
  graph_test_end(&t);
}

static void test_global_pools(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 4, (int64_t[]){-1, 6, 4, 5});
  graph_test_output(&t, graph_test_reduce(&t, ONR_REDUCE_MEAN, x, 2, (int64_t[]){-1, -2}, 1));
  graph_test_output(&t, graph_test_reduce(&t, ONR_REDUCE_MAX, x, 2, (int64_t[]){2, 3}, 0));
  graph_test_output(&t, graph_test_reduce(&t, ONR_REDUCE_MEAN, x, 2, (int64_t[]){1, 2}, 1));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_count(&t, &onri_layer_global_average_pool), 1);
  assert_int_equal(graph_test_count(&t, &onri_layer_global_max_pool), 1);
  assert_int_equal(graph_test_count(&t, &onri_layer_reduce), 1);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_changes_of_shape_merge),
      cmocka_unit_test(test_channel_shuffle),
      cmocka_unit_test(test_other_permutations_are_no_shuffle),
      cmocka_unit_test(test_global_pools),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
