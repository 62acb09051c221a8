/* nn_elementwise.h: short ways for element-wise layers of networks written in C. */
#ifndef ONRI_NN_ELEMENTWISE_H
#define ONRI_NN_ELEMENTWISE_H

#include "nn/net.h"

int onri_net_unary(struct onr_net *net, enum onr_unary op, float alpha, float beta, int x);
int onri_net_binary(struct onr_net *net, enum onr_binary op, int a, int b);
/* a [channels] where it meets axis 1 of like. */
int onri_net_align(struct onr_net *net, int a, int like);

#endif
