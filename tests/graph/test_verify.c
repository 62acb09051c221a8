/* The verifier finds each way in which a pass can break a graph. */
#include <string.h>

#include "support/graph_test.h"

/* x -> exp -> sqrt -> out: values 0, 1, 2. */
static void begin(struct graph_test *t) {
  graph_test_begin(t);
  const int32_t x = graph_test_input(t, 2, (int64_t[]){2, 3});
  graph_test_output(t, graph_test_unary(t, ONR_UNARY_SQRT, 0, 0, graph_test_unary(t, ONR_UNARY_EXP, 0, 0, x)));
  assert_int_equal(onri_graph_set_inputs(t->graph, t->inputs, t->num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t->graph, t->outputs, t->num_outputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_verify(t->graph, &t->error), ONR_STATUS_OK);
}

static void expect(struct graph_test *t, const char *message) {
  assert_int_equal(onri_graph_verify(t->graph, &t->error), ONR_STATUS_INTERNAL);
  assert_non_null(strstr(t->error.message, message));
}

/* What node 0 makes is a value that nobody reads. */
static void make_another_value(struct graph_test *t) {
  const int32_t v = onri_graph_add_value(t->graph, NULL, NULL);
  t->graph->values[v].producer = 0;
  t->graph->nodes[0].out[0] = v;
}

static void test_a_reader_of_a_removed_node(void **state) {
  struct graph_test t;
  (void)state;
  begin(&t);
  make_another_value(&t);
  t.graph->values[1].producer = ONRI_NONE;
  expect(&t, "input 0 is made by nothing");
  assert_string_equal(t.error.where, "Test 'node'");
  graph_test_end(&t);
}

static void test_a_removed_node(void **state) {
  struct graph_test t;
  (void)state;
  begin(&t);
  const struct onr_layer *layer = t.graph->nodes[0].layer;
  t.graph->nodes[0].layer = NULL;
  expect(&t, "removed node");
  t.graph->nodes[0].layer = layer;
  graph_test_end(&t);
}

static void test_the_order_of_nodes(void **state) {
  struct graph_test t;
  (void)state;
  begin(&t);
  const struct onri_node first = t.graph->nodes[0];
  t.graph->nodes[0] = t.graph->nodes[1];
  t.graph->nodes[1] = first;
  t.graph->values[1].producer = 1;
  t.graph->values[2].producer = 0;
  expect(&t, "input 0 is made by a later node");
  graph_test_end(&t);
}

static void test_producers(void **state) {
  struct graph_test t;
  (void)state;
  begin(&t);
  t.graph->nodes[0].out[0] = 2; /* which node 1 makes */
  expect(&t, "output 0 has another producer");
  t.graph->nodes[0].out[0] = 3;
  expect(&t, "output 0 is no value");
  t.graph->nodes[0].out[0] = ONRI_NONE;
  expect(&t, "output 0 is needed, but it has no value");
  make_another_value(&t);
  expect(&t, "input 0 is made by a node that does not make it");
  graph_test_end(&t);
}

static void test_graph_inputs_and_outputs(void **state) {
  struct graph_test t;
  (void)state;
  begin(&t);
  t.graph->outputs[0] = 7;
  expect(&t, "graph output 0 is no value");
  t.graph->outputs[0] = 2;
  t.graph->inputs[0] = 1;
  expect(&t, "graph input 0 is made by a node");
  graph_test_end(&t);
}

static void test_facts_about_values(void **state) {
  struct graph_test t;
  (void)state;
  begin(&t);
  t.graph->values[1].desc.dim[1] = -2;
  t.graph->values[1].desc.rank = 2;
  expect(&t, "dimension 1 of a value");
  t.graph->values[1].desc.rank = ONR_MAX_RANK + 1;
  expect(&t, "a value of rank 9");
  t.graph->values[1].desc = onr_desc_make(ONR_DTYPE_F32, 0, NULL);
  const int32_t c = graph_test_scalar(&t, 1);
  t.graph->values[c].desc.rank = 1;
  expect(&t, "another shape than its contents");
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_reader_of_a_removed_node), cmocka_unit_test(test_a_removed_node),
      cmocka_unit_test(test_the_order_of_nodes),         cmocka_unit_test(test_producers),
      cmocka_unit_test(test_graph_inputs_and_outputs),   cmocka_unit_test(test_facts_about_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
