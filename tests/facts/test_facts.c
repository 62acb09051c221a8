/* What is known of shapes with open dimensions. */
#include "facts/facts.h"
#include "support/graph_test.h"

static void deduce(struct graph_test *t, struct onri_facts *result) {
  *result = (struct onri_facts){0};
  assert_int_equal(onri_graph_set_inputs(t->graph, t->inputs, t->num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t->graph, t->outputs, t->num_outputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_facts_begin(result, t->graph, 1, &t->error), ONR_STATUS_OK);
}

static void expect_dims(const struct graph_test *t, int32_t v, int32_t rank, const int64_t *dims) {
  const struct onr_desc *desc = &t->graph->values[v].desc;
  assert_int_equal(desc->rank, rank);
  for (int32_t d = 0; d < rank; d++) assert_int_equal(desc->dim[d], dims[d]);
}

static void test_dims_that_agree_are_known(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){-1, 3, -1, 16}), 3, 6, 3);
  const int32_t flat = graph_test_reshape(&t, x, 3, (int64_t[]){0, 6, -1});
  graph_test_output(&t, flat);
  deduce(&t, &p);
  assert_false(p.exact);
  expect_dims(&t, x, 4, (int64_t[]){-1, 6, -1, 16});
  expect_dims(&t, flat, 3, (int64_t[]){-1, 6, -1});
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* A slice of at most 16: short inputs give less, so it is not 16. */
static void test_minimums_are_not_taken_for_constants(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, -1});
  const int32_t in[4] = {x, graph_test_ints(&t, 1, (int64_t[]){0}), graph_test_ints(&t, 1, (int64_t[]){16}),
                         graph_test_ints(&t, 1, (int64_t[]){1})};
  const int32_t y = graph_test_node(&t, &onri_layer_slice, NULL, in, 4);
  graph_test_output(&t, y);
  deduce(&t, &p);
  expect_dims(&t, y, 2, (int64_t[]){-1, -1});
  onri_facts_clear(&p);
  graph_test_end(&t);
}

static void name_dims(struct graph_test *t, int32_t v, const char *const *names) {
  t->graph->values[v].dim_names = names;
}

/* Equal names are equal sizes: x + y can be inferred; other dimensions are not taken for equal. */
static void test_names_make_dimensions_equal(void **state) {
  static const char *const names[2][2] = {{"batch", "time"}, {"batch", "other"}};
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, -1}), y = graph_test_input(&t, 2, (int64_t[]){-1, -1});
  name_dims(&t, x, names[0]);
  name_dims(&t, y, names[1]);
  const int32_t z =
      graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 1}, (int32_t[]){x, y}, 2);
  graph_test_output(&t, z);
  deduce(&t, &p);
  expect_dims(&t, z, 2, (int64_t[]){-1, -1});
  assert_true(onri_facts_same_dim(&p, x, 0, y, 0));
  assert_true(onri_facts_same_dim(&p, x, 0, z, 0));
  assert_false(onri_facts_same_dim(&p, x, 1, y, 1));
  assert_false(onri_facts_same_dim(&p, x, 1, z, 1));
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* Of nameless dimensions that must agree, the first one tells. */
static void test_nameless_dimensions_that_must_agree(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, 4}), y = graph_test_input(&t, 2, (int64_t[]){-1, 5});
  const int32_t z =
      graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 1}, (int32_t[]){x, y}, 2);
  graph_test_output(&t, z);
  deduce(&t, &p);
  expect_dims(&t, z, 2, (int64_t[]){-1, 9});
  assert_true(onri_facts_same_dim(&p, x, 0, z, 0));
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* A list of numbers is a shape, whether elements fit or not: where they do not, no run goes on. */
static void test_a_shape_that_hardly_fits(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_input(&t, 2, (int64_t[]){-1, 4}));
  const int32_t y = graph_test_reshape(&t, x, 2, (int64_t[]){1000003, 4});
  graph_test_output(&t, y);
  deduce(&t, &p);
  expect_dims(&t, x, 2, (int64_t[]){-1, 4});
  expect_dims(&t, y, 2, (int64_t[]){1000003, 4});
  onri_facts_clear(&p);
  graph_test_end(&t);
}

static void test_declared_shapes_are_exact(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){2, 3});
  const int32_t shape = graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){0, INT64_MAX}, &x, 1);
  graph_test_output(&t, shape);
  deduce(&t, &p);
  assert_true(p.exact);
  assert_non_null(onri_facts_contents(&p, shape));
  assert_memory_equal(onri_facts_contents(&p, shape)->data, ((const int64_t[]){2, 3}), 2 * sizeof(int64_t));
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* reshape(2, -1, 4): only even batches go through. */
static void test_sizes_that_only_multiples_satisfy(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t pairs = graph_test_reshape(&t, graph_test_input(&t, 2, (int64_t[]){-1, 4}), 3, (int64_t[]){2, -1, 4});
  const int32_t y = graph_test_reshape(&t, pairs, 2, (int64_t[]){-1, 4});
  graph_test_output(&t, y);
  deduce(&t, &p);
  expect_dims(&t, pairs, 3, (int64_t[]){2, -1, 4});
  expect_dims(&t, y, 2, (int64_t[]){-1, 4});
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* Broadcast against 41: the result has 41, its operand 1 or 41. */
static void test_a_broadcast_against_a_number(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_input(&t, 2, (int64_t[]){-1, -1}));
  const int32_t column =
      graph_test_node(&t, &onri_layer_unsqueeze, NULL, (int32_t[]){x, graph_test_ints(&t, 1, (int64_t[]){2})}, 2);
  const int32_t y =
      graph_test_binary(&t, ONR_BINARY_ADD, column, graph_test_constant(&t, 4, (int64_t[]){2, 41, 1, 43}, NULL));
  graph_test_output(&t, y);
  graph_test_output(&t, x);
  deduce(&t, &p);
  expect_dims(&t, y, 4, (int64_t[]){2, 41, -1, 43});
  expect_dims(&t, x, 2, (int64_t[]){-1, -1});
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* A squeeze of whatever is 1. What follows has no rank, until a reshape gives
 * one. */
static void test_ranks_that_depend_on_sizes(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t rows = graph_test_reshape(&t, graph_test_input(&t, 3, (int64_t[]){-1, 8, 64}), 2, (int64_t[]){-1, 256});
  const int32_t y = graph_test_node(&t, &onri_layer_squeeze, NULL, &rows, 1);
  const int32_t z = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, y);
  const int32_t back = graph_test_reshape(&t, z, 3, (int64_t[]){-1, 16, 16});
  graph_test_output(&t, back);
  deduce(&t, &p);
  expect_dims(&t, rows, 2, (int64_t[]){-1, 256});
  assert_int_equal(t.graph->values[y].desc.rank, ONRI_UNKNOWN_RANK);
  assert_int_equal(t.graph->values[z].desc.rank, ONRI_UNKNOWN_RANK);
  expect_dims(&t, back, 3, (int64_t[]){-1, 16, 16});
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* min(100, length), as heads write it that take the best 100: a dimension, and the contents it comes from. */
static void test_the_best_hundred(void **state) {
  struct graph_test t;
  struct onri_facts p;
  int32_t best[2];
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){1, -1});
  const int32_t length = graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){1, 2}, &x, 1);
  const int32_t k = graph_test_binary(&t, ONR_BINARY_MIN, length, graph_test_ints(&t, 1, (int64_t[]){100}));
  graph_test_node_outputs(&t, &onri_layer_top_k, &(struct onr_top_k_params){.axis = 1, .largest = 1}, (int32_t[]){x, k},
                          2, best, 2);
  graph_test_output(&t, best[0]);
  deduce(&t, &p);
  expect_dims(&t, best[0], 2, (int64_t[]){1, -1});
  assert_null(onri_facts_contents(&p, k));
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* A difference of two dimensions is no constant. */
static void test_differences_of_dimensions(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){1, -1}), y = graph_test_input(&t, 2, (int64_t[]){1, -1});
  const int32_t lengths[2] = {graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){1, 2}, &x, 1),
                              graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){1, 2}, &y, 1)};
  const int32_t more = graph_test_binary(&t, ONR_BINARY_SUB, lengths[1], lengths[0]);
  const int32_t in[4] = {y, graph_test_ints(&t, 1, (int64_t[]){0}), more, graph_test_ints(&t, 1, (int64_t[]){1})};
  const int32_t z = graph_test_node(&t, &onri_layer_slice, NULL, in, 4);
  graph_test_output(&t, z);
  deduce(&t, &p);
  expect_dims(&t, z, 2, (int64_t[]){1, -1});
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* A batch of which only 1 goes through the last node. */
static void test_values_in_front_of_a_node_of_one_size(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){-1, 3, 4, 4}), 3, 6, 3);
  const int32_t y = graph_test_reshape(&t, x, 2, (int64_t[]){1, 96});
  const int32_t z = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, y);
  graph_test_output(&t, z);
  deduce(&t, &p);
  expect_dims(&t, x, 4, (int64_t[]){-1, 6, 4, 4});
  expect_dims(&t, y, 2, (int64_t[]){1, 96}); /* declared */
  expect_dims(&t, z, 2, (int64_t[]){1, 96});
  onri_facts_clear(&p);
  graph_test_end(&t);
}

/* (height - 1) / 2 rounds toward zero: a formula only where height is 1 or more, which a window over it shows. */
static void test_images_have_pixels(void **state) {
  for (int has_window = 0; has_window < 2; has_window++) {
    struct graph_test t;
    struct onri_facts p;
    (void)state;
    graph_test_begin(&t);
    const int32_t x = graph_test_input(&t, 4, (int64_t[]){1, 3, -1, 16});
    const int32_t height = graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){2, 3}, &x, 1);
    const int32_t less = graph_test_binary(&t, ONR_BINARY_SUB, height, graph_test_ints(&t, 1, (int64_t[]){1}));
    const int32_t half = graph_test_binary(&t, ONR_BINARY_DIV, less, graph_test_ints(&t, 1, (int64_t[]){2}));
    graph_test_output(&t, half);
    if (has_window) graph_test_output(&t, graph_test_conv(&t, x, 3, 6, 3));
    deduce(&t, &p);
    assert_int_equal(p.of[half].num_elements, 1);
    assert_int_equal(p.of[half].elements[0] != ONRI_EXPR_ANY, has_window);
    onri_facts_clear(&p);
    graph_test_end(&t);
  }
}

/* u [2, 1, n] to the list (-1, n): an n of 0 copies the 1, and gives [0, 1]. Where the list has a place for n that u
 * does not have, n is never 0. */
static void test_a_computed_size_of_zero_is_copied(void **state) {
  for (int has_place = 0; has_place < 2; has_place++) {
    struct graph_test t;
    struct onri_facts p;
    (void)state;
    graph_test_begin(&t);
    const int32_t x = graph_test_input(&t, 2, (int64_t[]){2, -1});
    const int32_t u =
        graph_test_node(&t, &onri_layer_unsqueeze, NULL, (int32_t[]){x, graph_test_ints(&t, 1, (int64_t[]){1})}, 2);
    const int32_t n = graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){1, 2}, &x, 1);
    const int32_t minus = graph_test_ints(&t, 1, (int64_t[]){-1}), ones = graph_test_ints(&t, 2, (int64_t[]){1, 1});
    const int32_t list =
        graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 0}, (int32_t[]){minus, n}, 2);
    const int32_t longer =
        graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 0}, (int32_t[]){minus, ones, n}, 3);
    const int32_t y =
        graph_test_node(&t, &onri_layer_reshape, &(struct onr_reshape_params){0}, (int32_t[]){u, list}, 2);
    graph_test_output(&t, y);
    if (has_place)
      graph_test_output(
          &t, graph_test_node(&t, &onri_layer_reshape, &(struct onr_reshape_params){0}, (int32_t[]){u, longer}, 2));
    deduce(&t, &p);
    expect_dims(&t, y, 2, has_place ? (int64_t[]){2, -1} : (int64_t[]){-1, -1});
    assert_int_equal(onri_facts_same_dim(&p, y, 1, x, 1), has_place);
    onri_facts_clear(&p);
    graph_test_end(&t);
  }
}

/* k [1, 2, a + b, 8], as PyTorch transposes the keys of a cache: as [-1, a + b, 8], turned, as [1, 2, 8, a + b]. The
 * last list has a place that what it reads does not have, so no run goes on where a + b is 0. */
static void test_a_sum_that_is_never_zero(void **state) {
  for (int has_place = 0; has_place < 2; has_place++) {
    struct graph_test t;
    struct onri_facts p;
    (void)state;
    graph_test_begin(&t);
    const int32_t a = graph_test_input(&t, 4, (int64_t[]){1, 2, -1, 8}),
                  b = graph_test_input(&t, 4, (int64_t[]){1, 2, -1, 8});
    const int32_t k =
        graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 2}, (int32_t[]){a, b}, 2);
    const int32_t n = graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){2, 3}, &k, 1);
    const int32_t minus = graph_test_ints(&t, 1, (int64_t[]){-1}), eight = graph_test_ints(&t, 1, (int64_t[]){8});
    const int32_t front = graph_test_ints(&t, has_place ? 3 : 2, (int64_t[]){has_place ? 1 : 2, has_place ? 2 : 8, 8});
    const int32_t list = graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 0},
                                         (int32_t[]){minus, n, eight}, 3);
    const int32_t back =
        graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 0}, (int32_t[]){front, n}, 2);
    const int32_t y =
        graph_test_node(&t, &onri_layer_reshape, &(struct onr_reshape_params){0}, (int32_t[]){k, list}, 2);
    const int32_t turned =
        graph_test_node(&t, &onri_layer_transpose, &(struct onr_transpose_params){3, {0, 2, 1}}, &y, 1);
    const int32_t z =
        graph_test_node(&t, &onri_layer_reshape, &(struct onr_reshape_params){0}, (int32_t[]){turned, back}, 2);
    graph_test_output(&t, y);
    graph_test_output(&t, z);
    deduce(&t, &p);
    expect_dims(&t, y, 3, has_place ? (int64_t[]){2, -1, 8} : (int64_t[]){-1, -1, 8});
    assert_int_equal(onri_facts_same_dim(&p, y, 1, k, 2), has_place);
    onri_facts_clear(&p);
    graph_test_end(&t);
  }
}

/* A pass that changes a shape is found out. */
static void test_a_changed_shape_is_internal(void **state) {
  struct graph_test t;
  struct onri_facts p;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_transpose(&t, graph_test_input(&t, 3, (int64_t[]){-1, 4, 5}), 3, (int32_t[]){0, 2, 1});
  graph_test_output(&t, x);
  deduce(&t, &p);
  assert_int_equal(onri_facts_update(&p, &t.error), ONR_STATUS_OK);
  ((struct onr_transpose_params *)t.graph->nodes[0].params)->perm[1] = 1;
  ((struct onr_transpose_params *)t.graph->nodes[0].params)->perm[2] = 2;
  assert_int_equal(onri_facts_update(&p, &t.error), ONR_STATUS_INTERNAL);
  onri_facts_clear(&p);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dims_that_agree_are_known),
      cmocka_unit_test(test_minimums_are_not_taken_for_constants),
      cmocka_unit_test(test_names_make_dimensions_equal),
      cmocka_unit_test(test_nameless_dimensions_that_must_agree),
      cmocka_unit_test(test_a_shape_that_hardly_fits),
      cmocka_unit_test(test_declared_shapes_are_exact),
      cmocka_unit_test(test_sizes_that_only_multiples_satisfy),
      cmocka_unit_test(test_a_broadcast_against_a_number),
      cmocka_unit_test(test_ranks_that_depend_on_sizes),
      cmocka_unit_test(test_the_best_hundred),
      cmocka_unit_test(test_differences_of_dimensions),
      cmocka_unit_test(test_values_in_front_of_a_node_of_one_size),
      cmocka_unit_test(test_images_have_pixels),
      cmocka_unit_test(test_a_computed_size_of_zero_is_copied),
      cmocka_unit_test(test_a_sum_that_is_never_zero),
      cmocka_unit_test(test_a_changed_shape_is_internal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
