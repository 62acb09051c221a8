/* Nodes that pass on their input, and those that nearly do. */
#include <string.h>

#include "support/graph_test.h"

static int32_t through_all(struct graph_test *t, int32_t x) {
  const float ones[5] = {1, 1, 1, 1, 1};
  x = graph_test_node(t, &onri_layer_identity, NULL, &x, 1);
  x = graph_test_binary(t, ONR_BINARY_ADD, graph_test_scalar(t, 0), x);
  x = graph_test_binary(t, ONR_BINARY_MUL, x, graph_test_constant(t, 1, (int64_t[]){5}, ones));
  x = graph_test_binary(t, ONR_BINARY_POW, x, graph_test_scalar(t, 1));
  x = graph_test_node(t, &onri_layer_cast, &(struct onr_cast_params){.to = ONR_DTYPE_F32}, &x, 1);
  x = graph_test_transpose(t, x, 2, (int32_t[]){0, 1});
  x = graph_test_reshape(t, x, 2, (int64_t[]){-1, 5});
  x = graph_test_node(t, &onri_layer_pad, NULL, (int32_t[]){x, graph_test_ints(t, 4, (int64_t[]){0, 0, 0, 0})}, 2);
  return graph_test_node(t, &onri_layer_concat, NULL, &x, 1);
}

static void test_identities_vanish(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, 5});
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, through_all(&t, x)));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  graph_test_end(&t);
}

/* An output keeps memory of its own: one node is left. */
static void test_an_input_does_not_become_an_output(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  graph_test_output(&t, through_all(&t, graph_test_input(&t, 2, (int64_t[]){-1, 5})));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  assert_int_not_equal(t.graph->outputs[0], t.graph->inputs[0]);
  graph_test_end(&t);
}

/* Neutral elements that broadcast x to another shape do something. */
static void test_broadcasting_is_no_identity(void **state) {
  struct graph_test t;
  const float zeros[6] = {0};
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){2, 1});
  const int32_t wide = graph_test_binary(&t, ONR_BINARY_ADD, x, graph_test_constant(&t, 2, (int64_t[]){1, 3}, zeros));
  graph_test_output(
      &t, graph_test_binary(&t, ONR_BINARY_ADD, wide, graph_test_constant(&t, 3, (int64_t[]){1, 2, 3}, zeros)));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 2);
  graph_test_end(&t);
}

/* where with a known condition passes on the chosen side, unless that side is broadcast. */
static void known_condition(unsigned char condition, int wide_condition, size_t left) {
  unsigned char filled[6];
  struct graph_test t;
  memset(filled, condition, sizeof(filled));
  graph_test_begin(&t);
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_BOOL, 2, (int64_t[]){2, wide_condition ? 3 : 1});
  const int32_t in[3] = {onri_graph_add_data(t.graph, &desc, filled),
                         graph_test_input(&t, 2, (int64_t[]){2, wide_condition ? 1 : 3}),
                         graph_test_input(&t, 2, (int64_t[]){2, 3})};
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_node(&t, &onri_layer_where, NULL, in, 3)));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_where), left);
  graph_test_end(&t);
}

static void test_known_condition(void **state) {
  (void)state;
  known_condition(0, 0, 0);
  known_condition(1, 0, 0);
  known_condition(0, 1, 0);
  known_condition(1, 1, 1);
}

static void test_reversing_is_no_identity(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t in[5] = {graph_test_input(&t, 1, (int64_t[]){5}), graph_test_ints(&t, 1, (int64_t[]){-1}),
                         graph_test_ints(&t, 1, (int64_t[]){-9}), graph_test_ints(&t, 1, (int64_t[]){0}),
                         graph_test_ints(&t, 1, (int64_t[]){-1})};
  graph_test_output(&t, graph_test_node(&t, &onri_layer_slice, NULL, in, 5));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_slice), 1);
  graph_test_end(&t);
}

/* A batch of images passes batch and unbatch; one image gets its dimension of 1 in a way that layouts know. */
static void batches(int32_t rank, size_t views) {
  static const struct onr_batch_params p = {.rank = 4};
  struct graph_test t;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, rank, (int64_t[]){-1, 5, 4, 3});
  const int32_t batch = graph_test_node(&t, &onri_layer_batch, &p, &x, 1);
  const int32_t y = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, batch);
  graph_test_output(&t, graph_test_node(&t, &onri_layer_unbatch, &p, (int32_t[]){y, x}, 2));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1 + views);
  assert_int_equal(graph_test_count(&t, &onri_layer_unsqueeze) + graph_test_count(&t, &onri_layer_squeeze), views);
  graph_test_end(&t);
}

static void test_batches_of_known_rank_vanish(void **state) {
  (void)state;
  batches(4, 0);
  batches(3, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_identities_vanish),
      cmocka_unit_test(test_an_input_does_not_become_an_output),
      cmocka_unit_test(test_broadcasting_is_no_identity),
      cmocka_unit_test(test_reversing_is_no_identity),
      cmocka_unit_test(test_known_condition),
      cmocka_unit_test(test_batches_of_known_rank_vanish),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
