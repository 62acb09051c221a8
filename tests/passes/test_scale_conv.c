/* Depthwise convolutions of single pixels become products and sums; others stay. Against the graph as it was. */
#include "support/graph_test.h"

static const struct {
  const char *why;
  int32_t rank;
  int64_t x[5], w[5]; /* x: -1 where a size is not known */
  int64_t groups, stride, pad;
  int bias, is_conv;
} cases[] = {
    {"an image", 4, {2, 6, 5, 7}, {6, 1, 1, 1}, 6, 1, 0, 0, 0},
    {"with a bias", 4, {2, 6, 5, 7}, {6, 1, 1, 1}, 6, 1, 0, 1, 0},
    {"a signal", 3, {1, 4, 9}, {4, 1, 1}, 4, 1, 0, 1, 0},
    {"a volume of unknown size", 5, {-1, 3, -1, -1, -1}, {3, 1, 1, 1, 1}, 3, 1, 0, 1, 0},
    {"one channel", 4, {1, 1, 4, 4}, {1, 1, 1, 1}, 1, 1, 0, 1, 0},
    {"a stride", 4, {1, 6, 5, 7}, {6, 1, 1, 1}, 6, 2, 0, 0, 1},
    {"padding", 4, {1, 6, 5, 7}, {6, 1, 1, 1}, 6, 1, 1, 0, 1},
    {"windows", 4, {1, 6, 5, 7}, {6, 1, 1, 3}, 6, 1, 0, 0, 1},
    {"several inputs of a group", 4, {1, 6, 5, 7}, {6, 2, 1, 1}, 3, 1, 0, 0, 1},
    {"several outputs of a group", 4, {1, 6, 5, 7}, {12, 1, 1, 1}, 6, 1, 0, 0, 1},
    {"an unknown number of channels", 4, {1, -1, 5, 7}, {3, 1, 1, 1}, 3, 1, 0, 0, 1},
};

static int32_t conv_of(struct graph_test *t, size_t i, int32_t x) {
  const int64_t channels = cases[i].w[0];
  struct onr_conv_params p = {.window = {.rank = cases[i].rank - 2}, .groups = cases[i].groups};
  for (int32_t a = 0; a < p.window.rank; a++)
    p.window.stride[a] = cases[i].stride, p.window.pad_begin[a] = cases[i].pad;
  const int32_t w = graph_test_constant(t, cases[i].rank, cases[i].w, NULL);
  const int32_t in[] = {x, w, cases[i].bias ? graph_test_constant(t, 1, &channels, NULL) : ONRI_NONE};
  return graph_test_node(t, &onri_layer_conv, &p, in, cases[i].bias ? 3 : 2);
}

static void test_cases(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct graph_test t;
    graph_test_begin(&t);
    graph_test_output(&t, conv_of(&t, i, graph_test_input(&t, cases[i].rank, cases[i].x)));
    graph_test_check(&t, NULL);
    if (graph_test_count(&t, &onri_layer_conv) != (size_t)cases[i].is_conv) fail_msg("%s", cases[i].why);
    graph_test_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
