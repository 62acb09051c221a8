/* nn_elementwise.c: short ways for element-wise layers. */
#include "nn/nn_elementwise.h"

int onri_net_unary(struct onr_net *net, enum onr_unary op, float alpha, float beta, int x) {
  return onri_net_1(net, &onri_layer_unary, &(struct onr_unary_params){op, alpha, beta}, x);
}

int onri_net_binary(struct onr_net *net, enum onr_binary op, int a, int b) {
  return onri_net_2(net, &onri_layer_binary, &(struct onr_binary_params){.op = op}, a, b);
}

int onri_net_align(struct onr_net *net, int a, int like) {
  return onri_net_2(net, &onri_layer_align, &(struct onr_align_params){.axis = 1}, a, like);
}
