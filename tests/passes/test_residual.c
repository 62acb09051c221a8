/* Sums with what a convolution makes, in the forms of networks, and those that must stay: another shape, a second
 * reader, something in between. */
#include "support/graph_test.h"

static int32_t add(struct graph_test *t, int32_t a, int32_t b) { return graph_test_binary(t, ONR_BINARY_ADD, a, b); }
static int32_t relu(struct graph_test *t, int32_t x) { return graph_test_unary(t, ONR_UNARY_RELU, 0, 0, x); }
static int32_t conv(struct graph_test *t, int32_t x) { return graph_test_conv(t, x, 3, 3, 3); }

static int32_t block(struct graph_test *t, int32_t x) { return relu(t, add(t, conv(t, relu(t, conv(t, x))), x)); }
static int32_t on_the_left(struct graph_test *t, int32_t x) { return add(t, x, conv(t, x)); }
static int32_t silu_behind(struct graph_test *t, int32_t x) {
  const int32_t y = add(t, conv(t, x), x);
  return graph_test_binary(t, ONR_BINARY_MUL, y, graph_test_unary(t, ONR_UNARY_SIGMOID, 0, 0, y));
}
static int32_t two_convolutions(struct graph_test *t, int32_t x) { return relu(t, add(t, conv(t, x), conv(t, x))); }
/* What is added is made after the convolution. */
static int32_t made_later(struct graph_test *t, int32_t x) {
  const int32_t y = conv(t, x);
  return add(t, y, graph_test_unary(t, ONR_UNARY_EXP, 0, 0, relu(t, x)));
}
static int32_t of_the_image_itself(struct graph_test *t, int32_t x) {
  const int32_t y = relu(t, x);
  return add(t, conv(t, y), y);
}
static int32_t constant(struct graph_test *t, int32_t x) {
  return add(t, conv(t, x), graph_test_constant(t, 4, (int64_t[]){2, 3, 5, 6}, NULL));
}

static int32_t clipped_before(struct graph_test *t, int32_t x) { return add(t, relu(t, conv(t, x)), x); }
static int32_t read_twice(struct graph_test *t, int32_t x) {
  const int32_t y = conv(t, x);
  return add(t, add(t, y, x), y);
}
static int32_t with_itself(struct graph_test *t, int32_t x) {
  const int32_t y = conv(t, x);
  return add(t, y, y);
}
static int32_t broadcast(struct graph_test *t, int32_t x) {
  return add(t, conv(t, x), graph_test_constant(t, 4, (int64_t[]){1, 3, 5, 6}, NULL));
}
static int32_t difference(struct graph_test *t, int32_t x) {
  return graph_test_binary(t, ONR_BINARY_SUB, x, conv(t, x));
}

static const struct {
  const char *name;
  int32_t (*build)(struct graph_test *t, int32_t x);
  int goes;
} cases[] = {
    {"block", block, 1},
    {"on_the_left", on_the_left, 1},
    {"silu_behind", silu_behind, 1},
    {"two_convolutions", two_convolutions, 1},
    {"made_later", made_later, 1},
    {"of_the_image_itself", of_the_image_itself, 1},
    {"constant", constant, 1},
    {"clipped_before", clipped_before, 0},
    {"read_twice", read_twice, 0},
    {"with_itself", with_itself, 0},
    {"broadcast", broadcast, 0},
    {"difference", difference, 0},
};

static size_t with_residual(const struct graph_test *t) {
  size_t count = 0;
  for (size_t n = 0; n < t->graph->num_nodes; n++)
    count += t->graph->nodes[n].layer == &onri_layer_conv && t->graph->nodes[n].num_in > 3;
  return count;
}

static void test_sums(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 1e-5;
    graph_test_output(&t, cases[i].build(&t, graph_test_input(&t, 4, (int64_t[]){2, 3, 5, 6})));
    graph_test_check(&t, NULL);
    if (with_residual(&t) != (size_t)cases[i].goes)
      fail_msg("%s: %zu sums are in a convolution", cases[i].name, with_residual(&t));
    graph_test_end(&t);
  }
}

/* Sizes that differ from run to run: they are known to be equal, or they are not. */
static void test_unknown_sizes(void **state) {
  (void)state;
  for (int same = 0; same < 2; same++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 1e-5;
    const int64_t any[] = {-1, 3, -1, -1};
    const int32_t x = graph_test_input(&t, 4, any), other = graph_test_input(&t, 4, any);
    graph_test_output(&t, add(&t, conv(&t, x), same ? relu(&t, x) : other));
    graph_test_check(&t, NULL);
    assert_int_equal(with_residual(&t), same);
    graph_test_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sums), cmocka_unit_test(test_unknown_sizes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
