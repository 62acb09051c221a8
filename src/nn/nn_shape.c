/* nn_shape.c: short ways for layers that change the shape. */
#include "nn/nn_shape.h"

#include "params/move.h"
#include "params/shape.h"

int onri_net_batch_at(struct onr_net *net, int x, int32_t rank, int32_t axis) {
  return onri_net_1(net, &onri_layer_batch, &(struct onr_batch_params){rank, axis}, x);
}

int onri_net_unbatch_at(struct onr_net *net, int y, int x, int32_t rank, int32_t axis) {
  return onri_net_2(net, &onri_layer_unbatch, &(struct onr_batch_params){rank, axis}, y, x);
}

int onri_net_concat(struct onr_net *net, const int *values, size_t count, int64_t axis) {
  int out = values[0];
  return count == 1 ? out
                    : onr_net_layer(net, &onri_layer_concat, &(struct onr_concat_params){axis}, values, count, &out, 1);
}

int onri_net_pad(struct onr_net *net, int x, int pads, int64_t axis) {
  const int in[4] = {x, pads, ONRI_NONE, onri_net_ints(net, &axis, 1)};
  int y;
  return onr_net_layer(net, &onri_layer_pad, &(struct onr_pad_params){ONR_PAD_CONSTANT}, in, 4, &y, 1);
}

int onri_net_dim(struct onr_net *net, int x, int64_t d) {
  return onri_net_1(net, &onri_layer_shape, &(struct onr_shape_params){d, d + 1}, x);
}

int onri_net_squeeze(struct onr_net *net, int x, int64_t axis) {
  return onri_net_2(net, &onri_layer_squeeze, NULL, x, onri_net_ints(net, &axis, 1));
}

int onri_net_unsqueeze(struct onr_net *net, int x, int64_t axis) {
  return onri_net_2(net, &onri_layer_unsqueeze, NULL, x, onri_net_ints(net, &axis, 1));
}

int onri_net_swap_outer(struct onr_net *net, int x) {
  return onri_net_1(net, &onri_layer_transpose, &(struct onr_transpose_params){.rank = 3, .perm = {1, 0, 2}}, x);
}
