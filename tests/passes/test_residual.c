/* Sums with what a convolution or a product makes, and activations behind it, in the forms of networks, and those that
 * must stay: another shape, a second reader, something in between. */
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
    graph_test_check(&t, "conv_sum");
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

/* --- products --- */

static int32_t product(struct graph_test *t, int32_t x) {
  const struct onr_matmul_params params = {0};
  const int32_t y = graph_test_node(t, &onri_layer_matmul, &params,
                                    (int32_t[]){x, graph_test_constant(t, 2, (int64_t[]){6, 6}, NULL)}, 2);
  return add(t, y, graph_test_constant(t, 1, (int64_t[]){6}, NULL));
}
static int32_t linear(struct graph_test *t, int32_t x) {
  const struct onr_linear_params params = {0};
  const int32_t in[] = {x, graph_test_constant(t, 2, (int64_t[]){6, 6}, NULL),
                        graph_test_constant(t, 1, (int64_t[]){6}, NULL)};
  return graph_test_node(t, &onri_layer_linear, &params, in, 3);
}
static int32_t gelu(struct graph_test *t, int32_t x) { return graph_test_unary(t, ONR_UNARY_GELU, 0, 0, x); }
static int32_t scores(struct graph_test *t, int32_t x) {
  const struct onr_matmul_params params = {.scale = 0.5f, .transpose_b = 1};
  return graph_test_node(t, &onri_layer_matmul, &params, (int32_t[]){x, x}, 2);
}

static int32_t perceptron(struct graph_test *t, int32_t x) { return add(t, linear(t, gelu(t, product(t, x))), x); }
static int32_t activated_sum(struct graph_test *t, int32_t x) { return gelu(t, add(t, x, product(t, x))); }
static int32_t clipped_sum(struct graph_test *t, int32_t x) { return relu(t, add(t, linear(t, x), x)); }
static int32_t clipped_then_summed(struct graph_test *t, int32_t x) { return add(t, relu(t, linear(t, x)), x); }
static int32_t activated_then_summed(struct graph_test *t, int32_t x) { return add(t, gelu(t, linear(t, x)), x); }
static int32_t of_two_operands(struct graph_test *t, int32_t x) {
  const int32_t y = scores(t, x);
  return add(t, y, graph_test_unary(t, ONR_UNARY_EXP, 0, 0, y));
}
/* The sum is with the product as it lies behind a transpose, or before it. */
static int32_t transposed(struct graph_test *t, int32_t x) {
  return add(t, graph_test_transpose(t, product(t, x), 3, (int32_t[]){0, 2, 1}), x);
}
static int32_t transposed_sum(struct graph_test *t, int32_t x) {
  const int32_t y = graph_test_transpose(t, x, 3, (int32_t[]){1, 0, 2});
  return add(t, graph_test_transpose(t, add(t, product(t, y), y), 3, (int32_t[]){1, 0, 2}), x);
}

static const struct {
  const char *name;
  int32_t (*build)(struct graph_test *t, int32_t x);
  size_t residuals, tails;
} products[] = {
    {"perceptron", perceptron, 1, 1},
    {"activated_sum", activated_sum, 1, 1},
    {"clipped_sum", clipped_sum, 1, 0},
    {"clipped_then_summed", clipped_then_summed, 0, 0},
    {"activated_then_summed", activated_then_summed, 0, 1},
    {"of_two_operands", of_two_operands, 0, 0},
    {"transposed", transposed, 0, 0},
    {"transposed_sum", transposed_sum, 1, 0},
};

static size_t products_with(const struct graph_test *t, int tail) {
  size_t count = 0;
  for (size_t n = 0; n < t->graph->num_nodes; n++) {
    const struct onri_node *node = &t->graph->nodes[n];
    const struct onr_matmul_params *matmul = node->params;
    const struct onr_linear_params *of_linear = node->params;
    if (node->layer != &onri_layer_matmul && node->layer != &onri_layer_linear) continue;
    if (!tail) count += node->num_in > 3;
    else count += (size_t)(node->layer == &onri_layer_matmul ? matmul->tail.enabled : of_linear->tail.enabled);
  }
  return count;
}

/* unknown: all sizes but the last differ from run to run. */
static void test_products(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++)
    for (int unknown = 0; unknown < 2; unknown++) {
      const int64_t known[] = {6, 6, 6}, any[] = {-1, -1, 6};
      struct graph_test t;
      if (unknown && products[i].build == transposed) continue;
      graph_test_begin(&t);
      t.tolerance = 1e-5;
      graph_test_output(&t, products[i].build(&t, graph_test_input(&t, 3, unknown ? any : known)));
      graph_test_check(&t, NULL);
      if (products_with(&t, 0) != products[i].residuals || products_with(&t, 1) != products[i].tails)
        fail_msg("%s: %zu residuals, %zu tails", products[i].name, products_with(&t, 0), products_with(&t, 1));
      graph_test_end(&t);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sums), cmocka_unit_test(test_unknown_sizes),
                                     cmocka_unit_test(test_products)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
