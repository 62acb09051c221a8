/* graph: what building copies, fills in and refuses; the text of a node in errors; memory that runs out anywhere. */
#include <string.h>

#include "support/counted_memory.h"
#include "support/graph_test.h"

static enum onr_status never(struct onr_call *call) {
  return onr_fail(call->error, ONR_STATUS_INTERNAL, "nothing runs here");
}

struct params {
  int32_t a, b;
};

static size_t released;

static void count_release(void *prepared, struct onr_env *env) {
  (void)env;
  released += *(const unsigned char *)prepared == 9;
}

/* Two outputs are always made, a third may be. */
static const struct onr_layer pair = {.name = "pair",
                                      .inputs_min = 1,
                                      .inputs_max = 2,
                                      .outputs_min = 2,
                                      .outputs_max = 3,
                                      .params_size = sizeof(struct params),
                                      .release_prepared = count_release,
                                      .run = never};

static void values_are_unknown_unless_told(void **state) {
  struct graph_test t;
  char name[] = "x";
  (void)state;
  graph_test_begin(&t);
  const int32_t v = onri_graph_add_value(t.graph, name, NULL), w = onri_graph_add_value(t.graph, NULL, NULL);
  name[0] = 'y';
  assert_int_equal(v, 0);
  assert_int_equal(w, 1);
  assert_string_equal(t.graph->values[v].name, "x");
  assert_string_equal(t.graph->values[w].name, "");
  assert_int_equal(t.graph->values[v].desc.rank, ONRI_UNKNOWN_RANK);
  assert_int_equal(t.graph->values[v].producer, ONRI_NONE);
  assert_null(t.graph->values[v].constant);
  const int32_t c = onri_graph_add_data(t.graph, &(struct onr_desc){.dtype = ONR_DTYPE_I32}, &(int32_t){8});
  assert_int_equal(t.graph->values[c].desc.dtype, ONR_DTYPE_I32);
  assert_int_equal(t.graph->values[c].desc.rank, 0);
  assert_int_equal(*(const int32_t *)t.graph->values[c].constant->data, 8);
  assert_int_equal(onri_graph_add_constant(t.graph, "no", NULL), -1);
  graph_test_end(&t);
}

static void nodes_are_copies(void **state) {
  struct graph_test t;
  struct params params = {1, 2};
  (void)state;
  graph_test_begin(&t);
  int32_t in[] = {graph_test_input(&t, 0, NULL), ONRI_NONE}, out[3];
  for (int i = 0; i < 3; i++) out[i] = onri_graph_add_value(t.graph, NULL, NULL);
  struct onri_node *node = onri_graph_add_node(t.graph, &pair, &params, NULL, in, 2, out, 3);
  assert_non_null(node);
  const int32_t x = in[0], y = out[0];
  memset(&params, 0xff, sizeof(params));
  memset(in, 0xff, sizeof(in));
  memset(out, 0xff, sizeof(out));
  assert_int_equal(node->num_in, 2);
  assert_int_equal(node->in[0], x);
  assert_int_equal(node->in[1], ONRI_NONE);
  assert_int_equal(node->out[0], y);
  assert_memory_equal(node->params, (&(struct params){1, 2}), sizeof(params));
  assert_int_equal(t.graph->values[y].producer, 0);
  assert_non_null(node->origin); /* never NULL */
  assert_string_equal(node->origin->op_type, "");
  node = onri_graph_add_node(t.graph, &pair, NULL, NULL, &x, 1, NULL, 0);
  assert_non_null(node);
  assert_memory_equal(node->params, (&(struct params){0, 0}), sizeof(params));
  graph_test_end(&t);
}

/* Omitted, or left out at the end: outputs that the layer always writes get a value; others stay as they are. */
static void outputs_that_are_always_made_have_a_value(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 0, NULL), y = onri_graph_add_value(t.graph, NULL, NULL);
  struct onri_node *node = onri_graph_add_node(t.graph, &pair, NULL, NULL, &x, 1, (int32_t[]){ONRI_NONE, y, -1}, 3);
  assert_non_null(node);
  assert_int_equal(node->num_out, 3);
  assert_in_range(node->out[0], y + 1, t.graph->num_values - 1);
  assert_int_equal(node->out[1], y);
  assert_int_equal(node->out[2], ONRI_NONE);
  assert_int_equal(t.graph->values[node->out[0]].producer, 0);
  node = onri_graph_add_node(t.graph, &pair, NULL, NULL, &x, 1, NULL, 0);
  assert_non_null(node);
  assert_int_equal(node->num_out, 2);
  for (int i = 0; i < 2; i++) assert_int_equal(t.graph->values[node->out[i]].producer, 1);
  graph_test_end(&t);
}

static void outputs_that_are_no_values_are_refused(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 0, NULL);
  assert_null(onri_graph_add_node(t.graph, &pair, NULL, NULL, &x, 1, (int32_t[]){1}, 1));
  assert_null(onri_graph_add_node(t.graph, &pair, NULL, NULL, &x, 1, (int32_t[]){-2}, 1));
  assert_int_equal(t.graph->num_nodes, 0);
  graph_test_end(&t);
}

static void destroying_takes_bodies_constants_and_what_was_prepared(void **state) {
  struct onr_env env = {.allocator = &counted_memory};
  struct onri_graph *graph, *body;
  (void)state;
  counted_memory_begin();
  released = 0;
  assert_int_equal(onri_graph_create(&env, &graph, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_create(&env, &body, NULL), ONR_STATUS_OK);
  assert_true(onri_graph_add_data(body, &(struct onr_desc){.dtype = ONR_DTYPE_F32}, &(float){1}) >= 0);
  const int32_t x = onri_graph_add_value(graph, "x", NULL);
  struct onri_node *node = onri_graph_add_node(graph, &pair, NULL, NULL, &x, 1, NULL, 0);
  node->num_bodies = 1;
  node->bodies = onri_arena_copy(&graph->arena, &body, sizeof(body)); /* struct onri_graph *[1] */
  node->prepared = onri_allocate_zeroed(env.allocator, 16);
  *(unsigned char *)node->prepared = 9;
  onri_graph_destroy(graph);
  assert_int_equal(released, 1);
  assert_int_equal(counted_live, 0);
  onri_graph_destroy(NULL);
}

/* One node with everything; 0 when memory ran out. Whatever was made so far belongs to the graph. */
static int build(struct onr_env *env) {
  struct onri_graph *graph;
  struct onr_error error = {0};
  if (onri_graph_create(env, &graph, &error) != ONR_STATUS_OK) {
    assert_int_equal(error.status, ONR_STATUS_NO_MEMORY);
    return 0;
  }
  const int32_t x = onri_graph_add_value(graph, "a name that is a little longer", NULL);
  const int32_t c = onri_graph_add_data(graph, &(struct onr_desc){.dtype = ONR_DTYPE_F32}, &(float){1});
  int ok = x >= 0 && c >= 0;
  for (int i = 0; ok && i < 40; i++)
    ok = onri_graph_add_node(graph, &pair, NULL, NULL, (int32_t[]){x, c}, 2, NULL, 0) != NULL;
  if (ok) {
    const enum onr_status status = onri_graph_set_inputs(graph, &x, 1, &error);
    ok = status == ONR_STATUS_OK;
    if (!ok) assert_int_equal(status, ONR_STATUS_NO_MEMORY);
  }
  onri_graph_destroy(graph);
  return ok;
}

static void memory_may_run_out_anywhere(void **state) {
  struct onr_env env = {.allocator = &counted_memory};
  int done = 0;
  (void)state;
  for (size_t n = 1; !done; n++) {
    counted_memory_begin();
    counted_fail_at = n;
    done = build(&env);
    assert_int_equal(counted_live, 0);
    if (done) assert_true(n > 5); /* it was tried at all */
  }
}

static void a_node_is_named_in_errors(void **state) {
  static const struct onri_origin full = {"Conv", "conv1", "encoder.0", "Conv2d", "model.py:41"};
  static const struct onri_origin bare = {"", "", "", "", ""}, placed = {"Add", "", "", "", "net.py:7"};
  struct onri_node node = {.layer = &pair, .origin = &full};
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onri_node_blame(&node, ONR_STATUS_OK, &error), ONR_STATUS_OK);
  assert_string_equal(error.where, "");
  assert_int_equal(onri_node_blame(&node, ONR_STATUS_SHAPE, &error), ONR_STATUS_SHAPE);
  assert_string_equal(error.where, "Conv 'conv1' (encoder.0, model.py:41)");
  node.origin = &bare;
  assert_int_equal(onri_node_blame(&node, ONR_STATUS_TYPE, &error), ONR_STATUS_TYPE);
  assert_string_equal(error.where, "Conv 'conv1' (encoder.0, model.py:41)"); /* the innermost place stays */
  error.where[0] = 0;
  onri_node_blame(&node, ONR_STATUS_TYPE, &error);
  assert_string_equal(error.where, "pair");
  error.where[0] = 0;
  node.origin = &placed;
  onri_node_blame(&node, ONR_STATUS_TYPE, &error);
  assert_string_equal(error.where, "Add (net.py:7)");
  assert_int_equal(onri_node_blame(&node, ONR_STATUS_TYPE, NULL), ONR_STATUS_TYPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_unknown_unless_told),
      cmocka_unit_test(nodes_are_copies),
      cmocka_unit_test(outputs_that_are_always_made_have_a_value),
      cmocka_unit_test(outputs_that_are_no_values_are_refused),
      cmocka_unit_test(destroying_takes_bodies_constants_and_what_was_prepared),
      cmocka_unit_test(memory_may_run_out_anywhere),
      cmocka_unit_test(a_node_is_named_in_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
