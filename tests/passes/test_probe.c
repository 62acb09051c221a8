/* What the probe takes as known of shapes with unknown dimensions. */
#include "passes/probe.h"
#include "support/graph_test.h"

static void probe(struct graph_test *t, struct onri_probe *result) {
  assert_int_equal(onri_graph_set_inputs(t->graph, t->inputs, t->num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t->graph, t->outputs, t->num_outputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_probe_run(t->graph, 1, result, &t->error), ONR_STATUS_OK);
}

static void expect_dims(const struct graph_test *t, int32_t v, int32_t rank, const int64_t *dims) {
  const struct onr_desc *desc = &t->graph->values[v].desc;
  assert_int_equal(desc->rank, rank);
  for (int32_t d = 0; d < rank; d++) assert_int_equal(desc->dim[d], dims[d]);
}

static void test_dims_that_agree_are_known(void **state) {
  struct graph_test t;
  struct onri_probe p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){-1, 3, -1, 16}), 3, 6, 3);
  const int32_t flat = graph_test_reshape(&t, x, 3, (int64_t[]){0, 6, -1});
  graph_test_output(&t, flat);
  probe(&t, &p);
  assert_false(p.exact);
  expect_dims(&t, x, 4, (int64_t[]){-1, 6, -1, 16});
  expect_dims(&t, flat, 3, (int64_t[]){-1, 6, -1});
  onri_probe_clear(&p, t.env.allocator);
  graph_test_end(&t);
}

/* A slice of at most 16: short inputs give less, so it is not 16. */
static void test_minimums_are_not_taken_for_constants(void **state) {
  struct graph_test t;
  struct onri_probe p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, -1});
  const int32_t in[4] = {x, graph_test_ints(&t, 1, (int64_t[]){0}), graph_test_ints(&t, 1, (int64_t[]){16}), graph_test_ints(&t, 1, (int64_t[]){1})};
  const int32_t y = graph_test_node(&t, &onri_layer_slice, NULL, in, 4);
  graph_test_output(&t, y);
  probe(&t, &p);
  expect_dims(&t, y, 2, (int64_t[]){-1, -1});
  onri_probe_clear(&p, t.env.allocator);
  graph_test_end(&t);
}

static void name_dims(struct graph_test *t, int32_t v, const char *const *names) { t->graph->values[v].dim_names = names; }

/* Equal names are equal sizes: x + y can be inferred; other dimensions are not taken for equal. */
static void test_names_make_dimensions_equal(void **state) {
  static const char *const names[2][2] = {{"batch", "time"}, {"batch", "other"}};
  struct graph_test t;
  struct onri_probe p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, -1}), y = graph_test_input(&t, 2, (int64_t[]){-1, -1});
  name_dims(&t, x, names[0]);
  name_dims(&t, y, names[1]);
  const int32_t z = graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 1}, (int32_t[]){x, y}, 2);
  graph_test_output(&t, z);
  probe(&t, &p);
  expect_dims(&t, z, 2, (int64_t[]){-1, -1});
  assert_non_null(p.samples[1]);
  for (int s = 0; s < 2; s++) {
    assert_int_equal(p.samples[s][x].dim[0], p.samples[s][y].dim[0]);
    assert_int_not_equal(p.samples[s][x].dim[1], p.samples[s][y].dim[1]);
  }
  onri_probe_clear(&p, t.env.allocator);
  graph_test_end(&t);
}

/* Nameless dimensions that must be equal all the same: known dims, but nothing is said about equal ones. */
static void test_nameless_dimensions_that_must_agree(void **state) {
  struct graph_test t;
  struct onri_probe p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, 4}), y = graph_test_input(&t, 2, (int64_t[]){-1, 5});
  const int32_t z = graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 1}, (int32_t[]){x, y}, 2);
  graph_test_output(&t, z);
  probe(&t, &p);
  expect_dims(&t, z, 2, (int64_t[]){-1, 9});
  assert_null(p.samples[0]);
  onri_probe_clear(&p, t.env.allocator);
  graph_test_end(&t);
}

/* In front of a node that no sample satisfies, shapes are known; behind it they are not. */
static void test_failing_nodes_end_the_knowledge(void **state) {
  struct graph_test t;
  struct onri_probe p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_input(&t, 2, (int64_t[]){-1, 4}));
  const int32_t y = graph_test_reshape(&t, x, 2, (int64_t[]){1000003, 4});
  graph_test_output(&t, y);
  probe(&t, &p);
  expect_dims(&t, x, 2, (int64_t[]){-1, 4});
  assert_int_equal(t.graph->values[y].desc.rank, ONRI_UNKNOWN_RANK);
  onri_probe_clear(&p, t.env.allocator);
  graph_test_end(&t);
}

static void test_declared_shapes_are_exact(void **state) {
  struct graph_test t;
  struct onri_probe p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){2, 3});
  const int32_t shape = graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){0, INT64_MAX}, &x, 1);
  graph_test_output(&t, shape);
  probe(&t, &p);
  assert_true(p.exact);
  assert_non_null(p.contents[shape]);
  assert_memory_equal(p.contents[shape]->data, ((const int64_t[]){2, 3}), 2 * sizeof(int64_t));
  onri_probe_clear(&p, t.env.allocator);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dims_that_agree_are_known), cmocka_unit_test(test_minimums_are_not_taken_for_constants),
      cmocka_unit_test(test_names_make_dimensions_equal), cmocka_unit_test(test_nameless_dimensions_that_must_agree),
      cmocka_unit_test(test_failing_nodes_end_the_knowledge), cmocka_unit_test(test_declared_shapes_are_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
