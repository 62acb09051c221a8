#include "support/graph_test.h"

#include <stdlib.h>
#include <string.h>

#include "model/passes.h"

static const struct onri_origin origin = {"Test", "node", "", "", ""};

void graph_test_begin(struct graph_test *t) {
  *t = (struct graph_test){.tolerance = 1e-6};
  t->env.allocator = &onri_malloc_allocator;
  t->env.limits = onri_limits_resolve(NULL);
  t->env.backend = ONR_BACKEND_PORTABLE;
  assert_int_equal(onri_graph_create(&t->env, &t->graph, &t->error), ONR_STATUS_OK);
}

void graph_test_end(struct graph_test *t) { onri_graph_destroy(t->graph); }

int32_t graph_test_input(struct graph_test *t, int32_t rank, const int64_t *dims) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, rank, dims);
  const int32_t v = onri_graph_add_value(t->graph, "x", &desc);
  assert_true(v >= 0 && t->num_inputs < GRAPH_TEST_MAX);
  t->inputs[t->num_inputs++] = v;
  return v;
}

int32_t graph_test_constant(struct graph_test *t, int32_t rank, const int64_t *dims, const float *data) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, rank, dims);
  const size_t count = (size_t)onr_desc_elements(&desc);
  float *random = malloc(count * sizeof(*random));
  assert_non_null(random);
  fill_random(random, count, 0.5f, 1.5f, (uint32_t)t->graph->num_values + 1);
  const int32_t v = onri_graph_add_data(t->graph, &desc, data ? data : random);
  free(random);
  assert_true(v >= 0);
  return v;
}

int32_t graph_test_scalar(struct graph_test *t, float value) { return graph_test_constant(t, 0, NULL, &value); }

int32_t graph_test_int_tensor(struct graph_test *t, int32_t rank, const int64_t *dims, const int64_t *values) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I64, rank, dims);
  const int32_t v = onri_graph_add_data(t->graph, &desc, values);
  assert_true(v >= 0);
  return v;
}

int32_t graph_test_ints(struct graph_test *t, size_t count, const int64_t *values) {
  return graph_test_int_tensor(t, 1, &(int64_t){(int64_t)count}, values);
}

int32_t graph_test_node_outputs(struct graph_test *t, const struct onr_layer *layer, const void *params,
                                const int32_t *in, size_t num_in, int32_t *out, size_t num_out) {
  for (size_t i = 0; i < num_out; i++) {
    out[i] = onri_graph_add_value(t->graph, NULL, NULL);
    assert_true(out[i] >= 0);
  }
  assert_non_null(onri_graph_add_node(t->graph, layer, params, &origin, in, num_in, out, num_out));
  return out[0];
}

int32_t graph_test_node(struct graph_test *t, const struct onr_layer *layer, const void *params, const int32_t *in,
                        size_t num_in) {
  int32_t out;
  return graph_test_node_outputs(t, layer, params, in, num_in, &out, 1);
}

int32_t graph_test_unary(struct graph_test *t, enum onr_unary op, float alpha, float beta, int32_t x) {
  const struct onr_unary_params params = {.op = op, .alpha = alpha, .beta = beta};
  return graph_test_node(t, &onri_layer_unary, &params, &x, 1);
}

int32_t graph_test_binary(struct graph_test *t, enum onr_binary op, int32_t a, int32_t b) {
  const struct onr_binary_params params = {.op = op};
  return graph_test_node(t, &onri_layer_binary, &params, (int32_t[]){a, b}, 2);
}

int32_t graph_test_conv(struct graph_test *t, int32_t x, int64_t in, int64_t out, int64_t kernel) {
  struct onr_conv_params params = {.window = {.rank = 2}};
  for (int d = 0; d < 2; d++) params.window.pad_begin[d] = params.window.pad_end[d] = kernel / 2;
  const int32_t inputs[3] = {x, graph_test_constant(t, 4, (int64_t[]){out, in, kernel, kernel}, NULL),
                             graph_test_constant(t, 1, &out, NULL)};
  return graph_test_node(t, &onri_layer_conv, &params, inputs, 3);
}

int32_t graph_test_small_conv(struct graph_test *t, int32_t x, int64_t in, int64_t out, int64_t kernel,
                              int64_t groups) {
  struct onr_conv_params params = {.window = {.rank = 2}, .groups = groups};
  const int64_t each = in / groups * kernel * kernel;
  float *weights = malloc((size_t)(out * each) * sizeof(*weights));
  assert_non_null(weights);
  for (int64_t i = 0; i < out * each; i++) weights[i] = (float)(i * 37 % 101 - 50) / (float)(25 * each);
  for (int d = 0; d < 2; d++) params.window.pad_begin[d] = params.window.pad_end[d] = kernel / 2;
  const int32_t inputs[3] = {x, graph_test_constant(t, 4, (int64_t[]){out, in / groups, kernel, kernel}, weights),
                             graph_test_constant(t, 1, &out, NULL)};
  free(weights);
  return graph_test_node(t, &onri_layer_conv, &params, inputs, 3);
}

int32_t graph_test_reshape(struct graph_test *t, int32_t x, size_t rank, const int64_t *shape) {
  return graph_test_node(t, &onri_layer_reshape, NULL, (int32_t[]){x, graph_test_ints(t, rank, shape)}, 2);
}

int32_t graph_test_transpose(struct graph_test *t, int32_t x, int32_t rank, const int32_t *perm) {
  struct onr_transpose_params params = {.rank = rank};
  for (int32_t i = 0; i < rank; i++) params.perm[i] = perm[i];
  return graph_test_node(t, &onri_layer_transpose, &params, &x, 1);
}

int32_t graph_test_reduce(struct graph_test *t, enum onr_reduce_op op, int32_t x, size_t count, const int64_t *axes,
                          int32_t keep_dims) {
  const struct onr_reduce_params params = {.op = op, .keep_dims = keep_dims};
  return graph_test_node(t, &onri_layer_reduce, &params, (int32_t[]){x, graph_test_ints(t, count, axes)}, 2);
}

void graph_test_output(struct graph_test *t, int32_t v) {
  assert_true(t->num_outputs < GRAPH_TEST_MAX);
  t->outputs[t->num_outputs++] = v;
}

/* --- the interpreter --- */

static void evaluate_node(struct graph_test *t, const struct onri_node *node, struct onri_constant **values) {
  struct onr_desc in[GRAPH_TEST_MAX] = {{0}};
  const void *inputs[GRAPH_TEST_MAX] = {NULL};
  struct onri_constant *outputs[GRAPH_TEST_MAX];
  assert_true(node->num_in <= GRAPH_TEST_MAX && node->num_out <= GRAPH_TEST_MAX);
  for (int32_t k = 0; k < node->num_in; k++) {
    if (node->in[k] == ONRI_NONE) continue;
    assert_non_null(values[node->in[k]]);
    in[k] = values[node->in[k]]->desc;
    inputs[k] = values[node->in[k]]->data;
  }
  if (onri_node_evaluate(node, &t->env, in, inputs, outputs, &t->error) != ONR_STATUS_OK)
    fail_msg("%s: %s: %s", node->layer->name, t->error.where, t->error.message);
  for (int32_t k = 0; k < node->num_out; k++)
    if (node->out[k] != ONRI_NONE) values[node->out[k]] = outputs[k];
    else onri_constant_release(outputs[k]);
}

static struct onri_constant *sample_input(struct graph_test *t, size_t i) {
  struct onr_desc desc = t->graph->values[t->graph->inputs[i]].desc;
  for (int32_t d = 0; d < desc.rank; d++)
    if (desc.dim[d] < 0) desc.dim[d] = GRAPH_TEST_SAMPLE;
  struct onri_constant *constant = onri_constant_create(&t->env, &desc);
  assert_non_null(constant);
  fill_random(constant->data, (size_t)onr_desc_elements(&desc), -2.0f, 2.0f, (uint32_t)i + 77);
  return constant;
}

/* Outputs of the graph, one reference each. */
static void compute(struct graph_test *t, struct onri_constant **outputs) {
  struct onri_graph *graph = t->graph;
  struct onri_constant **values = calloc(graph->num_values + 1, sizeof(struct onri_constant *));
  assert_non_null(values);
  for (size_t v = 0; v < graph->num_values; v++) {
    values[v] = graph->values[v].constant;
    if (values[v]) onri_constant_retain(values[v]);
  }
  for (size_t i = 0; i < graph->num_inputs; i++) values[graph->inputs[i]] = sample_input(t, i);
  for (size_t n = 0; n < graph->num_nodes; n++)
    if (graph->nodes[n].layer) evaluate_node(t, &graph->nodes[n], values);
  for (size_t i = 0; i < graph->num_outputs; i++) {
    outputs[i] = values[graph->outputs[i]];
    assert_non_null(outputs[i]);
    onri_constant_retain(outputs[i]);
  }
  for (size_t v = 0; v < graph->num_values; v++) onri_constant_release(values[v]);
  free(values);
}

static void compare(const struct graph_test *t, const struct onri_constant *before, const struct onri_constant *after) {
  assert_true(onr_desc_equal(&before->desc, &after->desc));
  if (before->desc.dtype == ONR_DTYPE_F32)
    assert_close(after->data, before->data, (size_t)onr_desc_elements(&before->desc), t->tolerance, t->tolerance);
  else assert_memory_equal(after->data, before->data, onr_desc_bytes(&before->desc));
}

void graph_test_check(struct graph_test *t, const char *disabled) {
  struct onri_constant *before[GRAPH_TEST_MAX], *after[GRAPH_TEST_MAX];
  assert_int_equal(onri_graph_set_inputs(t->graph, t->inputs, t->num_inputs, &t->error), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t->graph, t->outputs, t->num_outputs, &t->error), ONR_STATUS_OK);
  compute(t, before);
  if (onri_passes_run(t->graph, disabled, &(struct onri_passes_listener){0}, &t->error) != ONR_STATUS_OK)
    fail_msg("passes: %s", t->error.message);
  if (onri_graph_verify(t->graph, &t->error) != ONR_STATUS_OK) fail_msg("verify: %s", t->error.message);
  compute(t, after);
  for (size_t i = 0; i < t->num_outputs; i++) {
    compare(t, before[i], after[i]);
    onri_constant_release(before[i]);
    onri_constant_release(after[i]);
  }
}

/* --- looking --- */

size_t graph_test_count(const struct graph_test *t, const struct onr_layer *layer) {
  size_t count = 0;
  for (size_t n = 0; n < t->graph->num_nodes; n++) count += t->graph->nodes[n].layer == layer;
  return count;
}

size_t graph_test_size(const struct graph_test *t) {
  size_t count = 0;
  for (size_t n = 0; n < t->graph->num_nodes; n++) count += t->graph->nodes[n].layer != NULL;
  return count;
}

const struct onri_node *graph_test_find(const struct graph_test *t, const struct onr_layer *layer) {
  for (size_t n = 0; n < t->graph->num_nodes; n++)
    if (t->graph->nodes[n].layer == layer) return &t->graph->nodes[n];
  fail_msg("no %s is left", layer->name);
  return NULL;
}
