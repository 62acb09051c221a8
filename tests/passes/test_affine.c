/* What goes into the layer in front: batch norm, scales, shifts, biases, padding and clamps. */
#include "support/graph_test.h"

static int32_t batch_norm(struct graph_test *t, int32_t x, int64_t channels) {
  const struct onr_batch_norm_params params = {.epsilon = 1e-3f};
  int32_t in[5] = {x, 0, 0, 0, 0};
  for (int k = 1; k < 5; k++) in[k] = graph_test_constant(t, 1, &channels, NULL);
  return graph_test_node(t, &onri_layer_batch_norm, &params, in, 5);
}

static void test_conv_takes_norm_scale_shift_and_relu(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  int32_t x = batch_norm(&t, graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){-1, 3, 6, 5}), 3, 4, 3), 4);
  x = graph_test_binary(&t, ONR_BINARY_MUL, graph_test_constant(&t, 3, (int64_t[]){4, 1, 1}, NULL), x);
  x = graph_test_binary(&t, ONR_BINARY_SUB, x, graph_test_constant(&t, 4, (int64_t[]){1, 4, 1, 1}, NULL));
  x = graph_test_binary(&t, ONR_BINARY_DIV, x, graph_test_scalar(&t, 3));
  x = graph_test_unary(&t, ONR_UNARY_RELU, 0, 0, x);
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_CLIP, -1, 0.75f, x));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_size(&t), 1);
  const struct onr_conv_params *p = graph_test_find(&t, &onri_layer_conv)->params;
  assert_true(p->clamp.enabled && p->clamp.min == 0.0f && p->clamp.max == 0.75f);
  graph_test_end(&t);
}

/* In a file's own channels-last convolution a shift along the channels is the last axis; [4, 1, 1] is one along the
 * height. */
static void test_channels_last_conv_takes_its_own_shift(void **state) {
  struct graph_test t;
  (void)state;
  for (int channels = 0; channels < 2; channels++) {
    graph_test_begin(&t);
    t.tolerance = 1e-5;
    const struct onr_conv_params params = {.window = {.rank = 2}, .channels_last = 1};
    const int32_t in[2] = {graph_test_input(&t, 4, (int64_t[]){2, 4, 4, 3}),
                           graph_test_constant(&t, 4, (int64_t[]){4, 3, 1, 1}, NULL)};
    const int32_t shift = graph_test_constant(&t, 3, channels ? (int64_t[]){1, 1, 4} : (int64_t[]){4, 1, 1}, NULL);
    graph_test_output(
        &t, graph_test_binary(&t, ONR_BINARY_ADD, graph_test_node(&t, &onri_layer_conv, &params, in, 2), shift));
    graph_test_check(&t, NULL);
    assert_int_equal(graph_test_size(&t), channels ? 1 : 2);
    graph_test_end(&t);
  }
}

/* An activation behind a clamp behind a convolution; not where others read the convolution, and not a second one. */
static void test_convolutions_take_an_activation(void **state) {
  (void)state;
  for (int shared = 0; shared < 2; shared++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 1e-5;
    int32_t x = graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){-1, 3, 6, 5}), 3, 4, 3);
    if (shared) graph_test_output(&t, x);
    x = graph_test_unary(&t, ONR_UNARY_HARD_SWISH, 1.0f / 6, 0.5f, graph_test_unary(&t, ONR_UNARY_RELU, 0, 0, x));
    graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_SIGMOID, 0, 0, x));
    graph_test_check(&t, "layout,fuse_elementwise");
    assert_int_equal(graph_test_count(&t, &onri_layer_unary), shared ? 3 : 1);
    const struct onr_conv_params *p = graph_test_find(&t, &onri_layer_conv)->params;
    assert_int_equal(p->tail.enabled, !shared);
    if (!shared) assert_true(p->clamp.enabled && p->tail.function.op == ONR_UNARY_HARD_SWISH);
    graph_test_end(&t);
  }
}

static void test_conv_transpose_takes_norm(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const struct onr_conv_transpose_params params = {.window = {.rank = 2, .stride = {2, 2}}};
  const int32_t in[2] = {graph_test_input(&t, 4, (int64_t[]){2, 3, 4, 4}),
                         graph_test_constant(&t, 4, (int64_t[]){3, 5, 2, 2}, NULL)};
  graph_test_output(&t, batch_norm(&t, graph_test_node(&t, &onri_layer_conv_transpose, &params, in, 2), 5));
  graph_test_check(&t, "layout,upscale");
  assert_int_equal(graph_test_size(&t), 1);
  graph_test_end(&t);
}

static void test_products_take_bias_and_clamp(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const struct onr_gemm_params gemm = {.alpha = 2, .beta = 1, .transpose_b = 1};
  const int32_t x = graph_test_input(&t, 2, (int64_t[]){-1, 6});
  int32_t y = graph_test_node(&t, &onri_layer_matmul, NULL,
                              (int32_t[]){x, graph_test_constant(&t, 2, (int64_t[]){6, 4}, NULL)}, 2);
  y = graph_test_binary(&t, ONR_BINARY_ADD, graph_test_constant(&t, 1, (int64_t[]){4}, NULL), y);
  y = graph_test_unary(&t, ONR_UNARY_RELU, 0, 0, y);
  y = graph_test_node(&t, &onri_layer_gemm, &gemm, (int32_t[]){y, graph_test_constant(&t, 2, (int64_t[]){3, 4}, NULL)},
                      2);
  graph_test_output(&t, batch_norm(&t, y, 3));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 2);
  assert_int_equal(graph_test_find(&t, &onri_layer_matmul)->num_in, 3);
  graph_test_end(&t);
}

/* A norm with no layer in front is a product and a sum. */
static void test_lone_norm_is_element_wise(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  graph_test_output(&t, batch_norm(&t, graph_test_input(&t, 4, (int64_t[]){2, 3, 4, 5}), 3));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_batch_norm), 0);
  graph_test_end(&t);
}

/* Others read the convolution; a constant along the width; a scale behind a clamp; C added beta times. */
static void test_what_must_stay(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t x = graph_test_input(&t, 4, (int64_t[]){2, 3, 4, 4});
  const int32_t shared = graph_test_conv(&t, x, 3, 4, 1);
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_RELU, 0, 0, shared));
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_EXP, 0, 0, shared));
  const int32_t wide = graph_test_conv(&t, x, 3, 4, 1);
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_MUL, wide, graph_test_constant(&t, 1, (int64_t[]){4}, NULL)));
  const struct onr_gemm_params gemm = {.alpha = 1, .beta = 0.5f};
  const int32_t flat = graph_test_node(&t, &onri_layer_flatten, &(struct onr_flatten_params){.axis = 1}, &x, 1);
  const int32_t in[3] = {flat, graph_test_constant(&t, 2, (int64_t[]){48, 3}, NULL),
                         graph_test_constant(&t, 1, (int64_t[]){3}, NULL)};
  const int32_t y = graph_test_node(&t, &onri_layer_gemm, &gemm, in, 3);
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_ADD, y, graph_test_constant(&t, 1, (int64_t[]){3}, NULL)));
  const size_t before = graph_test_size(&t);
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_size(&t), before);
  graph_test_end(&t);
}

static void test_scale_behind_a_clamp_stays(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  struct onr_conv_params params = {.clamp = {1, 0, 3}};
  const int32_t in[2] = {graph_test_input(&t, 4, (int64_t[]){1, 2, 3, 3}),
                         graph_test_constant(&t, 4, (int64_t[]){4, 2, 1, 1}, NULL)};
  const int32_t y = graph_test_node(&t, &onri_layer_conv, &params, in, 2);
  graph_test_output(&t, graph_test_binary(&t, ONR_BINARY_MUL, y, graph_test_scalar(&t, 2)));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_size(&t), 2);
  graph_test_end(&t);
}

static int32_t pad(struct graph_test *t, int32_t x, const int64_t *pads, float value) {
  return graph_test_node(t, &onri_layer_pad, NULL,
                         (int32_t[]){x, graph_test_ints(t, 8, pads), graph_test_scalar(t, value)}, 3);
}

static void test_zero_padding_moves_into_the_window(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const struct onr_pool_params pool = {.window = {.rank = 2, .kernel = {3, 3}, .stride = {2, 2}}};
  int32_t x = pad(&t, graph_test_input(&t, 4, (int64_t[]){1, 2, 6, 5}), (int64_t[]){0, 0, 1, 0, 0, 0, 2, 1}, 0);
  x = pad(&t, graph_test_conv(&t, x, 2, 3, 3), (int64_t[]){0, 0, 1, 1, 0, 0, 1, 1}, 0);
  graph_test_output(&t, graph_test_node(&t, &onri_layer_average_pool, &pool, &x, 1));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_count(&t, &onri_layer_pad), 0);
  graph_test_end(&t);
}

/* Ones, channels, and cropping are not what a window's padding does. */
static void test_other_padding_stays(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t x = graph_test_input(&t, 4, (int64_t[]){1, 2, 6, 5});
  graph_test_output(&t, graph_test_conv(&t, pad(&t, x, (int64_t[]){0, 0, 1, 1, 0, 0, 1, 1}, 1), 2, 3, 3));
  graph_test_output(&t, graph_test_conv(&t, pad(&t, x, (int64_t[]){0, 1, 1, 1, 0, 0, 1, 1}, 0), 3, 3, 3));
  graph_test_output(&t, graph_test_conv(&t, pad(&t, x, (int64_t[]){0, 0, -1, 1, 0, 0, 1, 1}, 0), 2, 3, 3));
  graph_test_check(&t, "layout");
  assert_int_equal(graph_test_count(&t, &onri_layer_pad), 3);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_conv_takes_norm_scale_shift_and_relu),
      cmocka_unit_test(test_channels_last_conv_takes_its_own_shift),
      cmocka_unit_test(test_conv_transpose_takes_norm),
      cmocka_unit_test(test_products_take_bias_and_clamp),
      cmocka_unit_test(test_convolutions_take_an_activation),
      cmocka_unit_test(test_lone_norm_is_element_wise),
      cmocka_unit_test(test_what_must_stay),
      cmocka_unit_test(test_scale_behind_a_clamp_stays),
      cmocka_unit_test(test_zero_padding_moves_into_the_window),
      cmocka_unit_test(test_other_padding_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
