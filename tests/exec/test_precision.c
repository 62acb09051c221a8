/* precision: with `fast`, products and convolutions by constant weights compute in float16 where the processor can,
 * say so, and are as near to the exact results as half_product.h promises; others say why not. */
#include "support/graph_test.h"

#include <math.h>

#include "kernels/kernels.h"
#include "kernels/matmul/half_product.h"
#include "layers/layers.h"
#include "onnxrun/nn.h"
#include "onnxrun/onnxrun.h"
#include "params/params.h"

enum { SIDE = 12, CHANNELS = 48, PIXELS = SIDE * SIDE, FEATURES = 600, MOST = CHANNELS * FEATURES };
static float weights[MOST];

struct kind {
  int kernel, stride, dilation, groups, batch; /* a convolution; kernel 0: a product */
  const char *note;                            /* NULL: computed in float16 */
};
static const struct kind kinds[] = {
    {1, 1, 1, 1, 1, "its image is channels-first"},
    {1, 2, 1, 1, 2, NULL},
    {3, 2, 1, 1, 3, NULL},
    {2, 1, 3, 1, 1, NULL},
    {1, 1, 1, 2, 1, "it has groups of channels"},
    {3, 1, 1, CHANNELS, 1, "it has groups of channels"},
    {3, 1, 1, 1, 1, "Winograd's method multiplies less"},
    {0, 0, 0, 0, 0, NULL},
};

static int64_t outputs_of(const struct kind *k) {
  if (!k->kernel) return (int64_t)PIXELS * FEATURES;
  const int64_t side = (SIDE + k->kernel / 2 * 2 - (k->kernel - 1) * k->dilation - 1) / k->stride + 1;
  return k->batch * CHANNELS * side * side;
}

static void add_layers(struct onr_net *net, const struct kind *k) {
  const int64_t s = k->stride, d = k->dilation, pad = k->kernel / 2;
  int y;
  if (k->kernel) {
    const struct onr_desc desc =
        onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){CHANNELS, CHANNELS / k->groups, k->kernel, k->kernel});
    const struct onr_conv_params params = {
        .window = {.rank = 2, .stride = {s, s}, .dilation = {d, d}, .pad_begin = {pad, pad}, .pad_end = {pad, pad}},
        .groups = k->groups};
    y = onr_net_input(net, "x", ONR_DTYPE_F32, 4, (int64_t[]){k->batch, CHANNELS, SIDE, SIDE});
    onr_net_layer(net, &onri_layer_conv, &params, (int[]){y, onr_net_constant(net, &desc, weights)}, 2, &y, 1);
  } else {
    const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){CHANNELS, FEATURES});
    y = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){PIXELS, CHANNELS});
    onr_net_layer(net, &onri_layer_matmul, &(struct onr_matmul_params){0},
                  (int[]){y, onr_net_constant(net, &desc, weights)}, 2, &y, 1);
  }
  onr_net_output(net, "y", y);
}

/* What the layer says about itself. */
static struct onr_node_info run(const struct kind *k, enum onr_precision precision, float *y) {
  const struct onr_model_options options = {.size = sizeof(options), .precision = precision};
  struct onr_node_info info = {.size = sizeof(info)};
  struct onr_net *net;
  struct onr_model *model;
  struct onr_session *session;
  struct onr_error error;
  const struct onr_desc product = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){PIXELS, CHANNELS}),
                        image = onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){k->batch, CHANNELS, SIDE, SIDE});
  static float images[3 * CHANNELS * PIXELS];
  const struct onr_tensor in = {k->kernel ? image : product, images};
  fill_random(images, sizeof(images) / sizeof(images[0]), -1, 1, 2);
  assert_int_equal(onr_net_create(&options, &net, &error), ONR_STATUS_OK);
  add_layers(net, k);
  if (onr_net_finish(net, &model, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &in, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_bind_output(session, 0, y, (size_t)outputs_of(k) * sizeof(*y), &error), ONR_STATUS_OK);
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  for (size_t i = 0; i < onr_session_num_nodes(session); i++) {
    assert_int_equal(onr_session_node(session, i, &info), ONR_STATUS_OK);
    if (info.multiply_adds) break;
  }
  assert_true(info.multiply_adds > 0);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return info;
}

static void fast_is_near_and_says_so(void **state) {
  static float exact[FEATURES * PIXELS], fast[FEATURES * PIXELS];
  const int has_half = onri_kernels(half_product)->rows > 0;
  (void)state;
  fill_random(weights, MOST, -1, 1, 1);
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    const struct kind *k = &kinds[i];
    const size_t count = (size_t)outputs_of(k);
    const struct onr_node_info plain = run(k, ONR_PRECISION_EXACT, exact), info = run(k, ONR_PRECISION_FAST, fast);
    double error = 0, size = 0;
    assert_null(plain.note);
    assert_int_not_equal(plain.method, ONR_METHOD_HALF);
    if (has_half && !k->note) assert_int_equal(info.method, ONR_METHOD_HALF);
    if (info.method == ONR_METHOD_HALF) assert_null(info.note);
    else assert_string_equal(info.note, k->note && has_half ? k->note : info.note);
    for (size_t j = 0; j < count; j++) {
      const double difference = (double)fast[j] - (double)exact[j];
      error += difference * difference;
      size += (double)exact[j] * (double)exact[j];
    }
    /* The root mean square of what half_product.h calls mostly, doubled; other methods differ by float32's rounding. */
    assert_true(sqrt(error) <= (info.method == ONR_METHOD_HALF ? 2.4e-3 : 1e-5) * sqrt(size));
    if (info.method == ONR_METHOD_HALF) assert_true(error > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fast_is_near_and_says_so)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
