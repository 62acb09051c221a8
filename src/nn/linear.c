/* linear.c: torch.nn.Linear, Bilinear and Identity. */
#include "onnxrun/nn/linear.h"

#include "nn/nn_elementwise.h"
#include "nn/nn_shape.h"
#include "params/matmul.h"
#include "params/shape.h"

int onr_linear(struct onr_net *net, int x, const struct onr_linear *linear, struct onr_weight weight,
               struct onr_weight bias) {
  const struct onr_linear_params params = {0};
  if (!onri_net_check_given(net, "Linear", "linear", linear)) return -1;
  if (linear->in_features <= 0 || linear->out_features <= 0)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "Linear: expected in_features and out_features above 0, got %lld and %lld",
                         (long long)linear->in_features, (long long)linear->out_features);
  if (!onri_net_check_given(net, "Linear", "weight", weight.data)) return -1;
  const int w =
      onri_net_weight(net, "Linear", "weight", weight, 2, (int64_t[]){linear->out_features, linear->in_features});
  return onri_net_3(net, &onri_layer_linear, &params, x, w,
                    onri_net_weight(net, "Linear", "bias", bias, 1, &linear->out_features));
}

/* W as [out in1, in2] takes in b; what is left is a product with a for each output. */
int onr_bilinear(struct onr_net *net, int a, int b, const struct onr_bilinear *bilinear, struct onr_weight weight,
                 struct onr_weight bias) {
  if (!onri_net_check_given(net, "Bilinear", "bilinear", bilinear)) return -1;
  const int64_t in1 = bilinear->in1_features, in2 = bilinear->in2_features, out = bilinear->out_features,
                most = 1 << 20;
  const struct onr_unflatten_params split = {.axis = -1, .num_sizes = 2, .sizes = {out, in1}};
  if (in1 <= 0 || in2 <= 0 || out <= 0 || in1 > most || in2 > most || out > most)
    return onri_net_fail(
        net, ONR_STATUS_ARGUMENT,
        "Bilinear: expected in1_features, in2_features and out_features in 1..%lld, got %lld, %lld and %lld",
        (long long)most, (long long)in1, (long long)in2, (long long)out);
  if (!onri_net_check_given(net, "Bilinear", "weight", weight.data)) return -1;
  const int w = onri_net_weight(net, "Bilinear", "weight", weight, 2, (int64_t[]){out * in1, in2});
  const int bias_value = onri_net_weight(net, "Bilinear", "bias", bias, 1, &out);
  int y = onri_net_2(net, &onri_layer_linear, &(struct onr_linear_params){0}, b, w);
  y = onri_net_1(net, &onri_layer_unflatten, &split, y);
  y = onri_net_2(net, &onri_layer_matmul, &(struct onr_matmul_params){0}, y, onri_net_unsqueeze(net, a, -1));
  y = onri_net_squeeze(net, y, -1);
  return bias.data ? onri_net_binary(net, ONR_BINARY_ADD, y, bias_value) : y;
}

int onr_identity(struct onr_net *net, int x) { return onri_net_1(net, &onri_layer_identity, NULL, x); }
