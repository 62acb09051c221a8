/* Transposed convolutions of blocks that lie side by side, and those that nearly are. */
#include "support/graph_test.h"

static void check(const struct onr_conv_transpose_params *params, const int64_t *x_dims, const int64_t *w_dims,
                  int bias, size_t left) {
  struct graph_test t;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int64_t channels = w_dims[1] * (params->groups > 1 ? params->groups : 1);
  const int32_t x = graph_test_input(&t, 4, x_dims), w = graph_test_constant(&t, 4, w_dims, NULL);
  const int32_t b = bias ? graph_test_constant(&t, 1, &channels, NULL) : -1;
  const int32_t y = graph_test_node(&t, &onri_layer_conv_transpose, params, (int32_t[]){x, w, b}, bias ? 3 : 2);
  graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_TANH, 0, 0, graph_test_unary(&t, ONR_UNARY_RELU, 0, 0, y)));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_conv_transpose), left);
  assert_int_equal(graph_test_count(&t, &onri_layer_depth_to_space), 1 - left);
  assert_int_equal(graph_test_count(&t, &onri_layer_unary), 0); /* the clamp and the tail went with it */
  graph_test_end(&t);
}

#define PARAMS(...) (&(struct onr_conv_transpose_params){.window = {.rank = 2, __VA_ARGS__}})
static const int64_t image[4] = {2, 3, 4, 5}, unknown[4] = {-1, 3, -1, -1};

static void test_blocks(void **state) {
  (void)state;
  for (int bias = 0; bias < 2; bias++) {
    check(PARAMS(.stride = {2, 2}), image, (int64_t[]){3, 5, 2, 2}, bias, 0);
    check(PARAMS(.stride = {3, 3}, .kernel = {3, 3}, .dilation = {1, 1}), unknown, (int64_t[]){3, 4, 3, 3}, bias, 0);
    check(PARAMS(.stride = {2, 2}, .auto_pad = ONR_AUTO_PAD_VALID, .pad_begin = {1, 1}), image, (int64_t[]){3, 1, 2, 2},
          bias, 0);
  }
}

static void test_others_stay(void **state) {
  static const int64_t square[4] = {3, 5, 2, 2};
  struct onr_conv_transpose_params more = {.window = {.rank = 2, .stride = {2, 2}}, .output_padding = {1, 0}};
  struct onr_conv_transpose_params groups = {.window = {.rank = 2, .stride = {2, 2}}, .groups = 3};
  struct onr_conv_transpose_params shaped = {
      .window = {.rank = 2, .stride = {2, 2}}, .has_output_shape = 1, .output_shape = {8, 9}};
  (void)state;
  check(PARAMS(.stride = {2, 1}), image, square, 1, 1);
  check(PARAMS(.stride = {2, 2}), image, (int64_t[]){3, 5, 3, 2}, 1, 1);
  check(PARAMS(.stride = {2, 2}, .pad_end = {0, 1}), image, square, 1, 1);
  check(PARAMS(.stride = {2, 2}, .dilation = {2, 1}), image, square, 1, 1);
  check(PARAMS(.stride = {1, 1}), image, (int64_t[]){3, 5, 1, 1}, 1, 1);
  check(PARAMS(.stride = {2, 2}), image, (int64_t[]){3, 16, 2, 2}, 1, 1); /* full vectors */
  check(&more, image, square, 1, 1);
  check(&groups, image, square, 0, 1);
  check(&shaped, image, square, 1, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_others_stay)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
