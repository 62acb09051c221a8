/* nn_shape: short ways for layers that change the shape. */
#include "nn/nn_shape.h"

#include "onnxrun/layers/move.h"

int onri_net_squeeze(struct onr_net *net, int x, int64_t axis) {
  return onri_net_2(net, &onri_layer_squeeze, NULL, x, onri_net_ints(net, &axis, 1));
}

int onri_net_unsqueeze(struct onr_net *net, int x, int64_t axis) {
  return onri_net_2(net, &onri_layer_unsqueeze, NULL, x, onri_net_ints(net, &axis, 1));
}

int onri_net_swap_outer(struct onr_net *net, int x) {
  return onri_net_1(net, &onri_layer_transpose, &(struct onr_transpose_params){.rank = 3, .perm = {1, 0, 2}}, x);
}
