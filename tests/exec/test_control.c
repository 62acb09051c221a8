/* control: If and Loop as a session runs them: which branch, how often, what is carried, and no turn at all. */
#include "support/small_session.h"

/* A body of one node on its last input. Outputs: `first` (an input, or -1: none), then the node's. */
static struct onri_graph *body_of(struct builder *b, const struct onr_layer *layer, size_t num_inputs,
                                  const int32_t *inputs_read, size_t num_read, int first) {
  struct onri_graph *body;
  int32_t in[4], read[2], out[2], count = 0;
  assert_int_equal(onri_graph_create(b->graph->env, &body, NULL), ONR_STATUS_OK);
  for (size_t i = 0; i < num_inputs; i++) in[i] = value(body, NULL);
  for (size_t i = 0; i < num_read; i++) read[i] = in[inputs_read[i]];
  if (first >= 0) out[count++] = in[first];
  out[count++] = node(body, layer, read, num_read);
  assert_int_equal(onri_graph_set_inputs(body, in, num_inputs, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(body, out, (size_t)count, NULL), ONR_STATUS_OK);
  return body;
}

static int32_t control(struct builder *b, const struct onr_layer *layer, const void *params, const int32_t *in,
                       size_t num_in, struct onri_graph *first, struct onri_graph *second) {
  const int32_t out = value(b->graph, NULL);
  struct onri_node *n = onri_graph_add_node(b->graph, layer, params, NULL, in, num_in, &out, 1);
  assert_non_null(n);
  n->bodies = onri_arena_allocate(&b->graph->arena, 2 * sizeof(*n->bodies));
  assert_non_null(n->bodies);
  n->bodies[0] = first;
  n->bodies[1] = second;
  n->num_bodies = second ? 2 : 1;
  return out;
}

/* a < b ? a + 1 : a + b, with the branch chosen anew in each run. */
static void test_a_branch_for_each_run(void **state) {
  struct builder b = start();
  (void)state;
  const int32_t a = value(b.graph, "a"), other = value(b.graph, "b");
  const int32_t condition = node(b.graph, &below, (int32_t[]){a, other}, 2);
  struct onri_graph *yes = body_of(&b, &increment, 1, (int32_t[]){0}, 1, -1),
                    *no = body_of(&b, &add, 2, (int32_t[]){0, 1}, 2, -1);
  const int32_t y = control(&b, &onri_layer_if, NULL, (int32_t[]){condition, a, a, other}, 4, yes, no);
  struct onr_session *s = finish(&b, (int32_t[]){a, other}, 2, &y, 1);
  const float inputs[3][2] = {{1, 5}, {5, 1}, {-3, 0}}, expected[3] = {2, 6, -2};
  for (int i = 0; i < 3; i++) {
    set(s, 0, &inputs[i][0], 1);
    set(s, 1, &inputs[i][1], 1);
    run(s);
    expect(s, 0, &expected[i], 1);
  }
  end(&b, s);
}

/* x is carried, and grows by 1 in each of M turns; with M = 0 it comes back as it was. */
static void test_turns_of_a_loop(void **state) {
  (void)state;
  for (int64_t turns = 0; turns < 5; turns++) {
    struct builder b = start();
    const int32_t x = value(b.graph, "x");
    const struct onr_desc count = {.dtype = ONR_DTYPE_I64}, truth = {.dtype = ONR_DTYPE_BOOL};
    const int32_t m = onri_graph_add_data(b.graph, &count, &turns),
                  go = onri_graph_add_data(b.graph, &truth, &(uint8_t){1});
    struct onri_graph *body = body_of(&b, &increment, 3, (int32_t[]){2}, 1, 1);
    const struct onr_loop_params params = {.num_carried = 1};
    const int32_t y = control(&b, &onri_layer_loop, &params, (int32_t[]){m, go, x}, 3, body, NULL);
    struct onr_session *s = finish(&b, &x, 1, &y, 1);
    set(s, 0, (float[]){1, 20}, 2);
    for (int again = 0; again < 2; again++) {
      run(s);
      expect(s, 0, (float[]){1 + (float)turns, 20 + (float)turns}, 2);
    }
    end(&b, s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_branch_for_each_run),
                                     cmocka_unit_test(test_turns_of_a_loop)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
