/* Runs of nodes on half floats become float32 all through; caches and other things that only pass through stay half. */
#include "base/numbers/convert.h"
#include "support/graph_test.h"

static int32_t as_type(struct graph_test *t, int32_t x, enum onr_dtype to) {
  return graph_test_node(t, &onri_layer_cast, &(struct onr_cast_params){.to = to}, &x, 1);
}

/* A constant of that type, in [-1, 1). */
static int32_t half_constant(struct graph_test *t, enum onr_dtype type, int32_t rank, const int64_t *dims) {
  static float values[4096];
  static uint16_t halves[4096];
  const struct onr_desc desc = onr_desc_make(type, rank, dims);
  const size_t count = (size_t)onr_desc_elements(&desc);
  assert_true(count <= 4096);
  fill_random(values, count, -1, 1, 5);
  onri_store(type, values, count, halves);
  return onri_graph_add_data(t->graph, &desc, halves);
}

/* Enough nodes to be a long run, which lead away from 1 by little. */
static int32_t many(struct graph_test *t, int32_t x) {
  for (int i = 0; i < 12; i++)
    x = graph_test_unary(t, ONR_UNARY_SIGMOID, 0, 0, graph_test_binary(t, ONR_BINARY_ADD, x, x));
  return x;
}

static size_t casts_to(const struct graph_test *t, enum onr_dtype to) {
  size_t count = 0;
  for (size_t n = 0; n < t->graph->num_nodes; n++) {
    const struct onri_node *node = &t->graph->nodes[n];
    if (node->layer == &onri_layer_cast) count += ((const struct onr_cast_params *)node->params)->to == to;
  }
  return count;
}

static void check_run(enum onr_dtype type) {
  static const int64_t rows[] = {3, 64}, square[] = {64, 64}, row[] = {64};
  struct graph_test t;
  graph_test_begin(&t);
  t.tolerance = type == ONR_DTYPE_F16 ? 0.01 : 0.06;
  int32_t x = as_type(&t, graph_test_input(&t, 2, rows), type);
  x = graph_test_node(&t, &onri_layer_matmul, NULL, (int32_t[]){x, half_constant(&t, type, 2, square)}, 2);
  x = graph_test_binary(&t, ONR_BINARY_MUL, x, half_constant(&t, type, 1, row));
  x = graph_test_reshape(&t, x, 3, (int64_t[]){3, 8, 8});
  x = graph_test_unary(&t, ONR_UNARY_SIGMOID, 0, 0, x);
  graph_test_output(&t, as_type(&t, many(&t, x), ONR_DTYPE_F32));
  graph_test_check(&t, NULL);
  const struct onri_node *product = graph_test_find(&t, &onri_layer_matmul);
  assert_int_equal(t.graph->values[product->in[0]].desc.dtype, ONR_DTYPE_F32);
  assert_true(casts_to(&t, type) <= 2); /* what the graph itself rounds, and its end */
  graph_test_end(&t);
}

static void test_a_run_is_float32(void **state) {
  (void)state;
  check_run(ONR_DTYPE_F16);
  check_run(ONR_DTYPE_BF16);
}

/* Few nodes are rounded as their types say. */
static void test_few_nodes_stay(void **state) {
  static const int64_t rows[] = {3, 64};
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 2e-3;
  const int32_t x = as_type(&t, graph_test_input(&t, 2, rows), ONR_DTYPE_F16);
  const int32_t y = graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, graph_test_unary(&t, ONR_UNARY_ERF, 0, 0, x));
  graph_test_output(&t, as_type(&t, y, ONR_DTYPE_F32));
  graph_test_check(&t, "fuse_elementwise");
  const struct onri_node *node = graph_test_find(&t, &onri_layer_unary);
  assert_int_equal(t.graph->values[node->in[0]].desc.dtype, ONR_DTYPE_F16);
  graph_test_end(&t);
}

/* A cache goes on as half; what is new joins it as half, although it was made in float32. */
static void test_a_cache_stays_half(void **state) {
  static const int64_t past[] = {5, 64}, rows[] = {3, 64}, square[] = {64, 64};
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 0.01;
  const int32_t cache = as_type(&t, graph_test_input(&t, 2, past), ONR_DTYPE_F16);
  int32_t x = as_type(&t, graph_test_input(&t, 2, rows), ONR_DTYPE_F16);
  x = graph_test_node(&t, &onri_layer_matmul, NULL, (int32_t[]){x, half_constant(&t, ONR_DTYPE_F16, 2, square)}, 2);
  x = many(&t, x);
  const int32_t present =
      graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 0}, (int32_t[]){cache, x}, 2);
  graph_test_output(&t, as_type(&t, present, ONR_DTYPE_F32));
  graph_test_check(&t, NULL);
  const struct onri_node *concat = graph_test_find(&t, &onri_layer_concat);
  assert_int_equal(t.graph->values[concat->out[0]].desc.dtype, ONR_DTYPE_F16);
  graph_test_end(&t);
}

/* A table that is looked up is not widened, though a product reads it too. */
static void test_a_table_stays_half(void **state) {
  static const int64_t table[] = {64, 64};
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 0.02;
  const int32_t w = half_constant(&t, ONR_DTYPE_F16, 2, table);
  const int32_t index = as_type(&t, graph_test_input(&t, 1, (int64_t[]){7}), ONR_DTYPE_I64);
  int32_t x = graph_test_node(&t, &onri_layer_gather, &(struct onr_gather_params){.axis = 0}, (int32_t[]){w, index}, 2);
  x = graph_test_node(&t, &onri_layer_matmul, NULL, (int32_t[]){many(&t, x), w}, 2);
  graph_test_output(&t, as_type(&t, x, ONR_DTYPE_F32));
  graph_test_check(&t, NULL);
  const struct onri_node *gather = graph_test_find(&t, &onri_layer_gather);
  assert_int_equal(t.graph->values[gather->in[0]].constant->desc.dtype, ONR_DTYPE_F16);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_run_is_float32),
      cmocka_unit_test(test_few_nodes_stay),
      cmocka_unit_test(test_a_cache_stays_half),
      cmocka_unit_test(test_a_table_stays_half),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
