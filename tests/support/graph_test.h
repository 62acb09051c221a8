/* graph_test.h: graphs by hand for tests of passes: build one, compute it, rewrite it, compute it again, compare.
 *
 *   struct graph_test t;
 *   graph_test_begin(&t);
 *   const int32_t x = graph_test_input(&t, 4, (int64_t[]){1, 3, 8, 8});
 *   const int32_t y = graph_test_node(&t, &onri_layer_transpose, &params, (int32_t[]){x}, 1);
 *   graph_test_output(&t, y);
 *   graph_test_check(&t, NULL);                       // passes change no result
 *   assert_int_equal(graph_test_count(&t, &onri_layer_transpose), 0);
 *   graph_test_end(&t);
 *
 * The interpreter walks the nodes with onri_node_evaluate: portable kernels, no plan, no executor. */
#ifndef GRAPH_TEST_H
#define GRAPH_TEST_H

#include "graph/graph.h"
#include "layers/layers.h"
#include "support/layer_test.h"

enum { GRAPH_TEST_MAX = 16, GRAPH_TEST_SAMPLE = 3 /* size of unknown dimensions in graph_test_check */ };

struct graph_test {
  struct onr_env env;
  struct onri_graph *graph;
  struct onr_error error;
  int32_t inputs[GRAPH_TEST_MAX], outputs[GRAPH_TEST_MAX];
  size_t num_inputs, num_outputs;
  double tolerance; /* relative and absolute; 1e-6 by default */
};

void graph_test_begin(struct graph_test *t);
void graph_test_end(struct graph_test *t);
/* float32 graph input; dims may be -1. */
int32_t graph_test_input(struct graph_test *t, int32_t rank, const int64_t *dims);
/* float32 constant; NULL data: random in [0.5, 1.5). */
int32_t graph_test_constant(struct graph_test *t, int32_t rank, const int64_t *dims, const float *data);
int32_t graph_test_scalar(struct graph_test *t, float value);
int32_t graph_test_ints(struct graph_test *t, size_t count, const int64_t *values); /* int64 [count] */
int32_t graph_test_int_tensor(struct graph_test *t, int32_t rank, const int64_t *dims, const int64_t *values);
int32_t graph_test_node(struct graph_test *t, const struct onr_layer *layer, const void *params, const int32_t *in,
                        size_t num_in);
/* Output 0 of a node with several. */
int32_t graph_test_node_outputs(struct graph_test *t, const struct onr_layer *layer, const void *params,
                                const int32_t *in, size_t num_in, int32_t *out, size_t num_out);
int32_t graph_test_unary(struct graph_test *t, enum onr_unary op, float alpha, float beta, int32_t x);
int32_t graph_test_binary(struct graph_test *t, enum onr_binary op, int32_t a, int32_t b);
/* A 2-D convolution with random weights, padded to keep the size, with a bias. */
int32_t graph_test_conv(struct graph_test *t, int32_t x, int64_t in, int64_t out, int64_t kernel);
/* The same in groups, with fixed weights of both signs, so small that values stay near 1. */
int32_t graph_test_small_conv(struct graph_test *t, int32_t x, int64_t in, int64_t out, int64_t kernel, int64_t groups);
int32_t graph_test_reshape(struct graph_test *t, int32_t x, size_t rank, const int64_t *shape);
int32_t graph_test_transpose(struct graph_test *t, int32_t x, int32_t rank, const int32_t *perm);
int32_t graph_test_reduce(struct graph_test *t, enum onr_reduce_op op, int32_t x, size_t count, const int64_t *axes,
                          int32_t keep_dims);
void graph_test_output(struct graph_test *t, int32_t v);
/* Computes, runs the passes (all but `disabled`), verifies, computes again and compares all outputs. */
void graph_test_check(struct graph_test *t, const char *disabled);
/* Live nodes of a layer, and of all. */
size_t graph_test_count(const struct graph_test *t, const struct onr_layer *layer);
size_t graph_test_size(const struct graph_test *t);
/* The first live node of a layer; fails when there is none. */
const struct onri_node *graph_test_find(const struct graph_test *t, const struct onr_layer *layer);

#endif
