/* Products of matrices that sum one term: of known and unknown sizes, in batches that broadcast; and those that stay.
 */
#include "support/graph_test.h"

static int32_t product_of(struct graph_test *t, int32_t a, int32_t b, int transpose_b) {
  const struct onr_matmul_params params = {.transpose_b = transpose_b};
  return graph_test_node(t, &onri_layer_matmul, &params, (int32_t[]){a, b}, 2);
}

static const struct {
  const char *why;
  int32_t rank_a, rank_b;
  int64_t a[4], b[4]; /* b is a constant */
  int transpose_b;
  size_t products;
} cases[] = {
    {"frequencies by positions", 3, 3, {2, 5, 1}, {1, 1, 40}, 0, 0},
    {"of an unknown number", 3, 2, {-1, -1, 1}, {1, 33}, 0, 0},
    {"batches that broadcast", 2, 4, {3, 1}, {2, 3, 1, 64}, 0, 0},
    {"short lines", 2, 2, {70, 1}, {1, 7}, 0, 1},
    {"two terms", 2, 2, {7, 2}, {2, 70}, 0, 1},
    {"a matrix that is turned", 2, 2, {7, 1}, {70, 1}, 1, 1},
    {"a row", 1, 2, {1}, {1, 70}, 0, 1},
};

static void test_cases(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct graph_test t;
    graph_test_begin(&t);
    const int32_t a = graph_test_input(&t, cases[i].rank_a, cases[i].a),
                  b = graph_test_constant(&t, cases[i].rank_b, cases[i].b, NULL);
    graph_test_output(&t, product_of(&t, a, b, cases[i].transpose_b));
    graph_test_check(&t, NULL);
    if (graph_test_count(&t, &onri_layer_matmul) != cases[i].products) fail_msg("%s", cases[i].why);
    graph_test_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
