/* infer: what is known of values step by step: descriptors, contents of small values, what stands in the way, and the
 * bounds of what is computed. */
#include <string.h>

#include "support/graph_test.h"

struct known {
  struct graph_test t;
  struct onri_inference f;
};

static void begin_inference(struct known *k, int load) {
  assert_int_equal(onri_inference_init(&k->f, k->t.graph, &k->t.env, load, &k->t.error), ONR_STATUS_OK);
}

static void end_inference(struct known *k) {
  onri_inference_clear(&k->f);
  onri_inference_clear(&k->f); /* nothing is left to clear */
  graph_test_end(&k->t);
}

static enum onri_inferred step(struct known *k, size_t node) {
  enum onri_inferred inferred;
  if (onri_inference_step(&k->f, &k->t.graph->nodes[node], &inferred, &k->t.error) != ONR_STATUS_OK)
    fail_msg("%s", k->t.error.message);
  return inferred;
}

static void descriptors_go_through_known_nodes(void **state) {
  struct known k;
  (void)state;
  graph_test_begin(&k.t);
  const int32_t x = graph_test_input(&k.t, 2, (int64_t[]){2, 6});
  const int32_t a = graph_test_unary(&k.t, ONR_UNARY_EXP, 0, 0, x);
  const int32_t b = graph_test_reshape(&k.t, a, 3, (int64_t[]){3, -1, 2});
  begin_inference(&k, 1);
  assert_int_equal(step(&k, 0), ONRI_BLOCKED); /* what is declared is not what is known */
  assert_int_equal(k.f.descs[a].rank, ONRI_UNKNOWN_RANK);
  k.f.descs[x] = k.t.graph->values[x].desc;
  assert_int_equal(step(&k, 0), ONRI_INFERRED);
  assert_int_equal(step(&k, 1), ONRI_INFERRED);
  assert_int_equal(k.f.descs[b].rank, 3);
  assert_int_equal(k.f.descs[b].dim[1], 2);
  assert_null(k.f.known[b]); /* nobody knows x */
  onri_inference_forget(&k.f, &k.t.graph->nodes[0]);
  assert_int_equal(step(&k, 1), ONRI_BLOCKED);
  end_inference(&k);
}

/* A shape input blocks while its contents are not known. */
static void shape_inputs_must_be_known(void **state) {
  struct known k;
  (void)state;
  graph_test_begin(&k.t);
  const int32_t x = graph_test_input(&k.t, 1, (int64_t[]){6});
  const int32_t shape = onri_graph_add_value(k.t.graph, "s", NULL);
  const int32_t y = graph_test_node(&k.t, &onri_layer_reshape, NULL, (int32_t[]){x, shape}, 2);
  const int64_t dims[] = {2, 3};
  begin_inference(&k, 1);
  k.f.descs[x] = k.t.graph->values[x].desc;
  k.f.descs[shape] = onr_desc_make(ONR_DTYPE_I64, 1, (int64_t[]){2});
  assert_int_equal(step(&k, 0), ONRI_BLOCKED);
  k.f.known[shape] = dims;
  assert_int_equal(step(&k, 0), ONRI_INFERRED);
  assert_int_equal(k.f.descs[y].dim[1], 3);
  k.f.known[shape] = NULL;
  end_inference(&k);
}

static void small_contents_are_computed(void **state) {
  struct known k;
  (void)state;
  graph_test_begin(&k.t);
  const int32_t x = graph_test_input(&k.t, 2, (int64_t[]){4, 5});
  const int32_t shape = graph_test_node(&k.t, &onri_layer_shape, &(struct onr_shape_params){.end = INT64_MAX}, &x, 1);
  const int32_t twice = graph_test_binary(&k.t, ONR_BINARY_ADD, shape, shape);
  begin_inference(&k, 1);
  k.f.descs[x] = k.t.graph->values[x].desc;
  for (size_t n = 0; n < 2; n++) assert_int_equal(step(&k, n), ONRI_INFERRED);
  assert_non_null(k.f.known[shape]); /* of a shape alone: x need not be known */
  assert_memory_equal(k.f.known[twice], ((int64_t[]){8, 10}), 16);
  for (int round = 0; round < 2; round++) step(&k, 1); /* again: the old contents are given back */
  onri_inference_forget(&k.f, &k.t.graph->nodes[1]);
  assert_null(k.f.known[twice]);
  assert_int_equal(k.f.descs[twice].rank, ONRI_UNKNOWN_RANK);
  end_inference(&k);
}

/* Contents: up to a size each, as long as there is room in all, and as long as there is work left. Descriptors always.
 */
static void contents_have_bounds(void **state) {
  struct known k;
  (void)state;
  graph_test_begin(&k.t);
  const float data[8] = {1};
  const int32_t c = graph_test_constant(&k.t, 1, (int64_t[]){8}, data);
  int32_t y[3];
  for (int i = 0; i < 3; i++) y[i] = graph_test_unary(&k.t, ONR_UNARY_NEG, 0, 0, c);
  begin_inference(&k, 1);
  k.f.content_bytes = 31;
  step(&k, 0);
  assert_null(k.f.known[y[0]]);
  k.f.content_bytes = 32;
  step(&k, 0);
  assert_non_null(k.f.known[y[0]]);
  k.f.room = 63;
  step(&k, 1);
  assert_non_null(k.f.known[y[1]]);
  step(&k, 2);
  assert_null(k.f.known[y[2]]);
  onri_inference_forget(&k.f, &k.t.graph->nodes[1]);
  step(&k, 2);
  assert_non_null(k.f.known[y[2]]); /* the room came back */
  k.f.room = SIZE_MAX;
  k.f.work_left = 15; /* 8 go in and 8 come out */
  step(&k, 1);
  assert_null(k.f.known[y[1]]);
  assert_int_equal(k.f.descs[y[1]].dim[0], 8);
  k.f.work_left = 16;
  step(&k, 1);
  assert_non_null(k.f.known[y[1]]);
  assert_int_equal(k.f.work_left, 0);
  end_inference(&k);
}

static void what_only_running_tells(void **state) {
  struct known k;
  (void)state;
  graph_test_begin(&k.t);
  const int32_t x = graph_test_input(&k.t, 1, (int64_t[]){4});
  const int32_t y = graph_test_node(&k.t, &onri_layer_non_zero, NULL, &x, 1);
  begin_inference(&k, 1);
  k.f.descs[x] = k.t.graph->values[x].desc;
  assert_int_equal(step(&k, 0), ONRI_AT_RUN_TIME);
  assert_int_equal(k.f.descs[y].rank, ONRI_UNKNOWN_RANK);
  end_inference(&k);
}

static void random_numbers_are_not_drawn_before_a_run(void **state) {
  struct known k;
  (void)state;
  graph_test_begin(&k.t);
  const struct onr_bernoulli_params params = {.seed = 1};
  const int32_t x = graph_test_constant(&k.t, 1, (int64_t[]){4}, (float[]){0, 1, 0, 1});
  const int32_t y = graph_test_node(&k.t, &onri_layer_bernoulli, &params, &x, 1);
  begin_inference(&k, 1);
  assert_int_equal(step(&k, 0), ONRI_INFERRED);
  assert_null(k.f.known[y]);
  end_inference(&k);
}

static void errors_name_the_node(void **state) {
  struct known k;
  enum onri_inferred inferred;
  (void)state;
  graph_test_begin(&k.t);
  const int32_t x = graph_test_input(&k.t, 1, (int64_t[]){4}), z = graph_test_input(&k.t, 1, (int64_t[]){3});
  graph_test_binary(&k.t, ONR_BINARY_ADD, x, z);
  begin_inference(&k, 1);
  k.f.descs[x] = k.t.graph->values[x].desc;
  k.f.descs[z] = k.t.graph->values[z].desc;
  assert_int_equal(onri_inference_step(&k.f, &k.t.graph->nodes[0], &inferred, &k.t.error), ONR_STATUS_SHAPE);
  assert_string_equal(k.t.error.where, "Test 'node'");
  end_inference(&k);
}

/* Values and wider nodes that came later. What was known stays. */
static void it_grows_with_the_graph(void **state) {
  struct known k;
  int32_t in[GRAPH_TEST_MAX];
  (void)state;
  graph_test_begin(&k.t);
  const int32_t x = graph_test_input(&k.t, 1, (int64_t[]){4});
  const int32_t y = graph_test_unary(&k.t, ONR_UNARY_EXP, 0, 0, x);
  begin_inference(&k, 1);
  k.f.descs[x] = k.t.graph->values[x].desc;
  step(&k, 0);
  k.f.work_left = 0;
  for (int i = 0; i < GRAPH_TEST_MAX; i++) in[i] = i ? graph_test_scalar(&k.t, (float)i) : y;
  for (int i = 1; i < GRAPH_TEST_MAX; i++) in[i] = graph_test_reshape(&k.t, in[i], 1, (int64_t[]){1});
  const int32_t z =
      graph_test_node(&k.t, &onri_layer_concat, &(struct onr_concat_params){.axis = 0}, in, GRAPH_TEST_MAX);
  assert_int_equal(onri_inference_grow(&k.f, 1, &k.t.error), ONR_STATUS_OK);
  assert_int_equal(k.f.work_left, ONRI_INFERENCE_WORK);
  assert_int_equal(k.f.descs[y].dim[0], 4);
  for (size_t n = 1; n < k.t.graph->num_nodes; n++) assert_int_equal(step(&k, n), ONRI_INFERRED);
  assert_int_equal(k.f.descs[z].dim[0], 4 + GRAPH_TEST_MAX - 1);
  end_inference(&k);
}

static int loads;

static enum onr_status load(void *source, const struct onri_constant *constant, void *target, struct onr_error *error) {
  (void)source, (void)error;
  memset(target, 0, onr_desc_bytes(&constant->desc));
  loads++;
  return ONR_STATUS_OK;
}

static int32_t constant_in_file(struct known *k, int64_t count) {
  struct onri_constant *c = onri_allocate_zeroed(k->t.env.allocator, sizeof(*c));
  assert_non_null(c);
  *c = (struct onri_constant){
      .desc = onr_desc_make(ONR_DTYPE_U8, 1, &count), .allocator = k->t.env.allocator, .references = 1, .load = load};
  return onri_graph_add_constant(k->t.graph, "w", c);
}

static void small_constants_are_read_where_asked(void **state) {
  (void)state;
  for (int asked = 0; asked < 2; asked++) {
    struct known k;
    graph_test_begin(&k.t);
    const int32_t small = constant_in_file(&k, 1 << 16), large = constant_in_file(&k, (1 << 16) + 1);
    loads = 0;
    begin_inference(&k, asked);
    assert_int_equal(loads, asked);
    assert_int_equal(k.f.known[small] != NULL, asked);
    assert_null(k.f.known[large]);
    assert_int_equal(k.f.descs[large].dim[0], (1 << 16) + 1);
    end_inference(&k);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(descriptors_go_through_known_nodes),
      cmocka_unit_test(shape_inputs_must_be_known),
      cmocka_unit_test(small_contents_are_computed),
      cmocka_unit_test(contents_have_bounds),
      cmocka_unit_test(what_only_running_tells),
      cmocka_unit_test(random_numbers_are_not_drawn_before_a_run),
      cmocka_unit_test(errors_name_the_node),
      cmocka_unit_test(it_grows_with_the_graph),
      cmocka_unit_test(small_constants_are_read_where_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
