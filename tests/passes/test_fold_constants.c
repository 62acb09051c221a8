/* Constant folding and shape arithmetic. */
#include <string.h>

#include "model/passes.h"
#include "onnxrun/model.h"
#include "support/graph_test.h"

static void test_constants_are_folded(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, 3});
  const int32_t w =
      graph_test_binary(&t, ONR_BINARY_POW, graph_test_constant(&t, 1, (int64_t[]){3}, NULL), graph_test_scalar(&t, 2));
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_MUL, x, graph_test_unary(&t, ONR_UNARY_SQRT, 0, 0, w)));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  graph_test_end(&t);
}

static void test_disabled_by_name(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, 3});
  const int32_t w = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_constant(&t, 1, (int64_t[]){3}, NULL));
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_MUL, x, w));
  graph_test_check(&t, "layout, fold_constants");
  assert_int_equal(graph_test_count(&t, &onri_layer_unary), 1);
  graph_test_end(&t);
}

/* 1 element to 2 MiB: cheaper to compute than to store. */
static void test_large_growth_is_not_folded(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){512});
  const int32_t shape = graph_test_ints(&t, 2, (int64_t[]){1024, 512});
  const int32_t w = graph_test_node(&t, &onri_layer_expand, NULL, (int32_t[]){graph_test_scalar(&t, 3), shape}, 2);
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_MUL, x, w));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_expand), 1);
  graph_test_end(&t);
}

/* Reshape to [x.dim(0), -1], written with Shape, Gather and Concat, as the older exporter does. */
static int32_t flatten(struct graph_test *t, int32_t x) {
  const int32_t shape = graph_test_node(t, &onri_layer_shape, &(struct onr_shape_params){0, INT64_MAX}, &x, 1);
  const int32_t first =
      graph_test_node(t, &onri_layer_gather, NULL, (int32_t[]){shape, graph_test_ints(t, 1, (int64_t[]){0})}, 2);
  const int32_t rest = graph_test_ints(t, 1, (int64_t[]){-1});
  const int32_t target = graph_test_node(t, &onri_layer_concat, NULL, (int32_t[]){first, rest}, 2);
  return graph_test_node(t, &onri_layer_reshape, NULL, (int32_t[]){x, target}, 2);
}

/* 393 million multiply-adds of float32 take less time than 268 million operations of plain C; in double they are more
 * than that. */
static void test_products_fold_further_than_plain_loops(void **state) {
  (void)state;
  for (int wide = 0; wide < 2; wide++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 1e-4;
    const struct onr_cast_params to_double = {.to = ONR_DTYPE_F64}, to_float = {.to = ONR_DTYPE_F32};
    int32_t a = graph_test_constant(&t, 2, (int64_t[]){512, 1000}, NULL),
            b = graph_test_constant(&t, 2, (int64_t[]){1000, 768}, NULL);
    if (wide) a = graph_test_node(&t, &onri_layer_cast, &to_double, &a, 1);
    if (wide) b = graph_test_node(&t, &onri_layer_cast, &to_double, &b, 1);
    int32_t product = graph_test_node(&t, &onri_layer_matmul, NULL, (int32_t[]){a, b}, 2);
    if (wide) product = graph_test_node(&t, &onri_layer_cast, &to_float, &product, 1);
    graph_test_output(&t,
                      graph_test_binary(&t, ONR_BINARY_ADD, graph_test_input(&t, 2, (int64_t[]){512, 768}), product));
    graph_test_check(&t, NULL);
    assert_int_equal(graph_test_count(&t, &onri_layer_matmul), wide);
    graph_test_end(&t);
  }
}

static void test_shape_arithmetic_folds_when_shapes_are_declared(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  graph_test_output(&t, flatten(&t, graph_test_input(&t, 3, (int64_t[]){2, 3, 4})));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  graph_test_end(&t);
}

static void test_shape_arithmetic_stays_when_they_are_not(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  graph_test_output(&t, flatten(&t, graph_test_input(&t, 3, (int64_t[]){-1, 3, 4})));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 4);
  graph_test_end(&t);
}

static enum onr_status run_passes(struct graph_test *t, const char *disabled) {
  assert_int_equal(onri_graph_set_inputs(t->graph, t->inputs, t->num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t->graph, t->outputs, t->num_outputs, &t->error), ONR_STATUS_OK);
  return onri_passes_run(t->graph, disabled, &(struct onri_passes_listener){0}, &t->error);
}

static void test_contradictions_of_declared_shapes_are_errors(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){2, 3});
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_ADD, x, graph_test_constant(&t, 1, (int64_t[]){4}, NULL)));
  assert_int_equal(run_passes(&t, NULL), ONR_STATUS_SHAPE);
  graph_test_end(&t);
}

/* With unknown dimensions the same contradiction is left to the run. */
static void test_contradictions_of_samples_are_not(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, 3});
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_ADD, x, graph_test_constant(&t, 1, (int64_t[]){4}, NULL)));
  assert_int_equal(run_passes(&t, NULL), ONR_STATUS_OK);
  assert_int_equal(graph_test_size(&t), 1);
  graph_test_end(&t);
}

/* A constant node that cannot be computed may lie in a branch that is never taken. */
static void test_failing_constant_nodes_stay(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){-1});
  const int32_t in[2] = {graph_test_constant(&t, 1, (int64_t[]){3}, NULL), graph_test_ints(&t, 1, (int64_t[]){7})};
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_ADD, x, graph_test_node(&t, &onri_layer_gather, NULL, in, 2)));
  assert_int_equal(run_passes(&t, NULL), ONR_STATUS_OK);
  assert_int_equal(graph_test_count(&t, &onri_layer_gather), 1);
  graph_test_end(&t);
}

static void test_unknown_pass_names_are_refused(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_input(&t, 1, (int64_t[]){3})));
  assert_int_equal(run_passes(&t, "layout,layuot"), ONR_STATUS_ARGUMENT);
  assert_non_null(strstr(t.error.message, "'layuot'"));
  assert_int_equal(run_passes(&t, "all"), ONR_STATUS_OK);
  assert_string_equal(onr_pass_name(0), "fold_constants");
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_constants_are_folded),
      cmocka_unit_test(test_disabled_by_name),
      cmocka_unit_test(test_large_growth_is_not_folded),
      cmocka_unit_test(test_products_fold_further_than_plain_loops),
      cmocka_unit_test(test_shape_arithmetic_folds_when_shapes_are_declared),
      cmocka_unit_test(test_shape_arithmetic_stays_when_they_are_not),
      cmocka_unit_test(test_contradictions_of_declared_shapes_are_errors),
      cmocka_unit_test(test_contradictions_of_samples_are_not),
      cmocka_unit_test(test_failing_constant_nodes_stay),
      cmocka_unit_test(test_unknown_pass_names_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
