/* activation: the activations of torch.nn against PyTorch */
#include "support/nn_case.h"

#include "nn/cases/activation.inc"

NN_BUILD(elu, onr_elu(net, in[0], 1))
NN_BUILD(elu_half, onr_elu(net, in[0], 0.5f))
NN_BUILD(hardshrink, onr_hardshrink(net, in[0], 0.5f))
NN_BUILD(hardshrink_2, onr_hardshrink(net, in[0], 2))
NN_BUILD(hardsigmoid, onr_hardsigmoid(net, in[0]))
NN_BUILD(hardtanh, onr_hardtanh(net, in[0], -1, 1))
NN_BUILD(hardtanh_wide, onr_hardtanh(net, in[0], -0.5f, 2))
NN_BUILD(hardswish, onr_hardswish(net, in[0]))
NN_BUILD(leaky_relu, onr_leaky_relu(net, in[0], 0.01f))
NN_BUILD(leaky_relu_02, onr_leaky_relu(net, in[0], 0.2f))
NN_BUILD(log_sigmoid, onr_log_sigmoid(net, in[0]))
NN_BUILD(prelu_one, onr_prelu(net, in[0], 1, nn_weight(1, 1)))
NN_BUILD(prelu_channels, onr_prelu(net, in[0], 4, nn_weight(1, 4)))
NN_BUILD(relu, onr_relu(net, in[0]))
NN_BUILD(relu6, onr_relu6(net, in[0]))
NN_BUILD(rrelu, onr_rrelu(net, in[0], 1.0f / 8, 1.0f / 3))
NN_BUILD(rrelu_wide, onr_rrelu(net, in[0], 0.2f, 0.5f))
NN_BUILD(selu, onr_selu(net, in[0]))
NN_BUILD(celu, onr_celu(net, in[0], 1))
NN_BUILD(celu_2, onr_celu(net, in[0], 2))
NN_BUILD(gelu, onr_gelu(net, in[0]))
NN_BUILD(gelu_tanh, onr_gelu_tanh(net, in[0]))
NN_BUILD(sigmoid, onr_sigmoid(net, in[0]))
NN_BUILD(silu, onr_silu(net, in[0]))
NN_BUILD(mish, onr_mish(net, in[0]))
NN_BUILD(softplus, onr_softplus(net, in[0], 1, 20))
NN_BUILD(softplus_2_1, onr_softplus(net, in[0], 2, 1))
NN_BUILD(softshrink, onr_softshrink(net, in[0], 0.5f))
NN_BUILD(softshrink_1, onr_softshrink(net, in[0], 1))
NN_BUILD(softsign, onr_softsign(net, in[0]))
NN_BUILD(tanh_, onr_tanh(net, in[0]))
NN_BUILD(tanhshrink, onr_tanhshrink(net, in[0]))
NN_BUILD(threshold, onr_threshold(net, in[0], 0.1f, 20))
NN_BUILD(glu, onr_glu(net, in[0], -1))
NN_BUILD(glu_1, onr_glu(net, in[0], 1))
NN_BUILD(softmin, onr_softmin(net, in[0], 1))
NN_BUILD(softmax_last, onr_softmax(net, in[0], -1))
NN_BUILD(softmax_0, onr_softmax(net, in[0], 0))
NN_BUILD(softmax2d, onr_softmax2d(net, in[0]))
NN_BUILD(softmax2d_alone, onr_softmax2d(net, in[0]))
NN_BUILD(log_softmax, onr_log_softmax(net, in[0], 1))

static const struct nn_builder builders[] = {
    {"elu", elu},
    {"elu_half", elu_half},
    {"hardshrink", hardshrink},
    {"hardshrink_2", hardshrink_2},
    {"hardsigmoid", hardsigmoid},
    {"hardtanh", hardtanh},
    {"hardtanh_wide", hardtanh_wide},
    {"hardswish", hardswish},
    {"leaky_relu", leaky_relu},
    {"leaky_relu_02", leaky_relu_02},
    {"log_sigmoid", log_sigmoid},
    {"prelu_one", prelu_one},
    {"prelu_channels", prelu_channels},
    {"relu", relu},
    {"relu6", relu6},
    {"rrelu", rrelu},
    {"rrelu_wide", rrelu_wide},
    {"selu", selu},
    {"celu", celu},
    {"celu_2", celu_2},
    {"gelu", gelu},
    {"gelu_tanh", gelu_tanh},
    {"sigmoid", sigmoid},
    {"silu", silu},
    {"mish", mish},
    {"softplus", softplus},
    {"softplus_2_1", softplus_2_1},
    {"softshrink", softshrink},
    {"softshrink_1", softshrink_1},
    {"softsign", softsign},
    {"tanh", tanh_},
    {"tanhshrink", tanhshrink},
    {"threshold", threshold},
    {"glu", glu},
    {"glu_1", glu_1},
    {"softmin", softmin},
    {"softmax_last", softmax_last},
    {"softmax_0", softmax_0},
    {"softmax2d", softmax2d},
    {"softmax2d_alone", softmax2d_alone},
    {"log_softmax", log_softmax},
};

static void agrees_with_pytorch(void **state) {
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

static void fails(int (*add)(struct onr_net *net, int x)) {
  struct onr_error error = {0};
  struct onr_net *net;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  assert_int_equal(add(net, onr_net_input(net, "x", ONR_DTYPE_F32, 1, (int64_t[]){3})), -1);
  onr_net_destroy(net);
}

static int inverted_hardtanh(struct onr_net *net, int x) { return onr_hardtanh(net, x, 2, 1); }
static int celu_of_zero(struct onr_net *net, int x) { return onr_celu(net, x, 0); }
static int prelu_without_weight(struct onr_net *net, int x) { return onr_prelu(net, x, 1, onr_no_weight()); }

static int add_softmax2d(struct onr_net *net, int x, const void *params) {
  (void)params;
  return onr_softmax2d(net, x);
}

static void refuses_wrong_arguments(void **state) {
  (void)state;
  nn_refuses(add_softmax2d, NULL, 2, (int64_t[]){3, 4}, "rank 3 or 4");
  nn_refuses(add_softmax2d, NULL, 5, (int64_t[]){1, 3, 4, 1, 1}, "rank 3 or 4");
  fails(inverted_hardtanh);
  fails(celu_of_zero);
  fails(prelu_without_weight);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
