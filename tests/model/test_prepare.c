/* prepare: a constant that many nodes read is packed for each and kept once, and every node computes with it. */
#include <stdlib.h>

#include "support/graph_test.h"

#include "layers/layers.h"
#include "model/model.h"
#include "onnxrun/nn.h"
#include "onnxrun/onnxrun.h"

enum { WIDTH = 96, NODES = 12 };

static size_t weight_bytes(const struct onr_model *model) {
  struct onr_model_info info = {.size = sizeof(info)};
  onr_model_get_info(model, &info);
  return info.weight_bytes;
}

/* x W^T W^T ...: each product by the same constant, or each by one of its own. */
static struct onr_model *chain(enum onr_backend backend, int num_nodes, int shared) {
  static float weight[WIDTH * WIDTH];
  const struct onr_model_options options = {.size = sizeof(options), .backend = backend};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){WIDTH, WIDTH});
  const struct onr_linear_params params = {0};
  struct onr_net *net;
  struct onr_model *model;
  struct onr_error error;
  int y, w = -1;
  fill_random(weight, WIDTH * WIDTH, -0.1f, 0.1f, 1);
  assert_int_equal(onr_net_create(&options, &net, &error), ONR_STATUS_OK);
  y = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){ONR_UNKNOWN_DIM, WIDTH});
  for (int i = 0; i < num_nodes; i++) {
    if (!shared) weight[0] = (float)i; /* no two are the same */
    if (!shared || w < 0) w = onr_net_constant(net, &desc, weight);
    onr_net_layer(net, &onri_layer_linear, &params, (int[]){y, w}, 2, &y, 1);
    y = onr_tanh(net, y);
  }
  onr_net_output(net, "y", y);
  if (onr_net_finish(net, &model, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  return model;
}

static void run(const struct onr_model *model, float *y) {
  float x[2 * WIDTH];
  const struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){2, WIDTH}), x};
  struct onr_session *session;
  struct onr_error error;
  fill_random(x, 2 * WIDTH, -1, 1, 2);
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &in, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_bind_output(session, 0, y, 2 * WIDTH * sizeof(*y), &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_run(session, &error), ONR_STATUS_OK);
  onr_session_destroy(session);
}

static void a_constant_of_many_nodes_is_held_once(void **state) {
  struct onr_model *one = chain(ONR_BACKEND_AUTO, 1, 1), *many = chain(ONR_BACKEND_AUTO, NODES, 1),
                   *portable = chain(ONR_BACKEND_PORTABLE, NODES, 1), *own = chain(ONR_BACKEND_AUTO, NODES, 0);
  float y[2 * WIDTH], expected[2 * WIDTH];
  (void)state;
  assert_true(weight_bytes(many) < 2 * weight_bytes(one));
  assert_true(weight_bytes(own) >= NODES * WIDTH * WIDTH * sizeof(float));
  run(many, y);
  run(portable, expected);
  assert_close(y, expected, 2 * WIDTH, 1e-5, 1e-5);
  onr_model_destroy(one);
  onr_model_destroy(many);
  onr_model_destroy(portable);
  onr_model_destroy(own);
}

/* --- which constants leave memory --- */

static uint64_t packs; /* the inputs that a packing layer packs */
static size_t prepared;

static enum onr_status pack(struct onr_call *call) {
  prepared++;
  call->packed_inputs = packs;
  return ONR_STATUS_OK;
}

static const struct onr_layer packing = {
    .name = "packing", .inputs_min = 1, .inputs_max = 3, .outputs_min = 1, .outputs_max = 1, .prepare = pack};
static const struct onr_layer reading = {
    .name = "reading", .inputs_min = 1, .inputs_max = 3, .outputs_min = 1, .outputs_max = 1};

/* Prepares x, c -> first; x, c -> second (NULL: none); whether the contents of c are in memory then. */
static int stays(const struct onr_layer *first, const struct onr_layer *second, int is_output) {
  struct onr_model *model;
  struct graph_test t;
  graph_test_begin(&t);
  assert_int_equal(onri_model_create(NULL, &model, NULL), ONR_STATUS_OK);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){4}), c = graph_test_constant(&t, 1, (int64_t[]){4}, NULL);
  int32_t y = graph_test_node(&t, first, NULL, (int32_t[]){x, c}, 2);
  if (second) y = graph_test_node(&t, second, NULL, (int32_t[]){y, c}, 2);
  assert_int_equal(onri_graph_set_inputs(t.graph, &x, 1, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(t.graph, (int32_t[]){y, c}, is_output ? 2 : 1, NULL), ONR_STATUS_OK);
  model->graph = t.graph;
  packs = 2; /* input 1: the constant */
  assert_int_equal(onri_model_prepare(model, NULL), ONR_STATUS_OK);
  assert_int_equal(model->info.weight_bytes, t.graph->values[c].constant->data ? 16 : 0);
  const int result = t.graph->values[c].constant->data != NULL;
  onr_model_destroy(model); /* with the graph */
  return result;
}

static void what_all_readers_packed_leaves_memory(void **state) {
  (void)state;
  assert_false(stays(&packing, NULL, 0));
  assert_false(stays(&packing, &packing, 0));
  assert_true(stays(&packing, &reading, 0));
  assert_true(stays(&reading, &packing, 0));
  assert_true(stays(&reading, NULL, 0));
  assert_true(stays(&packing, NULL, 1)); /* the caller reads it */
}

/* --- contents that are in a file until a node is prepared --- */

enum { LARGE = 40000 };

static enum onr_status load_numbers(void *source, const struct onri_constant *constant, void *target,
                                    struct onr_error *error) {
  (void)error;
  for (int64_t i = 0; i < constant->desc.dim[0]; i++) ((float *)target)[i] = (float)(i + *(const int *)source);
  return ONR_STATUS_OK;
}

static int32_t constant_in_file(struct graph_test *t, int64_t count, int *source) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, &count);
  struct onri_constant *constant = onri_constant_create(t->graph->env, &desc);
  assert_non_null(constant);
  onri_release(constant->allocator, constant->data);
  constant->data = NULL;
  constant->load = load_numbers;
  constant->source = source;
  return onri_graph_add_constant(t->graph, "c", constant);
}

/* Of various sizes, one after the other: what was packed is gone, what a node reads is there, whatever came after it.
 */
static void contents_stay_where_they_are_read(void **state) {
  static const int64_t sizes[] = {LARGE, 10, 50 * LARGE, LARGE, 2 * LARGE, LARGE, 60 * LARGE, 7, 3 * LARGE};
  enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
  int sources[COUNT];
  int32_t constants[COUNT];
  struct onr_model *model;
  struct graph_test t;
  (void)state;
  for (unsigned stays_in = 0; stays_in < 1u << COUNT; stays_in += 7) {
    graph_test_begin(&t);
    assert_int_equal(onri_model_create(NULL, &model, NULL), ONR_STATUS_OK);
    const int32_t x = graph_test_input(&t, 1, (int64_t[]){4});
    int32_t y = x;
    for (int i = 0; i < COUNT; i++) {
      sources[i] = i;
      constants[i] = constant_in_file(&t, sizes[i], &sources[i]);
      y = graph_test_node(&t, stays_in >> i & 1 ? &reading : &packing, NULL, (int32_t[]){y, constants[i]}, 2);
    }
    assert_int_equal(onri_graph_set_inputs(t.graph, &x, 1, NULL), ONR_STATUS_OK);
    assert_int_equal(onri_graph_set_outputs(t.graph, &y, 1, NULL), ONR_STATUS_OK);
    model->graph = t.graph;
    packs = 2;
    assert_int_equal(onri_model_prepare(model, NULL), ONR_STATUS_OK);
    for (int i = 0; i < COUNT; i++) {
      const float *data = t.graph->values[constants[i]].constant->data;
      assert_int_equal(data != NULL, stays_in >> i & 1);
      for (int64_t k = 0; data && k < sizes[i]; k += sizes[i] / 7) assert_float_equal(data[k], (float)(k + i), 0);
    }
    onr_model_destroy(model);
  }
}

static enum onr_status refuse(struct onr_call *call) { return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "no"); }

static void an_error_names_the_node(void **state) {
  static const struct onr_layer refusing = {
      .name = "refusing", .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1, .prepare = refuse};
  struct onr_model *model;
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  assert_int_equal(onri_model_create(NULL, &model, NULL), ONR_STATUS_OK);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){4}), y = graph_test_node(&t, &packing, NULL, &x, 1);
  graph_test_node(&t, &refusing, NULL, &y, 1);
  graph_test_node(&t, &packing, NULL, &y, 1);
  model->graph = t.graph;
  packs = prepared = 0;
  assert_int_equal(onri_model_prepare(model, &t.error), ONR_STATUS_UNSUPPORTED);
  assert_string_equal(t.error.where, "Test 'node'");
  assert_int_equal(prepared, 1); /* and nothing behind it */
  assert_false(model->blocks.is_open);
  onr_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_constant_of_many_nodes_is_held_once), cmocka_unit_test(what_all_readers_packed_leaves_memory),
      cmocka_unit_test(contents_stay_where_they_are_read), cmocka_unit_test(an_error_names_the_node)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
