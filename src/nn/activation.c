/* activation.c: the activations of torch.nn. */
#include "onnxrun/nn/activation.h"

#include "nn/nn_elementwise.h"
#include "nn/nn_image.h"

/* f(x) with no parameters. */
#define PLAIN(function, op, alpha, beta) \
  int onr_##function(struct onr_net *net, int x) { return onri_net_unary(net, ONR_UNARY_##op, alpha, beta, x); }
PLAIN(hardsigmoid, HARD_SIGMOID, 1.0f / 6, 0.5f)
PLAIN(hardswish, HARD_SWISH, 1.0f / 6, 0.5f)
PLAIN(relu, RELU, 0, 0)
PLAIN(relu6, CLIP, 0, 6)
PLAIN(selu, SELU, 1.6732632423543772f, 1.0507009873554805f)
PLAIN(gelu, GELU, 0, 0)
PLAIN(gelu_tanh, GELU_TANH, 0, 0)
PLAIN(sigmoid, SIGMOID, 0, 0)
PLAIN(silu, SWISH, 1, 0)
PLAIN(mish, MISH, 0, 0)
PLAIN(softsign, SOFTSIGN, 0, 0)
PLAIN(tanh, TANH, 0, 0)

int onr_elu(struct onr_net *net, int x, float alpha) { return onri_net_unary(net, ONR_UNARY_ELU, alpha, 0, x); }

int onr_hardshrink(struct onr_net *net, int x, float lambd) {
  return onri_net_unary(net, ONR_UNARY_SHRINK, lambd, 0, x);
}

int onr_softshrink(struct onr_net *net, int x, float lambd) {
  return onri_net_unary(net, ONR_UNARY_SHRINK, lambd, lambd, x);
}

int onr_hardtanh(struct onr_net *net, int x, float min_val, float max_val) {
  if (!(min_val <= max_val))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Hardtanh: min_val %g is above max_val %g", (double)min_val,
                         (double)max_val);
  return onri_net_unary(net, ONR_UNARY_CLIP, min_val, max_val, x);
}

int onr_leaky_relu(struct onr_net *net, int x, float negative_slope) {
  return onri_net_unary(net, ONR_UNARY_LEAKY_RELU, negative_slope, 0, x);
}

int onr_rrelu(struct onr_net *net, int x, float lower, float upper) {
  return onr_leaky_relu(net, x, (lower + upper) / 2);
}

int onr_celu(struct onr_net *net, int x, float alpha) {
  if (alpha == 0) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "CELU: alpha is 0");
  return onri_net_unary(net, ONR_UNARY_CELU, alpha, 0, x);
}

int onr_log_sigmoid(struct onr_net *net, int x) {
  x = onri_net_unary(net, ONR_UNARY_NEG, 0, 0, x);
  x = onri_net_unary(net, ONR_UNARY_SOFTPLUS, 0, 0, x);
  return onri_net_unary(net, ONR_UNARY_NEG, 0, 0, x);
}

int onr_prelu(struct onr_net *net, int x, int64_t num_parameters, struct onr_weight weight) {
  if (num_parameters < 1)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "PReLU: expected num_parameters above 0, got %lld",
                         (long long)num_parameters);
  if (!onri_net_check_given(net, "PReLU", "weight", weight.data)) return -1;
  int w = onri_net_weight(net, "PReLU", "weight", weight, 1, &num_parameters);
  if (num_parameters > 1) w = onri_net_align(net, w, x);
  return onri_net_binary(net, ONR_BINARY_PRELU, x, w);
}

int onr_softplus(struct onr_net *net, int x, float beta, float threshold) {
  if (beta == 0) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Softplus: beta is 0");
  const int scaled = beta == 1 ? x : onri_net_unary(net, ONR_UNARY_AFFINE, beta, 0, x);
  int y = onri_net_unary(net, ONR_UNARY_SOFTPLUS, 0, 0, scaled);
  if (beta != 1) y = onri_net_unary(net, ONR_UNARY_AFFINE, 1 / beta, 0, y);
  if (threshold >= 20) return y; /* the line and the curve are one in float32 */
  const int above = onri_net_binary(net, ONR_BINARY_GREATER, scaled, onri_net_float(net, threshold));
  return onri_net_3(net, &onri_layer_where, NULL, above, x, y);
}

int onr_tanhshrink(struct onr_net *net, int x) { return onri_net_binary(net, ONR_BINARY_SUB, x, onr_tanh(net, x)); }

int onr_threshold(struct onr_net *net, int x, float threshold, float value) {
  const int above = onri_net_binary(net, ONR_BINARY_GREATER, x, onri_net_float(net, threshold));
  return onri_net_3(net, &onri_layer_where, NULL, above, x, onri_net_float(net, value));
}

int onr_glu(struct onr_net *net, int x, int64_t dim) {
  int half[2];
  onr_net_layer(net, &onri_layer_split, &(struct onr_split_params){.axis = dim, .even = 1}, &x, 1, half, 2);
  return onri_net_binary(net, ONR_BINARY_MUL, half[0], onr_sigmoid(net, half[1]));
}

int onr_softmax(struct onr_net *net, int x, int64_t dim) {
  return onri_net_1(net, &onri_layer_softmax, &(struct onr_softmax_params){.axis = dim}, x);
}

int onr_softmin(struct onr_net *net, int x, int64_t dim) {
  return onr_softmax(net, onri_net_unary(net, ONR_UNARY_NEG, 0, 0, x), dim);
}

int onr_softmax2d(struct onr_net *net, int x) {
  return onri_net_unbatch(net, onr_softmax(net, onri_net_batch(net, x, 4), 1), x, 4);
}

int onr_log_softmax(struct onr_net *net, int x, int64_t dim) {
  return onri_net_1(net, &onri_layer_log_softmax, &(struct onr_softmax_params){.axis = dim}, x);
}
