/* Control flow: branches that are known at load time, and constants that bodies capture. Bodies are rewritten, too. */
#include "model/passes.h"
#include "support/graph_test.h"

static const struct onri_origin origin = {"Relu", "inner", "layer.0", "", "model.py:1"};

/* A body graph of unary layers on its captures: output = op(input 0) + input 1, when there is one. */
static struct onri_graph *make_body(struct graph_test *t, enum onr_unary op, size_t num_inputs) {
  struct onri_graph *body;
  int32_t in[2], out[2];
  const struct onr_unary_params unary = {.op = op};
  const struct onr_binary_params binary = {.op = ONR_BINARY_ADD};
  assert_int_equal(onri_graph_create(&t->env, &body, &t->error), ONR_STATUS_OK);
  for (size_t i = 0; i < num_inputs; i++) in[i] = onri_graph_add_value(body, NULL, NULL);
  for (int i = 0; i < 2; i++) out[i] = onri_graph_add_value(body, NULL, NULL);
  assert_non_null(onri_graph_add_node(body, &onri_layer_unary, &unary, &origin, in, 1, &out[0], 1));
  if (num_inputs == 2)
    assert_non_null(
        onri_graph_add_node(body, &onri_layer_binary, &binary, &origin, (int32_t[]){out[0], in[1]}, 2, &out[1], 1));
  assert_int_equal(onri_graph_set_inputs(body, in, num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(body, &out[num_inputs - 1], 1, &t->error), ONR_STATUS_OK);
  return body;
}

static void set_bodies(struct graph_test *t, struct onri_graph *first, struct onri_graph *second) {
  struct onri_node *node = &t->graph->nodes[t->graph->num_nodes - 1];
  node->bodies = onri_arena_allocate(&t->graph->arena, 2 * sizeof(*node->bodies));
  assert_non_null(node->bodies);
  node->bodies[0] = first;
  node->bodies[1] = second;
  node->num_bodies = second ? 2 : 1;
}

static int32_t boolean(struct graph_test *t, unsigned char value) {
  const struct onr_desc desc = {.dtype = ONR_DTYPE_BOOL};
  return onri_graph_add_data(t->graph, &desc, &value);
}

static void run_passes(struct graph_test *t, int32_t output) {
  graph_test_output(t, output);
  assert_int_equal(onri_graph_set_inputs(t->graph, t->inputs, t->num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t->graph, t->outputs, t->num_outputs, &t->error), ONR_STATUS_OK);
  if (onri_passes_run(t->graph, NULL, &(struct onri_passes_listener){0}, &t->error) != ONR_STATUS_OK)
    fail_msg("passes: %s", t->error.message);
  if (onri_graph_verify(t->graph, &t->error) != ONR_STATUS_OK) fail_msg("verify: %s", t->error.message);
}

static void known_condition(unsigned char condition, enum onr_unary expected) {
  struct graph_test t;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){5}), y = graph_test_input(&t, 1, (int64_t[]){5});
  const int32_t out = graph_test_node(&t, &onri_layer_if, NULL, (int32_t[]){boolean(&t, condition), x, y}, 3);
  set_bodies(&t, make_body(&t, ONR_UNARY_SQRT, 1), make_body(&t, ONR_UNARY_EXP, 1));
  run_passes(&t, out);
  assert_int_equal(graph_test_size(&t), 1);
  const struct onri_node *node = graph_test_find(&t, &onri_layer_unary);
  assert_int_equal(((const struct onr_unary_params *)node->params)->op, expected);
  assert_int_equal(node->in[0], condition ? x : y);
  assert_string_equal(node->origin->source, "model.py:1");
  graph_test_end(&t);
}

static void test_known_conditions(void **state) {
  (void)state;
  known_condition(1, ONR_UNARY_SQRT);
  known_condition(0, ONR_UNARY_EXP);
}

static void test_unknown_conditions_stay(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){5});
  const int32_t condition = graph_test_node(&t, &onri_layer_cast, &(struct onr_cast_params){.to = ONR_DTYPE_BOOL},
                                            (int32_t[]){graph_test_input(&t, 0, NULL)}, 1);
  const int32_t out = graph_test_node(&t, &onri_layer_if, NULL, (int32_t[]){condition, x, x}, 3);
  set_bodies(&t, make_body(&t, ONR_UNARY_SQRT, 1), make_body(&t, ONR_UNARY_EXP, 1));
  run_passes(&t, out);
  assert_int_equal(graph_test_count(&t, &onri_layer_if), 1);
  graph_test_end(&t);
}

/* An If in a branch of an If: both are known. */
static void test_nested_conditions(void **state) {
  struct graph_test t;
  struct onri_graph *outer;
  int32_t in[1], out;
  (void)state;
  graph_test_begin(&t);
  const unsigned char yes = 1;
  const struct onr_desc desc = {.dtype = ONR_DTYPE_BOOL};
  assert_int_equal(onri_graph_create(&t.env, &outer, &t.error), ONR_STATUS_OK);
  in[0] = onri_graph_add_value(outer, NULL, NULL);
  out = onri_graph_add_value(outer, NULL, NULL);
  const int32_t condition = onri_graph_add_data(outer, &desc, &yes);
  struct onri_node *inner =
      onri_graph_add_node(outer, &onri_layer_if, NULL, &origin, (int32_t[]){condition, in[0], in[0]}, 3, &out, 1);
  assert_non_null(inner);
  inner->bodies = onri_arena_allocate(&outer->arena, 2 * sizeof(*inner->bodies));
  inner->bodies[0] = make_body(&t, ONR_UNARY_TANH, 1);
  inner->bodies[1] = make_body(&t, ONR_UNARY_EXP, 1);
  inner->num_bodies = 2;
  assert_int_equal(onri_graph_set_inputs(outer, in, 1, &t.error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(outer, &out, 1, &t.error), ONR_STATUS_OK);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){5});
  const int32_t y = graph_test_node(&t, &onri_layer_if, NULL, (int32_t[]){boolean(&t, 1), x, x}, 3);
  set_bodies(&t, outer, make_body(&t, ONR_UNARY_SQRT, 1));
  run_passes(&t, y);
  assert_int_equal(graph_test_size(&t), 1);
  assert_int_equal(((const struct onr_unary_params *)graph_test_find(&t, &onri_layer_unary)->params)->op,
                   ONR_UNARY_TANH);
  graph_test_end(&t);
}

/* scan over x, adding a captured constant: the body owns it afterwards, and is rewritten itself. */
static void test_captured_constants_move_in(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const struct onr_scan_params params = {.num_scan_inputs = 1};
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){3, 5});
  const float zero = 0;
  const int32_t out =
      graph_test_node(&t, &onri_layer_scan, &params, (int32_t[]){x, graph_test_constant(&t, 0, NULL, &zero)}, 2);
  struct onri_graph *body = make_body(&t, ONR_UNARY_SQRT, 2);
  body->values[body->inputs[0]].desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){5});
  set_bodies(&t, body, NULL);
  run_passes(&t, out);
  assert_int_equal(graph_test_find(&t, &onri_layer_scan)->num_in, 1);
  assert_int_equal(body->num_inputs, 1);
  assert_int_equal(body->num_nodes, 1); /* x + 0 is gone */
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_conditions),
      cmocka_unit_test(test_unknown_conditions_stay),
      cmocka_unit_test(test_nested_conditions),
      cmocka_unit_test(test_captured_constants_move_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
