/* Scaled dot-product attention in the spellings of exporters, and what only looks like it. */
#include <math.h>

#include "support/graph_test.h"

enum { BATCH = 2, HEADS = 3, QUERIES = 5, KEYS = 7, WIDTH = 4 };

static int32_t matmul(struct graph_test *t, int32_t a, int32_t b) {
  return graph_test_node(t, &onri_layer_matmul, NULL, (int32_t[]){a, b}, 2);
}

static int32_t times(struct graph_test *t, int32_t x, float c) {
  return graph_test_binary(t, ONR_BINARY_MUL, x, graph_test_scalar(t, c));
}

static int32_t softmax(struct graph_test *t, int32_t x, int64_t axis) {
  return graph_test_node(t, &onri_layer_softmax, &(struct onr_softmax_params){.axis = axis}, &x, 1);
}

/* [batch, length, heads, width] as a projection gives it, with the heads moved in front. */
static int32_t heads(struct graph_test *t, int64_t length) {
  const int32_t x = graph_test_input(t, 3, (int64_t[]){BATCH, length, HEADS * WIDTH});
  return graph_test_transpose(t, graph_test_reshape(t, x, 4, (int64_t[]){0, 0, HEADS, WIDTH}), 4,
                              (int32_t[]){0, 2, 1, 3});
}

static int32_t swap(struct graph_test *t, int32_t k) { return graph_test_transpose(t, k, 4, (int32_t[]){0, 1, 3, 2}); }

static void output_merged(struct graph_test *t, int32_t y) {
  graph_test_output(t, graph_test_reshape(t, graph_test_transpose(t, y, 4, (int32_t[]){0, 2, 1, 3}), 3,
                                          (int64_t[]){0, 0, HEADS * WIDTH}));
}

static const struct onr_attention_params *expect_attention(struct graph_test *t) {
  graph_test_check(t, NULL);
  assert_int_equal(graph_test_count(t, &onri_layer_matmul) + graph_test_count(t, &onri_layer_softmax), 0);
  assert_int_equal(graph_test_count(t, &onri_layer_transpose), 0);
  return graph_test_find(t, &onri_layer_attention)->params;
}

/* Scores divided, as people write it. */
static void test_scaled_scores(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t q = heads(&t, QUERIES), k = heads(&t, KEYS), v = heads(&t, KEYS);
  const int32_t scores = graph_test_binary(&t, ONR_BINARY_DIV, matmul(&t, q, swap(&t, k)), graph_test_scalar(&t, 2));
  output_merged(&t, matmul(&t, softmax(&t, scores, -1), v));
  const struct onr_attention_params *p = expect_attention(&t);
  assert_true(p->q_heads_inner && p->kv_heads_inner && p->y_heads_inner && p->scale == 0.5f);
  graph_test_end(&t);
}

/* Q and K scaled by the root each, and a mask added: PyTorch's scaled_dot_product_attention. */
static void test_both_scaled_with_mask(void **state) {
  struct graph_test t;
  const float root = sqrtf(0.5f);
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t q = heads(&t, QUERIES), k = heads(&t, KEYS), v = heads(&t, KEYS);
  const int32_t mask = graph_test_input(&t, 4, (int64_t[]){BATCH, 1, QUERIES, KEYS});
  const int32_t scores = matmul(&t, times(&t, q, root), times(&t, swap(&t, k), root));
  output_merged(&t, matmul(&t, softmax(&t, graph_test_binary(&t, ONR_BINARY_ADD, scores, mask), 3), v));
  const struct onr_attention_params *p = expect_attention(&t);
  assert_true(fabsf(p->scale - 0.5f) < 1e-6f);
  graph_test_end(&t);
}

/* x [batch, HEADS, keys, width] with each head `times` times, as PyTorch's models repeat keys and values. */
static int32_t repeated(struct graph_test *t, int32_t x, int64_t heads_of_x, int64_t times, int tiled) {
  const int32_t five = graph_test_node(t, &onri_layer_unsqueeze, NULL,
                                       (int32_t[]){x, graph_test_ints(t, 1, (int64_t[]){tiled ? 1 : 2})}, 2);
  const int64_t shape[] = {BATCH, tiled ? times : heads_of_x, tiled ? heads_of_x : times, KEYS, WIDTH};
  const int32_t wide = graph_test_node(t, &onri_layer_expand, NULL, (int32_t[]){five, graph_test_ints(t, 5, shape)}, 2);
  return graph_test_reshape(t, wide, 4, (int64_t[]){0, heads_of_x * times, KEYS, WIDTH});
}

/* Heads of keys that several heads of queries share: the layer shares them. Tiled heads are in another order. */
static void test_repeated_heads(void **state) {
  (void)state;
  for (int tiled = 0; tiled < 2; tiled++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 1e-5;
    const int32_t q = graph_test_input(&t, 4, (int64_t[]){BATCH, 6, QUERIES, WIDTH}),
                  k = graph_test_input(&t, 4, (int64_t[]){BATCH, 2, KEYS, WIDTH}),
                  v = graph_test_input(&t, 4, (int64_t[]){BATCH, 2, KEYS, WIDTH});
    const int32_t scores = matmul(&t, q, swap(&t, repeated(&t, k, 2, 3, tiled)));
    graph_test_output(&t, matmul(&t, softmax(&t, times(&t, scores, 0.5f), 3), repeated(&t, v, 2, 3, tiled)));
    graph_test_check(&t, NULL);
    assert_int_equal(graph_test_count(&t, &onri_layer_attention), 1);
    assert_int_equal(graph_test_count(&t, &onri_layer_expand), tiled ? 2 : 0);
    graph_test_end(&t);
  }
}

/* Gemma's scores: 3 tanh(x / 3) in front of the mask. With another number behind tanh it is none. */
static void test_capped_scores(void **state) {
  (void)state;
  for (int other = 0; other < 2; other++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 1e-5;
    const int32_t q = heads(&t, QUERIES), k = heads(&t, KEYS), v = heads(&t, KEYS);
    const int32_t mask = graph_test_input(&t, 4, (int64_t[]){BATCH, 1, QUERIES, KEYS});
    int32_t x = times(&t, matmul(&t, q, swap(&t, k)), 0.5f);
    x = graph_test_unary(&t, ONR_UNARY_TANH, 0, 0, graph_test_binary(&t, ONR_BINARY_DIV, x, graph_test_scalar(&t, 3)));
    x = graph_test_binary(&t, ONR_BINARY_ADD, times(&t, x, other ? 2 : 3), mask);
    output_merged(&t, matmul(&t, softmax(&t, x, 3), v));
    graph_test_check(&t, NULL);
    assert_int_equal(graph_test_count(&t, &onri_layer_attention), !other);
    if (!other) {
      const struct onr_attention_params *p = graph_test_find(&t, &onri_layer_attention)->params;
      assert_true(p->softcap == 3 && p->scale == 0.5f);
    }
    graph_test_end(&t);
  }
}

/* K made of rank 3, transposed and reshaped back: what torchlib does. */
static void test_keys_transposed_flat(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t q = heads(&t, QUERIES), k = heads(&t, KEYS), v = heads(&t, KEYS);
  const int32_t flat = graph_test_reshape(&t, k, 3, (int64_t[]){-1, KEYS, WIDTH});
  const int32_t back = graph_test_reshape(&t, graph_test_transpose(&t, flat, 3, (int32_t[]){0, 2, 1}), 4,
                                          (int64_t[]){BATCH, HEADS, WIDTH, KEYS});
  output_merged(&t, matmul(&t, softmax(&t, matmul(&t, q, back), -1), v));
  assert_true(expect_attention(&t)->scale == 1.0f);
  graph_test_end(&t);
}

/* Batch and heads in one dimension, as bmm takes them. */
static void test_rank_three(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t q = graph_test_input(&t, 3, (int64_t[]){6, QUERIES, WIDTH}),
                k = graph_test_input(&t, 3, (int64_t[]){6, KEYS, WIDTH});
  const int32_t v = graph_test_input(&t, 3, (int64_t[]){6, KEYS, WIDTH});
  const int32_t scores = matmul(&t, times(&t, q, 0.5f), graph_test_transpose(&t, k, 3, (int32_t[]){0, 2, 1}));
  graph_test_output(&t, matmul(&t, softmax(&t, scores, 2), v));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_size(&t), 1);
  graph_test_end(&t);
}

/* Query 1 sees no key. `value` takes the place of probabilities that are NaN; NaN: none does. */
static void begin_with_blind_query(struct graph_test *t, float value) {
  float mask[QUERIES * KEYS] = {0};
  for (int j = 0; j < KEYS; j++) mask[KEYS + j] = -INFINITY;
  mask[3] = -INFINITY;
  graph_test_begin(t);
  t->tolerance = 1e-5;
  const int32_t q = heads(t, QUERIES), k = heads(t, KEYS), v = heads(t, KEYS);
  const int32_t hidden = graph_test_constant(t, 4, (int64_t[]){1, 1, QUERIES, KEYS}, mask);
  int32_t p = softmax(t, graph_test_binary(t, ONR_BINARY_ADD, matmul(t, q, swap(t, k)), hidden), -1);
  if (!isnan(value))
    p = graph_test_node(t, &onri_layer_where, NULL,
                        (int32_t[]){graph_test_unary(t, ONR_UNARY_IS_NAN, 0, 0, p), graph_test_scalar(t, value), p}, 3);
  output_merged(t, matmul(t, p, v));
}

static void test_query_that_sees_nothing(void **state) {
  struct graph_test t;
  (void)state;
  begin_with_blind_query(&t, NAN);
  assert_int_equal(expect_attention(&t)->blind_query, ONR_BLIND_QUERY_NAN);
  graph_test_end(&t);
  begin_with_blind_query(&t, 0);
  assert_int_equal(expect_attention(&t)->blind_query, ONR_BLIND_QUERY_GUARDED);
  graph_test_end(&t);
  begin_with_blind_query(&t, 1); /* is no guard */
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_attention), 0);
  graph_test_end(&t);
}

static void expect_none(struct graph_test *t) {
  graph_test_check(t, NULL);
  assert_int_equal(graph_test_count(t, &onri_layer_attention), 0);
  graph_test_end(t);
}

static void test_other_axis_is_no_attention(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t q = heads(&t, QUERIES), k = heads(&t, KEYS), v = heads(&t, KEYS);
  output_merged(&t, matmul(&t, softmax(&t, matmul(&t, q, swap(&t, k)), 2), v));
  expect_none(&t);
}

/* Somebody reads the probabilities. */
static void test_probabilities_that_are_read_stay(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t q = heads(&t, QUERIES), k = heads(&t, KEYS), v = heads(&t, KEYS);
  const int32_t p = softmax(&t, matmul(&t, q, swap(&t, k)), -1);
  graph_test_output(&t, p);
  output_merged(&t, matmul(&t, p, v));
  expect_none(&t);
}

/* One set of keys for all heads: matmul broadcasts, attention would not. */
static void test_broadcast_heads_stay(void **state) {
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 1e-5;
  const int32_t q = heads(&t, QUERIES), k = graph_test_input(&t, 4, (int64_t[]){BATCH, 1, KEYS, WIDTH});
  output_merged(&t, matmul(&t, softmax(&t, matmul(&t, q, swap(&t, k)), -1),
                           graph_test_input(&t, 4, (int64_t[]){BATCH, 1, KEYS, WIDTH})));
  expect_none(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scaled_scores),
      cmocka_unit_test(test_both_scaled_with_mask),
      cmocka_unit_test(test_repeated_heads),
      cmocka_unit_test(test_capped_scores),
      cmocka_unit_test(test_keys_transposed_flat),
      cmocka_unit_test(test_rank_three),
      cmocka_unit_test(test_other_axis_is_no_attention),
      cmocka_unit_test(test_probabilities_that_are_read_stay),
      cmocka_unit_test(test_broadcast_heads_stay),
      cmocka_unit_test(test_query_that_sees_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
