/* edit: replacing values, counting uses, dropping what nobody needs, and order. */
#include <string.h>

#include "support/graph_test.h"

/* Nodes are told apart by alpha. */
static int32_t numbered(struct graph_test *t, int number, int32_t x) {
  return graph_test_unary(t, ONR_UNARY_ELU, (float)number, 0, x);
}

static int number_of(const struct onri_node *node) {
  return (int)((const struct onr_unary_params *)node->params)->alpha;
}

static void close_graph(struct graph_test *t) {
  assert_int_equal(onri_graph_set_inputs(t->graph, t->inputs, t->num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t->graph, t->outputs, t->num_outputs, &t->error), ONR_STATUS_OK);
}

static void expect_order(struct graph_test *t, size_t count, const int *numbers) {
  if (onri_graph_tidy(t->graph, &t->error) != ONR_STATUS_OK) fail_msg("%s", t->error.message);
  assert_int_equal(t->graph->num_nodes, count);
  for (size_t n = 0; n < count; n++) {
    assert_int_equal(number_of(&t->graph->nodes[n]), numbers[n]);
    assert_int_equal(t->graph->values[t->graph->nodes[n].out[0]].producer, n);
  }
  assert_int_equal(onri_graph_verify(t->graph, &t->error), ONR_STATUS_OK);
}

static void all_readers_and_outputs_read_the_other_value(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 0, NULL), y = graph_test_input(&t, 0, NULL);
  const int32_t sum = graph_test_binary(&t, ONR_BINARY_ADD, x, x), next = numbered(&t, 1, x);
  graph_test_output(&t, x);
  graph_test_output(&t, sum);
  close_graph(&t);
  t.graph->nodes[1].layer = NULL; /* a removed node is nobody's reader */
  onri_graph_replace(t.graph, x, y);
  assert_int_equal(t.graph->nodes[0].in[0], y);
  assert_int_equal(t.graph->nodes[0].in[1], y);
  assert_int_equal(t.graph->nodes[1].in[0], x);
  assert_int_equal(t.graph->outputs[0], y);
  assert_int_equal(t.graph->outputs[1], sum);
  assert_int_equal(t.graph->inputs[0], x); /* what goes in stays */
  (void)next;
  graph_test_end(&t);
}

static void uses_are_counted(void **state) {
  struct graph_test t;
  struct onri_arena arena;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 0, NULL), y = graph_test_binary(&t, ONR_BINARY_ADD, x, x);
  const int32_t gone = numbered(&t, 1, x), unread = numbered(&t, 2, y);
  graph_test_output(&t, y);
  graph_test_output(&t, y);
  close_graph(&t);
  t.graph->nodes[1].layer = NULL;
  onri_arena_init(&arena, &onri_malloc_allocator, 0);
  const int32_t *uses = onri_graph_count_uses(t.graph, &arena);
  assert_non_null(uses);
  assert_int_equal(uses[x], 2);
  assert_int_equal(uses[y], 3);
  assert_int_equal(uses[gone], 0);
  assert_int_equal(uses[unread], 0);
  onri_arena_clear(&arena);
  onri_arena_init(&arena, &onri_malloc_allocator, 1);
  assert_null(onri_graph_count_uses(t.graph, &arena));
  onri_arena_clear(&arena);
  graph_test_end(&t);
}

static void what_nobody_needs_goes(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 0, NULL), c = graph_test_scalar(&t, 3), d = graph_test_scalar(&t, 4);
  const int32_t a = numbered(&t, 1, c), b = numbered(&t, 2, a), y = numbered(&t, 3, x), z = numbered(&t, 4, d);
  graph_test_output(&t, z);
  graph_test_output(&t, y);
  close_graph(&t);
  expect_order(&t, 2, (int[]){3, 4});
  assert_int_equal(t.graph->values[a].producer, ONRI_NONE);
  assert_int_equal(t.graph->values[b].producer, ONRI_NONE);
  assert_null(t.graph->values[c].constant); /* memory of what is not read any more is given back */
  assert_non_null(t.graph->values[d].constant);
  graph_test_end(&t);
}

/* Nodes that were appended behind their readers go in front of them; the rest keeps its order. */
static void producers_come_first(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 0, NULL);
  const int32_t a = numbered(&t, 1, x), b = numbered(&t, 2, a), c = numbered(&t, 3, x), d = numbered(&t, 4, c);
  const int32_t inserted = numbered(&t, 5, c);
  t.graph->nodes[1].in[0] = inserted; /* 2 reads 5, which reads 3; nobody reads 1 */
  graph_test_output(&t, b);
  graph_test_output(&t, d);
  close_graph(&t);
  expect_order(&t, 4, (int[]){3, 5, 2, 4});
  expect_order(&t, 4, (int[]){3, 5, 2, 4});
  graph_test_end(&t);
}

static void cycles_are_found(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 0, NULL), a = numbered(&t, 1, x), b = numbered(&t, 2, a),
                y = numbered(&t, 3, b);
  graph_test_output(&t, y);
  close_graph(&t);
  t.graph->nodes[0].in[0] = b;
  assert_int_equal(onri_graph_tidy(t.graph, &t.error), ONR_STATUS_GRAPH);
  assert_non_null(strstr(t.error.message, "cycle"));
  assert_string_equal(t.error.where, "Test 'node'");
  assert_int_equal(t.graph->num_nodes, 3); /* the graph is as it was */
  t.graph->nodes[0].in[0] = a;             /* of a node alone */
  t.error.where[0] = 0;
  assert_int_equal(onri_graph_tidy(t.graph, &t.error), ONR_STATUS_GRAPH);
  graph_test_end(&t);
}

static void a_reader_of_a_removed_node_is_our_fault(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 0, NULL);
  graph_test_output(&t, numbered(&t, 2, numbered(&t, 1, x)));
  close_graph(&t);
  const struct onr_layer *layer = t.graph->nodes[0].layer;
  t.graph->nodes[0].layer = NULL;
  assert_int_equal(onri_graph_tidy(t.graph, &t.error), ONR_STATUS_INTERNAL);
  t.graph->nodes[0].layer = layer;
  graph_test_end(&t);
}

/* The walk has no recursion: a chain as long as a stack is deep. */
static void long_chains(void **state) {
  enum { LENGTH = 300000 };
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  int32_t v = graph_test_input(&t, 0, NULL);
  for (int i = 0; i < LENGTH; i++) v = numbered(&t, i, v);
  graph_test_output(&t, v);
  close_graph(&t);
  assert_int_equal(onri_graph_tidy(t.graph, &t.error), ONR_STATUS_OK);
  assert_int_equal(t.graph->num_nodes, LENGTH);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_readers_and_outputs_read_the_other_value),
      cmocka_unit_test(uses_are_counted),
      cmocka_unit_test(what_nobody_needs_goes),
      cmocka_unit_test(producers_come_first),
      cmocka_unit_test(cycles_are_found),
      cmocka_unit_test(a_reader_of_a_removed_node_is_our_fault),
      cmocka_unit_test(long_chains),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
