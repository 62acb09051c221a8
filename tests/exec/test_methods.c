/* methods: a model loaded for measuring computes each convolution by the method that was asked for, where it can, and
 * the results are right by each of them. */
#include "support/graph_test.h"

#include <stdlib.h>

#include "base/cpu.h"
#include "layers/layers.h"
#include "onnxrun/nn.h"
#include "onnxrun/onnxrun.h"
#include "params/params.h"
#include "xnn/xnn.h"

enum { SIDE = 20, CHANNELS = 32, INPUTS = CHANNELS * SIDE * SIDE, KINDS = 5 };

/* One pixel, three by three, a line of three, depthwise, and one that strides. */
static const struct {
  int height, width, stride, groups;
} kinds[KINDS] = {{1, 1, 1, 1}, {3, 3, 1, 1}, {1, 3, 1, 1}, {3, 3, 1, CHANNELS}, {3, 3, 2, 1}};

static float weights[CHANNELS * CHANNELS * 9];

static struct onr_model *make_model(enum onr_backend backend, enum onr_method method) {
  const struct onr_model_options options = {.size = sizeof(options), .backend = backend, .method = method};
  struct onr_net *net;
  struct onr_model *model;
  struct onr_error error;
  assert_int_equal(onr_net_create(&options, &net, &error), ONR_STATUS_OK);
  int y = onr_net_input(net, "x", ONR_DTYPE_F32, 4, (int64_t[]){1, CHANNELS, SIDE, SIDE});
  for (int i = 0; i < KINDS; i++) {
    const int64_t h = kinds[i].height, w = kinds[i].width, s = kinds[i].stride;
    const struct onr_desc desc =
        onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){CHANNELS, CHANNELS / kinds[i].groups, h, w});
    const struct onr_conv_params params = {
        .window = {.rank = 2, .stride = {s, s}, .pad_begin = {h / 2, w / 2}, .pad_end = {h / 2, w / 2}},
        .groups = kinds[i].groups};
    const int weight = onr_net_constant(net, &desc, weights);
    onr_net_layer(net, &onri_layer_conv, &params, (int[]){y, weight}, 2, &y, 1);
  }
  onr_net_output(net, "y", y);
  if (onr_net_finish(net, &model, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  return model;
}

/* Which methods the convolutions took: a set of bits. */
static unsigned run(enum onr_backend backend, enum onr_method method, float *y) {
  enum { OUTPUTS = CHANNELS * SIDE * SIDE / 4 };
  static float x[INPUTS];
  struct onr_model *model = make_model(backend, method);
  const struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){1, CHANNELS, SIDE, SIDE}), x};
  struct onr_session *session;
  struct onr_error error;
  unsigned methods = 0;
  fill_random(x, INPUTS, -1, 1, 2);
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &in, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_bind_output(session, 0, y, OUTPUTS * sizeof(*y), &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_run(session, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < onr_session_num_nodes(session); i++) {
    struct onr_node_info node = {.size = sizeof(node)};
    assert_int_equal(onr_session_node(session, i, &node), ONR_STATUS_OK);
    assert_string_not_equal(onr_method_name(node.method), "?");
    if (node.method == ONR_METHOD_RULE) continue;
    assert_string_equal(node.layer, "conv");
    assert_int_equal(node.weight.dim[0], CHANNELS);
    assert_int_equal(node.input.rank, 4);
    methods |= 1u << node.method;
  }
  onr_session_destroy(session);
  onr_model_destroy(model);
  return methods;
}

static void every_method_is_taken_and_is_right(void **state) {
  static float expected[INPUTS], y[INPUTS];
  struct onr_env env = {.allocator = &onri_malloc_allocator};
  (void)state;
  fill_random(weights, sizeof(weights) / sizeof(weights[0]), -0.1f, 0.1f, 1);
  assert_int_equal(run(ONR_BACKEND_PORTABLE, ONR_METHOD_RULE, expected), 1u << ONR_METHOD_DIRECT);
  for (int m = 0; m < ONR_NUM_METHODS; m++) {
    const unsigned methods = run(ONR_BACKEND_AUTO, (enum onr_method)m, y);
    assert_close(y, expected, CHANNELS * SIDE * SIDE / 4, 1e-4, 1e-4);
    const int is_there = m == ONR_METHOD_XNNPACK ? onri_xnn_usable(&env)
                                                 : m != ONR_METHOD_RULE && m != ONR_METHOD_DIRECT &&
                                                       m != ONR_METHOD_HALF && onri_cpu_level() != ONRI_CPU_BASE;
    if (is_there && !(methods >> m & 1))
      fail_msg("no convolution is computed by %s", onr_method_name((enum onr_method)m));
    /* Asked for one, none takes another of Winograd's tiles. */
    const unsigned winograd = 7u << ONR_METHOD_WINOGRAD_2;
    if (m >= ONR_METHOD_DEPTHWISE) assert_int_equal(methods & winograd & ~(1u << m), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_method_is_taken_and_is_right)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
