/* A convolution, a depthwise one and one of single pixels become one layer where the first makes much; and what must
 * stay as it is. */
#include "support/graph_test.h"

enum { FEW = 32, CHANNELS = 128, SIZE = 48 }; /* 1.1 MiB of an image */

static int32_t wide(struct graph_test *t, int32_t x) { return graph_test_small_conv(t, x, FEW, CHANNELS, 1, 1); }
static int32_t depthwise(struct graph_test *t, int32_t x) {
  return graph_test_small_conv(t, x, CHANNELS, CHANNELS, 3, CHANNELS);
}
static int32_t narrow(struct graph_test *t, int32_t x) { return graph_test_small_conv(t, x, CHANNELS, FEW, 1, 1); }
static int32_t relu(struct graph_test *t, int32_t x) { return graph_test_unary(t, ONR_UNARY_RELU, 0, 0, x); }
static int32_t add(struct graph_test *t, int32_t a, int32_t b) { return graph_test_binary(t, ONR_BINARY_ADD, a, b); }

static int32_t three(struct graph_test *t, int32_t x) {
  return add(t, narrow(t, relu(t, depthwise(t, relu(t, wide(t, x))))), x);
}
static int32_t two(struct graph_test *t, int32_t x) { return relu(t, depthwise(t, wide(t, x))); }
static int32_t stem(struct graph_test *t, int32_t x) {
  return narrow(t, depthwise(t, graph_test_small_conv(t, x, 3, CHANNELS, 3, 1)));
}
/* The second one's result has two readers: the third is a layer of its own. */
static int32_t read_behind(struct graph_test *t, int32_t x) {
  const int32_t y = depthwise(t, wide(t, x));
  return graph_test_small_conv(t, add(t, y, graph_test_small_conv(t, y, CHANNELS, CHANNELS, 1, 1)), CHANNELS, FEW, 3,
                               1);
}
static int32_t read_between(struct graph_test *t, int32_t x) {
  const int32_t y = wide(t, x);
  return add(t, depthwise(t, y), y);
}
static int32_t no_depthwise(struct graph_test *t, int32_t x) { return narrow(t, wide(t, x)); }
static int32_t pooled(struct graph_test *t, int32_t x) {
  return narrow(t, graph_test_reduce(t, ONR_REDUCE_MEAN, depthwise(t, wide(t, x)), 1, (int64_t[]){2}, 1));
}

static const struct {
  const char *name;
  int32_t (*build)(struct graph_test *t, int32_t x);
  int32_t stages; /* of the layer that comes of it, 0: none does */
} cases[] = {
    {"three", three, 3},
    {"two", two, 2},
    {"stem", stem, 3},
    {"read_behind", read_behind, 2},
    {"read_between", read_between, 0},
    {"no_depthwise", no_depthwise, 0},
    {"pooled", pooled, 2},
};

static void check(const char *name, int32_t (*build)(struct graph_test *t, int32_t x), int64_t channels, int64_t size,
                  int32_t stages) {
  struct graph_test t;
  graph_test_begin(&t);
  t.env.backend = ONR_BACKEND_AUTO; /* the pass leaves plain loops alone */
  t.tolerance = 1e-5;
  graph_test_output(&t, build(&t, graph_test_input(&t, 4, (int64_t[]){1, channels, size, size})));
  graph_test_check(&t, "conv_sum");
  const size_t found = graph_test_count(&t, &onri_layer_conv_chain);
  if (found != (size_t)(stages > 0)) fail_msg("%s: %zu chains", name, found);
  if (stages > 0) {
    const struct onr_conv_chain_params *p = graph_test_find(&t, &onri_layer_conv_chain)->params;
    assert_int_equal(p->count, stages);
  }
  graph_test_end(&t);
}

static void test_chains(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    check(cases[i].name, cases[i].build, cases[i].build == stem ? 3 : FEW, SIZE, cases[i].stages);
}

/* What stays in the cache anyway, and what nobody knows. */
static void test_sizes(void **state) {
  (void)state;
  check("small", three, FEW, SIZE / 2, 0);
  check("unknown", three, FEW, -1, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_chains), cmocka_unit_test(test_sizes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
