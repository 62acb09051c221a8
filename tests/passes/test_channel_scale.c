/* Squeeze and excite before a convolution of single pixels goes into it, and what looks like it does not. */
#include "support/graph_test.h"

enum { CHANNELS = 96, OUTPUTS = 32, SIZE = 16 };

static int32_t conv(struct graph_test *t, int32_t x, int64_t in, int64_t out, int64_t kernel) {
  return graph_test_small_conv(t, x, in, out, kernel, 1);
}

static int32_t wide(struct graph_test *t, int32_t x) { return conv(t, x, CHANNELS, CHANNELS, 1); }
static int32_t narrow(struct graph_test *t, int32_t x) { return conv(t, x, CHANNELS, OUTPUTS, 1); }
static int32_t mul(struct graph_test *t, int32_t a, int32_t b) { return graph_test_binary(t, ONR_BINARY_MUL, a, b); }
/* A number for each channel of x. */
static int32_t gate(struct graph_test *t, int32_t x) {
  const int32_t mean = graph_test_reduce(t, ONR_REDUCE_MEAN, x, 2, (int64_t[]){2, 3}, 1);
  return graph_test_unary(t, ONR_UNARY_SIGMOID, 0, 0, conv(t, mean, CHANNELS, CHANNELS, 1));
}

static int32_t excite(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x);
  return narrow(t, mul(t, y, gate(t, y)));
}
static int32_t on_the_left(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x);
  return narrow(t, mul(t, gate(t, y), y));
}
static int32_t with_a_residual(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x);
  return graph_test_binary(t, ONR_BINARY_ADD, narrow(t, mul(t, y, gate(t, y))), narrow(t, y));
}
static int32_t read_twice(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x), z = mul(t, y, gate(t, y));
  return graph_test_binary(t, ONR_BINARY_ADD, conv(t, z, CHANNELS, CHANNELS, 1), z);
}
static int32_t of_a_window(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x);
  return conv(t, mul(t, y, gate(t, y)), CHANNELS, OUTPUTS, 3);
}
static int32_t of_all_channels(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x);
  return narrow(t, mul(t, y, graph_test_reduce(t, ONR_REDUCE_MEAN, y, 3, (int64_t[]){1, 2, 3}, 1)));
}
static int32_t sum(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x);
  return narrow(t, graph_test_binary(t, ONR_BINARY_ADD, y, gate(t, y)));
}
static int32_t of_itself(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x);
  return narrow(t, mul(t, y, y));
}

static const struct {
  const char *name;
  int32_t (*build)(struct graph_test *t, int32_t x);
  int64_t size;
  size_t goes;
} cases[] = {
    {"excite", excite, SIZE, 1},
    {"on_the_left", on_the_left, SIZE, 1},
    {"with_a_residual", with_a_residual, SIZE, 1},
    {"few pixels", excite, 7, 0}, /* 49 for 32 outputs */
    {"unknown", excite, -1, 0},
    {"read_twice", read_twice, SIZE, 0},
    {"of_a_window", of_a_window, SIZE, 0},
    {"of_all_channels", of_all_channels, SIZE, 0},
    {"sum", sum, SIZE, 0},
    {"of_itself", of_itself, SIZE, 0},
};

static size_t with_scale(const struct graph_test *t) {
  size_t count = 0;
  for (size_t n = 0; n < t->graph->num_nodes; n++)
    count += t->graph->nodes[n].layer == &onri_layer_conv && t->graph->nodes[n].num_in > 4;
  return count;
}

static void test_scales(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.env.backend = ONR_BACKEND_AUTO; /* the pass leaves plain loops alone */
    t.tolerance = 1e-5;
    const int64_t dims[] = {2, CHANNELS, cases[i].size, cases[i].size};
    graph_test_output(&t, cases[i].build(&t, graph_test_input(&t, 4, dims)));
    graph_test_check(&t, NULL);
    if (with_scale(&t) != cases[i].goes) fail_msg("%s: %zu convolutions have a scale", cases[i].name, with_scale(&t));
    graph_test_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_scales)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
