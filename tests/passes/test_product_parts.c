/* Products that are read in parts alone, as Q, K and V of one projection are: with all sizes known and not, and those
 * that must stay whole. */
#include "support/graph_test.h"

enum { WIDTH = 6, PARTS = 3 };

static int32_t projection(struct graph_test *t, int32_t x) {
  const struct onr_linear_params params = {0};
  const int32_t in[] = {x, graph_test_constant(t, 2, (int64_t[]){PARTS * WIDTH, WIDTH}, NULL),
                        graph_test_constant(t, 1, (int64_t[]){PARTS * WIDTH}, NULL)};
  return graph_test_node(t, &onri_layer_linear, &params, in, 3);
}
static int32_t product(struct graph_test *t, int32_t x) {
  const struct onr_matmul_params params = {0};
  const int32_t w = graph_test_constant(t, 2, (int64_t[]){WIDTH, PARTS * WIDTH}, NULL);
  return graph_test_node(t, &onri_layer_matmul, &params, (int32_t[]){x, w}, 2);
}
/* Part `index` of dimension `axis`. */
static int32_t part(struct graph_test *t, int32_t x, int64_t axis, int64_t index) {
  const struct onr_gather_params params = {.axis = axis};
  const struct onr_desc scalar = {.dtype = ONR_DTYPE_I64};
  const int32_t in[] = {x, onri_graph_add_data(t->graph, &scalar, &index)};
  assert_true(in[1] >= 0);
  return graph_test_node(t, &onri_layer_gather, &params, in, 2);
}
static int32_t join(struct graph_test *t, int32_t a, int32_t b) { return graph_test_binary(t, ONR_BINARY_MUL, a, b); }
/* [a, b, 18] as [a, b, 3, 6]; the outermost sizes are whatever they are. */
static int32_t split(struct graph_test *t, int32_t x) {
  return graph_test_reshape(t, x, 4, (int64_t[]){0, -1, PARTS, WIDTH});
}

/* As torch.nn.MultiheadAttention is exported: the parts come first. */
static int32_t exported(struct graph_test *t, int32_t x) {
  const int32_t y = graph_test_transpose(t, split(t, projection(t, x)), 4, (int32_t[]){2, 0, 1, 3});
  return join(t, join(t, part(t, y, 0, 0), part(t, y, 0, 1)), part(t, y, 0, 2));
}
static int32_t last(struct graph_test *t, int32_t x) {
  const int32_t y = split(t, product(t, x));
  return join(t, join(t, part(t, y, 2, 2), part(t, y, -2, -3)), part(t, y, 2, 1));
}
static int32_t one_is_missing(struct graph_test *t, int32_t x) {
  const int32_t y = split(t, product(t, x));
  return join(t, part(t, y, 2, 0), part(t, y, 2, 1));
}
static int32_t one_is_read_twice(struct graph_test *t, int32_t x) {
  const int32_t y = split(t, product(t, x));
  return join(t, join(t, part(t, y, 2, 0), part(t, y, 2, 1)), part(t, y, 2, 1));
}
static int32_t whole_is_read(struct graph_test *t, int32_t x) {
  const int32_t whole = product(t, x), y = split(t, whole);
  graph_test_output(t, graph_test_unary(t, ONR_UNARY_EXP, 0, 0, whole));
  return join(t, join(t, part(t, y, 2, 0), part(t, y, 2, 1)), part(t, y, 2, 2));
}
static int32_t something_in_between(struct graph_test *t, int32_t x) {
  const struct onr_softmax_params params = {.axis = -1};
  const int32_t whole = product(t, x), soft = graph_test_node(t, &onri_layer_softmax, &params, &whole, 1);
  const int32_t y = split(t, soft);
  return join(t, join(t, part(t, y, 2, 0), part(t, y, 2, 1)), part(t, y, 2, 2));
}
/* Parts of rows, not of columns. */
static int32_t of_rows(struct graph_test *t, int32_t x) {
  const int32_t y = graph_test_reshape(t, product(t, x), 3, (int64_t[]){PARTS, -1, WIDTH});
  return join(t, join(t, part(t, y, 0, 0), part(t, y, 0, 1)), part(t, y, 0, 2));
}
/* A column of each part: they lie apart. */
static int32_t interleaved(struct graph_test *t, int32_t x) {
  const int32_t y = graph_test_reshape(t, product(t, x), 4, (int64_t[]){0, -1, WIDTH, PARTS});
  return join(t, join(t, part(t, y, 3, 0), part(t, y, 3, 1)), part(t, y, 3, 2));
}

static const struct {
  const char *name;
  int32_t (*build)(struct graph_test *t, int32_t x);
  size_t products;
} cases[] = {
    {"exported", exported, PARTS},
    {"last", last, PARTS},
    {"one_is_missing", one_is_missing, 1},
    {"one_is_read_twice", one_is_read_twice, 1},
    {"whole_is_read", whole_is_read, 1},
    {"something_in_between", something_in_between, 1},
    {"of_rows", of_rows, 1},
    {"interleaved", interleaved, 1},
};

static void test_parts(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int unknown = 0; unknown < 2; unknown++) {
      const int64_t known[] = {2, 3, WIDTH}, any[] = {-1, -1, WIDTH};
      struct graph_test t;
      graph_test_begin(&t);
      t.tolerance = 1e-5;
      graph_test_output(&t, cases[i].build(&t, graph_test_input(&t, 3, unknown ? any : known)));
      graph_test_check(&t, NULL);
      const size_t found = graph_test_count(&t, &onri_layer_matmul) + graph_test_count(&t, &onri_layer_linear);
      if (found != cases[i].products) fail_msg("%s, unknown %d: %zu products", cases[i].name, unknown, found);
      if (found == PARTS) assert_int_equal(graph_test_count(&t, &onri_layer_gather), 0);
      graph_test_end(&t);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
