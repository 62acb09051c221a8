/* The layout pass: values stored in other orders, transposes that disappear, and results that stay. */
#include "kernels/conv/conv_gemm.h"
#include "support/graph_test.h"

/* Transposes of the caller's picture: the first convolution reads it as it is, where vectors are worth it. */
static int picture(void) { return !onri_conv_gemm_is_fast(); }

static void test_inverse_transposes_cancel(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  int32_t x = graph_test_input(&t, 4, (int64_t[]){-1, 3, 4, 5});
  x = graph_test_transpose(&t, x, 4, (int32_t[]){0, 2, 3, 1});
  x = graph_test_transpose(&t, x, 4, (int32_t[]){0, 3, 1, 2});
  graph_test_output(&t, graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){0, INT64_MAX}, &x, 1));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), 0);
  graph_test_end(&t);
}

static void test_transposes_meet_at_the_output(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  int32_t x = graph_test_input(&t, 3, (int64_t[]){2, 3, 4});
  x = graph_test_transpose(&t, x, 3, (int32_t[]){1, 2, 0});
  x = graph_test_transpose(&t, x, 3, (int32_t[]){2, 1, 0});
  x = graph_test_transpose(&t, x, 3, (int32_t[]){0, 2, 1});
  graph_test_output(&t, x);
  graph_test_check(&t, NULL);
  assert_in_range(graph_test_count(&t, &onri_layer_transpose), 0, 1);
  graph_test_end(&t);
}

/* concat, split, slice and gather between two transposes: axes move, transposes go. */
static void test_axes_are_remapped(void **state) {
  struct graph_test t;
  int32_t parts[2];
  (void)state;
  graph_test_begin(&t);
  const int32_t a =
      graph_test_transpose(&t, graph_test_input(&t, 4, (int64_t[]){2, 3, 4, 6}), 4, (int32_t[]){0, 3, 1, 2});
  const int32_t b =
      graph_test_transpose(&t, graph_test_input(&t, 4, (int64_t[]){2, 3, 4, 2}), 4, (int32_t[]){0, 3, 1, 2});
  int32_t x = graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = -3}, (int32_t[]){a, b}, 2);
  graph_test_node_outputs(&t, &onri_layer_split, &(struct onr_split_params){.axis = 1}, &x, 1, parts, 2);
  const int32_t slice[5] = {parts[1], graph_test_ints(&t, 2, (int64_t[]){1, 3}),
                            graph_test_ints(&t, 2, (int64_t[]){4, 0}), graph_test_ints(&t, 2, (int64_t[]){1, -1}),
                            graph_test_ints(&t, 2, (int64_t[]){2, -1})};
  x = graph_test_node(&t, &onri_layer_slice, NULL, slice, 5);
  x = graph_test_node(&t, &onri_layer_gather, &(struct onr_gather_params){.axis = 2},
                      (int32_t[]){x, graph_test_ints(&t, 3, (int64_t[]){2, 0, 2})}, 2);
  graph_test_output(&t, graph_test_transpose(&t, x, 4, (int32_t[]){0, 2, 3, 1}));
  graph_test_output(&t, graph_test_transpose(&t, parts[0], 4, (int32_t[]){0, 2, 3, 1}));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), 0);
  graph_test_end(&t);
}

/* Dimensions of 1 move for nothing: squeeze and unsqueeze carry an order along. */
static void test_squeeze_and_unsqueeze(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  int32_t x = graph_test_transpose(&t, graph_test_input(&t, 4, (int64_t[]){2, 5, 1, 3}), 4, (int32_t[]){0, 3, 1, 2});
  x = graph_test_node(&t, &onri_layer_squeeze, NULL, (int32_t[]){x, graph_test_ints(&t, 1, (int64_t[]){3})}, 2);
  x = graph_test_node(&t, &onri_layer_unsqueeze, NULL, (int32_t[]){x, graph_test_ints(&t, 2, (int64_t[]){0, 3})}, 2);
  graph_test_output(&t, graph_test_transpose(&t, x, 5, (int32_t[]){0, 1, 3, 4, 2}));
  graph_test_check(&t, NULL);
  assert_in_range(graph_test_count(&t, &onri_layer_transpose), 0, 1);
  graph_test_end(&t);
}

/* A view whose order is the stored one: what makes it is gone, and layers that keep the logical order must not read it.
 */
static void test_readers_of_a_view_in_logical_order(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){2, 3, 4, 5}), 3, 4, 1);
  const int32_t a = graph_test_transpose(&t, x, 4, (int32_t[]){0, 2, 3, 1});
  graph_test_output(
      &t, graph_test_node(&t, &onri_layer_unsqueeze, NULL, (int32_t[]){a, graph_test_ints(&t, 1, (int64_t[]){1})}, 2));
  graph_test_output(&t, graph_test_node(&t, &onri_layer_expand, NULL,
                                        (int32_t[]){a, graph_test_ints(&t, 5, (int64_t[]){2, 1, 1, 1, 1})}, 2));
  graph_test_output(&t, graph_test_reduce(&t, ONR_REDUCE_SUM, a, 1, (int64_t[]){2}, 0));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), picture());
  graph_test_end(&t);
}

/* [N, C, H, W] stored as [N, H, W, C] -> [N, C, HW] -> [N, HW, C]: a view of what is stored. */
static void test_reshape_merges_stored_dimensions(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  int32_t x = graph_test_transpose(&t, graph_test_input(&t, 4, (int64_t[]){-1, 4, 5, 7}), 4, (int32_t[]){0, 3, 1, 2});
  x = graph_test_reshape(&t, x, 3, (int64_t[]){0, 7, -1});
  graph_test_output(&t, graph_test_transpose(&t, x, 3, (int32_t[]){0, 2, 1}));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), 0);
  assert_int_equal(graph_test_count(&t, &onri_layer_reshape), 1);
  graph_test_end(&t);
}

/* Dimensions that do not lie side by side cannot be merged without moving them. */
static void test_reshape_across_the_order_transposes(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  int32_t x = graph_test_transpose(&t, graph_test_input(&t, 4, (int64_t[]){2, 4, 5, 7}), 4, (int32_t[]){0, 3, 1, 2});
  graph_test_output(&t, graph_test_reshape(&t, x, 2, (int64_t[]){2, 140}));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), 1);
  graph_test_end(&t);
}

static void test_matmul_takes_the_flag(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t a = graph_test_input(&t, 3, (int64_t[]){2, 4, 5}), b = graph_test_input(&t, 3, (int64_t[]){2, 3, 5});
  const int32_t in[2] = {a, graph_test_transpose(&t, b, 3, (int32_t[]){0, 2, 1})};
  graph_test_output(&t, graph_test_node(&t, &onri_layer_matmul, NULL, in, 2));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), 0);
  assert_int_equal(((const struct onr_matmul_params *)graph_test_find(&t, &onri_layer_matmul)->params)->transpose_b, 1);
  graph_test_end(&t);
}

/* A value of unknown rank stops everything but is no error. */
static void test_unknown_rank_is_left_alone(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 4, (int64_t[]){-1, -1, -1, -1});
  const int32_t shape = graph_test_node(&t, &onri_layer_shape, &(struct onr_shape_params){0, INT64_MAX}, &x, 1);
  const int32_t y = graph_test_transpose(&t, x, 4, (int32_t[]){3, 2, 1, 0});
  graph_test_output(&t, graph_test_node(&t, &onri_layer_reshape, NULL, (int32_t[]){y, shape}, 2));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), 1);
  graph_test_end(&t);
}

/* Between convolutions nothing moves: one transpose where the image goes out. */
static void test_convolutions_stay_channels_last(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 2e-4; /* sums of two convolutions of thousands cancel out */
  const int32_t x = graph_test_input(&t, 4, (int64_t[]){-1, 3, 8, 8});
  const int32_t a = graph_test_conv(&t, x, 3, 4, 3), b = graph_test_conv(&t, a, 4, 5, 1);
  const int32_t c =
      graph_test_node(&t, &onri_layer_concat, &(struct onr_concat_params){.axis = 1}, (int32_t[]){a, b}, 2);
  graph_test_output(&t, graph_test_conv(&t, c, 9, 2, 3));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), picture() + 1);
  assert_int_equal(((const struct onr_conv_params *)graph_test_find(&t, &onri_layer_conv)->params)->channels_last, 1);
  assert_int_equal(((const struct onr_concat_params *)graph_test_find(&t, &onri_layer_concat)->params)->axis, 3);
  graph_test_end(&t);
}

/* Few outputs, a transposed convolution of few, and a depthwise one of wide images that stands alone: nothing moves. */
static void test_few_outputs_stay_channels_first(void **state) {
  struct graph_test t;
  (void)state;
  if (picture()) return; /* without vectors that are worth it the portable kernels run, which like channels last */
  graph_test_begin(&t);
  t.tolerance = 2e-4;
  int32_t x = graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){1, 3, 16, 40}), 3, 4, 3);
  const struct onr_conv_transpose_params up = {.window = {.rank = 2, .stride = {2, 2}}};
  const int32_t twice[] = {graph_test_conv(&t, x, 4, 6, 3), graph_test_constant(&t, 4, (int64_t[]){6, 5, 4, 2}, NULL)};
  x = graph_test_node(&t, &onri_layer_conv_transpose, &up, twice, 2);
  const struct onr_conv_params each = {.window = {.rank = 2}, .groups = 5};
  const int32_t alone[] = {x, graph_test_constant(&t, 4, (int64_t[]){5, 1, 3, 3}, NULL)};
  graph_test_output(&t, graph_test_node(&t, &onri_layer_conv, &each, alone, 2));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), 0);
  graph_test_end(&t);
}

/* A shuffle of channels between two convolutions moves channels, not images: no more than one transpose inside. */
static void test_channel_shuffle_stays_channels_last(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  int32_t x = graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){2, 3, 5, 6}), 3, 6, 1);
  x = graph_test_reshape(&t, x, 5, (int64_t[]){2, 2, 3, 5, 6});
  x = graph_test_transpose(&t, x, 5, (int32_t[]){0, 2, 1, 3, 4});
  x = graph_test_reshape(&t, x, 4, (int64_t[]){2, 6, 5, 6});
  graph_test_output(&t, graph_test_conv(&t, x, 6, 4, 1));
  graph_test_check(&t, "channel_shuffle");
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), picture() + 2);
  graph_test_end(&t);
}

/* A vision transformer's patches: [N, C, H, W] -> [N, C, HW] -> [N, HW, C] is what the convolution has stored. */
static void test_patches_are_a_view(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  int32_t x = graph_test_conv(&t, graph_test_input(&t, 4, (int64_t[]){-1, 3, 4, 6}), 3, 6, 1);
  x = graph_test_reshape(&t, x, 3, (int64_t[]){0, 6, 24});
  x = graph_test_transpose(&t, x, 3, (int32_t[]){0, 2, 1});
  graph_test_output(&t, graph_test_node(&t, &onri_layer_linear, NULL,
                                        (int32_t[]){x, graph_test_constant(&t, 2, (int64_t[]){5, 6}, NULL)}, 2));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_transpose), picture());
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_inverse_transposes_cancel),
      cmocka_unit_test(test_transposes_meet_at_the_output),
      cmocka_unit_test(test_axes_are_remapped),
      cmocka_unit_test(test_squeeze_and_unsqueeze),
      cmocka_unit_test(test_readers_of_a_view_in_logical_order),
      cmocka_unit_test(test_reshape_merges_stored_dimensions),
      cmocka_unit_test(test_reshape_across_the_order_transposes),
      cmocka_unit_test(test_matmul_takes_the_flag),
      cmocka_unit_test(test_convolutions_stay_channels_last),
      cmocka_unit_test(test_few_outputs_stay_channels_first),
      cmocka_unit_test(test_channel_shuffle_stays_channels_last),
      cmocka_unit_test(test_patches_are_a_view),
      cmocka_unit_test(test_unknown_rank_is_left_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
