/* linear: torch.nn.Linear and Identity. */
#include "onnxrun/nn/linear.h"

#include "nn/net.h"

int onr_linear(struct onr_net *net, int x, const struct onr_linear *linear, const float *weight, const float *bias) {
  const struct onr_linear_params params = {0};
  if (linear->in_features <= 0 || linear->out_features <= 0 || !weight)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Linear: expected in_features and out_features above 0 and a weight, got %lld and %lld",
                         (long long)linear->in_features, (long long)linear->out_features);
  const int w = onri_net_weight(net, weight, 2, (int64_t[]){linear->out_features, linear->in_features});
  return onri_net_3(net, &onri_layer_linear, &params, x, w, onri_net_weight(net, bias, 1, &linear->out_features));
}

int onr_identity(struct onr_net *net, int x) { return onri_net_1(net, &onri_layer_identity, NULL, x); }
