/* passes: which of them run, on which graphs, who is told, and what ends them. */
#include <string.h>

#include "support/graph_test.h"

#include "model/passes.h"
#include "onnxrun/model.h"
#include "onnxrun/runtime.h"

/* x + (1 + 2): folding makes a constant of the sum. */
static void begin(struct graph_test *t) {
  graph_test_begin(t);
  const int32_t x = graph_test_input(t, 1, (int64_t[]){4});
  const int32_t sum = graph_test_binary(t, ONR_BINARY_ADD, graph_test_scalar(t, 1), graph_test_scalar(t, 2));
  graph_test_output(t, graph_test_binary(t, ONR_BINARY_ADD, x, sum));
  assert_int_equal(onri_graph_set_inputs(t->graph, t->inputs, t->num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t->graph, t->outputs, t->num_outputs, &t->error), ONR_STATUS_OK);
}

static size_t told, nodes_then;
static enum onr_status answer;

static enum onr_status listen(void *context, const struct onri_facts *facts, struct onr_error *error) {
  told++;
  nodes_then = facts->graph->num_nodes;
  assert_ptr_equal(context, &told);
  return answer == ONR_STATUS_OK ? answer : onr_fail(error, answer, "enough");
}

static const struct onri_passes_listener listener = {.deduced = listen, .context = &told};

static void names_are_in_running_order(void **state) {
  size_t count = 0;
  (void)state;
  while (onr_pass_name(count)) count++;
  assert_true(count > 10);
  assert_string_equal(onr_pass_name(0), "fold_constants");
  assert_null(onr_pass_name(count + 1));
  assert_null(onr_pass_name(SIZE_MAX));
}

static void lists_of_names_disable_passes(void **state) {
  static const struct {
    const char *list;
    int folds;
  } cases[] = {{NULL, 1},          {"", 1},
               {"layout", 1},      {"fold_constants", 0},
               {"all", 0},         {"layout,fold_constants", 0},
               {", layout  ,", 1}, {"pad fold_constants norms", 0}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct graph_test t;
    begin(&t);
    assert_int_equal(onri_passes_run(t.graph, cases[i].list, &listener, &t.error), ONR_STATUS_OK);
    assert_int_equal(t.graph->num_nodes, cases[i].folds ? 1 : 2);
    graph_test_end(&t);
  }
}

static void unknown_names_are_refused_before_anything_runs(void **state) {
  static const char *const lists[] = {"no_such_pass", "fold_constants,layou", "ALL", "layout;pad", "fold_constantsx"};
  (void)state;
  for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
    struct graph_test t;
    begin(&t);
    told = 0;
    assert_int_equal(onri_passes_run(t.graph, lists[i], &listener, &t.error), ONR_STATUS_ARGUMENT);
    assert_int_equal(t.graph->num_nodes, 2);
    assert_int_equal(told, 0);
    graph_test_end(&t);
  }
  struct graph_test t;
  begin(&t);
  onri_passes_run(t.graph, "layout nonsense", &listener, &t.error);
  assert_non_null(strstr(t.error.message, "'nonsense'"));
  graph_test_end(&t);
}

/* Once, of the graph as it comes with constants folded; whatever passes run. An error of the listener's is the result.
 */
static void facts_are_told_once(void **state) {
  static const char *const lists[] = {NULL, "all", "fold_constants"};
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    struct graph_test t;
    begin(&t);
    told = 0;
    assert_int_equal(onri_passes_run(t.graph, lists[i], &listener, &t.error), ONR_STATUS_OK);
    assert_int_equal(told, 1);
    assert_int_equal(nodes_then, i == 0 ? 1 : 2);
    graph_test_end(&t);
  }
  struct graph_test t;
  begin(&t);
  answer = ONR_STATUS_LIMIT;
  assert_int_equal(onri_passes_run(t.graph, NULL, &listener, &t.error), ONR_STATUS_LIMIT);
  assert_string_equal(t.error.message, "enough");
  answer = ONR_STATUS_OK;
  graph_test_end(&t);
}

static void nodes_that_nobody_reads_go(void **state) {
  struct graph_test t;
  (void)state;
  begin(&t);
  graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, t.inputs[0]);
  assert_int_equal(onri_passes_run(t.graph, "all", &listener, &t.error), ONR_STATUS_OK);
  assert_int_equal(t.graph->num_nodes, 2);
  graph_test_end(&t);
}

static void shapes_that_contradict_are_an_error(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){4}), y = graph_test_input(&t, 1, (int64_t[]){3});
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_ADD, x, y));
  assert_int_equal(onri_graph_set_inputs(t.graph, t.inputs, t.num_inputs, &t.error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t.graph, t.outputs, t.num_outputs, &t.error), ONR_STATUS_OK);
  assert_int_equal(onri_passes_run(t.graph, NULL, &listener, &t.error), ONR_STATUS_SHAPE);
  assert_string_equal(t.error.where, "Test 'node'");
  graph_test_end(&t);
}

/* Inputs x and a condition c; s = x + (1 + 2); the result is s, or If(c) of two such graphs, one level less deep. */
static struct onri_graph *nested(struct graph_test *t, int depth) {
  const struct onr_desc one = {.dtype = ONR_DTYPE_F32}, flag = {.dtype = ONR_DTYPE_BOOL};
  const struct onr_desc four = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){4});
  const struct onr_binary_params add = {.op = ONR_BINARY_ADD};
  struct onri_graph *g;
  assert_int_equal(onri_graph_create(&t->env, &g, &t->error), ONR_STATUS_OK);
  const int32_t x = onri_graph_add_value(g, "x", &four), c = onri_graph_add_value(g, "c", &flag);
  const int32_t three[] = {onri_graph_add_data(g, &one, &(float){1}), onri_graph_add_data(g, &one, &(float){2})};
  const int32_t sum[] = {x, onri_graph_add_value(g, NULL, NULL)};
  int32_t y = onri_graph_add_value(g, NULL, NULL);
  assert_non_null(onri_graph_add_node(g, &onri_layer_binary, &add, NULL, three, 2, &sum[1], 1));
  assert_non_null(onri_graph_add_node(g, &onri_layer_binary, &add, NULL, sum, 2, &y, 1));
  if (depth) {
    struct onri_graph *bodies[] = {nested(t, depth - 1), nested(t, depth - 1)};
    const int32_t in[] = {c, y, c, y, c}; /* the condition, then what each body captures */
    y = onri_graph_add_value(g, NULL, NULL);
    struct onri_node *node = onri_graph_add_node(g, &onri_layer_if, NULL, NULL, in, 5, &y, 1);
    assert_non_null(node);
    node->bodies = onri_arena_copy(&g->arena, bodies, sizeof(bodies));
    assert_non_null(node->bodies);
    node->num_bodies = 2;
  }
  assert_int_equal(onri_graph_set_inputs(g, (int32_t[]){x, c}, 2, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(g, &y, 1, &t->error), ONR_STATUS_OK);
  return g;
}

static void expect_folded(const struct onri_graph *g, int depth) {
  assert_int_equal(g->num_nodes, depth ? 2 : 1);
  for (int b = 0; depth && b < 2; b++) expect_folded(g->nodes[1].bodies[b], depth - 1);
}

static void bodies_are_rewritten(void **state) {
  enum { DEPTH = 3 };
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  onri_graph_destroy(t.graph);
  t.graph = nested(&t, DEPTH);
  if (onri_passes_run(t.graph, NULL, &(struct onri_passes_listener){0}, &t.error) != ONR_STATUS_OK)
    fail_msg("%s", t.error.message);
  expect_folded(t.graph, DEPTH);
  assert_int_equal(onri_graph_verify(t.graph, &t.error), ONR_STATUS_OK);
  graph_test_end(&t);
}

static void a_cancelled_load_ends(void **state) {
  struct graph_test t;
  struct onr_cancel cancel = {0};
  (void)state;
  begin(&t);
  t.env.cancel = &cancel;
  onr_cancel_set(&cancel);
  assert_int_equal(onri_passes_run(t.graph, NULL, &listener, &t.error), ONR_STATUS_CANCELLED);
  t.env.cancel = NULL;
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_in_running_order),
      cmocka_unit_test(lists_of_names_disable_passes),
      cmocka_unit_test(unknown_names_are_refused_before_anything_runs),
      cmocka_unit_test(facts_are_told_once),
      cmocka_unit_test(nodes_that_nobody_reads_go),
      cmocka_unit_test(shapes_that_contradict_are_an_error),
      cmocka_unit_test(bodies_are_rewritten),
      cmocka_unit_test(a_cancelled_load_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
