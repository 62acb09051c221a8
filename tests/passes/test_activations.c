/* Activations in the spellings of exporters, and what only looks like them. */
#include <math.h>

#include "support/graph_test.h"

static int32_t mul(struct graph_test *t, int32_t a, int32_t b) { return graph_test_binary(t, ONR_BINARY_MUL, a, b); }
static int32_t add(struct graph_test *t, int32_t a, int32_t b) { return graph_test_binary(t, ONR_BINARY_ADD, a, b); }
static int32_t times(struct graph_test *t, int32_t x, double c) { return mul(t, x, graph_test_scalar(t, (float)c)); }
static int32_t plus(struct graph_test *t, int32_t x, double c) { return add(t, x, graph_test_scalar(t, (float)c)); }
static int32_t unary(struct graph_test *t, enum onr_unary op, int32_t x) { return graph_test_unary(t, op, 1, 0, x); }

static int32_t silu(struct graph_test *t, int32_t x) { return mul(t, x, unary(t, ONR_UNARY_SIGMOID, x)); }
static int32_t quick_gelu(struct graph_test *t, int32_t x) {
  return mul(t, unary(t, ONR_UNARY_SIGMOID, times(t, x, 1.702)), x);
}

static int32_t hard_swish_divided(struct graph_test *t, int32_t x) {
  const int32_t clipped = graph_test_unary(t, ONR_UNARY_CLIP, 0, 6, plus(t, x, 3));
  return graph_test_binary(t, ONR_BINARY_DIV, mul(t, x, clipped), graph_test_scalar(t, 6));
}

static int32_t hard_swish_gated(struct graph_test *t, int32_t x) {
  return mul(t, x, graph_test_unary(t, ONR_UNARY_HARD_SIGMOID, 1.0f / 6, 0.5f, x));
}

/* The older exporter: x (1 + erf(x / sqrt 2)) 0.5 */
static int32_t gelu_behind(struct graph_test *t, int32_t x) {
  const int32_t scaled = graph_test_binary(t, ONR_BINARY_DIV, x, graph_test_scalar(t, (float)sqrt(2)));
  return times(t, mul(t, x, plus(t, unary(t, ONR_UNARY_ERF, scaled), 1)), 0.5);
}

/* The other one: (x 0.5) (1 + erf(x 0.7071)) */
static int32_t gelu_in_front(struct graph_test *t, int32_t x) {
  return mul(t, times(t, x, 0.5), plus(t, unary(t, ONR_UNARY_ERF, times(t, x, sqrt(0.5))), 1));
}

static int32_t gelu_tanh_power(struct graph_test *t, int32_t x) {
  const int32_t cube = times(t, graph_test_binary(t, ONR_BINARY_POW, x, graph_test_scalar(t, 3)), 0.044715);
  const int32_t inside = times(t, add(t, x, cube), sqrt(2 / 3.14159265358979));
  return mul(t, times(t, x, 0.5), plus(t, unary(t, ONR_UNARY_TANH, inside), 1));
}

static int32_t gelu_tanh_products(struct graph_test *t, int32_t x) {
  const int32_t inside = times(t, mul(t, x, plus(t, times(t, mul(t, x, x), 0.044715), 1)), sqrt(2 / 3.14159265358979));
  return times(t, mul(t, x, plus(t, unary(t, ONR_UNARY_TANH, inside), 1)), 0.5);
}

static int32_t mish(struct graph_test *t, int32_t x) {
  return mul(t, x, unary(t, ONR_UNARY_TANH, unary(t, ONR_UNARY_SOFTPLUS, x)));
}

static const struct {
  const char *name;
  int32_t (*build)(struct graph_test *t, int32_t x);
  enum onr_unary op;
} spellings[] = {
    {"silu", silu, ONR_UNARY_SWISH},
    {"quick_gelu", quick_gelu, ONR_UNARY_SWISH},
    {"hard_swish_divided", hard_swish_divided, ONR_UNARY_HARD_SWISH},
    {"hard_swish_gated", hard_swish_gated, ONR_UNARY_HARD_SWISH},
    {"gelu_behind", gelu_behind, ONR_UNARY_GELU},
    {"gelu_in_front", gelu_in_front, ONR_UNARY_GELU},
    {"gelu_tanh_power", gelu_tanh_power, ONR_UNARY_GELU_TANH},
    {"gelu_tanh_products", gelu_tanh_products, ONR_UNARY_GELU_TANH},
    {"mish", mish, ONR_UNARY_MISH},
};

static void test_spellings(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 2e-6; /* float constants of the spelling against exact ones of the layer */
    graph_test_output(&t, spellings[i].build(&t, graph_test_input(&t, 2, (int64_t[]){-1, 50})));
    graph_test_check(&t, NULL);
    if (graph_test_size(&t) != 1) fail_msg("%s: %zu nodes are left", spellings[i].name, graph_test_size(&t));
    assert_int_equal(((const struct onr_unary_params *)graph_test_find(&t, &onri_layer_unary)->params)->op,
                     spellings[i].op);
    graph_test_end(&t);
  }
}

/* Another constant, another operand, or a reader of the middle: nothing may be fused. */
static int32_t wrong_constant(struct graph_test *t, int32_t x) {
  return mul(t, times(t, x, 0.5), plus(t, unary(t, ONR_UNARY_ERF, times(t, x, 0.7)), 1));
}

static int32_t other_operand(struct graph_test *t, int32_t x) {
  return mul(t, unary(t, ONR_UNARY_EXP, x), unary(t, ONR_UNARY_SIGMOID, x));
}

static int32_t read_gate(struct graph_test *t, int32_t x) {
  const int32_t gate = unary(t, ONR_UNARY_SIGMOID, x);
  graph_test_output(t, gate);
  return mul(t, x, gate);
}

static int32_t wrong_clip(struct graph_test *t, int32_t x) {
  const int32_t clipped = graph_test_unary(t, ONR_UNARY_CLIP, 0, 5, plus(t, x, 3));
  return graph_test_binary(t, ONR_BINARY_DIV, mul(t, x, clipped), graph_test_scalar(t, 6));
}

static void test_near_misses(void **state) {
  int32_t (*const builds[])(struct graph_test * t, int32_t x) = {wrong_constant, other_operand, read_gate, wrong_clip};
  (void)state;
  for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
    struct graph_test t;
    graph_test_begin(&t);
    graph_test_output(&t, builds[i](&t, graph_test_input(&t, 2, (int64_t[]){-1, 50})));
    const size_t before = graph_test_size(&t);
    graph_test_check(&t, "clamp,fuse_elementwise");
    assert_int_equal(graph_test_size(&t), before);
    graph_test_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_spellings), cmocka_unit_test(test_near_misses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
