/* dequantize -> op -> quantize becomes the op on bytes; results are those of float32 but for one step where a sum lies
 * on the edge between two. */
#include "support/graph_test.h"
#include "support/sweep.h"

static const float steps[] = {0.02f, 0.05f, 0.11f};

struct quantisation {
  enum onr_dtype dtype;
  float scale;
  int zero;
};

static struct quantisation draw_bytes(struct sweep *s) {
  struct quantisation q = {.dtype = sweep_chance(s, 2) ? ONR_DTYPE_U8 : ONR_DTYPE_I8};
  q.scale = steps[sweep_pick(s, 0, 2)];
  q.zero = (int)sweep_pick(s, 0, 255) - (q.dtype == ONR_DTYPE_I8 ? 128 : 0);
  return q;
}

static int32_t bytes(struct graph_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims, const void *data) {
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  const int32_t v = onri_graph_add_data(t->graph, &desc, data);
  assert_true(v >= 0);
  return v;
}

static int32_t zero_of(struct graph_test *t, const struct quantisation *q) {
  return bytes(t, q->dtype, 0, NULL, (const int8_t[]){(int8_t)q->zero});
}

static int32_t quantize(struct graph_test *t, int32_t x, const struct quantisation *q) {
  const struct onr_quantize_params params = {.axis = 1};
  return graph_test_node(t, &onri_layer_quantize_linear, &params,
                         (int32_t[]){x, graph_test_scalar(t, q->scale), zero_of(t, q)}, 3);
}

static int32_t dequantize(struct graph_test *t, int32_t x, const struct quantisation *q) {
  const struct onr_quantize_params params = {.axis = 1};
  return graph_test_node(t, &onri_layer_dequantize_linear, &params,
                         (int32_t[]){x, graph_test_scalar(t, q->scale), zero_of(t, q)}, 3);
}

/* What networks have between two layers. */
static int32_t through_bytes(struct graph_test *t, struct sweep *s, int32_t x) {
  const struct quantisation q = draw_bytes(s);
  return dequantize(t, quantize(t, x, &q), &q);
}

/* Quantized weights: one scale, or one a row of dims[0]. */
static int32_t weights(struct graph_test *t, struct sweep *s, int32_t rank, const int64_t *dims) {
  uint8_t data[4096];
  float scales[64];
  int8_t zeros[64];
  int64_t count = 1;
  const struct quantisation q = draw_bytes(s);
  const struct onr_quantize_params params = {.axis = 0};
  const int per_row = sweep_chance(s, 2), symmetric = sweep_chance(s, 2);
  for (int32_t d = 0; d < rank; d++) count *= dims[d];
  assert_true(count <= (int64_t)sizeof(data) && dims[0] <= 64);
  for (int64_t i = 0; i < count; i++) data[i] = (uint8_t)sweep_next(s);
  for (int64_t m = 0; m < dims[0]; m++) {
    scales[m] = (float)sweep_pick(s, 10, 40) / 4096.0f;
    zeros[m] = symmetric ? (q.dtype == ONR_DTYPE_U8 ? (int8_t)128 : 0) : (int8_t)sweep_next(s);
  }
  const int32_t w = bytes(t, q.dtype, rank, dims, data), scale = graph_test_constant(t, per_row, dims, scales),
                zero = bytes(t, q.dtype, per_row, dims, zeros);
  return graph_test_node(t, &onri_layer_dequantize_linear, &params, (int32_t[]){w, scale, zero}, 3);
}

/* The result in real numbers: within a step of what float32 gives. */
static void check(struct graph_test *t, struct sweep *s, int32_t y) {
  const struct quantisation q = draw_bytes(s);
  t->tolerance = (double)q.scale * 1.01;
  graph_test_output(t, dequantize(t, quantize(t, y, &q), &q));
  graph_test_check(t, NULL);
  assert_int_equal(graph_test_count(t, &onri_layer_dequantize_linear), 1);
}

/* A convolution of quantized x and weights, with its activation, of one to three dimensions. */
static int32_t convolution(struct graph_test *t, struct sweep *s) {
  const int32_t rank = (int32_t)sweep_pick(s, 1, 3);
  const int64_t groups = sweep_pick(s, 0, 2) ? 1 : sweep_pick(s, 2, 4), in = groups * sweep_pick(s, 1, 5),
                out = groups * sweep_pick(s, 1, 6), kernel = sweep_pick(s, 1, 3);
  const int64_t x[] = {2, in, 6, 7, 4}, w[] = {out, in / groups, kernel, kernel, kernel};
  struct onr_conv_params params = {.window = {.rank = rank, .pad_begin = {1, 0, 2}, .pad_end = {0, 1}},
                                   .groups = groups};
  for (int32_t a = 0; a < rank; a++) params.window.kernel[a] = kernel, params.window.stride[a] = sweep_pick(s, 1, 2);
  const int32_t inputs[3] = {through_bytes(t, s, graph_test_input(t, rank + 2, x)), weights(t, s, rank + 2, w),
                             graph_test_constant(t, 1, &out, NULL)};
  const int32_t y = graph_test_node(t, &onri_layer_conv, &params, inputs, sweep_chance(s, 2) ? 3 : 2);
  if (sweep_chance(s, 2)) return graph_test_unary(t, ONR_UNARY_RELU, 0, 0, y);
  return sweep_chance(s, 2) ? graph_test_unary(t, ONR_UNARY_CLIP, 0, 1, y) : y;
}

static void test_convolutions(void **state) {
  struct sweep s = sweep_from(3);
  (void)state;
  for (int i = 0; i < 120; i++) {
    struct graph_test t;
    graph_test_begin(&t);
    check(&t, &s, convolution(&t, &s));
    assert_int_equal(graph_test_count(&t, &onri_layer_qlinear_conv), 1);
    assert_int_equal(graph_test_count(&t, &onri_layer_conv), 0);
    graph_test_end(&t);
  }
}

/* What is not quantized again is made of bytes, too. */
static void test_real_convolutions(void **state) {
  struct sweep s = sweep_from(7);
  (void)state;
  for (int i = 0; i < 120; i++) {
    struct graph_test t;
    graph_test_begin(&t);
    graph_test_output(&t, convolution(&t, &s));
    t.tolerance = 1e-4; /* integers are exact, float32 sums are not */
    graph_test_check(&t, NULL);
    assert_int_equal(graph_test_count(&t, &onri_layer_conv_integer_real), 1);
    assert_int_equal(graph_test_count(&t, &onri_layer_dequantize_linear), 0);
    graph_test_end(&t);
  }
}

/* Dynamic quantization: sums become real numbers by a scale that is known when the model runs. */
static void test_scaled_sums(void **state) {
  struct sweep s = sweep_from(8);
  (void)state;
  for (int i = 0; i < 60; i++) {
    const int is_conv = i % 2, has_bias = (int)sweep_pick(&s, 0, 1), per_channel = (int)sweep_pick(&s, 0, 1);
    const int64_t in = sweep_pick(&s, 1, 70), out = sweep_pick(&s, 1, 40), shape[] = {1, out, 1, 1};
    const struct quantisation q = draw_bytes(&s), wq = draw_bytes(&s);
    const struct onr_conv_params conv = {.window = {.rank = 2, .kernel = {1, 1}}};
    const struct onr_cast_params to_float = {.to = ONR_DTYPE_F32};
    uint8_t data[70 * 40];
    struct graph_test t;
    graph_test_begin(&t);
    for (size_t k = 0; k < sizeof(data); k++) data[k] = (uint8_t)sweep_next(&s);
    const int32_t x = graph_test_input(&t, is_conv ? 4 : 2, is_conv ? (int64_t[]){2, in, 4, 3} : (int64_t[]){7, in}),
                  w = bytes(&t, wq.dtype, is_conv ? 4 : 2, is_conv ? (int64_t[]){out, in, 1, 1} : (int64_t[]){in, out},
                            data);
    const int32_t operands[] = {quantize(&t, x, &q), w, zero_of(&t, &q), zero_of(&t, &wq)};
    const int32_t sums = graph_test_node(&t, is_conv ? &onri_layer_conv_integer : &onri_layer_matmul_integer,
                                         is_conv ? (const void *)&conv : NULL, operands, 4);
    const int32_t cast = graph_test_node(&t, &onri_layer_cast, &to_float, &sums, 1);
    const int32_t scale = graph_test_input(&t, 1, (int64_t[]){1}),
                  scales = per_channel ? graph_test_constant(&t, is_conv ? 4 : 1, is_conv ? shape : &out, NULL)
                                       : graph_test_scalar(&t, 0.01f);
    int32_t y = graph_test_binary(&t, ONR_BINARY_MUL, cast, graph_test_binary(&t, ONR_BINARY_MUL, scale, scales));
    if (has_bias)
      y = graph_test_binary(&t, ONR_BINARY_ADD, y,
                            graph_test_constant(&t, is_conv ? 4 : 1, is_conv ? shape : &out, NULL));
    if (is_conv && i % 4 == 1) y = graph_test_unary(&t, ONR_UNARY_RELU, 0, 0, y);
    graph_test_output(&t, y);
    t.tolerance = 0.02;
    graph_test_check(&t, NULL);
    assert_int_equal(graph_test_count(&t, is_conv ? &onri_layer_conv_integer_real : &onri_layer_matmul_integer_real),
                     1);
    assert_int_equal(graph_test_count(&t, &onri_layer_binary) + graph_test_count(&t, &onri_layer_unary), 0);
    graph_test_end(&t);
  }
}

static void test_products(void **state) {
  struct sweep s = sweep_from(4);
  (void)state;
  for (int i = 0; i < 60; i++) {
    struct graph_test t;
    const int64_t k = sweep_pick(&s, 1, 20), n = sweep_pick(&s, 1, 20);
    const struct onr_gemm_params gemm = {.alpha = 1, .beta = 1, .transpose_b = 1};
    const struct onr_matmul_params matmul = {0};
    graph_test_begin(&t);
    int32_t inputs[3] = {through_bytes(&t, &s, graph_test_input(&t, 2, (int64_t[]){5, k})), 0,
                         graph_test_constant(&t, 1, &n, NULL)};
    if (i % 2) inputs[1] = weights(&t, &s, 2, (int64_t[]){n, k});
    else inputs[1] = through_bytes(&t, &s, graph_test_input(&t, 2, (int64_t[]){k, n}));
    const int32_t y = i % 2 ? graph_test_node(&t, &onri_layer_gemm, &gemm, inputs, i % 4 == 1 ? 3 : 2)
                            : graph_test_node(&t, &onri_layer_matmul, &matmul, inputs, 2);
    check(&t, &s, y);
    assert_int_equal(graph_test_count(&t, &onri_layer_qlinear_matmul), 1);
    graph_test_end(&t);
  }
}

static void test_sums_and_moves(void **state) {
  struct sweep s = sweep_from(5);
  (void)state;
  for (int i = 0; i < 40; i++) {
    struct graph_test t;
    const struct quantisation q = draw_bytes(&s);
    const struct onr_concat_params concat = {.axis = 1};
    graph_test_begin(&t);
    const int32_t a = through_bytes(&t, &s, graph_test_input(&t, 3, (int64_t[]){2, 3, 40})),
                  b = through_bytes(&t, &s,
                                    graph_test_input(&t, 3, i % 2 ? (int64_t[]){2, 3, 40} : (int64_t[]){1, 3, 1}));
    int32_t y = graph_test_binary(&t, i % 4 < 2 ? ONR_BINARY_ADD : ONR_BINARY_MUL, a, b);
    if (i % 3 == 0) y = graph_test_unary(&t, ONR_UNARY_SIGMOID, 0, 0, y);
    y = dequantize(&t, quantize(&t, y, &q), &q);
    y = graph_test_node(&t, &onri_layer_concat, &concat, (int32_t[]){y, y}, 2);
    y = dequantize(&t, quantize(&t, y, &q), &q);
    y = graph_test_transpose(&t, y, 3, (int32_t[]){1, 0, 2});
    t.tolerance = (double)q.scale * 1.01;
    graph_test_output(&t, dequantize(&t, quantize(&t, y, &q), &q));
    graph_test_check(&t, NULL);
    const struct onri_node *sum = graph_test_find(&t, &onri_layer_fused_elementwise);
    assert_true(((const struct onr_fused_elementwise_params *)sum->params)->output.dtype == (int)q.dtype);
    assert_int_equal(graph_test_count(&t, &onri_layer_quantize_linear), 2); /* of the graph's inputs */
    graph_test_end(&t);
  }
}

/* A transposed convolution whose weights have one scale, or one a channel of dimension 1, which all groups share, or
 * one a group. */
static void test_transposed_convolutions(void **state) {
  struct sweep s = sweep_from(9);
  (void)state;
  for (int i = 0; i < 90; i++) {
    struct graph_test t;
    const int32_t rank = (int32_t)sweep_pick(&s, 1, 3);
    const int by_group = sweep_chance(&s, 3);
    const int64_t groups = sweep_pick(&s, 1, 3), in = groups * (by_group ? 1 : sweep_pick(&s, 1, 4)),
                  each = by_group ? sweep_pick(&s, 1, 4) : in, out = groups * each, kernel = sweep_pick(&s, 1, 3),
                  x[] = {2, in, 5, 4, 3}, w[] = {in, each, kernel, kernel, kernel};
    struct onr_conv_transpose_params params = {.window = {.rank = rank}, .groups = groups};
    for (int32_t a = 0; a < rank; a++) params.window.stride[a] = sweep_pick(&s, 1, 3);
    graph_test_begin(&t);
    const int32_t of_x = through_bytes(&t, &s, graph_test_input(&t, rank + 2, x)), all = weights(&t, &s, rank + 2, w);
    struct onri_node *dequantized = &t.graph->nodes[t.graph->values[all].producer];
    ((struct onr_quantize_params *)dequantized->params)->axis = !by_group; /* there are as many rows */
    int32_t y = graph_test_node(&t, &onri_layer_conv_transpose, &params,
                                (int32_t[]){of_x, all, graph_test_constant(&t, 1, &out, NULL)}, i % 2 ? 3 : 2);
    if (i % 3 == 0) y = graph_test_unary(&t, ONR_UNARY_CLIP, 0, 1, y);
    check(&t, &s, y);
    assert_int_equal(graph_test_count(&t, &onri_layer_qlinear_conv_transpose), 1);
    graph_test_end(&t);
  }
}

/* What is not computed element by element reads and writes bytes, too. */
static void test_pieces(void **state) {
  struct sweep s = sweep_from(10);
  (void)state;
  for (int i = 0; i < 40; i++) {
    struct graph_test t;
    const struct onr_softmax_params softmax = {.axis = -1};
    const struct onr_layer_norm_params norm = {.axis = -1, .epsilon = 1e-5f};
    const struct onr_pool_params pool = {.window = {.rank = 2, .kernel = {2, 3}}};
    const struct onr_global_pool_params global = {0};
    const struct onr_resize_params resize = {.mode = ONR_RESIZE_LINEAR};
    const int64_t width = 7;
    graph_test_begin(&t);
    int32_t in[3] = {through_bytes(&t, &s, graph_test_input(&t, 4, (int64_t[]){2, 3, 4, width})), 0, 0}, y;
    switch (i % 5) {
      case 0: y = graph_test_node(&t, &onri_layer_softmax, &softmax, in, 1); break;
      case 1:
        in[1] = graph_test_constant(&t, 1, &width, NULL), in[2] = graph_test_constant(&t, 1, &width, NULL);
        y = graph_test_node(&t, &onri_layer_layer_norm, &norm, in, 3);
        break;
      case 2: y = graph_test_node(&t, &onri_layer_average_pool, &pool, in, 1); break;
      case 3: y = graph_test_node(&t, &onri_layer_global_average_pool, &global, in, 1); break;
      default:
        in[1] = ONRI_NONE, in[2] = graph_test_constant(&t, 1, (int64_t[]){4}, (const float[]){1, 1, 2, 1.5f});
        y = graph_test_node(&t, &onri_layer_resize, &resize, in, 3);
    }
    check(&t, &s, y);
    assert_int_equal(graph_test_count(&t, &onri_layer_byte_pieces), 1);
    graph_test_end(&t);
  }
}

/* What is moved, and the parts of what is put together, are quantized before, in whatever steps they are. */
static void test_moves_into_other_steps(void **state) {
  struct sweep s = sweep_from(11);
  (void)state;
  for (int i = 0; i < 60; i++) {
    struct graph_test t;
    const struct onr_concat_params concat = {.axis = 1};
    const struct onr_pad_params pad = {.mode = i % 2 ? ONR_PAD_CONSTANT : ONR_PAD_EDGE};
    const struct onr_split_params split = {.axis = 1};
    graph_test_begin(&t);
    const int32_t x = through_bytes(&t, &s, graph_test_input(&t, 3, (int64_t[]){2, 3, 5})),
                  z = through_bytes(&t, &s, graph_test_input(&t, 3, (int64_t[]){2, 3, 5}));
    int32_t y, parts[2];
    switch (i % 4) {
      case 0: y = graph_test_node(&t, &onri_layer_concat, &concat, (int32_t[]){x, z}, 2); break;
      case 1: y = graph_test_transpose(&t, x, 3, (int32_t[]){1, 0, 2}); break;
      case 2:
        y = graph_test_node(&t, &onri_layer_pad, &pad,
                            (int32_t[]){x, graph_test_ints(&t, 6, (int64_t[]){0, 1, 2, 0, 0, 1})}, 2);
        break;
      default:
        parts[0] = graph_test_node_outputs(&t, &onri_layer_split, &split,
                                           (int32_t[]){x, graph_test_ints(&t, 2, (int64_t[]){1, 2})}, 2, parts, 2);
        y = parts[1];
    }
    if (i % 3 == 0) y = graph_test_unary(&t, ONR_UNARY_CLIP, -0.25f, 0.5f, y);
    check(&t, &s, y);
    graph_test_end(&t);
  }
}

/* Weights of 4 bits between bytes, turned by a transpose, with a bias that is added behind the product. */
static void test_four_bits(void **state) {
  struct sweep s = sweep_from(12);
  (void)state;
  for (int i = 0; i < 40; i++) {
    struct graph_test t;
    const int64_t k = sweep_pick(&s, 1, 40), n = sweep_pick(&s, 1, 20);
    const enum onr_dtype dtype = i % 2 ? ONR_DTYPE_I4 : ONR_DTYPE_U4;
    const struct onr_quantize_params axis = {.axis = 0};
    int8_t data[800], zeros[20];
    float scales[20];
    graph_test_begin(&t);
    for (int64_t j = 0; j < n * k; j++) data[j] = (int8_t)(sweep_pick(&s, 0, 15) - (i % 2 ? 8 : 0));
    for (int64_t j = 0; j < n; j++) {
      zeros[j] = (int8_t)(sweep_pick(&s, 0, 15) - (i % 2 ? 8 : 0));
      scales[j] = (float)sweep_pick(&s, 1, 9) / 1024;
    }
    const int32_t w = bytes(&t, dtype, 2, (int64_t[]){n, k}, data), zero = bytes(&t, dtype, 1, &n, zeros);
    const int32_t real = graph_test_node(&t, &onri_layer_dequantize_linear, &axis,
                                         (int32_t[]){w, graph_test_constant(&t, 1, &n, scales), zero}, 3);
    const int32_t turned = graph_test_transpose(&t, real, 2, (int32_t[]){1, 0});
    const int32_t x = graph_test_input(&t, 2, (int64_t[]){5, k});
    const int32_t product = graph_test_node(&t, &onri_layer_matmul, &(struct onr_matmul_params){0},
                                            (int32_t[]){i % 4 < 2 ? through_bytes(&t, &s, x) : x, turned}, 2);
    check(&t, &s, graph_test_binary(&t, ONR_BINARY_ADD, product, graph_test_constant(&t, 1, &n, NULL)));
    assert_int_equal(graph_test_count(&t, i % 4 < 2 ? &onri_layer_qlinear_matmul : &onri_layer_matmul_nbits), 1);
    graph_test_end(&t);
  }
}

/* What depends on one tensor of bytes is a table: an activation, also times what it was made of. */
static void test_tables(void **state) {
  static const enum onr_unary ops[] = {ONR_UNARY_SIGMOID, ONR_UNARY_TANH, ONR_UNARY_EXP, ONR_UNARY_ABS};
  struct sweep s = sweep_from(14);
  (void)state;
  for (int i = 0; i < 40; i++) {
    struct graph_test t;
    const struct quantisation q = draw_bytes(&s);
    graph_test_begin(&t);
    const int32_t x = through_bytes(&t, &s, graph_test_input(&t, 3, (int64_t[]){2, 3, 43}));
    int32_t y = graph_test_unary(&t, ops[i % 4], 0, 0, x);
    if (i % 3) y = dequantize(&t, quantize(&t, y, &q), &q);
    if (i % 3 == 2) y = graph_test_binary(&t, ONR_BINARY_MUL, x, y);
    check(&t, &s, y);
    assert_int_equal(graph_test_count(&t, &onri_layer_byte_table), 1);
    assert_int_equal(graph_test_count(&t, &onri_layer_fused_elementwise), 0);
    graph_test_end(&t);
  }
}

/* Real rows by a matrix of 4 or 8 bits, with scales of blocks: it stays as narrow. */
static void test_narrow_weights(void **state) {
  static const enum onr_dtype types[] = {ONR_DTYPE_I4, ONR_DTYPE_U4, ONR_DTYPE_I8, ONR_DTYPE_U8};
  struct sweep s = sweep_from(13);
  (void)state;
  for (int i = 0; i < 60; i++) {
    struct graph_test t;
    const int turned = (int)sweep_pick(&s, 0, 1);
    const int64_t k = sweep_pick(&s, 1, 70), n = sweep_pick(&s, 1, 12), block = sweep_chance(&s, 2) ? 16 : 32,
                  blocks = (k + block - 1) / block;
    const enum onr_dtype dtype = types[i % 4];
    const int bits = i % 4 < 2 ? 4 : 8, least = i % 2 ? 0 : -(1 << (bits - 1));
    const struct onr_quantize_params params = {.axis = turned ? 1 : 0, .block_size = block};
    const struct onr_gemm_params gemm = {.alpha = 1, .beta = 1, .transpose_b = turned};
    int8_t data[70 * 12], zeros[5 * 12];
    float scales[5 * 12];
    graph_test_begin(&t);
    t.tolerance = 1e-4;
    for (int64_t j = 0; j < n * k; j++) data[j] = (int8_t)(least + (int)sweep_pick(&s, 0, (1 << bits) - 1));
    for (int64_t j = 0; j < n * blocks; j++) {
      zeros[j] = (int8_t)(least + (int)sweep_pick(&s, 0, (1 << bits) - 1));
      scales[j] = (float)sweep_pick(&s, 1, 9) / 1024;
    }
    const int64_t shape[] = {turned ? n : k, turned ? k : n}, of_scales[] = {turned ? n : blocks, turned ? blocks : n};
    const int32_t w = bytes(&t, dtype, 2, shape, data), zero = bytes(&t, dtype, 2, of_scales, zeros);
    const int32_t real = graph_test_node(&t, &onri_layer_dequantize_linear, &params,
                                         (int32_t[]){w, graph_test_constant(&t, 2, of_scales, scales), zero}, 3);
    graph_test_output(&t, graph_test_node(&t, &onri_layer_gemm, &gemm,
                                          (int32_t[]){graph_test_input(&t, 2, (int64_t[]){3, k}), real,
                                                      graph_test_constant(&t, 1, &n, NULL)},
                                          3));
    graph_test_check(&t, NULL);
    assert_int_equal(graph_test_count(&t, &onri_layer_matmul_nbits), 1);
    graph_test_end(&t);
  }
}

/* Who reads the real numbers, too, or a scale that is computed: nothing is rewritten. */
static void test_what_is_left_alone(void **state) {
  struct sweep s = sweep_from(6);
  struct graph_test t;
  const struct quantisation q = {ONR_DTYPE_U8, 0.05f, 3};
  const struct onr_conv_params params = {.window = {.rank = 2}};
  (void)state;
  graph_test_begin(&t);
  t.tolerance = 0.051;
  const int32_t inputs[2] = {through_bytes(&t, &s, graph_test_input(&t, 4, (int64_t[]){1, 3, 5, 5})),
                             weights(&t, &s, 4, (int64_t[]){4, 3, 1, 1})};
  const int32_t y = graph_test_node(&t, &onri_layer_conv, &params, inputs, 2);
  graph_test_output(&t, y);
  graph_test_output(&t, dequantize(&t, quantize(&t, y, &q), &q));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_qlinear_conv), 0);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_convolutions),   cmocka_unit_test(test_real_convolutions),
      cmocka_unit_test(test_scaled_sums),    cmocka_unit_test(test_products),
      cmocka_unit_test(test_sums_and_moves), cmocka_unit_test(test_transposed_convolutions),
      cmocka_unit_test(test_pieces),         cmocka_unit_test(test_moves_into_other_steps),
      cmocka_unit_test(test_four_bits),      cmocka_unit_test(test_tables),
      cmocka_unit_test(test_narrow_weights), cmocka_unit_test(test_what_is_left_alone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
